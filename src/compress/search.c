/* SPDX-License-Identifier: Apache-2.0 */
/* Precision layer by layer.
 *
 *   1. Integers everywhere. A layer that is slower so than in float on this machine is given back to float.
 *   2. If the score falls by more than it may: each layer alone is made integer, and what that does to the outputs ranks them.
 *   3. The fewest layers from the head of that list stay float with which the score is kept: their number is doubled, then halved in.
 *
 * Observation and rounding are done once; what is tried differs in what is emitted. */

#include <math.h>

#include "compress/job.h"
#include "compress/probe.h"
#include "compress/timing.h"

enum { LOOK = 24, BORDERS = 8 }; /* samples by which one layer alone is judged; layers given back for their borders */
static const char k_border[] = "its borders with float layers cost more than its integers save on this machine";

typedef struct search {
  whet_job j;
  whet_search s;
  whet_err *err;
  whet_search_result r;
  int32_t *layer; /* products with integers, the most harmful first */
  double *harm;
  int32_t *tail;  /* by node: the clamp that it does on the way, or -1 */
  int n;
} search;

/* The model for what `force` says now. */
static whet_status make(search *s, whet_model **out) {
  WHET_TRY(whet__job_rules(&s->j));
  WHET_TRY(whet__job_params(&s->j));
  return whet__job_emit(&s->j, out);
}

/* Note the clamps that layers do on their way, while none is forced to float. */
static void note_tails(search *s) {
  const whet_job *j = &s->j;
  for (int32_t id = 0; id < j->g->n_node; id++) s->tail[id] = -1;
  for (int32_t i = 0; i < j->g->main.n_node; i++) {
    int32_t id = j->g->main.node[i];
    int32_t m = j->tail[id] ? j->uses.maker[j->g->node[id].in[0]] : -1;
    if (m >= 0) s->tail[m] = id;
  }
}

/* The user of value v of graph g that is operator `op`, or -1. */
static int32_t user_of(const whet_graph *g, int32_t v, const char *op) {
  for (int32_t i = 0; i < g->main.n_node; i++) {
    const whet_node *n = &g->node[g->main.node[i]];
    for (int k = 0; k < n->n_in; k++)
      if (n->in[k] == v && !strcmp(n->op->name, op)) return g->main.node[i];
  }
  return -1;
}

static int32_t maker_of(const whet_graph *g, int32_t v) {
  for (int32_t i = 0; i < g->main.n_node; i++)
    for (int k = 0; k < g->node[g->main.node[i]].n_out; k++)
      if (g->node[g->main.node[i]].out[k] == v) return g->main.node[i];
  return -1;
}

/* Layer id with stored numbers at both ends, in the quantised model; false when it has not got them. */
static bool integer_part(const search *s, whet_model *q, int32_t id, whet_part *p) {
  const whet_graph *g = &q->graph;
  int32_t tail = s->tail[id], x = g->node[id].in[0], y = g->node[tail >= 0 ? tail : id].out[0];
  p->model = q;
  p->in = x, p->out = y;
  if (!s->j.qdq) return true;
  int32_t dq = maker_of(g, x), to = user_of(g, y, "QuantizeLinear");
  if (dq < 0 || to < 0 || strcmp(g->node[dq].op->name, "DequantizeLinear")) return false;
  p->in = g->node[dq].in[0];
  p->out = g->node[to].out[0];
  return true;
}

/* Give back to float what is slower with integers. */
static whet_status by_time(search *s, whet_model *q, bool *changed) {
  whet_job *j = &s->j;
  int done = 0;
  *changed = false;
  for (int i = 0; i < s->n; i++) {
    int32_t id = s->layer[i], tail = s->tail[id], x = j->g->node[id].in[0];
    whet_part part[2] = {{.model = j->model, .in = x, .out = j->g->node[tail >= 0 ? tail : id].out[0], .shape = j->env.shape[x]},
                         {.shape = j->env.shape[x]}};
    double us[2];
    WHET_TRY(whet__job_progress(j, "timing layers", ++done, s->n));
    if (!integer_part(s, q, id, &part[1])) continue;
    WHET_TRY(whet__time_parts(part, us, s->err));
    if (us[1] <= us[0]) continue;
    j->force[id] = whet__arena_printf(&j->g->arena, "slower with integers on this machine: %.3g us, float %.3g us", us[1], us[0]);
    if (!j->force[id]) return whet__job_full(j);
    if (tail >= 0) j->force[tail] = j->force[id];
    *changed = true;
  }
  return WHET_OK;
}

