/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax and LogSoftmax on quantised numbers. By TFLite's rules:
 *
 *   Softmax 8 bits      kern/softmax_q8.h; results of 8 or 16 bits
 *   Softmax 16 bits     e^x and 1 / (1 + x) from 513 samples with interpolation
 *   LogSoftmax 8 bits   x - ln(sum of e^x) in fixed point, results in steps of 1/16 from -16 to 0
 *
 * Everything else is the real function between dequantisation and quantisation, in double. */

#include "op/softmax.h"

#include <math.h>

#include "base/dtype.h"
#include "kern/softmax_q8.h"
#include "op/move.h"
#include "op/q8.h"
#include "op/walk.h"

/* One call by TFLite's rules: rows along the last dimension. */
typedef struct call {
  const whet_tensor *x, *y;
  int64_t n, xs, ys; /* elements of a row, steps */
  int32_t mul, shift, least;
  int32_t exp[256];         /* 8 bits: see kern/softmax_q8.h */
  int32_t back, back_shift; /* LogSoftmax: from Q5 to steps of the input */
  int16_t table[2][513];    /* 16 bits: e^x, 1 / (1 + x) */
} call;

static int64_t get(const call *c, int64_t at, int64_t i) {
  return whet__get_i64(c->x->dtype, c->x->data, at + i * c->xs);
}
static void put(const call *c, int64_t at, int64_t i, int64_t v) {
  whet__set_i64(c->y->dtype, c->y->data, at + i * c->ys, v);
}

/* The greatest number of a row. */
static int64_t greatest(const call *c, int64_t at) {
  int64_t most = INT64_MIN;
  for (int64_t i = 0; i < c->n; i++) most = whet__max_i(most, get(c, at, i));
  return most;
}

/* Sum of exponentials of a row, as Q12. */
static int32_t sum_of(const call *c, int64_t at, int64_t most) {
  uint32_t sum = 0;
  for (int64_t i = 0; i < c->n; i++) sum += (uint32_t)whet__round_shift(c->exp[most - get(c, at, i)], 12);
  return (int32_t)sum;
}

static void softmax8(const call *c, int64_t xi, int64_t yi) {
  int over, bits = (int)whet_dtype_bits(c->y->dtype);
  int64_t most = greatest(c, xi), lo = whet__dtype_min(c->y->dtype), hi = whet__dtype_max(c->y->dtype);
  int32_t r = whet__fx_reciprocal(sum_of(c, xi, most), 12, &over);
  for (int64_t i = 0; i < c->n; i++) {
    int32_t v = whet__round_shift(whet__high_mul(r, c->exp[most - get(c, xi, i)]), over + 31 - bits);
    put(c, yi, i, whet__clamp_i(v + lo, lo, hi));
  }
}

static void softmax16(const call *c, int64_t xi, int64_t yi) {
  int64_t most = greatest(c, xi), sum = 0;
  for (int64_t i = 0; i < c->n; i++) {
    int64_t d = whet__mul_fix((int32_t)(get(c, xi, i) - most), c->mul, c->shift) + INT64_C(32767);
    int64_t e = whet__fx_lookup16((int16_t)whet__clamp_i(d, -32768, 32767), c->table[0]);
    put(c, yi, i, e);
    sum += e;
  }
  int headroom = whet__fx_headroom((uint32_t)sum), right = 31 - headroom;
  int64_t shifted = ((sum << (headroom - 1)) + (1 << 13)) >> 14;
  int64_t r = whet__fx_lookup16((int16_t)whet__clamp_i(shifted - (1 << 15) - (1 << 16), -32768, 32767), c->table[1]);
  for (int64_t i = 0; i < c->n; i++) {
    int64_t e = whet__get_i64(c->y->dtype, c->y->data, yi + i * c->ys);
    put(c, yi, i, whet__clamp_i((e * r + (right > 0 ? INT64_C(1) << (right - 1) : 0)) >> right, 0, 32767));
  }
}

static void log_softmax8(const call *c, int64_t xi, int64_t yi) {
  int64_t most = greatest(c, xi), lo = whet__dtype_min(c->y->dtype), hi = whet__dtype_max(c->y->dtype);
  int32_t log_sum = whet__fx_log(sum_of(c, xi, most), 12, 5);
  int32_t below = whet__mul_fix(whet__fx_add(log_sum, INT32_MIN), c->back, c->back_shift);
  int64_t least = whet__max_i(c->least - 1, below);
  for (int64_t i = 0; i < c->n; i++) {
    int64_t d = get(c, xi, i) - most, v = lo;
    if (d > least) v = hi + whet__round_shift(whet__fx_sub(whet__mul_fix((int32_t)d, c->mul, c->shift), log_sum), 22);
    put(c, yi, i, whet__clamp_i(v, lo, hi));
  }
}

