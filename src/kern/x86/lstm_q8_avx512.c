/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_q8 on AVX-512 without VNNI. */

#include "kern/row_name.h"
#include "kern/x86/fixed16_avx512.h"

#define ISA avx512
#define ISA_BITS WHET_ISA_AVX512
/* acc + products of four unsigned bytes with four signed ones in every lane: even and odd bytes as 16-bit pairs. */
OUT_INLINE out_int dot(out_int acc, out_int x, const int8_t *w) {
  const __m512i v = _mm512_loadu_si512(w);
  __m512i even = _mm512_madd_epi16(_mm512_and_si512(x, _mm512_set1_epi16(255)),
                                   _mm512_srai_epi16(_mm512_slli_epi16(v, 8), 8));
  __m512i odd = _mm512_madd_epi16(_mm512_srli_epi16(x, 8), _mm512_srai_epi16(v, 8));
  return _mm512_add_epi32(acc, _mm512_add_epi32(even, odd));
}
#include "kern/x86/lstm_q8_body.h"

WHET_ROW_OF(lstm_q8, whet__lstm_q8_scratch_bytes);
