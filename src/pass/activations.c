/* SPDX-License-Identifier: Apache-2.0 */
/* Chains that amount to one function of one value become that function. Constants may stand on either side, as
 * factors or divisors, and anywhere in a product.
 *
 *   x * Sigmoid(x), x * Sigmoid(a x)                  ─▶  Swish
 *   Clip(x + 3, 0, 6) / 6                             ─▶  HardSigmoid(1/6, 1/2)
 *   x * Clip(x + 3, 0, 6) / 6, x * HardSigmoid(x)     ─▶  HardSwish
 *   x/2 * (1 + Erf(x / sqrt 2))                       ─▶  Gelu
 *   x/2 * (1 + Tanh(sqrt(2/pi) (x + 0.044715 x^3)))   ─▶  Gelu, tanh form
 *   Log(1 + Exp(x))                                   ─▶  Softplus
 *   x * Tanh(Softplus(x))                             ─▶  Mish
 *   Pow(x, 2 | 0.5 | -1 | -0.5 | 1)                   ─▶  Square, Sqrt, Reciprocal, Rsqrt, x
 *   Reciprocal(Sqrt(x)), 1 / Sqrt(x)                  ─▶  Rsqrt
 *   Max(x, a), Min(x, b), Clip of Clip or Relu        ─▶  Clip
 *
 * Values that others use stay as they are, and so does what quantised tensors are made of. */

#include <math.h>

#include "pass/match.h"

/* v is c x; 0 when it is not. */
static double multiple_of(const whet_match *m, int32_t v, int32_t x) {
  whet_product_of q;
  if (v == x) return 1;
  whet__match_product_of(m, v, &q);
  return q.n == 1 && q.factor[0] == x ? q.coef : 0;
}

/* v is Clip(x + 3, 0, 6): x, or -1. */
static int32_t clipped(const whet_match *m, int32_t v) {
  const whet_node *c = whet__match_only(m, v, "Clip");
  const whet_unary_attr *a = c ? c->attr : NULL;
  return a && a->a == 0 && a->b == 6 ? whet__match_plus(m, c->in[0], 3) : -1;
}

/* Power of x that v is: x itself, Square(x), Pow(x, k), products of such; 0 when it is none. */
static double power_of(const whet_match *m, int32_t v, int32_t x) {
  const whet_node *n = whet__match_maker(m, v);
  double c;
  if (v == x) return 1;
  if (n && whet__is_op(n, "Square") && n->in[0] == x) return 2;
  if (n && whet__is_op(n, "Pow") && n->in[0] == x && whet__match_scalar(m, n->in[1], whet__match_rank(m, x), &c))
    return c;
  if (n && whet__is_op(n, "Mul") && n->n_in == 2 && n->in[0] != v && n->in[1] != v && n->in[0] == x && n->in[1] == x)
    return 2;
  return 0;
}

/* v is c x^k: k, or 0. */
static double monomial(const whet_match *m, int32_t v, int32_t x, double *c) {
  whet_product_of q;
  double k = 0;
  whet__match_product_of(m, v, &q);
  *c = q.coef;
  for (int i = 0; i < q.n; i++) {
    double one = power_of(m, q.factor[i], x);
    if (one == 0) return 0;
    k += one;
  }
  return k;
}

/* v is x + 0.044715 x^3, or x (1 + 0.044715 x^2), times sqrt(2/pi). */
static bool gelu_argument(const whet_match *m, int32_t v, int32_t x) {
  whet_product_of q;
  double c;
  whet__match_product_of(m, v, &q);
  if (!whet__match_near(m, v, q.coef, 0.79788456080286536)) return false;
  for (int i = 0; i < q.n && q.n == 2; i++) {
    if (q.factor[i] != x) continue;
    int32_t rest = whet__match_plus(m, q.factor[1 - i], 1);
    if (rest >= 0 && monomial(m, rest, x, &c) == 2 && whet__match_near(m, v, c, 0.044715)) return true;
  }
  const whet_node *sum = q.n == 1 ? whet__match_only(m, q.factor[0], "Add") : NULL;
  for (int i = 0; sum && i < 2; i++)
    if (sum->in[i] == x && monomial(m, sum->in[1 - i], x, &c) == 3 && whet__match_near(m, v, c, 0.044715))
      return true;
  return false;
}

