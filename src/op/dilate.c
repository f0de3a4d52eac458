/* SPDX-License-Identifier: Apache-2.0 */
/* Dilate(x, value, inner, low, high): x with inner[d] elements of value between neighbours along dimension d, and low[d]
 * and high[d] at its ends (negative: elements cut off). Without low and high: none.
 *
 * TFLite DILATE (of every how many elements one is x's), STABLEHLO_PAD. All types. Exact. */

#include "op/cast.h"
#include "op/move.h"

enum { X, VALUE, INNER, LOW, HIGH };

/* ---- reading --------------------------------------------------------------------------------- */

/* DILATE(x, steps, value). */
static whet_status from_tfl(whet_import *im, const whet_op *op) {
  const int64_t one = 1;
  int32_t steps[2] = {whet__im_new(im, "steps"), whet__im_const(im, WHET_S64, 0, NULL, &one)}, out = whet__im_out(im, 0);
  int32_t in[3] = {whet__im_in(im, 0), whet__im_in(im, 2), whet__im_new(im, "inner")};
  WHET_TRY(whet__im_cast(im, whet__im_in(im, 1), steps[0], WHET_S64));
  WHET_TRY(whet__im_node(im, whet__op_find("Sub"), NULL, steps, 2, &in[2], 1));
  return whet__im_node(im, op, NULL, in, 3, &out, 1);
}

static whet_status from_hlo(whet_import *im, const whet_op *op) {
  whet_ints low = whet__tfl_ints(im, 0), high = whet__tfl_ints(im, 1), inner = whet__tfl_ints(im, 2);
  int32_t in[5] = {whet__im_in(im, 0), whet__im_in(im, 1), whet__im_ints(im, inner.v, inner.n),
                   whet__im_ints(im, low.v, low.n), whet__im_ints(im, high.v, high.n)};
  int32_t out = whet__im_out(im, 0);
  return whet__im_node(im, op, NULL, in, 5, &out, 1);
}

static const whet_from k_from[] = {{"tflite", "DILATE", 1, from_tfl}, {"tflite", "STABLEHLO_PAD", 1, from_hlo}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_shape *x = whet__in_shape(f, X);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, X));
  int64_t one = whet__shape_count(whet__in_shape(f, VALUE)), limit = INT32_MAX;
  whet_nums s[3];
  *out = *x;
  if (whet__in_dtype(f, VALUE) != whet__in_dtype(f, X))
    return whet__infer_fail(f, WHET_E_TYPE, "the value is %s, the input %s", whet_dtype_name(whet__in_dtype(f, VALUE)),
                            whet_dtype_name(whet__in_dtype(f, X)));
  if (one >= 0 && one != 1)
    return whet__infer_fail(f, WHET_E_SHAPE, "the value has %lld elements, expected 1", (long long)one);
  if (x->rank < 0) return WHET_LATE;
  for (int32_t d = 0; d < x->rank; d++) out->d[d] = WHET_DIM_ANY;
  for (int i = 0; i < 3; i++) {
    s[i].n = -1;
    if (!whet__in_has(f, INNER + i)) continue;
    if (!whet__nums(f, INNER + i, &s[i])) return whet__nums_late(f, &s[i], "the paddings");
    if (s[i].n != x->rank)
      return whet__infer_fail(f, WHET_E_SHAPE, "%d paddings for %d dimensions", s[i].n, x->rank);
    if (!whet__nums_all(&s[i])) return WHET_LATE;
  }
  for (int32_t d = 0; d < x->rank; d++) {
    int64_t v[3] = {0};
    for (int i = 0; i < 3; i++)
      if (s[i].n >= 0) v[i] = whet__num(&s[i], d);
    if (v[0] < 0 || v[0] > limit || v[1] < -limit || v[1] > limit || v[2] < -limit || v[2] > limit)
      return whet__infer_fail(f, WHET_E_DATA, "dimension %d is padded with %lld, %lld and %lld", d, (long long)v[1],
                              (long long)v[0], (long long)v[2]);
    int64_t size = x->d[d], wide;
    if (!whet__dim_known(size)) {
      if (!v[0] && !v[1] && !v[2]) out->d[d] = size;
      continue;
    }
    if (__builtin_mul_overflow(whet__max_i(size - 1, 0), v[0] + 1, &wide) || wide > INT64_MAX / 4)
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d would be too large", d);
    out->d[d] = wide + (size > 0) + v[1] + v[2];
    if (out->d[d] < 0)
      return whet__infer_fail(f, WHET_E_SHAPE, "more is cut off dimension %d than there is", d);
  }
  whet_dim total;
  return whet__infer_count(f, out, &total);
}

