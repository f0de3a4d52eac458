/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_FIXED_H
#define WHET_KERN_FIXED_H

/* Fixed-point functions in which TFLite defines quantised softmax, log-softmax, rsqrt, hard-swish and recurrent cells
 * (gemmlowp's fixedpoint.h and lite/kernels/internal/common.h say the numbers). A raw number of format Q<m> is
 * raw / 2^(31 - m); products add the integer bits of their factors. Additions wrap. */

#include "kern/requant.h"

static inline int32_t whet__fx_add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
static inline int32_t whet__fx_sub(int32_t a, int32_t b) { return (int32_t)((uint32_t)a - (uint32_t)b); }
/* Product of two raw numbers. */
static inline int32_t whet__fx_mul(int32_t a, int32_t b) { return whet__high_mul(a, b); }
/* x * 2^e: saturating to the left, rounding half away to the right. */
static inline int32_t whet__fx_pot(int32_t x, int e) {
  if (e <= 0) return whet__round_shift(x, -e);
  return whet__saturate_i32((int64_t)((uint64_t)(int64_t)x << e));
}
/* (a + b) / 2, halves away from zero. */
static inline int32_t whet__fx_half_sum(int32_t a, int32_t b) {
  int64_t s = (int64_t)a + b;
  return (int32_t)((s + (s >= 0 ? 1 : -1)) / 2);
}
/* Zero bits above the highest one; 32 for 0. */
static inline int whet__fx_headroom(uint32_t x) {
#ifdef __GNUC__
  return x ? __builtin_clz(x) : 32;
#else
  int n = 0;
  for (; n < 32 && !(x >> (31 - n)); n++) continue;
  return n;
#endif
}

/* e^x for x <= 0 of format Q<bits>; the result is Q0. */
int32_t whet__fx_exp(int32_t x, int bits);
/* 1 / (1 + x) for x of Q0 in 0..1; Q0. */
int32_t whet__fx_one_over_one_plus(int32_t x);
/* 1 / x as a Q0 mantissa in 0.5..1; x is positive with `bits` integer bits, *over receives by how many bits it
 * exceeds one: 1/x = mantissa / 2^over. */
int32_t whet__fx_reciprocal(int32_t x, int bits, int *over);
/* 1 / sqrt(x) of an integer x >= 0 as multiplier and shift to the left (0 is taken as 1). */
void whet__fx_inv_sqrt(int32_t x, int32_t *mul, int32_t *shift);
/* ln x for x >= 1 of Q<in>, as Q<out>. */
int32_t whet__fx_log(int32_t x, int in, int out);

/* 16-bit numbers: products with one sign bit dropped, halves away from zero or cut. */
static inline int16_t whet__fx16_mul(int16_t a, int16_t b) {
  int32_t r = (a * b + (1 << 14)) >> 15;
  return (int16_t)(r > INT16_MAX ? INT16_MAX : r);
}
static inline int16_t whet__fx16_mul_cut(int16_t a, int16_t b) {
  if (a == b && a == INT16_MIN) return INT16_MAX;
  return (int16_t)(a * b / (1 << 15));
}
static inline int16_t whet__fx16_left(int16_t x, int n) {
  int64_t v = (int64_t)((uint64_t)(int64_t)x << n);
  return (int16_t)(v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v);
}
static inline int16_t whet__fx16_right(int16_t x, int n) { return (int16_t)whet__round_shift(x, n); }
/* tanh x and 1 / (1 + e^-x) of 16-bit x with `bits` integer bits (0 .. 6); the results are Q0. Not the table functions
 * below: recurrent cells are defined by these. */
int16_t whet__fx16_tanh(int16_t x, int bits);
int16_t whet__fx16_logistic(int16_t x, int bits);
/* A 32-bit multiplier as a 16-bit one. */
static inline int16_t whet__fx16_multiplier(int32_t mul) {
  return mul >= INT32_MAX - (1 << 15) ? INT16_MAX : (int16_t)((mul + (1 << 15)) >> 16);
}

/* The logistic function and tanh of 16-bit numbers by a table with interpolation: x is first multiplied by `mul` and
 * shifted right by `shift`, which brings it to 1/(3 * 4096); results are of format 1/32768. mul 0: x has the scale
 * 2^(shift - 12) already. */
int16_t whet__fx_logistic16(int16_t x, int32_t mul, int shift);
int16_t whet__fx_tanh16(int16_t x, int32_t mul, int shift);
/* mul and shift for an input scale; steps: shifts to the left up to which a power of two needs no multiplier. */
void whet__fx_logistic16_scale(float scale, int steps, int32_t *mul, int *shift);

/* A function of 16-bit numbers as 513 samples with interpolation (TFLite LUTPopulate, LUTLookup). f has the context
 * ctx. */
void whet__fx_table16(float in_scale, float out_scale, float (*f)(float x, const void *ctx), const void *ctx,
                      int16_t table[513]);
/* The same in double with zero points, as softmax of 16-bit numbers has its tables made. */
void whet__fx_table16_wide(double in_scale, int32_t in_zero, double out_scale, double (*f)(double x),
                           int16_t table[513]);
static inline int16_t whet__fx_lookup16(int16_t x, const int16_t *t) {
  int at = 256 + (x >> 7), slope = (int16_t)(t[at + 1] - t[at]);
  return (int16_t)(t[at] + ((slope * (x & 0x7f) + 64) >> 7));
}

#endif
