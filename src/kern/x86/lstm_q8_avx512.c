/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_q8 on AVX-512 without VNNI. */

#include "kern/row_name.h"
#include "kern/x86/fixed16_avx512.h"

#define ISA avx512
#define ISA_BITS WHET_ISA_AVX512
#define LSTM_WORDS
/* acc + products of four unsigned bytes with four signed ones in every lane, which are words: those of the even bytes, those
 * of the odd ones. */
OUT_INLINE out_int dot_words(out_int acc, out_int x, half16 even, half16 odd) {
  acc = out_add_i(acc, _mm512_madd_epi16(h16_and(x, h16_set(255)), even));
  return out_add_i(acc, _mm512_madd_epi16(_mm512_srli_epi16(x, 8), odd));
}
OUT_INLINE out_int dot(out_int acc, out_int x, const int8_t *w) {
  const half16 v = out_load_int((const int32_t *)(const void *)w);
  return dot_words(acc, x, h16_right(h16_left(v, 8), 8), h16_right(v, 8));
}
#include "kern/x86/lstm_q8_body.h"

WHET_ROW_OF(lstm_q8, lstm_scratch);
