/* SPDX-License-Identifier: Apache-2.0 */
/* RoiAlign(x, rois, batch): for each region, a grid of cells; each is the mean, or greatest, of points read from x
 * between its elements. MaxRoiPool(x, rois): the greatest element of each cell, whose borders are rounded.
 *
 * ONNX RoiAlign 10 (regions are not shifted), 16-22 (coordinate_transformation_mode), MaxRoiPool 1-22. x is
 * [n][c][h][w]; a region is (x1, y1, x2, y2), for MaxRoiPool with its picture in front. RoiAlign's max is over the
 * four weighted neighbours of each point, as the specification's reference has it. A picture that is not in the
 * batch is refused in the run (E_DATA). Floats, computed in double. */

#include <math.h>

#include "op/edit.h"
#include "op/move.h"
#include "op/sampling.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct roi_attr {
  int64_t h, w;     /* cells */
  int64_t sampling; /* points of a cell along each axis; 0: as many as it has elements */
  float scale;      /* from a region's coordinates to those of x */
  bool max, shift;  /* the greatest instead of the mean; positions are half an element less */
} roi_attr;

static const whet_attr_desc k_attrs[] = {{"output_height", WHET_ATTR_I64, offsetof(roi_attr, h)},
                                         {"output_width", WHET_ATTR_I64, offsetof(roi_attr, w)},
                                         {"sampling_ratio", WHET_ATTR_I64, offsetof(roi_attr, sampling)},
                                         {"spatial_scale", WHET_ATTR_F32, offsetof(roi_attr, scale)},
                                         {"max", WHET_ATTR_BOOL, offsetof(roi_attr, max)},
                                         {"half_pixel", WHET_ATTR_BOOL, offsetof(roi_attr, shift)},
                                         {0}};

enum { MOST = 1 << 16 }; /* of cells and points along an axis */

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status sizes(whet_import *im, const whet_op *op, roi_attr *a) {
  if (a->h < 1 || a->h > MOST || a->w < 1 || a->w > MOST || a->sampling < 0 || a->sampling > MOST)
    return whet__im_fail(im, WHET_E_DATA, "%lld x %lld cells of %lld points", (long long)a->h, (long long)a->w,
                         (long long)a->sampling);
  return whet__im_node_as_is(im, op, a);
}
static whet_status read_align(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, roi_attr, a);
  whet_str mode = whet__onnx_str(im, "mode", "avg");
  whet_str shift = whet__onnx_str(im, "coordinate_transformation_mode",
                                  whet__im_since(im) >= 16 ? "half_pixel" : "output_half_pixel");
  a->max = whet__str_is(mode, "max");
  a->shift = whet__str_is(shift, "half_pixel");
  if (!a->max && !whet__str_is(mode, "avg")) return whet__im_fail(im, WHET_E_DATA, "mode must be avg or max");
  if (!a->shift && !whet__str_is(shift, "output_half_pixel"))
    return whet__im_fail(im, WHET_E_DATA, "coordinate_transformation_mode must be half_pixel or output_half_pixel");
  a->h = whet__onnx_int(im, "output_height", 1);
  a->w = whet__onnx_int(im, "output_width", 1);
  a->sampling = whet__onnx_int(im, "sampling_ratio", 0);
  a->scale = whet__onnx_float(im, "spatial_scale", 1);
  return sizes(im, op, a);
}
static whet_status read_max(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, roi_attr, a);
  whet_ints cells = whet__onnx_ints(im, "pooled_shape");
  if (cells.n != 2) return whet__im_fail(im, WHET_E_DATA, "pooled_shape has %d numbers, expected 2", cells.n);
  a->h = cells.v[0];
  a->w = cells.v[1];
  a->scale = whet__onnx_float(im, "spatial_scale", 1);
  return sizes(im, op, a);
}

