/* SPDX-License-Identifier: Apache-2.0 */
/* Family binary_q8 on NEON. */

#include "kern/arm/out_q8_neon.h"
#include "kern/binary_q8_body.h"

const whet_kern whet_k_binary_q8__neon_any = {
    .name = "binary_q8__neon_any", .isa = WHET_ISA_NEON, .exact = 1, .fits = fits, .run = run};
