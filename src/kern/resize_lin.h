/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_RESIZE_LIN_H
#define WHET_KERN_RESIZE_LIN_H

/* Family resize_lin: linear resizing of the middle dimensions of [outer][h][w][inner]. Every output row and every output
 * column looks at two of the input, `low` and `high`:
 *
 *   F32     t[x] = in[low][x] * before + in[high][x] * after       for the row's places,
 *           out[x] = t[low] * before + t[high] * after             for the column's
 *   S8 S16  the same with the whole numbers 1024 - fixed and fixed, then >> 20, half away from zero
 *   U8      in f32: (in[yl][xl] * yb) * xb + (in[yh][xl] * ya) * xb + (in[yl][xh] * yb) * xa + (in[yh][xh] * ya) * xa + 1/2,
 *           added in that order and cut
 *
 * The operations are rounded one by one: all rows are exact. S8: -512 <= fixed <= 1536, so that sums fit in 32 bits.
 * Arguments: [0] in, [1] places: those of out_h rows, then of out_w columns, [2] out, [3] scratch. */

#include "kern/kern.h"

enum { WHET_RESIZE_F32, WHET_RESIZE_S8, WHET_RESIZE_S16, WHET_RESIZE_U8 };

typedef struct whet_resize_place {
  int32_t low, high, fixed;
  float before, after;
} whet_resize_place;

typedef struct whet_resize_lin {
  uint8_t kind; /* WHET_RESIZE_ */
  int64_t outer, out_h, in_w, out_w, inner;
  int64_t in_outer, in_row, in_pixel; /* elements from one to the next; `inner` of a pixel lie together */
  int64_t out_outer, out_row, out_pixel;
} whet_resize_lin;

#endif
