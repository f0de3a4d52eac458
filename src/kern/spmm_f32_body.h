/* SPDX-License-Identifier: Apache-2.0 */
/* Family spmm_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS. */

#include "kern/row_name.h"
#include "kern/spmm_f32.h"
#include "kern/unary_f32.h"

#define EPI__(isa) whet__epi_f32_##isa
#define EPI_(isa) EPI__(isa)
#define EPI EPI_(ISA)

enum { NV = VW > 8 ? 2 : 4 /* vectors of rows in a block */ };
enum { STEP = NV * VW };
/* Where the rows of an entry of `at` are in a turned block. */
#define ROWS_AT(a, at) ((a) + (STEP == (int)WHET_SPMM_ROWS ? (uint32_t)(at) : (uint32_t)(at) / WHET_SPMM_ROWS * STEP))
enum { PV = WHET_SPMM_PANEL / VW /* vectors of a panel */ };

/* Bytes of scratch: a block of A and the columns of C, rows as lanes. */
static size_t scratch(const void *params) {
  const whet_spmm_f32 *p = params;
  if (p->form != WHET_SPMM_SCATTERED) return 0;
  return (size_t)(whet__spmm_k_block(p->k) + spmm_pad(p->n, VW)) * NV * VW * sizeof(float);
}

/* VW rows of at most VW floats each, turned: column i goes to `to` + i * step. Rows past `rows` repeat the last. */
static void turn_in(const float *a, int64_t lda, int64_t rows, int64_t width, float *to, int64_t step) {
  float whole[VW * VW];
  if (rows < VW || width < VW) {
    for (int64_t i = 0; i < VW; i++) vf_store(whole + i * VW, vf_load_n(a + whet__min_i(i, rows - 1) * lda, width));
    a = whole, lda = VW;
  }
  vf_turn(a, lda, to, step);
}

/* And back: VW columns, `step` apart, into `rows` rows of `width` floats. */
static void turn_out(const float *t, int64_t step, int64_t rows, int64_t width, float *c, int64_t ldc) {
  float whole[VW * VW];
  const bool some = rows < VW || width < VW;
  vf_turn(t, step, some ? whole : c, some ? VW : ldc);
  for (int64_t i = 0; i < rows && some; i++) vf_store_n(c + i * ldc, vf_load(whole + i * VW), width);
}

/* What nl lists from x on add to their columns of nv vectors: nl * nv chains are under way at once, since few of them
 * wait for themselves. What the longer lists have left comes after. */
WHET_INLINE void columns(const whet_spmm_view *v, const float *a, int64_t x, float *c, const int nv, const int nl) {
  const int32_t *k[4];
  const float *w[4];
  vf s[4][NV];
  uint32_t n = UINT32_MAX;
#define ADD(l, i)                                                                    \
  do {                                                                               \
    vf f = vf_set(w[l][i]);                                                          \
    const float *at = ROWS_AT(a, k[l][i]);                                           \
    WHET_UNROLL                                                                      \
    for (int r = 0; r < nv; r++) s[l][r] = vf_fma(vf_load(at + r * VW), f, s[l][r]); \
  } while (0)
  WHET_UNROLL
  for (int l = 0; l < nl; l++) {
    uint32_t from = v->start[x + l], end = v->start[x + l + 1];
    k[l] = v->at + from, w[l] = v->w + from;
    n = end - from < n ? end - from : n;
    WHET_UNROLL
    for (int r = 0; r < nv; r++) s[l][r] = vf_load(c + (int64_t)v->col[x + l] * STEP + r * VW);
  }
  for (uint32_t i = 0; i < n; i++) {
    WHET_UNROLL
    for (int l = 0; l < nl; l++) ADD(l, i);
  }
  WHET_UNROLL
  for (int l = 0; l < nl; l++) {
    for (uint32_t i = n; i < v->start[x + l + 1] - v->start[x + l]; i++) ADD(l, i);
    WHET_UNROLL
    for (int r = 0; r < nv; r++) vf_store(c + (int64_t)v->col[x + l] * STEP + r * VW, s[l][r]);
  }
#undef ADD
}

/* n lists from x on, added to the columns c of one block of rows; few: half of its vectors are enough, and what
 * becomes of the others does not matter. */
static void block(const whet_spmm_view *v, const float *a, int64_t x, int64_t n, float *c, bool few) {
  int64_t end = x + n;
  if (few)
    for (; x + 4 <= end; x += 4) columns(v, a, x, c, NV / 2, 4);
  else
    for (; x + 2 <= end; x += 2) columns(v, a, x, c, NV, 2);
  for (; x < end; x++) columns(v, a, x, c, NV, 1);
}

