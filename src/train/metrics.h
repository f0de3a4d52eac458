/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_METRICS_H
#define WHET_TRAIN_METRICS_H

/* Figures of merit from what a model said of items: plain numbers in, plain numbers out. */

#include "base/mem.h"

/* Area under the receiver operating characteristic: the chance that a positive item's score is above a negative one's, equal
 * ones counting half. In 0..1; NaN when one of the kinds is missing. positive: [n]. E_MEMORY. */
WHET_MUST whet_status whet__auc(const float *score, const uint8_t *positive, int64_t n, whet_mem *m, double *out, whet_err *err);

/* The curve itself as up to `most` points from (0, 0) to (1, 1); *points receives how many. x: [most], y: [most]. E_MEMORY. */
WHET_MUST whet_status whet__roc(const float *score, const uint8_t *positive, int64_t n, size_t most, double *x, double *y, size_t *points,
                                whet_mem *m, whet_err *err);

/* Where a share lies that was seen in `right` of n independent items, with a probability of 95 % (Wilson, 1927). */
void whet__wilson(int64_t right, int64_t n, double *lo, double *hi);

/* The probability that two models which are equally good differ by as much as this: a and b items are told rightly by one of them
 * only (McNemar's test in its exact form, two-sided). */
double whet__mcnemar(int64_t a, int64_t b);

/* A box of a detector, or of the truth. */
typedef struct whet_box {
  float x0, y0, x1, y1, score;
  int32_t picture, kind; /* kind: class */
} whet_box;

/* Average precision of one class at one overlap (intersection over union): what is told is taken by falling score, each box matches the
 * free true one of its picture that it overlaps most; precision, made monotonous, is averaged over 101 recalls (COCO's rule). NaN
 * when the class has no true boxes. Only boxes of class `kind` count. E_MEMORY. */
WHET_MUST whet_status whet__average_precision(const whet_box *told, size_t n_told, const whet_box *truth, size_t n_truth, int32_t kind,
                                              double overlap, whet_mem *m, double *out, whet_err *err);

#endif
