/* SPDX-License-Identifier: Apache-2.0 */
/* Attention(q, k, v, mask, lens, past): for each head, s = scale q k' (capped: cap tanh(s / cap)) + mask,
 * y = softmax(s) v. Heads of q in groups share a head of k and v.
 *
 * Rows see the keys of a window about their position: row i of q stands at i, after the keys that `past` holds (only its
 * dimension 2 counts), or where lens[b] of the keys are there, so that the last row stands at the last of them. A mask of
 * bools hides keys, one of floats is added and hides where it is -Inf; it covers the first keys, the others are hidden. A row
 * that sees no key is 0 (with `nan`: NaN). Output 1: the scores at some stage.
 *
 * ONNX Attention 23-25: inputs of rank 3 are reshaped, past and new keys concatenated by nodes of their own;
 * ai.onnx.preview FlexAttention: its graphs are read in place; those of com.microsoft are formulas (expand.def). f32 by kernels
 * (attn_f32.h) unless output 1 is wanted; other floats by the reference, computed in double and rounded once. */

#include "op/attention.h"

#include <math.h>

#include "kern/attn_f32.h"
#include "op/cast.h"
#include "op/dense.h"
#include "op/matrix.h"
#include "op/move.h"
#include "op/move_attr.h"
#include "op/softmax.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"left", WHET_ATTR_I64, offsetof(whet_attention, left)},
                                         {"right", WHET_ATTR_I64, offsetof(whet_attention, right)},
                                         {"scale", WHET_ATTR_F32, offsetof(whet_attention, scale)},
                                         {"softcap", WHET_ATTR_F32, offsetof(whet_attention, cap)},
                                         {"scaled", WHET_ATTR_BOOL, offsetof(whet_attention, scaled)},
                                         {"inside", WHET_ATTR_U8, offsetof(whet_attention, inside)},
                                         {"qk", WHET_ATTR_U8, offsetof(whet_attention, qk)},
                                         {"nan", WHET_ATTR_BOOL, offsetof(whet_attention, nan)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* Append `name` on n values that makes `out`, or (-1) a new value. That value; -1 when it failed. */
static int32_t put(whet_import *im, const char *name, const void *attr, const int32_t *in, int n, int32_t out) {
  if (out < 0) out = whet__im_new(im, name);
  return whet__im_node(im, whet__op_find(name), attr, in, n, &out, 1) ? -1 : out;
}

static int32_t put_reshape(whet_import *im, int32_t v, const int64_t *dims, int32_t n, int32_t out) {
  static const whet_reshape k_attr = {0};
  int32_t in[2] = {v, whet__im_ints(im, dims, n)};
  return put(im, "Reshape", &k_attr, in, 2, out);
}

/* [batch, row, heads * width] as [batch, row, head, width]; with `first`, as [batch, head, row, width]. */
static int32_t put_heads(whet_import *im, int32_t v, int64_t heads, bool first) {
  static const int64_t k_perm[] = {0, 2, 1, 3};
  static const whet_transpose k_turn = {{k_perm, 4}};
  const int64_t dims[] = {0, 0, heads, -1};
  v = put_reshape(im, v, dims, 4, -1);
  return first && v >= 0 ? put(im, "Transpose", &k_turn, &v, 1, -1) : v;
}

/* Keys or values of a call: as [batch, head, row, width] behind the past ones, which is output o too. *inside: they are left
 * with heads inside rows instead, since nobody wants more. */
static int32_t put_cached(whet_import *im, int i, int past, int o, int64_t heads, bool flat, bool *inside) {
  static const whet_concat k_rows = {2};
  int32_t v = whet__im_in(im, i), before = whet__im_in(im, past), present = whet__im_out(im, o);
  *inside = flat && before < 0 && present < 0;
  if (flat) v = put_heads(im, v, heads, !*inside);
  if (before >= 0) {
    int32_t both[2] = {before, v};
    return put(im, "Concat", &k_rows, both, 2, present);
  }
  return present >= 0 && v >= 0 ? put(im, "Identity", NULL, &v, 1, present) : v;
}

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_attention, a);
  int64_t heads = whet__onnx_int(im, "q_num_heads", 0), kv_heads = whet__onnx_int(im, "kv_num_heads", 0);
  int64_t qk = whet__onnx_int(im, "qk_matmul_output_mode", 0);
  int32_t q = whet__im_in(im, 0), y = whet__im_out(im, 0), rank = q < 0 ? -1 : whet__im_val(im, q)->shape.rank;
  bool flat = rank < 0 ? heads > 0 : rank == 3, k_inside, v_inside;
  a->scale = whet__onnx_float(im, "scale", 0);
  a->scaled = a->scale != 0; /* com.microsoft writes 0 for the default */
  a->cap = whet__onnx_float(im, "softcap", 0);
  a->left = whet__onnx_int(im, "left_window_size", -1);
  a->right = whet__onnx_int(im, "right_window_size", -1);
  if (whet__onnx_int(im, "is_causal", 0)) a->right = 0;
  int64_t window = whet__onnx_int(im, "whet_window", 0); /* our own formulas: keys up to a row's own that it sees */
  if (window > 0) a->left = window - 1;
  if (qk < 0 || qk > 3) return whet__im_fail(im, WHET_E_DATA, "qk_matmul_output_mode is %lld", (long long)qk);
  if (flat && (heads < 1 || kv_heads < 1))
    return whet__im_fail(im, WHET_E_DATA, "q_num_heads and kv_num_heads are %lld and %lld", (long long)heads,
                         (long long)kv_heads);
  a->qk = (uint8_t)qk;
  int32_t in[6] = {flat ? put_heads(im, q, heads, false) : q,
                   put_cached(im, 1, 4, 1, kv_heads, flat, &k_inside),
                   put_cached(im, 2, 5, 2, kv_heads, flat, &v_inside),
                   whet__im_in(im, 3),
                   whet__im_in(im, 6),
                   whet__im_in(im, 4)};
  a->inside = (uint8_t)((flat ? WHET_ATTN_Q | WHET_ATTN_Y : 0) | (k_inside ? WHET_ATTN_K : 0) | (v_inside ? WHET_ATTN_V : 0));
  int32_t out[2] = {flat ? whet__im_new(im, "heads") : y, whet__im_out(im, 3)};
  WHET_TRY(whet__im_node(im, op, a, in, 6, out, 2));
  static const int64_t k_flat[] = {0, 0, -1};
  return !flat || put_reshape(im, out[0], k_flat, 3, y) >= 0 ? WHET_OK : WHET_E_MEMORY;
}

