/* SPDX-License-Identifier: Apache-2.0 */
/* Family few_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS, and, where a
 * table of 16 floats is one instruction, FEW_LOOK(table, x): what the lowest four bits of x stand for. */

#include "kern/few_f32.h"
#include "kern/row_name.h"
#include "kern/unary_f32.h"

#define EPI__(isa) whet__epi_f32_##isa
#define EPI_(isa) EPI__(isa)
#define EPI EPI_(ISA)

enum { PV = WHET_FEW_PANEL / VW, ROWS = VW > 8 ? 4 : 1 /* rows that share a look at weights */ };

#ifdef FEW_LOOK
typedef vf few_table;
static inline few_table few_table_of(bool zeros) {
  float t[16];
  for (int i = 0; i < 16; i++) t[i] = (float)(zeros ? i : i - 8);
  return vf_load(t);
}
#define FEW_NUMBER(table, x) FEW_LOOK(table, x)
#else
typedef vi few_table;
static inline few_table few_table_of(bool zeros) { return vi_set(zeros ? 0 : 8); }
#define FEW_NUMBER(table, x) vi_to_f(vi_sub(vi_and(x, vi_set(15)), table))
#endif

/* Bytes of weights that are fetched early: they come from memory, which takes longer than the products do. */
enum { AHEAD = 8192 };

/* Eight of k: rows of x times what `words` stand for, less zero where there are zero points, added to acc. */
WHET_INLINE void eight(const char *words, const vf zero[PV], few_table table, const float *x, int64_t lda,
                       vf acc[][PV], const int rows, const bool zeros) {
  vi v[PV];
  __builtin_prefetch(words + AHEAD);
  WHET_UNROLL for (int q = 0; q < PV; q++) v[q] = vi_load((const int32_t *)(const void *)words + q * VW);
  WHET_UNROLL for (int i = 0; i < 8; i++) WHET_UNROLL for (int q = 0; q < PV; q++) {
    vf w = FEW_NUMBER(table, i ? vi_sar(v[q], 4 * i) : v[q]);
    if (zeros) w = vf_sub(w, zero[q]);
    WHET_UNROLL for (int r = 0; r < rows; r++) acc[r][q] = vf_fma(vf_set(x[r * lda + i]), w, acc[r][q]);
  }
}

/* A panel of n outputs for some rows. */
WHET_INLINE void panel(const whet_few_f32 *g, const char *w, const float *a, float *c, int64_t n, const int rows,
                       const bool zeros) {
  const few_table table = few_table_of(zeros);
  vf sum[ROWS][PV], zero[PV];
  WHET_UNROLL for (int r = 0; r < rows; r++) WHET_UNROLL for (int q = 0; q < PV; q++) sum[r][q] =
      vf_load((const float *)(const void *)w + q * VW);
  w += 64;
  for (int64_t b = 0; b < g->k - WHET_BUG(g->block); b += g->block) {
    vf acc[WHET_FEW_CHAINS][ROWS][PV];
    const float *scale = (const float *)(const void *)w;
    __builtin_prefetch(w + AHEAD);
    w += 64;
    WHET_UNROLL for (int q = 0; q < PV; q++) zero[q] =
        zeros ? vf_load((const float *)(const void *)w + q * VW) : vf_set(0);
    if (zeros) w += 64;
    WHET_UNROLL for (int i = 0; i < WHET_FEW_CHAINS; i++) WHET_UNROLL for (int r = 0; r < rows; r++)
        WHET_UNROLL for (int q = 0; q < PV; q++) acc[i][r][q] = vf_set(0);
    int64_t k = b;
    for (; k + 32 <= b + g->block; k += 32, w += 256)
      WHET_UNROLL for (int i = 0; i < WHET_FEW_CHAINS; i++)
          eight(w + 64 * i, zero, table, a + k + 8 * i, g->lda, acc[i], rows, zeros);
    for (int i = 0; k < b + g->block;
         i++, k += 8, w += 64) { /* not by i as an index, which would keep chains in memory */
      if (i == 0) eight(w, zero, table, a + k, g->lda, acc[0], rows, zeros);
      if (i == 1) eight(w, zero, table, a + k, g->lda, acc[1], rows, zeros);
      if (i == 2) eight(w, zero, table, a + k, g->lda, acc[2], rows, zeros);
    }
    WHET_UNROLL for (int r = 0; r < rows; r++) WHET_UNROLL for (int q = 0; q < PV; q++) {
      const vf dot = vf_add(vf_add(acc[0][r][q], acc[1][r][q]), vf_add(acc[2][r][q], acc[3][r][q]));
      sum[r][q] = vf_fma(dot, vf_load(scale + q * VW), sum[r][q]);
    }
  }
  for (int r = 0; r < rows; r++)
    for (int q = 0; q < PV && q * VW < n; q++)
      vf_store_n(c + r * g->ldc + q * VW, sum[r][q], whet__min_i(VW, n - q * VW));
}

#define PANEL(rows, zeros)                                                                                           \
  static __attribute__((noinline)) void panel_##rows##_##zeros(const whet_few_f32 *g, const char *w, const float *a, \
                                                               float *c, int64_t n) {                                \
    panel(g, w, a, c, n, rows, zeros);                                                                               \
  }
PANEL(1, 0)
PANEL(1, 1)
#if VW > 8
PANEL(4, 0)
PANEL(4, 1)
#else
#define panel_4_0 panel_1_0 /* not called */
#define panel_4_1 panel_1_1
#endif

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_few_f32 *g = params;
  const size_t size = whet__few_panel(g->k, g->block, g->zeros);
  int64_t from, to;
  whet__split(whet__ceil_div(g->n, WHET_FEW_PANEL), part, parts, &from, &to);
  for (int64_t p = from; p < to; p++) {
    const char *w = (const char *)ptr[2] + (size_t)p * size;
    const int64_t at = p * WHET_FEW_PANEL, n = whet__min_i(WHET_FEW_PANEL, g->n - at);
    for (int64_t i = 0, rows; i < g->m; i += rows) {
      const float *a = (const float *)ptr[0] + i * g->lda;
      float *c = (float *)ptr[1] + i * g->ldc + at;
      rows = i + ROWS <= g->m ? ROWS : 1;
      if (rows > 1)
        (g->zeros ? panel_4_1 : panel_4_0)(g, w, a, c, n);
      else
        (g->zeros ? panel_1_1 : panel_1_0)(g, w, a, c, n);
      if (g->epi.n) EPI(&g->epi, c, g->ldc, ptr[3] ? (const float *)ptr[3] + i * g->ldr + at : NULL, g->ldr, rows, n);
    }
  }
}

WHET_ROW(few_f32);
