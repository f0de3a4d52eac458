/* SPDX-License-Identifier: Apache-2.0 */
/* whet_prep: row by row of the tensor: mean of source rows, means of columns, colour, map. Each stage is a kernel
 * family (kern/prep_*.h) and works on one row that stays in the first cache; stages that would do nothing are left
 * out. */

#include "whet/prep.h"

#include <math.h>

#include "base/dtype.h"
#include "kern/prep_color.h"
#include "kern/prep_cols.h"
#include "kern/prep_map.h"
#include "kern/prep_quad.h"
#include "kern/prep_rows.h"
#include "prep/pixel.h"
#include "prep/taps.h"

/* How a picture of one size meets the tensor. */
struct meeting {
  int32_t width, height;  /* of the picture */
  whet_pixel pixel;       /* of the picture */
  int32_t cx, cy, cw, ch; /* the part of the picture that is used */
  int32_t dx, dy, dw, dh; /* the part of the tensor that it fills */
};

struct whet_prep {
  whet_mem mem;
  whet_prep_opts o;
  whet_target target;
  int32_t c;             /* channels of the tensor */
  size_t elem;           /* bytes of one */
  struct meeting at;     /* of the last picture; width 0: none yet */
  bool resized, colored; /* stages that it needs */
  whet_taps rows, cols;
  bool quad; /* both halves of resizing at once */
  whet_prep_cols cols_params;
  whet_prep_quad quad_params;
  whet_prep_color color_params;
  whet_prep_map map_params;
  const whet_kern *rows_kern, *cols_kern, *quad_kern, *color_kern, *map_kern;
  void *table;   /* [c][256] elements, or NULL */
  int16_t *mean; /* one row of means of source rows */
  size_t mean_cap;
  uint8_t *pixels; /* one row, resized, in the picture's samples */
  size_t pixels_cap;
  uint8_t *line;    /* one row of the tensor's pixels, padding included */
  uint8_t *padding; /* the same, padding alone */
};

whet_prep_opts whet_prep_opts_default(void) {
  return (whet_prep_opts){.size = sizeof(whet_prep_opts),
                          .color = WHET_PIXEL_RGB,
                          .lo = 0,
                          .hi = 255,
                          .std = {1, 1, 1, 1},
                          .dtype = WHET_F32};
}

/* Every option makes sense? */
static whet_status check(const whet_prep_opts *o, whet_err *err) {
  if (o->size != sizeof *o)
    return whet__fail(err, WHET_E_MISUSE, "whet_prep_opts of %zu bytes, not %zu", o->size, sizeof *o);
  if (o->width < 1 || o->height < 1 || o->width > 1 << 24 || o->height > 1 << 24)
    return whet__fail(err, WHET_E_DATA, "a tensor of %d x %d pixels cannot hold a picture", o->width, o->height);
  if (!whet__pixel_samples(o->color) || o->color == WHET_PIXEL_GRAYA)
    return whet__fail(err, WHET_E_DATA, "pixel order %d is none that a tensor can have", (int)o->color);
  if ((unsigned)o->layout > WHET_LAYOUT_NCHW || (unsigned)o->fit > WHET_FIT_LETTERBOX ||
      (unsigned)o->filter > WHET_FILTER_NEAREST)
    return whet__fail(err, WHET_E_DATA, "layout %d, fit %d or filter %d is not known", (int)o->layout, (int)o->fit,
                      (int)o->filter);
  if (!isfinite(o->lo) || !isfinite(o->hi))
    return whet__fail(err, WHET_E_DATA, "range %g..%g is not finite", o->lo, o->hi);
  for (int i = 0; i < whet__pixel_samples(o->color); i++)
    if (!isfinite(o->mean[i]) || !isfinite(o->std[i]) || o->std[i] == 0)
      return whet__fail(err, WHET_E_DATA, "channel %d: mean %g, std %g: both must be finite and std not 0", i,
                        o->mean[i], o->std[i]);
  bool known = whet__is_float(o->dtype) || whet__is_int(o->dtype);
  if (!known || whet_dtype_bits(o->dtype) < 8)
    return whet__fail(err, WHET_E_TYPE, "pictures cannot be made into %s", whet_dtype_name(o->dtype));
  if (o->scale != 0 && (!whet__is_int(o->dtype) || !isfinite(o->scale) || o->scale < 0))
    return whet__fail(err, WHET_E_DATA, "scale %g of a %s tensor", o->scale, whet_dtype_name(o->dtype));
  return WHET_OK;
}

