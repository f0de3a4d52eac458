/* SPDX-License-Identifier: Apache-2.0 */
/* A picture into the tensor that an input wants. */

#include "edge/pipe/picture.h"

#include <stdlib.h>
#include <string.h>

struct pipe_picture {
  pipe_geometry g;
  whet_prep_opts opts;
  whet_prep *prep; /* NULL until a size is known */
  bool by_picture; /* the tensor's size is the picture's */
  int64_t dims[WHET_MAX_RANK];
};

/* Least and greatest number of an 8-bit type. */
static void range_of(whet_dtype t, float *lo, float *hi) {
  *lo = t == WHET_S8 ? -128 : 0;
  *hi = t == WHET_S8 ? 127 : 255;
}

whet_status pipe_picture_create(const whet_info *info, bool first, const pipe_picture_opts *o, pipe_picture **out,
                                whet_err *err) {
  *out = NULL;
  pipe_geometry g;
  if (info->kind != WHET_TENSOR || !pipe_geometry_find(info, first, o->order, &g))
    return edge_fail(err, WHET_E_SHAPE,
                     "input \"%.80s\" holds no picture: expected are height, width and 1, 3 or 4 channels, first or "
                     "last, of a batch of one",
                     info->name);
  if (info->quant.n > 1)
    return edge_fail(err, WHET_E_UNSUPPORTED, "input \"%.80s\" has a scale for each channel", info->name);
  if ((o->n_mean > 1 && o->n_mean != g.c) || (o->n_std > 1 && o->n_std != g.c))
    return edge_fail(err, WHET_E_DATA, "input \"%.80s\" has %d channels, mean has %d numbers and std %d", info->name,
                     g.c, o->n_mean, o->n_std);
  pipe_picture *p = calloc(1, sizeof *p);
  if (!p) return edge_fail(err, WHET_E_MEMORY, "no memory for a picture stage");
  p->g = g;
  whet_prep_opts *w = &p->opts;
  *w = whet_prep_opts_default();
  w->layout = g.layout;
  w->fit = o->fit;
  w->filter = o->filter;
  w->dtype = info->dtype;
  w->cpu = o->cpu;
  if (info->quant.n == 1) w->scale = info->quant.scale[0], w->zero = info->quant.zero ? info->quant.zero[0] : 0;
  w->color = g.c == 1   ? WHET_PIXEL_GRAY
             : g.c == 4 ? (o->bgr ? WHET_PIXEL_BGRA : WHET_PIXEL_RGBA)
             : o->bgr   ? WHET_PIXEL_BGR
                        : WHET_PIXEL_RGB;
  if (o->ranged) w->lo = o->lo, w->hi = o->hi;
  for (int i = 0; i < g.c; i++) {
    if (o->n_mean) w->mean[i] = o->mean[o->n_mean == 1 ? 0 : i];
    if (o->n_std) w->std[i] = o->std[o->n_std == 1 ? 0 : i];
  }
  memset(w->pad, o->pad, sizeof w->pad);
  if (!o->ranged && !o->n_mean && !o->n_std && w->scale != 0 && whet_dtype_bits(info->dtype) == 8) {
    range_of(info->dtype, &w->lo, &w->hi);
    w->lo = w->scale * (w->lo - (float)w->zero);
    w->hi = w->scale * (w->hi - (float)w->zero);
  }
  p->by_picture = g.h < 0 || g.w < 0;
  w->width = g.w;
  w->height = g.h;
  memcpy(p->dims, g.dims, sizeof p->dims);
  whet_status s = p->by_picture ? WHET_OK : whet_prep_create(w, &p->prep, err);
  if (s) {
    pipe_picture_close(&p);
    return s;
  }
  *out = p;
  return WHET_OK;
}

void pipe_picture_close(pipe_picture **p) {
  if (!*p) return;
  whet_prep_close(&(*p)->prep);
  free(*p);
  *p = NULL;
}

whet_status pipe_picture_shape(pipe_picture *p, int32_t width, int32_t height, int32_t *rank, int64_t *dims,
                               size_t *bytes, whet_err *err) {
  if (p->by_picture) {
    int32_t w = p->g.w < 0 ? width : p->g.w, h = p->g.h < 0 ? height : p->g.h;
    if (!p->prep || w != p->opts.width || h != p->opts.height) {
      whet_prep_close(&p->prep);
      p->opts.width = w;
      p->opts.height = h;
      EDGE_TRY(whet_prep_create(&p->opts, &p->prep, err));
      if (p->g.at_h >= 0) p->dims[p->g.at_h] = h, p->dims[p->g.at_w] = w;
    }
  }
  *rank = p->g.rank;
  memcpy(dims, p->dims, (size_t)p->g.rank * sizeof *dims);
  *bytes = whet_prep_bytes(p->prep);
  return WHET_OK;
}

whet_status pipe_picture_run(pipe_picture *p, const whet_picture *in, void *out, size_t bytes, whet_err *err) {
  if (!p->prep) return edge_fail(err, WHET_E_MISUSE, "the shape of the tensor was not settled");
  return whet_prep_run(p->prep, in, out, bytes, err);
}

whet_status pipe_picture_placed(const pipe_picture *p, int32_t width, int32_t height, whet_prep_place *out,
                                whet_err *err) {
  if (!p->prep) return edge_fail(err, WHET_E_MISUSE, "the shape of the tensor was not settled");
  return whet_prep_placed(p->prep, width, height, out, err);
}

void pipe_picture_size(const pipe_picture *p, int32_t *width, int32_t *height) {
  *width = p->opts.width;
  *height = p->opts.height;
}
