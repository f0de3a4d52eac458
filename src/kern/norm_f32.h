/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_NORM_F32_H
#define WHET_KERN_NORM_F32_H

/* Family norm_f32: elements shifted and scaled by statistics of their row or group, f32.
 *
 *   LAYER   x [outer][n]: m = mean, v = mean of (x - m)^2 of a row; y = ((x - m) * i) * scale[k] + bias[k], i =
 * 1/sqrt(v + e) RMS     the same with m = 0 L2      y = x / max(sqrt(sum of squares), e), or 0 where that is 0 GROUP
 * x [outer][n][chan], channels in groups of `each`: LAYER over a group's n x each elements, scale and bias for each
 * channel
 *
 * Sums: 16 lanes and their tree (lanes.h) over a row, or over the channels of a group with n ascending; groups of one
 * channel: one chain. Squares and the last step are fused multiply-adds; means are sums times 1/count in f32.
 *
 * Arguments: [0] x, [1] scale or NULL (1), [2] bias or NULL (0), [3] y, [4] means or NULL, [5] i or NULL; all dense;
 * y may be x. */

#include "kern/kern.h"

enum { WHET_NORM_LAYER, WHET_NORM_RMS, WHET_NORM_L2, WHET_NORM_GROUP };

typedef struct whet_norm_f32 {
  int32_t kind; /* WHET_NORM_ */
  float epsilon;
  int64_t outer, n, chan, each; /* chan, each: GROUP */
} whet_norm_f32;

#endif
