/* SPDX-License-Identifier: Apache-2.0 */
/* Float micro-kernels, RVV: sums in up to 24 of the 32 registers of a machine with 128 bits in each. The columns of a
 * panel are one vector of 16, one of 8, or both; an element of A is read as a scalar, which multiply-adds take. */

#include "kern/riscv/vec_rvv.h"
#include "kern/tile_f32.h"
#include "kern/unary_f32.h"

enum { TILE_MR = 8 };

/* Vectors of 16, as those of 8. */
typedef float vw __attribute__((ext_vector_type(16)));
typedef float vw_memory __attribute__((ext_vector_type(16), aligned(4), may_alias));
static inline vw vw_set(float x) { return (vw)x; }
static inline vw vw_load(const float *p) { return *(const vw_memory *)p; }
static inline void vw_store(float *p, vw v) { *(vw_memory *)p = v; }
/* The first 8 + n elements. */
static inline vw vw_load_n(const float *p, int64_t n) {
  return __builtin_shufflevector(vf_load(p), vf_load_n(p + 8, n), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
                                 15);
}
static inline void vw_store_n(float *p, vw v, int64_t n) {
  vf_store(p, __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7));
  vf_store_n(p + 8, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15), n);
}

/* max(lo, min(hi, x)); a NaN, the second operand, is kept. */
static inline vw vw_clamp(vw x, vw lo, vw hi) {
  x = hi < x ? hi : x;
  return lo > x ? lo : x;
}

/* The tile of mr rows and nv vectors of 8; both are constants where it is called. With nv = 3 the last eight columns
 * are vectors of their own, with nv = 2 they are the second half of the wide ones. */
WHET_INLINE void tile(const whet_tile_f32 *t, const int mr, const int nv) {
  const bool wide = nv > 1, narrow = nv != 2;
  const int at = nv == 3 ? 16 : 0; /* where the narrow vectors begin */
  const int64_t last = t->last, ldc = t->ldc;
  vw x[TILE_MR];
  vf y[TILE_MR];
  WHET_UNROLL for (int i = 0; i < mr; i++) {
    const float *c = t->c + i * ldc;
    if (t->flags & WHET_TILE_ACC) {
      if (wide) x[i] = narrow ? vw_load(c) : vw_load_n(c, last);
      if (narrow) y[i] = vf_load_n(c + at, last);
    } else {
      if (wide) x[i] = vw_load(t->bias);
      if (narrow) y[i] = vf_load(t->bias + at);
    }
  }
  for (int64_t s = 0; s < t->n_seg; s++) {
    const float *w = t->w + t->seg[s].k * nv * 8, *a[TILE_MR];
    WHET_UNROLL for (int i = 0; i < mr; i++) a[i] = t->a + t->seg[s].a + i * t->lda;
    for (int64_t k = 0; k < t->seg[s].run; k++, w += 8 * nv) {
      vw b;
      vf d;
      if (wide) b = vw_load(w);
      if (narrow) d = vf_load(w + at);
      WHET_UNROLL for (int i = 0; i < mr; i++) {
        const float f = a[i][k];
        if (wide) x[i] = __builtin_elementwise_fma(b, vw_set(f), x[i]);
        if (narrow) y[i] = vf_fma(d, vf_set(f), y[i]);
      }
    }
  }
  if (t->flags & WHET_TILE_ADD) {
    WHET_UNROLL for (int i = 0; i < mr; i++) {
      const float *res = t->res + i * t->ldr;
      if (wide) x[i] = x[i] + (narrow ? vw_load(res) : vw_load_n(res, last));
      if (narrow) y[i] = y[i] + vf_load_n(res + at, last);
    }
  }
  if (t->flags & WHET_TILE_CLAMP) {
    WHET_UNROLL for (int i = 0; i < mr; i++) {
      if (wide) x[i] = vw_clamp(x[i], vw_set(t->lo), vw_set(t->hi));
      if (narrow) y[i] = vf_max(vf_set(t->lo), vf_min(vf_set(t->hi), y[i]));
    }
  }
  WHET_UNROLL for (int i = 0; i < mr; i++) {
    float *c = t->c + i * ldc;
    if (wide && (narrow || last == 8))
      vw_store(c, x[i]);
    else if (wide)
      vw_store_n(c, x[i], last);
    if (narrow) vf_store_n(c + at, y[i], last);
  }
}

#define TILE_TABLE whet__tiles_f32_rvv
#define TILE_EPI whet__epi_f32_rvv
#include "kern/tile_f32_table.h"
