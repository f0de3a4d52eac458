/* SPDX-License-Identifier: Apache-2.0 */
/* Quantised operators of ONNX and com.microsoft, which carry scales and zero points as inputs, as ordinary operators
 * on quantised values with round ONNX_REAL:
 *
 *   QLinearConv(x, sx, zx, w, ...)   becomes   x ─▶ Reinterpret ─▶ Conv ─▶ Reinterpret ─▶ y
 *
 * with the parameters on the values between. Where some of them are computed by the model the same operator is
 * written as DequantizeLinear, the float operator, QuantizeLinear.
 *
 * ONNX QLinearConv 10, QLinearMatMul 10-21, ConvInteger 10, MatMulInteger 10; com.microsoft QLinearConv, QLinearAdd,
 * QLinearMul, QLinearAveragePool, QLinearGlobalAveragePool, QLinearConcat, QLinearSigmoid, QLinearLeakyRelu,
 * QLinearSoftmax, QLinearReduceMean, QGemm, MatMulIntegerToFloat, DynamicQuantizeMatMul. Weights of few bits:
 * few_bits.c. */

#include "op/qlinear.h"

#include "base/dtype.h"
#include "op/cast.h"
#include "op/conv.h"
#include "op/dense.h"
#include "op/move.h"
#include "op/move_attr.h"
#include "op/pool.h"
#include "op/quantize.h"
#include "op/reduce.h"
#include "op/softmax.h"
#include "op/unary.h"

/* A tensor with its scale and zero point (-1: zeros); axis of the scales where there are several. */
typedef struct operand {
  int32_t x, scale, zero;
  int64_t axis;
} operand;

enum { OPERANDS = 2 };

/* Input number i as an operand: three inputs in a row. */
static operand take(const whet_import *im, int i, int64_t axis) {
  return (operand){whet__im_in(im, i), whet__im_in(im, i + 1), whet__im_in(im, i + 2), axis};
}

static const whet_op *op_named(const char *name) { return whet__op_find(name); }

static int32_t rank_of(whet_import *im, int32_t v) {
  const whet_val *x = whet__im_val(im, v);
  return x ? x->shape.rank : -1;
}

/* Stored type of an operand: the tensor's, else the zero point's, else u8. */
static whet_dtype type_of(whet_import *im, const operand *o) {
  const whet_val *x = whet__im_val(im, o->x), *z = whet__im_val(im, o->zero);
  return z && z->dtype ? (whet_dtype)z->dtype : x && x->dtype ? (whet_dtype)x->dtype : WHET_U8;
}

/* A value for an operand with constant parameters; -1 when they are not constant. */
static int32_t constant(whet_import *im, const operand *o) {
  return whet__im_quantised(im, type_of(im, o), rank_of(im, o->x), o->scale, o->zero, o->axis, 0, "quantised");
}

/* Attributes for a Q or DQ with computed parameters. */
static const void *linear_attr(whet_import *im, int64_t axis, whet_dtype t) {
  whet_quantize_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (a) a->axis = (int32_t)axis, a->dtype = (uint8_t)t;
  return a;
}

/* Append `name` on n values that makes one. */
static whet_status put(whet_import *im, const char *name, const void *attr, const int32_t *in, int n, int32_t out) {
  const whet_op *op = op_named(name);
  if (op->attr_size && !attr) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  return whet__im_node(im, op, attr, in, n, &out, 1);
}
static whet_status put_linear(whet_import *im, const char *name, const operand *o, whet_dtype t, int32_t from,
                              int32_t to) {
  const int32_t in[3] = {from, o->scale, o->zero};
  WHET_TRY(put(im, name, linear_attr(im, o->axis, t), in, 3, to));
  whet__im_round(im, WHET_ROUND_ONNX_REAL);
  return WHET_OK;
}

/* Does an operator have what it needs? */
static whet_status whole(whet_import *im, const operand *in, int n, const operand *out) {
  bool ok = whet__im_out(im, 0) >= 0 && (!out || out->scale >= 0);
  for (int i = 0; i < n; i++) ok &= in[i].x >= 0 && in[i].scale >= 0;
  return ok ? WHET_OK : whet__im_fail(im, WHET_E_FORMAT, "an input or a scale is missing");
}

