/* SPDX-License-Identifier: Apache-2.0 */
/* SVMRegressor(x [n, c]) and SVMClassifier(x): ai.onnx.ml 1. Kernels of a row and a support vector: LINEAR x.v, POLY (g x.v +
 * c0)^d, RBF exp(-g |x - v|^2), SIGMOID tanh(g x.v + c0). Without support vectors the model is linear in x.
 *
 * A classifier asks one question for each pair of classes (libsvm): the class with most answers wins, the first of equal ones.
 * Scores are the answers; two classes without probabilities: [-s, s]; with prob_a and prob_b the probabilities of classes that
 * fit the pairs' best (Wu, Lin, Weng, 2004, second approach). Sums in f64, results F32. */

#include <math.h>

#include "op/move.h"
#include "op/scores.h"

enum { LINEAR, POLY, RBF, SIGMOID };
typedef struct svm {
  int32_t kernel, vectors, classes; /* classes: 0 for a regressor */
  bool one_class;
  int32_t post;
  whet_labels labels;
  whet_ints each; /* support vectors of each class */
  whet_floats params, coef, vector, rho, prob_a, prob_b;
} svm;
static const whet_attr_desc k_attrs[] = {{"kernel", WHET_ATTR_I32, offsetof(svm, kernel)},
                                         {"vectors", WHET_ATTR_I32, offsetof(svm, vectors)},
                                         {"one_class", WHET_ATTR_BOOL, offsetof(svm, one_class)},
                                         {"post_transform", WHET_ATTR_I32, offsetof(svm, post)},
                                         {"vectors_per_class", WHET_ATTR_I64S, offsetof(svm, each)},
                                         {"kernel_params", WHET_ATTR_F32S, offsetof(svm, params)},
                                         {"coefficients", WHET_ATTR_F32S, offsetof(svm, coef)},
                                         {"support_vectors", WHET_ATTR_F32S, offsetof(svm, vector)},
                                         {"rho", WHET_ATTR_F32S, offsetof(svm, rho)},
                                         {"prob_a", WHET_ATTR_F32S, offsetof(svm, prob_a)},
                                         {"prob_b", WHET_ATTR_F32S, offsetof(svm, prob_b)},
                                         {0}};
enum { MAX_CLASSES = 4096 };

/* ---- reading --------------------------------------------------------------------------------- */

/* What both have. vectors: number of support vectors; the model is linear in x when it is 0. */
static whet_status read_common(whet_import *im, svm *a, int64_t vectors) {
  static const char *const name[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};
  whet_str s = whet__onnx_str(im, "kernel_type", "LINEAR");
  while (a->kernel < 4 && (strlen(name[a->kernel]) != s.n || memcmp(name[a->kernel], s.p, s.n))) a->kernel++;
  if (a->kernel == 4) return whet__im_fail(im, WHET_E_DATA, "kernel_type \"%.20s\"", s.p);
  a->params = whet__onnx_floats(im, "kernel_params");
  a->coef = whet__onnx_floats(im, "coefficients");
  a->vector = whet__onnx_floats(im, "support_vectors");
  a->rho = whet__onnx_floats(im, "rho");
  WHET_TRY(whet__post_read(im, &a->post));
  if (vectors < 0 || vectors > INT32_MAX / 4) return whet__im_fail(im, WHET_E_FORMAT, "%lld support vectors", (long long)vectors);
  a->vectors = (int32_t)vectors;
  if (!vectors) a->kernel = LINEAR;
  if (a->kernel != LINEAR && a->params.n != 3)
    return whet__im_fail(im, WHET_E_FORMAT, "%d kernel_params, expected gamma, coef0, degree", a->params.n);
  if (!a->coef.n || !a->rho.n) return whet__im_fail(im, WHET_E_FORMAT, "there are no coefficients, or no rho");
  if (vectors && (!a->vector.n || a->vector.n % vectors))
    return whet__im_fail(im, WHET_E_FORMAT, "%d numbers of %lld support vectors", a->vector.n, (long long)vectors);
  return WHET_OK;
}

static whet_status read_regressor(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, svm, a);
  WHET_TRY(read_common(im, a, whet__onnx_int(im, "n_supports", 0)));
  a->one_class = whet__onnx_int(im, "one_class", 0) != 0;
  if (a->vectors && a->coef.n != a->vectors)
    return whet__im_fail(im, WHET_E_FORMAT, "%d coefficients of %d support vectors", a->coef.n, a->vectors);
  return whet__im_node_as_is(im, op, a);
}

