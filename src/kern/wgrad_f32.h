/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_WGRAD_F32_H
#define WHET_KERN_WGRAD_F32_H

/* Family wgrad_f32: the gradient of a convolution's weights, channels last; with one position and many samples, of a
 * matrix product's second factor (a' b):
 *
 *   dw[g][j][tap][c] = sum over samples n and output positions p of x[n][p * stride + tap * dilation - pad][g*ic + c]
 *                      * dy[n][p][g*oc + j],   places outside the input left out
 *
 * Parameters: those of conv_f32, out_step and out_batch being distances in dy, with the distances of dw. Sums are one chain
 * of fused multiply-adds from zero, samples and positions ascending, whatever the parts, which share out taps and channels;
 * exact.
 *
 * Arguments: [0] x, [1] dy, [2] dw. */

#include "kern/conv_f32.h"

typedef struct whet_wgrad_f32 {
  int64_t batch, groups, ic, oc;
  whet_window dim[3];
  int64_t in_batch, out_batch;
  int64_t w_group, w_oc, w_ic, w_tap[3];
} whet_wgrad_f32;

/* Pieces that the work falls into. */
int64_t whet__wgrad_f32_parts(const whet_wgrad_f32 *p);

#endif
