/* SPDX-License-Identifier: Apache-2.0 */
/* Family wino_f32, portable. */
#include "kern/vec_c.h"

#define ISA c
#define ISA_BITS 0
#define PANEL WHET_PANEL_8
#define TILES whet__tiles_f32_c
#include "kern/wino_f32_body.h"
