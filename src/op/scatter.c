/* SPDX-License-Identifier: Apache-2.0 */
/* ScatterElements(x, indices, updates): x, and then for every index i.. of updates, in order,
 *   out[i.. with indices[i..] in place of the axis's index] = how(.., updates[i..]).
 * ScatterND(x, indices, updates): x, and then for every tuple of indices (the last dimension of `indices`)
 *   out[indices[i.., :].., r..] = how(.., updates[i.., r..]).
 *
 * how: set, add, multiply, greater, less. ONNX Scatter 9, ScatterElements 11-18, ScatterND 11-18; TFLite SCATTER_ND
 * (adds to zeros; negative indices are refused), SPARSE_TO_DENSE (sets in a field of one value). All types; sums and
 * the like of numbers and BOOL. Exact. Indices are checked when they are read (E_DATA). */

#include "op/accumulate.h"
#include "op/move.h"
#include "op/move_attr.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(whet_scatter, axis)},
                                         {"how", WHET_ATTR_U8, offsetof(whet_scatter, how)},
                                         {"wrap", WHET_ATTR_BOOL, offsetof(whet_scatter, wrap)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  static const char *const words[] = {"none", "add", "mul", "max", "min"};
  WHET_NEW_ATTR(im, whet_scatter, a);
  whet_str s = whet__onnx_str(im, "reduction", "none");
  a->axis = whet__small(whet__onnx_int(im, "axis", 0));
  a->wrap = 1;
  for (size_t i = 0; i < WHET_COUNT(words); i++)
    if (s.n == strlen(words[i]) && !memcmp(s.p, words[i], s.n)) {
      a->how = (uint8_t)i;
      return whet__im_node_as_is(im, op, a);
    }
  return whet__im_fail(im, WHET_E_DATA, "reduction \"%.*s\"", (int)whet__min_i((int64_t)s.n, 40), s.p);
}

/* ScatterND into a new tensor of dimensions `shape` that is full of `value`. */
static whet_status into_field(whet_import *im, const whet_op *op, int32_t shape, int32_t value, int32_t idx,
                              int32_t updates, whet_acc how) {
  WHET_NEW_ATTR(im, whet_scatter, a);
  a->how = (uint8_t)how;
  int32_t fill[2] = {shape, value}, in[3] = {whet__im_new(im, "field"), idx, updates}, out = whet__im_out(im, 0);
  WHET_TRY(whet__im_node(im, whet__op_find("Fill"), NULL, fill, 2, in, 1));
  return whet__im_node(im, op, a, in, 3, &out, 1);
}

/* SCATTER_ND(indices, updates, shape). */
static whet_status scatter_nd_tfl(whet_import *im, const whet_op *op) {
  int32_t updates = whet__im_in(im, 1);
  const whet_val *u = whet__im_val(im, updates);
  int64_t zero[2] = {0};
  if (!u) return whet__im_fail(im, WHET_E_FORMAT, "expected indices, updates and a shape");
  int32_t value = whet__im_const(im, (whet_dtype)u->dtype, 0, NULL, zero);
  return into_field(im, op, whet__im_in(im, 2), value, whet__im_in(im, 0), updates, WHET_ACC_ADD);
}

/* SPARSE_TO_DENSE(indices, shape, values, default). Indices may be one number or a vector, for an output of one
 * dimension; a single value is for all of them. */
