/* SPDX-License-Identifier: Apache-2.0 */
/* Family softmax_f32 against its formula in double. */

#include "kern/softmax_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_softmax_f32 p;
  const float *x;
} state;

static void draw(kc *k) {
  state *s = k->state;
  whet_softmax_f32 *p = kc_params(k, sizeof *p);
  bool columns = kc_chance(k, 40), in_place = kc_chance(k, 30);
  bool narrow = !columns && kc_chance(k, 30);
  p->outer = kc_range(k, 1, narrow ? 70 : 5);
  p->n = narrow ? kc_range(k, 1, 20) : kc_size(k, columns ? 40 : 700);
  p->inner = columns ? kc_size(k, 70) : 1;
  p->beta = kc_chance(k, 70) ? 1 : 0.1f + fabsf(kc_f32(k));
  p->log = kc_chance(k, 40);
  int64_t n = p->outer * p->n * p->inner;
  float *x = kc_mem(k, (size_t)n * sizeof *x), scale = kc_chance(k, 50) ? 1 : 30;
  kc_fill_array(k, WHET_F32, x, n, k->fill);
  for (int64_t i = 0; i < n; i++) x[i] = fabsf(x[i]) < 1e30f ? x[i] * scale : x[i];
  s->p = *p;
  s->x = x;
  if (in_place) {
    kc_inout_given(k, WHET_F32, n, x);
    kc_alias(k, 0);
  } else {
    kc_given(k, WHET_F32, n, x);
    kc_out(k, WHET_F32, n);
  }
  kc_name(k, "%lld x %lld x %lld, beta %g%s%s", (long long)p->outer, (long long)p->n, (long long)p->inner,
          (double)p->beta, p->log ? ", logarithm" : "", in_place ? ", in place" : "");
}

/* Distance of neighbouring floats at x. */
static double ulp_at(double x) {
  int e = x != 0 ? ilogb(x) : -126;
  return ldexp(1, (e < -126 ? -126 : e) - 23);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_softmax_f32 *p = &s->p;
  int arg = k->arg[1].kind == KC_ALIAS ? 0 : 1;
  for (int64_t o = 0; o < p->outer * p->inner && !k->failures; o++) {
    int64_t at = o / p->inner * p->n * p->inner + o % p->inner;
    double m = -INFINITY, sum = 0, least = 0;
    for (int64_t i = 0; i < p->n; i++) m = fmax(m, (double)s->x[at + i * p->inner]);
    for (int64_t i = 0; i < p->n; i++) {
      double d = (double)p->beta * ((double)s->x[at + i * p->inner] - m);
      sum += exp(d);
      if (isfinite(d)) least = fmin(least, d);
    }
    double chain = 6 + 0.5 * (double)p->n / (p->inner == 1 && p->n > WHET_SOFTMAX_SHORT ? 16 : 1);
    for (int64_t i = 0; i < p->n; i++) {
      double d = (double)p->beta * ((double)s->x[at + i * p->inner] - m), want = p->log ? d - log(sum) : exp(d) / sum;
      double tol = chain * ulp_at(p->log ? fmax(fmax(fabs(want), -least), log((double)p->n)) : want);
      /* The argument of exp is rounded twice. */
      if (!p->log) tol += want * fabs(d) * ldexp(1, -23) + ldexp(1, -148);
      if (!isnan(want) && (fabs(want) > 3.4028235e38 || d / (double)p->beta < -3.4028235e38))
        want = p->log ? -INFINITY : 0;
      kc_want(k, arg, at + i * p->inner, want, isnan(tol) ? 0 : tol);
    }
  }
}

static void bench(kc *k, int i) {
  static const int64_t sizes[][3] = {{1, 1001, 1}, {3 * 197, 197, 1}, {12 * 512, 512, 1}, {1, 21, 4096}, {4420, 2, 1}, {64, 10, 1}, {1, 10, 1}};
  whet_softmax_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_softmax_f32){sizes[i][0], sizes[i][1], sizes[i][2], 1, 0};
  int64_t n = p->outer * p->n * p->inner;
  kc_in(k, WHET_F32, n);
  kc_out(k, WHET_F32, n);
  k->ops = (double)n;
  k->bytes = 8.0 * (double)n;
  kc_name(k, "%lldx%lldx%lld", (long long)p->outer, (long long)p->n, (long long)p->inner);
}

static const kc_test test = {.family = WHET_FAMILY_softmax_f32,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_ALTERNATE | 1u << KC_SPECIAL,
                             .draw = draw,
                             .check = check,
                             .n_bench = 7,
                             .bench = bench};
KC_MAIN(test)
