/* SPDX-License-Identifier: Apache-2.0 */
/* Family copy on AVX2: transposition of bytes and of 4-byte elements. One dimension is contiguous in the input (its
 * index is a, M elements), another one in the output (b, N elements); all others are walked outside. Tiles of 16 x 16
 * bytes or 8 x 8 words are turned in registers, the last one of a side overlaps the one before it; three planes are
 * interleaved into pixels, as pictures with channels first are when they become channels last. */

#include <immintrin.h>

#include "kern/copy.h"

enum { BLOCK = 64 }; /* of the input's contiguous dimension in one piece of work */

/* The transposition: which dimensions, and what is left of the copy. */
typedef struct turn {
  whet_copy c;
  int a, b;
  int64_t m, n, in_step, out_step; /* sizes; distance between rows of the input (along b), of the output (along a) */
} turn;

static bool turn_of(const void *params, turn *t) {
  t->c = *(const whet_copy *)params;
  whet__copy_simplify(&t->c);
  t->a = t->b = -1;
  for (int i = 0; i < t->c.rank; i++) {
    if (t->c.in_stride[i] == 1 && t->a < 0) t->a = i;
    if (t->c.out_stride[i] == 1 && t->b < 0) t->b = i;
  }
  if (t->a < 0 || t->b < 0 || t->a == t->b) return false;
  t->m = t->c.dim[t->a], t->n = t->c.dim[t->b];
  t->in_step = t->c.in_stride[t->b], t->out_step = t->c.out_stride[t->a];
  return true;
}

static bool fits(const void *params) {
  turn t;
  const whet_copy *c = params;
  return (c->elem_bytes == 1 || c->elem_bytes == 4) && turn_of(params, &t) && t.m * t.n >= 16;
}

static inline __m128i load(const uint8_t *p) { return _mm_loadu_si128((const __m128i *)(const void *)p); }
static inline void store(uint8_t *p, __m128i x) { _mm_storeu_si128((__m128i *)(void *)p, x); }

/* 16 x 16 bytes: four rounds, each of which interleaves row i with row i + 8. */
static inline void tile_1(const uint8_t *in, int64_t is, uint8_t *out, int64_t os) {
  __m128i x[16], y[16];
  WHET_UNROLL for (int i = 0; i < 16; i++) x[i] = load(in + i * is);
  WHET_UNROLL for (int round = 0; round < 4; round++) {
    WHET_UNROLL for (int i = 0; i < 8; i++) {
      y[2 * i] = _mm_unpacklo_epi8(x[i], x[i + 8]);
      y[2 * i + 1] = _mm_unpackhi_epi8(x[i], x[i + 8]);
    }
    WHET_UNROLL for (int i = 0; i < 16; i++) x[i] = y[i];
  }
  WHET_UNROLL for (int i = 0; i < 16; i++) store(out + i * os, x[i]);
}

/* 8 x 8 words; distances in bytes. */
static inline void tile_4(const uint8_t *in, int64_t is, uint8_t *out, int64_t os) {
  __m256i x[8], y[8];
  WHET_UNROLL for (int i = 0; i < 8; i++)
    x[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(load(in + i % 4 * is + i / 4 * 16)),
                                   load(in + (i % 4 + 4) * is + i / 4 * 16), 1);
  WHET_UNROLL for (int h = 0; h < 8; h += 4) { /* columns h .. h + 3: lanes hold rows 0..3 and 4..7 */
    WHET_UNROLL for (int i = 0; i < 2; i++) {
      y[h + 2 * i] = _mm256_unpacklo_epi32(x[h + i], x[h + i + 2]);
      y[h + 2 * i + 1] = _mm256_unpackhi_epi32(x[h + i], x[h + i + 2]);
    }
    x[h] = _mm256_unpacklo_epi32(y[h], y[h + 2]);
    x[h + 1] = _mm256_unpackhi_epi32(y[h], y[h + 2]);
    x[h + 2] = _mm256_unpacklo_epi32(y[h + 1], y[h + 3]);
    x[h + 3] = _mm256_unpackhi_epi32(y[h + 1], y[h + 3]);
  }
  WHET_UNROLL for (int i = 0; i < 8; i++) _mm256_storeu_si256((__m256i *)(void *)(out + i * os), x[i]);
}

/* Bytes of three planes, 16 at a time, as 16 pixels; answers how many pixels were done. */
static int64_t planes_1(const uint8_t *in, int64_t is, uint8_t *out, int64_t n) {
  const char z = -1;
  const __m128i p0 = _mm_setr_epi8(0, z, z, 1, z, z, 2, z, z, 3, z, z, 4, z, z, 5);
  const __m128i p1 = _mm_setr_epi8(z, 0, z, z, 1, z, z, 2, z, z, 3, z, z, 4, z, z);
  const __m128i p2 = _mm_setr_epi8(z, z, 0, z, z, 1, z, z, 2, z, z, 3, z, z, 4, z);
  /* Piece k of the 48 bytes begins 16 k bytes further: with channel 16 k mod 3, which is k mod 3. */
  const __m128i q0 = _mm_setr_epi8(z, 5, z, z, 6, z, z, 7, z, z, 8, z, z, 9, z, z);
  const __m128i q1 = _mm_setr_epi8(5, z, z, 6, z, z, 7, z, z, 8, z, z, 9, z, z, 10);
  const __m128i q2 = _mm_setr_epi8(z, z, 6, z, z, 7, z, z, 8, z, z, 9, z, z, 10, z);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m128i r = load(in + i), g = load(in + is + i), b = load(in + 2 * is + i);
    __m128i x = _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(r, p0), _mm_shuffle_epi8(g, p1)), _mm_shuffle_epi8(b, p2));
    /* Bytes 16..31 are g5 b5 r6 g6 ...; bytes 32..47 are b10 r11 g11 ... */
    __m128i b1 = _mm_shuffle_epi8(b, q0), g1 = _mm_shuffle_epi8(g, q1), r1 = _mm_shuffle_epi8(r, q2);
    const __m128i five = _mm_set1_epi8(5);
    __m128i y = _mm_or_si128(_mm_or_si128(b1, g1), r1);
    __m128i b2 = _mm_shuffle_epi8(b, _mm_or_si128(_mm_add_epi8(q1, five), _mm_cmpgt_epi8(_mm_setzero_si128(), q1)));
    __m128i r2 = _mm_shuffle_epi8(
        r, _mm_setr_epi8(z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15, z, z));
    __m128i g2 = _mm_shuffle_epi8(
        g, _mm_setr_epi8(z, z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15, z));
    store(out + 3 * i, x);
    store(out + 3 * i + 16, y);
    store(out + 3 * i + 32, _mm_or_si128(_mm_or_si128(b2, r2), g2));
  }
  return i;
}

