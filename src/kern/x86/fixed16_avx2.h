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
OUT_INLINE half16 h16_xor(half16 a, half16 b) { return _mm256_xor_si256(a, b); }
OUT_INLINE half16 h16_abs(half16 a) { return _mm256_abs_epi16(a); }
/* (a + b + 1) / 2 of numbers that are not negative. */
OUT_INLINE half16 h16_mean(half16 a, half16 b) { return _mm256_avg_epu16(a, b); }
OUT_INLINE half16 h16_left(half16 a, int n) { return _mm256_sll_epi16(a, _mm_cvtsi32_si128(n)); }
OUT_INLINE half16 h16_right(half16 a, int n) { return _mm256_sra_epi16(a, _mm_cvtsi32_si128(n)); }
OUT_INLINE out_int h16_right32(out_int a, int n) { return _mm256_sra_epi32(a, _mm_cvtsi32_si128(n)); }
/* yes where a lane of test is not 0, else no. */
OUT_INLINE half16 h16_pick(half16 test, half16 yes, half16 no) {
  return _mm256_blendv_epi8(yes, no, _mm256_cmpeq_epi16(test, _mm256_setzero_si256()));
}
/* r times a factor where a bit of b is set. A product with what it lacks of one, added, is that with the factor. */
OUT_INLINE half16 h16_mul_where(half16 r, int16_t factor, half16 b, int16_t bit) {
  half16 set = _mm256_cmpeq_epi16(_mm256_and_si256(b, h16_set(bit)), h16_set(bit));
  return h16_add(r, h16_mul(r, _mm256_and_si256(set, h16_set((int16_t)(factor - 32768)))));
}
/* a with the sign of b, 0 where that is 0. */
OUT_INLINE half16 h16_with_sign_of(half16 a, half16 b) { return _mm256_sign_epi16(a, b); }
OUT_INLINE half16 h16_between(half16 a, int16_t lo, int16_t hi) {
  return _mm256_max_epi16(_mm256_min_epi16(a, h16_set(hi)), h16_set(lo));
}
/* Products in 32 bits: the lower (0) or upper (1) fours of each eight; h16_pack restores their order, saturating. */
OUT_INLINE out_int h16_product(half16 a, half16 b, int which) {
  __m256i lo = _mm256_mullo_epi16(a, b), hi = _mm256_mulhi_epi16(a, b);
  return which ? _mm256_unpackhi_epi16(lo, hi) : _mm256_unpacklo_epi16(lo, hi);
}
OUT_INLINE half16 h16_pack(out_int a, out_int b) { return _mm256_packs_epi32(a, b); }
/* x << n, x >> n, lane by lane; the upper halves of a b + more, products of 64 bits. */
OUT_INLINE out_int h16_set_64(int64_t x) { return _mm256_set1_epi64x(x); }
OUT_INLINE out_int h16_left_by(out_int x, out_int n) { return _mm256_sllv_epi32(x, n); }
OUT_INLINE out_int h16_right_by(out_int x, out_int n) { return _mm256_srav_epi32(x, n); }
OUT_INLINE out_int h16_high_mul(out_int a, out_int b, out_int more) {
  out_int even = _mm256_add_epi64(_mm256_mul_epi32(a, b), more);
  out_int odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_shuffle_epi32(a, 0xf5), b), more);
  return _mm256_blend_epi32(_mm256_shuffle_epi32(even, 0xf5), odd, 0xaa);
}
/* The first four of three vectors in one; its i-th four, any behind them. */
OUT_INLINE half16 h16_fours(half16 a, half16 b, half16 c) {
  return _mm256_inserti128_si256(_mm256_unpacklo_epi64(a, b), _mm256_castsi256_si128(c), 1);
}
OUT_INLINE half16 h16_four(half16 a, int i) { return i == 1 ? _mm256_unpackhi_epi64(a, a) : _mm256_permute4x64_epi64(a, 2); }
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
