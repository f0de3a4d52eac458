/* SPDX-License-Identifier: Apache-2.0 */
/* Family pool_q8 on AVX2. */

#include "kern/x86/out_q8_avx2.h"
#include "kern/pool_q8_body.h"

const whet_kern whet_k_pool_q8__avx2_any = {
    .name = "pool_q8__avx2_any", .isa = WHET_ISA_AVX2, .exact = 1, .scratch = whet__pool_scratch, .run = run};
