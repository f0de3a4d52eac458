/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that delivers: take, send, settle, and wait for more. */

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/outbox/inner.h"
#include "edge/send/send.h"
#include "edge/wait.h"

struct outbox_drain {
  outbox *o;
  sender *s;
  outbox_drain_opts opts;
  pthread_t thread;
  _Atomic bool stop;
  pthread_mutex_t lock; /* trouble; a leaf */
  char trouble[120];
  int64_t down; /* since when nothing gets through; 0: it does */
  whet_err err;
  whet_status status;
};

/* What was put and asked for until now. */
struct seen {
  uint64_t puts, retries;
};
static struct seen look(outbox_drain *d) {
  pthread_mutex_lock(&d->o->wake_lock);
  struct seen s = {d->o->puts, d->o->retries};
  pthread_mutex_unlock(&d->o->wake_lock);
  return s;
}

/* Until something is put, `wait` seconds are over (< 0: a second, since other processes may put), the link is seen
 * again, or the end. */
static void rest(outbox_drain *d, struct seen seen, double wait) {
  int64_t until = edge_after(wait < 0 || wait > 1 ? 1 : wait);
  pthread_mutex_lock(&d->o->wake_lock);
  while (!atomic_load(&d->stop) && d->o->retries == seen.retries && (d->o->puts == seen.puts || wait > 0))
    if (!edge_wait(&d->o->wake, &d->o->wake_lock, until)) break;
  pthread_mutex_unlock(&d->o->wake_lock);
}

static void note(outbox_drain *d, const outbox_batch *b, const outbox_answer *a, int64_t bytes) {
  const char *why = "";
  bool through = false;
  for (size_t i = 0; i < b->n; i++) through |= a[i].fate == OUTBOX_SENT || a[i].fate == OUTBOX_REFUSED;
  for (size_t i = 0; i < b->n && !*why; i++)
    if (a[i].fate != OUTBOX_SENT) why = a[i].why;
  if (d->opts.sent) atomic_fetch_add(d->opts.sent, (uint64_t)bytes);
  pthread_mutex_lock(&d->lock);
  snprintf(d->trouble, sizeof d->trouble, "%s", why);
  if (through)
    d->down = 0;
  else if (!d->down)
    d->down = edge_now();
  pthread_mutex_unlock(&d->lock);
}

/* One batch; *end: all is delivered and that was all. */
static whet_status turn(outbox_drain *d, outbox_batch *b, outbox_answer *a, bool *end) {
  double wait;
  int64_t bytes;
  struct seen seen = look(d);
  EDGE_TRY(outbox_take(d->o, d->opts.batch, d->opts.batch_bytes, b, &wait, &d->err));
  *end = !b->n && wait < 0 && d->opts.once;
  if (!b->n) {
    if (!*end) rest(d, seen, wait);
    return WHET_OK;
  }
  EDGE_TRY(send_batch(d->s, b, a, &bytes, &d->err));
  note(d, b, a, bytes);
  EDGE_TRY(outbox_spend(d->o, bytes, &d->err));
  return outbox_settle(d->o, b, a, &d->err);
}

/* A full disk and other trouble of the file are waited out: what is not settled is sent again. */
static whet_status deliver(outbox_drain *d, outbox_batch *b, outbox_answer *a) {
  bool end = false;
  while (!atomic_load(&d->stop) && !end) {
    whet_status s = turn(d, b, a, &end);
    bool passes = s == WHET_E_IO || s == WHET_E_LIMIT;
    if (s && (!passes || d->opts.once)) return s;
    if (!s) continue;
    pthread_mutex_lock(&d->lock);
    snprintf(d->trouble, sizeof d->trouble, "%.119s", d->err.text);
    pthread_mutex_unlock(&d->lock);
    d->err = (whet_err){0};
    rest(d, look(d), 1);
  }
  return WHET_OK;
}

static void *work(void *arg) {
  outbox_drain *d = arg;
  outbox_batch b = {0};
  outbox_answer *a = malloc(d->opts.batch * sizeof *a);
  d->status = a ? deliver(d, &b, a) : edge_fail(&d->err, WHET_E_MEMORY, "no memory for a batch");
  outbox_batch_free(&b);
  free(a);
  return NULL;
}

whet_status outbox_drain_start(outbox *o, sender *s, const outbox_drain_opts *opts, outbox_drain **out,
                               whet_err *err) {
  *out = NULL;
  EDGE_TRY(outbox_claim(o, err));
  outbox_drain *d = calloc(1, sizeof *d);
  if (!d) return edge_fail(err, WHET_E_MEMORY, "no memory to deliver");
  d->o = o, d->s = s, d->opts = *opts;
  if (!d->opts.batch) d->opts.batch = 500;
  if (!d->opts.batch_bytes) d->opts.batch_bytes = 1 << 20;
  pthread_mutex_init(&d->lock, NULL);
  if (pthread_create(&d->thread, NULL, work, d)) {
    pthread_mutex_destroy(&d->lock);
    free(d);
    return edge_fail(err, WHET_E_MEMORY, "no thread to deliver");
  }
  *out = d;
  return WHET_OK;
}

whet_status outbox_drain_wait(outbox_drain **pd, whet_err *err) {
  outbox_drain *d = *pd;
  if (!d) return WHET_OK;
  pthread_join(d->thread, NULL);
  whet_status s = d->status;
  if (s) edge_fail(err, s, "%s", d->err.text);
  pthread_mutex_destroy(&d->lock);
  free(d);
  *pd = NULL;
  return s;
}

whet_status outbox_drain_stop(outbox_drain **d, whet_err *err) {
  if (!*d) return WHET_OK;
  outbox *o = (*d)->o;
  pthread_mutex_lock(&o->wake_lock);
  atomic_store(&(*d)->stop, true);
  pthread_cond_broadcast(&o->wake);
  pthread_mutex_unlock(&o->wake_lock);
  send_wake((*d)->s);
  return outbox_drain_wait(d, err);
}

double outbox_drain_down(outbox_drain *d) {
  pthread_mutex_lock(&d->lock);
  double down = d->down ? (double)(edge_now() - d->down) * 1e-9 : 0;
  pthread_mutex_unlock(&d->lock);
  return down;
}

void outbox_drain_trouble(outbox_drain *d, char text[120]) {
  pthread_mutex_lock(&d->lock);
  memcpy(text, d->trouble, sizeof d->trouble);
  pthread_mutex_unlock(&d->lock);
}
