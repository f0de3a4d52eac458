/* SPDX-License-Identifier: Apache-2.0 */
/* What every row of family binary_f32 shares: the shape that remains when dimensions are merged. */

#include "kern/binary_f32.h"

void whet__binary_f32_simplify(whet_binary_f32 *p) {
  int32_t n = 0;
  for (int32_t i = 0; i < p->rank; i++) {
    if (p->dim[i] == 1) continue;
    if (n && p->x_stride[n - 1] == p->x_stride[i] * p->dim[i] && p->y_stride[n - 1] == p->y_stride[i] * p->dim[i] &&
        p->z_stride[n - 1] == p->z_stride[i] * p->dim[i]) {
      p->dim[n - 1] *= p->dim[i];
      p->x_stride[n - 1] = p->x_stride[i];
      p->y_stride[n - 1] = p->y_stride[i];
      p->z_stride[n - 1] = p->z_stride[i];
      continue;
    }
    p->dim[n] = p->dim[i];
    p->x_stride[n] = p->x_stride[i];
    p->y_stride[n] = p->y_stride[i];
    p->z_stride[n] = p->z_stride[i];
    n++;
  }
  p->rank = n;
}
