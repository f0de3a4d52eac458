/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `live`: the pipeline in a browser: the last frame of every branch with what was found in it, the last
 * events, rates and times; counters as JSON (/stats) and for Prometheus (/metrics). It sees what sinks see: what
 * privacy stages hide is not there. Pictures are packed only for who asks for them. */

#include "edge/pipeline/sink/folder.h"
#include "edge/pipeline/sink/lines.h"
#include "edge/pipeline/stats.h"

#ifdef WHET_HAVE_MICROHTTPD
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipeline/listen.h"
#include "whet/codec.h"

enum { EVENTS = 50, MOST_BRANCHES = 64 };

static const unsigned char k_html[] = {
#include "pipeline_html.inc"
};
static const unsigned char k_css[] = {
#include "pipeline_css.inc"
};
static const unsigned char k_js[] = {
#include "pipeline_js.inc"
};

typedef struct live {
  pl_node n;
  const char *host, *token;
  int64_t port, quality, connections;
  struct MHD_Daemon *d;
  pthread_mutex_t lock; /* of what follows; after the node's, before the pool's */
  pl_frame *last[MOST_BRANCHES];
  serve_buf event[EVENTS]; /* a ring */
  uint64_t events;
} live;

#define AT(field) offsetof(live, field)
static const conf_key k_keys[] = {{.name = "port", CONF_INT, AT(port), NULL, 0, 65535, true},
                                  {.name = "host", CONF_STR, AT(host)},
                                  {.name = "token", CONF_STR, AT(token)},
                                  {.name = "quality", CONF_INT, AT(quality), NULL, 1, 100},
                                  {.name = "connections", CONF_INT, AT(connections), NULL, 1, 10000},
                                  {0}};
static const live k_defaults = {
    .host = "127.0.0.1", .quality = 75, .connections = 32, .lock = PTHREAD_MUTEX_INITIALIZER};

static whet_status open_live(pl_node *n, whet_err *err) {
  live *s = (live *)n;
  return pl_listen_good(s->host)
             ? WHET_OK
             : pl_fail(n, err, "host: expected an address (127.0.0.1, 0.0.0.0, ::), got \"%.60s\"", s->host);
}

static enum MHD_Result give(struct MHD_Connection *c, unsigned status, const char *type, const void *p, size_t n,
                            bool copy) {
  struct MHD_Response *r =
      MHD_create_response_from_buffer(n, (void *)(uintptr_t)p, copy ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_PERSISTENT);
  if (!r) return MHD_NO;
  MHD_add_response_header(r, "Content-Type", type);
  MHD_add_response_header(r, "Cache-Control", "no-store");
  MHD_add_response_header(r, "Content-Security-Policy",
                          "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'");
  MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
  enum MHD_Result k = MHD_queue_response(c, status, r);
  MHD_destroy_response(r);
  return k;
}

static enum MHD_Result give_buf(struct MHD_Connection *c, const char *type, serve_buf *b) {
  enum MHD_Result k =
      b->bad ? give(c, 503, "text/plain", "no memory\n", 10, false) : give(c, 200, type, b->p, b->n, true);
  buf_free(b);
  return k;
}

/* The last events, the newest first. */
static enum MHD_Result events(live *s, struct MHD_Connection *c) {
  serve_buf b = {0};
  pthread_mutex_lock(&s->lock);
  buf_put(&b, "[", 1);
  for (uint64_t i = 0; i < EVENTS && i < s->events; i++) {
    const serve_buf *e = &s->event[(s->events - 1 - i) % EVENTS];
    if (i) buf_put(&b, ",", 1);
    buf_put(&b, e->p, e->n);
  }
  pthread_mutex_unlock(&s->lock);
  buf_put(&b, "]", 1);
  return give_buf(c, "application/json", &b);
}

/* A picture as a file into b; what kind of file it is. NULL: it cannot be written. */
static const char *packed(const live *s, const whet_picture *p, serve_buf *b) {
  whet_err err = {0};
  whet_status st = whet_picture_encode(p, "jpeg", (int)s->quality, sink_room, b, &b->n, &err);
  if (st != WHET_E_UNSUPPORTED) return st ? NULL : "image/jpeg";
  return whet_picture_encode(p, "pnm", 0, sink_room, b, &b->n, &err) ? NULL : "image/x-portable-anymap";
}

/* The picture of a branch's last frame. With `event` in the query that frame's own event stands before it, as a line:
 * one that was asked for by itself could be another frame's. */
