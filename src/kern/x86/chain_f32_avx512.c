/* SPDX-License-Identifier: Apache-2.0 */
/* Family chain_f32, on AVX-512. */
#define ISA avx512
#define ISA_BITS WHET_ISA_AVX512
#define FORM WHET_PANEL_16
#define CONV whet_k_conv_f32__avx512_direct
#define DW whet_k_dw_f32__avx512_rows
#include "kern/chain_f32_body.h"
