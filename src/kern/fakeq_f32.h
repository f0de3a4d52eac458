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
 * Arguments: [0] x, [1] y, both of rows x n, dense; y may be x. Exact for finite numbers.
 *
 * Or the bytes themselves are stored, with step and zero point of each row. With `bytes` S8 they are those of above;
 * with U8 those of ONNX's DynamicQuantizeLinear:
 *
 *   s = (max(0, x) - min(0, x)) / 255, or 1; zero = clamp(rne(0 - min(0, x) / s), 0, 255); clamp(rne(x / s) + zero,
 * 0, 255)
 *
 * Arguments: [0] x, [1] bytes, [2] steps f32[rows], [3] zero points: s32[rows] for S8, u8[rows] for U8; each may be
 * NULL. */

#include "kern/kern.h"

enum { WHET_FAKEQ_FLOATS, WHET_FAKEQ_S8, WHET_FAKEQ_U8 };

typedef struct whet_fakeq_f32 {
  int64_t rows, n;
  uint8_t asymmetric;
  uint8_t bytes; /* WHET_FAKEQ_ */
} whet_fakeq_f32;

/* Step and zero point for a row whose least and greatest numbers are lo and hi, and the factor that takes numbers to
 * steps. */
void whet__fakeq_range(float lo, float hi, bool asymmetric, float *step, float *inverse, int32_t *zero);
/* Step and zero point by ONNX's rule. */
void whet__fakeq_range_u8(float lo, float hi, float *step, int32_t *zero);

#endif
