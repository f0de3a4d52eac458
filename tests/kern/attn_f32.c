/* SPDX-License-Identifier: Apache-2.0 */
/* Family attn_f32 against its formula in double. */

#include "kern/attn_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_attn_f32 p;
  const float *q, *k, *v;
  const void *mask, *lens;
} state;

/* Floats of an operand of `heads` heads, `rows` rows of `width`, and its steps: heads outside of rows or inside. */
static int64_t steps(kc *k, int64_t *step, int64_t batch, int64_t heads, int64_t rows, int64_t width) {
  int64_t pad = kc_chance(k, 70) ? 0 : kc_range(k, 1, 9);
  if (k->bench || kc_chance(k, 50)) {
    step[1] = width;
    step[2] = heads * width + pad;
    step[0] = rows * step[2];
    return (batch - 1) * step[0] + (rows - 1) * step[2] + heads * width;
  }
  step[2] = width + pad;
  step[1] = rows * step[2];
  step[0] = heads * step[1];
  return (batch - 1) * step[0] + (heads - 1) * step[1] + (rows - 1) * step[2] + width;
}

/* The arguments for the parameters that draw or bench chose. */
static void arguments(kc *k, state *s) {
  whet_attn_f32 *p = &s->p;
  s->q = kc_in(k, WHET_F32, steps(k, p->q, p->batch, p->heads, p->m, p->d));
  s->k = kc_in(k, WHET_F32, steps(k, p->k, p->batch, p->kv_heads, p->n, p->d));
  s->v = kc_in(k, WHET_F32, steps(k, p->v, p->batch, p->kv_heads, p->n, p->dv));
  kc_out(k, WHET_F32, steps(k, p->y, p->batch, p->heads, p->m, p->dv));
  if (p->mask_kind) {
    p->mask_n = kc_chance(k, 80) ? p->n : kc_range(k, 1, p->n);
    int64_t size = p->mask_n;
    if (kc_chance(k, 70)) p->mask[2] = size, size *= p->m;
    if (kc_chance(k, 40)) p->mask[1] = size, size *= p->heads;
    if (kc_chance(k, 40)) p->mask[0] = size, size *= p->batch;
    float *f = kc_mem(k, (size_t)size * 4);
    uint8_t *b = kc_mem(k, (size_t)size);
    for (int64_t i = 0; i < size; i++) b[i] = kc_chance(k, 70), f[i] = b[i] ? kc_f32(k) : -INFINITY;
    s->mask = p->mask_kind == WHET_ATTN_ADD ? kc_given(k, WHET_F32, size, f) : kc_given(k, WHET_U8, size, b);
  } else {
    kc_absent(k);
  }
  if (p->lens) {
    int64_t lens[8];
    int32_t few[8];
    for (int64_t b = 0; b < p->batch; b++) few[b] = (int32_t)(lens[b] = kc_range(k, -1, p->n + 1));
    s->lens = p->lens == 8 ? kc_given(k, WHET_S64, p->batch, lens) : kc_given(k, WHET_S32, p->batch, few);
  } else {
    kc_absent(k);
  }
  memcpy(kc_params(k, sizeof *p), p, sizeof *p);
}

static void draw(kc *k) {
  state *s = k->state;
  whet_attn_f32 *p = &s->p;
  bool far = kc_chance(k, 20);
  *p = (whet_attn_f32){.batch = kc_range(k, 1, 3),
                       .kv_heads = kc_range(k, 1, 3),
                       .m = kc_size(k, far ? 20 : 70),
                       .n = kc_size(k, far ? 700 : 90),
                       .d = kc_size(k, 40),
                       .dv = kc_size(k, 70),
                       .left = INT64_MAX,
                       .right = INT64_MAX,
                       .nan = kc_chance(k, 30),
                       .advance = kc_chance(k, 80)};
  p->heads = p->kv_heads * kc_range(k, 1, 3);
  p->scale = kc_chance(k, 50) ? 1 / sqrtf((float)p->d) : 0.1f + fabsf(kc_f32(k));
  if (kc_chance(k, 20)) p->cap = 0.5f + fabsf(kc_f32(k));
  if (kc_chance(k, 40)) p->right = kc_chance(k, 60) ? 0 : kc_range(k, 0, 40);
  if (kc_chance(k, 20)) p->left = kc_range(k, 0, 40);
  if (kc_chance(k, 50)) p->offset = kc_range(k, -10, p->n);
  p->mask_kind = (uint8_t)(kc_chance(k, 50) ? 0 : kc_range(k, 1, 2));
  if (kc_chance(k, 20)) p->lens = kc_chance(k, 50) ? 4 : 8, p->lens_offset = kc_chance(k, 50);
  arguments(k, s);
  kc_name(k, "%lldx%lld/%lld heads, %lld rows, %lld keys, %lld and %lld wide%s%s%s%s", (long long)p->batch,
          (long long)p->heads, (long long)p->kv_heads, (long long)p->m, (long long)p->n, (long long)p->d,
          (long long)p->dv, p->cap > 0 ? ", capped" : "", p->mask_kind ? ", mask" : "", p->lens ? ", lengths" : "",
          p->right != INT64_MAX || p->left != INT64_MAX ? ", window" : "");
}

