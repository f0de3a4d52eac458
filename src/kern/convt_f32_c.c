/* SPDX-License-Identifier: Apache-2.0 */
#include "kern/convt_f32.h"

static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__convt_f32(params, ptr, part, parts, &whet__tiles_f32_c, &whet__dws_f32_c);
}

const whet_kern whet_k_convt_f32__c_phases = {
    .name = "convt_f32__c_phases", .form = WHET_PANEL_8, .exact = 1, .scratch = whet__conv_f32_scratch, .run = run};
