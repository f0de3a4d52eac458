/* SPDX-License-Identifier: Apache-2.0 */
/* Results of an evaluation as a page: tables, bars for each class, the confusion matrix, reliability. It needs
 * nothing but itself. */

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "chart.h"
#include "cmd.h"
#include "eval.h"
#include "out.h"

static const char k_style[] =
    "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2em auto;padding:0 "
    "1em;background:var(--paper);color:var(--ink)}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}table{border-collapse:collapse}td,th{padding:.25em "
    ".8em;text-align:right;"
    "border-bottom:1px solid color-mix(in srgb,var(--ink) "
    "15%,transparent)}td:first-child,th:first-child{text-align:left}"
    ".m td,.m th{padding:.2em .45em;text-align:center;border:0;font-size:13px}.wide{overflow-x:auto}"
    ":root{--paper:#fff;--ink:#1f2328}@media(prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3}}</"
    "style>";

static void number(whet_text *t, double v, bool percent) {
  if (isnan(v))
    whet__text_printf(t, "<td></td>");
  else
    whet__text_printf(t, percent ? "<td>%.2f %%</td>" : "<td>%.4f</td>", percent ? 100 * v : v);
}

static void models(whet_text *t, const eval_report *r) {
  bool classes = r->model[0].f.classes > 0;
  whet__text_printf(t, "<div class=wide><table><tr><th>model</th>%s<th>loss</th><th>ms each</th><th>file</th></tr>\n",
                    classes ? "<th>top1</th><th>macro F1</th><th>AUC</th><th>ECE</th>" : "<th>MAE</th><th>R²</th>");
  for (size_t i = 0; i < r->n; i++) {
    const eval_model *m = &r->model[i];
    whet__text_printf(t, "<tr><td>");
    cli_chart_text(t, m->path);
    whet__text_printf(t, "</td>");
    if (classes) {
      number(t, m->f.top1, true);
      number(t, m->f.macro_f1, true);
      number(t, isnan(m->anomaly_auc) ? m->f.auc : m->anomaly_auc, false);
      number(t, m->f.ece, true);
    } else {
      number(t, m->f.mae, false);
      number(t, m->f.r2, false);
    }
    number(t, m->f.loss, false);
    whet__text_printf(t, "<td>%.3f</td><td>%s</td></tr>\n", 1e3 * m->x.seconds / (double)m->x.n,
                      cli_bytes((uint64_t)m->bytes));
  }
  whet__text_printf(t, "</table></div>\n");
}

static void agreement(whet_text *t, const eval_report *r) {
  if (r->n < 2) return;
  whet__text_printf(t, "<h2>Agreement</h2><div class=wide><table><tr><th></th>");
  for (size_t i = 0; i < r->n; i++) whet__text_printf(t, "<th>%zu</th>", i + 1);
  for (size_t i = 0; i < r->n; i++) {
    whet__text_printf(t, "</tr>\n<tr><td>%zu. ", i + 1);
    cli_chart_text(t, r->model[i].path);
    whet__text_printf(t, "</td>");
    for (size_t k = 0; k < r->n; k++) number(t, eval_agreement(&r->model[i], &r->model[k]), true);
  }
  whet__text_printf(t, "</tr></table></div>\n");
}

