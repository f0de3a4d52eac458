/* SPDX-License-Identifier: Apache-2.0 */
/* How TFLite spells each operator, windows apart (tflite_windows.c). */

#include "export/tflite_ops.h"

#include <float.h>
#include <math.h>

#include "base/dtype.h"

int32_t whet__tx_scalar(whet_tfl_out *o, int32_t like, double v) {
  uint64_t bits[2] = {0};
  whet_dtype t = (whet_dtype)o->x.g->val[like].dtype;
  whet__set_f64(t, bits, 0, v);
  return whet__tx_const(o, "number", t, 0, NULL, bits, NULL);
}

whet_status whet__tx_simple(whet_tfl_out *o, const whet_node *n, const char *builtin, const int32_t *in, int n_in) {
  int32_t out = whet__tx_tensor(o, n->out[0]);
  whet__tx_op(o, builtin, TYPE(n), in, n_in, &out, 1);
  return WHET_OK;
}

int32_t whet__tx_step(whet_tfl_out *o, const whet_node *n, const char *builtin, const int32_t *in, int n_in) {
  int32_t out = whet__tx_like(o, "step", n->out[0], NULL);
  whet__tx_op(o, builtin, TYPE(n), in, n_in, &out, 1);
  return out;
}

/* ---- elements -------------------------------------------------------------------------------- */

/* An operator of the same inputs that TFLite spells `builtin`. */
static whet_status as_is(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t in[16];
  if (n->n_in > 16) return whet__export_refuse(&o->x, n, "%d inputs", n->n_in);
  for (int i = 0; i < n->n_in; i++) in[i] = TENSOR(i);
  return whet__tx_simple(o, n, builtin, in, n->n_in);
}

/* Add, Sub, Mul, Div: with an activation; of any number of inputs. */
static whet_status arithmetic(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  if (n->n_in == 1) return whet__export_refuse(&o->x, n, "one input");
  if (n->n_in > 2 || !whet__is_float(TYPE(n))) {
    if (n->n_in == 2) return as_is(o, n, builtin);
    int32_t sum[2] = {TENSOR(0), TENSOR(1)};
    for (int i = 2; i < n->n_in; i++) sum[0] = whet__tx_step(o, n, builtin, sum, 2), sum[1] = TENSOR(i);
    return whet__tx_simple(o, n, builtin, sum, 2);
  }
  int32_t in[2] = {TENSOR(0), TENSOR(1)}, out = whet__tx_tensor(o, whet__tx_activated(o, n));
  whet__tx_int(o, 0, o->activation);
  whet__tx_op(o, builtin, TYPE(n), in, 2, &out, 1);
  return WHET_OK;
}

/* Max and Min take any number of inputs in ONNX. */
static whet_status extreme(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t pair[2] = {TENSOR(0), n->n_in > 1 ? TENSOR(1) : TENSOR(0)};
  for (int i = 2; i < n->n_in; i++) pair[0] = whet__tx_step(o, n, builtin, pair, 2), pair[1] = TENSOR(i);
  return whet__tx_simple(o, n, builtin, pair, 2);
}

static whet_status clip(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  float lo = whet__at_float(n, "min"), hi = whet__at_float(n, "max");
  int32_t in[2] = {TENSOR(0), -1};
  bool plain = whet__is_int(TYPE(n)) && !o->x.g->val[n->in[0]].q; /* RELU and its like are for reals */
  (void)builtin;
  if (plain && lo == -INFINITY && hi == INFINITY) return whet__export_refuse(&o->x, n, "no bounds");
  if (plain) goto bounds;
  if (lo == 0 && hi == INFINITY) return whet__tx_simple(o, n, "RELU", in, 1);
  if (lo == 0 && hi == 6) return whet__tx_simple(o, n, "RELU6", in, 1);
  if (lo == -1 && hi == 1) return whet__tx_simple(o, n, "RELU_N1_TO_1", in, 1);
  if (o->x.g->val[n->in[0]].q) return whet__export_refuse(&o->x, n, "these bounds on quantised numbers");
bounds:
  if (hi != INFINITY) {
    in[1] = whet__tx_scalar(o, n->in[0], hi);
    if (lo == -INFINITY) return whet__tx_simple(o, n, "MINIMUM", in, 2);
    in[0] = whet__tx_step(o, n, "MINIMUM", in, 2);
  }
  in[1] = whet__tx_scalar(o, n->in[0], lo == -INFINITY ? -FLT_MAX : lo);
  return whet__tx_simple(o, n, "MAXIMUM", in, 2);
}

