/* SPDX-License-Identifier: Apache-2.0 */
/* Family convpool_f32, on AVX2. */
#define ISA avx2
#define ISA_BITS WHET_ISA_AVX2
#define FORM WHET_PANEL_8
#define CONV whet_k_conv_f32__avx2_direct
#define POOL whet_k_pool_f32__avx2_any
#include "kern/convpool_f32_body.h"
