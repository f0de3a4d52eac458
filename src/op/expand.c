/* SPDX-License-Identifier: Apache-2.0 */
/* Expand(x, shape): x broadcast against a shape. Tile(x, repeats): x repeated along each dimension.
 * BroadcastArgs(a, b): the shape that shapes a and b broadcast to.
 *
 * ONNX Expand 8-13, Tile 6-13; TFLite BROADCAST_TO, STABLEHLO_BROADCAST_IN_DIM, TILE,
 * BROADCAST_ARGS. All types. Exact. */

#include "op/move.h"
#include "op/move_attr.h"

/* STABLEHLO_BROADCAST_IN_DIM: dimension i of x is dimension at[i] of the output, whose shape is declared. */
static whet_status broadcast_hlo(whet_import *im, const whet_op *op) {
  int32_t x = whet__im_in(im, 0), out = whet__im_out(im, 0), n_new = 0;
  whet_ints at = whet__tfl_ints(im, 0);
  const whet_val *y = whet__im_val(im, out);
  int32_t rank = y ? y->shape.rank : -1, from[WHET_MAX_RANK];
  int64_t *perm = whet__arena_array(whet__im_arena(im), 2 * WHET_MAX_RANK, sizeof *perm), *axes = perm + WHET_MAX_RANK;
  WHET_NEW_ATTR(im, whet_transpose, turn);
  WHET_NEW_ATTR(im, whet_squeeze, wide);
  if (!perm) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  if (rank < 0) return whet__im_fail(im, WHET_E_UNSUPPORTED, "an output without a shape");
  for (int32_t i = 0; i < rank; i++) from[i] = -1;
  for (int32_t i = 0; i < at.n; i++) {
    if (at.v[i] < 0 || at.v[i] >= rank || from[at.v[i]] >= 0)
      return whet__im_fail(im, WHET_E_DATA, "dimension %d becomes dimension %lld of %d", i, (long long)at.v[i], rank);
    from[at.v[i]] = i;
  }
  int64_t dims[WHET_MAX_RANK];
  for (int32_t i = 0; i < rank; i++) {
    dims[i] = whet__dim_known(y->shape.d[i]) ? y->shape.d[i] : 1; /* open: as wide as x has it */
    if (from[i] >= 0)
      perm[turn->perm.n++] = from[i];
    else
      axes[n_new++] = i;
  }
  turn->perm.v = perm;
  wide->axes = (whet_ints){axes, n_new};
  int32_t turned = whet__im_new(im, "turned"), in[2] = {n_new ? whet__im_new(im, "wide") : turned,
                                                       whet__im_ints(im, dims, rank)};
  if (at.n)
    WHET_TRY(whet__im_node(im, whet__op_find("Transpose"), turn, &x, 1, &turned, 1));
  else
    turned = x;
  if (n_new) WHET_TRY(whet__im_node(im, whet__op_find("Unsqueeze"), wide, &turned, 1, in, 1));
  if (!n_new) in[0] = turned;
  return whet__im_node(im, op, NULL, in, 2, &out, 1);
}

static const whet_from k_expand_from[] = {{"", "Expand", 8, NULL},
                                          {"tflite", "BROADCAST_TO", 1, NULL},
                                          {"tflite", "STABLEHLO_BROADCAST_IN_DIM", 1, broadcast_hlo},
                                          {0}};
static const whet_from k_tile_from[] = {{"", "Tile", 6, NULL}, {"tflite", "TILE", 1, NULL}, {0}};
static const whet_from k_args_from[] = {{"tflite", "BROADCAST_ARGS", 1, NULL}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Output 0 repeats the one element that input 0 is known to hold. */
static void repeat_known(whet_infer *f, const whet_shape *out) {
  int32_t m;
  const whet_dim *v = whet__in_known(f, 0, &m);
  int64_t count = whet__shape_count(out);
  if (!v || count < 0 || count > WHET_KNOWN_MAX) return;
  whet_dim *to = m == 1 || m == count ? whet__out_known(f, 0, (int32_t)count) : NULL;
  for (int64_t k = 0; to && k < count; k++) to[k] = v[m == 1 ? 0 : k];
}

static whet_status expand_infer(whet_infer *f, const whet_node *n) {
  const whet_shape *in = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0)), target;
  whet_nums s;
  bool known = whet__nums(f, 1, &s);
  if (s.n > WHET_MAX_RANK) return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", s.n, WHET_MAX_RANK);
  out->rank = -1;
  target.rank = s.n < 0 ? -1 : s.n;
  for (int32_t k = 0; k < target.rank; k++) {
    target.d[k] = known ? whet__num(&s, k) : WHET_DIM_ANY;
    if (whet__dim_number(target.d[k]) && target.d[k] < 0)
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d is %lld", k, (long long)target.d[k]);
  }
  if (in->rank < 0 || target.rank < 0) return known ? WHET_LATE : whet__nums_late(f, &s, "the shape");
  WHET_TRY(whet__infer_broadcast(f, in, &target, out));
  if (!known) return WHET_LATE;
  whet_dim count;
  WHET_TRY(whet__infer_count(f, out, &count));
  repeat_known(f, out);
  return WHET_OK;
}

