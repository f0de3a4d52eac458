/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax: e^(beta x - m) / sum of the same along an axis, m the greatest beta x; LogSoftmax: its logarithm; Hardmax:
 * 1 at the first greatest element, else 0.
 *
 * ONNX Softmax, LogSoftmax, Hardmax 1-13 (before 13 the dimensions from the axis on count as one); TFLite SOFTMAX,
 * LOG_SOFTMAX along the last dimension. Floats; f32 Softmax and LogSoftmax by kernels. Quantised: softmax_q8.c. */

#include "op/softmax.h"

#include <math.h>

#include "kern/softmax_f32.h"
#include "op/grad.h"
#include "op/move.h"
#include "op/reduce.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I64, offsetof(whet_softmax_attr, axis)},
                                         {"flat", WHET_ATTR_BOOL, offsetof(whet_softmax_attr, flat)},
                                         {"beta", WHET_ATTR_F32, offsetof(whet_softmax_attr, beta)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status put(whet_import *im, const whet_op *op, int64_t axis, bool flat, float beta) {
  whet_softmax_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  *a = (whet_softmax_attr){axis, flat, beta};
  return whet__im_node_as_is(im, op, a);
}
static whet_status read_flat(whet_import *im, const whet_op *op) {
  return put(im, op, whet__onnx_int(im, "axis", 1), true, 1);
}
static whet_status read_onnx(whet_import *im, const whet_op *op) {
  return put(im, op, whet__onnx_int(im, "axis", -1), false, 1);
}
static whet_status read_tfl(whet_import *im, const whet_op *op) {
  return put(im, op, -1, false, whet__tfl_float(im, 0, 0));
}
static whet_status read_tfl_log(whet_import *im, const whet_op *op) { return put(im, op, -1, false, 1); }

static const whet_from k_softmax_from[] = {
    {"", "Softmax", 1, read_flat}, {"", "Softmax", 13, read_onnx}, {"tflite", "SOFTMAX", 1, read_tfl}, {0}};
static const whet_from k_log_from[] = {{"", "LogSoftmax", 1, read_flat},
                                       {"", "LogSoftmax", 13, read_onnx},
                                       {"tflite", "LOG_SOFTMAX", 1, read_tfl_log},
                                       {0}};
static const whet_from k_hard_from[] = {{"", "Hardmax", 1, read_flat}, {"", "Hardmax", 13, read_onnx}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_softmax_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  int32_t axis;
  if (!whet__type_in(WHET_T_FLOAT, t) && !whet__quantised(t, whet__in_quant(f, 0)))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  if (x->rank && !(a->flat && a->axis == x->rank)) WHET_TRY(whet__infer_axis(f, a->axis, x->rank, &axis));
  const whet_val *y = whet__out_val(f, 0);
  if (whet__quantised(t, whet__in_quant(f, 0)) && y && y->q && y->dtype) {
    t = (whet_dtype)y->dtype;
    if (!whet__is_int(t) || (whet_dtype_bits(t) != 8 && whet_dtype_bits(t) != 16))
      return whet__infer_fail(f, WHET_E_TYPE, "a quantised output of type %s is not made", whet_dtype_name(t));
  }
  *whet__out(f, 0, t) = *x;
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Dimensions that the sum runs over: [*from, *to). */
static void span(const whet_softmax_attr *a, int32_t rank, int32_t *from, int32_t *to) {
  int32_t axis = (int32_t)(a->axis < 0 ? a->axis + rank : a->axis);
  *from = rank ? axis : 0;
  *to = !rank ? 0 : a->flat ? rank : axis + 1;
}

/* v as type t holds it between steps: f16 is rounded after each, as ONNX's reference does; others are not. */
static double held(whet_dtype t, double v) { return t == WHET_F16 ? (double)whet__f16_to_f32(whet__f32_to_f16((float)v)) : v; }

/* One vector: n elements along dimensions dim with the strides of x and y, from their elements xi and yi on. */
static void one(const whet_args *arg, int32_t rank, const int64_t *dim, const int64_t *xs, const int64_t *ys,
                int64_t xi, int64_t yi, int64_t n) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  double beta = (double)((const whet_softmax_attr *)arg->attr)->beta, most = -INFINITY, sum = 0;
  bool log_of = !strcmp(arg->node->op->name, "LogSoftmax"), hard = !strcmp(arg->node->op->name, "Hardmax");
  int64_t k[WHET_MAX_RANK] = {0}, best = 0;
  for (int64_t i = 0; i < n; i++, whet__index_next(rank, dim, k)) {
    double v = beta * whet__get_real(x, xi + whet__index_offset(rank, k, xs));
    if (v > most || isnan(v)) most = v, best = i;
    if (isnan(v)) break;
  }
  memset(k, 0, sizeof k);
  for (int64_t i = 0; i < n && !hard; i++, whet__index_next(rank, dim, k))
    sum += held(x->dtype, exp(held(x->dtype, beta * whet__get_real(x, xi + whet__index_offset(rank, k, xs)) - most)));
  sum = held(x->dtype, sum);
  memset(k, 0, sizeof k);
  for (int64_t i = 0; i < n; i++, whet__index_next(rank, dim, k)) {
    double v = held(x->dtype, beta * whet__get_real(x, xi + whet__index_offset(rank, k, xs)) - most);
    v = hard ? i == best : log_of ? v - log(sum) : held(x->dtype, exp(v)) / sum;
    whet__set_real(y, yi + whet__index_offset(rank, k, ys), v, (whet_round)arg->node->round);
  }
}

void whet__softmax_real(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  int32_t from, to, nk = 0;
  span(arg->attr, x->rank, &from, &to);
  int64_t kd[WHET_MAX_RANK], xs[WHET_MAX_RANK], ys[WHET_MAX_RANK], k[WHET_MAX_RANK] = {0};
  int64_t n = whet__dim_product(x->dim, from, to), outer = n ? whet__tensor_count(x) / n : 0;
  for (int32_t i = 0; i < x->rank; i++)
    if (i < from || i >= to) kd[nk] = x->dim[i], xs[nk] = x->stride[i], ys[nk++] = y->stride[i];
  for (int64_t o = 0; o < outer; o++, whet__index_next(nk, kd, k))
    one(arg, to - from, x->dim + from, x->stride + from, y->stride + from, whet__index_offset(nk, k, xs),
        whet__index_offset(nk, k, ys), n);
}

static whet_status ref(const whet_args *arg) {
  if (whet__quantised(arg->in[0].dtype, arg->in[0].q)) return whet__softmax_q8_ref(arg);
  whet__softmax_real(arg);
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_softmax_attr *a = n->attr;
  const whet_shape *x = whet__pl_shape(p, n->in[0]);
  whet_softmax_f32 k = {.outer = 1, .n = 1, .inner = 1, .beta = a->beta, .log = !strcmp(n->op->name, "LogSoftmax")};
  int32_t from, to;
  if (whet__quantised(whet__pl_dtype(p, n->in[0]), whet__pl_quant(p, n->in[0]))) return whet__softmax_q8_plan(p, n);
  if (whet__pl_dtype(p, n->in[0]) != WHET_F32 || !strcmp(n->op->name, "Hardmax") || !(a->beta > 0) ||
      !whet__pl_dense(p, n->in[0]) || !whet__pl_dense(p, n->out[0]))
    return WHET_LATE;
  span(a, x->rank, &from, &to);
  for (int32_t i = 0; i < x->rank; i++) *(i < from ? &k.outer : i < to ? &k.n : &k.inner) *= x->d[i];
  whet_arg arg[2] = {whet__rd(n->in[0]), whet__wr(n->out[0])};
  double each = whet__pl_target(p)->isa & WHET_ISA_AVX512 ? 0.6 : whet__pl_target(p)->isa & WHET_ISA_AVX2 ? 1.2 : 25;
  return whet__pl_kern(p, WHET_FAMILY_softmax_f32, &k, sizeof k, arg, 2,
                       k.outer * (k.inner == 1 ? 1 : whet__ceil_div(k.inner, 16)),
                       each * (double)(k.outer * k.n * k.inner));
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const whet_softmax_attr *a = whet__ed_graph(e)->node[node].attr;
  int32_t axis = (int32_t)(a->axis < 0 ? a->axis + rank : a->axis);
  if (a->flat && axis != rank - 1) return false;
  whet_softmax_attr *w = whet__ed_attr(e, node);
  if (!w) return false;
  w->axis = whet__perm_axis(perm, rank, axis);
  w->flat = false;
  return true;
}

/* ---- gradient -------------------------------------------------------------------------------- */

/* Softmax: beta y (g - sum of g y); LogSoftmax: beta (g - e^y sum of g). */
static whet_status grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  const whet_softmax_attr *a = n.attr;
  int32_t rank = whet__ed_shape(e, n.in[0])->rank, from, to, y = n.out[0], g = whet__grad_of(e, y);
  whet_dtype t = whet__ed_dtype(e, y);
  if (!whet__grad_wants(e, n.in[0])) return WHET_OK;
  if (rank < 0 || !strcmp(n.op->name, "Hardmax")) return whet__grad_fail(e, node, "its derivative is not known");
  span(a, rank, &from, &to);
  int64_t *axes = whet__arena_array(&whet__ed_graph(e)->arena, WHET_MAX_RANK, sizeof *axes);
  if (!axes) return whet__grad_add(e, n.in[0], -1), WHET_OK;
  for (int32_t i = from; i < to; i++) axes[i - from] = i;
  const whet_reduce_attr over = {.axes = {axes, to - from}, .keep = true};
  bool log_of = !strcmp(n.op->name, "LogSoftmax");
  whet_grad_name name[] = {{'g', g, 0}, {'y', y, 0}, {'b', -1, (double)a->beta}, {'s', -1, 0}};
  int32_t v = log_of ? g : whet__grad_formula(e, "g*y", name, 3, t);
  name[3].v = whet__ed_call(e, "ReduceSum", &over, &v, 1, t);
  whet__grad_add(e, n.in[0], whet__grad_formula(e, log_of ? "b*(g-Exp(y)*s)" : "b*y*(g-s)", name, 4, t));
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

#define SOFTMAX(name_, from_)                                              \
  const whet_op whet_op_##name_ = {.name = #name_,                         \
                                   .flags = WHET_OP_INPLACE,               \
                                   .attr_size = sizeof(whet_softmax_attr), \
                                   .attrs = k_attrs,                       \
                                   .from = from_,                          \
                                   .infer = infer,                         \
                                   .plan = plan,                           \
                                   .permute = permute,                     \
                                   .grad = grad,                           \
                                   .ref = ref};
SOFTMAX(Hardmax, k_hard_from)
SOFTMAX(LogSoftmax, k_log_from)
SOFTMAX(Softmax, k_softmax_from)
