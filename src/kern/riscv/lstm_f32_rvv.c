/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_f32 on RVV. */
#include "kern/riscv/vec_rvv.h"

#define ISA rvv
#define ISA_BITS WHET_ISA_RVV
#define ROWS 2
#include "kern/lstm_f32_body.h"