/* FlexAttention with graphs that change scores or probabilities: products and softmax in the type `t`. Heads that share keys
 * are rows of one matrix while they are multiplied. */
static whet_status written_out(whet_import *im, const whet_attention *a, whet_dtype t) {
  static const whet_softmax_attr k_soft = {.axis = -1, .beta = 1};
  static const whet_matmul k_qk = {.alpha = 1, .trans_b = 1}, k_pv = {.alpha = 1};
  static const whet_concat k_list = {0};
  static const int64_t k_at[] = {0, 1, 2, 3}, k_rest = -1, k_one = 1;
  int32_t x[3], dim[3][4], at[4], rest = whet__im_ints(im, &k_rest, 1);
  for (int k = 0; k < 4; k++) at[k] = whet__im_const(im, WHET_S64, 1, &k_one, &k_at[k]);
  for (int i = 0; i < 3; i++) {
    int32_t shape = whet__im_new(im, "shape");
    x[i] = whet__im_new(im, "wide");
    WHET_TRY(whet__im_cast(im, whet__im_in(im, i), x[i], t));
    WHET_TRY(whet__im_shape_of(im, x[i], shape));
    for (int k = 0; k < 4; k++) {
      static const whet_gather k_dim = {0};
      int32_t pick[2] = {shape, at[k]};
      if ((dim[i][k] = put(im, "Gather", &k_dim, pick, 2, -1)) < 0) return WHET_E_MEMORY;
    }
  }
  const int32_t by_keys[4] = {dim[0][0], dim[1][1], rest, dim[0][3]}, by_heads[4] = {dim[0][0], dim[0][1], dim[0][2], rest},
                probs[4] = {dim[0][0], dim[1][1], rest, dim[1][2]}, result[4] = {dim[0][0], dim[0][1], dim[0][2], dim[2][3]};
  const int32_t *const list[4] = {by_keys, by_heads, probs, result};
  int32_t shape[4];
  for (int k = 0; k < 4; k++)
    if ((shape[k] = put(im, "Concat", &k_list, list[k], 4, -1)) < 0) return WHET_E_MEMORY;
  static const whet_reshape k_reshape = {0};
#define RESHAPE(v, k) put(im, "Reshape", &k_reshape, (const int32_t[]){v, shape[k]}, 2, -1)
  float scale = a->scale;
  int32_t factor = -1, y = RESHAPE(x[0], 0);
  if (a->scaled) {
    factor = whet__im_new(im, "scale");
    WHET_TRY(whet__im_cast(im, whet__im_const(im, WHET_F32, 0, NULL, &scale), factor, t));
  } else {
    int32_t width = whet__im_new(im, "width");
    WHET_TRY(whet__im_cast(im, dim[0][3], width, t));
    factor = put(im, "Rsqrt", NULL, &width, 1, -1);
  }
  y = put(im, "MatMul", &k_qk, (const int32_t[]){y, x[1]}, 2, -1);
  y = RESHAPE(put(im, "Mul", NULL, (const int32_t[]){y, factor}, 2, -1), 1);
  if (y < 0 || (y = whet__onnx_inline(im, "score_mod", y)) < 0) return WHET_E_FORMAT;
  y = put(im, "Softmax", &k_soft, &y, 1, -1);
  if (y < 0 || (y = whet__onnx_inline(im, "prob_mod", y)) < 0) return WHET_E_FORMAT;
  y = put(im, "MatMul", &k_pv, (const int32_t[]){RESHAPE(y, 2), x[2]}, 2, -1);
  y = RESHAPE(y, 3);
#undef RESHAPE
  const whet_val *q = whet__im_val(im, whet__im_in(im, 0));
  return y < 0 ? WHET_E_MEMORY : whet__im_cast(im, y, whet__im_out(im, 0), (whet_dtype)q->dtype);
}

