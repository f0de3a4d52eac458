/* SPDX-License-Identifier: Apache-2.0 */
/* A request on its way: libmicrohttpd's callbacks gather its body, a route answers it, now or when it is woken. */

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "edge/pack.h"
#include "edge/serve/server.h"
#include "edge/serve/spin.h"

enum { EAGER = 1 << 20, PACK_FROM = 256, EARLY_FROM = 16 << 10, DRAINED = 16 << 20, GIVE_WAY_NS = 100000000 };

const char *serve_header(serve_req *r, const char *name) {
  return MHD_lookup_connection_value(r->c, MHD_HEADER_KIND, name);
}

void serve_ok(serve_req *r, const char *type) {
  r->status = 200;
  r->type = type;
}

void serve_refuse(serve_req *r, int status, const char *fmt, ...) {
  char text[2100];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  r->status = status;
  r->type = NULL;
  r->json_bytes = 0;
  r->fixed = NULL;
  r->out.n = 0;
  r->out.bad = false;
  buf_text(&r->out, "{\"error\":");
  buf_json_str(&r->out, text);
  buf_text(&r->out, "}");
}

void serve_refuse_err(serve_req *r, const whet_err *err) {
  whet_status s = err->code ? err->code : WHET_E_INTERNAL;
  if (s == WHET_E_MEMORY || s == WHET_E_LIMIT) r->retry_ms = 1000;
  /* what is refused by name is the request's fault: 501 would say that the server is broken */
  serve_refuse(r,
               s == WHET_E_CANCELLED     ? 503
               : s == WHET_E_UNSUPPORTED ? 400
                                         : whet_status_http(s),
               "%s", err->text[0] ? err->text : whet_status_text(s));
}

bool serve_may_change(serve_req *r) {
  if (!r->s->o.read_only) return true;
  serve_refuse(r, 403, "the server was started read-only: models and settings are not changed over the network");
  return false;
}

/* Does a list of codings name one, and not with q=0? */
static bool accepts(const char *list, const char *coding) {
  size_t n = strlen(coding);
  for (const char *p = list; p && *p;) {
    p += strspn(p, " \t,");
    size_t len = strcspn(p, ",");
    size_t word = strcspn(p, " \t;,");
    if (word == n && !strncasecmp(p, coding, n)) {
      const char *q = memmem(p, len, "q=", 2);
      return !q || strtod(q + 2, NULL) > 0;
    }
    p += len;
  }
  return false;
}

/* The answer's bytes packed, when the client accepts that and it is worth it. */
static const char *pack(serve_req *r) {
  serve_buf packed = {0};
  if (!r->s->o.compress || r->fixed || r->out.n < PACK_FROM) return NULL;
  const char *list = serve_header(r, MHD_HTTP_HEADER_ACCEPT_ENCODING);
  if (!list) return NULL;
  const char *coding = accepts(list, "gzip") ? "gzip" : accepts(list, "deflate") ? "deflate" : NULL;
  if (!coding) return NULL;
  if (!pack_deflate(&r->out, coding[0] == 'g', 1, &packed)) {
    buf_free(&packed);
    return NULL;
  }
  buf_free(&r->out);
  r->out = packed;
  return coding;
}

static void header(struct MHD_Response *m, const char *name, const char *value) {
  (void)MHD_add_response_header(m, name, value);
}

