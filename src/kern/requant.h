/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_REQUANT_H
#define WHET_KERN_REQUANT_H

/* Rescaling of integer results: one scalar function for each rule of whet_round. These are the definitions;
 * references, portable kernels and generated C use them, ISA kernels are tested against them bit for bit.
 *
 *   TFL_FIX    m = frexp(sx*sw/sy) as a Q31 multiplier; round(acc * 2^left * m) with ties up, then a rounding shift
 * right with ties away from zero (gemmlowp's SaturatingRoundingDoublingHighMul, RoundingDivideByPOT) TFL_FIX1   the
 * same multiplier, the 64-bit product shifted once, ties up TFL_REAL   round(double(acc) * (double(sx) * sw / sy)),
 * ties away from zero TFL_16X8   64-bit accumulator times the multiplier reduced to 16 bits, shifted once, ties up
 *   ONNX_REAL  rne((float)acc * ((sx * sw) / sy)), every operation in f32
 *
 * Results saturate to 32 bits, then the zero point is added and the sum clamped. Scales are finite and positive:
 * reading checks that. Right shifts of negative numbers are arithmetic, as in every compiler that we build with. */

#include <math.h>

#include "base/base.h"
#include "ir/graph.h"

/* What one output channel is multiplied by; the rule says which fields are read. */
typedef struct whet_rescale {
  double real;   /* TFL_REAL */
  float real32;  /* ONNX_REAL */
  int32_t mul;   /* fixed-point rules: in 2^30 .. 2^31 - 1, or 0 */
  int32_t shift; /* of the fixed-point rules: left when positive, -31 .. 30 */
} whet_rescale;

/* A factor as mul * 2^(shift - 31), mul rounded half away from zero. Factors under 2^-32 become 0; from 2^30
 * on the greatest there is. */
void whet__quantize_multiplier(double real, int32_t *mul, int32_t *shift);

/* The factor of scales x, w and y, for every rule. */
whet_rescale whet__rescale(float sx, float sw, float sy);
/* The factor from one real number (operators whose formula is not sx*sw/sy); ONNX_REAL takes it rounded to f32. */
whet_rescale whet__rescale_real(double real);

/* a * b / 2^31, ties up; only min * min saturates. */
static inline int32_t whet__high_mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* x / 2^e, ties away from zero; e in 0 .. 31. */
static inline int32_t whet__round_shift(int32_t x, int e) {
  if (!e) return x;
  return (int32_t)((x + (INT64_C(1) << (e - 1)) - (x < 0)) >> e);
}

static inline int32_t whet__saturate_i32(int64_t x) {
  return x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : (int32_t)x;
}

/* TFL_FIX. The shift to the left wraps. */
static inline int32_t whet__mul_fix(int32_t acc, int32_t mul, int32_t shift) {
  int32_t x = shift > 0 ? (int32_t)((uint32_t)acc << shift) : acc;
  return whet__round_shift(whet__high_mul(x, mul), shift > 0 ? 0 : -shift);
}

/* TFL_FIX1. */
static inline int32_t whet__mul_fix1(int32_t acc, int32_t mul, int32_t shift) {
  int total = 31 - shift;
  return whet__saturate_i32(((int64_t)acc * mul + (INT64_C(1) << (total - 1))) >> total);
}

/* TFL_FIX in single precision. With f = mul * 2^(shift - 31) = hi + lo, hi being f rounded to 24 bits, and `half` with
 * the sign of acc,
 *
 *   trunc(rz(acc * hi + r(acc * lo + half))), r being any way to round
 *
 * is the rule's result wherever that is from -below to above, and beyond it on the same side elsewhere, |acc| < 2^30.
 * NaN where no such half was found. For below <= 0 sums below zero come out as 0 or less, whatever the sign of half. */
float whet__fix_half(const whet_rescale *r, int64_t above, int64_t below);

/* x rounded to an integer, ties away from zero, saturated. */
static inline int32_t whet__round_away(double x) {
  double r = round(x);
  return r <= -2147483648.0 ? INT32_MIN : r >= 2147483647.0 ? INT32_MAX : (int32_t)r;
}
/* x rounded to an integer, ties to even, saturated. NaN gives the least number, as the conversion instructions do. */
static inline int32_t whet__round_even(float x) {
  return x >= 2147483648.0f ? INT32_MAX : x >= -2147483648.0f ? (int32_t)rintf(x) : INT32_MIN;
}

/* TFL_16X8. |acc| < 2^47 as a model within its own rules has it; beyond, the product wraps. */
static inline int32_t whet__mul_16x8(int64_t acc, int32_t mul, int32_t shift) {
  int64_t m = mul < 0x7fff0000 ? (mul + (1 << 15)) >> 16 : 0x7fff;
  int total = 15 - shift;
  if (total < 1) return whet__round_away((double)acc * (double)m * (double)(1 << -total));
  return whet__saturate_i32((int64_t)((uint64_t)acc * (uint64_t)m + (UINT64_C(1) << (total - 1))) >> total);
}

/* TFL_REAL. */
static inline int32_t whet__mul_real(int64_t acc, double real) { return whet__round_away((double)acc * real); }
/* ONNX_REAL. */
static inline int32_t whet__mul_real32(int32_t acc, float real) { return whet__round_even((float)acc * real); }

/* A sum under the node's rule, before the zero point. 64-bit sums are for TFL_REAL and TFL_16X8; the others take them
 * modulo 2^32. */
int32_t whet__rescale_apply(whet_round rule, const whet_rescale *r, int64_t acc);

/* v plus the zero point, clamped. */
static inline int32_t whet__add_zero(int32_t v, int32_t zero, int32_t lo, int32_t hi) {
  int64_t x = (int64_t)v + zero;
  return x < lo ? lo : x > hi ? hi : (int32_t)x;
}

#endif
