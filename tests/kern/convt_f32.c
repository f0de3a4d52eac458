/* SPDX-License-Identifier: Apache-2.0 */
/* Family convt_f32 against one fused multiply-add after the other. */

#include <math.h>

#include "kern/conv_case.h"
#include "kern/convt_f32.h"

/* A dimension with about n inputs, and outputs as the formats would have them, or a few more or less. */
static whet_window window(kc *k, int64_t n, int64_t kernel) {
  whet_window w = {
      .in = kc_range(k, 1, n), .kernel = kc_range(k, 1, kernel), .stride = kc_range(k, 1, 3), .dilation = 1};
  if (kc_chance(k, 20)) w.dilation = kc_range(k, 1, 3);
  int64_t full = (w.in - 1) * w.stride + (w.kernel - 1) * w.dilation + 1;
  w.pad = kc_range(k, 0, 2);
  w.out = whet__max_i(full - w.pad - kc_range(k, -2, 2), 1);
  return w;
}

static void draw(kc *k) {
  conv_case *s = k->state;
  whet_conv_f32 *c = &s->c;
  whet_window one = {1, 1, 1, 1, 1, 0, 0, 0, 0};
  s->transposed = true;
  c->batch = kc_chance(k, 80) ? 1 : 2;
  c->groups = kc_chance(k, 75) ? 1 : kc_range(k, 2, 5);
  c->ic = kc_chance(k, 50) ? kc_range(k, 1, 8) : kc_size(k, 40);
  c->oc = kc_chance(k, 50) ? kc_range(k, 1, 30) : kc_size(k, 100);
  c->dim[0] = kc_chance(k, 85) ? one : window(k, 3, 3);
  c->dim[1] = kc_chance(k, 20) ? one : window(k, 8, 5);
  c->dim[2] = kc_chance(k, 10) ? one : window(k, 12, 5);
  conv_epilogue(k, &c->epi);
  if (kc_chance(k, 20)) c->groups = kc_size(k, 60) + 1, c->ic = c->oc = 1;
  s->one_group = whet__convt_depthwise(c);
  bool gaps = kc_chance(k, 30);
  conv_arguments(k, s, kc_chance(k, 70), c->epi.res, kc_chance(k, 50), gaps ? kc_range(k, 0, 9) : 0,
                 gaps ? kc_range(k, 0, 9) : 0, gaps ? kc_range(k, 0, 9) : 0);
  conv_name(k, c);
}

/* Upsampling by two, as decoders do it. */
static void bench(kc *k, int i) {
  static const int64_t sizes[][4] = {{28, 128, 64, 2}, {56, 64, 32, 2}, {32, 64, 64, 4}, {64, 32, 16, 3}};
  conv_case *s = k->state;
  const int64_t *q = sizes[i];
  int64_t pad = q[3] / 2 - (q[3] == 2);
  whet_window one = {1, 1, 1, 1, 1, 0, 0, 0, 0}, d = {q[0], 2 * q[0], q[3], 2, 1, pad, 0, 0, 0};
  s->transposed = true;
  s->c = (whet_conv_f32){.batch = 1, .groups = 1, .ic = q[1], .oc = q[2], .dim = {one, d, d}};
  conv_arguments(k, s, true, false, true, 0, 0, 0);
  k->ops = 2.0 * (double)(q[0] * q[0] * q[1] * q[2] * q[3] * q[3]);
  kc_name(k, "%lldx%lld %lld->%lld, %lldx%lld", (long long)q[0], (long long)q[0], (long long)q[1], (long long)q[2],
          (long long)q[3], (long long)q[3]);
}

static const kc_test test = {.family = WHET_FAMILY_convt_f32,
                             .state_bytes = sizeof(conv_case),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_SPECIAL | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .pack = conv_pack,
                             .check = conv_check,
                             .n_bench = 4,
                             .bench = bench};
KC_MAIN(test)
