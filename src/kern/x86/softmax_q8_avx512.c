/* SPDX-License-Identifier: Apache-2.0 */
/* Family softmax_q8 on AVX-512: exponentials are gathered, products taken for even and odd lanes. */

#include <immintrin.h>

#include "kern/softmax_q8.h"

/* The numbers of a row as they are ordered, 16 of them from p on, of which m count. */
static inline __m512i numbers(const uint8_t *p, __mmask16 m, __m128i turn) {
  return _mm512_cvtepu8_epi32(_mm_xor_si128(_mm_maskz_loadu_epi8(m, p), turn));
}

static inline __m512i exponentials(const int32_t *exp, __m512i max, const uint8_t *p, __mmask16 m, __m128i turn) {
  return _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), m, _mm512_sub_epi32(max, numbers(p, m, turn)), exp, 4);
}

/* Numbers of a row that are left, as a mask. */
static inline __mmask16 some(int64_t left) { return left < 16 ? (__mmask16)((1u << left) - 1) : 0xffff; }

/* The greatest number of a row, in all lanes. */
static __m512i greatest(const uint8_t *x, int64_t n, __m128i turn) {
  __m512i max = _mm512_setzero_si512();
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 m = some(n - i);
    max = _mm512_mask_max_epi32(max, m, max, numbers(x + i, m, turn));
  }
  return _mm512_set1_epi32((int32_t)_mm512_reduce_max_epi32(max));
}

static void row(const whet_softmax_q8 *p, const uint8_t *x, const int32_t *exp, char *y, uint8_t bit) {
  const int bits = p->out == WHET_S16 ? 16 : 8;
  const __m128i turn = _mm_set1_epi8((char)bit);
  const __m512i half = _mm512_set1_epi32(1 << 11);
  __m512i max = greatest(x, p->n, turn), sum = _mm512_setzero_si512();
  int over;
  for (int64_t i = 0; i < p->n; i += 16)
    sum = _mm512_add_epi32(
        sum, _mm512_srli_epi32(_mm512_add_epi32(exponentials(exp, max, x + i, some(p->n - i - WHET_BUG(p->n % 16 > 1)), turn), half), 12));
  const int32_t r = whet__fx_reciprocal(_mm512_reduce_add_epi32(sum), 12, &over);
  const int shift = over + 31 - bits;
  const uint32_t half_step = shift > 0 && shift < 33 ? UINT32_C(1) << (shift - 1) : 0; /* past that all results are 0 */
  const __m512i factor = _mm512_set1_epi32(r), up = _mm512_set1_epi64(INT64_C(1) << 30), tie = _mm512_set1_epi32((int32_t)half_step);
  for (int64_t i = 0; i < p->n; i += 16) {
    const __mmask16 m = some(p->n - i);
    __m512i e = exponentials(exp, max, x + i, m, turn);
    __m512i even = _mm512_srli_epi64(_mm512_add_epi64(_mm512_mul_epu32(e, factor), up), 31);
    __m512i odd = _mm512_slli_epi64(_mm512_add_epi64(_mm512_mul_epu32(_mm512_srli_epi64(e, 32), factor), up), 1);
    __m512i v = _mm512_srli_epi32(_mm512_add_epi32(_mm512_mask_blend_epi32(0xaaaa, even, odd), tie), (unsigned)shift);
    if (bits == 16)
      _mm256_mask_storeu_epi16(y + 2 * i, m, _mm256_xor_si256(_mm512_cvtusepi32_epi16(v), _mm256_set1_epi16(INT16_MIN)));
    else
      _mm_mask_storeu_epi8(y + i, m, _mm_xor_si128(_mm512_cvtusepi32_epi8(v), _mm_set1_epi8(p->out == WHET_S8 ? INT8_MIN : 0)));
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__softmax_q8_rows(params, ptr, part, parts, row);
}

const whet_kern whet_k_softmax_q8__avx512_rows = {.name = "softmax_q8__avx512_rows", .isa = WHET_ISA_AVX512, .exact = 1, .run = run};
