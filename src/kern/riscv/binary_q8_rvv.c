/* SPDX-License-Identifier: Apache-2.0 */
/* Family binary_q8 on RVV. */

#include "kern/riscv/out_q8_rvv.h"
#include "kern/binary_q8_body.h"

const whet_kern whet_k_binary_q8__rvv_any = {
    .name = "binary_q8__rvv_any", .isa = WHET_ISA_RVV, .exact = 1, .fits = fits, .run = run};
