/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_CONV_F32_AMX_FLOW_H
#define WHET_KERN_X86_CONV_F32_AMX_FLOW_H

/* Convolutions over two dimensions on tiles of bf16. To the tiles a pair of bf16 is what four bytes are:
 * conv_q8_amx_cut.h cuts the convolution, told of channels of two bytes. Strips hold the input rounded, borders
 * filled with zeros. */

#include <immintrin.h>
#include <math.h>

#include "kern/conv_bf16.h"
#include "kern/unary_f32.h"
#include "kern/x86/amx_tiles.h"
#include "kern/x86/conv_q8_amx_cut.h"
#include "kern/x86/round_bf16.h"

enum { ROWS = 16, BLOCK = 64, SUMS = ROWS * BLOCK };

/* What a panel of weights works on. */
typedef struct work {
  const whet_conv_f32 *p;
  const cut *c;
  const int64_t *seg;
  const uint8_t *b;  /* weights */
  int64_t apart;     /* bytes between those of 16 outputs and the next */
  int64_t wide;      /* such sixteens */
  const float *bias; /* of the panel */
  float *out;        /* the panel's first result of the strip */
  const float *res;  /* likewise, or NULL */
  int64_t cols;      /* outputs of the panel */
  int64_t rows;      /* of a tile */
  uint32_t flags;    /* WHET_TILE_ADD, WHET_TILE_CLAMP */
  float lo, hi;
  whet_epi_f32 rest;
  const uint8_t *ahead, *end; /* weights of the next panel that are to come nearer */
  int64_t lines;              /* so many lines with each step */
} work;

/* ---- strips ------------------------------------------------------------------------------------- */

/* n pixels of `chan` channels: those at x, x + by, x + 2 by ... of a row of w, `step` floats apart, from `from` on;
 * zeros where there are none. */
static void round_pixels(const float *from, int64_t step, int64_t w, int64_t x, int64_t by, int64_t n, int64_t chan,
                         uint16_t *to) {
  int64_t a = x < 0 ? whet__min_i(whet__ceil_div(-x, by), n) : 0;
  int64_t b = w > x ? whet__clamp_i(whet__ceil_div(w - x, by), a, n) : a;
  memset(to, 0, (size_t)(a * chan) * 2);
  if (by == 1 && step == chan)
    round_run(from + (x + a) * step, (b - a) * chan, to + a * chan);
  else
    for (int64_t i = a; i < b; i++) round_run(from + (x + i * by) * step, chan, to + i * chan);
  memset(to + b * chan, 0, (size_t)((n - b) * chan) * 2);
}

/* Lines [line, line + n) of one image, group g, to `buf`; behind each plane zeros, which weights that are zero meet.
 */
static void strip(const whet_conv_q8 *q, const whet_conv_f32 *p, const cut *c, const float *in, int64_t line,
                  int64_t n, int64_t g, uint8_t *buf) {
  const int64_t chan = p->ic, step = p->dim[2].in_step;
  in += g * chan;
  if (c->dense) {
    int64_t px = whet__min_i(n * c->width, c->total - line * c->width);
    round_pixels(in + line * c->width * step, step, px, 0, 1, px, chan, (uint16_t *)(void *)buf);
    memset(buf + px * c->pix, 0, WHET_SLACK);
  }
  int64_t top = line % c->per * q->stride_h - q->pad_top, rows = rows_of(q, c, n);
  in += line / c->per * p->in_batch;
  for (int64_t a = 0; !c->dense && a < (q->kh > 1 ? c->fh : 1); a++)
    for (int64_t b = 0; b < (q->kw > 1 ? c->fw : 1); b++) {
      uint8_t *to = buf + seg_of(q, c, 0, 0) + (a * (q->kw > 1 ? c->fw : 1) + b) * c->plane;
      for (int64_t i = 0; i < rows; i++, to += c->row) {
        int64_t y = top + i * c->fh + a;
        if (y < 0 || y >= q->in_h)
          memset(to, 0, (size_t)c->row);
        else
          round_pixels(in + y * p->dim[1].in_step, step, q->in_w, b - q->pad_left, c->fw, c->px, chan,
                       (uint16_t *)(void *)to);
      }
      memset(to, 0, WHET_SLACK);
    }
}

/* ---- sums to results ---------------------------------------------------------------------------- */

