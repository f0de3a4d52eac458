/* SPDX-License-Identifier: Apache-2.0 */
/* out_tile() of out_q8_avx2.h: tiles of sums to bytes. It is large, so kernels share it. */

#include "kern/x86/out_q8_avx2.h"

/* Rows of n <= 8 * nv sums, `ld` apart, to bytes `pitch` apart. */
OUT_INLINE void out_bytes(const whet_out_q8 *o, const whet_factors *f, int64_t at, const int32_t *sum, int64_t ld,
                          int64_t rows, int64_t n, const uint8_t *table, uint8_t *out, int64_t pitch, int nv,
                          int how) {
  out_bound b = out_bounds(o);
  out_factor g[4];
  OUT_UNROLL for (int j = 0; j < nv; j++) g[j] = out_load(f, at + 8 * j, how);
  for (int64_t r = 0; r < rows; r++, sum += ld, out += pitch) {
    __m256i v[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    OUT_UNROLL for (int j = 0; j < nv; j++) v[j] = out_rescale(out_load_i(sum + 8 * j), &g[j], how);
    out_store(out, out_order(out_narrow(v, &b)), n);
    if (table)
      for (int64_t i = 0; i < n; i++) out[i] = table[out[i]];
  }
}

void out_tile(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t ld, int64_t rows, int64_t n,
              const uint8_t *table, void *out, int64_t pitch) {
  int how = out_way(o);
  if (how < 0) {
    size_t bytes = whet_dtype_bits(o->dtype) / 8;
    for (int64_t r = 0; r < rows; r++)
      whet__out_q8_row(o, f, sum + r * ld, n, table, (char *)out + (size_t)(r * pitch) * bytes);
    return;
  }
  const uint8_t *t = o->table ? table : NULL;
  const bool rare = how == OUT_FIX || how == OUT_REAL; /* vector by vector */
  for (int64_t at = 0; at < n;) {
    int64_t left = n - at;
    int nv = rare || left <= 8 ? 1 : left < 32 ? 2 : 4;
    int64_t m = whet__min_i(8 * nv, left);
    uint8_t *to = (uint8_t *)out + at;
#define OUT_CASE(how, nv)                                              \
  case how * 4 + nv - 1:                                               \
    out_bytes(o, f, at, sum + at, ld, rows, m, t, to, pitch, nv, how); \
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
}
