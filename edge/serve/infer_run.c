/* SPDX-License-Identifier: Apache-2.0 */
/* Requests into an instance, a run, replies out of it. */

#include <string.h>

#include "edge/serve/infer.h"

/* The shapes of the inputs: those of the first request, with the rows of all. */
static whet_status shapes(serve_infer **x, size_t n, int64_t rows, serve_instance *i, whet_err *err) {
  for (size_t k = 0; k < x[0]->v->n_in; k++) {
    const infer_tensor *t = &x[0]->in[k];
    int64_t dims[WHET_MAX_RANK];
    if (t->strings) continue;
    memcpy(dims, t->dims, sizeof dims);
    if (n > 1) dims[0] = rows;
    EDGE_TRY(instance_shape(i, k, t->rank, dims, err));
  }
  return WHET_OK;
}

/* The inputs' contents, one request after the other. */
static whet_status fill(serve_infer **x, size_t n, serve_instance *i, whet_err *err) {
  serve_version *v = x[0]->v;
  for (size_t k = 0; k < v->n_in; k++) {
    size_t bytes, at = 0;
    if (x[0]->in[k].strings) {
      i->rank[k] = -1;
      EDGE_TRY(whet_session_set_input(i->s, k, x[0]->in[k].strings, err));
      continue;
    }
    uint8_t *to = whet_session_input(i->s, k, &bytes, err);
    if (!to) return err->code ? err->code : WHET_E_INTERNAL;
    for (size_t r = 0; r < n; r++) {
      const infer_tensor *t = &x[r]->in[k];
      if (t->bytes > bytes - at)
        return edge_fail(err, WHET_E_INTERNAL, "input \"%.80s\" outgrew its memory", v->in[k].name);
      if (t->region)
        EDGE_TRY(region_read(t->region, t->offset, to + at, t->bytes, err));
      else if (t->bytes)
        memcpy(to + at, t->data, t->bytes);
      at += t->bytes;
    }
  }
  return WHET_OK;
}

/* Run, for as long as the most patient request waits; a lone request can be cancelled. */
static whet_status run(serve_infer **x, size_t n, serve_instance *i, int64_t now, whet_err *err) {
  int64_t until = 0;
  for (size_t r = 0; r < n; r++) until = x[r]->deadline > until ? x[r]->deadline : until;
  if (until <= now) return edge_fail(err, WHET_E_DEADLINE, "the deadline passed before the run");
  whet_run_opts o = {
      .size = sizeof o, .deadline_ms = (until - now) / 1000000 + 1, .cancel = n == 1 ? &x[0]->cancel : NULL};
  return whet_session_run(i->s, &o, err);
}

/* A moving mean of what a run takes. */
static void learn(serve_version *v, int64_t ns) {
  int64_t old = atomic_load_explicit(&v->run_ns, memory_order_relaxed);
  atomic_store_explicit(&v->run_ns, old ? old + (ns - old) / 8 : ns, memory_order_relaxed);
}

void infer_run(serve_infer **x, size_t n, serve_instance *i) {
  serve_version *v = x[0]->v;
  whet_err err = {.code = WHET_OK};
  int64_t rows = 0, row = 0, t0 = edge_now();
  for (size_t r = 0; r < n; r++) {
    rows += x[r]->rows;
    x[r]->queued = t0 - x[r]->arrived;
  }
  err.text[0] = 0;
  whet_status s = v->stateful ? whet_session_reset(i->s) : WHET_OK;
  if (!s) s = shapes(x, n, rows, i, &err);
  if (!s) s = fill(x, n, i, &err);
  int64_t t1 = edge_now();
  if (!s) s = run(x, n, i, t1, &err);
  int64_t t2 = edge_now();
  if (!s) learn(v, t2 - t1);
  for (size_t r = 0; r < n; row += x[r++]->rows) {
    if (s) {
      x[r]->err.code = s;
      memcpy(x[r]->err.text, err.text, strlen(err.text) + 1);
      if (!err.code) edge_fail(&x[r]->err, s, "%s", whet_status_text(s));
    } else {
      whet_status w = infer_write(x[r], i, row, rows, &x[r]->err);
      if (w && !x[r]->err.code) edge_fail(&x[r]->err, w, "%s", whet_status_text(w));
    }
  }
  int64_t t3 = edge_now();
  stats_times t = {t1 - t0, t2 - t1, t3 - t2};
  if (!s) stats_execution(&v->stats, &t, rows);
  for (size_t r = 0; r < n; r++) {
    int64_t total = t3 - x[r]->arrived;
    if (x[r]->err.code)
      stats_fail(&v->stats, total);
    else
      stats_success(&v->stats, total, x[r]->queued, &t, x[r]->rows);
  }
}
