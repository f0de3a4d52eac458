/* SPDX-License-Identifier: Apache-2.0 */
/* Factors of the rescaling rules, and the choice among the rules. TFLite: lite/kernels/internal/quantization_util.cc
 * (QuantizeMultiplier) and common.cc (MultiplyByQuantizedMultiplier) say what the numbers are. */

#include "kern/requant.h"

void whet__quantize_multiplier(double real, int32_t *mul, int32_t *shift) {
  int e;
  double f = frexp(real, &e);
  int64_t q = isfinite(real) ? (int64_t)round(f * 2147483648.0) : 0;
  if (isinf(real)) e = 31;
  if (q == INT64_C(1) << 31) q /= 2, e++;
  if (real == 0 || real != real || e < -31) q = 0, e = 0;
  if (e > 30) q = real < 0 ? -INT32_MAX : INT32_MAX, e = 30;
  *mul = (int32_t)q;
  *shift = e;
}

whet_rescale whet__rescale_real(double real) {
  whet_rescale r = {.real = real, .real32 = (float)real};
  whet__quantize_multiplier(real, &r.mul, &r.shift);
  return r;
}

whet_rescale whet__rescale(float sx, float sw, float sy) {
  whet_rescale r = whet__rescale_real((double)sx * (double)sw / (double)sy);
  float product = sx * sw;
  r.real32 = product / sy;
  return r;
}

int32_t whet__rescale_apply(whet_round rule, const whet_rescale *r, int64_t acc) {
  int32_t low = (int32_t)(uint32_t)(uint64_t)acc;
  switch (rule) {
    case WHET_ROUND_TFL_FIX:
      return whet__mul_fix(low, r->mul, r->shift);
    case WHET_ROUND_TFL_FIX1:
      return whet__mul_fix1(low, r->mul, r->shift);
    case WHET_ROUND_TFL_REAL:
      return whet__mul_real(acc, r->real);
    case WHET_ROUND_TFL_16X8:
      return whet__mul_16x8(acc, r->mul, r->shift);
    case WHET_ROUND_ONNX_REAL:
      return whet__mul_real32(low, r->real32);
    default:
      return low;
  }
}

/* a / m less what is whole, in 2^-64, rounded down; a < 2^63, m < 2^31. */
static uint64_t fraction(uint64_t a, uint64_t m) {
  uint64_t first = a % m << 32, second = first % m << 32;
  return (first / m << 32) + second / m;
}

/* The rule's two roundings are one: acc >= 0 gives more than k from p = ((2k + 1) * 2^s - 1) * 2^30 / mul on, s being
 * the shift to the right, which is where acc * f + 1/2 + 2^-(s + 1) reaches k + 1; below zero it is the same with signs
 * turned, but for p itself. So half may differ from that by what the nearest whole numbers on both sides of every p
 * leave, less what the inner sum is rounded by. */
float whet__fix_half(const whet_rescale *r, int64_t above, int64_t below) {
  const int s = -r->shift;
  const int64_t n = whet__max_i(above, below);
  if (!r->mul) return 0.5f;
  if (s < 1 || s > 14 || n > 255) return NAN; /* sums up to the last p are floats */
  const uint64_t m = (uint64_t)r->mul, apart = fraction(UINT64_C(1) << (31 + s), m);
  /* How far p is beyond the whole number below it, 1 where it is whole itself. */
  uint64_t beyond = fraction(((UINT64_C(1) << s) - 1) << 30, m) - 1, least = UINT64_MAX, most = 0;
  for (int64_t k = 0; k < n; k++, beyond += apart) {
    least = beyond < least ? beyond : least;
    most = beyond > most ? beyond : most;
  }
  if (below > 0 && most > UINT64_MAX - (UINT64_C(1) << 24)) return NAN;
  const double f = ldexp((double)m, -31 - s), exact = 0.5 + ldexp(1, -1 - s), rounded = 0x1p-24 + 0x1p-40;
  double from = exact - (1 - ldexp((double)most, -64)) * f + rounded, to = exact + ldexp((double)least, -64) * f - rounded;
  float half = (float)((from + to) / 2);
  return half >= from && half < to ? half : NAN;
}
