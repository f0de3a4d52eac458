/* SPDX-License-Identifier: Apache-2.0 */
/* How ONNX spells each operator. Rows without a function have inputs, outputs and no attributes as they are. Channels stand
 * first when a model comes here, but for nodes that could not be turned: those are refused. Long because it is a row, and often a
 * function, for each of 150 operators. */

#include <math.h>
#include <stdio.h>

#include "base/dtype.h"
#include "export/onnx.h"
#include "op/conv.h"
#include "op/pool.h"
#include "op/quantize.h"
#include "op/resize.h"

#define IN(i) ((i) < n->n_in ? n->in[i] : -1)

static const char *name_in(whet_onnx_out *o, const whet_node *n, int i) { return whet__ox_name(o, IN(i)); }
static const char *name_out(whet_onnx_out *o, const whet_node *n, int i) {
  return whet__export_name(&o->x, i < n->n_out ? n->out[i] : -1);
}
static int32_t rank_of(const whet_onnx_out *o, int32_t v) { return v < 0 ? -1 : o->x.g->val[v].shape.rank; }

/* Type of inputs 0.., one output, with the attributes given so far. */
static whet_status node(whet_onnx_out *o, const whet_node *n, const char *type, const char *const *in, int n_in) {
  const char *out = name_out(o, n, 0);
  whet__ox_node(o, n->name, type, in, n_in, &out, 1);
  return WHET_OK;
}

static whet_status scalar(whet_onnx_out *o, whet_dtype t, double v, const char **name) {
  uint64_t bits[2] = {0};
  whet__set_f64(t, bits, 0, v);
  *name = whet__ox_const(o, "number", t, 0, NULL, bits);
  return WHET_OK;
}

/* ---- products -------------------------------------------------------------------------------- */

static void window(whet_onnx_out *o, const whet_conv_geo *g) {
  int f = 3 - g->n;
  int64_t pads[6];
  for (int i = 0; i < g->n; i++) pads[i] = g->pad[f + i], pads[g->n + i] = g->pad_end[f + i];
  whet__ox_ints(o, "kernel_shape", g->kernel + f, g->n);
  whet__ox_ints(o, "strides", g->stride + f, g->n);
  whet__ox_ints(o, "dilations", g->dilation + f, g->n);
  whet__ox_ints(o, "pads", pads, 2 * g->n);
}

static whet_status conv(whet_onnx_out *o, const whet_node *n) {
  const whet_conv_attr *a = n->attr;
  bool transposed = !strcmp(n->op->name, "ConvTranspose");
  const whet_val *x = whet__export_val(&o->x, n->in[0]), *w = whet__export_val(&o->x, n->in[1]);
  int8_t perm[WHET_MAX_RANK];
  char why[WHET_CONV_WHY];
  whet_conv_geo g;
  if (a->last) return whet__export_refuse(&o->x, n, "channels are last and could not be moved");
  if (w->shape.rank < 0) return whet__export_refuse(&o->x, n, "the rank of the weights is not known");
  whet_shape from = x->shape.rank < 0 ? (whet_shape){.rank = w->shape.rank} : x->shape; /* behind an If, say: of any size */
  for (int32_t i = 0; i < from.rank && x->shape.rank < 0; i++) from.d[i] = WHET_DIM_ANY;
  if (transposed && n->n_in > 3 && n->in[3] >= 0 && !whet__export_data(&o->x, n->in[3]))
    return whet__export_refuse(&o->x, n, "the output's shape is computed");
  const whet_shape *out = transposed ? &o->x.g->val[n->out[0]].shape : NULL;
  if (!whet__conv_geo(a, transposed, &from, &w->shape, n->n_in > 3 && n->in[3] >= 0 ? out : NULL, &g, why))
    return whet__export_refuse(&o->x, n, "%s", why);
  bool sized = true;
  for (int i = 3 - g.n; i < 3; i++) sized &= whet__dim_known(g.in[i]);
  if (a->pad_mode > WHET_CONV_PADS && a->pad_mode != WHET_CONV_VALID && !sized) {
    whet__ox_str(o, "auto_pad", a->pad_mode == WHET_CONV_SAME_UPPER ? "SAME_UPPER" : "SAME_LOWER");
    whet__ox_ints(o, "strides", g.stride + 3 - g.n, g.n);
    whet__ox_ints(o, "dilations", g.dilation + 3 - g.n, g.n);
  } else {
    window(o, &g);
  }
  if (transposed) {
    int64_t more[3];
    for (int i = 3 - g.n, k = 0; i < 3; i++, k++) {
      int64_t plain = (g.in[i] - 1) * g.stride[i] + (g.kernel[i] - 1) * g.dilation[i] + 1 - g.pad[i] - g.pad_end[i];
      more[k] = whet__dim_known(g.in[i]) && whet__dim_known(g.out[i]) ? g.out[i] - plain
                : a->out_pad.n                                        ? a->out_pad.v[k]
                                                                      : 0;
    }
    whet__ox_ints(o, "output_padding", more, g.n);
  }
  whet__ox_int(o, "group", g.groups);
  whet__export_order(a->weights, transposed ? WHET_CONV_IOS : WHET_CONV_OIS, w->shape.rank, perm);
  const char *in[3] = {name_in(o, n, 0), NULL, name_in(o, n, 2)};
  in[1] = whet__ox_turned(o, n->in[1], perm, w->shape.rank);
  return node(o, n, transposed ? "ConvTranspose" : "Conv", in, 3);
}

static whet_status dense(whet_onnx_out *o, const whet_node *n) {
  static const int8_t swap[2] = {1, 0};
  bool kn = whet__at_int(n, "kn") != 0, flat = whet__at_int(n, "flat") != 0, bias = IN(2) >= 0;
  const whet_val *x = whet__export_val(&o->x, n->in[0]), *w = whet__export_val(&o->x, n->in[1]);
  const char *in[3] = {name_in(o, n, 0), NULL, name_in(o, n, 2)};
  int64_t k = w->shape.rank == 2 ? w->shape.d[kn ? 0 : 1] : -1;
  bool matrix = x->shape.rank == 2 && (x->shape.d[1] == k || !flat);
  if (k < 0) return whet__export_refuse(&o->x, n, "the weights' shape is not known");
  if (flat && !matrix) { /* rows of k, whatever x looks like */
    int64_t rows[2] = {-1, k};
    const char *shape[2] = {in[0], whet__ox_list(o, "rows", rows, 2)}, *out = whet__export_fresh(&o->x, "rows");
    whet__ox_node(o, "", "Reshape", shape, 2, &out, 1);
    in[0] = out;
    matrix = true;
  }
  if (matrix) {
    in[1] = name_in(o, n, 1);
    if (!kn) whet__ox_int(o, "transB", 1);
    return node(o, n, "Gemm", in, 3);
  }
  in[1] = kn ? name_in(o, n, 1) : whet__ox_turned(o, n->in[1], swap, 2);
  if (!bias) return node(o, n, "MatMul", in, 2);
  const char *sum[2] = {whet__export_fresh(&o->x, "product"), in[2]}, *out = name_out(o, n, 0);
  whet__ox_node(o, n->name, "MatMul", in, 2, sum, 1);
  whet__ox_node(o, "", "Add", sum, 2, &out, 1);
  return WHET_OK;
}

