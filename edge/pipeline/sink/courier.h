/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_SINK_COURIER_H
#define WHET_EDGE_PIPELINE_SINK_COURIER_H

/* The part of a sink that hands things over to somebody else, by a URL of edge/send, with or without an outbox: the
 * whole of `send`, and what sinks of files do under their key `send` (file_sink.h). */

#include "edge/pipeline/inner.h"

#ifdef WHET_HAVE_OUTBOX
#include <pthread.h>

#include "edge/outbox/outbox.h"
#include "edge/send/send.h"

/* One thing among those that are gathered: its bytes end where its key begins, which ends with a NUL. */
typedef struct courier_letter {
  size_t key, end; /* the same: it has no key of its own */
  const char *type;
} courier_letter;

typedef struct courier_sack {
  serve_buf text;
  courier_letter *letter;
  size_t n, cap;
} courier_sack;

typedef struct courier {
  /* settings */
  const char *url, *outbox, *stream;
  send_opts s;
  outbox_opts o;
  double every, ttl, wait;
  size_t max_bytes, daily_bytes;
  int64_t priority, waiting, batch, attempts;
  conf_reals retry;
  bool hold; /* others deliver */

  pl_node *n;
  sender *sender;
  struct outbox *box;
  outbox_drain *drain;  /* set and unset under `look`, for those who ask how it goes */
  pthread_mutex_t look; /* a leaf but for the outbox's own */
  courier_sack g[2];    /* what comes, and what is being put */
  pthread_mutex_t lock; /* of what follows, and of g[now]; after the node's */
  pthread_cond_t some, space;
  int now;
  bool ends, runs, locked;
  pthread_t thread;
  _Atomic uint64_t sent; /* bytes over the link */
} courier;

#define COURIER_KEYS(type, field)                                                                                   \
  {.name = "url", CONF_STR, offsetof(type, field.url)}, {.name = "outbox", CONF_STR, offsetof(type, field.outbox)}, \
      {.name = "stream", CONF_STR, offsetof(type, field.stream)},                                                   \
      {.name = "priority", CONF_INT, offsetof(type, field.priority), NULL, -1000, 1000},                            \
      {.name = "ttl", CONF_SECONDS, offsetof(type, field.ttl)},                                                     \
      {.name = "every", CONF_SECONDS, offsetof(type, field.every), NULL, 0, 60},                                    \
      {.name = "waiting", CONF_INT, offsetof(type, field.waiting), NULL, 1, 1000000},                               \
      {.name = "wait", CONF_SECONDS, offsetof(type, field.wait)},                                                   \
      {.name = "hold", CONF_BOOL, offsetof(type, field.hold)},                                                      \
      {.name = "token", CONF_STR, offsetof(type, field.s.token)},                                                   \
      {.name = "ca", CONF_STR, offsetof(type, field.s.ca)},                                                         \
      {.name = "cert", CONF_STR, offsetof(type, field.s.cert)},                                                     \
      {.name = "key", CONF_STR, offsetof(type, field.s.key)},                                                       \
      {.name = "client", CONF_STR, offsetof(type, field.s.client)},                                                 \
      {.name = "timeout", CONF_SECONDS, offsetof(type, field.s.timeout), NULL, 0.01, 3600},                         \
      {.name = "compress", CONF_BOOL, offsetof(type, field.s.compress)},                                            \
      {.name = "single", CONF_BOOL, offsetof(type, field.s.single)},                                                \
      {.name = "batch", CONF_INT, offsetof(type, field.batch), NULL, 1, 100000},                                    \
      {.name = "max_bytes", CONF_BYTES, offsetof(type, field.max_bytes)},                                           \
      {.name = "max_records", CONF_INT, offsetof(type, field.o.max_records), NULL, 1, 1e15},                        \
      {.name = "full", CONF_CHOICE, offsetof(type, field.o.when_full), "refuse|drop-oldest"},                       \
      {.name = "daily_bytes", CONF_BYTES, offsetof(type, field.daily_bytes)},                                       \
      {.name = "attempts", CONF_INT, offsetof(type, field.attempts), NULL, 1, 1e6}, {                               \
    .name = "retry", CONF_REALS, offsetof(type, field.retry), NULL, 0.001, 86400                                    \
  }

/* Settings are there: check them; nothing is connected or written yet. map: where they stand; NULL: there is none. */
EDGE_MUST whet_status courier_open(pl_node *n, courier *c, const conf_node *map, whet_err *err);
EDGE_MUST whet_status courier_start(courier *c, whet_err *err);
/* Hand over some bytes of a media type that stays as long as the courier; key: NULL, one is made. Without an outbox
 * it waits for the answer. */
EDGE_MUST whet_status courier_give(courier *c, const void *data, size_t n, const char *type, const char *key,
                                   whet_err *err);
/* Put what was gathered; where the sources ended by themselves, wait for its delivery for a while. */
EDGE_MUST whet_status courier_flush(courier *c, whet_err *err);
/* A request under way is given up: without an outbox what it brings is lost, and counts as failed. */
void courier_stop(courier *c);
void courier_close(courier *c);
/* How full the outbox is, and the link's last trouble: a member for the counters. */
void courier_stats(courier *c, serve_buf *b);
bool courier_link(courier *c, pl_link *out);
#endif

#endif
