/* SPDX-License-Identifier: Apache-2.0 */
/* Float micro-kernels, AVX2 and FMA: sums in 12 of the 16 registers. */

#include <immintrin.h>

#include "kern/tile_f32.h"
#include "kern/unary_f32.h"
#include "kern/x86/tile.h"

/* n lanes, the rest 0. */
WHET_INLINE __m256 load_some(const float *p, bool all, __m256i mask) {
  return all ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, mask);
}

/* The tile of mr rows and nv vectors; both are constants where it is called. */
WHET_INLINE void tile(const whet_tile_f32 *t, const int mr, const int nv) {
  __m256 acc[12][3];
  const __m256i last = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)t->last), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  if (t->flags & WHET_TILE_ACC) {
    WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] =
        load_some(t->c + i * t->ldc + 8 * j, j < nv - 1, last);
  } else {
    WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] =
        _mm256_load_ps(t->bias + 8 * j);
  }
  const int bases = (mr + WHET_ROWS - 1) / WHET_ROWS;
  whet_rows r = whet__rows(t->lda);
  const float *ahead = t->ahead;
  for (int64_t s = 0; s < t->n_seg; s++) {
    const char *base[(WHET_TILE_MR + WHET_ROWS - 1) / WHET_ROWS];
    WHET_UNROLL for (int i = 0; i < bases; i++) base[i] = (const char *)(t->a + t->seg[s].a) + i * WHET_ROWS * r.l1;
    const float *w = t->w + t->seg[s].k * nv * 8;
    for (int64_t k = t->seg[s].run; k > 0; k--) {
      __m256 b[3];
      WHET_UNROLL for (int i = 0; i < bases; i++) WHET_OPAQUE(base[i]);
      if (WHET_TILE_AHEAD(nv) > 0) _mm_prefetch((const char *)ahead, _MM_HINT_T1);
      WHET_UNROLL for (int j = 0; j < nv; j++) b[j] = _mm256_load_ps(w + 8 * j);
      WHET_UNROLL for (int i = 0; i < mr; i++) {
        __m256 a = _mm256_broadcast_ss(whet__row(&r, base, i));
        WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] = _mm256_fmadd_ps(a, b[j], acc[i][j]);
      }
      w += 8 * nv;
      ahead += WHET_TILE_AHEAD(nv);
      WHET_UNROLL for (int i = 0; i < bases; i++) base[i] += 4;
    }
  }
  if (t->flags & WHET_TILE_ADD) {
    WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] =
        _mm256_add_ps(acc[i][j], load_some(t->res + i * t->ldr + 8 * j, j < nv - 1, last));
  }
  if (t->flags & WHET_TILE_CLAMP) {
    __m256 lo = _mm256_set1_ps(t->lo), hi = _mm256_set1_ps(t->hi);
    WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] =
        _mm256_max_ps(lo, _mm256_min_ps(hi, acc[i][j])); /* a NaN, the second operand, is kept */
  }
  WHET_UNROLL for (int i = 0; i < mr; i++) {
    WHET_UNROLL for (int j = 0; j < nv - 1; j++) _mm256_storeu_ps(t->c + i * t->ldc + 8 * j, acc[i][j]);
    if (t->last == 8)
      _mm256_storeu_ps(t->c + i * t->ldc + 8 * (nv - 1), acc[i][nv - 1]);
    else
      _mm256_maskstore_ps(t->c + i * t->ldc + 8 * (nv - 1), last, acc[i][nv - 1]);
  }
}

#define TILE(mr, nv) \
  static void tile_##mr##x##nv(const whet_tile_f32 *t) { tile(t, mr, nv); }
#define TILES_4(X, nv) X(1, nv) X(2, nv) X(3, nv) X(4, nv)
#define TILES_6(X, nv) TILES_4(X, nv) X(5, nv) X(6, nv)
#define TILES_12(X, nv) TILES_6(X, nv) X(7, nv) X(8, nv) X(9, nv) X(10, nv) X(11, nv) X(12, nv)
TILES_12(TILE, 1)
TILES_6(TILE, 2)
TILES_4(TILE, 3)

#define ENTRY(m, nv) [m] = tile_##m##x##nv,
const whet_tiles_f32 whet__tiles_f32_avx2 = {
    .form = WHET_PANEL_8,
    .mr = {0, 12, 6, 4},
    .fn = {{0}, {TILES_12(ENTRY, 1)}, {TILES_6(ENTRY, 2)}, {TILES_4(ENTRY, 3)}},
    .epi = whet__epi_f32_avx2,
};
