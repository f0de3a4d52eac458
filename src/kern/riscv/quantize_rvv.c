/* SPDX-License-Identifier: Apache-2.0 */
/* Family quantize on RVV. */

#include "kern/riscv/out_q8_rvv.h"
#include "kern/quantize_body.h"

const whet_kern whet_k_quantize__rvv_any = {.name = "quantize__rvv_any", .isa = WHET_ISA_RVV, .exact = 1, .run = run};
