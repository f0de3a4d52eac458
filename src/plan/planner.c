/* SPDX-License-Identifier: Apache-2.0 */
/* Making a plan: shapes, what is needed, steps, memory. */

#include "plan/planner.h"

#include "base/dtype.h"
#include "plan/cost.h"

/* Mark what node n reads as needed, and what its bodies read of values made outside them. */
static void need_inputs(whet_planner *p, const whet_node *n) {
  for (int k = 0; k < n->n_in; k++)
    if (n->in[k] >= 0) p->uses[n->in[k]]++, p->need[n->in[k]] = !whet__pl_is_known(p, n->in[k]);
}

/* From the end to the front: a node is live when somebody needs the bytes of one of its outputs and they are not
 * known. */
static void find_live(whet_planner *p, const whet_region *r, int32_t from, int32_t to) {
  for (int32_t i = to - 1; i >= from; i--) {
    int32_t id = r->node[i];
    const whet_node *n = &p->g->node[id];
    bool live = (n->op->flags & WHET_OP_STATE) != 0;
    for (int k = 0; k < n->n_out; k++)
      live |= n->out[k] >= 0 && (p->need[n->out[k]] || p->keep[n->out[k]]) && !whet__pl_is_known(p, n->out[k]);
    p->live[id] = live;
    if (!live) continue;
    need_inputs(p, n);
    int32_t chosen = whet__chosen_body(p->env, n);
    for (int b = n->n_body - 1; b >= 0; b--) {
      if (chosen >= 0 && b != chosen) continue;
      for (int32_t k = 0; k < n->body[b]->n_out; k++) {
        int32_t v = n->body[b]->out[k];
        p->uses[v]++;
        p->need[v] = !whet__pl_is_known(p, v);
      }
      find_live(p, n->body[b], 0, n->body[b]->n_node);
    }
  }
}

static void mark_made(whet_planner *p, const whet_region *r, int32_t from, int32_t to) {
  for (int32_t i = from; i < to; i++) {
    const whet_node *n = &p->g->node[r->node[i]];
    for (int k = 0; k < n->n_out; k++)
      if (n->out[k] >= 0) p->made[n->out[k]] = 1;
    for (int b = 0; b < n->n_body; b++) {
      for (int32_t k = 0; k < n->body[b]->n_in; k++) p->made[n->body[b]->in[k]] = 1;
      mark_made(p, n->body[b], 0, n->body[b]->n_node);
    }
  }
}

static bool arrays(whet_planner *p) {
  size_t nv = (size_t)p->g->n_val + 1, nn = (size_t)p->g->n_node + 1;
  p->need = whet__arena_array(p->a, nv, 1);
  p->keep = whet__arena_array(p->a, nv, 1);
  p->made = whet__arena_array(p->a, nv, 1);
  p->root = whet__arena_array(p->a, nv, sizeof *p->root);
  p->off = whet__arena_array(p->a, nv, sizeof *p->off);
  p->run = whet__arena_array(p->a, nv, sizeof *p->run);
  p->pitch = whet__arena_array(p->a, nv, sizeof *p->pitch);
  p->uses = whet__arena_array(p->a, nv, sizeof *p->uses);
  p->blob = whet__arena_array(p->a, nv, sizeof *p->blob);
  p->live = whet__arena_array(p->a, nn, 1);
  p->member = whet__arena_array(p->a, nn, sizeof *p->member);
  p->lead = whet__arena_array(p->a, nn, sizeof *p->lead);
  if (!p->need || !p->keep || !p->made || !p->root || !p->off || !p->run || !p->pitch || !p->uses || !p->blob ||
      !p->live || !p->member || !p->lead)
    return false;
  for (size_t v = 0; v < nv; v++) p->root[v] = (int32_t)v, p->blob[v] = -1;
  for (size_t n = 0; n < nn; n++) p->member[n] = p->lead[n] = -1;
  return whet__graph_uses(p->g, p->a, &p->all);
}

/* What must survive: the region's outputs; what callers keep; when the plan ends early, whatever the rest reads. */
static void find_keep(whet_planner *p) {
  const whet_region *r = p->region;
  for (int32_t i = 0; i < r->n_out; i++) p->keep[r->out[i]] = 1, p->uses[r->out[i]]++;
  for (int32_t v = 0; v < p->g->n_val; v++)
    if (p->g->val[v].flags & WHET_VAL_KEEP || (p->program->opts.keep_all && p->g->val[v].origin >= 0))
      p->keep[v] = p->made[v];
  if (p->to == r->n_node) return;
  for (int32_t i = p->from; i < p->to; i++) {
    const whet_node *n = &p->g->node[r->node[i]];
    for (int k = 0; k < n->n_out; k++)
      if (n->out[k] >= 0 && p->all.count[n->out[k]]) p->keep[n->out[k]] = 1;
  }
}

/* What must survive but no step writes, because its contents are known, is copied from the plan's own bytes. */
static whet_status known_outputs(whet_planner *p) {
  for (int32_t v = 0; v < p->g->n_val; v++)
    if (p->keep[v] && p->made[v] && p->env->kind[v] == WHET_TENSOR && whet__pl_is_known(p, v))
      WHET_TRY(whet__emit_copy(p, v, v));
  return WHET_OK;
}

whet_status whet__plan_make(const whet_plan_req *r, whet_plan **out, whet_err *err) {
  whet_err mine = {0};
  whet_arena a;
  *out = NULL;
  whet__arena_init(&a, &r->program->mem);
  whet_planner p = {.program = r->program,
                    .g = &r->program->graph,
                    .err = err ? err : &mine,
                    .a = &a,
                    .env = r->env,
                    .region = r->region,
                    .from = r->from,
                    .outer = r->outer};
  whet_status s = WHET_OK;
  p.to = r->from;
  r->env->err = p.err;
  r->env->numbers = true;
  for (; p.to < r->region->n_node; p.to++) {
    const whet_node *n = &p.g->node[r->region->node[p.to]];
    s = whet__env_node(r->env, n);
    if (s < 0) goto done;
    if (s == WHET_LATE || !whet__can_plan(r->env, n)) break;
  }
  s = WHET_E_MEMORY;
  if (!arrays(&p)) {
    whet__no_memory(&r->program->mem, (size_t)p.g->n_val * 48, p.err, "a plan");
    goto done;
  }
  mark_made(&p, p.region, p.from, p.to);
  find_keep(&p);
  find_live(&p, p.region, p.from, p.to);
  for (int32_t i = p.from; i < p.to; i++)
    if (p.live[p.region->node[i]]) p.macs += whet__node_macs(p.env, &p.g->node[p.region->node[i]]);
  s = whet__emit_nodes(&p, p.region, p.from, p.to);
  if (!s) s = known_outputs(&p);
  if (!s) s = p.status;
  if (!s) s = whet__plan_finish(&p, r, out);
done:
  whet__arena_free(&a);
  return s;
}
