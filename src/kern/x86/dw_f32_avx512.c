/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_f32 on AVX512. */
#include "kern/x86/vec_avx512.h"

#define ISA avx512
#define ISA_BITS WHET_ISA_AVX512
#define FORM WHET_PANEL_16
#define DW_PLANE "kern/x86/dw_f32_plane512.h"
#include "kern/dw_f32_body.h"
