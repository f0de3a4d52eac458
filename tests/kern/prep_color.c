/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_color against its definition. */

#include "kern/prep_color.h"

#include "kern/check.h"

typedef struct state {
  whet_prep_color p;
  uint8_t *in;
} state;

static void arguments(kc *k, whet_prep_color p) {
  state *s = k->state;
  whet_prep_color *q = kc_params(k, sizeof *q);
  *q = s->p = p;
  s->in = kc_in(k, WHET_U8, p.n * p.c_in);
  kc_out(k, WHET_U8, p.n * p.c_out);
  kc_name(k, "%lld pixels, %d to %d%s: %d %d %d %d", (long long)p.n, p.c_in, p.c_out, p.luma ? " grey" : "",
          p.from[0], p.from[1], p.from[2], p.from[3]);
}

static void draw(kc *k) {
  whet_prep_color p = {.n = kc_size(k, 200), .c_in = (int32_t)kc_range(k, 1, 4), .c_out = (int32_t)kc_range(k, 1, 4)};
  p.luma = p.c_in >= 3 && kc_chance(k, 30);
  if (p.luma) p.c_out = 1;
  for (int i = 0; i < 4; i++)
    p.from[i] = (uint8_t)(!p.luma && kc_chance(k, 10) ? WHET_PREP_MAX : kc_range(k, 0, p.c_in - 1));
  arguments(k, p);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_prep_color *p = &s->p;
  for (int64_t x = 0; x < p->n; x++)
    for (int32_t ch = 0; ch < p->c_out; ch++) {
      const uint8_t *px = s->in + x * p->c_in;
      int64_t want = p->luma ? (4899 * px[p->from[0]] + 9617 * px[p->from[1]] + 1868 * px[p->from[2]] + 8192) / 16384
                     : p->from[ch] == WHET_PREP_MAX ? 255
                                                    : px[p->from[ch]];
      kc_want_int(k, 1, x * p->c_out + ch, want);
    }
}

static void bench(kc *k, int i) {
  whet_prep_color p = {.n = 640, .c_in = 3, .c_out = i ? 1 : 3, .luma = (uint8_t)i, .from = {2, 1, 0, 0}};
  arguments(k, p);
  k->bytes = 640.0 * (p.c_in + p.c_out);
}

static const kc_test test = {.family = WHET_FAMILY_prep_color,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_MAX | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .check = check,
                             .n_bench = 2,
                             .bench = bench};
KC_MAIN(test)
