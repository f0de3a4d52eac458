/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_cols, AVX2: pixels of three or four samples two to a register, one lane each: two neighbours are
 * interleaved sample by sample and meet their pair of weights in vpmaddwd. Grey pixels: eight at a time for two
 * weights, else eight weights at a time. */

#include <immintrin.h>

#include "kern/prep_cols.h"

/* A pair of weights. */
static inline int32_t pair(const int16_t *w) {
  int32_t v;
  memcpy(&v, w, sizeof v);
  return v;
}

/* Sums of pixels x and y (one lane each: c samples as int32), before rounding. `mix` interleaves two neighbours. */
static inline __m256i two(const whet_prep_cols *p, const int16_t *in, const int32_t *first, const int16_t *w,
                          int64_t x, int64_t y, __m256i mix) {
  const int16_t *a = in + (int64_t)first[x] * p->c, *b = in + (int64_t)first[y] * p->c;
  const int16_t *wa = w + x * p->taps, *wb = w + y * p->taps;
  __m256i sum = _mm256_set1_epi32(1 << 20);
  for (int32_t k = 0; k < p->taps; k += 2) {
    __m256i v = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(a + k * p->c)));
    v = _mm256_inserti128_si256(v, _mm_loadu_si128((const __m128i *)(b + k * p->c)), 1);
    __m256i wk = _mm256_castsi128_si256(_mm_set1_epi32(pair(wa + k)));
    wk = _mm256_inserti128_si256(wk, _mm_set1_epi32(pair(wb + k)), 1);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_shuffle_epi8(v, mix), wk));
  }
  return _mm256_srai_epi32(sum, 21);
}

/* Pixels of three or four samples. */
static void colored(const whet_prep_cols *p, const int16_t *in, uint8_t *out, const int32_t *first, const int16_t *w,
                    int64_t from, int64_t to) {
  const __m256i mix3 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1));
  const __m256i mix4 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15));
  const __m128i drop = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  const __m256i mix = p->c == 3 ? mix3 : mix4;
  for (int64_t x = from; x < to; x += 4) {
    int64_t last = to - 1, x1 = whet__min_i(x + 1, last), x2 = whet__min_i(x + 2, last),
            x3 = whet__min_i(x + 3, last);
    __m256i s = _mm256_packs_epi32(two(p, in, first, w, x, x1, mix), two(p, in, first, w, x2, x3, mix));
    s = _mm256_packus_epi16(s, s); /* lanes: pixels 0 2, pixels 1 3 */
    __m128i v = _mm_unpacklo_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    uint8_t *o = out + x * p->c;
    if (p->c == 3) v = _mm_shuffle_epi8(v, drop);
    if (to - x < 4) {
      uint8_t tail[16];
      _mm_storeu_si128((__m128i *)tail, v);
      memcpy(o, tail, (size_t)((to - x) * p->c));
    } else if (p->c == 4) {
      _mm_storeu_si128((__m128i *)o, v);
    } else {
      int32_t end = _mm_extract_epi32(v, 2);
      _mm_storel_epi64((__m128i *)o, v);
      memcpy(o + 8, &end, sizeof end);
    }
  }
}

/* Grey pixel x. */
static inline uint8_t grey(const whet_prep_cols *p, const int16_t *in, const int32_t *first, const int16_t *w,
                           int64_t x) {
  const int16_t *a = in + first[x], *wx = w + x * p->taps;
  __m128i sum = _mm_setzero_si128();
  int32_t k = 0, rest = 1 << 20;
  for (; k + 8 <= p->taps; k += 8)
    sum = _mm_add_epi32(
        sum, _mm_madd_epi16(_mm_loadu_si128((const __m128i *)(a + k)), _mm_loadu_si128((const __m128i *)(wx + k))));
  for (; k < p->taps; k++) rest += a[k] * wx[k];
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
  return (uint8_t)((_mm_cvtsi128_si32(sum) + rest) >> 21);
}

/* Eight grey pixels of two weights each, as int32. */
static inline __m256i grey8(const int16_t *in, const int32_t *first, const int16_t *w) {
  __m256i v = _mm256_i32gather_epi32((const int *)(const void *)in, _mm256_loadu_si256((const __m256i *)first), 2);
  __m256i s = _mm256_madd_epi16(v, _mm256_loadu_si256((const __m256i *)w));
  return _mm256_srai_epi32(_mm256_add_epi32(s, _mm256_set1_epi32(1 << 20)), 21);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_prep_cols *p = params;
  const int16_t *in = ptr[0], *w = ptr[3];
  uint8_t *out = ptr[1];
  const int32_t *first = ptr[2];
  int64_t x, to;
  whet__split(p->n, part, parts, &x, &to);
  if (p->c > 1) {
    colored(p, in, out, first, w, x, to);
    return;
  }
  for (; p->taps == 2 && x + 16 <= to; x += 16) {
    __m256i a = grey8(in, first + x, w + x * 2), b = grey8(in, first + x + 8, w + x * 2 + 16);
    __m256i s = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8);
    _mm_storeu_si128((__m128i *)(out + x),
                     _mm_packus_epi16(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1)));
  }
  for (; x < to; x++) out[x] = grey(p, in, first, w, x);
}

/* Two samples (grey and alpha) are left to the portable row. */
static bool fits(const void *params) { return ((const whet_prep_cols *)params)->c != 2; }

const whet_kern whet_k_prep_cols__avx2_4 = {
    .name = "prep_cols__avx2_4", .isa = WHET_ISA_AVX2, .exact = 1, .fits = fits, .run = run};
