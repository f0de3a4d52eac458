/* SPDX-License-Identifier: Apache-2.0 */
/* Family spmm_f32 on NEON. */
#include "kern/arm/vec_neon.h"

#define ISA neon
#define ISA_BITS WHET_ISA_NEON
#include "kern/spmm_f32_body.h"
