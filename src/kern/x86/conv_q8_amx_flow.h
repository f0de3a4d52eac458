/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_CONV_Q8_AMX_FLOW_H
#define WHET_KERN_X86_CONV_Q8_AMX_FLOW_H

/* How tiles become results: products, stores of sums and vectors that make bytes of them need different parts of a
 * core, and three blocks of results are under way so that each part works all the time. */

#include "kern/x86/amx_tiles.h"
#include "kern/x86/conv_q8_amx_cut.h"
#include "kern/x86/out_q8_avx512.h"

/* ---- strips ------------------------------------------------------------------------------------- */

static size_t scratch(const void *params) {
  cut c;
  cut_for(params, &c);
  return c.bytes;
}

/* Where the first result of lines [line, line + n) of one image reads, group g; copied into `buf` when need be. */
static __attribute__((noinline)) const uint8_t *strip(const whet_conv_q8 *p, const cut *c, const uint8_t *in,
                                                      int64_t line, int64_t n, int64_t g, uint8_t *buf) {
  in += g * c->l.ic;
  if (c->dense) {
    const uint8_t *from = in + line * c->width * p->in_pitch;
    int64_t px = whet__min_i(n * c->width, c->total - line * c->width);
    if (!c->copy) return from;
    tile_copy_row(p, from, px, 0, 1, px, c->pix, buf);
    return buf;
  }
  int64_t top = line % c->per * p->stride_h - p->pad_top, rows = rows_of(p, c, n), pitch = p->in_w * p->in_pitch;
  in += line / c->per * p->in_h * pitch;
  if (!c->copy) return in + top * pitch;
  for (int64_t a = 0; a < (p->kh > 1 ? c->fh : 1); a++)
    for (int64_t b = 0; b < (p->kw > 1 ? c->fw : 1); b++) {
      uint8_t *to = buf + seg_of(p, c, 0, 0) + (a * (p->kw > 1 ? c->fw : 1) + b) * c->plane;
      for (int64_t i = 0; i < rows; i++, to += c->row) {
        int64_t y = top + i * c->fh + a;
        if (y < 0 || y >= p->in_h)
          tile_fill(to, c->row, tile_zero(p));
        else
          tile_copy_row(p, in + y * pitch, p->in_w, b - p->pad_left, c->fw, c->px, c->pix, to);
      }
    }
  return buf;
}

/* Elements from the first result of a strip's line to that of the next. */
static int64_t line_of(const whet_conv_q8 *p, const cut *c) {
  return c->next ? c->next * c->lda : p->stride_h * c->row;
}

/* ---- tiles -------------------------------------------------------------------------------------- */

/* Sums of a block; its tiles lie side by side, rows so many sums apart. */
enum { ROWS = 16, BLOCK = 64, SUMS = ROWS * BLOCK };

struct block;

/* What a panel of weights works on. */
typedef struct work {
  const whet_conv_q8 *p;
  const cut *c;
  const int64_t *seg;
  const int8_t *b; /* weights */
  int64_t apart;   /* bytes between those of 16 outputs and the next */
  int64_t wide;    /* such sixteens */
  const int32_t *bias;
  whet_factors f;
  const uint8_t *table;
  uint8_t *out;                              /* the panel's first result of the strip */
  int64_t cols;                              /* outputs of the panel */
  int64_t rows;                              /* of a tile */
  int64_t pitch;                             /* bytes between results */
  uint8_t *waste;                            /* takes what belongs nowhere */
  bool straight;                             /* blocks may be */
  __mmask64 keep;                            /* as many bytes as outputs */
  void (*finish)(struct block *, int64_t n); /* the next n parts */
  out_bound bound;
  out_factor g[4]; /* of the four tiles of a block */
} work;

/* A block on its way: made in tiles, stored as sums, finished. One, two or four tiles of results by up to 64, 32 or
 * 16 outputs: sixteen parts of 64 sums, which are a row of each tile or four rows of one. */
typedef struct block {
  const work *w;
  const int32_t *sum;
  int64_t at, left; /* the next part to be finished; those that wait */
  int64_t tiles;
  bool straight; /* rows of the only tile follow each other from `first` on */
  uint8_t *first;
  uint8_t *to[4 * ROWS]; /* where rows belong else; those between lines go to `waste` */
} block;

/* While a block is multiplied, the sums of the one before leave the tiles in its first step, and those of the one
 * before that become bytes: products, stores and vectors need different parts of a core, and each gets its turn of
 * all three. */
