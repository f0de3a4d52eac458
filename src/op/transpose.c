/* SPDX-License-Identifier: Apache-2.0 */
/* Transpose(x): dimension i of the output is dimension perm[i] of x; without perm the dimensions are reversed.
 *
 * ONNX Transpose 1-25, TFLite TRANSPOSE, STABLEHLO_TRANSPOSE. A perm that is not constant stays the second input. All types. Exact.
 * Where only dimensions of size 1 change places it is a view. */

#include "op/grad.h"
#include "op/move.h"
#include "op/move_attr.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"perm", WHET_ATTR_I64S, offsetof(whet_transpose, perm)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  whet_transpose *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->perm = whet__onnx_ints(im, "perm");
  if (a->perm.n > 0) whet__im_rank(im, whet__im_out(im, 0), a->perm.n);
  return whet__im_node_as_is(im, op, a);
}

static whet_status from_tfl(whet_import *im, const whet_op *op) {
  whet_transpose *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  int32_t in[2] = {whet__im_in(im, 0), whet__im_in(im, 1)}, out = whet__im_out(im, 0);
  whet_ints perm = whet__im_list(im, in[1]);
  if (perm.n > 0) a->perm = perm;
  return whet__im_node(im, op, a, in, perm.n > 0 ? 1 : 2, &out, 1);
}

