/* SPDX-License-Identifier: Apache-2.0 */
/* A computed factor for each channel before a convolution scales its weights instead, where those are few.
 *
 *   x ─▶ Mul(s) ─▶ Conv(w, b) ─▶ y    becomes   x ─▶ Conv(w s, b) ─▶ y      s: one number for each channel of x
 *
 * Squeeze-and-excitation (Hu, Shen, Sun, "Squeeze-and-Excitation Networks", 2018) ends like that: its factors are known only when
 * all of x is, so that the product is a pass of its own over memory. Images of one, one group, whose elements are MANY times the
 * weights, which are scaled and packed anew each time. */

#include "op/conv.h"
#include "pass/match.h"

enum { MANY = 8 };

/* s has one number for each channel of x, images of one, along the dimension `axis` of x. */
static bool by_channel(const whet_shape *x, const whet_shape *s, int32_t axis) {
  if (s->rank != x->rank || x->d[0] != 1) return false;
  for (int32_t i = 0; i < s->rank; i++)
    if (s->d[i] != (i == axis ? x->d[i] : 1)) return false;
  return true;
}

/* The convolution of a product by channels; *x and *s are its factors. */
static bool gated(const whet_match *m, const whet_node *n, int32_t *x, int32_t *s) {
  const whet_pass *p = m->p;
  if (!whet__is_op(n, "Conv") || p->env->dtype[n->in[0]] != WHET_F32 || p->env->dtype[n->in[1]] != WHET_F32) return false;
  const whet_conv_attr *a = n->attr;
  const whet_node *mul = whet__match_only(m, n->in[0], "Mul");
  if (!mul || a->group > 1 || a->weights != (a->last ? WHET_CONV_OSI : WHET_CONV_OIS) || !whet__pass_const(p, n->in[1])) return false;
  for (int i = 0; i < 2; i++) {
    const whet_shape *d = &p->env->shape[mul->in[i]], *w = &p->g->val[n->in[1]].shape;
    int64_t pixels = whet__shape_count(d);
    int32_t axis = a->last ? d->rank - 1 : 1;
    *x = mul->in[i];
    *s = mul->in[1 - i];
    if (d->rank < 3 || d->rank != w->rank || whet__pass_const(p, *s) || pixels < MANY * whet__shape_count(w)) continue;
    if (w->d[axis] == d->d[axis] && by_channel(d, &p->env->shape[*s], axis)) return true;
  }
  return false;
}

static whet_status gates_region(whet_pass *p, whet_region *r) {
  whet_match m;
  int32_t x, s;
  if (!whet__match_init(p, &m)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_node *n = &p->g->node[r->node[i]];
    if (!gated(&m, n, &x, &s)) continue;
    int32_t number = r->node[i], maker = m.u.maker[n->in[0]], mul = 0, in[3] = {x, -1, n->n_in > 2 ? n->in[2] : -1};
    whet_edit e = {.pass = p, .g = p->g, .r = r, .at = i};
    in[1] = whet__ed_val(&e, "scaled", WHET_F32, &p->g->val[n->in[1]].shape);
    int32_t scaled = e.failed ? -1 : whet__ed_node(&e, whet__op_find("Mul"), NULL, (int32_t[]){n->in[1], s}, 2, &in[1], 1);
    if (scaled < 0) return whet__pass_full(p);
    n = &p->g->node[number];
    p->g->node[scaled].name = p->g->node[maker].name;
    p->g->node[scaled].origin = p->g->node[maker].origin;
    WHET_TRY(whet__match_become(&m, n, "Conv", n->attr, in, n->n_in));
    while (r->node[mul] != maker) mul++;
    whet__region_remove(p->g, r, mul);
  }
  return WHET_OK;
}

whet_status whet__pass_gates(whet_pass *p) {
  if (p->files) return WHET_OK; /* others have their own ways */
  WHET_TRY(whet__pass_env(p));
  return whet__pass_regions(p, gates_region);
}