static whet_status from_flex(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_attention, a);
  int32_t in[6] = {whet__im_in(im, 0), whet__im_in(im, 1), whet__im_in(im, 2), -1, -1, -1}, y = whet__im_out(im, 0);
  const whet_val *q = whet__im_val(im, in[0]);
  a->left = a->right = -1;
  a->scaled = whet__onnx_has(im, "scale");
  a->scale = whet__onnx_float(im, "scale", 0);
  if (in[0] < 0 || in[1] < 0 || in[2] < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected queries, keys and values");
  int64_t t = whet__onnx_int(im, "softmax_precision", q->dtype == WHET_F64 ? WHET_F64 : WHET_F32);
  if (t != WHET_F32 && t != WHET_F64 && t != WHET_F16 && t != WHET_BF16)
    return whet__im_fail(im, WHET_E_DATA, "softmax_precision is %lld", (long long)t);
  if (whet__onnx_has(im, "score_mod") || whet__onnx_has(im, "prob_mod")) return written_out(im, a, (whet_dtype)t);
  return whet__im_node(im, op, a, in, 6, &y, 1);
}

static const whet_from k_from[] = {
    {"", "Attention", 23, from_onnx}, {"ai.onnx.preview", "FlexAttention", 1, from_flex}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

/* Dimensions of an operand: batch, heads, rows, width. */
static void dims_of(const whet_dim *d, bool inside, whet_dim out[4]) {
  out[0] = d[0], out[1] = d[inside ? 2 : 1], out[2] = d[inside ? 1 : 2], out[3] = d[3];
}

/* Fails unless two dimensions may be the same number. */
static whet_status same(whet_infer *f, const char *what, whet_dim a, whet_dim b) {
  if (!whet__dim_known(a) || !whet__dim_known(b) || a == b) return WHET_OK;
  return whet__infer_fail(f, WHET_E_SHAPE, "%s: %lld and %lld", what, (long long)a, (long long)b);
}

static whet_status infer_types(whet_infer *f) {
  whet_dtype t = whet__in_dtype(f, 0);
  for (int i = 0; i < 3; i++) {
    if (!whet__in_has(f, i)) return whet__infer_fail(f, WHET_E_FORMAT, "input %d is missing", i);
    if (!whet__type_in(WHET_T_FLOAT, whet__in_dtype(f, i)))
      return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(whet__in_dtype(f, i)));
  }
  if (whet__in_dtype(f, 1) != t)
    return whet__infer_fail(f, WHET_E_TYPE, "queries are %s, keys %s", whet_dtype_name(t),
                            whet_dtype_name(whet__in_dtype(f, 1)));
  if (whet__in_has(f, 3) && !whet__type_in(WHET_T_NUM | WHET_T_BOOL, whet__in_dtype(f, 3)))
    return whet__infer_fail(f, WHET_E_TYPE, "a mask of type %s is not taken", whet_dtype_name(whet__in_dtype(f, 3)));
  if (whet__in_has(f, 4) && whet__in_dtype(f, 4) != WHET_S64 && whet__in_dtype(f, 4) != WHET_S32)
    return whet__infer_fail(f, WHET_E_TYPE, "lengths of type %s are not taken",
                            whet_dtype_name(whet__in_dtype(f, 4)));
  return WHET_OK;
}

