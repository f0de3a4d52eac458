/* SPDX-License-Identifier: Apache-2.0 */
/* Channels last (or, for files of ONNX, first: the same with the two exchanged).
 *
 *   x ─▶ Conv(channels 1) ─▶ y      becomes   x ─▶ T ─▶ Conv(channels last) ─▶ T' ─▶ y
 *   T ─▶ Op ─▶ y                    becomes   Op' ─▶ T ─▶ y        while Op has a form for turned inputs
 *   T ─▶ T'                         becomes   nothing
 *   DequantizeLinear ─▶ T ─▶ y      becomes   T ─▶ DequantizeLinear ─▶ y      at last, with one scale
 *
 * Kernels exist for channels last only. Spatial operators (WHET_OP_SPATIAL) are turned, then transposes sink towards
 * the outputs through whatever can work on turned inputs until they meet their inverse. What is left stands at
 * borders. */

#include "op/move_attr.h"
#include "pass/pass.h"

/* The inverse of a permutation. */
static void invert(const int8_t *p, int rank, int8_t *out) {
  for (int i = 0; i < rank; i++) out[p[i]] = (int8_t)i;
}

static bool identity(const int8_t *p, int rank) {
  for (int i = 0; i < rank; i++)
    if (p[i] != i) return false;
  return true;
}

/* A new value that is v turned by perm. */
static int32_t turned(whet_edit *e, int32_t v, const int8_t *perm, int rank) {
  int32_t u = whet__ed_like(e, v);
  if (u < 0) return -1;
  const whet_val *x = &e->g->val[v];
  for (int i = 0; i < rank && x->shape.rank == rank; i++) e->g->val[u].shape.d[i] = x->shape.d[perm[i]];
  if (x->q && x->q->n > 1) {
    whet_quant *q = whet__arena_copy(&e->g->arena, x->q, sizeof *q);
    if (!q) return e->failed = true, -1;
    q->axis = whet__perm_axis(perm, rank, q->axis);
    e->g->val[u].q = q;
  }
  return u;
}

/* Insert Transpose(perm) from value `in` to value `out` at the edit's place. */
static void insert_transpose(whet_edit *e, int32_t in, int32_t out, const int8_t *perm, int rank) {
  int64_t *list = whet__arena_array(&e->g->arena, WHET_MAX_RANK, sizeof *list);
  if (!list || in < 0 || out < 0) {
    e->failed = true;
    return;
  }
  for (int i = 0; i < rank; i++) list[i] = perm[i];
  whet_transpose t = {.perm = {list, rank}};
  whet__ed_node(e, whet__op_find("Transpose"), &t, &in, 1, &out, 1);
}

/* Give the outputs of the node at position `at`, which are turned now, their old values back through transposes after
 * it. */
static void restore_outputs(whet_edit *e, int32_t node, const int8_t *perm) {
  for (int o = 0; o < e->g->node[node].n_out; o++) {
    int32_t v = e->g->node[node].out[o];
    int rank = v < 0 ? 0 : e->g->val[v].shape.rank;
    if (v < 0 || rank < 2 || identity(perm, rank)) continue;
    int8_t back[WHET_MAX_RANK];
    invert(perm, rank, back);
    int32_t u = turned(e, v, perm, rank);
    if (u < 0) return;
    e->g->node[node].out[o] = u;
    insert_transpose(e, u, v, back, rank);
  }
}

/* The permutation of the Transpose that makes v, if one does. */
static bool made_by_transpose(const whet_graph *g, const int32_t *maker, int32_t v, int8_t *perm, int32_t *from) {
  int32_t m = v < 0 ? -1 : maker[v];
  if (m < 0 || g->node[m].dead || !whet__is_op(&g->node[m], "Transpose") || g->node[m].n_in != 1) return false;
  const whet_transpose *t = g->node[m].attr;
  int rank = g->val[v].shape.rank;
  if (rank < 0 || (t->perm.n && t->perm.n != rank)) return false;
  for (int i = 0; i < rank; i++) {
    int64_t d = t->perm.n ? t->perm.v[i] : rank - 1 - i;
    perm[i] = (int8_t)(d < 0 ? d + rank : d);
  }
  *from = g->node[m].in[0];
  return true;
}

/* Is input k of the node one whose dimensions turn with the node? */
static bool is_data(const whet_node *n, int k) {
  return k == 0 || n->op->flags & WHET_OP_POINTWISE || whet__is_op(n, "Concat");
}

/* The node that makes each value, kept up to date as nodes are added. */
struct makers {
  int32_t *of;
  size_t cap;
  int32_t nodes; /* of the graph, looked at so far */
};

