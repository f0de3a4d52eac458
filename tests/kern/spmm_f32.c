/* SPDX-License-Identifier: Apache-2.0 */
/* Family spmm_f32 against one fused multiply-add after the other. */

#include "kern/spmm_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_spmm_f32 g;
  whet_spmm_pack pack;
  const float *a, *w, *bias, *res;
  int packed;
} state;

/* zeros: how many of 100 weights (rows of panels, with BLOCKS) are none. */
static void arguments(kc *k, state *s, int form, int zeros, bool bias, bool nk) {
  whet_spmm_f32 *g = &s->g;
  float *w = kc_mem(k, (size_t)(g->n * g->k + 1) * 4), *b = kc_mem(k, (size_t)g->n * 4);
  s->a = kc_in(k, WHET_F32, (g->m - 1) * g->lda + g->k);
  kc_out(k, WHET_F32, (g->m - 1) * g->ldc + g->n);
  s->packed = kc_packed(k);
  if (g->epi.res)
    s->res = kc_in(k, WHET_F32, (g->m - 1) * g->ldr + g->n);
  else
    kc_absent(k);
  kc_fill_array(k, WHET_F32, w, g->n * g->k, KC_RANDOM);
  if (bias) kc_fill_array(k, WHET_F32, b, g->n, KC_RANDOM);
  s->pack = (whet_spmm_pack){
      .n = g->n, .k = g->k, .n_step = nk ? g->k : 1, .k_step = nk ? 1 : g->n, .form = form, .bias = bias};
  for (int64_t j = 0; j < g->n; j++)
    for (int64_t x = 0; x < g->k; x++) {
      bool blocks = form == WHET_SPMM_BLOCKS, first = j % WHET_SPMM_PANEL == 0;
      float *to = &w[j * s->pack.n_step + x * s->pack.k_step];
      if (blocks && !first ? w[(j - j % WHET_SPMM_PANEL) * s->pack.n_step + x * s->pack.k_step] == 0
                           : kc_chance(k, zeros))
        *to = 0;
    }
  int64_t scattered, blocks;
  whet__spmm_count(&s->pack, w, &scattered, &blocks);
  s->pack.stored = g->stored = form == WHET_SPMM_BLOCKS ? blocks : scattered;
  g->form = form;
  s->w = w;
  s->bias = bias ? b : NULL;
  memcpy(kc_params(k, sizeof *g), g, sizeof *g);
  kc_name(k, "%lldx%lldx%lld, %d %% zeros, form %d, %d micro-operations", (long long)g->m, (long long)g->n,
          (long long)g->k, zeros, form, g->epi.n);
}

static void draw(kc *k) {
  state *s = k->state;
  whet_spmm_f32 *g = &s->g;
  g->m = kc_size(k, 150);
  g->n = kc_size(k, 100);
  g->k = kc_size(k, 150);
  if (kc_chance(k, 30)) g->epi.op[g->epi.n] = WHET_MICRO_ADD, g->epi.n++, g->epi.res = 1;
  if (kc_chance(k, 30)) g->epi.op[g->epi.n] = WHET_MICRO_CLAMP, g->epi.b[g->epi.n] = 1, g->epi.n++;
  g->lda = g->k + (kc_chance(k, 50) ? 0 : kc_range(k, 0, 40));
  g->ldc = g->n + (kc_chance(k, 50) ? 0 : kc_range(k, 0, 9));
  g->ldr = g->n + (kc_chance(k, 50) ? 0 : kc_range(k, 0, 9));
  arguments(k, s, kc_chance(k, 50) ? WHET_SPMM_SCATTERED : WHET_SPMM_BLOCKS, (int)kc_range(k, 0, 100),
            kc_chance(k, 60), kc_chance(k, 50));
}

