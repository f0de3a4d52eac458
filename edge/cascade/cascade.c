/* SPDX-License-Identifier: Apache-2.0 */
/* Deciding about cases. */

#include "edge/cascade/cascade.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edge/cascade/inner.h"
#include "edge/outbox/key.h"
#include "edge/wait.h"

whet_status cascade_open(const cascade_opts *o, const cascade_link *l, cascade **out, whet_err *err) {
  *out = NULL;
  cascade *c = calloc(1, sizeof *c);
  if (!c) {
    if (l->close) l->close(l->own);
    return edge_fail(err, WHET_E_MEMORY, "no memory for a cascade");
  }
  c->o = *o;
  c->link = *l;
  if (!(c->o.deadline > 0)) c->o.deadline = 0.2;
  if (c->o.failures < 1) c->o.failures = 5;
  if (!(c->o.pause > 0)) c->o.pause = 5;
  if (c->o.workers < 1) c->o.workers = 4;
  if (!c->o.queue) c->o.queue = 256;
  if (!(c->o.speed > 0)) c->o.speed = 1;
  c->pause = c->o.pause;
  c->seed = (uint64_t)edge_now() ^ (uint64_t)(uintptr_t)c;
  pthread_mutex_init(&c->lock, NULL);
  edge_cond_init(&c->change);
  whet_status s = cascade_pool_open(c, err);
  if (!s) s = cascade_store_open(c, err);
  if (s)
    cascade_close(&c);
  else
    *out = c;
  return s;
}

void cascade_close(cascade **pc) {
  cascade *c = *pc;
  if (!c) return;
  pthread_mutex_lock(&c->lock);
  c->end = true;
  pthread_cond_broadcast(&c->change);
  pthread_mutex_unlock(&c->lock);
  if (c->link.wake) c->link.wake(c->link.own);
  cascade_pool_close(c);
  cascade_store_close(c);
  if (c->link.close) c->link.close(c->link.own);
  pthread_mutex_destroy(&c->lock);
  pthread_cond_destroy(&c->change);
  free(c);
  *pc = NULL;
}

/* Why a hard case is not offloaded; NULL: it is. Under the lock. */
static const char *kept(cascade *c, const cascade_case *x) {
  if (!c->box && c->open) {
    c->stats.kept_breaker++;
    return "breaker";
  }
  if (c->store.n >= c->o.queue || c->ask.n >= c->o.queue) {
    c->stats.kept_queue++;
    return "queue";
  }
  if (!cascade_pay(c, (double)x->bytes + 300)) { /* and some for the heads of a request */
    c->stats.kept_budget++;
    return "budget";
  }
  return NULL;
}

/* Wait for a worker's answer until the deadline. Under the lock. */
static void await(cascade *c, cascade_job *j, cascade_result *r) {
  int64_t until = edge_after(c->o.deadline / c->o.speed);
  while (!j->done && !c->end)
    if (!edge_wait(&c->change, &c->lock, until)) break;
  if (j->done && !j->status) {
    r->best = j->best;
    r->remote = true;
    return;
  }
  if (j->done && cascade_refused(j->status)) return;
  r->provisional = c->box != NULL || !j->done;
  if (j->done && c->box) { /* it failed: to the disk */
    j->ref++;
    cascade_push(&c->store, j);
    pthread_cond_broadcast(&c->change);
  }
  j->left = true; /* else the worker sees to it when it comes */
}

whet_status cascade_decide(cascade *c, const float *scores, size_t n, const cascade_case *x, cascade_result *r,
                           whet_err *err) {
  *r = (cascade_result){0};
  r->hard = cascade_is_hard(&c->o.policy, scores, n, &r->sure, &r->best);
  if (x->key && strlen(x->key) >= sizeof r->key)
    return edge_fail(err, WHET_E_DATA, "a key of more than 63 characters");
  if (!r->hard) {
    pthread_mutex_lock(&c->lock);
    c->stats.cases++;
    pthread_mutex_unlock(&c->lock);
    return WHET_OK;
  }
  char made[37];
  if (!x->key) ob_key(made);
  snprintf(r->key, sizeof r->key, "%s", x->key ? x->key : made);
  cascade_job *j = cascade_job_new(r->key, x->rank, x->dims, x->data, x->bytes);
  if (!j)
    return edge_fail(err, WHET_E_MEMORY, "no memory for a case of %zu bytes, or more than %d dimensions", x->bytes,
                     REMOTE_RANK);
  pthread_mutex_lock(&c->lock);
  c->stats.cases++;
  c->stats.hard++;
  r->kept = kept(c, x);
  r->offloaded = !r->kept;
  if (r->offloaded) {
    c->stats.offloaded++;
    bool ask = c->o.mode == CASCADE_WAIT && !c->open;
    if (!ask && !c->box) ask = true; /* nowhere to lie: the workers have it at once */
    j->ref++;
    cascade_push(ask ? &c->ask : &c->store, j);
    pthread_cond_broadcast(&c->change);
    r->provisional = true;
    if (c->o.mode == CASCADE_CORRECT) j->left = true;
    if (ask && c->o.mode == CASCADE_WAIT) {
      r->provisional = false;
      await(c, j, r);
    }
  }
  cascade_job_drop(j);
  pthread_mutex_unlock(&c->lock);
  return WHET_OK;
}

void cascade_stat(cascade *c, cascade_stats *s) {
  int64_t kept = 0;
  if (c->box) (void)!outbox_waiting(c->box, &kept, NULL);
  pthread_mutex_lock(&c->lock);
  *s = c->stats;
  s->open = c->open;
  s->waiting = kept + (int64_t)c->store.n + (int64_t)c->ask.n;
  pthread_mutex_unlock(&c->lock);
}

int64_t cascade_settle(cascade *c, double seconds) {
  double end = cascade_now(c) + seconds;
  for (;;) {
    cascade_stats s;
    cascade_stat(c, &s);
    pthread_mutex_lock(&c->lock);
    int64_t left = s.waiting > c->in_hand ? s.waiting : c->in_hand;
    pthread_mutex_unlock(&c->lock);
    if (!left || cascade_now(c) >= end) return left;
    const struct timespec some = {0, 5000000};
    nanosleep(&some, NULL);
  }
}

/* ---- HTTP -------------------------------------------------------------------------------------- */

struct http {
  int n;
  remote *r[];
};

static whet_status ask(void *own, int worker, const char *id, int32_t rank, const int64_t *dims, const void *data,
                       size_t bytes, remote_answer *a, whet_err *err) {
  struct http *h = own;
  return remote_infer(h->r[worker], id, rank, dims, data, bytes, a, err);
}
static bool ready(void *own) {
  struct http *h = own;
  return remote_ready(h->r[h->n - 1]);
}
static void wake(void *own) {
  struct http *h = own;
  for (int i = 0; i < h->n; i++) remote_wake(h->r[i]);
}
static void close_http(void *own) {
  struct http *h = own;
  for (int i = 0; i < h->n; i++) remote_close(&h->r[i]);
  free(h);
}

whet_status cascade_http(const remote_opts *o, int workers, cascade_link *out, whet_err *err) {
  struct http *h = calloc(1, sizeof *h + (size_t)(workers + 1) * sizeof h->r[0]);
  if (!h) return edge_fail(err, WHET_E_MEMORY, "no memory for remotes");
  for (; h->n <= workers; h->n++) {
    whet_status s = remote_open(o, &h->r[h->n], err);
    if (!s) continue;
    close_http(h);
    return s;
  }
  *out = (cascade_link){h, ask, ready, wake, close_http};
  return WHET_OK;
}
