/* SPDX-License-Identifier: Apache-2.0 */
/* The float model over the samples: histograms of values that will be integers, second moments of what products take in. */

#include "base/rng.h"
#include "compress/job.h"
#include "compress/moments.h"
#include "compress/probe.h"

/* Values that are looked at. */
typedef struct watch {
  int32_t *val;
  size_t n;
  size_t *at;       /* by value: its place in val, plus 1 */
  const float **x;  /* numbers of each after a run */
} watch;

static void add(watch *w, int32_t v) {
  if (w->at[v]) return;
  w->val[w->n++] = v;
  w->at[v] = w->n;
}

/* What a clamp on the way takes in: nobody ever sees it as integers. */
static bool before_tail(const whet_job *j, int32_t v) {
  int32_t m = j->uses.maker[v];
  if (m < 0 || !j->tie[m] || j->uses.count[v] != 1 || j->uses.first[v + 1] == j->uses.first[v]) return false;
  return j->tail[j->uses.user[j->uses.first[v]]];
}

bool whet__job_follows(const whet_job *j, int32_t v) {
  int32_t m = j->uses.maker[v];
  if (m >= 0 && (j->tie[m] == WHET_TIE_SAME || (j->tie[m] == WHET_TIE_JOIN && !j->tail[m]))) return true;
  return before_tail(j, v);
}

static whet_status choose(whet_job *j, watch *w) {
  const whet_region *r = &j->g->main;
  w->val = whet__arena_array(&j->a, (size_t)j->g->n_val + 1, sizeof *w->val);
  w->at = whet__arena_array(&j->a, (size_t)j->g->n_val + 1, sizeof *w->at);
  bool integers = j->o.scheme == WHET_SCHEME_INT8 || j->o.scheme == WHET_SCHEME_INT16X8;
  w->x = whet__arena_array(&j->a, (size_t)j->g->n_val + 1, sizeof *w->x);
  if (!w->val || !w->at || !w->x) return whet__job_full(j);
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &j->g->node[r->node[i]];
    if (!j->tie[r->node[i]]) continue;
    for (int k = 0; k < n->n_in + n->n_out && integers; k++) {
      int32_t v = k < n->n_in ? n->in[k] : n->out[k - n->n_in];
      if (v < 0 || (k < n->n_in && !whet__job_takes(j, n, k)) || j->g->val[v].role == WHET_ROLE_CONST || before_tail(j, v)) continue;
      add(w, v);
      if (!j->hist[v] && !(j->hist[v] = whet__arena_alloc(&j->a, sizeof *j->hist[v]))) return whet__job_full(j);
    }
    if (j->product[r->node[i]]) add(w, n->in[0]);
  }
  return WHET_OK;
}

/* Some rows of what product p takes in of sample i. */
static void take_rows(whet_job *j, whet_weighted *p, const float *x, int64_t sample) {
  int64_t positions = whet__weighted_positions(&j->env, j->g, p);
  int64_t want = whet__moments_rows(p), per = whet__ceil_div(want, j->samples->n);
  if (per > positions) per = positions;
  for (int64_t g = 0; g < p->groups; g++)
    for (int64_t i = 0; i < per; i++) {
      uint32_t random[4];
      whet__rng_block(1, (uint64_t)p->node << 32 | (uint64_t)i, (uint64_t)sample, random);
      int64_t at = per == positions ? i : (int64_t)((double)whet__rng_unit(random[0]) * (double)positions);
      whet__weighted_row(&j->env, j->g, p, x, g, whet__min_i(at, positions - 1), whet__moments_row(p, g));
      whet__moments_add(p, g);
    }
}

static whet_status look(whet_job *j, whet_probe *probe, const watch *w, int64_t sample) {
  for (size_t k = 0; k < w->n; k++) {
    int64_t count;
    whet_dtype t;
    w->x[k] = whet__probe_value(probe, k, &count, &t, j->err);
    if (!w->x[k]) return j->err->code;
    whet_hist *h = j->hist[w->val[k]];
    if (h && !whet__hist_add(h, w->x[k], count))
      return whet__fail(j->err, WHET_E_DATA, "value \"%.200s\" is not finite for sample %lld", j->g->val[w->val[k]].name,
                        (long long)sample);
  }
  for (int32_t i = 0; i < j->g->main.n_node; i++) {
    whet_weighted *p = j->product[j->g->main.node[i]];
    if (p && j->tie[p->node] && p->mean) take_rows(j, p, w->x[w->at[j->g->node[p->node].in[0]] - 1], sample);
  }
  return WHET_OK;
}

whet_status whet__job_observe(whet_job *j) {
  watch w = {0};
  if (!j->samples || j->samples->n < 1)
    return whet__fail(j->err, WHET_E_MISUSE, "ranges of activations are taken from samples, and there are none");
  WHET_TRY(choose(j, &w));
  WHET_TRY(whet__moments_open(j));
  whet_probe probe;
  whet_status s = whet__probe_open(&probe, j->model, w.val, w.n, NULL, j->err);
  for (int64_t i = 0; i < j->samples->n && !s; i++) {
    s = whet__probe_run(&probe, j->samples, i, j->err);
    if (!s) s = look(j, &probe, &w, i);
    if (!s) s = whet__job_progress(j, "calibrating", i + 1, j->samples->n);
  }
  whet__probe_close(&probe);
  if (!s) whet__moments_finish(j);
  return s;
}
