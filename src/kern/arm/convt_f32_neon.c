/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/arm/vec_neon.h"
#include "kern/convt_f32.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__convt_f32(params, ptr, part, parts, &whet__tiles_f32_neon, &whet__dws_f32_neon);
}

const whet_kern whet_k_convt_f32__neon_phases = {.name = "convt_f32__neon_phases",
                                                 .isa = WHET_ISA_NEON,
                                                 .form = WHET_PANEL_8,
                                                 .exact = VEC_EXACT,
                                                 .scratch = whet__conv_f32_scratch,
                                                 .run = run};
