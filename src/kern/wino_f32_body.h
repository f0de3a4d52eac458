/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of family wino_f32, over the vector layer that the including file has chosen; it defines ISA,
 * ISA_BITS, PANEL (the packed form) and TILES (its micro-kernels). A vector holds neighbouring channels. */

#include "kern/row_name.h"
#include "kern/vmath.h"
#include "kern/wino_f32.h"

#if VW > 1
#define UNROLL WHET_UNROLL
#else
#define UNROLL
#endif

/* Points of F(4, 3): +-p and +-q. p q = 1, so both products of their squares are 1 too. */
#define P 0x1.6a09e6p-1f /* 1 / sqrt 2 */
#define Q 0x1.6a09e6p+0f /* sqrt 2 */

/* One dimension of B' d: the patch's m + 2 numbers d[0], d[step] ... */
WHET_INLINE void in_line(const int m, const vf *d, const int step, vf *v, const int v_step) {
  if (m == 2) {
    v[0] = vf_sub(d[0], d[2 * step]);
    v[v_step] = vf_add(d[step], d[2 * step]);
    v[2 * v_step] = vf_sub(d[2 * step], d[step]);
    v[3 * v_step] = vf_sub(d[step], d[3 * step]);
    return;
  }
  const vf sum = vf_set(2.5f), two = vf_set(2), half = vf_set(0.5f), p = vf_set(P), q = vf_set(Q);
  v[0] = vf_add(d[0], vf_fnma(sum, d[2 * step], d[4 * step]));
  v[5 * v_step] = vf_add(d[step], vf_fnma(sum, d[3 * step], d[5 * step]));
  vf even = vf_fnma(two, d[2 * step], d[4 * step]), odd = vf_fnma(two, d[step], d[3 * step]);
  v[v_step] = vf_fma(p, odd, even);
  v[2 * v_step] = vf_fnma(p, odd, even);
  even = vf_fnma(half, d[2 * step], d[4 * step]), odd = vf_fnma(half, d[step], d[3 * step]);
  v[3 * v_step] = vf_fma(q, odd, even);
  v[4 * v_step] = vf_fnma(q, odd, even);
}

/* One dimension of A' x: m outputs of m + 2 sums. */
WHET_INLINE void out_line(const int m, const vf *x, const int step, vf *y, const int y_step) {
  if (m == 2) {
    y[0] = vf_add(x[0], vf_add(x[step], x[2 * step]));
    y[y_step] = vf_sub(vf_sub(x[step], x[2 * step]), x[3 * step]);
    return;
  }
  vf s = vf_add(x[step], x[2 * step]), d = vf_sub(x[step], x[2 * step]);
  vf t = vf_add(x[3 * step], x[4 * step]), e = vf_sub(x[3 * step], x[4 * step]);
  y[0] = vf_add(vf_add(x[0], s), t);
  y[y_step] = vf_fma(vf_set(Q), e, vf_mul(vf_set(P), d));
  y[2 * y_step] = vf_fma(vf_set(2), t, vf_mul(vf_set(0.5f), s));
  y[3 * y_step] = vf_fma(vf_set(2 * Q), e, vf_fma(vf_set(0.5f * P), d, x[5 * step]));
}

/* A vector of channels of a whole patch at `from`, rows and columns step[] apart, to planes of v. */
WHET_INLINE void in_chunk(const int m, const float *from, const int64_t step[2], float *v, int64_t plane) {
  const int p = m + 2;
  vf d[36], e[36];
  UNROLL for (int x = 0; x < p; x++) {
    vf column[6];
    UNROLL for (int y = 0; y < p; y++) column[y] = vf_load(from + y * step[0] + x * step[1]);
    in_line(m, column, 1, e + x, p);
  }
  UNROLL for (int y = 0; y < p; y++) {
    in_line(m, e + y * p, 1, d + y * p, 1);
    UNROLL for (int x = 0; x < p; x++) vf_store(v + (y * p + x) * plane, d[y * p + x]);
  }
}

/* They stand here once, as patches with something missing are completed in a buffer. */
static __attribute__((noinline)) void in_chunk_2(const float *from, const int64_t step[2], float *v, int64_t plane) {
  in_chunk(2, from, step, v, plane);
}
static __attribute__((noinline)) void in_chunk_4(const float *from, const int64_t step[2], float *v, int64_t plane) {
  in_chunk(4, from, step, v, plane);
}

