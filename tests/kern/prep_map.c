/* SPDX-License-Identifier: Apache-2.0 */
/* Family prep_map against its definition. */

#include "kern/prep_map.h"

#include "kern/check.h"

typedef struct state {
  whet_prep_map p;
  uint8_t *in, *table;
} state;

static void arguments(kc *k, whet_prep_map p) {
  static const whet_dtype by_size[] = {[1] = WHET_U8, [2] = WHET_U16, [4] = WHET_U32, [8] = WHET_U64};
  state *s = k->state;
  whet_prep_map *q = kc_params(k, sizeof *q);
  *q = s->p = p;
  s->in = kc_in(k, WHET_U8, p.n * p.c);
  whet_dtype t = p.kind == WHET_PREP_AFFINE ? WHET_F32 : p.kind == WHET_PREP_FLIP ? WHET_U8 : by_size[p.elem];
  kc_out(k, t, p.planar ? p.plane * (p.c - 1) + p.n : p.n * p.c);
  if (p.kind == WHET_PREP_TABLE)
    s->table = kc_in(k, t, p.c * 256);
  else
    kc_absent(k);
  kc_name(k, "%lld pixels of %d, kind %d, element %d%s", (long long)p.n, p.c, p.kind, p.elem,
          p.planar ? ", planar" : "");
}

static void draw(kc *k) {
  whet_prep_map p = {.n = kc_size(k, 200), .c = (int32_t)kc_range(k, 1, 4), .kind = (uint8_t)kc_range(k, 0, 2)};
  p.planar = kc_chance(k, 50);
  p.plane = p.n + kc_range(k, 0, 9);
  p.elem = (uint8_t)(1 << kc_range(k, 0, 3));
  p.flip = (uint8_t)(kc_chance(k, 50) ? 0x80 : 0);
  for (int i = 0; i < 4; i++) p.mul[i] = kc_f32(k), p.add[i] = 100 * kc_f32(k);
  arguments(k, p);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_prep_map *p = &s->p;
  for (int64_t x = 0; x < p->n; x++)
    for (int32_t ch = 0; ch < p->c; ch++) {
      int64_t at = p->planar ? ch * p->plane + x : x * p->c + ch;
      uint8_t v = s->in[x * p->c + ch];
      if (p->kind == WHET_PREP_AFFINE) {
        volatile float product = (float)v * p->mul[ch];
        kc_want_f32(k, 1, at, product + p->add[ch]);
      } else if (p->kind == WHET_PREP_FLIP) {
        kc_want_int(k, 1, at, v ^ p->flip);
      } else if (memcmp(k->arg[1].p + at * p->elem, s->table + (ch * 256 + v) * p->elem, p->elem)) {
        kc_fail(k, "pixel %lld, channel %d: not entry %d of the table", (long long)x, ch, v);
      }
    }
}

static void bench(kc *k, int i) {
  whet_prep_map p = {
      .n = 320, .c = 3, .kind = (uint8_t)(i / 2), .planar = (uint8_t)(i % 2), .plane = 320 * 8, .elem = 1};
  arguments(k, p);
  k->bytes = 960.0 * (p.kind == WHET_PREP_AFFINE ? 5 : 2);
}

static const kc_test test = {.family = WHET_FAMILY_prep_map,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_MAX | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .check = check,
                             .n_bench = 6,
                             .bench = bench};
KC_MAIN(test)
