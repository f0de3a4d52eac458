/* SPDX-License-Identifier: Apache-2.0 */
/* Attention that is written out becomes one operator.
 *
 *   MatMul(Softmax(a MatMul(b q, c k') + mask), v)     ─▶  Attention(q, k, v, mask), scale a b c
 *
 * where q, k, v have rank 4 ([batch, head, row, width]) or 3, the factors and the mask may be missing, and k' is Transpose(k)
 * or an operand that the MatMul turns. Transposes that bring heads out of rows, and back, become part of it:
 *
 *   Transpose(x: [batch, row, head, width])  ─▶ q, k, v;     y ─▶ Transpose  ─▶ [batch, row, head, width]
 *
 * f32 only, since other floats are rounded after each of these steps. A row with nothing but -Inf stays NaN. */

#include "op/attention.h"
#include "op/dense.h"
#include "op/move_attr.h"
#include "op/softmax.h"
#include "pass/match.h"

/* What was found. */
struct found {
  int32_t q, k, v, mask; /* mask -1: none */
  double scale;
  int32_t rank;          /* 3 or 4 */
  uint8_t inside;
  bool k_turned;         /* k is [..., width, row] still */
};

/* Brings heads out of rows, and back. */
static const int64_t k_back[] = {0, 2, 1, 3};

/* Is node n Transpose by perm (of `rank` dimensions)? */
static bool is_turn(const whet_node *n, const int64_t *perm, int32_t rank) {
  if (!n || !whet__is_op(n, "Transpose") || n->n_in != 1) return false;
  const whet_transpose *a = n->attr;
  return a->perm.n == rank && !memcmp(a->perm.v, perm, (size_t)rank * sizeof *perm);
}

/* v is c x with a constant c: x; *scale takes c. */
static int32_t without_factor(const whet_match *m, int32_t v, double *scale) {
  whet_product_of f;
  whet__match_product_of(m, v, &f);
  if (f.n != 1) return v;
  *scale *= f.coef;
  return f.factor[0];
}

/* Operand v of rank 4: what it is a transpose of when that brings heads out of rows (bit is set in *inside), else v. */
static int32_t heads_of(const whet_match *m, int32_t v, uint8_t bit, struct found *f) {
  const whet_node *t = whet__match_maker(m, v);
  if (f->rank != 4 || !is_turn(t, k_back, 4)) return v;
  f->inside |= bit;
  return t->in[0];
}

/* The keys: operand v of the product, [..., width, row] or (turned) [..., row, width]. */
static void keys_of(const whet_match *m, int32_t v, bool turned, struct found *f) {
  static const int64_t k_last[][4] = {{0, 2, 1}, {0, 1, 3, 2}}, k_heads[] = {0, 2, 3, 1};
  v = without_factor(m, v, &f->scale);
  const whet_node *t = whet__match_maker(m, v);
  f->k_turned = !turned;
  if (!turned && is_turn(t, k_last[f->rank - 3], f->rank)) {
    f->k_turned = false;
    v = without_factor(m, t->in[0], &f->scale);
  } else if (!turned && f->rank == 4 && is_turn(t, k_heads, 4)) {
    f->k_turned = false;
    f->inside |= WHET_ATTN_K;
    f->k = without_factor(m, t->in[0], &f->scale);
    return;
  }
  f->k = f->k_turned ? v : heads_of(m, v, WHET_ATTN_K, f);
}

/* Can v be added to scores s as a mask: as many keys, all else 1 or the same? */
static bool is_mask(const whet_match *m, int32_t v, int32_t s) {
  const whet_shape *a = &m->p->env->shape[v], *b = &m->p->env->shape[s];
  if (!whet__match_is_float(m, v) || a->rank < 1 || b->rank < a->rank || a->d[a->rank - 1] == WHET_DIM_ANY) return false;
  for (int32_t i = 1; i <= a->rank; i++) {
    whet_dim x = a->d[a->rank - i], y = b->d[b->rank - i];
    if (x == WHET_DIM_ANY || (x != y && (i == 1 || x != 1))) return false;
  }
  return m->p->env->dtype[v] == WHET_F32;
}

/* Plain f32 of the pattern's rank. */
static bool plain(const whet_match *m, int32_t v, int32_t rank) {
  return whet__match_is_float(m, v) && m->p->env->dtype[v] == WHET_F32 && whet__match_rank(m, v) == rank;
}

/* The same leading dimensions: batches, and heads. Products that broadcast are left alone. */
static bool alike(const whet_match *m, int32_t a, int32_t b, int32_t rank) {
  const whet_shape *x = &m->p->env->shape[a], *y = &m->p->env->shape[b];
  for (int32_t i = 0; i + 2 < rank; i++)
    if (x->d[i] == WHET_DIM_ANY || x->d[i] != y->d[i]) return false;
  return true;
}

