/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_f32 on NEON. */
#include "kern/arm/vec_neon.h"

#define ISA neon
#define ISA_BITS WHET_ISA_NEON
#define FORM WHET_PANEL_8
#ifdef __aarch64__
#define DW_THREE "kern/arm/dw_f32_three.h"
#endif
#include "kern/dw_f32_body.h"
