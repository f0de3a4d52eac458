/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: one step for several nodes. A leader that works tile by tile (WHET_OP_TILE) takes the pointwise nodes after
 * it into its epilogue: DECISIONS.md calls this a tile epilogue. The nodes stay the definition of what is computed.
 */

#include "base/dtype.h"
#include "kern/chain_f32.h"
#include "op/tile.h"
#include "plan/planner.h"

/* State of one match. */
struct match {
  whet_planner *p;
  int32_t *place; /* node -> position in the region, or -1 */
};

/* The only live node of the region that uses value v, or -1: v must not be needed by anyone else. */
static int32_t only_user(const struct match *m, const whet_region *r, int32_t from, int32_t v, int32_t to) {
  const whet_planner *p = m->p;
  if (p->uses[v] != 1 || p->keep[v]) return -1;
  for (int32_t i = from; i < to; i++) {
    const whet_node *n = &p->g->node[r->node[i]];
    if (!p->live[r->node[i]]) continue;
    for (int k = 0; k < n->n_in; k++)
      if (n->in[k] == v) return r->node[i];
  }
  return -1;
}

/* Does value v hold, for every element of `like`, one element at the same place? */
static bool same_place(const whet_planner *p, int32_t v, int32_t like) {
  return p->env->dtype[v] == p->env->dtype[like] && whet__shape_equal(&p->env->shape[v], &p->env->shape[like]);
}

/* Can node n, which reads `v`, be one more micro-operation of an f32 epilogue? *res: it reads another tensor. */
static bool takes_f32(const whet_planner *p, const whet_node *n, int32_t v, bool *res) {
  uint8_t op;
  float a, b;
  *res = false;
  if (n->n_out != 1 || !same_place(p, n->out[0], v)) return false;
  if (whet__micro_f32(p->g, n, &op, &a, &b))
    return op != WHET_MICRO_ADD && op != WHET_MICRO_MUL ? n->in[0] == v : false;
  if (n->n_in != 2 || n->in[0] == n->in[1] || (strcmp(n->op->name, "Add") && strcmp(n->op->name, "Mul")))
    return false;
  int32_t other = n->in[0] == v ? n->in[1] : n->in[0];
  *res = true;
  return other >= 0 && same_place(p, other, v);
}

/* 8 bits wide, one scale. */
static bool is_byte(const whet_planner *p, int32_t v) {
  whet_dtype t = (whet_dtype)p->env->dtype[v];
  return (t == WHET_U8 || t == WHET_S8) && p->g->val[v].q && p->g->val[v].q->n == 1;
}

/* A group of bytes while it grows: the values that the leader and `n` nodes after it make, in order. */
struct bytes {
  int32_t value[WHET_BYTES_MAX + 1], node[WHET_BYTES_MAX + 1];
  int n;
};

/* Place of value v in the group, or -1. */
static int in_group(const struct bytes *b, int32_t v) {
  for (int i = 0; i <= b->n; i++)
    if (b->value[i] == v) return i;
  return -1;
}

/* Does node n turn values of the group, and single known elements, into one more byte at the same place? */
static bool takes_bytes(const whet_planner *p, const whet_node *n, const struct bytes *b) {
  if (!(n->op->flags & WHET_OP_POINTWISE) || n->n_out != 1 || !n->op->ref || n->n_body || n->n_in > WHET_BYTES_IN ||
      !is_byte(p, n->out[0]))
    return false;
  for (int k = 0; k < n->n_in; k++)
    if (n->in[k] >= 0 && in_group(b, n->in[k]) < 0 &&
        (!whet__pl_is_known(p, n->in[k]) || whet__shape_count(&p->env->shape[n->in[k]]) != 1))
      return false;
  return whet__shape_equal(&p->env->shape[n->out[0]], &p->env->shape[b->value[0]]);
}

