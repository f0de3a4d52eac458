/* SPDX-License-Identifier: Apache-2.0 */
/* Family reduce_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS. */

#include "kern/reduce_f32.h"

#include "kern/lanes.h"
#include "kern/row_name.h"
#include "kern/vmath.h"

static inline vf take_sum(vf s, vf v) { return vf_add(s, v); }
static inline vf take_prod(vf s, vf v) { return vf_mul(s, v); }
static inline vf take_abs(vf s, vf v) { return vf_add(s, vf_abs(v)); }
static inline vf take_square(vf s, vf v) { return vf_fma(v, v, s); }
static inline vf take_max(vf s, vf v) { return vf_max_nan(s, v); }
static inline vf take_min(vf s, vf v) { return vf_min_nan(s, v); }

/* NAME_row: n neighbours in 16 lanes and their tree. NAME_rows: four such rows, `apart` from each other, side by
 * side, so that their chains overlap. NAME_columns: up to four vectors of columns, n rows `inner` apart. */
#define REDUCE(NAME, TAKE, FIRST, FOLD)                                                                             \
  static float NAME##_row(const float *x, int64_t n) {                                                              \
    lanes s = lanes_set(FIRST);                                                                                     \
    int64_t i = 0;                                                                                                  \
    for (; i + 16 <= n; i += 16) LANES_EACH(s, k, TAKE(s.v[k], vf_load(x + i + k * VW)));                           \
    if (i < n) {                                                                                                    \
      lanes v = lanes_load_n(x + i, n - i, FIRST);                                                                  \
      LANES_EACH(s, k, vf_sel(vm_first(whet__clamp_i(n - i - k * VW, 0, VW)), TAKE(s.v[k], v.v[k]), s.v[k]));       \
    }                                                                                                               \
    return FOLD(s);                                                                                                 \
  }                                                                                                                 \
  static void NAME##_rows(float *y, const float *x, int64_t n, int64_t apart) {                                     \
    lanes s[4];                                                                                                     \
    int64_t whole = n / 16 * 16;                                                                                    \
    for (int r = 0; r < 4; r++) s[r] = lanes_set(FIRST);                                                            \
    for (int64_t i = 0; i < whole; i += 16)                                                                         \
      for (int r = 0; r < 4; r++) LANES_EACH(s[r], k, TAKE(s[r].v[k], vf_load(x + r * apart + i + k * VW)));        \
    for (int r = 0; r < 4; r++) {                                                                                   \
      if (whole < n) {                                                                                              \
        lanes v = lanes_load_n(x + r * apart + whole, n - whole, FIRST);                                            \
        LANES_EACH(s[r], k,                                                                                         \
                   vf_sel(vm_first(whet__clamp_i(n - whole - k * VW, 0, VW)), TAKE(s[r].v[k], v.v[k]), s[r].v[k])); \
      }                                                                                                             \
      y[r] = FOLD(s[r]);                                                                                            \
    }                                                                                                               \
  }                                                                                                                 \
  static void NAME##_columns(float *y, const float *x, int64_t n, int64_t inner, int64_t w) {                       \
    vf s[4];                                                                                                        \
    for (int r = 0; r < 4; r++) s[r] = vf_set(FIRST);                                                               \
    if (w == 4 * VW) {                                                                                              \
      for (int64_t i = 0; i < n; i++)                                                                               \
        for (int r = 0; r < 4; r++) s[r] = TAKE(s[r], vf_load(x + i * inner + r * VW));                             \
      for (int r = 0; r < 4; r++) vf_store(y + r * VW, s[r]);                                                       \
      return;                                                                                                       \
    }                                                                                                               \
    for (int64_t c = 0; c < w; c += VW) {                                                                           \
      int64_t m = whet__min_i(VW, w - c);                                                                           \
      vf a = vf_set(FIRST);                                                                                         \
      for (int64_t i = 0; i < n; i++) a = TAKE(a, vf_load_n(x + i * inner + c, m));                                 \
      vf_store_n(y + c, a, m);                                                                                      \
    }                                                                                                               \
  }
REDUCE(sum, take_sum, 0, lanes_sum)
REDUCE(prod, take_prod, 1, lanes_prod)
REDUCE(abs, take_abs, 0, lanes_sum)
REDUCE(square, take_square, 0, lanes_sum)
REDUCE(max, take_max, -INFINITY, lanes_max)
REDUCE(min, take_min, INFINITY, lanes_min)

struct kind {
  float (*row)(const float *x, int64_t n);
  void (*rows)(float *y, const float *x, int64_t n, int64_t apart);
  void (*columns)(float *y, const float *x, int64_t n, int64_t inner, int64_t w);
};
#define KIND(name) \
  { name##_row, name##_rows, name##_columns }
static const struct kind k_kinds[WHET_RED_COUNT] = {
    [WHET_RED_SUM] = KIND(sum),   [WHET_RED_MEAN] = KIND(sum),          [WHET_RED_MAX] = KIND(max),
    [WHET_RED_MIN] = KIND(min),   [WHET_RED_PROD] = KIND(prod),         [WHET_RED_L1] = KIND(abs),
    [WHET_RED_L2] = KIND(square), [WHET_RED_SUM_SQUARE] = KIND(square), [WHET_RED_LOG_SUM] = KIND(sum)};

/* What is done to m sums at the end. */
static void finish(const whet_reduce_f32 *p, float *y, int64_t m) {
  const vf share = vf_set(1 / (float)p->n);
  if (p->fn != WHET_RED_MEAN && p->fn != WHET_RED_L2 && p->fn != WHET_RED_LOG_SUM) return;
  for (int64_t i = 0; i < m; i += VW) {
    int64_t w = whet__min_i(VW, m - i);
    vf v = vf_load_n(y + i, w);
    v = p->fn == WHET_RED_MEAN ? vf_mul(v, share) : p->fn == WHET_RED_L2 ? vf_sqrt(v) : vf_log(v);
    vf_store_n(y + i, v, w);
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_reduce_f32 *p = params;
  const struct kind *k = &k_kinds[p->fn];
  const float *x = ptr[0];
  float *y = ptr[1];
  int64_t from, to, n = p->n - WHET_BUG(1);
  if (p->inner == 1) {
    whet__split(p->outer, part, parts, &from, &to);
    int64_t o = from;
    for (; o + 4 <= to; o += 4) k->rows(y + o, x + o * p->n, n, p->n);
    for (; o < to; o++) y[o] = k->row(x + o * p->n, n);
    finish(p, y + from, to - from);
    return;
  }
  int64_t wide = 4 * VW, blocks = whet__ceil_div(p->inner, wide);
  whet__split(p->outer * blocks, part, parts, &from, &to);
  for (int64_t i = from; i < to; i++) {
    int64_t o = i / blocks, c = i % blocks * wide, w = whet__min_i(wide, p->inner - c);
    k->columns(y + o * p->inner + c, x + o * p->n * p->inner + c, n, p->inner, w);
    finish(p, y + o * p->inner + c, w);
  }
}

WHET_ROW(reduce_f32);
