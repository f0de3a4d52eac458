/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_TILE_BF16_H
#define WHET_KERN_X86_TILE_BF16_H

/* Jobs of float products with factors of bf16: rows of A are rounded, or split into three parts, once for all panels,
 * some at a time, and lie in the job's room one after the other, [k / 32][part][k % 32], padded with zeros. The
 * including file says what multiplies; `parts` is a constant where functions are called. */

#include <immintrin.h>
#include <math.h>

#include "kern/tile_f32.h"
#include "kern/unary_f32.h"
#include "kern/x86/round_bf16.h"

enum { BLOCK_K = 32, LOT = 32, MOST_ROWS = 256, A_BYTES = 1 << 20, NEAR_BYTES = 768 << 10 };

/* One row of results. */
typedef struct row {
  float *c;
  const float *res, *a;
  const whet_strip_f32 *s;
} row;

/* What lies in the job's room. */
typedef struct room {
  row row[MOST_ROWS];
  int64_t rows;  /* that wait */
  int64_t steps; /* of 32 k */
  int64_t
      lda; /* numbers from row to row: an odd number of lines, so that rows do not fall on one place of the cache */
  uint16_t *a;
} room;

static int64_t steps_of(int64_t k) { return whet__ceil_div(k, BLOCK_K); }

/* Rows of a lot: few, which stay in the first cache with their results, where the weights stay in the second; else so
 * many that the weights are not read often. */
static int64_t most_rows(int64_t lines, int64_t columns) {
  if (lines * 64 * columns <= NEAR_BYTES) return LOT;
  return whet__clamp_i(A_BYTES / (whet__max_i(lines, 1) * 64) / LOT * LOT, LOT, MOST_ROWS);
}

WHET_INLINE size_t room_bytes(int64_t k, const int parts) {
  int64_t lines = steps_of(k) * parts;
  return whet__round_up(sizeof(room), 64) + (size_t)(most_rows(lines, INT32_MAX) * (lines | 1)) * 64;
}

/* Row i of those that wait; taps that it lacks are zeros. */
static void round_row(const whet_job_f32 *j, room *r, int64_t i) {
  const row *p = &r->row[i];
  const whet_seg_f32 *seg = j->seg + p->s->seg, *last = seg + p->s->n_seg;
  uint16_t *to = r->a + i * r->lda;
  int64_t k = 0;
  for (; seg < last; k = seg->k + seg->run, seg++) {
    if (seg->k > k) memset(to + k, 0, (size_t)(seg->k - k) * 2);
    round_run(p->a + seg->a, seg->run, to + seg->k);
  }
  if (k < r->steps * BLOCK_K) memset(to + k, 0, (size_t)(r->steps * BLOCK_K - k) * 2);
}

/* The same in three parts; the row is one segment, or none. */
static void split_row(const whet_job_f32 *j, room *r, int64_t i) {
  const row *p = &r->row[i];
  const whet_seg_f32 *seg = j->seg + p->s->seg;
  if (p->s->n_seg)
    split_run(p->a + seg->a, seg->run, r->a + i * r->lda);
  else
    memset(r->a + i * r->lda, 0, (size_t)r->steps * 192);
}

/* The rest of the epilogue, rows at even distances together. */
static void finish_lot(const whet_job_f32 *j, const room *r, int64_t n0, int64_t n) {
  const row *p = r->row, *end = p + r->rows;
  while (p < end) {
    const row *q = p + 1;
    bool res = j->rest.res, more = q < end;
    int64_t ldc = more ? q->c - p->c : n, ldr = res && more ? q->res - p->res : n;
    while (q < end && q->c == q[-1].c + ldc && (!res || q->res == q[-1].res + ldr)) q++;
    j->tiles->epi(&j->rest, p->c + n0, ldc, res ? p->res + n0 : NULL, ldr, q - p, n);
    p = q;
  }
}

/* Sums of `rows` rows of A, lda apart, by up to WIDE blocks of 16 columns, `apart` apart, from the bias on: rows of
 * acc are 16 * WIDE apart. */
typedef struct product {
  const uint16_t *a, *b;
  int64_t lda, rows, apart, blocks, steps;
  const float *bias;
  float *acc;
  const uint16_t *ahead; /* weights of the next panel that are to come nearer, so many lines with each step */
  int64_t lines;
} product;

WHET_INLINE void fetch(product *p) {
  for (int64_t i = p->lines; i > 0; i--, p->ahead += 32) _mm_prefetch((const char *)p->ahead, _MM_HINT_T1);
}

/* Column n of a row anew: the bias, then fused multiply-adds in order. b: parts of the weights of its sixteen
 * columns. */
static float again(const whet_job_f32 *j, const row *p, const uint16_t *b, int64_t n, float sum) {
  const whet_seg_f32 *seg = j->seg + p->s->seg;
  for (int64_t k = 0; p->s->n_seg && k < seg->run; k++) {
    const uint16_t *at = b + k / BLOCK_K * 1536 + k % BLOCK_K / 2 * 32 + n * 2 + k % 2;
    float w[3];
    for (int part = 0; part < 3; part++) {
      uint32_t u = (uint32_t)at[part * 512] << 16;
      memcpy(&w[part], &u, 4);
    }
    sum = fmaf(p->a[seg->a + k], w[0] + w[1] + w[2], sum);
  }
  return sum;
}

