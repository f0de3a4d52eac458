/* SPDX-License-Identifier: Apache-2.0 */
/* LpNormalization: x divided by the norm (p = 1 or 2) of its elements along an axis.
 * MeanVarianceNormalization: (x - mean) / (sqrt(mean of squares - mean^2) + 1e-9) over axes.
 *
 * ONNX LpNormalization 1-22 (0 where the norm is 0), TFLite L2_NORMALIZATION (last dimension, the norm is at least
 * 1e-6); ONNX MeanVarianceNormalization 9-13, as its function says. Floats, computed in double; quantised numbers by
 * their real values. */

#include <math.h>

#include "kern/fixed.h"
#include "kern/norm_f32.h"
#include "op/edit.h"
#include "op/move.h"
#include "op/q8.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct lpnorm_attr {
  whet_ints axes;
  int32_t p;   /* 1, 2; 0: MeanVarianceNormalization */
  float least; /* least norm */
} lpnorm_attr;

static const whet_attr_desc k_attrs[] = {{"axes", WHET_ATTR_I64S, offsetof(lpnorm_attr, axes)},
                                         {"p", WHET_ATTR_I32, offsetof(lpnorm_attr, p)},
                                         {"least", WHET_ATTR_F32, offsetof(lpnorm_attr, least)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* The new attributes, with one axis unless n is 0. */
static lpnorm_attr *new_attr(whet_import *im, const int64_t *axes, int32_t n) {
  lpnorm_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  int64_t *v = whet__arena_copy(whet__im_arena(im), axes, (size_t)n * sizeof *v);
  if (!a || !v) return NULL;
  a->axes = (whet_ints){v, n};
  return a;
}
static whet_status read_lp(whet_import *im, const whet_op *op) {
  int64_t axis = whet__onnx_int(im, "axis", -1), p = whet__onnx_int(im, "p", 2);
  lpnorm_attr *a = new_attr(im, &axis, 1);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  if (p != 1 && p != 2) return whet__im_fail(im, WHET_E_DATA, "p is %lld: expected 1 or 2", (long long)p);
  a->p = (int32_t)p;
  return whet__im_node_as_is(im, op, a);
}
static whet_status read_mvn(whet_import *im, const whet_op *op) {
  static const int64_t usual[3] = {0, 2, 3};
  whet_ints axes = whet__onnx_ints(im, "axes");
  lpnorm_attr *a = whet__onnx_has(im, "axes") ? new_attr(im, axes.v, axes.n) : new_attr(im, usual, 3);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  return whet__im_node_as_is(im, op, a);
}
static whet_status read_tfl(whet_import *im, const whet_op *op) {
  int64_t axis = -1, code = whet__tfl_int(im, 0, 0);
  lpnorm_attr *a = new_attr(im, &axis, 1);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->p = 2;
  a->least = 1e-6f;
  int32_t in = whet__im_in(im, 0), out = whet__tfl_before_activation(im, code);
  WHET_TRY(whet__im_node(im, op, a, &in, 1, &out, 1));
  return whet__tfl_activation(im, code, out, whet__im_out(im, 0));
}

static const whet_from k_lp_from[] = {
    {"", "LpNormalization", 1, read_lp}, {"tflite", "L2_NORMALIZATION", 1, read_tfl}, {0}};
static const whet_from k_mvn_from[] = {{"", "MeanVarianceNormalization", 9, read_mvn}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const lpnorm_attr *a = n->attr;
  whet_dtype t = whet__in_dtype(f, 0);
  int32_t axis;
  if (!whet__type_in(WHET_T_FLOAT, t) && !whet__quantised(t, whet__in_quant(f, 0)))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  for (int32_t i = 0; i < a->axes.n; i++)
    WHET_TRY(whet__infer_axis(f, a->axes.v[i], whet__in_shape(f, 0)->rank, &axis));
  *whet__out(f, 0, t) = *whet__in_shape(f, 0);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Shift and factor of the elements of one box: y = (x - *shift) * *factor. */
static void measure(const lpnorm_attr *a, const whet_tensor *x, int64_t o, const int64_t *box, int64_t n,
                    double *shift, double *factor) {
  double sum = 0, squares = 0;
  int64_t at[WHET_MAX_RANK] = {0};
  for (int64_t i = 0; i < n; i++, whet__index_next(x->rank, box, at)) {
    double v = whet__get_real(x, o + whet__index_offset(x->rank, at, x->stride));
    sum += a->p == 1 ? fabs(v) : v;
    squares += v * v;
  }
  *shift = a->p ? 0 : sum / (double)n;
  if (!a->p) {
    *factor = 1 / (sqrt(fmax(0, squares / (double)n - *shift * *shift)) + 1e-9);
  } else {
    double norm = fmax(a->p == 1 ? sum : sqrt(squares), (double)a->least);
    *factor = norm > 0 ? 1 / norm : 0;
  }
}

/* L2_NORMALIZATION of 8-bit numbers, one box: LiteRT's fixed point; the result's scale is 1/128. Signed numbers fold the factor
 * 128 into the shift, unsigned ones multiply by it first. */
static void box_q8(const whet_tensor *x, const whet_tensor *y, int64_t xo, int64_t yo, const int64_t *box, int64_t n) {
  int64_t at[WHET_MAX_RANK] = {0}, lo = whet__dtype_min(y->dtype), hi = whet__dtype_max(y->dtype);
  int32_t squares = 0, mul, shift, zero = x->q->zero[0];
  bool sign = x->dtype == WHET_S8;
  for (int64_t i = 0; i < n; i++, whet__index_next(x->rank, box, at)) {
    int32_t v = (int32_t)whet__get_i64(x->dtype, x->data, xo + whet__index_offset(x->rank, at, x->stride)) - zero;
    squares = (int32_t)((uint32_t)squares + (uint32_t)(v * v));
  }
  whet__fx_inv_sqrt(squares, &mul, &shift);
  for (int64_t i = 0; i < n; i++, whet__index_next(x->rank, box, at)) {
    int32_t v = (int32_t)whet__get_i64(x->dtype, x->data, xo + whet__index_offset(x->rank, at, x->stride)) - zero;
    v = sign ? whet__mul_fix(v, mul, shift + 7) : whet__mul_fix(128 * v, mul, shift);
    v = whet__add_zero(v, sign ? 0 : 128, (int32_t)lo, (int32_t)hi);
    whet__set_i64(y->dtype, y->data, yo + whet__index_offset(y->rank, at, y->stride), v);
  }
}

static whet_status ref(const whet_args *arg) {
  const lpnorm_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  bool q8 = a->p == 2 && whet__quantised(x->dtype, x->q) && (x->dtype == WHET_S8 || x->dtype == WHET_U8) &&
            y->dtype == x->dtype && whet__q8_tfl(arg->node);
  int64_t box[WHET_MAX_RANK], rest[WHET_MAX_RANK], n = 1, outer = 1, k[WHET_MAX_RANK] = {0};
  for (int32_t i = 0; i < x->rank; i++) box[i] = 1;
  for (int32_t i = 0; i < a->axes.n; i++) {
    int64_t axis = a->axes.v[i] < 0 ? a->axes.v[i] + x->rank : a->axes.v[i];
    box[axis] = x->dim[axis];
  }
  for (int32_t i = 0; i < x->rank; i++) n *= box[i], outer *= rest[i] = box[i] == x->dim[i] ? 1 : x->dim[i];
  for (int64_t b = 0; n && b < outer; b++, whet__index_next(x->rank, rest, k)) {
    int64_t xo = whet__index_offset(x->rank, k, x->stride), yo = whet__index_offset(x->rank, k, y->stride);
    int64_t at[WHET_MAX_RANK] = {0};
    double shift, factor;
    if (q8) {
      box_q8(x, y, xo, yo, box, n);
      continue;
    }
    measure(a, x, xo, box, n, &shift, &factor);
    for (int64_t i = 0; i < n; i++, whet__index_next(x->rank, box, at)) {
      double v = whet__get_real(x, xo + whet__index_offset(x->rank, at, x->stride));
      whet__set_real(y, yo + whet__index_offset(x->rank, at, y->stride), (v - shift) * factor,
                     (whet_round)arg->node->round);
    }
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* Kernels take p = 2 along the last dimension. */
static whet_status plan(whet_planner *p, const whet_node *n) {
  const lpnorm_attr *a = n->attr;
  const whet_shape *x = whet__pl_shape(p, n->in[0]);
  if (a->p != 2 || a->axes.n != 1 || (a->axes.v[0] != -1 && a->axes.v[0] != x->rank - 1) ||
      whet__pl_dtype(p, n->in[0]) != WHET_F32 || !whet__pl_dense(p, n->in[0]) || !whet__pl_dense(p, n->out[0]))
    return WHET_LATE;
  whet_norm_f32 k = {.kind = WHET_NORM_L2, .epsilon = a->least, .outer = 1, .n = x->d[x->rank - 1]};
  for (int32_t i = 0; i + 1 < x->rank; i++) k.outer *= x->d[i];
  whet_arg arg[6] = {whet__rd(n->in[0]), whet__none(), whet__none(), whet__wr(n->out[0]), whet__none(), whet__none()};
  return whet__pl_kern(p, WHET_FAMILY_norm_f32, &k, sizeof k, arg, 6, k.outer, (double)(k.outer * k.n) * 0.2);
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  lpnorm_attr *a = whet__ed_attr(e, node);
  int64_t *axes = a ? whet__arena_array(&whet__ed_graph(e)->arena, (size_t)a->axes.n, sizeof *axes) : NULL;
  if (!axes) return false;
  for (int32_t i = 0; i < a->axes.n; i++)
    axes[i] = whet__perm_axis(perm, rank, (int32_t)(a->axes.v[i] < 0 ? a->axes.v[i] + rank : a->axes.v[i]));
  a->axes.v = axes;
  return true;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_LpNormalization = {.name = "LpNormalization",
                                         .flags = WHET_OP_INPLACE,
                                         .attr_size = sizeof(lpnorm_attr),
                                         .attrs = k_attrs,
                                         .from = k_lp_from,
                                         .infer = infer,
                                         .plan = plan,
                                         .permute = permute,
                                         .ref = ref};
const whet_op whet_op_MeanVarianceNormalization = {.name = "MeanVarianceNormalization",
                                                   .flags = WHET_OP_INPLACE,
                                                   .attr_size = sizeof(lpnorm_attr),
                                                   .attrs = k_attrs,
                                                   .from = k_mvn_from,
                                                   .infer = infer,
                                                   .permute = permute,
                                                   .ref = ref};
