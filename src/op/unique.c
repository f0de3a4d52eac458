/* SPDX-License-Identifier: Apache-2.0 */
/* Unique(x): the different elements of x, or its different slices along an axis; where each is seen first, which of
 * them every element is, and how often each is seen. In rising order, or in that of their first places.
 *
 * ONNX Unique 11-28; TFLite UNIQUE (in order of first places; elements and which of them each is). All types; a NaN is
 * greater than every number and like every other NaN. Sizes are told by data: the plan is cut. Exact. */

#include "op/move.h"
#include "op/order.h"

/* ---- attributes ------------------------------------------------------------------------------ */

struct unique {
  int32_t axis;  /* may be negative */
  uint8_t flat;  /* no axis: all elements */
  uint8_t sorted;
  uint8_t index; /* whet_dtype of outputs 1 to 3 */
};
static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(struct unique, axis)},
                                         {"flat", WHET_ATTR_BOOL, offsetof(struct unique, flat)},
                                         {"sorted", WHET_ATTR_BOOL, offsetof(struct unique, sorted)},
                                         {"index", WHET_ATTR_U8, offsetof(struct unique, index)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct unique, a);
  a->flat = !whet__onnx_has(im, "axis");
  a->axis = whet__small(whet__onnx_int(im, "axis", 0));
  a->sorted = whet__onnx_int(im, "sorted", 1) != 0;
  a->index = WHET_S64;
  return whet__im_node_as_is(im, op, a);
}

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct unique, a);
  int32_t x = whet__im_in(im, 0), out[3] = {whet__im_out(im, 0), -1, whet__im_out(im, 1)};
  const whet_val *which = whet__im_val(im, out[2]);
  a->flat = 1;
  a->index = which && which->dtype == WHET_S64 ? WHET_S64 : WHET_S32;
  return whet__im_node(im, op, a, &x, 1, out, 3);
}

static const whet_from k_from[] = {{"", "Unique", 11, from_onnx}, {"tflite", "UNIQUE", 1, from_tfl}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct unique *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  int32_t axis = 0;
  if (t && !whet__dtype_size(t)) return whet__infer_fail(f, WHET_E_TYPE, "elements of %s", whet_dtype_name(t));
  if (x->rank >= 0 && !a->flat) WHET_TRY(whet__infer_axis(f, a->axis, x->rank, &axis));
  for (int o = 0; o < n->n_out; o++) {
    if (!whet__out_has(f, o)) continue;
    whet_shape *s = whet__out(f, o, o ? (whet_dtype)a->index : t);
    if (!o && !a->flat) *s = *x;
    if (o || a->flat) s->rank = 1;
    if (s->rank > 0) s->d[o ? 0 : axis] = WHET_DIM_ANY;
    if (o == 2 && whet__shape_count(x) >= 0) s->d[0] = a->flat ? whet__shape_count(x) : x->d[axis];
  }
  return WHET_LATE;
}

/* ---- order ----------------------------------------------------------------------------------- */

/* What is told apart: `n` slices, `step` elements apart, each of the box `dim`. */
struct items {
  const whet_tensor *x;
  int64_t n, step, each;
  int32_t rank;
  int64_t dim[WHET_MAX_RANK], stride[WHET_MAX_RANK];
};

/* Slices i and j, element by element. */
static int compare(const void *ctx, int64_t i, int64_t j) {
  const struct items *s = ctx;
  int64_t at[WHET_MAX_RANK] = {0};
  for (int64_t k = 0; k < s->each; k++, whet__index_next(s->rank, s->dim, at)) {
    int64_t o = whet__index_offset(s->rank, at, s->stride);
    int c = whet__compare(s->x->dtype, s->x->data, i * s->step + o, s->x->data, j * s->step + o);
    if (c) return c;
  }
  return 0;
}

/* ---- run ------------------------------------------------------------------------------------- */

