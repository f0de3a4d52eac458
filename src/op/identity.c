/* SPDX-License-Identifier: Apache-2.0 */
/* Identity(x): x. ONNX Identity 1-25 (tensors, sequences, optionals). Readers and passes take it out where they can.
 */

#include "op/grad.h"
#include "op/move.h"

/* The rank is handed on, for formulas that ask for it. */
static whet_status from_onnx(whet_import *im, const whet_op *op) {
  const whet_val *x = whet__im_val(im, whet__im_in(im, 0));
  if (x && x->kind == WHET_TENSOR) whet__im_rank(im, whet__im_out(im, 0), x->shape.rank);
  return whet__im_node_as_is(im, op, NULL);
}

static const whet_from k_from[] = {{"", "Identity", 1, from_onnx}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) {
  (void)whet__in_kind(f, 0); /* all kinds are taken */
  whet__out_like(f, 0, 0);
  return WHET_OK;
}

static whet_status ref(const whet_args *a) {
  whet__move_flat(&a->out[0], &a->in[0]);
  return WHET_OK;
}

static whet_status plan(whet_planner *p, const whet_node *n) { return whet__pl_view(p, n, 0, 0); }

static bool permute(whet_edit *e, int32_t node, const int8_t *perm, int rank, int8_t *perm_out) {
  return whet__perm_same(perm, rank, perm_out);
}

const whet_op whet_op_Identity = {
    .name = "Identity",
    .flags = WHET_OP_POINTWISE | WHET_OP_VIEW | WHET_OP_SIGN_FREE,
    .from = k_from,
    .infer = infer,
    .plan = plan,
    .permute = permute,
    .grad = whet__grad_view,
    .ref = ref,
};
