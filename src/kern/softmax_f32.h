/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_SOFTMAX_F32_H
#define WHET_KERN_SOFTMAX_F32_H

/* Family softmax_f32: along the middle dimension of [outer][n][inner], f32:
 *
 *   m = greatest x;  e = exp(beta (x - m));  y = e * (1 / sum e),  or with `log`  y = beta (x - m) - ln(sum e)
 *
 * exp and ln of vmath.h. Sums: inner = 1 and n > WHET_SOFTMAX_SHORT: 16 lanes and their tree (lanes.h); else one chain.
 * Error: 6 units in the last place of the result, plus n/16 half units from the sum; `log`: of the greatest |beta (x - m)|
 * or ln n. A row with NaN, or with nothing but -Inf, is NaN.
 *
 * Arguments: [0] x, [1] y, both dense; y may be x. beta > 0. */

#include "kern/kern.h"

enum { WHET_SOFTMAX_SHORT = 16 };

typedef struct whet_softmax_f32 {
  int64_t outer, n, inner;
  float beta;
  uint8_t log;
} whet_softmax_f32;

#endif
