/* SPDX-License-Identifier: Apache-2.0 */
/* Family chain_f32 on RVV. */
#include "kern/chain_f32.h"

extern const whet_kern whet_k_dw_f32__rvv_rows;

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__chain_f32(params, ptr, part, parts, &whet__tiles_f32_rvv, &whet_k_dw_f32__rvv_rows);
}

const whet_kern whet_k_chain_f32__rvv_rows = {.name = "chain_f32__rvv_rows",
                                              .isa = WHET_ISA_RVV,
                                              .form = WHET_PANEL_8,
                                              .exact = 1,
                                              .scratch = whet__chain_f32_scratch,
                                              .run = run};
