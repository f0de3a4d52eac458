/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BASE_POOL_H
#define WHET_BASE_POOL_H

/* Leases of worker threads: the inner side of whet/pool.h. */

#include "base/base.h"
#include "whet/pool.h"

/* Workers that one run holds. Filled by whet__lease_take, valid until whet__lease_drop. */
typedef struct whet_lease {
  whet_pool *pool;
  int width;        /* threads, the caller's own included; 1: alone */
  uint64_t workers; /* bit i: worker i of the pool */
  unsigned born;    /* fork generation of the workers; in a child of it the lease runs alone */
} whet_lease;

/* One part of a step; called on thread `thread` of the lease, 0 being the caller's. */
typedef void (*whet_part_fn)(void *arg, int part, int parts, int thread);

/* Take up to `want` - 1 idle workers (never waits; none are taken while another run holds them). */
void whet__lease_take(whet_pool *p, int want, whet_lease *out);
void whet__lease_drop(whet_lease *l);
/* Run fn(arg, i, parts, thread) for every i in 0..parts-1 and return when all are done. Each thread begins with a run of
 * parts that is the same each time, so that its caches know what they read. */
void whet__lease_run(const whet_lease *l, int parts, whet_part_fn fn, void *arg);

/* The process's pool, made at first use; after a fork it starts new workers. NULL only when memory is refused. */
whet_pool *whet__pool_default(void);

#endif