static whet_status gemm(whet_onnx_out *o, const whet_node *n) {
  whet__ox_float(o, "alpha", whet__at_float(n, "alpha"));
  whet__ox_float(o, "beta", whet__at_float(n, "beta"));
  whet__ox_int(o, "transA", whet__at_int(n, "transA"));
  whet__ox_int(o, "transB", whet__at_int(n, "transB"));
  return whet__ox_as_is(o, n, "Gemm");
}

/* An input with its last two dimensions exchanged. */
static const char *exchanged(whet_onnx_out *o, int32_t v) {
  int8_t perm[WHET_MAX_RANK];
  int32_t rank = rank_of(o, v);
  for (int8_t i = 0; i < rank; i++) perm[i] = (int8_t)(i < rank - 2 ? i : 2 * rank - 3 - i);
  return whet__ox_turned(o, v, perm, rank);
}

static whet_status matmul(whet_onnx_out *o, const whet_node *n) {
  const char *in[2] = {name_in(o, n, 0), name_in(o, n, 1)}, *out = name_out(o, n, 0), *product = out;
  for (int i = 0; i < 2; i++) {
    if (!whet__at_int(n, i ? "trans_b" : "trans_a")) continue;
    if (rank_of(o, n->in[i]) < 2) return whet__export_refuse(&o->x, n, "the rank of an input is not known");
    in[i] = exchanged(o, n->in[i]);
  }
  float alpha = whet__at_float(n, "alpha");
  if (alpha != 1) product = whet__export_fresh(&o->x, "product");
  whet__ox_node(o, n->name, "MatMul", in, 2, &product, 1);
  if (alpha == 1) return WHET_OK;
  const char *scaled[2] = {product, NULL};
  scalar(o, (whet_dtype)o->x.g->val[n->out[0]].dtype, alpha, &scaled[1]);
  whet__ox_node(o, "", "Mul", scaled, 2, &out, 1);
  return WHET_OK;
}

/* ---- windows and channels -------------------------------------------------------------------- */

static whet_status pool(whet_onnx_out *o, const whet_node *n) {
  const whet_pool_attr *a = n->attr;
  const whet_shape *x = &o->x.g->val[n->in[0]].shape;
  char type[40], why[WHET_POOL_WHY];
  bool lp = !strcmp(n->op->name, "LpPool");
  whet_pool_geo g;
  if (a->last) return whet__export_refuse(&o->x, n, "channels are last and could not be moved");
  if (a->mean && lp) return whet__export_refuse(&o->x, n, "the mean of powers; ONNX has their sum");
  if (lp) whet__ox_int(o, "p", a->p);
  snprintf(type, sizeof type, "%s%s", a->global ? "Global" : "", n->op->name);
  if (a->global) return whet__ox_as_is(o, n, type);
  if (x->rank < 0 || !whet__pool_geo(a, x, &g, why))
    return whet__export_refuse(&o->x, n, "%s", x->rank < 0 ? "the rank of an input is not known" : why);
  int f = 3 - g.n;
  bool sized = true, spread = false;
  int64_t pads[6];
  for (int i = 0; i < g.n; i++) {
    sized &= whet__dim_known(g.in[f + i]);
    spread |= g.dilation[f + i] != 1;
    pads[i] = g.pad[f + i], pads[g.n + i] = g.pad_end[f + i];
  }
  whet__ox_ints(o, "kernel_shape", g.kernel + f, g.n);
  whet__ox_ints(o, "strides", g.stride + f, g.n);
  if (spread) whet__ox_ints(o, "dilations", g.dilation + f, g.n);
  if (a->pad_mode != WHET_POOL_PADS && a->pad_mode != WHET_POOL_VALID && !sized)
    whet__ox_str(o, "auto_pad", a->pad_mode == WHET_POOL_SAME_UPPER ? "SAME_UPPER" : "SAME_LOWER");
  else
    whet__ox_ints(o, "pads", pads, 2 * g.n);
  if (a->ceil && a->pad_mode == WHET_POOL_PADS) whet__ox_int(o, "ceil_mode", 1);
  if (!strcmp(type, "AveragePool") && a->count_pads) whet__ox_int(o, "count_include_pad", 1);
  if (!strcmp(type, "MaxPool") && a->columns) whet__ox_int(o, "storage_order", 1);
  return whet__ox_as_is(o, n, type);
}

static whet_status batchnorm(whet_onnx_out *o, const whet_node *n) {
  if (whet__at_int(n, "channels_last")) return whet__export_refuse(&o->x, n, "channels are last and could not be moved");
  if (whet__at_int(n, "places")) return whet__export_refuse(&o->x, n, "a mean and variance for every place");
  whet__ox_float(o, "epsilon", whet__at_float(n, "epsilon"));
  whet__ox_float(o, "momentum", whet__at_float(n, "momentum"));
  if (whet__at_int(n, "training_mode")) whet__ox_int(o, "training_mode", 1);
  return whet__ox_as_is(o, n, "BatchNormalization");
}

static whet_status layernorm(whet_onnx_out *o, const whet_node *n) {
  bool rms = !strcmp(n->op->name, "RMSNormalization");
  if (o->opset < (rms ? 23 : 17)) return whet__export_refuse(&o->x, n, "needs opset %d", rms ? 23 : 17);
  whet__ox_int(o, "axis", whet__at_int(n, "axis"));
  whet__ox_float(o, "epsilon", whet__at_float(n, "epsilon"));
  return whet__ox_as_is(o, n, n->op->name);
}

static whet_status blocks(whet_onnx_out *o, const whet_node *n) {
  bool depth = !strcmp(n->op->name, "DepthToSpace");
  if (whet__at_int(n, "channels_last")) return whet__export_refuse(&o->x, n, "channels are last and could not be moved");
  if (!depth && whet__at_int(n, "crd")) return whet__export_refuse(&o->x, n, "this order of a block");
  whet__ox_int(o, "blocksize", whet__at_int(n, "size"));
  if (depth) whet__ox_str(o, "mode", whet__at_int(n, "crd") ? "CRD" : "DCR");
  return whet__ox_as_is(o, n, n->op->name);
}

