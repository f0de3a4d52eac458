/* SPDX-License-Identifier: Apache-2.0 */
/* NegativeLogLikelihoodLoss(x, target, weight): -x[n][target[n][d]][d], times the weight of that class; each on its own,
 * their sum, or their sum over the sum of the weights. SoftmaxCrossEntropyLoss: the same of the log-softmax of x over
 * the classes, which is the second output.
 *
 * ONNX 12-22 and 12-13. x is [n][c][d...], target [n][d...], weight [c]. An element whose target is ignore_index adds
 * nothing and weighs nothing; another target that is no class is refused in the run (E_DATA). Floats, summed in
 * double. */

#include <math.h>

#include "op/edit.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

enum { NONE, SUM, MEAN };

typedef struct loss_attr {
  int64_t ignore;
  uint8_t reduce; /* NONE, SUM, MEAN */
  bool ignores;   /* ignore is set */
} loss_attr;

static const whet_attr_desc k_attrs[] = {{"ignore_index", WHET_ATTR_I64, offsetof(loss_attr, ignore)},
                                         {"reduction", WHET_ATTR_U8, offsetof(loss_attr, reduce)},
                                         {"ignores", WHET_ATTR_BOOL, offsetof(loss_attr, ignores)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read(whet_import *im, const whet_op *op) {
  static const char *const names[] = {"none", "sum", "mean"};
  WHET_NEW_ATTR(im, loss_attr, a);
  whet_str s = whet__onnx_str(im, "reduction", "mean");
  int k = 0;
  while (k < 3 && !whet__str_is(s, names[k])) k++;
  if (k == 3) return whet__im_fail(im, WHET_E_DATA, "reduction must be none, sum or mean");
  a->reduce = (uint8_t)k;
  a->ignores = whet__onnx_has(im, "ignore_index");
  a->ignore = whet__onnx_int(im, "ignore_index", 0);
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_nll_from[] = {{"", "NegativeLogLikelihoodLoss", 12, read}, {0}};
static const whet_from k_sce_from[] = {{"", "SoftmaxCrossEntropyLoss", 12, read}, {0}};

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const loss_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0), *target = whet__in_shape(f, 1), *w = whet__in_shape(f, 2);
  whet_dtype t = whet__in_dtype(f, 0), wt = whet__in_dtype(f, 2);
  if (!whet__in_has(f, 0) || !whet__in_has(f, 1)) return whet__infer_fail(f, WHET_E_FORMAT, "expected 2 or 3 inputs");
  if (!whet__type_in(WHET_T_FLOAT, t) || (whet__in_has(f, 2) && wt != t))
    return whet__infer_fail(f, WHET_E_TYPE, "scores of type %s and weights of type %s are not taken", whet_dtype_name(t),
                            whet_dtype_name(wt));
  WHET_TRY(whet__infer_is_int(f, 1));
  if (x->rank < 2 || target->rank != x->rank - 1)
    return whet__infer_fail(f, WHET_E_SHAPE, "scores of %d dimensions and a target of %d: expected one less", x->rank,
                            target->rank);
  for (int32_t i = 0; i < target->rank; i++) {
    whet_dim have = target->d[i], want = x->d[i ? i + 1 : 0];
    if (whet__dim_known(have) && whet__dim_known(want) && have != want)
      return whet__infer_fail(f, WHET_E_SHAPE, "dimension %d of the target is %lld, expected %lld", i, (long long)have,
                              (long long)want);
  }
  if (whet__in_has(f, 2) && (w->rank != 1 || (whet__dim_known(w->d[0]) && whet__dim_known(x->d[1]) && w->d[0] != x->d[1])))
    return whet__infer_fail(f, WHET_E_SHAPE, "the weights must be one number for each of the classes");
  whet_shape *y = whet__out(f, 0, t);
  if (a->reduce == NONE) *y = *target;
  if (whet__out_has(f, 1)) *whet__out(f, 1, t) = *x;
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Log-softmax over n elements of x, `step` apart from `at` on: what is to be subtracted from each. */
static double log_sum_exp(const whet_tensor *x, int64_t at, int64_t step, int64_t n) {
  double top = -INFINITY, sum = 0;
  for (int64_t i = 0; i < n; i++) top = fmax(top, whet__get_f64(x->dtype, x->data, at + i * step));
  for (int64_t i = 0; i < n; i++) sum += exp(whet__get_f64(x->dtype, x->data, at + i * step) - top);
  return top + log(sum);
}

static whet_status ref(const whet_args *arg) {
  const loss_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *target = &arg->in[1], *y = &arg->out[0];
  const whet_tensor *w = arg->n_in > 2 && arg->in[2].data ? &arg->in[2] : NULL;
  const whet_tensor *log_prob = arg->n_out > 1 && arg->out[1].data ? &arg->out[1] : NULL;
  bool soft = !strcmp(arg->node->op->name, "SoftmaxCrossEntropyLoss");
  int64_t at[WHET_MAX_RANK] = {0}, xs[WHET_MAX_RANK], ls[WHET_MAX_RANK] = {0}, classes = x->dim[1];
  double sum = 0, weights = 0;
  for (int32_t i = 0; i < target->rank; i++) {
    xs[i] = x->stride[i ? i + 1 : 0];
    if (log_prob) ls[i] = log_prob->stride[i ? i + 1 : 0];
  }
  for (int64_t k = 0, n = whet__tensor_count(target); k < n; k++, whet__index_next(target->rank, target->dim, at)) {
    int64_t xo = whet__index_offset(target->rank, at, xs), lo = whet__index_offset(target->rank, at, ls);
    int64_t c = whet__get_i64(target->dtype, target->data, whet__flat_offset(target, k));
    double shift = soft ? log_sum_exp(x, xo, x->stride[1], classes) : 0, v = 0;
    for (int64_t i = 0; log_prob && i < classes; i++)
      whet__set_f64(log_prob->dtype, log_prob->data, lo + i * log_prob->stride[1],
                    whet__get_f64(x->dtype, x->data, xo + i * x->stride[1]) - shift);
    if (!a->ignores || c != a->ignore) {
      if (c < 0 || c >= classes)
        return whet__fail(arg->err, WHET_E_DATA, "target %lld of %lld classes", (long long)c, (long long)classes);
      double weight = w ? whet__get_f64(w->dtype, w->data, c * w->stride[0]) : 1;
      v = -weight * (whet__get_f64(x->dtype, x->data, xo + c * x->stride[1]) - shift);
      weights += weight;
    }
    sum += v;
    if (a->reduce == NONE && y->data) whet__set_f64(y->dtype, y->data, whet__flat_offset(y, k), v);
  }
  if (a->reduce != NONE && y->data) whet__set_f64(y->dtype, y->data, 0, a->reduce == MEAN ? sum / weights : sum);
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_NegativeLogLikelihoodLoss = {.name = "NegativeLogLikelihoodLoss",
                                                   .attr_size = sizeof(loss_attr),
                                                   .attrs = k_attrs,
                                                   .from = k_nll_from,
                                                   .infer = infer,
                                                   .ref = ref};
const whet_op whet_op_SoftmaxCrossEntropyLoss = {.name = "SoftmaxCrossEntropyLoss",
                                                 .attr_size = sizeof(loss_attr),
                                                 .attrs = k_attrs,
                                                 .from = k_sce_from,
                                                 .infer = infer,
                                                 .ref = ref};
