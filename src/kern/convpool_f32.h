/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_CONVPOOL_F32_H
#define WHET_KERN_CONVPOOL_F32_H

/* Family convpool_f32: conv_f32 and then the greatest of windows (pool_f32's MAX) of its results, a few rows at a time,
 * so that what lies between them stays in the second cache. First layers make the largest tensors of a model, and
 * pools shrink them at once.
 *
 * Parameters: those of both, over two dimensions (depth 1), the convolution's results dense: its out steps are not
 * looked at, the pool's in sizes are the convolution's out sizes. Neither residuals nor an epilogue of the pool.
 * Arguments: as conv_f32's, res absent; the output overlaps no other. Order of sums: as in
 * conv_f32; exact. */

#include "kern/conv_f32.h"
#include "kern/pool_f32.h"

typedef struct whet_convpool_f32 {
  whet_conv_f32 conv;
  whet_pool_f32 pool;
  int64_t rows; /* of the output that are made at once */
} whet_convpool_f32;

/* Set `rows` from the other sizes. */
void whet__convpool_set_rows(whet_convpool_f32 *p);
/* What the rows do, over a row of conv_f32 and its row of pool_f32. */
size_t whet__convpool_f32_scratch(const whet_convpool_f32 *p, const whet_kern *conv);
void whet__convpool_f32(const void *params, void *const *ptr, int part, int parts, const whet_kern *conv, const whet_kern *pool);

#endif
