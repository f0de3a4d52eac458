/* SPDX-License-Identifier: Apache-2.0 */
/* Family bnorm_f32 against its formulas in double: each of its four steps. */

#include "kern/bnorm_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_bnorm_f32 p;
  float *x, *part, *g, *mean, *inv, *scale, *bias;
} state;

static float *numbers(kc *k, int64_t n, float lo, float hi) {
  float *a = kc_mem(k, (size_t)(n + 1) * sizeof *a);
  for (int64_t i = 0; i < n; i++) a[i] = lo + (hi - lo) * (kc_f32(k) + 1) / 2;
  return a;
}

static void arrays(kc *k, whet_bnorm_f32 *p) {
  state *s = k->state;
  int64_t n = p->rows * p->chan, c = p->chan, parts = WHET_BNORM_SHARDS * 2 * c;
  s->p = *p;
  s->x = numbers(k, n, -1, 3);
  s->g = numbers(k, n, -1, 1);
  s->part = numbers(k, parts, 1, 2);
  s->mean = numbers(k, c, -1, 1);
  s->inv = numbers(k, c, 0.5f, 2);
  s->scale = numbers(k, c, 0.5f, 2);
  s->bias = numbers(k, c, -1, 1);
  kc_given(k, WHET_F32, n, s->x);
  if (p->kind & WHET_BNORM_SUMS) {
    kc_out(k, WHET_F32, parts);
    if (p->kind & WHET_BNORM_BACK) {
      kc_given(k, WHET_F32, n, s->g);
      kc_given(k, WHET_F32, c, s->mean);
      kc_given(k, WHET_F32, c, s->inv);
    }
  } else {
    kc_given(k, WHET_F32, parts, s->part);
    if (p->kind & WHET_BNORM_BACK) {
      kc_given(k, WHET_F32, n, s->g);
      kc_given(k, WHET_F32, c, s->mean);
      kc_given(k, WHET_F32, c, s->inv);
      kc_given(k, WHET_F32, c, s->scale);
      kc_out(k, WHET_F32, n);
    } else {
      kc_given(k, WHET_F32, c, s->scale);
      kc_given(k, WHET_F32, c, s->bias);
      kc_out(k, WHET_F32, n);
    }
    kc_out(k, WHET_F32, c);
    kc_out(k, WHET_F32, c);
  }
  kc_name(k, "kind %d, %lld rows of %lld", p->kind, (long long)p->rows, (long long)p->chan);
}

static void draw(kc *k) {
  whet_bnorm_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_bnorm_f32){.kind = (int32_t)kc_range(k, 0, 3), .epsilon = 1e-3f, .rows = kc_size(k, 90), .chan = kc_size(k, 70)};
  arrays(k, p);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_bnorm_f32 *p = &s->p;
  double n = (double)p->rows;
  for (int64_t c = 0; c < p->chan; c++) {
    double mean = (double)s->mean[c], inv = (double)s->inv[c], a = 0, b = 0;
    if (p->kind & WHET_BNORM_SUMS) {
      for (int64_t h = 0; h < WHET_BNORM_SHARDS; h++) {
        double one = 0, two = 0;
        for (int64_t r = p->rows * h / WHET_BNORM_SHARDS; r < p->rows * (h + 1) / WHET_BNORM_SHARDS; r++) {
          double x = (double)s->x[r * p->chan + c], g = (double)s->g[r * p->chan + c], d = x - (double)s->x[c];
          one += p->kind & WHET_BNORM_BACK ? g : d;
          two += p->kind & WHET_BNORM_BACK ? g * (x - mean) * inv : d * d;
        }
        kc_want(k, 1, (2 * h + 0) * p->chan + c, one, 1e-4);
        kc_want(k, 1, (2 * h + 1) * p->chan + c, two, 1e-3);
      }
      continue;
    }
    for (int h = 0; h < WHET_BNORM_SHARDS; h++) a += (double)s->part[2 * h * p->chan + c], b += (double)s->part[(2 * h + 1) * p->chan + c];
    if (p->kind & WHET_BNORM_BACK) {
      for (int64_t r = 0; r < p->rows; r++) {
        double h = ((double)s->x[r * p->chan + c] - mean) * inv, g = (double)s->g[r * p->chan + c];
        double v = inv * (double)s->scale[c] * (g - a / n - h * b / n);
        kc_want(k, 6, r * p->chan + c, v, 1e-4 * (1 + fabs(v) + b * fabs(h)));
      }
      kc_want(k, 7, c, b, 1e-4);
      kc_want(k, 8, c, a, 1e-4);
      continue;
    }
    double m = (double)s->x[c] + a / n, i = 1 / sqrt(fmax(b / n - a / n * (a / n), 0) + (double)p->epsilon);
    double loose = 1e-5 * (1 + i * i * (a / n) * (a / n));
    for (int64_t r = 0; r < p->rows; r++) {
      double v = ((double)s->x[r * p->chan + c] - m) * i * (double)s->scale[c];
      kc_want(k, 4, r * p->chan + c, v + (double)s->bias[c], loose * (2 + fabs(v)) * (1 + i * fabs(m)));
    }
    kc_want(k, 5, c, m, 1e-5 * (1 + fabs(m)));
    kc_want(k, 6, c, i, loose * i);
  }
}

static void bench(kc *k, int i) {
  whet_bnorm_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_bnorm_f32){.kind = i, .epsilon = 1e-3f, .rows = 32 * 1024, .chan = 16};
  arrays(k, p);
  k->ops = (double)(p->rows * p->chan);
  k->bytes = (i & WHET_BNORM_BACK ? 8 : 4) * k->ops + (i & WHET_BNORM_SUMS ? 0 : 4) * k->ops;
}

static const kc_test test = {.family = WHET_FAMILY_bnorm_f32,
                             .state_bytes = sizeof(state),
                             .draw = draw,
                             .check = check,
                             .fills = 1,
                             .n_bench = 4,
                             .bench = bench};
KC_MAIN(test)
