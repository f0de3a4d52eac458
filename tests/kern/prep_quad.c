/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_quad against its definition. */

#include "kern/prep_quad.h"

#include "kern/check.h"

typedef struct state {
  whet_prep_quad p;
  uint8_t *a, *b;
  int16_t *w, *wr;
  int32_t *first;
} state;

static void pair(kc *k, int16_t *w) {
  w[0] = (int16_t)(kc_chance(k, 20) ? (kc_chance(k, 50) ? 1 << 14 : 0) : (int32_t)kc_range(k, 0, 1 << 14));
  w[1] = (int16_t)((1 << 14) - w[0]);
}

static void arguments(kc *k, int32_t n, int32_t c, int32_t wide) {
  state *s = k->state;
  whet_prep_quad *p = kc_params(k, sizeof *p);
  *p = (whet_prep_quad){.n = n, .c = c, .wide = wide};
  s->p = *p;
  s->a = kc_in(k, WHET_U8, (int64_t)wide * c);
  s->b = kc_in(k, WHET_U8, (int64_t)wide * c);
  kc_out(k, WHET_U8, (int64_t)n * c);
  s->first = kc_in(k, WHET_S32, n);
  s->w = kc_in(k, WHET_S16, (int64_t)n * 2);
  s->wr = kc_in(k, WHET_S16, 2);
  pair(k, s->wr);
  for (int32_t x = 0; x < n; x++) {
    s->first[x] = (int32_t)((int64_t)(wide - 2) * x / (n > 1 ? n - 1 : 1)); /* the last one ends with the row */
    pair(k, s->w + (int64_t)x * 2);
  }
  kc_name(k, "%d pixels of %d from %d", n, c, wide);
}

static void draw(kc *k) {
  arguments(k, (int32_t)kc_size(k, 100), (int32_t)kc_range(k, 1, 4), 1 + (int32_t)kc_size(k, 300));
}

static void check(kc *k) {
  const state *s = k->state;
  int32_t c = s->p.c;
  for (int32_t x = 0; x < s->p.n; x++)
    for (int32_t ch = 0; ch < c; ch++) {
      int64_t sum = 1 << 20;
      for (int32_t t = 0; t < 2; t++) {
        int64_t at = (int64_t)(s->first[x] + t) * c + ch;
        sum += (s->a[at] * s->wr[0] + s->b[at] * s->wr[1] + 64) / 128 * s->w[(int64_t)x * 2 + t];
      }
      kc_want_int(k, 2, (int64_t)x * c + ch, sum / (1 << 21));
    }
}

static void bench(kc *k, int i) {
  static const int32_t c[] = {1, 3, 4};
  arguments(k, 320, c[i], 1920);
  k->bytes = 320.0 * c[i] * 5;
}

static const kc_test test = {.family = WHET_FAMILY_prep_quad,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_MIN | 1u << KC_MAX | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .check = check,
                             .n_bench = 3,
                             .bench = bench};
KC_MAIN(test)
