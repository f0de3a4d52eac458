/* SPDX-License-Identifier: Apache-2.0 */
/* Family chain_f32, on RVV. */
#define ISA rvv
#define ISA_BITS WHET_ISA_RVV
#define FORM WHET_PANEL_8
#define CONV whet_k_conv_f32__rvv_direct
#define DW whet_k_dw_f32__rvv_rows
#include "kern/chain_f32_body.h"
