/* SPDX-License-Identifier: Apache-2.0 */
/* Family convpool_f32 on AVX512. */
#include "kern/convpool_f32.h"

extern const whet_kern whet_k_pool_f32__avx512_any;

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__convpool_f32(params, ptr, part, parts, &whet__tiles_f32_avx512, &whet_k_pool_f32__avx512_any);
}

const whet_kern whet_k_convpool_f32__avx512_rows = {.name = "convpool_f32__avx512_rows",
                                                 .isa = WHET_ISA_AVX512,
                                                 .form = WHET_PANEL_16,
                                                 .exact = 1,
                                                 .scratch = whet__convpool_f32_scratch,
                                                 .run = run};