/* What sample v of a channel becomes, before it is stored. */
static double meaning(const whet_prep_opts *o, int ch, int v) {
  double x = o->lo + v * ((double)o->hi - o->lo) / 255;
  return (x - o->mean[ch]) / o->std[ch];
}

/* Fill the table of all samples of all channels. */
static void fill_table(whet_prep *p) {
  const whet_prep_opts *o = &p->o;
  bool integer = whet__is_int(o->dtype);
  int64_t least = integer ? whet__dtype_min(o->dtype) : 0, most = integer ? whet__dtype_max(o->dtype) : 0;
  for (int ch = 0; ch < p->c; ch++)
    for (int v = 0; v < 256; v++) {
      double y = meaning(o, ch, v);
      if (!integer) {
        whet__set_f64(o->dtype, p->table, ch * 256 + v, y);
        continue;
      }
      double q = o->scale != 0 ? round(y / o->scale) + o->zero : round(y);
      int64_t n = q <= (double)least ? least : q >= (double)most ? most : (int64_t)q;
      whet__set_i64(o->dtype, p->table, ch * 256 + v, n);
    }
}

/* Is every byte of the table the sample with the same bits turned over? */
static bool flips(const whet_prep *p, uint8_t *flip) {
  const uint8_t *t = p->table;
  *flip = t[0];
  for (int i = 0; i < p->c * 256; i++)
    if (t[i] != ((i & 255) ^ *flip)) return false;
  return true;
}

whet_status whet_prep_create(const whet_prep_opts *o, whet_prep **out, whet_err *err) {
  *out = NULL;
  if (err) err->code = WHET_OK;
  WHET_TRY(check(o, err));
  whet_target target;
  WHET_TRY(whet__target_at(o->cpu, &target, err));
  whet_mem root;
  whet__mem_init(&root, NULL, NULL, 0);
  whet_prep *p = whet__alloc0(&root, sizeof *p);
  if (!p) return whet__no_memory(&root, sizeof *p, err, "preprocessing");
  p->mem = root;
  p->o = *o;
  p->target = target;
  p->c = whet__pixel_samples(o->color);
  p->elem = whet__dtype_size(o->dtype);
  size_t n = (size_t)o->width * (size_t)p->c;
  p->line = whet__alloc0(&p->mem, n);
  p->padding = whet__alloc0(&p->mem, n);
  p->table = whet__alloc0(&p->mem, (size_t)p->c * 256 * p->elem);
  if (!p->line || !p->padding || !p->table) {
    whet_status s = whet__no_memory(&p->mem, n, err, "a row of pixels");
    whet_prep_close(&p);
    return s;
  }
  for (size_t i = 0; i < n; i++) p->padding[i] = o->pad[i % (size_t)p->c];
  fill_table(p);
  whet_prep_map *m = &p->map_params;
  *m = (whet_prep_map){.n = o->width,
                       .plane = (int64_t)o->width * o->height,
                       .c = p->c,
                       .planar = o->layout == WHET_LAYOUT_NCHW && p->c > 1,
                       .kind = o->dtype == WHET_F32 ? WHET_PREP_AFFINE : WHET_PREP_TABLE,
                       .elem = (uint8_t)p->elem};
  if (p->elem == 1 && flips(p, &m->flip)) m->kind = WHET_PREP_FLIP;
  for (int ch = 0; ch < p->c; ch++) {
    m->mul[ch] = (float)(((double)o->hi - o->lo) / 255 / o->std[ch]);
    m->add[ch] = (float)(((double)o->lo - o->mean[ch]) / o->std[ch]);
  }
  p->map_kern = whet__kern_pick(WHET_FAMILY_prep_map, &target, false, m);
  *out = p;
  return WHET_OK;
}

void whet_prep_close(whet_prep **out) {
  whet_prep *p = *out;
  *out = NULL;
  if (!p) return;
  whet__taps_free(&p->mem, &p->rows);
  whet__taps_free(&p->mem, &p->cols);
  whet__free(&p->mem, p->table);
  whet__free(&p->mem, p->mean);
  whet__free(&p->mem, p->pixels);
  whet__free(&p->mem, p->line);
  whet__free(&p->mem, p->padding);
  whet_mem root = p->mem; /* the account outlives the block that holds it */
  whet__free(&root, p);
}

