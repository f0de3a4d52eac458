/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions of quantised numbers of 8 or 16 bits; n elements x to one result y.
 *
 * As LiteRT computes them:
 *   ReduceMax, ReduceMin   of the stored numbers
 *   ReduceMean             TFL_FIX of sum(x - zx), its multiplier divided by n (cut) after as many bits to the left as fit
 *   ReduceSum              round(sx / sy * sum(x) - zx * sx / sy * n) in f32, ties away from zero; under
 *                          WHET_ROUND_TFL_FIX TFL_FIX of sum(x - zx)
 *   ReduceProd             after each product TFL_16X8 by sx / sy^(1/n), and once more at the end
 *
 * Under WHET_ROUND_ONNX_REAL: rne((float)sum(x - zx) * ((sx * (1 / n)) / sy)) for the mean, the same without 1 / n
 * for the sum, the winner rescaled, products in double. */

#include "op/reduce_q8.h"

#include <math.h>

#include "base/dtype.h"
#include "kern/fixed.h"
#include "kern/pool_q8.h"
#include "op/move.h"
#include "op/walk.h"
#include "op/q8.h"
#include "op/reduce.h"

enum { MAX, MIN, MEAN, SUM, PROD };

/* Which reduction an operator is, or -1. */
static int kind_of(const whet_op *op) {
  static const char *const names[] = {"ReduceMax", "ReduceMin", "ReduceMean", "ReduceSum", "ReduceProd"};
  for (int i = 0; i < (int)WHET_COUNT(names); i++)
    if (!strcmp(op->name, names[i])) return i;
  return -1;
}

/* The factor of a mean of n numbers. */
static void mean_factor(float sx, float sy, int64_t n, int32_t *mul, int32_t *shift) {
  int bits = 0;
  whet__quantize_multiplier((double)sx / (double)sy, mul, shift);
  while (bits < 32 && n >> (bits + 1)) bits++;
  if (bits > 31 + *shift) bits = 31 + *shift;
  *mul = (int32_t)((int64_t)((uint64_t)*mul << bits) / n);
  *shift -= bits;
}

/* One call. */
typedef struct call {
  int kind;
  bool tfl, fix; /* rules of TFLite; TFL_FIX for sums */
  int64_t n;
  whet_q8 x, y;
  int32_t mul, shift;
} call;

static int32_t mean_or_sum(const call *c, int64_t sum) {
  int32_t low = (int32_t)(uint32_t)(uint64_t)(sum - (int64_t)c->x.zero * c->n);
  float factor = c->x.scale / c->y.scale;
  if (!c->tfl) {
    float share = c->kind == MEAN ? 1.0f / (float)c->n : 1.0f, product = c->x.scale * share;
    return whet__add_zero(whet__mul_real32(low, product / c->y.scale), c->y.zero, c->y.lo, c->y.hi);
  }
  if (c->kind == MEAN || c->fix) return whet__add_zero(whet__mul_fix(low, c->mul, c->shift), c->y.zero, c->y.lo, c->y.hi);
  float bias = (float)-c->x.zero * factor;
  bias *= (float)c->n;
  float v = (float)sum * factor;
  return whet__q8_store(&c->y, (double)roundf(v + bias));
}

/* TFL_16X8 without saturation: products that leave 32 bits wrap in LiteRT. */
static int32_t scaled(const call *c, int64_t v) {
  int64_t m = c->mul < 0x7fff0000 ? (c->mul + (1 << 15)) >> 16 : 0x7fff;
  int total = 15 - c->shift;
  if (total < 1) return whet__mul_16x8(v, c->mul, c->shift);
  return (int32_t)(uint32_t)((int64_t)((uint64_t)v * (uint64_t)m + (UINT64_C(1) << (total - 1))) >> total);
}

/* Elements of the box `dim` with strides `stride` from element `at` on. */
static int32_t one(const call *c, const whet_tensor *x, int64_t at, int32_t rank, const int64_t *dim,
                   const int64_t *stride) {
  int64_t sum = 0, best = c->kind == MAX ? INT64_MIN : INT64_MAX, k[WHET_MAX_RANK] = {0};
  int32_t product = 1;
  double real = 1;
  for (int64_t i = 0; i < c->n; i++, whet__index_next(rank, dim, k)) {
    int64_t v = whet__get_i64(x->dtype, x->data, at + whet__index_offset(rank, k, stride));
    sum += v;
    best = c->kind == MAX ? whet__max_i(best, v) : whet__min_i(best, v);
    real *= (double)(v - c->x.zero) * (double)c->x.scale;
    product = i ? scaled(c, (int64_t)product * (v - c->x.zero)) : (int32_t)(v - c->x.zero);
  }
  if (c->kind == MEAN || c->kind == SUM) return mean_or_sum(c, sum);
  if (c->kind == PROD && c->tfl)
    return whet__add_zero(scaled(c, product), c->y.zero, c->y.lo, c->y.hi);
  if (c->kind == PROD) return whet__q8_store(&c->y, rint(real / (double)c->y.scale));
  if (c->tfl) return whet__add_zero((int32_t)best, 0, c->y.lo, c->y.hi);
  return whet__q8_store(&c->y, (double)rintf((float)(best - c->x.zero) * c->x.scale / c->y.scale));
}