/* The mask has dimensions that broadcast to [batch, heads, rows, keys], the last one as long or shorter. */
static whet_status infer_mask(whet_infer *f, const whet_dim q[4], whet_dim keys) {
  const whet_shape *m = whet__in_shape(f, 3);
  if (!whet__in_has(f, 3) || m->rank < 0) return WHET_OK;
  if (m->rank < 1 || m->rank > 4) return whet__infer_fail(f, WHET_E_SHAPE, "a mask of rank %d, expected 1 to 4", m->rank);
  for (int32_t i = 0; i + 1 < m->rank; i++)
    if (m->d[i] != 1) WHET_TRY(same(f, "dimension of mask and scores", m->d[i], q[4 - m->rank + i]));
  whet_dim last = m->d[m->rank - 1];
  if (whet__dim_known(last) && whet__dim_known(keys) && last > keys)
    return whet__infer_fail(f, WHET_E_SHAPE, "a mask for %lld keys, there are %lld", (long long)last, (long long)keys);
  return WHET_OK;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_attention *a = n->attr;
  whet_dim d[3][4], count;
  WHET_TRY(infer_types(f));
  whet_shape *y = whet__out(f, 0, whet__in_dtype(f, 0)), *qk = NULL;
  y->rank = -1;
  if (whet__out_has(f, 1)) (qk = whet__out(f, 1, whet__in_dtype(f, 0)))->rank = -1;
  if (a->left < -1 || a->right < -1)
    return whet__infer_fail(f, WHET_E_DATA, "a window of %lld and %lld", (long long)a->left, (long long)a->right);
  for (int i = 0; i < 3; i++) {
    WHET_TRY(whet__infer_rank(f, i, 4, 4));
    dims_of(whet__in_shape(f, i)->d, (a->inside >> i & 1) != 0, d[i]);
    WHET_TRY(same(f, "batches", d[0][0], d[i][0]));
  }
  WHET_TRY(same(f, "width of queries and keys", d[0][3], d[1][3]));
  WHET_TRY(same(f, "heads of keys and values", d[1][1], d[2][1]));
  WHET_TRY(same(f, "number of keys and values", d[1][2], d[2][2]));
  if (whet__dim_known(d[0][1]) && whet__dim_known(d[1][1]) && (d[1][1] < 1 || d[0][1] % d[1][1]))
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld heads do not share %lld", (long long)d[0][1], (long long)d[1][1]);
  WHET_TRY(infer_mask(f, d[0], d[1][2]));
  if (whet__in_has(f, 4)) {
    WHET_TRY(whet__infer_rank(f, 4, 1, 1));
    WHET_TRY(same(f, "lengths and batches", whet__in_shape(f, 4)->d[0], d[0][0]));
  }
  if (whet__in_has(f, 5)) WHET_TRY(whet__infer_rank(f, 5, 4, 4));
  bool inside = (a->inside & WHET_ATTN_Y) != 0;
  *y = (whet_shape){.rank = 4, .d = {d[0][0], inside ? d[0][2] : d[0][1], inside ? d[0][1] : d[0][2], d[2][3]}};
  if (qk) {
    *qk = (whet_shape){.rank = 4, .d = {d[0][0], d[0][1], d[0][2], d[1][2]}};
    WHET_TRY(whet__infer_count(f, qk, &count));
  }
  return whet__infer_count(f, y, &count);
}

