/* SPDX-License-Identifier: Apache-2.0 */
/* Normalisations that are written out become one operator. M: ReduceMean over the last dimensions, with keepdims.
 *
 *   d = x - M(x)
 *   d / Sqrt(M(d^2) + e), d * Rsqrt(M(d^2) + e)               ─▶  LayerNormalization(x)
 *   x / Sqrt(M(x^2) + e), x * Rsqrt(M(x^2) + e)               ─▶  RMSNormalization(x)
 *   ... * scale, ... * scale + bias                           ─▶  the same with scale and bias
 *   s = scale * Rsqrt(M(SquaredDifference(x, M(x))) + e)
 *   x s + (bias - M(x) s)                                     ─▶  LayerNormalization(x, scale, bias)
 *   x s + (-M(x)) s                                           ─▶  LayerNormalization(x, scale)
 *
 * Only where scale and bias have one number for each element that is normalised over. */

#include "op/layernorm.h"
#include "op/reduce.h"
#include "pass/match.h"

/* What was found. */
struct norm {
  int32_t x, scale, bias; /* -1: none */
  int32_t axis;
  double epsilon;
  bool rms;
};

/* v is M(of): *of and the first axis; false when it is not. */
static bool mean_of(const whet_match *m, int32_t v, int32_t *of, int32_t *axis) {
  const whet_node *n = whet__match_maker(m, v);
  if (!n || !whet__is_op(n, "ReduceMean") || n->n_in != 1) return false;
  const whet_reduce_attr *a = n->attr;
  int32_t rank = whet__match_rank(m, n->in[0]);
  bool mark[WHET_MAX_RANK] = {false};
  if (!a->keep || !a->axes.n || rank < 1) return false;
  for (int32_t i = 0; i < a->axes.n; i++) {
    int64_t k = a->axes.v[i] < 0 ? a->axes.v[i] + rank : a->axes.v[i];
    if (k >= 0 && k < rank) mark[k] = true;
  }
  *axis = rank;
  while (*axis > 0 && mark[*axis - 1]) --*axis;
  for (int32_t i = 0; i < *axis; i++)
    if (mark[i]) return false;
  *of = n->in[0];
  return *axis < rank;
}

/* v is x^2: x, or -1. */
static int32_t square_of(const whet_match *m, int32_t v) {
  const whet_node *n = whet__match_only(m, v, NULL);
  double c;
  if (!n) return -1;
  if (whet__is_op(n, "Square") || (whet__is_op(n, "Mul") && n->n_in == 2 && n->in[0] == n->in[1])) return n->in[0];
  if (whet__is_op(n, "Pow") && whet__match_scalar(m, n->in[1], whet__match_rank(m, n->in[0]), &c) && c == 2)
    return n->in[0];
  return -1;
}

/* v is some + e with a constant e >= 0: what it is added to, or -1. */
static int32_t plus_epsilon(const whet_match *m, int32_t v, double *e) {
  const whet_node *n = whet__match_only(m, v, "Add");
  for (int i = 0; n && n->n_in == 2 && i < 2; i++)
    if (whet__match_scalar(m, n->in[i], whet__match_rank(m, n->in[1 - i]), e) && *e >= 0) return n->in[1 - i];
  return -1;
}

/* The mean of squares whose root (plus e) divides in node n; *over: what is divided. -1: it is no such quotient. */
static int32_t divided_by_root(const whet_match *m, const whet_node *n, int32_t *over, double *e) {
  if (n->n_in != 2) return -1;
  if (whet__is_op(n, "Div")) {
    const whet_node *root = whet__match_only(m, n->in[1], "Sqrt");
    *over = n->in[0];
    return root ? plus_epsilon(m, root->in[0], e) : -1;
  }
  for (int i = 0; whet__is_op(n, "Mul") && i < 2; i++) {
    const whet_node *root = whet__match_only(m, n->in[i], "Rsqrt");
    *over = n->in[1 - i];
    if (root) return plus_epsilon(m, root->in[0], e);
  }
  return -1;
}

/* Are two values the same one, or the same difference written twice? */
static bool same(const whet_match *m, int32_t a, int32_t b) {
  const whet_node *x = whet__match_maker(m, a), *y = whet__match_maker(m, b);
  if (a == b) return true;
  return a >= 0 && b >= 0 && x && y && whet__is_op(x, "Sub") && whet__is_op(y, "Sub") && x->in[0] == y->in[0] &&
         x->in[1] == y->in[1];
}

/* Node n computes the normalised value itself. */
static bool bare(const whet_match *m, const whet_node *n, struct norm *f) {
  int32_t over, squares, axis, of;
  int32_t var = divided_by_root(m, n, &over, &f->epsilon);
  if (var < 0 || !mean_of(m, var, &squares, &f->axis) || !same(m, square_of(m, squares), over)) return false;
  f->x = over;
  f->rms = true;
  f->scale = f->bias = -1;
  const whet_node *d = whet__match_maker(m, over);
  if (d && whet__is_op(d, "Sub") && d->n_in == 2 && mean_of(m, d->in[1], &of, &axis) && of == d->in[0] &&
      axis == f->axis)
    f->x = of, f->rms = false;
  return true;
}