/* Node n is the product with the values. */
static bool find(const whet_match *m, const whet_node *n, struct found *f) {
  if (!whet__is_op(n, "MatMul") || n->n_in != 2) return false;
  const whet_matmul *a = n->attr;
  const whet_node *soft = whet__match_only(m, n->in[0], "Softmax");
  *f = (struct found){.mask = -1, .scale = 1, .rank = whet__match_rank(m, n->out[0])};
  if (!soft || a->alpha != 1 || a->trans_a || a->trans_b || f->rank < 3 || f->rank > 4) return false;
  const whet_softmax_attr *s = soft->attr;
  if ((s->axis != -1 && s->axis != f->rank - 1) || s->beta != 1) return false;
  int32_t scores = soft->in[0];
  const whet_node *add = whet__match_only(m, scores, "Add");
  for (int i = 0; add && add->n_in == 2 && i < 2; i++) {
    int32_t x = add->in[1 - i];
    double c = 1;
    const whet_node *product = whet__match_only(m, without_factor(m, x, &c), "MatMul");
    if (!product || !is_mask(m, add->in[i], x) || whet__match_rank(m, x) != f->rank) continue;
    f->mask = add->in[i];
    scores = x;
    break;
  }
  const whet_node *qk = whet__match_only(m, without_factor(m, scores, &f->scale), "MatMul");
  const whet_matmul *b = qk ? qk->attr : NULL;
  if (!qk || qk->n_in != 2 || b->trans_a) return false;
  if (!plain(m, qk->in[0], f->rank) || !plain(m, qk->in[1], f->rank) || !plain(m, n->in[1], f->rank) ||
      !alike(m, qk->in[0], qk->in[1], f->rank) || !alike(m, qk->in[0], n->in[1], f->rank))
    return false;
  f->scale *= (double)b->alpha;
  f->q = heads_of(m, without_factor(m, qk->in[0], &f->scale), WHET_ATTN_Q, f);
  keys_of(m, qk->in[1], b->trans_b != 0, f);
  f->v = heads_of(m, n->in[1], WHET_ATTN_V, f);
  return f->scale > 0;
}

/* Value v with one more dimension (a head) at `axis`. */
static int32_t with_head(whet_edit *e, int32_t v, const int64_t *axis) {
  whet_squeeze a = {{axis, 1}};
  int32_t y = whet__ed_val(e, "head", WHET_F32, NULL);
  whet__ed_node(e, whet__op_find("Unsqueeze"), &a, &v, 1, &y, 1);
  return y;
}

/* The node at e's place becomes Attention, whose result it (rank 4) or a Squeeze of it makes. */
static whet_status become(whet_pass *p, whet_edit *e, int32_t id, struct found *f) {
  static const int64_t k_head = 1, k_perm[] = {0, 1, 3, 2};
  int32_t out = p->g->node[id].out[0], y = out;
  if (f->rank == 3) {
    f->q = with_head(e, f->q, &k_head);
    f->k = with_head(e, f->k, &k_head);
    f->v = with_head(e, f->v, &k_head);
    if (f->mask >= 0 && p->env->shape[f->mask].rank == 3) f->mask = with_head(e, f->mask, &k_head);
    y = whet__ed_val(e, "heads", WHET_F32, NULL);
  }
  if (f->k_turned) {
    whet_transpose t = {{k_perm, 4}};
    int32_t k = whet__ed_val(e, "keys", WHET_F32, NULL);
    whet__ed_node(e, whet__op_find("Transpose"), &t, &f->k, 1, &k, 1);
    f->k = k;
  }
  whet_attention a = {
      .left = -1, .right = -1, .scaled = 1, .scale = (float)f->scale, .inside = f->inside, .nan = 1};
  int32_t in[6] = {f->q, f->k, f->v, f->mask, -1, -1};
  int32_t made = whet__ed_node(e, whet__op_find("Attention"), &a, in, 6, &y, 1);
  if (made < 0) return whet__pass_full(p);
  p->g->node[made].name = p->g->node[id].name;
  p->g->node[made].origin = p->g->node[id].origin;
  if (f->rank == 3) {
    whet_squeeze s = {{&k_head, 1}};
    if (whet__ed_node(e, whet__op_find("Squeeze"), &s, &y, 1, &out, 1) < 0) return whet__pass_full(p);
  }
  p->changed = true;
  return WHET_OK;
}

/* Is the result of the node at place i of the region turned back by a Transpose that is its only user? */
static bool turned_back(const whet_match *m, const whet_region *r, int32_t i) {
  int32_t y = m->p->g->node[r->node[i]].out[0], user = m->u.count[y] == 1 && m->u.first[y] < m->u.first[y + 1]
                                                          ? m->u.user[m->u.first[y]]
                                                          : -1;
  if (user < 0 || m->p->g->val[y].flags & WHET_VAL_KEEP || !is_turn(&m->p->g->node[user], k_back, 4)) return false;
  for (int32_t k = i + 1; k < r->n_node; k++)
    if (r->node[k] == user) return true;
  return false;
}

static whet_status attention_region(whet_pass *p, whet_region *r) {
  whet_match m;
  if (!whet__match_init(p, &m)) return whet__pass_full(p);
  int32_t n_val = p->g->n_val; /* values made since are not in m */
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &p->g->node[r->node[i]], *product = n;
    struct found f;
    bool back = is_turn(n, k_back, 4);
    if (n->in == NULL || n->n_in < 1 || n->in[0] < 0 || n->in[0] >= n_val) continue;
    if (back) product = whet__match_only(&m, n->in[0], "MatMul");
    if (!product || !find(&m, product, &f)) continue;
    if (!back && f.rank == 4 && turned_back(&m, r, i)) continue; /* its Transpose takes it */
    if (back) f.inside |= WHET_ATTN_Y;
    whet_edit e = {.pass = p, .g = p->g, .r = r, .at = i};
    WHET_TRY(become(p, &e, r->node[i], &f));
    whet__region_remove(p->g, r, e.at);
    i = e.at - 1;
  }
  return WHET_OK;
}

whet_status whet__pass_attention(whet_pass *p) {
  WHET_TRY(whet__pass_env(p));
  return whet__pass_regions(p, attention_region);
}
