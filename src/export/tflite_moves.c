/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that move elements. Their lists are int32 tensors in TFLite. */

#include "base/dtype.h"
#include "export/tflite_ops.h"

/* Input i, a list of integers: a constant of int32, or what the node reads, made int32. */
static int32_t list_in(whet_tfl_out *o, const whet_node *n, int i) {
  int32_t t = whet__tx_narrow(o, IN(i));
  if (t >= 0 || IN(i) < 0) return t;
  t = TENSOR(i);
  whet_dtype from = (whet_dtype)o->x.g->val[n->in[i]].dtype;
  if (from == WHET_S32) return t;
  int32_t out = whet__tx_typed(o, "narrow", WHET_S32, &o->x.g->val[n->in[i]].shape);
  whet__tx_int(o, 0, whet__tf_type(from));
  whet__tx_int(o, 1, whet__tf_type(WHET_S32));
  whet__tx_op(o, "CAST", from, &t, 1, &out, 1);
  return out;
}

whet_status whet__tx_cast(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t in = TENSOR(0), from = whet__tf_type(TYPE(n)), to = whet__tf_type((whet_dtype)o->x.g->val[n->out[0]].dtype);
  if (TYPE(n) == WHET_F16 && o->x.g->val[n->out[0]].dtype == WHET_F32) return whet__tx_simple(o, n, "DEQUANTIZE", &in, 1);
  whet__tx_int(o, 0, from);
  whet__tx_int(o, 1, to);
  return whet__tx_simple(o, n, builtin, &in, 1);
}

whet_status whet__tx_concat(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t *in = whet__arena_array(&o->x.a, (size_t)n->n_in + 1, sizeof *in);
  if (!in) return o->x.failed = true, WHET_OK;
  for (int i = 0; i < n->n_in; i++) in[i] = TENSOR(i);
  whet__tx_int(o, 0, whet__at_int(n, "axis"));
  return whet__tx_simple(o, n, builtin, in, n->n_in);
}

/* BROADCAST_TO, TILE. */
whet_status whet__tx_with_list(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t in[2] = {TENSOR(0), list_in(o, n, 1)};
  const whet_shape *y = &o->x.g->val[n->out[0]].shape;
  if (!strcmp(builtin, "BROADCAST_TO")) { /* ONNX's shape may hold ones where x is larger */
    for (int32_t i = 0; i < y->rank; i++)
      if (!whet__dim_known(y->d[i])) return whet__export_refuse(&o->x, n, "a computed shape");
    if (y->rank < 0) return whet__export_refuse(&o->x, n, "a computed shape");
    in[1] = whet__tx_list(o, "shape", y->d, y->rank);
  }
  return whet__tx_simple(o, n, builtin, in, 2);
}

whet_status whet__tx_fill(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t in[2] = {list_in(o, n, 0), TENSOR(1)};
  if (IN(1) < 0 || o->x.g->val[n->in[1]].shape.rank != 0) return whet__export_refuse(&o->x, n, "the value is no scalar");
  return whet__tx_simple(o, n, builtin, in, 2);
}

/* Reshape, Flatten, Squeeze, Unsqueeze, Identity: what counts is the result's shape. */
whet_status whet__tx_reshape(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  const whet_shape *y = &o->x.g->val[n->out[0]].shape;
  int64_t dims[WHET_MAX_RANK];
  int32_t small[WHET_MAX_RANK], in[2] = {TENSOR(0), -1};
  int open = 0;
  bool reshape = !strcmp(n->op->name, "Reshape");
  for (int32_t i = 0; i < y->rank; i++) dims[i] = whet__dim_known(y->d[i]) ? y->d[i] : (open++, -1), small[i] = (int32_t)dims[i];
  if (!y->rank) { /* an empty list is no constant in a file */
    whet__tx_ints(o, 0, small, 0);
    return whet__tx_simple(o, n, builtin, in, 1);
  }
  if (y->rank >= 0 && open < 2) {
    in[1] = whet__tx_list(o, "shape", dims, y->rank);
    whet__tx_ints(o, 0, small, y->rank);
  } else if (reshape && IN(1) >= 0 && o->x.g->val[n->in[1]].dtype == WHET_S32) {
    in[1] = TENSOR(1);
  } else {
    return whet__export_refuse(&o->x, n, "%d dimensions of its result are open", open);
  }
  return whet__tx_simple(o, n, builtin, in, 2);
}