/* Scales of all axes where a Resize has constant ones for some; NULL: it has not. */
static const char *resize_scales(whet_onnx_out *o, const whet_node *n) {
  whet_ints axes = whet__at_ints(n, "axes");
  const whet_data *d = whet__export_data(&o->x, IN(2));
  int32_t rank = rank_of(o, n->in[0]);
  float all[WHET_MAX_RANK];
  if (!d || !axes.n || rank < 1 || o->x.g->val[n->in[2]].dtype != WHET_F32 || IN(1) >= 0) return NULL;
  for (int32_t i = 0; i < rank; i++) all[i] = 1;
  for (int32_t i = 0; i < axes.n; i++)
    memcpy(&all[axes.v[i] < 0 ? axes.v[i] + rank : axes.v[i]], (const char *)d->p + (size_t)i * 4, 4);
  int64_t dim = rank;
  return whet__ox_const(o, "scales", WHET_F32, 1, &dim, all);
}

static whet_status resize(whet_onnx_out *o, const whet_node *n) {
  static const char *const modes[] = {"nearest", "linear", "cubic"};
  static const char *const places[] = {"half_pixel",    "half_pixel_symmetric", "pytorch_half_pixel",
                                       "align_corners", "asymmetric",           "tf_half_pixel_for_nn",
                                       "tf_crop_and_resize"};
  static const char *const near[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "floor"};
  static const char *const policy[] = {"stretch", "not_larger", "not_smaller"};
  const whet_resize_attr *a = n->attr;
  const char *place = places[a->place];
  if (a->place == WHET_RESIZE_TF_HALF_PIXEL) { /* only opset 10 has it: the floor of (o + 1/2) / s is half_pixel rounded up */
    if (a->mode != WHET_RESIZE_NEAREST || a->nearest != WHET_RESIZE_FLOOR)
      return whet__export_refuse(&o->x, n, "this way to find places");
    place = "half_pixel";
  }
  const whet_shape *x = &o->x.g->val[n->in[0]].shape, *y = &o->x.g->val[n->out[0]].shape;
  int64_t full[WHET_MAX_RANK];
  bool spread = a->axes.n && IN(3) >= 0 && !a->policy && IN(1) < 0; /* sizes of all axes, which every opset has */
  for (int32_t i = 0; i < y->rank; i++) full[i] = y->d[i], spread &= whet__dim_known(y->d[i]);
  spread &= y->rank >= 0 && x->rank == y->rank;
  const char *scales = resize_scales(o, n);
  if (scales) spread = true;
  if (a->axes.n && !spread && o->opset < 18) return whet__export_refuse(&o->x, n, "axes need opset 18");
  for (int32_t i = 0; i < y->rank && a->nearest == WHET_RESIZE_SIMPLE && a->mode == WHET_RESIZE_NEAREST; i++)
    if (x->rank != y->rank || !whet__dim_known(x->d[i]) || !whet__dim_known(y->d[i]) || y->d[i] < x->d[i])
      return whet__export_refuse(&o->x, n, "opset 10's places of an axis that shrinks"); /* of one that grows: the floor */
  whet__ox_str(o, "mode", modes[a->mode]);
  whet__ox_str(o, "coordinate_transformation_mode", place);
  if (a->mode == WHET_RESIZE_NEAREST)
    whet__ox_str(o, "nearest_mode", a->place == WHET_RESIZE_TF_HALF_PIXEL ? "round_prefer_ceil" : near[a->nearest]);
  if (a->mode == WHET_RESIZE_CUBIC) whet__ox_float(o, "cubic_coeff_a", a->cubic_a);
  if (a->exclude) whet__ox_int(o, "exclude_outside", 1);
  if (a->place == WHET_RESIZE_CROP) whet__ox_float(o, "extrapolation_value", a->outside);
  if (a->antialias) whet__ox_int(o, "antialias", 1);
  if (a->policy) whet__ox_str(o, "keep_aspect_ratio_policy", policy[a->policy]);
  if (a->axes.n && !spread) whet__ox_ints(o, "axes", a->axes.v, a->axes.n);
  const char *in[4] = {name_in(o, n, 0), name_in(o, n, 1), scales ? scales : name_in(o, n, 2), spread ? "" : name_in(o, n, 3)};
  int32_t count;
  const int64_t *sizes = spread ? NULL : whet__export_ints(&o->x, IN(3), &count);
  if (spread && !scales) in[3] = whet__ox_list(o, "sizes", full, y->rank);
  if (sizes && o->x.g->val[n->in[3]].dtype != WHET_S64) in[3] = whet__ox_list(o, "sizes", sizes, count);
  return node(o, n, "Resize", in, 4);
}

/* ---- elements -------------------------------------------------------------------------------- */

static whet_status alpha_only(whet_onnx_out *o, const whet_node *n) {
  whet__ox_float(o, "alpha", whet__at_float(n, "alpha"));
  return whet__ox_as_is(o, n, n->op->name);
}
static whet_status alpha_beta(whet_onnx_out *o, const whet_node *n) {
  whet__ox_float(o, "alpha", whet__at_float(n, "alpha"));
  whet__ox_float(o, "beta", whet__at_float(n, "beta"));
  return whet__ox_as_is(o, n, n->op->name);
}
static whet_status alpha_gamma(whet_onnx_out *o, const whet_node *n) {
  whet__ox_float(o, "alpha", whet__at_float(n, "alpha"));
  whet__ox_float(o, "gamma", whet__at_float(n, "gamma"));
  return whet__ox_as_is(o, n, n->op->name);
}
static whet_status shrink(whet_onnx_out *o, const whet_node *n) {
  whet__ox_float(o, "lambd", whet__at_float(n, "lambd"));
  whet__ox_float(o, "bias", whet__at_float(n, "bias"));
  return whet__ox_as_is(o, n, "Shrink");
}
static whet_status isinf_of(whet_onnx_out *o, const whet_node *n) {
  whet__ox_int(o, "detect_negative", whet__at_float(n, "detect_negative") != 0);
  whet__ox_int(o, "detect_positive", whet__at_float(n, "detect_positive") != 0);
  return whet__ox_as_is(o, n, "IsInf");
}

static whet_status clip(whet_onnx_out *o, const whet_node *n) {
  float lo = whet__at_float(n, "min"), hi = whet__at_float(n, "max");
  whet_dtype t = (whet_dtype)o->x.g->val[n->in[0]].dtype;
  const char *in[3] = {name_in(o, n, 0), "", ""};
  if (lo == 0 && hi == INFINITY) return node(o, n, "Relu", in, 1);
  if (lo != -INFINITY) scalar(o, t, lo, &in[1]);
  if (hi != INFINITY) scalar(o, t, hi, &in[2]);
  return node(o, n, "Clip", in, 3);
}

