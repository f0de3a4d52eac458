/* SPDX-License-Identifier: Apache-2.0 */
/* Family chain_f32, on NEON. */
#define ISA neon
#define ISA_BITS WHET_ISA_NEON
#define FORM WHET_PANEL_8
#define CONV whet_k_conv_f32__neon_direct
#define DW whet_k_dw_f32__neon_rows
#include "kern/arm/vec_neon.h" /* VEC_EXACT */
#include "kern/chain_f32_body.h"
