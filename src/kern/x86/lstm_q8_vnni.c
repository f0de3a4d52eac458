/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_q8 on AVX-512 VNNI. */

#include "kern/row_name.h"
#include "kern/x86/fixed16_avx512.h"

#define ISA vnni
#define ISA_BITS (WHET_ISA_VNNI | WHET_ISA_AVX512)
/* acc + products of four unsigned bytes with four signed ones in every lane. */
OUT_INLINE out_int dot(out_int acc, out_int x, const int8_t *w) {
  return _mm512_dpbusd_epi32(acc, x, _mm512_loadu_si512(w));
}
#include "kern/x86/lstm_q8_body.h"

WHET_ROW_OF(lstm_q8, whet__lstm_q8_scratch_bytes);