static bool note_makers(whet_pass *p, struct makers *m, int32_t changed) {
  size_t had = m->cap, n = (size_t)p->g->n_val;
  if (n > m->cap) {
    int32_t *bigger = whet__arena_array(&p->a, n * 2, sizeof *bigger);
    if (!bigger) return false;
    if (had) memcpy(bigger, m->of, had * sizeof *bigger);
    for (size_t v = had; v < n * 2; v++) bigger[v] = -1;
    m->of = bigger;
    m->cap = n * 2;
  }
  for (int32_t i = changed >= 0 ? changed : m->nodes; i < p->g->n_node; i = i == changed ? m->nodes : i + 1)
    for (int k = 0; k < p->g->node[i].n_out; k++)
      if (p->g->node[i].out[k] >= 0 && !p->g->node[i].dead) m->of[p->g->node[i].out[k]] = i;
  m->nodes = p->g->n_node;
  return true;
}

/* Is the rank of every output known? Else nobody can turn them back. */
static bool ranks_known(const whet_graph *g, const whet_node *n) {
  for (int o = 0; o < n->n_out; o++)
    if (n->out[o] >= 0 && g->val[n->out[o]].shape.rank < 0) return false;
  return true;
}

/* Sink the transposes in front of a node behind it. *done tells. */
static whet_status sink(whet_pass *p, whet_region *r, int32_t *at, int32_t *maker, bool *done) {
  whet_graph *g = p->g;
  int32_t id = r->node[*at], from[64];
  whet_node *n = &g->node[id];
  int8_t perm[WHET_MAX_RANK], other[WHET_MAX_RANK], inv[WHET_MAX_RANK], out[WHET_MAX_RANK];
  int rank = -1;
  *done = false;
  if (!n->op->permute || n->op->flags & WHET_OP_SPATIAL || n->n_in > 64 || n->n_body || !ranks_known(g, n))
    return WHET_OK;
  int n_in = n->n_in; /* the hook may give it more */
  for (int k = 0; k < n_in; k++) {
    from[k] = -1;
    if (n->in[k] < 0 || !is_data(n, k) || g->val[n->in[k]].role == WHET_ROLE_CONST) continue;
    const whet_shape *s = &g->val[n->in[k]].shape;
    if (k && n->op->flags & WHET_OP_POINTWISE && whet__shape_count(s) == 1) continue;
    if (!made_by_transpose(g, maker, n->in[k], rank < 0 ? perm : other, &from[k])) return WHET_OK;
    if (rank >= 0 && (s->rank != rank || memcmp(perm, other, (size_t)rank))) return WHET_OK;
    rank = s->rank;
  }
  if (rank < 2) return WHET_OK;
  invert(perm, rank, inv);
  for (int i = 0; i < WHET_MAX_RANK; i++) out[i] = i < rank ? inv[i] : (int8_t)i;
  whet_edit e = {.pass = p, .g = g, .r = r, .at = *at};
  if (!n->op->permute(&e, id, inv, rank, out)) return e.failed ? whet__pass_full(p) : WHET_OK;
  *at = e.at;
  n = &g->node[id];
  for (int k = 0; k < n_in; k++) {
    if (from[k] >= 0) {
      n->in[k] = from[k];
    } else if (n->in[k] >= 0 && whet__is_op(n, "Concat")) { /* a constant among the inputs */
      int32_t u = turned(&e, n->in[k], inv, rank), c = n->in[k];
      insert_transpose(&e, c, u, inv, rank);
      n = &g->node[id];
      n->in[k] = u;
    }
  }
  *at = e.at;
  e.at = *at + 1;
  restore_outputs(&e, id, out);
  *done = true;
  p->changed = true;
  return e.failed ? whet__pass_full(p) : WHET_OK;
}

/* Do the channels of a spatial node stand last? */
static bool is_last(const whet_node *n) {
  for (const whet_attr_desc *d = n->op->attrs; d && d->name; d++)
    if (!strcmp(d->name, "channels_last")) return *((const uint8_t *)n->attr + d->offset) != 0;
  return false;
}

