/* SPDX-License-Identifier: Apache-2.0 */
/* out_tile() of out_q8_neon.h: tiles of sums to bytes. It is large, so kernels share it. */

#include "kern/arm/out_q8_neon.h"

/* Rows of sums, `ld` apart, to n bytes each, `pitch` apart. */
OUT_INLINE void out_rows(const out_factor *g, const out_bound *b, const int32_t *sum, int64_t ld, int64_t rows,
                         int64_t n, uint8_t *out, int64_t pitch, const int how, const bool whole) {
  for (; rows > 0; rows--, sum += ld, out += pitch) {
    int32x4_t v[4];
    OUT_UNROLL for (int j = 0; j < 4; j++) v[j] = out_rescale(vld1q_s32(sum + 4 * j), &g[j], how);
    out_store(out, out_narrow_to(v, b, whole), n);
  }
}

/* The same with everything at hand: n is 8 or 16. */
OUT_INLINE void make(const whet_out_ready_neon *t, const int32_t *sum, int64_t rows, uint8_t *out, int64_t pitch,
                     const int how, const bool is_signed, const bool whole) {
  out_bound b = t->bound;
  out_factor g[4];
  b.is_signed = is_signed;
  OUT_UNROLL for (int j = 0; j < 4; j++) g[j] = t->g[j];
  if (t->n == 16)
    out_rows(g, &b, sum, 16, rows, 16, out, pitch, how, whole);
  else
    out_rows(g, &b, sum, 16, rows, 8, out, pitch, how, whole);
}

typedef void (*make_fn)(const whet_out_ready_neon *t, const int32_t *sum, int64_t rows, uint8_t *out, int64_t pitch);
#define MAKE(name, how, is_signed, whole)                                                               \
  static void make_##name(const whet_out_ready_neon *t, const int32_t *sum, int64_t rows, uint8_t *out, \
                          int64_t pitch) {                                                              \
    make(t, sum, rows, out, pitch, how, is_signed, whole);                                              \
  }
#define MAKES(how)                      \
  MAKE(how##_u, how, false, false)      \
  MAKE(how##_u_whole, how, false, true) \
  MAKE(how##_s, how, true, false)       \
  MAKE(how##_s_whole, how, true, true)
MAKES(OUT_QUICK)
MAKES(OUT_UP)
MAKES(OUT_NEAR)
MAKES(OUT_REAL)

/* For each way: unsigned and signed bytes, of which some or all are within the bounds. */
#define NAMES(how) \
  [how] = {{make_##how##_u, make_##how##_u_whole}, {make_##how##_s, make_##how##_s_whole}}
static const make_fn makes[OUT_NEAR + 1][2][2] = {NAMES(OUT_QUICK), NAMES(OUT_UP), NAMES(OUT_REAL), NAMES(OUT_NEAR)};

void out_ready(whet_out_ready_neon *t, const whet_out_q8 *o, const whet_factors *f, int64_t n, const uint8_t *table) {
  (void)table; /* results that go through one are out_tile()'s */
  int how = out_way(o);
  t->make = NULL;
  t->near = false;
  if (how == OUT_REAL32 && o->quick) how = OUT_NEAR;
  if (how < 0 || o->table || (n != 8 && n != 16)) return;
  t->make = makes[how][o->dtype == WHET_S8][out_whole(o)];
  if (!t->make) return;
  t->bound = out_bounds(o);
  t->n = n;
  t->near = how == OUT_NEAR && out_whole(o);
  for (int j = 0; j < 4; j++) t->g[j] = out_load(f, 4 * j, how);
}

/* Rows of n <= 16 sums, `ld` apart, to bytes `pitch` apart. */
OUT_INLINE void out_bytes(const whet_out_q8 *o, const whet_factors *f, int64_t at, const int32_t *sum, int64_t ld,
                          int64_t rows, int64_t n, const uint8_t *table, uint8_t *out, int64_t pitch, const int how) {
  const out_bound b = out_bounds(o);
  out_factor g[4];
  for (int j = 0; j < 4; j++) g[j] = out_load(f, at + 4 * j, how);
  if (how == OUT_REAL32 && o->quick)
    out_rows(g, &b, sum, ld, rows, n, out, pitch, OUT_NEAR, false);
  else
    out_rows(g, &b, sum, ld, rows, n, out, pitch, how, false);
  if (table)
    for (int64_t r = 0; r < rows; r++, out += pitch)
      for (int64_t i = 0; i < n; i++) out[i] = table[out[i]];
}

#define OUT_TILE
#ifdef __aarch64__
#define OUT_SUMS whet__sums_tile_neon
#else
#define OUT_SUMS whet__sums_tile_c /* what keeps all numbers */
#endif
#include "kern/out_tile.h"
