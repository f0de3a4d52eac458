/* SPDX-License-Identifier: Apache-2.0 */
/* GatherElements(x, indices): out[i..] = x[i.. with indices[i..] in place of the axis's index].
 * GatherND(x, indices): the slices of x that tuples of indices, the last dimension of `indices`, name:
 *
 *   out[b.., i.., r..] = x[b.., indices[b.., i.., :].., r..]
 *
 * ONNX GatherElements 11-13, GatherND 11-13 (batch_dims since 12); TFLite GATHER_ND (negative indices are refused).
 * All types. Exact. Indices are checked when they are read (E_DATA). */

#include "op/move.h"
#include "op/move_attr.h"

static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(whet_gather, axis)},
                                         {"batch_dims", WHET_ATTR_I32, offsetof(whet_gather, batch_dims)},
                                         {"wrap", WHET_ATTR_BOOL, offsetof(whet_gather, wrap)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_gather, a);
  a->axis = whet__small(whet__onnx_int(im, "axis", 0));
  a->batch_dims = whet__small(whet__onnx_int(im, "batch_dims", 0));
  a->wrap = 1;
  return whet__im_node_as_is(im, op, a);
}

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_gather, a);
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_elements_from[] = {{"", "GatherElements", 11, from_onnx}, {0}};
static const whet_from k_nd_from[] = {{"", "GatherND", 11, from_onnx}, {"tflite", "GATHER_ND", 1, from_tfl}, {0}};

/* ---- shape rules ----------------------------------------------------------------------------- */

static whet_status elements_infer(whet_infer *f, const whet_node *n) {
  const whet_gather *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *idx = whet__in_shape(f, 1);
  int32_t axis;
  *whet__out(f, 0, whet__in_dtype(f, 0)) = *idx;
  WHET_TRY(whet__infer_is_int(f, 1));
  if (x->rank < 0 || idx->rank < 0) return idx->rank < 0 ? WHET_LATE : WHET_OK;
  WHET_TRY(whet__infer_axis(f, a->axis, x->rank, &axis));
  if (x->rank != idx->rank)
    return whet__infer_fail(f, WHET_E_SHAPE, "indices of rank %d for an input of rank %d", idx->rank, x->rank);
  for (int32_t d = 0; d < x->rank; d++)
    if (d != axis && whet__dim_known(x->d[d]) && whet__dim_known(idx->d[d]) && idx->d[d] > x->d[d])
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of the indices is %lld, of the input %lld", d,
                              (long long)idx->d[d], (long long)x->d[d]);
  return WHET_OK;
}

static whet_status nd_infer(whet_infer *f, const whet_node *n) {
  const whet_gather *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *idx = whet__in_shape(f, 1);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  int32_t b = a->batch_dims;
  out->rank = -1;
  WHET_TRY(whet__infer_is_int(f, 1));
  if (x->rank < 0 || idx->rank < 0) return WHET_LATE;
  if (b < 0 || b >= idx->rank || b > x->rank)
    return whet__infer_fail(f, WHET_E_DATA, "batch_dims %d does not fit an input of rank %d and indices of rank %d", b,
                            x->rank, idx->rank);
  for (int32_t d = 0; d < b; d++)
    if (whet__dim_known(x->d[d]) && whet__dim_known(idx->d[d]) && idx->d[d] != x->d[d])
      return whet__infer_fail(f, WHET_E_SHAPE, "shared dimension %d is %lld and %lld", d, (long long)x->d[d],
                              (long long)idx->d[d]);
  whet_dim k = idx->d[idx->rank - 1];
  if (!whet__dim_known(k)) return WHET_LATE;
  if (k > x->rank - b)
    return whet__infer_fail(f, WHET_E_SHAPE, "tuples of %lld indices for %d dimensions", (long long)k, x->rank - b);
  if (idx->rank - 1 + x->rank - b - k > WHET_MAX_RANK)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld dimensions, at most %d", (long long)(idx->rank - 1 + x->rank - b - k),
                            WHET_MAX_RANK);
  out->rank = 0;
  for (int32_t d = 0; d < idx->rank - 1; d++) out->d[out->rank++] = idx->d[d];
  for (int32_t d = b + (int32_t)k; d < x->rank; d++) out->d[out->rank++] = x->d[d];
  return WHET_OK;
}