/* The bias of a product of n operands as a float: in units of both scales. */
static whet_status float_bias(whet_import *im, const operand *in, int32_t bias, int32_t *out) {
  const int32_t scales[2] = {in[0].scale, in[1].scale};
  operand o = {bias, whet__im_new(im, "scale"), -1, 0};
  *out = whet__im_new(im, "bias");
  WHET_TRY(put(im, "Mul", NULL, scales, 2, o.scale));
  return put_linear(im, "DequantizeLinear", &o, WHET_F32, bias, *out);
}

/* Operator `name` on quantised operands, then perhaps an int32 bias (-1: none), into `out`, which has a scale. */
static whet_status island(whet_import *im, const char *name, const void *attr, const operand *in, int n, int32_t bias,
                          const operand *out) {
  int32_t v[OPERANDS + 1], y = constant(im, out);
  bool ints = y >= 0;
  WHET_TRY(whole(im, in, n, out));
  for (int i = 0; i < n && ints; i++) ints &= (v[i] = constant(im, &in[i])) >= 0;
  v[n] = bias;
  int many = n + (bias >= 0);
  if (!ints) {
    int32_t f = whet__im_new(im, "float");
    for (int i = 0; i < n; i++) {
      v[i] = whet__im_new(im, "float");
      WHET_TRY(put_linear(im, "DequantizeLinear", &in[i], WHET_F32, in[i].x, v[i]));
    }
    if (bias >= 0) WHET_TRY(float_bias(im, in, bias, &v[n]));
    WHET_TRY(put(im, name, attr, v, many, f));
    return put_linear(im, "QuantizeLinear", out, type_of(im, out), f, whet__im_out(im, 0));
  }
  for (int i = 0; i < n; i++) WHET_TRY(whet__im_reinterpret(im, in[i].x, v[i]));
  WHET_TRY(put(im, name, attr, v, many, y));
  whet__im_round(im, WHET_ROUND_ONNX_REAL);
  return whet__im_reinterpret(im, y, whet__im_out(im, 0));
}

/* The output's operand: its scale and zero point are inputs i and i + 1. */
static operand result(const whet_import *im, int i) {
  return (operand){-1, whet__im_in(im, i), whet__im_in(im, i + 1), 0};
}

/* ---- QLinear ---------------------------------------------------------------------------------- */

static whet_status conv(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_conv_attr, a);
  WHET_TRY(whet__conv_read_onnx(im, a));
  a->weights = WHET_CONV_OIS;
  a->last = whet__onnx_int(im, "channels_last", 0) != 0;
  operand in[2] = {take(im, 0, 1), take(im, 3, 0)}, out = result(im, 6);
  return island(im, "Conv", a, in, 2, whet__im_in(im, 8), &out);
}

static whet_status matmul(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_matmul, a);
  a->alpha = 1;
  operand in[2] = {take(im, 0, 0), take(im, 3, -1)}, out = result(im, 6);
  return island(im, "MatMul", a, in, 2, -1, &out);
}

static whet_status binary(whet_import *im, const char *name) {
  operand in[2] = {take(im, 0, 0), take(im, 3, 0)}, out = result(im, 6);
  return island(im, name, NULL, in, 2, -1, &out);
}
static whet_status add(whet_import *im, const whet_op *op) { return binary(im, "Add"); }
static whet_status mul(whet_import *im, const whet_op *op) { return binary(im, "Mul"); }

static whet_status unary(whet_import *im, const char *name, const void *attr) {
  operand in = take(im, 0, 0), out = result(im, 3);
  return island(im, name, attr, &in, 1, -1, &out);
}
static whet_status sigmoid(whet_import *im, const whet_op *op) { return unary(im, "Sigmoid", NULL); }
static whet_status leaky_relu(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_unary_attr, a);
  a->a = whet__onnx_float(im, "alpha", 0.01f);
  return unary(im, "LeakyRelu", a);
}
static whet_status softmax(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_softmax_attr, a);
  a->axis = whet__onnx_int(im, "axis", -1);
  a->flat = whet__onnx_int(im, "opset", 13) < 13;
  a->beta = 1;
  return unary(im, "Softmax", a);
}