static void pack(kc *k, const whet_kern *row) {
  (void)row;
  state *s = k->state;
  void *dst = kc_pack_bytes(k, s->packed, whet__spmm_bytes(&s->pack));
  const void *src[2] = {s->w, s->bias};
  for (int part = 0; part < 3; part++) whet__spmm_pack_run(&s->pack, src, dst, part, 3);
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_spmm_f32 *g = &s->g;
  for (int64_t i = 0; i < g->m && !k->failures; i++)
    for (int64_t j = 0; j < g->n; j++) {
      float v = s->bias ? s->bias[j] : 0;
      for (int64_t x = 0; x < g->k; x++) {
        float w = s->w[j * s->pack.n_step + x * s->pack.k_step];
        bool stored = w != 0;
        for (int64_t o = j / WHET_SPMM_PANEL * WHET_SPMM_PANEL;
             g->form == WHET_SPMM_BLOCKS && o < g->n && o < j / 16 * 16 + 16; o++)
          stored |= s->w[o * s->pack.n_step + x * s->pack.k_step] != 0;
        if (stored) v = fmaf(s->a[i * g->lda + x], w, v);
      }
      for (int e = 0; e < g->epi.n; e++) {
        if (g->epi.op[e] == WHET_MICRO_ADD) v += s->res[i * g->ldr + j];
        if (g->epi.op[e] == WHET_MICRO_CLAMP && v > g->epi.b[e]) v = g->epi.b[e];
        if (g->epi.op[e] == WHET_MICRO_CLAMP && v < g->epi.a[e]) v = g->epi.a[e];
      }
      kc_want_f32(k, 1, i * g->ldc + j, v);
    }
}

static const struct shape {
  const char *what;
  int form, zeros;
  int64_t m, n, k;
} shapes[] = {{"digits 64", WHET_SPMM_SCATTERED, 90, 64, 128, 784},
              {"digits 64, 70", WHET_SPMM_SCATTERED, 70, 64, 128, 784},
              {"digits 16", WHET_SPMM_SCATTERED, 90, 16, 128, 784},
              {"digits 1", WHET_SPMM_SCATTERED, 90, 1, 128, 784},
              {"digits head 64", WHET_SPMM_SCATTERED, 90, 64, 10, 128},
              {"1x1 14 576", WHET_SPMM_SCATTERED, 80, 196, 96, 576},
              {"1x1 28 192", WHET_SPMM_SCATTERED, 70, 784, 192, 32},
              {"1x1 14 96", WHET_SPMM_SCATTERED, 90, 196, 576, 96},
              {"fc 64", WHET_SPMM_SCATTERED, 90, 64, 1024, 1024},
              {"digits 1 blocks", WHET_SPMM_BLOCKS, 90, 1, 128, 784},
              {"digits 64 blocks", WHET_SPMM_BLOCKS, 90, 64, 128, 784},
              {"digits 64 blocks 70", WHET_SPMM_BLOCKS, 70, 64, 128, 784},
              {"fc 1 blocks", WHET_SPMM_BLOCKS, 90, 1, 1024, 1024},
              {"fc 1 blocks 70", WHET_SPMM_BLOCKS, 70, 1, 1024, 1024}};

static void bench(kc *k, int i) {
  state *s = k->state;
  whet_spmm_f32 *g = &s->g;
  g->m = shapes[i].m, g->n = g->ldc = g->ldr = shapes[i].n, g->k = g->lda = shapes[i].k;
  arguments(k, s, shapes[i].form, shapes[i].zeros, true, true);
  k->ops = 2.0 * (double)g->m * (double)g->n * (double)g->k;
  kc_name(k, "%s (%lldx%lldx%lld, %d %%)", shapes[i].what, (long long)g->m, (long long)g->n, (long long)g->k,
          shapes[i].zeros);
}

static const kc_test test = {.family = WHET_FAMILY_spmm_f32,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_SPECIAL | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .pack = pack,
                             .check = check,
                             .n_bench = (int)WHET_COUNT(shapes),
                             .bench = bench};
KC_MAIN(test)
