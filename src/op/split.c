/* SPDX-License-Identifier: Apache-2.0 */
/* Split(x): x cut along an axis into as many parts as there are outputs.
 *
 * Sizes: given, or equal, or (ONNX num_outputs, since 18) all of the rounded-up size but the last. ONNX Split 2-18;
 * TFLite SPLIT, SPLIT_V, UNPACK (each part then loses the axis). All types. Exact. Parts share the input's memory
 * where the planner can arrange it. */

#include "op/grad.h"
#include "op/move.h"
#include "op/move_attr.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I32, offsetof(whet_split, axis)},
                                         {"uneven", WHET_ATTR_BOOL, offsetof(whet_split, uneven)},
                                         {"sizes", WHET_ATTR_I64S, offsetof(whet_split, sizes)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* Append the node: sizes as attribute, or (sizes.n -1) value `sizes_in` as the second input. */
static whet_status build(whet_import *im, const whet_op *op, int32_t x, int64_t axis, bool uneven, whet_ints sizes,
                         int32_t sizes_in, const int32_t *out) {
  whet_split *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->axis = (int32_t)whet__clamp_i(axis, INT32_MIN, INT32_MAX);
  a->uneven = uneven;
  int32_t in[2] = {x, sizes_in};
  int n_in = 1;
  if (sizes.n >= 0)
    a->sizes = sizes;
  else if (sizes_in >= 0)
    n_in = 2;
  return whet__im_node(im, op, a, in, n_in, out, whet__im_n_out(im));
}

/* The operator's outputs as an array in the arena. */
static int32_t *outputs(whet_import *im) {
  int n = whet__im_n_out(im);
  int32_t *out = whet__arena_array(whet__im_arena(im), (size_t)n + 1, sizeof *out);
  for (int i = 0; out && i < n; i++) out[i] = whet__im_out(im, i);
  return out;
}

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  int32_t *out = outputs(im), sizes_in = whet__im_in(im, 1);
  if (!out) return whet__im_fail(im, WHET_E_MEMORY, "no memory for outputs");
  whet_ints sizes = whet__im_since(im) < 13 ? whet__onnx_ints(im, "split") : whet__im_list(im, sizes_in);
  if (whet__onnx_has(im, "num_outputs") && whet__onnx_int(im, "num_outputs", 0) != whet__im_n_out(im))
    return whet__im_fail(im, WHET_E_DATA, "num_outputs is not the number of outputs");
  return build(im, op, whet__im_in(im, 0), whet__onnx_int(im, "axis", 0), whet__im_since(im) >= 18, sizes, sizes_in,
               out);
}

/* The axis of TFLite's SPLIT and SPLIT_V is a tensor, which must be constant. */
static whet_status tfl_axis(whet_import *im, int i, int64_t *axis) {
  whet_ints a = whet__im_list(im, whet__im_in(im, i));
  if (a.n != 1) return whet__im_fail(im, WHET_E_UNSUPPORTED, "the axis is not a constant");
  *axis = a.v[0];
  return WHET_OK;
}

static whet_status split_tfl(whet_import *im, const whet_op *op) {
  int64_t axis = 0;
  int32_t *out = outputs(im);
  if (!out) return whet__im_fail(im, WHET_E_MEMORY, "no memory for outputs");
  WHET_TRY(tfl_axis(im, 0, &axis));
  return build(im, op, whet__im_in(im, 1), axis, false, (whet_ints){NULL, 0}, -1, out);
}

static whet_status split_v_tfl(whet_import *im, const whet_op *op) {
  int64_t axis = 0;
  int32_t *out = outputs(im), sizes_in = whet__im_in(im, 1);
  if (!out) return whet__im_fail(im, WHET_E_MEMORY, "no memory for outputs");
  WHET_TRY(tfl_axis(im, 2, &axis));
  return build(im, op, whet__im_in(im, 0), axis, false, whet__im_list(im, sizes_in), sizes_in, out);
}