static whet_status relu(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t in[2] = {TENSOR(0), -1};
  if (!whet__is_int(TYPE(n)) || o->x.g->val[n->in[0]].q) return whet__tx_simple(o, n, builtin, in, 1);
  in[1] = whet__tx_scalar(o, n->in[0], 0);
  return whet__tx_simple(o, n, "MAXIMUM", in, 2);
}

static whet_status leaky(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  whet__tx_float(o, 0, whet__at_float(n, "alpha"));
  return as_is(o, n, builtin);
}
static whet_status elu(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  if (whet__at_float(n, "alpha") != 1) return whet__export_refuse(&o->x, n, "alpha is not 1");
  return as_is(o, n, builtin);
}
static whet_status gelu(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  if (whet__at_float(n, "tanh") != 0) whet__tx_int(o, 0, 1);
  return as_is(o, n, builtin);
}
static whet_status swish(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  float alpha = whet__at_float(n, "alpha");
  int32_t in[2] = {TENSOR(0), -1}, x = in[0];
  (void)builtin;
  if (alpha != 1) {
    in[1] = whet__tx_scalar(o, n->in[0], alpha);
    in[0] = whet__tx_step(o, n, "MUL", in, 2);
  }
  in[1] = whet__tx_step(o, n, "LOGISTIC", in, 1);
  in[0] = x;
  return whet__tx_simple(o, n, "MUL", in, 2);
}
static whet_status hard_sigmoid(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t in[2] = {TENSOR(0), whet__tx_scalar(o, n->in[0], whet__at_float(n, "alpha"))};
  (void)builtin;
  in[0] = whet__tx_step(o, n, "MUL", in, 2);
  in[1] = whet__tx_scalar(o, n->in[0], whet__at_float(n, "beta"));
  in[0] = whet__tx_step(o, n, "ADD", in, 2);
  in[1] = whet__tx_scalar(o, n->in[0], 1);
  in[0] = whet__tx_step(o, n, "MINIMUM", in, 2);
  in[1] = whet__tx_scalar(o, n->in[0], 0);
  return whet__tx_simple(o, n, "MAXIMUM", in, 2);
}
static whet_status reciprocal(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t in[2] = {whet__tx_scalar(o, n->in[0], 1), TENSOR(0)};
  return whet__tx_simple(o, n, builtin, in, 2);
}
static whet_status mod(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  if (whet__at_int(n, "fmod")) return whet__export_refuse(&o->x, n, "remainders with the dividend's sign");
  return as_is(o, n, builtin);
}

/* A node's parameters of channels: c[i], on the last axis. False unless all are float constants. */
static bool channel_params(const whet_tfl_out *o, const whet_node *n, const float **c, int64_t *count) {
  for (int i = 1; i < 5; i++) {
    const whet_data *d = i < n->n_in ? whet__export_data(&o->x, n->in[i]) : NULL;
    if (!d || o->x.g->val[n->in[i]].dtype != WHET_F32 || !whet__data_aligned(d, WHET_F32)) return false;
    c[i] = d->p;
    *count = whet__shape_count(&o->x.g->val[n->in[i]].shape);
  }
  return true;
}