/* Is every value of the group but the last used up within it? */
static bool closed(const whet_planner *p, const struct bytes *b) {
  int32_t used[WHET_BYTES_MAX + 1] = {0};
  for (int i = 1; i <= b->n; i++) {
    const whet_node *n = &p->g->node[b->node[i]];
    for (int k = 0; k < n->n_in; k++) {
      int at = n->in[k] >= 0 ? in_group(b, n->in[k]) : -1;
      if (at >= 0) used[at]++;
    }
  }
  for (int i = 0; i < b->n; i++)
    if (p->keep[b->value[i]] || used[i] != p->uses[b->value[i]]) return false;
  return true;
}

/* Node u follows node `end`, the last of the group of `lead` so far. */
static void add_member(whet_planner *p, int32_t lead, int32_t end, int32_t u) {
  p->member[end] = u;
  p->lead[end] = -2;
  p->lead[u] = lead;
}

/* Grow a group of bytes: whatever turns the leader's bytes into other bytes, step by step or joining branches again
 * (x * sigmoid(x)), until one value is left that others need. */
static void grow_bytes(struct match *m, const whet_region *r, int32_t at, int32_t to) {
  whet_planner *p = m->p;
  int32_t lead = r->node[at], end = lead;
  struct bytes b = {{p->g->node[lead].out[0]}, {lead}, 0};
  int taken = 0;
  for (int32_t i = at + 1; i < to && b.n < WHET_BYTES_MAX; i++) {
    int32_t id = r->node[i];
    const whet_node *n = &p->g->node[id];
    bool reads = false;
    for (int k = 0; k < n->n_in; k++) reads |= n->in[k] >= 0 && in_group(&b, n->in[k]) >= 0;
    if (!reads || !p->live[id]) continue;
    if (p->member[id] >= 0 || p->lead[id] != -1 || !takes_bytes(p, n, &b)) break;
    b.n++;
    b.value[b.n] = n->out[0];
    b.node[b.n] = id;
    if (!closed(p, &b)) continue;
    while (taken < b.n) {
      add_member(p, lead, end, b.node[++taken]);
      end = b.node[taken];
    }
  }
}

/* Grow a group of f32 values from its leader at position `at`; a convolution may take a pool at its end. */
static void grow_f32(struct match *m, const whet_region *r, int32_t at, int32_t to) {
  whet_planner *p = m->p;
  int32_t lead = r->node[at], end = lead, v = p->g->node[lead].out[0];
  bool has_res = false;
  for (int n = 0; n < WHET_EPI_MAX; n++) {
    int32_t u = only_user(m, r, m->place[end] + 1, v, to);
    if (u < 0 || p->member[u] >= 0 || p->lead[u] != -1) break;
    const whet_node *x = &p->g->node[u];
    bool res = false;
    if (!takes_f32(p, x, v, &res) || (res && has_res)) break;
    has_res |= res;
    add_member(p, lead, end, u);
    end = u;
    v = x->out[0];
  }
  int32_t pool = has_res ? -1 : only_user(m, r, m->place[end] + 1, v, to);
  if (pool >= 0 && p->member[pool] < 0 && p->lead[pool] == -1 &&
      whet__conv_takes_pool(p, &p->g->node[lead], &p->g->node[pool]))
    add_member(p, lead, end, pool);
}

/* A product of bytes at position `at` takes the SumsToFloat that alone uses its sums, and what that leads. */
static void take_sums(struct match *m, const whet_region *r, int32_t at, int32_t to) {
  whet_planner *p = m->p;
  int32_t lead = r->node[at], v = p->g->node[lead].out[0], sums = only_user(m, r, at + 1, v, to), end = sums;
  if (sums < 0 || strcmp(p->g->node[sums].op->name, "SumsToFloat") || p->g->node[sums].in[0] != v) return;
  while (p->member[end] >= 0) end = p->member[end];
  p->member[lead] = sums;
  p->lead[lead] = p->lead[sums] = -2;
  p->lead[end] = lead;
}

