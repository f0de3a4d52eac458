/* SPDX-License-Identifier: Apache-2.0 */
/* Family gemm_f32 with factors rounded to bf16, on AVX-512 BF16. */

#include "kern/gemm_f32.h"
#include "kern/x86/bf16_fits.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__gemm_f32(params, ptr, part, parts, &whet__tiles_f32_bf16);
}

static size_t scratch(const void *params) { return whet__gemm_f32_scratch_on(params, &whet__tiles_f32_bf16); }

static bool pays(const void *params, const whet_target *t) {
  const whet_gemm_f32 *g = params;
  return g->constant && bf16_gains(g->m, g->n, g->k, false, t);
}

const whet_kern whet_k_gemm_f32__bf16_tile = {.name = "gemm_f32__bf16_tile",
                                              .isa = WHET_ISA_BF16 | WHET_ISA_AVX512,
                                              .form = WHET_PANEL_BF16,
                                              .bf16 = 1,
                                              .pays = pays,
                                              .scratch = scratch,
                                              .run = run};
