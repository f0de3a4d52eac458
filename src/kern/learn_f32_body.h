/* SPDX-License-Identifier: Apache-2.0 */
/* Family learn_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS. */

#include "kern/learn_f32.h"

#include "kern/row_name.h"

static inline vf load(const float *p, int64_t w) { return w == VW ? vf_load(p) : vf_load_n(p, w); }
static inline void store(float *p, vf v, int64_t w) {
  if (w == VW)
    vf_store(p, v);
  else
    vf_store_n(p, v, w);
}

/* What has decayed below 6e-38 becomes 0: moments of weights that learn nothing any more would end as subnormal numbers, which are
 * many times slower. Numbers above 1e-22 stay as they are. */
static inline vf normal(vf x) {
  const vf k = vf_set(1e-30f);
  return vf_sub(vf_add(x, k), k);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_learn_f32 *p = params;
  float *x = ptr[0], *m = ptr[3], *v = ptr[4];
  const float *g = ptr[1], *hyper = ptr[2];
  const vf rate = vf_set(hyper[0]), a = vf_set(p->a), decay = vf_set(p->decay);
  int64_t from, to;
  whet__split(whet__ceil_div(p->n, 64), part, parts, &from, &to);
  to = whet__min_i(to * 64, p->n);
  if (p->kind == WHET_LEARN_SGD) {
    for (int64_t i = from * 64; i < to; i += VW) {
      int64_t w = whet__min_i(VW, to - i);
      vf x0 = load(x + i, w), g0 = vf_fma(decay, x0, load(g + i, w));
      vf m0 = vf_fma(a, load(m + i, w), g0), d = p->nesterov ? vf_fma(a, m0, g0) : m0;
      m0 = normal(m0);
      store(m + i, m0, w);
      store(x + i, vf_fnma(rate, d, x0), w);
    }
    return;
  }
  const vf b = vf_set(p->b), a1 = vf_set(1 - p->a), b1 = vf_set(1 - p->b), e = vf_set(p->epsilon);
  const vf c1 = vf_set(hyper[1]), c2 = vf_set(hyper[2]), none = vf_set(0);
  for (int64_t i = from * 64; i < to; i += VW) {
    int64_t w = whet__min_i(VW, to - i);
    vf x0 = load(x + i, w), g0 = load(g + i, w);
    if (!p->decoupled) g0 = vf_fma(decay, x0, g0);
    vf m0 = normal(vf_fma(a, load(m + i, w), vf_mul(a1, g0)));
    vf v0 = normal(vf_fma(b, load(v + i, w), vf_mul(b1, vf_mul(g0, g0))));
    vf d = vf_div(vf_mul(m0, c1), vf_add(vf_sqrt(vf_mul(v0, c2)), e));
    d = vf_fma(p->decoupled ? decay : none, x0, d);
    store(m + i, m0, w);
    store(v + i, v0, w);
    store(x + i, vf_fnma(rate, WHET_BUG(1) ? m0 : d, x0), w);
  }
}

WHET_ROW(learn_f32);