static void lay_out(const struct unique *a, const whet_tensor *x, struct items *s) {
  int32_t axis = a->axis < 0 ? a->axis + x->rank : a->axis;
  *s = (struct items){.x = x, .each = 1};
  if (a->flat) { /* inputs of late operators are dense */
    s->n = whet__tensor_count(x);
    s->step = 1;
    return;
  }
  s->n = x->dim[axis];
  s->step = x->stride[axis];
  for (int32_t d = 0; d < x->rank; d++) {
    if (d == axis) continue;
    s->dim[s->rank] = x->dim[d];
    s->stride[s->rank++] = x->stride[d];
    s->each *= x->dim[d];
  }
}

/* The different slices, in order, into output 0. */
static whet_status give_values(const whet_args *args, const struct unique *a, const int64_t *first, int64_t groups) {
  const whet_tensor *x = &args->in[0];
  int32_t axis = a->axis < 0 ? a->axis + x->rank : a->axis, rank = a->flat ? 1 : x->rank;
  int64_t dim[WHET_MAX_RANK], one[WHET_MAX_RANK], stride[WHET_MAX_RANK];
  if (a->flat) axis = 0;
  for (int32_t d = 0; d < rank; d++) one[d] = a->flat ? 1 : x->dim[d];
  memcpy(dim, one, sizeof dim);
  dim[axis] = groups;
  one[axis] = 1;
  whet__dense_strides(rank, dim, stride);
  void *out = whet__late_out(args, 0, x->dtype, rank, dim);
  if (!out) return WHET_E_MEMORY;
  for (int64_t g = 0; g < groups; g++)
    whet__move_box(x->dtype, rank, one, out, g * stride[axis], stride, x->data,
                   first[g] * (a->flat ? 1 : x->stride[axis]), a->flat ? stride : x->stride);
  return WHET_OK;
}

/* n integers into output o, where somebody wants it. */
static whet_status give(const whet_args *args, int o, const int64_t *v, int64_t n) {
  whet_dtype t = (whet_dtype)((const struct unique *)args->attr)->index;
  if (o >= args->n_out || args->node->out[o] < 0) return WHET_OK;
  void *out = whet__late_out(args, o, t, 1, &n);
  if (!out) return WHET_E_MEMORY;
  for (int64_t i = 0; i < n; i++) whet__set_i64(t, out, i, v[i]);
  return WHET_OK;
}

static whet_status late(const whet_args *args) {
  const struct unique *a = args->attr;
  struct items s;
  lay_out(a, &args->in[0], &s);
  int64_t need[2] = {6, s.n + 1}, groups = 0;
  int64_t *m = whet__late_out(args, args->n_out, WHET_S64, 2, need); /* scratch */
  if (!m) return WHET_E_MEMORY;
  int64_t *at[6];
  for (int i = 0; i < 6; i++) at[i] = m + i * (s.n + 1);
  int64_t *order = whet__sort_places(s.n, at[0], at[1], compare, &s), *first = at[2], *count = at[3], *which = at[4], *number = at[5];
  for (int64_t i = 0; i < s.n; i++) {
    if (!i || compare(&s, order[i - 1], order[i])) {
      count[groups] = 0;
      first[groups++] = order[i];
    }
    count[groups - 1]++;
    which[order[i]] = groups - 1;
  }
  if (!a->sorted) { /* numbers by first places; `order` is free now */
    int64_t next = 0, *by_place = order, *counts = order == at[0] ? at[1] : at[0];
    for (int64_t i = 0; i < s.n; i++)
      if (first[which[i]] == i) number[which[i]] = next++;
    for (int64_t g = 0; g < groups; g++) by_place[number[g]] = first[g], counts[number[g]] = count[g];
    for (int64_t i = 0; i < s.n; i++) which[i] = number[which[i]];
    first = by_place;
    count = counts;
  }
  if (args->node->out[0] >= 0) WHET_TRY(give_values(args, a, first, groups));
  WHET_TRY(give(args, 1, first, groups));
  WHET_TRY(give(args, 2, which, s.n));
  return give(args, 3, count, groups);
}

const whet_op whet_op_Unique = {
    .name = "Unique",
    .attr_size = sizeof(struct unique),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .late = late,
};
