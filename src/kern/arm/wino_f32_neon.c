/* SPDX-License-Identifier: Apache-2.0 */
/* Family wino_f32 on NEON. */
#include "kern/arm/vec_neon.h"

#define ISA neon
#define ISA_BITS WHET_ISA_NEON
#define PANEL WHET_PANEL_8
#define TILES whet__tiles_f32_neon
#include "kern/wino_f32_body.h"
