/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `each`: a frame for every object, with its part of the picture, for a model that looks closer. */

#include "edge/pipeline/label.h"
#include "edge/pipeline/region.h"

typedef struct each {
  pl_node n;
  conf_strs label; /* n 0: all */
  double grow;
  int64_t most, least;
} each;

#define AT(field) offsetof(each, field)
static const conf_key k_keys[] = {{.name = "label", CONF_STRS, AT(label)},
                                  {.name = "grow", CONF_REAL, AT(grow), NULL, 0, 10},
                                  {.name = "most", CONF_INT, AT(most), NULL, 1, 10000},
                                  {.name = "least", CONF_INT, AT(least), NULL, 1, 100000},
                                  {0}};
static const each k_defaults = {.most = 10000, .least = 1};

static whet_status open_each(pl_node *n, whet_err *err) { return pl_labels_known(n, &((each *)n)->label, err); }

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  each *s = (each *)n;
  int64_t given = 0;
  whet_status st = WHET_OK;
  if (f->content != PL_PICTURE) return edge_fail(err, WHET_E_TYPE, "the frame holds no picture");
  for (size_t i = 0; !st && i < f->n_object && given < s->most; i++) {
    const pl_object *o = &f->object[i];
    whet_err why;
    if (!pl_chosen(&s->label, o->label) || o->x1 - o->x0 < (float)s->least || o->y1 - o->y0 < (float)s->least)
      continue;
    pl_frame *c = pl_frame_copy(f);
    if (!c) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
    c->object[0] = *o;
    c->n_object = 1;
    if (!pl_crop(c, pl_box_of(f, o, s->grow), &why)) {
      st = pl_pass(n, c, err);
      given++;
    }
    pl_frame_free(c);
  }
  return st;
}

const pl_kind pl_stage_each = {.name = "each",
                               .size = sizeof(each),
                               .keys = k_keys,
                               .lone = "label",
                               .defaults = &k_defaults,
                               .open = open_each,
                               .run = run};