/* Hand the answer to libmicrohttpd. */
static enum MHD_Result answer(serve_req *r) {
  char number[32];
  if (r->out.bad) {
    buf_free(&r->out);
    serve_refuse(r, 503, "no memory for the answer");
  }
  const char *coding = pack(r);
  struct MHD_Response *m =
      r->fixed ? MHD_create_response_from_buffer(r->n_fixed, (void *)(uintptr_t)r->fixed, MHD_RESPMEM_PERSISTENT)
               : MHD_create_response_from_buffer(r->out.n, r->out.p, MHD_RESPMEM_MUST_FREE);
  if (!m) return MHD_NO;
  if (!r->fixed) r->out = (serve_buf){0};
  if (r->json_bytes) {
    snprintf(number, sizeof number, "%zu", r->json_bytes);
    header(m, "Inference-Header-Content-Length", number);
  }
  header(m, MHD_HTTP_HEADER_CONTENT_TYPE,
         r->type         ? r->type
         : r->json_bytes ? "application/octet-stream"
                         : "application/json");
  if (coding) header(m, MHD_HTTP_HEADER_CONTENT_ENCODING, coding);
  if (r->allow) header(m, MHD_HTTP_HEADER_ALLOW, r->allow);
  if (r->status == 401) header(m, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
  if (r->retry_ms) {
    snprintf(number, sizeof number, "%lld", (long long)(r->retry_ms + 999) / 1000);
    header(m, MHD_HTTP_HEADER_RETRY_AFTER, number);
  }
  if (r->fixed) {
    header(m, "X-Content-Type-Options", "nosniff");
    header(m, "Content-Security-Policy",
           "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
           "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  }
  if (r->s->draining) header(m, MHD_HTTP_HEADER_CONNECTION, "close");
  enum MHD_Result q = MHD_queue_response(r->c, (unsigned)r->status, m);
  MHD_destroy_response(m);
  return q;
}

/* Write what became of a request to the log and the counters. */
static void account(serve_req *r) {
  serve_server *s = r->s;
  int64_t took = edge_now() - r->began;
  int i = 0;
  atomic_fetch_add_explicit(&s->by_status[r->status / 100 % 6], 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&s->seconds.ns, (uint64_t)took, memory_order_relaxed);
  for (int64_t most = 10000; i < STATS_BUCKETS && took > most; most *= 2) i++;
  atomic_fetch_add_explicit(&s->seconds.bucket[i], 1, memory_order_relaxed);
  if (settings_logs(s->settings, 3)) serve_log(s, 3, "%s -> %d in %.3f ms", r->path, r->status, (double)took * 1e-6);
  if (r->infer && settings_traces(s->settings))
    settings_trace(s->settings, r->infer->v->name, r->infer->v->text, r->infer->id, r->status, r->infer->arrived,
                   r->infer->queued, edge_now());
}

/* A thread that turned a request away a moment ago lets the runs go on: it does not take the processor from one each
 * time something arrives, but waits for its turn, a few milliseconds at most, and then reads all that is there. */
static void give_way(bool away) {
  static _Thread_local int64_t until;
  static _Thread_local bool gives;
  int64_t now = edge_now();
  if (away) until = now + GIVE_WAY_NS;
  if (gives == (now < until)) return;
  gives = !gives;
#ifdef SCHED_BATCH
  sched_setscheduler(0, gives ? SCHED_BATCH : SCHED_OTHER,
                     &(struct sched_param){0}); /* refused: all goes on as it was */
#endif
}

static enum MHD_Result finish(serve_req *r) {
  r->phase = REQ_DONE;
  account(r);
  give_way(r->status == 429 || r->status == 503);
  return answer(r);
}

void serve_later(serve_req *r) {
  const union MHD_ConnectionInfo *i = MHD_get_connection_info(r->c, MHD_CONNECTION_INFO_CONNECTION_FD);
  r->phase = REQ_RUNS;
  MHD_suspend_connection(r->c);
  r->ticket = r->infer && i ? watch_add(r->s->watch, i->connect_fd, r->infer) : 0;
}

void serve_wake(serve_req *r) {
  watch_drop(r->s->watch, r->ticket);
  r->phase = REQ_DONE;
  MHD_resume_connection(r->c);
}

/* May this request be? Refuses when not. */
static bool admitted(serve_req *r) {
  serve_server *s = r->s;
  if (!s->auth || r->route->who == ROUTE_OPEN) return true;
  const char *header_text = serve_header(r, MHD_HTTP_HEADER_AUTHORIZATION);
  auth_verdict v = auth_ask(s->auth, header_text, r->route->who == ROUTE_MODEL ? r->arg[0] : (json_text){NULL, 0});
  if (v == AUTH_NO)
    serve_refuse(r, 401, header_text ? "the token is not known" : "a bearer token is asked for");
  else if (v == AUTH_ANY && r->route->who == ROUTE_MODEL)
    serve_refuse(r, 403, "the token does not open this model");
  else if (v != AUTH_ADMIN && r->route->who == ROUTE_ADMIN)
    serve_refuse(r, 403, "the token does not open settings and repository");
  else
    return true;
  return false;
}

/* Count bytes against all bodies; false: there is no room. */
static bool reserve(serve_req *r, size_t n) {
  if (atomic_fetch_add(&r->s->bodies, n) + n > r->s->o.bodies) {
    atomic_fetch_sub(&r->s->bodies, n);
    return false;
  }
  r->counted += n;
  return true;
}

/* Is there a path, may it be asked for, is there room for its body? */
static void begin(serve_req *r, const char *url, const char *method) {
  serve_server *s = r->s;
  size_t n = strlen(url);
  if (n >= sizeof r->path) {
    serve_refuse(r, 414, "a path of %zu bytes; at most %zu", n, sizeof r->path - 1);
    return;
  }
  memcpy(r->path, url, n + 1);
  r->route = route_find(r, method, &r->allow);
  if (!r->route) {
    if (r->allow)
      serve_refuse(r, 405, "%.20s is not answered here: %s", method, r->allow);
    else
      serve_refuse(r, 404, "there is no %.200s", url);
    return;
  }
  if (!admitted(r)) {
    r->route = NULL;
    return;
  }
  const char *text = serve_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
  unsigned long long bytes = text ? strtoull(text, NULL, 10) : 0;
  if (r->route->fn == route_infer && route_infer_full(r)) {
    r->route = NULL; /* the body is read, because the client sends it, but not kept */
  } else if (bytes > s->o.body) {
    serve_refuse(r, 413, "a body of %llu bytes; at most %zu", bytes, s->o.body);
    r->route = NULL;
  } else if (bytes && (!reserve(r, bytes) || !buf_room(&r->body, bytes < EAGER ? bytes : EAGER))) {
    r->retry_ms = 1000;
    serve_refuse(r, 503, "the requests that run hold all the memory that there is for bodies");
    r->route = NULL;
  }
}

/* More of the body. */
static void gather(serve_req *r, const char *data, size_t n) {
  serve_server *s = r->s;
  if (!r->route || r->drop) return;
  if (r->body.n + n > s->o.body) {
    serve_refuse(r, 413, "a body of more than %zu bytes", s->o.body);
  } else if (r->body.n + n > r->counted && !reserve(r, r->body.n + n - r->counted)) {
    r->retry_ms = 1000;
    serve_refuse(r, 503, "the requests that run hold all the memory that there is for bodies");
  } else {
    buf_put(&r->body, data, n);
    bool early = r->counted > EARLY_FROM && r->route->fn == route_infer;
    if (!r->body.bad && !(early && route_infer_late(r))) return;
    if (r->body.bad) {
      r->retry_ms = 1000;
      serve_refuse(r, 503, "no memory for the body");
    }
  }
  r->drop = true;
  buf_free(&r->body);
}

/* The whole body is there: unpack it if it is packed. */
static bool unpack(serve_req *r) {
  whet_err err = {0};
  const char *coding = serve_header(r, MHD_HTTP_HEADER_CONTENT_ENCODING);
  if (!coding || !r->body.n || !strcasecmp(coding, "identity")) return true;
  if (strcasecmp(coding, "gzip") && strcasecmp(coding, "deflate")) {
    serve_refuse(r, 415, "Content-Encoding: expected gzip or deflate, got \"%.40s\"", coding);
    return false;
  }
  whet_status st = pack_inflate(&r->body, r->s->o.body, &err);
  if (!st && r->body.n > r->counted && !reserve(r, r->body.n - r->counted))
    st = edge_fail(&err, WHET_E_MEMORY, "no room for the unpacked body");
  if (!st) return true;
  if (st == WHET_E_LIMIT)
    serve_refuse(r, 413, "%s", err.text);
  else
    serve_refuse_err(r, &err);
  return false;
}

enum MHD_Result req_handle(void *cls, struct MHD_Connection *c, const char *url, const char *method,
                           const char *version, const char *data, size_t *n, void **at) {
  serve_req *r = *at;
  (void)version;
  if (!r) {
    r = calloc(1, sizeof *r);
    if (!r) return MHD_NO;
    *at = r;
    r->s = cls;
    r->c = c;
    r->began = edge_now();
    atomic_fetch_add(&r->s->running, 1);
    begin(r, url, method);
    /* A body that is not wanted is read all the same, because clients look for an answer only when they have sent it;
     * a very large one is not: the answer goes out at once, and the connection ends with it. */
    const char *text = r->route ? NULL : serve_header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return text && strtoull(text, NULL, 10) > DRAINED ? finish(r) : MHD_YES;
  }
  if (*n) {
    gather(r, data, *n);
    *n = 0;
    return MHD_YES;
  }
  if (r->phase == REQ_DONE) return finish(r);
  if (r->phase == REQ_RUNS) return MHD_YES;
  const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  if (i && i->socket_context) watch_whole(i->socket_context);
  if (r->route && !r->drop && unpack(r)) {
    r->route->fn(r);
    if (r->phase != REQ_BODY) return MHD_YES; /* it answers later, or has been woken already */
  }
  return finish(r);
}

void req_completed(void *cls, struct MHD_Connection *c, void **at, enum MHD_RequestTerminationCode why) {
  serve_req *r = *at;
  serve_server *s = cls;
  *at = NULL;
  if (!r) return;
  infer_free(&r->infer);
  version_unref(&r->version);
  atomic_fetch_sub(&s->bodies, r->counted);
  bool alone = atomic_fetch_sub(&s->running, 1) == 1;
  buf_free(&r->body);
  buf_free(&r->out);
  free(r);
  const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (alone && why == MHD_REQUEST_TERMINATED_COMPLETED_OK && i && !s->o.tls_cert && !s->draining)
    spin_look(i->connect_fd, (int64_t)(s->o.spin * 1e9));
}
