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
  pl_frame *late, **last_late; /* corrections: taken first, never dropped; as many as the queue is long */
  size_t n_late;
  bool over;       /* nobody takes any more */
  bool idle, lent; /* who takes waits; somebody else runs a frame in their stead */
} pl_queue;

EDGE_MUST whet_status pl_queue_init(pl_queue *q, size_t size, pl_full full, whet_err *err);
void pl_queue_free(pl_queue *q);
/* Put a frame in, which then belongs to the queue, also when it is dropped. False: the queue is closed. */
bool pl_queue_put(pl_queue *q, pl_frame *f);
/* Run one frame in the stead of who takes, without a change of threads: true when they wait, there is nothing for
 * them and the policy is block. Until pl_queue_return nothing is taken. */
bool pl_queue_lend(pl_queue *q);
void pl_queue_return(pl_queue *q);
/* Take the first frame; waits. NULL: closed and empty. */
pl_frame *pl_queue_take(pl_queue *q);
/* Put in a correction, which is taken before all else. False: there is no room, or nobody takes any more; the frame
 * is gone either way. Does not wait. */
bool pl_queue_put_late(pl_queue *q, pl_frame *f);
/* Take a correction without waiting; NULL: there is none. */
pl_frame *pl_queue_take_late(pl_queue *q);
/* Nobody takes any more. */
void pl_queue_over(pl_queue *q);
/* Nothing more is taken in; those that wait for room go on. hurry: what is in it is dropped too. */
void pl_queue_close(pl_queue *q, bool hurry);

#endif
