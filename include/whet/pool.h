/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_POOL_H
#define WHET_POOL_H

/* whet_pool: worker threads that runs lease.
 *
 * There is one pool for the process, made at first need; callers who want another give it in their options. A run takes
 * as many idle workers as its program was created for and runs alone when there are none. Workers honour the process's
 * CPU set and the cgroup quota, spin only while one run holds them and sleep when idle. The pool survives fork: the
 * child makes new workers. */

#include <stddef.h>

#include "whet/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct whet_pool whet_pool;

typedef struct whet_pool_opts {
  size_t size;        /* sizeof(whet_pool_opts) */
  int threads;        /* workers beside the caller's own thread + 1; 0: as many as the process may use */
  int spin_us;        /* how long a worker spins between steps of one run before it sleeps; 0: never; -1: the default */
  /* Start a thread on the caller's terms instead of pthread_create: run fn(arg) on a new thread, return a handle,
   * and join it later. Both or neither. */
  void *(*start)(void *user, void (*fn)(void *), void *arg);
  void (*join)(void *user, void *handle);
  void *user;
} whet_pool_opts;

WHET_API whet_pool_opts whet_pool_opts_default(void);
WHET_API whet_status whet_pool_create(const whet_pool_opts *o, whet_pool **out, whet_err *err);
/* Waits for the workers and frees the pool; no program may still use it. Sets *p to NULL; NULL is accepted. */
WHET_API void whet_pool_close(whet_pool **p);
/* Threads that a run could use at most: CPU set, quota and the pool's own size considered. NULL: the process's pool. */
WHET_API int whet_pool_width(whet_pool *p);

#ifdef __cplusplus
}
#endif
#endif