/* Gelu: the newer opsets have it, for the older it is written out, x * 0.5 * (1 + erf(x / sqrt(2))). */
static whet_status gelu(whet_onnx_out *o, const whet_node *n) {
  bool by_tanh = whet__at_float(n, "tanh") != 0;
  if (o->opset >= 20) {
    if (by_tanh) whet__ox_str(o, "approximate", "tanh");
    return whet__ox_as_is(o, n, "Gelu");
  }
  if (by_tanh) return whet__export_refuse(&o->x, n, "needs opset 20");
  whet_dtype t = (whet_dtype)o->x.g->val[n->in[0]].dtype;
  const char *v[6] = {name_in(o, n, 0)}, *two[2];
  for (int i = 1; i < 6; i++) v[i] = whet__export_fresh(&o->x, "gelu");
  two[0] = v[0], scalar(o, t, 0.70710678118654752440, &two[1]);
  whet__ox_node(o, "", "Mul", two, 2, &v[1], 1);
  whet__ox_node(o, "", "Erf", &v[1], 1, &v[2], 1);
  two[0] = v[2], scalar(o, t, 1, &two[1]);
  whet__ox_node(o, "", "Add", two, 2, &v[3], 1);
  two[0] = v[0], two[1] = v[3];
  whet__ox_node(o, "", "Mul", two, 2, &v[4], 1);
  two[0] = v[4], scalar(o, t, 0.5, &two[1]);
  return node(o, n, "Mul", two, 2);
}

/* x * sigmoid(alpha * x). */
static whet_status swish(whet_onnx_out *o, const whet_node *n) {
  float alpha = whet__at_float(n, "alpha");
  const char *x = name_in(o, n, 0), *in[2] = {x, NULL}, *out;
  if (alpha != 1) {
    scalar(o, (whet_dtype)o->x.g->val[n->in[0]].dtype, alpha, &in[1]);
    out = whet__export_fresh(&o->x, "scaled");
    whet__ox_node(o, "", "Mul", in, 2, &out, 1);
    in[0] = out;
  }
  out = whet__export_fresh(&o->x, "sigmoid");
  whet__ox_node(o, "", "Sigmoid", in, 1, &out, 1);
  in[0] = x, in[1] = out;
  return node(o, n, "Mul", in, 2);
}

/* Bits of integers, from opset 18 on; of truth values they are the logical operators. */
static whet_status bits(whet_onnx_out *o, const whet_node *n) {
  const char *logical = n->op->name + strlen("Bitwise");
  if (o->x.g->val[n->in[0]].dtype == WHET_BOOL) return whet__ox_as_is(o, n, logical);
  if (o->opset < 18) return whet__export_refuse(&o->x, n, "needs opset 18");
  return whet__ox_as_is(o, n, n->op->name);
}

/* Functions of one or two inputs that ONNX makes of others. */
static whet_status square(whet_onnx_out *o, const whet_node *n) {
  const char *in[2] = {name_in(o, n, 0), name_in(o, n, 0)};
  return node(o, n, "Mul", in, 2);
}
static whet_status rsqrt(whet_onnx_out *o, const whet_node *n) {
  const char *in = name_in(o, n, 0), *root = whet__export_fresh(&o->x, "root");
  whet__ox_node(o, "", "Sqrt", &in, 1, &root, 1);
  return node(o, n, "Reciprocal", &root, 1);
}
static whet_status squared_difference(whet_onnx_out *o, const whet_node *n) {
  const char *in[2] = {name_in(o, n, 0), name_in(o, n, 1)}, *d = whet__export_fresh(&o->x, "difference");
  whet__ox_node(o, "", "Sub", in, 2, &d, 1);
  in[0] = in[1] = d;
  return node(o, n, "Mul", in, 2);
}
static whet_status not_equal(whet_onnx_out *o, const whet_node *n) {
  const char *in[2] = {name_in(o, n, 0), name_in(o, n, 1)}, *e = whet__export_fresh(&o->x, "equal");
  whet__ox_node(o, "", "Equal", in, 2, &e, 1);
  return node(o, n, "Not", &e, 1);
}
static whet_status floor_div(whet_onnx_out *o, const whet_node *n) {
  if (!whet__is_float((whet_dtype)o->x.g->val[n->in[0]].dtype))
    return whet__export_refuse(&o->x, n, "division of integers that rounds down");
  const char *in[2] = {name_in(o, n, 0), name_in(o, n, 1)}, *q = whet__export_fresh(&o->x, "quotient");
  whet__ox_node(o, "", "Div", in, 2, &q, 1);
  return node(o, n, "Floor", &q, 1);
}
static whet_status mod(whet_onnx_out *o, const whet_node *n) {
  bool real = whet__is_float((whet_dtype)o->x.g->val[n->in[0]].dtype);
  if (real && !whet__at_int(n, "fmod")) return whet__export_refuse(&o->x, n, "remainders of reals with the divisor's sign");
  whet__ox_int(o, "fmod", whet__at_int(n, "fmod"));
  return whet__ox_as_is(o, n, "Mod");
}

static whet_status softmax(whet_onnx_out *o, const whet_node *n) {
  float beta = whet__at_float(n, "beta");
  int32_t rank = rank_of(o, n->in[0]);
  int64_t axis = whet__at_int(n, "axis");
  if (axis < 0 && rank > 0) axis += rank;
  if (whet__at_int(n, "flat") && axis != rank - 1) return whet__export_refuse(&o->x, n, "several axes at once");
  const char *in[2] = {name_in(o, n, 0), NULL};
  if (beta != 1 && strcmp(n->op->name, "Hardmax")) {
    const char *out = whet__export_fresh(&o->x, "scaled");
    scalar(o, (whet_dtype)o->x.g->val[n->in[0]].dtype, beta, &in[1]);
    whet__ox_node(o, "", "Mul", in, 2, &out, 1);
    in[0] = out;
  }
  whet__ox_int(o, "axis", axis);
  return node(o, n, n->op->name, in, 1);
}

/* ---- reductions ------------------------------------------------------------------------------ */