whet_status whet__tx_transpose(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  whet_ints perm = whet__at_ints(n, "perm");
  int32_t rank = o->x.g->val[n->in[0]].shape.rank, in[2] = {TENSOR(0), -1};
  int64_t back[WHET_MAX_RANK];
  if (perm.n) {
    in[1] = whet__tx_list(o, "perm", perm.v, perm.n);
  } else if (IN(1) >= 0) {
    in[1] = list_in(o, n, 1);
  } else if (rank >= 0) {
    for (int32_t i = 0; i < rank; i++) back[i] = rank - 1 - i;
    in[1] = whet__tx_list(o, "perm", back, rank);
  } else {
    return whet__export_refuse(&o->x, n, "its rank is not known");
  }
  return whet__tx_simple(o, n, builtin, in, 2);
}

whet_status whet__tx_gather(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t in[2] = {TENSOR(0), TENSOR(1)}, count, rank = o->x.g->val[n->in[0]].shape.rank;
  bool nd = !strcmp(builtin, "GATHER_ND");
  int64_t axis = whet__at_int(n, "axis");
  if (axis < 0) axis += rank;
  const int64_t *list = whet__export_ints(&o->x, IN(1), &count);
  if (nd && whet__at_int(n, "batch_dims")) return whet__export_refuse(&o->x, n, "batch dimensions");
  if (nd && list)
    for (int32_t i = 0; i < count; i++)
      if (list[i] < 0) return whet__export_refuse(&o->x, n, "indices from the end");
  if (list && !nd && rank >= 0) { /* indices from the end, and of 64 bits, are no others */
    whet_dim size = o->x.g->val[n->in[0]].shape.d[axis];
    int32_t *plain = whet__arena_array(&o->x.a, (size_t)count + 1, sizeof *plain);
    if (!plain) return o->x.failed = true, WHET_OK;
    for (int32_t i = 0; i < count; i++) {
      if (list[i] < 0 && !whet__dim_known(size)) return whet__export_refuse(&o->x, n, "indices from the end");
      plain[i] = (int32_t)(list[i] < 0 ? list[i] + size : list[i]);
    }
    const whet_shape *s = &o->x.g->val[n->in[1]].shape;
    in[1] = whet__tx_const(o, "indices", WHET_S32, s->rank, s->d, plain, NULL);
  }
  if (!list && whet__at_int(n, "wrap") && IN(1) >= 0) { /* they may count from the end */
    const whet_val *at = &o->x.g->val[n->in[1]];
    whet_dim size = nd || rank < 0 ? WHET_DIM_ANY : o->x.g->val[n->in[0]].shape.d[axis];
    if (!whet__dim_known(size)) return whet__export_refuse(&o->x, n, "computed indices that may count from the end");
    int32_t pair[2] = {in[1], whet__tx_scalar(o, n->in[1], (double)size)};
    in[1] = whet__tx_like(o, "index", n->in[1], NULL);
    whet__tx_op(o, "FLOOR_MOD", (whet_dtype)at->dtype, pair, 2, &in[1], 1);
  }
  if (!nd) whet__tx_int(o, 0, axis), whet__tx_int(o, 1, whet__at_int(n, "batch_dims"));
  return whet__tx_simple(o, n, builtin, in, 2);
}