/* Words of three planes, four at a time, as four pixels. */
static int64_t planes_4(const uint8_t *in, int64_t is, uint8_t *out, int64_t n) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    __m128 r = _mm_castsi128_ps(load(in + 4 * i)), g = _mm_castsi128_ps(load(in + is + 4 * i));
    __m128 b = _mm_castsi128_ps(load(in + 2 * is + 4 * i));
    __m128 rg = _mm_unpacklo_ps(r, g), rg_hi = _mm_unpackhi_ps(r, g);          /* r0 g0 r1 g1, r2 g2 r3 g3 */
    __m128 br = _mm_shuffle_ps(b, r, 0x50), gb = _mm_shuffle_ps(g, b, 0x55);   /* b0 b0 r1 r1, g1 g1 b1 b1 */
    __m128 br_hi = _mm_shuffle_ps(b, r, 0xfa), gb_hi = _mm_shuffle_ps(g, b, 0xff); /* b2 b2 r3 r3, g3 g3 b3 b3 */
    store(out + 12 * i, _mm_castps_si128(_mm_shuffle_ps(rg, br, 0x84)));
    store(out + 12 * i + 16, _mm_castps_si128(_mm_shuffle_ps(gb, rg_hi, 0x48)));
    store(out + 12 * i + 32, _mm_castps_si128(_mm_shuffle_ps(br_hi, gb_hi, 0x88)));
  }
  return i;
}

/* One element after the other: rows [a, m) of the output. */
static void plain(const uint8_t *in, int64_t is, uint8_t *out, int64_t os, int64_t m, int64_t n, int64_t e) {
  for (int64_t a = 0; a < m; a++)
    for (int64_t b = 0; b < n; b++)
      if (e == 1)
        out[a * os + b] = in[b * is + a];
      else
        memcpy(out + a * os + 4 * b, in + b * is + 4 * a, 4);
}

/* m x n elements; distances in bytes. */
static void block(const uint8_t *in, int64_t is, uint8_t *out, int64_t os, int64_t m, int64_t n, int64_t e) {
  int64_t side = e == 1 ? 16 : 8;
  if (n == 3 && os == 3 * e) {
    int64_t done = e == 1 ? planes_1(in, is, out, m) : planes_4(in, is, out, m);
    plain(in + done * e, is, out + done * os, os, m - done, n, e);
  } else if (m < side || n < side) {
    plain(in, is, out, os, m, n, e);
  } else {
    for (int64_t b = 0; b < n; b += side) {
      b = whet__min_i(b, n - side);
      for (int64_t a = 0; a < m; a += side) {
        a = whet__min_i(a, m - side);
        if (b * e % 64 == 0) /* whoever stores waits for each line in turn: have the next ones come meanwhile */
          for (int64_t i = a; i < a + side; i++) __builtin_prefetch(out + i * os + b * e + 64, 1);
        if (e == 1)
          tile_1(in + b * is + a, is, out + a * os + b, os);
        else
          tile_4(in + b * is + 4 * a, is, out + a * os + 4 * b, os);
      }
    }
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  turn t;
  if (!turn_of(params, &t)) return;
  int64_t e = t.c.elem_bytes, pieces = whet__ceil_div(t.m, BLOCK), outer = 1, from, to;
  for (int i = 0; i < t.c.rank; i++)
    if (i != t.a && i != t.b) outer *= t.c.dim[i];
  whet__split(outer * pieces, part, parts, &from, &to);
  for (; from < to; from++) {
    int64_t in = t.c.in_offset, out = t.c.out_offset, left = from / pieces, a = from % pieces * BLOCK;
    for (int i = t.c.rank - 1; i >= 0; i--) {
      if (i == t.a || i == t.b) continue;
      int64_t k = left % t.c.dim[i];
      left /= t.c.dim[i];
      in += k * t.c.in_stride[i];
      out += k * t.c.out_stride[i];
    }
    block((const uint8_t *)ptr[0] + (in + a) * e, t.in_step * e, (uint8_t *)ptr[1] + (out + a * t.out_step) * e,
          t.out_step * e, whet__min_i(BLOCK, t.m - a), t.n, e);
  }
}

const whet_kern whet_k_copy__avx2_turn = {
    .name = "copy__avx2_turn", .isa = WHET_ISA_AVX2, .exact = 1, .fits = fits, .run = run};
