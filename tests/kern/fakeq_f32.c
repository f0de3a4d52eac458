/* SPDX-License-Identifier: Apache-2.0 */
/* Family fakeq_f32 against its definition. */

#include "kern/fakeq_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_fakeq_f32 p;
  const float *x;
} state;

static void draw(kc *k) {
  state *s = k->state;
  s->p = (whet_fakeq_f32){.rows = kc_range(k, 1, 9), .n = kc_size(k, 200), .asymmetric = kc_chance(k, 50)};
  memcpy(kc_params(k, sizeof s->p), &s->p, sizeof s->p);
  s->x = kc_in(k, WHET_F32, s->p.rows * s->p.n);
  kc_out(k, WHET_F32, s->p.rows * s->p.n);
  kc_name(k, "%lld x %lld%s", (long long)s->p.rows, (long long)s->p.n, s->p.asymmetric ? ", asymmetric" : "");
}

static void check(kc *k) {
  const state *s = k->state;
  for (int64_t r = 0; r < s->p.rows; r++) {
    const float *x = s->x + r * s->p.n;
    double lo = x[0], hi = x[0];
    for (int64_t i = 0; i < s->p.n; i++) lo = fmin(lo, x[i]), hi = fmax(hi, x[i]);
    double step = s->p.asymmetric ? (fmax(hi, 0) - fmin(lo, 0)) / 255 : fmax(fabs(lo), fabs(hi)) / 127;
    float got_step, inverse;
    int32_t zero;
    whet__fakeq_range((float)lo, (float)hi, s->p.asymmetric, &got_step, &inverse, &zero);
    if (step > 0 && fabs((double)got_step - step) > 1e-6 * step)
      kc_fail(k, "step %g, expected %g", (double)got_step, step);
    for (int64_t i = 0; i < s->p.n; i++) {
      float q = roundf((float)zero + x[i] * inverse);
      q = q > 127 ? 127 : q < (s->p.asymmetric ? -128 : -127) ? (s->p.asymmetric ? -128 : -127) : q;
      kc_want_f32(k, 1, r * s->p.n + i, got_step * (q - (float)zero));
      kc_want(k, 1, r * s->p.n + i, x[i],
              1.01 * step); /* it is the same number, but for half a step and the zero point */
    }
  }
}

static void bench(kc *k, int i) {
  whet_fakeq_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_fakeq_f32){.rows = 1, .n = 8000, .asymmetric = 1};
  kc_in(k, WHET_F32, p->n);
  kc_out(k, WHET_F32, p->n);
  k->bytes = 12.0 * (double)p->n;
  kc_name(k, "8000 asymmetric");
}

static const kc_test test = {.family = WHET_FAMILY_fakeq_f32,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_ALTERNATE | 1u << KC_MIN,
                             .draw = draw,
                             .check = check,
                             .n_bench = 1,
                             .bench = bench};
KC_MAIN(test)