static whet_status from_hlo(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, whet_transpose, a);
  a->perm = whet__tfl_ints(im, 0);
  const whet_val *x = whet__im_val(im, whet__im_in(im, 0));
  if (!a->perm.n && x && x->shape.rank) return whet__im_fail(im, WHET_E_DATA, "the permutation is empty");
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"", "Transpose", 1, from_onnx},
                                   {"tflite", "TRANSPOSE", 1, from_tfl},
                                   {"tflite", "STABLEHLO_TRANSPOSE", 1, from_hlo},
                                   {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status transpose_infer(whet_infer *f, const whet_node *n) {
  const whet_transpose *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  out->rank = in->rank;
  for (int32_t i = 0; i < in->rank; i++) out->d[i] = WHET_DIM_ANY;
  whet_nums s = {.known = a->perm.v, .n = a->perm.n};
  if (n->n_in > 1) {
    if (!whet__nums(f, 1, &s)) return whet__nums_late(f, &s, "the permutation");
    if (!whet__nums_all(&s)) return WHET_LATE;
  } else if (!s.n) {
    for (int32_t i = 0; i < in->rank; i++) out->d[i] = in->d[in->rank - 1 - i];
    return WHET_OK;
  }
  if (in->rank < 0) {
    if (s.n <= WHET_MAX_RANK) out->rank = s.n;
    for (int32_t i = 0; i < out->rank; i++) out->d[i] = WHET_DIM_ANY;
    return WHET_OK;
  }
  if (s.n != in->rank)
    return whet__infer_fail(f, WHET_E_SHAPE, "a permutation of %d dimensions for an input of rank %d", s.n, in->rank);
  bool seen[WHET_MAX_RANK] = {false};
  for (int32_t i = 0; i < s.n; i++) {
    int32_t axis;
    WHET_TRY(whet__infer_axis(f, whet__num(&s, i), in->rank, &axis));
    if (seen[axis]) return whet__infer_fail(f, WHET_E_DATA, "dimension %d stands twice in the permutation", axis);
    seen[axis] = true;
    out->d[i] = in->d[axis];
  }
  if (in->rank < 2) whet__known_pass(f, 0, 0);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* The permutation of one call, non-negative. */
static void perm_of(const whet_args *a, int32_t rank, int32_t *perm) {
  const whet_transpose *t = a->attr;
  for (int32_t i = 0; i < rank; i++) {
    int64_t p = a->n_in > 1 ? whet__vec_i64(&a->in[1], i) : t->perm.n ? t->perm.v[i] : rank - 1 - i;
    perm[i] = (int32_t)(p < 0 ? p + rank : p);
  }
}

static whet_status transpose_ref(const whet_args *a) {
  const whet_tensor *in = &a->in[0], *out = &a->out[0];
  int32_t perm[WHET_MAX_RANK];
  int64_t stride[WHET_MAX_RANK];
  perm_of(a, in->rank, perm);
  for (int32_t i = 0; i < in->rank; i++) stride[i] = in->stride[perm[i]];
  whet__move_box(in->dtype, out->rank, out->dim, out->data, 0, out->stride, in->data, 0, stride);
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static whet_status transpose_plan(whet_planner *p, const whet_node *n) {
  const whet_transpose *t = n->attr;
  const whet_shape *in = whet__pl_shape(p, n->in[0]);
  int64_t perm[WHET_MAX_RANK], stride[WHET_MAX_RANK];
  if (n->n_in > 1) {
    if (whet__pl_ints(p, n->in[1], perm, WHET_MAX_RANK) != in->rank) return WHET_LATE;
  } else {
    for (int32_t i = 0; i < in->rank; i++) perm[i] = t->perm.n ? t->perm.v[i] : in->rank - 1 - i;
  }
  whet__pl_strides(p, n->in[0], stride);
  whet_copy c = {.rank = in->rank};
  int64_t last = -1;
  bool view = true;
  whet__pl_strides(p, n->out[0], c.out_stride);
  for (int32_t i = 0; i < in->rank; i++) {
    int64_t from = perm[i] < 0 ? perm[i] + in->rank : perm[i];
    c.dim[i] = in->d[from];
    c.in_stride[i] = stride[from];
    if (c.dim[i] == 1) continue;
    view &= from > last;
    last = from;
  }
  if (view) return whet__pl_view(p, n, 0, 0);
  return whet__pl_copy(p, n->out[0], n->in[0], &c);
}

/* ---- permutation ----------------------------------------------------------------------------- */

/* A turned input is turned back by another permutation: the output stays as it was. */
static bool transpose_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const whet_node *n = &whet__ed_graph(e)->node[node];
  const whet_transpose *a = n->attr;
  if (n->n_in > 1 || (a->perm.n && a->perm.n != rank)) return false;
  whet_transpose *w = whet__ed_attr(e, node);
  int64_t *to = w ? whet__arena_array(&whet__ed_graph(e)->arena, WHET_MAX_RANK, sizeof *to) : NULL;
  if (!to) return false;
  for (int i = 0; i < rank; i++) {
    int64_t from = a->perm.n ? a->perm.v[i] : rank - 1 - i;
    to[i] = whet__perm_axis(perm, rank, (int32_t)(from < 0 ? from + rank : from));
    perm_out[i] = (int8_t)i;
  }
  w->perm = (whet_ints){to, rank};
  return true;
}

/* ---- gradient -------------------------------------------------------------------------------- */

/* Turned back; the order must be known. */
static whet_status transpose_grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  const whet_transpose *a = n.attr;
  int32_t x = n.in[0], g = whet__grad_of(e, n.out[0]), rank = whet__ed_shape(e, x)->rank, count = a->perm.n;
  const int64_t *perm = a->perm.v;
  if (!whet__grad_wants(e, x)) return WHET_OK;
  if (n.n_in > 1 && n.in[1] >= 0 && !(perm = whet__ed_ints(e, n.in[1], &count)))
    return whet__grad_fail(e, node, "its order is computed");
  int64_t *back = whet__arena_array(&whet__ed_graph(e)->arena, (size_t)count, sizeof *back);
  whet_transpose t = {.perm = {back, count}};
  for (int32_t i = 0; back && i < count; i++) back[perm[i] < 0 ? perm[i] + rank : perm[i]] = i;
  whet__grad_add(e, x, back ? whet__ed_call(e, "Transpose", &t, &g, 1, whet__ed_dtype(e, x)) : -1);
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_Transpose = {
    .name = "Transpose",
    .flags = WHET_OP_SIGN_FREE,
    .attr_size = sizeof(whet_transpose),
    .attrs = k_attrs,
    .from = k_from,
    .infer = transpose_infer,
    .plan = transpose_plan,
    .permute = transpose_permute,
    .grad = transpose_grad,
    .ref = transpose_ref,
};
