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

/* What runs of the family share: its part of the rows, each by `row`; turn: what makes signed numbers unsigned. */
static inline void whet__softmax_q8_rows(const whet_softmax_q8 *p, void *const *ptr, int part, int parts,
                                         void (*row)(const whet_softmax_q8 *p, const uint8_t *x, const int32_t *exp, char *y,
                                                     uint8_t turn)) {
  int64_t from, to, bytes = p->out == WHET_S16 ? 2 : 1;
  whet__split(p->rows, part, parts, &from, &to);
  for (; from < to && p->n; from++)
    row(p, (const uint8_t *)ptr[0] + from * p->in_pitch, ptr[1], (char *)ptr[2] + from * p->out_pitch * bytes,
        p->in_signed ? 0x80 : 0);
}

#endif
