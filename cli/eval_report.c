/* SPDX-License-Identifier: Apache-2.0 */
/* What whet eval found, as text and as JSON. */

#include <math.h>

#include "eval.h"

const char *cli_metric_name(cli_metric m) {
  static const char *const name[] = {"auto", "top1", "top5", "auc", "mse", "map", "loss"};
  return name[m];
}

bool cli_metric_share(cli_metric m) { return m == CLI_METRIC_TOP1 || m == CLI_METRIC_TOP5; }

static const char *share(double v) { return isnan(v) ? "" : cli_keep_printf("%.2f", 100 * v); }
static const char *real(double v) { return isnan(v) ? "" : cli_keep_printf("%.5g", v); }

/* Does at least one model have the figure at this place? */
static bool any(const cli_evaluation *e, size_t at) {
  bool is = false;
  for (size_t i = 0; i < e->n_model; i++) is |= !isnan(*(const double *)((const char *)&e->m[i] + at));
  return is;
}

static void models(const cli_evaluation *e) {
  static const struct {
    size_t at;
    const char *head;
    bool share;
  } k[] = {{offsetof(cli_eval_model, top1), "top-1 %", true},   {offsetof(cli_eval_model, lo), "95 % from", true},
           {offsetof(cli_eval_model, hi), "to", true},          {offsetof(cli_eval_model, top5), "top-5 %", true},
           {offsetof(cli_eval_model, loss), "loss", false},     {offsetof(cli_eval_model, mse), "mse", false},
           {offsetof(cli_eval_model, auc), "AUC", false},       {offsetof(cli_eval_model, threshold), "threshold", false},
           {offsetof(cli_eval_model, map), "mAP %", true},      {offsetof(cli_eval_model, map50), "mAP at 0.5 %", true}};
  cli_grid g;
  char align[WHET_COUNT(k) + 4] = "l";
  for (size_t c = 0; c < WHET_COUNT(k) + 1; c++)
    if (c == WHET_COUNT(k) || any(e, k[c].at)) strcat(align, "r");
  cli_grid_init(&g, align);
  cli_grid_cell(&g, "model");
  for (size_t c = 0; c < WHET_COUNT(k); c++)
    if (any(e, k[c].at)) cli_grid_cell(&g, "%s", k[c].head);
  cli_grid_cell(&g, "ms/item");
  g.heads = 1;
  for (size_t i = 0; i < e->n_model; i++) {
    cli_grid_cell(&g, "%s", cli_clean(e->m[i].path));
    for (size_t c = 0; c < WHET_COUNT(k); c++) {
      double v = *(const double *)((const char *)&e->m[i] + k[c].at);
      if (any(e, k[c].at)) cli_grid_cell(&g, "%s", k[c].share ? share(v) : real(v));
    }
    cli_grid_cell(&g, "%.3g", e->m[i].ms);
  }
  cli_grid_print(&g, stdout);
}

static void pairs(const cli_evaluation *e) {
  cli_eval_pair p;
  cli_grid g;
  if (e->n_model < 2) return;
  cli_eval_pair_of(e, 0, 1, &p);
  if (p.same < 0) return;
  cli_grid_init(&g, "llrrrr");
  cli_grid_head(&g, "model", "and", "agree %", "only first", "only second", "p", NULL);
  for (size_t a = 0; a < e->n_model; a++)
    for (size_t b = a + 1; b < e->n_model; b++) {
      cli_eval_pair_of(e, a, b, &p);
      cli_grid_cell(&g, "%s", cli_clean(e->m[a].path));
      cli_grid_cell(&g, "%s", cli_clean(e->m[b].path));
      cli_grid_cell(&g, "%.2f", 100 * (double)p.same / (double)e->n);
      cli_grid_cell(&g, "%s", cli_count(p.only_a));
      cli_grid_cell(&g, "%s", cli_count(p.only_b));
      cli_grid_cell(&g, "%.3g", p.p);
    }
  printf("\n");
  cli_grid_print(&g, stdout);
}

static void classes(const cli_evaluation *e, const cli_eval_model *m) {
  cli_grid g;
  bool boxes = e->metric == CLI_METRIC_MAP, area = e->metric == CLI_METRIC_AUC && e->positive < 0;
  if (!e->classes || m->x.error) return;
  printf("\n%s%s%s\n", cli_bold(), cli_clean(m->path), cli_plain());
  cli_grid_init(&g, boxes ? "lrrrr" : "lrrrrr");
  if (boxes)
    cli_grid_head(&g, "class", "boxes", "AP %", "at 0.5", "at 0.75", NULL);
  else
    cli_grid_head(&g, "class", "items", "precision %", "recall %", "F1 %", area ? "AUC" : "", NULL);
  for (int32_t k = 0; k < e->classes; k++) {
    const cli_eval_class *c = &m->class[k];
    if (!c->items && !c->told) continue;
    double mean = 0;
    for (int i = 0; i < CLI_EVAL_OVERLAPS; i++) mean += c->ap[i] / CLI_EVAL_OVERLAPS;
    cli_grid_cell(&g, "%s", cli_clean(e->name[k]));
    cli_grid_cell(&g, "%s", cli_count(c->items));
    cli_grid_cell(&g, "%s", share(boxes ? mean : c->precision));
    cli_grid_cell(&g, "%s", share(boxes ? c->ap[0] : c->recall));
    cli_grid_cell(&g, "%s", share(boxes ? c->ap[5] : c->f1));
    if (!boxes) cli_grid_cell(&g, "%s", area ? real(c->auc) : "");
  }
  cli_grid_print(&g, stdout);
}

