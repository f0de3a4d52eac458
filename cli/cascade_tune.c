/* SPDX-License-Identifier: Apache-2.0 */
/* whet cascade tune: both models measured, thresholds with a bound, the trade-off drawn. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cascade.h"
#include "chart.h"
#include "edge/cascade/tune.h"
#include "edge/serve/dtype.h"
#include "out.h"
#include "samples.h"

enum { MEASURES = 5, POINTS = 2000, CLASSES = 1000 };
static const char *const k_measures[] = {"confidence", "margin", "entropy", "energy", "score"};

/* Both models on every item. */
struct seen {
  int64_t n;
  double *sure[MEASURES];
  int32_t *local, *remote, *label;   /* label: of the data, else the remote's */
  double local_ms, remote_ms, bytes; /* means for an item */
  double local_right, remote_right;  /* shares */
};

static whet_status see(cli_models *b, int64_t n, double temperature, struct seen *x, whet_err *err) {
  double local = 0, away = 0, bytes = 0;
  *x = (struct seen){.n = n};
  for (int m = 0; m < MEASURES; m++) x->sure[m] = cli_keep((size_t)n * sizeof(double));
  x->local = cli_keep((size_t)n * 4), x->remote = cli_keep((size_t)n * 4), x->label = cli_keep((size_t)n * 4);
  for (int64_t i = 0; i < n; i++) {
    double took;
    remote_answer a;
    WHET_TRY(cli_cascade_local(b, i, &took, err));
    for (int m = 0; m < MEASURES; m++) {
      const cascade_policy p = {.measure = (cascade_measure)m, .temperature = temperature};
      x->sure[m][i] = cascade_sure(&p, b->scores, b->n, &x->local[i]);
    }
    WHET_TRY(cli_cascade_case(b, i, err));
    WHET_TRY(cli_cascade_ask(b, &a, err));
    for (size_t k = 1; k < a.n; k++)
      if (a.numbers[k] > a.numbers[x->remote[i]]) x->remote[i] = (int32_t)k;
    int32_t label = whet__set_label(b->set, i);
    x->label[i] = label >= 0 ? label : x->remote[i];
    x->local_right += (x->local[i] == x->label[i]) / (double)n;
    x->remote_right += (x->remote[i] == x->label[i]) / (double)n;
    local += took, away += a.seconds, bytes += (double)(a.up + a.down);
    cli_progress("measuring", i + 1, n);
  }
  cli_progress_end();
  x->local_ms = 1e3 * local / (double)n, x->remote_ms = 1e3 * away / (double)n, x->bytes = bytes / (double)n;
  return WHET_OK;
}

/* Items of one class that is told (-1: all), every `step`-th from `from` on. */
static size_t cases(const struct seen *x, int m, int32_t class, int64_t from, int64_t step, tune_case *out) {
  size_t k = 0;
  for (int64_t i = from; i < x->n; i += step)
    if (class < 0 || x->local[i] == class)
      out[k++] = (tune_case){
          .sure = x->sure[m][i], .right = x->local[i] == x->label[i], .remote_right = x->remote[i] == x->label[i]};
  return k;
}

/* The measure that offloads least, on one half. */
static int choose(const struct seen *x, double alpha, tune_case *tmp, whet_err *err) {
  int best = -1;
  double least = INFINITY;
  for (int m = 0; m < MEASURES; m++) {
    tune_point p;
    whet_err why = {0};
    size_t n = cases(x, m, -1, 0, 2, tmp);
    if (tune_threshold(tmp, n, alpha, &p, &why)) continue;
    if (p.offload < least) least = p.offload, best = m;
  }
  if (best < 0)
    whet__fail(err, WHET_E_DATA, "half of %lld items cannot promise a loss of at most %g", (long long)x->n, alpha);
  return best;
}

static void yaml_text(whet_text *t, const char *key, const char *v) {
  if (!v) return;
  whet__text_printf(t, "%s: \"", key);
  for (; *v; v++) whet__text_printf(t, *v == '"' || *v == '\\' ? "\\%c" : "%c", *v);
  whet__text_printf(t, "\"\n");
}

static void yaml_real(whet_text *t, const char *key, double v) {
  if (v != 0) whet__text_printf(t, "%s: %.9g\n", key, v);
}

