/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_COPY_H
#define WHET_KERN_COPY_H

/* Family copy: move elements of any size between two strided arrays of the same shape.
 *
 *   for every index (i0 .. i[rank-1]):  out[sum i*out_stride] = in[sum i*in_stride]
 *
 * Strides are in elements and may be 0 or negative on the input side (broadcast, reverse; in_offset is the element of
 * index 0). Covers transpose, slice, concat, expand, and the copies that the planner makes.
 * Arguments: [0] in, [1] out. Exact. Rows may be found by simplifying: drivers collapse dimensions first. */

#include "kern/kern.h"

typedef struct whet_copy {
  int32_t elem_bytes; /* 1, 2, 4, 8, 16 */
  int32_t rank;       /* 0 .. WHET_MAX_RANK */
  int64_t dim[WHET_MAX_RANK];
  int64_t in_stride[WHET_MAX_RANK], out_stride[WHET_MAX_RANK];
  int64_t in_offset, out_offset;
} whet_copy;

/* Drop dimensions of size 1 and merge neighbours that are contiguous in both arrays. */
void whet__copy_simplify(whet_copy *c);

#endif
