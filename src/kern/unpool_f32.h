/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_UNPOOL_F32_H
#define WHET_KERN_UNPOOL_F32_H

/* Family unpool_f32: the gradient of pooling's input, channels last, all dense.
 *
 *   MAX   each window gives its dy to its first greatest element
 *   MEAN  each window gives dy / (elements inside, or those of the padded input) to all of its elements
 *
 * Windows in ascending order add to what earlier ones gave; exact. Parts share out samples and blocks of channels.
 *
 * Arguments: [0] dy, [1] dx, [2] x and [3] y for MAX. */

#include "kern/pool_f32.h"

/* Of whet_pool_f32: fn MAX or MEAN, batch, chan, sizes, count_pads. */
typedef whet_pool_f32 whet_unpool_f32;

int64_t whet__unpool_f32_parts(const whet_unpool_f32 *p);

#endif
