/* SPDX-License-Identifier: Apache-2.0 */
/* Results of an evaluation as text and JSON. */

#include "eval.h"

#include <math.h>
#include <string.h>

#include "cmd.h"
#include "out.h"

double eval_figure(const eval_report *r, const eval_model *m, const char **name, bool *percent) {
  *percent = true;
  *name = r->metric;
  if (!strcmp(r->metric, "top1")) return m->f.top1;
  if (!strcmp(r->metric, "top5")) return m->f.top5;
  if (!strcmp(r->metric, "f1")) return m->f.macro_f1;
  *percent = false;
  if (!strcmp(r->metric, "auc")) return isnan(m->anomaly_auc) ? m->f.auc : m->anomaly_auc;
  if (!strcmp(r->metric, "mae")) return m->f.mae;
  if (!strcmp(r->metric, "mse")) return m->x.target ? m->f.loss : NAN;
  return m->f.loss;
}

double eval_agreement(const eval_model *a, const eval_model *b) {
  int64_t same = 0, n = a->x.n < b->x.n ? a->x.n : b->x.n;
  for (int64_t i = 0; i < n; i++) same += a->x.told[i] == b->x.told[i];
  return n ? (double)same / (double)n : NAN;
}

/* ---- text -------------------------------------------------------------------------------------- */

static void cell(cli_grid *g, double v, bool percent) {
  if (isnan(v))
    cli_grid_cell(g, "%s", "");
  else if (percent)
    cli_grid_cell(g, "%.2f %%", 100 * v);
  else
    cli_grid_cell(g, "%.4f", v);
}

/* A column is shown when any model has it. */
static bool any(const eval_report *r, double (*of)(const eval_model *)) {
  for (size_t i = 0; i < r->n; i++)
    if (!isnan(of(&r->model[i]))) return true;
  return false;
}

static double of_top1(const eval_model *m) { return m->f.top1; }
static double of_top5(const eval_model *m) { return m->f.top5; }
static double of_f1(const eval_model *m) { return m->f.macro_f1; }
static double of_auc(const eval_model *m) { return m->f.auc; }
static double of_anomaly(const eval_model *m) { return m->anomaly_auc; }
static double of_loss(const eval_model *m) { return isnan(m->anomaly_auc) ? m->f.loss : NAN; }
static double of_mae(const eval_model *m) { return m->f.mae; }
static double of_r2(const eval_model *m) { return m->f.r2; }
static double of_ece(const eval_model *m) { return isnan(m->anomaly_auc) ? m->f.ece : NAN; }
static const struct column {
  const char *name;
  double (*of)(const eval_model *);
  bool percent;
} k_columns[] = {{"top1", of_top1, true},
                 {"top5", of_top5, true},
                 {"macro F1", of_f1, true},
                 {"AUC", of_auc, false},
                 {"anomaly AUC", of_anomaly, false},
                 {"loss", of_loss, false},
                 {"MAE", of_mae, false},
                 {"R2", of_r2, false},
                 {"ECE", of_ece, true}};

static void print_models(const eval_report *r) {
  cli_grid g;
  char align[WHET_COUNT(k_columns) + 4] = "lrr";
  size_t n = 3;
  for (size_t c = 0; c < WHET_COUNT(k_columns); c++)
    if (any(r, k_columns[c].of)) align[n++] = 'r';
  cli_grid_init(&g, align);
  cli_grid_cell(&g, "model");
  for (size_t c = 0; c < WHET_COUNT(k_columns); c++)
    if (any(r, k_columns[c].of)) cli_grid_cell(&g, "%s", k_columns[c].name);
  cli_grid_cell(&g, "ms each");
  cli_grid_cell(&g, "file");
  for (size_t i = 0; i < r->n; i++) {
    const eval_model *m = &r->model[i];
    cli_grid_cell(&g, "%s", cli_clean(m->path));
    for (size_t c = 0; c < WHET_COUNT(k_columns); c++)
      if (any(r, k_columns[c].of)) cell(&g, k_columns[c].of(m), k_columns[c].percent);
    cli_grid_cell(&g, "%.3f", 1e3 * m->x.seconds / (double)m->x.n);
    cli_grid_cell(&g, "%s", cli_bytes((uint64_t)m->bytes));
  }
  cli_grid_print(&g, stdout);
}

static void print_classes(const eval_report *r) {
  cli_grid g;
  cli_grid_init(&g, "lrrrrr");
  printf("\n");
  cli_grid_head(&g, "class", "items", "recall", "precision", "F1", "AUC", NULL);
  const whet_figures *f = &r->model[0].f;
  for (int32_t c = 0; c < f->classes; c++) {
    cli_grid_cell(&g, "%s", cli_clean(whet__set_class(r->set, c)));
    cli_grid_cell(&g, "%s", cli_count(f->class[c].n));
    cell(&g, f->class[c].recall, true);
    cell(&g, f->class[c].precision, true);
    cell(&g, f->class[c].f1, true);
    cell(&g, f->class[c].auc, false);
  }
  cli_grid_print(&g, stdout);
}

enum { WORST = 10, WIDEST = 20 };

