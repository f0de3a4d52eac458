/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_FIXED16_AVX512_H
#define WHET_KERN_X86_FIXED16_AVX512_H

/* 32 numbers of 16 bits, for fixed16_body.h and lstm_q8_body.h in ISA files with AVX-512 F, BW, VL. */

#include "kern/x86/out_q8_avx512.h"

typedef __m512i half16;
OUT_INLINE half16 h16_set(int16_t x) { return _mm512_set1_epi16(x); }
OUT_INLINE half16 h16_load(const int16_t *p) { return _mm512_loadu_si512(p); }
OUT_INLINE void h16_store(int16_t *p, half16 x) { _mm512_storeu_si512(p, x); }
OUT_INLINE half16 h16_add(half16 a, half16 b) { return _mm512_add_epi16(a, b); }
OUT_INLINE half16 h16_sub(half16 a, half16 b) { return _mm512_sub_epi16(a, b); }
OUT_INLINE half16 h16_adds(half16 a, half16 b) { return _mm512_adds_epi16(a, b); }
OUT_INLINE half16 h16_mul(half16 a, half16 b) { return _mm512_mulhrs_epi16(a, b); }
OUT_INLINE half16 h16_and(half16 a, half16 b) { return _mm512_and_si512(a, b); }
OUT_INLINE half16 h16_xor(half16 a, half16 b) { return _mm512_xor_si512(a, b); }
OUT_INLINE half16 h16_abs(half16 a) { return _mm512_abs_epi16(a); }
/* (a + b + 1) / 2 of numbers that are not negative. */
OUT_INLINE half16 h16_mean(half16 a, half16 b) { return _mm512_avg_epu16(a, b); }
OUT_INLINE half16 h16_left(half16 a, int n) { return _mm512_sll_epi16(a, _mm_cvtsi32_si128(n)); }
OUT_INLINE half16 h16_right(half16 a, int n) { return _mm512_sra_epi16(a, _mm_cvtsi32_si128(n)); }
OUT_INLINE out_int h16_right32(out_int a, int n) { return _mm512_sra_epi32(a, _mm_cvtsi32_si128(n)); }
/* yes where a lane of test is not 0, else no. */
OUT_INLINE half16 h16_pick(half16 test, half16 yes, half16 no) {
  return _mm512_mask_mov_epi16(no, _mm512_test_epi16_mask(test, test), yes);
}
/* r times a factor where a bit of b is set. */
OUT_INLINE half16 h16_mul_where(half16 r, int16_t factor, half16 b, int16_t bit) {
  return _mm512_mask_mulhrs_epi16(r, _mm512_test_epi16_mask(b, h16_set(bit)), r, h16_set(factor));
}
/* a with the sign of b, 0 where that is 0. */
OUT_INLINE half16 h16_with_sign_of(half16 a, half16 b) {
  half16 v = _mm512_maskz_mov_epi16(_mm512_test_epi16_mask(b, b), a);
  return _mm512_mask_sub_epi16(v, _mm512_movepi16_mask(b), _mm512_setzero_si512(), v);
}
OUT_INLINE half16 h16_between(half16 a, int16_t lo, int16_t hi) {
  return _mm512_max_epi16(_mm512_min_epi16(a, h16_set(hi)), h16_set(lo));
}
/* Products in 32 bits: the lower (0) or upper (1) fours of each eight; h16_pack restores their order, saturating. */
OUT_INLINE out_int h16_product(half16 a, half16 b, int which) {
  __m512i lo = _mm512_mullo_epi16(a, b), hi = _mm512_mulhi_epi16(a, b);
  return which ? _mm512_unpackhi_epi16(lo, hi) : _mm512_unpacklo_epi16(lo, hi);
}
OUT_INLINE half16 h16_pack(out_int a, out_int b) { return _mm512_packs_epi32(a, b); }
/* x << n, x >> n, lane by lane; the upper halves of a b + more, products of 64 bits. */
OUT_INLINE out_int h16_set_64(int64_t x) { return _mm512_set1_epi64(x); }
OUT_INLINE out_int h16_left_by(out_int x, out_int n) { return _mm512_sllv_epi32(x, n); }
OUT_INLINE out_int h16_right_by(out_int x, out_int n) { return _mm512_srav_epi32(x, n); }
OUT_INLINE out_int h16_high_mul(out_int a, out_int b, out_int more) {
  out_int even = _mm512_add_epi64(_mm512_mul_epi32(a, b), more);
  out_int odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_shuffle_epi32(a, (_MM_PERM_ENUM)0xf5), b), more);
  return _mm512_mask_blend_epi32(0xaaaa, _mm512_shuffle_epi32(even, (_MM_PERM_ENUM)0xf5), odd);
}
/* As fixed16_avx2.h has them for units in fewer vectors, which there are none of here. */
OUT_INLINE half16 h16_fours(half16 a, half16 b, half16 c) { return (void)b, (void)c, a; }
OUT_INLINE half16 h16_four(half16 a, int i) { return (void)i, a; }
/* Saturated to bytes: all of them unsigned, the first n as they are. */
OUT_INLINE void h16_store_bytes(half16 x, uint8_t *turned, int8_t *y, int64_t n) {
  __m256i v = _mm512_cvtsepi16_epi8(x);
  _mm256_storeu_si256((__m256i *)(void *)turned, _mm256_xor_si256(v, _mm256_set1_epi8((char)0x80)));
  if (n >= 32)
    _mm256_storeu_si256((__m256i *)(void *)y, v);
  else
    _mm256_mask_storeu_epi8(y, (__mmask32)((UINT32_C(1) << n) - 1), v);
}

OUT_INLINE out_int out_between(out_int a, out_int lo, out_int hi) {
  return _mm512_max_epi32(_mm512_min_epi32(a, hi), lo);
}

#endif