/* ---- the move -------------------------------------------------------------------------------- */

/* The elements of x that are inside the output, along one dimension: places first .. first + count of x, the first of
 * them at *at. */
static int64_t inside(int64_t size, int64_t out, int64_t step, int64_t low, int64_t *first, int64_t *at) {
  *first = low < 0 ? whet__ceil_div(-low, step) : 0;
  *at = low + *first * step;
  int64_t last = out > *at ? (out - 1 - *at) / step + 1 : 0;
  return whet__max_i(whet__min_i(size - *first, last), 0);
}

static whet_status ref(const whet_args *a) {
  const whet_tensor *x = &a->in[X], *out = &a->out[0];
  static const int64_t none[WHET_MAX_RANK];
  int64_t dim[WHET_MAX_RANK], os[WHET_MAX_RANK], io = 0, oo = 0;
  whet__move_box(out->dtype, out->rank, out->dim, out->data, 0, out->stride, a->in[VALUE].data, 0, none);
  for (int32_t d = 0; d < x->rank; d++) {
    int64_t step = whet__vec_i64(&a->in[INNER], d) + 1, first, at;
    int64_t low = a->n_in > LOW && a->in[LOW].data ? whet__vec_i64(&a->in[LOW], d) : 0;
    dim[d] = inside(x->dim[d], out->dim[d], step, low, &first, &at);
    os[d] = step * out->stride[d];
    io += first * x->stride[d];
    oo += at * out->stride[d];
  }
  whet__move_box(x->dtype, x->rank, dim, out->data, oo, os, x->data, io, x->stride);
  return WHET_OK;
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_shape *x = whet__pl_shape(p, n->in[X]), *out = whet__pl_shape(p, n->out[0]);
  int64_t inner[WHET_MAX_RANK], low[WHET_MAX_RANK] = {0};
  if (!whet__move_bytes(whet__pl_dtype(p, n->in[X])) || whet__pl_ints(p, n->in[INNER], inner, WHET_MAX_RANK) < 0 ||
      (n->n_in > LOW && whet__pl_ints(p, n->in[LOW], low, WHET_MAX_RANK) < 0))
    return WHET_LATE;
  whet_copy all = {.rank = out->rank}, own = {.rank = out->rank};
  bool whole = true;
  memcpy(all.dim, out->d, sizeof all.dim);
  whet__pl_strides(p, n->out[0], all.out_stride);
  whet__pl_strides(p, n->in[X], own.in_stride);
  for (int32_t d = 0; d < x->rank; d++) {
    int64_t first, at;
    own.dim[d] = inside(x->d[d], out->d[d], inner[d] + 1, low[d], &first, &at);
    own.in_offset += first * own.in_stride[d];
    own.out_offset += at * all.out_stride[d];
    own.out_stride[d] = (inner[d] + 1) * all.out_stride[d];
    whole &= own.dim[d] == out->d[d];
  }
  if (!whole) WHET_TRY(whet__pl_copy(p, n->out[0], n->in[VALUE], &all));
  return whet__pl_copy(p, n->out[0], n->in[X], &own);
}

const whet_op whet_op_Dilate = {
    .name = "Dilate",
    .from = k_from,
    .infer = infer,
    .plan = plan,
    .ref = ref,
};
