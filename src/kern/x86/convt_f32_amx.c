/* SPDX-License-Identifier: Apache-2.0 */
/* Family convt_f32 with factors rounded to bf16, on AMX. */

#include "kern/convt_f32.h"
#include "kern/x86/bf16_fits.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__convt_f32(params, ptr, part, parts, &whet__tiles_f32_amx, NULL);
}

static size_t scratch(const void *params) { return whet__conv_f32_scratch_on(params, &whet__tiles_f32_amx); }

static bool fits(const void *params) { return bf16_rows_fit(params) && !whet__convt_depthwise(params); }

static bool pays(const void *params, const whet_target *t) { return bf16_conv_gains(params, true, t); }

const whet_kern whet_k_convt_f32__amx_phases = {.name = "convt_f32__amx_phases",
                                                .isa = WHET_ISA_AMX | WHET_ISA_BF16 | WHET_ISA_AVX512,
                                                .form = WHET_PANEL_BF16,
                                                .bf16 = 1,
                                                .fits = fits,
                                                .pays = pays,
                                                .scratch = scratch,
                                                .run = run};
