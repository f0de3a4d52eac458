/* SPDX-License-Identifier: Apache-2.0 */
/* Family copy on AVX2: matrices of bytes and of 4-byte elements turned, copy_turn.h. */

#include <immintrin.h>

#include "kern/copy.h"

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
    __m128i r2 = _mm_shuffle_epi8(r, _mm_setr_epi8(z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15, z, z));
    __m128i g2 = _mm_shuffle_epi8(g, _mm_setr_epi8(z, z, 11, z, z, 12, z, z, 13, z, z, 14, z, z, 15, z));
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
    __m128 rg = _mm_unpacklo_ps(r, g), rg_hi = _mm_unpackhi_ps(r, g);              /* r0 g0 r1 g1, r2 g2 r3 g3 */
    __m128 br = _mm_shuffle_ps(b, r, 0x50), gb = _mm_shuffle_ps(g, b, 0x55);       /* b0 b0 r1 r1, g1 g1 b1 b1 */
    __m128 br_hi = _mm_shuffle_ps(b, r, 0xfa), gb_hi = _mm_shuffle_ps(g, b, 0xff); /* b2 b2 r3 r3, g3 g3 b3 b3 */
    store(out + 12 * i, _mm_castps_si128(_mm_shuffle_ps(rg, br, 0x84)));
    store(out + 12 * i + 16, _mm_castps_si128(_mm_shuffle_ps(gb, rg_hi, 0x48)));
    store(out + 12 * i + 32, _mm_castps_si128(_mm_shuffle_ps(br_hi, gb_hi, 0x88)));
  }
  return i;
}

#define TURN_SIDE_1 16
#define TURN_SIDE_4 8
#include "kern/copy_turn.h"

const whet_kern whet_k_copy__avx2_turn = {
    .name = "copy__avx2_turn", .isa = WHET_ISA_AVX2, .exact = 1, .fits = fits, .run = run};
