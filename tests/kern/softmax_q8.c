/* SPDX-License-Identifier: Apache-2.0 */
/* Family softmax_q8: within two steps of the real softmax, and sums near one; rows that saturate. */

#include <math.h>

#include "kern/check.h"
#include "kern/softmax_q8.h"

typedef struct state {
  whet_softmax_q8 p;
  float scale, beta;
  uint8_t *in;
} state;

static void buffers(kc *k) {
  state *s = k->state;
  whet_softmax_q8 *p = kc_params(k, sizeof *p);
  *p = s->p;
  s->in = kc_in(k, p->in_signed ? WHET_S8 : WHET_U8, (p->rows - 1) * p->in_pitch + p->n);
  kc_packed(k);
  kc_out(k, (whet_dtype)p->out, (p->rows - 1) * p->out_pitch + p->n);
}

static void pack(kc *k, const whet_kern *row) {
  const state *s = k->state;
  whet__softmax_q8_table(s->scale, s->beta, kc_pack_bytes(k, 1, 1024));
}

static void draw(kc *k) {
  static const uint8_t types[] = {WHET_S8, WHET_U8, WHET_S16};
  state *s = k->state;
  whet_softmax_q8 *p = &s->p;
  p->rows = kc_range(k, 1, 5);
  p->n = kc_size(k, 600);
  p->in_pitch = p->n + kc_range(k, 0, 9);
  p->out_pitch = p->n + kc_range(k, 0, 9);
  p->in_signed = kc_chance(k, 50);
  p->out = types[kc_range(k, 0, 2)];
  s->scale = expf(-7.0f + 5.0f * kc_f32(k));
  s->beta = kc_chance(k, 70) ? 1 : 0.5f + kc_range(k, 0, 3);
  buffers(k);
  kc_name(k, "%d rows of %d, %s to type %d, scale %g beta %g", (int)p->rows, (int)p->n, p->in_signed ? "s8" : "u8",
          p->out, (double)s->scale, (double)s->beta);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_softmax_q8 *p = &s->p;
  whet_dtype t = p->in_signed ? WHET_S8 : WHET_U8;
  double steps = p->out == WHET_S16 ? 65536 : 256, least = p->out == WHET_U8 ? 0 : -steps / 2;
  for (int64_t r = 0; r < p->rows; r++) {
    double sum = 0, most = -1e9;
    for (int64_t i = 0; i < p->n; i++) most = fmax(most, (double)whet__get_i64(t, s->in, r * p->in_pitch + i));
    for (int64_t i = 0; i < p->n; i++)
      sum += exp(((double)whet__get_i64(t, s->in, r * p->in_pitch + i) - most) * (double)(s->scale * s->beta));
    for (int64_t i = 0; i < p->n && !k->failures; i++) {
      double x = ((double)whet__get_i64(t, s->in, r * p->in_pitch + i) - most) * (double)(s->scale * s->beta);
      double v = fmin(exp(x) / sum * steps + least, least + steps - 1);
      kc_want(k, 2, r * p->out_pitch + i, v, p->out == WHET_S16 ? 16 : 0.6);
    }
  }
}

static void bench(kc *k, int i) {
  state *s = k->state;
  s->p = (whet_softmax_q8){.rows = 1, .n = 1000, .in_pitch = 1000, .out_pitch = 1000, .in_signed = 1, .out = WHET_S8};
  s->scale = 0.05f;
  s->beta = 1;
  buffers(k);
  k->ops = 1000;
  kc_name(k, "1000 classes");
}

static const kc_test test = {.family = WHET_FAMILY_softmax_q8,
                             .state_bytes = sizeof(state),
                             .fills = 1 << KC_RANDOM | 1 << KC_INTS | 1 << KC_MIN | 1 << KC_MAX | 1 << KC_ALTERNATE,
                             .draw = draw,
                             .pack = pack,
                             .check = check,
                             .n_bench = 1,
                             .bench = bench};
KC_MAIN(test)
