/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_rows, AVX-512: 64 samples at a time, the last ones masked. The arithmetic is that of the AVX2 row. */

#include <immintrin.h>

#include "kern/prep_rows.h"

/* Up to 32 samples as words; others are 0 and not read. */
static inline __m512i words(const uint8_t *p, __mmask32 m) {
  return _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(m, p));
}

/* Samples i.. of the row between two others; w15: twice the weight of b. */
static void between(const uint8_t *a, const uint8_t *b, int16_t w, int16_t *out, int64_t n) {
  const __m512i w15 = _mm512_set1_epi16(w);
  for (int64_t i = 0; i < n; i += 32) {
    __mmask32 m = n - i >= 32 ? ~(__mmask32)0 : ((__mmask32)1 << (n - i)) - 1;
    __m512i va = words(a + i, m), vb = words(b + i, m);
    __m512i d = _mm512_mulhrs_epi16(_mm512_slli_epi16(_mm512_sub_epi16(vb, va), 7), w15);
    _mm512_mask_storeu_epi16(out + i, m, _mm512_add_epi16(_mm512_slli_epi16(va, 7), d));
  }
}

/* Up to 64 samples (those of m) of the mean of `taps` rows. */
static inline void mean(const uint8_t *in, int64_t stride, int32_t taps, const int16_t *w, int16_t *out,
                        __mmask64 m) {
  const __m512i zero = _mm512_setzero_si512();
  __m512i s0 = _mm512_set1_epi32(64), s1 = s0, s2 = s0, s3 = s0;
  for (int32_t k = 0; k < taps; k += 2) {
    int32_t pair;
    memcpy(&pair, w + k, sizeof pair);
    __m512i wk = _mm512_set1_epi32(pair);
    __m512i a = _mm512_maskz_loadu_epi8(m, in + k * stride);
    __m512i b = k + 1 < taps ? _mm512_maskz_loadu_epi8(m, in + (k + 1) * stride) : zero;
    __m512i lo = _mm512_unpacklo_epi8(a, b), hi = _mm512_unpackhi_epi8(a, b);
    s0 = _mm512_add_epi32(s0, _mm512_madd_epi16(_mm512_unpacklo_epi8(lo, zero), wk));
    s1 = _mm512_add_epi32(s1, _mm512_madd_epi16(_mm512_unpackhi_epi8(lo, zero), wk));
    s2 = _mm512_add_epi32(s2, _mm512_madd_epi16(_mm512_unpacklo_epi8(hi, zero), wk));
    s3 = _mm512_add_epi32(s3, _mm512_madd_epi16(_mm512_unpackhi_epi8(hi, zero), wk));
  }
  /* Lane j of lo holds samples 16j..16j+7, of hi 16j+8..16j+15. */
  __m512i lo = _mm512_packs_epi32(_mm512_srai_epi32(s0, 7), _mm512_srai_epi32(s1, 7));
  __m512i hi = _mm512_packs_epi32(_mm512_srai_epi32(s2, 7), _mm512_srai_epi32(s3, 7));
  const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11),
                second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  _mm512_mask_storeu_epi16(out, (__mmask32)m, _mm512_permutex2var_epi64(lo, first, hi));
  _mm512_mask_storeu_epi16(out + 32, (__mmask32)(m >> 32), _mm512_permutex2var_epi64(lo, second, hi));
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_prep_rows *p = params;
  const uint8_t *in = ptr[0];
  int16_t *out = ptr[1];
  const int16_t *w = ptr[2];
  int64_t from, to;
  whet__split(p->n, part, parts, &from, &to);
  in += from;
  out += from;
  int64_t n = to - from;
  if (p->taps == 1) {
    between(in, in, 0, out, n);
  } else if (p->taps == 2) {
    bool turn = w[1] == 1 << 14;
    between(turn ? in + p->stride : in, turn ? in : in + p->stride, (int16_t)((turn ? w[0] : w[1]) * 2), out, n);
  } else {
    for (int64_t i = 0; i < n; i += 64)
      mean(in + i, p->stride, p->taps, w, out + i, n - i >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << (n - i)) - 1);
  }
}

const whet_kern whet_k_prep_rows__avx512_64 = {
    .name = "prep_rows__avx512_64", .isa = WHET_ISA_AVX512, .exact = 1, .run = run};
