/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_STATS_H
#define WHET_EDGE_PIPELINE_STATS_H

/* Counters of a pipeline, in the forms in which they are shown. Any thread. */

#include "edge/pipeline/inner.h"
#include "edge/serve/buf.h"

/* A JSON object, appended. */
void pl_stats(whet_pipeline *p, serve_buf *b);
/* Prometheus' text format, appended. */
void pl_prometheus(whet_pipeline *p, serve_buf *b);
/* Upper bound in microseconds of the time from arrival to sinks that a part q of a branch's frames took; 0: there
 * were none. */
double pl_quantile(const pl_branch *b, double q);

/* Bytes of the contents of all frames that came from sources, and how many these are. */
uint64_t pl_taken(const whet_pipeline *p, uint64_t *frames);

#endif
