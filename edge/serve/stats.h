/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_STATS_H
#define WHET_EDGE_SERVE_STATS_H

/* Counters of one model version: what the statistics extension and /metrics tell. Any thread; each number is exact,
 * numbers that belong together may be one request apart while requests run. */

#include <stdatomic.h>

#include "edge/serve/buf.h"

enum { STATS_BUCKETS = 22, STATS_BATCHES = 64 };

typedef struct stats_sum {
  _Atomic uint64_t count, ns;
} stats_sum;

/* How often a duration was at most 10 us * 2^i; the last counts all others. */
typedef struct stats_hist {
  _Atomic uint64_t bucket[STATS_BUCKETS + 1];
  _Atomic uint64_t ns; /* sum */
} stats_hist;

typedef struct stats_batch {
  _Atomic uint64_t count, input_ns, infer_ns, output_ns;
} stats_batch;

typedef struct serve_stats {
  stats_sum success, fail, queue, input, infer, output;
  _Atomic uint64_t inferences, executions;       /* rows of batches; runs */
  _Atomic uint64_t rejected, expired, cancelled; /* before they ran: no room; too late; the client left */
  _Atomic int64_t last_ms;                       /* wall clock of the last request, ms since 1970 */
  stats_hist latency, wait, compute;
  stats_batch batch[STATS_BATCHES + 1]; /* by size; 0: all that are larger */
} serve_stats;

/* Nanoseconds of the parts of one execution; `each` requests, `rows` rows together. */
typedef struct stats_times {
  int64_t input, infer, output;
} stats_times;

void stats_success(serve_stats *s, int64_t total, int64_t queue, const stats_times *t, int64_t rows);
void stats_fail(serve_stats *s, int64_t total);
void stats_execution(serve_stats *s, const stats_times *t, int64_t rows);
/* The statistics extension's object for one version. */
void stats_json(const serve_stats *s, const char *name, const char *version, serve_buf *out);
/* Lines NAME_bucket{LABELS,le="..."}, _sum, _count of a histogram in seconds. */
void stats_hist_lines(const stats_hist *h, const char *name, const char *labels, serve_buf *out);

#endif
