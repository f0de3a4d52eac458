/* SPDX-License-Identifier: Apache-2.0 */
/* Family chain_f32, on AVX2. */
#define ISA avx2
#define ISA_BITS WHET_ISA_AVX2
#define FORM WHET_PANEL_8
#define CONV whet_k_conv_f32__avx2_direct
#define DW whet_k_dw_f32__avx2_rows
#include "kern/chain_f32_body.h"