static enum MHD_Result picture(live *s, struct MHD_Connection *c) {
  const char *name = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "branch");
  const char *with = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "event");
  pl_frame *f = NULL;
  serve_buf line = {0}, file = {0};
  whet_err err = {0};
  const whet_pipeline *p = s->n.p;
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; name && i < p->n_branch && i < MOST_BRANCHES; i++)
    if (!strcmp(p->branch[i].name, name) && s->last[i]) f = pl_frame_copy(s->last[i]);
  pthread_mutex_unlock(&s->lock);
  if (!f) return give(c, 404, "text/plain", "no picture\n", 11, false);
  const char *type = packed(s, &f->pic, &file);
  file.bad = !type;
  if (!with) {
    pl_frame_free(f);
    return give_buf(c, type, &file);
  }
  line.bad = sink_line(&s->n, f, &line, true, &err) != WHET_OK || !type;
  pl_frame_free(f);
  buf_put(&line, file.p, file.n);
  buf_free(&file);
  return give_buf(c, "application/octet-stream", &line);
}

static enum MHD_Result handle(void *user, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *data, size_t *n, void **own) {
  live *s = user;
  serve_buf b = {0};
  (void)version, (void)data, (void)own;
  if (*n) {
    *n = 0;
    return MHD_YES;
  }
  if (strcmp(method, "GET") && strcmp(method, "HEAD")) return give(c, 405, "text/plain", "only GET\n", 9, false);
  if (!strcmp(url, "/")) return give(c, 200, "text/html; charset=utf-8", k_html, sizeof k_html, false);
  if (!strcmp(url, "/page.css")) return give(c, 200, "text/css; charset=utf-8", k_css, sizeof k_css, false);
  if (!strcmp(url, "/page.js")) return give(c, 200, "text/javascript; charset=utf-8", k_js, sizeof k_js, false);
  if (!pl_listen_allowed(s->token, c)) return give(c, 401, "text/plain", "a bearer token is asked for\n", 28, false);
  if (!strcmp(url, "/frame")) return picture(s, c);
  if (!strcmp(url, "/events")) return events(s, c);
  if (!strcmp(url, "/stats")) {
    pl_stats(s->n.p, &b);
    return give_buf(c, "application/json", &b);
  }
  if (!strcmp(url, "/metrics")) {
    pl_prometheus(s->n.p, &b);
    return give_buf(c, "text/plain; version=0.0.4; charset=utf-8", &b);
  }
  return give(c, 404, "text/plain", "nothing here\n", 13, false);
}

static whet_status start(pl_node *n, whet_err *err) {
  live *s = (live *)n;
  const pl_listen l = {.host = s->host,
                       .port = s->port,
                       .connections = s->connections,
                       .slow = 30,
                       .handle = handle,
                       .user = s,
                       .path = "/"};
  return pl_listen_start(n, &l, &s->d, err);
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  live *s = (live *)n;
  size_t which = 0;
  const whet_pipeline *p = n->p;
  pl_frame *old = NULL, *keep = f->content == PL_PICTURE ? pl_frame_copy(f) : NULL;
  while (which < p->n_branch && strcmp(p->branch[which].name, f->branch)) which++;
  pthread_mutex_lock(&s->lock);
  whet_status st = sink_line(n, f, &s->event[s->events % EVENTS], false, err);
  if (!st) s->events++;
  if (keep && which < MOST_BRANCHES) old = s->last[which], s->last[which] = keep, keep = NULL;
  pthread_mutex_unlock(&s->lock);
  pl_frame_free(old);
  pl_frame_free(keep);
  return st;
}

static whet_status flush(pl_node *n, whet_err *err) {
  live *s = (live *)n;
  (void)err;
  if (s->d) MHD_stop_daemon(s->d);
  s->d = NULL;
  return WHET_OK;
}

static void close_live(pl_node *n) {
  live *s = (live *)n;
  whet_err err;
  (void)flush(n, &err);
  for (size_t i = 0; i < MOST_BRANCHES; i++) pl_frame_free(s->last[i]);
  for (size_t i = 0; i < EVENTS; i++) buf_free(&s->event[i]);
  pthread_mutex_destroy(&s->lock);
}

const pl_kind pl_sink_live = {.name = "live",
                              .size = sizeof(live),
                              .keys = k_keys,
                              .lone = "port",
                              .defaults = &k_defaults,
                              .open = open_live,
                              .start = start,
                              .run = run,
                              .flush = flush,
                              .close = close_live};
#else
static whet_status lacks(pl_node *n, whet_err *err) {
  return pl_fail(n, err, "this build lacks libmicrohttpd (Debian: libmicrohttpd-dev)");
}

const pl_kind pl_sink_live = {.name = "live", .size = sizeof(pl_node), .loose = true, .open = lacks};
#endif
