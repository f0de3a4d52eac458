/* SPDX-License-Identifier: Apache-2.0 */
/* Queues and workers. One lock guards all queues; runs hold none. */

#include "edge/serve/sched.h"

#include <stdlib.h>
#include <string.h>

#include "edge/wait.h"

enum { MOST_ROWS = 4096 };

typedef struct job {
  void (*fn)(void *arg);
  void *arg;
  struct job *next;
} job;

struct serve_sched {
  sched_opts o;
  pthread_mutex_t lock; /* all below, and the queues of versions */
  pthread_cond_t work;
  serve_version *waiting; /* versions whose queue is not empty */
  job *first, *last;
  int64_t n; /* requests that wait */
  bool ends;
  pthread_t *thread;
  int threads;
};

static void *worker(void *arg);

whet_status sched_create(const sched_opts *o, serve_sched **out, whet_err *err) {
  serve_sched *s = calloc(1, sizeof *s);
  *out = NULL;
  if (s) s->thread = calloc((size_t)o->workers, sizeof *s->thread);
  if (!s || !s->thread) {
    free(s);
    return edge_fail(err, WHET_E_MEMORY, "no memory for the workers");
  }
  s->o = *o;
  pthread_mutex_init(&s->lock, NULL);
  edge_cond_init(&s->work);
  for (; s->threads < o->workers; s->threads++)
    if (pthread_create(&s->thread[s->threads], NULL, worker, s)) break;
  if (!s->threads) {
    sched_close(&s);
    return edge_fail(err, WHET_E_SYSTEM, "no thread for a worker");
  }
  *out = s;
  return WHET_OK;
}

/* Unlink from its version's queue; prev NULL: it is the head. */
static void unlink_from(serve_sched *s, serve_version *v, int p, serve_infer *prev, serve_infer *x) {
  *(prev ? &prev->next : &v->head[p]) = x->next;
  if (v->tail[p] == x) v->tail[p] = prev;
  x->next = NULL;
  v->waiting--;
  v->waiting_rows -= x->rows;
  s->n--;
}

/* Take the version out of the list when nothing waits for it. */
static void unlist(serve_sched *s) {
  for (serve_version **at = &s->waiting; *at;) {
    serve_version *v = *at;
    if (v->waiting) {
      at = &v->next_waiting;
      continue;
    }
    *at = v->next_waiting;
    v->listed = false;
  }
}

/* Unlink everything that `fn` picks into a list. */
static serve_infer *pick_out(serve_sched *s, bool (*fn)(const serve_infer *x, const void *arg), const void *arg) {
  serve_infer *out = NULL;
  for (serve_version *v = s->waiting; v; v = v->next_waiting)
    for (int p = 0; p < VERSION_PRIORITIES; p++)
      for (serve_infer *prev = NULL, *x = v->head[p], *next; x; x = next) {
        next = x->next;
        if (!fn(x, arg)) {
          prev = x;
          continue;
        }
        unlink_from(s, v, p, prev, x);
        x->next = out;
        out = x;
      }
  unlist(s);
  return out;
}

static bool all(const serve_infer *x, const void *arg) {
  (void)x;
  (void)arg;
  return true;
}
/* A request that cannot be done in time any more, also when its run takes a quarter longer than runs do, makes way
 * for those that can; one that is alone is tried. */
static bool late(const serve_infer *x, const void *now) {
  int64_t run = x->v->waiting > 1 ? x->v->run_ns : 0;
  return whet_cancel_raised(&x->cancel) || x->deadline - run - run / 4 <= *(const int64_t *)now;
}

void sched_end(serve_sched *s) {
  pthread_mutex_lock(&s->lock);
  s->ends = true;
  serve_infer *left = pick_out(s, all, NULL);
  pthread_cond_broadcast(&s->work);
  pthread_mutex_unlock(&s->lock);
  while (left) {
    serve_infer *x = left;
    left = x->next;
    edge_fail(&x->err, WHET_E_CANCELLED, "the server ends");
    s->o.done(x);
  }
  for (; s->threads; s->threads--) pthread_join(s->thread[s->threads - 1], NULL);
  while (s->first) { /* a worker without memory for its list ended at once */
    job *j = s->first;
    s->first = j->next;
    j->fn(j->arg);
    free(j);
  }
}

void sched_close(serve_sched **at) {
  serve_sched *s = *at;
  *at = NULL;
  if (!s) return;
  sched_end(s);
  pthread_cond_destroy(&s->work);
  pthread_mutex_destroy(&s->lock);
  free(s->thread);
  free(s);
}

