/* SPDX-License-Identifier: Apache-2.0 */
/* Family binary_q8: factors and dimensions. */

#include "kern/binary_q8.h"

void whet__binary_q8_factors(whet_binary_q8 *p, float sx, float sy, float sz) {
  if (p->round == WHET_ROUND_ONNX_REAL) {
    float product = sx * sy;
    p->x_real = p->fn == WHET_BIN_MUL ? product / sz : sx / sz;
    p->y_real = sy / sz;
  } else if (p->fn == WHET_BIN_MUL) {
    float factor = sx * sy / sz;
    whet__quantize_multiplier((double)factor, &p->z_mul, &p->z_shift);
  } else {
    double twice = (double)(2 * (sx > sy ? sx : sy));
    whet__quantize_multiplier((double)sx / twice, &p->x_mul, &p->x_shift);
    whet__quantize_multiplier((double)sy / twice, &p->y_mul, &p->y_shift);
    whet__quantize_multiplier(twice / (double)((float)(1 << p->left) * sz), &p->z_mul, &p->z_shift);
  }
}

void whet__binary_q8_simplify(whet_binary_q8 *p) {
  int32_t n = 0;
  for (int32_t i = 0; i < p->rank; i++) {
    int64_t d = p->dim[i];
    if (d == 1) continue;
    if (n && p->x_stride[n - 1] == p->x_stride[i] * d && p->y_stride[n - 1] == p->y_stride[i] * d &&
        p->z_stride[n - 1] == p->z_stride[i] * d)
      d *= p->dim[--n];
    p->dim[n] = d;
    p->x_stride[n] = p->x_stride[i];
    p->y_stride[n] = p->y_stride[i];
    p->z_stride[n] = p->z_stride[i];
    n++;
  }
  if (!n) {
    p->dim[0] = p->x_stride[0] = p->y_stride[0] = p->z_stride[0] = 1;
    n = 1;
  }
  p->rank = n;
}
