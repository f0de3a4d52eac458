/* SPDX-License-Identifier: Apache-2.0 */
/* Family attn_f32, over the vector layer that the including file has chosen; it defines ISA, ISA_BITS, TILES and
 * FORM. */

#include "kern/attn_f32.h"

#include "kern/lanes.h"
#include "kern/row_name.h"
#include "kern/vmath.h"

#define LOG2_E 0x1.715476p0f /* e^x = 2^(x LOG2_E) */

/* VW keys (the first w of them are there) from element k on, turned into VW rows of a panel `width` wide. */
static inline void turn(float *to, int64_t width, const float *from, int64_t ld, int64_t w, int64_t d) {
  if (w >= VW && d >= VW) {
    vf_turn(from, ld, to, width);
    return;
  }
  float t[VW * VW], u[VW * VW];
  for (int i = 0; i < VW; i++) vf_store(t + i * VW, i < w ? vf_load_n(from + i * ld, whet__min_i(d, VW)) : vf_set(0));
  vf_turn(t, VW, u, VW);
  for (int i = 0; i < VW && i < d; i++) vf_store(to + i * width, vf_load(u + i * VW));
}

static void pack_keys(const whet_tiles_f32 *tiles, float *to, const float *k, int64_t ld, int64_t n, int64_t d) {
  int64_t vec = whet__panel_vec(tiles->form), pad = whet__panel_pad(tiles->form, n);
  memset(to, 0, (size_t)pad * sizeof *to);
  to += pad;
  for (int64_t c = 0; c < pad;) {
    int64_t width = vec * whet__panel_next(tiles->form, (pad - c) / vec);
    for (int64_t j = 0; j < width; j += VW) {
      int64_t w = whet__clamp_i(n - c - j, 0, VW);
      const float *from = w ? k + (c + j) * ld : k;
      for (int64_t e = 0; e < d; e += VW) turn(to + e * width + j, width, from + e, ld, w, d - e);
    }
    to += width * d;
    c += width;
  }
}

/* Scores i .. i + 16 (n of them) as they enter the softmax: scaled, capped, masked. */
static inline lanes finished(const whet_attn_f32 *p, const float *s, const void *mask, int64_t i, int64_t n) {
  lanes v = n >= 16 ? lanes_load(s + i) : lanes_load_n(s + i, n, 0);
  const vf scale = vf_set(p->scale), cap = vf_set(p->cap), hidden = vf_set(-INFINITY);
  LANES_EACH(v, k, vf_mul(v.v[k], scale));
  if (p->cap > 0) LANES_EACH(v, k, vf_mul(cap, vf_tanh(vf_div(v.v[k], cap))));
  if (p->mask_kind == WHET_ATTN_ADD) {
    lanes m = n >= 16 ? lanes_load((const float *)mask + i) : lanes_load_n((const float *)mask + i, n, 0);
    LANES_EACH(v, k, vf_sel(vf_eq(m.v[k], hidden), hidden, vf_add(v.v[k], m.v[k])));
  } else if (p->mask_kind == WHET_ATTN_BOOL) {
    float m[16];
    for (int64_t k = 0; k < 16; k++) m[k] = k < n && ((const uint8_t *)mask)[i + k] ? 0 : -INFINITY;
    lanes l = lanes_load(m);
    LANES_EACH(v, k, vf_sel(vf_eq(l.v[k], hidden), hidden, v.v[k]));
  }
  return v;
}

static float softmax(const whet_attn_f32 *p, float *s, int64_t from, int64_t to, int64_t n, const void *mask,
                     float *m, float *sum) {
  if (from >= to) {
    memset(s, 0, (size_t)n * sizeof *s);
    return 1;
  }
  if (from > 0) memset(s, 0, (size_t)from * sizeof *s);
  if (to < n) memset(s + to, 0, (size_t)(n - to) * sizeof *s);
  s += from;
  n = to - from;
  if (mask) mask = (const char *)mask + (p->mask_kind == WHET_ATTN_ADD ? sizeof(float) : 1) * (size_t)from;
  /* Scores that are only scaled are scaled as they are used; others are written once. */
  bool plain = !p->mask_kind && !(p->cap > 0);
  int64_t whole = n / 16 * 16;
  lanes top = lanes_set(-INFINITY), t = lanes_set(0);
  for (int64_t i = 0; i < n; i += 16) {
    int64_t w = whet__min_i(16, n - i);
    lanes v = !plain ? finished(p, s, mask, i, w) : w == 16 ? lanes_load(s + i) : lanes_load_n(s + i, w, -INFINITY);
    if (!plain) lanes_store_n(s + i, v, w);
    if (!plain && w < 16) v = lanes_load_n(s + i, w, -INFINITY);
    LANES_EACH(top, k, vf_max(v.v[k], top.v[k]));
  }
  float scale = plain ? p->scale : 1, most = lanes_top(top) * scale, before = *m;
  if (most > before) *m = most;
  if (*m == -INFINITY) { /* every key is hidden; but a NaN shows */
    bool nan = false;
    for (int64_t i = 0; i < n; i++) nan |= s[i] != s[i], s[i] = s[i] != s[i] ? s[i] : 0;
    if (nan) *sum = NAN;
    return 1;
  }
  const vf f = vf_set(scale * LOG2_E), minus = vf_set(-*m * LOG2_E);
  for (int64_t i = 0; i < whole; i += 16) {
    lanes e;
    LANES_EACH(e, k, vf_exp2_down(vf_fma(vf_load(s + i + k * VW), f, minus)));
    lanes_store(s + i, e);
    LANES_EACH(t, k, vf_add(t.v[k], e.v[k]));
  }
  if (whole < n) {
    lanes e = lanes_load_n(s + whole, n - whole, 0);
    LANES_EACH(e, k, vf_exp2_down(vf_fma(e.v[k], f, minus)));
    lanes_store_n(s + whole, e, n - whole);
    e = lanes_keep(e, n - whole);
    LANES_EACH(t, k, vf_add(t.v[k], e.v[k]));
  }
  float factor = before == *m;
  if (before != -INFINITY && before != *m) {
    float one[VW];
    vf_store(one, vf_exp2_down(vf_set((before - *m) * LOG2_E)));
    factor = one[0];
  }
  *sum = *sum * factor + lanes_sum(t);
  return factor;
}

static void scale(float *y, int64_t n, float f) {
  const vf by = vf_set(f);
  int64_t i = 0;
  for (; i + VW <= n; i += VW) vf_store(y + i, vf_mul(vf_load(y + i), by));
  if (i < n) vf_store_n(y + i, vf_mul(vf_load_n(y + i, n - i), by), n - i);
}

static const whet_attn_isa k_isa = {&TILES, pack_keys, softmax, scale};
static void run(const void *params, void *const *ptr, int part, int parts) {
  whet__attn_f32(params, ptr, part, parts, &k_isa);
}
static size_t scratch(const void *params) { return whet__attn_f32_scratch(params, FORM); }

WHET_ROW_SCRATCH(attn_f32);
