/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_PROFILE_H
#define WHET_CLI_PROFILE_H

/* Where the time of a run goes, by step, and as a trace. */

#include "model.h"
#include "out.h"

typedef struct cli_profile {
  const cli_model *m;
  const struct whet_plan *plan;
  int threads;
  uint64_t *live;           /* the session's sums of nanoseconds, by step */
  double *us;               /* microseconds of one run, by step; the least of all runs */
  double total_us;          /* of all steps */
  int64_t *macs;            /* multiply-adds, by step */
  const char **ops;         /* operators, by step: "Conv+Clip" */
  double peak_f32, peak_q8; /* operations a second of all threads */
} cli_profile;

/* Run the model for about min_us with a clock around each step. The session's inputs are set. One line on failure;
 * status. */
WHET_MUST int cli_profile_make(const cli_model *m, double min_us, cli_profile *out);
/* Tables: steps in order, operators by their share. */
void cli_profile_print(const cli_profile *p);
json_t *cli_profile_json(const cli_profile *p);
/* Write a trace of `runs` runs in Chrome's trace-event format, which Perfetto and chrome://tracing open. */
WHET_MUST int cli_profile_trace(const cli_profile *p, const char *file, int runs);

#endif