static whet_status reduce(whet_onnx_out *o, const whet_node *n) {
  whet_ints axes = whet__at_ints(n, "axes");
  bool as_input = o->opset >= 18 || !strcmp(n->op->name, "ReduceSum"), keep = whet__at_int(n, "keepdims") != 0;
  const char *in[2] = {name_in(o, n, 0), ""};
  int32_t count;
  const int64_t *list = whet__export_ints(&o->x, IN(1), &count);
  if (axes.n) list = axes.v, count = axes.n;
  if (!list && IN(1) >= 0 && !as_input) return whet__export_refuse(&o->x, n, "computed axes need opset 18");
  if (!list && IN(1) >= 0)
    in[1] = name_in(o, n, 1);
  else if (list && count && as_input)
    in[1] = whet__ox_list(o, "axes", list, count);
  else if (list && count)
    whet__ox_ints(o, "axes", list, count);
  whet__ox_int(o, "keepdims", keep);
  if (whet__at_int(n, "noop_with_empty_axes") && as_input) whet__ox_int(o, "noop_with_empty_axes", 1);
  return node(o, n, n->op->name, in, 2);
}

static whet_status argmax(whet_onnx_out *o, const whet_node *n) {
  int32_t count;
  const int64_t *axis = whet__export_ints(&o->x, IN(1), &count);
  if (IN(1) >= 0 && !axis) return whet__export_refuse(&o->x, n, "a computed axis");
  whet__ox_int(o, "axis", axis ? axis[0] : whet__at_int(n, "axis"));
  whet__ox_int(o, "keepdims", whet__at_int(n, "keepdims"));
  if (whet__at_int(n, "select_last_index")) whet__ox_int(o, "select_last_index", 1);
  const char *in[1] = {name_in(o, n, 0)}, *out = name_out(o, n, 0), *wide = out;
  bool narrow = o->x.g->val[n->out[0]].dtype == WHET_S32;
  if (narrow) wide = whet__export_fresh(&o->x, "index");
  whet__ox_node(o, n->name, n->op->name, in, 1, &wide, 1);
  if (!narrow) return WHET_OK;
  whet__ox_int(o, "to", WHET_S32);
  whet__ox_node(o, "", "Cast", &wide, 1, &out, 1);
  return WHET_OK;
}

static whet_status topk(whet_onnx_out *o, const whet_node *n) {
  int32_t count;
  const int64_t *k = whet__export_ints(&o->x, IN(1), &count);
  const char *in[2] = {name_in(o, n, 0), k ? whet__ox_list(o, "k", k, 1) : name_in(o, n, 1)};
  int16_t kind = n->n_out > 1 && n->out[1] >= 0 ? (int16_t)o->x.g->val[n->out[1]].dtype : WHET_S64;
  if (kind != WHET_S64 && kind != WHET_S32) return whet__export_refuse(&o->x, n, "indices of this type");
  if (!k && rank_of(o, IN(1)) != 1) return whet__export_refuse(&o->x, n, "a computed number of elements");
  const char *out[2] = {name_out(o, n, 0), name_out(o, n, 1)}, *last = out[1];
  bool narrow = n->n_out > 1 && n->out[1] >= 0 && o->x.g->val[n->out[1]].dtype == WHET_S32;
  if (narrow) out[1] = whet__export_fresh(&o->x, "index");
  whet__ox_int(o, "axis", whet__at_int(n, "axis"));
  whet__ox_int(o, "largest", !whet__at_int(n, "least"));
  if (!*out[1]) out[1] = whet__export_fresh(&o->x, "index");
  whet__ox_node(o, n->name, "TopK", in, 2, out, 2);
  if (!narrow) return WHET_OK;
  whet__ox_int(o, "to", WHET_S32);
  whet__ox_node(o, "", "Cast", &out[1], 1, &last, 1);
  return WHET_OK;
}

static whet_status cumulate(whet_onnx_out *o, const whet_node *n) {
  if (whet__at_int(n, "exclusive")) whet__ox_int(o, "exclusive", 1);
  if (whet__at_int(n, "reverse")) whet__ox_int(o, "reverse", 1);
  return whet__ox_as_is(o, n, n->op->name);
}

/* ---- moving elements ------------------------------------------------------------------------- */

/* Input i, a list of integers, as int64. */
static const char *wide_list(whet_onnx_out *o, const whet_node *n, int i) {
  int32_t count, v = IN(i);
  const int64_t *list = whet__export_ints(&o->x, v, &count);
  if (v < 0 || o->x.g->val[v].dtype == WHET_S64) return whet__ox_name(o, v);
  if (list) return whet__ox_list(o, o->x.g->val[v].name, list, count);
  const char *in = whet__ox_name(o, v), *out = whet__export_fresh(&o->x, "wide");
  whet_text keep = o->attr;
  o->attr = (whet_text){.mem = keep.mem};
  whet__ox_int(o, "to", WHET_S64);
  whet__ox_node(o, "", "Cast", &in, 1, &out, 1);
  o->attr = keep;
  return out;
}

static whet_status reshape(whet_onnx_out *o, const whet_node *n) {
  const char *in[2] = {name_in(o, n, 0), wide_list(o, n, 1)};
  if (IN(1) < 0) { /* the shape stands on the value */
    const whet_shape *s = &o->x.g->val[n->out[0]].shape;
    int64_t dims[WHET_MAX_RANK];
    int open = 0;
    if (s->rank < 0) return whet__export_refuse(&o->x, n, "its shape is not known");
    for (int32_t i = 0; i < s->rank; i++) dims[i] = whet__dim_known(s->d[i]) ? s->d[i] : (open++, -1);
    if (open > 1) return whet__export_refuse(&o->x, n, "%d dimensions are open", open);
    in[1] = whet__ox_list(o, "shape", dims, s->rank);
  }
  if (whet__at_int(n, "allowzero")) whet__ox_int(o, "allowzero", 1);
  return node(o, n, "Reshape", in, 2);
}

static whet_status flatten(whet_onnx_out *o, const whet_node *n) {
  whet__ox_int(o, "axis", whet__at_int(n, "axis"));
  return whet__ox_as_is(o, n, "Flatten");
}

static whet_status squeeze(whet_onnx_out *o, const whet_node *n) {
  whet_ints axes = whet__at_ints(n, "axes");
  const char *in[2] = {name_in(o, n, 0), axes.n ? whet__ox_list(o, "axes", axes.v, axes.n) : wide_list(o, n, 1)};
  int32_t count;
  const int64_t *list = whet__export_ints(&o->x, IN(1), &count);
  if (!axes.n && list && rank_of(o, IN(1)) == 0) in[1] = whet__ox_list(o, "axes", list, 1);
  return node(o, n, n->op->name, in, 2);
}