/* A product of x and g, a value made of x, with a coefficient. *done: the node was changed. */
static whet_status of_two(const whet_match *m, whet_node *n, int32_t x, int32_t g, double coef, bool *done) {
  const whet_node *f = whet__match_only(m, g, NULL);
  *done = true;
  if (!f) return *done = false, WHET_OK;
  const whet_unary_attr *a = f->attr;
  bool whole = whet__match_near(m, x, coef, 1), half = whet__match_near(m, x, coef, 0.5);
  if (whet__is_op(f, "Sigmoid") && whole) {
    double k = multiple_of(m, f->in[0], x);
    if (k != 0) return whet__match_unary(m, n, "Swish", (float)k, 0, x);
  }
  if (whet__is_op(f, "HardSigmoid") && whole && f->in[0] == x && whet__match_near(m, x, (double)a->a, 1.0 / 6) &&
      whet__match_near(m, x, (double)a->b, 0.5))
    return whet__match_unary(m, n, "HardSwish", 0, 0, x);
  if (whet__match_near(m, x, coef, 1.0 / 6) && clipped(m, g) == x)
    return whet__match_unary(m, n, "HardSwish", 0, 0, x);
  if (whet__is_op(f, "Tanh") && whole) {
    const whet_node *s = whet__match_only(m, f->in[0], "Softplus");
    if (s && s->in[0] == x) return whet__match_unary(m, n, "Mish", 0, 0, x);
  }
  int32_t e = half ? whet__match_plus(m, g, 1) : -1;
  const whet_node *erf = e >= 0 ? whet__match_only(m, e, "Erf") : NULL,
                  *tanh_of = e >= 0 ? whet__match_only(m, e, "Tanh") : NULL;
  if (erf && whet__match_near(m, x, multiple_of(m, erf->in[0], x), 0.70710678118654752))
    return whet__match_unary(m, n, "Gelu", 0, 0, x);
  if (tanh_of && gelu_argument(m, tanh_of->in[0], x)) return whet__match_unary(m, n, "Gelu", 1, 0, x);
  return *done = false, WHET_OK;
}

/* Mul, and Div by a constant. */
static whet_status product(const whet_match *m, whet_node *n) {
  whet_product_of q;
  bool done = false;
  if (!whet__match_product(m, n, &q)) return WHET_OK;
  if (q.n == 1) {
    int32_t x = clipped(m, q.factor[0]);
    if (x >= 0 && whet__match_near(m, x, q.coef, 1.0 / 6))
      return whet__match_unary(m, n, "HardSigmoid", 1.f / 6, 0.5f, x);
  }
  for (int i = 0; q.n == 2 && i < 2 && !done; i++)
    WHET_TRY(of_two(m, n, q.factor[i], q.factor[1 - i], q.coef, &done));
  return WHET_OK;
}

/* Pow with a constant exponent. */
static whet_status power(const whet_match *m, whet_node *n) {
  static const struct {
    double k;
    const char *op;
  } rows[] = {{2, "Square"}, {0.5, "Sqrt"}, {-1, "Reciprocal"}, {-0.5, "Rsqrt"}, {1, "Identity"}};
  double c;
  if (!whet__match_scalar(m, n->in[1], whet__match_rank(m, n->in[0]), &c)) return WHET_OK;
  for (size_t i = 0; i < WHET_COUNT(rows); i++)
    if (rows[i].k == c) return whet__match_unary(m, n, rows[i].op, 0, 0, n->in[0]);
  return WHET_OK;
}