bool sched_at_once(serve_sched *s, serve_infer *x) {
  serve_version *v = x->v;
  whet_err err = {0};
  if (v->set.c.batch_max || atomic_load_explicit(&v->waiting, memory_order_relaxed) ||
      (double)atomic_load_explicit(&v->run_ns, memory_order_relaxed) > s->o.at_once * 1e9)
    return false;
  serve_instance *i = version_take(v, &err);
  if (!i) return false;
  infer_run(&x, 1, i);
  version_give(v, i);
  if (atomic_load_explicit(&v->waiting, memory_order_relaxed)) {
    pthread_mutex_lock(&s->lock);
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
  }
  return true;
}

/* How long a request of this version would wait and run, by how fast its queue went of late and how much waits. */
static int64_t expected(const serve_version *v) {
  int64_t run = v->run_ns, each = v->set.c.batch_max ? v->set.c.batch_max : 1;
  int64_t runs = (v->waiting_rows + each - 1) / each, pace = run / v->most;
  if (v->pace_ns > pace) pace = v->pace_ns;
  return runs * pace + run + (int64_t)(v->set.c.batch_max ? v->set.c.batch_delay * 1e9 : 0);
}

/* A run has ended: when others waited all the while, the time since the one before is the pace of the queue, whatever
 * else the processors have to do. */
static void learn_pace(serve_version *v) {
  int64_t now = edge_now();
  if (v->last_done) v->pace_ns = v->pace_ns ? v->pace_ns + (now - v->last_done - v->pace_ns) / 8 : now - v->last_done;
  v->last_done = v->waiting ? now : 0;
}

/* Is there room and time for one more? The lock is held. */
static sched_verdict judge(serve_sched *s, serve_version *v, int64_t deadline, int64_t *wait_ns) {
  sched_verdict verdict = SCHED_QUEUED;
  *wait_ns = expected(v);
  if (s->ends)
    verdict = SCHED_ENDS;
  else if (v->waiting >= v->set.c.queue)
    verdict = SCHED_FULL;
  else if (v->run_ns && v->waiting && edge_now() + *wait_ns + *wait_ns / 8 + v->run_ns / 2 > deadline)
    verdict = SCHED_LATE;
  if (verdict != SCHED_QUEUED) atomic_fetch_add_explicit(&v->stats.rejected, 1, memory_order_relaxed);
  return verdict;
}

sched_verdict sched_ask(serve_sched *s, serve_version *v, int64_t deadline, int64_t *wait_ns) {
  *wait_ns = 0;
  if (!atomic_load_explicit(&v->waiting, memory_order_relaxed)) return SCHED_QUEUED;
  pthread_mutex_lock(&s->lock);
  sched_verdict verdict = judge(s, v, deadline, wait_ns);
  pthread_mutex_unlock(&s->lock);
  return verdict;
}

sched_verdict sched_queue(serve_sched *s, serve_infer *x, int64_t *wait_ns) {
  serve_version *v = x->v;
  pthread_mutex_lock(&s->lock);
  sched_verdict verdict = judge(s, v, x->deadline, wait_ns);
  if (verdict == SCHED_QUEUED) {
    int p = x->priority < VERSION_PRIORITIES ? x->priority : VERSION_PRIORITIES - 1;
    x->next = NULL;
    *(v->tail[p] ? &v->tail[p]->next : &v->head[p]) = x;
    v->tail[p] = x;
    v->waiting++;
    v->waiting_rows += x->rows;
    s->n++;
    if (!v->listed) {
      v->listed = true;
      v->next_waiting = s->waiting;
      s->waiting = v;
    }
    pthread_cond_signal(&s->work);
  }
  pthread_mutex_unlock(&s->lock);
  return verdict;
}

bool sched_job(serve_sched *s, void (*fn)(void *arg), void *arg) {
  job *j = malloc(sizeof *j);
  if (!j) return false;
  *j = (job){fn, arg, NULL};
  pthread_mutex_lock(&s->lock);
  bool ends = s->ends;
  if (!ends) {
    *(s->last ? &s->last->next : &s->first) = j;
    s->last = j;
    pthread_cond_signal(&s->work);
  }
  pthread_mutex_unlock(&s->lock);
  if (ends) free(j);
  return !ends;
}

/* Answer those that were picked out because they are late, or their clients gone. No lock is held. */
static void answer_late(serve_sched *s, serve_infer *left, int64_t now) {
  while (left) {
    serve_infer *x = left;
    left = x->next;
    bool gone = whet_cancel_raised(&x->cancel);
    atomic_fetch_add_explicit(gone ? &x->v->stats.cancelled : &x->v->stats.expired, 1, memory_order_relaxed);
    if (gone)
      edge_fail(&x->err, WHET_E_CANCELLED, "the client left");
    else
      edge_fail(&x->err, WHET_E_DEADLINE, "the deadline passed after %.3g ms in the queue",
                (double)(now - x->arrived) * 1e-6);
    stats_fail(&x->v->stats, now - x->arrived);
    s->o.done(x);
  }
}

