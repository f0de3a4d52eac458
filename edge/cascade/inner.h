/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_CASCADE_INNER_H
#define WHET_EDGE_CASCADE_INNER_H

/* What the files of the cascade share. */

#include <pthread.h>
#include <stdatomic.h>

#include "edge/cascade/cascade.h"
#include "edge/outbox/outbox.h"
#include "edge/send/inner.h"

/* A case on its way: with a worker, or on its way to the disk. Counted: who waits and who works. */
typedef struct cascade_job {
  struct cascade_job *next;
  int ref;
  char key[64];
  int32_t rank;
  int64_t dims[REMOTE_RANK];
  size_t bytes;
  bool done, left; /* answered or failed; nobody waits for it any more */
  whet_status status;
  char why[120];
  float *scores;
  size_t n;
  int32_t best;
  uint8_t data[];
} cascade_job;

typedef struct cascade_list {
  cascade_job *first, **last;
  size_t n;
} cascade_list;

/* Money and the like: what is left, filled up over an hour. */
typedef struct cascade_purse {
  double left[4]; /* bytes, requests, money, joules */
  double at;      /* seconds, when it was last filled */
  bool begun;
} cascade_purse;

struct cascade {
  cascade_opts o;
  cascade_link link;
  pthread_mutex_t lock;    /* all that follows but what the threads own */
  pthread_cond_t change;   /* broadcast on every change of a list or job */
  cascade_list ask, store; /* for the workers; for the thread that writes */
  pthread_t *worker, writer, prober;
  int n_worker;
  bool has_writer, has_prober, end;
  cascade_purse purse;
  int failures;
  bool open;
  double pause;  /* seconds until the next look, less what is drawn */
  uint64_t seed; /* for that */
  cascade_stats stats;
  outbox *box;
  sender *sender;
  outbox_drain *drain;
  int64_t in_hand; /* cases that the writer or the drain has in hand */
};

cascade_job *cascade_job_new(const char *key, int32_t rank, const int64_t *dims, const void *data, size_t bytes);
void cascade_job_drop(cascade_job *j); /* under the lock */
/* The other side answered that it will never take it: the link is up, and asking again will not help. */
static inline bool cascade_refused(whet_status s) { return s == WHET_E_UNSUPPORTED || s == WHET_E_DATA; }
/* Hand the answer of a job on as a correction; false: it was not taken. Under the lock, which is let go for it. */
bool cascade_correct(cascade *c, const cascade_job *j);
void cascade_push(cascade_list *l, cascade_job *j);
cascade_job *cascade_pop(cascade_list *l);

/* budget.c: may it cost that? Then it is taken. Under the lock. */
bool cascade_pay(cascade *c, double bytes);
/* Seconds by the cascade's clock. */
double cascade_now(const cascade *c);

/* store.c: the outbox and the thread that fills it. */
whet_status cascade_store_open(cascade *c, whet_err *err);
void cascade_store_close(cascade *c);
/* pool.c: workers and the breaker. */
whet_status cascade_pool_open(cascade *c, whet_err *err);
void cascade_pool_close(cascade *c);

#endif
