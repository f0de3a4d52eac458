/* SPDX-License-Identifier: Apache-2.0 */
/* What every row of family unary_f32 shares: reduction of arguments of sin, cos and tan beyond 71476. */

#include "kern/unary_f32.h"

#include <math.h>

float whet__trig_reduce(float x, int32_t *q);

/* Bits of 2/pi after the point, in words; word 0 stands before the point. */
static const uint32_t k_two_over_pi[] = {0,          0xa2f9836e, 0x4e441529, 0xfc2757d1,
                                         0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};

/* x = q pi/2 + r, |r| <= pi/4, for large x (Payne and Hanek): x = m 2^e with an integer m of 24 bits; of the product
 * m 2^e (2/pi) only two bits before the point count, and what follows them. NaN for infinities and NaN; not for |x|
 * under 2^15 (0 then). */
float whet__trig_reduce(float x, int32_t *q) {
  uint32_t u;
  memcpy(&u, &x, 4);
  int32_t e = (int32_t)(u >> 23 & 0xff) - 150;
  *q = 0;
  if (e == 105) return x - x;
  if (e < -8) return 0;
  uint64_t m = (u & 0x7fffff) | 0x800000;
  /* 96 bits of 2/pi from bit e - 2 after the point on (word 0 gives the bits before it): the first has weight 4 2^-e.
   */
  int32_t at = e - 2 + 32, word = at / 32, shift = at % 32;
  uint64_t w[3];
  for (int i = 0; i < 3; i++) {
    uint64_t two = (uint64_t)k_two_over_pi[word + i] << 32 | k_two_over_pi[word + i + 1];
    w[i] = (two >> (32 - shift)) & 0xffffffff;
  }
  /* The product modulo 2^96; its top two bits are the quadrant. */
  uint64_t low = m * w[2], mid = m * w[1] + (low >> 32), top = m * w[0] + (mid >> 32);
  uint64_t p = top << 32 | (mid & 0xffffffff);
  uint64_t quadrant = (p + (UINT64_C(1) << 61)) >> 62;
  int64_t rest = (int64_t)(p - (quadrant << 62));
  double r = (double)rest * (0x1.921fb54442d18p0 * 0x1p-62);
  if (u >> 31) {
    *q = -(int32_t)(quadrant & 3);
    return (float)-r;
  }
  *q = (int32_t)(quadrant & 3);
  return (float)r;
}
