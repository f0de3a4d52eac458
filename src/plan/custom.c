/* SPDX-License-Identifier: Apache-2.0 */
/* States of the caller's own operators: made when a program is made, one for each node, and let go with it. */

#include "ir/infer.h"
#include "op/custom.h"
#include "plan/program.h"

/* Is node i one of them that lives? */
static bool is_custom(const whet_program *p, int32_t i) {
  return !strcmp(p->graph.node[i].op->name, "Custom") && p->graph.node[i].attr;
}

/* Make the state of a node, unless it has one. */
static whet_status make_state(whet_program *p, whet_node *n, whet_err *err) {
  if (((const whet_custom_attr *)n->attr)->made) return WHET_OK;
  whet_custom_attr *own = whet__arena_copy(&p->graph.arena, n->attr, sizeof *own); /* the model's is shared */
  if (!own) return whet__no_memory(&p->mem, sizeof *own, err, "an operator of the caller's own");
  WHET_TRY(whet__custom_create(&p->graph, n, own, err));
  own->made = true;
  n->attr = own;
  return WHET_OK;
}

/* Those of the main graph in its order: operators that choose by type see what the file says and what the rules tell of inner
 * values' types. What is wrong with other nodes is told later. */
static whet_status in_order(whet_program *p, whet_err *err) {
  whet_graph *g = &p->graph;
  whet_arena a;
  whet_env e;
  whet_err unheard = {0};
  whet__arena_init(&a, &p->mem);
  whet_status s = whet__env_init(&e, g, &a, err) ? WHET_OK : whet__no_memory(&p->mem, 0, err, "types");
  e.err = &unheard;
  for (int32_t i = 0; !s && i < g->main.n_node; i++) {
    whet_node *n = &g->node[g->main.node[i]];
    if (n->dead) continue;
    if (is_custom(p, g->main.node[i])) s = make_state(p, n, err);
    if (s || whet__env_node(&e, n) < 0) continue;
    for (int o = 0; o < n->n_out; o++)
      if (n->out[o] >= 0 && !g->val[n->out[o]].dtype) g->val[n->out[o]].dtype = e.dtype[n->out[o]];
  }
  whet__arena_free(&a);
  return s;
}

whet_status whet__program_custom(struct whet_program *p, whet_err *err) {
  bool any = false;
  for (int32_t i = 0; i < p->graph.n_node; i++) any |= !p->graph.node[i].dead && is_custom(p, i);
  if (any) WHET_TRY(in_order(p, err));
  for (int32_t i = 0; i < p->graph.n_node; i++)
    if (!p->graph.node[i].dead && is_custom(p, i)) WHET_TRY(make_state(p, &p->graph.node[i], err));
  return WHET_OK;
}

void whet__program_custom_free(struct whet_program *p) {
  for (int32_t i = 0; i < p->graph.n_node; i++) {
    const whet_custom_attr *a = is_custom(p, i) ? p->graph.node[i].attr : NULL;
    if (a && a->made && a->op->destroy) a->op->destroy(a->op->user, a->state);
  }
}