/* Where result m of a strip's line `line` stands among its results, or -1: between two lines. */
static inline int64_t place(const work *w, int64_t line, int64_t m) {
  const cut *c = w->c;
  if (c->dense) return m;
  if (c->next) line = (int64_t)((uint32_t)m / (uint32_t)c->next), m -= line * c->next;
  return m < c->width ? line * c->width + m : -1;
}

/* One row of a tile: `blocks` blocks of 16 outputs, the last as `last` says. */
WHET_INLINE void finish_row(const float *acc, float *to, const float *res, int64_t blocks, __mmask16 last, __m512 lo,
                            __m512 hi, const bool add) {
  for (int64_t j = 0; j < blocks; j++) {
    const __mmask16 keep = j == blocks - 1 ? last : 0xffff;
    __m512 x = _mm512_load_ps(acc + 16 * j);
    if (add) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(keep, res + 16 * j));
    x = _mm512_max_ps(lo, _mm512_min_ps(hi, x)); /* a NaN, the second operand, is kept */
    _mm512_mask_storeu_ps(to + 16 * j, keep, x);
  }
}

/* A tile of a block, whose first result is `m`; its sums, `blocks` blocks of 16 outputs, are at acc. */
WHET_INLINE void finish_tile(const work *w, const float *acc, int64_t line, int64_t m, int64_t blocks) {
  const int64_t out_step = w->p->dim[2].out_step, res_step = w->p->dim[2].res_step, rows = w->rows;
  const bool clamp = w->flags & WHET_TILE_CLAMP, add = w->flags & WHET_TILE_ADD, even = !w->c->next || w->c->dense;
  const __m512 lo = _mm512_set1_ps(clamp ? w->lo : -INFINITY), hi = _mm512_set1_ps(clamp ? w->hi : INFINITY);
  const __mmask16 last = (__mmask16)(w->cols % 16 ? (1u << w->cols % 16) - 1u : 0xffff);
  float *const out = w->out;
  const float *const res = w->res;
  int64_t at = place(w, line, m);
  for (int64_t r = 0; r < rows; r++, m++, acc += BLOCK) {
    int64_t i = at >= 0 && r && even ? ++at : place(w, line, m);
    if (i < 0) continue;
    if (add)
      finish_row(acc, out + i * out_step, res + i * res_step, blocks, last, lo, hi, true);
    else
      finish_row(acc, out + i * out_step, NULL, blocks, last, lo, hi, false);
  }
}

/* The rest of the epilogue on `cols` columns of n results of a strip. */
static void finish_rest(const work *w, float *out, const float *res, int64_t n, int64_t cols) {
  const int64_t step = w->p->dim[2].out_step, by = w->p->dim[2].res_step;
  if (!w->rest.res) res = NULL;
  whet__epi_f32_avx512(&w->rest, out, step, res, by, n, cols);
}

/* ---- products ----------------------------------------------------------------------------------- */

/* The share of a step in bringing the next panel's weights from the third cache to the second. */
WHET_INLINE void fetch(work *w) {
  for (int64_t i = w->lines; i > 0 && w->ahead < w->end; i--, w->ahead += 64) _mm_prefetch(w->ahead, _MM_HINT_T1);
}

/* A walk over what a tile of results reads: STEP multiplies what lies at x with the weights at b. */
#define WALK(STEP)                           \
  const cut *c = w->c;                       \
  const uint8_t *b = w->b;                   \
  for (int64_t s = 0; s < c->n_seg; s++) {   \
    const uint8_t *x = a + w->seg[s];        \
    for (int64_t k = c->steps; k > 0; k--) { \
      fetch(w);                              \
      STEP x += 4 * c->step;                 \
      b += 64 * c->step;                     \
    }                                        \
  }

#define ACTIVATIONS(A, at) _tile_loadd(A, x + (at), c->lda);
#define WEIGHTS(B, i) _tile_loadd(B, b + (i)*w->apart, 64);
#define MULTIPLY(C, A, B) _tile_dpbf16ps(C, A, B);

/* Two tiles of results, `on` apart, by two blocks of outputs: each weight that comes from afar serves both. */
static void tall(work *w, const uint8_t *a, int64_t on, float *acc) {
  _tile_loadd(C0, w->bias, 0);
  _tile_loadd(C1, w->bias + 16, 0);
  _tile_loadd(C2, w->bias, 0);
  _tile_loadd(C3, w->bias + 16, 0);
  WALK(WEIGHTS(B0, 0) ACTIVATIONS(A0, 0) MULTIPLY(C0, A0, B0) ACTIVATIONS(A1, on) MULTIPLY(C2, A1, B0) WEIGHTS(B1, 1)
           MULTIPLY(C1, A0, B1) MULTIPLY(C3, A1, B1))
  _tile_stored(C0, acc, 4 * BLOCK);
  _tile_stored(C1, acc + 16, 4 * BLOCK);
  _tile_stored(C2, acc + 32, 4 * BLOCK);
  _tile_stored(C3, acc + 48, 4 * BLOCK);
}

