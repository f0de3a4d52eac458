/* SPDX-License-Identifier: Apache-2.0 */
/* Family convpool_f32 on RVV. */
#include "kern/convpool_f32.h"

extern const whet_kern whet_k_pool_f32__rvv_any;

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__convpool_f32(params, ptr, part, parts, &whet__tiles_f32_rvv, &whet_k_pool_f32__rvv_any);
}

const whet_kern whet_k_convpool_f32__rvv_rows = {.name = "convpool_f32__rvv_rows",
                                                 .isa = WHET_ISA_RVV,
                                                 .form = WHET_PANEL_8,
                                                 .exact = 1,
                                                 .scratch = whet__convpool_f32_scratch,
                                                 .run = run};
