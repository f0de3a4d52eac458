/* SPDX-License-Identifier: Apache-2.0 */
/* Reading plans for tables. */

#include "steps.h"

#include <stdio.h>

#include "out.h"
#include "plan/cost.h"
#include "plan/program.h"
#include "run/session.h"

const whet_plan *cli_plan_of(const cli_model *m, whet_err *err) {
  return whet__session_ready(m->session, err) ? NULL : m->session->frame.plan;
}

const whet_graph *cli_graph_of(const cli_model *m) { return &m->session->program->graph; }

const char *cli_step_row(const whet_plan *p, int32_t step) {
  const whet_step *s = &p->step[step];
  switch (s->kind) {
    case WHET_STEP_REF:
      return "reference";
    case WHET_STEP_PACK:
      return "pack";
    case WHET_STEP_IF:
      return "if";
    case WHET_STEP_LOOP:
      return "loop";
    default:
      return s->row ? s->row->name : "?";
  }
}

const char *cli_node_name(const whet_graph *g, int32_t node) {
  const whet_node *n = &g->node[node];
  if (n->name && n->name[0]) return cli_clean(n->name);
  return n->origin >= 0 ? cli_keep_printf("#%d", n->origin) : "";
}

const char *cli_node_op(const whet_graph *g, int32_t node) { return g->node[node].op->name; }

/* Give step `step` to the nodes without one that stand between `node` and the node that leads the step. */
static void claim(const whet_graph *g, const int32_t *maker, int32_t *node_step, int32_t node, int32_t lead,
                  int32_t step, int depth) {
  if (node < 0 || node == lead || node_step[node] >= 0 || depth > 16) return;
  node_step[node] = step;
  for (int i = 0; i < g->node[node].n_in; i++) {
    int32_t v = g->node[node].in[i];
    if (v >= 0) claim(g, maker, node_step, maker[v], lead, step, depth + 1);
  }
}

const int32_t *cli_node_steps(const whet_graph *g, const whet_plan *p) {
  int32_t *step = cli_keep(((size_t)g->n_node + 1) * sizeof *step),
          *maker = cli_keep(((size_t)g->n_val + 1) * sizeof *maker);
  for (int32_t i = 0; i < g->n_node; i++) step[i] = -1;
  for (int32_t i = 0; i < g->n_val; i++) maker[i] = -1;
  for (int32_t i = 0; i < g->n_node; i++)
    for (int o = 0; !g->node[i].dead && o < g->node[i].n_out; o++)
      if (g->node[i].out[o] >= 0) maker[g->node[i].out[o]] = i;
  for (int32_t i = 0; i < p->n_step; i++)
    if (p->step[i].node >= 0 && p->step[i].node < g->n_node) step[p->step[i].node] = i;
  for (int32_t i = 0; i < p->n_step; i++) {
    const whet_step *s = &p->step[i];
    for (int a = 0; s->node >= 0 && a < s->n_arg; a++) {
      const whet_place *q = &p->place[s->args + (uint32_t)a];
      if (q->write && q->val >= 0 && q->val < g->n_val) claim(g, maker, step, maker[q->val], s->node, i, 0);
    }
  }
  return step;
}

int64_t cli_step_macs(const whet_graph *g, const whet_plan *p, const int32_t *node_step, int32_t step) {
  whet_env e = {.g = g, .shape = p->shape, .dtype = p->dtype};
  int64_t macs = 0;
  for (int32_t i = 0; i < g->n_node; i++)
    if (node_step[i] == step && !g->node[i].dead) macs += whet__node_macs(&e, &g->node[i]);
  return macs;
}

const char *cli_step_ops(const whet_graph *g, const whet_plan *p, const int32_t *node_step, int32_t step) {
  int32_t lead = p->step[step].node;
  if (lead < 0) return cli_step_row(p, step);
  const char *text = cli_node_op(g, lead);
  for (int32_t i = 0; i < g->n_node; i++)
    if (i != lead && node_step[i] == step && !g->node[i].dead)
      text = cli_keep_printf("%s+%s", text, cli_node_op(g, i));
  return text;
}

bool cli_step_q8(const whet_plan *p, int32_t step) {
  const whet_step *s = &p->step[step];
  for (int a = 0; a < s->n_arg; a++) {
    const whet_place *q = &p->place[s->args + (uint32_t)a];
    if (q->kind == WHET_ARG_VAL && q->val >= 0 && q->val < p->n_val) return whet_dtype_bits(p->dtype[q->val]) == 8;
  }
  return false;
}

size_t cli_val_bytes(const whet_plan *p, int32_t val) {
  int64_t n = whet__shape_count(&p->shape[val]);
  return n < 0 ? 0 : whet_dtype_bytes((whet_dtype)p->dtype[val], (size_t)n);
}

const char *cli_val_text(const whet_plan *p, int32_t val) {
  return cli_keep_printf("%s %s", whet_dtype_name(p->dtype[val]),
                         cli_dims(p->shape[val].rank, p->shape[val].d, NULL));
}
