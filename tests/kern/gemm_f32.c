/* SPDX-License-Identifier: Apache-2.0 */
/* Family gemm_f32 against one fused multiply-add after the other. */

#include "kern/gemm_f32.h"

#include <math.h>

#include "kern/check.h"
#include "kern/pack_f32.h"

typedef struct state {
  whet_gemm_f32 g;
  whet_pack_f32 pack;
  const float *a, *b, *bias, *res;
  int packed;
} state;

/* The arguments for the parameters that draw or bench chose; b_batches: products in B. */
static void arguments(kc *k, state *s, int64_t b_batches, bool bias, bool nk) {
  whet_gemm_f32 *g = &s->g;
  int64_t a = 0, c = 0, res = 0;
  for (int32_t i = 0; i < g->n_batch; i++) {
    a += (g->batch[i] - 1) * g->a_step[i];
    c += (g->batch[i] - 1) * g->c_step[i];
    res += (g->batch[i] - 1) * g->res_step[i];
  }
  s->a = kc_in(k, WHET_F32, a + (g->m - 1) * g->lda + g->k);
  kc_out(k, WHET_F32, c + (g->m - 1) * g->ldc + g->n);
  s->packed = kc_packed(k);
  if (g->epi.res)
    s->res = kc_in(k, WHET_F32, res + (g->m - 1) * g->ldr + g->n);
  else
    kc_absent(k);
  float *b = kc_mem(k, (size_t)(b_batches * g->n * g->k + 1) * 4),
        *bb = kc_mem(k, (size_t)(b_batches * g->n + 1) * 4);
  kc_fill_array(k, WHET_F32, b, b_batches * g->n * g->k, k->fill);
  if (bias) kc_fill_array(k, WHET_F32, bb, b_batches * g->n, k->fill);
  s->b = b;
  s->bias = bias ? bb : NULL;
  s->pack = (whet_pack_f32){.dtype = WHET_F32,
                            .bias_dtype = bias ? WHET_F32 : WHET_NONE,
                            .groups = b_batches,
                            .n = g->n,
                            .k = {1, 1, 1, g->k},
                            .group_step = g->n * g->k,
                            .n_step = nk ? g->k : 1,
                            .k_step = {0, 0, 0, nk ? 1 : g->n}};
  g->l2_kb = k->bench ? 1024 : 4;
  g->constant = g->grow = true;
  memcpy(kc_params(k, sizeof *g), g, sizeof *g);
  kc_name(k, "%lldx%lldx%lld%s, %d micro-operations", (long long)g->m, (long long)g->n, (long long)g->k,
          g->n_batch ? ", batches" : "", g->epi.n);
}

/* Up to three micro-operations; at most one takes the residual. */
static void draw_epi(kc *k, whet_epi_f32 *e) {
  for (int n = (int)kc_range(k, 0, 3); e->n < n; e->n++) {
    static const uint8_t ops[] = {WHET_MICRO_ADD, WHET_MICRO_MUL, WHET_MICRO_CLAMP};
    int i = e->n, op = ops[kc_range(k, e->res ? 2 : 0, 2)];
    e->op[i] = (uint8_t)op;
    if (op != WHET_MICRO_CLAMP) e->res = 1;
    e->a[i] = kc_chance(k, 50) ? 0 : kc_f32(k) - 1;
    e->b[i] = kc_chance(k, 50) ? INFINITY : e->a[i] + 1;
  }
}

static void draw(kc *k) {
  state *s = k->state;
  whet_gemm_f32 *g = &s->g;
  g->m = kc_size(k, 90);
  g->n = kc_size(k, 200);
  g->k = kc_chance(k, 3) ? 0 : kc_size(k, 150);
  if (kc_chance(k, 10)) g->k += 1000, g->n = kc_size(k, 20), g->m = kc_size(k, 20);
  draw_epi(k, &g->epi);
  g->lda = g->k + (kc_chance(k, 50) ? 0 : kc_range(k, 0, 40));
  if (kc_chance(k, 10)) g->lda = whet__ceil_div(g->k + 1, 512) * 512;
  g->ldc = g->n + (kc_chance(k, 50) ? 0 : kc_range(k, 0, 9));
  g->ldr = g->n + (kc_chance(k, 50) ? 0 : kc_range(k, 0, 9));
  int64_t a = g->m * g->lda, b = 1, c = g->m * g->ldc, res = g->m * g->ldr;
  g->n_batch = kc_chance(k, 70) ? 0 : (int32_t)kc_range(k, 1, 3);
  for (int32_t i = g->n_batch - 1; i >= 0; i--) {
    int64_t n = g->batch[i] = kc_range(k, 1, 4);
    if (kc_chance(k, 70)) g->a_step[i] = a, a *= n;
    if (kc_chance(k, 70)) g->b_step[i] = b, b *= n;
    if (kc_chance(k, 70)) g->res_step[i] = res, res *= n;
    g->c_step[i] = c;
    c *= n;
  }
  arguments(k, s, b, kc_chance(k, 60), kc_chance(k, 50));
}

