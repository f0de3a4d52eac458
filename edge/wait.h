/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_WAIT_H
#define WHET_EDGE_WAIT_H

/* Waiting on a condition variable until a monotonic time: a clock that is set must not lengthen or end a wait. */

#include <pthread.h>

#include "edge/edge.h"

/* A condition variable that edge_wait can wait on. */
void edge_cond_init(pthread_cond_t *cond);
/* Wait, the lock held, until woken or until the time of edge_now(); false: the time is over. Wakes without cause
 * happen. */
bool edge_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ns);
/* The time in so many seconds. */
static inline int64_t edge_after(double seconds) { return edge_now() + (int64_t)(1e9 * seconds); }

#endif
