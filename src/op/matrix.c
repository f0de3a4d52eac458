/* SPDX-License-Identifier: Apache-2.0 */
/* What the operators made of products share. */

#include "op/matrix.h"

#include <math.h>

#include "kern/unary_f32.h"
#include "op/move.h"
#include "whet/program.h"

const whet_pack_kind whet__pack_f32_kind = {"panels of float weights", sizeof(whet_pack_f32), whet__pack_f32_bytes,
                                            whet__pack_f32, true};

whet_arg whet__pl_weights(whet_planner *p, const whet_pack_kind *kind, const void *params, int32_t w, int32_t bias) {
  int32_t src[2] = {w, bias};
  bool constant = whet__pl_data(p, w) && (bias < 0 || whet__pl_data(p, bias));
  int32_t id = constant ? whet__pl_pack(p, kind, params, src, 2) : whet__pl_pack_step(p, kind, params, src, 2);
  return id < 0 ? whet__none() : constant ? whet__pk(id) : whet__tm(id, false);
}

static const whet_pack_kind k_quantised = {"panels of integer weights", 0, whet__pack_q_f32_bytes, whet__pack_q_f32, true};

whet_arg whet__pl_panels(whet_planner *p, const whet_pack_f32 *pack, int32_t w, int32_t bias) {
  const whet_quant *q = whet__pl_quant(p, w);
  if (!whet__is_int((whet_dtype)pack->dtype) || !q) return whet__pl_weights(p, &whet__pack_f32_kind, pack, w, bias);
  size_t size = sizeof(whet_pack_q_f32) + (size_t)q->n * sizeof(struct whet_pack_scale);
  whet_pack_q_f32 *k = whet__pl_memory(p, size);
  if (!k) return whet__none();
  *k = (whet_pack_q_f32){.size = (uint32_t)size, .n = q->n, .p = *pack};
  for (int32_t i = 0; i < q->n; i++) k->channel[i] = (struct whet_pack_scale){q->scale[i], q->zero[i]};
  return whet__pl_weights(p, &k_quantised, k, w, bias);
}

bool whet__pl_row_view(const whet_planner *p, int32_t v, int64_t columns, whet_row_view *out) {
  int64_t rows, run, pitch;
  whet__pl_pitch(p, v, &rows, &run, &pitch);
  *out = (whet_row_view){INT64_MAX, columns, 0};
  if (rows <= 1 || run == pitch || !columns) return true;
  if (run % columns) return false;
  if (run == columns)
    out->ld = pitch;
  else
    *out = (whet_row_view){run / columns, columns, pitch};
  return true;
}

bool whet__gemm_rows(whet_gemm_f32 *g, whet_row_view a, whet_row_view c, const whet_row_view *res) {
  whet_row_view none = {INT64_MAX, g->n, 0}, r = res ? *res : none;
  int64_t chunk = whet__min_i(a.chunk, whet__min_i(c.chunk, r.chunk));
  g->lda = a.ld;
  g->ldc = c.ld;
  g->ldr = r.ld;
  if (chunk >= g->m) return true;
  const whet_row_view *all[3] = {&a, &c, &r};
  int64_t *step[3] = {g->a_step, g->c_step, g->res_step};
  for (int i = 0; i < 3; i++) {
    if (all[i]->chunk != chunk && all[i]->chunk < g->m) return false;
    step[i][0] = all[i]->chunk == chunk ? all[i]->step : chunk * all[i]->ld;
  }
  g->n_batch = 1;
  g->batch[0] = g->m / chunk;
  g->m = chunk;
  return true;
}

