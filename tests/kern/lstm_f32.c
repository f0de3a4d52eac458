/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_f32 against its definition in double. */

#include "kern/lstm_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_lstm_f32 p;
  const float *x, *h0, *c0;
  float *bias, *w[4], *r[4]; /* by gate: [dirs][units], [dirs][units][inputs], [dirs][units][units] */
} state;

enum { X, BIAS, W, R, H0, C0, Y, H1, C1 };

static void draw(kc *k) {
  state *s = k->state;
  whet_lstm_f32 *p = kc_params(k, sizeof *p);
  p->steps = kc_range(k, 0, 6);
  p->batch = kc_range(k, 1, 4);
  p->inputs = kc_size(k, 40);
  p->units = kc_size(k, 40);
  p->dirs = (int32_t)kc_range(k, 1, 2);
  p->reverse[0] = kc_chance(k, 30);
  p->reverse[1] = 1;
  p->clip = kc_chance(k, 30) ? 0.5f : 0;
  p->x_b = p->inputs + kc_range(k, 0, 2);
  p->x_t = p->x_b * p->batch;
  p->s_b = p->units;
  p->s_d = p->units * p->batch;
  p->y_b = p->units;
  p->y_d = p->y_b * p->batch;
  p->y_t = p->y_d * p->dirs;
  s->p = *p;
  int64_t n = p->dirs * p->units, states = p->dirs * p->batch * p->units;
  s->bias = kc_mem(k, (size_t)n * 4 * sizeof(float));
  kc_fill_array(k, WHET_F32, s->bias, n * 4, k->fill);
  for (int q = 0; q < 4; q++) {
    s->w[q] = kc_mem(k, (size_t)(n * p->inputs) * sizeof(float));
    s->r[q] = kc_mem(k, (size_t)(n * p->units) * sizeof(float));
    kc_fill_array(k, WHET_F32, s->w[q], n * p->inputs, k->fill);
    kc_fill_array(k, WHET_F32, s->r[q], n * p->units, k->fill);
  }
  s->x = kc_in(k, WHET_F32, p->steps * p->x_t + 1);
  kc_packed(k);
  kc_packed(k);
  kc_packed(k);
  bool start = kc_chance(k, 60);
  s->h0 = s->c0 = NULL;
  if (start) {
    s->h0 = kc_in(k, WHET_F32, states);
    s->c0 = kc_in(k, WHET_F32, states);
  } else {
    kc_absent(k);
    kc_absent(k);
  }
  kc_out(k, WHET_F32, p->steps * p->y_t + 1);
  kc_out(k, WHET_F32, states);
  kc_out(k, WHET_F32, states);
  kc_name(k, "%d steps, %d entries, %d inputs, %d units, %d directions", (int)p->steps, (int)p->batch, (int)p->inputs,
          (int)p->units, (int)p->dirs);
}

