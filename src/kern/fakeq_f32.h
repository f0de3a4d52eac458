/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_FAKEQ_F32_H
#define WHET_KERN_FAKEQ_F32_H

/* Family fakeq_f32: each row of floats is rounded to what 8 bits can say of it: TFLite's hybrid arithmetic quantises
 * activations so as they come.
 *
 *   symmetric:  s = max |x| / 127;                 y = s * clamp(round(x * (127 / max |x|)), -127, 127)
 *   asymmetric: s = (max(0, x) - min(0, x)) / 255; y = s * (clamp(round(zero + x * (1 / s)), -128, 127) - zero)
 *
 * round: halves away from zero; zero: where 0 falls, computed from the end of the range that is nearer to it.
 * Arguments: [0] x, [1] y, both of rows x n, dense; y may be x. Exact for finite numbers. */

#include "kern/kern.h"

typedef struct whet_fakeq_f32 {
  int64_t rows, n;
  uint8_t asymmetric;
} whet_fakeq_f32;

/* Step and zero point for a row whose least and greatest numbers are lo and hi, and the factor that takes numbers to
 * steps. */
void whet__fakeq_range(float lo, float hi, bool asymmetric, float *step, float *inverse, int32_t *zero);

#endif
