/* SPDX-License-Identifier: Apache-2.0 */
/* Family quantize on NEON. */

#include "kern/arm/out_q8_neon.h"
#include "kern/quantize_body.h"

const whet_kern whet_k_quantize__neon_any = {
    .name = "quantize__neon_any", .isa = WHET_ISA_NEON, .exact = 1, .run = run};
