/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_QUEUE_H
#define WHET_EDGE_PIPELINE_QUEUE_H

/* The queue before a branch: bounded, with a stated policy when it is full, and counters. */

#include "edge/pipeline/frame.h"

typedef enum pl_full { PL_DROP_OLDEST, PL_DROP_NEWEST, PL_BLOCK } pl_full;

typedef struct pl_queue {
  pthread_mutex_t lock; /* all below; taken before the pool's */
  pthread_cond_t some, space;
  pl_frame **ring;
  size_t size, at, n, deepest;
  pl_full full;
  bool closed, hurry; /* nothing more comes; and what waits is not wanted */
  bool owed;          /* a dropped frame was the first of its item */
  uint64_t in, dropped;
} pl_queue;

EDGE_MUST whet_status pl_queue_init(pl_queue *q, size_t size, pl_full full, whet_err *err);
void pl_queue_free(pl_queue *q);
/* Put a frame in, which then belongs to the queue, also when it is dropped. False: the queue is closed. */
bool pl_queue_put(pl_queue *q, pl_frame *f);
/* Take the first frame; waits. NULL: closed and empty. */
pl_frame *pl_queue_take(pl_queue *q);
/* Nothing more is taken in; those that wait for room go on. hurry: what is in it is dropped too. */
void pl_queue_close(pl_queue *q, bool hurry);

#endif
