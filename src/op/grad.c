/* SPDX-License-Identifier: Apache-2.0 */
/* Formulas of gradients, and sums over what broadcasting repeated. */

#include "op/grad.h"

#include "base/dtype.h"
#include "op/dense.h"
#include "op/move_attr.h"
#include "op/reduce.h"

/* ---- nodes ----------------------------------------------------------------------------------- */

int32_t whet__ed_call(whet_edit *e, const char *name, const void *attr, const int32_t *in, int n_in, whet_dtype t) {
  const whet_op *op = whet__op_find(name);
  int32_t out = op ? whet__ed_val(e, "grad", t, NULL) : -1;
  if (out < 0) return -1;
  if (!attr && op->attr_size) attr = whet__arena_alloc(&whet__ed_graph(e)->arena, op->attr_size);
  return whet__ed_node(e, op, attr, in, n_in, &out, 1) < 0 ? -1 : out;
}

int32_t whet__ed_number(whet_edit *e, whet_dtype t, double v) {
  uint64_t bytes[2] = {0};
  whet__set_f64(t, bytes, 0, v);
  return whet__ed_const(e, t, 0, NULL, bytes);
}

/* ---- formulas -------------------------------------------------------------------------------- */

/* A text that is being read. Nothing is appended while `idle`: that branch is not taken. */
struct formula {
  whet_edit *e;
  const char *at;
  const whet_grad_name *name;
  int n, idle, depth;
  whet_dtype t;
  bool fault;
};

/* A value, or with v -1 a number. */
struct term {
  int32_t v;
  double number;
};

enum { DEEPEST = 30 };

static struct term fault(struct formula *f) {
  f->fault = true;
  return (struct term){-1, 0};
}
static bool take(struct formula *f, const char *text) {
  while (*f->at == ' ') f->at++;
  size_t n = strlen(text);
  if (strncmp(f->at, text, n)) return false;
  f->at += n;
  return true;
}

/* The value of a term: a number becomes a constant. */
static int32_t value(struct formula *f, struct term x) {
  return x.v >= 0 || f->idle || f->fault ? x.v : whet__ed_number(f->e, f->t, x.number);
}

static struct term apply(struct formula *f, const char *op, whet_dtype t, const struct term *x, int n) {
  int32_t in[3] = {-1, -1, -1};
  if (f->idle || f->fault) return (struct term){-1, 0};
  for (int i = 0; i < n; i++) in[i] = value(f, x[i]);
  int32_t v = whet__ed_call(f->e, op, NULL, in, n, t);
  return v < 0 ? fault(f) : (struct term){v, 0};
}

static struct term formula(struct formula *f);

/* Digits with a point and an exponent. */
static struct term number(struct formula *f) {
  double v = 0, unit = 1;
  for (; *f->at >= '0' && *f->at <= '9'; f->at++) v = v * 10 + (*f->at - '0');
  if (*f->at == '.')
    for (f->at++; *f->at >= '0' && *f->at <= '9'; f->at++) v += (*f->at - '0') * (unit /= 10);
  return (struct term){-1, v};
}

/* Operator "(" formula { "," formula } ")", the operator's name ending at `end`. */
static struct term call(struct formula *f, const char *end) {
  char op[24];
  struct term x[3];
  size_t len = (size_t)(end - f->at);
  int n = 0;
  if (len >= sizeof op) return fault(f);
  memcpy(op, f->at, len);
  op[len] = 0;
  f->at = end + 1;
  do {
    if (n == 3) return fault(f);
    x[n++] = formula(f);
  } while (take(f, ","));
  return take(f, ")") ? apply(f, op, f->t, x, n) : fault(f);
}

static struct term minus(struct formula *f, struct term x) {
  if (x.v < 0) return (struct term){-1, -x.number};
  return apply(f, "Neg", f->t, &x, 1);
}