whet_status whet__tx_pad(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int64_t mode = whet__at_int(n, "mode"), dims[2];
  int32_t count, rank = o->x.g->val[n->in[0]].shape.rank, pairs[2 * WHET_MAX_RANK], in[3] = {TENSOR(0), -1, -1};
  const int64_t *pads = whet__export_ints(&o->x, IN(1), &count);
  if (!pads || count != 2 * rank || IN(3) >= 0) return whet__export_refuse(&o->x, n, "computed pads, or axes");
  for (int32_t i = 0; i < count; i++) {
    int64_t p = whet__at_int(n, "pairs") ? pads[i] : pads[i % 2 * rank + i / 2];
    if (p < 0) return whet__export_refuse(&o->x, n, "pads that cut");
    pairs[i] = (int32_t)p;
  }
  dims[0] = rank, dims[1] = 2;
  in[1] = whet__tx_const(o, "pads", WHET_S32, 2, dims, pairs, NULL);
  if (mode == 1 || mode == 4) return whet__export_refuse(&o->x, n, "mode %s", mode == 1 ? "edge" : "wrap");
  if (mode) {
    if (mode == 3) whet__tx_int(o, 0, 1);
    return whet__tx_simple(o, n, "MIRROR_PAD", in, 2);
  }
  const whet_data *d = whet__export_data(&o->x, IN(2));
  const whet_val *v = whet__export_val(&o->x, IN(2));
  double value = d ? whet__get_f64((whet_dtype)v->dtype, d->p, 0) : 0, zero = 0;
  const whet_quant *q = o->x.g->val[n->in[0]].q; /* the value is stored as the input's numbers are */
  if (q && q->zero) zero = q->zero[0];
  if (IN(2) < 0 || (d && value == zero)) return whet__tx_simple(o, n, builtin, in, 2);
  in[2] = q && d ? whet__tx_const(o, "value", (whet_dtype)v->dtype, 0, NULL, d->p, q) : TENSOR(2);
  return whet__tx_simple(o, n, "PADV2", in, 3);
}

whet_status whet__tx_shape(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t in = TENSOR(0);
  if (whet__at_int(n, "start") || whet__at_int(n, "end") != INT64_MAX) return whet__export_refuse(&o->x, n, "a part of the shape");
  whet__tx_int(o, 0, whet__tf_type((whet_dtype)o->x.g->val[n->out[0]].dtype));
  return whet__tx_simple(o, n, builtin, &in, 1);
}

/* Bounds for all dimensions; a mask says where there is none. */
whet_status whet__tx_slice(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  const whet_shape *x = &o->x.g->val[n->in[0]].shape;
  int32_t n_start, n_end, n_axes, n_step;
  const int64_t *start = whet__export_ints(&o->x, IN(1), &n_start), *end = whet__export_ints(&o->x, IN(2), &n_end);
  const int64_t *axes = whet__export_ints(&o->x, IN(3), &n_axes), *step = whet__export_ints(&o->x, IN(4), &n_step);
  int64_t from[WHET_MAX_RANK], to[WHET_MAX_RANK], by[WHET_MAX_RANK], no_begin = 0, no_end = 0;
  bool sizes = whet__at_int(n, "sizes") != 0;
  if (!start || !end || (IN(3) >= 0 && !axes) || (IN(4) >= 0 && !step) || x->rank < 0)
    return whet__export_refuse(&o->x, n, "computed bounds");
  for (int32_t i = 0; i < x->rank; i++) from[i] = to[i] = 0, by[i] = 1, no_begin |= INT64_C(1) << i, no_end |= INT64_C(1) << i;
  for (int32_t i = 0; i < n_start; i++) {
    int64_t a = axes ? axes[i] : i, last = sizes ? (end[i] < 0 ? INT64_MAX : start[i] + end[i]) : end[i];
    if (a < 0) a += x->rank;
    by[a] = step ? step[i] : 1;
    from[a] = start[i];
    to[a] = last;
    no_begin &= ~(INT64_C(1) << a);
    no_end &= ~(INT64_C(1) << a);
    if (by[a] > 0 ? last >= INT32_MAX : last <= INT32_MIN) no_end |= INT64_C(1) << a, to[a] = 0;
    if (by[a] < 0 && start[i] >= INT32_MAX) no_begin |= INT64_C(1) << a, from[a] = 0;
  }
  int32_t in[4] = {TENSOR(0), whet__tx_list(o, "begin", from, x->rank), whet__tx_list(o, "end", to, x->rank),
                   whet__tx_list(o, "strides", by, x->rank)};
  whet__tx_int(o, 0, no_begin);
  whet__tx_int(o, 1, no_end);
  return whet__tx_simple(o, n, builtin, in, 4);
}

