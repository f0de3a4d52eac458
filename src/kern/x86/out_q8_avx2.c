/* SPDX-License-Identifier: Apache-2.0 */
/* out_tile() of out_q8_avx2.h: tiles of sums to bytes. It is large, so kernels share it; and sums of what they read. */

#include "kern/x86/out_q8_avx2.h"

/* Rows of 8 * nv sums, `ld` apart, to bytes `pitch` apart: as many at once as fill four vectors, the last row standing for those
 * that are not there. */
OUT_INLINE void make(const whet_out_ready_avx2 *t, const int32_t *sum, int64_t ld, int64_t rows, uint8_t *out, int64_t pitch, int nv,
                     int how) {
  const int per = 4 / nv;
  const out_bound b = t->bound;
  const bool cut = how == OUT_HALF || how == OUT_HALF_UP;
  const unsigned before = cut ? out_cutting() : 0;
  int64_t from[4], to[4];
  OUT_UNROLL for (int i = 0; i < per; i++) from[i] = i * ld, to[i] = i * pitch;
  for (; rows > 0; rows -= per, sum += per * ld, out += per * pitch) {
    if (rows < per) {
      OUT_UNROLL for (int i = 0; i < per; i++) from[i] = whet__min_i(i, rows - 1) * ld,
                                               to[i] = whet__min_i(i, rows - 1) * pitch;
    }
    __m256i v[4];
    OUT_UNROLL for (int j = 0; j < 4; j++) v[j] =
        out_rescale(out_load_i(sum + from[j / nv] + j % nv * 8), &t->g[j % nv], how);
    const __m256i x = out_order(out_narrow(v, &b));
    const __m128i part[2] = {_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)};
    OUT_UNROLL for (int i = 0; i < per; i++) {
      uint8_t *p = out + to[i];
      __m128i y = part[nv == 1 ? i / 2 : i % 2];
      if (nv == 1 && i % 2) y = _mm_unpackhi_epi64(y, y);
      if (nv == 2)
        _mm_storeu_si128((__m128i *)(void *)p, y);
      else
        _mm_storel_epi64((__m128i *)(void *)p, y);
    }
  }
  if (cut) out_as_before(before);
}
#define MAKE(how)                                                                                                      \
  static void make_##how##_1(const whet_out_ready_avx2 *t, const int32_t *sum, int64_t ld, int64_t rows, uint8_t *out, \
                             int64_t pitch) {                                                                          \
    make(t, sum, ld, rows, out, pitch, 1, how);                                                                        \
  }                                                                                                                    \
  static void make_##how##_2(const whet_out_ready_avx2 *t, const int32_t *sum, int64_t ld, int64_t rows, uint8_t *out, \
                             int64_t pitch) {                                                                          \
    make(t, sum, ld, rows, out, pitch, 2, how);                                                                        \
  }
MAKE(OUT_HALF)
MAKE(OUT_HALF_UP)
MAKE(OUT_FIX)
MAKE(OUT_REAL32)

/* What makes bytes of n <= 16 sums from channel `at` on; false where nothing here does. */
static bool ready(whet_out_ready_avx2 *t, const whet_out_q8 *o, const whet_factors *f, int64_t at, int64_t n) {
#define ROW(how) [how] = {make_##how##_1, make_##how##_2},
  static const whet_out_make_avx2 makes[][2] = {ROW(OUT_HALF) ROW(OUT_HALF_UP) ROW(OUT_FIX) ROW(OUT_REAL32)};
#undef ROW
  const int nv = n > 8 ? 2 : 1;
  int how = out_way(o);
  if (how == OUT_FIX && f->half) { /* what no half was found for stays */
    __m256 none = _mm256_setzero_ps();
    for (int j = 0; j < nv; j++) {
      const __m256 half = _mm256_loadu_ps(f->half + at + 8 * j);
      none = _mm256_or_ps(none, _mm256_cmp_ps(half, half, _CMP_UNORD_Q));
    }
    if (!_mm256_movemask_ps(none)) how = o->lo >= o->zero ? OUT_HALF_UP : OUT_HALF;
  }
  t->make = how < 0 ? NULL : makes[how][nv - 1];
  if (!t->make) return false;
  t->bound = out_bounds(o);
  for (int j = 0; j < nv; j++) t->g[j] = out_load(f, at + 8 * j, how);
  return true;
}

void out_ready(whet_out_ready_avx2 *t, const whet_out_q8 *o, const whet_factors *f, int64_t n, const uint8_t *table) {
  t->then = ready(t, o, f, 0, n) && o->table;
  if (n != 8 && n != 16) t->make = NULL;
  if (t->then) whet__lut_avx2(&t->table, table);
}

void out_ready_tile(const whet_out_ready_avx2 *t, const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t rows,
                    int64_t n, const uint8_t *table, void *out, int64_t pitch) {
  if (!t->make) {
    out_tile(o, f, sum, 16, rows, n, table, out, pitch);
    return;
  }
  t->make(t, sum, 16, rows, out, pitch);
  if (t->then) whet__lut_rows_avx2(&t->table, out, pitch, out, pitch, rows, n);
}