/* Sums of parts that are not finite, as infinities times a part that is zero, made again: those of `wild` among the
 * sixteen of a row from column n on, of the panel's columns from `v` on. */
static __attribute__((noinline)) __m512 made_finite(const whet_job_f32 *j, const row *p, const product *of,
                                                    float *acc, int64_t n, int64_t v, uint32_t wild) {
  for (; wild; wild &= wild - 1) {
    int i = __builtin_ctz(wild);
    acc[i] = again(j, p, of->b + v / 16 * of->apart, i, j->w[n + i]);
  }
  return _mm512_load_ps(acc);
}

/* Columns n0 .. n0 + columns of one row, whose sums are acc. */
WHET_INLINE void finish_row(const whet_job_f32 *j, const row *p, const product *of, float *acc, int64_t n0,
                            int64_t columns, const int parts) {
  const __m512 lo = _mm512_set1_ps(j->lo), hi = _mm512_set1_ps(j->hi);
  for (int64_t v = 0; v < columns; v += 16) {
    const __mmask16 keep = (__mmask16)(columns - v >= 16 ? 0xffff : (1u << (columns - v)) - 1u);
    __m512 x = _mm512_load_ps(acc + v);
    if (parts > 1) {
      uint32_t wild = _mm512_fpclass_ps_mask(x, 0x99); /* NaN, infinite */
      if (__builtin_expect(wild != 0, 0)) x = made_finite(j, p, of, acc + v, n0 + v, v, wild);
    }
    if (j->flags & WHET_TILE_ADD) x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(keep, p->res + n0 + v));
    if (j->flags & WHET_TILE_CLAMP) x = _mm512_max_ps(lo, _mm512_min_ps(hi, x)); /* a NaN, the second, is kept */
    _mm512_mask_storeu_ps(p->c + n0 + v, keep, x);
  }
}

/* The lot that waits, panel by panel of `wide` blocks, at most `high` rows at a time. */
WHET_INLINE void flush(const whet_job_f32 *j, room *r, const int parts, const int high, const int wide,
                       void (*multiply)(product *)) {
  _Alignas(64) float acc[32 * 16 * 4];
  const int64_t pad = whet__panel_pad(WHET_PANEL_BF16, j->n), apart = r->steps * parts * 512;
  if (!r->rows) return;
  for (int64_t i = 0; i < r->rows; i++) parts > 1 ? split_row(j, r, i) : round_row(j, r, i);
  product p = {.lda = r->lda, .apart = apart, .steps = r->steps, .acc = acc};
  if (apart * 2 * (j->n1 - j->n0) / 16 > NEAR_BYTES)
    p.lines = whet__ceil_div(parts * 16 * wide, whet__ceil_div(r->rows, high));
  for (int64_t n0 = j->n0; n0 < j->n1; n0 += 16 * wide) {
    const int64_t columns = whet__min_i(whet__min_i(16 * wide, j->n1 - n0), j->n - n0);
    p.b = (const uint16_t *)(const void *)(j->w + pad) + n0 / 16 * apart;
    p.blocks = whet__ceil_div(columns, 16);
    p.bias = j->w + n0;
    p.ahead = p.b + apart * wide;
    for (int64_t i = 0; i < r->rows; i += high) {
      p.a = r->a + i * r->lda;
      p.rows = whet__min_i(high, r->rows - i);
      multiply(&p);
      for (int64_t m = 0; m < p.rows; m++) finish_row(j, &r->row[i + m], &p, acc + m * 16 * wide, n0, columns, parts);
    }
  }
  if (j->rest.n) finish_lot(j, r, j->n0, whet__min_i(j->n1, j->n) - j->n0);
  r->rows = 0;
}

/* Cut the job's strips into lots of rows. */
WHET_INLINE void run_job(const whet_job_f32 *j, const int parts, const int high, const int wide,
                         void (*multiply)(product *)) {
  room *r = j->room;
  r->rows = 0;
  r->steps = steps_of(j->k);
  r->lda = (r->steps * parts | 1) * BLOCK_K;
  r->a = (uint16_t *)(void *)((char *)j->room + whet__round_up(sizeof *r, 64));
  int64_t most = most_rows(r->steps * parts, j->n1 - j->n0), all = 0;
  for (int32_t i = 0; i < j->n_strip; i++) all += j->strip[i].m;
  if (all > most)
    most = whet__min_i(whet__ceil_div(whet__ceil_div(all, whet__ceil_div(all, most)), LOT) * LOT, most); /* even */
  for (int32_t i = 0; i < j->n_strip; i++) {
    const whet_strip_f32 *s = &j->strip[i];
    for (int64_t m = 0; m < s->m; m++) {
      if (r->rows == most) flush(j, r, parts, high, wide, multiply);
      r->row[r->rows++] = (row){s->c + m * s->ldc, s->res ? s->res + m * s->ldr : NULL, s->a + m * s->lda, s};
    }
  }
  flush(j, r, parts, high, wide, multiply);
}

#endif