/* n channels from channel k on of the patch at `at`, of which something is missing. */
static __attribute__((noinline)) void in_part(const whet_wino_in *t, const int m, int64_t at, int64_t k, float *v) {
  const int p = m + 2;
  const int64_t n = whet__min_i(VW, t->channels - k), step[2] = {p * VW, VW};
  _Alignas(64) float patch[36 * VW], done[36 * VW];
  for (int y = 0; y < p; y++)
    for (int x = 0; x < p; x++) {
      const float *from = t->in + (at + y * t->step[0] + x * t->step[1] + k);
      bool inside = y >= t->lo[0] && y < t->hi[0] && x >= t->lo[1] && x < t->hi[1];
      vf_store(patch + (y * p + x) * VW, !inside ? vf_set(0) : n == VW ? vf_load(from) : vf_load_n(from, n));
    }
  if (n == VW) {
    (m == 2 ? in_chunk_2 : in_chunk_4)(patch, step, v + k, t->plane);
    return;
  }
  (m == 2 ? in_chunk_2 : in_chunk_4)(patch, step, done, VW);
  for (int i = 0; i < p * p; i++) vf_store_n(v + i * t->plane + k, vf_load(done + i * VW), n);
}

WHET_INLINE void in_tiles(const whet_wino_in *t, const int m) {
  const int p = m + 2;
  bool inside = !t->lo[0] && !t->lo[1] && t->hi[0] == p && t->hi[1] == p;
  int64_t at = t->at, full = inside ? t->channels - t->channels % VW : 0;
  float *v = t->v;
  for (int64_t i = 0; i < t->n; i++) {
    int64_t k = 0;
    for (; k < full; k += VW) (m == 2 ? in_chunk_2 : in_chunk_4)(t->in + at + k, t->step, v + k, t->plane);
    for (; k < t->channels; k += VW) in_part(t, m, at, k, v);
    at += t->next;
    v += t->channels;
  }
}

/* Output (i, j) of the tile at `out`, columns k..k + n, from its sum v. */
WHET_INLINE void finish(const whet_wino_out *t, const uint32_t flags, const bool whole, vf v, int i, int j, int64_t k,
                        int64_t n, float *out, const float *res) {
  vf r = v;
  v = vf_add(v, vf_load(t->bias + k));
  if (flags & (WHET_TILE_ADD | WHET_WINO_ADD)) {
    const float *from = res + i * t->res_step[0] + j * t->res_step[1] + k;
    r = whole ? vf_load(from) : vf_load_n(from, n);
  }
  if (flags & WHET_TILE_ADD) v = vf_add(v, r);
  if (flags & WHET_TILE_CLAMP) v = vf_max(vf_set(t->lo), vf_min(vf_set(t->hi), v));
  if (flags & WHET_WINO_SWISH) v = vf_swish(v, vf_set(t->swish));
  if (flags & WHET_WINO_ADD) v = vf_add(v, r);
  float *to = out + i * t->step[0] + j * t->step[1] + k;
  if (whole)
    vf_store(to, v);
  else
    vf_store_n(to, v, n);
}

/* One vector of columns, from column k of the panel on, of the tile whose sums are m. fixed: these are the flags, and
 * all outputs and columns are there. */
WHET_INLINE void out_chunk(const whet_wino_out *t, const int m, const bool fixed, const uint32_t flags,
                           const float *sums, int64_t k, float *out, const float *res) {
  const int p = m + 2;
  vf e[24], y[16], x[6];
  UNROLL for (int i = 0; i < p; i++) {
    UNROLL for (int j = 0; j < p; j++) x[j] = vf_load(sums + (j * p + i) * t->plane + k);
    out_line(m, x, 1, e + i, p);
  }
  UNROLL for (int i = 0; i < m; i++) {
    out_line(m, e + i * p, 1, y + i * m, 1);
    if (fixed) UNROLL for (int j = 0; j < m; j++) finish(t, flags, true, y[i * m + j], i, j, k, VW, out, res);
  }
  if (fixed) return;
  int64_t n = whet__min_i(VW, t->columns - k);
  for (int i = 0; i < t->rows; i++)
    for (int j = 0; j < t->cols; j++) finish(t, t->flags, false, y[i * m + j], i, j, k, n, out, res);
}

/* Any outputs, columns, flags: not inlined, so that it stands here once for each size. */
static __attribute__((noinline)) void out_any_2(const whet_wino_out *t, const float *sums, int64_t k, float *out,
                                                const float *res) {
  out_chunk(t, 2, false, 0, sums, k, out, res);
}
static __attribute__((noinline)) void out_any_4(const whet_wino_out *t, const float *sums, int64_t k, float *out,
                                                const float *res) {
  out_chunk(t, 4, false, 0, sums, k, out, res);
}

