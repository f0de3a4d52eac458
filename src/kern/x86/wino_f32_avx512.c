/* SPDX-License-Identifier: Apache-2.0 */
/* Family wino_f32 on AVX512. */
#include "kern/x86/vec_avx512.h"

#define ISA avx512
#define ISA_BITS WHET_ISA_AVX512
#define PANEL WHET_PANEL_16
#define TILES whet__tiles_f32_avx512
#include "kern/wino_f32_body.h"
