/* SPDX-License-Identifier: Apache-2.0 */
/* Family pool_q8 on NEON. */

#include "kern/arm/out_q8_neon.h"
#include "kern/pool_q8_body.h"

const whet_kern whet_k_pool_q8__neon_any = {
    .name = "pool_q8__neon_any", .isa = WHET_ISA_NEON, .exact = 1, .scratch = whet__pool_scratch, .run = run};
