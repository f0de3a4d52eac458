/* SPDX-License-Identifier: Apache-2.0 */
/* Family chain_f32 portable. */
#include "kern/chain_f32.h"

extern const whet_kern whet_k_dw_f32__c_rows;

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__chain_f32(params, ptr, part, parts, &whet__tiles_f32_c, &whet_k_dw_f32__c_rows);
}

const whet_kern whet_k_chain_f32__c_rows = {.name = "chain_f32__c_rows",
                                             .form = WHET_PANEL_8,
                                             .exact = 1,
                                             .scratch = whet__chain_f32_scratch,
                                             .run = run};