/* ---- parameters ------------------------------------------------------------------------------ */

/* Sizes and steps of a call from its shapes and strides; index 3: the output. Mask: rank -1 when absent. */
static whet_attn_f32 params(const whet_attention *a, const int64_t *const dim[4], const int64_t *const stride[4],
                            int32_t mask_rank, const int64_t *mask_dim, const int64_t *mask_stride, int64_t past) {
  whet_attn_f32 p = {.offset = past, .advance = 1, .cap = a->cap, .scale = a->scale, .nan = a->nan};
  int64_t *const step[4] = {p.q, p.k, p.v, p.y};
  whet_dim d[4][4];
  for (int i = 0; i < 4; i++) {
    bool inside = (a->inside >> i & 1) != 0;
    dims_of(dim[i], inside, d[i]);
    step[i][0] = stride[i][0], step[i][1] = stride[i][inside ? 2 : 1], step[i][2] = stride[i][inside ? 1 : 2];
  }
  p.batch = d[0][0], p.heads = d[0][1], p.m = d[0][2], p.d = d[0][3];
  p.kv_heads = d[1][1], p.n = d[1][2], p.dv = d[2][3];
  for (int i = 0; i < 3; i++) {
    int32_t at = mask_rank - 4 + i;
    p.mask[i] = mask_rank < 0 || at < 0 || mask_dim[at] == 1 ? 0 : mask_stride[at];
  }
  p.mask_n = mask_rank > 0 ? mask_dim[mask_rank - 1] : 0;
  p.left = a->left < 0 ? INT64_MAX : a->left;
  p.right = a->right < 0 ? INT64_MAX : a->right;
  if (!a->scaled) p.scale = 1 / sqrtf((float)whet__max_i(p.d, 1));
  return p;
}

/* ---- reference ------------------------------------------------------------------------------- */

static double get(const whet_tensor *t, int64_t i) { return whet__get_f64(t->dtype, t->data, i); }

/* Scores of one row of q as output 1 wants them, and as the softmax takes them: -Inf where hidden. */
struct row {
  const whet_args *arg;
  const whet_attn_f32 *p;
  int64_t b, h, i;
};

/* What is added to the score of key j; -Inf: it is hidden. */
static double bias(const struct row *r, int64_t j) {
  const whet_attn_f32 *p = r->p;
  const whet_tensor *mask = &r->arg->in[3], *lens = &r->arg->in[4];
  int64_t at = p->offset + r->i;
  if (lens->data) {
    int64_t len = whet__get_i64(lens->dtype, lens->data, r->b * lens->stride[0]);
    at = whet__max_i(len, 0) - p->m + r->i;
    if (j >= len) return -INFINITY;
  }
  if ((p->right != INT64_MAX && j > at + p->right) || (p->left != INT64_MAX && j < at - p->left)) return -INFINITY;
  if (!mask->data) return 0;
  if (j >= p->mask_n) return -INFINITY;
  int64_t x = r->b * p->mask[0] + r->h * p->mask[1] + r->i * p->mask[2] + j * mask->stride[mask->rank - 1];
  if (mask->dtype == WHET_BOOL) return whet__get_i64(WHET_BOOL, mask->data, x) ? 0 : -INFINITY;
  return get(mask, x);
}

