/* SPDX-License-Identifier: Apache-2.0 */
/* Scores of the models of ai.onnx.ml. PostTransform(scores [n, c]): post_transform of each row. Classify(scores): (labels [n],
 * scores [n, c or 2]). Neither is an operator of a file: the readers of classifiers and regressors make them. Sums in f64,
 * results F32. */

#include "op/scores.h"

#include <math.h>

#include "op/cast.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- transforms ------------------------------------------------------------------------------ */

whet_status whet__post_read(whet_import *im, int32_t *out) {
  static const char *const name[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
  whet_str s = whet__onnx_str(im, "post_transform", "NONE");
  for (int i = 0; i < 5; i++)
    if (strlen(name[i]) == s.n && !memcmp(name[i], s.p, s.n)) {
      *out = i;
      return WHET_OK;
    }
  return whet__im_fail(im, WHET_E_DATA, "post_transform \"%.20s\"", s.p);
}

static double logistic(double v) {
  double e = 1 / (1 + exp(-fabs(v)));
  return v < 0 ? 1 - e : e;
}

/* The specification's own approximation of the inverse of the normal distribution (Winitzki, 2008). */
static double probit(double v) {
  double x = 2 * v - 1, sign = x < 0 ? -1 : 1, w = (1 - x) * (1 + x);
  if (w == 0) return 0;
  double l = log(w), a = 2 / (3.14159265358979323846 * 0.147) + 0.5 * l;
  return 1.41421356 * sign * sqrt(-a + sqrt(a * a - l / 0.147));
}

/* exp(x - max) / sum. zero: scores of 0 stay apart, with a factor of exp(-max) instead of 1. */
static void softmax(double *v, int64_t n, bool zero) {
  double max = -INFINITY, sum = 0;
  for (int64_t i = 0; i < n; i++) max = v[i] > max ? v[i] : max;
  for (int64_t i = 0; i < n; i++) {
    v[i] = zero && fabs(v[i]) <= 1e-7 ? v[i] * exp(-max) : exp(v[i] - max);
    sum += v[i];
  }
  for (int64_t i = 0; i < n; i++) v[i] = sum == 0 ? 0.5 : v[i] / sum;
}

void whet__post_apply(int32_t post, double *v, int64_t n) {
  if (post == WHET_POST_SOFTMAX || post == WHET_POST_SOFTMAX_ZERO) softmax(v, n, post == WHET_POST_SOFTMAX_ZERO);
  for (int64_t i = 0; i < n && (post == WHET_POST_LOGISTIC || post == WHET_POST_PROBIT); i++)
    v[i] = post == WHET_POST_LOGISTIC ? logistic(v[i]) : probit(v[i]);
}

/* ---- labels, rows ---------------------------------------------------------------------------- */

whet_labels whet__labels_read(whet_import *im, const char *ints, const char *strings) {
  whet_strs s = whet__onnx_strs(im, strings);
  if (s.n) return (whet_labels){WHET_STRING, s.n, s.v};
  whet_ints i = whet__onnx_ints(im, ints);
  return (whet_labels){WHET_S64, i.n, i.v};
}

void whet__label_put(const whet_labels *l, const whet_tensor *y, int64_t at, int64_t k) {
  static const whet_str digit[2] = {{"0", 1}, {"1", 1}};
  bool listed = k >= 0 && k < l->n;
  if (l->t == WHET_STRING)
    ((whet_str *)y->data)[at] = listed ? ((const whet_str *)l->v)[k] : digit[k & 1];
  else
    ((int64_t *)y->data)[at] = listed ? ((const int64_t *)l->v)[k] : k;
}

whet_status whet__infer_rows(whet_infer *f, int i, whet_dim *n, whet_dim *c) {
  const whet_shape *x = whet__in_shape(f, i);
  if (!whet__type_in(WHET_T_NUM | WHET_T_BOOL, whet__in_dtype(f, i)))
    return whet__infer_fail(f, WHET_E_TYPE, "an input of type %s is not taken", whet_dtype_name(whet__in_dtype(f, i)));
  if (x->rank < 0) return WHET_LATE;
  if (x->rank != 1 && x->rank != 2) return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, expected 2", x->rank);
  *n = x->rank == 2 ? x->d[0] : 1;
  *c = x->d[x->rank - 1];
  return WHET_OK;
}

int64_t whet__rows(const whet_tensor *x) { return x->rank == 2 ? x->dim[0] : 1; }
int64_t whet__cols(const whet_tensor *x) { return x->rank ? x->dim[x->rank - 1] : 1; }

void whet__load_row(const whet_tensor *x, int64_t r, double *to) {
  int64_t n = whet__cols(x), step = x->rank ? x->stride[x->rank - 1] : 0;
  int64_t at = x->rank == 2 ? r * x->stride[0] : 0;
  for (int64_t i = 0; i < n; i++)
    to[i] = x->dtype == WHET_F32 ? (double)((const float *)x->data)[at + i * step] : whet__get_f64(x->dtype, x->data, at + i * step);
}

double whet__dot_f32(const double *x, const float *w, int64_t n) {
  double s[4] = {0};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int k = 0; k < 4; k++) s[k] += x[i + k] * (double)w[i + k];
  for (; i < n; i++) s[0] += x[i] * (double)w[i];
  return s[0] + s[1] + (s[2] + s[3]);
}

/* ---- nodes ----------------------------------------------------------------------------------- */

