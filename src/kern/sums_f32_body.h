/* SPDX-License-Identifier: Apache-2.0 */
/* Family sums_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS. */

#include "kern/sums_f32.h"

#include <math.h>

#include "kern/row_name.h"
#include "kern/tile_f32.h"
#include "kern/unary_f32.h"

#define EPI__(isa) whet__epi_f32_##isa
#define EPI_(isa) EPI__(isa)
#define EPI EPI_(ISA)

#define SUMS_TILE__(isa) whet__sums_tile_##isa
#define SUMS_TILE_(isa) SUMS_TILE__(isa)
#define SUMS_TILE SUMS_TILE_(ISA)

enum { ROWS = 16 }; /* made together, so that what belongs to a column is read once for all of them */

/* The first w of a vector of integers. */
static inline vi ints(const int32_t *p, int64_t w) {
  if (w == VW) return vi_load(p);
  int32_t t[VW] = {0};
  memcpy(t, p, (size_t)w * sizeof *t);
  return vi_load(t);
}
static inline vf floats(const float *p, int64_t w) { return w == VW ? vf_load(p) : vf_load_n(p, w); }

/* Rows of sums and where they go: the first has number r and is `left` rows before the end of group g. */
typedef struct lines {
  const int32_t *sum;
  float *y;
  int64_t ld, r, rows, g, left;
} lines;

/* Columns c .. c + w of all rows, the tile's `at` from its first on. */
WHET_INLINE void columns(const whet_sums_live *l, const lines *t, int64_t at, int64_t c, const int64_t w, uint32_t flags, vf lo,
                         vf hi) {
  const whet_sums_f32 *p = l->p;
  const float *scale = (const float *)l->arg[0] + t->g, *w_scale = l->arg[3], *bias = l->arg[4];
  const int32_t *zero = l->arg[1], *sum = t->sum + at;
  float *y = t->y + at;
  const float *res = flags & WHET_TILE_ADD ? (const float *)l->arg[5] + t->r * p->res_pitch + c : NULL;
  const vf each = w_scale ? floats(w_scale + c, w) : vf_set(1), b = bias ? floats(bias + c, w) : vf_set(-0.f);
  const vi weights = zero ? ints((const int32_t *)l->arg[2] + c, w) : vi_set(0);
  if (zero) zero += t->g;
  int64_t left = t->left;
  for (int64_t i = 0; i < t->rows; left = p->group) {
    vf by = vf_mul(vf_set(*scale++), each);
    vi off = zero ? vi_mul(vi_set(*zero++), weights) : vi_set(0);
    for (; left && i < t->rows; left--, i++, sum += t->ld, y += p->y_pitch) {
      vf v = vf_add(vf_mul(vi_to_f(vi_sub(ints(sum, w), off)), by), b);
      if (flags & WHET_TILE_ADD) v = vf_add(v, floats(res + i * p->res_pitch, w));
      v = vf_max(lo, vf_min(hi, v)); /* NaN stays */
      if (w == VW)
        vf_store(y, v);
      else
        vf_store_n(y, v, w);
    }
  }
}

void SUMS_TILE(const whet_sums_live *l, const int32_t *sum, int64_t ld, int64_t rows, int64_t n, float *to) {
  const whet_sums_f32 *p = l->p;
  whet_epi_f32 first, rest;
  uint32_t flags = whet__epi_split(&p->epi, &first, &rest);
  vf lo = vf_set(flags & WHET_TILE_CLAMP ? first.a[0] : -INFINITY),
     hi = vf_set(flags & WHET_TILE_CLAMP ? first.b[0] : INFINITY);
  lines t = {sum, to, ld, (to - l->y) / p->y_pitch, rows, 0, 0};
  const int64_t c = to - l->y - t.r * p->y_pitch;
  t.g = (t.r + WHET_BUG(1)) / p->group;
  t.left = (t.r / p->group + 1) * p->group - t.r;
  int64_t at = 0;
  for (; at + VW <= n; at += VW) columns(l, &t, at, c + at, VW, flags, lo, hi);
  if (at < n) columns(l, &t, at, c + at, n - at, flags, lo, hi);
  const float *res = l->arg[5];
  if (rest.n) EPI(&rest, to, p->y_pitch, res ? res + t.r * p->res_pitch + c : NULL, p->res_pitch, rows, n);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_sums_f32 *p = params;
  const whet_sums_live l = {p, ptr[1], ptr + 2};
  int64_t from, to;
  whet__split(p->rows, part, parts, &from, &to);
  for (int64_t rows; from < to; from += rows) {
    rows = whet__min_i(to - from, ROWS);
    SUMS_TILE(&l, (const int32_t *)ptr[0] + from * p->n, p->n, rows, p->n, l.y + from * p->y_pitch);
  }
}

WHET_ROW(sums_f32);
