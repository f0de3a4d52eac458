/* SPDX-License-Identifier: Apache-2.0 */
/* Inference: read, run at once or queue, answer. */

#include <stdlib.h>
#include <string.h>

#include "edge/serve/server.h"

/* The bytes of JSON that a header tells, when binary tensors follow; 0: it tells nothing sensible. */
static size_t json_told(const char *text) {
  char *end;
  unsigned long long n = *text < '0' || *text > '9' ? 0 : strtoull(text, &end, 10);
  return n && !*end ? (size_t)n : 0;
}

/* How much of the body is JSON. False: the header says nonsense; refused. */
static bool json_part(serve_req *r, size_t *out) {
  const char *text = serve_header(r, "Inference-Header-Content-Length");
  *out = text ? json_told(text) : r->body.n;
  if (!text || (*out && *out <= r->body.n)) return true;
  serve_refuse(r, 400, "Inference-Header-Content-Length: expected a number of at most %zu, the bytes of the body",
               r->body.n);
  return false;
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

static void turn_away(serve_req *r, const serve_version *v, sched_verdict verdict, int64_t wait) {
  r->retry_ms = wait / 1000000 + 1;
  if (verdict == SCHED_FULL)
    serve_refuse(r, 429, "the queue of model \"%s\" is full: %lld requests wait", v->name, (long long)v->waiting);
  else if (verdict == SCHED_LATE)
    serve_refuse(r, 503, "the request would be done in %.3g ms, after its deadline", (double)wait * 1e-6);
  else
    serve_refuse(r, 503, "the server ends");
}

/* Ask for a version and a deadline; true: turned away. */
static bool away(serve_req *r, serve_version *v, int64_t deadline) {
  int64_t wait;
  sched_verdict verdict = sched_ask(r->s->sched, v, deadline, &wait);
  if (verdict != SCHED_QUEUED) turn_away(r, v, verdict, wait);
  return verdict != SCHED_QUEUED;
}

bool route_infer_full(serve_req *r) {
  serve_version *v = store_find(r->s->store, r->arg[0], r->arg[1], NULL);
  bool yes = v && away(r, v, INT64_MAX);
  version_unref(&v);
  return yes;
}

bool route_infer_late(serve_req *r) {
  const char *text = r->asked ? NULL : serve_header(r, "Inference-Header-Content-Length");
  size_t n = text ? json_told(text) : 0;
  if (n > r->body.n) return false; /* more is to come */
  r->asked = true;
  if (!n || serve_header(r, MHD_HTTP_HEADER_CONTENT_ENCODING)) return false;
  serve_version *v = store_find(r->s->store, r->arg[0], r->arg[1], NULL);
  bool yes = v && v->waiting && away(r, v, infer_deadline(v, r->body.p, n, r->began));
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
  if (away(r, x->v, x->deadline)) return;
  serve_later(r); /* before it is queued: a worker may be done with it at once */
  sched_verdict verdict = sched_queue(r->s->sched, x, &wait);
  if (verdict == SCHED_QUEUED) return;
  turn_away(r, x->v, verdict, wait);
  serve_wake(r);
}
