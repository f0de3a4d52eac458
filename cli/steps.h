/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_STEPS_H
#define WHET_CLI_STEPS_H

/* What the steps of a plan are, for tables. Everything reads whet's own structures: the plan is what runs. */

#include "model.h"
#include "plan/plan.h"

/* The plan that a session runs first, made if there is none yet; NULL with err set when it cannot be made. */
const whet_plan *cli_plan_of(const cli_model *m, whet_err *err);
/* The graph that it is a plan of. */
const whet_graph *cli_graph_of(const cli_model *m);

/* The step's kernel row, "reference", "pack", "if", "loop". */
const char *cli_step_row(const whet_plan *p, int32_t step);
/* Name and operator of a node, as people know them: the file's name, or "#7" by its number in the file. */
const char *cli_node_name(const whet_graph *g, int32_t node);
const char *cli_node_op(const whet_graph *g, int32_t node);
/* Step by which each node is done (a step of its own, or that of the node that leads its group), -1: none. The array
 * has as many entries as the graph has nodes and lives as long as the process. */
const int32_t *cli_node_steps(const whet_graph *g, const whet_plan *p);
/* Multiply-adds of the nodes that a step does, for the plan's shapes. */
int64_t cli_step_macs(const whet_graph *g, const whet_plan *p, const int32_t *node_step, int32_t step);
/* The operators of the nodes that a step does, "Conv+Clip"; the step's kind where there is no node. */
const char *cli_step_ops(const whet_graph *g, const whet_plan *p, const int32_t *node_step, int32_t step);
/* Does the step work on 8-bit numbers? */
bool cli_step_q8(const whet_plan *p, int32_t step);
/* Bytes of a value in the plan when it lies dense, and what it is: "float32 [1, 56, 56, 64]". */
size_t cli_val_bytes(const whet_plan *p, int32_t val);
const char *cli_val_text(const whet_plan *p, int32_t val);

#endif
