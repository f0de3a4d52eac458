/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_f32 against one fused multiply-add after the other. */

#include <math.h>

#include "kern/conv_case.h"
#include "kern/dw_f32.h"
#include "kern/unary_f32.h"

static void draw(kc *k) {
  conv_case *s = k->state;
  whet_conv_f32 *c = &s->c;
  whet_window one = {1, 1, 1, 1, 1, 0, 0, 0, 0};
  c->batch = kc_chance(k, 80) ? 1 : 2;
  c->groups = kc_size(k, 150);
  c->ic = c->oc = 1;
  s->one_group = true;
  c->dim[0] = kc_chance(k, 85) ? one : conv_window(k, 4, 3);
  c->dim[1] = kc_chance(k, 20) ? one : conv_window(k, 14, 6);
  c->dim[2] = kc_chance(k, 10) ? one : conv_window(k, 30, 6);
  conv_epilogue(k, &c->epi);
  if (!c->epi.res && kc_chance(k, 30)) c->epi.op[c->epi.n++] = WHET_MICRO_UNARY + WHET_UN_ABS;
  bool gaps = kc_chance(k, 30);
  if (kc_chance(k, 15)) { /* two pixels in a vector of 16 */
    int64_t in = kc_range(k, 15, 60), pad = kc_range(k, 0, 1), right = kc_range(k, 0, 1);
    c->groups = 8;
    c->dim[2] = (whet_window){in, in + pad + right - 2, 3, 1, 1, pad, 0, 0, 0};
    gaps &= kc_chance(k, 30);
  }
  conv_arguments(k, s, kc_chance(k, 70), c->epi.res, kc_chance(k, 50), gaps ? kc_range(k, 0, 9) : 0,
                 gaps ? kc_range(k, 0, 9) : 0, gaps ? kc_range(k, 0, 9) : 0);
  conv_name(k, c);
}

static const struct shape {
  const char *what;
  int64_t size, channels, kernel, stride;
} shapes[] = {{"mobilenet 112", 112, 32, 3, 1},   {"mobilenet 112", 112, 96, 3, 2},
              {"mobilenet 56", 56, 144, 3, 1},    {"mobilenet 28", 28, 192, 3, 1},
              {"mobilenet 14", 14, 576, 3, 1},    {"mobilenet 7", 7, 960, 3, 1},
              {"mobilenet 14", 14, 512, 3, 1},    {"efficientnet 28", 28, 240, 5, 1},
              {"efficientnet 14", 14, 672, 5, 2}, {"efficientnet 7", 7, 1152, 5, 1},
              {"mobilenet_v3 56", 56, 72, 3, 1},  {"convnext 56", 56, 96, 7, 1},
              {"mobilenet 56", 56, 128, 3, 1},
              {"mobilenet 28", 28, 256, 3, 1},    {"mobilenet 14", 14, 256, 3, 2},
              {"mobilenet 7", 7, 1024, 3, 1},     {"kws 25", 25, 64, 3, 1},           {"vww 48", 48, 8, 3, 1}};

static void bench(kc *k, int i) {
  conv_case *s = k->state;
  const struct shape *q = &shapes[i];
  int64_t out = whet__ceil_div(q->size, q->stride);
  whet_window one = {1, 1, 1, 1, 1, 0, 0, 0, 0}, d = {q->size, out, q->kernel, q->stride, 1, q->kernel / 2, 0, 0, 0};
  s->c = (whet_conv_f32){.batch = 1, .groups = q->channels, .ic = 1, .oc = 1, .dim = {one, d, d}};
  s->c.epi = (whet_epi_f32){.n = 1, .op = {WHET_MICRO_CLAMP}, .b = {6}};
  s->one_group = true;
  conv_arguments(k, s, true, false, true, 0, 0, 0);
  k->ops = 2.0 * (double)(out * out * q->channels * q->kernel * q->kernel);
  kc_name(k, "%s (%lldx%lld %lld s%lld)", q->what, (long long)q->kernel, (long long)q->kernel, (long long)q->channels,
          (long long)q->stride);
}

static const kc_test test = {.family = WHET_FAMILY_dw_f32,
                             .state_bytes = sizeof(conv_case),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_SPECIAL | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .pack = conv_pack,
                             .check = conv_check,
                             .n_bench = (int)WHET_COUNT(shapes),
                             .bench = bench};
KC_MAIN(test)