void sched_expire(serve_sched *s) {
  int64_t now = edge_now();
  pthread_mutex_lock(&s->lock);
  serve_infer *left = s->n ? pick_out(s, late, &now) : NULL;
  pthread_mutex_unlock(&s->lock);
  answer_late(s, left, now);
}

int64_t sched_waiting(serve_sched *s) {
  pthread_mutex_lock(&s->lock);
  int64_t n = s->n;
  pthread_mutex_unlock(&s->lock);
  return n;
}

/* The first that waits for a version, its priority, and when its run may begin. */
static serve_infer *head_of(serve_version *v, int *p, int64_t *ready) {
  int64_t delay = v->set.c.batch_max ? (int64_t)(v->set.c.batch_delay * 1e9) : 0;
  for (*p = 0; *p < VERSION_PRIORITIES; ++*p)
    if (v->head[*p]) {
      serve_infer *x = v->head[*p];
      int64_t oldest = x->arrived;
      for (int q = 0; q < VERSION_PRIORITIES; q++)
        if (v->head[q] && v->head[q]->arrived < oldest) oldest = v->head[q]->arrived;
      *ready = v->waiting_rows >= v->set.c.batch_max ? 0 : oldest + delay;
      return x;
    }
  return NULL;
}

/* The version to run next: free, ready, highest priority, first come. NULL: none; *wake is when one will be ready. */
static serve_version *next_version(serve_sched *s, int64_t now, int64_t *wake) {
  serve_version *best = NULL;
  int best_p = 0;
  int64_t best_arrived = 0;
  *wake = INT64_MAX;
  for (serve_version *v = s->waiting; v; v = v->next_waiting) {
    int p;
    int64_t ready;
    serve_infer *x = head_of(v, &p, &ready);
    if (!x || !version_free(v)) continue;
    if (ready > now) {
      if (ready < *wake) *wake = ready;
      continue;
    }
    if (!best || p < best_p || (p == best_p && x->arrived < best_arrived))
      best = v, best_p = p, best_arrived = x->arrived;
  }
  return best;
}

/* Unlink what shall run together: the first that waits, and others like it while there is room. */
static size_t gather(serve_sched *s, serve_version *v, serve_infer **x) {
  size_t n = 0;
  int64_t rows = 0, most = v->set.c.batch_max ? v->set.c.batch_max : 1;
  for (int p = 0; p < VERSION_PRIORITIES; p++)
    for (serve_infer *prev = NULL, *at = v->head[p], *next; at; at = next) {
      next = at->next;
      if ((n && (!v->set.c.batch_max || !infer_alike(x[0], at))) || (n && rows + at->rows > most) || n == MOST_ROWS) {
        prev = at;
        continue;
      }
      unlink_from(s, v, p, prev, at);
      rows += at->rows;
      x[n++] = at;
    }
  unlist(s);
  return n;
}

/* Run one gathering of a version. The lock is held before and after. */
static void serve_one(serve_sched *s, serve_version *v, serve_infer **x) {
  whet_err err = {0};
  serve_instance *i = version_take(v, &err);
  if (!i && !err.code) return; /* somebody else was quicker */
  size_t n = gather(s, v, x);
  v = version_ref(v); /* the requests may be gone before the instance is given back */
  pthread_mutex_unlock(&s->lock);
  if (i) {
    infer_run(x, n, i);
    version_give(v, i);
  }
  for (size_t k = 0; k < n; k++) {
    if (!i) x[k]->err = err;
    s->o.done(x[k]);
  }
  pthread_mutex_lock(&s->lock);
  learn_pace(v);
  if (s->waiting) pthread_cond_signal(&s->work);
  pthread_mutex_unlock(&s->lock);
  version_unref(&v);
  pthread_mutex_lock(&s->lock);
}

static void *worker(void *arg) {
  serve_sched *s = arg;
  serve_infer **x = malloc(MOST_ROWS * sizeof *x);
  pthread_mutex_lock(&s->lock);
  while (x) {
    int64_t wake, now = edge_now();
    job *j = s->first;
    if (j) {
      s->first = j->next;
      if (!s->first) s->last = NULL;
      pthread_mutex_unlock(&s->lock);
      j->fn(j->arg);
      free(j);
      pthread_mutex_lock(&s->lock);
      continue;
    }
    serve_infer *left = s->n > 1 ? pick_out(s, late, &now) : NULL; /* no run is begun for nothing */
    if (left) {
      pthread_mutex_unlock(&s->lock);
      answer_late(s, left, now);
      pthread_mutex_lock(&s->lock);
      continue;
    }
    serve_version *v = next_version(s, now, &wake);
    if (v) {
      serve_one(s, v, x);
    } else if (s->ends) {
      break;
    } else if (wake == INT64_MAX) {
      pthread_cond_wait(&s->work, &s->lock);
    } else {
      edge_wait(&s->work, &s->lock, wake);
    }
  }
  pthread_mutex_unlock(&s->lock);
  free(x);
  return NULL;
}
