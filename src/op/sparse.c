/* SPDX-License-Identifier: Apache-2.0 */
/* Products with weights most of which are zero: whether the sparse kernels are the faster way, and their step. */

#include "base/dtype.h"
#include "kern/spmm_f32.h"
#include "op/matrix.h"
#include "whet/program.h"

static const whet_pack_kind k_lists = {"lists of weights", sizeof(whet_spmm_pack), whet__spmm_bytes,
                                       whet__spmm_pack_run, false};

enum { SAMPLES = 256 };

/* A look at some weights: could most of them be zero? Spares dense models the count. */
static bool promising(const whet_spmm_pack *s, const char *w) {
  int64_t count = s->n * s->k, each = whet__max_i(count / SAMPLES, 1) | 1;
  int zeros = 0, seen = 0;
  for (int64_t i = 0; i < count; i += each, seen++) {
    float x;
    memcpy(&x, w + 4 * (s->at + i / s->k * s->n_step + i % s->k * s->k_step), 4);
    zeros += x == 0;
  }
  return 2 * zeros > seen;
}

bool whet__pl_mostly_zero(const whet_planner *p, int32_t v) {
  const whet_data *w = whet__pl_data(p, v);
  int64_t count = w ? (int64_t)(w->n / sizeof(float)) : 0;
  return count && whet__pl_dtype(p, v) == WHET_F32 && promising(&(whet_spmm_pack){.n = 1, .k = count, .k_step = 1}, w->p);
}

/* Cycles of one core, roughly: with all weights, with scattered ones, with rows of panels. */
static double dense_cycles(const whet_spmm_f32 *g, double lanes) {
  double macs = (double)g->m * (double)g->n * (double)g->k;
  return macs / lanes / (g->m < 4 ? 0.8 : 1.6) + 500;
}
static double scattered_cycles(const whet_spmm_f32 *g, double lanes) {
  /* Blocks of rows; the last one is done with half of its vectors where those are enough. */
  double rows = WHET_SPMM_ROWS, whole = (double)(g->m / WHET_SPMM_ROWS), rest = (double)(g->m % WHET_SPMM_ROWS);
  double each = rows / lanes * (lanes > 8 ? 1.3 : 0.75), half = rest > 0 ? (rest <= rows / 2 ? 0.5 : 1) : 0;
  double turned = (whole + half) * rows * (double)(g->k + 2 * g->n);
  return (each * (whole + half) + 0.5 * (whole + (rest > 0))) * (double)g->stored + turned * 4 / lanes + 500;
}
static double block_cycles(const whet_spmm_f32 *g, double lanes) {
  double rows = (double)(g->m / 4) * 6 + (double)(g->m % 4) * 3;
  return rows * (double)g->stored * 16 / lanes + 500;
}

/* The form that wins clearly against all weights; NONE: neither. Fills g->stored. */
static int choose(const whet_planner *p, whet_spmm_f32 *g, const whet_spmm_pack *s, const void *w) {
  uint32_t isa = whet__pl_target(p)->isa;
  double lanes = isa & WHET_ISA_AVX512 ? 16 : isa & WHET_ISA_AVX2 ? 8 : isa & WHET_ISA_NEON ? 4 : 1;
  int64_t scattered, blocks;
  whet__spmm_count(s, w, &scattered, &blocks);
  if (scattered > s->n * s->k * 3 / 10 || scattered >= INT32_MAX || s->k >= INT32_MAX) return WHET_SPMM_NONE;
  double dense = 0.85 * dense_cycles(g, lanes);
  g->stored = blocks;
  double by_blocks = block_cycles(g, lanes);
  g->stored = scattered;
  double by_rows = g->m > whet__max_i((int64_t)lanes / 2, 4) ? scattered_cycles(g, lanes) : by_blocks;
  if (by_blocks > dense && by_rows > dense) return WHET_SPMM_NONE;
  if (by_rows < by_blocks) return WHET_SPMM_SCATTERED;
  g->stored = blocks;
  return WHET_SPMM_BLOCKS;
}

bool whet__pl_sparse(whet_planner *p, const whet_gemm_f32 *from, const whet_pack_f32 *pack, whet_arg a, int32_t out,
                     int32_t b, int32_t bias, whet_arg res, whet_status *status) {
  const whet_data *w = whet__pl_data(p, b);
  if (!w || whet__pl_dtype(p, b) != WHET_F32 ||
      (bias >= 0 && (!whet__pl_data(p, bias) || whet__pl_dtype(p, bias) != WHET_F32)))
    return false;
  if (from->n_batch || pack->groups != 1 || whet__pl_opts(p)->exact || !from->m || from->n * from->k < 1024)
    return false;
  whet_spmm_pack s = {.n = from->n,
                      .k = from->k,
                      .at = pack->at,
                      .n_step = pack->n_step,
                      .k_step = pack->k_step[3],
                      .bias = bias >= 0};
  if (!promising(&s, w->p)) return false;
  whet_spmm_f32 g = {.m = from->m,
                     .n = from->n,
                     .k = from->k,
                     .lda = from->lda,
                     .ldc = from->ldc,
                     .ldr = from->ldr,
                     .epi = from->epi};
  g.form = s.form = choose(p, &g, &s, w->p);
  if (!g.form) return false;
  s.stored = g.stored;
  const whet_kern *row = whet__pl_pick(p, WHET_FAMILY_spmm_f32, &g, sizeof g);
  if (!row) return false;
  int32_t src[2] = {b, bias}, id = whet__pl_pack(p, &k_lists, &s, src, 2);
  whet_arg arg[5] = {a, whet__wr(out), id < 0 ? whet__none() : whet__pk(id), res, whet__scratch()};
  bool scattered = g.form == WHET_SPMM_SCATTERED;
  double macs = (double)g.m * (double)g.stored * (scattered ? 1 : WHET_SPMM_PANEL);
  int64_t parts = scattered ? whet__ceil_div(g.m, 16) : whet__max_i(g.m / 8, whet__ceil_div(g.n, WHET_SPMM_PANEL));
  *status = whet__pl_step(
      p, &(whet_step_req){WHET_FAMILY_spmm_f32, row, &g, sizeof g, arg, 5, parts, whet__pl_macs_ns(p, 2 * macs), 0});
  return true;
}
