/* SPDX-License-Identifier: Apache-2.0 */
/* Family spmm_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS. */

#include "kern/row_name.h"
#include "kern/spmm_f32.h"
#include "kern/unary_f32.h"

#define EPI__(isa) whet__epi_f32_##isa
#define EPI_(isa) EPI__(isa)
#define EPI EPI_(ISA)

enum { NV = VW > 8 ? 2 : 4 /* vectors of rows in a block */ };
enum { PV = WHET_SPMM_PANEL / VW /* vectors of a panel */ };

/* Bytes of scratch: a block of A and the columns of C, rows as lanes. */
static size_t scratch(const void *params) {
  const whet_spmm_f32 *p = params;
  if (p->form != WHET_SPMM_SCATTERED) return 0;
  return (size_t)(whet__spmm_k_block(p->k) + spmm_pad(p->n, VW)) * NV * VW * sizeof(float);
}

/* VW rows of at most VW floats each, turned: column i goes to `to` + i * step. Rows past `rows` repeat the last. */
static void turn_in(const float *a, int64_t lda, int64_t rows, int64_t width, float *to, int64_t step) {
  vf r[VW];
  for (int64_t i = 0; i < VW; i++) {
    const float *x = a + whet__min_i(i, rows - 1) * lda;
    r[i] = width == VW ? vf_load(x) : vf_load_n(x, width);
  }
  vf_turn(r);
  for (int64_t i = 0; i < VW; i++) vf_store(to + i * step, r[i]);
}

/* And back: VW columns, `step` apart, into `rows` rows of `width` floats. */
static void turn_out(const float *t, int64_t step, int64_t rows, int64_t width, float *c, int64_t ldc) {
  vf r[VW];
  for (int64_t i = 0; i < VW; i++) r[i] = vf_load(t + i * step);
  vf_turn(r);
  for (int64_t i = 0; i < rows; i++) {
    if (width == VW)
      vf_store(c + i * ldc, r[i]);
    else
      vf_store_n(c + i * ldc, r[i], width);
  }
}

/* Lists x and y (which may be x) over nv vectors of rows, added to cx and cy: two chains are under way at once, since
 * one alone waits for itself.
 */
WHET_INLINE void columns(const whet_spmm_view *v, const float *a, int64_t x, int64_t y, const int nv, float *cx,
                         float *cy) {
  uint32_t i = v->start[x], ie = v->start[x + 1] - WHET_BUG(v->start[x + 1] > v->start[x]), j = v->start[y],
           je = v->start[y + 1];
  vf p[NV], q[NV];
  WHET_UNROLL
  for (int r = 0; r < nv; r++) p[r] = vf_load(cx + r * VW), q[r] = vf_load(cy + r * VW);
  for (; i < ie && j < je; i++, j++) {
    const float *s = a + (int64_t)v->at[i] * nv * VW, *t = a + (int64_t)v->at[j] * nv * VW;
    vf ws = vf_set(v->w[i]), wt = vf_set(v->w[j]);
    WHET_UNROLL
    for (int r = 0; r < nv; r++)
      p[r] = vf_fma(vf_load(s + r * VW), ws, p[r]), q[r] = vf_fma(vf_load(t + r * VW), wt, q[r]);
  }
  for (; i < ie; i++) {
    const float *s = a + (int64_t)v->at[i] * nv * VW;
    vf ws = vf_set(v->w[i]);
    WHET_UNROLL
    for (int r = 0; r < nv; r++) p[r] = vf_fma(vf_load(s + r * VW), ws, p[r]);
  }
  for (; j < je; j++) {
    const float *t = a + (int64_t)v->at[j] * nv * VW;
    vf wt = vf_set(v->w[j]);
    WHET_UNROLL
    for (int r = 0; r < nv; r++) q[r] = vf_fma(vf_load(t + r * VW), wt, q[r]);
  }
  WHET_UNROLL
  for (int r = 0; r < nv; r++) vf_store(cx + r * VW, p[r]), vf_store(cy + r * VW, q[r]);
}

