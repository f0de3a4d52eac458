/* SPDX-License-Identifier: Apache-2.0 */
/* Family wino_f32 on RVV. */
#include "kern/riscv/vec_rvv.h"

#define ISA rvv
#define ISA_BITS WHET_ISA_RVV
#define PANEL WHET_PANEL_8
#define TILES whet__tiles_f32_rvv
#include "kern/wino_f32_body.h"
