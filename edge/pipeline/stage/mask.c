/* SPDX-License-Identifier: Apache-2.0 */
/* The privacy stage `mask`: fixed parts of the picture, or all but them, or objects, are filled with a colour. */

#include "edge/pipeline/label.h"
#include "edge/pipeline/region.h"

typedef struct mask {
  pl_node n;
  const conf_node *regions;
  conf_reals colour;
  conf_strs label;
  int what; /* inside, outside, objects */
  double grow;
  pl_polygon *region;
  size_t n_region;
  uint8_t fill[3];
} mask;

#define AT(field) offsetof(mask, field)
static const conf_key k_keys[] = {{.name = "regions", CONF_NODE, AT(regions)},
                                  {.name = "what", CONF_CHOICE, AT(what), "inside|outside|objects"},
                                  {.name = "label", CONF_STRS, AT(label)},
                                  {.name = "grow", CONF_REAL, AT(grow), NULL, 0, 10},
                                  {.name = "colour", CONF_REALS, AT(colour), NULL, 0, 255},
                                  {0}};

static whet_status open_mask(pl_node *n, whet_err *err) {
  mask *s = (mask *)n;
  EDGE_TRY(pl_polygons(n, s->regions, "regions", 3, PL_CORNERS, &s->region, &s->n_region, err));
  if ((s->what == 2) == (s->n_region > 0))
    return pl_fail(n, err, s->what == 2 ? "what: objects takes no regions" : "expected regions, or what: objects");
  if (s->colour.n && s->colour.n != 3) return pl_fail(n, err, "colour: expected three numbers, red, green, blue");
  EDGE_TRY(pl_labels_known(n, &s->label, err));
  for (size_t i = 0; i < s->colour.n; i++) s->fill[i] = (uint8_t)s->colour.v[i];
  return WHET_OK;
}

/* Fill what lies in one of the regions, or in none. A run of pixels at a time. */
static void regions(const mask *s, const pl_frame *f, whet_picture *p) {
  for (int32_t y = 0; y < p->height; y++)
    for (int32_t x = 0, from = -1; x <= p->width; x++) {
      bool in = false;
      for (size_t i = 0; x < p->width && !in && i < s->n_region; i++)
        in = pl_inside(&s->region[i], (x + f->crop_x + 0.5) / f->width, (y + f->crop_y + 0.5) / f->height);
      bool fill = x < p->width && in == (s->what == 0);
      if (fill && from < 0) from = x;
      if (!fill && from >= 0) pipe_paint(p, (pl_box){from, y, x, y + 1}, s->fill), from = -1;
    }
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  mask *s = (mask *)n;
  if (f->content != PL_PICTURE) return pl_pass(n, f, err);
  EDGE_TRY(pl_frame_own(f, err));
  if (s->what < 2) regions(s, f, &f->pic);
  for (size_t i = 0; s->what == 2 && i < f->n_object; i++)
    if (pl_chosen(&s->label, f->object[i].label)) pipe_paint(&f->pic, pl_box_of(f, &f->object[i], s->grow), s->fill);
  return pl_pass(n, f, err);
}

const pl_kind pl_stage_mask = {
    .name = "mask", .size = sizeof(mask), .keys = k_keys, .lone = "regions", .open = open_mask, .run = run};