/* What is left of batch norms: one factor and one term for each channel. */
static whet_status batchnorm(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  const float *c[5];
  int64_t count = 0;
  int32_t rank = o->x.g->val[n->in[0]].shape.rank;
  (void)builtin;
  if ((!whet__at_int(n, "channels_last") && rank != 2) || !channel_params(o, n, c, &count) || whet__at_int(n, "training_mode"))
    return whet__export_refuse(&o->x, n, "a batch norm whose channels are not last, or whose parameters are computed");
  float *scale = whet__arena_array(&o->x.a, (size_t)count, sizeof *scale), *shift = whet__arena_array(&o->x.a, (size_t)count, sizeof *shift);
  if (!scale || !shift) return o->x.failed = true, WHET_OK;
  for (int64_t i = 0; i < count; i++) {
    double k = c[1][i] / sqrt((double)c[4][i] + whet__at_float(n, "epsilon"));
    scale[i] = (float)k;
    shift[i] = (float)(c[2][i] - c[3][i] * k);
  }
  int32_t in[2] = {TENSOR(0), whet__tx_const(o, "scale", WHET_F32, 1, &count, scale, NULL)};
  in[0] = whet__tx_step(o, n, "MUL", in, 2);
  in[1] = whet__tx_const(o, "shift", WHET_F32, 1, &count, shift, NULL);
  int32_t out = whet__tx_tensor(o, whet__tx_activated(o, n));
  whet__tx_int(o, 0, o->activation);
  whet__tx_op(o, "ADD", TYPE(n), in, 2, &out, 1);
  return WHET_OK;
}

/* (x - mean) / sqrt(variance + eps) * scale + bias over the axes from `axis` on; RMSNormalization without the mean. */
static whet_status layernorm(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  const whet_shape *s = &o->x.g->val[n->in[0]].shape;
  bool rms = !strcmp(n->op->name, "RMSNormalization");
  int64_t axis = whet__at_int(n, "axis"), axes[WHET_MAX_RANK];
  (void)builtin;
  if (axis < 0) axis += s->rank;
  if (s->rank < 1 || axis < 0 || n->n_out > 1) return whet__export_refuse(&o->x, n, "its rank is not known, or its mean is used");
  whet_shape few = *s;
  for (int64_t i = axis; i < s->rank; i++) axes[i - axis] = i, few.d[i] = 1;
  int32_t list = whet__tx_list(o, "axes", axes, (int32_t)(s->rank - axis)), in[2] = {TENSOR(0), list}, x = in[0], out;
  if (!rms) {
    out = whet__tx_like(o, "mean", n->in[0], &few);
    whet__tx_int(o, 0, 1);
    whet__tx_op(o, "MEAN", TYPE(n), in, 2, &out, 1);
    in[1] = out;
    x = whet__tx_step(o, n, "SUB", in, 2);
  }
  in[0] = in[1] = x;
  in[0] = whet__tx_step(o, n, "MUL", in, 2);
  in[1] = list;
  out = whet__tx_like(o, "variance", n->in[0], &few);
  whet__tx_int(o, 0, 1);
  whet__tx_op(o, "MEAN", TYPE(n), in, 2, &out, 1);
  in[0] = out, in[1] = whet__tx_scalar(o, n->in[0], whet__at_float(n, "epsilon"));
  out = whet__tx_like(o, "variance", n->in[0], &few);
  whet__tx_op(o, "ADD", TYPE(n), in, 2, &out, 1);
  in[0] = out;
  out = whet__tx_like(o, "deviation", n->in[0], &few);
  whet__tx_op(o, "RSQRT", TYPE(n), in, 1, &out, 1);
  in[0] = x, in[1] = out;
  for (int k = 1; k < 3; k++) { /* scale, bias */
    if (IN(k) < 0) continue;
    in[0] = whet__tx_step(o, n, "MUL", in, 2);
    in[1] = TENSOR(k);
  }
  return whet__tx_simple(o, n, IN(2) >= 0 ? "ADD" : "MUL", in, 2);
}

