/* SPDX-License-Identifier: Apache-2.0 */
/* LinearAttention(q, k, v, state, decay, beta): attention by a state of d x dv numbers for each head of keys, step by step:
 *
 *   S = e^decay S;  w = beta (v - S' k) or v;  S = S + k w';  y = scale S' q
 *
 * q [batch, step, heads * d], k and v [batch, step, kv_heads * d or dv]; heads of q in groups share a state. decay has one
 * number for each head, or for each row of S; beta one for each head, or one. Output 1: the state after the last step.
 *
 * ONNX LinearAttention 27, com.microsoft LinearAttention. Floats; each operation rounded to f32 (f64: to double), states in between too. */

#include <math.h>

#include "op/move.h"
#include "op/walk.h"

struct linear {
  int64_t heads, kv_heads;
  float scale;           /* 0: 1 / sqrt(d) */
  uint8_t gated, delta;  /* there is decay, beta */
};
static const whet_attr_desc k_attrs[] = {{"q_num_heads", WHET_ATTR_I64, offsetof(struct linear, heads)},
                                         {"kv_num_heads", WHET_ATTR_I64, offsetof(struct linear, kv_heads)},
                                         {"scale", WHET_ATTR_F32, offsetof(struct linear, scale)},
                                         {"gated", WHET_ATTR_BOOL, offsetof(struct linear, gated)},
                                         {"delta", WHET_ATTR_BOOL, offsetof(struct linear, delta)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  static const char *const rules[] = {"linear", "gated", "delta", "gated_delta"};
  WHET_NEW_ATTR(im, struct linear, a);
  whet_str rule = whet__onnx_str(im, "update_rule", "gated_delta");
  unsigned r = 0;
  while (r < 4 && (rule.n != strlen(rules[r]) || memcmp(rule.p, rules[r], rule.n))) r++;
  if (r == 4) return whet__im_fail(im, WHET_E_DATA, "update_rule \"%.*s\"", (int)whet__min_i((int64_t)rule.n, 40), rule.p);
  a->gated = r & 1;
  a->delta = r >> 1;
  a->heads = whet__onnx_int(im, "q_num_heads", 0);
  a->kv_heads = whet__onnx_int(im, "kv_num_heads", 0);
  a->scale = whet__onnx_float(im, "scale", 0);
  if (a->kv_heads < 1 || a->heads < 1 || a->heads % a->kv_heads)
    return whet__im_fail(im, WHET_E_DATA, "q_num_heads and kv_num_heads are %lld and %lld", (long long)a->heads,
                         (long long)a->kv_heads);
  if ((whet__im_in(im, 4) >= 0) != a->gated || (whet__im_in(im, 5) >= 0) != a->delta)
    return whet__im_fail(im, WHET_E_FORMAT, "decay and beta do not fit update_rule \"%s\"", rules[r]);
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"", "LinearAttention", 27, from_onnx}, {"com.microsoft", "LinearAttention", 1, from_onnx}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

/* Dimension d is (not known, or) one of two numbers. */
static whet_status one_of(whet_infer *f, const char *what, whet_dim d, whet_dim a, whet_dim b) {
  if (!whet__dim_known(d) || !whet__dim_known(a) || !whet__dim_known(b) || d == a || d == b) return WHET_OK;
  return whet__infer_fail(f, WHET_E_SHAPE, "%s is %lld, expected %lld or %lld", what, (long long)d, (long long)a,
                          (long long)b);
}

/* Columns of each of `heads` heads. */
static whet_status width(whet_infer *f, const char *what, whet_dim all, int64_t heads, whet_dim *out) {
  *out = whet__dim_known(all) ? all / heads : WHET_DIM_ANY;
  if (!whet__dim_known(all) || all % heads == 0) return WHET_OK;
  return whet__infer_fail(f, WHET_E_SHAPE, "%s of %lld columns, %lld heads", what, (long long)all, (long long)heads);
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct linear *a = n->attr;
  const whet_shape *in[6];
  whet_dtype t = whet__in_dtype(f, 0);
  whet_dim d, dk, dv, count;
  for (int i = 0; i < 6; i++) {
    in[i] = whet__in_shape(f, i);
    if (i < 3 && !whet__in_has(f, i)) return whet__infer_fail(f, WHET_E_FORMAT, "input %d is missing", i);
    if (!whet__in_has(f, i)) continue;
    if (!whet__type_in(WHET_T_FLOAT, whet__in_dtype(f, i)))
      return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(whet__in_dtype(f, i)));
    WHET_TRY(whet__infer_rank(f, i, i == 3 ? 4 : 3, i == 3 ? 4 : 3));
    WHET_TRY(one_of(f, "a batch", in[i]->d[0], in[0]->d[0], in[0]->d[0]));
    if (i != 3) WHET_TRY(one_of(f, "a number of steps", in[i]->d[1], in[0]->d[1], in[0]->d[1]));
  }
  WHET_TRY(width(f, "q", in[0]->d[2], a->heads, &d));
  WHET_TRY(width(f, "k", in[1]->d[2], a->kv_heads, &dk));
  WHET_TRY(width(f, "v", in[2]->d[2], a->kv_heads, &dv));
  WHET_TRY(one_of(f, "the width of k", dk, d, d));
  const whet_dim state[4] = {in[0]->d[0], a->kv_heads, d, dv};
  for (int k = 0; k < 4 && whet__in_has(f, 3); k++)
    WHET_TRY(one_of(f, "a dimension of the state", in[3]->d[k], state[k], state[k]));
  if (whet__in_has(f, 4))
    WHET_TRY(one_of(f, "the width of decay", in[4]->d[2], a->kv_heads, whet__dim_mul(d, a->kv_heads)));
  if (whet__in_has(f, 5)) WHET_TRY(one_of(f, "the width of beta", in[5]->d[2], a->kv_heads, 1));
  whet_shape *y = whet__out(f, 0, t);
  *y = (whet_shape){.rank = 3, .d = {in[0]->d[0], in[0]->d[1], whet__dim_mul(dv, a->heads)}};
  WHET_TRY(whet__infer_count(f, y, &count));
  if (!whet__out_has(f, 1)) return WHET_OK;
  y = whet__out(f, 1, whet__in_has(f, 3) ? whet__in_dtype(f, 3) : t);
  *y = whet__shape(4, state);
  return whet__infer_count(f, y, &count);
}

