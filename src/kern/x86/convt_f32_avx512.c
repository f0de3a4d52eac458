/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/convt_f32.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__convt_f32(params, ptr, part, parts, &whet__tiles_f32_avx512, &whet__dws_f32_avx512);
}

const whet_kern whet_k_convt_f32__avx512_phases = {.name = "convt_f32__avx512_phases",
                                                   .isa = WHET_ISA_AVX512,
                                                   .form = WHET_PANEL_16,
                                                   .exact = 1,
                                                   .scratch = whet__conv_f32_scratch,
                                                   .run = run};