/* What a file that was tuned says besides, as it was. */
static void yaml_rest(whet_text *t, const cascade_settings *s) {
  const cascade_budget *b = &s->budget;
  const struct {
    const char *key;
    double v;
  } budget[] = {{"bytes", b->bytes},   {"requests", b->requests},    {"money", b->money},
                {"joules", b->joules}, {"price", b->price},          {"price_byte", b->price_byte},
                {"joule", b->joule},   {"joule_byte", b->joule_byte}};
  if (s->mode == CASCADE_CORRECT) whet__text_printf(t, "mode: correct\n");
  yaml_real(t, "deadline", s->deadline);
  yaml_text(t, "outbox", s->outbox);
  yaml_real(t, "outbox_bytes", (double)s->outbox_bytes);
  yaml_real(t, "ttl", s->ttl);
  yaml_real(t, "workers", (double)s->workers);
  yaml_real(t, "queue", (double)s->queue);
  for (size_t i = 0, some = 0; i < WHET_COUNT(budget); i++) {
    if (budget[i].v == 0) continue;
    whet__text_printf(t, "%s  %s: %.9g\n", some++ ? "" : "budget:\n", budget[i].key, budget[i].v);
  }
  if (s->failures || s->failures_pause > 0) whet__text_printf(t, "breaker:\n");
  yaml_real(t, "  failures", (double)s->failures);
  yaml_real(t, "  pause", s->failures_pause);
}

/* What the remote takes, so that a start without a link knows. */
static void yaml_input(whet_text *t, const cli_models *b) {
  const serve_dtype *d = dtype_of(b->remote_in.dtype);
  if (!b->s->url || !d) return;
  whet__text_printf(t, "  type: %s\n  shape: [", d->name);
  for (int32_t i = 0; i < b->remote_in.rank; i++)
    whet__text_printf(t, "%s%lld", i ? ", " : "", (long long)b->remote_in.dims[i]);
  whet__text_printf(t, "]\n");
}

static whet_status write_yaml(const cli_models *b, int m, const double *threshold, size_t n, const tune_point *p,
                              double alpha, const char *path, whet_err *err) {
  const cascade_settings *s = b->s;
  whet_text t = {.mem = cli_mem()};
  whet__text_printf(
      &t,
      "# By whet cascade tune: %.2f %% of the items were offloaded; of the remote's accuracy at most %.3f points "
      "are\n"
      "# lost in expectation, whatever the data, as long as they are like those that it was tuned on.\n",
      100 * p->offload, 100 * alpha);
  yaml_text(&t, "local", s->local);
  yaml_text(&t, "range", s->range);
  yaml_text(&t, "mean", s->mean);
  yaml_text(&t, "std", s->std);
  if (s->output) whet__text_printf(&t, "output: %lld\n", (long long)s->output);
  whet__text_printf(&t, "remote:\n");
  yaml_text(&t, "  url", s->url);
  yaml_text(&t, "  model", s->url ? s->model : NULL);
  yaml_text(&t, "  version", s->version);
  yaml_text(&t, "  file", s->file);
  yaml_input(&t, b);
  yaml_text(&t, "  token_file", s->token_file);
  yaml_text(&t, "  ca", s->ca);
  yaml_text(&t, "  cert", s->cert);
  yaml_text(&t, "  cert_key", s->cert_key);
  yaml_real(&t, "  timeout", s->timeout);
  yaml_real(&t, "  hedge", s->hedge);
  if (s->json) whet__text_printf(&t, "  json: yes\n");
  if (s->compress) whet__text_printf(&t, "  compress: yes\n");
  if (s->features >= 0) whet__text_printf(&t, "  features: %lld\n", (long long)s->features);
  yaml_real(&t, "  scale", s->scale);
  yaml_real(&t, "  offset", s->offset);
  yaml_text(&t, "  range", s->remote_range);
  yaml_text(&t, "  mean", s->remote_mean);
  yaml_text(&t, "  std", s->remote_std);
  yaml_rest(&t, s);
  whet__text_printf(&t, "policy:\n  measure: %s\n  threshold: %.9g\n", k_measures[m], threshold[0]);
  if (s->temperature > 0) whet__text_printf(&t, "  temperature: %.9g\n", s->temperature);
  if (n > 1) {
    whet__text_printf(&t, "  per_class: [");
    for (size_t i = 0; i < n; i++) whet__text_printf(&t, "%s%.9g", i ? ", " : "", threshold[i]);
    whet__text_printf(&t, "]\n");
  }
  whet_status r = t.bad ? WHET_E_MEMORY : whet__file_write(path, t.p, t.n, err);
  whet__text_free(&t);
  return r;
}

/* ---- the chart --------------------------------------------------------------------------------- */

