/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_q8 on AVX-VNNI. */

#include "kern/row_name.h"
#include "kern/x86/fixed16_avx2.h"

#define ISA avxvnni
#define ISA_BITS (WHET_ISA_AVX2 | WHET_ISA_AVXVNNI)
/* acc + products of four unsigned bytes with four signed ones in every lane. */
OUT_INLINE out_int dot(out_int acc, out_int x, const int8_t *w) {
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(x), "x"(out_load_i(w)));
  return acc;
}
#include "kern/x86/lstm_q8_body.h"

WHET_ROW_OF(lstm_q8, whet__lstm_q8_scratch_bytes);
