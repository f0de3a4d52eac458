/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SEND_INNER_H
#define WHET_EDGE_SEND_INNER_H

/* What kinds of senders share: a table of functions and the form of records. */

#include <stdatomic.h>

#include "edge/cascade/remote.h"
#include "edge/send/send.h"
#include "edge/serve/buf.h"

typedef struct send_kind {
  const char *schemes; /* "http:https:" */
  whet_status (*open)(sender *s, whet_err *err);
  whet_status (*batch)(sender *s, const outbox_batch *b, outbox_answer *a, int64_t *bytes, whet_err *err);
  void (*wake)(sender *s);
  void (*close)(sender *s);
} send_kind;

struct sender {
  const send_kind *kind;
  send_opts o; /* texts are the sender's own */
  _Atomic bool woken;
  void *own;
};

/* Kinds that this build has; NULL: not built in. */
extern const send_kind send_lines, send_folder, send_table, send_http, send_mqtt;

/* The client of remote models, over HTTP. */
extern const remote_kind remote_http;

/* A sender of a kind of one's own; `own` is the caller's. */
EDGE_MUST whet_status send_open_kind(const send_kind *kind, void *own, sender **out, whet_err *err);

/* One record as a line of JSON, without the line's end. */
void send_record(serve_buf *to, const outbox_item *x);
/* The rest of a batch from item `from` on. */
void send_all(outbox_answer *a, size_t from, size_t n, outbox_fate fate, double after, const char *why);

#endif
