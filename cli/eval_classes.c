/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of models that tell a class, a number or their input again. */

#include <math.h>
#include <stdlib.h>

#include "eval.h"
#include "samples.h"

static whet_status progress(void *user, int64_t done, int64_t of) {
  cli_progress(user, done, of);
  return WHET_OK;
}

/* What counts for each class, and the matrix of who is taken for whom. */
static void count(const cli_evaluation *e, cli_eval_model *m) {
  int32_t c = e->classes;
  m->class = cli_keep((size_t)(c + 1) * sizeof *m->class);
  for (int32_t k = 0; k < c; k++) {
    m->class[k] = (cli_eval_class){.precision = NAN, .recall = NAN, .f1 = NAN, .auc = NAN};
    for (int i = 0; i < CLI_EVAL_OVERLAPS; i++) m->class[k].ap[i] = NAN;
  }
  if (!c || m->x.error) return;
  m->confusion = cli_keep((size_t)c * (size_t)c * sizeof *m->confusion);
  memset(m->confusion, 0, (size_t)c * (size_t)c * sizeof *m->confusion);
  for (int64_t i = 0; i < m->x.n; i++) {
    int32_t is = m->x.label[i], told = m->x.told[i];
    if (is < 0 || is >= c) continue;
    m->class[is].items++;
    m->class[is].right += told == is;
    if (told < 0 || told >= c) continue;
    m->class[told].told++;
    m->confusion[(int64_t)is * c + told]++;
  }
  for (int32_t k = 0; k < c; k++) {
    cli_eval_class *x = &m->class[k];
    if (x->told) x->precision = (double)x->right / (double)x->told;
    if (x->items) x->recall = (double)x->right / (double)x->items;
    if (x->items + x->told) x->f1 = 2 * (double)x->right / (double)(x->items + x->told);
  }
}

static int falling(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return x > y ? -1 : x < y;
}

/* The score that keeps most of both kinds where they belong. */
static double best_threshold(const float *score, const uint8_t *positive, int64_t n, double *x, double *y, size_t points) {
  double most = -1;
  size_t at = 0;
  int64_t all = 0;
  for (int64_t i = 0; i < n; i++) all += positive[i];
  for (size_t i = 0; i < points; i++)
    if (y[i] - x[i] > most) most = y[i] - x[i], at = i;
  int64_t above = llround(y[at] * (double)all + x[at] * (double)(n - all));
  float *sorted = cli_keep((size_t)(n + 1) * sizeof *sorted);
  for (int64_t i = 0; i < n; i++) sorted[i] = score[i];
  qsort(sorted, (size_t)n, sizeof *sorted, falling);
  return above > 0 && above <= n ? (double)sorted[above - 1] : NAN;
}

/* Area under the curve: anomalies against the rest, or each class against the others, and their mean. */
static whet_status areas(const cli_evaluation *e, cli_eval_model *m, whet_err *err) {
  int64_t n = m->x.n, numbers = m->x.numbers;
  uint8_t *positive = cli_keep((size_t)n + 1);
  float *score = cli_keep((size_t)(n + 1) * sizeof *score);
  double sum = 0;
  int32_t seen = 0;
  bool two = e->positive >= 0;
  for (int32_t c = two ? e->positive : 0; c < (two ? e->positive + 1 : e->classes); c++) {
    double area;
    for (int64_t i = 0; i < n; i++) {
      positive[i] = m->x.label[i] == c;
      score[i] = m->x.error ? m->x.error[i] : numbers == 1 ? (c ? 1.0f : -1.0f) * m->x.score[i] : c < numbers ? m->x.score[i * numbers + c] : 0;
    }
    WHET_TRY(whet__auc(score, positive, n, cli_mem(), &area, err));
    m->class[c].auc = area;
    if (!isnan(area)) sum += area, seen++;
    if (!two) continue;
    m->roc_x = cli_keep(CLI_EVAL_CURVE * sizeof *m->roc_x);
    m->roc_y = cli_keep(CLI_EVAL_CURVE * sizeof *m->roc_y);
    WHET_TRY(whet__roc(score, positive, n, CLI_EVAL_CURVE, m->roc_x, m->roc_y, &m->n_roc, cli_mem(), err));
    m->threshold = best_threshold(score, positive, n, m->roc_x, m->roc_y, m->n_roc);
  }
  if (!seen) return whet__fail(err, WHET_E_DATA, "the area under the curve needs items of both kinds; there are only those of one");
  m->auc = sum / seen;
  return WHET_OK;
}