/* 1 / Sqrt(x). */
static whet_status inverse_root(const whet_match *m, whet_node *n) {
  double c;
  int32_t v = n->in[0];
  if (whet__is_op(n, "Div")) {
    v = n->in[1];
    if (!whet__match_scalar(m, n->in[0], whet__match_rank(m, v), &c) || c != 1) return WHET_OK;
  }
  const whet_node *root = whet__match_only(m, v, "Sqrt");
  return root ? whet__match_unary(m, n, "Rsqrt", 0, 0, root->in[0]) : WHET_OK;
}

/* The interval that node n keeps its input in; false when it does something else. *x: its input. */
static bool interval(const whet_match *m, const whet_node *n, float *lo, float *hi, int32_t *x) {
  double c;
  *lo = -INFINITY, *hi = INFINITY;
  *x = n->in[0];
  if (whet__is_op(n, "Relu")) return *lo = 0, true;
  if (whet__is_op(n, "Clip")) {
    const whet_unary_attr *a = n->attr;
    *lo = a->a, *hi = a->b;
    return true;
  }
  bool max = whet__is_op(n, "Max");
  if ((!max && !whet__is_op(n, "Min")) || n->n_in != 2) return false;
  for (int i = 0; i < 2; i++) {
    *x = n->in[1 - i];
    if (!whet__match_scalar(m, n->in[i], whet__match_rank(m, *x), &c) || isnan(c) || (double)(float)c != c) continue;
    *(max ? lo : hi) = (float)c;
    return true;
  }
  return false;
}

/* Max, Min, Relu and Clip one after the other. */
static whet_status clip(const whet_match *m, whet_node *n) {
  float lo, hi, lo2, hi2;
  int32_t x, y;
  if (!interval(m, n, &lo, &hi, &x) || !(lo <= hi)) return WHET_OK;
  const whet_node *f = whet__match_only(m, x, NULL);
  bool two = f && f->n_in >= 1 && f->in[0] >= 0 && interval(m, f, &lo2, &hi2, &y) && lo2 <= hi2;
  if (!two && (whet__is_op(n, "Clip") || whet__is_op(n, "Relu"))) return WHET_OK;
  if (two) {
    float l = lo2 < lo ? lo : lo2 > hi ? hi : lo2, h = hi2 > hi ? hi : hi2 < lo ? lo : hi2;
    lo = l, hi = h, x = y;
  }
  bool relu = lo == 0 && hi == INFINITY;
  return whet__match_unary(m, n, relu ? "Relu" : "Clip", lo, hi, x);
}

static whet_status look(const whet_match *m, whet_node *n) {
  if (n->n_out != 1 || n->out[0] < 0 || n->n_in < 1 || !whet__match_is_float(m, n->out[0]) ||
      !whet__match_is_float(m, n->in[0]))
    return WHET_OK;
  if (whet__is_op(n, "Div") || whet__is_op(n, "Reciprocal")) {
    const whet_op *was = n->op;
    WHET_TRY(inverse_root(m, n));
    if (n->op != was) return WHET_OK;
  }
  if (whet__is_op(n, "Mul") || whet__is_op(n, "Div")) return product(m, n);
  if (whet__is_op(n, "Pow")) return power(m, n);
  if (whet__is_op(n, "Log")) {
    int32_t e = whet__match_plus(m, n->in[0], 1);
    const whet_node *f = e < 0 ? NULL : whet__match_only(m, e, "Exp");
    return f ? whet__match_unary(m, n, "Softplus", 0, 0, f->in[0]) : WHET_OK;
  }
  if (whet__is_op(n, "Max") || whet__is_op(n, "Min") || whet__is_op(n, "Clip") || whet__is_op(n, "Relu"))
    return clip(m, n);
  return WHET_OK;
}

static whet_status region(whet_pass *p, whet_region *r) {
  whet_match m;
  if (!whet__match_init(p, &m)) return whet__pass_full(p);
  for (int32_t i = 0; i < r->n_node; i++) WHET_TRY(look(&m, &p->g->node[r->node[i]]));
  return WHET_OK;
}

whet_status whet__pass_activations(whet_pass *p) {
  WHET_TRY(whet__pass_env(p));
  return whet__pass_regions(p, region);
}
