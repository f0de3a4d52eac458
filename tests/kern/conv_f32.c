/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_f32 against one fused multiply-add after the other. */

#include <math.h>

#include "kern/conv_case.h"

static void draw(kc *k) {
  conv_case *s = k->state;
  whet_conv_f32 *c = &s->c;
  bool wide = kc_chance(k, 10); /* long rows and kernels */
  c->batch = kc_chance(k, 80) ? 1 : 2;
  c->groups = kc_chance(k, 75) ? 1 : kc_range(k, 2, 9);
  c->ic = kc_chance(k, 50) ? kc_range(k, 1, 8) : kc_size(k, 40);
  c->oc = kc_chance(k, 50) ? kc_range(k, 1, 30) : kc_size(k, 150);
  if (c->groups > 1) c->ic = kc_range(k, 1, 8), c->oc = kc_range(k, 1, 20);
  if (wide) c->ic = kc_range(k, 1, 3), c->oc = kc_range(k, 1, 20);
  c->dim[0] = kc_chance(k, 85) ? (whet_window){1, 1, 1, 1, 1, 0, 0, 0, 0} : conv_window(k, 4, 3);
  c->dim[1] = kc_chance(k, 20) ? (whet_window){1, 1, 1, 1, 1, 0, 0, 0, 0} : conv_window(k, 14, 5);
  c->dim[2] =
      kc_chance(k, 10) ? (whet_window){1, 1, 1, 1, 1, 0, 0, 0, 0} : conv_window(k, wide ? 200 : 20, wide ? 40 : 5);
  conv_epilogue(k, &c->epi);
  bool gaps = kc_chance(k, 30);
  s->may_copy = kc_chance(k, 50);
  conv_arguments(k, s, kc_chance(k, 70), c->epi.res, kc_chance(k, 50), gaps ? kc_range(k, 0, 9) : 0,
                 gaps ? kc_range(k, 0, 9) : 0, gaps ? kc_range(k, 0, 9) : 0);
  conv_name(k, c);
}

/* Square pictures, `same` padding. */
static const struct shape {
  const char *what;
  int64_t size, ic, oc, kernel, stride, groups;
} shapes[] = {{"resnet stem", 224, 3, 64, 7, 2, 1},
              {"resnet 56", 56, 64, 64, 3, 1, 1},
              {"resnet 56 s2", 56, 64, 128, 3, 2, 1},
              {"resnet 28", 28, 128, 128, 3, 1, 1},
              {"resnet 14", 14, 256, 256, 3, 1, 1},
              {"resnet 7", 7, 512, 512, 3, 1, 1},
              {"resnet 56 1x1 s2", 56, 64, 128, 1, 2, 1},
              {"resnet50 56 64->256", 56, 64, 256, 1, 1, 1},
              {"mobilenet stem", 224, 3, 32, 3, 2, 1},
              {"mobilenet 112 32->16", 112, 32, 16, 1, 1, 1},
              {"mobilenet 56 144->24", 56, 144, 24, 1, 1, 1},
              {"mobilenet 14 96->576", 14, 96, 576, 1, 1, 1},
              {"squeezenet 55", 55, 16, 64, 3, 1, 1},
              {"squeezenet 13", 13, 64, 256, 3, 1, 1},
              {"yolo 80", 80, 16, 16, 3, 1, 1},
              {"yolo 40", 40, 64, 64, 3, 1, 1},
              {"resnet8 32", 32, 16, 16, 3, 1, 1},
              {"resnet8 8", 8, 64, 64, 3, 1, 1},
              {"vit patches 224", 224, 3, 192, 16, 16, 1},
              {"resnext 56", 56, 4, 4, 3, 1, 32},
              {"ultraface 20", 20, 64, 6, 3, 1, 1}};

static void bench(kc *k, int i) {
  conv_case *s = k->state;
  const struct shape *q = &shapes[i];
  int64_t out = whet__ceil_div(q->size, q->stride), pad = q->kernel == 16 ? 0 : q->kernel / 2;
  whet_window one = {1, 1, 1, 1, 1, 0, 0, 0, 0}, d = {q->size, out, q->kernel, q->stride, 1, pad, 0, 0, 0};
  s->c = (whet_conv_f32){.batch = 1, .groups = q->groups, .ic = q->ic, .oc = q->oc, .dim = {one, d, d}};
  s->c.epi = (whet_epi_f32){.n = 1, .op = {WHET_MICRO_CLAMP}, .b = {INFINITY}};
  conv_arguments(k, s, true, false, true, 0, 0, 0);
  k->ops = 2.0 * (double)(out * out * q->groups * q->oc * q->ic * q->kernel * q->kernel);
  kc_name(k, "%s (%lldx%lld %lld->%lld s%lld)", q->what, (long long)q->kernel, (long long)q->kernel,
          (long long)(q->ic * q->groups), (long long)(q->oc * q->groups), (long long)q->stride);
}

static const kc_test test = {.family = WHET_FAMILY_conv_f32,
                             .state_bytes = sizeof(conv_case),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_SPECIAL | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .pack = conv_pack,
                             .check = conv_check,
                             .n_bench = (int)WHET_COUNT(shapes),
                             .bench = bench};
KC_MAIN(test)
