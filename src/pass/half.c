/* SPDX-License-Identifier: Apache-2.0 */
/* Half precision between what is computed in f32 and a product is left out: the product is computed in f32 too.
 *
 *   f32 ─▶ Cast(half) [─▶ Where(c, ·, half)] ─▶ MatMul(·, b: half) ─▶ y: half
 *
 *   becomes  f32 [─▶ Where(c, ·, Cast(f32))] ─▶ MatMul(·, Cast(b, f32)) ─▶ Cast(half) ─▶ y
 *
 * and Softmax(x: half) in the place of the first Cast becomes Softmax(Cast(x, f32)). One rounding less, and the product is one of
 * the f32 kernels: attention is written so. half: F16 and BF16. */

#include "op/cast.h"
#include "pass/match.h"

/* Is v the rounding to `half` of what is computed in f32, perhaps with a Where after it? */
static bool is_rounded(const whet_match *m, int32_t v, whet_dtype half, int depth) {
  const whet_env *env = m->p->env;
  const whet_node *n = whet__match_maker(m, v);
  if (!n || depth > 4 || env->dtype[v] != half || env->kind[v] != WHET_TENSOR) return false;
  if (whet__is_op(n, "Softmax")) return true;
  if (whet__is_op(n, "Cast")) return env->dtype[n->in[0]] == WHET_F32 || is_rounded(m, n->in[0], half, depth + 1);
  if (!whet__is_op(n, "Where")) return false;
  return is_rounded(m, n->in[1], half, depth + 1) || is_rounded(m, n->in[2], half, depth + 1);
}

/* v in f32. */
static int32_t widened(const whet_match *m, whet_edit *e, int32_t v, whet_dtype half, int depth) {
  const whet_env *env = m->p->env;
  bool rounded = is_rounded(m, v, half, depth);
  whet_node n = rounded ? *whet__match_maker(m, v) : (whet_node){0};
  if (rounded && whet__is_op(&n, "Cast"))
    return env->dtype[n.in[0]] == WHET_F32 ? n.in[0] : widened(m, e, n.in[0], half, depth + 1);
  if (rounded && whet__is_op(&n, "Softmax")) {
    int32_t x = widened(m, e, n.in[0], half, depth + 1), out = whet__ed_val(e, "wide", WHET_F32, &env->shape[v]);
    whet__ed_node(e, n.op, n.attr, &x, 1, &out, 1);
    return out;
  }
  if (rounded) {
    int32_t in[3] = {n.in[0], widened(m, e, n.in[1], half, depth + 1), widened(m, e, n.in[2], half, depth + 1)};
    int32_t out = whet__ed_val(e, "wide", WHET_F32, &env->shape[v]);
    whet__ed_node(e, n.op, n.attr, in, 3, &out, 1);
    return out;
  }
  int32_t out = whet__ed_val(e, "wide", WHET_F32, &env->shape[v]);
  whet__ed_cast(e, v, out, WHET_F32);
  return out;
}

/* Replace the product at position *at; *at moves on to the last of its successors. */
static whet_status replace(const whet_match *m, whet_region *r, int32_t *at, whet_dtype half) {
  whet_pass *p = m->p;
  whet_node n = p->g->node[r->node[*at]];
  whet_edit e = {.pass = p, .g = p->g, .r = r, .at = *at};
  int32_t in[2] = {widened(m, &e, n.in[0], half, 0), widened(m, &e, n.in[1], half, 0)};
  int32_t product = whet__ed_val(&e, "wide", WHET_F32, &p->env->shape[n.out[0]]);
  int32_t made[2] = {whet__ed_node(&e, n.op, n.attr, in, 2, &product, 1), -1};
  made[1] = whet__ed_cast(&e, product, n.out[0], half);
  if (e.failed) return whet__pass_full(p);
  for (int i = 0; i < 2; i++) {
    p->g->node[made[i]].name = n.name;
    p->g->node[made[i]].origin = n.origin;
  }
  whet__region_remove(p->g, r, e.at);
  *at = e.at - 1;
  p->changed = true;
  return WHET_OK;
}

static whet_status half_region(whet_pass *p, whet_region *r) {
  whet_match m;
  if (!whet__match_init(p, &m)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &p->g->node[r->node[i]];
    if (!whet__is_op(n, "MatMul") || n->n_in != 2) continue;
    whet_dtype half = (whet_dtype)p->env->dtype[n->out[0]];
    if ((half != WHET_F16 && half != WHET_BF16) || p->env->dtype[n->in[0]] != half || p->env->dtype[n->in[1]] != half) continue;
    if (!is_rounded(&m, n->in[0], half, 0) && !is_rounded(&m, n->in[1], half, 0)) continue;
    WHET_TRY(replace(&m, r, &i, half));
  }
  return WHET_OK;
}

whet_status whet__pass_half(whet_pass *p) {
  WHET_TRY(whet__pass_env(p));
  return whet__pass_regions(p, half_region);
}
