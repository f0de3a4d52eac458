/* SPDX-License-Identifier: Apache-2.0 */
/* Family softmax_q8: its table. TFLite: lite/kernels/internal/quantization_util.cc, PreprocessSoftmaxScaling and
 * CalculateInputRadius. */

#include "kern/softmax_q8.h"

void whet__softmax_q8_factor(float scale, float beta, int32_t *mul, int32_t *shift, int32_t *least) {
  double real = (double)beta * (double)scale * (double)(1 << 26);
  whet__quantize_multiplier(real < 2147483647.0 ? real : 2147483647.0, mul, shift);
  double radius = 31.0 * (double)(1 << 26) / ldexp(1, *shift);
  *least = -(int32_t)floor(radius < 2147483647.0 ? radius : 2147483647.0);
}

void whet__softmax_q8_table(float scale, float beta, int32_t exp[256]) {
  int32_t mul, shift, least;
  whet__softmax_q8_factor(scale, beta, &mul, &shift, &least);
  for (int32_t k = 0; k < 256; k++) exp[k] = -k >= least ? whet__fx_exp(whet__mul_fix(-k, mul, shift), 5) : 0;
}
