/* SPDX-License-Identifier: Apache-2.0 */
/* Gather(x, indices): the slices of x along an axis that the indices name.
 *
 *   out[b.., o.., i.., r..] = x[b.., o.., indices[b.., i..], r..]
 *
 * ONNX Gather 1-13 (negative indices count from the end since 11); TFLite GATHER (batch_dims leading dimensions are
 * shared; negative indices are refused), EMBEDDING_LOOKUP. All types. Exact. Indices are checked whenever they are known: constants
 * when the program is made, others in each run (E_DATA). */

#include "op/cast.h"
#include "op/move.h"
#include "op/move_attr.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(whet_gather, axis)},
                                         {"batch_dims", WHET_ATTR_I32, offsetof(whet_gather, batch_dims)},
                                         {"wrap", WHET_ATTR_BOOL, offsetof(whet_gather, wrap)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  whet_gather *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->axis = (int32_t)whet__clamp_i(whet__onnx_int(im, "axis", 0), INT32_MIN, INT32_MAX);
  a->wrap = 1;
  return whet__im_node_as_is(im, op, a);
}

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  whet_gather *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->axis = (int32_t)whet__tfl_int(im, 0, 0);
  a->batch_dims = (int32_t)whet__tfl_int(im, 1, 0);
  return whet__im_node_as_is(im, op, a);
}

/* Append a Gather of whole rows. */
static whet_status rows(whet_import *im, const whet_op *op, int32_t table, int32_t ids, int32_t out) {
  WHET_NEW_ATTR(im, whet_gather, a);
  const int32_t in[2] = {table, ids};
  return whet__im_node(im, op, a, in, 2, &out, 1);
}

/* EMBEDDING_LOOKUP(ids, table). A table of integers for a float output: its numbers times the scale, the whole table's
 * or their row's. uint8 numbers are taken as int8: old files hold them so. */
static whet_status embedding_tfl(whet_import *im, const whet_op *op) {
  int32_t ids = whet__im_in(im, 0), table = whet__im_in(im, 1), out = whet__im_out(im, 0);
  const whet_val *t = whet__im_val(im, table), *y = whet__im_val(im, out);
  if (ids < 0 || !t || !y) return whet__im_fail(im, WHET_E_FORMAT, "expected ids, a table and an output");
  if (!t->q || y->dtype != WHET_F32) return rows(im, op, table, ids, out);
  const whet_quant *q = t->q;
  int32_t rank = t->shape.rank, factor, stored = whet__im_new(im, "rows"), real = whet__im_new(im, "numbers");
  if (q->n > 1 && (q->axis || q->block || rank < 1))
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "scales of a table along axis %d, expected its rows", q->axis);
  bool bytes = t->dtype == WHET_U8;
  WHET_TRY(rows(im, op, table, ids, stored));
  if (bytes) WHET_TRY(whet__im_bitcast(im, &stored, WHET_S8));
  WHET_TRY(whet__im_cast(im, stored, real, WHET_F32));
  int64_t n = q->n;
  factor = whet__im_const(im, WHET_F32, n > 1, &n, q->scale);
  if (n > 1) {
    int32_t own = whet__im_new(im, "scales");
    WHET_TRY(rows(im, op, factor, ids, own));
    for (factor = own; rank > 1 && factor >= 0; rank--) factor = whet__im_squeeze(im, "Unsqueeze", factor, -1, -1);
    if (factor < 0) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the scales");
  }
  const int32_t pair[2] = {real, factor};
  return whet__im_node(im, whet__op_find("Mul"), NULL, pair, 2, &out, 1);
}

