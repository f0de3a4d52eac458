/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_JUDGE_H
#define WHET_CLI_JUDGE_H

/* Running stored cases on a model and judging the outputs. */

#include "cases.h"
#include "model.h"

/* A model with a session for each signature that its cases call. */
typedef struct cli_judge {
  const char *path;
  whet_model *model;
  const cli_model_opts *opts;
  struct cli_judge_session {
    const char *signature; /* NULL: the main graph */
    cli_model m;
  } * session;
  size_t n, cap;
} cli_judge;

/* What came out of a case. */
typedef struct cli_verdict {
  bool passed;
  double worst, allowed; /* greatest difference of all outputs, and what was allowed there */
  char text[500];        /* why not */
} cli_verdict;

/* Open the model; the line of a failure is in err. */
WHET_MUST whet_status cli_judge_open(cli_judge *j, const char *path, const cli_model_opts *o, whet_err *err);
void cli_judge_close(cli_judge *j);
/* Run a case from a fresh state. */
void cli_judge_case(cli_judge *j, const cli_case *c, cli_verdict *out);

#endif
