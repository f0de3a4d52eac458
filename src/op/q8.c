/* SPDX-License-Identifier: Apache-2.0 */
/* What the quantised halves of operators share: parameters, rows, tables of bytes. */

#include "op/q8.h"
#include "base/dtype.h"

whet_q8 whet__q8(whet_dtype t, const whet_quant *q) {
  whet_q8 r = {1, 0, (int32_t)whet__dtype_min(t), (int32_t)whet__dtype_max(t)};
  if (q) r.scale = q->scale[0], r.zero = q->zero[0];
  return r;
}

int32_t whet__q8_store(const whet_q8 *q, double units) {
  double v = units + q->zero;
  if (isnan(v)) return q->zero;
  return v <= q->lo ? q->lo : v >= q->hi ? q->hi : (int32_t)v;
}

bool whet__pl_q8_rows(const whet_planner *p, int32_t in, int32_t out, whet_lut_q8 *rows) {
  int64_t n_in, n_out, run_in, run_out;
  whet__pl_pitch(p, in, &n_in, &run_in, &rows->in_pitch);
  whet__pl_pitch(p, out, &n_out, &run_out, &rows->out_pitch);
  rows->rows = n_in;
  rows->run = run_in;
  if (run_in == run_out) return true;
  if (n_in <= 1 && run_out) {
    rows->rows = n_out;
    rows->run = rows->in_pitch = run_out;
    return true;
  }
  if (n_out <= 1) {
    rows->out_pitch = run_in;
    return true;
  }
  return false;
}

/* A tensor for the reference over known contents. */
static whet_tensor known(const whet_planner *p, int32_t v) {
  whet_tensor t = {.dtype = whet__pl_dtype(p, v), .q = whet__pl_quant(p, v)};
  const whet_data *d = whet__pl_data(p, v);
  if (d) t.data = (void *)(uintptr_t)d->p;
  return t;
}

bool whet__pl_byte_table(whet_planner *p, const whet_node *n, int k, uint8_t table[256]) {
  enum { INPUTS = 8 };
  uint8_t all[256];
  whet_tensor in[INPUTS] = {{0}}, out = {.dtype = whet__pl_dtype(p, n->out[0]),
                                         .rank = 1,
                                         .dim = {256},
                                         .stride = {1},
                                         .data = table,
                                         .q = whet__pl_quant(p, n->out[0])};
  if (n->n_in > INPUTS) return false;
  for (int i = 0; i < 256; i++) all[i] = (uint8_t)i;
  for (int i = 0; i < n->n_in; i++)
    if (n->in[i] >= 0) in[i] = i == k ? (whet_tensor){.dtype = whet__pl_dtype(p, n->in[i])} : known(p, n->in[i]);
  in[k].rank = 1;
  in[k].dim[0] = 256;
  in[k].stride[0] = 1;
  in[k].data = all;
  in[k].q = whet__pl_quant(p, n->in[k]);
  whet_args a = {
      .node = n, .attr = n->attr, .in = in, .out = &out, .n_in = n->n_in, .n_out = 1, .err = whet__pl_err(p)};
  return n->op->ref(&a) == WHET_OK;
}

bool whet__pl_epi_table(whet_planner *p, const whet_node *n, uint8_t table[256]) {
  const whet_node *m;
  for (int i = 0; i < 256; i++) table[i] = (uint8_t)i;
  for (int k = 1; (m = whet__pl_group(p, k)); k++) {
    uint8_t next[256];
    if (!whet__pl_byte_table(p, m, 0, next)) {
      whet__pl_fail(p, WHET_E_INTERNAL, "the table of node %s could not be made", m->name ? m->name : m->op->name);
      return false;
    }
    for (int i = 0; i < 256; i++) table[i] = next[table[i]];
  }
  return whet__pl_group(p, 1) != NULL;
}

whet_status whet__pl_by_table(whet_planner *p, const whet_node *n, int k) {
  whet_lut_q8 q;
  uint8_t table[256];
  if (!whet__pl_q8_rows(p, n->in[k], n->out[0], &q)) return WHET_LATE;
  if (!whet__pl_byte_table(p, n, k, table)) return WHET_LATE;
  whet_arg arg[] = {whet__rd(n->in[k]), whet__bl(whet__pl_blob(p, table, sizeof table)), whet__wr(n->out[0])};
  int64_t bytes = q.rows * q.run;
  return whet__pl_kern(p, WHET_FAMILY_lut_q8, &q, sizeof q, arg, WHET_COUNT(arg),
                       q.rows > 1 ? q.rows : whet__ceil_div(q.run, 4096), (double)bytes * 0.05);
}

bool whet__table_clamps(const uint8_t table[256], whet_dtype t, int32_t *lo, int32_t *hi) {
  int32_t least = t == WHET_S8 ? -128 : 0, most = least + 255;
  *lo = t == WHET_S8 ? (int8_t)table[128] : table[0];
  *hi = t == WHET_S8 ? (int8_t)table[127] : table[255];
  for (int32_t i = least; i <= most; i++) {
    int32_t got = t == WHET_S8 ? (int8_t)table[(uint8_t)i] : table[i];
    if (got != (i < *lo ? *lo : i > *hi ? *hi : i)) return false;
  }
  return *lo <= *hi;
}