/* Does v hold one number for each element of dimensions f->axis on of f->x? */
static bool fits(const whet_match *m, const struct norm *f, int32_t v) {
  const whet_shape *x = &m->p->env->shape[f->x], *s = &m->p->env->shape[v];
  if (!whet__match_is_float(m, v) || s->rank < 0 || s->rank > x->rank) return false;
  for (int32_t i = 0; i < x->rank; i++) {
    int32_t k = i - (x->rank - s->rank);
    whet_dim d = k < 0 ? 1 : s->d[k], want = i < f->axis ? 1 : x->d[i];
    if (!whet__dim_known(want) || d != want) return false;
  }
  return true;
}

/* Node n multiplies a normalised value by a scale. */
static bool scaled(const whet_match *m, const whet_node *n, struct norm *f) {
  for (int i = 0; n && whet__is_op(n, "Mul") && n->n_in == 2 && i < 2; i++) {
    const whet_node *b = whet__match_only(m, n->in[i], NULL);
    if (b && bare(m, b, f) && fits(m, f, n->in[1 - i])) return f->scale = n->in[1 - i], true;
  }
  return false;
}

/* Node n adds a bias to one that is scaled. */
static bool biased(const whet_match *m, const whet_node *n, struct norm *f) {
  for (int i = 0; whet__is_op(n, "Add") && n->n_in == 2 && i < 2; i++)
    if (scaled(m, whet__match_only(m, n->in[i], "Mul"), f) && !f->rms && fits(m, f, n->in[1 - i]))
      return f->bias = n->in[1 - i], true;
  return false;
}

/* v is scale * Rsqrt(M(SquaredDifference(x, M(x))) + e) of f->x; it serves two nodes. */
static bool spread_scale(const whet_match *m, int32_t v, int32_t mean, struct norm *f) {
  const whet_node *n = whet__match_maker(m, v);
  int32_t squares, axis;
  for (int i = 0; n && whet__is_op(n, "Mul") && n->n_in == 2 && i < 2; i++) {
    const whet_node *root = whet__match_only(m, n->in[i], "Rsqrt");
    int32_t var = root ? plus_epsilon(m, root->in[0], &f->epsilon) : -1;
    if (var < 0 || !mean_of(m, var, &squares, &axis) || axis != f->axis) continue;
    const whet_node *d = whet__match_only(m, squares, "SquaredDifference");
    if (!d) d = whet__match_maker(m, square_of(m, squares));
    if (d && !whet__is_op(d, "Sub") && !whet__is_op(d, "SquaredDifference")) d = NULL;
    bool fit = d && ((d->in[0] == f->x && d->in[1] == mean) || (d->in[1] == f->x && d->in[0] == mean));
    if (fit && fits(m, f, n->in[1 - i])) return f->scale = n->in[1 - i], true;
  }
  return false;
}

/* Node n is x s + (bias - M(x) s), or x s + (-M(x)) s. */
static bool spread(const whet_match *m, const whet_node *n, struct norm *f) {
  for (int i = 0; whet__is_op(n, "Add") && n->n_in == 2 && i < 2; i++) {
    const whet_node *xs = whet__match_only(m, n->in[i], "Mul"), *rest = whet__match_only(m, n->in[1 - i], NULL);
    const bool has_bias = rest && whet__is_op(rest, "Sub");
    const whet_node *ms = has_bias ? whet__match_only(m, rest->in[1], "Mul") : rest;
    if (!xs || !ms || !whet__is_op(ms, "Mul") || xs->n_in != 2 || ms->n_in != 2) continue;
    for (int k = 0; k < 4; k++) {
      int32_t s = xs->in[k & 1], mean = ms->in[k >> 1], of;
      const whet_node *neg = has_bias ? NULL : whet__match_only(m, mean, "Neg");
      if (!has_bias && !neg) continue;
      if (neg) mean = neg->in[0];
      *f = (struct norm){.x = xs->in[1 - (k & 1)], .scale = -1, .bias = has_bias ? rest->in[0] : -1};
      if (ms->in[1 - (k >> 1)] == s && mean_of(m, mean, &of, &f->axis) && of == f->x && spread_scale(m, s, mean, f) &&
          (!has_bias || fits(m, f, f->bias)))
        return true;
    }
  }
  return false;
}

static whet_status region(whet_pass *p, whet_region *r) {
  whet_match m;
  struct norm f;
  if (!whet__match_init(p, &m)) return whet__pass_full(p);
  /* From the end: what has a bias is found before what has none. */
  for (int32_t i = r->n_node - 1; i >= 0; i--) {
    whet_node *n = &p->g->node[r->node[i]];
    if (n->n_out != 1 || n->out[0] < 0 || !whet__match_is_float(&m, n->out[0])) continue;
    if (!biased(&m, n, &f) && !spread(&m, n, &f) && !scaled(&m, n, &f) && !bare(&m, n, &f)) continue;
    if (!whet__shape_equal(&p->env->shape[f.x], &p->env->shape[n->out[0]])) continue;
    whet_layernorm_attr a = {f.axis, (float)f.epsilon, (int32_t)p->env->dtype[f.x]};
    int32_t in[3] = {f.x, f.scale, f.bias};
    WHET_TRY(whet__match_become(&m, n, f.rms ? "RMSNormalization" : "LayerNormalization", &a, in, f.rms ? 2 : 3));
  }
  return WHET_OK;
}

whet_status whet__pass_norms(whet_pass *p) {
  WHET_TRY(whet__pass_env(p));
  return whet__pass_regions(p, region);
}
