/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_FMA_H
#define WHET_KERN_FMA_H

/* The fused multiply-add of floats in portable code: a*b + c rounded once. Where the hardware has it, it is one
 * instruction; elsewhere it is computed in double so that compilers can make vectors of it, which the C library's
 * function prevents. */

#include <math.h>

#include "kern/kern.h"

enum { WHET_FMA_LINE = 32 };

#ifdef FP_FAST_FMAF
static inline float whet__fma_f32(float a, float b, float c) { return fmaf(a, b, c); }

/* acc[j] = a * w[j] + acc[j], fused, for n <= WHET_FMA_LINE neighbours; compilers make vectors of it where n is a
 * constant. */
WHET_INLINE void whet__fma_line_f32(float *restrict acc, float a, const float *restrict w, const int n) {
  for (int j = 0; j < n; j++) acc[j] = fmaf(a, w[j], acc[j]);
}
/* acc[j] = x[j] * w[j] + acc[j], likewise. */
WHET_INLINE void whet__fma_pairs_f32(float *restrict acc, const float *restrict x, const float *restrict w,
                                     const int n) {
  for (int j = 0; j < n; j++) acc[j] = fmaf(x[j], w[j], acc[j]);
}
#else
/* The product of two floats is exact in double. The sum is rounded to odd (Boldo and Melquiond, "Emulation of FMA and
 * correctly rounded sums", 2008): if it was not exact, the neighbour with an odd last bit is taken, and then rounding
 * once more, to float, gives what rounding once would have given. */
static inline float whet__fma_f32(float a, float b, float c) {
  double p = (double)a * (double)b, d = (double)c, s = p + d;
  double part = s - p, lost = (p - (s - part)) + (d - part); /* s + lost is the sum (Knuth's two-sum) */
  double side = lost * s; /* > 0: the sum is farther from zero than s; NaN: not finite */
  int64_t bits, step = (int64_t)(side > 0) - (int64_t)(side < 0);
  memcpy(&bits, &s, 8);
  bits += step & ((bits & 1) - 1);
  memcpy(&s, &bits, 8);
  return (float)s;
}

/* Sums in double are at most half a unit of 2^-52 from the true ones. Where numbers that far to both sides round to
 * the same float, that is the result; where one of them does not (about one in 2^27), the whole line is done again
 * with care. */
#define WHET_FMA_LINES(x)                                                   \
  float sum[WHET_FMA_LINE];                                                 \
  int differ = 0;                                                           \
  for (int j = 0; j < n; j++) {                                             \
    double s = (double)(x) * (double)w[j] + (double)acc[j];                 \
    float lo = (float)(s * (1 - 0x1p-52)), hi = (float)(s * (1 + 0x1p-52)); \
    sum[j] = lo;                                                            \
    differ |= !(lo == hi);                                                  \
  }                                                                         \
  if (differ)                                                               \
    for (int j = 0; j < n; j++) sum[j] = whet__fma_f32((x), w[j], acc[j]);  \
  memcpy(acc, sum, (size_t)n * sizeof *acc);

WHET_INLINE void whet__fma_line_f32(float *restrict acc, float a, const float *restrict w,
                                    const int n){WHET_FMA_LINES(a)} WHET_INLINE
    void whet__fma_pairs_f32(float *restrict acc, const float *restrict x, const float *restrict w, const int n) {
  WHET_FMA_LINES(x[j])
}
#undef WHET_FMA_LINES
#endif

#endif
