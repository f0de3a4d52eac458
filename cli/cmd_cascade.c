/* SPDX-License-Identifier: Apache-2.0 */
/* whet cascade: a small model here, a larger one elsewhere for what it is not sure of. */

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cascade.h"
#include "input.h"
#include "opts.h"
#include "out.h"

#define AT(field) offsetof(cascade_args, field)
static const cli_opt k_models[] = {
    {"local", 'l', CLI_TEXT, AT(local), "MODEL", "the model that answers here", 0, 0},
    {"remote", 'r', CLI_TEXT, AT(remote), "URL|MODEL",
     "a server of the Open Inference Protocol, or a model that runs here as if it were one", 0, 0},
    {"model", 'm', CLI_TEXT, AT(model), "NAME", "the model's name on the server", 0, 0},
    {"range", 0, CLI_TEXT, AT(range), "LO..HI", "what samples of 0..255 become for the local model", 0, 0},
    {"remote-range", 0, CLI_TEXT, AT(remote_range), "LO..HI", "and for the remote one", 0, 0},
    {"features", 0, CLI_INT, AT(features), "N",
     "the remote gets no items but this output of the local model, from which it goes on (0: the first)", 0, 1000},
    {0}};
static const cli_opt k_data[] = {
    {"data", 'd', CLI_TEXT, AT(data), "DIR", "items: a folder, archive or file as for whet train", 0, 0},
    {"split", 0, CLI_TEXT, AT(split), "NAME[:FROM..TO]", "which part of them, as train:50000.. (default: test)", 0,
     0},
    {"labels", 0, CLI_TEXT, AT(labels), "NAMES", "the classes in order, \"a,b,c\" or a file with a line for each", 0,
     0},
    {"items", 'n', CLI_INT, AT(items), "N", "no more than so many", 1, 1e12},
    {0}};
static const cli_opt k_tune[] = {
    {"max-loss", 0, CLI_TEXT, AT(max_loss), "N%", "share of the remote's accuracy that may be lost (default: 0.2%)",
     0, 0},
    {"measure", 0, CLI_CHOICE, AT(measure), "confidence|margin|entropy|energy|score|auto",
     "what says how sure the local model is (default: entropy; auto: "
     "the one that offloads least, chosen on half of the data, with the threshold from the other half)",
     0, 0},
    {"max-offload", 0, CLI_TEXT, AT(max_offload), "N%",
     "offload no more than this in expectation, even where more is lost then: the bound is told", 0, 0},
    {"per-class", 0, CLI_FLAG, AT(per_class), NULL, "a threshold for each class that is told", 0, 0},
    {"output", 'o', CLI_TEXT, AT(output), "FILE.yaml", "write the cascade as a file for whet cascade run", 0, 0},
    {"chart", 0, CLI_TEXT, AT(chart), "FILE.svg",
     "draw accuracy, bytes, latency and energy against the share that is offloaded", 0, 0},
    {0}};
static const cli_opt k_run[] = {
    {"wait", 0, CLI_REAL, AT(wait), "SECONDS", "run, simulate: for corrections, at the end (default: 30)", 0, 1e6},
    {"events", 0, CLI_TEXT, AT(events), "FILE",
     "run: write a line of JSON for each item and each correction; - for standard output", 0, 0},
    {"trace", 0, CLI_TEXT, AT(trace), "FILE.csv", "simulate: the link, lines of seconds,up,latency_ms,loss", 0, 0},
    {"seconds", 0, CLI_REAL, AT(seconds), "S", "simulate: so many seconds of the trace (default: one round of it)", 0,
     1e9},
    {"speed", 0, CLI_REAL, AT(speed), "X", "simulate: seconds of the trace in a real one (default: 60)", 0.01, 1e5},
    {0}};

static const cli_use k_use = {
    .synopsis = "run|tune|simulate [FILE.yaml] --data DIR [OPTION]...",
    .about =
        "A small model answers every time, at once. What it is not sure of goes to a larger one on a server, which "
        "corrects it: within a deadline, or later out of an "
        "outbox, across lost links.\n"
        "tune measures both models on items that the local one has not learnt, and finds the threshold below which "
        "items are offloaded such that no more than "
        "--max-loss of the remote's accuracy is lost: a bound that holds in expectation for whatever data, by "
        "conformal risk control. "
        "run puts a data set through a cascade; simulate does so over a recorded link, in compressed time.",
    .examples =
        "  whet cascade tune --local small.tflite --remote http://server:8000 --model big --data mnist --split "
        "train:50000.. -o cascade.yaml\n"
        "  whet cascade run cascade.yaml --data mnist --split test\n"
        "  whet cascade simulate cascade.yaml --data mnist --trace link.csv --seconds 3600\n",
    .least = 1,
    .most = 2,
    .missing = "say what to do: run, tune or simulate"};

#ifdef WHET_HAVE_CASCADE

/* ---- run --------------------------------------------------------------------------------------- */

