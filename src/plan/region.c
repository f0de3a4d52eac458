/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of operators that run bodies. A body's values lie in the same arena and on the same line of time as
 * everything else; an If whose condition is known is its chosen body. */

#include "base/dtype.h"
#include "plan/planner.h"

/* Let `out` be `in`: where both can lie in one place no step is needed. */
static whet_status same(whet_planner *p, const whet_node *n, int k, int32_t in) {
  int32_t out = n->out[k];
  if (out < 0 || !(p->need[out] || p->keep[out]) || whet__pl_is_known(p, out)) return WHET_OK;
  return whet__emit_same(p, out, in);
}

/* The steps of a body, then copies of its outputs to those of the node. */
static whet_status emit_branch(whet_planner *p, const whet_node *n, int b) {
  const whet_region *r = n->body[b];
  WHET_TRY(whet__emit_nodes(p, r, 0, r->n_node));
  p->now = n;
  for (int k = 0; k < n->n_out; k++) {
    int32_t out = n->out[k];
    if (out >= 0 && (p->need[out] || p->keep[out])) WHET_TRY(whet__emit_copy(p, out, r->out[k]));
  }
  return p->status;
}

int32_t whet__chosen_body(whet_env *e, const whet_node *n) {
  int32_t known;
  if (strcmp(n->op->name, "If") || n->n_in < 1 || n->in[0] < 0) return -1;
  const whet_dim *cond = whet__env_known(e, n->in[0], &known);
  return cond && known == 1 && whet__dim_number(cond[0]) ? (cond[0] ? 0 : 1) : -1;
}

static whet_status emit_if(whet_planner *p, const whet_node *n) {
  int32_t chosen = whet__chosen_body(p->env, n);
  if (chosen >= 0) {
    const whet_region *r = n->body[chosen];
    WHET_TRY(whet__emit_nodes(p, r, 0, r->n_node));
    p->now = n;
    for (int k = 0; k < n->n_out; k++) WHET_TRY(same(p, n, k, r->out[k]));
    return WHET_OK;
  }
  whet_branch b = {.node = (int32_t)(n - p->g->node)};
  whet_arg arg = whet__rd(n->in[0]);
  size_t at = p->n_step;
  WHET_TRY(whet__emit_control(p, WHET_STEP_IF, &b, &arg, 1));
  for (int i = 0; i < 2; i++) {
    b.begin[i] = (int32_t)p->n_step;
    WHET_TRY(emit_branch(p, n, i));
    b.end[i] = (int32_t)p->n_step;
  }
  p->step[at].next = (int32_t)p->n_step;
  memcpy(p->params + p->step[at].params, &b, sizeof b);
  return WHET_OK;
}

bool whet__can_plan(const struct whet_env *e, const whet_node *n) {
  if (n->op->flags & WHET_OP_OBJECT) return false;
  for (int k = 0; k < n->n_out; k++)
    if (n->out[k] >= 0 && e->kind[n->out[k]] != WHET_TENSOR) return false;
  if (n->op->flags & WHET_OP_RUNS_BODY && strcmp(n->op->name, "If")) return false;
  for (int b = 0; b < n->n_body; b++)
    for (int32_t i = 0; i < n->body[b]->n_node; i++)
      if (!whet__can_plan(e, &e->g->node[n->body[b]->node[i]])) return false;
  return true;
}

whet_status whet__emit_bodies(whet_planner *p, const whet_node *n) {
  if (!strcmp(n->op->name, "If")) return emit_if(p, n);
  return whet__pl_fail(p, WHET_E_UNSUPPORTED, "a %s cannot be planned ahead", n->op->name);
}
