/* SPDX-License-Identifier: Apache-2.0 */
/* LayerNormalization(x, s, b): s (x - mean) / sqrt(var + epsilon) + b over the dimensions from `axis` on, with the
 * mean and 1 / sqrt(var + epsilon) as outputs 1 and 2. RMSNormalization(x, s): s x / sqrt(mean of squares + epsilon),
 * with that factor's inverse root as output 1.
 *
 * ONNX LayerNormalization-17, RMSNormalization-23, com.microsoft SimplifiedLayerNormalization, SkipLayerNormalization
 * and SkipSimplifiedLayerNormalization (sums come first, as nodes of their own). Scale and bias broadcast to x.
 * Floats, computed in double; f32 by kernels. */

#include "op/layernorm.h"

#include <math.h>

#include "kern/norm_f32.h"
#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I64, offsetof(whet_layernorm_attr, axis)},
                                         {"epsilon", WHET_ATTR_F32, offsetof(whet_layernorm_attr, epsilon)},
                                         {"stash_type", WHET_ATTR_I32, offsetof(whet_layernorm_attr, stash)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status new_attr(whet_import *im, float epsilon, whet_layernorm_attr **out) {
  whet_layernorm_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->axis = whet__onnx_int(im, "axis", -1);
  a->epsilon = whet__onnx_float(im, "epsilon", epsilon);
  a->stash = (int32_t)whet__onnx_int(im, "stash_type", WHET_F32);
  *out = a;
  return WHET_OK;
}
static whet_status read(whet_import *im, const whet_op *op) {
  whet_layernorm_attr *a;
  WHET_TRY(new_attr(im, 1e-5f, &a));
  return whet__im_node_as_is(im, op, a);
}

/* com.microsoft Skip...: x + skip (+ bias) is normalised, and is output 3. gamma: input 2; beta: input 3 when
 * `affine`. */
static whet_status skip(whet_import *im, const whet_op *op, bool affine) {
  whet_layernorm_attr *a;
  WHET_TRY(new_attr(im, 1e-12f, &a));
  a->axis = -1;
  int32_t in[2] = {whet__im_in(im, 0), whet__im_in(im, 1)}, bias = whet__im_in(im, affine ? 4 : 3);
  int32_t sum_out = whet__im_out(im, 3);
  int32_t sum = bias < 0 && sum_out >= 0 ? sum_out : whet__im_new(im, "sum");
  const whet_op *add = whet__op_find("Add");
  WHET_TRY(whet__im_node(im, add, NULL, in, 2, &sum, 1));
  if (bias >= 0) {
    int32_t with[2] = {sum, bias}, to = sum_out >= 0 ? sum_out : whet__im_new(im, "biased");
    WHET_TRY(whet__im_node(im, add, NULL, with, 2, &to, 1));
    sum = to;
  }
  int32_t args[3] = {sum, whet__im_in(im, 2), affine ? whet__im_in(im, 3) : -1};
  int32_t out[3] = {whet__im_out(im, 0), whet__im_out(im, affine ? 1 : 2), affine ? whet__im_out(im, 2) : -1};
  return whet__im_node(im, op, a, args, affine ? 3 : 2, out, affine ? 3 : 2);
}
static whet_status skip_layer(whet_import *im, const whet_op *op) { return skip(im, op, true); }
static whet_status skip_rms(whet_import *im, const whet_op *op) { return skip(im, op, false); }

static const whet_from k_layer_from[] = {
    {"", "LayerNormalization", 17, read}, {"com.microsoft", "SkipLayerNormalization", 1, skip_layer}, {0}};
static const whet_from k_rms_from[] = {{"", "RMSNormalization", 23, read},
                                       {"", "SimplifiedLayerNormalization", 1, read},
                                       {"com.microsoft", "SimplifiedLayerNormalization", 1, read},
                                       {"com.microsoft", "SkipSimplifiedLayerNormalization", 1, skip_rms},
                                       {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_layernorm_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  int32_t axis;
  whet_shape s;
  if (!whet__type_in(WHET_T_FLOAT, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  WHET_TRY(whet__infer_axis(f, a->axis, x->rank, &axis));
  for (int i = 1; i < whet__in_n(f); i++) {
    if (!whet__in_has(f, i)) continue;
    if (!whet__type_in(WHET_T_FLOAT, whet__in_dtype(f, i)))
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is %s", i, whet_dtype_name(whet__in_dtype(f, i)));
    WHET_TRY(whet__infer_broadcast(f, x, whet__in_shape(f, i), &s));
    if (s.rank != x->rank || (whet__shape_count(&s) >= 0 && whet__shape_count(x) >= 0 && !whet__shape_equal(&s, x)))
      return whet__infer_fail(f, WHET_E_SHAPE, "input %d is larger than the first", i);
  }
  *whet__out(f, 0, t) = *x;
  s = *x;
  for (int32_t i = axis; i < s.rank; i++) s.d[i] = 1;
  for (int o = 1; o < 3; o++)
    if (whet__out_has(f, o))
      *whet__out(f, o, whet__is_float((whet_dtype)a->stash) ? (whet_dtype)a->stash : WHET_F32) = s;
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Element k (row-major in x's shape) of a tensor that broadcasts to x. */
static double broadcast(const whet_tensor *t, const whet_tensor *x, const int64_t *at) {
  int64_t o = 0;
  for (int32_t i = 0; i < t->rank; i++)
    if (t->dim[i] > 1) o += at[x->rank - t->rank + i] * t->stride[i];
  return whet__get_f64(t->dtype, t->data, o);
}

static whet_status ref(const whet_args *arg) {
  const whet_layernorm_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  bool rms = !strcmp(arg->node->op->name, "RMSNormalization"), bias = arg->n_in > 2 && arg->in[2].data;
  bool scale = arg->n_in > 1 && arg->in[1].data;
  int32_t axis = (int32_t)(a->axis < 0 ? a->axis + x->rank : a->axis);
  int64_t n = whet__dim_product(x->dim, axis, x->rank), outer = n ? whet__tensor_count(x) / n : 0;
  int64_t at[WHET_MAX_RANK] = {0};
  for (int64_t o = 0; o < outer; o++) {
    double mean = 0, sum = 0;
    for (int pass = rms; pass < 2; pass++) {
      sum = 0;
      for (int64_t i = 0; i < n; i++, whet__index_next(x->rank - axis, x->dim + axis, at + axis)) {
        double v = whet__get_f64(x->dtype, x->data, whet__index_offset(x->rank, at, x->stride)) - mean;
        sum += pass ? v * v : v;
      }
      if (!pass) mean = sum / (double)n;
    }
    double inv = 1 / sqrt(sum / (double)n + (double)a->epsilon);
    for (int64_t i = 0; i < n; i++, whet__index_next(x->rank - axis, x->dim + axis, at + axis)) {
      double v = (whet__get_f64(x->dtype, x->data, whet__index_offset(x->rank, at, x->stride)) - mean) * inv;
      v = v * (scale ? broadcast(&arg->in[1], x, at) : 1) + (bias ? broadcast(&arg->in[2], x, at) : 0);
      whet__set_f64(y->dtype, y->data, whet__index_offset(x->rank, at, y->stride), v);
    }
    for (int k = 1; k < arg->n_out; k++)
      if (arg->out[k].data)
        whet__set_f64(arg->out[k].dtype, arg->out[k].data, whet__flat_offset(&arg->out[k], o),
                      rms || k == 2 ? inv : mean);
    whet__index_next(axis, x->dim, at);
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* Does value v hold one number for each element of dimensions `axis` on of x, in order? */
static bool one_each(const whet_planner *p, int32_t v, const whet_shape *x, int32_t axis) {
  const whet_shape *s = whet__pl_shape(p, v);
  if (whet__pl_dtype(p, v) != WHET_F32 || !whet__pl_dense(p, v) || s->rank > x->rank) return false;
  for (int32_t i = 0; i < x->rank; i++) {
    int32_t k = i - (x->rank - s->rank);
    int64_t d = k < 0 ? 1 : s->d[k];
    if (d != (i < axis ? 1 : x->d[i])) return false;
  }
  return true;
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_layernorm_attr *a = n->attr;
  const whet_shape *x = whet__pl_shape(p, n->in[0]);
  bool rms = !strcmp(n->op->name, "RMSNormalization");
  int32_t axis = (int32_t)(a->axis < 0 ? a->axis + x->rank : a->axis), bias = n->n_in > 2 ? n->in[2] : -1;
  int32_t mean = n->n_out > 1 && !rms ? n->out[1] : -1, inv = n->n_out > (rms ? 1 : 2) ? n->out[rms ? 1 : 2] : -1;
  if (whet__pl_dtype(p, n->in[0]) != WHET_F32 || !whet__pl_dense(p, n->in[0]) || !whet__pl_dense(p, n->out[0]) ||
      (n->in[1] >= 0 && !one_each(p, n->in[1], x, axis)) || (bias >= 0 && !one_each(p, bias, x, axis)) ||
      (mean >= 0 && whet__pl_dtype(p, mean) != WHET_F32) || (inv >= 0 && whet__pl_dtype(p, inv) != WHET_F32))
    return WHET_LATE;
  whet_norm_f32 k = {.kind = rms ? WHET_NORM_RMS : WHET_NORM_LAYER, .epsilon = a->epsilon, .outer = 1, .n = 1};
  for (int32_t i = 0; i < x->rank; i++) *(i < axis ? &k.outer : &k.n) *= x->d[i];
  if (!k.n) return WHET_LATE;
  whet_arg arg[6] = {whet__rd(n->in[0]),  whet__rd(n->in[1]), whet__rd(bias),
                     whet__wr(n->out[0]), whet__wr(mean),     whet__wr(inv)};
  return whet__pl_kern(p, WHET_FAMILY_norm_f32, &k, sizeof k, arg, 6, k.outer, (double)(k.outer * k.n) * 0.3);
}

/* ---- records --------------------------------------------------------------------------------- */

#define NORM(name_, from_)                                                   \
  const whet_op whet_op_##name_ = {.name = #name_,                           \
                                   .flags = WHET_OP_INPLACE,                 \
                                   .attr_size = sizeof(whet_layernorm_attr), \
                                   .attrs = k_attrs,                         \
                                   .from = from_,                            \
                                   .infer = infer,                           \
                                   .plan = plan,                             \
                                   .ref = ref};
NORM(LayerNormalization, k_layer_from)
NORM(RMSNormalization, k_rms_from)
