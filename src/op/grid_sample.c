/* SPDX-License-Identifier: Apache-2.0 */
/* GridSample(x, grid): x read at positions that grid gives, between its elements by a mode.
 *
 * ONNX 16 (pictures; modes bilinear, nearest, bicubic), 20-22 (any number of spatial dimensions; linear, nearest,
 * cubic). x is [n][c][d1]..[dr], grid [n][o1]..[or][r] with the last dimension's coordinate first; -1 and 1 are the
 * centres of the corner elements (align_corners) or their outer edges. Places outside: zeros, the nearest element, or
 * reflection at the edge; of positions, for cubic of elements. Cubic: Keys' kernel with -0.75. nearest rounds half to even, as the specification's
 * reference does.
 *
 * Numbers, complex ones too; nearest moves elements of any type. Positions are computed in f32 unless the grid is double, sums in
 * double. */

#include <math.h>

#include "op/edit.h"
#include "op/move.h"
#include "op/sampling.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

enum { LINEAR, NEAREST, CUBIC };
enum { ZEROS, BORDER, REFLECTION };
enum { MAX_SPACE = WHET_MAX_RANK - 2 };

typedef struct grid_attr {
  uint8_t mode, padding; /* as above */
  bool align;            /* align_corners */
} grid_attr;

static const whet_attr_desc k_attrs[] = {{"mode", WHET_ATTR_U8, offsetof(grid_attr, mode)},
                                         {"padding_mode", WHET_ATTR_U8, offsetof(grid_attr, padding)},
                                         {"align_corners", WHET_ATTR_BOOL, offsetof(grid_attr, align)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* Which of the names a text is; n: none. */
static int which(whet_str s, const char *const *names, int n) {
  int k = 0;
  while (k < n && !whet__str_is(s, names[k])) k++;
  return k;
}

static whet_status read(whet_import *im, const whet_op *op) {
  static const char *const modes[] = {"linear", "nearest", "cubic", "bilinear", "bicubic"};
  static const char *const paddings[] = {"zeros", "border", "reflection"};
  WHET_NEW_ATTR(im, grid_attr, a);
  int mode = which(whet__onnx_str(im, "mode", "linear"), modes, 5);
  int padding = which(whet__onnx_str(im, "padding_mode", "zeros"), paddings, 3);
  if (mode == 5) return whet__im_fail(im, WHET_E_DATA, "mode must be linear, nearest or cubic");
  if (padding == 3) return whet__im_fail(im, WHET_E_DATA, "padding_mode must be zeros, border or reflection");
  a->mode = (uint8_t)(mode == 3 ? LINEAR : mode == 4 ? CUBIC : mode);
  a->padding = (uint8_t)padding;
  a->align = whet__onnx_int(im, "align_corners", 0) != 0;
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"", "GridSample", 16, read}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const grid_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *grid = whet__in_shape(f, 1);
  whet_dtype t = whet__in_dtype(f, 0), gt = whet__in_dtype(f, 1);
  if (!whet__in_has(f, 0) || !whet__in_has(f, 1)) return whet__infer_fail(f, WHET_E_FORMAT, "expected 2 inputs");
  if ((a->mode != NEAREST && !whet__type_in(WHET_T_NUM | WHET_T_BOOL, t) && !whet__is_complex(t)) || t == WHET_NONE)
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  if (!whet__type_in(WHET_T_FLOAT, gt))
    return whet__infer_fail(f, WHET_E_TYPE, "a grid of type %s is not taken", whet_dtype_name(gt));
  int32_t space = x->rank - 2;
  if (space < 1 || grid->rank != x->rank)
    return whet__infer_fail(f, WHET_E_SHAPE, "input of rank %d and grid of rank %d: expected equal ranks from 3 on",
                            x->rank, grid->rank);
  if (whet__dim_known(grid->d[space + 1]) && grid->d[space + 1] != space)
    return whet__infer_fail(f, WHET_E_SHAPE, "the grid has %lld coordinates for %d dimensions",
                            (long long)grid->d[space + 1], space);
  if (whet__dim_known(grid->d[0]) && whet__dim_known(x->d[0]) && grid->d[0] != x->d[0])
    return whet__infer_fail(f, WHET_E_SHAPE, "a batch of %lld and grids for %lld", (long long)x->d[0],
                            (long long)grid->d[0]);
  whet_shape *y = whet__out(f, 0, t);
  y->rank = x->rank;
  y->d[0] = x->d[0];
  y->d[1] = x->d[1];
  for (int32_t i = 0; i < space; i++) {
    y->d[i + 2] = grid->d[i + 1];
    if (x->d[i + 2] == 0 && whet__shape_count(y) != 0)
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of the input is empty", i + 2);
  }
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* v reflected at lo and hi until it lies between. */
static double reflect(double v, double lo, double hi) {
  double range = hi - lo;
  if (!(range > 0)) return lo;
  bool under = v < lo;
  double d = under ? lo - v : v > hi ? v - hi : -1;
  if (d < 0 || !(d < INFINITY)) return v;
  double turns = floor(d / range), rest = d - turns * range;
  bool even = fmod(turns, 2) == 0;
  return under == even ? lo + rest : hi - rest;
}

/* One coordinate of the grid as a position in a dimension of n elements, brought inside as the padding says. */
static double position(const grid_attr *a, double v, int64_t n, bool wide) {
  double p, lo = a->align ? 0 : -0.5, hi = a->align ? (double)n - 1 : (double)n - 0.5;
  if (wide)
    p = a->align ? (v + 1) / 2 * (double)(n - 1) : ((v + 1) * (double)n - 1) / 2;
  else
    p = a->align ? ((float)v + 1) / 2 * (float)(n - 1) : (((float)v + 1) * (float)n - 1) / 2;
  if (!isfinite(p)) p = a->padding == ZEROS ? -1e9 : 0;
  if (a->mode == NEAREST) p = rint(p);
  if (a->mode == CUBIC || (p >= lo && p <= hi)) return p; /* cubic: its elements are brought inside one by one */
  if (a->padding == BORDER) return p < 0 ? 0 : p > (double)(n - 1) ? (double)(n - 1) : p;
  return a->padding == REFLECTION ? reflect(p, lo, hi) : p;
}

/* Index i of a dimension of n elements brought inside; -1: a zero stands there. */
static int64_t inside(const grid_attr *a, int64_t i, int64_t n) {
  if (i >= 0 && i < n) return i;
  if (a->padding == ZEROS) return -1;
  if (a->padding == BORDER) return i < 0 ? 0 : n - 1;
  double r = reflect((double)i, a->align ? 0 : -0.5, a->align ? (double)n - 1 : (double)n - 0.5);
  return whet__clamp_i((int64_t)r, 0, n - 1);
}

/* Elements of one dimension that a position takes part of, and how much of each; their count. */
struct taps {
  int64_t at[4]; /* -1: a zero */
  double w[4];
};
static int take(const grid_attr *a, double p, int64_t n, struct taps *t) {
  int64_t first = whet__sample_index(floor(p));
  double x = p - (double)first;
  int count = a->mode == CUBIC ? 4 : a->mode == LINEAR ? 2 : 1;
  if (a->mode == CUBIC) {
    const double k = -0.75;
    t->w[0] = ((k * (x + 1) - 5 * k) * (x + 1) + 8 * k) * (x + 1) - 4 * k;
    t->w[1] = ((k + 2) * x - (k + 3)) * x * x + 1;
    t->w[2] = ((k + 2) * (1 - x) - (k + 3)) * (1 - x) * (1 - x) + 1;
    t->w[3] = ((k * (2 - x) - 5 * k) * (2 - x) + 8 * k) * (2 - x) - 4 * k;
    first--;
  } else {
    t->w[0] = a->mode == LINEAR ? 1 - x : 1;
    t->w[1] = x;
  }
  for (int i = 0; i < count; i++) t->at[i] = inside(a, first + i, n);
  return count;
}

/* The sum over all dimensions from d on. */
static double sum(const whet_tensor *x, const struct taps *t, int count, int32_t d, int32_t space, int64_t at) {
  double s = 0;
  if (d == space) return whet__get_f64(x->dtype, x->data, at);
  for (int i = 0; i < count; i++)
    if (t[d].at[i] >= 0)
      s += t[d].w[i] * sum(x, t, count, d + 1, space, at + t[d].at[i] * x->stride[d + 2]);
  return s;
}

/* Move the one element that `nearest` names, or a zero. */
static void move(const whet_tensor *y, int64_t yo, const whet_tensor *x, const struct taps *t, int32_t space, int64_t xo) {
  static const int64_t zero[4];
  bool none = false;
  for (int32_t d = 0; d < space; d++) {
    none |= t[d].at[0] < 0;
    xo += t[d].at[0] * x->stride[d + 2];
  }
  whet__move_one(y->dtype, y->data, yo, none ? zero : x->data, none ? 0 : xo);
}

/* x may be the parts of complex numbers, and y with it. */
static void sample(const grid_attr *a, const whet_tensor *x, const whet_tensor *grid, const whet_tensor *y) {
  int32_t space = x->rank - 2;
  bool wide = grid->dtype == WHET_F64;
  struct taps t[MAX_SPACE];
  int64_t at[WHET_MAX_RANK] = {0}, positions = whet__dim_product(y->dim, 2, y->rank);
  for (int64_t n = 0; n < x->dim[0]; n++)
    for (int64_t k = 0; k < positions; k++, whet__index_next(space, y->dim + 2, at)) {
      int64_t go = n * grid->stride[0] + whet__index_offset(space, at, grid->stride + 1);
      int64_t yo = n * y->stride[0] + whet__index_offset(space, at, y->stride + 2);
      int count = 0;
      for (int32_t d = 0; d < space; d++) {
        double v = whet__get_f64(grid->dtype, grid->data, go + (space - 1 - d) * grid->stride[space + 1]);
        count = take(a, position(a, v, x->dim[d + 2], wide), x->dim[d + 2], &t[d]);
      }
      for (int64_t c = 0; c < x->dim[1]; c++, yo += y->stride[1]) {
        int64_t xo = n * x->stride[0] + c * x->stride[1];
        if (a->mode == NEAREST)
          move(y, yo, x, t, space, xo);
        else
          whet__set_f64(y->dtype, y->data, yo, sum(x, t, count, 0, space, xo));
      }
    }
}

static whet_status ref(const whet_args *arg) {
  bool both = whet__is_complex(arg->in[0].dtype);
  for (int part = 0; part <= both; part++) {
    whet_tensor x = whet__complex_part(&arg->in[0], part), y = whet__complex_part(&arg->out[0], part);
    sample(arg->attr, &x, &arg->in[1], &y);
  }
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_GridSample = {.name = "GridSample",
                                    .attr_size = sizeof(grid_attr),
                                    .attrs = k_attrs,
                                    .from = k_from,
                                    .infer = infer,
                                    .ref = ref};
