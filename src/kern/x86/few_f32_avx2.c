/* SPDX-License-Identifier: Apache-2.0 */
/* Family few_f32 on AVX2. */
#include "kern/x86/vec_avx2.h"

#define ISA avx2
#define ISA_BITS WHET_ISA_AVX2
#include "kern/few_f32_body.h"
