/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_POOL_F32_H
#define WHET_KERN_POOL_F32_H

/* Family pool_f32: greatest element, mean, or root of the sum (or mean) of squares of windows over the spatial
 * dimensions of [batch][d][h][w][c], f32, channels last:
 *
 *   y[b][o][c] = f over k of x[b][o * stride - pad + k * dilation][c], for the k that lie inside
 *
 * Order: one chain for each output, k ascending in (d, h, w); squares by fused multiply-add; MEAN divides once at the
 * end by the elements inside, or with count_pads by those inside the padded input. MAX gives NaN when an element is
 * NaN. Then the micro-operations of the epilogue, of which ADD and MUL read `res` (laid out as y).
 *
 * Pixels of x and y lie x_pitch and y_pitch elements apart. Arguments: [0] x, [1] y, [2] res or NULL. */

#include "kern/epilogue.h"
#include "kern/kern.h"

enum { WHET_POOL_F32_MAX, WHET_POOL_F32_MEAN, WHET_POOL_F32_L2 };

typedef struct whet_pool_f32 {
  uint8_t fn, count_pads, mean; /* WHET_POOL_F32_; MEAN: see above; L2: root of the mean of squares, not the sum */
  int64_t batch, chan, in[3], out[3];
  int64_t kernel[3], stride[3], dilation[3], pad[3], pad_end[3];
  int64_t x_pitch, y_pitch;
  whet_epi_f32 epi;
} whet_pool_f32;

#endif
