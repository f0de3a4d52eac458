/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a box out of a tensor: see cut.h. */

#include "op/cut.h"

void whet__cut_range(whet_cut *c, int32_t d, int64_t dim, int64_t from, int64_t to, int64_t step) {
  int64_t lo = step > 0 ? 0 : -1, hi = step > 0 ? dim : dim - 1;
  if (from < 0 && __builtin_add_overflow(from, dim, &from)) from = lo;
  if (to < 0 && __builtin_add_overflow(to, dim, &to)) to = lo;
  from = whet__clamp_i(from, step > 0 ? 0 : lo, hi);
  to = whet__clamp_i(to, lo, hi);
  int64_t span = step > 0 ? to - from : from - to;
  /* -step could overflow: count with the division rounded towards zero instead. */
  int64_t each = step > 0 ? step : step == INT64_MIN ? INT64_MAX : -step;
  c->start[d] = from;
  c->step[d] = step;
  c->count[d] = span > 0 ? (span - 1) / each + 1 : 0;
}

/* Strides of the cut in an input with the given strides; the offset of its first element. A dimension with one
 * element takes no step, whatever the file says of it. */
static int64_t cut_strides(const whet_cut *c, const int64_t *stride, int64_t *out) {
  int64_t offset = 0;
  for (int32_t d = 0; d < c->rank; d++) {
    offset += c->start[d] * stride[d];
    out[d] = c->count[d] > 1 ? c->step[d] * stride[d] : 0;
  }
  return offset;
}

void whet__cut_ref(const whet_cut *c, const whet_tensor *in, const whet_tensor *out) {
  int64_t stride[WHET_MAX_RANK], at[WHET_MAX_RANK] = {0}, to[WHET_MAX_RANK] = {0};
  int64_t offset = cut_strides(c, in->stride, stride);
  if (!whet__dim_product(c->count, 0, c->rank)) return;
  if (whet__tensor_dense(out)) {
    int64_t dense[WHET_MAX_RANK];
    whet__dense_strides(c->rank, c->count, dense);
    whet__move_box(in->dtype, c->rank, c->count, out->data, 0, dense, in->data, offset, stride);
    return;
  }
  do {
    whet__move_one(in->dtype, out->data, whet__index_offset(out->rank, to, out->stride), in->data,
                   offset + whet__index_offset(c->rank, at, stride));
    whet__index_next(out->rank, out->dim, to);
  } while (whet__index_next(c->rank, c->count, at));
}

/* Strides in the output of the cut's dimensions: the output's own, where sizes over 1 meet in order. */
static void out_strides(const whet_planner *p, const whet_node *n, const whet_cut *c, int64_t *stride) {
  int64_t own[WHET_MAX_RANK];
  const whet_shape *out = whet__pl_shape(p, n->out[0]);
  whet__pl_strides(p, n->out[0], own);
  for (int32_t d = 0, o = 0; d < c->rank; d++) {
    stride[d] = 0;
    if (c->count[d] == 1) continue;
    while (o < out->rank && out->d[o] == 1) o++;
    if (o < out->rank) stride[d] = own[o++];
  }
}

whet_status whet__cut_plan(whet_planner *p, const whet_node *n, const whet_cut *c) {
  const whet_shape *in = whet__pl_shape(p, n->in[0]);
  if (!whet__move_bytes(whet__pl_dtype(p, n->in[0]))) return WHET_LATE;
  if (!whet__dim_product(c->count, 0, c->rank)) return WHET_OK;
  int64_t stride[WHET_MAX_RANK];
  int32_t cut = -1, n_cut = 0, first = 0;
  bool steps = false;
  for (int32_t d = 0; d < c->rank; d++) {
    if (c->count[d] > 1 && c->step[d] != 1) steps = true;
    if (c->count[d] == in->d[d]) continue;
    cut = d;
    n_cut++;
  }
  if (!n_cut && !steps) return whet__pl_view(p, n, 0, 0);
  /* Dimensions before the last cut one must be whole or be a single index. */
  while (first < cut && c->count[first] == 1) first++;
  bool rows = !steps && cut >= 0;
  for (int32_t d = first; d < cut; d++) rows &= c->count[d] == in->d[d];
  if (rows) {
    whet__dense_strides(in->rank, in->d, stride);
    int64_t offset = whet__index_offset(c->rank, c->start, stride);
    whet_status st = whet__pl_part_of(p, n, 0, 0, offset, in->d[cut] * stride[cut]);
    if (st != WHET_LATE) return st;
  }
  whet_copy k = {.rank = c->rank};
  memcpy(k.dim, c->count, sizeof k.dim);
  whet__pl_strides(p, n->in[0], stride);
  k.in_offset = cut_strides(c, stride, k.in_stride);
  out_strides(p, n, c, k.out_stride);
  return whet__pl_copy(p, n->out[0], n->in[0], &k);
}

void whet__cut_known(whet_infer *f, const whet_cut *c) {
  int32_t n;
  const whet_dim *from = whet__in_known(f, 0, &n);
  if (!from || c->rank != 1 || !whet__dim_known(c->count[0])) return;
  whet_dim *to = whet__out_known(f, 0, (int32_t)c->count[0]);
  for (int64_t i = 0; to && i < c->count[0]; i++) to[i] = from[c->start[0] + i * c->step[0]];
}
