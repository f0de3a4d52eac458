/* SPDX-License-Identifier: Apache-2.0 */
/* Family few_f32 on RVV. */
#include "kern/riscv/vec_rvv.h"

#define ISA rvv
#define ISA_BITS WHET_ISA_RVV
#include "kern/few_f32_body.h"