static whet_status tile_infer(whet_infer *f, const whet_node *n) {
  const whet_shape *in = whet__in_shape(f, 0);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0));
  *out = *in;
  whet_nums s;
  bool known = whet__nums(f, 1, &s);
  if (in->rank < 0) return known ? WHET_LATE : whet__nums_late(f, &s, "the repeats");
  if (s.n >= 0 && s.n != in->rank)
    return whet__infer_fail(f, WHET_E_SHAPE, "%d repeats for an input of rank %d", s.n, in->rank);
  for (int32_t i = 0; i < in->rank; i++) {
    whet_dim r = known ? whet__num(&s, i) : WHET_DIM_ANY;
    if (whet__dim_number(r) && r < 0)
      return whet__infer_fail(f, WHET_E_DATA, "dimension %d is repeated %lld times", i, (long long)r);
    out->d[i] = whet__dim_mul(in->d[i], r);
  }
  if (!known) return whet__nums_late(f, &s, "the repeats");
  whet_dim count;
  WHET_TRY(whet__infer_count(f, out, &count));
  if (in->rank == 1 && whet__shape_count(in) == 1) repeat_known(f, out);
  return WHET_OK;
}

static whet_status args_infer(whet_infer *f, const whet_node *n) {
  whet_nums s[2];
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, 0)), shape[2], both;
  bool known[2];
  out->rank = 1;
  out->d[0] = WHET_DIM_ANY;
  for (int i = 0; i < 2; i++) {
    known[i] = whet__nums(f, i, &s[i]);
    if (s[i].n == -2) return whet__nums_late(f, &s[i], "shapes");
    if (s[i].n > WHET_MAX_RANK)
      return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", s[i].n, WHET_MAX_RANK);
    shape[i].rank = s[i].n;
    for (int32_t k = 0; k < s[i].n; k++) {
      shape[i].d[k] = known[i] ? whet__num(&s[i], k) : WHET_DIM_ANY;
      if (whet__dim_number(shape[i].d[k]) && shape[i].d[k] < 0)
        return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d is %lld", k, (long long)shape[i].d[k]);
    }
  }
  if (s[0].n < 0 || s[1].n < 0) return WHET_LATE;
  out->d[0] = whet__max_i(s[0].n, s[1].n);
  if (!known[0] || !known[1]) return WHET_OK;
  WHET_TRY(whet__infer_broadcast(f, &shape[0], &shape[1], &both));
  whet_dim *to = whet__out_known(f, 0, both.rank);
  if (to) memcpy(to, both.d, (size_t)both.rank * sizeof *to);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Strides of `in` seen as `out`: 0 where a dimension is repeated or not there. */
static void broadcast_strides(int32_t in_rank, const int64_t *in_dim, const int64_t *in_stride, int32_t rank,
                              int64_t *stride) {
  for (int32_t i = 0; i < rank; i++) {
    int32_t k = i - (rank - in_rank);
    stride[i] = k < 0 || in_dim[k] == 1 ? 0 : in_stride[k];
  }
}

static whet_status expand_ref(const whet_args *a) {
  const whet_tensor *in = &a->in[0], *out = &a->out[0];
  int64_t stride[WHET_MAX_RANK];
  broadcast_strides(in->rank, in->dim, in->stride, out->rank, stride);
  whet__move_box(in->dtype, out->rank, out->dim, out->data, 0, out->stride, in->data, 0, stride);
  return WHET_OK;
}

static whet_status tile_ref(const whet_args *a) {
  const whet_tensor *in = &a->in[0], *out = &a->out[0];
  int64_t block[WHET_MAX_RANK], at[WHET_MAX_RANK] = {0}, step[WHET_MAX_RANK];
  if (!whet__tensor_count(out)) return WHET_OK;
  /* One copy of the input for each block of the output. */
  for (int32_t i = 0; i < in->rank; i++) {
    block[i] = out->dim[i] / in->dim[i];
    step[i] = in->dim[i] * out->stride[i];
  }
  do {
    whet__move_box(in->dtype, in->rank, in->dim, out->data, whet__index_offset(in->rank, at, step), out->stride,
                   in->data, 0, in->stride);
  } while (whet__index_next(in->rank, block, at));
  return WHET_OK;
}