typedef struct flow {
  _Alignas(64) int32_t acc[2][SUMS];
  _Alignas(64) uint8_t waste[256];
  work work[3]; /* of the panels that the blocks on their way belong to */
  block blocks[2];
  block *made, *stored;
  int now;                   /* acc[now] takes the sums of `made`, acc[!now] holds those of `stored` */
  int64_t every, share;      /* after so many steps so many parts are finished */
  int64_t early;             /* and so many before each tile's first product */
  const int8_t *ahead, *end; /* weights of the next panel that are to come nearer */
  int64_t lines;             /* so many lines with each step */
} flow;

/* ---- sums to results ---------------------------------------------------------------------------- */

/* Four vectors of sums, ld apart, with factors by apart, to bytes. */
OUT_INLINE __m512i finish_part(const int32_t *sum, int64_t ld, const out_factor *g, int by, const out_bound *b,
                               const uint8_t *table, int how) {
  __m512i v[4];
  OUT_UNROLL for (int j = 0; j < 4; j++) v[j] = out_rescale(_mm512_loadu_si512(sum + ld * j), &g[by * j], how);
  __m512i x = out_order(out_narrow(v, b));
  if (table) {
    out_table t = out_table_load(table);
    x = out_lookup(x, &t);
  }
  return x;
}

/* The next n parts, rows of one or two tiles. */
OUT_INLINE void finish_rows(block *b, int64_t n, int how) {
  const work *w = b->w;
  const int32_t *sum = b->sum + b->at * BLOCK;
  const int64_t pitch = w->pitch;
  const out_bound bound = w->bound;
  const uint8_t *table = w->table;
  const out_factor *g = w->g;
  if (b->straight) {
    uint8_t *to = b->first + b->at * pitch;
    for (; n > 0; n--, sum += BLOCK, to += pitch)
      _mm512_storeu_si512(to, finish_part(sum, BLOCK / 4, g, 1, &bound, table, how));
    return;
  }
  uint8_t **to = b->to + b->at;
  const __mmask64 keep = w->keep;
  const bool one = b->tiles == 1, whole = w->cols == 32;
  for (; n > 0; n--, sum += BLOCK, to++) {
    __m512i x = finish_part(sum, BLOCK / 4, g, 1, &bound, table, how);
    if (one) {
      _mm512_mask_storeu_epi8(to[0], keep, x);
    } else if (whole) {
      _mm256_storeu_si256((__m256i *)(void *)to[0], _mm512_castsi512_si256(x));
      _mm256_storeu_si256((__m256i *)(void *)to[ROWS], _mm512_extracti64x4_epi64(x, 1));
    } else {
      _mm256_mask_storeu_epi8(to[0], (__mmask32)keep, _mm512_castsi512_si256(x));
      _mm256_mask_storeu_epi8(to[ROWS], (__mmask32)keep, _mm512_extracti64x4_epi64(x, 1));
    }
  }
}

/* The next n parts, each four rows of one of four tiles. */
OUT_INLINE void finish_fours(block *b, int64_t n, int how) {
  const work *w = b->w;
  const out_bound bound = w->bound;
  const __mmask16 keep = (__mmask16)w->keep;
  for (int64_t u = b->at; u < b->at + n; u++) {
    uint8_t **to = b->to + 4 * u;
    __m512i x = finish_part(b->sum + u % 4 * 4 * BLOCK + u / 4 * 16, BLOCK, w->g, 0, &bound, w->table, how);
    if (w->cols == 16 && to[3] - to[0] == 48 && to[2] - to[1] == 16) {
      _mm512_storeu_si512(to[0], x);
    } else {
      _mm_mask_storeu_epi8(to[0], keep, _mm512_castsi512_si128(x));
      _mm_mask_storeu_epi8(to[1], keep, _mm512_extracti32x4_epi32(x, 1));
      _mm_mask_storeu_epi8(to[2], keep, _mm512_extracti32x4_epi32(x, 2));
      _mm_mask_storeu_epi8(to[3], keep, _mm512_extracti32x4_epi32(x, 3));
    }
  }
}

OUT_INLINE void finish_as(block *b, int64_t n, int how) {
  if (b->tiles == 4)
    finish_fours(b, n, how);
  else
    finish_rows(b, n, how);
}
static void finish_near(block *b, int64_t n) { finish_as(b, n, OUT_NEAR); }
static void finish_fix(block *b, int64_t n) { finish_as(b, n, OUT_FIX); }
static void finish_half_up(block *b, int64_t n) { finish_as(b, n, OUT_HALF_UP); }
static void finish_half(block *b, int64_t n) { finish_as(b, n, OUT_HALF); }

