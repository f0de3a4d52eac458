/* SPDX-License-Identifier: Apache-2.0 */
/* SplitToSequence(x, sizes?): pieces of x along an axis as a sequence: of the sizes given, of one size (a scalar; the
 * last piece may be smaller), or single slices, whose dimension is dropped without keepdims. ConcatFromSequence(s): its
 * items joined along an axis, or stacked along a new one. ONNX 11-. All types. Exact. */

#include "op/move.h"
#include "op/object.h"

typedef struct cut_attr {
  int32_t axis;
  bool flag; /* Split: keepdims; Concat: new_axis */
} cut_attr;
static const whet_attr_desc k_split_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(cut_attr, axis)},
                                               {"keepdims", WHET_ATTR_BOOL, offsetof(cut_attr, flag)},
                                               {0}};
static const whet_attr_desc k_concat_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(cut_attr, axis)},
                                                {"new_axis", WHET_ATTR_BOOL, offsetof(cut_attr, flag)},
                                                {0}};

static whet_status read_split(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, cut_attr, a);
  a->axis = whet__small(whet__onnx_int(im, "axis", 0));
  a->flag = whet__onnx_int(im, "keepdims", 1) != 0;
  return whet__im_node_as_is(im, op, a);
}
static whet_status read_concat(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, cut_attr, a);
  if (!whet__onnx_has(im, "axis")) return whet__im_fail(im, WHET_E_FORMAT, "there is no attribute axis");
  a->axis = whet__small(whet__onnx_int(im, "axis", 0));
  a->flag = whet__onnx_int(im, "new_axis", 0) != 0;
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_split_from[] = {{"", "SplitToSequence", 11, read_split}, {0}};
static const whet_from k_concat_from[] = {{"", "ConcatFromSequence", 11, read_concat}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status split_infer(whet_infer *f, const whet_node *n) {
  const cut_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  int32_t axis;
  if (!whet__in_has(f, 0) || whet__in_kind(f, 0) != WHET_TENSOR)
    return whet__infer_fail(f, WHET_E_TYPE, "input 0 is no tensor");
  if (x->rank >= 0) WHET_TRY(whet__infer_axis(f, a->axis, x->rank, &axis));
  if (whet__in_has(f, 1)) {
    WHET_TRY(whet__infer_is_int(f, 1));
    if (whet__in_shape(f, 1)->rank > 1)
      return whet__infer_fail(f, WHET_E_SHAPE, "sizes of rank %d, expected 0 or 1", whet__in_shape(f, 1)->rank);
  }
  whet__out(f, 0, whet__in_dtype(f, 0));
  whet__out_kind(f, 0, WHET_SEQUENCE);
  return WHET_LATE;
}

static whet_status concat_infer(whet_infer *f, const whet_node *n) {
  if (!whet__in_sequence(f, 0)) return whet__infer_fail(f, WHET_E_TYPE, "input 0 is no sequence");
  whet__out(f, 0, whet__in_dtype(f, 0))->rank = -1;
  whet__out_kind(f, 0, WHET_TENSOR);
  return WHET_LATE;
}

/* ---- running --------------------------------------------------------------------------------- */

/* Item k of a sequence: `size` of x along the axis from `from` on. */
static whet_status add_piece(const whet_args *a, whet_value *seq, size_t k, int32_t axis, int64_t from, int64_t size,
                             bool drop) {
  whet_tensor part = a->in[0];
  from *= part.stride[axis];
  part.dim[axis] = size;
  if (drop) {
    for (int32_t i = axis; i + 1 < part.rank; i++) part.dim[i] = part.dim[i + 1], part.stride[i] = part.stride[i + 1];
    part.rank--;
  }
  return whet__object_insert(a, seq, k, whet__object_from_part(a, &part, from));
}

/* All pieces. */
static whet_status split(const whet_args *a, whet_value *seq) {
  const cut_attr *c = a->attr;
  const whet_tensor *x = &a->in[0], *sizes = a->n_in > 1 && a->node->in[1] >= 0 ? &a->in[1] : NULL;
  int32_t axis = c->axis < 0 ? c->axis + x->rank : c->axis;
  int64_t size = x->dim[axis], at = 0, each = 1, count = size;
  if (sizes && !sizes->rank) {
    each = whet__vec_i64(sizes, 0);
    if (each < 1) return whet__fail(a->err, WHET_E_DATA, "pieces of %lld", (long long)each);
    count = size / each + (size % each != 0);
  } else if (sizes) {
    count = sizes->dim[0];
  }
  for (int64_t k = 0; k < count; k++) {
    int64_t n = sizes && sizes->rank ? whet__vec_i64(sizes, k) : each < size - at ? each : size - at;
    if (n < 0 || n > size - at)
      return whet__fail(a->err, WHET_E_DATA, "piece %lld of %lld at %lld of %lld", (long long)k, (long long)n, (long long)at,
                        (long long)size);
    WHET_TRY(add_piece(a, seq, (size_t)k, axis, at, n, !sizes && !c->flag));
    at += n;
  }
  if (at != size)
    return whet__fail(a->err, WHET_E_DATA, "sizes sum to %lld, the dimension is %lld", (long long)at, (long long)size);
  return WHET_OK;
}

static whet_status split_late(const whet_args *a) {
  whet_value *seq = whet__object_holder(a, WHET_SEQUENCE, NULL, 0);
  whet_status st = seq ? split(a, seq) : WHET_OK;
  if (st) whet_value_unref(&seq);
  return st ? st : whet__object_out(a, 0, seq);
}

/* Shape of the result; the items must fit. */
static whet_status joined(const whet_args *a, const whet_value *s, int32_t *axis, whet_shape *out) {
  const cut_attr *c = a->attr;
  const whet_value *first = whet_value_item(s, 0);
  if (!first) return whet__fail(a->err, WHET_E_DATA, "the sequence is empty");
  *out = whet__shape(whet_value_rank(first), whet_value_dims(first));
  int32_t rank = out->rank + c->flag;
  if (rank > WHET_MAX_RANK || c->axis < -rank || c->axis >= rank)
    return whet__fail(a->err, WHET_E_DATA, "axis %d of %d dimensions", c->axis, rank);
  *axis = c->axis < 0 ? c->axis + rank : c->axis;
  int64_t sum = 0;
  for (size_t k = 0; k < whet_value_items(s); k++) {
    const whet_value *v = whet_value_item(s, k);
    bool fits = whet_value_kind(v) == WHET_TENSOR && whet_value_rank(v) == out->rank && whet_value_dtype(v) == whet_value_dtype(first);
    for (int32_t i = 0; fits && i < out->rank; i++)
      if (c->flag || i != *axis) fits = whet_value_dims(v)[i] == out->d[i];
    if (!fits || __builtin_add_overflow(sum, c->flag ? 1 : whet_value_dims(v)[*axis], &sum))
      return whet__fail(a->err, WHET_E_SHAPE, "item %zu does not fit the first one", k);
  }
  for (int32_t i = rank - 1; c->flag && i > *axis; i--) out->d[i] = out->d[i - 1];
  out->rank = rank;
  out->d[*axis] = sum;
  return WHET_OK;
}

static whet_status concat_late(const whet_args *a) {
  const whet_value *s = whet__object_in(a, 0);
  whet_shape shape;
  int32_t axis = 0;
  WHET_TRY(joined(a, s, &axis, &shape));
  whet_dtype t = whet_value_dtype(whet_value_item(s, 0));
  void *to = whet__late_out(a, 0, t, shape.rank, shape.d);
  if (!to) return a->err->code;
  int64_t outer = whet__dim_product(shape.d, 0, axis), inner = whet__dim_product(shape.d, axis + 1, shape.rank), at = 0;
  for (size_t k = 0; k < whet_value_items(s); k++) {
    const whet_value *v = whet_value_item(s, k);
    int64_t n = outer > 0 ? (int64_t)whet_value_count(v) / outer : 0;
    int64_t dim[2] = {outer, n}, os[2] = {shape.d[axis] * inner, 1}, is[2] = {n, 1};
    if (n) whet__move_box(t, 2, dim, to, at, os, whet_value_const_data(v), 0, is);
    at += n;
  }
  if (t != WHET_STRING) return WHET_OK;
  whet_str *str = to; /* the items may go before the result does */
  for (int64_t i = 0; i < whet__shape_count(&shape); i++) {
    char *p = whet__late_bytes(a, str[i].n);
    if (!p) return a->err->code;
    if (str[i].n) memcpy(p, str[i].p, str[i].n);
    str[i].p = p;
  }
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_SplitToSequence = {.name = "SplitToSequence",
                                         .flags = WHET_OP_OBJECT,
                                         .attr_size = sizeof(cut_attr),
                                         .attrs = k_split_attrs,
                                         .from = k_split_from,
                                         .infer = split_infer,
                                         .late = split_late};
const whet_op whet_op_ConcatFromSequence = {.name = "ConcatFromSequence",
                                            .flags = WHET_OP_OBJECT,
                                            .attr_size = sizeof(cut_attr),
                                            .attrs = k_concat_attrs,
                                            .from = k_concat_from,
                                            .infer = concat_infer,
                                            .late = concat_late};