static whet_status sparse_to_dense_tfl(whet_import *im, const whet_op *op) {
  int32_t idx = whet__im_in(im, 0), values = whet__im_in(im, 2);
  const whet_val *i = whet__im_val(im, idx), *v = whet__im_val(im, values);
  if (!i || !v || whet__im_in(im, 1) < 0 || whet__im_in(im, 3) < 0)
    return whet__im_fail(im, WHET_E_FORMAT, "expected indices, a shape, values and a default");
  int32_t rank = i->shape.rank, lone = v->shape.rank == 0;
  if (rank < 0 || rank > 2)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "indices of rank %d, expected 0, 1 or 2", rank);
  for (; rank < 2 && idx >= 0; rank++) idx = whet__im_squeeze(im, "Unsqueeze", idx, rank, -1);
  if (idx < 0) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the indices");
  if (lone) {
    WHET_NEW_ATTR(im, whet_slice, s);
    const int64_t bound[2] = {0, 1};
    int32_t shape = whet__im_new(im, "shape"), count = whet__im_new(im, "count"), all = whet__im_new(im, "values");
    WHET_TRY(whet__im_shape_of(im, idx, shape));
    int32_t cut[3] = {shape, whet__im_ints(im, bound, 1), whet__im_ints(im, bound + 1, 1)};
    WHET_TRY(whet__im_node(im, whet__op_find("Slice"), s, cut, 3, &count, 1));
    int32_t spread[2] = {values, count};
    WHET_TRY(whet__im_node(im, whet__op_find("Expand"), NULL, spread, 2, &all, 1));
    values = all;
  }
  return into_field(im, op, whet__im_in(im, 1), whet__im_in(im, 3), idx, values, WHET_ACC_SET);
}

static const whet_from k_elements_from[] = {
    {"", "Scatter", 9, from_onnx}, {"", "ScatterElements", 11, from_onnx}, {0}};
static const whet_from k_nd_from[] = {{"", "ScatterND", 11, from_onnx},
                                      {"tflite", "SCATTER_ND", 1, scatter_nd_tfl},
                                      {"tflite", "SPARSE_TO_DENSE", 1, sparse_to_dense_tfl},
                                      {0}};

/* ---- shape rules ----------------------------------------------------------------------------- */

/* Types, and the output's shape. */
static whet_status infer_common(whet_infer *f, const whet_scatter *a) {
  whet_dtype t = whet__in_dtype(f, 0);
  *whet__out(f, 0, t) = *whet__in_shape(f, 0);
  if (!whet__in_has(f, 0) || !whet__in_has(f, 1) || !whet__in_has(f, 2))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected an input, indices and updates");
  WHET_TRY(whet__infer_is_int(f, 1));
  if (whet__in_dtype(f, 2) != t)
    return whet__infer_fail(f, WHET_E_TYPE, "updates are %s, the input %s", whet_dtype_name(whet__in_dtype(f, 2)),
                            whet_dtype_name(t));
  if (!whet__accumulates(t, (whet_acc)a->how))
    return whet__infer_fail(f, WHET_E_TYPE, "this reduction of %s is not taken", whet_dtype_name(t));
  return WHET_OK;
}

/* Dimension i of the updates (rank: `rank` in all) must be `want`. */
static whet_status expect_dim(whet_infer *f, int32_t i, whet_dim want) {
  whet_dim got = whet__in_shape(f, 2)->d[i];
  if (!whet__dim_known(got) || !whet__dim_known(want) || got == want) return WHET_OK;
  return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of the updates is %lld, expected %lld", i, (long long)got,
                          (long long)want);
}

static whet_status elements_infer(whet_infer *f, const whet_node *n) {
  const whet_scatter *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *idx = whet__in_shape(f, 1), *u = whet__in_shape(f, 2);
  int32_t axis;
  WHET_TRY(infer_common(f, a));
  if (x->rank < 0) return WHET_LATE;
  WHET_TRY(whet__infer_axis(f, a->axis, x->rank, &axis));
  if (idx->rank < 0 || u->rank < 0) return WHET_OK;
  if (x->rank != idx->rank || x->rank != u->rank)
    return whet__infer_fail(f, WHET_E_SHAPE, "indices of rank %d and updates of rank %d for an input of rank %d",
                            idx->rank, u->rank, x->rank);
  for (int32_t d = 0; d < x->rank; d++) {
    WHET_TRY(expect_dim(f, d, idx->d[d]));
    if (d != axis && whet__dim_known(x->d[d]) && whet__dim_known(idx->d[d]) && idx->d[d] > x->d[d])
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of the indices is %lld, of the input %lld", d,
                              (long long)idx->d[d], (long long)x->d[d]);
  }
  return WHET_OK;
}