/* What came back for each item, by its key; shared with the cascade's threads. */
struct answers {
  pthread_mutex_t lock;
  int32_t *best; /* -1: nothing came */
  int64_t n;
  FILE *events;
};

static bool correct(void *user, const cascade_correction *c) {
  struct answers *a = user;
  int64_t i = atoll(c->key);
  pthread_mutex_lock(&a->lock);
  if (i >= 0 && i < a->n) a->best[i] = c->best;
  if (a->events) fprintf(a->events, "{\"key\":\"%s\",\"correction\":%d}\n", c->key, (int)c->best);
  pthread_mutex_unlock(&a->lock);
  return true;
}

struct totals {
  int64_t n, labelled, local_right, right, final_right, hard, provisional;
  double *ms;
};

static whet_status run_items(cli_models *b, cascade *c, struct answers *a, struct totals *t, int64_t n,
                             whet_err *err) {
  for (int64_t i = 0; i < n; i++) {
    double took;
    char key[24];
    cascade_result r;
    WHET_TRY(cli_cascade_local(b, i, &took, err));
    snprintf(key, sizeof key, "%lld", (long long)i);
    WHET_TRY(cli_cascade_case(b, i, err));
    const cascade_case x = {.key = key, .rank = b->rank, .dims = b->dims, .data = b->data, .bytes = b->bytes};
    int64_t began = edge_now();
    WHET_TRY(cascade_decide(c, b->scores, b->n, &x, &r, err));
    t->ms[i] = 1e3 * (took + 1e-9 * (double)(edge_now() - began));
    int32_t label = whet__set_label(b->set, i), local;
    cascade_sure(&(cascade_policy){0}, b->scores, b->n, &local);
    t->n++;
    t->hard += r.hard;
    t->provisional += r.provisional;
    t->labelled += label >= 0;
    t->local_right += label >= 0 && local == label;
    t->right += label >= 0 && r.best == label;
    pthread_mutex_lock(&a->lock);
    if (!r.provisional || a->best[i] < 0) a->best[i] = a->best[i] >= 0 && r.provisional ? a->best[i] : r.best;
    if (a->events)
      fprintf(a->events,
              "{\"key\":\"%s\",\"answer\":%d,\"sure\":%.6g,\"hard\":%s,\"remote\":%s,\"provisional\":%s}\n", key,
              (int)r.best, r.sure, r.hard ? "true" : "false", r.remote ? "true" : "false",
              r.provisional ? "true" : "false");
    pthread_mutex_unlock(&a->lock);
    cli_progress("cascade", i + 1, n);
  }
  cli_progress_end();
  return WHET_OK;
}

static double share(int64_t a, int64_t b) { return b ? 100 * (double)a / (double)b : 0; }

static int report(const cascade_args *a, const struct totals *t, const cascade_stats *s, int64_t left) {
  double p50 = cli_quantile(t->ms, (size_t)t->n, 0.5), p99 = cli_quantile(t->ms, (size_t)t->n, 0.99);
  if (a->json) {
    json_t *j =
        json_pack("{s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f}", "items", (json_int_t)t->n, "hard",
                  (json_int_t)t->hard, "offloaded", (json_int_t)s->offloaded, "offloaded_percent",
                  share((int64_t)s->offloaded, t->n), "answered", (json_int_t)s->answered, "corrected",
                  (json_int_t)s->corrected, "waiting", (json_int_t)left, "failed", (json_int_t)s->failed, "bytes_up",
                  (json_int_t)s->up, "bytes_down", (json_int_t)s->down, "p50_ms", p50, "p99_ms", p99);
    if (t->labelled) {
      json_object_set_new(j, "local_percent", json_real(share(t->local_right, t->labelled)));
      json_object_set_new(j, "at_once_percent", json_real(share(t->right, t->labelled)));
      json_object_set_new(j, "final_percent", json_real(share(t->final_right, t->labelled)));
    }
    return cli_json(j, 6);
  }
  printf("%s items, %s hard, %s offloaded (%.2f %%)\n", cli_count(t->n), cli_count(t->hard),
         cli_count((int64_t)s->offloaded), share((int64_t)s->offloaded, t->n));
  if (t->labelled)
    printf("right: local model alone %.2f %%, at once %.2f %%, after corrections %.2f %%\n",
           share(t->local_right, t->labelled), share(t->right, t->labelled), share(t->final_right, t->labelled));
  printf("answers here: half within %.3f ms, 99 %% within %.3f ms\n", p50, p99);
  printf("link: %s requests answered, %s failed, %s up, %s down\n", cli_count((int64_t)s->answered),
         cli_count((int64_t)s->failed), cli_bytes((uint64_t)s->up), cli_bytes((uint64_t)s->down));
  if (s->kept_budget + s->kept_queue + s->kept_breaker)
    printf("kept although hard: %s for the budget, %s for want of room, %s because the link was down\n",
           cli_count((int64_t)s->kept_budget), cli_count((int64_t)s->kept_queue),
           cli_count((int64_t)s->kept_breaker));
  if (left) printf("%s cases still wait for the remote\n", cli_count(left));
  return 0;
}

