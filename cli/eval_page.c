/* SPDX-License-Identifier: Apache-2.0 */
/* The page of whet eval: figures, charts and matrices in one file that needs no script and nothing from elsewhere. */

#include <math.h>

#include "base/file.h"
#include "chart.h"
#include "eval.h"

static const char k_style[] =
    "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:var(--ink);background:var(--paper)}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .7em;text-align:right;border-bottom:1px solid var(--soft)}"
    "td:first-child,th:first-child{text-align:left}.matrix td{min-width:2.2em;border:1px solid var(--paper);text-align:center}"
    ".bar rect{fill:var(--c0)}.bar text{font:12px system-ui,sans-serif;fill:var(--ink)}h2{margin-top:2em}</style>";

static const char *file_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return cli_clean(slash ? slash + 1 : path);
}

static void cell(whet_text *t, const char *tag, const char *text) {
  whet__text_printf(t, "<%s>", tag);
  cli_chart_text(t, text);
  whet__text_printf(t, "</%s>", tag);
}

static void number(whet_text *t, double v, bool share) {
  cell(t, "td", isnan(v) ? "" : share ? cli_keep_printf("%.2f %%", 100 * v) : cli_keep_printf("%.5g", v));
}

static void models(whet_text *t, const cli_evaluation *e) {
  whet__text_printf(t, "<table><tr><th>model</th><th>top-1</th><th>95 %%</th><th>top-5</th><th>loss</th><th>mse</th><th>AUC</th>"
                       "<th>mAP</th><th>mAP at 0.5</th><th>ms/item</th></tr>\n");
  for (size_t i = 0; i < e->n_model; i++) {
    const cli_eval_model *m = &e->m[i];
    whet__text_printf(t, "<tr>");
    cell(t, "td", cli_clean(m->path));
    number(t, m->top1, true);
    cell(t, "td", isnan(m->lo) ? "" : cli_keep_printf("%.2f..%.2f", 100 * m->lo, 100 * m->hi));
    number(t, m->top5, true);
    number(t, m->loss, false);
    number(t, m->mse, false);
    number(t, m->auc, false);
    number(t, m->map, true);
    number(t, m->map50, true);
    number(t, m->ms, false);
    whet__text_printf(t, "</tr>\n");
  }
  whet__text_printf(t, "</table>\n");
}

static void pairs(whet_text *t, const cli_evaluation *e) {
  bool any = false;
  for (size_t a = 0; a < e->n_model; a++)
    for (size_t b = a + 1; b < e->n_model; b++) {
      cli_eval_pair p;
      cli_eval_pair_of(e, a, b, &p);
      if (p.same < 0) continue;
      if (!any)
        whet__text_printf(t, "<h2>Agreement</h2><table><tr><th>models</th><th>agree</th><th>only first right</th><th>only second right</th>"
                             "<th>both</th><th>neither</th><th>p (McNemar)</th></tr>\n");
      any = true;
      whet__text_printf(t, "<tr>");
      cell(t, "td", cli_keep_printf("%s, %s", file_name(e->m[a].path), file_name(e->m[b].path)));
      number(t, (double)p.same / (double)e->n, true);
      whet__text_printf(t, "<td>%lld</td><td>%lld</td><td>%lld</td><td>%lld</td><td>%.3g</td></tr>\n", (long long)p.only_a, (long long)p.only_b,
                        (long long)p.both, (long long)p.neither, p.p);
    }
  if (any) whet__text_printf(t, "</table>\n");
}

/* The models' metric against their time: which is worth its milliseconds. */
static void trade(whet_text *t, const cli_evaluation *e) {
  double v[2 * CLI_EVAL_MODELS];
  cli_curve c[CLI_EVAL_MODELS];
  if (e->n_model < 2) return;
  for (size_t i = 0; i < e->n_model; i++) {
    v[2 * i] = e->m[i].ms, v[2 * i + 1] = e->m[i].value;
    c[i] = (cli_curve){file_name(e->m[i].path), &v[2 * i], &v[2 * i + 1], 1, true};
  }
  cli_chart chart = {cli_keep_printf("%s against time", cli_metric_name(e->metric)), "milliseconds for an item", "", c, e->n_model,
                     cli_metric_share(e->metric), false};
  whet__text_printf(t, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"320\">");
  cli_chart_draw(t, &chart, 0, 0, 800, 320);
  whet__text_printf(t, "</svg>\n");
}

