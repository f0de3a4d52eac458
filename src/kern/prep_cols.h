/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_PREP_COLS_H
#define WHET_KERN_PREP_COLS_H

/* Family prep_cols: the horizontal half of resizing: weighted means of neighbouring pixels of one row.
 *
 *   out[x][ch] = (sum over k < taps of in[first[x] + k][ch] * w[x][k] + 2^20) >> 21
 *
 * in: s16, 7 fraction bits (0..32640), as prep_rows makes it; w: s16, 14 fraction bits, none negative, sum 2^14; taps
 * is even, unused weights are 0. out: u8. Exact. Arguments: [0] in, readable WHET_SLACK bytes past the last pixel
 * that a weight reaches; [1] out[n][c]; [2] first[n], int32; [3] w[n][taps]. */

#include "kern/kern.h"

typedef struct whet_prep_cols {
  int32_t n;    /* pixels to make */
  int32_t c;    /* samples of a pixel: 1..4 */
  int32_t taps; /* weights of a pixel: even */
} whet_prep_cols;

#endif