static whet_status transpose(whet_onnx_out *o, const whet_node *n) {
  whet_ints perm = whet__at_ints(n, "perm");
  int32_t count = perm.n;
  const int64_t *list = perm.n ? perm.v : whet__export_ints(&o->x, IN(1), &count);
  if (!list && IN(1) >= 0) return whet__export_refuse(&o->x, n, "a computed order");
  if (list) whet__ox_ints(o, "perm", list, count);
  const char *in = name_in(o, n, 0);
  return node(o, n, "Transpose", &in, 1);
}

static whet_status concat(whet_onnx_out *o, const whet_node *n) {
  whet__ox_int(o, "axis", whet__at_int(n, "axis"));
  return whet__ox_as_is(o, n, "Concat");
}

static whet_status split(whet_onnx_out *o, const whet_node *n) {
  whet_ints sizes = whet__at_ints(n, "sizes");
  int32_t rank = rank_of(o, n->in[0]);
  int64_t axis = whet__at_int(n, "axis"), each[64];
  const char *in[2] = {name_in(o, n, 0), sizes.n ? whet__ox_list(o, "split", sizes.v, sizes.n) : wide_list(o, n, 1)};
  const char **out = whet__arena_array(&o->x.a, n->n_out, sizeof *out);
  if (!out) return o->x.failed = true, WHET_OK;
  if (!*in[1]) { /* equal parts: said, as opsets differ in how they say it */
    whet_dim d = rank < 0 ? WHET_DIM_ANY : o->x.g->val[n->in[0]].shape.d[axis < 0 ? axis + rank : axis];
    if (whet__dim_known(d) && n->n_out <= 64) {
      int64_t part = whet__ceil_div(d, n->n_out);
      for (int i = 0; i < n->n_out; i++) each[i] = whet__min_i(part, whet__max_i(d - part * i, 0));
      in[1] = whet__ox_list(o, "split", each, n->n_out);
    } else if (o->opset >= 18) {
      whet__ox_int(o, "num_outputs", n->n_out);
    }
  }
  whet__ox_int(o, "axis", axis);
  for (int i = 0; i < n->n_out; i++) out[i] = n->out[i] < 0 ? whet__export_fresh(&o->x, "part") : name_out(o, n, i);
  whet__ox_node(o, n->name, "Split", in, 2, out, n->n_out);
  return WHET_OK;
}

/* With sizes instead of ends: constants are summed here. */
static whet_status slice(whet_onnx_out *o, const whet_node *n) {
  const char *in[5];
  for (int i = 0; i < 5; i++) in[i] = i ? wide_list(o, n, i) : name_in(o, n, 0);
  if (whet__at_int(n, "sizes")) {
    int32_t count, m;
    const int64_t *start = whet__export_ints(&o->x, IN(1), &count), *size = whet__export_ints(&o->x, IN(2), &m);
    int64_t end[WHET_MAX_RANK];
    if (!start || !size || m != count || m > WHET_MAX_RANK) return whet__export_refuse(&o->x, n, "computed sizes");
    for (int i = 0; i < m; i++) end[i] = size[i] < 0 ? INT64_MAX : start[i] + size[i];
    in[2] = whet__ox_list(o, "ends", end, m);
  }
  return node(o, n, "Slice", in, 5);
}

static whet_status strided(whet_onnx_out *o, const whet_node *n) {
  int32_t count, m, rank = rank_of(o, n->in[0]);
  const int64_t *begin = whet__export_ints(&o->x, IN(1), &count), *end = whet__export_ints(&o->x, IN(2), &m);
  const int64_t *step = whet__export_ints(&o->x, IN(3), &m);
  int64_t b = whet__at_int(n, "begin"), e = whet__at_int(n, "end"), shrink = whet__at_int(n, "shrink");
  int64_t from[WHET_MAX_RANK], to[WHET_MAX_RANK], axes[WHET_MAX_RANK], by[WHET_MAX_RANK], gone[WHET_MAX_RANK];
  int32_t n_gone = 0;
  if (!begin || !end || !step || count > rank || rank < 0) return whet__export_refuse(&o->x, n, "computed bounds");
  if (whet__at_int(n, "ellipsis") || whet__at_int(n, "new_axis")) return whet__export_refuse(&o->x, n, "this mask");
  for (int32_t i = 0; i < count; i++) {
    bool one = shrink >> i & 1;
    axes[i] = i;
    by[i] = one ? 1 : step[i];
    from[i] = b >> i & 1 && !one ? (step[i] > 0 ? 0 : INT64_MAX) : begin[i];
    to[i] = e >> i & 1 ? (step[i] > 0 ? INT64_MAX : INT64_MIN) : whet__at_int(n, "offset") ? begin[i] + end[i] : end[i];
    if (one) to[i] = from[i] == -1 ? INT64_MAX : from[i] + 1, gone[n_gone++] = i;
  }
  const char *in[5] = {name_in(o, n, 0), whet__ox_list(o, "starts", from, count), whet__ox_list(o, "ends", to, count),
                       whet__ox_list(o, "axes", axes, count), whet__ox_list(o, "steps", by, count)};
  if (!n_gone) return node(o, n, "Slice", in, 5);
  const char *part[2] = {whet__export_fresh(&o->x, "slice"), NULL};
  whet__ox_node(o, n->name, "Slice", in, 5, part, 1);
  part[1] = whet__ox_list(o, "axes", gone, n_gone);
  const char *out = name_out(o, n, 0);
  whet__ox_node(o, "", "Squeeze", part, 2, &out, 1);
  return WHET_OK;
}

static whet_status pad(whet_onnx_out *o, const whet_node *n) {
  static const char *const modes[] = {"constant", "edge", "reflect", "symmetric", "wrap"};
  int64_t mode = whet__at_int(n, "mode");
  int32_t count;
  const int64_t *pads = whet__export_ints(&o->x, IN(1), &count);
  const char *in[4] = {name_in(o, n, 0), wide_list(o, n, 1), name_in(o, n, 2), wide_list(o, n, 3)};
  if (mode == 3) return whet__export_refuse(&o->x, n, "symmetric mode");
  if (mode == 4 && o->opset < 19) return whet__export_refuse(&o->x, n, "mode wrap needs opset 19");
  if (whet__at_int(n, "pairs")) {
    int64_t list[2 * WHET_MAX_RANK];
    if (!pads || count > 2 * WHET_MAX_RANK) return whet__export_refuse(&o->x, n, "computed pads");
    for (int32_t i = 0; i < count; i++) list[i % 2 * (count / 2) + i / 2] = pads[i];
    in[1] = whet__ox_list(o, "pads", list, count);
  }
  if (mode) whet__ox_str(o, "mode", modes[mode]);
  return node(o, n, "Pad", in, 4);
}

