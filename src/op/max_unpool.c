/* SPDX-License-Identifier: Apache-2.0 */
/* MaxUnpool(x, indices, shape): zeros, but for the elements of x where the indices of MaxPool say that they came from.
 *
 * ONNX 9-22. Indices count the elements of the pooled tensor whose sizes kernel, strides and pads give back; where the
 * third input asks for a larger one, that tensor stands at its beginning. An index outside is refused in the run
 * (E_DATA). Numbers of any type. */

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

typedef struct unpool_attr {
  whet_ints kernel, strides, pads; /* strides and pads n 0: ones and zeros */
} unpool_attr;

static const whet_attr_desc k_attrs[] = {{"kernel_shape", WHET_ATTR_I64S, offsetof(unpool_attr, kernel)},
                                         {"strides", WHET_ATTR_I64S, offsetof(unpool_attr, strides)},
                                         {"pads", WHET_ATTR_I64S, offsetof(unpool_attr, pads)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, unpool_attr, a);
  a->kernel = whet__onnx_ints(im, "kernel_shape");
  a->strides = whet__onnx_ints(im, "strides");
  a->pads = whet__onnx_ints(im, "pads");
  if (!a->kernel.n) return whet__im_fail(im, WHET_E_FORMAT, "attribute kernel_shape is missing");
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"", "MaxUnpool", 9, read}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

/* Spatial dimension i of the tensor that was pooled from n positions; -1: there is none, ANY: n is not known. */
static whet_dim pooled(const unpool_attr *a, int32_t i, whet_dim n) {
  enum { MOST = 1 << 24 };
  int64_t kernel = a->kernel.v[i], stride = a->strides.n ? a->strides.v[i] : 1;
  int64_t begin = a->pads.n ? a->pads.v[i] : 0, end = a->pads.n ? a->pads.v[a->kernel.n + i] : 0;
  if (kernel < 1 || kernel > MOST || stride < 1 || stride > MOST || begin < 0 || begin > MOST || end < 0 || end > MOST)
    return -1;
  if (!whet__dim_known(n)) return WHET_DIM_ANY;
  return n > INT64_MAX / (4 * (int64_t)MOST) || n < 1 ? -1 : whet__max_i((n - 1) * stride + kernel - begin - end, -1);
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const unpool_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *index = whet__in_shape(f, 1);
  whet_dtype t = whet__in_dtype(f, 0);
  whet_nums want = {.n = 0};
  if (!whet__in_has(f, 0) || !whet__in_has(f, 1)) return whet__infer_fail(f, WHET_E_FORMAT, "expected 2 or 3 inputs");
  if (!whet__type_in(WHET_T_NUM, t))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(t));
  WHET_TRY(whet__infer_is_int(f, 1));
  int32_t space = x->rank - 2;
  if (space < 1 || a->kernel.n != space || (a->strides.n && a->strides.n != space) ||
      (a->pads.n && a->pads.n != 2 * space))
    return whet__infer_fail(f, WHET_E_SHAPE, "kernel_shape, strides and pads do not fit an input of rank %d", x->rank);
  if (!whet__shape_equal(x, index) && whet__shape_count(x) >= 0 && whet__shape_count(index) >= 0)
    return whet__infer_fail(f, WHET_E_SHAPE, "input and indices have different shapes");
  bool told = whet__in_has(f, 2), known = !told || whet__nums(f, 2, &want);
  if (!known && want.n == -2) return whet__nums_late(f, &want, "the output's shape");
  if (told && want.n >= 0 && want.n != x->rank)
    return whet__infer_fail(f, WHET_E_SHAPE, "an output's shape of %d numbers, expected %d", want.n, x->rank);
  whet_shape y = *x;
  for (int32_t i = 0; i < x->rank; i++) {
    whet_dim least = i < 2 ? x->d[i] : pooled(a, i - 2, x->d[i]);
    if (least == -1) return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d cannot have been pooled so", i);
    y.d[i] = !told ? least : known ? whet__num(&want, i) : WHET_DIM_ANY;
    if (whet__dim_number(y.d[i]) && (y.d[i] < 0 || (whet__dim_known(least) && y.d[i] < least)))
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of the output is %lld, expected %lld or more", i,
                              (long long)y.d[i], (long long)least);
  }
  whet_dim count;
  WHET_TRY(whet__infer_count(f, &y, &count));
  *whet__out(f, 0, t) = y;
  return known ? WHET_OK : WHET_LATE;
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status ref(const whet_args *arg) {
  const unpool_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *index = &arg->in[1], *y = &arg->out[0];
  static const int64_t zero[2], none[WHET_MAX_RANK];
  int64_t dim[WHET_MAX_RANK], total = 1;
  for (int32_t i = 0; i < x->rank; i++) {
    dim[i] = i < 2 ? x->dim[i] : pooled(a, i - 2, x->dim[i]);
    total *= dim[i];
  }
  whet__move_box(y->dtype, y->rank, y->dim, y->data, 0, y->stride, zero, 0, none);
  for (int64_t k = 0, n = whet__tensor_count(x); k < n; k++) {
    int64_t at = whet__get_i64(index->dtype, index->data, whet__flat_offset(index, k)), yo = 0;
    if (at < 0 || at >= total)
      return whet__fail(arg->err, WHET_E_DATA, "index %lld of %lld elements", (long long)at, (long long)total);
    for (int32_t i = x->rank - 1; i >= 0; at /= dim[i--]) yo += at % dim[i] * y->stride[i];
    whet__move_one(y->dtype, y->data, yo, x->data, whet__flat_offset(x, k));
  }
  return WHET_OK;
}

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_MaxUnpool = {.name = "MaxUnpool",
                                   .attr_size = sizeof(unpool_attr),
                                   .attrs = k_attrs,
                                   .from = k_from,
                                   .infer = infer,
                                   .ref = ref};
