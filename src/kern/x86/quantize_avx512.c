/* SPDX-License-Identifier: Apache-2.0 */
/* Family quantize on AVX-512. */

#include "kern/x86/out_q8_avx512.h"
#include "kern/quantize_body.h"

const whet_kern whet_k_quantize__avx512_any = {
    .name = "quantize__avx512_any", .isa = WHET_ISA_AVX512, .exact = 1, .run = run};