static whet_status gather(whet_onnx_out *o, const whet_node *n) {
  int64_t batch = whet__at_int(n, "batch_dims");
  bool nd = !strcmp(n->op->name, "GatherND");
  if (batch && !nd) return whet__export_refuse(&o->x, n, "batch dimensions");
  const whet_val *from = &o->x.g->val[n->in[0]], *y = &o->x.g->val[n->out[0]];
  if (from->dtype != y->dtype) return whet__export_refuse(&o->x, n, "a table of other numbers than its result");
  if (batch) whet__ox_int(o, "batch_dims", batch);
  if (!nd) whet__ox_int(o, "axis", whet__at_int(n, "axis"));
  const char *in[2] = {name_in(o, n, 0), nd ? wide_list(o, n, 1) : name_in(o, n, 1)};
  int32_t count, v = IN(1);
  if (nd && whet__export_ints(&o->x, v, &count) && o->x.g->val[v].dtype != WHET_S64)
    in[1] = whet__ox_const(o, "indices", WHET_S64, rank_of(o, v), o->x.g->val[v].shape.d, whet__export_ints(&o->x, v, &count));
  return node(o, n, n->op->name, in, 2);
}

static whet_status scatter(whet_onnx_out *o, const whet_node *n) {
  static const char *const how[] = {"none", "add", "mul", "max", "min"};
  int64_t h = whet__at_int(n, "how");
  if (h < 0 || h > 4) return whet__export_refuse(&o->x, n, "this way to join elements");
  if (h) whet__ox_str(o, "reduction", how[h]);
  if (strcmp(n->op->name, "ScatterND")) whet__ox_int(o, "axis", whet__at_int(n, "axis"));
  return whet__ox_as_is(o, n, n->op->name);
}

static whet_status cast(whet_onnx_out *o, const whet_node *n) {
  whet_dtype from = (whet_dtype)o->x.g->val[n->in[0]].dtype;
  (void)from;
  whet__ox_int(o, "to", whet__at_int(n, "to"));
  if (!whet__at_int(n, "saturate") && o->opset >= 19) whet__ox_int(o, "saturate", 0);
  return whet__ox_as_is(o, n, "Cast");
}

static whet_status shape(whet_onnx_out *o, const whet_node *n) {
  int64_t start = whet__at_int(n, "start"), end = whet__at_int(n, "end");
  bool narrow = whet__at_int(n, "dtype") == WHET_S32, whole = !strcmp(n->op->name, "Shape");
  if (whole && start) whet__ox_int(o, "start", start);
  if (whole && end != INT64_MAX) whet__ox_int(o, "end", end);
  const char *in = name_in(o, n, 0), *out = name_out(o, n, 0), *wide = narrow ? whet__export_fresh(&o->x, "shape") : out;
  whet__ox_node(o, n->name, n->op->name, &in, 1, &wide, 1);
  if (!narrow) return WHET_OK;
  whet__ox_int(o, "to", WHET_S32);
  whet__ox_node(o, "", "Cast", &wide, 1, &out, 1);
  return WHET_OK;
}

/* Fill(shape, value): Expand of the value. */
static whet_status fill(whet_onnx_out *o, const whet_node *n) {
  const char *in[2] = {name_in(o, n, 1), wide_list(o, n, 0)};
  if (IN(1) < 0) return whet__export_refuse(&o->x, n, "no value");
  return node(o, n, "Expand", in, 2);
}
static whet_status expand(whet_onnx_out *o, const whet_node *n) {
  const char *in[2] = {name_in(o, n, 0), wide_list(o, n, 1)};
  return node(o, n, n->op->name, in, 2);
}
static whet_status where(whet_onnx_out *o, const whet_node *n) {
  if (whet__at_int(n, "front") && rank_of(o, n->in[0]) != rank_of(o, n->in[1]))
    return whet__export_refuse(&o->x, n, "a condition for whole rows");
  return whet__ox_as_is(o, n, "Where");
}
static whet_status onehot(whet_onnx_out *o, const whet_node *n) {
  if (!whet__at_int(n, "wrap")) return whet__export_refuse(&o->x, n, "negative indices, which ONNX counts from the end");
  if (IN(3) >= 0) return whet__export_refuse(&o->x, n, "off and on values that stand apart");
  whet__ox_int(o, "axis", whet__at_int(n, "axis"));
  return whet__ox_as_is(o, n, "OneHot");
}
static whet_status trilu(whet_onnx_out *o, const whet_node *n) {
  whet__ox_int(o, "upper", whet__at_int(n, "upper"));
  return whet__ox_as_is(o, n, "Trilu");
}
static whet_status lrn(whet_onnx_out *o, const whet_node *n) {
  int64_t before = whet__at_int(n, "before"), after = whet__at_int(n, "after");
  if (whet__at_int(n, "channels_last")) return whet__export_refuse(&o->x, n, "channels are last and could not be moved");
  if (after != before && after != before + 1) return whet__export_refuse(&o->x, n, "this window");
  int64_t size = before + after + 1;
  whet__ox_int(o, "size", size);
  whet__ox_float(o, "alpha", whet__at_float(n, "alpha") * (float)size);
  whet__ox_float(o, "beta", whet__at_float(n, "beta"));
  whet__ox_float(o, "bias", whet__at_float(n, "bias"));
  return whet__ox_as_is(o, n, "LRN");
}

/* ---- quantisation ---------------------------------------------------------------------------- */

void whet__ox_linear(whet_onnx_out *o, const char *label, bool down, const char *in, const char *out, whet_dtype t,
                     const whet_quant *q) {
  int64_t dim = q->n;
  int32_t rank = q->n > 1 ? 1 : 0;
  char *zero = whet__arena_alloc(&o->x.a, whet_dtype_bytes(t, (size_t)q->n) + 8);
  if (!zero) {
    o->x.failed = true;
    return;
  }
  for (int32_t i = 0; i < q->n; i++) whet__set_i64(t, zero, i, q->zero ? q->zero[i] : 0);
  whet_text keep = o->attr; /* whoever is turned may have begun with its own */
  o->attr = (whet_text){.mem = keep.mem};
  const char *args[3] = {in, whet__ox_const(o, "scale", WHET_F32, rank, &dim, q->scale),
                         t == WHET_S32 ? "" : whet__ox_const(o, "zero_point", t, rank, &dim, zero)};
  if (q->n > 1) whet__ox_int(o, "axis", q->axis);
  whet__ox_node(o, label, down ? "QuantizeLinear" : "DequantizeLinear", args, 3, &out, 1);
  o->attr = keep;
}

