/* SPDX-License-Identifier: Apache-2.0 */
/* Family quantize against its formulas. */

#include <math.h>

#include "kern/check.h"
#include "kern/quantize.h"

typedef struct state {
  whet_quantize p;
  void *in;
} state;

static void buffers(kc *k) {
  state *s = k->state;
  whet_quantize *p = kc_params(k, sizeof *p);
  *p = s->p;
  whet_dtype byte = p->is_signed ? WHET_S8 : WHET_U8;
  s->in = kc_in(k, p->to_float ? byte : WHET_F32, (p->rows - 1) * p->in_pitch + p->run);
  kc_out(k, p->to_float ? WHET_F32 : byte, (p->rows - 1) * p->out_pitch + p->run);
}

static void draw(kc *k) {
  state *s = k->state;
  whet_quantize *p = &s->p;
  p->to_float = kc_chance(k, 40);
  p->is_signed = kc_chance(k, 50);
  p->away = kc_chance(k, 50);
  p->zero = (int32_t)kc_range(k, 0, 255) - (p->is_signed ? 128 : 0);
  /* Scales that are powers of two meet ties among small whole numbers. */
  p->scale = kc_chance(k, 40) ? 2.0f : 0.004f * (1.1f + kc_f32(k));
  p->rows = kc_chance(k, 50) ? 1 : kc_range(k, 1, 7);
  p->run = kc_size(k, 400);
  p->in_pitch = p->run + kc_range(k, 0, 40);
  p->out_pitch = p->run + kc_range(k, 0, 40);
  buffers(k);
  kc_name(k, "%s, %s, %d rows of %d, scale %g zero %d",
          p->to_float ? "to floats"
          : p->away   ? "away"
                      : "even",
          p->is_signed ? "s8" : "u8", (int)p->rows, (int)p->run, (double)p->scale, p->zero);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_quantize *p = &s->p;
  int64_t lo = p->is_signed ? -128 : 0;
  for (int64_t r = 0; r < p->rows; r++)
    for (int64_t i = 0; i < p->run; i++) {
      int64_t from = r * p->in_pitch + i, to = r * p->out_pitch + i;
      if (p->to_float) {
        int64_t x = whet__get_i64(p->is_signed ? WHET_S8 : WHET_U8, s->in, from);
        kc_want_f32(k, 1, to, (float)(x - p->zero) * p->scale);
        continue;
      }
      float q = ((const float *)s->in)[from] / p->scale;
      double v = (p->away ? round((double)q) : rint((double)q)) + p->zero;
      kc_want_int(k, 1, to, !(v > (double)lo) ? lo : v >= (double)(lo + 255) ? lo + 255 : (int64_t)v);
    }
}

static void bench(kc *k, int i) {
  state *s = k->state;
  s->p = (whet_quantize){.to_float = i == 1,
                         .scale = 0.02f,
                         .zero = 128,
                         .rows = 1,
                         .run = 150528,
                         .in_pitch = 150528,
                         .out_pitch = 150528};
  buffers(k);
  k->bytes = 5.0 * 150528;
  kc_name(k, "%s 150528", i ? "dequantize" : "quantize");
}

static const kc_test test = {.family = WHET_FAMILY_quantize,
                             .state_bytes = sizeof(state),
                             .fills = 1 << KC_RANDOM | 1 << KC_INTS | 1 << KC_MIN | 1 << KC_MAX | 1 << KC_SPECIAL,
                             .draw = draw,
                             .check = check,
                             .n_bench = 2,
                             .bench = bench};
KC_MAIN(test)
