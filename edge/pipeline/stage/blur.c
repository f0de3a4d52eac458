/* SPDX-License-Identifier: Apache-2.0 */
/* The privacy stage `blur`: objects in the picture become a few squares of one colour each. */

#include "edge/pipeline/label.h"
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

static whet_status open_blur(pl_node *n, whet_err *err) { return pl_labels_known(n, &((blur *)n)->label, err); }

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  blur *s = (blur *)n;
  bool own = false;
  for (size_t i = 0; f->content == PL_PICTURE && i < f->n_object; i++) {
    if (!pl_chosen(&s->label, f->object[i].label)) continue;
    if (!own) EDGE_TRY(pl_frame_own(f, err));
    own = true;
    pipe_mosaic(&f->pic, pl_box_of(f, &f->object[i], s->grow), (int)s->cells);
  }
  return pl_pass(n, f, err);
}

const pl_kind pl_stage_blur = {.name = "blur",
                               .size = sizeof(blur),
                               .keys = k_keys,
                               .lone = "label",
                               .defaults = &k_defaults,
                               .open = open_blur,
                               .run = run};