static whet_status write_chart(const struct seen *x, const tune_point *curve, size_t n, const tune_point *at,
                               const cascade_settings *s, const char *path, whet_err *err) {
  double *v = cli_keep(6 * (n + 1) * sizeof *v), *off = v, *y[5];
  for (int i = 0; i < 5; i++) y[i] = v + (size_t)(i + 1) * (n + 1);
  for (size_t i = 0; i < n; i++) {
    double share = curve[i].offload, wire = x->bytes * share;
    off[i] = 100 * share;
    y[0][i] = curve[i].accuracy;
    y[1][i] = curve[i].bound;
    y[2][i] = wire;
    y[3][i] = x->local_ms + x->remote_ms * share;
    y[4][i] = (s->budget.joule + s->budget.joule_byte * x->bytes) * share;
  }
  double spot_x[1] = {100 * at->offload}, spot_y[1] = {at->accuracy};
  cli_curve acc[2] = {{"cascade", off, y[0], n, false}, {"threshold", spot_x, spot_y, 1, true}};
  cli_curve bound[1] = {{"bound of the loss", off, y[1], n, false}}, bytes[1] = {{"bytes", off, y[2], n, false}};
  cli_curve ms[1] = {{"mean latency", off, y[3], n, false}}, joule[1] = {{"energy", off, y[4], n, false}};
  bool energy = s->budget.joule > 0 || s->budget.joule_byte > 0;
  const char *x_name = "offloaded, %";
  const cli_chart chart[5] = {{"Accuracy", x_name, "", acc, 2, true, false},
                              {"Loss against the remote, at most", x_name, "", bound, 1, true, true},
                              {"Bytes over the link, for an item", x_name, "", bytes, 1, false, true},
                              {"Latency, ms for an item", x_name, "", ms, 1, false, true},
                              {"Energy of the link, J for an item", x_name, "", joule, 1, false, true}};
  int count = energy ? 5 : 4;
  whet_text t = {.mem = cli_mem()};
  cli_chart_open(&t, 1180, 20 + 290 * ((count + 1) / 2));
  for (int i = 0; i < count; i++) cli_chart_draw(&t, &chart[i], 10 + 585 * (i % 2), 10 + 290 * (i / 2), 570, 275);
  return cli_chart_save(&t, path, err);
}

/* ---- the verb ---------------------------------------------------------------------------------- */

/* Thresholds of each class; what they do together. */
static whet_status by_class(const struct seen *x, int m, int64_t from, int64_t step, double alpha, tune_case *tmp,
                            int32_t classes, double *threshold, tune_point *all, whet_err *err) {
  int64_t n = 0, off = 0, lost = 0, right = 0;
  for (int32_t c = 0; c < classes; c++) {
    tune_point p;
    size_t k = cases(x, m, c, from, step, tmp);
    whet_err why = {0};
    if (tune_threshold(tmp, k, alpha, &p, &why))
      return whet__fail(err, WHET_E_DATA, "class %d: %s", (int)c,
                        k ? why.text : "the local model tells it of no item");
    threshold[c] = p.threshold;
  }
  for (int64_t i = from; i < x->n; i += step, n++) {
    bool away = x->sure[m][i] < threshold[x->local[i]], mine = x->local[i] == x->label[i],
         its = x->remote[i] == x->label[i];
    off += away;
    lost += !away && !mine && its;
    right += away ? its : mine;
  }
  double d = (double)n;
  *all = (tune_point){.threshold = threshold[0],
                      .offload = (double)off / d,
                      .accuracy = (double)right / d,
                      .risk = (double)lost / d,
                      .bound = alpha};
  return WHET_OK;
}

/* The greatest threshold that offloads no more than `most` of new items in expectation: (offloaded + 1) / (n + 1) <=
 * most. */
static tune_point within(const tune_point *curve, size_t n, int64_t items, double most) {
  tune_point p = curve[0];
  for (size_t i = 0; i < n; i++)
    if ((curve[i].offload * (double)items + 1) / ((double)items + 1) <= most) p = curve[i];
  return p;
}

