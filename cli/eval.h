/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_EVAL_H
#define WHET_CLI_EVAL_H

/* What whet evaluates of models on a data set, and its forms: text, JSON, a page. */

#include <jansson.h>

#include "data/set.h"
#include "train/metrics.h"

/* One model's results. */
typedef struct eval_model {
  const char *path;
  int64_t bytes; /* of the file */
  whet_measure x;
  whet_figures f;
  double anomaly_auc;   /* of how badly it gives its input back; NaN: not asked for */
  double anomaly_bound; /* the error that parts the two kinds best (Youden) */
} eval_model;

typedef struct eval_report {
  const char *data, *metric; /* metric: the one that heads the table */
  const whet_set *set;
  eval_model *model;
  size_t n;
  int64_t items;
} eval_report;

/* The figure called by the metric; NaN: there is none. *name: what it is called, *percent: shown times 100. */
double eval_figure(const eval_report *r, const eval_model *m, const char **name, bool *percent);
/* Share of items of which two models say the same. */
double eval_agreement(const eval_model *a, const eval_model *b);

void eval_print(const eval_report *r, bool confusion);
json_t *eval_json(const eval_report *r);
WHET_MUST int eval_page(const eval_report *r, const char *file);

#endif
