/* SPDX-License-Identifier: Apache-2.0 */
/* The portable end of 8-bit kernels: factors and storing of rows. */

#include "kern/out_q8.h"

void whet__factors_put(const whet_out_q8 *o, void *p, int64_t n, int64_t i, const whet_rescale *r, float half) {
  if (o->dtype == WHET_S32) return;
  if (o->dtype == WHET_F32 || o->round == WHET_ROUND_ONNX_REAL)
    ((float *)p)[i] = r->real32;
  else if (o->round == WHET_ROUND_TFL_REAL)
    ((double *)p)[i] = r->real;
  else
    ((int32_t *)p)[i] = r->mul, ((int32_t *)p)[n + i] = r->shift;
  if (whet__factors_half(o)) {
    float *f = (float *)p + 2 * n + i, high = (float)r->mul;
    f[0] = half;
    f[n] = ldexpf(high, r->shift - 31);
    f[2 * n] = ldexpf((float)((double)r->mul - (double)high), r->shift - 31);
  }
}

float whet__factor_half(const whet_out_q8 *o, const whet_rescale *r) {
  return whet__factors_half(o) ? whet__fix_half(r, o->hi - o->zero, o->zero - o->lo) : 0;
}

void whet__factors_set(const whet_out_q8 *o, void *p, int64_t n, int64_t i, const whet_rescale *r) {
  whet__factors_put(o, p, n, i, r, whet__factor_half(o, r));
}

/* A result within the bounds, ties of ONNX_REAL to even: that many and half a number more have no bits left for a
 * fraction. */
static uint8_t near_even(float v, float lo, float hi, int32_t zero) {
  const float many = 12582912.0f;           /* 2^23 + 2^22 */
  v = v > lo ? v : lo, v = v < hi ? v : hi; /* NaN: lo */
  return (uint8_t)((int32_t)((v + many) - many) + zero);
}

/* Ties of TFL_REAL away from zero. */
static uint8_t near_away(double v, double lo, double hi, int32_t zero) {
  const double half = 0.49999999999999994;
  v = v > lo ? v : lo, v = v < hi ? v : hi; /* NaN: lo */
  return (uint8_t)((int32_t)(v + (v < 0 ? -half : half)) + zero);
}

/* TFL_FIX where `quick` holds, so that nothing overflows. */
static uint8_t fix_quick(int32_t sum, int32_t mul, int32_t shift, const whet_out_q8 *o) {
  int32_t v = (int32_t)(((int64_t)sum * mul + (1 << 30)) >> 31);
  v = ((v + (1 << (-shift - 1)) - (v < 0)) >> -shift) + o->zero;
  v = v < o->hi ? v : o->hi;
  return (uint8_t)(v > o->lo ? v : o->lo);
}

/* Results of 8 bits, before the table: the rules that take a step for each result are written out, the same numbers
 * as whet__out_q8(). */
static void bytes(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t n, uint8_t *out) {
  const int32_t lo = o->lo - o->zero, hi = o->hi - o->zero;
  if (o->round == WHET_ROUND_ONNX_REAL)
    for (int64_t i = 0; i < n; i++) out[i] = near_even((float)sum[i] * f->real32[i], (float)lo, (float)hi, o->zero);
  else if (o->round == WHET_ROUND_TFL_REAL)
    for (int64_t i = 0; i < n; i++) out[i] = near_away((double)sum[i] * f->real[i], lo, hi, o->zero);
  else if (o->round == WHET_ROUND_TFL_FIX && o->quick)
    for (int64_t i = 0; i < n; i++) out[i] = fix_quick(sum[i], f->mul[i], f->shift[i], o);
  else
    for (int64_t i = 0; i < n; i++) out[i] = (uint8_t)whet__out_q8(o, f, i, sum[i]);
}

void whet__out_q8_row(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t n,
                      const uint8_t *table, void *out) {
  switch (o->dtype) {
    case WHET_S32:
      if (o->live) {
        whet__sums_tile_c(whet__out_live(table), sum, n, 1, n, out);
        return;
      }
      memcpy(out, sum, (size_t)n * 4);
      return;
    case WHET_F32:
      for (int64_t i = 0; i < n; i++) ((float *)out)[i] = (float)sum[i] * f->real32[i];
      return;
    case WHET_S16:
      for (int64_t i = 0; i < n; i++) ((int16_t *)out)[i] = (int16_t)whet__out_q8(o, f, i, sum[i]);
      return;
    default:
      break;
  }
  bytes(o, f, sum, n, out);
  if (o->table)
    for (int64_t i = 0; i < n; i++) ((uint8_t *)out)[i] = table[((uint8_t *)out)[i]];
}

void whet__out_q8_rows(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t ld, int64_t rows,
                       int64_t n, const uint8_t *table, void *out, int64_t pitch) {
  const size_t size = whet_dtype_bits(o->dtype) / 8;
  for (int64_t r = 0; r < rows; r++)
    whet__out_q8_row(o, f, sum + r * ld, n, table, (char *)out + (size_t)(r * pitch) * size);
}
