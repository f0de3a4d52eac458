/* SPDX-License-Identifier: Apache-2.0 */
/* Parts that are joined again are the whole.
 *
 *   x ─▶ Split ─▶ a, b      Concat(a, b, c) ─▶ y    becomes    Concat(x, c) ─▶ y
 *
 * where the parts stand beside each other, all of them and in order, on the axis of the Split. Whoever makes x then
 * writes it where y lies (plan/join.c), and the parts are views. */

#include "op/move_attr.h"
#include "pass/match.h"

/* The split whose parts are inputs i.. of Concat n, along its axis; NULL: none. */
static const whet_node *whole(const whet_match *m, const whet_node *n, int i) {
  const whet_node *s = whet__match_maker(m, n->in[i]);
  int32_t rank = whet__match_rank(m, n->out[0]);
  if (!s || !whet__is_op(s, "Split") || rank < 0 || s->n_out > n->n_in - i) return NULL;
  int32_t a = ((const whet_concat *)n->attr)->axis, b = ((const whet_split *)s->attr)->axis;
  if ((a < 0 ? a + rank : a) != (b < 0 ? b + rank : b)) return NULL;
  for (int k = 0; k < s->n_out; k++)
    if (s->out[k] < 0 || s->out[k] != n->in[i + k] ||
        !whet__quant_equal(m->p->g->val[s->in[0]].q, m->p->g->val[s->out[k]].q))
      return NULL;
  return s;
}

static whet_status rejoin(whet_match *m, whet_node *n) {
  int32_t *in = whet__arena_array(&m->p->g->arena, (size_t)n->n_in + 1, sizeof *in);
  int count = 0;
  if (!in) return whet__pass_full(m->p);
  for (int i = 0; i < n->n_in; count++) {
    const whet_node *s = whole(m, n, i);
    in[count] = s ? s->in[0] : n->in[i];
    i += s ? s->n_out : 1;
  }
  if (count == n->n_in) return WHET_OK;
  m->p->changed = true;
  if (count == 1 && whet__quant_equal(m->p->g->val[in[0]].q, m->p->g->val[n->out[0]].q))
    return whet__match_become(m, n, "Identity", NULL, in, 1);
  n->in = in;
  n->n_in = (uint16_t)count;
  return WHET_OK;
}

whet_status whet__pass_rejoin(whet_pass *p) {
  whet_match m;
  WHET_TRY(whet__pass_env(p));
  if (!whet__match_init(p, &m)) return whet__pass_full(p);
  for (int32_t i = 0; i < p->g->n_node; i++) {
    whet_node *n = &p->g->node[i];
    if (!n->dead && whet__is_op(n, "Concat") && n->out[0] >= 0) WHET_TRY(rejoin(&m, n));
  }
  return WHET_OK;
}
