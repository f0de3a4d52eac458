/* SPDX-License-Identifier: Apache-2.0 */
/* LinearModel(x [n, c]): x times coefficients [targets][c], plus intercepts. ai.onnx.ml LinearRegressor 1 and LinearClassifier
 * 1, whose transforms and labels are nodes of their own (scores.h). One row of coefficients and two labels: the sign of the
 * score tells. Sums in f64 in four chains, results F32. */

#include "op/move.h"
#include "op/scores.h"

typedef struct linear {
  int32_t targets;
  whet_floats coef, intercept; /* intercept: n 0 or targets */
} linear;
static const whet_attr_desc k_attrs[] = {{"targets", WHET_ATTR_I32, offsetof(linear, targets)},
                                         {"coefficients", WHET_ATTR_F32S, offsetof(linear, coef)},
                                         {"intercepts", WHET_ATTR_F32S, offsetof(linear, intercept)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read_model(whet_import *im, linear *a, int64_t targets) {
  a->coef = whet__onnx_floats(im, "coefficients");
  a->intercept = whet__onnx_floats(im, "intercepts");
  if (targets < 1 || targets > a->coef.n || a->coef.n % targets || (a->intercept.n && a->intercept.n != targets))
    return whet__im_fail(im, WHET_E_FORMAT, "%d coefficients and %d intercepts for %lld targets", a->coef.n, a->intercept.n,
                         (long long)targets);
  a->targets = (int32_t)targets;
  return WHET_OK;
}

static whet_status read_regressor(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, linear, a);
  int32_t post, x = whet__im_in(im, 0), out = whet__im_out(im, 0);
  WHET_TRY(whet__post_read(im, &post));
  WHET_TRY(read_model(im, a, whet__onnx_int(im, "targets", 1)));
  int32_t scores = whet__im_before_post(im, post, out);
  WHET_TRY(whet__im_node(im, op, a, &x, 1, &scores, 1));
  return whet__im_post(im, post, scores, out);
}

static whet_status read_classifier(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, linear, a);
  whet_labels labels = whet__labels_read(im, "classlabels_ints", "classlabels_strings");
  int32_t post, x = whet__im_in(im, 0), scores = whet__im_new(im, "scores");
  int32_t n = whet__onnx_floats(im, "intercepts").n;
  WHET_TRY(whet__post_read(im, &post));
  WHET_TRY(read_model(im, a, n ? n : labels.n ? labels.n : 1));
  int how = a->targets > 1 ? WHET_CLASS_BEST : labels.n == 2 ? WHET_CLASS_SIGN : WHET_CLASS_ALONE;
  if (a->targets > 1 && labels.n && labels.n != a->targets)
    return whet__im_fail(im, WHET_E_FORMAT, "%d labels for %d scores", labels.n, a->targets);
  WHET_TRY(whet__im_node(im, op, a, &x, 1, &scores, 1));
  return whet__im_classify(im, scores, how, post, labels);
}

static const whet_from k_from[] = {{"ai.onnx.ml", "LinearRegressor", 1, read_regressor},
                                   {"ai.onnx.ml", "LinearClassifier", 1, read_classifier},
                                   {0}};

/* ---- shape rule, reference ------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const linear *a = n->attr;
  whet_dim rows, cols;
  WHET_TRY(whet__infer_rows(f, 0, &rows, &cols));
  if (whet__dim_known(cols) && cols != a->coef.n / a->targets)
    return whet__infer_fail(f, WHET_E_SHAPE, "rows of %lld features, expected %d", (long long)cols, a->coef.n / a->targets);
  whet__out_dims(f, 0, WHET_F32, 2, (whet_dim[]){rows, a->targets});
  return WHET_OK;
}

static size_t scratch(const whet_args *a) { return ((size_t)whet__cols(&a->in[0]) + 1) * sizeof(double); }

static whet_status ref(const whet_args *arg) {
  const linear *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  int64_t n = whet__cols(x);
  double *row = arg->scratch;
  for (int64_t r = 0; r < whet__rows(x); r++) {
    whet__load_row(x, r, row);
    for (int32_t t = 0; t < a->targets; t++)
      ((float *)y->data)[whet__row_at(y, r, t)] =
          (float)(whet__dot_f32(row, a->coef.v + t * n, n) + (a->intercept.n ? (double)a->intercept.v[t] : 0));
  }
  return WHET_OK;
}

const whet_op whet_op_LinearModel = {.name = "LinearModel", .flags = WHET_OP_FROM_FILE,
                                     .attr_size = sizeof(linear),
                                     .attrs = k_attrs,
                                     .from = k_from,
                                     .infer = infer,
                                     .scratch = scratch,
                                     .ref = ref};
