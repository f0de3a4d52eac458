/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_BNORM_F32_H
#define WHET_KERN_BNORM_F32_H

/* Family bnorm_f32: batch normalisation as training has it, over x [rows][chan], one mean and variance for each channel.
 *
 *   SUMS   part[s] = sums over the rows of shard s (rows * s / 16 .. rows * (s + 1) / 16), ascending, of
 *          forward: d = x - x[0] and d^2;  back: g and g h, h = (x - mean) i
 *   APPLY  with the shards added as a tree (s and s + 8, then + 4, + 2, + 1):
 *          forward: mean = x[0] + D / n, i = 1 / sqrt(max(D2 / n - (D / n)^2, 0) + epsilon),
 *                   y = (x - mean) (i scale) + bias
 *          back: dscale = G H, dbias = G, dx = i scale (g - G / n - h G H / n)
 *
 * Sums of squares and the last multiplication and addition are fused; exact.
 *
 * Arguments, SUMS: [0] x, [1] part [16][2][chan]; back also [2] g, [3] mean, [4] i.
 * APPLY forward: [0] x, [1] part, [2] scale, [3] bias, [4] y, [5] mean, [6] i.
 * APPLY back: [0] x, [1] part, [2] g, [3] mean, [4] i, [5] scale, [6] dx, [7] dscale, [8] dbias; the last three may be NULL.
 * Then scratch: 4 chan floats. */

#include "kern/kern.h"

enum { WHET_BNORM_SHARDS = 16, WHET_BNORM_SUMS = 1, WHET_BNORM_BACK = 2 };

typedef struct whet_bnorm_f32 {
  int32_t kind; /* SUMS or 0, BACK or 0 */
  float epsilon;
  int64_t rows, chan;
} whet_bnorm_f32;

#endif
