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
