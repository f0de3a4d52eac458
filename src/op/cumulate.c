/* SPDX-License-Identifier: Apache-2.0 */
/* CumSum, CumProd: y[i] = x[0] + ... + x[i] (times for products) along an axis; exclusive: without x[i]; reverse:
 * from the end.
 *
 * ONNX CumSum-11, -14, CumProd-26, TFLite CUMSUM. The axis is an input; a constant one is remembered. Numbers;
 * integers wrap, floats are summed in double and rounded once for each output. */

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct cumulate_attr {
  bool exclusive, reverse;
} cumulate_attr;

static const whet_attr_desc k_attrs[] = {{"exclusive", WHET_ATTR_BOOL, offsetof(cumulate_attr, exclusive)},
                                         {"reverse", WHET_ATTR_BOOL, offsetof(cumulate_attr, reverse)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status put(whet_import *im, const whet_op *op, bool exclusive, bool reverse) {
  cumulate_attr *a = whet__arena_alloc(whet__im_arena(im), sizeof *a);
  if (!a) return whet__im_fail(im, WHET_E_MEMORY, "no memory for attributes");
  a->exclusive = exclusive;
  a->reverse = reverse;
  return whet__im_node_as_is(im, op, a);
}
static whet_status read_onnx(whet_import *im, const whet_op *op) {
  return put(im, op, whet__onnx_int(im, "exclusive", 0) != 0, whet__onnx_int(im, "reverse", 0) != 0);
}
static whet_status read_tfl(whet_import *im, const whet_op *op) {
  return put(im, op, whet__tfl_int(im, 0, 0) != 0, whet__tfl_int(im, 1, 0) != 0);
}

static const whet_from k_sum_from[] = {{"", "CumSum", 11, read_onnx}, {"tflite", "CUMSUM", 1, read_tfl}, {0}};
static const whet_from k_prod_from[] = {{"", "CumProd", 26, read_onnx}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  whet_dtype t = whet__in_dtype(f, 0);
  int32_t count, axis;
  if (whet__in_n(f) != 2 || !whet__in_has(f, 1))
    return whet__infer_fail(f, WHET_E_FORMAT, "expected 2 inputs, got %d", whet__in_n(f));
  if (!whet__type_in(WHET_T_NUM, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  WHET_TRY(whet__infer_is_int(f, 1));
  const whet_dim *known = whet__in_known(f, 1, &count);
  if (known && count != 1) return whet__infer_fail(f, WHET_E_SHAPE, "the axis is not one number");
  if (known && whet__dim_number(known[0])) WHET_TRY(whet__infer_axis(f, known[0], whet__in_shape(f, 0)->rank, &axis));
  *whet__out(f, 0, t) = *whet__in_shape(f, 0);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Running totals of n elements of x, xs apart, into y. */
static void line(const whet_args *arg, int64_t xi, int64_t xs, int64_t yi, int64_t ys, int64_t n) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  const cumulate_attr *a = arg->attr;
  bool prod = !strcmp(arg->node->op->name, "CumProd");
  double f = prod;
  uint64_t i = prod;
  for (int64_t k = 0; k < n; k++) {
    int64_t at = a->reverse ? n - 1 - k : k, from = xi + at * xs, to = yi + at * ys;
    if (whet__is_float(x->dtype)) {
      double v = whet__get_f64(x->dtype, x->data, from), next = prod ? f * v : f + v;
      whet__set_f64(y->dtype, y->data, to, a->exclusive ? f : next);
      f = next;
    } else {
      uint64_t v = (uint64_t)whet__get_i64(x->dtype, x->data, from), next = prod ? i * v : i + v;
      whet__set_i64(y->dtype, y->data, to, (int64_t)(a->exclusive ? i : next));
      i = next;
    }
  }
}

static whet_status ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  int64_t axis = whet__get_i64(arg->in[1].dtype, arg->in[1].data, 0);
  if (whet__tensor_count(&arg->in[1]) != 1 || axis < -x->rank || axis >= x->rank)
    return whet__fail(arg->err, WHET_E_DATA, "axis %lld is not in the %d dimensions of the input", (long long)axis,
                      x->rank);
  if (axis < 0) axis += x->rank;
  int64_t dim[WHET_MAX_RANK], xs[WHET_MAX_RANK], ys[WHET_MAX_RANK], k[WHET_MAX_RANK] = {0}, n = x->dim[axis];
  int32_t nk = 0;
  for (int32_t i = 0; i < x->rank; i++)
    if (i != axis) dim[nk] = x->dim[i], xs[nk] = x->stride[i], ys[nk++] = y->stride[i];
  for (int64_t left = n ? whet__tensor_count(x) / n : 0; left > 0; left--, whet__index_next(nk, dim, k))
    line(arg, whet__index_offset(nk, k, xs), x->stride[axis], whet__index_offset(nk, k, ys), y->stride[axis], n);
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_CumProd = {.name = "CumProd",
                                 .attr_size = sizeof(cumulate_attr),
                                 .attrs = k_attrs,
                                 .from = k_prod_from,
                                 .infer = infer,
                                 .ref = ref};
const whet_op whet_op_CumSum = {.name = "CumSum",
                                .attr_size = sizeof(cumulate_attr),
                                .attrs = k_attrs,
                                .from = k_sum_from,
                                .infer = infer,
                                .ref = ref};
