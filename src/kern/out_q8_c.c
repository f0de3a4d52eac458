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

void whet__out_q8_row(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t n,
                      const uint8_t *table, void *out) {
  switch (o->dtype) {
    case WHET_S32:
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
  uint8_t *b = out;
  if (o->table)
    for (int64_t i = 0; i < n; i++) b[i] = table[(uint8_t)whet__out_q8(o, f, i, sum[i])];
  else
    for (int64_t i = 0; i < n; i++) b[i] = (uint8_t)whet__out_q8(o, f, i, sum[i]);
}
