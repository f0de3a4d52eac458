/* SPDX-License-Identifier: Apache-2.0 */
/* Family dwgrad_f32 on RVV. */
#include "kern/riscv/vec_rvv.h"

#define ISA rvv
#define ISA_BITS WHET_ISA_RVV
#include "kern/dwgrad_f32_body.h"