/* The way of the rest: any type and rule. */
static void finish_any(block *b, int64_t n) {
  const work *w = b->w;
  const whet_conv_q8 *p = w->p;
  const int64_t four = b->tiles == 4;
  for (int64_t i = b->at * (four ? 4 : b->tiles); i < (b->at + n) * (four ? 4 : b->tiles); i++) {
    int64_t t = four ? i / ROWS : i % b->tiles, r = four ? i % ROWS : i / b->tiles;
    const int32_t *sum = b->sum + r * BLOCK + BLOCK / b->tiles * t;
    uint8_t *to = b->to[t * ROWS + r];
    if (to == w->waste) continue;
    out_tile(&p->out, &w->f, sum, BLOCK, 1, w->cols, w->table, to, p->out_pitch);
  }
}

/* The next parts, n at most. */
OUT_INLINE void finish(flow *f, int64_t n) {
  block *b = f->stored;
  n = whet__min_i(n, b->left);
  if (n <= 0) return;
  b->w->finish(b, n);
  b->at += n;
  b->left -= n;
}

/* Where the results of tile t of a block belong, whose first is result m of a line. */
static inline void places(block *b, int64_t t, int64_t line, int64_t m) {
  const work *w = b->w;
  const cut *c = w->c;
  int64_t x = m;
  uint8_t *at = w->out + m * w->pitch;
  if (!c->dense) {
    if (c->next) line = (int64_t)((uint32_t)m / (uint32_t)c->next), x = m - line * c->next;
    at = w->out + (line * c->width + whet__min_i(x, c->width)) * w->pitch;
  }
  b->straight = w->straight && (c->dense || x + w->rows <= c->width);
  b->first = at;
  if (b->straight) return;
  uint8_t **to = b->to + t * ROWS;
  for (int64_t r = 0; r < w->rows; line++, x = 0) {
    int64_t end = c->dense ? w->rows : whet__min_i(r + c->width - x, w->rows);
    for (; r < end; r++, at += w->pitch) to[r] = at;
    end = whet__min_i(r + c->next - whet__max_i(x, c->width), w->rows);
    for (; r < end; r++) to[r] = w->waste;
  }
}

/* ---- products ----------------------------------------------------------------------------------- */

/* The share of a step in bringing the next panel's weights from the third cache to the second. */
OUT_INLINE void fetch(flow *f) {
  for (int64_t i = f->lines; i > 0 && f->ahead < f->end; i--, f->ahead += 64) _mm_prefetch(f->ahead, _MM_HINT_T1);
}

/* A walk over what a tile of results reads, step by step: STEP(T) multiplies what lies at x with the weights at b. T
 * comes before each tile's first product, and has something to do in the first step only. */
#define WALK(STEP)                       \
  const uint8_t *x = a + w->seg[0];      \
  int64_t k = c->steps, tick = f->every; \
  STEP(TURN)                             \
  for (int64_t s = 0;;) {                \
    fetch(f);                            \
    if (!--tick) {                       \
      finish(f, f->share);               \
      tick = f->every;                   \
    }                                    \
    if (--k) {                           \
      x += 4 * c->step;                  \
    } else if (++s < c->n_seg) {         \
      k = c->steps;                      \
      x = a + w->seg[s];                 \
    } else {                             \
      break;                             \
    }                                    \
    b += 64 * c->step;                   \
    STEP(STAY)                           \
  }

/* The sums of the block before leave a tile, which starts at the bias: its rows are all loaded from one place. */
#define TURN(C, at, start)                \
  _tile_stored(C, acc + (at), 4 * BLOCK); \
  finish(f, f->early);                    \
  _tile_loadd(C, w->bias + (start), 0);
#define STAY(C, at, start)

#define ACTIVATIONS(A, at) _tile_loadd(A, x + (at), c->lda);
#define WEIGHTS(B, i) _tile_loadd(B, b + (i)*w->apart, 64);
#define MULTIPLY(C, A, B) _tile_dpbusd(C, A, B);

/* Two tiles of results, `on` apart, by two blocks of outputs: each weight that comes from afar serves both. */
#define TALL(T)                                                                                               \
  T(C0, 0, 0)                                                                                                 \
  WEIGHTS(B0, 0)                                                                                              \
  ACTIVATIONS(A0, 0) MULTIPLY(C0, A0, B0) T(C2, 32, 0) ACTIVATIONS(A1, on) MULTIPLY(C2, A1, B0) T(C1, 16, 16) \
      WEIGHTS(B1, 1) MULTIPLY(C1, A0, B1) T(C3, 48, 16) MULTIPLY(C3, A1, B1)
