/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_PREP_COLOR_H
#define WHET_KERN_PREP_COLOR_H

/* Family prep_color: samples of a row of pixels exchanged, dropped, repeated, or made grey.
 *
 *   from[ch] < 4:              out[x][ch] = in[x][from[ch]]
 *   from[ch] == WHET_PREP_MAX: out[x][ch] = 255 (an alpha that the picture has not)
 *   luma (c_out == 1):         out[x] = (in[x][from[0]] * 4899 + in[x][from[1]] * 9617 + in[x][from[2]] * 1868 +
 * 8192) >> 14
 *
 * The luma weights are those of ITU-R BT.601 with 14 fraction bits; from names red, green and blue. Exact.
 * Arguments: [0] in[n][c_in], u8, readable to its end only; [1] out[n][c_out], u8. They do not overlap. */

#include "kern/kern.h"

enum { WHET_PREP_MAX = 4 };

typedef struct whet_prep_color {
  int64_t n;           /* pixels */
  int32_t c_in, c_out; /* samples of a pixel: 1..4 */
  uint8_t from[4];
  uint8_t luma;
} whet_prep_color;

#endif
