/* SPDX-License-Identifier: Apache-2.0 */
/* Straight(x, y): y, with the gradient going to x as if it were x (Bengio, Leonard, Courville 2013): how rounding is
 * learnt through. No file has this operator. f32. */

#include "op/grad.h"
#include "op/move.h"

static whet_status infer(whet_infer *f, const whet_node *n) {
  if (n->n_in != 2) return whet__infer_fail(f, WHET_E_FORMAT, "expected 2 inputs, got %d", n->n_in);
  whet__out_like(f, 0, 1);
  return WHET_OK;
}

static whet_status ref(const whet_args *a) {
  whet__move_flat(&a->out[0], &a->in[1]);
  return WHET_OK;
}

static whet_status plan(whet_planner *p, const whet_node *n) { return whet__pl_view(p, n, 0, 1); }

static whet_status grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  if (whet__grad_wants(e, n.in[0])) whet__grad_add(e, n.in[0], whet__grad_of(e, n.out[0]));
  return WHET_OK;
}

const whet_op whet_op_Straight = {
    .name = "Straight", .infer = infer, .plan = plan, .grad = grad, .ref = ref};
