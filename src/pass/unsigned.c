/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes between convolutions are unsigned, where products multiply unsigned activations by signed weights (VNNI).
 *
 *   Conv ─int8, zero z─▶ Relu ─int8─▶ Conv    becomes   Conv ─uint8, zero z + 128─▶ Relu ─uint8─▶ Conv
 *
 * The numbers stay what they were, since every rule of these operators sees x - zero; only the top bit of what is stored turns,
 * which the convolution that reads it would do each time. What callers see, and what other operators read, keeps its type. */

#include "pass/match.h"
#include "plan/program.h"

/* Operators whose results depend on x - zero alone; all but Conv have inputs and outputs of one type. */
static bool known(const whet_node *n) {
  static const char *const ops[] = {"Conv", "Add", "Relu", "Clip", "HardSwish", "LeakyRelu", "Sigmoid"};
  for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
    if (whet__is_op(n, ops[i])) return true;
  return false;
}

/* A value of one scale that a known operator makes for known ones, as the activations of a convolution. */
static bool between(const whet_match *m, int32_t v) {
  const whet_graph *g = m->p->g;
  const whet_val *x = &g->val[v];
  if (x->role != WHET_ROLE_NODE || x->kind != WHET_TENSOR || x->dtype != WHET_S8 || !x->q || x->q->n != 1 || x->flags & WHET_VAL_KEEP ||
      m->u.maker[v] < 0 || !known(&g->node[m->u.maker[v]]) || m->u.count[v] != m->u.first[v + 1] - m->u.first[v])
    return false;
  for (int32_t k = m->u.first[v]; k < m->u.first[v + 1]; k++) {
    const whet_node *n = &g->node[m->u.user[k]];
    if (!known(n)) return false;
    for (int i = 1; i < n->n_in; i++)
      if (n->in[i] == v && whet__is_op(n, "Conv")) return false;
  }
  return true;
}

/* A node of one type: if one of its values stays, all do. */
static bool hold(const whet_node *n, uint8_t *turned) {
  bool all = true, any = false;
  for (int i = 0; i < n->n_in + n->n_out; i++) {
    int32_t v = i < n->n_in ? n->in[i] : n->out[i - n->n_in];
    if (v >= 0) all &= turned[v], any |= turned[v];
  }
  if (all || !any) return false;
  for (int i = 0; i < n->n_in + n->n_out; i++) {
    int32_t v = i < n->n_in ? n->in[i] : n->out[i - n->n_in];
    if (v >= 0) turned[v] = 0;
  }
  return true;
}

/* The same numbers in an unsigned type. */
static bool turn(whet_graph *g, whet_val *x) {
  const int32_t zero = x->q->zero[0] + 128;
  whet_quant q = *x->q;
  q.zero = whet__arena_copy(&g->arena, &zero, sizeof zero);
  x->q = whet__arena_copy(&g->arena, &q, sizeof q);
  x->dtype = WHET_U8;
  return q.zero && x->q;
}

whet_status whet__pass_unsigned(whet_pass *p) {
  whet_graph *g = p->g;
  whet_match m;
  if (p->files || !p->program || p->program->opts.keep_all || !(p->target->isa & (WHET_ISA_VNNI | WHET_ISA_AVXVNNI))) return WHET_OK;
  for (int32_t i = 0; i < g->main.n_node; i++)
    if (g->node[g->main.node[i]].n_body) return WHET_OK; /* whose nodes would have to be asked as well */
  uint8_t *turned = whet__arena_array(&p->a, (size_t)g->n_val + 1, 1);
  if (!turned || !whet__match_init(p, &m)) return whet__pass_full(p);
  for (int32_t v = 0; v < g->n_val; v++) turned[v] = between(&m, v);
  for (bool again = true; again;) {
    again = false;
    for (int32_t i = 0; i < g->main.n_node; i++) {
      const whet_node *n = &g->node[g->main.node[i]];
      if (!whet__is_op(n, "Conv")) again |= hold(n, turned);
    }
  }
  for (int32_t v = 0; v < g->n_val; v++)
    if (turned[v] && !turn(g, &g->val[v])) return whet__pass_full(p);
  return WHET_OK;
}
