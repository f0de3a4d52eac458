/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ARM_DW_Q8_WINDOW_H
#define WHET_KERN_ARM_DW_Q8_WINDOW_H

/* Windows of 3 x 3 taps of family dw_q8 on NEON, included by dw_q8_neon.c: WINDOW neighbouring results of a row,
 * eight channels at a time. Every pixel is widened once for all results that it touches, and the nine weights stay in
 * registers. Pixels pass in a pipeline: those of one are loaded, the one WIDE before is made numbers, one before that
 * multiplied, so that cores that issue in order need not wait. Instructions are asm, one by one, as compilers keep
 * those in order. */

#include "kern/dw_q8.h"

enum {
  WINDOW = 4,
  WINDOW_COLUMNS = (WINDOW - 1) * 2 + 3,
  NEAR = 8 /* columns from one base */,
  WIDE = 3,
  FOUND = 2,
  EARLY = 2,
  RUNS = 8
};

/* Where pixels are: one by one, or those of a row of the picture `step` bytes apart from row[] on. */
typedef struct window_at {
  const uint8_t *pixel[3][WINDOW_COLUMNS], *row[3];
  int64_t step;
} window_at;

/* q = an address; x = eight bytes at q + c; y = x as numbers, signed ones plus 128; sums += y * w; sums = bias. */
#define WINDOW_FIND(q, from) __asm__ volatile("ldr %x0, %1" : "=r"(q) : "m"(from))
#define WINDOW_LOAD(x, q, c) \
  __asm__ volatile("ldr %d0, [%1, %2]" : "=w"(x) : "r"(q), "r"(c), "m"(*(const uint8_t(*)[1 << 20])(q)))
#define WINDOW_SIGNED(y, x, k) __asm__ volatile("ssubl %0.8h, %1.8b, %2.8b" : "=w"(y) : "w"(x), "w"(k))
#define WINDOW_UNSIGNED(y, x, k) __asm__ volatile("zip1 %0.16b, %1.16b, %2.16b" : "=w"(y) : "w"(x), "w"(k))
#define WINDOW_LOW(s, y, w) __asm__ volatile("smlal %0.4s, %1.4h, %2.4h" : "+w"(s) : "w"(y), "w"(w))
#define WINDOW_HIGH(s, y, w) __asm__ volatile("smlal2 %0.4s, %1.8h, %2.8h" : "+w"(s) : "w"(y), "w"(w))
#define WINDOW_BIAS(s, bias, at) \
  __asm__ volatile("ldr %q0, [%1, %2]" : "=w"(s) : "r"(bias), "r"(at), "m"(*(const int32_t(*)[1 << 20])(bias)))

/* Sums of WINDOW results, DW_BLOCK apart, channels c .. c + 7. w: their weights, taps `step` apart; even: pixels lie
 * evenly. */
WHET_INLINE void window(const window_at *p, int64_t c, const int16_t *w, int64_t step, const int32_t *bias,
                        int32_t *sum, const int stride, const bool is_signed, const bool even) {
  const int columns = (WINDOW - 1) * stride + 3, pixels = 3 * columns, lag = WIDE + 1 + stride;
  const uint8x16_t none = vdupq_n_u8(0), top = vdupq_n_u8(0x80);
  const int64_t low = 0, high = 16;
  const uint8_t *row[3][2];
  int64_t at[NEAR];
  const uint8_t *q[3 * WINDOW_COLUMNS];
  uint8x8_t x[3 * WINDOW_COLUMNS];
  int16x8_t y[3 * WINDOW_COLUMNS], k[9];
  int32x4_t acc[WINDOW][2];
  WHET_UNROLL for (int i = 0; i < 9; i++) k[i] = vld1q_s16(w + i * step);
  WHET_UNROLL for (int i = 0; i < NEAR; i++) at[i] = i * p->step;
  WHET_UNROLL for (int i = 0; i < 3; i++) row[i][0] = p->row[i] + c, row[i][1] = row[i][0] + NEAR * p->step;
  WHET_UNROLL for (int v = 0; v < 4; v++) WHET_UNROLL for (int u = 0; u < columns; u++) {
    const int i = v * columns + u, done = i - lag, done_v = done / columns, done_u = done % columns;
    if (i < pixels && even) WINDOW_LOAD(x[i], row[v][u / NEAR], at[u % NEAR]);
    if (i < pixels && !even) WINDOW_FIND(q[i], p->pixel[v][u]);
    if (i >= FOUND && i - FOUND < pixels && !even) WINDOW_LOAD(x[i - FOUND], q[i - FOUND], c);
    WHET_UNROLL for (int r = 0; r < WINDOW; r++) {
      if (i != r * stride + lag - EARLY) continue;
      WINDOW_BIAS(acc[r][0], bias, low);
      WINDOW_BIAS(acc[r][1], bias, high);
    }
    WHET_UNROLL for (int t = 0; t < 3; t++) {
      const int r = (done_u - t) / stride;
      if (done < 0 || done >= pixels || done_u < t || (done_u - t) % stride || r >= WINDOW) continue;
      WINDOW_LOW(acc[r][0], y[done], k[3 * done_v + t]);
      WINDOW_HIGH(acc[r][1], y[done], k[3 * done_v + t]);
    }
    if (i < WIDE || i - WIDE >= pixels) continue;
    if (is_signed)
      WINDOW_SIGNED(y[i - WIDE], x[i - WIDE], top);
    else
      WINDOW_UNSIGNED(y[i - WIDE], x[i - WIDE], none);
  }
  WHET_UNROLL for (int r = 0; r < WINDOW; r++) {
    vst1q_s32(sum + DW_BLOCK * r, acc[r][0]);
    vst1q_s32(sum + DW_BLOCK * r + 4, acc[r][1]);
  }
}
#define WINDOW_FN(name, stride, is_signed, even)                                                                   \
  static __attribute__((noinline)) void name(const window_at *p, int64_t c, int64_t to, const int16_t *w,          \
                                             int64_t step, const int32_t *bias, int32_t *sum) {                    \
    for (; c < to; c += 8, w += 8, bias += 8, sum += 8) window(p, c, w, step, bias, sum, stride, is_signed, even); \
  }
