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

/* What node n makes of 256 bytes: input k reads bytes[k] where there are any, else known contents. */
static bool make_bytes(whet_planner *p, const whet_node *n, uint8_t *const bytes[WHET_BYTES_IN], uint8_t out[256]) {
  whet_tensor in[WHET_BYTES_IN] = {{0}}, y = {.dtype = whet__pl_dtype(p, n->out[0]),
                                              .rank = 1,
                                              .dim = {256},
                                              .stride = {1},
                                              .data = out,
                                              .q = whet__pl_quant(p, n->out[0])};
  if (n->n_in > WHET_BYTES_IN) return false;
  for (int i = 0; i < n->n_in; i++) {
    if (n->in[i] < 0) continue;
    in[i] = bytes[i] ? (whet_tensor){whet__pl_dtype(p, n->in[i]), 1, {256}, {1}, bytes[i], whet__pl_quant(p, n->in[i])}
                     : known(p, n->in[i]);
  }
  whet_args a = {
      .node = n, .attr = n->attr, .in = in, .out = &y, .n_in = n->n_in, .n_out = 1, .err = whet__pl_err(p)};
  return n->op->ref(&a) == WHET_OK;
}

bool whet__pl_byte_table(whet_planner *p, const whet_node *n, int k, uint8_t table[256]) {
  uint8_t all[256], *bytes[WHET_BYTES_IN] = {NULL};
  for (int i = 0; i < 256; i++) all[i] = (uint8_t)i;
  if (k >= WHET_BYTES_IN) return false;
  bytes[k] = all;
  return make_bytes(p, n, bytes, table);
}

bool whet__pl_epi_table(whet_planner *p, const whet_node *n, uint8_t table[256]) {
  uint8_t made[WHET_BYTES_MAX + 1][256]; /* by member: what it makes of each byte of the leader */
  int32_t value[WHET_BYTES_MAX + 1] = {n->out[0]};
  const whet_node *m;
  int count = 0;
  for (int i = 0; i < 256; i++) made[0][i] = (uint8_t)i;
  while (count < WHET_BYTES_MAX && (m = whet__pl_group(p, count + 1))) {
    uint8_t *bytes[WHET_BYTES_IN] = {NULL};
    for (int k = 0; k < m->n_in && k < WHET_BYTES_IN; k++)
      for (int i = 0; i <= count; i++)
        if (m->in[k] == value[i]) bytes[k] = made[i];
    value[++count] = m->out[0];
    if (!make_bytes(p, m, bytes, made[count])) {
      whet__pl_fail(p, WHET_E_INTERNAL, "the table of node %s could not be made", m->name ? m->name : m->op->name);
      return false;
    }
  }
  memcpy(table, made[count], 256);
  return count > 0;
}

whet_status whet__pl_by_table(whet_planner *p, const whet_node *n, int k) {
  whet_lut_q8 q;
  uint8_t table[256], after[256];
  int32_t out = whet__pl_group_out(p);
  if (!whet__pl_q8_rows(p, n->in[k], out, &q)) return WHET_LATE;
  if (!whet__pl_byte_table(p, n, k, table)) return WHET_LATE;
  if (whet__pl_epi_table(p, n, after))
    for (int i = 0; i < 256; i++) table[i] = after[table[i]];
  whet_arg arg[] = {whet__rd(n->in[k]), whet__bl(whet__pl_blob(p, table, sizeof table)), whet__wr(out)};
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
