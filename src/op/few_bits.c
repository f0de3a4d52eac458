/* SPDX-License-Identifier: Apache-2.0 */
/* Constant weights of few bits in com.microsoft's packings, low bits first: as quantised constants with blocks, which
 * kernels read as they are, or as floats where those cannot say it.
 *
 * com.microsoft MatMulNBits, MatMulBnb4; the experts of QMoE. */

#include "base/dtype.h"
#include "op/cast.h"
#include "op/dense.h"
#include "op/few.h"
#include "op/move.h"
#include "op/move_attr.h"
#include "op/qlinear.h"
#include "op/quantize.h"

/* N rows of `blocks` blocks of `block` numbers of `bits` bits, low bits first. */
struct few {
  int64_t k, n, bits, block, blocks;
  int64_t together; /* rows whose zero points are packed without a gap: 1, or an expert's */
  const uint8_t *b;
  const float *scale;      /* a block's */
  const int64_t *zero;     /* packed like the weights, or NULL */
  const float *zero_float; /* a block's, or NULL */
  const int64_t *order;    /* block of each of K columns, or NULL: block by block */
};

/* Number `at` of a row of packed numbers. */
static int32_t unpacked(const struct few *w, const uint8_t *row, int64_t at) {
  int64_t bit = at * w->bits;
  return row[bit / 8] >> bit % 8 & ((1 << w->bits) - 1);
}
/* The zero point of a block of row i. */
static int32_t zero_of(const struct few *w, int64_t i, int64_t block) {
  int64_t bit = (i % w->together * w->blocks + block) * w->bits;
  int64_t from = i / w->together * whet__ceil_div(w->together * w->blocks * w->bits, 8);
  return w->zero ? (int32_t)(w->zero[from + bit / 8] >> bit % 8 & ((1 << w->bits) - 1)) : 1 << (w->bits - 1);
}

/* The rest of what there is to know of the weights: value b, scales, zero points and order (-1: none), whose sizes and bits
 * stand in *w already. */
static whet_status read_few(whet_import *im, int32_t b, int32_t scale, int32_t zero, int32_t order, struct few *w) {
  int32_t ns = 0, nz = 0, no = 0;
  const whet_val *bv = whet__im_val(im, b), *zv = zero < 0 ? NULL : whet__im_val(im, zero);
  if ((w->bits != 2 && w->bits != 4 && w->bits != 8) || w->k < 1 || w->n < 1 || w->k > INT32_MAX || w->n > INT32_MAX ||
      w->block < 2 || w->block > 1 << 20)
    return whet__im_fail(im, WHET_E_DATA, "K %lld, N %lld, %lld bits in blocks of %lld", (long long)w->k, (long long)w->n,
                         (long long)w->bits, (long long)w->block);
  w->blocks = whet__ceil_div(w->k, w->block);
  w->scale = whet__im_const_floats(im, scale, &ns);
  bool floats = zv && whet__is_float((whet_dtype)zv->dtype);
  if (zv && floats) w->zero_float = whet__im_const_floats(im, zero, &nz);
  if (zv && !floats) w->zero = whet__im_const_ints(im, zero, &nz);
  if (order >= 0) w->order = whet__im_const_ints(im, order, &no);
  int64_t row = w->blocks * w->block * w->bits / 8;
  int64_t zeros = w->n / w->together * whet__ceil_div(w->together * w->blocks * w->bits, 8);
  if (!bv || bv->role != WHET_ROLE_CONST || !w->scale || (zv && !w->zero && !w->zero_float) || (order >= 0 && !w->order))
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "weights, scales and zero points that are no constants");
  if (w->blocks * w->block * w->bits % 8 || bv->data->n < (size_t)(w->n * row) || ns != w->n * w->blocks)
    return whet__im_fail(im, WHET_E_SHAPE, "the weights have %zu bytes and %d scales, expected %lld and %lld",
                         bv->data->n, ns, (long long)(w->n * row), (long long)(w->n * w->blocks));
  if (zv && ((floats && nz != ns) || (!floats && (zv->dtype != WHET_U8 || nz != zeros))))
    return whet__im_fail(im, WHET_E_SHAPE, "%d zero points of type %s, expected %d, or %lld packed like the weights", nz,
                         whet_dtype_name((whet_dtype)zv->dtype), ns, (long long)zeros);
  if (order >= 0 && no < w->k)
    return whet__im_fail(im, WHET_E_SHAPE, "g_idx has %d numbers, expected %lld", no, (long long)w->k);
  for (int64_t i = 0; w->order && i < w->k; i++)
    if (w->order[i] < 0 || w->order[i] >= w->blocks)
      return whet__im_fail(im, WHET_E_DATA, "g_idx[%lld] is %lld, there are %lld blocks", (long long)i,
                           (long long)w->order[i], (long long)w->blocks);
  w->b = bv->data->p;
  return WHET_OK;
}