size_t whet_prep_bytes(const whet_prep *p) {
  return (size_t)p->o.width * (size_t)p->o.height * (size_t)p->c * p->elem;
}

/* Which part of the picture fills which part of the tensor. */
static struct meeting meet(const whet_prep_opts *o, int32_t width, int32_t height, whet_pixel pixel) {
  struct meeting m = {
      .width = width, .height = height, .pixel = pixel, .cw = width, .ch = height, .dw = o->width, .dh = o->height};
  double fx = (double)o->width / width, fy = (double)o->height / height;
  if (o->fit == WHET_FIT_CROP) {
    double f = fmax(fx, fy);
    m.cw = (int32_t)whet__clamp_i(lround(o->width / f), 1, width);
    m.ch = (int32_t)whet__clamp_i(lround(o->height / f), 1, height);
    m.cx = (width - m.cw) / 2;
    m.cy = (height - m.ch) / 2;
  } else if (o->fit == WHET_FIT_LETTERBOX) {
    double f = fmin(fx, fy);
    m.dw = (int32_t)whet__clamp_i(lround(width * f), 1, o->width);
    m.dh = (int32_t)whet__clamp_i(lround(height * f), 1, o->height);
    m.dx = (o->width - m.dw) / 2;
    m.dy = (o->height - m.dh) / 2;
  }
  return m;
}

/* Tables and buffers for pictures like this one. */
static whet_status settle(whet_prep *p, const struct meeting *m, whet_err *err) {
  int32_t c = whet__pixel_samples(m->pixel);
  p->at.width = 0;
  p->resized = m->cw != m->dw || m->ch != m->dh;
  p->colored = whet__pixel_convert(m->pixel, p->o.color, m->dw, &p->color_params);
  if (p->colored) p->color_kern = whet__kern_pick(WHET_FAMILY_prep_color, &p->target, false, &p->color_params);
  if (p->resized) {
    WHET_TRY(whet__taps_make(&p->mem, &p->rows, m->ch, m->dh, p->o.filter, err));
    WHET_TRY(whet__taps_make(&p->mem, &p->cols, m->cw, m->dw, p->o.filter, err));
    p->cols_params = (whet_prep_cols){.n = m->dw, .c = c, .taps = p->cols.n};
    whet_prep_rows r = {.n = (int64_t)m->cw * c, .taps = p->rows.most};
    p->rows_kern = whet__kern_pick(WHET_FAMILY_prep_rows, &p->target, false, &r);
    p->cols_kern = whet__kern_pick(WHET_FAMILY_prep_cols, &p->target, false, &p->cols_params);
    p->quad = p->o.filter == WHET_FILTER_BILINEAR && m->cw >= 2 * m->dw;
    p->quad_params = (whet_prep_quad){.n = m->dw, .c = c, .wide = m->cw};
    if (p->quad) p->quad_kern = whet__kern_pick(WHET_FAMILY_prep_quad, &p->target, false, &p->quad_params);
    size_t mean = ((size_t)m->cw + (size_t)p->cols.n) * (size_t)c, pixels = (size_t)m->dw * (size_t)c;
    if (!whet__grow(&p->mem, (void **)&p->mean, &p->mean_cap, mean, sizeof *p->mean) ||
        !whet__grow(&p->mem, (void **)&p->pixels, &p->pixels_cap, pixels, 1))
      return whet__no_memory(&p->mem, mean * 2, err, "a row of pixels");
  }
  memcpy(p->line, p->padding, (size_t)p->o.width * (size_t)p->c);
  p->at = *m;
  return WHET_OK;
}

/* Row y of that part, resized, in the picture's samples. */
static void resize_row(const whet_prep *p, const uint8_t *first, ptrdiff_t stride, int32_t y, uint8_t *to) {
  const uint8_t *above = first + p->rows.first[y] * stride;
  int16_t *w = p->rows.w + (size_t)y * (size_t)p->rows.n;
  if (p->quad) {
    const uint8_t *below = p->rows.count[y] > 1 ? above + stride : above;
    void *ptr[] = {(void *)above, (void *)below, to, p->cols.first, p->cols.w, w};
    p->quad_kern->run(&p->quad_params, ptr, 0, 1);
    return;
  }
  whet_prep_rows r = {.n = (int64_t)p->at.cw * p->cols_params.c, .stride = stride, .taps = p->rows.count[y]};
  void *rows_ptr[] = {(void *)above, p->mean, w};
  p->rows_kern->run(&r, rows_ptr, 0, 1);
  void *cols_ptr[] = {p->mean, to, p->cols.first, p->cols.w};
  p->cols_kern->run(&p->cols_params, cols_ptr, 0, 1);
}