/* An axis that is not the last: turned there and back. */
static whet_status softmax(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  const whet_shape *s = &o->x.g->val[n->in[0]].shape;
  int64_t axis = whet__at_int(n, "axis"), order[WHET_MAX_RANK];
  int32_t rank = s->rank, in[2] = {TENSOR(0), -1}, out = whet__tx_tensor(o, n->out[0]);
  if (axis < 0) axis += rank;
  if (rank < 1) return whet__export_refuse(&o->x, n, "its rank is not known");
  if (whet__at_int(n, "flat") && axis != rank - 1) return whet__export_refuse(&o->x, n, "several axes at once");
  if (axis == rank - 1) {
    if (!strcmp(builtin, "SOFTMAX")) whet__tx_float(o, 0, whet__at_float(n, "beta"));
    whet__tx_op(o, builtin, TYPE(n), in, 1, &out, 1);
    return WHET_OK;
  }
  whet_shape turned = *s;
  for (int32_t i = 0; i < rank; i++) order[i] = i == axis ? rank - 1 : i == rank - 1 ? axis : i, turned.d[i] = s->d[order[i]];
  in[1] = whet__tx_list(o, "perm", order, rank);
  int32_t perm = in[1], t = whet__tx_like(o, "turned", n->in[0], &turned), u = whet__tx_like(o, "turned", n->out[0], &turned);
  whet__tx_op(o, "TRANSPOSE", TYPE(n), in, 2, &t, 1);
  if (!strcmp(builtin, "SOFTMAX")) whet__tx_float(o, 0, whet__at_float(n, "beta"));
  whet__tx_op(o, builtin, TYPE(n), &t, 1, &u, 1);
  in[0] = u, in[1] = perm;
  whet__tx_op(o, "TRANSPOSE", TYPE(n), in, 2, &out, 1);
  return WHET_OK;
}

/* Where takes whole rows by a condition of one dimension in SELECT. */
static whet_status where(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  bool rows = whet__at_int(n, "front") && o->x.g->val[n->in[0]].shape.rank != o->x.g->val[n->in[1]].shape.rank;
  return as_is(o, n, rows ? "SELECT" : builtin);
}

/* ---- products -------------------------------------------------------------------------------- */

/* Are the activations of node n rounded with a zero point? (They are float, the weights integers.) */
static bool asymmetric(const whet_tfl_out *o, const whet_node *n) {
  int32_t m = o->x.uses.maker[n->in[0]];
  return m >= 0 && !strcmp(o->x.g->node[m].op->name, "HybridRound") && whet__at_int(&o->x.g->node[m], "asymmetric");
}

int32_t whet__tx_integer_weights(const whet_tfl_out *o, const whet_node *n) {
  int32_t x = o->x.uses.maker[n->in[0]], w = o->x.uses.maker[n->in[1]];
  bool hybrid_x = x >= 0 && !strcmp(o->x.g->node[x].op->name, "HybridRound");
  bool real_w = w >= 0 && !strcmp(o->x.g->node[w].op->name, "DequantizeLinear");
  return hybrid_x && real_w && whet__export_data(&o->x, o->x.g->node[w].in[0]) ? o->x.g->node[w].in[0] : n->in[1];
}

static whet_status dense(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  static const int8_t swap[2] = {1, 0}, same[2] = {0, 1};
  int32_t in[3] = {TENSOR(0), whet__tx_weights(o, n->in[1], whet__at_int(n, "kn") ? swap : same, 2, true), TENSOR(2)};
  int32_t out = whet__tx_tensor(o, whet__tx_activated(o, n));
  bool flat = whet__at_int(n, "flat") || o->x.g->val[n->in[0]].shape.rank == 2;
  if (o->activation) whet__tx_int(o, 0, o->activation);
  if (!flat) whet__tx_int(o, 2, 1);
  if (asymmetric(o, n)) whet__tx_int(o, 3, 1);
  if (whet__tx_narrow_bias(o, n)) whet__tx_int(o, 4, whet__tf_type(WHET_S32));
  whet__tx_op(o, builtin, TYPE(n), in, 3, &out, 1);
  return WHET_OK;
}