/* Mean over samples of |a - b|^2 / |a|^2 of the outputs. */
static whet_status difference(search *s, whet_probe *a, whet_model *b, double *out) {
  whet_probe probe;
  int64_t n = whet__min_i(s->j.samples->n, LOOK);
  whet_status st = whet__probe_open(&probe, b, NULL, 0, NULL, s->err);
  *out = 0;
  for (int64_t i = 0; i < n && !st; i++) {
    st = whet__probe_run(a, s->j.samples, i, s->err);
    if (!st) st = whet__probe_run(&probe, s->j.samples, i, s->err);
    for (size_t k = 0; k < whet_session_outputs(a->session) && !st; k++) {
      int64_t count, same;
      whet_dtype t, u;
      const float *x = whet__probe_output(a, k, &count, &t, s->err), *y = whet__probe_output(&probe, k, &same, &u, s->err);
      if (!x || !y) st = s->err->code;
      double error = 0, power = 1e-30;
      for (int64_t e = 0; e < count && !st && t == WHET_F32 && u == WHET_F32 && same == count; e++) {
        error += ((double)x[e] - (double)y[e]) * ((double)x[e] - (double)y[e]);
        power += (double)x[e] * (double)x[e];
      }
      *out += error / power / (double)n;
    }
  }
  whet__probe_close(&probe);
  return st;
}

/* Rank the layers by what each alone does. */
static whet_status by_harm(search *s) {
  whet_job *j = &s->j;
  static const char k_others[] = "another layer is looked at";
  whet_probe real = {0};
  int ends = j->o.float_ends;
  const char **keep = whet__arena_array(&j->a, (size_t)j->g->n_node + 1, sizeof *keep);
  if (!keep) return whet__job_full(j);
  memcpy(keep, j->force, (size_t)j->g->n_node * sizeof *keep);
  j->o.float_ends = 1;
  whet_status st = whet__probe_open(&real, j->model, NULL, 0, NULL, s->err);
  for (int i = 0; i < s->n && !st; i++) {
    whet_model *q = NULL;
    for (int32_t k = 0; k < j->g->n_node; k++) j->force[k] = k_others;
    j->force[s->layer[i]] = NULL;
    if (s->tail[s->layer[i]] >= 0) j->force[s->tail[s->layer[i]]] = NULL;
    st = make(s, &q);
    if (!st) st = difference(s, &real, q, &s->harm[i]);
    whet_model_close(&q);
    if (!st) st = whet__job_progress(j, "looking at single layers", i + 1, s->n);
  }
  whet__probe_close(&real);
  memcpy(j->force, keep, (size_t)j->g->n_node * sizeof *keep);
  j->o.float_ends = ends;
  for (int i = 1; i < s->n; i++) /* by insertion: they are few */
    for (int k = i; k > 0 && s->harm[k] > s->harm[k - 1]; k--) {
      double h = s->harm[k];
      int32_t l = s->layer[k];
      s->harm[k] = s->harm[k - 1], s->harm[k - 1] = h;
      s->layer[k] = s->layer[k - 1], s->layer[k - 1] = l;
    }
  return st;
}

/* The model in which the first `n` of the list are float, and its score. */
static whet_status attempt(search *s, int n, whet_model **out, double *score) {
  whet_job *j = &s->j;
  for (int i = 0; i < s->n; i++) {
    int32_t id = s->layer[i], tail = s->tail[id];
    const char *why = NULL;
    if (i < n && !(why = whet__arena_printf(&j->g->arena, "keeps the score: alone it changes outputs by %.2g %%", 100 * sqrt(s->harm[i]))))
      return whet__job_full(j);
    j->force[id] = why;
    if (tail >= 0) j->force[tail] = why;
  }
  WHET_TRY(make(s, out));
  whet_status st = s->s.score(s->s.user, *out, score, s->err);
  if (st) whet_model_close(out);
  return st;
}

/* The fewest float layers that keep the score. */
static whet_status fewest(search *s, whet_model **best) {
  double least = s->r.score_float - s->s.max_drop;
  int bad = 0, good = -1;
  for (int n = 1; good < 0; n = (int)whet__min_i(2 * n, s->n)) {
    whet_model *q;
    double score;
    WHET_TRY(attempt(s, n, &q, &score));
    WHET_TRY(whet__job_progress(&s->j, "giving layers back to float", n, s->n));
    if (score >= least) {
      good = n;
      s->r.score = score;
      whet_model_close(best);
      *best = q;
      break;
    }
    whet_model_close(&q);
    bad = n;
    if (n == s->n)
      return whet__fail(s->err, WHET_E_UNSUPPORTED, "even with every product in float the score is %.6g, and %.6g is asked for", score, least);
  }
  while (good - bad > 1) {
    int n = (good + bad) / 2;
    whet_model *q;
    double score;
    WHET_TRY(attempt(s, n, &q, &score));
    if (score >= least) {
      good = n;
      s->r.score = score;
      whet_model_close(best);
      *best = q;
    } else {
      bad = n;
      whet_model_close(&q);
    }
  }
  /* Rules, parameters and reasons are those of the last attempt: those of the best are wanted. */
  whet_model_close(best);
  return attempt(s, good, best, &s->r.score);
}

/* The products that have integers. */
static whet_status list_layers(search *s) {
  whet_job *j = &s->j;
  s->n = 0;
  for (int32_t i = 0; i < j->g->main.n_node; i++)
    if (j->product[j->g->main.node[i]] && j->tie[j->g->main.node[i]] == WHET_TIE_PRODUCT) s->layer[s->n++] = j->g->main.node[i];
  return WHET_OK;
}

