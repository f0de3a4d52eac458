/* SPDX-License-Identifier: Apache-2.0 */
/* Family sums_f32 against its formula, with a clamp and a residual after it or not. */

#include "kern/sums_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_sums_f32 p;
  const int32_t *sum, *zero, *weights;
  const float *scale, *w_scale, *bias, *res;
} state;

/* The arguments of s->p; `all`: none is left out. */
static void arguments(kc *k, state *s, bool all) {
  const whet_sums_f32 *p = &s->p;
  int64_t groups = (p->rows + p->group - 1) / p->group;
  s->zero = s->weights = NULL;
  s->w_scale = s->bias = s->res = NULL;
  s->sum = kc_in(k, WHET_S32, p->rows * p->n);
  kc_out(k, WHET_F32, (p->rows - 1) * p->y_pitch + p->n);
  s->scale = kc_in(k, WHET_F32, groups);
  if (all || kc_chance(k, 60)) {
    s->zero = kc_in(k, WHET_S32, groups);
    s->weights = kc_in(k, WHET_S32, p->n);
  } else {
    kc_absent(k);
    kc_absent(k);
  }
  if (all || kc_chance(k, 60))
    s->w_scale = kc_in(k, WHET_F32, p->n);
  else
    kc_absent(k);
  if (all || kc_chance(k, 60))
    s->bias = kc_in(k, WHET_F32, p->n);
  else
    kc_absent(k);
  if (p->epi.res)
    s->res = kc_in(k, WHET_F32, p->rows * p->res_pitch);
  else
    kc_absent(k);
}

static void draw(kc *k) {
  state *s = k->state;
  whet_sums_f32 *p = &s->p;
  *p = (whet_sums_f32){.rows = kc_size(k, 40), .n = kc_size(k, 100), .group = kc_range(k, 1, 12)};
  p->res_pitch = p->n + kc_range(k, 0, 5);
  p->y_pitch = p->n + (kc_chance(k, 70) ? 0 : kc_range(k, 1, 9));
  if (kc_chance(k, 40)) p->epi.op[p->epi.n++] = WHET_MICRO_ADD, p->epi.res = 1;
  if (kc_chance(k, 40)) p->epi.op[p->epi.n] = WHET_MICRO_CLAMP, p->epi.a[p->epi.n] = -1, p->epi.b[p->epi.n++] = 6;
  memcpy(kc_params(k, sizeof *p), p, sizeof *p);
  arguments(k, s, false);
  kc_name(k, "%lld x %lld, scales of %lld rows, %d after", (long long)p->rows, (long long)p->n, (long long)p->group,
          p->epi.n);
}

static void check(kc *k) {
  const state *s = k->state;
  for (int64_t r = 0; r < s->p.rows; r++)
    for (int64_t c = 0; c < s->p.n; c++) {
      int64_t g = r / s->p.group;
      uint32_t sum = (uint32_t)s->sum[r * s->p.n + c];
      if (s->zero) sum -= (uint32_t)s->zero[g] * (uint32_t)s->weights[c];
      volatile float scale = s->w_scale ? s->scale[g] * s->w_scale[c] : s->scale[g];
      volatile float v = (float)(int32_t)sum * scale;
      if (s->bias) v = v + s->bias[c];
      for (int i = 0; i < s->p.epi.n; i++)
        v = s->p.epi.op[i] == WHET_MICRO_ADD ? v + s->res[r * s->p.res_pitch + c] : fmaxf(-1, fminf(v, 6));
      kc_want_f32(k, 1, r * s->p.y_pitch + c, v);
    }
}

static void bench(kc *k, int i) {
  state s = {.p = {.rows = 196, .n = 256, .group = 196, .y_pitch = 256, .res_pitch = 256}};
  memcpy(kc_params(k, sizeof s.p), &s.p, sizeof s.p);
  arguments(k, &s, true);
  k->bytes = 8.0 * 196 * 256;
  kc_name(k, "196 x 256");
}

static const kc_test test = {.family = WHET_FAMILY_sums_f32,
                             .state_bytes = sizeof(state),
                             .draw = draw,
                             .check = check,
                             .n_bench = 1,
                             .bench = bench};
KC_MAIN(test)