/* ---- references ------------------------------------------------------------------------------ */

static whet_status elements_ref(const whet_args *a) {
  const whet_gather *g = a->attr;
  const whet_tensor *x = &a->in[0], *idx = &a->in[1], *out = &a->out[0];
  int32_t axis = g->axis < 0 ? g->axis + x->rank : g->axis;
  int64_t at[WHET_MAX_RANK] = {0}, size = x->dim[axis];
  for (int64_t left = whet__tensor_count(out); left > 0; left--, whet__index_next(out->rank, out->dim, at)) {
    int64_t k, from = whet__index_offset(x->rank, at, x->stride) - at[axis] * x->stride[axis];
    WHET_TRY(whet__index_read(a, idx, whet__index_offset(idx->rank, at, idx->stride), size, g->wrap, &k));
    whet__move_one(x->dtype, out->data, whet__index_offset(out->rank, at, out->stride), x->data,
                   from + k * x->stride[axis]);
  }
  return WHET_OK;
}

static whet_status nd_ref(const whet_args *a) {
  const whet_gather *g = a->attr;
  const whet_tensor *x = &a->in[0], *idx = &a->in[1], *out = &a->out[0];
  int32_t outer = idx->rank - 1, b = g->batch_dims, k = (int32_t)idx->dim[outer], inner = x->rank - b - k;
  int64_t at[WHET_MAX_RANK] = {0};
  if (!whet__tensor_count(out)) return WHET_OK;
  do {
    int64_t place = whet__index_offset(outer, at, idx->stride), from = whet__index_offset(b, at, x->stride);
    for (int32_t i = 0; i < k; i++) {
      int64_t v;
      WHET_TRY(whet__index_read(a, idx, place + i * idx->stride[outer], x->dim[b + i], g->wrap, &v));
      from += v * x->stride[b + i];
    }
    whet__move_box(x->dtype, inner, x->dim + b + k, out->data, whet__index_offset(outer, at, out->stride),
                   out->stride + outer, x->data, from, x->stride + b + k);
  } while (whet__index_next(outer, idx->dim, at));
  return WHET_OK;
}

/* ---- permutation ----------------------------------------------------------------------------- */

/* GatherElements with constant indices of the same rank: they are turned, too. */
static bool elements_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  whet_graph *g = whet__ed_graph(e);
  const whet_val *idx = &g->val[g->node[node].in[1]];
  if (idx->role != WHET_ROLE_CONST || idx->shape.rank != rank) return false;
  int32_t turned = whet__ed_permuted_const(e, g->node[node].in[1], perm, rank);
  whet_gather *a = whet__ed_attr(e, node);
  if (!a || turned < 0) return false;
  a->axis = whet__perm_axis(perm, rank, a->axis < 0 ? a->axis + rank : a->axis);
  g->node[node].in[1] = turned;
  return whet__perm_same(perm, rank, perm_out);
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_GatherElements = {
    .name = "GatherElements",
    .flags = WHET_OP_SIGN_FREE,
    .attr_size = sizeof(whet_gather),
    .attrs = k_attrs,
    .from = k_elements_from,
    .infer = elements_infer,
    .permute = elements_permute,
    .ref = elements_ref,
};

const whet_op whet_op_GatherND = {
    .name = "GatherND",
    .flags = WHET_OP_SIGN_FREE,
    .attr_size = sizeof(whet_gather),
    .attrs = k_attrs,
    .from = k_nd_from,
    .infer = nd_infer,
    .ref = nd_ref,
};