typedef struct post_attr {
  int32_t post;
} post_attr;
static const whet_attr_desc k_post_attrs[] = {{"post_transform", WHET_ATTR_I32, offsetof(post_attr, post)}, {0}};
static const whet_attr_desc k_class_attrs[] = {{"how", WHET_ATTR_I32, offsetof(whet_classify, how)},
                                               {"post_transform", WHET_ATTR_I32, offsetof(whet_classify, post)},
                                               {0}};

whet_status whet__im_classify(whet_import *im, int32_t scores, int32_t how, int32_t post, whet_labels labels) {
  WHET_NEW_ATTR(im, whet_classify, a);
  *a = (whet_classify){how, post, labels};
  int32_t out[2] = {whet__im_out(im, 0), whet__im_out(im, 1)};
  return whet__im_node(im, whet__op_find("Classify"), a, &scores, 1, out, 2);
}

int32_t whet__im_before_post(whet_import *im, int32_t post, int32_t out) {
  return post == WHET_POST_NONE ? out : whet__im_new(im, "scores");
}

whet_status whet__im_post(whet_import *im, int32_t post, int32_t scores, int32_t out) {
  if (post == WHET_POST_NONE) return WHET_OK;
  WHET_NEW_ATTR(im, post_attr, a);
  a->post = post;
  return whet__im_node(im, whet__op_find("PostTransform"), a, &scores, 1, &out, 1);
}

int32_t whet__im_real(whet_import *im, int32_t x) {
  const whet_val *v = x < 0 ? NULL : whet__im_val(im, x);
  if (!v || v->dtype == WHET_NONE || v->dtype == WHET_F32 || v->dtype == WHET_F64) return x;
  int32_t y = whet__im_new(im, "real");
  return y < 0 || whet__im_cast(im, x, y, WHET_F32) ? -1 : y;
}

static whet_status post_infer(whet_infer *f, const whet_node *n) {
  whet_dim rows, cols;
  whet_shape s = *whet__in_shape(f, 0);
  whet__out(f, 0, whet__in_dtype(f, 0))->rank = -1;
  WHET_TRY(whet__infer_rows(f, 0, &rows, &cols));
  *whet__out(f, 0, whet__in_dtype(f, 0)) = s;
  return WHET_OK;
}

static size_t row_scratch(const whet_args *a) { return ((size_t)whet__cols(&a->in[0]) + 2) * sizeof(double); }

static whet_status post_ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *y = &a->out[0];
  int64_t rows = whet__rows(x), n = whet__cols(x);
  double *v = a->scratch;
  for (int64_t r = 0; r < rows; r++) {
    whet__load_row(x, r, v);
    whet__post_apply(((const post_attr *)a->attr)->post, v, n);
    for (int64_t i = 0; i < n; i++) whet__set_f64(y->dtype, y->data, whet__row_at(y, r, i), v[i]);
  }
  return WHET_OK;
}

static whet_status class_infer(whet_infer *f, const whet_node *n) {
  const whet_classify *a = n->attr;
  whet_dim rows, cols;
  WHET_TRY(whet__infer_rows(f, 0, &rows, &cols));
  if (a->how != WHET_CLASS_BEST && cols >= 0 && cols != 1)
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld scores, expected 1", (long long)cols);
  if (a->how == WHET_CLASS_BEST && cols >= 0 && (cols < 1 || (a->labels.n && cols > a->labels.n)))
    return whet__infer_fail(f, WHET_E_SHAPE, "%lld scores for %d labels", (long long)cols, a->labels.n);
  whet__out_dims(f, 0, a->labels.t, 1, &rows);
  whet__out_dims(f, 1, WHET_F32, 2,
                 (whet_dim[]){rows, a->how == WHET_CLASS_HALF || a->how == WHET_CLASS_SIGN ? 2 : cols});
  return WHET_OK;
}

/* The class of a row of n scores; the first of equal ones. */
static int64_t class_of(int32_t how, const double *v, int64_t n) {
  if (how != WHET_CLASS_BEST) return v[0] > (how == WHET_CLASS_HALF ? 0.5 : 0);
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (v[i] > v[best]) best = i;
  return best;
}

static whet_status class_ref(const whet_args *arg) {
  const whet_classify *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *label = &arg->out[0], *y = &arg->out[1];
  int64_t rows = whet__rows(x), n = whet__cols(x);
  double *v = arg->scratch;
  for (int64_t r = 0; r < rows; r++) {
    whet__load_row(x, r, v);
    if (label->data) whet__label_put(&a->labels, label, whet__row_at(label, r, 0), class_of(a->how, v, n));
    if (!y->data) continue;
    int64_t m = n;
    if (a->how == WHET_CLASS_HALF || a->how == WHET_CLASS_SIGN) {
      m = 2;
      v[1] = v[0];
      v[0] = a->how == WHET_CLASS_HALF ? (double)(1 - (float)v[1]) : -v[1];
    }
    if (a->how != WHET_CLASS_HALF) whet__post_apply(a->post, v, m);
    for (int64_t i = 0; i < m; i++) ((float *)y->data)[whet__row_at(y, r, i)] = (float)v[i];
  }
  return WHET_OK;
}

const whet_op whet_op_PostTransform = {.name = "PostTransform", .flags = WHET_OP_FROM_FILE,
                                       .attr_size = sizeof(post_attr),
                                       .attrs = k_post_attrs,
                                       .infer = post_infer,
                                       .scratch = row_scratch,
                                       .ref = post_ref};
const whet_op whet_op_Classify = {.name = "Classify", .flags = WHET_OP_FROM_FILE,
                                  .attr_size = sizeof(whet_classify),
                                  .attrs = k_class_attrs,
                                  .infer = class_infer,
                                  .scratch = row_scratch,
                                  .ref = class_ref};
