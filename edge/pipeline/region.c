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

static pl_box within(const whet_picture *p, pl_box b) {
  if (b.x0 < 0) b.x0 = 0;
  if (b.y0 < 0) b.y0 = 0;
  if (b.x1 > p->width) b.x1 = p->width;
  if (b.y1 > p->height) b.y1 = p->height;
  return b;
}

static uint8_t *at(const whet_picture *p, int32_t x, int32_t y) {
  return (uint8_t *)(uintptr_t)p->data + y * p->stride + (ptrdiff_t)x * pl_pixel_bytes(p->pixel);
}

void pl_paint(whet_picture *p, pl_box b, const uint8_t colour[3]) {
  int n = pl_pixel_bytes(p->pixel), c = n == 2 ? 1 : n > 3 ? 3 : n;
  bool bgr = p->pixel == WHET_PIXEL_BGR || p->pixel == WHET_PIXEL_BGRA;
  b = within(p, b);
  for (int32_t y = b.y0; y < b.y1; y++)
    for (int32_t x = b.x0; x < b.x1; x++)
      for (int k = 0; k < c; k++)
        at(p, x, y)[k] = c == 1 ? (uint8_t)((colour[0] * 299 + colour[1] * 587 + colour[2] * 114) / 1000)
                                : colour[bgr ? 2 - k : k];
}

void pl_mosaic(whet_picture *p, pl_box b, int cells) {
  int n = pl_pixel_bytes(p->pixel);
  b = within(p, b);
  int32_t w = b.x1 - b.x0, h = b.y1 - b.y0;
  if (w <= 0 || h <= 0) return;
  int32_t nx = w < cells ? w : cells, ny = h < cells ? h : cells;
  for (int32_t cy = 0; cy < ny; cy++)
    for (int32_t cx = 0; cx < nx; cx++) {
      int32_t x0 = b.x0 + cx * w / nx, x1 = b.x0 + (cx + 1) * w / nx, y0 = b.y0 + cy * h / ny,
              y1 = b.y0 + (cy + 1) * h / ny;
      uint64_t sum[4] = {0}, count = (uint64_t)(x1 - x0) * (uint64_t)(y1 - y0);
      for (int32_t y = y0; y < y1; y++)
        for (int32_t x = x0; x < x1; x++)
          for (int k = 0; k < n; k++) sum[k] += at(p, x, y)[k];
      for (int32_t y = y0; y < y1; y++)
        for (int32_t x = x0; x < x1; x++)
          for (int k = 0; k < n; k++) at(p, x, y)[k] = (uint8_t)(sum[k] / count);
    }
}

whet_status pl_crop(pl_frame *f, pl_box b, whet_err *err) {
  b = within(&f->pic, b);
  if (b.x0 >= b.x1 || b.y0 >= b.y1) return edge_fail(err, WHET_E_DATA, "nothing of the picture lies in that part");
  f->pic.data = at(&f->pic, b.x0, b.y0);
  f->pic.width = b.x1 - b.x0;
  f->pic.height = b.y1 - b.y0;
  f->crop_x += b.x0;
  f->crop_y += b.y0;
  return WHET_OK;
}
