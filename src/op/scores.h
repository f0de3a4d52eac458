/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_SCORES_H
#define WHET_OP_SCORES_H

/* What the models of ai.onnx.ml share: scores turned into others, and into labels; rows of numbers of any type. */

#include "op/op.h"

typedef enum whet_post { WHET_POST_NONE, WHET_POST_SOFTMAX, WHET_POST_LOGISTIC, WHET_POST_SOFTMAX_ZERO, WHET_POST_PROBIT } whet_post;
/* Attribute post_transform as text. E_DATA for another word. */
whet_status whet__post_read(whet_import *im, int32_t *out);
/* Transform n scores of a row in place. */
void whet__post_apply(int32_t post, double *score, int64_t n);

/* Labels of classes: S64 or STRING. */
typedef struct whet_labels {
  whet_dtype t;
  int32_t n;
  const void *v; /* int64_t or whet_str */
} whet_labels;
/* From the two attributes, of which one may be there; none: integers, n 0. */
whet_labels whet__labels_read(whet_import *im, const char *ints, const char *strings);
/* Write label k to element `at` of a tensor of that type; without labels, k itself. */
void whet__label_put(const whet_labels *l, const whet_tensor *y, int64_t at, int64_t k);

/* How one column of scores makes two classes. */
enum {
  WHET_CLASS_BEST,  /* a column for each class: the greatest is it */
  WHET_CLASS_HALF,  /* one column s, a share: the second class where s > 0.5; scores [1 - s, s], not transformed */
  WHET_CLASS_SIGN,  /* one column s: the second class where s > 0; scores [-s, s], then transformed */
  WHET_CLASS_ALONE  /* one column s and not two labels: label 1 where s > 0, else 0; scores [s], transformed */
};
typedef struct whet_classify {
  int32_t how, post;
  whet_labels labels;
} whet_classify;
/* Append Classify(scores) -> (labels, scores) for the file's two outputs. */
whet_status whet__im_classify(whet_import *im, int32_t scores, int32_t how, int32_t post, whet_labels labels);
/* Append PostTransform(scores) -> out, or let the caller write out itself: the value that scores should be written to. */
int32_t whet__im_before_post(whet_import *im, int32_t post, int32_t out);
whet_status whet__im_post(whet_import *im, int32_t post, int32_t scores, int32_t out);
/* The model's input as one of F32 or F64: itself, or a Cast of it to F32 where it is declared as another type. -1 when memory
 * is refused. */
int32_t whet__im_real(whet_import *im, int32_t x);

/* Rows of an input [n, c], or [c] as one row. In a shape rule: sizes (may be ANY); E_SHAPE, E_TYPE where it is none of
 * numbers. WHET_LATE: its rank is not known. */
whet_status whet__infer_rows(whet_infer *f, int i, whet_dim *n, whet_dim *c);
int64_t whet__rows(const whet_tensor *x);
int64_t whet__cols(const whet_tensor *x);
/* Load row r as doubles. */
void whet__load_row(const whet_tensor *x, int64_t r, double *to);
/* x . w, in four chains of f64. */
double whet__dot_f32(const double *x, const float *w, int64_t n);
/* Offset of element k of row r of an output [n, c]. */
static inline int64_t whet__row_at(const whet_tensor *y, int64_t r, int64_t k) {
  return y->rank == 2 ? r * y->stride[0] + k * y->stride[1] : y->rank == 1 ? (r + k) * y->stride[0] : 0;
}

#endif
