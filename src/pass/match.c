/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for chains of float nodes. */

#include "pass/match.h"

#include <math.h>

#include "base/dtype.h"

bool whet__match_init(whet_pass *p, whet_match *m) {
  m->p = p;
  return whet__graph_uses(p->g, &p->a, &m->u);
}

whet_node *whet__match_maker(const whet_match *m, int32_t v) {
  int32_t n = v < 0 ? -1 : m->u.maker[v];
  return n < 0 || m->p->g->node[n].dead ? NULL : &m->p->g->node[n];
}

whet_node *whet__match_only(const whet_match *m, int32_t v, const char *name) {
  whet_node *n = whet__match_maker(m, v);
  if (!n || m->u.count[v] != 1 || m->p->g->val[v].flags & WHET_VAL_KEEP) return NULL;
  return !name || whet__is_op(n, name) ? n : NULL;
}

bool whet__match_is_float(const whet_match *m, int32_t v) {
  return v >= 0 && whet__is_float((whet_dtype)m->p->env->dtype[v]) && !m->p->g->val[v].q;
}

int32_t whet__match_rank(const whet_match *m, int32_t v) { return v < 0 ? -1 : m->p->env->shape[v].rank; }

bool whet__match_scalar(const whet_match *m, int32_t v, int32_t rank, double *c) {
  const whet_data *d = whet__pass_const(m->p, v);
  if (!d || !whet__match_is_float(m, v)) return false;
  const whet_val *x = &m->p->g->val[v];
  if (whet__shape_count(&x->shape) != 1 || x->shape.rank > rank) return false;
  *c = whet__get_f64((whet_dtype)x->dtype, d->p, 0);
  return true;
}

bool whet__match_near(const whet_match *m, int32_t v, double c, double want) {
  whet_dtype t = (whet_dtype)m->p->env->dtype[v];
  double eps = t == WHET_F32 || t == WHET_F64 ? 1e-5 : 8e-3;
  return fabs(c - want) <= eps * fabs(want);
}

/* Add what v is made of to a product. */
static bool open_factor(const whet_match *m, int32_t v, int32_t rank, whet_product_of *out, int depth);

static bool open_node(const whet_match *m, const whet_node *n, int32_t rank, whet_product_of *out, int depth) {
  double c;
  if (n->n_in == 2 && whet__is_op(n, "Mul")) {
    for (int i = 0; i < 2; i++)
      if (whet__match_scalar(m, n->in[i], rank, &c)) {
        out->coef *= c;
        return open_factor(m, n->in[1 - i], rank, out, depth);
      }
    return open_factor(m, n->in[0], rank, out, depth) && open_factor(m, n->in[1], rank, out, depth);
  }
  if (n->n_in == 2 && whet__is_op(n, "Div") && whet__match_scalar(m, n->in[1], rank, &c) && c != 0) {
    out->coef /= c;
    return open_factor(m, n->in[0], rank, out, depth);
  }
  return false;
}

static bool open_factor(const whet_match *m, int32_t v, int32_t rank, whet_product_of *out, int depth) {
  const whet_node *n = depth < 8 && v >= 0 ? whet__match_only(m, v, NULL) : NULL;
  if (n && whet__match_rank(m, v) == rank) {
    whet_product_of try = *out;
    if (open_node(m, n, rank, &try, depth + 1)) return *out = try, true;
  }
  if (out->n == WHET_MATCH_FACTORS || v < 0) return false;
  out->factor[out->n++] = v;
  return true;
}

bool whet__match_product(const whet_match *m, const whet_node *n, whet_product_of *out) {
  *out = (whet_product_of){.coef = 1};
  return open_node(m, n, whet__match_rank(m, n->out[0]), out, 0);
}

void whet__match_product_of(const whet_match *m, int32_t v, whet_product_of *out) {
  *out = (whet_product_of){.coef = 1};
  if (!open_factor(m, v, whet__match_rank(m, v), out, 0)) *out = (whet_product_of){1, 1, {v}};
}

int32_t whet__match_plus(const whet_match *m, int32_t v, double want) {
  const whet_node *n = whet__match_only(m, v, "Add");
  double c;
  for (int i = 0; n && n->n_in == 2 && i < 2; i++)
    if (whet__match_scalar(m, n->in[i], whet__match_rank(m, n->in[1 - i]), &c) && whet__match_near(m, v, c, want))
      return n->in[1 - i];
  return -1;
}

whet_status whet__match_become(const whet_match *m, whet_node *n, const char *op, const void *attr, const int32_t *in,
                               int n_in) {
  whet_arena *a = &m->p->g->arena;
  const whet_op *to = whet__op_find(op);
  const void *copy = to->attr_size ? whet__arena_copy(a, attr, to->attr_size) : NULL;
  int32_t *list = whet__arena_copy(a, in, (size_t)n_in * sizeof *in);
  if ((to->attr_size && !copy) || !list) return whet__pass_full(m->p);
  n->op = to;
  n->attr = copy;
  n->in = list;
  n->n_in = (uint16_t)n_in;
  m->p->changed = true;
  return WHET_OK;
}

whet_status whet__match_unary(const whet_match *m, whet_node *n, const char *op, float a, float b, int32_t x) {
  whet_unary_attr at = {a, b};
  return whet__match_become(m, n, op, &at, &x, 1);
}
