/* SPDX-License-Identifier: Apache-2.0 */
/* Products with a matrix of weights are Dense.
 *
 *   x ─▶ MatMul(W) ─▶ y              becomes   x ─▶ Dense(W) ─▶ y      (W constant, of rank 2)
 *   x ─▶ Gemm(W, c) ─▶ y             becomes   x ─▶ Dense(W, c) ─▶ y   (alpha, beta 1; x as it is; c a number a
 * column)
 *
 * What is added to a Dense afterwards becomes its bias in pass affine. */

#include "base/dtype.h"
#include "op/dense.h"
#include "pass/pass.h"

/* A constant matrix of floats. */
static bool is_weights(const whet_pass *p, int32_t v) {
  if (v < 0) return false;
  const whet_val *x = &p->g->val[v];
  return whet__pass_const(p, v) && whet__is_float((whet_dtype)x->dtype) && !x->q && x->shape.rank == 2;
}

/* c of a Gemm, brought to rank 1: c itself, a copy, or -1 when it is not one number for each of n columns. */
static int32_t row_of(whet_edit *e, int32_t c, int64_t n) {
  const whet_val *x = &e->g->val[c];
  if (whet__shape_count(&x->shape) != n || x->shape.rank < 1 || x->shape.d[x->shape.rank - 1] != n || n < 2)
    return -1;
  if (x->shape.rank == 1) return c;
  return x->role == WHET_ROLE_CONST ? whet__ed_const(e, (whet_dtype)x->dtype, 1, &n, x->data->p) : -1;
}

/* Turn the node into Dense(x, w, bias). */
static whet_status become_dense(whet_pass *p, whet_node *n, bool kn, int32_t bias) {
  whet_dense *a = whet__arena_alloc(&p->g->arena, sizeof *a);
  int32_t *in = whet__arena_array(&p->g->arena, 3, sizeof *in);
  if (!a || !in) return whet__pass_full(p);
  a->kn = kn;
  in[0] = n->in[0];
  in[1] = n->in[1];
  in[2] = bias;
  n->op = whet__op_find("Dense");
  n->attr = a;
  n->in = in;
  n->n_in = bias < 0 ? 2 : 3;
  p->changed = true;
  return WHET_OK;
}

static whet_status dense_region(whet_pass *p, whet_region *r) {
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_node *n = &p->g->node[r->node[i]];
    if (whet__is_op(n, "MatMul") && is_weights(p, n->in[1])) {
      const whet_matmul *a = n->attr;
      bool fits = a->alpha == 1 && p->env->shape[n->in[0]].rank >= (a->trans_a ? 3 : 2) && !a->trans_a;
      if (fits) WHET_TRY(become_dense(p, n, !a->trans_b, -1));
      continue;
    }
    if (!whet__is_op(n, "Gemm") || !is_weights(p, n->in[1])) continue;
    const whet_gemm *a = n->attr;
    int32_t c = n->n_in > 2 ? n->in[2] : -1, bias = -1;
    if (a->alpha != 1 || a->trans_a || (c >= 0 && a->beta != 1)) continue;
    if (c >= 0) {
      whet_edit e = {.pass = p, .g = p->g, .r = r, .at = i};
      bias = row_of(&e, c, p->g->val[n->in[1]].shape.d[!a->trans_b]);
      if (e.failed) return whet__pass_full(p);
      if (bias < 0) continue;
    }
    WHET_TRY(become_dense(p, n, !a->trans_b, bias));
  }
  return WHET_OK;
}

whet_status whet__pass_dense(whet_pass *p) {
  WHET_TRY(whet__pass_env(p));
  return whet__pass_regions(p, dense_region);
}