static whet_status nd_infer(whet_infer *f, const whet_node *n) {
  const whet_shape *x = whet__in_shape(f, 0), *idx = whet__in_shape(f, 1), *u = whet__in_shape(f, 2);
  WHET_TRY(infer_common(f, n->attr));
  if (x->rank < 0) return WHET_LATE;
  if (idx->rank < 0 || u->rank < 0) return WHET_OK;
  if (!idx->rank) return whet__infer_fail(f, WHET_E_SHAPE, "indices must have a dimension for their tuples");
  whet_dim k = idx->d[idx->rank - 1];
  if (!whet__dim_known(k)) return WHET_OK;
  if (k > x->rank)
    return whet__infer_fail(f, WHET_E_SHAPE, "tuples of %lld indices for %d dimensions", (long long)k, x->rank);
  if (u->rank != idx->rank - 1 + x->rank - k)
    return whet__infer_fail(f, WHET_E_SHAPE, "updates of rank %d, expected %lld", u->rank,
                            (long long)(idx->rank - 1 + x->rank - k));
  for (int32_t d = 0; d < u->rank; d++)
    WHET_TRY(expect_dim(f, d, d < idx->rank - 1 ? idx->d[d] : x->d[d - (idx->rank - 1) + k]));
  return WHET_OK;
}

/* ---- references ------------------------------------------------------------------------------ */

static whet_status elements_ref(const whet_args *a) {
  const whet_scatter *s = a->attr;
  const whet_tensor *x = &a->in[0], *idx = &a->in[1], *u = &a->in[2], *out = &a->out[0];
  int32_t axis = s->axis < 0 ? s->axis + x->rank : s->axis;
  int64_t at[WHET_MAX_RANK] = {0}, size = x->dim[axis];
  whet__move_flat(out, x);
  for (int64_t left = whet__tensor_count(u); left > 0; left--, whet__index_next(u->rank, u->dim, at)) {
    int64_t k, to = whet__index_offset(out->rank, at, out->stride) - at[axis] * out->stride[axis];
    WHET_TRY(whet__index_read(a, idx, whet__index_offset(idx->rank, at, idx->stride), size, s->wrap, &k));
    whet__accumulate(x->dtype, (whet_acc)s->how, out->data, to + k * out->stride[axis], u->data,
                     whet__index_offset(u->rank, at, u->stride));
  }
  return WHET_OK;
}

static whet_status nd_ref(const whet_args *a) {
  const whet_scatter *s = a->attr;
  const whet_tensor *x = &a->in[0], *idx = &a->in[1], *u = &a->in[2], *out = &a->out[0];
  int32_t outer = idx->rank - 1, k = (int32_t)idx->dim[outer], inner = x->rank - k;
  int64_t at[WHET_MAX_RANK] = {0};
  whet__move_flat(out, x);
  if (!whet__tensor_count(u)) return WHET_OK;
  do {
    int64_t place = whet__index_offset(outer, at, idx->stride), to = 0;
    for (int32_t i = 0; i < k; i++) {
      int64_t v;
      WHET_TRY(whet__index_read(a, idx, place + i * idx->stride[outer], x->dim[i], s->wrap, &v));
      to += v * out->stride[i];
    }
    whet__accumulate_box(x->dtype, (whet_acc)s->how, inner, x->dim + k, out->data, to, out->stride + k, u->data,
                         whet__index_offset(outer, at, u->stride), u->stride + outer);
  } while (whet__index_next(outer, idx->dim, at));
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_ScatterElements = {
    .name = "ScatterElements",
    .attr_size = sizeof(whet_scatter),
    .attrs = k_attrs,
    .from = k_elements_from,
    .infer = elements_infer,
    .plan = whet__pl_in_first,
    .ref = elements_ref,
};

const whet_op whet_op_ScatterND = {
    .name = "ScatterND",
    .attr_size = sizeof(whet_scatter),
    .attrs = k_attrs,
    .from = k_nd_from,
    .infer = nd_infer,
    .plan = whet__pl_in_first,
    .ref = nd_ref,
};
