/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_ROUND_BF16_H
#define WHET_KERN_X86_ROUND_BF16_H

/* Floats rounded to bf16, to nearest, ties to even; numbers below 2^-126 become zeros. */

#include <immintrin.h>

#include "kern/kern.h"

WHET_INLINE void round_run(const float *x, int64_t n, uint16_t *to) {
  int64_t i = 0;
  for (; i + 32 <= n; i += 32)
    _mm512_storeu_si512(to + i, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i)));
  for (; i < n; i += 16) {
    const __mmask16 some = (__mmask16)(n - i >= 16 ? 0xffff : (1u << (n - i)) - 1u);
    _mm256_mask_storeu_epi16(to + i, some, (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(some, x + i)));
  }
}

/* 32 floats as three parts, each a line after the other. */
WHET_INLINE void split_32(__m512 u, __m512 v, uint16_t *to) {
  const __m512i odd = _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27, 25,
                                       23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
  const __m512i high = _mm512_set1_epi32((int)0xffff0000);
  WHET_UNROLL for (int part = 0; part < 3; part++) {
    __m512i ui = _mm512_castps_si512(u), vi = _mm512_castps_si512(v);
    _mm512_store_si512(to + part * 32, _mm512_permutex2var_epi16(ui, odd, vi));
    u = _mm512_sub_ps(u, _mm512_castsi512_ps(_mm512_and_si512(ui, high)));
    v = _mm512_sub_ps(v, _mm512_castsi512_ps(_mm512_and_si512(vi, high)));
  }
}

/* n floats likewise, then zeros. */
WHET_INLINE void split_run(const float *x, int64_t n, uint16_t *to) {
  int64_t i = 0;
  for (; i + 32 <= n; i += 32, to += 96) split_32(_mm512_loadu_ps(x + i), _mm512_loadu_ps(x + i + 16), to);
  if (i == n) return;
  const uint32_t some = (1u << (n - i)) - 1u;
  split_32(_mm512_maskz_loadu_ps((__mmask16)some, x + i), _mm512_maskz_loadu_ps((__mmask16)(some >> 16), x + i + 16),
           to);
}

#endif
