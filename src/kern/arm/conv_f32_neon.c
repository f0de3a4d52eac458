/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/arm/vec_neon.h"
#include "kern/conv_f32.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__conv_f32(params, ptr, part, parts, &whet__tiles_f32_neon);
}

const whet_kern whet_k_conv_f32__neon_direct = {.name = "conv_f32__neon_direct",
                                                .isa = WHET_ISA_NEON,
                                                .form = WHET_PANEL_8,
                                                .exact = VEC_EXACT,
                                                .scratch = whet__conv_f32_scratch,
                                                .run = run};