static whet_status read_classifier(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, svm, a);
  int64_t vectors = 0;
  a->labels = whet__labels_read(im, "classlabels_ints", "classlabels_strings");
  a->classes = a->labels.n;
  a->each = whet__onnx_ints(im, "vectors_per_class");
  for (int32_t i = 0; i < a->each.n; i++) {
    if (a->each.v[i] < 0 || a->each.v[i] > INT32_MAX / 4)
      return whet__im_fail(im, WHET_E_FORMAT, "vectors_per_class[%d] is %lld", i, (long long)a->each.v[i]);
    vectors += a->each.v[i];
  }
  WHET_TRY(read_common(im, a, vectors));
  a->prob_a = whet__onnx_floats(im, "prob_a");
  a->prob_b = whet__onnx_floats(im, "prob_b");
  int32_t k = a->classes;
  if (k < 1 || k > MAX_CLASSES) return whet__im_fail(im, WHET_E_UNSUPPORTED, "%d classes", k);
  int64_t pairs = (int64_t)k * (k - 1) / 2;
  if (!vectors) {
    if (a->coef.n % k) return whet__im_fail(im, WHET_E_FORMAT, "%d coefficients of %d classes", a->coef.n, k);
    a->prob_a.n = a->prob_b.n = 0;
  } else if (k < 2 || a->each.n != k || a->coef.n != (k - 1) * vectors || a->rho.n != pairs) {
    return whet__im_fail(im, WHET_E_FORMAT, "%d classes, vectors of %d, %d coefficients, %d rho", k, a->each.n, a->coef.n, a->rho.n);
  }
  if (a->prob_a.n != a->prob_b.n || (a->prob_a.n && a->prob_a.n != pairs))
    return whet__im_fail(im, WHET_E_FORMAT, "%d prob_a and %d prob_b for %lld pairs", a->prob_a.n, a->prob_b.n, (long long)pairs);
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_reg_from[] = {{"ai.onnx.ml", "SVMRegressor", 1, read_regressor}, {0}};
static const whet_from k_class_from[] = {{"ai.onnx.ml", "SVMClassifier", 1, read_classifier}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* Features of a row. */
static int32_t features(const svm *a) {
  return a->vectors ? a->vector.n / a->vectors : a->classes ? a->coef.n / a->classes : a->coef.n;
}

/* Scores of a row. */
static int32_t columns(const svm *a) {
  if (!a->classes) return 1;
  return !a->vectors || a->prob_a.n || a->classes == 2 ? a->classes : a->classes * (a->classes - 1) / 2;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const svm *a = n->attr;
  whet_dim rows, cols;
  int scores = a->classes ? 1 : 0;
  WHET_TRY(whet__infer_rows(f, 0, &rows, &cols));
  if (whet__dim_known(cols) && cols != features(a))
    return whet__infer_fail(f, WHET_E_SHAPE, "rows of %lld features, expected %d", (long long)cols, features(a));
  if (a->classes) whet__out_dims(f, 0, a->labels.t, 1, &rows);
  whet__out_dims(f, scores, WHET_F32, 2, (whet_dim[]){rows, columns(a)});
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* Room: a row; kernels of it and all vectors; pairs, votes; probabilities of pairs and of classes. */
static size_t scratch(const whet_args *arg) {
  const svm *a = arg->attr;
  size_t k = (size_t)a->classes;
  return ((size_t)whet__cols(&arg->in[0]) + (size_t)a->vectors + k * k + k + 2 + (a->prob_a.n ? 2 * k * k + 2 * k : 0)) * sizeof(double);
}

static double kernel(const svm *a, const double *x, const float *v, int64_t n) {
  if (a->kernel == RBF) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (x[i] - (double)v[i]) * (x[i] - (double)v[i]);
    return exp(-(double)a->params.v[0] * sum);
  }
  double d = whet__dot_f32(x, v, n);
  if (a->kernel == LINEAR) return d;
  d = d * (double)a->params.v[0] + (double)a->params.v[1];
  return a->kernel == POLY ? pow(d, (double)a->params.v[2]) : tanh(d);
}

static void kernels(const svm *a, const double *x, double *k) {
  int64_t n = features(a);
  for (int32_t i = 0; i < a->vectors; i++) k[i] = kernel(a, x, a->vector.v + i * n, n);
}

static whet_status regressor_ref(const whet_args *arg) {
  const svm *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  double *row = arg->scratch, *k = row + whet__cols(x);
  for (int64_t r = 0; r < whet__rows(x); r++) {
    whet__load_row(x, r, row);
    kernels(a, row, k);
    double s = a->vectors ? whet__dot_f32(k, a->coef.v, a->vectors) : whet__dot_f32(row, a->coef.v, features(a));
    s += (double)a->rho.v[0];
    if (a->one_class) s = s > 0 ? 1 : -1;
    whet__post_apply(a->post, &s, 1);
    ((float *)y->data)[whet__row_at(y, r, 0)] = (float)s;
  }
  return WHET_OK;
}

/* Probabilities p of k classes from those of pairs, pair[i][j]: i against j. q, qp: room for k * k and k. */
static void couple(int32_t k, const double *pair, double *p, double *q, double *qp) {
  double eps = 0.005 / k;
  for (int32_t t = 0; t < k; t++) {
    p[t] = 1.0 / k;
    q[t * k + t] = 0;
    for (int32_t j = 0; j < k; j++) {
      if (j == t) continue;
      q[t * k + t] += pair[j * k + t] * pair[j * k + t];
      q[t * k + j] = -pair[j * k + t] * pair[t * k + j];
    }
  }
  for (int32_t turn = 0; turn < (k > 100 ? k : 100); turn++) {
    double pqp = 0, worst = 0;
    for (int32_t t = 0; t < k; t++) {
      qp[t] = 0;
      for (int32_t j = 0; j < k; j++) qp[t] += q[t * k + j] * p[j];
      pqp += p[t] * qp[t];
    }
    for (int32_t t = 0; t < k; t++) worst = fmax(worst, fabs(qp[t] - pqp));
    if (worst < eps) return;
    for (int32_t t = 0; t < k; t++) {
      double d = (pqp - qp[t]) / q[t * k + t], f = 1 / (1 + d);
      p[t] += d;
      pqp = (pqp + d * (d * q[t * k + t] + 2 * qp[t])) * f * f;
      for (int32_t j = 0; j < k; j++) {
        qp[j] = (qp[j] + d * q[t * k + j]) * f;
        p[j] *= f;
      }
    }
  }
}

/* Answers for all pairs into `score`, and the class with most votes. */
static int32_t ask_pairs(const svm *a, const double *k, double *score, double *votes) {
  int64_t at_i = 0, n = a->vectors;
  int32_t pair = 0, best = 0;
  memset(votes, 0, (size_t)a->classes * sizeof *votes);
  for (int32_t i = 0; i < a->classes; at_i += a->each.v[i++]) {
    int64_t at_j = at_i + a->each.v[i];
    for (int32_t j = i + 1; j < a->classes; at_j += a->each.v[j++], pair++) {
      double s = whet__dot_f32(k + at_i, a->coef.v + (j - 1) * n + at_i, a->each.v[i]) +
                 whet__dot_f32(k + at_j, a->coef.v + i * n + at_j, a->each.v[j]) + (double)a->rho.v[pair];
      score[pair] = s;
      votes[s > 0 ? i : j]++;
    }
  }
  for (int32_t i = 1; i < a->classes; i++)
    if (votes[i] > votes[best]) best = i;
  return best;
}

/* Answers become probabilities of classes. room: 2 k * k + 2 k. */
static void probabilities(const svm *a, double *score, double *room) {
  int32_t k = a->classes, at = 0;
  double *pair = room, *q = pair + (size_t)k * (size_t)k, *qp = q + (size_t)k * (size_t)k, *p = qp + k;
  for (int32_t i = 0; i < k; i++)
    for (int32_t j = i + 1; j < k; j++, at++) {
      double v = score[at] * (double)a->prob_a.v[at] + (double)a->prob_b.v[at], one = 1 / (1 + exp(v));
      one = one < 1e-7 ? 1e-7 : one > 1 - 1e-7 ? 1 - 1e-7 : one;
      pair[i * k + j] = one;
      pair[j * k + i] = 1 - one;
    }
  couple(k, pair, p, q, qp);
  memcpy(score, p, (size_t)k * sizeof *p);
}

/* Scores of a linear model, a row for each class; the greatest wins. */
static int32_t ask_linear(const svm *a, const double *x, double *score) {
  int32_t best = 0;
  for (int32_t i = 0; i < a->classes; i++) {
    score[i] = whet__dot_f32(x, a->coef.v + (int64_t)i * features(a), features(a)) + (double)a->rho.v[0];
    if (score[i] > score[best]) best = i;
  }
  return best;
}

static whet_status classifier_ref(const whet_args *arg) {
  const svm *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *label = &arg->out[0], *y = &arg->out[1];
  size_t k = (size_t)a->classes;
  double *row = arg->scratch, *value = row + whet__cols(x), *score = value + a->vectors, *votes = score + k * k + 2, *room = votes + k;
  int32_t n = columns(a);
  for (int64_t r = 0; r < whet__rows(x); r++) {
    int32_t best;
    whet__load_row(x, r, row);
    if (a->vectors) {
      kernels(a, row, value);
      best = ask_pairs(a, value, score, votes);
      if (a->prob_a.n) {
        probabilities(a, score, room);
      } else if (k == 2) {
        score[1] = score[0];
        score[0] = a->post == WHET_POST_NONE ? -score[1] : 1 - score[1];
      }
    } else {
      best = ask_linear(a, row, score);
    }
    if (label->data) whet__label_put(&a->labels, label, whet__row_at(label, r, 0), best);
    if (!y->data) continue;
    if (k != 2 || a->prob_a.n || !a->vectors) whet__post_apply(a->post, score, n);
    for (int32_t i = 0; i < n; i++) ((float *)y->data)[whet__row_at(y, r, i)] = (float)score[i];
  }
  return WHET_OK;
}

const whet_op whet_op_SVMRegressor = {.name = "SVMRegressor", .flags = WHET_OP_FROM_FILE,
                                      .attr_size = sizeof(svm),
                                      .attrs = k_attrs,
                                      .from = k_reg_from,
                                      .infer = infer,
                                      .scratch = scratch,
                                      .ref = regressor_ref};
const whet_op whet_op_SVMClassifier = {.name = "SVMClassifier", .flags = WHET_OP_FROM_FILE,
                                       .attr_size = sizeof(svm),
                                       .attrs = k_attrs,
                                       .from = k_class_from,
                                       .infer = infer,
                                       .scratch = scratch,
                                       .ref = classifier_ref};
