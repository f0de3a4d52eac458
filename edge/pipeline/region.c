/* SPDX-License-Identifier: Apache-2.0 */
/* Places in pictures. */

#include "edge/pipeline/region.h"

#include <math.h>
#include <string.h>

static whet_status corners(const pl_node *at, const conf_node *v, const char *what, size_t least, size_t most,
                           pl_polygon *p, whet_err *err) {
  if (!v || v->kind != CONF_LIST || v->n < least || v->n > most)
    return pl_fail(at, err, "%s %.40s: points: expected %zu to %zu pairs [x, y]", what, p->name, least, most);
  for (size_t i = 0; i < v->n; i++) {
    const conf_node *c = &v->item[i];
    bool ok = c->kind == CONF_LIST && c->n == 2 && c->item[0].kind == CONF_TEXT && c->item[1].kind == CONF_TEXT &&
              conf_real(c->item[0].text, &p->x[i]) && conf_real(c->item[1].text, &p->y[i]);
    if (!ok || p->x[i] < 0 || p->x[i] > 1 || p->y[i] < 0 || p->y[i] > 1) {
      const pl_node here = {.kind = at->kind, .at = c, .p = at->p};
      return pl_fail(&here, err, "%s %.40s: expected [x, y] in parts of the picture, 0 to 1", what, p->name);
    }
  }
  p->n = v->n;
  return WHET_OK;
}

whet_status pl_polygons(pl_node *n, const conf_node *v, const char *what, size_t least, size_t most, pl_polygon **out,
                        size_t *n_out, whet_err *err) {
  *out = NULL;
  *n_out = 0;
  if (!v) return WHET_OK;
  const pl_node at = {.kind = n->kind, .at = v, .p = n->p};
  if (v->kind != CONF_LIST) return pl_fail(&at, err, "%s: expected a list of {name, points}", what);
  pl_polygon *p = pl_keep(n, v->n * sizeof *p, err);
  if (!p) return WHET_E_MEMORY;
  for (size_t i = 0; i < v->n; i++) {
    const conf_node *one = &v->item[i], *name = conf_get(one, "name");
    const pl_node here = {.kind = n->kind, .at = one, .p = n->p};
    if (one->kind != CONF_MAP || one->n != 2 || !name || name->kind != CONF_TEXT)
      return pl_fail(&here, err, "%s: expected {name: ..., points: [[x, y], ...]}", what);
    p[i].name = name->text;
    EDGE_TRY(corners(&here, conf_get(one, "points"), what, least, most > PL_CORNERS ? PL_CORNERS : most, &p[i], err));
  }
  *out = p;
  *n_out = v->n;
  return WHET_OK;
}

bool pl_inside(const pl_polygon *p, double x, double y) {
  bool in = false;
  for (size_t i = 0, k = p->n - 1; i < p->n; k = i++)
    if ((p->y[i] > y) != (p->y[k] > y) && x < (p->x[k] - p->x[i]) * (y - p->y[i]) / (p->y[k] - p->y[i]) + p->x[i])
      in = !in;
  return in;
}

pl_box pl_box_of(const pl_frame *f, const pl_object *o, double grow) {
  double w = (double)(o->x1 - o->x0) * grow, h = (double)(o->y1 - o->y0) * grow;
  return (pl_box){(int32_t)floor((double)o->x0 - w) - f->crop_x, (int32_t)floor((double)o->y0 - h) - f->crop_y,
                  (int32_t)ceil((double)o->x1 + w) - f->crop_x, (int32_t)ceil((double)o->y1 + h) - f->crop_y};
}

whet_status pl_crop(pl_frame *f, pl_box b, whet_err *err) {
  b = pipe_box_within(&f->pic, b);
  if (b.x0 >= b.x1 || b.y0 >= b.y1) return edge_fail(err, WHET_E_DATA, "nothing of the picture lies in that part");
  f->pic.data = pipe_pixel_at(&f->pic, b.x0, b.y0);
  f->pic.width = b.x1 - b.x0;
  f->pic.height = b.y1 - b.y0;
  f->crop_x += b.x0;
  f->crop_y += b.y0;
  return WHET_OK;
}