whet_status whet__pl_gemm_f32(whet_planner *p, whet_gemm_f32 *g, whet_pack_f32 *pack, whet_arg a, int32_t out,
                              int32_t b, int32_t bias, whet_arg res) {
  whet_status sparse;
  if (whet__pl_sparse(p, g, pack, a, out, b, bias, res, &sparse)) return sparse;
  g->l2_kb = whet__pl_l2_kb(p);
  g->constant = whet__pl_data(p, b) != NULL;
  g->grow = g->constant && whet__pl_opts(p)->prefer != WHET_PREFER_MEMORY;
  const whet_kern *row = whet__pl_pick(p, WHET_FAMILY_gemm_f32, g, sizeof *g);
  if (!row) return WHET_E_INTERNAL;
  pack->form = row->form;
  pack->dtype = (uint8_t)whet__pl_dtype(p, b);
  pack->bias_dtype = (uint8_t)whet__pl_dtype(p, bias);
  whet_arg arg[5] = {a, whet__wr(out), whet__pl_panels(p, pack, b, bias), res, whet__scratch()};
  int64_t rows = g->m;
  for (int32_t i = 0; i < g->n_batch; i++) rows *= g->batch[i];
  double macs = (double)rows * (double)g->n * (double)g->k;
  int64_t panels = whet__panel_count(row->form, g->n);
  bool by_columns = !g->n_batch && g->n * g->k > g->m * (g->n + g->k); /* as the kernel cuts; else each part reads all weights */
  return whet__pl_step(p, &(whet_step_req){WHET_FAMILY_gemm_f32, row, g, sizeof *g, arg, 5, rows * panels,
                                           whet__pl_product_ns(whet__pl_macs_ns(p, macs), macs, rows, 4),
                                           by_columns ? panels : whet__max_i(rows / 48, 1)});
}

whet_arg whet__pl_turned_f32(whet_planner *p, int32_t v) {
  const whet_shape *s = whet__pl_shape(p, v);
  int64_t count = whet__shape_count(s), swap;
  int32_t id = whet__pl_temp(p, (size_t)count * 4), last = s->rank - 1;
  whet_copy c = {.elem_bytes = 4, .rank = s->rank};
  memcpy(c.dim, s->d, sizeof c.dim);
  whet__pl_strides(p, v, c.in_stride);
  swap = c.dim[last], c.dim[last] = c.dim[last - 1], c.dim[last - 1] = swap;
  swap = c.in_stride[last], c.in_stride[last] = c.in_stride[last - 1], c.in_stride[last - 1] = swap;
  whet__dense_strides(s->rank, c.dim, c.out_stride);
  whet_arg arg[2] = {whet__rd(v), whet__tm(id, true)};
  if (id < 0 || whet__pl_kern(p, WHET_FAMILY_copy, &c, sizeof c, arg, 2, c.dim[last - 1], (double)count))
    return whet__none();
  return whet__tm(id, false);
}

bool whet__epi_factor(whet_epi_f32 *e, float alpha) {
  if (alpha == 1) return true;
  if (e->n == WHET_EPI_MAX) return false;
  for (int i = e->n++; i > 0; i--) e->op[i] = e->op[i - 1], e->a[i] = e->a[i - 1], e->b[i] = e->b[i - 1];
  e->op[0] = WHET_MICRO_UNARY + WHET_UN_MUL;
  e->a[0] = alpha;
  e->b[0] = 0;
  return true;
}

int32_t whet__pl_l2_kb(const whet_planner *p) {
  size_t l2 = whet__pl_target(p)->cache[1];
  return l2 ? (int32_t)whet__min_i((int64_t)(l2 >> 10), 1 << 20) : 256;
}

double whet__pl_macs_ns(const whet_planner *p, double macs) {
  uint32_t isa = whet__pl_target(p)->isa;
  return macs / (isa & WHET_ISA_AVX512 ? 60 : isa & WHET_ISA_AVX2 ? 50 : isa ? 12 : 1);
}

double whet__pl_product_ns(double macs_ns, double macs, int64_t rows, int bytes) {
  const double far = 48; /* bytes in a nanosecond */
  return fmax(macs_ns, rows > 0 ? macs / (double)rows * bytes / far : 0);
}

double whet__ref_weight(const whet_tensor *w, int64_t i, int64_t channel) {
  if (!w->q || !whet__is_int(w->dtype)) return whet__get_f64(w->dtype, w->data, i);
  int64_t k = w->q->n > 1 ? channel : 0;
  return (double)(w->q->scale[k] * (float)(whet__get_i64(w->dtype, w->data, i) - w->q->zero[k]));
}

double whet__ref_fma(bool wide, double x, double w, double acc) {
  return wide ? fma(x, w, acc) : (double)fmaf((float)x, (float)w, (float)acc);
}