/* ---- reference ------------------------------------------------------------------------------- */

static double get(const whet_tensor *t, int64_t b, int64_t i, int64_t c) {
  return whet__get_f64(t->dtype, t->data, b * t->stride[0] + i * t->stride[1] + c * t->stride[2]);
}

/* Where output 1, or the state, has element (b, h, i, j). */
static int64_t at4(const whet_tensor *t, int64_t b, int64_t h, int64_t i, int64_t j) {
  return b * t->stride[0] + h * t->stride[1] + i * t->stride[2] + j * t->stride[3];
}

/* A number as it is held between operations. */
static double held(bool wide, double v) { return wide ? v : (double)(float)v; }

static size_t scratch(const whet_args *arg) {
  const struct linear *a = arg->attr;
  int64_t d = arg->in[0].dim[2] / a->heads, dv = arg->in[2].dim[2] / a->kv_heads;
  return (size_t)(d + 1) * (size_t)dv * sizeof(double);
}

/* One head of keys of one batch, all steps. s: state, d x dv; w: dv numbers. */
static void head(const whet_args *arg, int64_t b, int64_t h, int64_t d, int64_t dv, double *s, double *w) {
  const struct linear *a = arg->attr;
  const whet_tensor *in = arg->in, *y = &arg->out[0];
  int64_t group = a->heads / a->kv_heads;
  bool wide = in[0].dtype == WHET_F64;
  double scale = a->scale != 0 ? (double)a->scale : held(wide, 1 / sqrt((double)d));
  for (int64_t i = 0; i < in[0].dim[1]; i++) {
    for (int64_t r = 0; a->gated && r < d; r++) {
      bool each = in[4].dim[2] != a->kv_heads || d == 1;
      double f = held(wide, exp(get(&in[4], b, i, each ? h * d + r : h)));
      for (int64_t c = 0; c < dv; c++) s[r * dv + c] = held(wide, s[r * dv + c] * f);
    }
    for (int64_t c = 0; c < dv; c++) {
      w[c] = get(&in[2], b, i, h * dv + c);
      double sum = 0;
      for (int64_t r = 0; a->delta && r < d; r++) sum += s[r * dv + c] * get(&in[1], b, i, h * d + r);
      if (a->delta) w[c] = held(wide, get(&in[5], b, i, in[5].dim[2] > 1 ? h : 0) * held(wide, w[c] - held(wide, sum)));
    }
    for (int64_t r = 0; r < d; r++)
      for (int64_t c = 0; c < dv; c++)
        s[r * dv + c] = held(wide, s[r * dv + c] + held(wide, get(&in[1], b, i, h * d + r) * w[c]));
    for (int64_t q = h * group; q < (h + 1) * group; q++)
      for (int64_t c = 0; c < dv; c++) {
        double sum = 0;
        for (int64_t r = 0; r < d; r++) sum += s[r * dv + c] * get(&in[0], b, i, q * d + r);
        whet__set_f64(y->dtype, y->data, b * y->stride[0] + i * y->stride[1] + (q * dv + c) * y->stride[2],
                      held(wide, scale * held(wide, sum)));
      }
  }
}

static whet_status ref(const whet_args *arg) {
  const struct linear *a = arg->attr;
  const whet_tensor *first = arg->n_in > 3 ? &arg->in[3] : NULL, *last = arg->n_out > 1 ? &arg->out[1] : NULL;
  int64_t d = arg->in[0].dim[2] / a->heads, dv = arg->in[2].dim[2] / a->kv_heads;
  double *s = arg->scratch;
  for (int64_t b = 0; b < arg->in[0].dim[0]; b++)
    for (int64_t h = 0; h < a->kv_heads; h++) {
      for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < dv; j++)
          s[i * dv + j] = first && first->data ? whet__get_f64(first->dtype, first->data, at4(first, b, h, i, j)) : 0;
      head(arg, b, h, d, dv, s, s + d * dv);
      for (int64_t i = 0; last && last->data && i < d; i++)
        for (int64_t j = 0; j < dv; j++) whet__set_f64(last->dtype, last->data, at4(last, b, h, i, j), s[i * dv + j]);
    }
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_LinearAttention = {
    .name = "LinearAttention",
    .attr_size = sizeof(struct linear),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .ref = ref,
    .scratch = scratch,
};