static const whet_from k_from[] = {{"", "Gather", 1, from_onnx},
                                   {"tflite", "GATHER", 1, from_tfl},
                                   {"tflite", "EMBEDDING_LOOKUP", 1, embedding_tfl},
                                   {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Axis and batch dimensions made non-negative; checked. */
static whet_status resolve(whet_infer *f, const whet_gather *a, const whet_shape *x, const whet_shape *idx,
                           int32_t *axis, int32_t *batch) {
  int64_t b = a->batch_dims < 0 ? (int64_t)a->batch_dims + idx->rank : a->batch_dims;
  WHET_TRY(whet__infer_axis(f, a->axis, x->rank, axis));
  if (b < 0 || b > idx->rank || b > *axis)
    return whet__infer_fail(f, WHET_E_DATA, "batch_dims %d does not fit axis %d and indices of rank %d",
                            a->batch_dims, *axis, idx->rank);
  for (int32_t i = 0; i < b; i++)
    if (whet__dim_known(x->d[i]) && whet__dim_known(idx->d[i]) && x->d[i] != idx->d[i])
      return whet__infer_fail(f, WHET_E_SHAPE, "shared dimension %d is %lld and %lld", i, (long long)x->d[i],
                              (long long)idx->d[i]);
  *batch = (int32_t)b;
  return WHET_OK;
}

/* Check indices that are known now against the size of the axis. */
static whet_status check_known(whet_infer *f, const whet_gather *a, whet_dim size) {
  const void *p = whet__in_data(f, 1);
  int64_t count = whet__shape_count(whet__in_shape(f, 1));
  if (!p || count < 0 || !whet__dim_known(size)) return WHET_OK;
  for (int64_t k = 0; k < count; k++) {
    int64_t v = whet__get_i64(whet__in_dtype(f, 1), p, k);
    if (v < (a->wrap ? -size : 0) || v >= size)
      return whet__infer_fail(f, WHET_E_DATA, "index %lld of a dimension of size %lld", (long long)v,
                              (long long)size);
  }
  return WHET_OK;
}

/* Elements of a known vector at known places. */
static void gather_known(whet_infer *f, const whet_gather *a) {
  int32_t n, m;
  const whet_dim *x = whet__in_known(f, 0, &n), *idx = whet__in_known(f, 1, &m);
  if (!x || !idx || whet__in_shape(f, 0)->rank != 1 || whet__in_shape(f, 1)->rank > 1) return;
  for (int32_t k = 0; k < m; k++)
    if (!whet__dim_number(idx[k]) || idx[k] < (a->wrap ? -n : 0) || idx[k] >= n) return;
  whet_dim *to = whet__out_known(f, 0, m);
  for (int32_t k = 0; to && k < m; k++) to[k] = x[idx[k] < 0 ? idx[k] + n : idx[k]];
}

static whet_status gather_infer(whet_infer *f, const whet_node *n) {
  const whet_gather *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *idx = whet__in_shape(f, 1);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  int32_t axis, batch = 0;
  out->rank = -1;
  WHET_TRY(whet__infer_is_int(f, 1));
  if (x->rank < 0 || idx->rank < 0) return WHET_LATE;
  WHET_TRY(resolve(f, a, x, idx, &axis, &batch));
  if (x->rank - 1 + idx->rank - batch > WHET_MAX_RANK)
    return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", x->rank - 1 + idx->rank - batch,
                            WHET_MAX_RANK);
  out->rank = 0;
  for (int32_t i = 0; i < axis; i++) out->d[out->rank++] = x->d[i];
  for (int32_t i = batch; i < idx->rank; i++) out->d[out->rank++] = idx->d[i];
  for (int32_t i = axis + 1; i < x->rank; i++) out->d[out->rank++] = x->d[i];
  WHET_TRY(check_known(f, a, x->d[axis]));
  gather_known(f, a);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status gather_ref(const whet_args *a) {
  const whet_gather *g = a->attr;
  const whet_tensor *x = &a->in[0], *idx = &a->in[1], *out = &a->out[0];
  int32_t axis = g->axis < 0 ? g->axis + x->rank : g->axis,
          batch = g->batch_dims < 0 ? g->batch_dims + idx->rank : g->batch_dims;
  int32_t inner = x->rank - axis - 1, mid = idx->rank - batch;
  int64_t size = x->dim[axis], at[WHET_MAX_RANK] = {0};
  if (!whet__tensor_count(out)) return WHET_OK;
  /* `at` runs over the output's dimensions before the inner ones; those are moved as one box. */
  do {
    int64_t place = 0, from = 0;
    for (int32_t i = 0; i < batch; i++) place += at[i] * idx->stride[i];
    for (int32_t i = 0; i < mid; i++) place += at[axis + i] * idx->stride[batch + i];
    int64_t k;
    WHET_TRY(whet__index_read(a, idx, place, size, g->wrap, &k));
    for (int32_t i = 0; i < axis; i++) from += at[i] * x->stride[i];
    from += k * x->stride[axis];
    whet__move_box(x->dtype, inner, x->dim + axis + 1, out->data, whet__index_offset(axis + mid, at, out->stride),
                   out->stride + axis + mid, x->data, from, x->stride + axis + 1);
  } while (whet__index_next(axis + mid, out->dim, at));
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* Constant indices that are one number or rise by a fixed step are a slice. */
static whet_status gather_plan(whet_planner *p, const whet_node *n) {
  const whet_gather *g = n->attr;
  const whet_shape *x = whet__pl_shape(p, n->in[0]), *idx = whet__pl_shape(p, n->in[1]);
  const whet_data *d = whet__pl_data(p, n->in[1]);
  int32_t axis = g->axis < 0 ? g->axis + x->rank : g->axis;
  int64_t count = whet__shape_count(idx), size = x->d[axis];
  if (!whet__move_bytes(whet__pl_dtype(p, n->in[0])) || !d || g->batch_dims || !count) return WHET_LATE;
  whet_dtype t = whet__pl_dtype(p, n->in[1]);
  int64_t first = whet__get_i64(t, d->p, 0), step = count > 1 ? whet__get_i64(t, d->p, 1) : first;
  if (first < 0) first += size;
  if (step < 0) step += size;
  step -= first;
  for (int64_t k = 1; k < count; k++) {
    int64_t v = whet__get_i64(t, d->p, k);
    if ((v < 0 ? v + size : v) != first + k * step) return WHET_LATE;
  }
  int64_t inner = whet__dim_product(x->d, axis + 1, x->rank);
  if (count == 1 || step == 1) {
    whet_status st = whet__pl_part_of(p, n, 0, 0, first * inner, size * inner);
    if (st != WHET_LATE) return st;
  }
  int64_t in[WHET_MAX_RANK], out[WHET_MAX_RANK];
  whet__pl_strides(p, n->in[0], in);
  whet__pl_strides(p, n->out[0], out);
  whet_copy c = {.rank = x->rank, .in_offset = first * in[axis]};
  for (int32_t i = 0; i < x->rank; i++) {
    c.dim[i] = i == axis ? count : x->d[i];
    c.in_stride[i] = i == axis ? step * in[i] : in[i];
    /* Several dimensions of indices count as one: the last one's stride, or none. */
    c.out_stride[i] = i < axis    ? out[i]
                      : i > axis  ? out[i - 1 + idx->rank]
                      : idx->rank ? out[axis + idx->rank - 1]
                                  : 0;
  }
  int64_t rows, run, pitch;
  whet__pl_pitch(p, n->out[0], &rows, &run, &pitch);
  if (rows > 1 && run != pitch && idx->rank > 1) return WHET_LATE;
  return whet__pl_copy(p, n->out[0], n->in[0], &c);
}

/* ---- permutation ----------------------------------------------------------------------------- */

/* Only x is turned. The dimensions of constant indices stand where the axis stood. */
static bool gather_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const whet_graph *g = whet__ed_graph(e);
  const whet_node *n = &g->node[node];
  const whet_val *idx = &g->val[n->in[1]];
  whet_gather *w = whet__ed_attr(e, node);
  if (!w || idx->role != WHET_ROLE_CONST || idx->shape.rank < 0 || w->batch_dims) return false;
  int32_t axis = w->axis < 0 ? w->axis + rank : w->axis, k = idx->shape.rank, o = 0;
  for (int i = 0; i < rank; i++) {
    if (perm[i] == axis) {
      w->axis = i;
      for (int32_t j = 0; j < k; j++) perm_out[o++] = (int8_t)(axis + j);
    } else {
      perm_out[o++] = (int8_t)(perm[i] < axis ? perm[i] : perm[i] - 1 + k);
    }
  }
  return true;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_Gather = {
    .name = "Gather",
    .flags = WHET_OP_SIGN_FREE,
    .attr_size = sizeof(whet_gather),
    .attrs = k_attrs,
    .from = k_from,
    .infer = gather_infer,
    .plan = gather_plan,
    .permute = gather_permute,
    .ref = gather_ref,
};
