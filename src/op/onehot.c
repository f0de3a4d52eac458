/* SPDX-License-Identifier: Apache-2.0 */
/* OneHot(indices, depth, values): a new dimension of size depth in which element `index` is values[1], all others
 * values[0].
 *
 * ONNX OneHot 9-11 (indices of any number type; negative ones count from depth; others outside leave no 1); TFLite
 * ONE_HOT (the two values are inputs of their own; negative indices are outside). Exact. */

#include "op/move.h"
#include "op/move_attr.h"

/* ---- attributes ------------------------------------------------------------------------------ */

struct onehot {
  int32_t axis; /* of the output; may be negative */
  uint8_t wrap; /* negative indices count from the end */
};
static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(struct onehot, axis)},
                                         {"wrap", WHET_ATTR_BOOL, offsetof(struct onehot, wrap)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct onehot, a);
  a->axis = whet__small(whet__onnx_int(im, "axis", -1));
  a->wrap = 1;
  return whet__im_node_as_is(im, op, a);
}

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct onehot, a);
  WHET_NEW_ATTR(im, whet_concat, c);
  a->axis = whet__small(whet__tfl_int(im, 0, 0));
  /* values = [off, on] */
  int32_t pair[2] = {whet__im_squeeze(im, "Unsqueeze", whet__im_in(im, 3), 0, -1),
                     whet__im_squeeze(im, "Unsqueeze", whet__im_in(im, 2), 0, -1)};
  int32_t in[3] = {whet__im_in(im, 0), whet__im_in(im, 1), whet__im_new(im, "values")}, out = whet__im_out(im, 0);
  if (pair[0] < 0 || pair[1] < 0) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the values");
  WHET_TRY(whet__im_node(im, whet__op_find("Concat"), c, pair, 2, &in[2], 1));
  return whet__im_node(im, op, a, in, 3, &out, 1);
}

static const whet_from k_from[] = {{"", "OneHot", 9, from_onnx}, {"tflite", "ONE_HOT", 1, from_tfl}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status onehot_infer(whet_infer *f, const whet_node *n) {
  const struct onehot *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0), *values = whet__in_shape(f, 2);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 2));
  whet_dtype t = whet__in_dtype(f, 1), ti = whet__in_dtype(f, 0);
  out->rank = -1;
  if ((!whet__is_int(t) && !whet__is_float(t)) || (!whet__is_int(ti) && !whet__is_float(ti)))
    return whet__infer_fail(f, WHET_E_TYPE, "indices and depth must be numbers");
  if (values->rank >= 0 && (values->rank != 1 || (whet__dim_known(values->d[0]) && values->d[0] != 2)))
    return whet__infer_fail(f, WHET_E_SHAPE, "values must be a vector of two");
  int64_t one = whet__shape_count(whet__in_shape(f, 1));
  if (one >= 0 && one != 1) return whet__infer_fail(f, WHET_E_SHAPE, "depth must be a single number");
  if (in->rank < 0) return WHET_LATE;
  if (in->rank == WHET_MAX_RANK)
    return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", in->rank + 1, WHET_MAX_RANK);
  int32_t axis, m;
  WHET_TRY(whet__infer_axis(f, a->axis, in->rank + 1, &axis));
  whet_dim depth = WHET_DIM_ANY;
  const whet_dim *known = whet__is_int(t) ? whet__in_known(f, 1, &m) : NULL;
  const void *data = one == 1 ? whet__in_data(f, 1) : NULL;
  if (known && m == 1)
    depth = known[0];
  else if (data)
    depth = whet__get_i64(t, data, 0);
  if (whet__dim_number(depth) && depth < 0)
    return whet__infer_fail(f, WHET_E_DATA, "depth is %lld", (long long)depth);
  out->rank = in->rank + 1;
  for (int32_t i = 0, k = 0; i < out->rank; i++) out->d[i] = i == axis ? depth : in->d[k++];
  whet_dim count;
  WHET_TRY(whet__infer_count(f, out, &count));
  return whet__dim_number(depth) || (known && depth != WHET_DIM_ANY) ? WHET_OK : WHET_LATE;
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status onehot_ref(const whet_args *a) {
  const struct onehot *o = a->attr;
  const whet_tensor *in = &a->in[0], *values = &a->in[2], *out = &a->out[0];
  int32_t axis = o->axis < 0 ? o->axis + out->rank : o->axis;
  int64_t at[WHET_MAX_RANK] = {0}, depth = out->dim[axis];
  if (!whet__tensor_count(out)) return WHET_OK;
  do {
    int64_t place = 0;
    for (int32_t i = 0, k = 0; i < out->rank; i++)
      if (i != axis) place += at[i] * in->stride[k++];
    int64_t v = whet__get_i64(in->dtype, in->data, place);
    if (o->wrap && v < 0) v += depth;
    whet__move_one(out->dtype, out->data, whet__index_offset(out->rank, at, out->stride), values->data,
                   v == at[axis] ? values->stride[0] : 0);
  } while (whet__index_next(out->rank, out->dim, at));
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_OneHot = {
    .name = "OneHot",
    .attr_size = sizeof(struct onehot),
    .attrs = k_attrs,
    .from = k_from,
    .infer = onehot_infer,
    .ref = onehot_ref,
};
