/* SPDX-License-Identifier: Apache-2.0 */
/* out_tile() of out_q8_avx512.h: tiles of sums to bytes or floats. It is large, so kernels share it: one with the
 * byte table in registers (VBMI), one without. */

#include "kern/x86/out_q8_avx512.h"

/* Rows of n <= 16 * nv sums, `ld` apart, to bytes `pitch` apart; factors from channel `at` on. */
OUT_INLINE void out_bytes(const whet_out_q8 *o, const whet_factors *f, int64_t at, const int32_t *sum, int64_t ld,
                          int64_t rows, int64_t n, const uint8_t *table, uint8_t *out, int64_t pitch, int nv,
                          int how) {
  out_bound b = out_bounds(o);
  out_factor g[4];
  OUT_UNROLL for (int j = 0; j < nv; j++) g[j] = out_load(f, at + 16 * j, how);
  out_table t;
  if (table) t = out_table_load(table);
  /* One or two vectors to a row: four or two rows fill a register of bytes. */
  const int many = nv == 1 ? 4 : nv == 2 ? 2 : 1;
  int64_t r = 0;
  for (; many > 1 && r + many <= rows; r += many, sum += many * ld, out += many * pitch) {
    __m512i v[4];
    OUT_UNROLL for (int j = 0; j < 4; j++) v[j] =
        out_rescale(_mm512_loadu_si512(sum + j / nv * ld + j % nv * 16), &g[j % nv], how);
    __m512i x = out_order(out_narrow(v, &b));
    if (table) x = out_lookup(x, &t);
    out_store_rows(out, x, many, many, n, pitch);
  }
  for (; r < rows; r++, sum += ld, out += pitch) {
    __m512i v[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    OUT_UNROLL for (int j = 0; j < nv; j++) v[j] = out_rescale(_mm512_loadu_si512(sum + 16 * j), &g[j], how);
    __m512i x = out_order(out_narrow(v, &b));
    if (table) x = out_lookup(x, &t);
    out_store(out, x, n);
  }
}

/* Rows of n <= 64 sums by OUT_REAL; those that single precision leaves open (OUT_FAR) are asked in doubles. */
OUT_INLINE void out_bytes_real(const whet_out_q8 *o, const whet_factors *f, int64_t at, const int32_t *sum, int64_t ld, int64_t rows,
                               int64_t n, const uint8_t *table, uint8_t *out, int64_t pitch, int nv) {
  out_bound b = out_bounds(o);
  __m512 g[4];
  OUT_UNROLL for (int j = 0; j < nv; j++) g[j] =
      _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(_mm512_loadu_pd(f->real + at + 16 * j))),
                         _mm512_cvtpd_ps(_mm512_loadu_pd(f->real + at + 16 * j + 8)), 1);
  out_table t;
  if (table) t = out_table_load(table);
  for (int64_t r = 0; r < rows; r++, sum += ld, out += pitch) {
    __m512i v[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    __m512 far = _mm512_setzero_ps();
    OUT_UNROLL for (int j = 0; j < nv; j++) {
      __m512 q = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_loadu_si512(sum + 16 * j)), g[j]);
      far = out_larger32(far, out_sub32(q, out_near32(q)));
      v[j] = out_from_real_away(q);
    }
    if (WHET_UNLIKELY(out_above32(far, _mm512_set1_ps(OUT_FAR)))) {
      _Pragma("GCC unroll 1") for (int j = 0; j < nv; j++) {
        out_factor d = out_load(f, at + 16 * j, OUT_REAL);
        v[j] = out_rescale(_mm512_loadu_si512(sum + 16 * j), &d, OUT_REAL);
      }
    }
    __m512i x = out_order(out_narrow(v, &b));
    if (table) x = out_lookup(x, &t);
    out_store(out, x, n);
  }
}

/* Rows of n sums to floats. */
OUT_INLINE void out_floats(const whet_factors *f, const int32_t *sum, int64_t ld, int64_t rows, int64_t n, float *out,
                           int64_t pitch) {
  for (int64_t j = 0; j < n; j += 16) {
    __mmask16 m = n - j >= 16 ? 0xffff : (__mmask16)((1u << (n - j)) - 1);
    __m512 k = _mm512_loadu_ps(f->real32 + j);
    for (int64_t r = 0; r < rows; r++) {
      __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_loadu_si512(sum + r * ld + j)), k);
      _mm512_mask_storeu_ps(out + r * pitch + j, m, v);
    }
  }
}

/* Two vectors to a row have code of their own where there are dot products of bytes; else they go one by one. */
#ifdef __AVX512VNNI__
#define OUT_TWO 2
#else
#define OUT_TWO 1
#endif

void out_tile(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t ld, int64_t rows, int64_t n,
              const uint8_t *table, void *out, int64_t pitch) {
  int how = out_way_for(o, f, n);
  if (how == OUT_REAL32 && o->quick) how = OUT_NEAR;
  if (o->dtype == WHET_F32) {
    out_floats(f, sum, ld, rows, n, out, pitch);
    return;
  }
  if (o->live) {
    whet__sums_tile_avx512(whet__out_live(table), sum, ld, rows, n, out);
    return;
  }
  if (how < 0) {
    whet__out_q8_rows(o, f, sum, ld, rows, n, table, out, pitch);
    return;
  }
  const uint8_t *t = o->table ? table : NULL;
  const bool rare = how == OUT_FIX || how == OUT_REAL32; /* vector by vector */
  for (int64_t at = 0; at < n;) {
    int64_t left = n - at;
    int nv = rare || left <= 16 ? 1 : left <= 48 ? OUT_TWO : 4;
    int64_t m = whet__min_i(16 * nv, left);
    uint8_t *to = (uint8_t *)out + at;
#define OUT_CASE(how, nv)                                              \
  case how * 4 + nv - 1:                                               \
    out_bytes(o, f, at, sum + at, ld, rows, m, t, to, pitch, nv, how); \
    break;
#if OUT_TWO == 2
#define OUT_CASES(how) OUT_CASE(how, 1) OUT_CASE(how, 2) OUT_CASE(how, 4)
#else
#define OUT_CASES(how) OUT_CASE(how, 1) OUT_CASE(how, 4)
#endif
    if (how == OUT_REAL) {
      if (left > 48)
        out_bytes_real(o, f, at, sum + at, ld, rows, m = whet__min_i(64, left), t, to, pitch, 4);
      else
        out_bytes_real(o, f, at, sum + at, ld, rows, m = whet__min_i(16, left), t, to, pitch, 1);
      at += m;
      continue;
    }
    switch (how * 4 + nv - 1) {
      OUT_CASES(OUT_HALF)
      OUT_CASES(OUT_HALF_UP)
      OUT_CASES(OUT_NEAR)
      OUT_CASE(OUT_REAL32, 1)
      OUT_CASE(OUT_FIX, 1)
      default:
        break;
    }
#undef OUT_CASES
#undef OUT_CASE
    at += m;
  }
}