static whet_status args_ref(const whet_args *a) {
  const whet_tensor *out = &a->out[0];
  for (int64_t k = 0; k < out->dim[0]; k++) {
    int64_t d = 1;
    for (int i = 0; i < 2; i++) {
      int64_t at = a->in[i].dim[0] - 1 - k, v = at < 0 ? 1 : whet__vec_i64(&a->in[i], at);
      if (v != 1 && d != 1 && v != d)
        return whet__fail(a->err, WHET_E_SHAPE, "sizes %lld and %lld cannot be broadcast", (long long)d,
                          (long long)v);
      if (v != 1) d = v;
    }
    whet__set_i64(out->dtype, out->data, (out->dim[0] - 1 - k) * out->stride[0], d);
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static whet_status expand_plan(whet_planner *p, const whet_node *n) {
  const whet_shape *in = whet__pl_shape(p, n->in[0]), *out = whet__pl_shape(p, n->out[0]);
  if (whet__shape_count(in) == whet__shape_count(out)) return whet__pl_view(p, n, 0, 0);
  int64_t stride[WHET_MAX_RANK];
  whet_copy c = {.rank = out->rank};
  memcpy(c.dim, out->d, sizeof c.dim);
  whet__pl_strides(p, n->in[0], stride);
  whet__pl_strides(p, n->out[0], c.out_stride);
  broadcast_strides(in->rank, in->d, stride, out->rank, c.in_stride);
  return whet__pl_copy(p, n->out[0], n->in[0], &c);
}

/* Each repeated dimension becomes two: the repeats, which read the same elements, and the dimension itself. */
static whet_status tile_plan(whet_planner *p, const whet_node *n) {
  const whet_shape *in = whet__pl_shape(p, n->in[0]), *out = whet__pl_shape(p, n->out[0]);
  int64_t count = whet__shape_count(out);
  if (whet__shape_count(in) == count) return whet__pl_view(p, n, 0, 0);
  if (!count) return WHET_OK;
  int64_t is[WHET_MAX_RANK], os[WHET_MAX_RANK];
  whet_copy c = {.rank = 0};
  whet__pl_strides(p, n->in[0], is);
  whet__pl_strides(p, n->out[0], os);
  for (int32_t i = 0; i < in->rank; i++) {
    int64_t part[2] = {out->d[i] / in->d[i], in->d[i]};
    for (int k = 0; k < 2; k++) {
      if (part[k] == 1) continue;
      if (c.rank == WHET_MAX_RANK) return WHET_LATE;
      c.dim[c.rank] = part[k];
      c.in_stride[c.rank] = k ? is[i] : 0;
      c.out_stride[c.rank++] = k ? os[i] : os[i] * in->d[i];
    }
  }
  return whet__pl_copy(p, n->out[0], n->in[0], &c);
}

/* ---- permutation ----------------------------------------------------------------------------- */

/* The list of numbers is turned as the dimensions are; it must be as long. */
static bool list_permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  whet_graph *g = whet__ed_graph(e);
  int32_t k;
  const int64_t *v = whet__ed_ints(e, g->node[node].in[1], &k);
  if (!v || k != rank) return false;
  int64_t turned[WHET_MAX_RANK], count = k;
  for (int i = 0; i < rank; i++) turned[i] = v[perm[i]];
  int32_t c = whet__ed_const(e, WHET_S64, 1, &count, turned);
  if (c < 0) return false;
  g->node[node].in[1] = c;
  return whet__perm_same(perm, rank, perm_out);
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_Expand = {
    .name = "Expand",
    .flags = WHET_OP_SIGN_FREE,
    .from = k_expand_from,
    .infer = expand_infer,
    .plan = expand_plan,
    .permute = list_permute,
    .ref = expand_ref,
};

const whet_op whet_op_Tile = {
    .name = "Tile",
    .flags = WHET_OP_SIGN_FREE,
    .from = k_tile_from,
    .infer = tile_infer,
    .plan = tile_plan,
    .permute = list_permute,
    .ref = tile_ref,
};

const whet_op whet_op_BroadcastArgs = {
    .name = "BroadcastArgs",
    .from = k_args_from,
    .infer = args_infer,
    .ref = args_ref,
};
