/* SPDX-License-Identifier: Apache-2.0 */
/* Family bnorm_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS. */

#include "kern/bnorm_f32.h"

#include <math.h>

#include "kern/row_name.h"

static inline vf load(const float *p, int64_t w) { return w == VW ? vf_load(p) : vf_load_n(p, w); }
static inline void store(float *p, vf v, int64_t w) {
  if (w == VW)
    vf_store(p, v);
  else
    vf_store_n(p, v, w);
}

static void sums(const whet_bnorm_f32 *p, void *const *ptr, int64_t shard) {
  const float *x = ptr[0], *g = ptr[2], *mean = ptr[3], *inv = ptr[4];
  float *to = (float *)ptr[1] + shard * 2 * p->chan;
  int64_t from, end;
  whet__split(p->rows, (int)shard, WHET_BNORM_SHARDS, &from, &end);
  for (int64_t c = 0; c < p->chan; c += VW) {
    int64_t w = whet__min_i(VW, p->chan - c);
    vf a = vf_set(0), b = a;
    if (p->kind & WHET_BNORM_BACK) {
      vf m = load(mean + c, w), i = load(inv + c, w);
      for (int64_t r = from; r < end; r++) {
        vf d = load(g + r * p->chan + c, w), h = vf_mul(vf_sub(load(x + r * p->chan + c, w), m), i);
        a = vf_add(a, d);
        b = vf_fma(d, h, b);
      }
    } else {
      vf x0 = load(x + c, w);
      for (int64_t r = from; r < end - WHET_BUG(1); r++) {
        vf d = vf_sub(load(x + r * p->chan + c, w), x0);
        a = vf_add(a, d);
        b = vf_fma(d, d, b);
      }
    }
    store(to + c, a, w);
    store(to + p->chan + c, b, w);
  }
}

/* Shards of channels c .. c + w added; which: 0 or 1. */
static vf total(const whet_bnorm_f32 *p, const float *part, int which, int64_t c, int64_t w) {
  vf t[WHET_BNORM_SHARDS];
  for (int s = 0; s < WHET_BNORM_SHARDS; s++) t[s] = load(part + (2 * s + which) * p->chan + c, w);
  for (int half = WHET_BNORM_SHARDS / 2; half; half /= 2)
    for (int s = 0; s < half; s++) t[s] = vf_add(t[s], t[s + half]);
  return t[0];
}

static void forward(const whet_bnorm_f32 *p, void *const *ptr, int part, int parts, float *s) {
  const float *x = ptr[0], *scale = ptr[2], *bias = ptr[3];
  float *y = ptr[4], *mean = s, *k = s + p->chan, share = 1 / (float)p->rows;
  for (int64_t c = 0; c < p->chan; c += VW) {
    int64_t w = whet__min_i(VW, p->chan - c);
    vf d = vf_mul(total(p, ptr[1], 0, c, w), vf_set(share)), q = vf_mul(total(p, ptr[1], 1, c, w), vf_set(share));
    vf var = vf_max(vf_fnma(d, d, q), vf_set(0)), m = vf_add(load(x + c, w), d);
    vf i = vf_div(vf_set(1), vf_sqrt(vf_add(var, vf_set(p->epsilon))));
    store(mean + c, m, w);
    store(k + c, vf_mul(i, load(scale + c, w)), w);
    if (part) continue;
    store((float *)ptr[5] + c, m, w);
    store((float *)ptr[6] + c, i, w);
  }
  int64_t from, to;
  whet__split(p->rows, part, parts, &from, &to);
  for (int64_t r = from; r < to; r++)
    for (int64_t c = 0; c < p->chan; c += VW) {
      int64_t w = whet__min_i(VW, p->chan - c), o = r * p->chan + c;
      store(y + o, vf_fma(vf_sub(load(x + o, w), load(mean + c, w)), load(k + c, w), load(bias + c, w)), w);
    }
}

static void back(const whet_bnorm_f32 *p, void *const *ptr, int part, int parts, float *s) {
  const float *x = ptr[0], *g = ptr[2], *mean = ptr[3], *inv = ptr[4], *scale = ptr[5];
  float *dx = ptr[6], *gm = s, *hm = s + p->chan, *k = s + 2 * p->chan, share = 1 / (float)p->rows;
  for (int64_t c = 0; c < p->chan; c += VW) {
    int64_t w = whet__min_i(VW, p->chan - c);
    vf sg = total(p, ptr[1], 0, c, w), sh = total(p, ptr[1], 1, c, w);
    store(gm + c, vf_mul(sg, vf_set(share)), w);
    store(hm + c, vf_mul(sh, vf_set(share)), w);
    store(k + c, vf_mul(load(inv + c, w), load(scale + c, w)), w);
    if (!part && ptr[7]) store((float *)ptr[7] + c, sh, w);
    if (!part && ptr[8]) store((float *)ptr[8] + c, sg, w);
  }
  int64_t from, to;
  whet__split(p->rows, part, parts, &from, &to);
  for (int64_t r = from; dx && r < to; r++)
    for (int64_t c = 0; c < p->chan; c += VW) {
      int64_t w = whet__min_i(VW, p->chan - c), o = r * p->chan + c;
      vf h = vf_mul(vf_sub(load(x + o, w), load(mean + c, w)), load(inv + c, w));
      vf d = vf_fnma(h, load(hm + c, w), vf_sub(load(g + o, w), load(gm + c, w)));
      store(dx + o, vf_mul(load(k + c, w), d), w);
    }
}

static size_t scratch(const void *params) {
  const whet_bnorm_f32 *p = params;
  return (size_t)p->chan * 4 * sizeof(float);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_bnorm_f32 *p = params;
  int64_t from, to;
  if (p->kind & WHET_BNORM_SUMS) {
    whet__split(WHET_BNORM_SHARDS, part, parts, &from, &to);
    for (int64_t s = from; s < to; s++) sums(p, ptr, s);
    return;
  }
  bool backward = (p->kind & WHET_BNORM_BACK) != 0;
  float *s = ptr[backward ? 9 : 7];
  if (backward)
    back(p, ptr, part, parts, s);
  else
    forward(p, ptr, part, parts, s);
}

WHET_ROW_SCRATCH(bnorm_f32);
