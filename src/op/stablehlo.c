/* SPDX-License-Identifier: Apache-2.0 */
/* StableHLO's convolution, dot_general and reduce, whose dimensions stand in any order, as Conv, MatMul and the
 * reductions between transposes and reshapes. The passes drop what turns nothing.
 *
 * StableHLO specification 1.0; TFLite STABLEHLO_CONVOLUTION, STABLEHLO_DOT_GENERAL, STABLEHLO_REDUCE. Sizes that the file
 * leaves open are taken where a reshape can tell them: one in each operand. */

#include "op/stablehlo.h"

#include "op/cast.h"
#include "op/conv.h"
#include "op/dense.h"
#include "op/move.h"
#include "op/move_attr.h"
#include "op/reduce.h"
#include "op/reduce_window.h"

/* ---- building nodes -------------------------------------------------------------------------- */

/* Append an operator with these inputs and one output: `out`, or (-1) a new value, whose number is put there. */
static whet_status add(whet_import *im, const char *name, const void *attr, const int32_t *in, int n_in, int32_t *out) {
  if (*out < 0) *out = whet__im_new(im, "part");
  return whet__im_node(im, whet__op_find(name), attr, in, n_in, out, 1);
}

/* v with dimension i taken from perm[i], into *out. Nothing is turned: *out is v, if it may be. */
static whet_status turn(whet_import *im, int32_t v, const int64_t *perm, int32_t rank, int32_t *out) {
  bool plain = *out < 0;
  for (int32_t i = 0; i < rank; i++) plain = plain && perm[i] == i;
  if (plain) {
    *out = v;
    return WHET_OK;
  }
  WHET_NEW_ATTR(im, whet_transpose, a);
  int64_t *copy = whet__arena_copy(whet__im_arena(im), perm, (size_t)rank * sizeof *perm);
  if (!copy) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->perm = (whet_ints){copy, rank};
  return add(im, "Transpose", a, &v, 1, out);
}

/* v with other dimensions, of which -1 is told by the rest. */
static whet_status reshape(whet_import *im, int32_t v, const int64_t *dims, int32_t rank, int32_t *out) {
  WHET_NEW_ATTR(im, whet_reshape, a);
  int32_t in[2] = {v, whet__im_ints(im, dims, rank)}, open = 0;
  for (int32_t i = 0; i < rank; i++) open += dims[i] < 0;
  if (open > 1) return whet__im_fail(im, WHET_E_UNSUPPORTED, "%d dimensions that the file does not fix", open);
  a->allowzero = 1;
  return add(im, "Reshape", a, in, 2, out);
}

/* The list names different dimensions of a tensor of this rank; they are marked. */
static whet_status mark(whet_import *im, whet_ints l, int32_t rank, bool *seen, const char *what) {
  for (int32_t i = 0; i < l.n; i++) {
    if (l.v[i] < 0 || l.v[i] >= rank || seen[l.v[i]])
      return whet__im_fail(im, WHET_E_DATA, "%s: dimension %lld of %d is out of range or stands twice", what,
                           (long long)l.v[i], rank);
    seen[l.v[i]] = true;
  }
  return WHET_OK;
}

/* ---- dot_general ----------------------------------------------------------------------------- */

/* One side of a product: its dimensions in three groups. */
struct side {
  whet_shape s;
  whet_ints batch, sum;
  int64_t free[WHET_MAX_RANK];
  int32_t n_free;
};

/* A dimension as reshape wants it. */
static int64_t size_of(whet_dim d) { return whet__dim_known(d) ? d : -1; }

/* Product of listed dimensions, -1 when one is not known. */
static int64_t product(const whet_shape *s, const int64_t *v, int32_t n) {
  int64_t p = 1;
  for (int32_t i = 0; i < n; i++)
    if (!whet__dim_known(s->d[v[i]]) || __builtin_mul_overflow(p, s->d[v[i]], &p)) return -1;
  return p;
}

