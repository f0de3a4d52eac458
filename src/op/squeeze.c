/* SPDX-License-Identifier: Apache-2.0 */
/* Squeeze(x): x without dimensions of size 1. Unsqueeze(x): x with dimensions of size 1 put in.
 *
 * ONNX Squeeze and Unsqueeze 1-25 (axes: attribute, from 13 on an input); TFLite SQUEEZE, EXPAND_DIMS. Axes that are
 * constant become an attribute; others stay the second input. Squeeze without axes takes out every dimension of
 * size 1. All types. Exact. */

#include "op/cast.h"
#include "op/grad.h"
#include "op/move.h"
#include "op/move_attr.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static const whet_attr_desc k_attrs[] = {{"axes", WHET_ATTR_I64S, offsetof(whet_squeeze, axes)}, {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* Append the node with the axes as attribute, or (axes.n -1) as its second input. */
static whet_status build(whet_import *im, const whet_op *op, whet_ints axes) {
  whet_squeeze *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  int32_t in[2] = {whet__im_in(im, 0), whet__im_in(im, 1)}, out = whet__im_out(im, 0);
  int n_in = 1;
  if (axes.n >= 0)
    a->axes = axes;
  else if (in[1] >= 0)
    n_in = 2;
  return whet__im_node(im, op, a, in, n_in, &out, 1);
}

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  if (whet__im_since(im) < 13) return build(im, op, whet__onnx_ints(im, "axes"));
  return build(im, op, whet__im_list(im, whet__im_in(im, 1)));
}
static whet_status squeeze_tfl(whet_import *im, const whet_op *op) { return build(im, op, whet__tfl_ints(im, 0)); }
static whet_status expand_dims_tfl(whet_import *im, const whet_op *op) {
  return build(im, op, whet__im_list(im, whet__im_in(im, 1)));
}

int32_t whet__im_squeeze(whet_import *im, const char *name, int32_t v, int64_t axis, int32_t out) {
  whet_squeeze *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  int64_t *list = whet__arena_copy(whet__im_arena(im), &axis, sizeof axis);
  if (out < 0) out = whet__im_new(im, name);
  if (!a || !list) return -1;
  a->axes = (whet_ints){list, 1};
  return whet__im_node(im, whet__op_find(name), a, &v, 1, &out, 1) ? -1 : out;
}

int32_t whet__im_join_scalars(whet_import *im, int first, int n) {
  whet_arena *arena = whet__im_arena(im);
  int32_t *part = whet__arena_array(arena, (size_t)whet__max_i(n, 1), sizeof *part), all = whet__im_new(im, "vector");
  whet_concat *a = whet__arena_alloc(arena, sizeof *a);
  if (!part || !a || n < 1) return -1;
  for (int i = 0; i < n; i++) {
    int32_t wide = whet__im_new(im, "wide");
    if (whet__im_in(im, first + i) < 0 || whet__im_cast(im, whet__im_in(im, first + i), wide, WHET_S64)) return -1;
    part[i] = whet__im_squeeze(im, "Unsqueeze", wide, 0, -1);
    if (part[i] < 0) return -1;
  }
  return whet__im_node(im, whet__op_find("Concat"), a, part, n, &all, 1) ? -1 : all;
}

static const whet_from k_squeeze_from[] = {{"", "Squeeze", 1, from_onnx}, {"tflite", "SQUEEZE", 1, squeeze_tfl}, {0}};
static const whet_from k_unsqueeze_from[] = {
    {"", "Unsqueeze", 1, from_onnx}, {"tflite", "EXPAND_DIMS", 1, expand_dims_tfl}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Mark the axes of a node among `rank` dimensions. *n: how many there are; -1 when none were given. */
static whet_status read_axes(whet_infer *f, const whet_node *n, int32_t rank, bool *mark, int32_t *count) {
  const whet_squeeze *a = n->attr;
  whet_nums s = {.known = a->axes.v, .n = a->axes.n};
  *count = -1;
  if (!a->axes.n && n->n_in < 2) return WHET_OK;
  if (n->n_in > 1) {
    if (!whet__nums(f, 1, &s)) return whet__nums_late(f, &s, "the axes");
    if (!whet__nums_all(&s)) return WHET_LATE;
  }
  if (s.n > rank) return whet__infer_fail(f, WHET_E_SHAPE, "%d axes among %d dimensions", s.n, rank);
  for (int32_t i = 0; i < s.n; i++) {
    int32_t axis;
    WHET_TRY(whet__infer_axis(f, whet__num(&s, i), rank, &axis));
    if (mark[axis]) return whet__infer_fail(f, WHET_E_DATA, "axis %d stands twice among the axes", axis);
    mark[axis] = true;
  }
  *count = s.n;
  return WHET_OK;
}

static whet_status squeeze_infer(whet_infer *f, const whet_node *n) {
  const whet_shape *in = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  out->rank = -1;
  if (in->rank < 0) return WHET_LATE;
  bool mark[WHET_MAX_RANK] = {false};
  int32_t count;
  WHET_TRY(read_axes(f, n, in->rank, mark, &count));
  for (int32_t i = 0; count < 0 && i < in->rank; i++) {
    if (!whet__dim_known(in->d[i])) return WHET_LATE;
    mark[i] = in->d[i] == 1;
  }
  out->rank = 0;
  for (int32_t i = 0; i < in->rank; i++) {
    if (!mark[i])
      out->d[out->rank++] = in->d[i];
    else if (whet__dim_known(in->d[i]) && in->d[i] != 1)
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of size %lld cannot be taken out", i,
                              (long long)in->d[i]);
  }
  whet__known_pass(f, 0, 0);
  return WHET_OK;
}

