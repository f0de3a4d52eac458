/* SPDX-License-Identifier: Apache-2.0 */
/* Trilu(x, k): the elements of matrices on and above diagonal k (upper), or on and below it; zeros elsewhere.
 * MatrixSetDiag(x, d): x with the main diagonals of its matrices replaced.
 *
 * ONNX Trilu 14; TFLite MATRIX_SET_DIAG, MATRIX_DIAG (set in zeros). All types. Exact. */

#include "op/move.h"
#include "op/move_attr.h"

/* ---- Trilu ----------------------------------------------------------------------------------- */

struct trilu {
  uint8_t upper;
};
static const whet_attr_desc k_trilu_attrs[] = {{"upper", WHET_ATTR_BOOL, offsetof(struct trilu, upper)}, {0}};

static whet_status trilu_onnx(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct trilu, a);
  a->upper = whet__onnx_int(im, "upper", 1) != 0;
  return whet__im_node_as_is(im, op, a);
}
static const whet_from k_trilu_from[] = {{"", "Trilu", 14, trilu_onnx}, {0}};

static whet_status trilu_infer(whet_infer *f, const whet_node *n) {
  *whet__out(f, 0, whet__in_dtype(f, 0)) = *whet__in_shape(f, 0);
  WHET_TRY(whet__infer_rank(f, 0, 2, WHET_MAX_RANK));
  if (!whet__in_has(f, 1)) return WHET_OK;
  int64_t one = whet__shape_count(whet__in_shape(f, 1));
  WHET_TRY(whet__infer_is_int(f, 1));
  if (one >= 0 && one != 1) return whet__infer_fail(f, WHET_E_SHAPE, "k is %lld numbers, expected 1", (long long)one);
  return WHET_OK;
}

static whet_status trilu_ref(const whet_args *a) {
  const struct trilu *t = a->attr;
  const whet_tensor *x = &a->in[0], *out = &a->out[0];
  static const uint64_t zero[2];
  static const int64_t none[WHET_MAX_RANK];
  int32_t r = x->rank - 2;
  int64_t at[WHET_MAX_RANK] = {0}, columns = x->dim[r + 1];
  int64_t k = a->n_in > 1 && a->in[1].data ? whet__get_i64(a->in[1].dtype, a->in[1].data, 0) : 0;
  k = whet__clamp_i(k, -x->dim[r], columns); /* so that sums cannot overflow */
  if (!whet__tensor_count(x)) return WHET_OK;
  do { /* rows: columns from..to are kept */
    int64_t edge = whet__clamp_i(at[r] + k + !t->upper, 0, columns), from = t->upper ? edge : 0,
            to = t->upper ? columns : edge, n[3] = {from, to - from, columns - to};
    int64_t xo = whet__index_offset(r + 1, at, x->stride), oo = whet__index_offset(r + 1, at, out->stride);
    const int64_t *xs = &x->stride[r + 1], *os = &out->stride[r + 1];
    whet__move_box(x->dtype, 1, &n[0], out->data, oo, os, zero, 0, none);
    whet__move_box(x->dtype, 1, &n[1], out->data, oo + from * *os, os, x->data, xo + from * *xs, xs);
    whet__move_box(x->dtype, 1, &n[2], out->data, oo + to * *os, os, zero, 0, none);
  } while (whet__index_next(r + 1, x->dim, at));
  return WHET_OK;
}

/* ---- MatrixSetDiag --------------------------------------------------------------------------- */

/* MATRIX_DIAG(d): zeros of the shape of d and its last dimension once more, and d set in them. */
static whet_status matrix_diag_tfl(whet_import *im, const whet_op *op) {
  int32_t d = whet__im_in(im, 0), out = whet__im_out(im, 0);
  const whet_val *v = whet__im_val(im, d);
  if (!v) return whet__im_fail(im, WHET_E_FORMAT, "expected an input");
  WHET_NEW_ATTR(im, whet_slice, cut);
  WHET_NEW_ATTR(im, whet_concat, join);
  const int64_t zero[2] = {0}, bounds[2] = {-1, INT32_MAX};
  int32_t shape[2] = {whet__im_new(im, "shape"), whet__im_new(im, "last")}, both = whet__im_new(im, "shape");
  WHET_TRY(whet__im_shape_of(im, d, shape[0]));
  int32_t last[3] = {shape[0], whet__im_ints(im, bounds, 1), whet__im_ints(im, bounds + 1, 1)};
  WHET_TRY(whet__im_node(im, whet__op_find("Slice"), cut, last, 3, &shape[1], 1));
  WHET_TRY(whet__im_node(im, whet__op_find("Concat"), join, shape, 2, &both, 1));
  int32_t fill[2] = {both, whet__im_const(im, (whet_dtype)v->dtype, 0, NULL, zero)};
  int32_t in[2] = {whet__im_new(im, "zeros"), d};
  WHET_TRY(whet__im_node(im, whet__op_find("Fill"), NULL, fill, 2, in, 1));
  return whet__im_node(im, op, NULL, in, 2, &out, 1);
}
static const whet_from k_set_from[] = {
    {"tflite", "MATRIX_DIAG", 1, matrix_diag_tfl}, {"tflite", "MATRIX_SET_DIAG", 1, NULL}, {0}};

static whet_status set_infer(whet_infer *f, const whet_node *n) {
  const whet_shape *x = whet__in_shape(f, 0), *d = whet__in_shape(f, 1);
  *whet__out(f, 0, whet__in_dtype(f, 0)) = *x;
  if (whet__in_dtype(f, 0) != whet__in_dtype(f, 1))
    return whet__infer_fail(f, WHET_E_TYPE, "the diagonal is %s, the input %s", whet_dtype_name(whet__in_dtype(f, 1)),
                            whet_dtype_name(whet__in_dtype(f, 0)));
  WHET_TRY(whet__infer_rank(f, 0, 2, WHET_MAX_RANK));
  if (d->rank < 0) return WHET_OK;
  if (d->rank != x->rank - 1)
    return whet__infer_fail(f, WHET_E_SHAPE, "diagonals of rank %d for an input of rank %d", d->rank, x->rank);
  for (int32_t i = 0; i < d->rank; i++) {
    bool last = i == d->rank - 1, known = whet__dim_known(x->d[i]) && (!last || whet__dim_known(x->d[i + 1]));
    int64_t want = !known ? -1 : last ? whet__min_i(x->d[i], x->d[i + 1]) : x->d[i];
    if (known && whet__dim_known(d->d[i]) && d->d[i] != want)
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of the diagonals is %lld, expected %lld", i,
                              (long long)d->d[i], (long long)want);
  }
  return WHET_OK;
}

static whet_status set_ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *d = &a->in[1], *out = &a->out[0];
  int64_t at[WHET_MAX_RANK] = {0};
  int32_t last = d->rank - 1;
  whet__move_flat(out, x);
  for (int64_t left = whet__tensor_count(d); left > 0; left--, whet__index_next(d->rank, d->dim, at))
    whet__move_one(d->dtype, out->data,
                   whet__index_offset(d->rank, at, out->stride) + at[last] * out->stride[last + 1], d->data,
                   whet__index_offset(d->rank, at, d->stride));
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_Trilu = {
    .name = "Trilu",
    .attr_size = sizeof(struct trilu),
    .attrs = k_trilu_attrs,
    .from = k_trilu_from,
    .infer = trilu_infer,
    .ref = trilu_ref,
};

const whet_op whet_op_MatrixSetDiag = {
    .name = "MatrixSetDiag",
    .from = k_set_from,
    .infer = set_infer,
    .plan = whet__pl_in_first,
    .ref = set_ref,
};