/* Least microseconds of a run of the float model and of q. */
static whet_status whole(search *s, whet_model *q, double us[2]) {
  const whet_part part[2] = {{.model = s->j.source, .in = -1}, {.model = q, .in = -1}};
  return whet__time_parts(part, us, s->err);
}

/* Borders between integers and floats cost something as well. While the whole is slower than in float, give back the layer
 * without whose integers it is fastest. */
static whet_status by_borders(search *s, whet_model **best) {
  whet_job *j = &s->j;
  double us[2];
  WHET_TRY(whole(s, *best, us));
  for (int round = 0; round < BORDERS && us[1] > us[0]; round++) {
    int32_t pick = -1;
    double least = us[1];
    WHET_TRY(list_layers(s));
    for (int i = 0; i < s->n; i++) {
      int32_t id = s->layer[i], tail = s->tail[id];
      whet_model *q;
      double t[2];
      j->force[id] = k_border;
      if (tail >= 0) j->force[tail] = k_border;
      WHET_TRY(make(s, &q));
      whet_status st = whole(s, q, t);
      whet_model_close(&q);
      if (st) return st;
      if (t[1] < least) least = t[1], pick = id;
      j->force[id] = NULL;
      if (tail >= 0) j->force[tail] = NULL;
      WHET_TRY(whet__job_progress(j, "looking for layers that are not worth their borders", i + 1, s->n));
    }
    if (pick < 0) break;
    j->force[pick] = k_border;
    if (s->tail[pick] >= 0) j->force[s->tail[pick]] = k_border;
    whet_model_close(best);
    WHET_TRY(make(s, best));
    WHET_TRY(whole(s, *best, us));
  }
  whet_model_close(best); /* rules and reasons are those of the last attempt */
  WHET_TRY(make(s, best));
  s->r.ms_float = us[0] / 1000, s->r.ms = us[1] / 1000;
  return s->s.score(s->s.user, *best, &s->r.score, s->err);
}

static whet_status run(search *s, whet_model **out) {
  whet_job *j = &s->j;
  bool changed = false;
  WHET_TRY(whet__job_rules(j));
  WHET_TRY(whet__job_observe(j));
  WHET_TRY(whet__job_params(j));
  WHET_TRY(whet__job_weights(j));
  s->layer = whet__arena_array(&j->a, (size_t)j->g->n_node + 1, sizeof *s->layer);
  s->harm = whet__arena_array(&j->a, (size_t)j->g->n_node + 1, sizeof *s->harm);
  s->tail = whet__arena_array(&j->a, (size_t)j->g->n_node + 1, sizeof *s->tail);
  if (!s->layer || !s->harm || !s->tail) return whet__job_full(j);
  note_tails(s);
  WHET_TRY(list_layers(s));
  s->r.layers = s->n;
  WHET_TRY(s->s.score(s->s.user, j->source, &s->r.score_float, s->err));
  WHET_TRY(whet__job_emit(j, out));
  if (!s->s.untimed) WHET_TRY(by_time(s, *out, &changed));
  if (changed) {
    whet_model_close(out);
    WHET_TRY(make(s, out));
    WHET_TRY(list_layers(s));
  }
  WHET_TRY(s->s.score(s->s.user, *out, &s->r.score_all, s->err));
  s->r.score = s->r.score_all;
  if (s->r.score < s->r.score_float - s->s.max_drop) {
    WHET_TRY(by_harm(s));
    WHET_TRY(fewest(s, out));
  }
  if (!s->s.untimed) WHET_TRY(by_borders(s, out));
  WHET_TRY(list_layers(s));
  s->r.integer = s->n;
  return WHET_OK;
}

whet_status whet_quantize_within(whet_model *m, const whet_samples *samples, const whet_quantize_opts *o, const whet_search *opts,
                                 whet_model **out, whet_quantized *report, whet_search_result *result, whet_err *user) {
  whet_err err = {0};
  search s = {.err = &err};
  if (out) *out = NULL;
  if (report) *report = (whet_quantized){0};
  if (!m || !out || !opts || !opts->score)
    return whet__fail(user, WHET_E_MISUSE, "whet_quantize_within: m, out and a score must be given");
  whet_status st = whet__take_opts("whet_search", opts, sizeof s.s, &s.s, &err);
  if (!st) st = whet__job_open(&s.j, m, samples, o, &err);
  if (!st && s.j.o.scheme != WHET_SCHEME_INT8 && s.j.o.scheme != WHET_SCHEME_INT16X8)
    st = whet__fail(&err, WHET_E_UNSUPPORTED, "precision is searched for int8 and int16x8 only");
  if (!st) st = run(&s, out);
  if (!st && report) st = whet__job_report(&s.j, *out, report);
  if (st) whet_model_close(out);
  if (!st && result) *result = s.r;
  whet__job_close(&s.j);
  if (st && user) *user = err;
  return st;
}
