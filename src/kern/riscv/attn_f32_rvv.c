/* SPDX-License-Identifier: Apache-2.0 */
/* Family attn_f32 on RVV. */
#include "kern/riscv/vec_rvv.h"

#define ISA rvv
#define ISA_BITS WHET_ISA_RVV
#define TILES whet__tiles_f32_rvv
#define FORM WHET_PANEL_8
#include "kern/attn_f32_body.h"