static whet_status unpack_tfl(whet_import *im, const whet_op *op) {
  int64_t axis = whet__tfl_int(im, 1, 0);
  int n = whet__im_n_out(im);
  int32_t *out = outputs(im);
  if (!out) return whet__im_fail(im, WHET_E_MEMORY, "no memory for outputs");
  for (int i = 0; i < n; i++) out[i] = whet__im_new(im, "part");
  WHET_TRY(build(im, op, whet__im_in(im, 0), axis, false, (whet_ints){NULL, 0}, -1, out));
  for (int i = 0; i < n; i++)
    if (whet__im_out(im, i) >= 0 && whet__im_squeeze(im, "Squeeze", out[i], axis, whet__im_out(im, i)) < 0)
      return whet__im_fail(im, WHET_E_MEMORY, "no memory for output %d", i);
  return WHET_OK;
}

static const whet_from k_from[] = {{"", "Split", 1, from_onnx},
                                   {"tflite", "SPLIT", 1, split_tfl},
                                   {"tflite", "SPLIT_V", 1, split_v_tfl},
                                   {"tflite", "UNPACK", 1, unpack_tfl},
                                   {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Sizes without a list: part i of n of a dimension. ANY where it cannot be told. */
static whet_dim part_size(whet_dim d, bool uneven, int32_t n, int32_t i) {
  if (!whet__dim_known(d)) return n == 1 ? d : WHET_DIM_ANY;
  int64_t each = uneven ? whet__ceil_div(d, n) : d / n;
  return whet__clamp_i(d - i * each, 0, each);
}

static whet_status split_infer(whet_infer *f, const whet_node *n) {
  const whet_split *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0);
  whet_nums s = {.known = a->sizes.v, .n = a->sizes.n};
  bool late = in->rank<0, given = a->sizes.n> 0 || n->n_in > 1;
  int32_t axis = 0;
  if (n->n_in > 1 && !whet__nums(f, 1, &s)) {
    if (s.n == -2) return whet__nums_late(f, &s, "the sizes");
    late = true;
  }
  if (given && s.n >= 0 && s.n != n->n_out)
    return whet__infer_fail(f, WHET_E_SHAPE, "%d sizes for %d outputs", s.n, n->n_out);
  if (in->rank >= 0) WHET_TRY(whet__infer_axis(f, a->axis, in->rank, &axis));
  whet_dim d = in->rank < 0 ? WHET_DIM_ANY : in->d[axis];
  /* One size of -1 (TFLite) is what the others leave. */
  whet_dim left = d;
  bool hole = false;
  for (int32_t o = 0; given && !late && o < n->n_out; o++) {
    whet_dim k = whet__num(&s, o);
    if (k == -1) {
      if (hole) return whet__infer_fail(f, WHET_E_DATA, "-1 stands twice in the sizes");
      hole = true;
      continue;
    }
    if (whet__dim_number(k) && k < 0) return whet__infer_fail(f, WHET_E_DATA, "size %d is %lld", o, (long long)k);
    left = whet__dim_sub(left, k);
  }
  if (given && !late && whet__dim_number(left) && (left < 0 || (left && !hole)))
    return whet__infer_fail(f, WHET_E_SHAPE, "the sizes do not add up to %lld", (long long)d);
  if (!given && !a->uneven && whet__dim_known(d) && d % n->n_out)
    return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of size %lld into %d equal parts", axis, (long long)d,
                            n->n_out);
  for (int32_t o = 0; o < n->n_out; o++) {
    if (!whet__out_has(f, o)) continue;
    whet_shape *out = whet__out(f, o, whet__in_dtype(f, 0));
    *out = *in;
    if (in->rank < 0) continue;
    whet_dim k = late ? WHET_DIM_ANY : given ? whet__num(&s, o) : part_size(d, a->uneven, n->n_out, o);
    out->d[axis] = k == -1 ? left : k;
  }
  return late ? WHET_LATE : WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Size of part o of a call whose sizes were checked. */
static int64_t size_of(const whet_args *a, int32_t axis, int o) {
  const whet_split *c = a->attr;
  const whet_tensor *in = &a->in[0];
  if (a->out[o].data) return a->out[o].dim[axis];
  if (!c->sizes.n && a->n_in < 2) return part_size(in->dim[axis], c->uneven, a->n_out, o);
  int64_t rest = in->dim[axis];
  for (int i = 0; i < a->n_out; i++) {
    int64_t k = a->n_in > 1 ? whet__vec_i64(&a->in[1], i) : c->sizes.v[i];
    if (i == o && k >= 0) return k;
    if (k >= 0) rest -= k;
  }
  return rest;
}

static whet_status split_ref(const whet_args *a) {
  const whet_split *c = a->attr;
  const whet_tensor *in = &a->in[0];
  int32_t axis = c->axis < 0 ? c->axis + in->rank : c->axis;
  int64_t at = 0;
  for (int o = 0; o < a->n_out; o++) {
    const whet_tensor *out = &a->out[o];
    if (out->data)
      whet__move_box(in->dtype, out->rank, out->dim, out->data, 0, out->stride, in->data, at * in->stride[axis],
                     in->stride);
    at += size_of(a, axis, o);
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static whet_status split_plan(whet_planner *p, const whet_node *n) {
  const whet_split *a = n->attr;
  const whet_shape *in = whet__pl_shape(p, n->in[0]);
  if (!whet__move_bytes(whet__pl_dtype(p, n->in[0]))) return WHET_LATE;
  if (n->n_out == 1) return whet__pl_view(p, n, 0, 0);
  for (int o = 0; o < n->n_out; o++)
    if (n->out[o] < 0) return WHET_LATE;
  int32_t axis = a->axis < 0 ? a->axis + in->rank : a->axis;
  int64_t at = 0, inner = whet__dim_product(in->d, axis + 1, in->rank);
  for (int o = 0; o < n->n_out; o++) {
    const whet_shape *out = whet__pl_shape(p, n->out[o]);
    whet_status st = whet__pl_part_of(p, n, o, 0, at * inner, in->d[axis] * inner);
    if (st == WHET_LATE) {
      whet_copy c = {.rank = in->rank};
      memcpy(c.dim, out->d, sizeof c.dim);
      whet__pl_strides(p, n->in[0], c.in_stride);
      whet__pl_strides(p, n->out[o], c.out_stride);
      c.in_offset = at * c.in_stride[axis];
      st = whet__pl_copy(p, n->out[o], n->in[0], &c);
    }
    WHET_TRY(st);
    at += out->d[axis];
  }
  return WHET_OK;
}

/* ---- permutation ----------------------------------------------------------------------------- */

static bool split_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  whet_split *w = whet__ed_attr(e, node);
  if (!w) return false;
  w->axis = whet__perm_axis(perm, rank, w->axis < 0 ? w->axis + rank : w->axis);
  return whet__perm_same(perm, rank, perm_out);
}

/* ---- gradient -------------------------------------------------------------------------------- */

static whet_status split_grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  const whet_split *a = n.attr;
  int32_t rank = whet__ed_shape(e, n.in[0])->rank;
  int32_t *in = whet__arena_array(&whet__ed_graph(e)->arena, (size_t)n.n_out + 1, sizeof *in);
  if (!whet__grad_wants(e, n.in[0])) return WHET_OK;
  if (!in) return whet__grad_add(e, n.in[0], -1), WHET_OK;
  if (rank < 0) return whet__grad_fail(e, node, "the rank of its input is not known");
  whet_dtype t = whet__ed_dtype(e, n.in[0]);
  for (int o = 0; o < n.n_out; o++) {
    if (n.out[o] < 0) return whet__grad_fail(e, node, "one of its outputs is left out");
    in[o] = whet__grad_of(e, n.out[o]);
    if (in[o] >= 0) continue;
    int32_t fill[2] = {whet__ed_shape_of(e, "Shape", n.out[o]), whet__ed_number(e, t, 0)};
    in[o] = whet__ed_call(e, "Fill", NULL, fill, 2, t);
  }
  const whet_concat how = {.axis = a->axis < 0 ? a->axis + rank : a->axis};
  whet__grad_add(e, n.in[0], whet__ed_call(e, "Concat", &how, in, n.n_out, t));
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_Split = {
    .name = "Split",
    .flags = WHET_OP_SIGN_FREE | WHET_OP_PITCH_IN,
    .attr_size = sizeof(whet_split),
    .attrs = k_attrs,
    .from = k_from,
    .infer = split_infer,
    .plan = split_plan,
    .permute = split_permute,
    .grad = split_grad,
    .ref = split_ref,
};
