/* SPDX-License-Identifier: Apache-2.0 */
/* Family attn_f32 on NEON. */
#include "kern/arm/vec_neon.h"

#define ISA neon
#define ISA_BITS WHET_ISA_NEON
#define TILES whet__tiles_f32_neon
#define FORM WHET_PANEL_8
#include "kern/attn_f32_body.h"