static struct term factor(struct formula *f) {
  if (f->fault || ++f->depth > DEEPEST) return fault(f);
  struct term x = {-1, 0};
  if (take(f, "-")) {
    x = minus(f, factor(f));
  } else if (take(f, "(")) {
    x = formula(f);
    if (!take(f, ")")) x = fault(f);
  } else if (*f->at >= '0' && *f->at <= '9') {
    x = number(f);
  } else {
    const char *end = f->at;
    while ((*end >= 'a' && *end <= 'z') || (*end >= 'A' && *end <= 'Z')) end++;
    if (*end == '(') {
      x = call(f, end);
    } else {
      int i = 0;
      while (i < f->n && f->name[i].letter != *f->at) i++;
      if (end != f->at + 1 || i == f->n) return fault(f);
      x = (struct term){f->name[i].v, f->name[i].number};
      f->at = end;
    }
  }
  f->depth--;
  return x;
}

/* x op y. Numbers are computed, and 1 x, x / 1 and x + 0 are x. */
static struct term combine(struct formula *f, char op, struct term x, struct term y) {
  struct term in[2] = {x, y};
  if (x.v < 0 && y.v < 0) {
    double a = x.number, b = y.number;
    return (struct term){-1, op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b};
  }
  if (op == '*' && x.v < 0 && x.number == 1) return y;
  if ((op == '*' || op == '/') && y.v < 0 && y.number == 1) return x;
  if (op == '+' && x.v < 0 && x.number == 0) return y;
  if ((op == '+' || op == '-') && y.v < 0 && y.number == 0) return x;
  return apply(f, op == '+' ? "Add" : op == '-' ? "Sub" : op == '*' ? "Mul" : "Div", f->t, in, 2);
}

static struct term product(struct formula *f) {
  struct term x = factor(f);
  for (;;) {
    char op = take(f, "*") ? '*' : take(f, "/") ? '/' : 0;
    if (!op || f->fault) return x;
    x = combine(f, op, x, factor(f));
  }
}

static struct term sum(struct formula *f) {
  struct term x = product(f);
  for (;;) {
    char op = take(f, "+") ? '+' : take(f, "-") ? '-' : 0;
    if (!op || f->fault) return x;
    x = combine(f, op, x, product(f));
  }
}

static struct term formula(struct formula *f) {
  struct term x = sum(f);
  char op = take(f, "==") ? '=' : take(f, "<") ? '<' : take(f, ">") ? '>' : 0;
  if (!op) return x;
  struct term in[3] = {x, sum(f)};
  bool known = in[0].v < 0 && in[1].v < 0;
  double a = in[0].number, b = in[1].number;
  bool yes = op == '=' ? a == b : op == '<' ? a < b : a > b;
  if (!known) in[0] = apply(f, op == '=' ? "Equal" : op == '<' ? "Less" : "Greater", WHET_BOOL, in, 2);
  if (!take(f, "?")) return fault(f);
  f->idle += known && !yes;
  in[1] = formula(f);
  f->idle -= known && !yes;
  if (!take(f, ":")) return fault(f);
  f->idle += known && yes;
  in[2] = formula(f);
  f->idle -= known && yes;
  return known ? in[yes ? 1 : 2] : apply(f, "Where", f->t, in, 3);
}

int32_t whet__grad_formula(whet_edit *e, const char *text, const whet_grad_name *name, int n, whet_dtype t) {
  struct formula f = {.e = e, .at = text, .name = name, .n = n, .t = t};
  struct term x = formula(&f);
  while (*f.at == ' ') f.at++;
  WHET_ASSERT(!*f.at);
  return f.fault || *f.at ? -1 : value(&f, x);
}

/* ---- broadcasting ---------------------------------------------------------------------------- */