static const whet_from k_align_from[] = {{"", "RoiAlign", 10, read_align}, {0}};
static const whet_from k_max_from[] = {{"", "MaxRoiPool", 1, read_max}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

/* Regions of `columns` numbers. */
static whet_status infer(whet_infer *f, const roi_attr *a, int64_t columns) {
  const whet_shape *x = whet__in_shape(f, 0), *rois = whet__in_shape(f, 1);
  whet_dtype t = whet__in_dtype(f, 0);
  if (!whet__in_has(f, 0) || !whet__in_has(f, 1)) return whet__infer_fail(f, WHET_E_FORMAT, "inputs are missing");
  if (!whet__type_in(WHET_T_FLOAT, t) || whet__in_dtype(f, 1) != t)
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s and regions of type %s are not taken",
                            whet_dtype_name(t), whet_dtype_name(whet__in_dtype(f, 1)));
  if (x->rank != 4 || rois->rank != 2 || (whet__dim_known(rois->d[1]) && rois->d[1] != columns))
    return whet__infer_fail(f, WHET_E_SHAPE, "expected an input of 4 dimensions and regions of %lld numbers",
                            (long long)columns);
  whet_shape *y = whet__out(f, 0, t);
  *y = (whet_shape){.rank = 4, .d = {rois->d[0], x->d[1], a->h, a->w}};
  if (whet__dim_known(x->d[2]) && whet__dim_known(x->d[3]) && (!x->d[2] || !x->d[3]))
    return whet__infer_fail(f, WHET_E_SHAPE, "the input has no elements");
  return WHET_OK;
}
static whet_status infer_align(whet_infer *f, const whet_node *n) {
  const whet_shape *batch = whet__in_shape(f, 2), *rois = whet__in_shape(f, 1);
  WHET_TRY(infer(f, n->attr, 4));
  if (!whet__in_has(f, 2) || batch->rank != 1 ||
      (whet__dim_known(batch->d[0]) && whet__dim_known(rois->d[0]) && batch->d[0] != rois->d[0]))
    return whet__infer_fail(f, WHET_E_SHAPE, "batch_indices must be one number for each region");
  return whet__infer_is_int(f, 2);
}
static whet_status infer_max(whet_infer *f, const whet_node *n) { return infer(f, n->attr, 5); }

/* ---- reference ------------------------------------------------------------------------------- */

static double number(const whet_tensor *rois, int64_t r, int64_t i) {
  return whet__get_f64(rois->dtype, rois->data, r * rois->stride[0] + i * rois->stride[1]);
}
static whet_status no_picture(const whet_args *a, int64_t n) {
  return whet__fail(a->err, WHET_E_DATA, "a region of picture %lld of %lld", (long long)n, (long long)a->in[0].dim[0]);
}

/* A position brought to the element before it (the last two neighbours are one past the end), the way to the next one
 * and that one; false outside. */
static bool neighbours(double *v, int64_t n, int64_t *low, int64_t *high) {
  if (!(*v >= -1 && *v <= (double)n)) return false;
  if (*v < 0) *v = 0;
  *low = (int64_t)*v;
  if (*low >= n - 1) {
    *high = *low = n - 1;
    *v = (double)*low;
  } else {
    *high = *low + 1;
  }
  *v -= (double)*low;
  return true;
}

/* The point (y, x) of a plane: the sum of its four weighted neighbours, or the greatest of them. */
static double point(const whet_plane *p, double y, double x, bool max) {
  int64_t y0, y1, x0, x1;
  if (!neighbours(&y, p->h, &y0, &y1) || !neighbours(&x, p->w, &x0, &x1)) return 0;
  double a = (1 - y) * (1 - x) * whet__plane_get(p, y0, x0), b = (1 - y) * x * whet__plane_get(p, y0, x1);
  double c = y * (1 - x) * whet__plane_get(p, y1, x0), d = y * x * whet__plane_get(p, y1, x1);
  return max ? fmax(fmax(a, b), fmax(c, d)) : a + b + c + d;
}

/* The points of one cell: where it begins, how far they are apart, how many there are. */
struct points {
  double y, x, dy, dx;
  int64_t rows, columns;
};

/* Their mean, or the greatest of them. Rows outside are zeros, however many there are. */
static double pooled(const whet_plane *p, const struct points *q, bool max) {
  double sum = 0, top = -INFINITY;
  for (int64_t u = 0; u < q->rows; u++) {
    double y = q->y + ((double)u + 0.5) * q->dy;
    bool outside = !(y >= -1 && y <= (double)p->h);
    for (int64_t v = 0; v < (outside ? 1 : q->columns); v++) {
      double at = point(p, y, q->x + ((double)v + 0.5) * q->dx, max);
      sum += at;
      top = fmax(top, at);
    }
  }
  if (!q->rows || !q->columns) return 0;
  return max ? top : sum / (double)(q->rows * q->columns);
}

