/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8 on dotprod: blocks of 16 channels. Four taps are interleaved byte by byte, so that one SDOT adds four products
 * to each of four channels. Kernels of at most 4 rows: each column of a row's pixels is interleaved once, for all results that
 * it touches; others gather their taps for each result.
 *
 * Activations are taken less 128, as SDOT wants signed ones; 128 times the sum of the weights is added to the bias. */

#include "kern/arm/out_q8_neon.h"
#include "kern/dw_q8.h"

enum { BLOCK = 16, CHUNK = 32 /* results of a row whose columns are kept */ };

/* What is the same for all results of a call. */
typedef struct dw_call {
  const whet_dw_q8 *p;
  whet_dw_q8_layout l;
  const char *pack;
  const uint8_t *table, *outside, *nothing; /* pixels of zero points, and of what is 0 less 128, as activations are stored */
  int8_t *columns;
  const uint8_t **tap;
  int32_t *sums;
  uint8x16_t turn;
} dw_call;

/* A block of at most 16 channels from c on: its parameters in the order of channels. */
typedef struct dw_block {
  int64_t c, m;
  const int8_t *w; /* group g, channels 4j to 4j + 3: 256 g + 64 j */
  int32x4_t bias[4], w_zero[4];
  int32_t mul[BLOCK], shift[BLOCK];
  double real[BLOCK];
  float real32[BLOCK];
  whet_factors f;
} dw_block;

/* Columns of a chunk. */
static int64_t columns_of(const whet_dw_q8 *p) {
  return (int64_t)(CHUNK - 1) * p->stride_w + (int64_t)(p->kw - 1) * p->dil_w + 1;
}
static int64_t slots_of(const whet_dw_q8 *p) { return whet__dw_q8_layout_of(p, WHET_DW_Q8_DOTS).slots; }
static size_t row_of(const whet_dw_q8 *p) { return whet__round_up((size_t)p->channels, 64); }
static size_t work_of(const whet_dw_q8 *p) {
  return p->kh <= 4 ? (size_t)columns_of(p) * 64 : whet__round_up((size_t)slots_of(p) * CHUNK * sizeof(uint8_t *), 64);
}

static void block_of(const dw_call *k, int64_t c, dw_block *b) {
  const int64_t base = c / 64 * 64, q = c % 64 / 16, groups = k->l.slots / 4, taps = k->l.taps;
  const int32_t *bias = (const int32_t *)(const void *)k->pack + base + 4 * q;
  const int32_t *zero = (const int32_t *)(const void *)(k->pack + k->l.w_zero) + base + 4 * q;
  whet_factors f = whet__factors_at(&k->p->out, k->pack + k->l.factors, k->l.n, base + 4 * q);
  b->c = c;
  b->m = whet__min_i(BLOCK, k->p->channels - c);
  b->w = (const int8_t *)k->pack + k->l.weights + c / 64 * k->l.slots * 64 + 16 * q;
  b->f = (whet_factors){.mul = f.mul ? b->mul : NULL,
                        .shift = f.shift ? b->shift : NULL,
                        .real = f.real ? b->real : NULL,
                        .real32 = f.real32 ? b->real32 : NULL};
  for (int j = 0; j < 4; j++) {
    int32x4_t sum = vdupq_n_s32(0);
    for (int64_t g = 0; g < groups; g++) sum = vdotq_s32(sum, vld1q_s8(b->w + 256 * g + 64 * j), vdupq_n_s8(1));
    b->w_zero[j] = k->p->w_zeros ? vld1q_s32(zero + 16 * j) : vdupq_n_s32(0);
    sum = vmlsq_n_s32(sum, b->w_zero[j], (int32_t)taps);
    b->bias[j] = vaddq_s32(vld1q_s32(bias + 16 * j), vshlq_n_s32(sum, 7));
    if (f.mul) memcpy(b->mul + 4 * j, f.mul + 16 * j, 16), memcpy(b->shift + 4 * j, f.shift + 16 * j, 16);
    if (f.real) memcpy(b->real + 4 * j, f.real + 16 * j, 32);
    if (f.real32) memcpy(b->real32 + 4 * j, f.real32 + 16 * j, 16);
  }
}

OUT_INLINE uint8x16_t pixels(const uint8_t *p, int64_t m) {
  return m == BLOCK ? vld1q_u8(p) : vreinterpretq_u8_s32(out_load_bytes(p, m));
}

/* Four taps of 16 channels as 16 groups of four bytes, less 128. */
OUT_INLINE void interleave(const uint8x16_t x[4], uint8x16_t turn, int8x16_t to[4]) {
  uint8x16_t y[4];
  OUT_UNROLL for (int i = 0; i < 4; i++) y[i] = veorq_u8(x[i], turn);
  const uint16x8_t ab0 = vreinterpretq_u16_u8(vzip1q_u8(y[0], y[1])), ab1 = vreinterpretq_u16_u8(vzip2q_u8(y[0], y[1]));
  const uint16x8_t cd0 = vreinterpretq_u16_u8(vzip1q_u8(y[2], y[3])), cd1 = vreinterpretq_u16_u8(vzip2q_u8(y[2], y[3]));
  to[0] = vreinterpretq_s8_u16(vzip1q_u16(ab0, cd0));
  to[1] = vreinterpretq_s8_u16(vzip2q_u16(ab0, cd0));
  to[2] = vreinterpretq_s8_u16(vzip1q_u16(ab1, cd1));
  to[3] = vreinterpretq_s8_u16(vzip2q_u16(ab1, cd1));
}

