/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_WATCH_H
#define WHET_EDGE_SERVE_WATCH_H

/* A thread that looks after what waits: clients that leave while their request waits or runs, deadlines that pass,
 * connections that send so slowly that they only hold a place, and those whose request was left unfinished. */

#include <stdatomic.h>

#include "edge/edge.h"

typedef struct serve_watch serve_watch;
typedef uint64_t watch_ticket; /* 0: none */

typedef struct watch_opts {
  void (*left)(void *user, void *what); /* the client of `what` is gone; `what` is alive during the call */
  void (*tick)(void *user);             /* every few milliseconds while something is watched */
  void *user;
  double slow; /* seconds for a request to arrive */
} watch_opts;

EDGE_MUST whet_status watch_create(const watch_opts *o, serve_watch **out, whet_err *err);
void watch_close(serve_watch **w);

/* Tell when the other end of fd goes. */
watch_ticket watch_add(serve_watch *w, int fd, void *what);
/* After it `left` is not called for it. */
void watch_drop(serve_watch *w, watch_ticket t);

/* Connections: one opens, closes; a request of it arrived whole; its bytes since then are counted as slow. */
typedef struct watch_conn watch_conn;
watch_conn *watch_open(serve_watch *w, int fd);
void watch_whole(watch_conn *c);
void watch_gone(serve_watch *w, watch_conn **c);

#endif
