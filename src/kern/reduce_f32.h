/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_REDUCE_F32_H
#define WHET_KERN_REDUCE_F32_H

/* Family reduce_f32: x [outer][n][inner] to y [outer][inner], over the middle.
 *
 * Order of the sums: inner > 1: one chain for each output, i ascending. inner = 1: 16 lanes, element i goes to lane
 * i mod 16, each lane a chain from 0 (1 for PROD), then lane l += lane l+8, l+4, l+2, l+1. L2 and SUM_SQUARE add by
 * fused multiply-add. MEAN is the sum times 1/n in f32. MAX and MIN give NaN when an element is NaN.
 *
 * Arguments: [0] x, [1] y, both dense. Scratch: none. */

#include "kern/kern.h"

#define WHET_REDUCE_F32_MAP(X) X(SUM) X(MEAN) X(MAX) X(MIN) X(PROD) X(L1) X(L2) X(SUM_SQUARE) X(LOG_SUM)

enum {
#define WHET_REDUCE_F32_ENUM(name) WHET_RED_##name,
  WHET_REDUCE_F32_MAP(WHET_REDUCE_F32_ENUM)
#undef WHET_REDUCE_F32_ENUM
      WHET_RED_COUNT
};

typedef struct whet_reduce_f32 {
  int32_t fn; /* WHET_RED_ */
  int64_t outer, n, inner;
} whet_reduce_f32;

#endif
