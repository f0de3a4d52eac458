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

#endif