static void curves(whet_text *t, const cli_evaluation *e) {
  cli_curve c[CLI_EVAL_MODELS];
  size_t n = 0;
  for (size_t i = 0; i < e->n_model; i++)
    if (e->m[i].n_roc) c[n++] = (cli_curve){file_name(e->m[i].path), e->m[i].roc_x, e->m[i].roc_y, e->m[i].n_roc, false};
  if (!n) return;
  cli_chart chart = {"Receiver operating characteristic", "false alarms", "", c, n, true, true};
  whet__text_printf(t, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"560\" height=\"460\">");
  cli_chart_draw(t, &chart, 0, 0, 560, 460);
  whet__text_printf(t, "</svg>\n");
}

/* A bar for each class: recall, area or average precision. */
static void bars(whet_text *t, const cli_evaluation *e, const cli_eval_model *m) {
  int shown = (int)whet__min_i(e->classes, 200), y = 4;
  whet__text_printf(t, "<svg class=\"bar\" xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"%d\">\n", 20 * shown + 10);
  for (int k = 0; k < shown; k++, y += 20) {
    const cli_eval_class *c = &m->class[k];
    double v = e->metric == CLI_METRIC_MAP ? c->ap[0] : isnan(c->auc) ? c->recall : c->auc;
    if (isnan(v)) v = 0;
    whet__text_printf(t, "<text x=\"170\" y=\"%d\" text-anchor=\"end\">", y + 13);
    cli_chart_text(t, cli_keep_printf("%.24s", cli_clean(e->name[k])));
    whet__text_printf(t, "</text><rect x=\"180\" y=\"%d\" width=\"%.1f\" height=\"15\"/><text x=\"%.1f\" y=\"%d\">%.1f</text>\n", y, 500 * v,
                      186 + 500 * v, y + 13, 100 * v);
  }
  whet__text_printf(t, "</svg>\n");
}

static void matrix(whet_text *t, const cli_evaluation *e, const cli_eval_model *m) {
  if (!m->confusion || e->classes > 100) return;
  whet__text_printf(t, "<p>What is in a row was told to be what heads the column.</p><table class=\"matrix\"><tr><th></th>");
  for (int32_t k = 0; k < e->classes; k++) cell(t, "th", cli_clean(e->name[k]));
  whet__text_printf(t, "</tr>\n");
  for (int32_t i = 0; i < e->classes; i++) {
    whet__text_printf(t, "<tr>");
    cell(t, "th", cli_clean(e->name[i]));
    for (int32_t k = 0; k < e->classes; k++) {
      int64_t v = m->confusion[(int64_t)i * e->classes + k];
      double part = m->class[i].items ? (double)v / (double)m->class[i].items : 0;
      whet__text_printf(t, "<td style=\"background:color-mix(in srgb,var(--c%d) %.0f%%,var(--paper))\">%lld</td>", i == k ? 2 : 1, 75 * sqrt(part),
                        (long long)v);
    }
    whet__text_printf(t, "</tr>\n");
  }
  whet__text_printf(t, "</table>\n");
}

whet_status cli_eval_page(const cli_evaluation *e, const char *file, whet_err *err) {
  whet_text t = {.mem = cli_mem()};
  whet__text_printf(&t, "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
                        "<title>whet eval</title>%s%s<h1>", cli_chart_style, k_style);
  cli_chart_text(&t, file_name(e->m[0].path));
  if (e->n_model > 1) whet__text_printf(&t, " and %zu more", e->n_model - 1);
  whet__text_printf(&t, "</h1><p>%lld items of ", (long long)e->n);
  cli_chart_text(&t, cli_clean(e->o->data));
  whet__text_printf(&t, " (%s)%s</p>\n", e->kind, e->o->precision ? ", products in bf16" : "");
  models(&t, e);
  trade(&t, e);
  curves(&t, e);
  pairs(&t, e);
  for (size_t i = 0; i < e->n_model; i++) {
    if (!e->classes || e->m[i].x.error) continue;
    cell(&t, "h2", cli_clean(e->m[i].path));
    whet__text_printf(&t, "<p>%s of each class, in per cent</p>\n", e->metric == CLI_METRIC_MAP ? "Average precision at an overlap of 0.5"
                      : e->metric == CLI_METRIC_AUC && e->positive < 0 ? "Area under the curve" : "Recall");
    bars(&t, e, &e->m[i]);
    matrix(&t, e, &e->m[i]);
  }
  whet__text_printf(&t, "</html>\n");
  whet_status s = t.bad ? whet__no_memory(cli_mem(), t.n, err, "the page") : whet__file_write(file, t.p, t.n, err);
  whet__text_free(&t);
  return s;
}
