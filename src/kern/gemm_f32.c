/* SPDX-License-Identifier: Apache-2.0 */
/* Family gemm_f32: blocks of rows over blocks of k, panel by panel. */

#include "kern/gemm_f32.h"

/* Where batch number `at` starts. */
typedef struct place {
  int64_t a, b, c, res;
} place;

static place batch_place(const whet_gemm_f32 *g, int64_t at) {
  place p = {0};
  for (int32_t i = g->n_batch - 1; i >= 0; i--) {
    int64_t x = at % g->batch[i];
    at /= g->batch[i];
    p.a += x * g->a_step[i];
    p.b += x * g->b_step[i];
    p.c += x * g->c_step[i];
    p.res += x * g->res_step[i];
  }
  return p;
}

/* Rows to take at once: what fits the second cache beside a panel. Weights that do not fit are read again for each
 * block of rows, as A is for each panel, so blocks then have at least as many rows as make that the smaller part. */
static int64_t row_block(const whet_gemm_f32 *g, bool large) {
  int64_t fits = ((int64_t)g->l2_kb << 9) / (4 * (g->k + g->n)) / 16 * 16;
  return whet__max_i(fits, large ? 256 : 64);
}

/* Rows m0..m1 and columns n0..n1 of one batch. */
static void rectangle(const whet_gemm_f32 *g, whet_job_f32 *j, const float *a, float *c, const float *res,
                      const whet_share *r) {
  bool large = 4 * g->k * (r->n1 - r->n0) > (int64_t)g->l2_kb << 9;
  int64_t mb = row_block(g, large), kb = whet__job_k(j, (size_t)g->l2_kb << 10);
  whet_seg_f32 seg = {0, 0, g->k};
  j->n0 = r->n0;
  j->n1 = r->n1;
  j->ahead = 4 * g->k * (r->n1 - r->n0) > (int64_t)g->l2_kb << 4;
  for (int64_t m = r->m0; m < r->m1; m += mb) {
    whet_strip_f32 s = {.a = a + m * g->lda,
                        .lda = g->lda,
                        .c = c + m * g->ldc,
                        .ldc = g->ldc,
                        .res = res ? res + m * g->ldr : NULL,
                        .ldr = g->ldr,
                        .m = whet__min_i(mb, r->m1 - m)};
    for (int64_t k = 0; k == 0 || k < g->k; k += kb)
      whet__job_strip_rows(j, &s, &seg, 1, k, whet__min_i(k + kb, g->k));
    whet__job_run(j);
  }
}

size_t whet__gemm_f32_scratch_on(const whet_gemm_f32 *g, const whet_tiles_f32 *tiles) {
  return whet__round_up(sizeof(whet_job_f32), 64) + whet__job_room(tiles, g->k);
}

size_t whet__gemm_f32_scratch(const void *params) { return whet__gemm_f32_scratch_on(params, NULL); }

void whet__gemm_f32(const void *params, void *const *ptr, int part, int parts, const whet_tiles_f32 *tiles) {
  const whet_gemm_f32 *g = params;
  if (!g->m || !g->n) return;
  if (g->m == 1 && !g->n_batch && !tiles->run) {
    whet__tile_row(tiles, &g->epi, ptr[0], ptr[2], g->n, g->k, ptr[1], ptr[3], part, parts);
    return;
  }
  whet_job_f32 *j = ptr[4];
  j->room = (char *)j + whet__round_up(sizeof *j, 64);
  unsigned form = tiles->form;
  int64_t count = 1, grain = tiles->mr[whet__panel_next(form, whet__ceil_div(g->n, whet__panel_vec(form)))];
  for (int32_t i = 0; i < g->n_batch; i++) count *= g->batch[i];
  int64_t per_batch = whet__ceil_div(g->m, grain), from, to;
  bool by_columns = count * per_batch < 2 * parts || (count == 1 && g->n * g->k > g->m * (g->n + g->k));
  whet__split(count * per_batch, part, parts, &from, &to);
  if (by_columns) from = 0, to = count * per_batch;
  for (int64_t at = from; at < to;) { /* at: batch and block of rows */
    int64_t batch = at / per_batch, row = at % per_batch, end = whet__min_i(to - batch * per_batch, per_batch);
    place p = batch_place(g, batch);
    const float *a = (const float *)ptr[0] + p.a, *res = ptr[3] ? (const float *)ptr[3] + p.res : NULL;
    float *c = (float *)ptr[1] + p.c;
    whet_share r[3] = {{row * grain, whet__min_i(end * grain, g->m), 0, whet__panel_pad(form, g->n)}};
    int n = by_columns ? whet__share(form, g->m, grain, g->n, true, part, parts, r) : 1;
    whet__job_init(j, tiles, (const float *)ptr[2] + p.b * whet__panel_floats(form, g->n, g->k), g->n, g->k, &g->epi);
    for (int i = 0; i < n; i++) rectangle(g, j, a, c, res, &r[i]);
    at = batch * per_batch + end;
  }
}