/* The weights as floats, [N, K]: for what quantised values cannot say. -1 when memory is refused. */
static int32_t float_weights(whet_import *im, const struct few *w) {
  float *f = whet__arena_array(whet__im_arena(im), (size_t)w->n * (size_t)w->k, sizeof *f);
  const int64_t dims[2] = {w->n, w->k}, row = w->blocks * w->block * w->bits / 8;
  for (int64_t i = 0; f && i < w->n; i++)
    for (int64_t k = 0; k < w->k; k++) {
      int64_t g = w->order ? w->order[k] : k / w->block, at = i * w->blocks + g;
      float zero = w->zero_float ? w->zero_float[at] : (float)zero_of(w, i, g);
      f[i * w->k + k] = w->scale[at] * ((float)unpacked(w, w->b + i * row, k) - zero);
    }
  return f ? whet__im_const(im, WHET_F32, 2, dims, f) : -1;
}

/* The same as DequantizeLinear of a quantised constant. */
static whet_status quantised_weights(whet_import *im, int32_t b, const struct few *w, int32_t *out) {
  whet_graph *g = whet__im_graph(im);
  int64_t blocks = w->n * w->blocks;
  int32_t *zeros = whet__arena_array(&g->arena, (size_t)blocks, sizeof *zeros);
  if (!zeros) return whet__im_fail(im, WHET_E_MEMORY, "no memory for zero points");
  for (int64_t i = 0; i < blocks; i++) zeros[i] = zero_of(w, i / w->blocks, i % w->blocks);
  int64_t dims[2] = {w->n, w->blocks * w->block};
  int32_t v = whet__im_new(im, "weights"), f = whet__im_new(im, "float");
  whet_quant *q = (whet_quant *)(uintptr_t)whet__graph_quant(g, (int32_t)blocks, 1, w->scale, zeros);
  if (!q || v < 0) return whet__im_fail(im, WHET_E_MEMORY, "no memory for weights");
  q->block = (int32_t)w->block;
  whet_val *wv = &g->val[v];
  wv->role = WHET_ROLE_CONST;
  wv->dtype = (uint8_t)(w->bits == 2 ? WHET_U2 : w->bits == 4 ? WHET_U4 : WHET_U8);
  wv->shape = whet__shape(2, dims);
  wv->data = g->val[b].data;
  wv->q = q;
  WHET_NEW_ATTR(im, whet_quantize_attr, linear);
  linear->axis = 1, linear->dtype = WHET_F32;
  WHET_TRY(whet__im_node(im, whet__op_find("DequantizeLinear"), linear, &v, 1, &f, 1));
  whet__im_round(im, WHET_ROUND_ONNX_REAL);
  *out = f;
  if (dims[1] == w->k) return WHET_OK;
  const int64_t zero1[1] = {0}, end[1] = {w->k}, axis[1] = {1};
  int32_t in[4] = {f, whet__im_ints(im, zero1, 1), whet__im_ints(im, end, 1), whet__im_ints(im, axis, 1)};
  WHET_NEW_ATTR(im, whet_slice, slice);
  *out = whet__im_new(im, "cut");
  return whet__im_node(im, whet__op_find("Slice"), slice, in, 4, out, 1);
}