static whet_status average(whet_import *im, bool global) {
  WHET_NEW_ATTR(im, whet_pool_attr, a);
  whet_str pad = whet__onnx_str(im, "auto_pad", "NOTSET");
  static const char *const modes[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};
  a->global = global;
  a->last = whet__onnx_int(im, "channels_last", 0) != 0;
  if (!global) {
    a->kernel = whet__onnx_ints(im, "kernel_shape");
    a->strides = whet__onnx_ints(im, "strides");
    a->pads = whet__onnx_ints(im, "pads");
    a->ceil = whet__onnx_int(im, "ceil_mode", 0) != 0;
    a->count_pads = whet__onnx_int(im, "count_include_pad", 0) != 0;
    for (uint8_t i = 0; i < 4; i++)
      if (pad.n == strlen(modes[i]) && !memcmp(pad.p, modes[i], pad.n)) a->pad_mode = i;
    if (!a->kernel.n) return whet__im_fail(im, WHET_E_FORMAT, "attribute kernel_shape is missing");
  }
  return unary(im, "AveragePool", a);
}
static whet_status average_pool(whet_import *im, const whet_op *op) { return average(im, false); }
static whet_status global_pool(whet_import *im, const whet_op *op) { return average(im, true); }

static whet_status reduce_mean(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_reduce_attr, a);
  a->axes = whet__onnx_ints(im, "axes");
  a->keep = whet__onnx_int(im, "keepdims", 1) != 0;
  return unary(im, "ReduceMean", a);
}

/* QLinearConcat(sy, zy, x0, s0, z0, x1, ...): every input is requantised first. */
static whet_status concat(whet_import *im, const whet_op *op) {
  int n = (whet__im_n_in(im) - 2) / 3;
  operand out = result(im, 0);
  whet_concat *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  int32_t *v = whet__arena_array(whet__im_arena(im), (size_t)whet__max_i(n, 1), sizeof *v), y = constant(im, &out);
  if (!a || !v) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  if (n < 1) return whet__im_fail(im, WHET_E_FORMAT, "expected at least one tensor");
  a->axis = (int32_t)whet__clamp_i(whet__onnx_int(im, "axis", 0), INT32_MIN, INT32_MAX);
  for (int i = 0; i < n; i++) {
    operand x = take(im, 2 + 3 * i, 0);
    int32_t q = constant(im, &x);
    WHET_TRY(whole(im, &x, 1, &out));
    v[i] = y >= 0 ? constant(im, &out) : whet__im_new(im, "float");
    if (q < 0) { /* computed parameters: through floats */
      int32_t f = y < 0 ? v[i] : whet__im_new(im, "float");
      WHET_TRY(put_linear(im, "DequantizeLinear", &x, WHET_F32, x.x, f));
      if (y >= 0) WHET_TRY(put(im, "QuantizeLinear", linear_attr(im, 0, type_of(im, &out)), &f, 1, v[i]));
      if (y >= 0) whet__im_round(im, WHET_ROUND_ONNX_REAL);
      continue;
    }
    WHET_TRY(whet__im_reinterpret(im, x.x, q));
    WHET_TRY(put(im, y >= 0 ? "QuantizeLinear" : "DequantizeLinear",
                 linear_attr(im, 0, y >= 0 ? type_of(im, &out) : WHET_F32), &q, 1, v[i]));
    whet__im_round(im, WHET_ROUND_ONNX_REAL);
  }
  int32_t all = y >= 0 ? y : whet__im_new(im, "float");
  WHET_TRY(put(im, "Concat", a, v, n, all));
  if (y >= 0) return whet__im_reinterpret(im, y, whet__im_out(im, 0));
  return put_linear(im, "QuantizeLinear", &out, type_of(im, &out), all, whet__im_out(im, 0));
}