static int run(const cascade_settings *s, const cascade_args *a) {
  cli_models b;
  cascade *c = NULL;
  cascade_link link;
  whet_err err = {0};
  if (cli_cascade_open(&b, s, a->data, a->split, a->labels, &err)) return cli_fail_err(NULL, &err);
  int64_t n = whet__set_count(b.set);
  if (a->items && a->items < n) n = a->items;
  struct answers ans = {
      .lock = PTHREAD_MUTEX_INITIALIZER, .n = n, .best = cli_keep((size_t)(n + 1) * sizeof *ans.best)};
  struct totals t = {.ms = cli_keep((size_t)(n + 1) * sizeof *t.ms)};
  for (int64_t i = 0; i < n; i++) ans.best[i] = -1;
  if (a->events) ans.events = strcmp(a->events, "-") ? fopen(a->events, "w") : stdout;
  if (a->events && !ans.events) return cli_fail("%s: %s", a->events, strerror(errno));
  cascade_opts o = cli_cascade_opts(s);
  o.correct = correct;
  o.user = &ans;
  whet_status r = cli_cascade_link(&b, o.workers, &link, &err);
  if (!r) r = cascade_open(&o, &link, &c, &err);
  if (!r) r = run_items(&b, c, &ans, &t, n, &err);
  int64_t left = r ? 0 : cascade_settle(c, a->wait);
  cascade_stats st = {0};
  if (!r) cascade_stat(c, &st);
  cascade_close(&c);
  for (int64_t i = 0; i < t.n; i++)
    t.final_right += whet__set_label(b.set, i) >= 0 && ans.best[i] == whet__set_label(b.set, i);
  if (ans.events && ans.events != stdout) fclose(ans.events);
  int status = r ? cli_fail_err(NULL, &err) : report(a, &t, &st, left);
  cli_cascade_close(&b);
  return status;
}

/* ---- the command ------------------------------------------------------------------------------- */

/* What options say over a file. */
static void options_over(const cascade_args *a, cascade_settings *s) {
  bool url = a->remote && (!strncmp(a->remote, "http://", 7) || !strncmp(a->remote, "https://", 8));
  if (a->local) s->local = a->local;
  if (a->remote) s->url = url ? a->remote : NULL, s->file = url ? NULL : a->remote;
  if (a->model) s->model = a->model;
  if (a->range) s->range = a->range;
  if (a->remote_range) s->remote_range = a->remote_range;
  if (a->features >= 0) s->features = a->features;
}

static int act(const char *what, const char *file, cascade_args *a) {
  cascade_settings s = {.mode = CASCADE_WAIT, .threshold = 0.9, .features = -1};
  bool tune = !strcmp(what, "tune"), simulate = !strcmp(what, "simulate");
  int status;
  if (!tune && !simulate && strcmp(what, "run")) return cli_wrong("%.40s: run, tune or simulate a cascade", what);
  if (file && (status = cli_cascade_read(file, &s))) return status;
  options_over(a, &s);
  if (!file && !tune) return cli_wrong("name the cascade's file, as whet cascade tune writes it");
  if (!a->data) return cli_wrong("say what goes through it: --data DIR");
  if (!s.local) return cli_wrong("name the local model: --local MODEL, or `local` in the file");
  if (!s.url && !s.file) return cli_wrong("name the remote model: --remote URL or MODEL, or `remote` in the file");
  if (s.url && !s.model) return cli_wrong("name the model on the server: --model NAME");
  if (s.features >= 0 && (s.remote_range || s.remote_mean || s.remote_std))
    return cli_wrong("the remote gets features: range, mean and std are for items; features have scale and offset");
  const cli_input_opts in[2] = {{.range = s.range, .mean = s.mean, .std = s.std},
                                {.range = s.remote_range, .mean = s.remote_mean, .std = s.remote_std}};
  for (int i = 0; i < 2; i++)
    if ((status = cli_input_check(&in[i]))) return status;
  if (tune) return cli_cascade_tune(&s, a);
  if (simulate) return cli_cascade_simulate(&s, a);
  return run(&s, a);
}
#endif

int cli_cascade(int argc, char **argv) {
  cascade_args a = {.measure = 2, .wait = 30, .speed = 60, .features = -1};
  cli_use use = k_use;
  use.tables[0] = (cli_table){"models", k_models, &a};
  use.tables[1] = (cli_table){"data", k_data, &a};
  use.tables[2] = (cli_table){"tune", k_tune, &a};
  use.tables[3] = (cli_table){"run and simulate", k_run, &a};
  char **arg;
  int n_arg, status;
  if (!cli_parse(&use, &a.json, argc, argv, &arg, &n_arg, &status)) return status;
#ifdef WHET_HAVE_CASCADE
  return act(arg[0], n_arg > 1 ? arg[1] : NULL, &a);
#else
  return cli_fail("this build has no cascade: it has no SQLite (Debian: libsqlite3-dev)");
#endif
}
