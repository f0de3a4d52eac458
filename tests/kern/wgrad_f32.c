/* SPDX-License-Identifier: Apache-2.0 */
/* Family wgrad_f32 against its definition, bit for bit. */

#include "wgrad.h"

static void draw(kc *k) { draw_any(k, false); }

static void bench(kc *k, int i) {
  static const int64_t c[][5] = {{32, 32, 16, 16, 3}, {32, 16, 32, 32, 3}, {32, 8, 64, 64, 3}, {32, 1, 784, 128, 1}};
  whet_wgrad_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_wgrad_f32){.batch = c[i][0], .groups = 1, .ic = c[i][2], .oc = c[i][3]};
  for (int d = 0; d < 3; d++) {
    int64_t n = d ? c[i][1] : 1, kernel = d ? c[i][4] : 1;
    p->dim[d] = (whet_window){n, n, kernel, 1, 1, kernel / 2, 0, 0, 0};
  }
  fill(k, p);
  k->ops = 2 * (double)(c[i][0] * c[i][1] * c[i][1] * c[i][2]) * (double)(c[i][3] * c[i][4] * c[i][4]);
}

static const kc_test test = {.family = WHET_FAMILY_wgrad_f32,
                             .state_bytes = sizeof(state),
                             .draw = draw,
                             .check = check,
                             .n_bench = 4,
                             .bench = bench};
KC_MAIN(test)
