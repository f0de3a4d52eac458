/* SPDX-License-Identifier: Apache-2.0 */
/* A ring under a lock. A frame that begins an item passes that on when it is dropped, so that states begin anew. */

#include "edge/pipeline/queue.h"

#include <stdlib.h>

whet_status pl_queue_init(pl_queue *q, size_t size, pl_full full, whet_err *err) {
  *q = (pl_queue){.size = size, .full = full, .ring = calloc(size, sizeof(pl_frame *))};
  if (!q->ring) return edge_fail(err, WHET_E_MEMORY, "no memory for a queue of %zu frames", size);
  pthread_mutex_init(&q->lock, NULL);
  pthread_cond_init(&q->some, NULL);
  pthread_cond_init(&q->space, NULL);
  return WHET_OK;
}

/* The first frame; the lock is held and there is one. */
static pl_frame *shift(pl_queue *q) {
  pl_frame *f = q->ring[q->at];
  q->at = (q->at + 1) % q->size;
  q->n--;
  return f;
}

static void drop(pl_queue *q, pl_frame *f) {
  q->dropped++;
  q->owed |= f->begin;
  pl_frame_free(f);
}

void pl_queue_free(pl_queue *q) {
  if (!q->ring) return;
  while (q->n) pl_frame_free(shift(q));
  for (pl_frame *f; (f = q->late); pl_frame_free(f)) q->late = f->next;
  free(q->ring);
  q->ring = NULL;
  pthread_mutex_destroy(&q->lock);
  pthread_cond_destroy(&q->some);
  pthread_cond_destroy(&q->space);
}

bool pl_queue_put(pl_queue *q, pl_frame *f) {
  pthread_mutex_lock(&q->lock);
  q->in++;
  while (q->full == PL_BLOCK && q->n == q->size && !q->closed) pthread_cond_wait(&q->space, &q->lock);
  bool open = !q->closed;
  if (!open || (q->n == q->size && q->full == PL_DROP_NEWEST)) {
    drop(q, f);
  } else {
    if (q->n == q->size) drop(q, shift(q));
    if (q->owed && q->full == PL_DROP_NEWEST) f->begin = true, q->owed = false;
    q->ring[(q->at + q->n++) % q->size] = f;
    if (q->n > q->deepest) q->deepest = q->n;
    pthread_cond_signal(&q->some);
  }
  pthread_mutex_unlock(&q->lock);
  return open;
}

/* The first correction; the lock is held. */
static pl_frame *shift_late(pl_queue *q) {
  pl_frame *f = q->late;
  if (!f) return NULL;
  if (!(q->late = f->next)) q->last_late = &q->late;
  q->n_late--;
  f->next = NULL;
  return f;
}

bool pl_queue_put_late(pl_queue *q, pl_frame *f) {
  pthread_mutex_lock(&q->lock);
  bool ok = !q->over && q->n_late < q->size + 16;
  if (ok) {
    f->next = NULL;
    if (!q->late) q->last_late = &q->late;
    *q->last_late = f;
    q->last_late = &f->next;
    q->n_late++;
    pthread_cond_signal(&q->some);
  }
  pthread_mutex_unlock(&q->lock);
  if (!ok) pl_frame_free(f);
  return ok;
}

pl_frame *pl_queue_take_late(pl_queue *q) {
  pthread_mutex_lock(&q->lock);
  pl_frame *f = shift_late(q);
  pthread_mutex_unlock(&q->lock);
  return f;
}

void pl_queue_over(pl_queue *q) {
  pthread_mutex_lock(&q->lock);
  q->over = true;
  pthread_mutex_unlock(&q->lock);
}

bool pl_queue_lend(pl_queue *q) {
  pthread_mutex_lock(&q->lock);
  bool ok = q->full == PL_BLOCK && q->idle && !q->lent && !q->n && !q->late && !q->closed;
  if (ok) q->lent = true, q->in++;
  pthread_mutex_unlock(&q->lock);
  return ok;
}

void pl_queue_return(pl_queue *q) {
  pthread_mutex_lock(&q->lock);
  q->lent = false;
  if (q->n || q->late || q->closed) pthread_cond_signal(&q->some);
  pthread_mutex_unlock(&q->lock);
}

pl_frame *pl_queue_take(pl_queue *q) {
  pthread_mutex_lock(&q->lock);
  while (q->lent || (!q->n && !q->late && !q->closed)) {
    q->idle = true;
    pthread_cond_wait(&q->some, &q->lock);
  }
  q->idle = false;
  if (q->late) {
    pl_frame *f = shift_late(q);
    pthread_mutex_unlock(&q->lock);
    return f;
  }
  pl_frame *f = q->n ? shift(q) : NULL;
  if (f && q->owed && q->full == PL_DROP_OLDEST) f->begin = true, q->owed = false;
  pthread_cond_signal(&q->space);
  pthread_mutex_unlock(&q->lock);
  return f;
}

void pl_queue_close(pl_queue *q, bool hurry) {
  pthread_mutex_lock(&q->lock);
  q->closed = true;
  q->hurry |= hurry;
  while (hurry && q->n) drop(q, shift(q));
  pthread_cond_broadcast(&q->some);
  pthread_cond_broadcast(&q->space);
  pthread_mutex_unlock(&q->lock);
}