whet_status whet__tx_strided(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  static const char *const masks[] = {"begin", "end", "ellipsis", "new_axis", "shrink"};
  int32_t in[4] = {TENSOR(0), list_in(o, n, 1), list_in(o, n, 2), list_in(o, n, 3)};
  for (int i = 0; i < 5; i++)
    if (whet__at_int(n, masks[i])) whet__tx_int(o, i, whet__at_int(n, masks[i]));
  if (whet__at_int(n, "offset")) whet__tx_int(o, 5, 1);
  return whet__tx_simple(o, n, builtin, in, 4);
}

whet_status whet__tx_split(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  whet_ints sizes = whet__at_ints(n, "sizes");
  const whet_shape *x = &o->x.g->val[n->in[0]].shape;
  int64_t a = whet__at_int(n, "axis"), each[64];
  int32_t count = sizes.n;
  const int64_t *list = sizes.n ? sizes.v : whet__export_ints(&o->x, IN(1), &count);
  (void)builtin;
  if (a < 0) a += x->rank;
  if (x->rank < 1 || n->n_out > 64 || (IN(1) >= 0 && !list)) return whet__export_refuse(&o->x, n, "computed sizes");
  if (!list) {
    if (!whet__dim_known(x->d[a])) return whet__export_refuse(&o->x, n, "its size is not known");
    int64_t part = whet__ceil_div(x->d[a], n->n_out);
    for (int i = 0; i < n->n_out; i++) each[i] = whet__min_i(part, whet__max_i(x->d[a] - part * i, 0));
    list = each, count = n->n_out;
  }
  bool equal = true;
  for (int32_t i = 1; i < count; i++) equal &= list[i] == list[0];
  int32_t axis = (int32_t)a, out[64], dim = whet__tx_const(o, "axis", WHET_S32, 0, NULL, &axis, NULL), x0 = TENSOR(0);
  for (int i = 0; i < n->n_out; i++) {
    whet_shape s = *x;
    s.d[a] = list[i];
    out[i] = n->out[i] >= 0 ? whet__tx_tensor(o, n->out[i]) : whet__tx_like(o, "part", n->in[0], &s);
  }
  whet__tx_int(o, 0, n->n_out);
  if (equal) {
    int32_t in[2] = {dim, x0};
    whet__tx_op(o, "SPLIT", TYPE(n), in, 2, out, n->n_out);
  } else {
    int32_t in[3] = {x0, whet__tx_list(o, "sizes", list, count), dim};
    whet__tx_op(o, "SPLIT_V", TYPE(n), in, 3, out, n->n_out);
  }
  return WHET_OK;
}

whet_status whet__tx_topk(whet_tfl_out *o, const whet_node *n, const char *builtin) {
  int32_t rank = o->x.g->val[n->in[0]].shape.rank, count;
  const int64_t *k = whet__export_ints(&o->x, IN(1), &count);
  int64_t axis = whet__at_int(n, "axis");
  if (axis < 0) axis += rank;
  if (!k || axis != rank - 1 || whet__at_int(n, "least") || (n->n_out > 1 && n->out[1] >= 0 && o->x.g->val[n->out[1]].dtype != WHET_S32))
    return whet__export_refuse(&o->x, n, "another axis than the last, the least, or indices of 64 bits");
  int32_t number = (int32_t)k[0], in[2] = {TENSOR(0), whet__tx_const(o, "k", WHET_S32, 0, NULL, &number, NULL)};
  int32_t out[2] = {whet__tx_tensor(o, n->out[0]), n->n_out > 1 ? whet__tx_tensor(o, n->out[1]) : -1};
  whet__tx_op(o, builtin, TYPE(n), in, 2, out, 2);
  return WHET_OK;
}