/* Recall of each class as bars, one for each model. */
static void bars(whet_text *t, const eval_report *r) {
  static const char *const colors[] = {"#0969da", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#57606a"};
  int32_t n = r->model[0].f.classes;
  size_t shown = r->n < 6 ? r->n : 6;
  if (n > 100) return;
  whet__text_printf(t, "<h2>Recall by class</h2><div class=wide><table>");
  for (int32_t c = 0; c < n; c++) {
    whet__text_printf(t, "<tr><td>");
    cli_chart_text(t, whet__set_class(r->set, c));
    whet__text_printf(t, "</td><td><svg width=\"420\" height=\"%zu\">", 4 + 9 * shown);
    for (size_t i = 0; i < shown; i++) {
      double v = r->model[i].f.class[c].recall;
      if (!isnan(v))
        whet__text_printf(t, "<rect x=\"0\" y=\"%zu\" width=\"%.1f\" height=\"7\" fill=\"%s\"/>", 2 + 9 * i, 420 * v,
                          colors[i]);
    }
    whet__text_printf(t, "</svg></td>");
    number(t, r->model[0].f.class[c].recall, true);
    number(t, r->model[0].f.class[c].precision, true);
    whet__text_printf(t, "<td>%lld</td></tr>\n", (long long)r->model[0].f.class[c].n);
  }
  whet__text_printf(t, "</table></div><p>Bars: ");
  for (size_t i = 0; i < shown; i++) {
    whet__text_printf(t, "<span style=\"color:%s\">■</span> ", colors[i]);
    cli_chart_text(t, r->model[i].path);
    whet__text_printf(t, " ");
  }
  whet__text_printf(t, "— numbers: recall, precision and items of the first.</p>\n");
}

static void confusion(whet_text *t, const eval_report *r, const eval_model *m) {
  int32_t n = m->f.classes;
  if (n > 60) return;
  whet__text_printf(t, "<h2>Confusion: ");
  cli_chart_text(t, m->path);
  whet__text_printf(t, "</h2><div class=wide><table class=m><tr><th>class \\ told</th>");
  for (int32_t c = 0; c < n; c++) {
    whet__text_printf(t, "<th>");
    cli_chart_text(t, whet__set_class(r->set, c));
    whet__text_printf(t, "</th>");
  }
  for (int32_t a = 0; a < n; a++) {
    whet__text_printf(t, "</tr>\n<tr><th>");
    cli_chart_text(t, whet__set_class(r->set, a));
    whet__text_printf(t, "</th>");
    for (int32_t b = 0; b < n; b++) {
      int64_t v = m->f.confusion[(int64_t)a * n + b];
      double part = m->f.class[a].n ? (double)v / (double)m->f.class[a].n : 0;
      whet__text_printf(t, "<td style=\"background:color-mix(in srgb,%s %.0f%%,transparent)\">%lld</td>",
                        a == b ? "#1a7f37" : "#cf222e", 100 * sqrt(part), (long long)v);
    }
  }
  whet__text_printf(t, "</tr></table></div>\n");
}

/* Share of right answers against what the model thinks of them. */
static void reliability(whet_text *t, const eval_report *r) {
  enum { BINS = 15 };
  double *v = cli_keep((2 * BINS * r->n + 4) * sizeof *v), *at = v;
  cli_curve *c = cli_keep((r->n + 1) * sizeof *c);
  at[0] = at[2] = 0, at[1] = at[3] = 1;
  c[0] = (cli_curve){"as it should be", at, at + 2, 2, false};
  at += 4;
  size_t n = 1;
  for (size_t i = 0; i < r->n && n < 6; i++, at += 2 * BINS) {
    size_t k = 0;
    for (int b = 0; b < BINS; b++)
      if (r->model[i].f.bin_n[b]) at[k] = r->model[i].f.bin_share[b], at[BINS + k++] = r->model[i].f.bin_right[b];
    const char *slash = strrchr(r->model[i].path, '/');
    if (k) c[n++] = (cli_curve){slash ? slash + 1 : r->model[i].path, at, at + BINS, k, false};
  }
  if (n < 2) return;
  const cli_chart chart = {"", "greatest share; share of right answers", "", c, n, true, true};
  whet__text_printf(t,
                    "<h2>Reliability</h2><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"320\">%s",
                    cli_chart_style);
  cli_chart_draw(t, &chart, 0, 0, 740, 310);
  whet__text_printf(t, "</svg>\n");
}

int eval_page(const eval_report *r, const char *file) {
  whet_text t = {.mem = cli_mem()};
  whet_err err = {0};
  whet__text_printf(&t,
                    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
                    "content=\"width=device-width\"><title>whet eval</title>%s"
                    "<h1>Evaluation</h1><p>%s items of ",
                    k_style, cli_count(r->items));
  cli_chart_text(&t, r->data);
  whet__text_printf(&t, "</p>\n");
  models(&t, r);
  agreement(&t, r);
  if (r->model[0].f.classes && isnan(r->model[0].anomaly_auc)) {
    bars(&t, r);
    for (size_t i = 0; i < r->n; i++) confusion(&t, r, &r->model[i]);
    reliability(&t, r);
  }
  whet_status s = t.bad ? WHET_E_MEMORY : whet__file_write(file, t.p, t.n, &err);
  whet__text_free(&t);
  return s ? cli_fail_err(file, &err) : 0;
}
