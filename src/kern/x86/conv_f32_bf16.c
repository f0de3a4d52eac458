/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_f32 with factors rounded to bf16, on AVX-512 BF16. */

#include "kern/conv_f32.h"
#include "kern/x86/bf16_fits.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__conv_f32(params, ptr, part, parts, &whet__tiles_f32_bf16);
}

static size_t scratch(const void *params) { return whet__conv_f32_scratch_on(params, &whet__tiles_f32_bf16); }

static bool fits(const void *params) { return bf16_rows_fit(params); }

static bool pays(const void *params, const whet_target *t) { return bf16_conv_gains(params, false, t); }

const whet_kern whet_k_conv_f32__bf16_direct = {.name = "conv_f32__bf16_direct",
                                                .isa = WHET_ISA_BF16 | WHET_ISA_AVX512,
                                                .form = WHET_PANEL_BF16,
                                                .bf16 = 1,
                                                .fits = fits,
                                                .pays = pays,
                                                .scratch = scratch,
                                                .run = run};
