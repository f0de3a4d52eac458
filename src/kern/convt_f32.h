/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_CONVT_F32_H
#define WHET_KERN_CONVT_F32_H

/* Family convt_f32: transposed convolution: input position i meets output position i * stride + tap * dilation - pad.
 *
 * Outputs whose positions leave the same remainder by the stride have the same taps: each such phase is a convolution
 * of stride 1 with those taps, their order reversed, whose outputs lie `stride` positions apart. It is run as
 * conv_f32, or dw_f32 where there is one channel in and out of each of several groups.
 *
 * Parameters: conv_f32's, with the meaning above. Arguments: as conv_f32's. Packed weights: for each phase (depth,
 * height, width; the last fastest) what that wants; whet__convt_pack_f32 makes them. Order of sums: the bias,
 * then one chain of fused multiply-adds with input positions ascending, channels innermost, then the residual; exact.
 */

#include "kern/dw_f32.h"
#include "kern/pack_f32.h"

/* Phase `phase` of one dimension as a window of its own; *tap is the tap that comes first and *tap_step how many taps
 * to go down to the next (kernel 0: none). */
whet_window whet__convt_phase(const whet_window *w, int64_t phase, int64_t *tap, int64_t *tap_step);

typedef struct whet_convt_pack_f32 {
  whet_pack_f32 pack; /* of all taps, k: kernel and channels */
  int64_t stride[3], dilation[3], pad[3];
} whet_convt_pack_f32;
size_t whet__convt_pack_f32_bytes(const void *params);
void whet__convt_pack_f32(const void *params, const void *const *src, void *dst, int part, int parts);

static inline bool whet__convt_depthwise(const whet_conv_f32 *c) { return c->groups > 1 && c->ic == 1 && c->oc == 1; }
void whet__convt_f32(const void *params, void *const *ptr, int part, int parts, const whet_tiles_f32 *tiles, const whet_dws_f32 *dw);

#endif
