/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_SOFTMAX_Q8_H
#define WHET_KERN_SOFTMAX_Q8_H

/* Family softmax_q8: softmax of rows of 8-bit numbers in fixed point, as TFLite defines it. With d = x - max of the
 * row:
 *
 *   s = sum of exp[-d] / 2^12 (halves away from zero);   r / 2^over = 1 / s
 *   y = least + clamp(exp[-d] * r >> (over + 31 - bits), halves away from zero)
 *
 * exp[k]: e^(-k * scale * beta) as Q0, 0 from where it is negligible. Results have 8 or 16 bits.
 * Rows are dense, or pitches apart. Arguments: [0] in, [1] the table exp, 256 of int32, [2] out. Exact. */

#include "kern/fixed.h"
#include "kern/kern.h"

typedef struct whet_softmax_q8 {
  int64_t rows, n, in_pitch, out_pitch; /* elements of a row, elements between rows */
  uint8_t in_signed;
  uint8_t out; /* whet_dtype: S8, U8, S16 */
} whet_softmax_q8;

/* The table for a scale and beta. */
void whet__softmax_q8_table(float scale, float beta, int32_t exp[256]);
/* How differences of a row are multiplied before e^x, as Q5; *least: the smallest difference that counts. */
void whet__softmax_q8_factor(float scale, float beta, int32_t *mul, int32_t *shift, int32_t *least);

#endif