/* Scale and zero point stand on the quantised value: inputs in the file. */
static whet_status linear(whet_onnx_out *o, const whet_node *n) {
  bool down = !strcmp(n->op->name, "QuantizeLinear");
  int32_t v = down ? n->out[0] : n->in[0];
  const whet_val *x = &o->x.g->val[v];
  const whet_quant *q = x->q;
  whet_dtype t = (whet_dtype)x->dtype;
  if ((t == WHET_S16 || t == WHET_U16 || t == WHET_S4 || t == WHET_U4) && o->opset < 21)
    return whet__export_refuse(&o->x, n, "%s needs opset 21", whet_dtype_name(t));
  if (IN(1) >= 0) {
    whet__ox_int(o, "axis", whet__at_int(n, "axis"));
    if (whet__at_int(n, "block_size")) whet__ox_int(o, "block_size", whet__at_int(n, "block_size"));
    return whet__ox_as_is(o, n, n->op->name);
  }
  if (!q || q->block) return whet__export_refuse(&o->x, n, "scales of blocks that stand on the value");
  if (down && t == WHET_S32) return whet__export_refuse(&o->x, n, "numbers of 32 bits");
  whet__ox_linear(o, n->name, down, name_in(o, n, 0), name_out(o, n, 0), t, q);
  return WHET_OK;
}

/* ---- control flow ---------------------------------------------------------------------------- */

static whet_status if_else(whet_onnx_out *o, const whet_node *n) {
  if (n->n_body != 2) return whet__export_refuse(&o->x, n, "%d branches", n->n_body);
  WHET_TRY(whet__ox_graph(o, "then_branch", n->body[0]));
  WHET_TRY(whet__ox_graph(o, "else_branch", n->body[1]));
  return whet__ox_as_is(o, n, "If");
}
static whet_status loop(whet_onnx_out *o, const whet_node *n) {
  WHET_TRY(whet__ox_graph(o, "body", n->body[0]));
  return whet__ox_as_is(o, n, "Loop");
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct row {
  const char *op; /* whet's name, and ONNX's where there is no function */
  whet_status (*fn)(whet_onnx_out *o, const whet_node *n);
} k_rows[] = {{"Abs", NULL}, {"Acos", NULL}, {"Acosh", NULL}, {"Add", NULL}, {"And", NULL}, {"ArgMax", argmax}, {"ArgMin", argmax},
              {"Asin", NULL}, {"Asinh", NULL}, {"Atan", NULL}, {"Atanh", NULL}, {"AveragePool", pool},
              {"BatchNormalization", batchnorm}, {"BitwiseAnd", bits}, {"BitwiseNot", bits}, {"BitwiseOr", bits},
              {"BitwiseXor", bits}, {"Cast", cast}, {"Ceil", NULL}, {"Celu", alpha_only}, {"Clip", clip}, {"Concat", concat},
              {"Conv", conv}, {"ConvTranspose", conv}, {"Cos", NULL}, {"Cosh", NULL}, {"CumSum", cumulate}, {"Dense", dense},
              {"DepthToSpace", blocks}, {"DequantizeLinear", linear}, {"Div", NULL}, {"Elu", alpha_only}, {"Equal", NULL},
              {"Erf", NULL}, {"Exp", NULL}, {"Expand", expand}, {"Fill", fill}, {"Flatten", flatten}, {"Floor", NULL},
              {"FloorDiv", floor_div}, {"Gather", gather}, {"GatherElements", gather}, {"GatherND", gather}, {"Gelu", gelu},
              {"Gemm", gemm}, {"GRU", whet__onnx_rnn}, {"Greater", NULL}, {"GreaterOrEqual", NULL}, {"HardSigmoid", alpha_beta}, {"HardSwish", NULL},
              {"Hardmax", softmax}, {"Identity", NULL}, {"If", if_else}, {"IsInf", isinf_of}, {"IsNaN", NULL}, {"LRN", lrn}, {"LSTM", whet__onnx_rnn},
              {"LayerNormalization", layernorm}, {"LeakyRelu", alpha_only}, {"Less", NULL}, {"LessOrEqual", NULL}, {"Log", NULL},
              {"LogSoftmax", softmax}, {"Loop", loop}, {"LpPool", pool}, {"MatMul", matmul}, {"Max", NULL}, {"MaxPool", pool},
              {"Min", NULL}, {"Mish", NULL}, {"Mod", mod}, {"Mul", NULL}, {"Neg", NULL}, {"Not", NULL}, {"NotEqual", not_equal},
              {"OneHot", onehot}, {"Or", NULL}, {"PRelu", NULL}, {"Pad", pad}, {"Pow", NULL}, {"QuantizeLinear", linear},
              {"RMSNormalization", layernorm}, {"RNN", whet__onnx_rnn}, {"Reciprocal", NULL}, {"ReduceL1", reduce}, {"ReduceL2", reduce},
              {"ReduceLogSum", reduce}, {"ReduceLogSumExp", reduce}, {"ReduceMax", reduce}, {"ReduceMean", reduce},
              {"ReduceMin", reduce}, {"ReduceProd", reduce}, {"ReduceSum", reduce}, {"ReduceSumSquare", reduce}, {"Relu", NULL},
              {"Reshape", reshape}, {"Resize", resize}, {"Round", NULL}, {"Rsqrt", rsqrt}, {"ScatterElements", scatter},
              {"ScatterND", scatter}, {"Selu", alpha_gamma}, {"Shape", shape}, {"Shrink", shrink}, {"Sigmoid", NULL}, {"Sign", NULL},
              {"Sin", NULL}, {"Sinh", NULL}, {"Size", shape}, {"Slice", slice}, {"Softmax", softmax}, {"Softplus", NULL},
              {"Softsign", NULL}, {"SpaceToDepth", blocks}, {"Split", split}, {"Sqrt", NULL}, {"Square", square},
              {"SquaredDifference", squared_difference}, {"Squeeze", squeeze}, {"StridedSlice", strided}, {"Sub", NULL},
              {"Swish", swish}, {"Tan", NULL}, {"Tanh", NULL}, {"ThresholdedRelu", alpha_only}, {"Tile", expand}, {"TopK", topk},
              {"Transpose", transpose}, {"Trilu", trilu}, {"Unsqueeze", squeeze}, {"Where", where}, {"Xor", NULL}};

whet_status whet__onnx_node(whet_onnx_out *o, const whet_node *n) {
  if (whet__ox_late(o, n)) return WHET_OK;
  for (size_t i = 0; i < WHET_COUNT(k_rows); i++)
    if (!strcmp(k_rows[i].op, n->op->name)) return k_rows[i].fn ? k_rows[i].fn(o, n) : whet__ox_as_is(o, n, n->op->name);
  return whet__export_refuse(&o->x, n, "ONNX has no such operator, or whet cannot write it");
}
