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
 * n sums, dense; those of y lie y_pitch apart, those of the residual res_pitch. Arguments: [0] sum s32, [1] y, [2] scale
 * f32[], [3] zero s32[] (NULL: 0), [4] weights s32[n] (with zero), [5] w_scale f32[n] (NULL: 1), [6] bias f32[n] (NULL:
 * 0), [7] residual or NULL. Exact.
 *
 * Kernels of products do so with each tile of their sums, which then never lie in memory (whet_out_q8.live). */

#include "kern/epilogue.h"
#include "kern/kern.h"

typedef struct whet_sums_f32 {
  int64_t rows, n, group, y_pitch, res_pitch;
  whet_epi_f32 epi;
} whet_sums_f32;

enum { WHET_SUMS_LIVE = 6 }; /* arguments from [2] on */

/* What a tile of sums belongs to. */
typedef struct whet_sums_live {
  const whet_sums_f32 *p;
  float *y;
  void *const *arg; /* from [2] on */
} whet_sums_live;

/* rows x n sums, rows of them `ld` apart, to their place in l->y; by each instruction set, all the same numbers. */
typedef void whet_sums_tile(const whet_sums_live *l, const int32_t *sum, int64_t ld, int64_t rows, int64_t n, float *to);
whet_sums_tile whet__sums_tile_c, whet__sums_tile_avx2, whet__sums_tile_avx512, whet__sums_tile_neon, whet__sums_tile_rvv;

#endif