whet_status whet__reduce_q8_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  call c = {.kind = kind_of(arg->node->op), .tfl = whet__q8_tfl(arg->node), .n = 1};
  c.fix = c.kind == SUM && arg->node->round == WHET_ROUND_TFL_FIX;
  if (c.kind < 0) return whet__fail(arg->err, WHET_E_UNSUPPORTED, "%s of quantised numbers", arg->node->op->name);
  bool mark[WHET_MAX_RANK] = {false};
  whet__ref_reduce_axes(arg, mark);
  int64_t kd[WHET_MAX_RANK], ks[WHET_MAX_RANK], rd[WHET_MAX_RANK], rs[WHET_MAX_RANK], k[WHET_MAX_RANK] = {0};
  int32_t nk = 0, nr = 0;
  for (int32_t i = 0; i < x->rank; i++)
    if (mark[i])
      rd[nr] = x->dim[i], rs[nr++] = x->stride[i], c.n *= x->dim[i];
    else
      kd[nk] = x->dim[i], ks[nk++] = x->stride[i];
  c.x = whet__q8(x->dtype, x->q);
  c.y = whet__q8(y->dtype, y->q);
  if (c.kind == MEAN && c.n) mean_factor(c.x.scale, c.y.scale, c.n, &c.mul, &c.shift);
  if (c.fix) whet__quantize_multiplier((double)c.x.scale / (double)c.y.scale, &c.mul, &c.shift);
  if (c.kind == PROD && c.n)
    whet__quantize_multiplier((double)c.x.scale / pow((double)c.y.scale, 1.0 / (double)c.n), &c.mul, &c.shift);
  for (int64_t o = 0, count = whet__tensor_count(y); o < count; o++) {
    int32_t v = c.n ? one(&c, x, whet__index_offset(nk, k, ks), nr, rd, rs) : c.y.zero;
    whet__set_i64(y->dtype, y->data, whet__flat_offset(y, o), v);
    whet__index_next(nk, kd, k);
  }
  return WHET_OK;
}

/* A mean over neighbouring dimensions is a pool of one row of n pixels. */
whet_status whet__reduce_q8_plan(whet_planner *p, const whet_node *n) {
  whet_dtype t = whet__pl_dtype(p, n->in[0]);
  const whet_shape *x = whet__pl_shape(p, n->in[0]);
  bool mark[WHET_MAX_RANK] = {false}, seen = false, past = false;
  int64_t outer = 1, many = 1, inner = 1;
  if (kind_of(n->op) != MEAN || (t != WHET_S8 && t != WHET_U8) || whet__pl_dtype(p, n->out[0]) != t ||
      !whet__pl_dense(p, n->in[0]) || !whet__pl_dense(p, n->out[0]) || !whet__pl_reduce_axes(p, n, mark))
    return WHET_LATE;
  for (int32_t i = 0; i < x->rank; i++) {
    if (x->d[i] == 1) continue;
    if (mark[i] && past) return WHET_LATE;
    *(mark[i] ? &many : seen ? &inner : &outer) *= x->d[i];
    seen |= mark[i];
    past |= seen && !mark[i];
  }
  if (!outer || !many || !inner || many > 65536 || outer > INT32_MAX || inner > INT32_MAX) return WHET_LATE;
  whet_q8 qx = whet__q8(t, whet__pl_quant(p, n->in[0])), qy = whet__q8(t, whet__pl_quant(p, n->out[0]));
  whet_pool_q8 k = {.images = (int32_t)outer,
                    .in_h = 1,
                    .in_w = (int32_t)many,
                    .channels = (int32_t)inner,
                    .out_h = 1,
                    .out_w = 1,
                    .kh = 1,
                    .kw = (int32_t)many,
                    .stride_h = 1,
                    .stride_w = 1,
                    .dil_h = 1,
                    .dil_w = 1,
                    .in_pitch = inner,
                    .out_pitch = inner,
                    .mean = 1,
                    .is_signed = t == WHET_S8,
                    .round = whet__q8_tfl(n) ? WHET_ROUND_TFL_FIX1 : WHET_ROUND_ONNX_REAL,
                    .in_zero = qx.zero,
                    .out_zero = qy.zero,
                    .lo = qy.lo,
                    .hi = qy.hi,
                    .sx = qx.scale,
                    .sy = qy.scale};
  mean_factor(qx.scale, qy.scale, many, &k.mul, &k.shift);
  whet_arg arg[3] = {whet__rd(n->in[0]), whet__wr(n->out[0]), whet__scratch()};
  return whet__pl_kern(p, WHET_FAMILY_pool_q8, &k, sizeof k, arg, 3, outer, (double)(outer * many * inner) * 0.03);
}
