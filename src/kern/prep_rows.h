/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_PREP_ROWS_H
#define WHET_KERN_PREP_ROWS_H

/* Family prep_rows: the vertical half of resizing: a weighted mean of neighbouring rows of a picture.
 *
 *   out[i] = (sum over k < taps of in[k * stride + i] * w[k] + 64) >> 7
 *
 * in: u8; w: s16, 14 fraction bits, none negative, sum 2^14; out: s16, 7 fraction bits (0..32640). Exact.
 * Arguments: [0] in: the first row's first sample; nothing past n samples of a row is read; [1] out[n];
 * [2] w[taps rounded up to even], the odd one out 0. */

#include "kern/kern.h"

typedef struct whet_prep_rows {
  int64_t n;      /* samples of a row that are wanted */
  int64_t stride; /* bytes from a row to the next, may be negative */
  int32_t taps;   /* rows, at least 1 */
} whet_prep_rows;

#endif
