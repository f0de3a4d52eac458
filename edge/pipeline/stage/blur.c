/* SPDX-License-Identifier: Apache-2.0 */
/* The privacy stage `blur`: objects in the picture become a few squares of one colour each. */

#include "edge/pipeline/region.h"

typedef struct blur {
  pl_node n;
  conf_strs label; /* n 0: all */
  double grow;
  int64_t cells;
} blur;

#define AT(field) offsetof(blur, field)
static const conf_key k_keys[] = {{.name = "label", CONF_STRS, AT(label)},
                                  {.name = "grow", CONF_REAL, AT(grow), NULL, 0, 10},
                                  {.name = "cells", CONF_INT, AT(cells), NULL, 1, 64},
                                  {0}};
static const blur k_defaults = {.grow = 0.1, .cells = 6};

static bool meant(const blur *s, const char *label) {
  bool is = !s->label.n;
  for (size_t i = 0; !is && label && i < s->label.n; i++) is = pl_same(label, s->label.v[i]);
  return is;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  blur *s = (blur *)n;
  bool own = false;
  for (size_t i = 0; f->content == PL_PICTURE && i < f->n_object; i++) {
    if (!meant(s, f->object[i].label)) continue;
    if (!own) EDGE_TRY(pl_frame_own(f, err));
    own = true;
    pipe_mosaic(&f->pic, pl_box_of(f, &f->object[i], s->grow), (int)s->cells);
  }
  return pl_pass(n, f, err);
}

const pl_kind pl_stage_blur = {
    .name = "blur", .size = sizeof(blur), .keys = k_keys, .lone = "label", .defaults = &k_defaults, .run = run};