/* QGemm(a, sa, za, b, sb, zb, c, sy, zy): without sy the result is float. */
static whet_status gemm(whet_import *im, const whet_op *op) {
  operand in[2] = {take(im, 0, 0), take(im, 3, whet__onnx_int(im, "transB", 0) ? 0 : 1)}, out = result(im, 7);
  float alpha = whet__onnx_float(im, "alpha", 1);
  bool trans_a = whet__onnx_int(im, "transA", 0) != 0, trans_b = whet__onnx_int(im, "transB", 0) != 0;
  int32_t bias = whet__im_in(im, 6), v[3] = {-1, -1, -1};
  if (out.scale >= 0 && alpha == 1 && !trans_a) {
    WHET_NEW_ATTR(im, whet_dense, a);
    a->kn = !trans_b;
    int32_t probe = constant(im, &in[0]), weights = constant(im, &in[1]), y = constant(im, &out);
    if (probe >= 0 && weights >= 0 && y >= 0) return island(im, "Dense", a, in, 2, bias, &out);
  }
  WHET_NEW_ATTR(im, whet_gemm, a);
  a->alpha = alpha;
  a->beta = 1;
  a->trans_a = trans_a;
  a->trans_b = trans_b;
  WHET_TRY(whole(im, in, 2, NULL));
  for (int i = 0; i < 2; i++) {
    v[i] = whet__im_new(im, "float");
    WHET_TRY(put_linear(im, "DequantizeLinear", &in[i], WHET_F32, in[i].x, v[i]));
  }
  if (bias >= 0) WHET_TRY(float_bias(im, in, bias, &v[2]));
  int32_t f = out.scale >= 0 ? whet__im_new(im, "float") : whet__im_out(im, 0);
  WHET_TRY(put(im, "Gemm", a, v, bias >= 0 ? 3 : 2, f));
  return out.scale < 0 ? WHET_OK : put_linear(im, "QuantizeLinear", &out, type_of(im, &out), f, whet__im_out(im, 0));
}

/* ---- integer products -------------------------------------------------------------------------- */

/* A constant scale of one. */
static int32_t one(whet_import *im) {
  const float f = 1;
  return whet__im_const(im, WHET_F32, 0, NULL, &f);
}

/* As many of them as constant v has numbers. */
static int32_t ones(whet_import *im, int32_t v) {
  int32_t n = 0;
  if (v < 0 || !whet__im_const_ints(im, v, &n) || n < 2) return one(im);
  float *f = whet__arena_array(whet__im_arena(im), (size_t)n, sizeof *f);
  for (int32_t i = 0; f && i < n; i++) f[i] = 1;
  return f ? whet__im_const(im, WHET_F32, 1, &(int64_t){n}, f) : -1;
}

/* Value v minus its zero point (-1: none) in another type. */
static whet_status shifted(whet_import *im, int32_t v, int32_t zero, whet_dtype t, int32_t *out) {
  int32_t x[2] = {whet__im_new(im, "wide"), -1};
  WHET_TRY(whet__im_cast(im, v, x[0], t));
  *out = x[0];
  if (zero < 0) return WHET_OK;
  x[1] = whet__im_new(im, "zero");
  *out = whet__im_new(im, "shifted");
  WHET_TRY(whet__im_cast(im, zero, x[1], t));
  return put(im, "Sub", NULL, x, 2, *out);
}

/* Set what a value is, where the file does not. */
static void is_type(whet_import *im, int32_t v, whet_dtype t) {
  if (v >= 0) whet__im_graph(im)->val[v].dtype = (uint8_t)t;
}

/* Sums of w - zw over what makes each output, as int32[outputs] with `after` dimensions of one behind it; -1 when w
 * or zw is no constant. Outputs are dimension 0 of w, or (last) its last. */