/* Four tiles of results, the others so far from the first, by one block of outputs. */
static void slim(work *w, const uint8_t *a, const int64_t on[4], float *acc) {
  _tile_loadd(C0, w->bias, 0);
  _tile_loadd(C1, w->bias, 0);
  _tile_loadd(C2, w->bias, 0);
  _tile_loadd(C3, w->bias, 0);
  WALK(WEIGHTS(B0, 0) ACTIVATIONS(A0, 0) MULTIPLY(C0, A0, B0) ACTIVATIONS(A1, on[1]) MULTIPLY(C1, A1, B0)
           ACTIVATIONS(A0, on[2]) MULTIPLY(C2, A0, B0) ACTIVATIONS(A1, on[3]) MULTIPLY(C3, A1, B0))
  _tile_stored(C0, acc, 4 * BLOCK);
  _tile_stored(C1, acc + 16, 4 * BLOCK);
  _tile_stored(C2, acc + 32, 4 * BLOCK);
  _tile_stored(C3, acc + 48, 4 * BLOCK);
}

/* One tile of results by up to four blocks: each activation is read once for all. */
static void flat(work *w, const uint8_t *a, float *acc) {
  const int64_t wide = w->wide;
  _tile_loadd(C0, w->bias, 0);
  if (wide > 1) _tile_loadd(C1, w->bias + 16, 0);
  if (wide > 2) _tile_loadd(C2, w->bias + 32, 0);
  if (wide > 3) _tile_loadd(C3, w->bias + 48, 0);
  WALK(
      ACTIVATIONS(A0, 0) WEIGHTS(B0, 0) MULTIPLY(C0, A0, B0) if (wide > 1) {
        WEIGHTS(B1, 1) MULTIPLY(C1, A0, B1)
      } if (wide > 2) { WEIGHTS(B0, 2)
                        MULTIPLY(C2, A0, B0) } if (wide > 3){WEIGHTS(B1, 3) MULTIPLY(C3, A0, B1)})
  _tile_stored(C0, acc, 4 * BLOCK);
  if (wide > 1) _tile_stored(C1, acc + 16, 4 * BLOCK);
  if (wide > 2) _tile_stored(C2, acc + 32, 4 * BLOCK);
  if (wide > 3) _tile_stored(C3, acc + 48, 4 * BLOCK);
}

/* Tiles of results in a block of so many blocks of outputs. */
static int64_t tiles_of(int64_t wide) { return wide > 2 ? 1 : wide == 2 ? 2 : 4; }

/* One panel of weights over n lines of a strip at a. Rows that are left over make a tile with some before them again.
 */
static void run_panel(work *w, const uint8_t *a, int64_t n, int64_t results) {
  _Alignas(64) float acc[2][SUMS];
  const cut *c = w->c;
  const int64_t last = results - w->rows, most = tiles_of(w->wide);
  int turn = 0;
  for (int64_t line = 0; line < (c->next ? 1 : n); line++)
    for (int64_t m = 0, end; m < results; m = end) {
      int64_t tiles = m < last ? most : 1, at[4] = {0};
      end = m + tiles * w->rows;
      for (int64_t t = 0; t < tiles; t++) at[t] = whet__min_i(m + t * w->rows, last);
      const uint8_t *from = a + line * w->p->dim[1].stride * c->row + at[0] * c->lda;
      const int64_t on[4] = {0, (at[1] - at[0]) * c->lda, (at[2] - at[0]) * c->lda, (at[3] - at[0]) * c->lda};
      float *sum = acc[turn ^= 1];
      if (tiles == 4)
        slim(w, from, on, sum);
      else if (tiles == 2)
        tall(w, from, on[1], sum);
      else
        flat(w, from, sum);
      const int64_t blocks = tiles == 1 ? w->wide : 4 / tiles;
      for (int64_t t = 0; t < tiles; t++) finish_tile(w, sum + 16 * blocks * t, line, at[t], blocks);
    }
}

#endif
