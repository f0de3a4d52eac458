/* SPDX-License-Identifier: Apache-2.0 */
/* Family attn_f32 on AVX2. */
#include "kern/x86/vec_avx2.h"

#define ISA avx2
#define ISA_BITS WHET_ISA_AVX2
#define TILES whet__tiles_f32_avx2
#define FORM WHET_PANEL_8
#include "kern/attn_f32_body.h"
