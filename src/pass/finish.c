/* SPDX-License-Identifier: Apache-2.0 */
/* The last pass: every output of the main graph gets a node of its own, so that callers may bind it anywhere.
 *
 *   input, constant, variable, or the same value twice ─▶ output   becomes   ... ─▶ Identity ─▶ output */

#include "pass/pass.h"

whet_status whet__pass_finish(whet_pass *p) {
  whet_region *r = &p->g->main;
  const whet_op *identity = whet__op_find("Identity");
  whet_edit e = {.pass = p, .g = p->g, .r = r, .at = r->n_node};
  for (int32_t k = 0; k < r->n_out; k++) {
    int32_t v = r->out[k];
    bool own = p->g->val[v].role == WHET_ROLE_NODE;
    for (int32_t j = 0; j < k; j++) own &= r->out[j] != v;
    for (int32_t j = 0; j < r->n_in; j++) own &= r->in[j] != v;
    if (own) continue;
    int32_t u = whet__ed_like(&e, v);
    if (u < 0 || whet__ed_node(&e, identity, NULL, &v, 1, &u, 1) < 0) return whet__pass_full(p);
    p->g->val[u].name = p->g->val[v].name;
    p->g->val[u].origin = p->g->val[v].origin;
    r->out[k] = u;
  }
  return whet__graph_verify(p->g, p->err);
}