static whet_status ref_align(const whet_args *arg) {
  const roi_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *rois = &arg->in[1], *batch = &arg->in[2], *y = &arg->out[0];
  for (int64_t r = 0; r < y->dim[0]; r++) {
    int64_t n = whet__vec_i64(batch, r);
    if (n < 0 || n >= x->dim[0]) return no_picture(arg, n);
    double off = a->shift ? 0.5 : 0, scale = (double)a->scale, least = a->shift ? -INFINITY : 1;
    double x1 = number(rois, r, 0) * scale - off, y1 = number(rois, r, 1) * scale - off;
    double w = fmax(number(rois, r, 2) * scale - off - x1, least);
    double h = fmax(number(rois, r, 3) * scale - off - y1, least);
    double cell_h = h / (double)a->h, cell_w = w / (double)a->w;
    /* Regions that span the whole of a large x many times over are nothing but work. */
    int64_t ph = a->sampling ? a->sampling : whet__clamp_i(whet__sample_index(ceil(cell_h)), 0, MOST);
    int64_t pw = a->sampling ? a->sampling : whet__clamp_i(whet__sample_index(ceil(cell_w)), 0, MOST);
    for (int64_t c = 0; c < y->dim[1]; c++) {
      whet_plane p = whet__plane_of(x, n, c);
      for (int64_t i = 0; i < a->h; i++)
        for (int64_t j = 0; j < a->w; j++) {
          struct points q = {y1 + (double)i * cell_h, x1 + (double)j * cell_w, cell_h / (double)ph, cell_w / (double)pw, ph, pw};
          whet__set_f64(y->dtype, y->data,
                        r * y->stride[0] + c * y->stride[1] + i * y->stride[2] + j * y->stride[3], pooled(&p, &q, a->max));
        }
    }
  }
  return WHET_OK;
}

/* Elements [*from, *to) of cell i along a dimension of n elements. */
static void cell(double start, double size, int64_t i, int64_t n, int64_t *from, int64_t *to) {
  *from = whet__clamp_i(whet__sample_index(floor((double)i * size) + start), 0, n);
  *to = whet__clamp_i(whet__sample_index(ceil((double)(i + 1) * size) + start), 0, n);
}

static whet_status ref_max(const whet_args *arg) {
  const roi_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *rois = &arg->in[1], *y = &arg->out[0];
  for (int64_t r = 0; r < y->dim[0]; r++) {
    int64_t n = whet__sample_index(number(rois, r, 0));
    double at[4];
    if (n < 0 || n >= x->dim[0]) return no_picture(arg, n);
    for (int i = 0; i < 4; i++) at[i] = round(number(rois, r, i + 1) * (double)a->scale);
    double h = fmax(at[3] - at[1] + 1, 1) / (double)a->h, w = fmax(at[2] - at[0] + 1, 1) / (double)a->w;
    for (int64_t c = 0; c < y->dim[1]; c++) {
      whet_plane p = whet__plane_of(x, n, c);
      for (int64_t i = 0; i < a->h; i++)
        for (int64_t j = 0; j < a->w; j++) {
          int64_t y0, y1, x0, x1;
          cell(at[1], h, i, p.h, &y0, &y1);
          cell(at[0], w, j, p.w, &x0, &x1);
          double top = y1 > y0 && x1 > x0 ? -INFINITY : 0;
          for (int64_t u = y0; u < y1; u++)
            for (int64_t v = x0; v < x1; v++) top = fmax(top, whet__plane_get(&p, u, v));
          whet__set_f64(y->dtype, y->data,
                        r * y->stride[0] + c * y->stride[1] + i * y->stride[2] + j * y->stride[3], top);
        }
    }
  }
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_RoiAlign = {.name = "RoiAlign",
                                  .attr_size = sizeof(roi_attr),
                                  .attrs = k_attrs,
                                  .from = k_align_from,
                                  .infer = infer_align,
                                  .ref = ref_align};
const whet_op whet_op_MaxRoiPool = {.name = "MaxRoiPool",
                                    .attr_size = sizeof(roi_attr),
                                    .attrs = k_attrs,
                                    .from = k_max_from,
                                    .infer = infer_max,
                                    .ref = ref_max};
