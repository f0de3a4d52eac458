/* SPDX-License-Identifier: Apache-2.0 */
/* Family dwgrad_f32 against its definition, bit for bit. */

#include "kern/dwgrad_f32.h"

#include "wgrad.h"

static void draw(kc *k) { draw_any(k, true); }

static void bench(kc *k, int i) {
  static const int64_t c[][4] = {{32, 32, 32, 1}, {32, 16, 96, 1}, {32, 32, 64, 2}};
  whet_wgrad_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_wgrad_f32){.batch = c[i][0], .groups = c[i][2], .ic = 1, .oc = 1};
  p->dim[0] = (whet_window){1, 1, 1, 1, 1, 0, 0, 0, 0};
  for (int d = 1; d < 3; d++) p->dim[d] = (whet_window){c[i][1], c[i][1] / c[i][3], 3, c[i][3], 1, 1, 0, 0, 0};
  fill(k, p);
  k->ops = 2 * 9 * (double)(c[i][0] * c[i][1] * c[i][1] * c[i][2]) / (double)(c[i][3] * c[i][3]);
}

static const kc_test test = {.family = WHET_FAMILY_dwgrad_f32,
                             .state_bytes = sizeof(state),
                             .draw = draw,
                             .check = check,
                             .n_bench = 3,
                             .bench = bench};
KC_MAIN(test)
