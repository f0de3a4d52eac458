/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_CASCADE_SIM_H
#define WHET_EDGE_CASCADE_SIM_H

/* A link as a trace tells it, before a model that runs here.
 *
 * A trace is CSV: a line "seconds,up,latency_ms,loss" for each time from which something holds (up 0 or 1, loss a
 * share); the first line may name the columns. Behind its end it begins again. */

#include "edge/cascade/cascade.h"

typedef struct sim_step {
  double at; /* seconds */
  bool up;
  double latency, loss; /* seconds; share */
} sim_step;

typedef struct sim_trace {
  sim_step *step;
  size_t n;
  double length; /* seconds until it begins again */
} sim_trace;

EDGE_MUST whet_status sim_trace_read(const char *path, sim_trace *out, whet_err *err);
void sim_trace_free(sim_trace *t);
/* Share of the time that the link is up. */
double sim_trace_up(const sim_trace *t);

typedef struct sim_opts {
  const sim_trace *trace; /* NULL: always up, no latency; else it outlives the link */
  whet_program *program;  /* the remote model's */
  int workers;
  double speed;   /* simulated seconds in a real one */
  double timeout; /* simulated seconds after which a lost request is given up */
  uint64_t seed;
} sim_opts;
EDGE_MUST whet_status sim_link(const sim_opts *o, cascade_link *out, whet_err *err);

#endif