/* `count` columns of pixels from ix on, m channels of each (all: 16). */
OUT_INLINE void inside(const uint8_t *const row[4], const int64_t step[4], int64_t ix, int64_t count, int64_t m, uint8x16_t turn,
                       int8_t *at, const bool all) {
  const uint8_t *p[4];
  OUT_UNROLL for (int i = 0; i < 4; i++) p[i] = row[i] + ix * step[i];
  for (int64_t e = 0; e < count; e++, at += 64) {
    uint8x16_t v[4];
    int8x16_t to[4];
    OUT_UNROLL for (int i = 0; i < 4; i++) v[i] = all ? vld1q_u8(p[i]) : pixels(p[i], m), p[i] += step[i];
    interleave(v, turn, to);
    OUT_UNROLL for (int j = 0; j < 4; j++) vst1q_s8(at + 16 * j, to[j]);
  }
}

/* The columns that results [x, x + n) of row y read, from channel c on: 64 bytes for each pixel. */
static void columns(const dw_call *k, const uint8_t *image, int64_t y, int64_t x, int64_t n, int64_t c, int64_t m) {
  const whet_dw_q8 *p = k->p;
  const int64_t count = (n - 1) * p->stride_w + (int64_t)(p->kw - 1) * p->dil_w + 1, ix = x * p->stride_w - p->pad_left;
  const int64_t from = whet__min_i(whet__max_i(-ix, 0), count), to = whet__max_i(whet__min_i(p->in_w - ix, count), from);
  const uint8_t *row[4];
  int64_t step[4];
  int8x16_t out[4];
  uint8x16_t v[4];
  for (int i = 0; i < 4; i++) {
    int64_t iy = y * p->stride_h - p->pad_top + (int64_t)i * p->dil_h;
    bool there = i < p->kh && iy >= 0 && iy < p->in_h;
    row[i] = (there ? image + iy * p->in_w * p->in_pitch : i < p->kh ? k->outside : k->nothing) + c;
    step[i] = there ? p->in_pitch : 0;
    v[i] = pixels((i < p->kh ? k->outside : k->nothing) + c, m);
  }
  interleave(v, k->turn, out);
  for (int64_t e = 0; e < from; e++)
    OUT_UNROLL for (int j = 0; j < 4; j++) vst1q_s8(k->columns + 64 * e + 16 * j, out[j]);
  for (int64_t e = to; e < count; e++)
    OUT_UNROLL for (int j = 0; j < 4; j++) vst1q_s8(k->columns + 64 * e + 16 * j, out[j]);
  if (m == BLOCK)
    inside(row, step, ix + from, to - from, m, k->turn, k->columns + 64 * from, true);
  else
    inside(row, step, ix + from, to - from, m, k->turn, k->columns + 64 * from, false);
}

/* Add four taps. zeros: weights have zero points, which meet the sum of activations. */
OUT_INLINE void add(int32x4_t acc[4], const int8x16_t x[4], const int8x16_t w[4], const dw_block *b, bool zeros) {
  OUT_UNROLL for (int j = 0; j < 4; j++) {
    acc[j] = vdotq_s32(acc[j], x[j], w[j]);
    if (zeros) acc[j] = vmlsq_s32(acc[j], vdotq_s32(vdupq_n_s32(0), x[j], vdupq_n_s8(1)), b->w_zero[j]);
  }
}

/* n sums from columns; kw: constant where it is called, or 0. */
OUT_INLINE void slide(const dw_call *k, const dw_block *b, int64_t n, int32_t *sum, const int kw, const bool zeros) {
  const int64_t stride = k->p->stride_w * INT64_C(64), dil = k->p->dil_w * INT64_C(64), many = kw ? kw : k->p->kw;
  int8x16_t w[3][4];
  for (int g = 0; g < kw; g++)
    OUT_UNROLL for (int j = 0; j < 4; j++) w[g][j] = vld1q_s8(b->w + 256 * g + 64 * j);
  for (int64_t x = 0; x < n; x++, sum += BLOCK) {
    int32x4_t acc[4];
    const int8_t *at = k->columns + x * stride;
    OUT_UNROLL for (int j = 0; j < 4; j++) acc[j] = b->bias[j];
    OUT_UNROLL for (int64_t g = 0; g < many; g++, at += dil) {
      int8x16_t v[4], u[4];
      OUT_UNROLL for (int j = 0; j < 4; j++) v[j] = vld1q_s8(at + 16 * j), u[j] = kw ? w[g][j] : vld1q_s8(b->w + 256 * g + 64 * j);
      add(acc, v, u, b, zeros);
    }
    OUT_UNROLL for (int j = 0; j < 4; j++) vst1q_s32(sum + 4 * j, acc[j]);
  }
}

