/* SPDX-License-Identifier: Apache-2.0 */
/* The range of a row, as LiteRT's reference kernels compute it. */

#include "kern/fakeq_f32.h"

#include <math.h>

void whet__fakeq_range(float lo, float hi, bool asymmetric, float *step, float *inverse, int32_t *zero) {
  *step = 1;
  *inverse = 0;
  *zero = 0;
  if (!asymmetric) {
    float range = fmaxf(fabsf(lo), fabsf(hi));
    if (range == 0) return;
    *step = range / 127;
    *inverse = 127 / range;
    return;
  }
  double least = fmin(0, lo), most = fmax(0, hi);
  if (least == most) return;
  double s = (most - least) / 255, z = -128 - least / s;
  if (128 + fabs(least / s) >= 127 + fabs(most / s)) z = 127 - most / s;
  *zero = z <= -128 ? -128 : z >= 127 ? 127 : (int32_t)round(z);
  *step = (float)s;
  *inverse = (float)(1.0 / *step);
}
