/* SPDX-License-Identifier: Apache-2.0 */
/* Inference: read, run at once or queue, answer. */

#include <stdlib.h>
#include <string.h>

#include "edge/serve/server.h"

/* How much of the body is JSON. False: the header says nonsense; refused. */
static bool json_part(serve_req *r, size_t *out) {
  const char *text = serve_header(r, "Inference-Header-Content-Length");
  char *end;
  *out = r->body.n;
  if (!text) return true;
  unsigned long long n = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || n > r->body.n) {
    serve_refuse(r, 400, "Inference-Header-Content-Length: expected a number of at most %zu, the bytes of the body",
                 r->body.n);
    return false;
  }
  *out = (size_t)n;
  return true;
}

/* Turn what became of a run into an answer. */
void serve_infer_answer(serve_req *r) {
  serve_infer *x = r->infer;
  if (x->err.code) {
    if (x->err.code == WHET_E_DEADLINE) r->retry_ms = x->v->run_ns / 1000000 + 1;
    serve_refuse_err(r, &x->err);
    return;
  }
  r->json_bytes = x->json_bytes;
  serve_ok(r, NULL);
}

static void full(serve_req *r, const serve_version *v) {
  r->retry_ms = v->waiting * v->run_ns / 1000000 / v->most + 1;
  serve_refuse(r, 429, "the queue of model \"%s\" is full: %lld requests wait", v->name, (long long)v->waiting);
}

bool route_infer_full(serve_req *r) {
  serve_version *v = store_find(r->s->store, r->arg[0], r->arg[1], NULL);
  bool yes = v && v->waiting >= v->set.c.queue;
  if (yes) {
    atomic_fetch_add_explicit(&v->stats.rejected, 1, memory_order_relaxed);
    full(r, v);
  }
  version_unref(&v);
  return yes;
}

void route_infer(serve_req *r) {
  whet_err err = {0};
  size_t json_n;
  int64_t wait;
  if (!json_part(r, &json_n)) return;
  serve_version *v = store_find(r->s->store, r->arg[0], r->arg[1], &err);
  if (!v) {
    serve_refuse_err(r, &err);
    return;
  }
  char nothing[1] = {0};
  if (infer_read(v, r->s->regions, r->body.p ? r->body.p : nothing, r->body.n, json_n, &r->infer, &err)) {
    serve_refuse_err(r, &err);
    return;
  }
  serve_infer *x = r->infer;
  x->req = r;
  x->deadline -= x->arrived - r->began; /* the client waits since its request began to arrive */
  x->reply = &r->out;
  if (sched_at_once(r->s->sched, x)) {
    serve_infer_answer(r);
    return;
  }
  serve_later(r); /* before it is queued: a worker may be done with it at once */
  sched_verdict verdict = sched_queue(r->s->sched, x, &wait);
  if (verdict == SCHED_QUEUED) return;
  r->retry_ms = wait / 1000000 + 1;
  if (verdict == SCHED_FULL)
    full(r, x->v);
  else if (verdict == SCHED_LATE)
    serve_refuse(r, 503, "the request would be done in %.3g ms, after its deadline", (double)wait * 1e-6);
  else
    serve_refuse(r, 503, "the server ends");
  serve_wake(r);
}
