/* SPDX-License-Identifier: Apache-2.0 */
/* Family pool_q8 on RVV. */

#include "kern/riscv/out_q8_rvv.h"
#include "kern/pool_q8_body.h"

const whet_kern whet_k_pool_q8__rvv_any = {
    .name = "pool_q8__rvv_any", .isa = WHET_ISA_RVV, .exact = 1, .scratch = whet__pool_scratch, .run = run};