static void pack(kc *k, const whet_kern *row) {
  state *s = k->state;
  s->pack.form = row->form;
  void *dst = kc_pack_bytes(k, s->packed, whet__pack_f32_bytes(&s->pack));
  const void *src[2] = {s->b, s->bias};
  for (int part = 0; part < 3; part++) whet__pack_f32(&s->pack, src, dst, part, 3);
}

/* The micro-operations on one value. */
static float epilogue(const whet_epi_f32 *e, float v, float res) {
  for (int i = 0; i < e->n; i++) {
    if (e->op[i] == WHET_MICRO_ADD) v += res;
    if (e->op[i] == WHET_MICRO_MUL) v *= res;
    if (e->op[i] == WHET_MICRO_CLAMP && v > e->b[i]) v = e->b[i];
    if (e->op[i] == WHET_MICRO_CLAMP && v < e->a[i]) v = e->a[i];
  }
  return v;
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_gemm_f32 *g = &s->g;
  const whet_pack_f32 *p = &s->pack;
  int64_t count = 1;
  for (int32_t i = 0; i < g->n_batch; i++) count *= g->batch[i];
  for (int64_t at = 0; at < count; at++) {
    int64_t a = 0, b = 0, c = 0, res = 0, left = at;
    for (int32_t i = g->n_batch - 1; i >= 0; left /= g->batch[i--]) {
      int64_t x = left % g->batch[i];
      a += x * g->a_step[i], b += x * g->b_step[i], c += x * g->c_step[i], res += x * g->res_step[i];
    }
    for (int64_t i = 0; i < g->m && !k->failures; i++)
      for (int64_t j = 0; j < g->n; j++) {
        float v = s->bias ? s->bias[b * g->n + j] : 0;
        kc_sum of = {.size = fabs((double)v)};
        double times = 1;
        for (int64_t x = 0; x < g->k; x++) {
          float l = kc_factor(k, s->a[a + i * g->lda + x]);
          float r = kc_factor(k, s->b[b * p->group_step + j * p->n_step + x * p->k_step[3]]);
          v = fmaf(l, r, v);
          kc_add(&of, l, r);
        }
        float by = s->res ? s->res[res + i * g->ldr + j] : 0;
        for (int e = 0; e < g->epi.n; e++)
          if (g->epi.op[e] == WHET_MICRO_MUL) times *= fabs((double)by);
        kc_want_sum(k, 1, c + i * g->ldc + j, epilogue(&g->epi, v, by), &of, times);
      }
  }
}

static const struct shape {
  const char *what;
  int64_t m, n, k;
} shapes[] = {{"resnet50 56 64->256", 3136, 256, 64},
              {"resnet50 56 256->64", 3136, 64, 256},
              {"resnet50 28 128->512", 784, 512, 128},
              {"resnet50 28 512->128", 784, 128, 512},
              {"resnet50 14 1024->256", 196, 256, 1024},
              {"resnet50 14 256->1024", 196, 1024, 256},
              {"resnet50 7 512->2048", 49, 2048, 512},
              {"resnet50 7 2048->512", 49, 512, 2048},
              {"mobilenet 112 32->16", 12544, 16, 32},
              {"mobilenet 112 16->96", 12544, 96, 16},
              {"mobilenet 56 24->144", 3136, 144, 24},
              {"mobilenet 56 144->24", 3136, 24, 144},
              {"mobilenet 28 32->192", 784, 192, 32},
              {"mobilenet 14 96->576", 196, 576, 96},
              {"mobilenet 14 576->96", 196, 96, 576},
              {"mobilenet 7 160->960", 49, 960, 160},
              {"mobilenet 7 960->160", 49, 160, 960},
              {"mobilenet 7 320->1280", 49, 1280, 320},
              {"vit qkv", 197, 576, 192},
              {"vit fc1", 197, 768, 192},
              {"vit fc2", 197, 192, 768},
              {"bert fc1", 128, 3072, 768},
              {"square 512", 512, 512, 512},
              {"square 1024", 1024, 1024, 1024},
              {"fc 512->1000", 1, 1000, 512},
              {"fc 1280->1000", 1, 1000, 1280},
              {"fc 4096->4096", 1, 4096, 4096}};

static void bench(kc *k, int i) {
  state *s = k->state;
  whet_gemm_f32 *g = &s->g;
  g->m = shapes[i].m, g->n = g->ldc = g->ldr = shapes[i].n, g->k = g->lda = shapes[i].k;
  arguments(k, s, 1, true, true);
  k->ops = 2.0 * (double)g->m * (double)g->n * (double)g->k;
  if (g->m == 1) k->bytes = 4.0 * (double)(g->n * g->k);
  kc_name(k, "%s (%lldx%lldx%lld)", shapes[i].what, (long long)g->m, (long long)g->n, (long long)g->k);
}

static const kc_test test = {.family = WHET_FAMILY_gemm_f32,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_SPECIAL | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .pack = pack,
                             .check = check,
                             .n_bench = (int)WHET_COUNT(shapes),
                             .bench = bench};
KC_MAIN(test)
