/* SPDX-License-Identifier: Apache-2.0 */
/* Family quantize on AVX2. */

#include "kern/x86/out_q8_avx2.h"
#include "kern/quantize_body.h"

const whet_kern whet_k_quantize__avx2_any = {
    .name = "quantize__avx2_any", .isa = WHET_ISA_AVX2, .exact = 1, .run = run};
