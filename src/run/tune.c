/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels chosen by measuring: the program runs in every way that its nodes can be planned, each step is timed where it is
 * used, and the fastest way of each node is taken (plan/choice.h). */

#include <math.h>

#include "base/rng.h"
#include "plan/program.h"
#include "run/session.h"

enum {
  BATCHES = 6,         /* a node's time is the least of so many means; ways take turns, so that a change of speed meets all */
  BATCH_NS = 20000000, /* a batch takes so long at least ... */
  BATCH_RUNS = 64      /* ... or so many runs */
};
#define BETTER 0.97 /* another way must take at most so much of the estimate's */

/* The program planned in one way wherever there are several. */
typedef struct way {
  whet_trial trial;
  whet_program *program;
  whet_session *session;
  double *ns; /* by node: nanoseconds in the fastest batch */
} way;

/* Contents that are no trouble: small numbers, any bytes for quantised inputs, zeros where they may be indices. */
static whet_status fill(whet_session *s, whet_err *err) {
  for (size_t i = 0; i < whet_session_inputs(s); i++) {
    whet_info info;
    size_t bytes;
    void *p;
    if (whet_session_input_info(s, i, &info) || info.kind != WHET_TENSOR)
      return whet__fail(err, WHET_E_UNSUPPORTED, "input %zu is no tensor: kernels cannot be measured", i);
    if (!(p = whet_session_input(s, i, &bytes, err))) return err->code ? err->code : WHET_E_UNSUPPORTED;
    memset(p, 0, bytes);
    if (info.dtype != WHET_F32 && !info.quant.n) continue;
    for (size_t k = 0; k < bytes / 4; k++) {
      uint32_t x[4];
      float f;
      whet__rng_block(1, i, k, x);
      f = 2 * whet__rng_unit(x[0]) - 1;
      memcpy((char *)p + 4 * k, info.dtype == WHET_F32 ? (void *)&f : (void *)&x[1], 4);
    }
  }
  return WHET_OK;
}

/* One batch: the mean nanoseconds of each node, where they are fewer than before. */
static whet_status time_nodes(way *w, whet_err *err) {
  whet_session *s = w->session;
  uint64_t *spent, sum = 0;
  int runs = 0;
  WHET_TRY(whet__session_profile(s, true, &spent, err));
  const whet_plan *q = s->frame.plan;
  for (; runs < BATCH_RUNS && sum < BATCH_NS; runs++) {
    WHET_TRY(whet_session_run(s, NULL, err));
    sum = 0;
    for (int32_t i = 0; i < q->n_step; i++) sum += spent[i];
  }
  for (int32_t i = 0; i < q->n_step;) { /* the steps of a node follow each other */
    int32_t node = q->step[i].node;
    double all = 0;
    for (; i < q->n_step && q->step[i].node == node; i++) all += (double)spent[i] / runs;
    if (node >= 0 && all < w->ns[node]) w->ns[node] = all;
  }
  return WHET_OK;
}

/* Make the program in way `number`, with a session whose inputs are filled, and run it once. */
static whet_status open_way(whet_model *m, const whet_program_opts *o, int number, way *w, whet_err *err) {
  w->trial = (whet_trial){.number = number, .mem = &m->mem};
  WHET_TRY(whet__program_make(m, o, NULL, &w->trial, &w->program, err));
  int32_t n = w->program->graph.n_node;
  w->ns = whet__alloc_array(&m->mem, (size_t)n + 1, sizeof *w->ns);
  if (!w->ns || w->trial.full) return whet__no_memory(&m->mem, (size_t)n, err, "measured times");
  for (int32_t i = 0; i < n; i++) w->ns[i] = INFINITY;
  if (!w->trial.n) return WHET_OK; /* nothing to choose */
  WHET_TRY(whet_session_create(w->program, &w->session, err));
  WHET_TRY(fill(w->session, err));
  return whet_session_run(w->session, NULL, err);
}

static void close_way(whet_model *m, way *w) {
  whet_session_close(&w->session);
  whet_program_close(&w->program);
  whet__free(&m->mem, w->trial.note);
  whet__free(&m->mem, w->ns);
}