/* Rows of any number of sums, 16 columns at a time. */
static void made_rows(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t ld, int64_t rows, int64_t n, uint8_t *out,
                      int64_t pitch) {
  for (int64_t at = 0; at < n; at += 16) {
    whet_out_ready_avx2 t;
    const int64_t m = whet__min_i(16, n - at);
    ready(&t, o, f, at, m);
    if (m % 8 == 0) {
      t.make(&t, sum + at, ld, rows, out + at, pitch);
      continue;
    }
    for (int64_t r = 0; r < rows; r++) { /* rare: not to write past the end */
      uint8_t own[16];
      t.make(&t, sum + r * ld + at, ld, 1, own, 16);
      memcpy(out + r * pitch + at, own, (size_t)m);
    }
  }
}

/* Eight sums by OUT_REAL in double precision. */
static __attribute__((noinline)) __m256i real_again(const int32_t *sum, const double *real) {
  const whet_factors f = {.real = real};
  const out_factor g = out_load(&f, 0, OUT_REAL);
  return out_rescale(out_load_i(sum), &g, OUT_REAL);
}

/* Rows of n <= 16 sums by OUT_REAL; what single precision leaves open (OUT_FAR) is asked in doubles. Up to eight sums
 * are their own neighbours. */
static void real_rows(const whet_out_q8 *o, const double *real, const int32_t *sum, int64_t ld, int64_t rows,
                      int64_t n, uint8_t *out, int64_t pitch) {
  const out_bound b = out_bounds(o);
  const int64_t more = n > 8 ? 8 : 0;
  __m256 g[2];
  OUT_UNROLL for (int j = 0; j < 2; j++) g[j] = _mm256_setr_m128(
      _mm256_cvtpd_ps(_mm256_loadu_pd(real + j * more)), _mm256_cvtpd_ps(_mm256_loadu_pd(real + j * more + 4)));
  for (int64_t r = 0; r < rows; r++, sum += ld, out += pitch) {
    __m256 far = _mm256_setzero_ps();
    __m256i v[4];
    OUT_UNROLL for (int j = 0; j < 2; j++) {
      __m256 q = _mm256_mul_ps(_mm256_cvtepi32_ps(out_load_i(sum + j * more)), g[j]);
      far = out_larger32(far, out_sub32(q, out_near32(q)));
      v[j] = v[j + 2] = out_from_real_away(q);
    }
    if (WHET_UNLIKELY(out_above32(far, _mm256_set1_ps(OUT_FAR))))
      OUT_UNROLL for (int j = 0; j < 2; j++) v[j] = v[j + 2] = real_again(sum + j * more, real + j * more);
    out_store(out, out_order(out_narrow(v, &b)), n);
  }
}

void out_tile(const whet_out_q8 *o, const whet_factors *f, const int32_t *sum, int64_t ld, int64_t rows, int64_t n,
              const uint8_t *table, void *out, int64_t pitch) {
  int how = out_way(o);
  if (o->live) {
    whet__sums_tile_avx2(whet__out_live(table), sum, ld, rows, n, out);
    return;
  }
  if (how < 0) {
    whet__out_q8_rows(o, f, sum, ld, rows, n, table, out, pitch);
    return;
  }
  if (how == OUT_REAL) {
    for (int64_t at = 0; at < n; at += 16)
      real_rows(o, f->real + at, sum + at, ld, rows, whet__min_i(16, n - at), (uint8_t *)out + at, pitch);
  } else {
    made_rows(o, f, sum, ld, rows, n, out, pitch);
  }
  if (!o->table) return;
  whet_lut_avx2 t;
  whet__lut_avx2(&t, table);
  whet__lut_rows_avx2(&t, out, pitch, out, pitch, rows, n);
}

uint32_t whet__sum_bytes_avx2(const uint8_t *a, const int64_t *seg, int64_t n_seg, int64_t n) {
  __m256i s = _mm256_setzero_si256();
  __m128i t = _mm_setzero_si128();
  uint32_t rest = 0;
  for (int64_t j = 0; j < n_seg; j++) {
    const uint8_t *from = a + seg[j];
    int64_t k = n;
    for (; k >= 32; k -= 32, from += 32) s = _mm256_add_epi64(s, _mm256_sad_epu8(out_load_i(from), _mm256_setzero_si256()));
    for (; k >= 8; k -= 8, from += 8)
      t = _mm_add_epi64(t, _mm_sad_epu8(_mm_loadl_epi64((const __m128i *)(const void *)from), _mm_setzero_si128()));
    for (; k > 0; k--) rest += *from++;
  }
  t = _mm_add_epi64(t, _mm_add_epi64(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1)));
  return rest + (uint32_t)_mm_cvtsi128_si32(t) + (uint32_t)_mm_extract_epi32(t, 2);
}
