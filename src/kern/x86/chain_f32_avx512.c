/* SPDX-License-Identifier: Apache-2.0 */
/* Family chain_f32 on AVX-512. */
#include "kern/chain_f32.h"

extern const whet_kern whet_k_dw_f32__avx512_rows;

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__chain_f32(params, ptr, part, parts, &whet__tiles_f32_avx512, &whet_k_dw_f32__avx512_rows);
}

const whet_kern whet_k_chain_f32__avx512_rows = {.name = "chain_f32__avx512_rows",
                                             .isa = WHET_ISA_AVX512,
                                             .form = WHET_PANEL_16,
                                             .exact = 1,
                                             .scratch = whet__chain_f32_scratch,
                                             .run = run};
