/* SPDX-License-Identifier: Apache-2.0 */
/* Family attn_f32, portable. */
#include "kern/vec_c.h"

#define ISA c
#define ISA_BITS 0
#define TILES whet__tiles_f32_c
#define FORM WHET_PANEL_8
#include "kern/attn_f32_body.h"