WHET_INLINE void out_some(const whet_wino_out *t, const int m, const bool fixed, const uint32_t flags) {
  int64_t full = fixed && t->rows == m && t->cols == m ? t->columns - t->columns % VW : 0;
  const float *sums = t->m, *res = t->res;
  float *out = t->out;
  for (int64_t i = 0; i < t->n; i++) {
    int64_t k = 0;
    if (fixed)
      for (; k < full; k += VW) out_chunk(t, m, true, flags, sums, k, out, res);
    for (; k < t->columns; k += VW) (m == 2 ? out_any_2 : out_any_4)(t, sums, k, out, res);
    sums += t->width;
    out += t->next;
    if (res) res += t->res_next;
  }
}

/* Bounds are infinite where there is no clamp. */
WHET_INLINE void out_tiles(const whet_wino_out *t, const int m) {
  uint32_t rest = t->flags & ~(uint32_t)WHET_TILE_CLAMP;
  if (!rest)
    out_some(t, m, true, WHET_TILE_CLAMP);
  else if (rest == WHET_TILE_ADD)
    out_some(t, m, true, WHET_TILE_ADD | WHET_TILE_CLAMP);
  else
    out_some(t, m, false, 0);
}

/* One dimension of G g: m + 2 numbers of three. */
WHET_INLINE void kernel_line(const int m, const vf *g, const int step, vf *u, const int u_step) {
  vf even = g[0], odd = g[step], last = g[2 * step];
  u[0] = even;
  u[(m + 1) * u_step] = last;
  if (m == 2) {
    vf half = vf_set(0.5f), a = vf_mul(half, vf_add(even, last)), b = vf_mul(half, odd);
    u[u_step] = vf_add(a, b);
    u[2 * u_step] = vf_sub(a, b);
    return;
  }
  vf a = vf_mul(vf_set(-2.f / 3), vf_fma(vf_set(0.5f), last, even)), b = vf_mul(vf_set(-2.f / 3 * P), odd);
  u[u_step] = vf_add(a, b);
  u[2 * u_step] = vf_sub(a, b);
  a = vf_mul(vf_set(1.f / 6), vf_fma(vf_set(2), last, even)), b = vf_mul(vf_set(Q / 6), odd);
  u[3 * u_step] = vf_add(a, b);
  u[4 * u_step] = vf_sub(a, b);
}

WHET_INLINE void kernels(const whet_wino_kernels *t, const int m) {
  const int p = m + 2;
  for (int64_t i = 0; i < t->n; i += VW) {
    vf g[3], e[18], line[6];
    UNROLL for (int x = 0; x < 3; x++) {
      UNROLL for (int y = 0; y < 3; y++) g[y] = vf_load(t->g + (3 * y + x) * t->tap + i);
      kernel_line(m, g, 1, e + x, 3);
    }
    UNROLL for (int y = 0; y < p; y++) {
      kernel_line(m, e + 3 * y, 1, line, 1);
      UNROLL for (int x = 0; x < p; x++) vf_store(t->u + (y * p + x) * t->plane + i, line[x]);
    }
  }
}

static void kernels_2(const whet_wino_kernels *t) { kernels(t, 2); }
static void kernels_4(const whet_wino_kernels *t) { kernels(t, 4); }
static void in_2(const whet_wino_in *t) { in_tiles(t, 2); }
static void in_4(const whet_wino_in *t) { in_tiles(t, 4); }
static void out_2(const whet_wino_out *t) { out_tiles(t, 2); }
static void out_4(const whet_wino_out *t) { out_tiles(t, 4); }

static void run(const void *params, void *const *ptr, int part, int parts) {
  static const whet_winos_f32 set = {&TILES, {in_2, in_4}, {out_2, out_4}, {kernels_2, kernels_4}};
  whet__wino_f32(params, ptr, part, parts, &set);
}

extern const whet_kern WHET_ROW_SYMBOL(wino_f32, ISA);
const whet_kern WHET_ROW_SYMBOL(wino_f32, ISA) = {.name = WHET_ROW_TEXT(wino_f32, ISA),
                                                  .isa = ISA_BITS,
                                                  .form = PANEL,
                                                  .exact = VEC_EXACT,
                                                  .scratch = whet__wino_f32_scratch,
                                                  .run = run};