static whet_status figures(const cli_evaluation *e, cli_eval_model *m, whet_err *err) {
  double n = (double)m->x.n;
  m->ms = 1000 * m->x.seconds / n;
  if (m->x.error)
    m->mse = m->x.loss;
  else if (!e->classes)
    m->mse = m->loss = m->x.loss;
  else {
    m->top1 = (double)m->x.right / n;
    m->top5 = m->x.numbers > 5 ? (double)m->x.in5 / n : NAN;
    m->loss = m->x.loss;
    whet__wilson(m->x.right, m->x.n, &m->lo, &m->hi);
  }
  count(e, m);
  if (e->metric == CLI_METRIC_AUC) WHET_TRY(areas(e, m, err));
  const double value[] = {NAN, m->top1, m->top5, m->auc, m->mse, NAN, m->loss};
  m->value = value[e->metric];
  if (isnan(m->value))
    return whet__fail(err, WHET_E_UNSUPPORTED, "--metric %s does not fit a model of %lld numbers and these data", cli_metric_name(e->metric),
                      (long long)m->x.numbers);
  return WHET_OK;
}

whet_status cli_eval_classes(cli_evaluation *e, whet_set *set, whet_model *model, cli_eval_model *m, whet_err *err) {
  whet_feed feed = {0};
  bool rebuilds = (e->metric == CLI_METRIC_AUC || e->metric == CLI_METRIC_MSE) && !whet__set_targets(set) && whet__rebuilds(model);
  whet_measure_opts o = {.threads = (int)e->o->threads, .precision = cli_eval_precision(e->o), .most = e->o->limit,
                         .scores = e->metric == CLI_METRIC_AUC, .rebuild = rebuilds, .feed = &feed, .progress = progress};
  m->top1 = m->top5 = m->loss = m->mse = m->auc = m->map = m->map50 = m->lo = m->hi = m->threshold = NAN;
  o.user = cli_keep_printf("%.60s", cli_clean(m->path));
  cli_feed_doubt(m->path, model, set, e->o->range, e->o->mean, e->o->std);
  cli_feed_numbers(model, e->o->range, e->o->mean, e->o->std, &feed);
  whet_status s = whet__measure(model, set, &o, cli_mem(), &m->x, err);
  cli_progress_end();
  WHET_TRY(s);
  e->n = m->x.n;
  if (e->classes && !rebuilds && m->x.numbers > 1 && m->x.numbers < e->classes)
    return whet__fail(err, WHET_E_SHAPE, "the model gives %lld numbers, the data have %d classes", (long long)m->x.numbers, e->classes);
  return figures(e, m, err);
}

void cli_eval_pair_of(const cli_evaluation *e, size_t a, size_t b, cli_eval_pair *p) {
  const whet_measure *x = &e->m[a].x, *y = &e->m[b].x;
  *p = (cli_eval_pair){.same = -1, .p = NAN};
  if (!x->told || !y->told || x->error || y->error || !e->classes || e->m[a].box || e->m[b].box) return;
  p->same = 0;
  for (int64_t i = 0; i < e->n; i++) {
    bool one = x->told[i] == x->label[i], two = y->told[i] == x->label[i];
    p->same += x->told[i] == y->told[i];
    p->both += one && two;
    p->only_a += one && !two;
    p->only_b += two && !one;
    p->neither += !one && !two;
  }
  p->p = whet__mcnemar(p->only_a, p->only_b);
}
