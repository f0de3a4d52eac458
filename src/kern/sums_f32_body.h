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

enum { ROWS = 16 }; /* made together, so that what belongs to a column is read once for all of them */

/* The first w of a vector of integers. */
static inline vi ints(const int32_t *p, int64_t w) {
  if (w == VW) return vi_load(p);
  int32_t t[VW] = {0};
  memcpy(t, p, (size_t)w * sizeof *t);
  return vi_load(t);
}
static inline vf floats(const float *p, int64_t w) { return w == VW ? vf_load(p) : vf_load_n(p, w); }

/* Columns c .. c + w of `rows` rows of group g from row r on. */
WHET_INLINE void columns(const whet_sums_f32 *p, void *const *ptr, int64_t r, int64_t rows, int64_t g, int64_t c,
                         const int64_t w, uint32_t flags, vf lo, vf hi) {
  const int32_t *sum = (const int32_t *)ptr[0] + r * p->n + c, *zero = ptr[2];
  const float *w_scale = ptr[4], *bias = ptr[5];
  float *y = (float *)ptr[6] + r * p->n + c;
  const float *res = flags & WHET_TILE_ADD ? (const float *)ptr[7] + r * p->res_pitch + c : NULL;
  vf scale = vf_set(((const float *)ptr[1])[g]), b = bias ? floats(bias + c, w) : vf_set(-0.f);
  vi off = zero ? vi_mul(vi_set(zero[g]), ints((const int32_t *)ptr[3] + c, w)) : vi_set(0);
  if (w_scale) scale = vf_mul(scale, floats(w_scale + c, w));
  for (int64_t i = 0; i < rows; i++, sum += p->n, y += p->n) {
    vf v = vf_add(vf_mul(vi_to_f(vi_sub(ints(sum, w), off)), scale), b);
    if (flags & WHET_TILE_ADD) v = vf_add(v, floats(res + i * p->res_pitch, w));
    v = vf_max(lo, vf_min(hi, v)); /* NaN stays */
    if (w == VW)
      vf_store(y, v);
    else
      vf_store_n(y, v, w);
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_sums_f32 *p = params;
  whet_epi_f32 first, rest;
  uint32_t flags = whet__epi_split(&p->epi, &first, &rest);
  vf lo = vf_set(flags & WHET_TILE_CLAMP ? first.a[0] : -INFINITY),
     hi = vf_set(flags & WHET_TILE_CLAMP ? first.b[0] : INFINITY);
  int64_t from, to;
  whet__split(p->rows, part, parts, &from, &to);
  for (int64_t r = from, rows; r < to; r += rows) {
    int64_t g = (r + WHET_BUG(1)) / p->group, c = 0;
    rows = whet__min_i(whet__min_i(to, (r / p->group + 1) * p->group) - r, ROWS);
    for (; c + VW <= p->n; c += VW) columns(p, ptr, r, rows, g, c, VW, flags, lo, hi);
    if (c < p->n) columns(p, ptr, r, rows, g, c, p->n - c, flags, lo, hi);
    if (rest.n)
      EPI(&rest, (float *)ptr[6] + r * p->n, p->n, ptr[7] ? (const float *)ptr[7] + r * p->res_pitch : NULL, p->res_pitch, rows, p->n);
  }
}

WHET_ROW(sums_f32);