static whet_status matmul(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t in[2] = {TENSOR(0), TENSOR(1)};
  float alpha = whet__at_float(n, "alpha");
  for (int i = 0; i < 2; i++)
    if (o->x.g->val[n->in[i]].shape.rank < 2) return whet__export_refuse(&o->x, n, "a vector as operand");
  if (whet__at_int(n, "trans_a")) whet__tx_int(o, 0, 1);
  if (whet__at_int(n, "trans_b")) whet__tx_int(o, 1, 1);
  if (asymmetric(o, n)) whet__tx_int(o, 2, 1);
  if (alpha == 1) return whet__tx_simple(o, n, builtin, in, 2);
  in[0] = whet__tx_step(o, n, builtin, in, 2);
  in[1] = whet__tx_scalar(o, n->out[0], alpha);
  return whet__tx_simple(o, n, "MUL", in, 2);
}

static whet_status gemm(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  float alpha = whet__at_float(n, "alpha"), beta = whet__at_float(n, "beta");
  int32_t in[2] = {TENSOR(0), TENSOR(1)};
  if (whet__at_int(n, "transA")) whet__tx_int(o, 0, 1);
  if (whet__at_int(n, "transB")) whet__tx_int(o, 1, 1);
  if (alpha == 1 && IN(2) < 0) return whet__tx_simple(o, n, builtin, in, 2);
  in[0] = whet__tx_step(o, n, builtin, in, 2);
  if (alpha != 1) {
    in[1] = whet__tx_scalar(o, n->out[0], alpha);
    if (IN(2) < 0) return whet__tx_simple(o, n, "MUL", in, 2);
    in[0] = whet__tx_step(o, n, "MUL", in, 2);
  }
  in[1] = TENSOR(2);
  if (beta != 1) {
    int32_t c[2] = {in[1], whet__tx_scalar(o, n->out[0], beta)}, scaled = whet__tx_like(o, "scaled", n->in[2], NULL);
    whet__tx_op(o, "MUL", TYPE(n), c, 2, &scaled, 1);
    in[1] = scaled;
  }
  return whet__tx_simple(o, n, "ADD", in, 2);
}

/* ---- reductions ------------------------------------------------------------------------------ */

static whet_status reduce(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  whet_ints axes = whet__at_ints(n, "axes");
  int64_t all[WHET_MAX_RANK];
  int32_t rank = o->x.g->val[n->in[0]].shape.rank, in[2] = {TENSOR(0), -1};
  if (axes.n) {
    in[1] = whet__tx_list(o, "axes", axes.v, axes.n);
  } else if (IN(1) >= 0) {
    in[1] = whet__tx_narrow(o, n->in[1]);
    if (in[1] < 0) return whet__export_refuse(&o->x, n, "computed axes");
  } else if (!whet__at_int(n, "noop_with_empty_axes") && rank >= 0) {
    for (int32_t i = 0; i < rank; i++) all[i] = i;
    in[1] = whet__tx_list(o, "axes", all, rank);
  } else {
    return whet__export_refuse(&o->x, n, "no axes");
  }
  if (whet__at_int(n, "keepdims")) whet__tx_int(o, 0, 1);
  return whet__tx_simple(o, n, builtin, in, 2);
}

static whet_status argmax(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t count, rank = o->x.g->val[n->in[0]].shape.rank, in[2] = {TENSOR(0), -1}, out = whet__tx_tensor(o, n->out[0]);
  const int64_t *given = whet__export_ints(&o->x, IN(1), &count);
  int64_t axis = given ? given[0] : whet__at_int(n, "axis"), dims[WHET_MAX_RANK];
  if (axis < 0) axis += rank;
  if ((IN(1) >= 0 && !given) || rank < 1 || whet__at_int(n, "select_last_index"))
    return whet__export_refuse(&o->x, n, "a computed axis, or the last of equals");
  int32_t a = (int32_t)axis;
  in[1] = whet__tx_const(o, "axis", WHET_S32, 0, NULL, &a, NULL);
  whet__tx_int(o, 0, whet__tf_type((whet_dtype)o->x.g->val[n->out[0]].dtype));
  if (!whet__at_int(n, "keepdims")) {
    whet__tx_op(o, builtin, TYPE(n), in, 2, &out, 1);
    return WHET_OK;
  }
  whet_shape s = o->x.g->val[n->out[0]].shape, less = {.rank = rank - 1};
  for (int32_t i = 0, k = 0; i < rank; i++)
    if (i != axis) less.d[k++] = s.d[i];
  int open = 0;
  for (int32_t i = 0; i < rank; i++) dims[i] = whet__dim_known(s.d[i]) ? s.d[i] : (open++, -1);
  if (open > 1) return whet__export_refuse(&o->x, n, "%d dimensions are open", open);
  int32_t index = whet__tx_like(o, "index", n->out[0], &less);
  whet__tx_op(o, builtin, TYPE(n), in, 2, &index, 1);
  in[0] = index, in[1] = whet__tx_list(o, "shape", dims, rank);
  whet__tx_op(o, "RESHAPE", TYPE(n), in, 2, &out, 1);
  return WHET_OK;
}

