/* SPDX-License-Identifier: Apache-2.0 */
/* NonZero(x): the indices of elements that are not zero (false, empty), in row-major order: one column for each, or,
 * transposed, one row. Compress(x, condition): the slices along an axis, or the elements of flat x, where the condition
 * holds.
 *
 * ONNX NonZero 9-13, Compress 9-28; TFLite WHERE (rows). All types. Exact. Sizes are told by data: where these are not
 * known yet, the plan is cut. */

#include "op/move.h"
#include "op/move_attr.h"

/* Is element i set? */
static bool is_set(whet_dtype t, const void *p, int64_t i) {
  if (t == WHET_STRING) return ((const whet_str *)p)[i].n != 0;
  if (t == WHET_C64) return ((const float *)p)[2 * i] != 0 || ((const float *)p)[2 * i + 1] != 0;
  if (t == WHET_C128) return ((const double *)p)[2 * i] != 0 || ((const double *)p)[2 * i + 1] != 0;
  return whet__is_float(t) ? whet__get_f64(t, p, i) != 0 : whet__get_i64(t, p, i) != 0;
}

/* How many of the first n elements of input i are set; ANY when that is not known. */
static whet_dim count_set(const whet_infer *f, int i, whet_dim n) {
  const void *p = whet__in_data(f, i);
  int64_t set = 0;
  if (!p || !whet__dim_known(n)) return WHET_DIM_ANY;
  for (int64_t k = 0; k < n; k++) set += is_set(whet__in_dtype(f, i), p, k);
  return set;
}

/* ---- NonZero --------------------------------------------------------------------------------- */

struct nonzero {
  uint8_t rows; /* an index is a row of the output; else a column */
};
static const whet_attr_desc k_nonzero_attrs[] = {{"rows", WHET_ATTR_BOOL, offsetof(struct nonzero, rows)}, {0}};

static whet_status nonzero_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct nonzero, a);
  return whet__im_node_as_is(im, op, a);
}
static whet_status where_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct nonzero, a);
  a->rows = 1;
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_nonzero_from[] = {{"", "NonZero", 9, nonzero_onnx}, {"tflite", "WHERE", 1, where_tfl}, {0}};

static whet_status nonzero_infer(whet_infer *f, const whet_node *n) {
  const struct nonzero *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, WHET_S64);
  whet_dim total;
  out->rank = 2;
  WHET_TRY(whet__infer_count(f, x, &total));
  whet_dim set = count_set(f, 0, total);
  out->d[!a->rows] = set;
  out->d[a->rows] = x->rank < 0 ? WHET_DIM_ANY : x->rank;
  return set == WHET_DIM_ANY ? WHET_LATE : WHET_OK;
}

static whet_status nonzero_ref(const whet_args *a) {
  const struct nonzero *z = a->attr;
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  int64_t at[WHET_MAX_RANK] = {0}, along = out->stride[!z->rows], across = out->stride[z->rows], k = 0;
  int64_t room = out->dim[!z->rows];
  for (int64_t left = whet__tensor_count(x); left > 0; left--, whet__index_next(x->rank, x->dim, at)) {
    if (!is_set(x->dtype, x->data, whet__index_offset(x->rank, at, x->stride)) || k == room) continue;
    for (int32_t d = 0; d < x->rank; d++) whet__set_i64(WHET_S64, out->data, k * along + d * across, at[d]);
    k++;
  }
  return WHET_OK;
}

/* ---- Compress -------------------------------------------------------------------------------- */

struct compress {
  int32_t axis; /* may be negative */
  uint8_t flat; /* no axis: of all elements in row-major order */
};
static const whet_attr_desc k_compress_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(struct compress, axis)},
                                                  {"flat", WHET_ATTR_BOOL, offsetof(struct compress, flat)},
                                                  {0}};

static whet_status compress_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct compress, a);
  a->flat = !whet__onnx_has(im, "axis");
  a->axis = whet__small(whet__onnx_int(im, "axis", 0));
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_compress_from[] = {{"", "Compress", 9, compress_onnx}, {0}};

static whet_status compress_infer(whet_infer *f, const whet_node *n) {
  const struct compress *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *c = whet__in_shape(f, 1);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  int32_t axis = 0;
  whet_dim all;
  out->rank = -1;
  if (whet__in_dtype(f, 1) != WHET_BOOL)
    return whet__infer_fail(f, WHET_E_TYPE, "the condition is %s, expected bool", whet_dtype_name(whet__in_dtype(f, 1)));
  if (x->rank < 0) return WHET_LATE;
  if (c->rank >= 0 && c->rank != 1) return whet__infer_fail(f, WHET_E_SHAPE, "a condition of rank %d, expected 1", c->rank);
  if (!a->flat) WHET_TRY(whet__infer_axis(f, a->axis, x->rank, &axis));
  WHET_TRY(whet__infer_count(f, x, &all));
  if (!a->flat) all = x->d[axis];
  if (c->rank == 1 && whet__dim_known(c->d[0]) && whet__dim_known(all) && c->d[0] > all)
    return whet__infer_fail(f, WHET_E_SHAPE, "a condition for %lld of %lld elements", (long long)c->d[0], (long long)all);
  if (!a->flat) *out = *x;
  if (a->flat) out->rank = 1;
  out->d[axis] = c->rank < 0 ? WHET_DIM_ANY : count_set(f, 1, c->d[0]);
  return out->d[axis] == WHET_DIM_ANY ? WHET_LATE : WHET_OK;
}

static whet_status compress_ref(const whet_args *arg) {
  const struct compress *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *c = &arg->in[1], *out = &arg->out[0];
  int32_t axis = a->flat ? 0 : a->axis < 0 ? a->axis + x->rank : a->axis;
  int64_t dim[WHET_MAX_RANK], k = 0, room = out->dim[axis];
  memcpy(dim, x->dim, sizeof dim);
  dim[axis] = 1;
  for (int64_t i = 0; i < c->dim[0] && k < room; i++) {
    if (!is_set(c->dtype, c->data, i * c->stride[0])) continue;
    if (a->flat)
      whet__move_one(x->dtype, out->data, k * out->stride[0], x->data, whet__flat_offset(x, i));
    else
      whet__move_box(x->dtype, x->rank, dim, out->data, k * out->stride[axis], out->stride, x->data, i * x->stride[axis],
                     x->stride);
    k++;
  }
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_NonZero = {
    .name = "NonZero",
    .attr_size = sizeof(struct nonzero),
    .attrs = k_nonzero_attrs,
    .from = k_nonzero_from,
    .infer = nonzero_infer,
    .ref = nonzero_ref,
};

const whet_op whet_op_Compress = {
    .name = "Compress",
    .flags = WHET_OP_SIGN_FREE,
    .attr_size = sizeof(struct compress),
    .attrs = k_compress_attrs,
    .from = k_compress_from,
    .infer = compress_infer,
    .ref = compress_ref,
};