whet_status whet__grad_add_summed(whet_edit *e, int32_t node, int32_t v, int32_t g, const whet_shape *have) {
  if (!whet__grad_wants(e, v)) return WHET_OK;
  const whet_shape want = *whet__ed_shape(e, v);
  whet_dtype t = whet__ed_dtype(e, v);
  int64_t axes[WHET_MAX_RANK];
  int32_t n = 0, more = have->rank - want.rank;
  if (have->rank < 0 || want.rank < 0) return whet__grad_fail(e, node, "the ranks of its inputs are not known");
  for (int32_t i = 0; i < have->rank; i++) {
    whet_dim a = have->d[i], b = i < more ? 1 : want.d[i - more];
    if (b == 1 && a == 1 && i >= more) continue;
    if (i < more || (b == 1 && a != 1))
      axes[n++] = i;
    else if (b != 1 && a != b && !(whet__dim_known(b)))
      return whet__grad_fail(e, node, "whether dimension %d of an input is repeated cannot be told", i);
  }
  if (!n) {
    whet__grad_add(e, v, g);
    return WHET_OK;
  }
  int64_t *list = whet__arena_copy(&whet__ed_graph(e)->arena, axes, (size_t)n * sizeof *list);
  whet_reduce_attr reduce = {.axes = {list, n}, .keep = true};
  const whet_reshape as = {.allowzero = 1};
  int32_t y = list ? whet__ed_call(e, "ReduceSum", &reduce, &g, 1, t) : -1;
  if (more > 0) {
    int32_t in[2] = {y, whet__ed_shape_of(e, "Shape", v)};
    y = whet__ed_call(e, "Reshape", &as, in, 2, t);
  }
  whet__grad_add(e, v, y);
  return WHET_OK;
}

whet_status whet__grad_view(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  const whet_reshape as = {.allowzero = 1};
  int32_t g = whet__grad_of(e, n.out[0]), in[2] = {g, -1};
  if (!whet__grad_wants(e, n.in[0])) return WHET_OK;
  bool same = whet__shape_equal(whet__ed_shape(e, n.in[0]), whet__ed_shape(e, n.out[0]));
  if (!same || whet__shape_count(whet__ed_shape(e, n.in[0])) < 0) {
    in[1] = whet__ed_shape_of(e, "Shape", n.in[0]);
    g = whet__ed_call(e, "Reshape", &as, in, 2, whet__ed_dtype(e, n.in[0]));
  }
  whet__grad_add(e, n.in[0], g);
  return WHET_OK;
}

whet_status whet__grad_product(whet_edit *e, int32_t node, const whet_matmul *how, int32_t g, const whet_shape *have) {
  int32_t a = whet__ed_graph(e)->node[node].in[0], b = whet__ed_graph(e)->node[node].in[1];
  const whet_shape as = *whet__ed_shape(e, a), bs = *whet__ed_shape(e, b);
  whet_shape batch = *have;
  if (as.rank < 2 || bs.rank < 2) return whet__grad_fail(e, node, "an operand is a vector, or of unknown rank");
  /* da' = g b'^T, db' = a'^T g; turned where the operand is. */
  whet_matmul to_a = {how->alpha, how->trans_a ? how->trans_b : 0, how->trans_a ? 1 : !how->trans_b};
  whet_matmul to_b = {how->alpha, how->trans_b ? 1 : !how->trans_a, how->trans_b ? how->trans_a : 0};
  for (int i = 0; i < 2; i++) {
    int32_t v = i ? b : a, in[2] = {i ? a : g, i ? g : b};
    bool swap = i ? how->trans_b : how->trans_a;
    const whet_shape *s = i ? &bs : &as;
    if (!whet__grad_wants(e, v)) continue;
    if (swap) in[0] = i ? g : b, in[1] = i ? a : g;
    for (int k = 1; k <= 2; k++) batch.d[batch.rank - k] = s->d[s->rank - k];
    WHET_TRY(whet__grad_add_summed(
        e, node, v, whet__ed_call(e, "MatMul", i ? &to_b : &to_a, in, 2, whet__ed_dtype(e, v)), &batch));
  }
  return WHET_OK;
}
