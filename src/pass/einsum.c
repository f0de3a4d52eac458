/* SPDX-License-Identifier: Apache-2.0 */
/* Einsums that are matrix products.
 *
 *   a, b ─▶ Einsum("bhid,bhjd->bhij") ─▶ y    becomes   a ─▶ MatMul ─▶ y
 *                                                       b ─▶ Transpose ─┘
 *
 * for two float inputs; a dimension of size 1, which Einsum may repeat, is left to it. */

#include "op/einsum.h"

#include "base/dtype.h"
#include "op/dense.h"
#include "op/grad.h"
#include "op/move_attr.h"
#include "pass/pass.h"

/* Does the order change anything? */
static bool turns(const int64_t *perm, int32_t n) {
  for (int32_t i = 0; i < n; i++)
    if (perm[i] != i) return true;
  return false;
}

/* Two inputs of floats of one type, with no dimension that could be repeated. */
static bool suits(const whet_pass *p, const whet_node *n, int32_t rank[2]) {
  if (n->n_in != 2 || n->out[0] < 0) return false;
  for (int i = 0; i < 2; i++) {
    const whet_shape *s = &p->env->shape[n->in[i]];
    whet_dtype t = (whet_dtype)p->env->dtype[n->in[i]];
    rank[i] = s->rank;
    if (s->rank < 2 || t != p->env->dtype[n->in[0]] || (t != WHET_F32 && t != WHET_F64 && t != WHET_F16 && t != WHET_BF16))
      return false;
    for (int32_t d = 0; d < s->rank; d++)
      if (s->d[d] == 1 || s->d[d] == WHET_DIM_ANY) return false;
  }
  return true;
}

/* Replace the node at position *at; *at moves on to the last of its successors. */
static whet_status replace(whet_pass *p, whet_region *r, int32_t *at, const whet_einsum_product *q) {
  whet_node n = p->g->node[r->node[*at]];
  whet_edit e = {.pass = p, .g = p->g, .r = r, .at = *at};
  whet_dtype t = (whet_dtype)p->env->dtype[n.in[0]];
  const whet_matmul product = {.alpha = 1};
  int64_t *order = whet__arena_array(&p->g->arena, 3 * WHET_MAX_RANK, sizeof *order);
  int32_t in[2], first = p->g->n_node;
  if (!order) return whet__pass_full(p);
  for (int i = 0; i < 2; i++) {
    int64_t *perm = memcpy(order + (ptrdiff_t)i * WHET_MAX_RANK, q->in[i], sizeof q->in[i]);
    const whet_transpose turn = {.perm = {perm, q->n}};
    in[i] = turns(perm, q->n) ? whet__ed_call(&e, "Transpose", &turn, &n.in[i], 1, t) : n.in[i];
  }
  if (turns(q->out, q->n)) {
    int64_t *perm = memcpy(order + (ptrdiff_t)2 * WHET_MAX_RANK, q->out, sizeof q->out);
    const whet_transpose turn = {.perm = {perm, q->n}};
    int32_t y = whet__ed_call(&e, "MatMul", &product, in, 2, t);
    whet__ed_node(&e, whet__op_find("Transpose"), &turn, &y, 1, n.out, 1);
  } else {
    whet__ed_node(&e, whet__op_find("MatMul"), &product, in, 2, n.out, 1);
  }
  if (e.failed) return whet__pass_full(p);
  for (int32_t k = first; k < p->g->n_node; k++) p->g->node[k].name = n.name, p->g->node[k].origin = n.origin;
  whet__region_remove(p->g, r, e.at);
  *at = e.at - 1;
  p->changed = true;
  return WHET_OK;
}

static whet_status einsum_region(whet_pass *p, whet_region *r) {
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &p->g->node[r->node[i]];
    whet_einsum_product q;
    int32_t rank[2];
    if (!whet__is_op(n, "Einsum")) continue;
    if (!p->env) WHET_TRY(whet__pass_env(p));
    if (suits(p, n, rank) && whet__einsum_product(n->attr, rank, &q)) WHET_TRY(replace(p, r, &i, &q));
  }
  return WHET_OK;
}

whet_status whet__pass_einsum(whet_pass *p) { return whet__pass_regions(p, einsum_region); }
