/* SPDX-License-Identifier: Apache-2.0 */
/* Float micro-kernels, NEON: sums in up to 24 of the 32 registers, four neighbours of each row of A in one more, which
 * multiply-adds take by element. The tiles with most rows have their loop in loops.h; what is here serves the others and
 * what is left of a run of k, and 32-bit Arm, which has half as many registers. */

#ifndef __clang__ /* gcc would bring the loads of the whole loop forward, for which there are no registers */
#pragma GCC optimize("no-schedule-insns")
#endif

#ifdef __aarch64__
#include "kern/arm/loops.h"
#endif
#include "kern/arm/vec_neon.h"
#include "kern/tile_f32.h"
#include "kern/unary_f32.h"

#ifdef __aarch64__
enum { TILE_MR = 8 };
static const uint8_t most[] = {0, 8, 6, 4}; /* rows of a tile by its vectors */
#else
enum { TILE_MR = 6 };
#endif

/* The tile of mr rows and nv vectors; both are constants where it is called. */
WHET_INLINE void tile(const whet_tile_f32 *t, const int mr, const int nv) {
  vf acc[TILE_MR][3];
  if (t->flags & WHET_TILE_ACC) {
    WHET_UNROLL for (int i = 0; i < mr; i++) {
      WHET_UNROLL for (int j = 0; j < nv - 1; j++) acc[i][j] = vf_load(t->c + i * t->ldc + 8 * j);
      acc[i][nv - 1] = vf_load_n(t->c + i * t->ldc + 8 * (nv - 1), t->last);
    }
  } else {
    WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] =
        vf_load(t->bias + 8 * j);
  }
  for (int64_t s = 0; s < t->n_seg; s++) {
    const float *a[TILE_MR], *w = t->w + t->seg[s].k * nv * 8;
    int64_t k = t->seg[s].run;
    WHET_UNROLL for (int i = 0; i < mr; i++) a[i] = t->a + t->seg[s].a + i * t->lda;
#ifdef __aarch64__
    if (k >= 4 && mr == most[nv]) {
      const int64_t whole = k & ~INT64_C(3), at = 16 - 4 * whole;
      WHET_UNROLL for (int i = 0; i < mr; i++) a[i] += whole - 4;
      if (nv == 1) LOOP_8X2(LOOP_FMLA, 96, acc, a, w, at);
      if (nv == 2) LOOP_6X4(LOOP_FMLA, 96, acc, a, w, at);
      if (nv == 3) LOOP_4X6(LOOP_FMLA, 96, acc, a, w, at);
      WHET_UNROLL for (int i = 0; i < mr; i++) a[i] += 4;
      w += whole * nv * 8, k -= whole;
    }
    for (; k >= 4; k -= 4) {
      float32x4_t x[TILE_MR];
      WHET_UNROLL for (int i = 0; i < mr; i++) x[i] = vld1q_f32(a[i]), a[i] += 4;
#define STEP(LANE)                                                    \
  WHET_UNROLL for (int j = 0; j < nv; j++) {                          \
    const vf b = vf_load(w + 8 * j);                                  \
    WHET_UNROLL for (int i = 0; i < mr; i++) {                        \
      acc[i][j].lo = vfmaq_laneq_f32(acc[i][j].lo, b.lo, x[i], LANE); \
      acc[i][j].hi = vfmaq_laneq_f32(acc[i][j].hi, b.hi, x[i], LANE); \
    }                                                                 \
  }                                                                   \
  w += 8 * nv;
      STEP(0)
      STEP(1)
      STEP(2)
      STEP(3)
#undef STEP
    }
#endif
    for (; k > 0; k--, w += 8 * nv) {
      vf b[3];
      WHET_UNROLL for (int j = 0; j < nv; j++) b[j] = vf_load(w + 8 * j);
      WHET_UNROLL for (int i = 0; i < mr; i++) {
        const vf x = vf_set(*a[i]++);
        WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] = vf_fma(b[j], x, acc[i][j]);
      }
    }
  }
  if (t->flags & WHET_TILE_ADD) {
    WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] =
        vf_add(acc[i][j], vf_load_n(t->res + i * t->ldr + 8 * j, j < nv - 1 ? 8 : t->last));
  }
  if (t->flags & WHET_TILE_CLAMP) {
    vf lo = vf_set(t->lo), hi = vf_set(t->hi);
    WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < nv; j++) acc[i][j] =
        vf_max(lo, vf_min(hi, acc[i][j])); /* a NaN, the second operand, is kept */
  }
  WHET_UNROLL for (int i = 0; i < mr; i++) {
    WHET_UNROLL for (int j = 0; j < nv - 1; j++) vf_store(t->c + i * t->ldc + 8 * j, acc[i][j]);
    vf_store_n(t->c + i * t->ldc + 8 * (nv - 1), acc[i][nv - 1], t->last);
  }
}

#define TILE_TABLE whet__tiles_f32_neon
#define TILE_EPI whet__epi_f32_neon
#ifdef __aarch64__
#include "kern/tile_f32_table.h"
#else
#include "kern/arm/tile_f32_table32.h"
#endif
