/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_DWGRAD_F32_H
#define WHET_KERN_DWGRAD_F32_H

/* Family dwgrad_f32: the gradient of a depthwise convolution's weights: wgrad_f32.h's `sums` with ic = oc = 1 and one group
 * for each channel. The channels of a pixel are neighbours in x and in dy. Shards are joined by wgrad_f32. Exact.
 *
 * Arguments: [0] x, [1] dy, [2] shards, [3] scratch. */

#include "kern/wgrad_f32.h"

enum { WHET_DWGRAD_CHANNELS = 32 }; /* of a piece of the work */

static inline int64_t whet__dwgrad_f32_parts(const whet_wgrad_f32 *p) {
  return whet__wgrad_f32_shards(p) * whet__ceil_div(p->groups, WHET_DWGRAD_CHANNELS);
}

#endif
