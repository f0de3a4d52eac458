/* SPDX-License-Identifier: Apache-2.0 */
/* Family binary_q8 on AVX2. */

#include "kern/x86/out_q8_avx2.h"
#include "kern/binary_q8_body.h"

const whet_kern whet_k_binary_q8__avx2_any = {
    .name = "binary_q8__avx2_any", .isa = WHET_ISA_AVX2, .exact = 1, .fits = fits, .run = run};