static int32_t weight_sums(whet_import *im, int32_t w, int32_t zw, bool last, int32_t after) {
  const whet_val *v = whet__im_val(im, w);
  int32_t n = 0, nz = 0;
  const int64_t *x = v && v->role == WHET_ROLE_CONST && v->shape.rank >= 2 ? whet__im_const_ints(im, w, &n) : NULL;
  const int64_t *z = zw >= 0 ? whet__im_const_ints(im, zw, &nz) : NULL;
  if (!x || !n || (zw >= 0 && !z)) return -1;
  int64_t outputs = v->shape.d[last ? v->shape.rank - 1 : 0], each = n / outputs, dims[WHET_MAX_RANK];
  if (outputs * each != n || (z && nz != 1 && nz != outputs)) return -1;
  int32_t *sum = whet__arena_array(whet__im_arena(im), (size_t)outputs, sizeof *sum);
  if (!sum) return -1;
  for (int64_t i = 0; i < n; i++) {
    int64_t o = last ? i % outputs : i / each;
    sum[o] = (int32_t)((uint32_t)sum[o] + (uint32_t)(x[i] - (z ? z[nz > 1 ? o : 0] : 0)));
  }
  for (int32_t i = 0; i <= after; i++) dims[i] = i ? 1 : outputs;
  return whet__im_const(im, WHET_S32, 1 + after, dims, sum);
}

/* y = sum - zero * weights: sums of activations as they are stored become those of the activations less their zero
 * point. */
static whet_status without_zero(whet_import *im, int32_t sum, int32_t zero, int32_t weights, int32_t y) {
  int32_t part[2] = {whet__im_new(im, "zero"), weights}, both[2] = {sum, whet__im_new(im, "part")};
  WHET_TRY(whet__im_cast(im, zero, part[0], WHET_S32));
  WHET_TRY(put(im, "Mul", NULL, part, 2, both[1]));
  return put(im, "Sub", NULL, both, 2, y);
}

/* A type's numbers as they are stored: scale one, no zero point. */
static int32_t as_stored(whet_import *im, whet_dtype t) {
  return whet__im_quantised(im, t, -1, one(im), -1, 0, 0, "quantised");
}

/* x with a border of its zero point where the convolution has one; -1 when the border's size is not told. */
static int32_t bordered(whet_import *im, const operand *x, whet_conv_attr *a, int32_t rank) {
  int64_t pads[2 * WHET_MAX_RANK] = {0}, n = 2 * rank, any = 0;
  if (a->pad_mode != WHET_CONV_PADS && a->pad_mode != WHET_CONV_VALID) return -1;
  if (a->pad_mode == WHET_CONV_PADS && a->pads.n != 0 && a->pads.n != 2 * (rank - 2)) return -1;
  for (int32_t i = 0; a->pad_mode == WHET_CONV_PADS && i < a->pads.n; i++) {
    int32_t d = i % (rank - 2) + 2, end = i >= rank - 2;
    pads[end * rank + d] = a->pads.v[i];
    any |= a->pads.v[i];
  }
  if (!any) return x->x;
  int32_t in[3] = {x->x, whet__im_const(im, WHET_S64, 1, &n, pads), x->zero}, y = whet__im_new(im, "bordered");
  if (put(im, "Pad", whet__arena_alloc(whet__im_arena(im), op_named("Pad")->attr_size), in, 3, y)) return -1;
  a->pads.n = 0;
  return y;
}

/* ConvInteger with a zero point of the activations that is computed: the bytes as they are, in a border of that zero
 * point, whose part is taken from the sums. WHET_LATE when it cannot be done so. */
static whet_status conv_computed(whet_import *im, const operand *x, const operand *w, int32_t q, whet_conv_attr *a,
                                 int32_t y) {
  const whet_val *z = whet__im_val(im, x->zero), *wv = whet__im_val(im, w->x);
  int32_t rank = wv ? wv->shape.rank : -1, sums;
  if (!z || whet__shape_count(&z->shape) != 1 || rank < 3 || rank > 5 || q < 0) return WHET_LATE;
  if ((sums = weight_sums(im, w->x, w->zero, false, rank - 2)) < 0) return WHET_LATE;
  int32_t from = bordered(im, x, a, rank);
  if (from < 0) return WHET_LATE;
  int32_t v[2] = {as_stored(im, type_of(im, x)), q}, sum = whet__im_new(im, "sum");
  is_type(im, sum, WHET_S32);
  WHET_TRY(whet__im_reinterpret(im, from, v[0]));
  WHET_TRY(whet__im_reinterpret(im, w->x, v[1]));
  WHET_TRY(put(im, "Conv", a, v, 2, sum));
  whet__im_round(im, WHET_ROUND_ONNX_REAL);
  return without_zero(im, sum, x->zero, sums, y);
}