static whet_status unsqueeze_infer(whet_infer *f, const whet_node *n) {
  const whet_squeeze *a = n->attr;
  const whet_shape *in = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  out->rank = -1;
  int32_t extra = a->axes.n;
  if (n->n_in > 1) {
    whet_nums s;
    if (!whet__nums(f, 1, &s)) return whet__nums_late(f, &s, "the axes");
    extra = s.n;
  }
  if (in->rank < 0) return WHET_LATE;
  if (extra > WHET_MAX_RANK - in->rank)
    return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions more than %d, at most %d", extra, in->rank,
                            WHET_MAX_RANK);
  int32_t rank = in->rank + extra, count, k = 0;
  bool mark[WHET_MAX_RANK] = {false};
  WHET_TRY(read_axes(f, n, rank, mark, &count));
  out->rank = rank;
  for (int32_t i = 0; i < rank; i++) out->d[i] = mark[i] ? 1 : in->d[k++];
  whet__known_pass(f, 0, 0);
  return WHET_OK;
}

/* ---- reference and planning ------------------------------------------------------------------ */

static whet_status view_ref(const whet_args *a) {
  whet__move_flat(&a->out[0], &a->in[0]);
  return WHET_OK;
}

static whet_status view_plan(whet_planner *p, const whet_node *n) { return whet__pl_view(p, n, 0, 0); }

/* ---- permutation ----------------------------------------------------------------------------- */

/* The axes that are taken out move; the others keep their new order. */
static bool squeeze_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const whet_graph *g = whet__ed_graph(e);
  const whet_node *n = &g->node[node];
  const whet_squeeze *a = n->attr;
  const whet_shape *in = &g->val[n->in[0]].shape;
  if (n->n_in > 1 || in->rank != rank) return false;
  bool mark[WHET_MAX_RANK] = {false};
  for (int32_t i = 0; i < a->axes.n; i++) mark[a->axes.v[i] < 0 ? a->axes.v[i] + rank : a->axes.v[i]] = true;
  for (int i = 0; !a->axes.n && i < rank; i++) {
    if (!whet__dim_known(in->d[i])) return false;
    mark[i] = in->d[i] == 1;
  }
  whet_squeeze *w = whet__ed_attr(e, node);
  int64_t *axes = w ? whet__arena_array(&whet__ed_graph(e)->arena, WHET_MAX_RANK, sizeof *axes) : NULL;
  if (!axes) return false;
  int32_t k = 0, o = 0;
  for (int i = 0; i < rank; i++) {
    if (mark[perm[i]]) {
      axes[k++] = i;
      continue;
    }
    int8_t to = 0; /* number of the old dimension among those that stay */
    for (int j = 0; j < perm[i]; j++) to = (int8_t)(to + !mark[j]);
    perm_out[o++] = to;
  }
  if (a->axes.n) w->axes = (whet_ints){axes, k};
  return true;
}

/* The new dimensions go to the front of the dimension that they stood before, in the input's new order. */
static bool unsqueeze_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  const whet_node *n = &whet__ed_graph(e)->node[node];
  const whet_squeeze *a = n->attr;
  if (n->n_in > 1) return false;
  int32_t total = rank + a->axes.n;
  bool mark[WHET_MAX_RANK] = {false};
  for (int32_t i = 0; i < a->axes.n; i++) mark[a->axes.v[i] < 0 ? a->axes.v[i] + total : a->axes.v[i]] = true;
  int8_t old_at[WHET_MAX_RANK]; /* output place of each old input dimension */
  for (int32_t i = 0, k = 0; i < total; i++)
    if (!mark[i]) old_at[k++] = (int8_t)i;
  whet_squeeze *w = whet__ed_attr(e, node);
  int64_t *axes = w ? whet__arena_array(&whet__ed_graph(e)->arena, WHET_MAX_RANK, sizeof *axes) : NULL;
  if (!axes) return false;
  int32_t o = 0, k = 0;
  for (int i = 0; i < rank; i++) {
    int32_t first = old_at[perm[i]];
    while (first > 0 && mark[first - 1]) first--;
    for (; first < old_at[perm[i]]; first++) axes[k++] = o, perm_out[o++] = (int8_t)first;
    perm_out[o++] = old_at[perm[i]];
  }
  for (int32_t i = rank ? old_at[rank - 1] + 1 : 0; i < total; i++) axes[k++] = o, perm_out[o++] = (int8_t)i;
  w->axes = (whet_ints){axes, k};
  return true;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_Squeeze = {
    .name = "Squeeze",
    .flags = WHET_OP_VIEW | WHET_OP_SIGN_FREE,
    .attr_size = sizeof(whet_squeeze),
    .attrs = k_attrs,
    .from = k_squeeze_from,
    .infer = squeeze_infer,
    .plan = view_plan,
    .permute = squeeze_permute,
    .grad = whet__grad_view,
    .ref = view_ref,
};

const whet_op whet_op_Unsqueeze = {
    .name = "Unsqueeze",
    .flags = WHET_OP_VIEW | WHET_OP_SIGN_FREE,
    .attr_size = sizeof(whet_squeeze),
    .attrs = k_attrs,
    .from = k_unsqueeze_from,
    .infer = unsqueeze_infer,
    .plan = view_plan,
    .permute = unsqueeze_permute,
    .grad = whet__grad_view,
    .ref = view_ref,
};
