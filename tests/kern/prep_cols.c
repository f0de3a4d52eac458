/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_cols against its definition. */

#include "kern/prep_cols.h"

#include "kern/check.h"

typedef struct state {
  whet_prep_cols p;
  int16_t *in, *w;
  int32_t *first;
} state;

/* n pixels of c samples from a row of `wide`, each of up to `taps` weights. */
static void arguments(kc *k, int32_t n, int32_t c, int32_t taps, int64_t wide) {
  state *s = k->state;
  whet_prep_cols *p = kc_params(k, sizeof *p);
  *p = (whet_prep_cols){.n = n, .c = c, .taps = taps};
  s->p = *p;
  s->in = kc_in(k, WHET_S16, (wide + taps) * c + WHET_SLACK / 2);
  for (int64_t i = 0; i < (wide + taps) * c; i++) s->in[i] = (int16_t)((s->in[i] & 0x7fff) * 32640 / 32767);
  kc_out(k, WHET_U8, (int64_t)n * c);
  s->first = kc_in(k, WHET_S32, n);
  s->w = kc_in(k, WHET_S16, (int64_t)n * taps);
  for (int32_t x = 0; x < n; x++) {
    int32_t left = 1 << 14, most = (int32_t)kc_range(k, 1, taps);
    s->first[x] = (int32_t)kc_range(k, 0, wide - 1);
    memset(s->w + (int64_t)x * taps, 0, (size_t)taps * 2);
    for (int32_t t = 0; t < most; t++) {
      int32_t v = t + 1 == most ? left : (int32_t)kc_range(k, 0, left);
      s->w[(int64_t)x * taps + t] = (int16_t)v;
      left -= v;
    }
  }
  kc_name(k, "%d pixels of %d, %d weights, from %lld", n, c, taps, (long long)wide);
}

static void draw(kc *k) {
  int32_t taps = kc_chance(k, 50) ? 2 : 2 * (int32_t)kc_range(k, 1, 20);
  arguments(k, (int32_t)kc_size(k, 100), (int32_t)kc_range(k, 1, 4), taps, kc_size(k, 200));
}

static void check(kc *k) {
  const state *s = k->state;
  for (int32_t x = 0; x < s->p.n; x++)
    for (int32_t ch = 0; ch < s->p.c; ch++) {
      int64_t sum = 1 << 20;
      for (int32_t t = 0; t < s->p.taps; t++)
        sum += (int64_t)s->in[(s->first[x] + t) * s->p.c + ch] * s->w[(int64_t)x * s->p.taps + t];
      kc_want_int(k, 1, (int64_t)x * s->p.c + ch, sum / (1 << 21));
    }
}

static void bench(kc *k, int i) {
  static const int32_t c[] = {1, 3, 4, 3}, taps[] = {2, 2, 2, 14};
  arguments(k, 320, c[i], taps[i], 1900);
  k->bytes = 320.0 * c[i] * (taps[i] * 2 + 1);
}

static const kc_test test = {.family = WHET_FAMILY_prep_cols,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_MAX,
                             .draw = draw,
                             .check = check,
                             .n_bench = 4,
                             .bench = bench};
KC_MAIN(test)
