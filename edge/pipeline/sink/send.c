/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `send`: events by HTTP POST, MQTT, to a file of lines or a table, straight or from an outbox. */

#include "edge/pipeline/sink/courier.h"
#include "edge/pipeline/sink/lines.h"

#ifdef WHET_HAVE_OUTBOX
typedef struct send {
  pl_node n;
  courier c;
  serve_buf line;
} send;

static const conf_key k_keys[] = {COURIER_KEYS(send, c), {0}};
static const send k_defaults = {.c = {.every = 1, .waiting = 1000, .wait = 5}};

static courier *of(pl_node *n) { return &((send *)n)->c; }

static whet_status open_send(pl_node *n, whet_err *err) {
  return courier_open(n, of(n), n->at->kind == CONF_MAP && n->at->n == 1 ? &n->at->item[0] : NULL, err);
}

static whet_status start(pl_node *n, whet_err *err) { return courier_start(of(n), err); }

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  send *s = (send *)n;
  EDGE_TRY(sink_line(n, f, &s->line, false, err));
  return courier_give(&s->c, s->line.p, s->line.n, "application/json", NULL, err);
}

static whet_status flush(pl_node *n, whet_err *err) { return courier_flush(of(n), err); }
static void stop(pl_node *n) { courier_stop(of(n)); }
static void stats(pl_node *n, serve_buf *b) { courier_stats(of(n), b); }
static bool link_of(pl_node *n, pl_link *out) { return courier_link(of(n), out); }

static void close_send(pl_node *n) {
  courier_close(of(n));
  buf_free(&((send *)n)->line);
}

const pl_kind pl_sink_send = {.name = "send",
                              .size = sizeof(send),
                              .keys = k_keys,
                              .lone = "url",
                              .defaults = &k_defaults,
                              .open = open_send,
                              .start = start,
                              .run = run,
                              .flush = flush,
                              .close = close_send,
                              .stop = stop,
                              .stats = stats,
                              .link = link_of};
#else
static whet_status lacks(pl_node *n, whet_err *err) {
  return pl_fail(n, err, "this build lacks SQLite, by which outboxes keep what is sent (Debian: libsqlite3-dev)");
}

const pl_kind pl_sink_send = {.name = "send", .size = sizeof(pl_node), .loose = true, .open = lacks};
#endif
