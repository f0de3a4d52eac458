/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_q8 against its definition, exactly: gates over their whole range, every scale of the cell. */

#include "kern/lstm_q8.h"

#include "kern/check.h"

enum { MOST = 80 };

typedef struct state {
  whet_lstm_q8 p;
  int32_t x_zero, h_zero;
  const int8_t *x, *h0;
  const int16_t *c0;
  int32_t *bias[4];
  int8_t *w[4], *r[4]; /* by gate: [units][inputs], [units][units] */
} state;

enum { X, W, R, BIAS, H0, C0, Y, H1, C1 };

/* Weights and arguments for the sizes. */
static void buffers(kc *k) {
  state *s = k->state;
  whet_lstm_q8 *p = kc_params(k, sizeof *p);
  *p = s->p;
  for (int q = 0; q < 4; q++) {
    s->bias[q] = kc_mem(k, (size_t)p->units * sizeof(int32_t));
    s->w[q] = kc_mem(k, (size_t)(p->units * p->inputs));
    s->r[q] = kc_mem(k, (size_t)(p->units * p->units));
    for (int64_t u = 0; u < p->units; u++) s->bias[q][u] = (int32_t)kc_range(k, -50000, 50000);
    kc_fill_array(k, WHET_S8, s->w[q], p->units * p->inputs, k->fill);
    kc_fill_array(k, WHET_S8, s->r[q], p->units * p->units, k->fill);
  }
  s->x = kc_in(k, WHET_S8, (p->steps - 1) * p->x_t + (p->batch - 1) * p->x_b + p->inputs);
  for (int i = 0; i < 3; i++) kc_packed(k);
  s->h0 = kc_in(k, WHET_S8, p->batch * p->units);
  s->c0 = kc_in(k, WHET_S16, p->batch * p->units);
  kc_out(k, WHET_S8, (p->steps - 1) * p->y_t + (p->batch - 1) * p->y_b + p->units);
  kc_out(k, WHET_S8, p->batch * p->units);
  kc_out(k, WHET_S16, p->batch * p->units);
}

static whet_lstm_q8_factor factor(kc *k, int32_t least, int32_t most) {
  return (whet_lstm_q8_factor){(int32_t)kc_range(k, 1 << 30, INT32_MAX), (int32_t)kc_range(k, least, most)};
}

static void draw(kc *k) {
  state *s = k->state;
  whet_lstm_q8 *p = &s->p;
  p->steps = kc_chance(k, 10) ? kc_range(k, 31, 66) : kc_range(k, 1, 6);
  p->batch = kc_range(k, 1, 4);
  p->inputs = kc_chance(k, 10) ? kc_range(k, 250, 530) : kc_size(k, 70);
  p->units = kc_size(k, MOST);
  p->x_b = p->inputs + kc_range(k, 0, 2);
  p->y_b = p->units + kc_range(k, 0, 2);
  p->x_t = p->x_b * p->batch;
  p->y_t = p->y_b * p->batch;
  p->reverse = kc_chance(k, 30);
  for (int q = 0; q < 4; q++) {
    p->w[q] = factor(k, kc_chance(k, 10) ? -31 : -5, kc_chance(k, 10) ? 3 : 0);
    p->r[q] = factor(k, kc_chance(k, 10) ? -31 : -5, kc_chance(k, 10) ? 3 : 0);
  }
  p->out = factor(k, kc_chance(k, 10) ? -31 : -23, -21);
  p->out_zero = (int32_t)kc_range(k, -128, 127);
  p->cell_log2 = (int32_t)kc_range(k, -15, -9);
  p->cell_clip = kc_chance(k, 30) ? (int32_t)kc_range(k, 1, 32767) : 0;
  s->x_zero = (int32_t)kc_range(k, -128, 127);
  s->h_zero = (int32_t)kc_range(k, -128, 127);
  buffers(k);
  kc_name(k, "%d steps, %d entries, %d inputs, %d units, cell 2^%d clip %d", (int)p->steps, (int)p->batch,
          (int)p->inputs, (int)p->units, p->cell_log2, p->cell_clip);
}

static void pack(kc *k, const whet_kern *row) {
  const state *s = k->state;
  whet_lstm_q8_pack w = {s->p.units, s->p.inputs, s->x_zero}, r = {s->p.units, s->p.units, s->h_zero};
  whet__lstm_q8_pack(&w, (const void *const *)s->w, kc_pack_bytes(k, W, whet__lstm_q8_pack_bytes(&w)), 0, 1);
  whet__lstm_q8_pack(&r, (const void *const *)s->r, kc_pack_bytes(k, R, whet__lstm_q8_pack_bytes(&r)), 0, 1);
  whet__lstm_q8_bias(&w, (const void *const *)s->bias, kc_pack_bytes(k, BIAS, whet__lstm_q8_bias_bytes(&w)), 0, 1);
}