static void pack(kc *k, const whet_kern *row) {
  const state *s = k->state;
  whet_lstm_bias b = {.units = s->p.units, .dirs = s->p.dirs, .one = 1, .d_step = s->p.units};
  whet_lstm_pack w = {.units = s->p.units, .inputs = s->p.inputs, .dirs = s->p.dirs}, r = w;
  for (int q = 0; q < 4; q++) b.at[q] = q * s->p.dirs * s->p.units;
  w.u_step = s->p.inputs;
  w.d_step = s->p.inputs * s->p.units;
  r.inputs = r.u_step = s->p.units;
  r.d_step = s->p.units * s->p.units;
  const void *bias[] = {s->bias};
  whet__lstm_bias(&b, bias, kc_pack_bytes(k, BIAS, whet__lstm_bias_bytes(&b)), 0, 1);
  whet__lstm_pack(&w, (const void *const *)s->w, kc_pack_bytes(k, W, whet__lstm_pack_bytes(&w)), 0, 1);
  whet__lstm_pack(&r, (const void *const *)s->r, kc_pack_bytes(k, R, whet__lstm_pack_bytes(&r)), 0, 1);
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* Rounding errors of the gates go on from step to step. */
static void check(kc *k) {
  const state *s = k->state;
  const whet_lstm_f32 *p = &s->p;
  double tol = 2e-6 * (double)(p->inputs + p->units + 8) * (double)(p->steps + 1);
  for (int64_t d = 0; d < p->dirs; d++)
    for (int64_t b = 0; b < p->batch; b++) {
      double h[64], c[64], next[64];
      int64_t at = d * p->s_d + b * p->s_b;
      for (int64_t u = 0; u < p->units; u++) h[u] = s->h0 ? s->h0[at + u] : 0, c[u] = s->c0 ? s->c0[at + u] : 0;
      for (int64_t step = 0; step < p->steps; step++) {
        int64_t t = p->reverse[d] ? p->steps - 1 - step : step;
        for (int64_t u = 0; u < p->units; u++) {
          double a[4];
          for (int q = 0; q < 4; q++) {
            a[q] = s->bias[(q * p->dirs + d) * p->units + u];
            for (int64_t i = 0; i < p->inputs; i++)
              a[q] += (double)s->w[q][(d * p->units + u) * p->inputs + i] * s->x[t * p->x_t + b * p->x_b + i];
            for (int64_t i = 0; i < p->units; i++) a[q] += (double)s->r[q][(d * p->units + u) * p->units + i] * h[i];
          }
          c[u] = sigmoid(a[1]) * c[u] + sigmoid(a[0]) * tanh(a[2]);
          if (p->clip > 0) c[u] = fmax(-p->clip, fmin(p->clip, c[u]));
          next[u] = sigmoid(a[3]) * tanh(c[u]);
        }
        for (int64_t u = 0; u < p->units; u++) {
          h[u] = next[u];
          kc_want(k, Y, t * p->y_t + d * p->y_d + b * p->y_b + u, h[u], tol);
        }
      }
      for (int64_t u = 0; u < p->units; u++) kc_want(k, H1, at + u, h[u], tol), kc_want(k, C1, at + u, c[u], tol);
    }
}

/* A streaming step, and a sequence. */
static void bench(kc *k, int i) {
  static const int64_t sizes[][4] = {{1, 1, 128, 128}, {100, 1, 256, 256}, {28, 1, 28, 20}};
  state *s = k->state;
  whet_lstm_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_lstm_f32){
      .steps = sizes[i][0], .batch = sizes[i][1], .inputs = sizes[i][2], .units = sizes[i][3], .dirs = 1};
  p->x_b = p->inputs;
  p->x_t = p->x_b * p->batch;
  p->s_b = p->y_b = p->units;
  p->s_d = p->y_d = p->y_t = p->units * p->batch;
  s->p = *p;
  s->bias = kc_mem(k, (size_t)p->units * 4 * sizeof(float));
  for (int q = 0; q < 4; q++) {
    s->w[q] = kc_mem(k, (size_t)(p->units * p->inputs) * sizeof(float));
    s->r[q] = kc_mem(k, (size_t)(p->units * p->units) * sizeof(float));
    kc_fill_array(k, WHET_F32, s->w[q], p->units * p->inputs, KC_RANDOM);
    kc_fill_array(k, WHET_F32, s->r[q], p->units * p->units, KC_RANDOM);
  }
  kc_in(k, WHET_F32, p->steps * p->x_t);
  for (int j = 0; j < 3; j++) kc_packed(k);
  kc_in(k, WHET_F32, p->s_d);
  kc_in(k, WHET_F32, p->s_d);
  kc_out(k, WHET_F32, p->steps * p->y_t);
  kc_out(k, WHET_F32, p->s_d);
  kc_out(k, WHET_F32, p->s_d);
  k->ops = 8.0 * (double)(p->steps * p->batch * p->units * (p->inputs + p->units));
  kc_name(k, "lstm %dx%d->%d", (int)p->steps, (int)p->inputs, (int)p->units);
}

static const kc_test test = {.family = WHET_FAMILY_lstm_f32,
                             .state_bytes = sizeof(state),
                             .draw = draw,
                             .pack = pack,
                             .check = check,
                             .n_bench = 3,
                             .bench = bench};
KC_MAIN(test)