static whet_status cumsum(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t in[2] = {TENSOR(0), whet__tx_narrow(o, IN(1))};
  if (in[1] < 0) return whet__export_refuse(&o->x, n, "a computed axis");
  int32_t count, axis = (int32_t)whet__export_ints(&o->x, IN(1), &count)[0];
  in[1] = whet__tx_const(o, "axis", WHET_S32, 0, NULL, &axis, NULL);
  if (whet__at_int(n, "exclusive")) whet__tx_int(o, 0, 1);
  if (whet__at_int(n, "reverse")) whet__tx_int(o, 1, 1);
  return whet__tx_simple(o, n, builtin, in, 2);
}

/* ---- quantisation ---------------------------------------------------------------------------- */

static whet_status linear(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t v = !strcmp(builtin, "QUANTIZE") ? n->out[0] : n->in[0], in = TENSOR(0);
  if (IN(1) >= 0 || !o->x.g->val[v].q) return whet__export_refuse(&o->x, n, "a scale that is computed");
  return whet__tx_simple(o, n, builtin, &in, 1);
}

/* Inputs of products whose weights alone are integers: the product's operator rounds them itself. */
static whet_status hybrid(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  (void)builtin;
  o->tensor[n->out[0]] = TENSOR(0);
  return WHET_OK;
}

/* ---- the table ------------------------------------------------------------------------------- */