/* The last node of the group that n leads; *conv: the last convolution among them, -1 where a pool is. */
static int32_t group_end(const whet_planner *p, int32_t n, int32_t *conv) {
  *conv = n;
  while (p->member[n] >= 0) {
    n = p->member[n];
    if (!strcmp(p->g->node[n].op->name, "Conv")) *conv = n;
    if (!strcmp(p->g->node[n].op->name, "MaxPool")) *conv = -1;
  }
  return n;
}

/* The group that A leads takes the convolution that alone uses its result, and that one's group, and so on. */
static void chain_convs(struct match *m, const whet_region *r, int32_t a, uint8_t *inside, int32_t to) {
  whet_planner *p = m->p;
  for (bool res;;) {
    int32_t conv, other, end = group_end(p, a, &conv), v = p->g->node[end].out[0];
    if (conv < 0 || whet__conv_stages(p, &p->g->node[a], &res) >= WHET_CHAIN_MAX || res) return;
    int32_t b = only_user(m, r, m->place[end] + 1, v, to);
    if (b < 0 || p->g->node[b].in[0] != v || strcmp(p->g->node[b].op->name, "Conv")) return;
    int32_t last = group_end(p, b, &other);
    if (other < 0 || !whet__conv_takes_conv(p, &p->g->node[conv], &p->g->node[b])) return;
    p->member[end] = b;
    p->lead[end] = p->lead[b] = -2;
    p->lead[last] = a;
    inside[b] = 1;
  }
}

void whet__group_match(whet_planner *p, const whet_region *r, int32_t from, int32_t to) {
  if (p->program->opts.no_group || p->program->opts.keep_all) return;
  struct match m = {p, whet__arena_array(p->a, (size_t)p->g->n_node + 1, sizeof *m.place)};
  if (!m.place) return;
  uint8_t *inside = whet__arena_array(p->a, (size_t)p->g->n_node + 1, 1);
  if (!inside) return;
  for (int32_t i = from; i < to; i++) m.place[r->node[i]] = i;
  /* From the end: where two leaders meet in an Add the later one takes it, and the earlier result is there by then.
   * What pointwise nodes are left over lead groups of their own. */
  for (int round = 0; round < 2; round++)
    for (int32_t i = to - 1; i >= from; i--) {
      const whet_node *n = &p->g->node[r->node[i]];
      bool pointwise = (n->op->flags & WHET_OP_POINTWISE) != 0;
      if (pointwise == (round == 1) && p->live[r->node[i]] && n->op->flags & WHET_OP_TILE &&
          p->lead[r->node[i]] == -1 && n->n_out > 0 && n->out[0] >= 0) {
        if (is_byte(p, n->out[0]))
          grow_bytes(&m, r, i, to);
        else if (p->env->dtype[n->out[0]] == WHET_F32)
          grow_f32(&m, r, i, to);
        else if (p->env->dtype[n->out[0]] == WHET_S32)
          take_sums(&m, r, i, to);
      }
    }
  for (int32_t i = from; i < to; i++) {
    const whet_node *n = &p->g->node[r->node[i]];
    if (p->live[r->node[i]] && !inside[r->node[i]] && !strcmp(n->op->name, "Conv") && p->env->dtype[n->out[0]] == WHET_F32)
      chain_convs(&m, r, r->node[i], inside, to);
  }
}

void whet__pl_epi_f32(const whet_planner *p, const whet_node *n, whet_epi_f32 *epi, int32_t *res) {
  *epi = (whet_epi_f32){0};
  *res = -1;
  int32_t v = n->out[0], at = (int32_t)(n - p->g->node);
  while ((at = p->member[at]) >= 0 && p->g->node[at].op->flags & WHET_OP_POINTWISE) {
    const whet_node *m = &p->g->node[at];
    uint8_t *op = &epi->op[epi->n];
    if (!whet__micro_f32(p->g, m, op, &epi->a[epi->n], &epi->b[epi->n])) {
      *op = strcmp(m->op->name, "Add") ? WHET_MICRO_MUL : WHET_MICRO_ADD;
      *res = m->in[0] == v ? m->in[1] : m->in[0];
      epi->res = 1;
    }
    epi->n++;
    v = m->out[0];
  }
}