/* ConvInteger(x, w, zx, zw) into int32. */
static whet_status conv_integer(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_conv_attr, a);
  WHET_TRY(whet__conv_read_onnx(im, a));
  a->weights = WHET_CONV_OIS;
  operand x = {whet__im_in(im, 0), one(im), whet__im_in(im, 2), 0},
          w = {whet__im_in(im, 1), ones(im, whet__im_in(im, 3)), whet__im_in(im, 3), 0};
  if (x.x < 0 || w.x < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected an input and weights");
  int32_t v[2] = {constant(im, &x), constant(im, &w)}, y = whet__im_out(im, 0);
  is_type(im, y, WHET_S32);
  if (v[0] >= 0 && v[1] >= 0) {
    for (int i = 0; i < 2; i++) WHET_TRY(whet__im_reinterpret(im, i ? w.x : x.x, v[i]));
    WHET_TRY(put(im, "Conv", a, v, 2, y));
    whet__im_round(im, WHET_ROUND_ONNX_REAL);
    return WHET_OK;
  }
  whet_status s = conv_computed(im, &x, &w, v[1], a, y);
  if (s != WHET_LATE) return s;
  /* Other computed zero points: sums of integers are exact in double. */
  int32_t f = whet__im_new(im, "sum");
  bool each = rank_of(im, w.zero) == 1; /* one zero point for each output channel, dimension 0 of the weights */
  for (int32_t i = 1; each && i < rank_of(im, w.x); i++) w.zero = whet__im_squeeze(im, "Unsqueeze", w.zero, i, -1);
  WHET_TRY(shifted(im, x.x, x.zero, WHET_F64, &v[0]));
  WHET_TRY(shifted(im, w.x, w.zero, WHET_F64, &v[1]));
  WHET_TRY(put(im, "Conv", a, v, 2, f));
  return whet__im_cast(im, f, y, WHET_S32);
}

/* a times b into int32 value y: with constant zero points on quantised values; with a computed one for a, its part is
 * taken from the sums; else on int32 tensors. */