/* e: room for one number a key; it becomes the softmax, all 0 when nothing is seen. */
static void softmax(const struct row *r, int mode, double *e) {
  const whet_attn_f32 *p = r->p;
  const whet_tensor *q = &r->arg->in[0], *k = &r->arg->in[1], *qk = r->arg->n_out > 1 ? &r->arg->out[1] : NULL;
  int64_t qi = r->b * p->q[0] + r->h * p->q[1] + r->i * p->q[2], qs = q->stride[3], ks = k->stride[3];
  int64_t ki = r->b * p->k[0] + r->h / (p->heads / p->kv_heads) * p->k[1];
  double most = -INFINITY, sum = 0;
  bool nan = false;
  for (int64_t j = 0; j < p->n; j++) {
    double s = 0, add = bias(r, j), stage;
    for (int64_t x = 0; x < p->d; x++) s += get(q, qi + x * qs) * get(k, ki + j * p->k[2] + x * ks);
    stage = s *= (double)p->scale;
    if (p->cap > 0) s = (double)p->cap * tanh(s / (double)p->cap);
    if (mode > 0) stage = s;
    if (mode == 2) stage = s + add;
    if (qk && qk->data && mode < 3)
      whet__set_f64(qk->dtype, qk->data,
                    r->b * qk->stride[0] + r->h * qk->stride[1] + r->i * qk->stride[2] + j * qk->stride[3], stage);
    e[j] = isinf(add) && add < 0 ? -INFINITY : s + add;
    if (e[j] > most) most = e[j];
    nan |= isnan(e[j]);
  }
  nan |= isinf(most) && most < 0 && p->nan;
  for (int64_t j = 0; j < p->n; j++) sum += e[j] = nan ? NAN : isinf(most) && most < 0 ? 0 : exp(e[j] - most);
  for (int64_t j = 0; j < p->n; j++) {
    if (sum != 0) e[j] /= sum;
    if (qk && qk->data && mode == 3)
      whet__set_f64(qk->dtype, qk->data,
                    r->b * qk->stride[0] + r->h * qk->stride[1] + r->i * qk->stride[2] + j * qk->stride[3], e[j]);
  }
}

static whet_attn_f32 ref_params(const whet_args *arg) {
  const whet_tensor *in = arg->in, *y = &arg->out[0];
  const int64_t *const dim[4] = {in[0].dim, in[1].dim, in[2].dim, y->dim};
  const int64_t *const stride[4] = {in[0].stride, in[1].stride, in[2].stride, y->stride};
  bool mask = arg->n_in > 3 && in[3].rank >= 0 && arg->node->in[3] >= 0, past = arg->n_in > 5 && arg->node->in[5] >= 0;
  return params(arg->attr, dim, stride, mask ? in[3].rank : -1, in[3].dim, in[3].stride, past ? in[5].dim[2] : 0);
}

static size_t ref_scratch(const whet_args *arg) {
  whet_attn_f32 p = ref_params(arg);
  return (size_t)p.n * sizeof(double);
}

