/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_quad, AVX2: four pixels of three or four samples at a time, one lane each.
 *
 * Both neighbours of a pixel are eight bytes of each row. With w15 of 15 fraction bits (a << 7) + mulhrs((b - a) << 7,
 * w15) is the mean of two rows bit for bit, as in prep_rows; neighbours are then interleaved sample by sample and meet
 * their pair of weights in vpmaddwd, as in prep_cols. */

#include <immintrin.h>

#include "kern/prep_quad.h"

/* Eight bytes at each of two places, as words. */
static inline __m256i words(const uint8_t *p, const uint8_t *q) {
  return _mm256_cvtepu8_epi16(
      _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)p), _mm_loadl_epi64((const __m128i *)q)));
}

/* Two pixels whose neighbours begin at bytes i and j: c samples as int32 in each lane. */
static inline __m256i two(const uint8_t *a, const uint8_t *b, int64_t i, int64_t j, __m256i w15, __m256i mix,
                          __m256i w) {
  __m256i va = words(a + i, a + j), vb = words(b + i, b + j);
  __m256i d = _mm256_mulhrs_epi16(_mm256_slli_epi16(_mm256_sub_epi16(vb, va), 7), w15);
  __m256i m = _mm256_shuffle_epi8(_mm256_add_epi16(_mm256_slli_epi16(va, 7), d), mix);
  return _mm256_srai_epi32(_mm256_add_epi32(_mm256_madd_epi16(m, w), _mm256_set1_epi32(1 << 20)), 21);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_prep_quad *p = params;
  const int32_t *first = ptr[3];
  const int16_t *w = ptr[4], *wr = ptr[5];
  const int64_t c = p->c;
  const __m256i mix3 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1));
  const __m256i mix4 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15));
  /* Packed lanes hold pixels 0 2 and 1 3. */
  const __m128i order3 = _mm_setr_epi8(0, 1, 2, 8, 9, 10, 4, 5, 6, 12, 13, 14, -1, -1, -1, -1);
  const __m128i order4 = _mm_setr_epi8(0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15);
  const __m256i low = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1), high = _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3);
  const __m256i mix = c == 3 ? mix3 : mix4;
  const __m128i order = c == 3 ? order3 : order4;
  bool turn = wr[1] == 1 << 14; /* its double is no int16 */
  const uint8_t *a = ptr[turn ? 1 : 0], *b = ptr[turn ? 0 : 1];
  const __m256i w15 = _mm256_set1_epi16((int16_t)((turn ? wr[0] : wr[1]) * 2));
  int64_t x, to, safe;
  whet__split(p->n, part, parts, &x, &to);
  safe = whet__prep_quad_safe(p, first, x, to);
  for (; x + 4 <= safe; x += 4) {
    __m256i pairs = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(w + x * 2)));
    __m256i s01 = two(a, b, first[x] * c, first[x + 1] * c, w15, mix, _mm256_permutevar8x32_epi32(pairs, low));
    __m256i s23 = two(a, b, first[x + 2] * c, first[x + 3] * c, w15, mix, _mm256_permutevar8x32_epi32(pairs, high));
    __m256i s = _mm256_packs_epi32(s01, s23);
    __m128i v = _mm_packus_epi16(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    uint8_t *o = (uint8_t *)ptr[2] + x * c;
    v = _mm_shuffle_epi8(v, order);
    if (c == 4) {
      _mm_storeu_si128((__m128i *)o, v);
    } else {
      int32_t end = _mm_extract_epi32(v, 2);
      _mm_storel_epi64((__m128i *)o, v);
      memcpy(o + 8, &end, sizeof end);
    }
  }
  whet__prep_quad_plain(p, ptr, x, to);
}

/* Grey is left to the portable row. */
static bool fits(const void *params) { return ((const whet_prep_quad *)params)->c >= 3; }

const whet_kern whet_k_prep_quad__avx2_4 = {
    .name = "prep_quad__avx2_4", .isa = WHET_ISA_AVX2, .exact = 1, .fits = fits, .run = run};
