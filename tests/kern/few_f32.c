/* SPDX-License-Identifier: Apache-2.0 */
/* Family few_f32 against its formula, one fused multiply-add after the other. */

#include "kern/few_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_few_f32 g;
  const float *a, *scale, *bias, *res;
  const uint8_t *w, *zero;
  int packed;
} state;

static void arguments(kc *k, state *s, bool bias) {
  whet_few_f32 *g = &s->g;
  const int64_t blocks = g->k / g->block, row = whet__ceil_div(blocks, 2);
  uint8_t *w = kc_mem(k, (size_t)(g->n * g->k / 2)), *zero = kc_mem(k, (size_t)(g->n * row));
  float *scale = kc_mem(k, (size_t)(g->n * blocks) * 4), *b = kc_mem(k, (size_t)g->n * 4);
  s->a = kc_in(k, WHET_F32, (g->m - 1) * g->lda + g->k);
  kc_out(k, WHET_F32, (g->m - 1) * g->ldc + g->n);
  s->packed = kc_packed(k);
  if (g->epi.res)
    s->res = kc_in(k, WHET_F32, (g->m - 1) * g->ldr + g->n);
  else
    kc_absent(k);
  kc_fill_array(k, WHET_U8, w, g->n * g->k / 2, KC_RANDOM);
  kc_fill_array(k, WHET_U8, zero, g->n * row, KC_RANDOM);
  kc_fill_array(k, WHET_F32, scale, g->n * blocks, KC_RANDOM);
  kc_fill_array(k, WHET_F32, b, g->n, KC_RANDOM);
  s->w = w, s->scale = scale, s->zero = g->zeros ? zero : NULL, s->bias = bias ? b : NULL;
  memcpy(kc_params(k, sizeof *g), g, sizeof *g);
  k->ops = 2.0 * (double)g->m * (double)g->n * (double)g->k;
  kc_name(k, "%lldx%lldx%lld, blocks of %lld%s, %d micro-operations", (long long)g->m, (long long)g->n,
          (long long)g->k, (long long)g->block, g->zeros ? ", zero points" : "", g->epi.n);
}

static void draw(kc *k) {
  state *s = k->state;
  whet_few_f32 *g = &s->g;
  g->m = kc_size(k, 9);
  g->n = kc_size(k, 70);
  g->block = 8 * kc_range(k, 1, 9);
  g->k = g->block * kc_size(k, 5);
  g->zeros = kc_chance(k, 40);
  if (kc_chance(k, 30)) g->epi.op[g->epi.n] = WHET_MICRO_ADD, g->epi.n++, g->epi.res = 1;
  if (kc_chance(k, 30)) g->epi.op[g->epi.n] = WHET_MICRO_CLAMP, g->epi.b[g->epi.n] = 1, g->epi.n++;
  g->lda = g->k + (kc_chance(k, 50) ? 0 : kc_range(k, 0, 40));
  g->ldc = g->n + (kc_chance(k, 50) ? 0 : kc_range(k, 0, 9));
  g->ldr = g->n + (kc_chance(k, 50) ? 0 : kc_range(k, 0, 9));
  arguments(k, s, kc_chance(k, 60));
}

static void pack(kc *k, const whet_kern *row) {
  (void)row;
  const state *s = k->state;
  const whet_few_pack p = {s->g.n, s->g.k, s->g.block, s->g.zeros, s->bias != NULL};
  void *dst = kc_pack_bytes(k, s->packed, whet__few_bytes(&p));
  const void *src[4] = {s->w, s->scale, s->zero, s->bias};
  for (int part = 0; part < 3; part++) whet__few_pack_run(&p, src, dst, part, 3);
}

static float want(const state *s, int64_t i, int64_t j) {
  const whet_few_f32 *g = &s->g;
  const int64_t blocks = g->k / g->block;
  float v = s->bias ? s->bias[j] : 0;
  for (int64_t b = 0; b < blocks; b++) {
    float chain[4] = {0};
    const int zero = s->zero ? s->zero[j * whet__ceil_div(blocks, 2) + b / 2] >> b % 2 * 4 & 15 : 8;
    for (int64_t k = 0; k < g->block; k++) {
      const int64_t at = j * g->k + b * g->block + k;
      float *c = &chain[k / 8 % 4];
      *c = fmaf(s->a[i * g->lda + b * g->block + k], (float)((s->w[at / 2] >> at % 2 * 4 & 15) - zero), *c);
    }
    v = fmaf((chain[0] + chain[1]) + (chain[2] + chain[3]), s->scale[j * blocks + b], v);
  }
  for (int e = 0; e < g->epi.n; e++) {
    if (g->epi.op[e] == WHET_MICRO_ADD) v += s->res[i * g->ldr + j];
    if (g->epi.op[e] == WHET_MICRO_CLAMP && v > g->epi.b[e]) v = g->epi.b[e];
    if (g->epi.op[e] == WHET_MICRO_CLAMP && v < g->epi.a[e]) v = g->epi.a[e];
  }
  return v;
}

static void check(kc *k) {
  const state *s = k->state;
  for (int64_t i = 0; i < s->g.m && !k->failures; i++)
    for (int64_t j = 0; j < s->g.n; j++) kc_want_f32(k, 1, i * s->g.ldc + j, want(s, i, j));
}

static void bench(kc *k, int i) {
  state *s = k->state;
  s->g = (whet_few_f32){.m = i ? 32 : 1, .n = 1024, .k = 1024, .lda = 1024, .ldc = 1024, .ldr = 1024, .block = 32};
  arguments(k, s, true);
}

static const kc_test test = {.family = WHET_FAMILY_few_f32,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_SPECIAL | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .pack = pack,
                             .check = check,
                             .n_bench = 2,
                             .bench = bench};
KC_MAIN(test)
