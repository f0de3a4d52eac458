/* SPDX-License-Identifier: Apache-2.0 */
/* Float micro-kernels in portable C: the same sums, in memory. */

#include "kern/fma.h"
#include "kern/tile_f32.h"
#include "kern/unary_f32.h"

enum { MR = 4, WIDTH = 24 };

/* The tile of mr rows and `width` columns. */
WHET_INLINE void tile(const whet_tile_f32 *t, int mr, const int width) {
  float acc[MR][WIDTH];
  int n = width - 8 + (int)t->last;
  for (int i = 0; i < mr; i++) {
    for (int j = 0; j < width; j++) acc[i][j] = 0;
    if (t->flags & WHET_TILE_ACC)
      memcpy(acc[i], t->c + i * t->ldc, (size_t)n * 4);
    else
      memcpy(acc[i], t->bias, (size_t)width * 4);
  }
  for (int64_t s = 0; s < t->n_seg; s++) {
    const float *a = t->a + t->seg[s].a, *w = t->w + t->seg[s].k * width;
    for (int64_t k = WHET_BUG(t->seg[s].run > 5); k < t->seg[s].run; k++)
      for (int i = 0; i < mr; i++) whet__fma_line_f32(acc[i], a[i * t->lda + k], w + k * width, width);
  }
  for (int i = 0; i < mr; i++) {
    if (t->flags & WHET_TILE_ADD)
      for (int j = 0; j < n; j++) acc[i][j] += t->res[i * t->ldr + j];
    if (t->flags & WHET_TILE_CLAMP)
      for (int j = 0; j < n; j++) {
        float v = t->hi < acc[i][j] ? t->hi : acc[i][j];
        acc[i][j] = t->lo > v ? t->lo : v;
      }
    memcpy(t->c + i * t->ldc, acc[i], (size_t)n * 4);
  }
}

/* Rows need no code of their own each: what counts is that the width is known. */
#define COLUMNS(nv) \
  static __attribute__((noinline)) void tile_x##nv(const whet_tile_f32 *t, int mr) { tile(t, mr, 8 * nv); }
COLUMNS(1)
COLUMNS(2)
COLUMNS(3)
#define TILE(mr, nv) \
  static void tile_##mr##x##nv(const whet_tile_f32 *t) { tile_x##nv(t, mr); }
#define TILES(X, nv) X(1, nv) X(2, nv) X(3, nv) X(4, nv)
TILES(TILE, 1)
TILES(TILE, 2)
TILES(TILE, 3)

#define ENTRY(m, nv) [m] = tile_##m##x##nv,
const whet_tiles_f32 whet__tiles_f32_c = {
    .form = WHET_PANEL_8,
    .mr = {0, MR, MR, MR},
    .fn = {{0}, {TILES(ENTRY, 1)}, {TILES(ENTRY, 2)}, {TILES(ENTRY, 3)}},
    .epi = whet__epi_f32_c,
};
