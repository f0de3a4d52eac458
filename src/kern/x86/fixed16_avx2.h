/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_FIXED16_AVX2_H
#define WHET_KERN_X86_FIXED16_AVX2_H

/* 16 numbers of 16 bits, for fixed16_body.h and lstm_q8_body.h in ISA files with AVX2. */

#include "kern/x86/out_q8_avx2.h"

typedef __m256i half16;
OUT_INLINE half16 h16_set(int16_t x) { return _mm256_set1_epi16(x); }
OUT_INLINE half16 h16_load(const int16_t *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }
OUT_INLINE void h16_store(int16_t *p, half16 x) { _mm256_storeu_si256((__m256i *)(void *)p, x); }
OUT_INLINE half16 h16_add(half16 a, half16 b) { return _mm256_add_epi16(a, b); }
OUT_INLINE half16 h16_sub(half16 a, half16 b) { return _mm256_sub_epi16(a, b); }
OUT_INLINE half16 h16_adds(half16 a, half16 b) { return _mm256_adds_epi16(a, b); }
OUT_INLINE half16 h16_mul(half16 a, half16 b) { return _mm256_mulhrs_epi16(a, b); }
OUT_INLINE half16 h16_and(half16 a, half16 b) { return _mm256_and_si256(a, b); }
OUT_INLINE half16 h16_min(half16 a, half16 b) { return _mm256_min_epi16(a, b); }
/* (a + b + 1) / 2 of numbers that are not negative. */
OUT_INLINE half16 h16_mean(half16 a, half16 b) { return _mm256_avg_epu16(a, b); }
OUT_INLINE half16 h16_left(half16 a, int n) { return _mm256_sll_epi16(a, _mm_cvtsi32_si128(n)); }
OUT_INLINE half16 h16_right(half16 a, int n) { return _mm256_sra_epi16(a, _mm_cvtsi32_si128(n)); }
OUT_INLINE out_int h16_right32(out_int a, int n) { return _mm256_sra_epi32(a, _mm_cvtsi32_si128(n)); }
/* yes where a lane of test is not 0, else no. */
OUT_INLINE half16 h16_pick(half16 test, half16 yes, half16 no) {
  return _mm256_blendv_epi8(yes, no, _mm256_cmpeq_epi16(test, _mm256_setzero_si256()));
}
OUT_INLINE half16 h16_between(half16 a, int16_t lo, int16_t hi) {
  return _mm256_max_epi16(_mm256_min_epi16(a, h16_set(hi)), h16_set(lo));
}
/* Products in 32 bits: the lower (0) or upper (1) fours of each eight; h16_pack restores their order, saturating. */
OUT_INLINE out_int h16_product(half16 a, half16 b, int which) {
  __m256i lo = _mm256_mullo_epi16(a, b), hi = _mm256_mulhi_epi16(a, b);
  return which ? _mm256_unpackhi_epi16(lo, hi) : _mm256_unpacklo_epi16(lo, hi);
}
OUT_INLINE half16 h16_pack(out_int a, out_int b) { return _mm256_packs_epi32(a, b); }
/* Saturated to bytes: all of them unsigned, the first n as they are. */
OUT_INLINE void h16_store_bytes(half16 x, uint8_t *turned, int8_t *y, int64_t n) {
  const __m128i turn = _mm_set1_epi8((char)0x80);
  __m128i v = _mm_packs_epi16(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  _mm_storeu_si128((__m128i *)(void *)turned, _mm_xor_si128(v, turn));
  if (n >= 16) {
    _mm_storeu_si128((__m128i *)(void *)y, v);
    return;
  }
  for (int64_t i = 0; i < n; i++) y[i] = (int8_t)(turned[i] ^ 0x80);
}

OUT_INLINE out_int out_between(out_int a, out_int lo, out_int hi) {
  return _mm256_max_epi32(_mm256_min_epi32(a, hi), lo);
}

#endif