static int say(const cascade_args *a, const struct seen *x, int m, const tune_point *p, const tune_point *curve,
               size_t n, double alpha) {
  if (a->json) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
      json_array_append_new(
          list, json_pack("[f, f, f, f]", curve[i].threshold, curve[i].offload, curve[i].accuracy, curve[i].bound));
    return cli_json(json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:s, s:f, s:f, s:f, s:f, s:f, s:o}", "items",
                              (json_int_t)x->n, "local_percent", 100 * x->local_right, "remote_percent",
                              100 * x->remote_right, "local_ms", x->local_ms, "remote_ms", x->remote_ms, "bytes_each",
                              x->bytes, "measure", k_measures[m], "threshold", p->threshold, "offload_percent",
                              100 * p->offload, "cascade_percent", 100 * p->accuracy, "loss_bound_percent",
                              100 * p->bound, "allowed_percent", 100 * alpha, "curve", list),
                    9);
  }
  printf("%s items: local %.2f %% right in %.3f ms, remote %.2f %% in %.3f ms and %.0f bytes\n\n", cli_count(x->n),
         100 * x->local_right, x->local_ms, 100 * x->remote_right, x->remote_ms, x->bytes);
  cli_grid g;
  cli_grid_init(&g, "rrrrr");
  cli_grid_head(&g, "offloaded", "accuracy", "lost at most", "bytes each", "threshold", NULL);
  static const double marks[] = {0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1};
  size_t at = 0;
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
    while (at + 1 < n && curve[at].offload < marks[i]) at++;
    cli_grid_cell(&g, "%.2f %%", 100 * curve[at].offload);
    cli_grid_cell(&g, "%.2f %%", 100 * curve[at].accuracy);
    cli_grid_cell(&g, "%.3f %%", 100 * curve[at].bound);
    cli_grid_cell(&g, "%.0f", x->bytes * curve[at].offload);
    cli_grid_cell(&g, "%.6g", curve[at].threshold);
  }
  cli_grid_print(&g, stdout);
  printf(
      "\n%s below %.6g%s: %.2f %% offloaded, %.2f %% right; at most %.3f points lost in expectation (allowed: "
      "%.3f)\n",
      k_measures[m], p->threshold, a->per_class ? " (class 0; one for each class)" : "", 100 * p->offload,
      100 * p->accuracy, 100 * p->bound, 100 * alpha);
  return 0;
}

int cli_cascade_tune(cascade_settings *s, const cascade_args *a) {
  cli_models b;
  struct seen x;
  whet_err err = {0};
  double loss = 0.2, most = 1;
  if (a->max_loss && !cli_parse_percent(a->max_loss, &loss))
    return cli_wrong("--max-loss %s: expected per cent, as 0.2%%", a->max_loss);
  if (a->max_offload && (!cli_parse_percent(a->max_offload, &most) || !((most /= 100) > 0)))
    return cli_wrong("--max-offload %s: expected per cent, as 10%%", a->max_offload);
  if (a->max_offload && a->per_class) return cli_wrong("--max-offload is for one threshold, not one for each class");
  if (cli_cascade_open(&b, s, a->data, a->split, a->labels, &err)) return cli_fail_err(NULL, &err);
  int64_t n = whet__set_count(b.set);
  if (a->items && a->items < n) n = a->items;
  whet_status r = see(&b, n, s->temperature, &x, &err);
  tune_case *tmp = cli_keep((size_t)(n + 1) * sizeof *tmp);
  tune_point at = {0}, *curve = cli_keep(POINTS * sizeof *curve);
  static double threshold[CLASSES];
  size_t points = 0, n_threshold = 1;
  double alpha = loss / 100 * x.remote_right;
  bool find = a->measure == MEASURES;
  int m = find ? -1 : a->measure;
  if (!r && find && (m = choose(&x, alpha, tmp, &err)) < 0) r = err.code;
  if (!r) r = tune_curve(tmp, cases(&x, m, -1, 0, 1, tmp), POINTS, curve, &points, &err);
  int32_t classes = (int32_t)b.n;
  if (!r && a->per_class) {
    if (classes > CLASSES) r = whet__fail(&err, WHET_E_UNSUPPORTED, "thresholds for more than %d classes", CLASSES);
    if (!r) r = by_class(&x, m, find, find ? 2 : 1, alpha, tmp, classes, threshold, &at, &err);
    n_threshold = (size_t)classes;
  } else if (!r) {
    r = tune_threshold(tmp, cases(&x, m, -1, find, find ? 2 : 1, tmp), alpha, &at, &err);
    threshold[0] = at.threshold;
  }
  if (!r && most < 1 && !a->per_class) {
    tune_point p = within(curve, points, n, most);
    if (p.offload < at.offload) at = p; /* the loss is what it then is */
    threshold[0] = at.threshold;
  }
  if (!r && a->output) r = write_yaml(&b, m, threshold, n_threshold, &at, alpha, a->output, &err);
  if (!r && a->chart) r = write_chart(&x, curve, points, &at, s, a->chart, &err);
  int status = r ? cli_fail_err(NULL, &err) : say(a, &x, m, &at, curve, points, alpha);
  cli_cascade_close(&b);
  return status;
}