/* One list. */
WHET_INLINE void column(const whet_spmm_view *v, const float *a, int64_t x, const int nv, float *c) {
  vf p[NV];
  WHET_UNROLL
  for (int r = 0; r < nv; r++) p[r] = vf_load(c + r * VW);
  for (uint32_t i = v->start[x]; i < v->start[x + 1]; i++) {
    WHET_UNROLL
    for (int r = 0; r < nv; r++) p[r] = vf_fma(vf_load(a + ((int64_t)v->at[i] * nv + r) * VW), vf_set(v->w[i]), p[r]);
  }
  WHET_UNROLL
  for (int r = 0; r < nv; r++) vf_store(c + r * VW, p[r]);
}

/* At most nv vectors of rows from row r0 on. */
WHET_INLINE void row_block(const whet_spmm_f32 *g, const whet_spmm_view *v, void *const *ptr, int64_t r0,
                           int64_t rows, const int nv, float *t) {
  const int64_t step = (int64_t)nv * VW, kb = whet__spmm_k_block(g->k);
  const float *a = (const float *)ptr[0] + r0 * g->lda;
  float *c = (float *)ptr[1] + r0 * g->ldc, *cols = t + kb * step;
  for (int64_t j = 0; j < g->n; j++)
    for (int r = 0; r < nv; r++) vf_store(cols + j * step + r * VW, vf_set(v->bias[j]));
  for (int64_t k = 0, list = 0; k < g->k; k += kb, list += g->n) {
    int64_t end = whet__min_i(k + kb, g->k);
    for (int64_t i = k; i < end; i += VW)
      for (int b = 0; b < nv; b++)
        turn_in(a + b * VW * g->lda + i, g->lda, rows - b * VW, whet__min_i(VW, end - i), t + (i - k) * step + b * VW,
                step);
    for (int64_t j = 0; j + 1 < g->n; j += 2)
      columns(v, t, list + j, list + j + 1, nv, cols + j * step, cols + (j + 1) * step);
    if (g->n % 2) column(v, t, list + g->n - 1, nv, cols + (g->n - 1) * step);
  }
  for (int64_t j = 0; j < g->n; j += VW)
    for (int b = 0; b < nv; b++)
      turn_out(cols + j * step + b * VW, step, whet__min_i(VW, rows - b * VW), whet__min_i(VW, g->n - j),
               c + b * VW * g->ldc + j, g->ldc);
}

static void scattered(const whet_spmm_f32 *g, void *const *ptr, int part, int parts) {
  whet_spmm_view v = whet__spmm_view(g->form, g->n, g->k, g->stored, ptr[2]);
  float *t = whet__part_scratch(ptr[4], scratch(g), part);
  int64_t from, to;
  whet__split(whet__ceil_div(g->m, VW), part, parts, &from, &to);
  for (int64_t i = from; i < to; i += NV) {
    int64_t r0 = i * VW, rows = whet__min_i(whet__min_i(i + NV, to) * VW, g->m) - r0;
    switch (whet__min_i(whet__ceil_div(rows, VW), NV)) { /* cases past NV are never met */
      case 1:
        row_block(g, &v, ptr, r0, rows, 1, t);
        break;
      case 2:
        row_block(g, &v, ptr, r0, rows, 2, t);
        break;
      case 3:
        row_block(g, &v, ptr, r0, rows, NV < 3 ? NV : 3, t);
        break;
      default:
        row_block(g, &v, ptr, r0, rows, NV, t);
        break;
    }
    for (int64_t r = r0; r < r0 + rows && g->epi.n; r++)
      EPI(&g->epi, (float *)ptr[1] + r * g->ldc, ptr[3] ? (const float *)ptr[3] + r * g->ldr : NULL, g->n);
  }
}

/* One panel of nr rows. */
WHET_INLINE void panel(const whet_spmm_view *v, const float *a, int64_t lda, int64_t p, const int nr, float *c,
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
    for (int64_t r = 0; r < nr && g->epi.n && j < end; r++)
      EPI(&g->epi, c + r * g->ldc + j, ptr[3] ? (const float *)ptr[3] + (i + r) * g->ldr + j : NULL, end - j);
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