WINDOW_FN(even_1u, 1, false, true)
WINDOW_FN(even_1s, 1, true, true)
WINDOW_FN(even_2u, 2, false, true)
WINDOW_FN(even_2s, 2, true, true)
WINDOW_FN(some_1u, 1, false, false)
WINDOW_FN(some_1s, 1, true, false)
WINDOW_FN(some_2u, 2, false, false)
WINDOW_FN(some_2s, 2, true, false)

static bool window_fits(const whet_dw_q8 *p) {
  return p->kh == 3 && p->kw == 3 && p->dil_h == 1 && p->dil_w == 1 && p->stride_w <= 2 && p->channels % 8 == 0;
}

/* Where results [x, x + WINDOW) of row y read; false: not evenly. */
static bool window_find(const whet_dw_q8 *p, const uint8_t *image, int64_t y, int64_t x, const uint8_t *zeros,
                        window_at *at) {
  const int64_t s = p->stride_w, columns = (WINDOW - 1) * s + 3, ix = x * s - p->pad_left,
                iy = y * p->stride_h - p->pad_top;
  at->step = p->in_pitch;
  if (ix >= 0 && ix + columns <= p->in_w && iy >= 0 && iy + 3 <= p->in_h) {
    for (int64_t v = 0; v < 3; v++) at->row[v] = image + ((iy + v) * p->in_w + ix) * p->in_pitch;
    return true;
  }
  for (int64_t v = 0; v < 3; v++)
    for (int64_t u = 0; u < columns; u++) {
      const bool inside = iy + v >= 0 && iy + v < p->in_h && ix + u >= 0 && ix + u < p->in_w;
      at->pixel[v][u] = inside ? image + ((iy + v) * p->in_w + ix + u) * p->in_pitch : zeros;
    }
  at->row[0] = at->row[1] = at->row[2] = zeros;
  return false;
}

/* Row `row` of all images' results. */
static void window_row(const whet_dw_q8 *p, const whet_dw_q8_layout *l, const char *pack, const uint8_t *in,
                       int64_t row, const uint8_t *table, char *out, const uint8_t *zeros) {
  static void (*const fn[2][2][2])(const window_at *p, int64_t c, int64_t to, const int16_t *w, int64_t step,
                                   const int32_t *bias, int32_t *sum) = {{{some_1u, some_1s}, {some_2u, some_2s}},
                                                                         {{even_1u, even_1s}, {even_2u, even_2s}}};
  const uint8_t *image = in + row / p->out_h * p->in_h * p->in_w * p->in_pitch;
  const size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  for (int64_t x = 0; x < p->out_w; x += RUNS * WINDOW) {
    const int64_t n = whet__min_i(RUNS * WINDOW, p->out_w - x);
    window_at at[RUNS];
    bool even[RUNS];
    for (int64_t i = 0; i * WINDOW < n; i++)
      even[i] = window_find(p, image, row % p->out_h, x + i * WINDOW, zeros, &at[i]);
    for (int64_t c = 0; c < p->channels; c += DW_BLOCK) {
      int32_t sum[RUNS * WINDOW * DW_BLOCK];
      const int64_t m = whet__min_i(DW_BLOCK, p->channels - c);
      const int16_t *w = (const int16_t *)(const void *)(pack + l->weights) + c;
      const int32_t *bias = (const int32_t *)(const void *)pack + c;
      for (int64_t i = 0; i * WINDOW < n; i++)
        fn[even[i]][p->stride_w - 1][p->in_signed](&at[i], c, c + m, w, l->n, bias, sum + i * WINDOW * DW_BLOCK);
      whet_factors f = whet__factors_at(&p->out, pack + l->factors, l->n, c);
      out_tile(&p->out, &f, sum, DW_BLOCK, n, m, table,
               out + (size_t)((row * p->out_w + x) * p->out_pitch + c) * bytes, p->out_pitch);
    }
  }
}

/* By the driver of dw_q8_taps.h, or by windows. */
static void window_run(const void *params, void *const *ptr, int part, int parts) {
  const whet_dw_q8 *p = params;
  if (!window_fits(p)) {
    dw_run(params, ptr, part, parts);
    return;
  }
  const whet_dw_q8_layout l = whet__dw_q8_layout_of(p, WHET_DW_Q8_TAPS);
  uint8_t *zeros = (uint8_t *)ptr[4] + dw_zeros_at(p);
  int64_t from, to;
  memset(zeros, (p->in_zero ^ (p->in_signed ? 0x80 : 0)) & 0xff, (size_t)p->channels);
  whet__split((int64_t)p->images * p->out_h, part, parts, &from, &to);
  for (; from < to; from++) window_row(p, &l, ptr[1], ptr[0], from, ptr[3], ptr[2], zeros);
}

#endif
