/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_METRICS_H
#define WHET_TRAIN_METRICS_H

/* Figures out of what a model said of a data set (measure.h). */

#include "train/measure.h"

/* What a class was told, and what it was told for. */
typedef struct whet_class_figures {
  int64_t n, told, right;       /* items of the class; items told to be of it; both */
  double precision, recall, f1; /* NaN where nothing can be said */
  double auc; /* of its score against all other classes; NaN: no scores, or only one kind of items */
} whet_class_figures;

typedef struct whet_figures {
  double top1, top5; /* shares */
  double loss;       /* cross-entropy or squared error */
  double mae, r2;    /* numbers: mean absolute error, share of the variance that is explained */
  double auc;        /* mean over the classes that have one (two classes: of the second) */
  double ece;        /* expected calibration error, 15 bins of the greatest share */
  double macro_f1;
  int64_t *confusion; /* [classes][classes]: row the class, column what was told; NULL: no classes */
  whet_class_figures *class;
  int32_t classes;
  /* Reliability: items, mean share and share of right answers of each bin. */
  int64_t bin_n[15];
  double bin_share[15], bin_right[15];
} whet_figures;

/* Area under the receiver operating characteristic: the chance that a positive item scores higher than a negative
 * one, ties for a half (Mann, Whitney 1947). positive[i] != 0. NaN: all items are of one kind. -1 where memory is
 * refused. */
double whet__auc(const double *score, const uint8_t *positive, int64_t n, whet_mem *mem);
/* Of x; free with whet__figures_free. Scores must have been kept for auc and ece. */
WHET_MUST whet_status whet__figures(const whet_measure *x, whet_mem *mem, whet_figures *out, whet_err *err);
void whet__figures_free(whet_figures *f, whet_mem *mem);

#endif
