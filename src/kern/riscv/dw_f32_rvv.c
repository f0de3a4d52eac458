/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_f32 on RVV. */
#include "kern/riscv/vec_rvv.h"

#define ISA rvv
#define ISA_BITS WHET_ISA_RVV
#define FORM WHET_PANEL_8
#include "kern/dw_f32_body.h"
