/* SPDX-License-Identifier: Apache-2.0 */
/* The range of a row, as LiteRT's reference kernels compute it, and as ONNX has it. */

#include "kern/fakeq_f32.h"

#include <float.h>
#include <math.h>

#include "kern/requant.h"

void whet__fakeq_range(float lo, float hi, bool asymmetric, float *step, float *inverse, int32_t *zero) {
  *step = 1;
  *inverse = 0;
  *zero = 0;
  if (!asymmetric) {
    float range = fabsf(lo) > fabsf(hi) ? fabsf(lo) : fabsf(hi);
    if (range == 0) return;
    *step = range / 127;
    *inverse = 127 / range;
    return;
  }
  float least = lo < 0 ? lo : 0, most = hi > 0 ? hi : 0;
  if (least == most) return;
  float s = (most - least) / 255, z = -128 - least / s;
  if (!(s >= FLT_MIN)) return; /* too small to divide by, or no number */
  if (128 + fabsf(least / s) >= 127 + fabsf(most / s)) z = 127 - most / s;
  *zero = z <= -128 ? -128 : z >= 127 ? 127 : (int32_t)(z + copysignf(0x1.fffffep-2f, z)); /* halves away from zero */
  *step = s;
  *inverse = 1.0f / s;
}

void whet__fakeq_range_u8(float lo, float hi, float *step, int32_t *zero) {
  float least = lo < 0 ? lo : 0, most = hi > 0 ? hi : 0, s = (most - least) / 255.0f;
  *step = s > 0 ? s : 1;
  *zero = whet__add_zero(whet__round_even(0.0f - least / *step), 0, 0, 255);
}