/* What way w took for the node and parameters of n, its place there being near `guess`; NULL: it did not get there. */
static const whet_trial_note *note_of(const way *w, const whet_trial_note *n, size_t guess) {
  for (size_t i = 0; i < w->trial.n; i++) {
    const whet_trial_note *x = &w->trial.note[(guess + i) % w->trial.n];
    if (x->node == n->node && x->key == n->key) return x;
  }
  return NULL;
}

/* The fastest way for choice i of the first, and its nanoseconds. */
static const char *fastest(const way *w, int ways, size_t i, double *ns) {
  const whet_trial_note *n = &w[0].trial.note[i];
  const char *name = n->name;
  double base = n->node >= 0 ? w[0].ns[n->node] : 0;
  *ns = base;
  for (int k = 1; k < ways; k++) {
    const whet_trial_note *x = note_of(&w[k], n, i);
    if (!x || !x->way || x->node < 0 || w[k].ns[x->node] >= BETTER * base || w[k].ns[x->node] >= *ns) continue;
    *ns = w[k].ns[x->node];
    name = x->name;
  }
  return name;
}

/* Of nodes with equal parameters the first speaks for all. Answers how many choices there are. */
static size_t settle(const way *w, int ways, whet_choice *c, whet_tuning *said) {
  size_t n = 0;
  for (int32_t i = 0; i < w->program->graph.n_node; i++)
    if (w->ns[i] < INFINITY) said->estimate_us += w->ns[i] * 1e-3;
  said->tuned_us = said->estimate_us;
  for (size_t i = 0; i < w->trial.n; i++) {
    const whet_trial_note *x = &w->trial.note[i];
    size_t k = 0;
    double ns;
    const char *name = fastest(w, ways, i, &ns);
    said->nodes++;
    said->changed += strcmp(name, x->name) != 0;
    if (x->node >= 0 && w->ns[x->node] < INFINITY) said->tuned_us += (ns - w->ns[x->node]) * 1e-3;
    while (k < n && c[k].key != x->key) k++;
    if (k == n) c[n++] = (whet_choice){x->key, name};
  }
  return n;
}

/* Open all ways and let them take turns. */
static whet_status measure(whet_model *m, const whet_program_opts *o, way *w, int *ways, whet_err *err) {
  int most = 1;
  for (int k = 0; k < most && k < WHET_CHOICE_WAYS; k++) {
    *ways = k + 1;
    WHET_TRY(open_way(m, o, k, &w[k], err));
    for (size_t i = 0; !k && i < w[0].trial.n; i++)
      if (w[0].trial.note[i].ways > most) most = w[0].trial.note[i].ways;
  }
  for (int b = 0; b < BATCHES && most > 1; b++)
    for (int k = 0; k < *ways; k++) WHET_TRY(time_nodes(&w[k], err));
  return WHET_OK;
}

whet_status whet_program_create_tuned(whet_model *m, const whet_program_opts *user, whet_program **out,
                                      whet_tuning *said, whet_err *err) {
  whet_err mine = {0};
  if (!err) err = &mine;
  *err = (whet_err){0};
  if (out) *out = NULL;
  if (!m || !out || (said && said->size < sizeof *said))
    return whet__fail(err, WHET_E_MISUSE, "whet_program_create_tuned: model and out must be given, and the size of a whet_tuning");
  whet_program_opts o = whet_program_opts_default();
  WHET_TRY(whet__take_opts("whet_program_opts", user, sizeof o, &o, err));
  whet_tuning found = {.size = sizeof found};
  way w[WHET_CHOICE_WAYS] = {0};
  int ways = 0;
  whet_status s = measure(m, &o, w, &ways, err);
  whet_choice *c = s ? NULL : whet__alloc_array(&m->mem, w->trial.n + 1, sizeof *c);
  if (!s && !c) s = whet__no_memory(&m->mem, w->trial.n * sizeof *c, err, "choices");
  whet_choices all = {c, s ? 0 : settle(w, ways, c, &found)};
  for (int k = 0; k < ways; k++) close_way(m, &w[k]);
  if (!s) s = whet__program_make(m, &o, &all, NULL, out, err);
  whet__free(&m->mem, c);
  if (!s && said) *said = found;
  return s;
}
