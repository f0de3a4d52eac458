/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_PAIR_Q8_H
#define WHET_KERN_PAIR_Q8_H

/* Family pair_q8: a function of two bytes by the table of all its results.
 *
 *   z[i] = table[y[i]][x[i]], bytes taken as unsigned
 *
 * over `rank` dimensions with strides of their own, 0 where an operand is spread. Neighbours mostly have one y, so
 * that their results lie in 256 bytes. Arguments: [0] x, [1] y, [2] table, 65536 bytes, [3] z. Exact. */

#include "kern/kern.h"

typedef struct whet_pair_q8 {
  int32_t rank; /* 1 .. WHET_MAX_RANK */
  int64_t dim[WHET_MAX_RANK], x_stride[WHET_MAX_RANK], y_stride[WHET_MAX_RANK], z_stride[WHET_MAX_RANK];
} whet_pair_q8;

#endif
