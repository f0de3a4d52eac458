/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that do nothing, and nodes whose results nobody uses.
 *
 *   x ─▶ Identity ─▶ y ─▶ ...   becomes   x ─▶ ...
 *   x ─▶ Op ─▶ (unused)         becomes   nothing */

#include "pass/pass.h"

/* Does the node give its input back unchanged? */
static bool idle(const whet_pass *p, const whet_node *n) {
  if (n->n_in < 1 || n->n_out < 1 || n->in[0] < 0 || n->out[0] < 0) return false;
  if (whet__is_op(n, "Identity")) return true;
  const whet_val *a = &p->g->val[n->in[0]], *b = &p->g->val[n->out[0]];
  if (n->op->flags & WHET_OP_VIEW && a->dtype == b->dtype && a->q == b->q && whet__shape_count(&a->shape) >= 0 &&
      whet__shape_equal(&a->shape, &b->shape))
    return true;
  return false;
}

static whet_status skip_idle(whet_pass *p, whet_region *r) {
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_node *n = &p->g->node[r->node[i]];
    if (!idle(p, n)) continue;
    int32_t from = n->out[0], to = n->in[0];
    if (p->g->val[from].flags & WHET_VAL_KEEP) continue;
    whet__graph_replace(p->g, from, to);
    whet__region_remove(p->g, r, i--);
    p->changed = true;
  }
  return WHET_OK;
}

/* Mark values that live nodes of a region use; from the end to the front. */
static void mark(whet_pass *p, whet_region *r, uint8_t *used) {
  for (int32_t k = 0; k < r->n_out; k++) used[r->out[k]] = 1;
  for (int32_t i = r->n_node - 1; i >= 0; i--) {
    whet_node *n = &p->g->node[r->node[i]];
    bool live = (n->op->flags & WHET_OP_STATE) != 0;
    for (int k = 0; k < n->n_out; k++)
      live |= n->out[k] >= 0 && (used[n->out[k]] || p->g->val[n->out[k]].flags & WHET_VAL_KEEP);
    if (!live && !n->n_body) {
      whet__region_remove(p->g, r, i);
      p->changed = true;
      continue;
    }
    if (!live) { /* a body may hold state */
      bool state = false;
      for (int b = 0; b < n->n_body; b++)
        for (int32_t k = 0; k < n->body[b]->n_node; k++)
          state |= (p->g->node[n->body[b]->node[k]].op->flags & (WHET_OP_STATE | WHET_OP_RUNS_BODY)) != 0;
      if (!state) {
        whet__region_remove(p->g, r, i);
        p->changed = true;
        continue;
      }
    }
    for (int k = 0; k < n->n_in; k++)
      if (n->in[k] >= 0) used[n->in[k]] = 1;
    for (int b = 0; b < n->n_body; b++) mark(p, n->body[b], used);
  }
}

whet_status whet__pass_clean(whet_pass *p) {
  WHET_TRY(whet__pass_regions(p, skip_idle));
  uint8_t *used = whet__arena_array(&p->a, (size_t)p->g->n_val + 1, 1);
  if (!used) return whet__pass_full(p);
  mark(p, &p->g->main, used);
  return WHET_OK;
}
