/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_EVAL_H
#define WHET_CLI_EVAL_H

/* whet eval: what its files share. Models are measured one after the other on the same items; what each said is kept, as one class for
 * each item, and figures, tables, JSON and the page are made of that. */

#include "data/set.h"
#include "opts.h"
#include "out.h"
#include "train/measure.h"
#include "train/metrics.h"

typedef enum cli_metric {
  CLI_METRIC_AUTO, /* by data and models: top1, mse or map */
  CLI_METRIC_TOP1,
  CLI_METRIC_TOP5,
  CLI_METRIC_AUC,
  CLI_METRIC_MSE,
  CLI_METRIC_MAP,
  CLI_METRIC_LOSS
} cli_metric;

typedef struct cli_eval_opts {
  const char *data, *split, *labels, *target, *range, *mean, *std, *positive, *html, *anchors, *mel;
  int metric;      /* cli_metric */
  int precision;   /* 0: f32, 1: bf16 */
  int64_t limit, threads, rate;
  int detector;    /* 0: none; else 1 + pipe_detector */
  int fit;         /* whet_fit */
  bool bgr, objectness, sigmoid;
  double score, overlap;
} cli_eval_opts;

/* As whet_program_opts says it. */
static inline const char *cli_eval_precision(const cli_eval_opts *o) { return o->precision ? "bf16" : "f32"; }

enum { CLI_EVAL_MODELS = 16, CLI_EVAL_OVERLAPS = 10, CLI_EVAL_CURVE = 202 };

/* A class of one model's answers. */
typedef struct cli_eval_class {
  int64_t items, told, right; /* of that class; told as it; both */
  double precision, recall, f1; /* NaN: no such item */
  double auc; /* this class against all others; NaN where it was not asked for */
  double ap[CLI_EVAL_OVERLAPS]; /* detectors: average precision at overlaps of 0.5, 0.55 ... 0.95 */
} cli_eval_class;

/* One model. */
typedef struct cli_eval_model {
  const char *path;
  whet_measure x;
  double value; /* of the metric */
  double lo, hi; /* of an accuracy: where it lies with 95 % */
  double top1, top5, loss, mse, auc, map, map50; /* NaN: not measured */
  double ms; /* for an item, in the model */
  double threshold; /* anomalies: the score that parts the kinds best (greatest recall of both together) */
  cli_eval_class *class; /* [classes] */
  int64_t *confusion; /* [classes][classes]: items of a class (row) told as another (column); NULL: none */
  double *roc_x, *roc_y; /* [n_roc] */
  size_t n_roc;
  size_t n_box;
  whet_box *box; /* detectors: what it found */
} cli_eval_model;

typedef struct cli_evaluation {
  const cli_eval_opts *o;
  cli_metric metric;
  const char *kind; /* of the data */
  int64_t n; /* items */
  int32_t classes;
  const char **name; /* [classes] */
  int32_t positive; /* AUC of two kinds: which is an anomaly; -1: each class against the others */
  cli_eval_model m[CLI_EVAL_MODELS];
  size_t n_model;
  whet_box *truth; /* detectors: what is there */
  size_t n_truth;
} cli_evaluation;

/* Two models on the items of both. */
typedef struct cli_eval_pair {
  int64_t same; /* items that both tell alike; -1: there are no answers to compare */
  int64_t only_a, only_b, both, neither; /* told rightly */
  double p; /* of a difference as great as this by chance */
} cli_eval_pair;
void cli_eval_pair_of(const cli_evaluation *e, size_t a, size_t b, cli_eval_pair *out);

/* Measure a model and its figures; the error says what does not fit. */
WHET_MUST whet_status cli_eval_classes(cli_evaluation *e, whet_set *set, whet_model *m, cli_eval_model *out, whet_err *err);
/* Read the annotations of a folder of pictures. */
WHET_MUST whet_status cli_eval_boxes_open(cli_evaluation *e, whet_err *err);
/* The same as cli_eval_classes for a detector on those pictures. */
WHET_MUST whet_status cli_eval_boxes(cli_evaluation *e, whet_model *m, cli_eval_model *out, whet_err *err);

const char *cli_metric_name(cli_metric m);
/* Is a share shown as per cent? */
bool cli_metric_share(cli_metric m);
void cli_eval_print(const cli_evaluation *e);
json_t *cli_eval_json(const cli_evaluation *e);
/* Write the page; E_IO, E_MEMORY. */
WHET_MUST whet_status cli_eval_page(const cli_evaluation *e, const char *file, whet_err *err);

#endif