/* 1 / (1 + x). */
static double inverse(double x) { return 1 / (1 + x); }

whet_status whet__softmax_q8_ref(const whet_args *a) {
  const whet_softmax_attr *at = a->attr;
  const whet_tensor *x = &a->in[0], *y = &a->out[0];
  bool last = x->rank && (at->axis == -1 || at->axis == x->rank - 1), wide = whet_dtype_bits(x->dtype) == 16;
  bool is_log = !strcmp(a->node->op->name, "LogSoftmax"), plain = !strcmp(a->node->op->name, "Softmax");
  if (!whet__q8_tfl(a->node) || !last || (!is_log && !plain) || (is_log && wide) || !(at->beta > 0)) {
    whet__softmax_real(a);
    return WHET_OK;
  }
  call c = {.x = x, .y = y, .n = x->dim[x->rank - 1], .xs = x->stride[x->rank - 1], .ys = y->stride[y->rank - 1]};
  if (wide) {
    whet__quantize_multiplier((double)(x->q->scale[0] * at->beta) / (10.0 / 65535.0), &c.mul, &c.shift);
    whet__fx_table16_wide(10.0 / 65535.0, 32767, 2.0 / 65535.0, exp, c.table[0]);
    whet__fx_table16_wide(1.0 / 65535.0, -32768, 2.0 / 65535.0, inverse, c.table[1]);
  } else {
    whet__softmax_q8_factor(x->q->scale[0], at->beta, &c.mul, &c.shift, &c.least);
    whet__softmax_q8_table(x->q->scale[0], at->beta, c.exp);
    if (is_log && c.mul) whet__quantize_multiplier(ldexp(1, 31 - c.shift) / c.mul, &c.back, &c.back_shift);
  }
  void (*one)(const call *, int64_t, int64_t) = is_log ? log_softmax8 : wide ? softmax16 : softmax8;
  int64_t k[WHET_MAX_RANK] = {0};
  if (!whet__tensor_count(x)) return WHET_OK;
  do one(&c, whet__index_offset(x->rank - 1, k, x->stride), whet__index_offset(x->rank - 1, k, y->stride));
  while (whet__index_next(x->rank - 1, x->dim, k));
  return WHET_OK;
}

whet_status whet__softmax_q8_plan(whet_planner *p, const whet_node *n) {
  const whet_softmax_attr *a = n->attr;
  whet_dtype x = whet__pl_dtype(p, n->in[0]), y = whet__pl_dtype(p, n->out[0]);
  const whet_shape *s = whet__pl_shape(p, n->in[0]);
  int64_t cols = s->rank ? s->d[s->rank - 1] : 0;
  if (!whet__q8_tfl(n) || strcmp(n->op->name, "Softmax") || (x != WHET_S8 && x != WHET_U8) || !(a->beta > 0) ||
      !s->rank || (a->axis != -1 && a->axis != s->rank - 1) || (y != WHET_S8 && y != WHET_U8 && y != WHET_S16) ||
      !cols)
    return WHET_LATE;
  whet_softmax_q8 k = {.rows = whet__shape_count(s) / cols, .n = cols, .in_signed = x == WHET_S8, .out = (uint8_t)y};
  int64_t rows, run;
  whet__pl_pitch(p, n->in[0], &rows, &run, &k.in_pitch);
  if (rows <= 1 || run == k.in_pitch) k.in_pitch = run = cols;
  if (run != cols) return WHET_LATE;
  whet__pl_pitch(p, n->out[0], &rows, &run, &k.out_pitch);
  if (rows <= 1 || run == k.out_pitch) k.out_pitch = run = cols;
  if (run != cols) return WHET_LATE;
  int32_t table[256];
  whet__softmax_q8_table(whet__pl_quant(p, n->in[0])->scale[0], a->beta, table);
  whet_arg arg[3] = {whet__rd(n->in[0]), whet__bl(whet__pl_blob(p, table, sizeof table)), whet__wr(n->out[0])};
  return whet__pl_kern(p, WHET_FAMILY_softmax_q8, &k, sizeof k, arg, 3, k.rows, (double)(k.rows * cols) * 3);
}
