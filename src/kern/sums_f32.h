/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_SUMS_F32_H
#define WHET_KERN_SUMS_F32_H

/* Family sums_f32: sums of integer products as the real numbers that they stand for, where scale and zero point of
 * the activations were found in the run.
 *
 *   y[r][c] = epilogue((float)(sum[r][c] - zero[g] * weights[c]) * (scale[g] * w_scale[c]) + bias[c]),   g = r /
 * group
 *
 * weights[c]: the sum of the weights of output c. Integers are modulo 2^32; each float operation is rounded. Rows of
 * n elements, dense; those of the residual lie res_pitch apart. Arguments: [0] sum s32, [1] scale f32[], [2] zero
 * s32[] (NULL: 0), [3] weights s32[n] (with zero), [4] w_scale f32[n] (NULL: 1), [5] bias f32[n] (NULL: 0), [6] y,
 * [7] residual or NULL. Exact. */

#include "kern/epilogue.h"
#include "kern/kern.h"

typedef struct whet_sums_f32 {
  int64_t rows, n, group, res_pitch;
  whet_epi_f32 epi;
} whet_sums_f32;

#endif
