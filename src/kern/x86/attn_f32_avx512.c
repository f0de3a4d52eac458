/* SPDX-License-Identifier: Apache-2.0 */
/* Family attn_f32 on AVX512. */
#include "kern/x86/vec_avx512.h"

#define ISA avx512
#define ISA_BITS WHET_ISA_AVX512
#define TILES whet__tiles_f32_avx512
#define FORM WHET_PANEL_16
#include "kern/attn_f32_body.h"