static whet_status group(whet_import *im, int32_t v, whet_ints batch, whet_ints sum, struct side *out) {
  const whet_val *x = whet__im_val(im, v);
  bool seen[WHET_MAX_RANK] = {false};
  if (v < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected 2 inputs and an output");
  if (x->shape.rank < 0) return whet__im_fail(im, WHET_E_UNSUPPORTED, "a rank that the file does not tell");
  *out = (struct side){.s = x->shape, .batch = batch, .sum = sum};
  WHET_TRY(mark(im, batch, x->shape.rank, seen, "batch dimensions"));
  WHET_TRY(mark(im, sum, x->shape.rank, seen, "contracting dimensions"));
  for (int32_t i = 0; i < x->shape.rank; i++)
    if (!seen[i]) out->free[out->n_free++] = i;
  return WHET_OK;
}

/* Value *v as matrices: [batch..., free, sum], or (second) [batch..., sum, free]. */
static whet_status matrices(whet_import *im, const struct side *x, bool second, int32_t *v) {
  int64_t perm[WHET_MAX_RANK], dims[WHET_MAX_RANK + 2];
  int32_t n = 0, rank = x->s.rank, turned = -1, made = -1;
  for (int32_t i = 0; i < x->batch.n; i++) dims[n] = size_of(x->s.d[x->batch.v[i]]), perm[n++] = x->batch.v[i];
  int64_t size[2] = {product(&x->s, x->free, x->n_free), product(&x->s, x->sum.v, x->sum.n)};
  dims[n] = size[second];
  dims[n + 1] = size[!second];
  if (n + 2 > WHET_MAX_RANK) return whet__im_fail(im, WHET_E_UNSUPPORTED, "%d batch dimensions", n);
  for (int32_t i = 0; second && i < x->sum.n; i++) perm[n++] = x->sum.v[i];
  for (int32_t i = 0; i < x->n_free; i++) perm[n++] = x->free[i];
  for (int32_t i = 0; !second && i < x->sum.n; i++) perm[n++] = x->sum.v[i];
  WHET_TRY(turn(im, *v, perm, rank, &turned));
  if (x->n_free == 1 && x->sum.n == 1)
    made = turned;
  else
    WHET_TRY(reshape(im, turned, dims, x->batch.n + 2, &made));
  *v = made;
  return WHET_OK;
}

/* Value *v in type t, if it has another. */
static whet_status in_type(whet_import *im, whet_dtype t, int32_t *v) {
  whet_dtype now = (whet_dtype)whet__im_val(im, *v)->dtype;
  if (!t || !now || now == t) return WHET_OK;
  int32_t y = whet__im_new(im, "wide");
  WHET_TRY(whet__im_cast(im, *v, y, t));
  *v = y;
  return WHET_OK;
}

/* No meaning of scales and zero points is published for these operators. */
static whet_status plain_numbers(whet_import *im) {
  for (int i = 0; i < whet__im_n_in(im); i++) {
    const whet_val *v = whet__im_val(im, whet__im_in(im, i));
    if (v->q) return whet__im_fail(im, WHET_E_UNSUPPORTED, "quantised numbers (input %d)", i);
  }
  return WHET_OK;
}

whet_status whet__stablehlo_dot_general(whet_import *im, const whet_op *op) {
  struct side a, b;
  int32_t v[2] = {whet__im_in(im, 0), whet__im_in(im, 1)}, out = whet__im_out(im, 0), made = -1;
  whet_ints batch_a = whet__tfl_ints(im, 0), batch_b = whet__tfl_ints(im, 1);
  WHET_TRY(plain_numbers(im));
  WHET_TRY(group(im, v[0], batch_a, whet__tfl_ints(im, 2), &a));
  WHET_TRY(group(im, v[1], batch_b, whet__tfl_ints(im, 3), &b));
  if (a.batch.n != b.batch.n || a.sum.n != b.sum.n || out < 0)
    return whet__im_fail(im, WHET_E_FORMAT, "%d and %d batch dimensions, %d and %d contracting ones: they must be pairs",
                         a.batch.n, b.batch.n, a.sum.n, b.sum.n);
  for (int32_t i = 0; i < a.batch.n + a.sum.n; i++) {
    bool sum = i >= a.batch.n;
    int32_t k = sum ? i - a.batch.n : i;
    whet_dim x = a.s.d[(sum ? a.sum : a.batch).v[k]], y = b.s.d[(sum ? b.sum : b.batch).v[k]];
    if (whet__dim_known(x) && whet__dim_known(y) && x != y)
      return whet__im_fail(im, WHET_E_SHAPE, "pair %d of dimensions is %lld and %lld: they must be equal", i,
                           (long long)x, (long long)y);
  }
  int64_t dims[2 * WHET_MAX_RANK];
  int32_t n = 0;
  for (int32_t i = 0; i < a.batch.n; i++) dims[n++] = size_of(a.s.d[a.batch.v[i]]);
  for (int32_t i = 0; i < a.n_free; i++) dims[n++] = size_of(a.s.d[a.free[i]]);
  for (int32_t i = 0; i < b.n_free; i++) dims[n++] = size_of(b.s.d[b.free[i]]);
  if (n > WHET_MAX_RANK) return whet__im_fail(im, WHET_E_SHAPE, "%d dimensions, at most %d", n, WHET_MAX_RANK);
  whet_dtype t = (whet_dtype)whet__im_val(im, out)->dtype;
  bool last = a.n_free == 1 && b.n_free == 1;
  for (int i = 0; i < 2; i++) WHET_TRY(in_type(im, t, &v[i]));
  WHET_TRY(matrices(im, &a, false, &v[0]));
  WHET_TRY(matrices(im, &b, true, &v[1]));
  WHET_NEW_ATTR(im, whet_matmul, m);
  m->alpha = 1;
  WHET_TRY(add(im, op->name, m, v, 2, last ? &out : &made));
  return last ? WHET_OK : reshape(im, made, dims, n, &out);
}

/* ---- convolution ----------------------------------------------------------------------------- */

/* Dimension numbers of one operand: [first, spatial..., last] of its rank, each once. */
static whet_status order(whet_import *im, int32_t v, int64_t first, whet_ints spatial, int64_t last, const char *what,
                         int64_t *perm) {
  const whet_val *x = whet__im_val(im, v);
  bool seen[WHET_MAX_RANK] = {false};
  int32_t rank = spatial.n + 2;
  if (v < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected 2 inputs and an output");
  if (x->shape.rank >= 0 && x->shape.rank != rank)
    return whet__im_fail(im, WHET_E_SHAPE, "%s of rank %d: expected %d", what, x->shape.rank, rank);
  perm[0] = first;
  for (int32_t i = 0; i < spatial.n; i++) perm[1 + i] = spatial.v[i];
  perm[rank - 1] = last;
  return mark(im, (whet_ints){perm, rank}, rank, seen, what);
}

/* The list, or `n` times dflt where it is empty; *plain: all are dflt. */
static whet_status numbers(whet_import *im, int id, int32_t n, int64_t dflt, whet_ints *out, bool *plain) {
  *out = whet__tfl_ints(im, id);
  *plain = true;
  if (out->n && out->n != n) return whet__im_fail(im, WHET_E_FORMAT, "option %d is %d numbers: expected %d", id, out->n, n);
  for (int32_t i = 0; i < out->n; i++) *plain = *plain && out->v[i] == dflt;
  return WHET_OK;
}

/* *x, dilated by `base` and padded, for what a convolution's own padding cannot do. */
static whet_status spread(whet_import *im, whet_ints base, whet_ints pads, int32_t n, int32_t *x) {
  WHET_NEW_ATTR(im, whet_reduce_window, w);
  int64_t list[4 * WHET_MAX_RANK] = {0}, *copy;
  const whet_val *v = whet__im_val(im, whet__im_in(im, 0)); /* what it is made of tells the type */
  uint64_t zero[2] = {0};
  for (int32_t i = 0; i < n + 2; i++) list[i] = list[n + 2 + i] = 1;
  for (int32_t i = 0; i < base.n; i++) list[n + 2 + 1 + i] = base.v[i];
  for (int32_t i = 0; i < pads.n; i++) list[2 * (n + 2) + 2 + i] = pads.v[i];
  copy = whet__arena_copy(whet__im_arena(im), list, (size_t)(4 * (n + 2)) * sizeof *list);
  if (!copy) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  w->size = (whet_ints){copy, n + 2};
  w->base = (whet_ints){copy + n + 2, n + 2};
  w->pads = (whet_ints){copy + 2 * (n + 2), 2 * (n + 2)};
  int32_t in[2] = {*x, whet__im_const(im, (whet_dtype)v->dtype, 0, NULL, zero)}, made = -1;
  WHET_TRY(add(im, "ReduceWindow", w, in, 2, &made));
  *x = made;
  return WHET_OK;
}

/* Weights *w, [o][spatial...][i], with the marked spatial dimensions from last to first. */
static whet_status reverse(whet_import *im, whet_ints marks, int32_t *w) {
  int64_t list[4][WHET_MAX_RANK];
  int32_t n = 0, in[5] = {*w}, made = -1;
  for (int32_t i = 0; i < marks.n; i++)
    if (marks.v[i]) list[0][n] = -1, list[1][n] = INT64_MIN, list[2][n] = 1 + i, list[3][n++] = -1;
  if (!n) return WHET_OK;
  for (int i = 0; i < 4; i++) in[1 + i] = whet__im_ints(im, list[i], n);
  WHET_NEW_ATTR(im, whet_slice, a);
  WHET_TRY(add(im, "Slice", a, in, 5, &made));
  *w = made;
  return WHET_OK;
}

whet_status whet__stablehlo_convolution(whet_import *im, const whet_op *op) {
  whet_ints xs = whet__tfl_ints(im, 7), ws = whet__tfl_ints(im, 10), ys = whet__tfl_ints(im, 13), base, pads, marks;
  int32_t n = xs.n, rank = n + 2, x = whet__im_in(im, 0), w = whet__im_in(im, 1), y = whet__im_out(im, 0);
  bool plain, plain_base;
  WHET_TRY(plain_numbers(im));
  if (n < 1 || n > 3) return whet__im_fail(im, WHET_E_UNSUPPORTED, "%d spatial dimensions: 1 to 3 are supported", n);
  if (ws.n != n || ys.n != n) return whet__im_fail(im, WHET_E_FORMAT, "%d, %d and %d spatial dimensions", n, ws.n, ys.n);
  if (whet__tfl_int(im, 15, 1) > 1 || whet__tfl_int(im, 14, 1) < 1)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "batch_group_count %lld", (long long)whet__tfl_int(im, 15, 1));
  int64_t px[WHET_MAX_RANK], pw[WHET_MAX_RANK], py[WHET_MAX_RANK], back[WHET_MAX_RANK];
  WHET_TRY(order(im, x, whet__tfl_int(im, 5, 0), xs, whet__tfl_int(im, 6, 0), "the input", px));
  WHET_TRY(order(im, w, whet__tfl_int(im, 9, 0), ws, whet__tfl_int(im, 8, 0), "the kernel", pw));
  WHET_TRY(order(im, y, whet__tfl_int(im, 11, 0), ys, whet__tfl_int(im, 12, 0), "the output", py));
  WHET_NEW_ATTR(im, whet_conv_attr, a);
  a->group = whet__tfl_int(im, 14, 1);
  a->last = 1;
  a->weights = WHET_CONV_OSI;
  WHET_TRY(numbers(im, 0, n, 1, &a->strides, &plain));
  WHET_TRY(numbers(im, 3, n, 1, &a->dilations, &plain));
  WHET_TRY(numbers(im, 1, 2 * n, 0, &pads, &plain));
  WHET_TRY(numbers(im, 2, n, 1, &base, &plain_base));
  WHET_TRY(numbers(im, 4, n, 0, &marks, &plain));
  int32_t tx = -1, tw = -1, ty = -1;
  WHET_TRY(turn(im, x, px, rank, &tx));
  WHET_TRY(turn(im, w, pw, rank, &tw));
  WHET_TRY(reverse(im, marks, &tw));
  bool cuts = false;
  for (int32_t i = 0; i < pads.n; i++) cuts |= pads.v[i] < 0;
  if (cuts || !plain_base) {
    WHET_TRY(spread(im, base, pads, n, &tx));
  } else if (pads.n) {
    int64_t list[6];
    for (int32_t i = 0; i < n; i++) list[i] = pads.v[2 * i], list[n + i] = pads.v[2 * i + 1];
    a->pads = whet__conv_list(im, list, 2 * n);
  }
  for (int32_t i = 0; i < rank; i++) back[py[i]] = i;
  bool direct = true;
  for (int32_t i = 0; i < rank; i++) direct = direct && back[i] == i;
  int32_t in[2] = {tx, tw};
  WHET_TRY(add(im, op->name, a, in, 2, direct ? &y : &ty));
  return direct ? WHET_OK : turn(im, ty, back, rank, &y);
}

/* ---- reduce ---------------------------------------------------------------------------------- */

whet_status whet__stablehlo_reduce(whet_import *im, const whet_op *op) {
  static const struct {
    const char *reduce, *join;
  } k_kind[] = {{"ReduceSum", "Add"}, {"ReduceProd", "Mul"}, {"ReduceMin", "Min"},
                {"ReduceMax", "Max"}, {"ReduceAll", "And"},  {"ReduceAny", "Or"}};
  int kind;
  WHET_TRY(plain_numbers(im));
  whet_ints axes = whet__tfl_ints(im, 0);
  int64_t body = whet__tfl_int(im, 1, 0);
  if (whet__im_n_in(im) != 2 || whet__im_n_out(im) != 1) return whet__stablehlo_reduce_body(im, axes, body);
  WHET_TRY(whet__im_reduction(im, body, false, true, &kind));
  WHET_NEW_ATTR(im, whet_reduce_attr, a);
  a->axes = axes;
  a->none = true;
  int32_t in[2] = {whet__im_in(im, 0), whet__im_in(im, 1)}, part = -1, out = whet__im_out(im, 0);
  const whet_val *x = whet__im_val(im, in[0]);
  if (kind < 0 || !x || (kind >= WHET_WINDOW_ALL && x->dtype != WHET_BOOL)) return whet__stablehlo_reduce_body(im, axes, body);
  WHET_TRY(add(im, k_kind[kind].reduce, a, in, 1, &part));
  in[0] = part;
  return add(im, k_kind[kind].join, NULL, in, 2, &out);
}