/* Type of the scales: that of the floats around. */
static whet_dtype float_type(const whet_import *im, int32_t scale) {
  const whet_val *v = whet__im_val(im, scale);
  return v ? (whet_dtype)v->dtype : WHET_F32;
}

/* Append in[0] times the transposed weights in[1], plus in[2] where it is there. Half floats, as the scales are, are taken
 * as floats. */
static whet_status product(whet_import *im, int32_t scale, int32_t *in) {
  WHET_NEW_ATTR(im, whet_dense, at);
  bool plain = float_type(im, scale) == WHET_F32;
  int32_t out = whet__im_out(im, 0), made = plain ? out : whet__im_new(im, "float");
  for (int i = 0; !plain && i < 3; i += 2) {
    if (in[i] < 0) continue;
    int32_t wide = whet__im_new(im, "float");
    WHET_TRY(whet__im_cast(im, in[i], wide, WHET_F32));
    in[i] = wide;
  }
  WHET_TRY(whet__im_node(im, whet__op_find("Dense"), at, in, in[2] >= 0 ? 3 : 2, &made, 1));
  return plain ? WHET_OK : whet__im_cast(im, made, out, float_type(im, scale));
}

/* Can DenseFew read MatMulNBits' weights where they lie? */
static bool as_they_are(const whet_import *im, int32_t b, const struct few *w) {
  const whet_val *bv = whet__im_val(im, b);
  return w->bits == 4 && !w->order && !w->zero_float && w->block % 8 == 0 && w->k % w->block == 0 &&
         float_type(im, whet__im_in(im, 2)) == WHET_F32 && bv->dtype == WHET_U8 && bv->data->n == (size_t)(w->n * w->k / 2);
}

static whet_status few_product(whet_import *im, int32_t b, const struct few *w) {
  WHET_NEW_ATTR(im, whet_dense_few, at);
  *at = (whet_dense_few){(int32_t)w->n, (int32_t)w->k, (int32_t)w->block};
  int32_t in[5] = {whet__im_in(im, 0), b, whet__im_in(im, 2), whet__im_in(im, 3), whet__im_in(im, 5)}, out = whet__im_out(im, 0);
  return whet__im_node(im, whet__op_find("DenseFew"), at, in, in[4] >= 0 ? 5 : in[3] >= 0 ? 4 : 3, &out, 1);
}

/* MatMulNBits(a, b, scales, zeros, g_idx, bias). */
whet_status whet__few_matmul_nbits(whet_import *im, const whet_op *op) {
  struct few w = {.k = whet__onnx_int(im, "K", 0),
                  .n = whet__onnx_int(im, "N", 0),
                  .bits = whet__onnx_int(im, "bits", 4),
                  .block = whet__onnx_int(im, "block_size", 0),
                  .together = 1};
  int32_t b = whet__im_in(im, 1), in[3] = {whet__im_in(im, 0), -1, whet__im_in(im, 5)};
  WHET_TRY(read_few(im, b, whet__im_in(im, 2), whet__im_in(im, 3), whet__im_in(im, 4), &w));
  if (as_they_are(im, b, &w)) return few_product(im, b, &w);
  if (!w.order && !w.zero_float) {
    WHET_TRY(quantised_weights(im, b, &w, &in[1]));
  } else if ((in[1] = float_weights(im, &w)) < 0) {
    return whet__im_fail(im, WHET_E_MEMORY, "no memory for weights");
  }
  return product(im, whet__im_in(im, 2), in);
}

/* whet_experts(weights, scales, zeros) of QMoE's formula: weights of all experts, [expert, row, packed], in the scales' type
 * [expert * row, column]. Attributes bits and block_size (absent: a row is a block). */