/* The whole matrix when it fits, else what is confused most. */
static void print_confusion(const eval_report *r) {
  const whet_figures *f = &r->model[0].f;
  int32_t n = f->classes;
  printf("\n");
  if (n <= WIDEST) {
    cli_grid g;
    char align[WIDEST + 3] = "l";
    memset(align + 1, 'r', (size_t)n);
    cli_grid_init(&g, align);
    cli_grid_cell(&g, "class \\ told");
    for (int32_t c = 0; c < n; c++) cli_grid_cell(&g, "%s", cli_clean(whet__set_class(r->set, c)));
    for (int32_t a = 0; a < n; a++) {
      cli_grid_cell(&g, "%s", cli_clean(whet__set_class(r->set, a)));
      for (int32_t b = 0; b < n; b++) cli_grid_cell(&g, "%lld", (long long)f->confusion[(int64_t)a * n + b]);
    }
    cli_grid_print(&g, stdout);
    return;
  }
  int64_t below = INT64_MAX;
  printf("confused most\n");
  for (int shown = 0; shown < WORST;) {
    int64_t most = 0;
    for (int64_t i = 0; i < (int64_t)n * n; i++)
      if (i / n != i % n && f->confusion[i] < below && f->confusion[i] > most) most = f->confusion[i];
    if (!most) break;
    for (int64_t i = 0; i < (int64_t)n * n && shown < WORST; i++)
      if (i / n != i % n && f->confusion[i] == most) {
        char told[100];
        snprintf(told, sizeof told, "%s", cli_clean(whet__set_class(r->set, (int32_t)(i % n))));
        printf("  %s told to be %s: %lld\n", cli_clean(whet__set_class(r->set, (int32_t)(i / n))), told,
               (long long)most);
        shown++;
      }
    below = most;
  }
}

void eval_print(const eval_report *r, bool confusion) {
  printf("%s items of %s\n\n", cli_count(r->items), cli_clean(r->data));
  print_models(r);
  for (size_t i = 1; i < r->n; i++)
    printf("%s%s and %s say the same of %.2f %%\n", i == 1 ? "\n" : "", cli_clean(r->model[0].path),
           cli_keep_printf("%s", cli_clean(r->model[i].path)), 100 * eval_agreement(&r->model[0], &r->model[i]));
  for (size_t i = 0; i < r->n; i++)
    if (!isnan(r->model[i].anomaly_auc))
      printf("\n%s: an error of %.6g parts the two kinds best\n", cli_clean(r->model[i].path),
             r->model[i].anomaly_bound);
  if (!r->model[0].f.classes || !isnan(r->model[0].anomaly_auc)) return;
  if (r->model[0].f.classes <= 100) print_classes(r);
  if (confusion) print_confusion(r);
}

/* ---- JSON -------------------------------------------------------------------------------------- */

static void set_real(json_t *j, const char *name, double v) {
  if (!isnan(v)) json_object_set_new(j, name, cli_json_real(v));
}

static json_t *json_classes(const eval_report *r, const whet_figures *f) {
  json_t *list = json_array();
  for (int32_t c = 0; c < f->classes; c++) {
    json_t *one = json_pack("{s:o, s:I, s:I, s:I}", "name", cli_json_text(whet__set_class(r->set, c)), "items",
                            (json_int_t)f->class[c].n, "told", (json_int_t)f->class[c].told, "right",
                            (json_int_t)f->class[c].right);
    set_real(one, "recall", f->class[c].recall);
    set_real(one, "precision", f->class[c].precision);
    set_real(one, "f1", f->class[c].f1);
    set_real(one, "auc", f->class[c].auc);
    json_array_append_new(list, one);
  }
  return list;
}

static json_t *json_confusion(const whet_figures *f) {
  json_t *rows = json_array();
  for (int32_t a = 0; a < f->classes; a++) {
    json_t *row = json_array();
    for (int32_t b = 0; b < f->classes; b++)
      json_array_append_new(row, json_integer(f->confusion[(int64_t)a * f->classes + b]));
    json_array_append_new(rows, row);
  }
  return rows;
}

json_t *eval_json(const eval_report *r) {
  json_t *models = json_array(), *agree = json_array();
  for (size_t i = 0; i < r->n; i++) {
    const eval_model *m = &r->model[i];
    json_t *one = json_pack("{s:o, s:I, s:f}", "model", cli_json_text(m->path), "bytes", (json_int_t)m->bytes, "ms",
                            1e3 * m->x.seconds / (double)m->x.n);
    static const char *const names[] = {"top1", "top5", "macro_f1", "auc", "anomaly_auc", "loss", "mae", "r2", "ece"};
    for (size_t c = 0; c < WHET_COUNT(k_columns); c++) set_real(one, names[c], k_columns[c].of(m));
    if (!isnan(m->anomaly_auc)) set_real(one, "anomaly_threshold", m->anomaly_bound);
    if (m->f.classes && isnan(m->anomaly_auc)) {
      json_object_set_new(one, "classes", json_classes(r, &m->f));
      if (m->f.classes <= 1000) json_object_set_new(one, "confusion", json_confusion(&m->f));
    }
    json_array_append_new(models, one);
    json_t *row = json_array();
    for (size_t k = 0; k < r->n; k++) json_array_append_new(row, cli_json_real(eval_agreement(m, &r->model[k])));
    json_array_append_new(agree, row);
  }
  return json_pack("{s:o, s:I, s:s, s:o, s:o}", "data", cli_json_text(r->data), "items", (json_int_t)r->items,
                   "metric", r->metric, "models", models, "agreement", agree);
}