/* The matrix where it fits the eye. */
static void matrix(const cli_evaluation *e, const cli_eval_model *m) {
  cli_grid g;
  char align[32] = "l";
  if (!m->confusion || e->classes > 20) return;
  for (int32_t k = 0; k < e->classes; k++) strcat(align, "r");
  cli_grid_init(&g, align);
  cli_grid_cell(&g, "is \\ told");
  for (int32_t k = 0; k < e->classes; k++) cli_grid_cell(&g, "%.8s", cli_clean(e->name[k]));
  g.heads = 1;
  for (int32_t i = 0; i < e->classes; i++) {
    cli_grid_cell(&g, "%s", cli_clean(e->name[i]));
    for (int32_t k = 0; k < e->classes; k++) cli_grid_cell(&g, "%lld", (long long)m->confusion[(int64_t)i * e->classes + k]);
  }
  printf("\n");
  cli_grid_print(&g, stdout);
}

void cli_eval_print(const cli_evaluation *e) {
  printf("%s items (%s)", cli_count(e->n), e->kind);
  if (e->positive >= 0) printf(", \"%s\" against the rest", cli_clean(e->name[e->positive]));
  if (e->o->precision) printf(", products in %s", cli_eval_precision(e->o));
  printf("\n\n");
  models(e);
  pairs(e);
  for (size_t i = 0; i < e->n_model; i++) {
    classes(e, &e->m[i]);
    matrix(e, &e->m[i]);
  }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put(json_t *j, const char *name, double v) {
  if (!isnan(v)) json_object_set_new(j, name, cli_json_real(v));
}

static json_t *class_json(const cli_evaluation *e, const cli_eval_model *m, int32_t k) {
  const cli_eval_class *c = &m->class[k];
  json_t *j = json_pack("{s:o, s:I}", "class", cli_json_text(e->name[k]), "items", (json_int_t)c->items);
  if (e->metric == CLI_METRIC_MAP) {
    json_t *list = json_array();
    for (int i = 0; i < CLI_EVAL_OVERLAPS; i++) json_array_append_new(list, isnan(c->ap[i]) ? json_null() : cli_json_real(c->ap[i]));
    json_object_set_new(j, "average_precision", list);
    return j;
  }
  json_object_set_new(j, "told", json_integer((json_int_t)c->told));
  json_object_set_new(j, "right", json_integer((json_int_t)c->right));
  put(j, "precision", c->precision);
  put(j, "recall", c->recall);
  put(j, "f1", c->f1);
  put(j, "auc", c->auc);
  return j;
}

static json_t *model_json(const cli_evaluation *e, const cli_eval_model *m) {
  json_t *j = json_pack("{s:o}", "model", cli_json_text(m->path)), *list = json_array();
  put(j, "value", m->value);
  put(j, "top1", m->top1);
  if (!isnan(m->lo)) json_object_set_new(j, "top1_95", json_pack("[f, f]", m->lo, m->hi));
  put(j, "top5", m->top5);
  put(j, "loss", m->loss);
  put(j, "mse", m->mse);
  put(j, "auc", m->auc);
  put(j, "threshold", m->threshold);
  put(j, "map", m->map);
  put(j, "map50", m->map50);
  put(j, "ms", m->ms);
  for (int32_t k = 0; !m->x.error && k < e->classes; k++) json_array_append_new(list, class_json(e, m, k));
  if (json_array_size(list))
    json_object_set_new(j, "classes", list);
  else
    json_decref(list);
  if (!m->confusion) return j;
  json_t *rows = json_array();
  for (int32_t i = 0; i < e->classes; i++) {
    json_t *row = json_array();
    for (int32_t k = 0; k < e->classes; k++) json_array_append_new(row, json_integer((json_int_t)m->confusion[(int64_t)i * e->classes + k]));
    json_array_append_new(rows, row);
  }
  json_object_set_new(j, "confusion", rows);
  return j;
}

json_t *cli_eval_json(const cli_evaluation *e) {
  json_t *models = json_array(), *list = json_array();
  for (size_t i = 0; i < e->n_model; i++) json_array_append_new(models, model_json(e, &e->m[i]));
  for (size_t a = 0; a < e->n_model; a++)
    for (size_t b = a + 1; b < e->n_model; b++) {
      cli_eval_pair p;
      cli_eval_pair_of(e, a, b, &p);
      if (p.same < 0) continue;
      json_array_append_new(list, json_pack("{s:o, s:o, s:f, s:I, s:I, s:I, s:I, s:f}", "first", cli_json_text(e->m[a].path), "second",
                                            cli_json_text(e->m[b].path), "agreement", (double)p.same / (double)e->n, "both", (json_int_t)p.both,
                                            "only_first", (json_int_t)p.only_a, "only_second", (json_int_t)p.only_b, "neither",
                                            (json_int_t)p.neither, "p", p.p));
    }
  return json_pack("{s:o, s:s, s:I, s:s, s:s, s:o, s:o}", "data", cli_json_text(e->o->data), "kind", e->kind, "items", (json_int_t)e->n, "metric",
                   cli_metric_name(e->metric), "precision", cli_eval_precision(e->o), "models", models, "pairs", list);
}
