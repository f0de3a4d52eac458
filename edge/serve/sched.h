/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_SCHED_H
#define WHET_EDGE_SERVE_SCHED_H

/* Who runs when. A request whose model is free and quick runs at once, on the thread that read it. All others wait in
 * their model's queue, by priority and then by arrival, for one of the workers; the queue is bounded, and a request
 * that would come too late is turned away when it arrives. */

#include "edge/serve/infer.h"

typedef struct serve_sched serve_sched;

typedef struct sched_opts {
  int workers;
  double at_once;               /* runs up to so many seconds are made on the thread that asks */
  void (*done)(serve_infer *x); /* the request has its reply or err; any thread, no lock is held */
} sched_opts;

EDGE_MUST whet_status sched_create(const sched_opts *o, serve_sched **out, whet_err *err);
/* Ends the workers: jobs are done, what waits is answered with E_CANCELLED, what comes later is refused. */
void sched_end(serve_sched *s);
/* The same, and frees it: no thread may know it any more. */
void sched_close(serve_sched **s);

/* Run it now if it may be run at once: then true, and it is answered without `done`. */
bool sched_at_once(serve_sched *s, serve_infer *x);

/* Why a request is turned away. */
typedef enum sched_verdict {
  SCHED_QUEUED,
  SCHED_FULL, /* the model's queue has no room */
  SCHED_LATE, /* it would not be done by its deadline */
  SCHED_ENDS  /* the server ends */
} sched_verdict;
/* What would be said to a request for this version that nobody waits for after `deadline`? Counted when it is turned
 * away. wait_ns receives for how long it would have to wait. */
sched_verdict sched_ask(serve_sched *s, serve_version *v, int64_t deadline, int64_t *wait_ns);
/* Queue it; `done` follows. Otherwise it stays the caller's. */
sched_verdict sched_queue(serve_sched *s, serve_infer *x, int64_t *wait_ns);

/* Have a worker run fn(arg), for work that blocks. False: the server ends. */
bool sched_job(serve_sched *s, void (*fn)(void *arg), void *arg);

/* Answer those that wait although their deadline passed or their client left (cancel was raised). */
void sched_expire(serve_sched *s);
/* How many wait. */
int64_t sched_waiting(serve_sched *s);

#endif
