/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_rows, AVX2: 32 samples at a time.
 *
 * Two rows are one rounding high multiply: with w of 15 fraction bits, (a << 7) + mulhrs((b - a) << 7, w) equals
 * (a * w0 + b * w1 + 64) >> 7 bit for bit. More rows are taken in pairs, interleaved, and summed by vpmaddwd. */

#include <immintrin.h>

#include "kern/prep_rows.h"

/* 16 samples as words. */
static inline __m256i words(const uint8_t *p) { return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p)); }

/* 32 samples between two rows; w15: twice the weight of b, under 2^15. */
static inline void between(const uint8_t *a, const uint8_t *b, __m256i w15, int16_t *out) {
  for (int i = 0; i < 32; i += 16) {
    __m256i va = words(a + i), vb = words(b + i);
    __m256i d = _mm256_mulhrs_epi16(_mm256_slli_epi16(_mm256_sub_epi16(vb, va), 7), w15);
    _mm256_storeu_si256((__m256i *)(out + i), _mm256_add_epi16(_mm256_slli_epi16(va, 7), d));
  }
}

/* 32 samples of the mean of `taps` rows. */
static inline void mean(const uint8_t *in, int64_t stride, int32_t taps, const int16_t *w, int16_t *out) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i s0 = _mm256_set1_epi32(64), s1 = s0, s2 = s0, s3 = s0;
  for (int32_t k = 0; k < taps; k += 2) {
    int32_t pair;
    memcpy(&pair, w + k, sizeof pair);
    __m256i wk = _mm256_set1_epi32(pair);
    __m256i a = _mm256_loadu_si256((const __m256i *)(in + k * stride));
    __m256i b = k + 1 < taps ? _mm256_loadu_si256((const __m256i *)(in + (k + 1) * stride)) : zero;
    __m256i lo = _mm256_unpacklo_epi8(a, b), hi = _mm256_unpackhi_epi8(a, b);
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(_mm256_unpacklo_epi8(lo, zero), wk));
    s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(_mm256_unpackhi_epi8(lo, zero), wk));
    s2 = _mm256_add_epi32(s2, _mm256_madd_epi16(_mm256_unpacklo_epi8(hi, zero), wk));
    s3 = _mm256_add_epi32(s3, _mm256_madd_epi16(_mm256_unpackhi_epi8(hi, zero), wk));
  }
  /* Lanes: lo holds samples 0..7 and 16..23, hi 8..15 and 24..31. */
  __m256i lo = _mm256_packs_epi32(_mm256_srai_epi32(s0, 7), _mm256_srai_epi32(s1, 7));
  __m256i hi = _mm256_packs_epi32(_mm256_srai_epi32(s2, 7), _mm256_srai_epi32(s3, 7));
  _mm256_storeu_si256((__m256i *)out, _mm256_permute2x128_si256(lo, hi, 0x20));
  _mm256_storeu_si256((__m256i *)(out + 16), _mm256_permute2x128_si256(lo, hi, 0x31));
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_prep_rows *p = params;
  const uint8_t *in = ptr[0];
  int16_t *out = ptr[1];
  const int16_t *w = ptr[2];
  int64_t from, to;
  whet__split(p->n, part, parts, &from, &to);
  /* The last 32 samples overlap those before them; fewer than 32 go one by one. */
  if (to - from >= 32) {
    bool turn = p->taps == 2 && w[1] == 1 << 14;
    const uint8_t *a = turn ? in + p->stride : in, *b = turn ? in : in + p->stride;
    const __m256i w15 = _mm256_set1_epi16((int16_t)(p->taps == 2 ? (turn ? w[0] : w[1]) * 2 : 0));
    for (int64_t i = from; i < to; i += 32) {
      if (i > to - 32) i = to - 32;
      if (p->taps == 1)
        between(in + i, in + i, w15, out + i);
      else if (p->taps == 2)
        between(a + i, b + i, w15, out + i);
      else
        mean(in + i, p->stride, p->taps, w, out + i);
    }
    return;
  }
  for (int64_t i = from; i < to; i++) {
    int32_t sum = 64;
    for (int32_t k = 0; k < p->taps; k++) sum += in[k * p->stride + i] * w[k];
    out[i] = (int16_t)(sum >> 7);
  }
}

const whet_kern whet_k_prep_rows__avx2_32 = {
    .name = "prep_rows__avx2_32", .isa = WHET_ISA_AVX2, .exact = 1, .run = run};
