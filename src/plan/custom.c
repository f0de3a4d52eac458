/* SPDX-License-Identifier: Apache-2.0 */
/* States of the caller's own operators: made when a program is made, one for each node, and let go with it. */

#include "op/custom.h"
#include "plan/program.h"

/* Is node i one of them that lives? */
static bool is_custom(const whet_program *p, int32_t i) {
  return !strcmp(p->graph.node[i].op->name, "Custom") && p->graph.node[i].attr;
}

whet_status whet__program_custom(struct whet_program *p, whet_err *err) {
  for (int32_t i = 0; i < p->graph.n_node; i++) {
    whet_node *n = &p->graph.node[i];
    if (n->dead || !is_custom(p, i)) continue;
    whet_custom_attr *own = whet__arena_copy(&p->graph.arena, n->attr, sizeof *own); /* the model's is shared */
    if (!own) return whet__no_memory(&p->mem, sizeof *own, err, "an operator of the caller's own");
    WHET_TRY(whet__custom_create(&p->graph, n, own, err));
    own->made = true;
    n->attr = own;
  }
  return WHET_OK;
}

void whet__program_custom_free(struct whet_program *p) {
  for (int32_t i = 0; i < p->graph.n_node; i++) {
    const whet_custom_attr *a = is_custom(p, i) ? p->graph.node[i].attr : NULL;
    if (a && a->made && a->op->destroy) a->op->destroy(a->op->user, a->state);
  }
}
