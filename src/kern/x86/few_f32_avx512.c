/* SPDX-License-Identifier: Apache-2.0 */
/* Family few_f32 on AVX-512: numbers are looked up in a register. */
#include "kern/x86/vec_avx512.h"

#define FEW_LOOK(table, x) _mm512_permutexvar_ps(x, table)
#define ISA avx512
#define ISA_BITS WHET_ISA_AVX512
#include "kern/few_f32_body.h"
