/* SPDX-License-Identifier: Apache-2.0 */
/* Float micro-kernels, AVX-512: sums in up to 28 registers, weights in up to 4, one broadcast of A at a time. */

#include <immintrin.h>

#include "kern/tile_f32.h"
#include "kern/unary_f32.h"
#include "kern/x86/tile.h"

/* The tile of mr rows and nv vectors; both are constants where it is called. */
WHET_INLINE void tile(const whet_tile_f32 *t, const int mr, const int nv) {
  __m512 acc[WHET_TILE_MR][WHET_TILE_NV];
  const __mmask16 last = (__mmask16)((1u << t->last) - 1u);
  const bool tight = mr * nv + nv + 1 > 32; /* the last vector of weights stays in memory */
  if (t->flags & WHET_TILE_ACC) {
    WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] =
        _mm512_maskz_loadu_ps(j < nv - 1 ? 0xffff : last, t->c + i * t->ldc + 16 * j);
  } else {
    WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] =
        _mm512_load_ps(t->bias + 16 * j);
  }
  const int bases = (mr + WHET_ROWS - 1) / WHET_ROWS;
  whet_rows r = whet__rows(t->lda);
  const float *ahead = t->ahead;
  const int width = nv > 3 ? 32 : 16 * nv; /* of a panel: four vectors are two of them, eight are four */
  const int64_t pair = t->pair - 32;
  for (int64_t s = 0; s < t->n_seg; s++) {
    const char *base[(WHET_TILE_MR + WHET_ROWS - 1) / WHET_ROWS];
    WHET_UNROLL for (int i = 0; i < bases; i++) base[i] = (const char *)(t->a + t->seg[s].a) + i * WHET_ROWS * r.l1;
    const float *w = t->w + t->seg[s].k * width;
    for (int64_t k = t->seg[s].run; k > 0; k--) {
      __m512 b[WHET_TILE_NV];
      WHET_UNROLL for (int i = 0; i < bases; i++) WHET_OPAQUE(base[i]);
      if (mr > 1 && WHET_TILE_AHEAD(nv) > 0) _mm_prefetch((const char *)ahead, _MM_HINT_T1); /* one row reads as fast as it can */
      WHET_UNROLL for (int j = 0; j < nv - tight; j++) b[j] =
          _mm512_load_ps(w + 16 * j + 16 * j / width * pair);
      WHET_UNROLL for (int i = 0; i < mr; i++) {
        __m512 a = _mm512_set1_ps(*whet__row(&r, base, i));
        WHET_UNROLL for (int j = 0; j < nv - tight; j++) acc[i][j] = _mm512_fmadd_ps(a, b[j], acc[i][j]);
        if (tight)
          __asm__("vfmadd231ps %2, %1, %0"
                  : "+v"(acc[i][nv - 1])
                  : "v"(a), "m"(*(const __m512 *)(w + 16 * (nv - 1) + 16 * (nv - 1) / width * pair)));
      }
      w += width;
      ahead += WHET_TILE_AHEAD(nv);
      WHET_UNROLL for (int i = 0; i < bases; i++) base[i] += 4;
    }
  }
  if (t->flags & WHET_TILE_ADD) {
    WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] =
        _mm512_add_ps(acc[i][j], _mm512_maskz_loadu_ps(j < nv - 1 ? 0xffff : last, t->res + i * t->ldr + 16 * j));
  }
  if (t->flags & WHET_TILE_CLAMP) {
    __m512 lo = _mm512_set1_ps(t->lo), hi = _mm512_set1_ps(t->hi);
    WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] =
        _mm512_max_ps(lo, _mm512_min_ps(hi, acc[i][j])); /* a NaN, the second operand, is kept */
  }
  WHET_UNROLL for (int i = 0; i < mr; i++) {
    WHET_UNROLL for (int j = 0; j < nv - 1; j++) _mm512_storeu_ps(t->c + i * t->ldc + 16 * j, acc[i][j]);
    _mm512_mask_storeu_ps(t->c + i * t->ldc + 16 * (nv - 1), last, acc[i][nv - 1]);
  }
}

#define TILE(mr, nv) \
  static void tile_##mr##x##nv(const whet_tile_f32 *t) { tile(t, mr, nv); }
/* Heights are left out where both halves hide the latency of their sums, or nearly. One vector: twice as high would
 * spare a load in 28. */
#define TILES_4(X, nv) X(1, nv) X(2, nv) X(3, nv) X(4, nv)
#define TILES_1(X) TILES_4(X, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1) X(13, 1) X(14, 1)
#define TILES_2(X) TILES_4(X, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2) X(12, 2) X(14, 2)
#define TILES_3(X) TILES_4(X, 3) X(6, 3) X(9, 3)
#define TILES_V4(X) TILES_4(X, 4) X(5, 4) X(6, 4) X(7, 4)
TILES_1(TILE)
TILES_2(TILE)
TILES_3(TILE)
TILES_V4(TILE)
TILE(1, 8)

#define ENTRY(m, nv) [m] = tile_##m##x##nv,
const whet_tiles_f32 whet__tiles_f32_avx512 = {
    .form = WHET_PANEL_16,
    .mr = {0, 14, 14, 9, 7, 0, 0, 0, 1},
    .pair = 2,
    .fn = {{0}, {TILES_1(ENTRY)}, {TILES_2(ENTRY)}, {TILES_3(ENTRY)}, {TILES_V4(ENTRY)}, {0}, {0}, {0}, {ENTRY(1, 8)}},
    .epi = whet__epi_f32_avx512,
};
