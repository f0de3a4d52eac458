/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_PREP_QUAD_H
#define WHET_KERN_PREP_QUAD_H

/* Family prep_quad: both halves of bilinear resizing at once, for pictures that shrink to less than half: of a row most
 * pixels are not looked at, so that means of whole rows (prep_rows) would be made in vain. The bits are those of
 * prep_rows with two rows, then prep_cols with two weights:
 *
 *   m[k][ch]   = (a[first[x] + k][ch] * wr[0] + b[first[x] + k][ch] * wr[1] + 64) >> 7            k = 0, 1
 *   out[x][ch] = (m[0][ch] * w[x][0] + m[1][ch] * w[x][1] + 2^20) >> 21
 *
 * a, b: u8, rows of `wide` pixels; nothing past them is read. w, wr: s16, 14 fraction bits, none negative, pairs add up
 * to 2^14. first never falls and first[x] + 2 <= wide. out: u8. Exact.
 * Arguments: [0] a; [1] b, may be a; [2] out[n][c]; [3] first[n], int32; [4] w[n][2]; [5] wr[2]. */

#include "kern/kern.h"

typedef struct whet_prep_quad {
  int32_t n;    /* pixels to make */
  int32_t c;    /* samples of a pixel: 1..4 */
  int32_t wide; /* pixels of a row */
} whet_prep_quad;

/* Pixels from..*to-1 for which eight bytes may be read from each row; the answer is where that ends. */
static inline int64_t whet__prep_quad_safe(const whet_prep_quad *p, const int32_t *first, int64_t from, int64_t to) {
  while (to > from && (int64_t)first[to - 1] * p->c + 8 > (int64_t)p->wide * p->c) to--;
  return to;
}

/* Pixels from..to-1 in plain C. */
static inline void whet__prep_quad_plain(const whet_prep_quad *p, void *const *ptr, int64_t from, int64_t to) {
  const int16_t *w = ptr[4], *wr = ptr[5];
  const int32_t *first = ptr[3];
  for (int64_t x = from; x < to; x++) {
    const uint8_t *a = (const uint8_t *)ptr[0] + (int64_t)first[x] * p->c;
    const uint8_t *b = (const uint8_t *)ptr[1] + (int64_t)first[x] * p->c;
    uint8_t *o = (uint8_t *)ptr[2] + x * p->c;
    for (int32_t ch = 0; ch < p->c; ch++) {
      int32_t m0 = (a[ch] * wr[0] + b[ch] * wr[1] + 64) >> 7;
      int32_t m1 = (a[p->c + ch] * wr[0] + b[p->c + ch] * wr[1] + 64) >> 7;
      o[ch] = (uint8_t)((m0 * w[x * 2] + m1 * w[x * 2 + 1] + (1 << 20) - WHET_BUG(1 << 19)) >> 21);
    }
  }
}

#endif
