/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_rows against its definition. */

#include "kern/prep_rows.h"

#include "kern/check.h"

typedef struct state {
  whet_prep_rows p;
  uint8_t *in;
  int16_t *w;
} state;

/* Weights of `n` samples that add up to 2^14, some of them 0 or all. */
static void weights(kc *k, int16_t *w, int32_t n) {
  int32_t left = 1 << 14;
  for (int32_t i = 0; i < n; i++) {
    int32_t x = i + 1 == n ? left : kc_chance(k, 20) ? (kc_chance(k, 50) ? left : 0) : (int32_t)kc_range(k, 0, left);
    w[i] = (int16_t)x;
    left -= x;
  }
}

static void arguments(kc *k, int64_t n, int32_t taps, int64_t gap) {
  state *s = k->state;
  whet_prep_rows *p = kc_params(k, sizeof *p);
  *p = (whet_prep_rows){.n = n, .taps = taps, .stride = n + gap};
  s->p = *p;
  s->in = kc_in(k, WHET_U8, p->stride * (taps - 1) + n);
  kc_out(k, WHET_S16, n);
  s->w = kc_in(k, WHET_S16, taps + (taps & 1));
  memset(s->w, 0, (size_t)(taps + (taps & 1)) * 2);
  weights(k, s->w, taps);
  kc_name(k, "%lld samples, %d rows, %lld apart", (long long)n, taps, (long long)p->stride);
}

static void draw(kc *k) {
  arguments(k, kc_size(k, 400), kc_chance(k, 50) ? (int32_t)kc_range(k, 1, 3) : (int32_t)kc_range(k, 1, 40),
            kc_range(k, 0, 9));
}

static void check(kc *k) {
  const state *s = k->state;
  for (int64_t i = 0; i < s->p.n; i++) {
    int64_t sum = 64;
    for (int32_t t = 0; t < s->p.taps; t++) sum += s->in[t * s->p.stride + i] * s->w[t];
    kc_want_int(k, 1, i, sum / 128);
  }
}

static void bench(kc *k, int i) {
  static const int32_t taps[] = {1, 2, 6};
  arguments(k, 1920 * 3, taps[i], 0);
  k->bytes = 1920 * 3 * (taps[i] + 2.0);
}

static const kc_test test = {.family = WHET_FAMILY_prep_rows,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_MIN | 1u << KC_MAX | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .check = check,
                             .n_bench = 3,
                             .bench = bench};
KC_MAIN(test)
