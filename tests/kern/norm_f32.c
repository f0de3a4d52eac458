/* SPDX-License-Identifier: Apache-2.0 */
/* Family norm_f32 against its definition in double. */

#include "kern/norm_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_norm_f32 p;
  const float *x, *scale, *bias;
} state;

static void draw(kc *k) {
  state *s = k->state;
  whet_norm_f32 *p = kc_params(k, sizeof *p);
  p->kind = (int32_t)kc_range(k, 0, 3);
  p->epsilon = p->kind == WHET_NORM_L2 ? (kc_chance(k, 50) ? 0 : 1e-6f) : 1e-3f;
  p->outer = kc_range(k, 1, 4);
  bool groups = p->kind == WHET_NORM_GROUP;
  p->n = kc_size(k, groups ? 40 : 500);
  p->each = groups ? (kc_chance(k, 40) ? 1 : kc_size(k, 40)) : 0;
  p->chan = groups ? p->each * kc_size(k, p->each == 1 ? 70 : 4) : 0;
  int64_t count = groups ? p->n * p->chan : p->n, per = groups ? p->chan : p->n;
  bool in_place = kc_chance(k, 30);
  float *x = kc_mem(k, (size_t)(p->outer * count) * sizeof *x);
  kc_fill_array(k, WHET_F32, x, p->outer * count, k->fill);
  s->p = *p;
  s->x = x;
  s->scale = s->bias = NULL;
  if (in_place)
    kc_inout_given(k, WHET_F32, p->outer * count, x);
  else
    kc_given(k, WHET_F32, p->outer * count, x);
  if (p->kind != WHET_NORM_L2 && kc_chance(k, 80))
    s->scale = kc_in(k, WHET_F32, per);
  else
    kc_absent(k);
  if (p->kind != WHET_NORM_L2 && kc_chance(k, 60))
    s->bias = kc_in(k, WHET_F32, per);
  else
    kc_absent(k);
  if (in_place)
    kc_alias(k, 0);
  else
    kc_out(k, WHET_F32, p->outer * count);
  if (!groups && kc_chance(k, 40)) {
    kc_out(k, WHET_F32, p->outer);
    kc_out(k, WHET_F32, p->outer);
  } else {
    kc_absent(k);
    kc_absent(k);
  }
  kc_name(k, "kind %d, %lld x %lld x %lld (%lld)%s", p->kind, (long long)p->outer, (long long)p->n,
          (long long)p->chan, (long long)p->each, in_place ? ", in place" : "");
}

/* Elements i of n that begin at x and go on in lines of `each`, `apart` from each other. */
static void check_one(kc *k, int64_t at, int64_t n, int64_t each, int64_t apart, int64_t per, int64_t row) {
  const state *s = k->state;
  const whet_norm_f32 *p = &s->p;
  int arg = k->arg[3].kind == KC_ALIAS ? 0 : 3;
  double sum = 0, mean = 0, top = 0, eps = ldexp(1, -24);
  for (int64_t i = 0; i < n; i++) mean += (double)s->x[at + i / each * apart + i % each];
  mean = p->kind == WHET_NORM_LAYER || p->kind == WHET_NORM_GROUP ? mean / (double)n : 0;
  for (int64_t i = 0; i < n; i++) {
    double x = (double)s->x[at + i / each * apart + i % each], d = x - mean;
    sum += d * d;
    top = fmax(top, fabs(x));
  }
  double f =
      p->kind == WHET_NORM_L2 ? fmax(sqrt(sum), (double)p->epsilon) : sqrt(sum / (double)n + (double)p->epsilon);
  f = f > 0 ? 1 / f : 0;
  for (int64_t i = 0; i < n && !k->failures; i++) {
    int64_t o = at + i / each * apart + i % each, j = per + i % each;
    double scale = s->scale ? (double)s->scale[j] : 1, v = ((double)s->x[o] - mean) * f * scale;
    /* The mean is off by up to n eps top, and so are differences; the sum of squares by n eps of itself. */
    double tol = ((double)n + 8) * eps * (top * f * fabs(scale) + fabs(v));
    if (s->bias) v += (double)s->bias[j], tol += eps * 2 * fabs(v);
    kc_want(k, arg, o, v, tol + ldexp(1, -140));
  }
  if (row >= 0 && k->arg[4].kind == KC_OUT) {
    kc_want(k, 4, row, mean, ((double)n + 4) * eps * top);
    kc_want(k, 5, row, f, f * ((double)n * 2 + 8) * eps * (1 + top * f));
  }
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_norm_f32 *p = &s->p;
  for (int64_t o = 0; o < p->outer; o++) {
    if (p->kind != WHET_NORM_GROUP) check_one(k, o * p->n, p->n, p->n, 0, 0, o);
    for (int64_t c = 0; p->kind == WHET_NORM_GROUP && c < p->chan; c += p->each)
      check_one(k, o * p->n * p->chan + c, p->n * p->each, p->each, p->chan, c, -1);
  }
}

static void bench(kc *k, int i) {
  static const whet_norm_f32 c[] = {{WHET_NORM_LAYER, 1e-5f, 197, 192, 0, 0},
                                    {WHET_NORM_LAYER, 1e-5f, 128, 768, 0, 0},
                                    {WHET_NORM_L2, 0, 1, 512, 0, 0},
                                    {WHET_NORM_GROUP, 1e-5f, 1, 1024, 320, 10},
                                    {WHET_NORM_GROUP, 1e-5f, 1, 4096, 64, 1}};
  whet_norm_f32 *p = kc_params(k, sizeof *p);
  *p = c[i];
  bool groups = p->kind == WHET_NORM_GROUP;
  int64_t n = p->outer * p->n * (groups ? p->chan : 1);
  kc_in(k, WHET_F32, n);
  kc_in(k, WHET_F32, groups ? p->chan : p->n);
  kc_in(k, WHET_F32, groups ? p->chan : p->n);
  kc_out(k, WHET_F32, n);
  kc_absent(k);
  kc_absent(k);
  k->ops = (double)n;
  k->bytes = 8 * k->ops;
  kc_name(k, "kind %d %lldx%lldx%lld (%lld)", p->kind, (long long)p->outer, (long long)p->n, (long long)p->chan,
          (long long)p->each);
}

static const kc_test test = {.family = WHET_FAMILY_norm_f32,
                             .state_bytes = sizeof(state),
                             .draw = draw,
                             .check = check,
                             .n_bench = 5,
                             .bench = bench};
KC_MAIN(test)
