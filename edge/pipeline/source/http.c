/* SPDX-License-Identifier: Apache-2.0 */
/* The source `http`: what others post. A body is a message; 202 says that its frames are in the queue, 400 what was
 * wrong with it. */

#include "edge/pipeline/message.h"

#ifdef WHET_HAVE_MICROHTTPD
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipeline/listen.h"

typedef struct http {
  pl_node n;
  pl_inbox in;
  const char *host, *path, *token;
  int64_t port, connections;
  double slow;
  struct MHD_Daemon *d;
} http;

#define AT(field) offsetof(http, field)
static const conf_key k_keys[] = {{.name = "port", CONF_INT, AT(port), NULL, 0, 65535, true},
                                  {.name = "host", CONF_STR, AT(host)},
                                  {.name = "path", CONF_STR, AT(path)},
                                  {.name = "token", CONF_STR, AT(token)},
                                  {.name = "connections", CONF_INT, AT(connections), NULL, 1, 100000},
                                  {.name = "slow", CONF_SECONDS, AT(slow), NULL, 1, 3600},
                                  PL_PAYLOAD_KEYS(http, in.payload),
                                  {0}};
static const http k_defaults = {
    .in = PL_INBOX_DEFAULTS, .host = "127.0.0.1", .path = "/", .connections = 64, .slow = 30};

/* A request on its way: its body. */
typedef struct request {
  serve_buf body;
  bool large;
} request;

static whet_status open_http(pl_node *n, whet_err *err) {
  http *s = (http *)n;
  if (!pl_listen_good(s->host)) return pl_fail(n, err, "host: expected an address (127.0.0.1, 0.0.0.0, ::), got \"%.60s\"", s->host);
  if (*s->path != '/') return pl_fail(n, err, "path: expected one that begins with /, got \"%.60s\"", s->path);
  return pl_payload_open(n, &s->in.payload, err);
}

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *fmt, ...) EDGE_PRINTF(3, 4);
static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *fmt, ...) {
  char text[600];
  serve_buf b = {0};
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  buf_text(&b, status < 300 ? "{\"frames\":" : "{\"error\":");
  if (status < 300)
    buf_text(&b, text);
  else
    buf_json_str(&b, text);
  buf_text(&b, "}\n");
  struct MHD_Response *r = MHD_create_response_from_buffer(b.n, b.p, MHD_RESPMEM_MUST_COPY);
  buf_free(&b);
  if (!r) return MHD_NO;
  MHD_add_response_header(r, "Content-Type", "application/json");
  enum MHD_Result k = MHD_queue_response(c, status, r);
  MHD_destroy_response(r);
  return k;
}

static enum MHD_Result handle(void *user, struct MHD_Connection *c, const char *url, const char *method,
                              const char *version, const char *data, size_t *n, void **own) {
  http *s = user;
  request *r = *own;
  (void)version;
  if (!r) {
    *own = r = calloc(1, sizeof *r);
    return r ? MHD_YES : MHD_NO;
  }
  if (*n) {
    if (r->body.n + *n > s->in.payload.longest || !pl_listen_allowed(s->token, c))
      r->large = true, buf_free(&r->body);
    else if (!r->large)
      buf_put(&r->body, data, *n);
    *n = 0;
    return MHD_YES;
  }
  if (!pl_listen_allowed(s->token, c)) return answer(c, 401, "a bearer token is asked for");
  if (strcmp(url, s->path)) return answer(c, 404, "frames are taken at %.200s", s->path);
  if (strcmp(method, "POST") && strcmp(method, "PUT")) return answer(c, 405, "frames are posted");
  if (r->large) return answer(c, 413, "a body has at most %zu bytes", s->in.payload.longest);
  if (r->body.bad) return answer(c, 503, "no memory");
  if (pl_stopping(&s->n)) return answer(c, 503, "the pipeline ends");
  whet_err err = {0};
  size_t given;
  if (pl_message(&s->n, &s->in, r->body.p, r->body.n, 0, "", &given, &err)) {
    pl_failed(&s->n, NULL, &err);
    return answer(c, err.code == WHET_E_MEMORY || err.code == WHET_E_LIMIT ? 503 : 400, "%s", err.text);
  }
  return answer(c, 202, "%zu", given);
}

static void done(void *user, struct MHD_Connection *c, void **own, enum MHD_RequestTerminationCode why) {
  request *r = *own;
  (void)user, (void)c, (void)why;
  if (r) buf_free(&r->body);
  free(r);
}

static whet_status start(pl_node *n, whet_err *err) {
  http *s = (http *)n;
  const pl_listen l = {.host = s->host, .path = s->path, .port = s->port, .connections = s->connections, .slow = s->slow,
                       .handle = handle, .done = done, .user = s};
  return pl_listen_start(n, &l, &s->d, err);
}

static void stop_daemon(http *s) {
  if (s->d) MHD_stop_daemon(s->d);
  s->d = NULL;
}

static whet_status run(pl_node *n, pl_frame *none, whet_err *err) {
  (void)none, (void)err;
  while (pl_source_wait(n, -1, -1)) {
  }
  stop_daemon((http *)n); /* what is in a handler is answered */
  return WHET_OK;
}

static void close_http(pl_node *n) {
  stop_daemon((http *)n);
  pl_inbox_close(&((http *)n)->in);
}

const pl_kind pl_source_http = {.name = "http",
                                .size = sizeof(http),
                                .keys = k_keys,
                                .lone = "port",
                                .defaults = &k_defaults,
                                .open = open_http,
                                .start = start,
                                .run = run,
                                .close = close_http,
                                .live = true};
#else
static whet_status lacks(pl_node *n, whet_err *err) {
  return pl_fail(n, err, "this build lacks libmicrohttpd (Debian: libmicrohttpd-dev)");
}

const pl_kind pl_source_http = {.name = "http", .size = sizeof(pl_node), .loose = true, .open = lacks};
#endif
