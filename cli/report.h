/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_REPORT_H
#define WHET_CLI_REPORT_H

/* What there is to know of a model before it runs: for `whet inspect` as text, JSON and a page. */

#include "model.h"
#include "out.h"
#include "plan/plan.h"

/* A node that cannot run. */
typedef struct cli_blocked {
  const char *node, *op, *reason;
} cli_blocked;

/* An operator of the file. */
typedef struct cli_op_count {
  const char *op;    /* "Conv", "com.microsoft:QGemm" */
  int64_t n, macs;   /* nodes, and their multiply-adds */
  int64_t reference; /* nodes that run on their naive reference */
} cli_op_count;

typedef struct cli_report {
  const char *path;
  size_t file_bytes;
  cli_model m; /* program and session are NULL when the model cannot run */
  bool runs;
  bool open_sizes;   /* there is a program, but no plan with open sizes as 1 */
  const char *error; /* why not, when it is no single node */
  cli_blocked *blocked;
  size_t n_blocked;
  cli_op_count *op; /* operators of the file, most frequent first; bodies included */
  size_t n_op;
  int64_t parameters; /* elements of weights */
  uint64_t parameter_bytes;
  whet_cost cost;
  size_t peak_bytes;       /* predicted for a process that loads and runs the model */
  const whet_graph *graph; /* that is planned; NULL when it cannot run */
  const whet_plan *plan;
  const int32_t *node_step; /* by node of graph */
  bool late;                /* the plan ends where sizes are known only from data */
} cli_report;

/* Open the model and find out. Models that cannot run are reported too; an answer other than 0 means that the file
 * could not be read, and one line was printed. */
WHET_MUST int cli_report_make(cli_report *r, const char *path, const cli_model_opts *o);
void cli_report_free(cli_report *r);

/* Name, operator and attributes of nodes of the file (the source graph). */
const char *cli_source_op(const cli_report *r, int32_t node);
const char *cli_source_name(const cli_report *r, int32_t node);
/* Attributes of the canonical node that node `node` of the file first became, as text: "kernel [3, 3], strides [2,
 * 2]". */
const char *cli_source_attrs(const cli_report *r, int32_t node);
/* Steps that do the work of the file's node, -1 after the last; at most `most`. */
size_t cli_source_steps(const cli_report *r, int32_t node, int32_t *steps, size_t most);

/* Input or output i: with its sizes open where the model leaves them open and --shape does not set them. */
void cli_report_port(const cli_report *r, bool out, size_t i, whet_info *info);

/* Why the planner took the row that a step has: "first of 3 rows that fit", "avx512_wino does not fit", ... */
const char *cli_step_why(const cli_report *r, int32_t step);
/* The value that a step makes, -1 if none. */
int32_t cli_step_out(const cli_report *r, int32_t step);

/* All of it; plan: with the table of steps; graph: with the nodes and edges of the file's main graph. */
json_t *cli_report_json(const cli_report *r, bool plan, bool graph);

#endif