/* Row y of the part of the tensor that the picture fills, in the tensor's pixels: in p->line, or the picture's own.
 */
static const uint8_t *make_row(whet_prep *p, const uint8_t *first, ptrdiff_t stride, int32_t y) {
  const struct meeting *m = &p->at;
  uint8_t *line = p->line + (size_t)m->dx * (size_t)p->c;
  const uint8_t *row;
  if (p->resized) {
    uint8_t *to = p->colored ? p->pixels : line;
    resize_row(p, first, stride, y, to);
    row = to;
  } else {
    row = first + y * stride;
  }
  bool whole = m->dw == p->o.width;
  if (p->colored) {
    void *ptr[] = {(void *)row, line};
    p->color_kern->run(&p->color_params, ptr, 0, 1);
    row = line;
  } else if (!p->resized && !whole) {
    memcpy(line, row, (size_t)m->dw * (size_t)p->c);
    row = line;
  }
  if (whole) return row;
  return p->line;
}

whet_status whet_prep_run(whet_prep *p, const whet_picture *pic, void *out, size_t bytes, whet_err *err) {
  int32_t c = whet__pixel_samples(pic->pixel);
  if (err) err->code = WHET_OK;
  if (pic->size != sizeof *pic || !c || !pic->data)
    return whet__fail(err, WHET_E_MISUSE,
                      "a picture without samples, with pixel order %d, or of another size of struct",
                      (int)pic->pixel);
  if (pic->width < 1 || pic->height < 1 || pic->width > 1 << 24 || pic->height > 1 << 24)
    return whet__fail(err, WHET_E_DATA, "a picture of %d x %d pixels cannot be used", pic->width, pic->height);
  if (bytes < whet_prep_bytes(p))
    return whet__fail(err, WHET_E_SHAPE, "the tensor has %zu bytes, not %zu", bytes, whet_prep_bytes(p));
  ptrdiff_t stride = pic->stride ? pic->stride : (ptrdiff_t)pic->width * c;
  if ((stride < 0 ? -stride : stride) < (ptrdiff_t)pic->width * c)
    return whet__fail(err, WHET_E_MISUSE, "rows of %d pixels do not fit in %td bytes", pic->width, stride);
  if (p->at.width != pic->width || p->at.height != pic->height || p->at.pixel != pic->pixel) {
    struct meeting m = meet(&p->o, pic->width, pic->height, pic->pixel);
    WHET_TRY(settle(p, &m, err));
  }
  const struct meeting *m = &p->at;
  const uint8_t *first = (const uint8_t *)pic->data + m->cy * stride + (ptrdiff_t)m->cx * c;
  size_t step = (size_t)p->o.width * p->elem * (size_t)(p->o.layout == WHET_LAYOUT_NCHW ? 1 : p->c);
  for (int32_t y = 0; y < p->o.height; y++) {
    bool inside = y >= m->dy && y < m->dy + m->dh;
    const uint8_t *row = inside ? make_row(p, first, stride, y - m->dy) : p->padding;
    void *ptr[] = {(void *)row, (char *)out + (size_t)y * step, p->table};
    p->map_kern->run(&p->map_params, ptr, 0, 1);
  }
  return WHET_OK;
}

whet_status whet_prep_placed(const whet_prep *p, int32_t width, int32_t height, whet_prep_place *out, whet_err *err) {
  if (err) err->code = WHET_OK;
  if (width < 1 || height < 1) return whet__fail(err, WHET_E_DATA, "a picture of %d x %d pixels", width, height);
  struct meeting m = meet(&p->o, width, height, WHET_PIXEL_GRAY);
  out->scale_x = (double)m.dw / m.cw;
  out->scale_y = (double)m.dh / m.ch;
  out->offset_x = m.dx - m.cx * out->scale_x;
  out->offset_y = m.dy - m.cy * out->scale_y;
  return WHET_OK;
}