typedef whet_status row_fn(whet_tfl_out *o, const whet_node *n, const char *builtin);
static const struct row {
  const char *op, *builtin;
  row_fn *fn; /* NULL: inputs as they are, no options */
} k_rows[] = {{"Abs", "ABS", NULL}, {"Add", "ADD", arithmetic}, {"And", "LOGICAL_AND", NULL}, {"ArgMax", "ARG_MAX", argmax},
              {"ArgMin", "ARG_MIN", argmax}, {"Atan2", "ATAN2", NULL}, {"AveragePool", "AVERAGE_POOL_2D", whet__tx_pool},
              {"BatchNormalization", NULL, batchnorm}, {"Cast", "CAST", whet__tx_cast}, {"Ceil", "CEIL", NULL}, {"Clip", NULL, clip},
              {"Concat", "CONCATENATION", whet__tx_concat}, {"Conv", NULL, whet__tx_conv},
              {"ConvTranspose", "TRANSPOSE_CONV", whet__tx_conv_transpose}, {"Cos", "COS", NULL}, {"CumSum", "CUMSUM", cumsum},
              {"Dense", "FULLY_CONNECTED", dense}, {"DepthToSpace", "DEPTH_TO_SPACE", whet__tx_blocks},
              {"DequantizeLinear", "DEQUANTIZE", linear}, {"Div", "DIV", arithmetic}, {"Elu", "ELU", elu}, {"Equal", "EQUAL", NULL},
              {"Exp", "EXP", NULL}, {"Expand", "BROADCAST_TO", whet__tx_with_list}, {"Fill", "FILL", whet__tx_fill},
              {"Flatten", "RESHAPE", whet__tx_reshape}, {"Floor", "FLOOR", NULL}, {"FloorDiv", "FLOOR_DIV", NULL},
              {"Gather", "GATHER", whet__tx_gather}, {"GatherND", "GATHER_ND", whet__tx_gather}, {"Gelu", "GELU", gelu},
              {"Gemm", "BATCH_MATMUL", gemm}, {"Greater", "GREATER", NULL}, {"GreaterOrEqual", "GREATER_EQUAL", NULL},
              {"HardSigmoid", NULL, hard_sigmoid}, {"HardSwish", "HARD_SWISH", NULL}, {"HybridRound", NULL, hybrid},
              {"Identity", "RESHAPE", whet__tx_reshape}, {"LayerNormalization", NULL, layernorm}, {"LeakyRelu", "LEAKY_RELU", leaky},
              {"Less", "LESS", NULL}, {"LessOrEqual", "LESS_EQUAL", NULL}, {"Log", "LOG", NULL}, {"LogSoftmax", "LOG_SOFTMAX", softmax},
              {"LpPool", "L2_POOL_2D", whet__tx_pool}, {"MatMul", "BATCH_MATMUL", matmul}, {"Max", "MAXIMUM", extreme},
              {"MaxPool", "MAX_POOL_2D", whet__tx_pool}, {"Min", "MINIMUM", extreme}, {"Mod", "FLOOR_MOD", mod},
              {"Mul", "MUL", arithmetic}, {"Neg", "NEG", NULL}, {"Not", "LOGICAL_NOT", NULL}, {"NotEqual", "NOT_EQUAL", NULL},
              {"Or", "LOGICAL_OR", NULL}, {"PRelu", "PRELU", NULL}, {"Pad", "PAD", whet__tx_pad}, {"Pow", "POW", NULL},
              {"QuantizeLinear", "QUANTIZE", linear}, {"RMSNormalization", NULL, layernorm}, {"Reciprocal", "DIV", reciprocal},
              {"ReduceAll", "REDUCE_ALL", reduce}, {"ReduceAny", "REDUCE_ANY", reduce}, {"ReduceMax", "REDUCE_MAX", reduce},
              {"ReduceMean", "MEAN", reduce}, {"ReduceMin", "REDUCE_MIN", reduce}, {"ReduceProd", "REDUCE_PROD", reduce},
              {"ReduceSum", "SUM", reduce}, {"Relu", "RELU", relu}, {"Reshape", "RESHAPE", whet__tx_reshape},
              {"Resize", NULL, whet__tx_resize}, {"Round", "ROUND", NULL}, {"Rsqrt", "RSQRT", NULL}, {"Shape", "SHAPE", whet__tx_shape},
              {"Sigmoid", "LOGISTIC", NULL}, {"Sign", "SIGN", NULL}, {"Sin", "SIN", NULL}, {"Slice", "STRIDED_SLICE", whet__tx_slice},
              {"Softmax", "SOFTMAX", softmax}, {"SpaceToDepth", "SPACE_TO_DEPTH", whet__tx_blocks}, {"Split", NULL, whet__tx_split},
              {"Sqrt", "SQRT", NULL}, {"Square", "SQUARE", NULL}, {"SquaredDifference", "SQUARED_DIFFERENCE", NULL},
              {"Squeeze", "RESHAPE", whet__tx_reshape}, {"StridedSlice", "STRIDED_SLICE", whet__tx_strided}, {"Sub", "SUB", arithmetic},
              {"Swish", NULL, swish}, {"Tanh", "TANH", NULL}, {"Tile", "TILE", whet__tx_with_list}, {"TopK", "TOPK_V2", whet__tx_topk},
              {"Transpose", "TRANSPOSE", whet__tx_transpose}, {"Unsqueeze", "RESHAPE", whet__tx_reshape},
              {"Where", "SELECT_V2", where}};

whet_status whet__tflite_node(whet_tfl_out *o, const whet_node *n) {
  o->n_field = 0;
  for (size_t i = 0; i < WHET_COUNT(k_rows); i++)
    if (!strcmp(k_rows[i].op, n->op->name)) return (k_rows[i].fn ? k_rows[i].fn : as_is)(o, n, k_rows[i].builtin);
  return whet__export_refuse(&o->x, n, "TFLite has no such operator, or whet cannot write it");
}