whet_status whet__few_experts(whet_import *im, const whet_op *op) {
  int32_t b = whet__im_in(im, 0), out = whet__im_out(im, 0), w3 = -1;
  const whet_val *bv = whet__im_val(im, b);
  struct few w = {.bits = whet__onnx_int(im, "bits", 4), .block = whet__onnx_int(im, "block_size", 0)};
  if (!bv || bv->role != WHET_ROLE_CONST || bv->dtype != WHET_U8 || bv->shape.rank != 3)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "weights of experts that are no constant uint8 tensor of rank 3");
  const whet_dim *d = bv->shape.d;
  if (w.bits < 1 || d[1] < 1 || d[0] > INT32_MAX / d[1] || d[2] > INT32_MAX / 8)
    return whet__im_fail(im, WHET_E_DATA, "%lld experts of %lld rows of %lld bytes, %lld bits", (long long)d[0],
                         (long long)d[1], (long long)d[2], (long long)w.bits);
  w.n = d[0] * d[1];
  w.k = d[2] * 8 / w.bits;
  w.together = w.block > 0 ? 1 : d[1];
  if (w.block <= 0) w.block = w.k;
  WHET_TRY(read_few(im, b, whet__im_in(im, 1), whet__im_in(im, 2), -1, &w));
  WHET_TRY(quantised_weights(im, b, &w, &w3));
  return whet__im_cast(im, w3, out, float_type(im, whet__im_in(im, 1)));
}

/* MatMulBnb4(a, b, absmax): 4-bit numbers of bitsandbytes, high halves first, times their block's greatest magnitude. */
whet_status whet__few_matmul_bnb4(whet_import *im, const whet_op *op) {
  static const float k_code[2][16] = {
      {0, 0.005208333333f, 0.66666667f, 1, 0.33333333f, 0.5f, 0.16666667f, 0.25f, -0.0f, -0.005208333333f, -0.66666667f, -1,
       -0.33333333f, -0.5f, -0.16666667f, -0.25f},
      {-1, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f,
       -0.09105003625154495f, 0, 0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
       0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1}};
  int64_t k = whet__onnx_int(im, "K", 0), n = whet__onnx_int(im, "N", 0), block = whet__onnx_int(im, "block_size", 0);
  int64_t kind = whet__onnx_int(im, "quant_type", 1), count;
  int32_t in[3] = {whet__im_in(im, 0), -1, -1}, ns = 0;
  const whet_val *b = whet__im_val(im, whet__im_in(im, 1));
  const float *scale = whet__im_const_floats(im, whet__im_in(im, 2), &ns);
  if (k < 1 || n < 1 || block < 1 || kind < 0 || kind > 1 || __builtin_mul_overflow(k, n, &count) || count > INT32_MAX)
    return whet__im_fail(im, WHET_E_DATA, "K %lld, N %lld, blocks of %lld, quant_type %lld", (long long)k, (long long)n,
                         (long long)block, (long long)kind);
  if (!b || b->role != WHET_ROLE_CONST || b->dtype != WHET_U8 || !scale)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "weights and scales that are no constants");
  if (b->data->n < (size_t)(count + 1) / 2 || ns != whet__ceil_div(count, block))
    return whet__im_fail(im, WHET_E_SHAPE, "the weights have %zu bytes and %d scales, expected %lld and %lld", b->data->n, ns,
                         (long long)(count + 1) / 2, (long long)whet__ceil_div(count, block));
  float *f = whet__arena_array(whet__im_arena(im), (size_t)count, sizeof *f);
  const uint8_t *p = b->data->p;
  for (int64_t i = 0; f && i < count; i++) f[i] = k_code[kind][i % 2 ? p[i / 2] & 15 : p[i / 2] >> 4] * scale[i / block];
  in[1] = f ? whet__im_const(im, WHET_F32, 2, (const int64_t[]){n, k}, f) : -1;
  return in[1] < 0 ? whet__im_fail(im, WHET_E_MEMORY, "no memory for weights") : product(im, whet__im_in(im, 2), in);
}
