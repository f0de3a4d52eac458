/* SPDX-License-Identifier: Apache-2.0 */
/* Family sums_f32 on RVV. */
#include "kern/riscv/vec_rvv.h"

#define ISA rvv
#define ISA_BITS WHET_ISA_RVV
#include "kern/sums_f32_body.h"
