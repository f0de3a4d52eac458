/* SPDX-License-Identifier: Apache-2.0 */
/* Family gemm_f32 with factors rounded to bf16, on AMX. */

#include "kern/gemm_f32.h"
#include "kern/x86/bf16_fits.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__gemm_f32(params, ptr, part, parts, &whet__tiles_f32_amx);
}

static size_t scratch(const void *params) { return whet__gemm_f32_scratch_on(params, &whet__tiles_f32_amx); }

static bool pays(const void *params, const whet_target *t) {
  const whet_gemm_f32 *g = params;
  return g->constant && bf16_gains(g->m, g->n, g->k, true, t);
}

const whet_kern whet_k_gemm_f32__amx_tile = {.name = "gemm_f32__amx_tile",
                                             .isa = WHET_ISA_AMX | WHET_ISA_BF16 | WHET_ISA_AVX512,
                                             .form = WHET_PANEL_BF16,
                                             .bf16 = 1,
                                             .pays = pays,
                                             .scratch = scratch,
                                             .run = run};

/* ---- factors in three parts --------------------------------------------------------------------- */

static void run_split(const void *params, void *const *ptr, int part, int parts) {
  whet__gemm_f32(params, ptr, part, parts, &whet__tiles_split_amx);
}

static size_t split_scratch(const void *params) { return whet__gemm_f32_scratch_on(params, &whet__tiles_split_amx); }

static bool fits_split(const void *params) { return ((const whet_gemm_f32 *)params)->grow; }

static bool pays_split(const void *params, const whet_target *t) {
  const whet_gemm_f32 *g = params;
  return split_gains(g->m, g->n, g->k);
}

const whet_kern whet_k_gemm_f32__amx_split = {.name = "gemm_f32__amx_split",
                                              .isa = WHET_ISA_AMX | WHET_ISA_BF16 | WHET_ISA_AVX512,
                                              .form = WHET_PANEL_SPLIT,
                                              .fits = fits_split,
                                              .pays = pays_split,
                                              .scratch = split_scratch,
                                              .run = run_split};
