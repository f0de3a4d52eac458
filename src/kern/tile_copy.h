/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_TILE_COPY_H
#define WHET_KERN_TILE_COPY_H

/* Rows of activations brought to where tiles of family conv_q8 read them: borders filled, bytes as tiles see them,
 * gaps between pixels gone. For files that have defined TILE_ELEM and TILE_SIGNED, see tile_q8.h. */

#include "kern/conv_q8.h"

#ifndef TILE_SIGNED
#define TILE_SIGNED 0
#endif

/* What turns activations into those that tiles see, and the zero point as they see it. */
static inline uint8_t tile_turn(const whet_conv_q8 *p) { return (p->in_signed != 0) == TILE_SIGNED ? 0 : 0x80; }
static inline int32_t tile_zero(const whet_conv_q8 *p) { return p->in_zero - (TILE_SIGNED ? 128 : 0); }

/* n bytes to elements, n constant: a loop that every compiler makes vectors of. */
static inline __attribute__((always_inline)) void tile_copy_few(TILE_ELEM *restrict to, const uint8_t *restrict from,
                                                                int n, uint8_t turn) {
  for (int i = 0; i < n; i++) to[i] = (uint8_t)(from[i] ^ turn);
}

/* n bytes to elements, their top bit turned where signed. */
static inline __attribute__((always_inline)) void tile_copy(TILE_ELEM *restrict to, const uint8_t *restrict from,
                                                            int64_t n, uint8_t turn) {
  int64_t i = 0;
  if (sizeof(TILE_ELEM) == 1 && !turn) {
    memcpy(to, from, (size_t)n);
    return;
  }
  for (; i + 64 <= n; i += 64) tile_copy_few(to + i, from + i, 64, turn);
  for (; i + 16 <= n; i += 16) tile_copy_few(to + i, from + i, 16, turn);
  if (i < n && n >= 16) /* the last sixteen overlap */
    tile_copy_few(to + n - 16, from + n - 16, 16, turn);
  else
    for (; i < n; i++) to[i] = (uint8_t)(from[i] ^ turn);
}

static inline void tile_fill(TILE_ELEM *to, int64_t n, int32_t zero) {
  for (int64_t i = 0; i < n; i++) to[i] = (TILE_ELEM)zero;
}

/* n pixels of `pix` channels: those at x, x + by, x + 2 by ... of a row of `w`, whose first is at `from`. */
static inline void tile_copy_row(const whet_conv_q8 *p, const uint8_t *from, int64_t w, int64_t x, int64_t by,
                                 int64_t n, int64_t pix, TILE_ELEM *to) {
  const uint8_t turn = tile_turn(p);
  int64_t a = x < 0 ? whet__min_i(whet__ceil_div(-x, by), n) : 0;
  int64_t b = w > x ? whet__clamp_i(whet__ceil_div(w - x, by), a, n) : a;
  tile_fill(to, a * pix, tile_zero(p));
  if (by == 1 && p->in_pitch == pix)
    tile_copy(to + a * pix, from + (x + a) * p->in_pitch, (b - a) * pix, turn);
  else
    for (int64_t i = a; i < b; i++) tile_copy(to + i * pix, from + (x + i * by) * p->in_pitch, pix, turn);
  tile_fill(to + b * pix, (n - b) * pix, tile_zero(p));
}

#endif