/* At most NV vectors of rows from row r0 on. Vectors without rows are made of the last row and not stored. */
static void row_block(const whet_spmm_f32 *g, const whet_spmm_view *v, void *const *ptr, int64_t r0, int64_t rows,
                      float *t) {
  const int64_t kb = whet__spmm_k_block(g->k);
  const float *a = (const float *)ptr[0] + r0 * g->lda;
  float *c = (float *)ptr[1] + r0 * g->ldc, *cols = t + kb * STEP;
  const bool few = 2 * rows <= STEP;
  for (int64_t j = 0; j < g->n; j++)
    for (int r = 0; r < NV; r++) vf_store(cols + j * STEP + r * VW, vf_set(v->bias[j]));
  for (int64_t k = 0, list = 0; k < g->k; k += kb, list += g->n) {
    int64_t end = whet__min_i(k + kb, g->k) - WHET_BUG(1);
    for (int64_t i = k; i < end; i += VW)
      for (int64_t b = 0; b < (few ? NV / 2 : NV); b++) {
        int64_t first = whet__min_i(b * VW, rows - 1);
        turn_in(a + first * g->lda + i, g->lda, rows - first, whet__min_i(VW, end - i), t + (i - k) * STEP + b * VW,
                STEP);
      }
    block(v, t, list, g->n, cols, few);
  }
  for (int64_t j = 0; j < g->n; j += VW)
    for (int64_t b = 0; b < NV && b * VW < rows; b++)
      turn_out(cols + j * STEP + b * VW, STEP, whet__min_i(VW, rows - b * VW), whet__min_i(VW, g->n - j),
               c + b * VW * g->ldc + j, g->ldc);
}

static void scattered(const whet_spmm_f32 *g, void *const *ptr, int part, int parts) {
  whet_spmm_view v = whet__spmm_view(g->form, g->n, g->k, g->stored, ptr[2]);
  float *t = ptr[4];
  int64_t from, to;
  whet__split(whet__ceil_div(g->m, VW), part, parts, &from, &to);
  for (int64_t i = from; i < to; i += NV) {
    int64_t r0 = i * VW, rows = whet__min_i(whet__min_i(i + NV, to) * VW, g->m) - r0;
    row_block(g, &v, ptr, r0, rows, t);
    if (g->epi.n)
      EPI(&g->epi, (float *)ptr[1] + r0 * g->ldc, g->ldc, ptr[3] ? (const float *)ptr[3] + r0 * g->ldr : NULL, g->ldr, rows, g->n);
  }
}

/* clang unrolls loops of a number of rows where it is a constant, gcc where that pays. */
#ifdef __clang__
#define PANEL_INLINE WHET_INLINE
#else
#define PANEL_INLINE static inline
#endif

/* One panel of nr rows. */
PANEL_INLINE void panel(const whet_spmm_view *v, const float *a, int64_t lda, int64_t p, const int nr, float *c,
                        int64_t ldc, int64_t n) {
  vf s[4][PV];
  WHET_UNROLL
  for (int r = 0; r < nr; r++)
    for (int q = 0; q < PV; q++) s[r][q] = vf_load(v->bias + p * WHET_SPMM_PANEL + q * VW);
  for (uint32_t i = v->start[p]; i < v->start[p + 1]; i++) {
    const float *x = a + v->at[i], *w = v->w + (int64_t)i * WHET_SPMM_PANEL;
    WHET_UNROLL
    for (int r = 0; r < nr; r++) {
      vf f = vf_set(x[r * lda]);
      WHET_UNROLL
      for (int q = 0; q < PV; q++) s[r][q] = vf_fma(f, vf_load(w + q * VW), s[r][q]);
    }
  }
  for (int r = 0; r < nr; r++)
    for (int q = 0; q < PV; q++) {
      int64_t width = n - q * VW;
      if (width >= VW)
        vf_store(c + r * ldc + q * VW, s[r][q]);
      else if (width > 0)
        vf_store_n(c + r * ldc + q * VW, s[r][q], width);
    }
}

static void blocks(const whet_spmm_f32 *g, void *const *ptr, int part, int parts) {
  whet_spmm_view v = whet__spmm_view(g->form, g->n, g->k, g->stored, ptr[2]);
  int64_t panels = whet__ceil_div(g->n, WHET_SPMM_PANEL), rows = whet__ceil_div(g->m, 4), r0 = 0, r1 = rows, p0 = 0,
          p1 = panels;
  if (rows >= 2 * parts)
    whet__split(rows, part, parts, &r0, &r1);
  else
    whet__split(panels, part, parts, &p0, &p1);
  for (int64_t i = r0 * 4; i < whet__min_i(r1 * 4, g->m); i += 4) {
    int64_t nr = whet__min_i(4, g->m - i), j = p0 * WHET_SPMM_PANEL, end = whet__min_i(p1 * WHET_SPMM_PANEL, g->n);
    const float *a = (const float *)ptr[0] + i * g->lda;
    float *c = (float *)ptr[1] + i * g->ldc;
    for (int64_t p = p0; p < p1; p++) {
      int64_t at = p * WHET_SPMM_PANEL, n = g->n - at;
      if (nr == 4)
        panel(&v, a, g->lda, p, 4, c + at, g->ldc, n);
      else
        for (int64_t r = 0; r < nr; r++) panel(&v, a + r * g->lda, g->lda, p, 1, c + r * g->ldc + at, g->ldc, n);
    }
    if (g->epi.n && j < end)
      EPI(&g->epi, c + j, g->ldc, ptr[3] ? (const float *)ptr[3] + i * g->ldr + j : NULL, g->ldr, nr, end - j);
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_spmm_f32 *g = params;
  if (g->form == WHET_SPMM_SCATTERED)
    scattered(g, ptr, part, parts);
  else
    blocks(g, ptr, part, parts);
}

WHET_ROW_SCRATCH(spmm_f32);