static void tall(flow *f, const work *w, const uint8_t *a, int64_t on) {
  const cut *c = w->c;
  const int8_t *b = w->b;
  int32_t *acc = f->acc[f->now];
  WALK(TALL)
}

/* Four tiles of results, the others so far from the first, by one block of outputs. */
#define SLIM(T)                                                                                                 \
  T(C0, 0, 0)                                                                                                   \
  WEIGHTS(B0, 0)                                                                                                \
  ACTIVATIONS(A0, 0) MULTIPLY(C0, A0, B0) T(C1, 16, 0) ACTIVATIONS(A1, on[1]) MULTIPLY(C1, A1, B0) T(C2, 32, 0) \
      ACTIVATIONS(A0, on[2]) MULTIPLY(C2, A0, B0) T(C3, 48, 0) ACTIVATIONS(A1, on[3]) MULTIPLY(C3, A1, B0)
static void slim(flow *f, const work *w, const uint8_t *a, const int64_t on[4]) {
  const cut *c = w->c;
  const int8_t *b = w->b;
  int32_t *acc = f->acc[f->now];
  WALK(SLIM)
}

/* One tile of results by up to four blocks, for few products: each activation is read once for all. */
#define FLAT(T)                                                                         \
  T(C0, 0, 0)                                                                           \
  ACTIVATIONS(A0, 0)                                                                    \
  WEIGHTS(B0, 0) MULTIPLY(C0, A0, B0) T(C1, 16, wide > 1 ? 16 : 0) if (wide > 1){       \
      WEIGHTS(B1, 1) MULTIPLY(C1, A0, B1)} T(C2, 32, wide > 2 ? 32 : 0) if (wide > 2){  \
      WEIGHTS(B0, 2) MULTIPLY(C2, A0, B0)} T(C3, 48, wide > 3 ? 48 : 0) if (wide > 3) { \
    WEIGHTS(B1, 3) MULTIPLY(C3, A0, B1)                                                 \
  }
static void flat(flow *f, const work *w, const uint8_t *a) {
  const cut *c = w->c;
  const int8_t *b = w->b;
  const int64_t wide = w->wide;
  int32_t *acc = f->acc[f->now];
  WALK(FLAT)
}

/* One stage on: what is stored is finished, what is made is stored. Returns the room for a new block. */
static inline block *advance(flow *f) {
  finish(f, ROWS);
  block *b = f->stored;
  f->stored = f->made;
  f->made = b;
  f->now = !f->now;
  return b;
}

/* What is on its way arrives. */
static void drain(flow *f) {
  int32_t *acc = f->acc[f->now];
  _tile_stored(C0, acc, 4 * BLOCK);
  _tile_stored(C1, acc + 16, 4 * BLOCK);
  _tile_stored(C2, acc + 32, 4 * BLOCK);
  _tile_stored(C3, acc + 48, 4 * BLOCK);
  advance(f)->left = 0;
  advance(f);
}

/* Tiles of results in a block of so many blocks of outputs. */
static int64_t tiles_of(int64_t wide) { return wide > 2 ? 1 : wide == 2 ? 2 : 4; }

/* One panel of weights over n lines of a strip at a. Rows that are left over make a tile with some before them again.
 */
static void run_panel(flow *f, const work *w, const uint8_t *a, int64_t n, int64_t results) {
  const cut *c = w->c;
  const int64_t last = results - w->rows, most = tiles_of(w->wide);
  for (int64_t line = 0; line < (c->next ? 1 : n); line++, a += line_of(w->p, c))
    for (int64_t m = 0, end; m < results; m = end) {
      int64_t tiles = m < last ? most : 1, at[4] = {0};
      end = m + tiles * w->rows;
      for (int64_t t = 0; t < tiles; t++) at[t] = whet__min_i(m + t * w->rows, last);
      const uint8_t *from = a + at[0] * c->lda;
      const int64_t on[4] = {0, (at[1] - at[0]) * c->lda, (at[2] - at[0]) * c->lda, (at[3] - at[0]) * c->lda};
      if (tiles == 4)
        slim(f, w, from, on);
      else if (tiles == 2)
        tall(f, w, from, on[1]);
      else
        flat(f, w, from);
      block *b = advance(f);
      b->w = w;
      b->sum = f->acc[f->now];
      b->at = 0;
      b->left = w->rows;
      b->tiles = tiles;
      for (int64_t t = 0; t < tiles; t++) places(b, t, line, at[t]);
    }
}

#endif