/* The number of keys of batch b, and whether row i sees key j; *bias: what the mask adds. */
static int64_t length(const state *s, int64_t b) {
  if (!s->p.lens) return s->p.n;
  return s->p.lens == 4 ? ((const int32_t *)s->lens)[b] : ((const int64_t *)s->lens)[b];
}
static bool sees(const state *s, int64_t b, int64_t h, int64_t i, int64_t j, double *bias) {
  const whet_attn_f32 *p = &s->p;
  int64_t len = length(s, b) < 0 ? 0 : length(s, b), at = (p->lens_offset ? len - p->offset : p->offset) + p->advance * i;
  *bias = 0;
  if (j >= len || (p->right != INT64_MAX && j > at + p->right) || (p->left != INT64_MAX && j < at - p->left)) return false;
  if (!p->mask_kind) return true;
  int64_t x = b * p->mask[0] + h * p->mask[1] + i * p->mask[2] + j;
  if (j >= p->mask_n) return false;
  if (p->mask_kind == WHET_ATTN_BOOL) return ((const uint8_t *)s->mask)[x] != 0;
  *bias = (double)((const float *)s->mask)[x];
  return *bias != -(double)INFINITY;
}

/* One row of results. */
static void check_row(kc *k, int64_t b, int64_t h, int64_t i) {
  const state *s = k->state;
  const whet_attn_f32 *p = &s->p;
  const float *q = s->q + b * p->q[0] + h * p->q[1] + i * p->q[2];
  int64_t g = h / (p->heads / p->kv_heads), y = b * p->y[0] + h * p->y[1] + i * p->y[2];
  double *e = kc_mem(k, (size_t)p->n * sizeof *e), most = -INFINITY, sum = 0, size = 0, bias;
  for (int64_t j = 0; j < p->n; j++) {
    const float *key = s->k + b * p->k[0] + g * p->k[1] + j * p->k[2];
    double dot = 0, mass = 0;
    for (int64_t x = 0; x < p->d; x++) dot += (double)q[x] * (double)key[x], mass += fabs((double)q[x] * (double)key[x]);
    dot *= (double)p->scale;
    if (p->cap > 0) dot = (double)p->cap * tanh(dot / (double)p->cap);
    bool seen = sees(s, b, h, i, j, &bias);
    e[j] = seen ? dot + bias : -INFINITY;
    if (seen) size = fmax(size, (mass * (double)p->scale * (double)p->d + fabs(e[j]) * 8));
    most = fmax(most, e[j]);
  }
  for (int64_t j = 0; j < p->n; j++) sum += e[j] = isinf(e[j]) ? 0 : exp(e[j] - most);
  for (int64_t x = 0; x < p->dv; x++) {
    double want = 0, mass = 0;
    for (int64_t j = 0; j < p->n; j++) {
      double v = (double)s->v[b * p->v[0] + g * p->v[1] + j * p->v[2] + x];
      want += e[j] * v, mass += e[j] * fabs(v);
    }
    /* Rounding of scores moves every e; then one rounding for each key in the sums, at most. */
    double tol = sum > 0 ? mass / sum * ldexp(4 * size + 2 * (double)p->n + 40, -24) + 1e-30 : 0;
    kc_want(k, 3, y + x, sum > 0 ? want / sum : p->nan ? NAN : 0, tol);
  }
}

static void check(kc *k) {
  const whet_attn_f32 *p = &((const state *)k->state)->p;
  for (int64_t b = 0; b < p->batch; b++)
    for (int64_t h = 0; h < p->heads; h++)
      for (int64_t i = 0; i < p->m && !k->failures; i++) check_row(k, b, h, i);
}

static void bench(kc *k, int i) {
  static const struct {
    const char *what;
    int64_t heads, m, n, d;
    bool causal;
  } sizes[] = {{"vit tiny", 3, 197, 197, 64, false},
               {"bert", 12, 128, 128, 64, false},
               {"long", 4, 1024, 1024, 64, false},
               {"long, causal", 4, 1024, 1024, 64, true},
               {"one step", 8, 1, 1024, 128, true}};
  state *s = k->state;
  whet_attn_f32 *p = &s->p;
  *p = (whet_attn_f32){.batch = 1,
                       .heads = sizes[i].heads,
                       .kv_heads = sizes[i].heads,
                       .m = sizes[i].m,
                       .n = sizes[i].n,
                       .d = sizes[i].d,
                       .dv = sizes[i].d,
                       .left = INT64_MAX,
                       .right = sizes[i].causal ? 0 : INT64_MAX,
                       .offset = sizes[i].n - sizes[i].m,
                       .scale = 0.125f,
                       .advance = 1};
  arguments(k, s);
  k->ops = 4.0 * (double)(p->heads * p->m * p->n * p->d) / (sizes[i].causal && p->m > 1 ? 2 : 1);
  kc_name(k, "%s (%lldx%lldx%lldx%lld)", sizes[i].what, (long long)p->heads, (long long)p->m, (long long)p->n,
          (long long)p->d);
}

static const kc_test test = {.family = WHET_FAMILY_attn_f32,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .check = check,
                             .n_bench = 5,
                             .bench = bench};
KC_MAIN(test)