static whet_status ref(const whet_args *arg) {
  whet_attn_f32 p = ref_params(arg);
  const whet_tensor *v = &arg->in[2], *y = &arg->out[0];
  double *e = arg->scratch;
  int64_t vs = v->stride[3], ys = y->stride[3];
  for (int64_t at = 0; at < p.batch * p.heads * p.m; at++) {
    struct row r = {arg, &p, at / p.m / p.heads, at / p.m % p.heads, at % p.m};
    int64_t vi = r.b * p.v[0] + r.h / (p.heads / p.kv_heads) * p.v[1];
    int64_t yi = r.b * p.y[0] + r.h * p.y[1] + r.i * p.y[2];
    softmax(&r, ((const whet_attention *)arg->attr)->qk, e);
    for (int64_t x = 0; x < p.dv; x++) {
      double sum = 0;
      for (int64_t j = 0; j < p.n; j++)
        if (e[j] != 0) sum += e[j] * get(v, vi + j * p.v[2] + x * vs);
      whet__set_f64(y->dtype, y->data, yi + x * ys, sum);
    }
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_attention *a = n->attr;
  int32_t mask = n->in[3], lens = n->in[4], past = n->in[5], operand[4] = {n->in[0], n->in[1], n->in[2], n->out[0]};
  int64_t strides[4][WHET_MAX_RANK], mask_stride[WHET_MAX_RANK];
  const int64_t *dim[4], *stride[4];
  for (int i = 0; i < 4; i++) {
    if (whet__pl_dtype(p, operand[i]) != WHET_F32) return WHET_LATE;
    dim[i] = whet__pl_shape(p, operand[i])->d;
    whet__pl_strides(p, operand[i], strides[i]);
    stride[i] = strides[i];
    if (strides[i][3] != 1 && dim[i][3] > 1) return WHET_LATE;
  }
  whet_dtype mt = whet__pl_dtype(p, mask);
  const whet_shape *ms = whet__pl_shape(p, mask);
  if (mask >= 0) whet__pl_strides(p, mask, mask_stride);
  if ((n->n_out > 1 && n->out[1] >= 0) || (mask >= 0 && mt != WHET_F32 && mt != WHET_BOOL)) return WHET_LATE;
  if ((mask >= 0 && mask_stride[ms->rank - 1] != 1) || (lens >= 0 && !whet__pl_dense(p, lens))) return WHET_LATE;
  whet_attn_f32 k =
      params(a, dim, stride, ms->rank, ms->d, mask_stride, past < 0 ? 0 : whet__pl_shape(p, past)->d[2]);
  if (mask >= 0) k.mask_kind = mt == WHET_F32 ? WHET_ATTN_ADD : WHET_ATTN_BOOL;
  if (lens >= 0) k.lens = whet__pl_dtype(p, lens) == WHET_S64 ? 8 : 4, k.lens_offset = 1, k.offset = k.m;
  if (!(k.scale > 0) || k.cap < 0 || !k.batch || !k.heads || !k.m || !k.n || !k.d || !k.dv) return WHET_LATE;
  if (k.m == 1 && k.heads > k.kv_heads) { /* heads that share keys are rows of one */
    k.m = k.heads / k.kv_heads;
    k.heads = k.kv_heads;
    k.q[2] = k.q[1], k.q[1] *= k.m;
    k.y[2] = k.y[1], k.y[1] *= k.m;
    k.mask[2] = k.mask[1], k.mask[1] *= k.m;
    k.advance = 0;
  }
  whet_arg arg[7] = {whet__rd(operand[0]), whet__rd(operand[1]), whet__rd(operand[2]), whet__wr(operand[3]),
                     whet__rd(mask),       whet__rd(lens),       whet__scratch()};
  double macs = (double)(k.batch * k.heads * k.m) * (double)k.n * (double)(k.d + k.dv);
  const whet_kern *row = whet__pl_pick(p, WHET_FAMILY_attn_f32, &k, sizeof k);
  if (!row) return WHET_E_INTERNAL;
  return whet__pl_step(p, &(whet_step_req){WHET_FAMILY_attn_f32, row, &k, sizeof k, arg, 7, whet__attn_units(&k),
                                           whet__pl_macs_ns(p, macs) * 1.4, k.batch * k.kv_heads});
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_Attention = {
    .name = "Attention",
    .flags = WHET_OP_PITCH_IN | WHET_OP_PITCH_OUT,
    .attr_size = sizeof(whet_attention),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .plan = plan,
    .ref = ref,
    .scratch = ref_scratch,
};