/* Where the taps of results [x, x + n) of row y are: those of a slot next to each other. */
static void taps_of(const dw_call *k, const uint8_t *image, int64_t y, int64_t x, int64_t n) {
  const whet_dw_q8 *p = k->p;
  const uint8_t **tap = k->tap;
  for (int64_t s = 0; s < k->l.slots; s++) {
    int64_t i, j;
    bool real = whet__dw_q8_dots_tap(p->kh, p->kw, s, &i, &j);
    int64_t iy = y * p->stride_h - p->pad_top + i * p->dil_h;
    for (int64_t r = 0; r < n; r++) {
      int64_t ix = (x + r) * p->stride_w - p->pad_left + j * p->dil_w;
      bool inside = real && iy >= 0 && iy < p->in_h && ix >= 0 && ix < p->in_w;
      tap[s * CHUNK + r] = inside ? image + (iy * p->in_w + ix) * p->in_pitch : real ? k->outside : k->nothing;
    }
  }
}

/* n sums whose taps are gathered. */
OUT_INLINE void gather(const dw_call *k, const dw_block *b, int64_t n, int32_t *sum, const bool zeros) {
  for (int64_t r = 0; r < n; r++, sum += BLOCK) {
    int32x4_t acc[4];
    OUT_UNROLL for (int j = 0; j < 4; j++) acc[j] = b->bias[j];
    for (int64_t s = 0; s < k->l.slots; s += 4) {
      uint8x16_t x[4];
      int8x16_t v[4], u[4];
      OUT_UNROLL for (int i = 0; i < 4; i++) x[i] = pixels(k->tap[(s + i) * CHUNK + r] + b->c, b->m);
      interleave(x, k->turn, v);
      OUT_UNROLL for (int j = 0; j < 4; j++) u[j] = vld1q_s8(b->w + 64 * s + 64 * j);
      add(acc, v, u, b, zeros);
    }
    OUT_UNROLL for (int j = 0; j < 4; j++) vst1q_s32(sum + 4 * j, acc[j]);
  }
}

#include "kern/arm/dw_q8_three.h"

/* Row `row` of all images' results, from channel c on. */
static void dw_row(const dw_call *k, const uint8_t *in, int64_t row, int64_t c, char *out) {
  const whet_dw_q8 *p = k->p;
  const uint8_t *image = in + row / p->out_h * p->in_h * p->in_w * p->in_pitch;
  const size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  for (const int64_t first = c; c < p->channels; c += BLOCK) {
    dw_block b;
    block_of(k, c, &b);
    for (int64_t x = 0; x < p->out_w; x += CHUNK) {
      int32_t sum[CHUNK * BLOCK];
      const int64_t n = whet__min_i(CHUNK, p->out_w - x), y = row % p->out_h;
      if (p->kh <= 4) {
        columns(k, image, y, x, n, c, b.m);
        if (p->w_zeros)
          slide(k, &b, n, sum, 0, true);
        else if (p->kw == 3)
          slide(k, &b, n, sum, 3, false);
        else
          slide(k, &b, n, sum, 0, false);
      } else {
        if (c == first || p->out_w > CHUNK) taps_of(k, image, y, x, n);
        if (p->w_zeros)
          gather(k, &b, n, sum, true);
        else
          gather(k, &b, n, sum, false);
      }
      out_tile(&p->out, &b.f, sum, BLOCK, n, b.m, k->table, out + (size_t)((row * p->out_w + x) * p->out_pitch + c) * bytes, p->out_pitch);
    }
  }
}

static size_t dw_scratch(const void *params) { return work_of(params) + 2 * row_of(params) + three_scratch(params); }

static void dw_run(const void *params, void *const *ptr, int part, int parts) {
  const whet_dw_q8 *p = params;
  char *own = ptr[4];
  uint8_t *outside = (uint8_t *)own + work_of(p), *nothing = outside + row_of(p);
  const uint8_t turn = p->in_signed ? 0 : 0x80;
  dw_call k = {p, whet__dw_q8_layout_of(p, WHET_DW_Q8_DOTS), ptr[1], ptr[3], outside, nothing, (int8_t *)own,
               (const uint8_t **)(void *)own, (int32_t *)(void *)(nothing + row_of(p)), vdupq_n_u8(turn)};
  int64_t from, to;
  memset(outside, (p->in_zero ^ (p->in_signed ? 0x80 : 0)) & 0xff, row_of(p));
  memset(nothing, turn, row_of(p));
  whet__split((int64_t)p->images * p->out_h, part, parts, &from, &to);
  const int64_t done = three_channels(p);
  if (done) three_rows(&k, ptr[0], from, to, ptr[2]);
  for (; from < to && done < p->channels; from++) dw_row(&k, ptr[0], from, done, ptr[2]);
}

const whet_kern whet_k_dw_q8__dotprod_dots = {.name = "dw_q8__dotprod_dots",
                                              .isa = WHET_ISA_NEON | WHET_ISA_DOTPROD,
                                              .form = WHET_DW_Q8_DOTS,
                                              .exact = 1,
                                              .tight = 1,
                                              .scratch = dw_scratch,
                                              .run = dw_run};
