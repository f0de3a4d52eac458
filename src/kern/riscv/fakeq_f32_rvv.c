/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/riscv/vec_rvv.h"

#define ISA rvv
#define ISA_BITS WHET_ISA_RVV
#include "kern/fakeq_f32_body.h"