static whet_status integer_product(whet_import *im, int32_t a, int32_t b, int32_t za, int32_t zb, int32_t y) {
  WHET_NEW_ATTR(im, whet_matmul, at);
  at->alpha = 1;
  if (a < 0 || b < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected two matrices");
  operand x = {a, one(im), za, 0}, w = {b, ones(im, zb), zb, -1};
  const whet_val *z = whet__im_val(im, za); /* until values are added */
  const bool scalar = !z || whet__shape_count(&z->shape) == 1;
  const whet_dtype type = z && z->dtype ? (whet_dtype)z->dtype : WHET_U8;
  int32_t v[2] = {scalar ? constant(im, &x) : -1, constant(im, &w)}, sums = -1;
  is_type(im, y, WHET_S32);
  if (v[0] < 0 && v[1] >= 0 && scalar && za >= 0 && rank_of(im, b) == 2 && (sums = weight_sums(im, b, zb, true, 0)) >= 0)
    v[0] = as_stored(im, type);
  if (v[0] < 0 || v[1] < 0) {
    WHET_TRY(shifted(im, a, za, WHET_S32, &v[0]));
    WHET_TRY(shifted(im, b, zb, WHET_S32, &v[1]));
    return put(im, "MatMul", at, v, 2, y);
  }
  WHET_TRY(whet__im_reinterpret(im, a, v[0]));
  WHET_TRY(whet__im_reinterpret(im, b, v[1]));
  int32_t sum = sums >= 0 ? whet__im_new(im, "sum") : y;
  is_type(im, sum, WHET_S32);
  WHET_TRY(put(im, "MatMul", at, v, 2, sum));
  whet__im_round(im, WHET_ROUND_ONNX_REAL);
  return sums < 0 ? WHET_OK : without_zero(im, sum, za, sums, y);
}

static whet_status matmul_integer(whet_import *im, const whet_op *op) {
  int32_t za = whet__im_in(im, 2);
  const whet_val *z = whet__im_val(im, za);
  /* A zero point for each row of a stands in a column. */
  if (z && z->shape.rank == 1 && z->shape.d[0] != 1) za = whet__im_squeeze(im, "Unsqueeze", za, 1, -1);
  return integer_product(im, whet__im_in(im, 0), whet__im_in(im, 1), za, whet__im_in(im, 3), whet__im_out(im, 0));
}

/* (float)(a times b) * (sa * sb) + bias. */
static whet_status scaled_product(whet_import *im, int32_t a, int32_t b, int32_t sa, int32_t sb, int32_t za,
                                  int32_t zb, int32_t bias) {
  int32_t sum = whet__im_new(im, "sum"), y = whet__im_out(im, 0);
  int32_t f[2] = {whet__im_new(im, "float"), whet__im_new(im, "scale")}, s[2] = {sa, sb};
  if (sa < 0 || sb < 0) return whet__im_fail(im, WHET_E_FORMAT, "a scale is missing");
  WHET_TRY(integer_product(im, a, b, za, zb, sum));
  WHET_TRY(whet__im_cast(im, sum, f[0], WHET_F32));
  WHET_TRY(put(im, "Mul", NULL, s, 2, f[1]));
  int32_t product[2] = {bias >= 0 ? whet__im_new(im, "product") : y, bias};
  WHET_TRY(put(im, "Mul", NULL, f, 2, product[0]));
  return bias < 0 ? WHET_OK : put(im, "Add", NULL, product, 2, y);
}

static whet_status matmul_to_float(whet_import *im, const whet_op *op) {
  return scaled_product(im, whet__im_in(im, 0), whet__im_in(im, 1), whet__im_in(im, 2), whet__im_in(im, 3),
                        whet__im_in(im, 4), whet__im_in(im, 5), whet__im_in(im, 6));
}

static whet_status dynamic_matmul(whet_import *im, const whet_op *op) {
  int32_t a = whet__im_in(im, 0),
          q[3] = {whet__im_new(im, "quantised"), whet__im_new(im, "scale"), whet__im_new(im, "zero")};
  if (a < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected a matrix");
  is_type(im, q[0], WHET_U8);
  is_type(im, q[1], WHET_F32);
  is_type(im, q[2], WHET_U8);
  if (q[2] >= 0) whet__im_graph(im)->val[q[2]].shape = (whet_shape){.rank = 0};
  WHET_TRY(whet__im_node(im, op_named("DynamicQuantizeLinear"), NULL, &a, 1, q, 3));
  return scaled_product(im, q[0], whet__im_in(im, 1), q[1], whet__im_in(im, 2), q[2], whet__im_in(im, 3),
                        whet__im_in(im, 4));
}

const whet_from whet__from_qlinear[] = {{"", "QLinearConv", 10, conv},
                                        {"", "QLinearMatMul", 10, matmul},
                                        {"", "ConvInteger", 10, conv_integer},
                                        {"", "MatMulInteger", 10, matmul_integer},
                                        {"com.microsoft", "QLinearConv", 1, conv},
                                        {"com.microsoft", "QLinearAdd", 1, add},
                                        {"com.microsoft", "QLinearMul", 1, mul},
                                        {"com.microsoft", "QLinearAveragePool", 1, average_pool},
                                        {"com.microsoft", "QLinearGlobalAveragePool", 1, global_pool},
                                        {"com.microsoft", "QLinearConcat", 1, concat},
                                        {"com.microsoft", "QLinearSigmoid", 1, sigmoid},
                                        {"com.microsoft", "QLinearLeakyRelu", 1, leaky_relu},
                                        {"com.microsoft", "QLinearSoftmax", 1, softmax},
                                        {"com.microsoft", "QLinearReduceMean", 1, reduce_mean},
                                        {"com.microsoft", "QGemm", 1, gemm},
                                        {"com.microsoft", "MatMulIntegerToFloat", 1, matmul_to_float},
                                        {"com.microsoft", "DynamicQuantizeMatMul", 1, dynamic_matmul},
                                        {"com.microsoft", "MatMulNBits", 1, whet__few_matmul_nbits},
                                        {"com.microsoft", "MatMulBnb4", 1, whet__few_matmul_bnb4},
                                        {"com.microsoft", "whet_experts", 1, whet__few_experts},
                                        {0}};
