/* SPDX-License-Identifier: Apache-2.0 */
/* Family reduce_f32 against its definition in double. */

#include "kern/reduce_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_reduce_f32 p;
  const float *x;
} state;

static const char *const k_names[] = {
#define NAME(name) #name,
    WHET_REDUCE_F32_MAP(NAME)};

static void draw(kc *k) {
  state *s = k->state;
  whet_reduce_f32 *p = kc_params(k, sizeof *p);
  p->fn = (int32_t)kc_range(k, 0, WHET_RED_COUNT - 1);
  p->outer = kc_range(k, 1, 11);
  p->n = kc_size(k, p->fn == WHET_RED_PROD ? 60 : 400);
  p->inner = kc_chance(k, 50) ? 1 : kc_size(k, 140);
  s->p = *p;
  s->x = kc_in(k, WHET_F32, p->outer * p->n * p->inner);
  kc_out(k, WHET_F32, p->outer * p->inner);
  kc_name(k, "%s %lld x %lld x %lld", k_names[p->fn], (long long)p->outer, (long long)p->n, (long long)p->inner);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_reduce_f32 *p = &s->p;
  for (int64_t o = 0; o < p->outer * p->inner && !k->failures; o++) {
    double v = p->fn == WHET_RED_PROD ? 1 : p->fn == WHET_RED_MAX ? -INFINITY : p->fn == WHET_RED_MIN ? INFINITY : 0;
    double size = 0;
    for (int64_t i = 0; i < p->n; i++) {
      double x = (double)s->x[(o / p->inner * p->n + i) * p->inner + o % p->inner];
      bool square = p->fn == WHET_RED_L2 || p->fn == WHET_RED_SUM_SQUARE;
      double t = square ? x * x : p->fn == WHET_RED_L1 ? fabs(x) : x;
      if (p->fn == WHET_RED_MAX)
        v = isnan(v) || isnan(x) ? NAN : fmax(v, x);
      else if (p->fn == WHET_RED_MIN)
        v = isnan(v) || isnan(x) ? NAN : fmin(v, x);
      else if (p->fn == WHET_RED_PROD)
        v *= x;
      else
        v += t, size += fabs(t);
    }
    bool picks = p->fn == WHET_RED_MAX || p->fn == WHET_RED_MIN;
    if (!picks && k->fill == KC_SPECIAL) continue; /* sums may overflow on the way */
    double n = (double)p->n, eps = ldexp(1, -24), tol = (n + 4) * eps * (p->fn == WHET_RED_PROD ? fabs(v) : size);
    if (p->fn == WHET_RED_MEAN) v /= n, tol = tol / n + fabs(v) * 2 * eps;
    if (p->fn == WHET_RED_L2) v = sqrt(v), tol = (n + 4) * eps * v;
    if (p->fn == WHET_RED_LOG_SUM) {
      if (v <= 4 * tol) continue; /* the sign is not certain */
      tol = tol / (v - tol) + 2 * eps * fabs(log(v)) + eps, v = log(v);
    }
    kc_want(k, 1, o, v, picks ? 0 : tol + ldexp(1, -140));
  }
}

static void bench(kc *k, int i) {
  static const whet_reduce_f32 c[] = {{WHET_RED_MEAN, 197, 192, 1},
                                      {WHET_RED_MEAN, 1, 49, 1280},
                                      {WHET_RED_MAX, 1, 100000, 1},
                                      {WHET_RED_SUM, 64, 196, 64},
                                      {WHET_RED_SUM_SQUARE, 1000, 64, 1}};
  whet_reduce_f32 *p = kc_params(k, sizeof *p);
  *p = c[i];
  kc_in(k, WHET_F32, p->outer * p->n * p->inner);
  kc_out(k, WHET_F32, p->outer * p->inner);
  k->ops = (double)(p->outer * p->n * p->inner);
  k->bytes = 4 * k->ops;
  kc_name(k, "%s %lldx%lldx%lld", k_names[p->fn], (long long)p->outer, (long long)p->n, (long long)p->inner);
}

static const kc_test test = {.family = WHET_FAMILY_reduce_f32,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_SPECIAL,
                             .draw = draw,
                             .check = check,
                             .n_bench = 5,
                             .bench = bench};
KC_MAIN(test)
