/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/conv_f32.h"
#include "kern/x86/conv_f32_lanes512.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  if (!lanes_conv_run(params, ptr, part, parts)) whet__conv_f32(params, ptr, part, parts, &whet__tiles_f32_avx512);
}

const whet_kern whet_k_conv_f32__avx512_direct = {.name = "conv_f32__avx512_direct",
                                                  .isa = WHET_ISA_AVX512,
                                                  .form = WHET_PANEL_16,
                                                  .exact = 1,
                                                  .scratch = whet__conv_f32_scratch,
                                                  .run = run};
