/* SPDX-License-Identifier: Apache-2.0 */
/* Family few_f32 on NEON. */
#include "kern/arm/vec_neon.h"

#define ISA neon
#define ISA_BITS WHET_ISA_NEON
#include "kern/few_f32_body.h"
