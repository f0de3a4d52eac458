/* SPDX-License-Identifier: Apache-2.0 */
/* Reinterpret(x): the same stored numbers under the output's quantisation, or as plain numbers. Readers put it where
 * a file says nothing of a tensor's meaning but operators do; the pass qdq_islands takes most of them out. A view. */

#include "op/move.h"
#include "op/qlinear.h"
#include "op/quantize.h"

static whet_status infer(whet_infer *f, const whet_node *n) {
  if (whet__in_n(f) != 1 || !whet__in_has(f, 0)) return whet__infer_fail(f, WHET_E_FORMAT, "expected 1 input");
  const whet_val *y = whet__out_val(f, 0);
  if (y && y->dtype && whet_dtype_bits((whet_dtype)y->dtype) != whet_dtype_bits(whet__in_dtype(f, 0)))
    return whet__infer_fail(f, WHET_E_TYPE, "%s is read as %s", whet_dtype_name(whet__in_dtype(f, 0)),
                            whet_dtype_name((whet_dtype)y->dtype));
  whet__out_like(f, 0, 0);
  return WHET_OK;
}

static whet_status ref(const whet_args *a) {
  whet__move_flat(&a->out[0], &a->in[0]);
  return WHET_OK;
}

static whet_status plan(whet_planner *p, const whet_node *n) { return whet__pl_view(p, n, 0, 0); }

/* One scale for the whole tensor stands in any order. */
static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  whet_graph *g = whet__ed_graph(e);
  const whet_quant *x = g->val[g->node[node].in[0]].q, *y = g->val[g->node[node].out[0]].q;
  return (!x || x->n == 1) && (!y || y->n == 1) && whet__perm_same(perm, rank, perm_out);
}

const whet_op whet_op_Reinterpret = {
    .name = "Reinterpret",
    .flags = WHET_OP_POINTWISE | WHET_OP_VIEW,
    .from = whet__from_qlinear,
    .infer = infer,
    .plan = plan,
    .permute = permute,
    .ref = ref,
};

whet_status whet__im_reinterpret(whet_import *im, int32_t in, int32_t out) {
  return whet__im_node(im, &whet_op_Reinterpret, NULL, &in, 1, &out, 1);
}
