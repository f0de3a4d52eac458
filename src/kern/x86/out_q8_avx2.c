/* SPDX-License-Identifier: Apache-2.0 */
/* out_tile() of out_q8_avx2.h: tiles of sums to bytes. It is large, so kernels share it. */

#include "kern/x86/out_q8_avx2.h"

/* The first n of 32 bytes, n neither 8 nor 16 nor 32. */
static __attribute__((noinline)) void store_some(uint8_t *to, __m256i x, int64_t n) {
  uint8_t t[32];
  _mm256_storeu_si256((__m256i *)(void *)t, x);
  memcpy(to, t, (size_t)n);
}

/* Rows of n <= 8 * nv sums, `ld` apart, to bytes `pitch` apart: as many at once as fill four vectors, the last row
 * standing for those that are not there. */
OUT_INLINE void out_rows(const int32_t *sum, int64_t ld, const out_factor *g, const out_bound *b, int64_t rows,
                         int64_t n, uint8_t *out, int64_t pitch, int nv, int how) {
  const int per = 4 / nv;
  int64_t from[4], to[4];
  OUT_UNROLL for (int i = 0; i < per; i++) from[i] = i * ld, to[i] = i * pitch;
  for (; rows > 0; rows -= per, sum += per * ld, out += per * pitch) {
    if (rows < per) {
      OUT_UNROLL for (int i = 0; i < per; i++) from[i] = whet__min_i(i, rows - 1) * ld,
                                               to[i] = whet__min_i(i, rows - 1) * pitch;
    }
    __m256i v[4];
    OUT_UNROLL for (int j = 0; j < 4; j++) v[j] =
        out_rescale(out_load_i(sum + from[j / nv] + j % nv * 8), &g[j % nv], how);
    const __m256i x = out_order(out_narrow(v, b));
    const __m128i part[2] = {_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)};
    OUT_UNROLL for (int i = 0; i < 4 / nv; i++) {
      uint8_t *p = out + to[i];
      __m128i y = part[nv == 1 ? i / 2 : i % 2];
      if (nv == 1 && i % 2) y = _mm_unpackhi_epi64(y, y);
      if (n != 8 * nv)
        store_some(p, nv == 4 ? x : _mm256_castsi128_si256(y), n);
      else if (nv == 4)
        _mm256_storeu_si256((__m256i *)(void *)p, x);
      else if (nv == 2)
        _mm_storeu_si128((__m128i *)(void *)p, y);
      else
        _mm_storel_epi64((__m128i *)(void *)p, y);
    }
  }
}

/* Rows of n <= 8 * nv sums, `ld` apart, to bytes `pitch` apart. */
OUT_INLINE void out_bytes(const whet_out_q8 *o, const whet_factors *f, int64_t at, const int32_t *sum, int64_t ld,
                          int64_t rows, int64_t n, uint8_t *out, int64_t pitch, int nv, int how) {
  const out_bound b = out_bounds(o);
  out_factor g[4];
  OUT_UNROLL for (int j = 0; j < nv; j++) g[j] = out_load(f, at + 8 * j, how);
  out_rows(sum, ld, g, &b, rows, n, out, pitch, nv, how);
}

/* The same with everything at hand. */
OUT_INLINE void make(const whet_out_ready_avx2 *t, const int32_t *sum, int64_t rows, uint8_t *out, int64_t pitch,
                     int nv, int how) {
  const out_bound b = t->bound;
  out_rows(sum, 16, t->g, &b, rows, 8 * nv, out, pitch, nv, how);
}
#define MAKE(how)                                                                                           \
  static void make_##how##_8(const whet_out_ready_avx2 *t, const int32_t *sum, int64_t rows, uint8_t *out,  \
                             int64_t pitch) {                                                               \
    make(t, sum, rows, out, pitch, 1, how);                                                                 \
  }                                                                                                         \
  static void make_##how##_16(const whet_out_ready_avx2 *t, const int32_t *sum, int64_t rows, uint8_t *out, \
                              int64_t pitch) {                                                              \
    make(t, sum, rows, out, pitch, 2, how);                                                                 \
  }
MAKE(OUT_QUICK)
MAKE(OUT_UP)
MAKE(OUT_REAL32)

void out_ready(whet_out_ready_avx2 *t, const whet_out_q8 *o, const whet_factors *f, int64_t n) {
  const int how = out_way(o);
  t->make = NULL;
  if (o->table || (n != 8 && n != 16)) return;
  if (how == OUT_QUICK) t->make = n == 8 ? make_OUT_QUICK_8 : make_OUT_QUICK_16;
  if (how == OUT_UP) t->make = n == 8 ? make_OUT_UP_8 : make_OUT_UP_16;
  if (how == OUT_REAL32) t->make = n == 8 ? make_OUT_REAL32_8 : make_OUT_REAL32_16;
  if (!t->make) return;
  t->bound = out_bounds(o);
  for (int j = 0; j < n / 8; j++) t->g[j] = out_load(f, 8 * j, how);
}

void out_tile(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t ld, int64_t rows, int64_t n,
              const uint8_t *table, void *out, int64_t pitch) {
  int how = out_way(o);
  if (o->live) {
    whet__sums_tile_avx2(whet__out_live(table), sum, ld, rows, n, out);
    return;
  }
  if (how < 0) {
    size_t bytes = whet_dtype_bits(o->dtype) / 8;
    for (int64_t r = 0; r < rows; r++)
      whet__out_q8_row(o, f, sum + r * ld, n, table, (char *)out + (size_t)(r * pitch) * bytes);
    return;
  }
  const bool rare = how == OUT_FIX || how == OUT_REAL; /* vector by vector */
  for (int64_t at = 0; at < n;) {
    int64_t left = n - at;
    int nv = rare || left <= 8 ? 1 : left < 32 ? 2 : 4;
    int64_t m = whet__min_i(8 * nv, left);
    uint8_t *to = (uint8_t *)out + at;
#define OUT_CASE(how, nv)                                           \
  case how * 4 + nv - 1:                                            \
    out_bytes(o, f, at, sum + at, ld, rows, m, to, pitch, nv, how); \
    break;
#define OUT_CASES(how) OUT_CASE(how, 1) OUT_CASE(how, 2) OUT_CASE(how, 4)
    switch (how * 4 + nv - 1) {
      OUT_CASES(OUT_QUICK)
      OUT_CASES(OUT_UP)
      OUT_CASES(OUT_REAL32)
      OUT_CASE(OUT_REAL, 1)
      OUT_CASE(OUT_FIX, 1)
      default:
        break;
    }
#undef OUT_CASES
#undef OUT_CASE
    at += m;
  }
  if (!o->table) return;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t j = 0; j < n; j++) ((uint8_t *)out)[r * pitch + j] = table[((uint8_t *)out)[r * pitch + j]];
}
