/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_QUANTIZE_H
#define WHET_KERN_QUANTIZE_H

/* Family quantize: between f32 and 8-bit numbers of one scale.
 *
 *   to bytes:   y = clamp(round(x / scale) + zero), the quotient rounded to f32, then half to even, or half away from
 *               zero; NaN gives the least number
 *   to floats:  y = (float)(x - zero) * scale
 *
 * Rows of `run` elements lie in_pitch and out_pitch elements apart. Arguments: [0] in, [1] out. Exact. */

#include "kern/kern.h"
#include "kern/requant.h"

typedef struct whet_quantize {
  uint8_t to_float, is_signed; /* is_signed: the bytes */
  uint8_t away;                /* halves away from zero */
  int32_t zero;
  float scale;
  int64_t rows, run, in_pitch, out_pitch;
} whet_quantize;

/* One number to a byte. */
static inline uint8_t whet__quantize_one(const whet_quantize *p, float x) {
  float v = x / p->scale;
  int32_t lo = p->is_signed ? -128 : 0, r;
  if (p->away)
    r = v >= 65536.0f ? 65536 : v > -65536.0f ? (int32_t)roundf(v) : -65536;
  else
    r = whet__round_even(v);
  return (uint8_t)whet__add_zero(r, p->zero, lo, lo + 255);
}

/* Part of the rows, or of the only row. */
static inline void whet__quantize_split(const whet_quantize *p, int part, int parts, int64_t *from, int64_t *to,
                                        int64_t *at, int64_t *n) {
  *from = 0, *to = p->rows, *at = 0, *n = p->run;
  if (p->rows > 1) {
    whet__split(p->rows, part, parts, from, to);
  } else {
    int64_t end;
    whet__split((p->run + 63) / 64, part, parts, at, &end);
    *at *= 64;
    *n = whet__min_i(end * 64, p->run) - *at;
  }
}

#endif
