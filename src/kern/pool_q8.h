/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_POOL_Q8_H
#define WHET_KERN_POOL_Q8_H

/* Family pool_q8: pooling of 8-bit pictures [image][h][w][c] over windows of h and w. Taps outside the picture are
 * left out; every window holds at least one tap.
 *
 *   max              the greatest number, clamped to lo..hi
 *   mean, TFL_FIX    (sum of x +- count / 2) / count, cut towards zero (+ where the sum is positive); clamped
 *   mean, TFL_FIX1   clamp(fix(sum of x - in_zero, mul, shift) + out_zero), the factor for all taps (TFLite's MEAN)
 *   mean, ONNX_REAL  clamp(rne((float)(sum of x - in_zero) * ((sx * (1 / count)) / sy)) + out_zero), operations in
 * f32; count: taps inside, or always `count`
 *
 * in, out: pixels in_pitch and out_pitch elements apart, rows and images without gaps. Arguments: [0] in, [1] out,
 * [2] scratch. Exact. A window has at most 65,536 taps. */

#include "kern/kern.h"
#include "kern/requant.h"

typedef struct whet_pool_q8 {
  int32_t images, in_h, in_w, channels, out_h, out_w;
  int32_t kh, kw, stride_h, stride_w, dil_h, dil_w, pad_top, pad_left;
  int64_t in_pitch, out_pitch;
  uint8_t mean, is_signed, round;
  int32_t count; /* 0: the taps inside */
  int32_t in_zero, out_zero, lo, hi;
  float sx, sy;
  int32_t mul, shift; /* TFL_FIX1 */
} whet_pool_q8;

/* What a mean is made of n taps, of which s is the sum of stored numbers. */
static inline int32_t whet__pool_mean(const whet_pool_q8 *p, int32_t s, int32_t n) {
  if (p->round == WHET_ROUND_TFL_FIX1)
    return whet__add_zero(whet__mul_fix(s - n * p->in_zero, p->mul, p->shift), p->out_zero, p->lo, p->hi);
  if (p->round != WHET_ROUND_ONNX_REAL) {
    int32_t r = s > 0 ? (s + n / 2) / n : (s - n / 2) / n;
    return r < p->lo ? p->lo : r > p->hi ? p->hi : r;
  }
  float part = 1.0f / (float)(p->count ? p->count : n), product = p->sx * part;
  return whet__add_zero(whet__mul_real32(s - n * p->in_zero, product / p->sy), p->out_zero, p->lo, p->hi);
}

/* The pixels that result (y, x) of an image reads; how many. tap has room for kh * kw. */
static inline int64_t whet__pool_taps(const whet_pool_q8 *p, const uint8_t *in, int64_t y, int64_t x,
                                      const uint8_t **tap) {
  int64_t n = 0;
  for (int32_t i = 0; i < p->kh; i++) {
    int64_t iy = y * p->stride_h - p->pad_top + (int64_t)i * p->dil_h;
    if (iy < 0 || iy >= p->in_h) continue;
    for (int32_t j = 0; j < p->kw; j++) {
      int64_t ix = x * p->stride_w - p->pad_left + (int64_t)j * p->dil_w;
      if (ix >= 0 && ix < p->in_w) tap[n++] = in + (iy * p->in_w + ix) * p->in_pitch;
    }
  }
  return n;
}

/* A walk over results: the pixels that each reads are those of the one before, moved, where both windows lie within
 * the rows. */
typedef struct whet_pool_walk {
  const whet_pool_q8 *p;
  const uint8_t *pixels, **tap; /* of all images; of the result */
  int64_t row, x, taps;         /* row counts those of all images */
} whet_pool_walk;

static inline void whet__pool_at(whet_pool_walk *w) {
  const whet_pool_q8 *p = w->p;
  const uint8_t *in = w->pixels + w->row / p->out_h * p->in_h * p->in_w * p->in_pitch;
  w->taps = whet__pool_taps(p, in, w->row % p->out_h, w->x, w->tap);
}

static inline whet_pool_walk whet__pool_begin(const whet_pool_q8 *p, const void *pixels, int64_t at,
                                              const uint8_t **tap) {
  whet_pool_walk w = {p, pixels, tap, at / p->out_w, at % p->out_w, 0};
  whet__pool_at(&w);
  return w;
}

static inline void whet__pool_next(whet_pool_walk *w) {
  const whet_pool_q8 *p = w->p;
  int64_t left = w->x * p->stride_w - p->pad_left, reach = (int64_t)(p->kw - 1) * p->dil_w + p->stride_w;
  if (++w->x == p->out_w) w->row++, w->x = 0;
  if (!w->x || left < 0 || left + reach >= p->in_w) {
    whet__pool_at(w);
    return;
  }
  for (int64_t t = 0; t < w->taps; t++) w->tap[t] += p->stride_w * p->in_pitch;
}

static inline size_t whet__pool_scratch(const void *params) {
  const whet_pool_q8 *p = params;
  return (size_t)p->kh * (size_t)p->kw * sizeof(void *);
}

#endif
