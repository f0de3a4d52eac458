/* SPDX-License-Identifier: Apache-2.0 */
/* Family sums_f32 on AVX512. */
#include "kern/x86/vec_avx512.h"

#define ISA avx512
#define ISA_BITS WHET_ISA_AVX512
#include "kern/sums_f32_body.h"
