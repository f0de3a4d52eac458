/* SPDX-License-Identifier: Apache-2.0 */
/* Workers that ask the remote, and the breaker: after some failures in a row nobody is asked until the server is seen
 * again. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/cascade/inner.h"
#include "edge/wait.h"

cascade_job *cascade_job_new(const char *key, int32_t rank, const int64_t *dims, const void *data, size_t bytes) {
  if (rank < 0 || rank > REMOTE_RANK) return NULL;
  cascade_job *j = malloc(sizeof *j + bytes);
  if (!j) return NULL;
  memset(j, 0, sizeof *j);
  j->ref = 1;
  snprintf(j->key, sizeof j->key, "%s", key);
  j->rank = rank;
  memcpy(j->dims, dims, (size_t)rank * sizeof *dims);
  j->bytes = bytes;
  memcpy(j->data, data, bytes);
  return j;
}

void cascade_job_drop(cascade_job *j) {
  if (--j->ref) return;
  free(j->scores);
  free(j);
}

void cascade_push(cascade_list *l, cascade_job *j) {
  if (!l->first) l->last = &l->first;
  j->next = NULL;
  *l->last = j;
  l->last = &j->next;
  l->n++;
}
cascade_job *cascade_pop(cascade_list *l) {
  cascade_job *j = l->first;
  if (!j) return NULL;
  l->first = j->next;
  l->n--;
  return j;
}

bool cascade_correct(cascade *c, const cascade_job *j) {
  const cascade_correction x = {.key = j->key, .scores = j->scores, .n = j->n, .best = j->best, .late = true};
  pthread_mutex_unlock(&c->lock);
  bool given = !c->o.correct || c->o.correct(c->o.user, &x);
  pthread_mutex_lock(&c->lock);
  c->stats.corrected += given;
  return given;
}

/* The answer of a job, or its failure. Under the lock. */
static void finish(cascade *c, cascade_job *j, whet_status s, const remote_answer *a) {
  j->status = s;
  c->stats.up += a->up, c->stats.down += a->down;
  c->stats.hedged += a->hedged;
  snprintf(j->why, sizeof j->why, "%.119s", a->why ? a->why : "");
  if (!s) {
    c->stats.answered++;
    c->failures = 0;
  } else if (cascade_refused(s)) {
    c->stats.refused++;
  } else {
    c->stats.failed++;
    if (++c->failures >= c->o.failures) c->open = true;
  }
  j->done = true;
  pthread_cond_broadcast(&c->change);
}

/* It came when nobody waited any more: a correction, and where it cannot be given or there was none, the outbox. */
static void belated(cascade *c, cascade_job *j) {
  bool given = !j->status && cascade_correct(c, j);
  if (!given && c->box && !cascade_refused(j->status)) {
    j->ref++;
    cascade_push(&c->store, j);
    pthread_cond_broadcast(&c->change);
  }
}

static void serve(cascade *c, int worker, cascade_job *j) {
  whet_err err = {0};
  remote_answer a = {0};
  pthread_mutex_unlock(&c->lock);
  whet_status s = c->link.ask(c->link.own, worker, j->key, j->rank, j->dims, j->data, j->bytes, &a, &err);
  if (!s) {
    j->scores = malloc(a.n * sizeof *j->scores);
    if (j->scores) {
      memcpy(j->scores, a.numbers, a.n * sizeof *j->scores);
      j->n = a.n;
      for (size_t i = 1; i < a.n; i++)
        if (j->scores[i] > j->scores[j->best]) j->best = (int32_t)i;
    } else {
      s = WHET_E_MEMORY;
    }
  }
  pthread_mutex_lock(&c->lock);
  finish(c, j, s, &a);
  if (j->left) belated(c, j);
  cascade_job_drop(j);
}

struct arg {
  cascade *c;
  int worker;
};

static void *work(void *p) {
  struct arg a = *(struct arg *)p;
  cascade *c = a.c;
  free(p);
  pthread_mutex_lock(&c->lock);
  for (;;) {
    cascade_job *j = c->end ? NULL : cascade_pop(&c->ask);
    if (j) {
      serve(c, a.worker, j);
      continue;
    }
    if (c->end) break;
    pthread_cond_wait(&c->change, &c->lock);
  }
  pthread_mutex_unlock(&c->lock);
  return NULL;
}

/* Sleep until the next look; the pauses double to a minute. A part of each is drawn: a link that comes and goes at a
 * steady beat must not be down at every look. Under the lock; false: the end. */
static bool pause_probe(cascade *c) {
  int64_t until = edge_after(c->pause * (0.5 + 0.5 * edge_draw(&c->seed)) / c->o.speed);
  while (!c->end && edge_wait(&c->change, &c->lock, until)) {
  }
  c->pause = fmin(2 * c->pause, fmax(c->o.pause, 60));
  return !c->end;
}

/* While the breaker is open, look now and then whether the server is there; once it is, cases that wait go at once.
 */
static void *probe(void *p) {
  cascade *c = p;
  pthread_mutex_lock(&c->lock);
  while (!c->end) {
    if (!c->open) {
      c->pause = c->o.pause;
      pthread_cond_wait(&c->change, &c->lock);
      continue;
    }
    if (!pause_probe(c)) break;
    pthread_mutex_unlock(&c->lock);
    bool up = c->link.ready(c->link.own);
    pthread_mutex_lock(&c->lock);
    if (!up) continue;
    c->open = false;
    c->failures = 0;
    pthread_cond_broadcast(&c->change);
    pthread_mutex_unlock(&c->lock);
    if (c->box) outbox_retry(c->box);
    pthread_mutex_lock(&c->lock);
  }
  pthread_mutex_unlock(&c->lock);
  return NULL;
}

whet_status cascade_pool_open(cascade *c, whet_err *err) {
  c->worker = calloc((size_t)c->o.workers, sizeof *c->worker);
  if (!c->worker) return edge_fail(err, WHET_E_MEMORY, "no memory for workers");
  for (; c->n_worker < c->o.workers; c->n_worker++) {
    struct arg *a = malloc(sizeof *a);
    if (a) *a = (struct arg){c, c->n_worker};
    if (!a || pthread_create(&c->worker[c->n_worker], NULL, work, a)) {
      free(a);
      return edge_fail(err, WHET_E_MEMORY, "no thread for a worker");
    }
  }
  c->has_prober = !pthread_create(&c->prober, NULL, probe, c);
  return c->has_prober ? WHET_OK : edge_fail(err, WHET_E_MEMORY, "no thread for the breaker");
}

void cascade_pool_close(cascade *c) {
  for (int i = 0; i < c->n_worker; i++) pthread_join(c->worker[i], NULL);
  if (c->has_prober) pthread_join(c->prober, NULL);
  for (cascade_job *j; (j = cascade_pop(&c->ask));) cascade_job_drop(j);
  free(c->worker);
}