static int32_t saturated(int64_t x, int32_t most) {
  return (int32_t)(x < -(int64_t)most - 1 ? -(int64_t)most - 1 : x > most ? most : x);
}
/* n products and a first number, times a factor. */
static int64_t product(const int8_t *w, const int8_t *v, int64_t n, int32_t zero, int32_t first,
                       whet_lstm_q8_factor f) {
  for (int64_t i = 0; i < n; i++) first += (v[i] - zero) * w[i];
  return whet__mul_fix(first, f.mul, f.shift);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_lstm_q8 *p = &s->p;
  for (int64_t b = 0; b < p->batch; b++) {
    int8_t h[MOST], next[MOST];
    int16_t c[MOST];
    memcpy(h, s->h0 + b * p->units, (size_t)p->units);
    memcpy(c, s->c0 + b * p->units, (size_t)p->units * sizeof *c);
    for (int64_t step = 0; step < p->steps; step++) {
      int64_t t = p->reverse ? p->steps - 1 - step : step;
      for (int64_t u = 0; u < p->units; u++) {
        int32_t g[4];
        for (int q = 0; q < 4; q++) {
          int64_t a = product(s->w[q] + u * p->inputs, s->x + t * p->x_t + b * p->x_b, p->inputs, s->x_zero,
                              s->bias[q][u], p->w[q]);
          a = saturated(a, INT16_MAX) + product(s->r[q] + u * p->units, h, p->units, s->h_zero, 0, p->r[q]);
          int16_t z = (int16_t)saturated(a, INT16_MAX);
          g[q] = q == 2 ? whet__fx16_tanh(z, 3) : whet__fx16_logistic(z, 3);
        }
        int32_t v = saturated(
            whet__round_shift(g[1] * c[u], 15) + whet__round_shift(g[0] * g[2], 30 + p->cell_log2), INT16_MAX);
        if (p->cell_clip > 0) v = v < -p->cell_clip ? -p->cell_clip : v > p->cell_clip ? p->cell_clip : v;
        c[u] = (int16_t)v;
        v = whet__mul_fix(g[3] * whet__fx16_tanh(c[u], 15 + p->cell_log2), p->out.mul, p->out.shift) + p->out_zero;
        next[u] = (int8_t)saturated(v, INT8_MAX);
      }
      for (int64_t u = 0; u < p->units; u++) kc_want_int(k, Y, t * p->y_t + b * p->y_b + u, h[u] = next[u]);
    }
    for (int64_t u = 0; u < p->units; u++)
      kc_want_int(k, H1, b * p->units + u, h[u]), kc_want_int(k, C1, b * p->units + u, c[u]);
  }
}

/* A small network over an image's rows, a streaming step, a sequence. */
static void bench(kc *k, int i) {
  static const int64_t sizes[][3] = {{28, 28, 20}, {1, 128, 128}, {100, 256, 256}};
  state *s = k->state;
  s->p = (whet_lstm_q8){.steps = sizes[i][0], .batch = 1, .inputs = sizes[i][1], .units = sizes[i][2]};
  whet_lstm_q8 *p = &s->p;
  p->x_t = p->x_b = p->inputs;
  p->y_t = p->y_b = p->units;
  for (int q = 0; q < 4; q++) p->w[q] = p->r[q] = (whet_lstm_q8_factor){1500000000, -3};
  p->out = (whet_lstm_q8_factor){1500000000, -22};
  p->cell_log2 = -11;
  buffers(k);
  k->ops = 8.0 * (double)(p->steps * p->units * (p->inputs + p->units));
  kc_name(k, "lstm %dx%d->%d", (int)p->steps, (int)p->inputs, (int)p->units);
}

static const kc_test test = {.family = WHET_FAMILY_lstm_q8,
                             .state_bytes = sizeof(state),
                             .fills = 1 << KC_RANDOM | 1 << KC_INTS | 1 << KC_MIN | 1 << KC_MAX | 1 << KC_ALTERNATE,
                             .draw = draw,
                             .pack = pack,
                             .check = check,
                             .n_bench = 3,
                             .bench = bench};
KC_MAIN(test)
