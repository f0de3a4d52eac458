/* SPDX-License-Identifier: Apache-2.0 */
/* TopK(x, k): the k greatest (or least) elements along an axis, best first, and their indices; among equals the one
 * with the lower index comes first.
 *
 * ONNX TopK 1 (k an attribute), 10, 11-24; TFLite TOPK_V2 (last dimension, S32 or S16 indices). Results are always sorted. A
 * NaN is greater than every number. All numbers; quantised ones are compared as they are stored. Exact. */

#include <math.h>

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct topk_attr {
  int64_t axis;
  bool least;
  uint8_t index; /* whet_dtype of the indices */
} topk_attr;

static const whet_attr_desc k_attrs[] = {{"axis", WHET_ATTR_I64, offsetof(topk_attr, axis)},
                                         {"least", WHET_ATTR_BOOL, offsetof(topk_attr, least)},
                                         {"index", WHET_ATTR_U8, offsetof(topk_attr, index)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* k: a value number. */
static whet_status put(whet_import *im, const whet_op *op, int32_t k, int64_t axis, bool least, whet_dtype index) {
  topk_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  int32_t in[2] = {whet__im_in(im, 0), k}, out[2] = {whet__im_out(im, 0), whet__im_out(im, 1)};
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  *a = (topk_attr){axis, least, (uint8_t)index};
  return whet__im_node(im, op, a, in, 2, out, 2);
}
static whet_status read_first(whet_import *im, const whet_op *op) {
  int64_t k = whet__onnx_int(im, "k", -1);
  return put(im, op, whet__im_ints(im, &k, 1), whet__onnx_int(im, "axis", -1), false, WHET_S64);
}
static whet_status read_onnx(whet_import *im, const whet_op *op) {
  return put(im, op, whet__im_in(im, 1), whet__onnx_int(im, "axis", -1), !whet__onnx_int(im, "largest", 1), WHET_S64);
}
static whet_status read_tfl(whet_import *im, const whet_op *op) {
  const whet_val *places = whet__im_val(im, whet__im_out(im, 1));
  whet_dtype t = places && places->dtype == WHET_S16 ? WHET_S16 : WHET_S32;
  return put(im, op, whet__im_in(im, 1), -1, false, t);
}

static const whet_from k_from[] = {
    {"", "TopK", 1, read_first}, {"", "TopK", 10, read_onnx}, {"tflite", "TOPK_V2", 1, read_tfl}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const topk_attr *a = n->attr;
  whet_shape y = *whet__in_shape(f, 0);
  whet_dtype t = whet__in_dtype(f, 0);
  int32_t axis;
  whet_nums k;
  if (!whet__type_in(WHET_T_NUM, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  WHET_TRY(whet__infer_axis(f, a->axis, y.rank, &axis));
  bool known = whet__nums(f, 1, &k);
  if (!known && k.n == -2) return whet__nums_late(f, &k, "k");
  if (known && k.n != 1) return whet__infer_fail(f, WHET_E_SHAPE, "k is %d numbers: expected 1", k.n);
  whet_dim of = y.d[axis];
  if (a->index == WHET_S16 && whet__dim_known(of) && of > INT16_MAX + 1)
    return whet__infer_fail(f, WHET_E_SHAPE, "16-bit indices of %lld elements", (long long)of);
  y.d[axis] = known ? whet__num(&k, 0) : WHET_DIM_ANY;
  if (whet__dim_number(y.d[axis]) && (y.d[axis] < 0 || (whet__dim_known(of) && y.d[axis] > of)))
    return whet__infer_fail(f, WHET_E_DATA, "k is %lld of %lld elements", (long long)y.d[axis], (long long)of);
  *whet__out(f, 0, t) = y;
  if (whet__out_has(f, 1)) *whet__out(f, 1, (whet_dtype)a->index) = y;
  return known ? WHET_OK : WHET_LATE;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Is element i of t greater than element j? NaN is greatest. */
static bool greater(const whet_tensor *t, int64_t i, int64_t j) {
  if (whet__is_float(t->dtype)) {
    double a = whet__get_f64(t->dtype, t->data, i), b = whet__get_f64(t->dtype, t->data, j);
    return isnan(a) ? !isnan(b) : a > b;
  }
  int64_t a = whet__get_i64(t->dtype, t->data, i), b = whet__get_i64(t->dtype, t->data, j);
  return t->dtype == WHET_U64 ? (uint64_t)a > (uint64_t)b : a > b;
}

/* Elements of one line and how they are ordered. */
struct line {
  const whet_tensor *x;
  int64_t at, step;
  bool least;
};
/* Does index i come before index j? */
static bool before(const struct line *l, int64_t i, int64_t j) {
  int64_t a = l->at + i * l->step, b = l->at + j * l->step;
  if (l->least ? greater(l->x, b, a) : greater(l->x, a, b)) return true;
  if (l->least ? greater(l->x, a, b) : greater(l->x, b, a)) return false;
  return i < j;
}

/* Let element `i` of a heap of n indices, whose last comes first, sink to its place. */
static void sink(const struct line *l, int64_t *heap, int64_t n, int64_t i) {
  for (int64_t c; (c = 2 * i + 1) < n;) {
    if (c + 1 < n && before(l, heap[c], heap[c + 1])) c++;
    if (!before(l, heap[i], heap[c])) return;
    int64_t t = heap[i];
    heap[i] = heap[c];
    heap[c] = t;
    i = c;
  }
}

/* The k first of n indices in order, into best. */
static void select_best(const struct line *l, int64_t n, int64_t k, int64_t *best) {
  for (int64_t i = 0; i < k; i++) best[i] = i;
  for (int64_t i = k / 2; i-- > 0;) sink(l, best, k, i);
  for (int64_t i = k; k && i < n; i++)
    if (before(l, i, best[0])) best[0] = i, sink(l, best, k, 0);
  for (int64_t left = k; left-- > 1;) {
    int64_t t = best[0];
    best[0] = best[left];
    best[left] = t;
    sink(l, best, left, 0);
  }
}

static whet_status ref(const whet_args *arg) {
  const topk_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *v = &arg->out[0],
                    *w = arg->n_out > 1 && arg->out[1].data ? &arg->out[1] : NULL;
  if (!arg->scratch) return WHET_E_UNSUPPORTED; /* while constants are folded */
  int32_t axis = (int32_t)(a->axis < 0 ? a->axis + x->rank : a->axis), nk = 0;
  int64_t dim[WHET_MAX_RANK], xs[WHET_MAX_RANK], os[WHET_MAX_RANK], ws[WHET_MAX_RANK] = {0}, at[WHET_MAX_RANK] = {0};
  int64_t n = x->dim[axis], k = v->data ? v->dim[axis] : w->dim[axis], *best = arg->scratch;
  for (int32_t i = 0; i < x->rank; i++)
    if (i != axis) {
      dim[nk] = x->dim[i], xs[nk] = x->stride[i], os[nk] = v->data ? v->stride[i] : 0;
      if (w) ws[nk] = w->stride[i];
      nk++;
    }
  for (int64_t left = n ? whet__tensor_count(x) / n : 0; left > 0; left--, whet__index_next(nk, dim, at)) {
    struct line l = {x, whet__index_offset(nk, at, xs), x->stride[axis], a->least};
    int64_t vo = whet__index_offset(nk, at, os), wo = whet__index_offset(nk, at, ws);
    select_best(&l, n, k, best);
    for (int64_t i = 0; i < k; i++) {
      if (v->data) whet__move_one(x->dtype, v->data, vo + i * v->stride[axis], x->data, l.at + best[i] * l.step);
      if (w) whet__set_i64(w->dtype, w->data, wo + i * w->stride[axis], best[i]);
    }
  }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static whet_status plan(whet_planner *p, const whet_node *n) {
  const topk_attr *a = n->attr;
  const whet_shape *y = whet__pl_shape(p, n->out[0] >= 0 ? n->out[0] : n->out[1]);
  return whet__pl_ref(p, n, ((size_t)y->d[a->axis < 0 ? a->axis + y->rank : a->axis] + 1) * sizeof(int64_t));
}

const whet_op whet_op_TopK = {.name = "TopK",
                              .flags = WHET_OP_SIGN_FREE,
                              .attr_size = sizeof(topk_attr),
                              .attrs = k_attrs,
                              .from = k_from,
                              .infer = infer,
                              .plan = plan,
                              .ref = ref};
