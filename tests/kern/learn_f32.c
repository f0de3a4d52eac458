/* SPDX-License-Identifier: Apache-2.0 */
/* Family learn_f32 against its formulas in double. */

#include "kern/learn_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_learn_f32 p;
  float *x, *m, *v;
  const float *g, *hyper;
} state;

/* An array of n numbers between 0.1 and 1.1, of either sign if `both`. */
static float *numbers(kc *k, int64_t n, bool both) {
  float *a = kc_mem(k, (size_t)(n + 1) * sizeof *a);
  for (int64_t i = 0; i < n; i++) {
    float r = kc_f32(k);
    a[i] = both && r < 0 ? r - 0.1f : fabsf(r) + 0.1f;
  }
  return a;
}

static void arrays(kc *k, whet_learn_f32 *p) {
  state *s = k->state;
  s->p = *p;
  s->x = numbers(k, p->n, true);
  s->g = numbers(k, p->n, true);
  s->hyper = numbers(k, 3, false);
  s->m = numbers(k, p->n, true);
  s->v = numbers(k, p->n, false);
  kc_inout_given(k, WHET_F32, p->n, s->x);
  kc_given(k, WHET_F32, p->n, s->g);
  kc_given(k, WHET_F32, 3, s->hyper);
  kc_inout_given(k, WHET_F32, p->n, s->m);
  if (p->kind == WHET_LEARN_ADAM)
    kc_inout_given(k, WHET_F32, p->n, s->v);
  else
    kc_absent(k);
  kc_name(k, "kind %d, %lld numbers", p->kind, (long long)p->n);
}

static void draw(kc *k) {
  whet_learn_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_learn_f32){.kind = (int32_t)kc_range(k, 0, 1), .nesterov = kc_chance(k, 50), .decoupled = kc_chance(k, 50),
                        .a = 0.9f, .b = 0.99f, .epsilon = 1e-6f, .decay = kc_chance(k, 50) ? 0.01f : 0, .n = kc_size(k, 300)};
  arrays(k, p);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_learn_f32 *p = &s->p;
  double a = (double)p->a, b = (double)p->b, rate = (double)s->hyper[0];
  bool adam = p->kind == WHET_LEARN_ADAM;
  for (int64_t i = 0; i < p->n && !k->failures; i++) {
    double x = (double)s->x[i], g = (double)s->g[i], d;
    if (!adam || !p->decoupled) g += (double)p->decay * x;
    double m = a * (double)s->m[i] + (adam ? 1 - a : 1) * g;
    kc_want(k, 3, i, m, 1e-6);
    if (adam) {
      double v = b * (double)s->v[i] + (1 - b) * g * g;
      kc_want(k, 4, i, v, 1e-6);
      d = m * (double)s->hyper[1] / (sqrt(v * (double)s->hyper[2]) + (double)p->epsilon) + (p->decoupled ? (double)p->decay * x : 0);
    } else {
      d = p->nesterov ? g + a * m : m;
    }
    kc_want(k, 0, i, x - rate * d, 1e-5);
  }
}

static void bench(kc *k, int i) {
  whet_learn_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_learn_f32){.kind = i, .a = 0.9f, .b = 0.999f, .epsilon = 1e-7f, .n = 100352};
  arrays(k, p);
  k->ops = (double)p->n;
  k->bytes = k->ops * (i ? 28 : 20);
}

static const kc_test test = {.family = WHET_FAMILY_learn_f32,
                             .state_bytes = sizeof(state),
                             .draw = draw,
                             .check = check,
                             .fills = 1,
                             .n_bench = 2,
                             .bench = bench};
KC_MAIN(test)
