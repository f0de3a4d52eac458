/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_q8 on AVX2. */

#include "kern/row_name.h"
#include "kern/x86/fixed16_avx2.h"

#define ISA avx2
#define ISA_BITS WHET_ISA_AVX2
/* acc + products of four unsigned bytes with four signed ones in every lane: even and odd bytes as 16-bit pairs. */
OUT_INLINE out_int dot(out_int acc, out_int x, const int8_t *w) {
  const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)w);
  __m256i even = _mm256_madd_epi16(_mm256_and_si256(x, _mm256_set1_epi16(255)),
                                   _mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8));
  __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(x, 8), _mm256_srai_epi16(v, 8));
  return _mm256_add_epi32(acc, _mm256_add_epi32(even, odd));
}
#include "kern/x86/lstm_q8_body.h"

WHET_ROW_OF(lstm_q8, whet__lstm_q8_scratch_bytes);