/* Turn a spatial operator whose channels stand first (or last, when they shall be first). */
static whet_status seed(whet_pass *p, whet_region *r) {
  for (int32_t i = 0; i < r->n_node; i++) {
    int32_t id = r->node[i];
    whet_node *n = &p->g->node[id];
    int rank = n->n_in && n->in[0] >= 0 ? p->g->val[n->in[0]].shape.rank : -1;
    if (!(n->op->flags & WHET_OP_SPATIAL) || !n->op->permute || rank < 3 || !ranks_known(p->g, n) || is_last(n) != p->first)
      continue;
    int8_t perm[WHET_MAX_RANK], out[WHET_MAX_RANK];
    for (int k = 0; k < WHET_MAX_RANK; k++) {
      int to_last = k == rank - 1 ? 1 : k + 1, to_first = k == 1 ? rank - 1 : k - 1;
      perm[k] = (int8_t)(k == 0 || k >= rank ? k : p->first ? to_first : to_last);
    }
    memcpy(out, perm, sizeof out);
    whet_edit e = {.pass = p, .g = p->g, .r = r, .at = i};
    if (!n->op->permute(&e, id, perm, rank, out)) {
      if (e.failed) return whet__pass_full(p);
      continue;
    }
    int32_t v = p->g->node[id].in[0], u = turned(&e, v, perm, rank);
    insert_transpose(&e, v, u, perm, rank);
    p->g->node[id].in[0] = u;
    e.at++;
    restore_outputs(&e, id, out);
    if (e.failed) return whet__pass_full(p);
    i = e.at - 1;
    p->changed = true;
  }
  return WHET_OK;
}

/* Transposes that turn nothing. */
static void drop_identity(whet_pass *p, whet_region *r) {
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_node *n = &p->g->node[r->node[i]];
    if (!whet__is_op(n, "Transpose") || n->n_in != 1 || p->g->val[n->out[0]].flags & WHET_VAL_KEEP) continue;
    const whet_transpose *t = n->attr;
    bool same = t->perm.n > 0;
    for (int32_t k = 0; k < t->perm.n; k++) same &= t->perm.v[k] == k;
    if (!same) continue;
    whet__graph_replace(p->g, n->out[0], n->in[0]);
    whet__region_remove(p->g, r, i--);
  }
}

/* One scale for all: the node does the same however its input is turned. */
static bool one_scale(const whet_pass *p, const whet_node *n) {
  for (int k = 1; k < n->n_in; k++)
    if (n->in[k] >= 0 && whet__shape_count(&p->g->val[n->in[k]].shape) != 1) return false;
  return n->in[0] >= 0;
}

/* What is left behind a DequantizeLinear turns its bytes before it, a quarter of the memory. */
static whet_status turn_bytes(whet_pass *p, whet_region *r) {
  whet_uses u;
  if (!whet__graph_uses(p->g, &p->a, &u)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_node *t = &p->g->node[r->node[i]], *n;
    int8_t perm[WHET_MAX_RANK];
    int32_t v, maker, at = 0;
    if (!whet__is_op(t, "Transpose") || !made_by_transpose(p->g, u.maker, t->out[0], perm, &v) || v < 0 || u.count[v] != 1) continue;
    maker = u.maker[v];
    n = maker < 0 ? NULL : &p->g->node[maker];
    if (!n || n->dead || !whet__is_op(n, "DequantizeLinear") || !one_scale(p, n) || p->g->val[v].flags & WHET_VAL_KEEP) continue;
    while (at < i && r->node[at] != maker) at++;
    whet_edit e = {.pass = p, .g = p->g, .r = r, .at = i};
    int32_t x = n->in[0], bytes = at < i ? turned(&e, x, perm, p->g->val[t->out[0]].shape.rank) : -1;
    if (e.failed) return whet__pass_full(p);
    if (bytes < 0) continue;
    n->out[0] = t->out[0];
    t->out[0] = n->in[0] = bytes;
    t->in[0] = x;
    r->node[at] = r->node[i];
    r->node[i] = maker;
    u.maker[n->out[0]] = maker;
  }
  return WHET_OK;
}

static whet_status layout_region(whet_pass *p, whet_region *r) {
  WHET_TRY(seed(p, r));
  struct makers m = {0};
  if (!note_makers(p, &m, -1)) return whet__pass_full(p);
  int64_t budget = 20 * (int64_t)r->n_node + 100;
  for (bool any = true; any && budget > 0;) {
    any = false;
    for (int32_t i = 0; i < r->n_node && budget-- > 0; i++) {
      bool done;
      int32_t id = r->node[i];
      WHET_TRY(sink(p, r, &i, m.of, &done));
      if (done && !note_makers(p, &m, id)) return whet__pass_full(p);
      any |= done;
    }
    drop_identity(p, r);
  }
  return p->files ? WHET_OK : turn_bytes(p, r);
}

whet_status whet__pass_layout(whet_pass *p) { return whet__pass_regions(p, layout_region); }
