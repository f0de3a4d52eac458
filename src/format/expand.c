/* SPDX-License-Identifier: Apache-2.0 */
/* Formulas of op/expand.def as ONNX functions: the text is parsed for one node, so that guards and attributes are
 * settled, and the function that comes of it is read like one of the model's own. */

#include <stdio.h>

#include "format/onnx.h"

#define MICROSOFT "com.microsoft"

enum { MAX_NODES = 200, MAX_ITEMS = 32, MAX_NAMES = 32, OPSET = 28 };

static const struct formula {
  const char *domain, *name;
  int since;
  const char *signature, *text;
} k_formula[] = {
#define EXPAND(domain, name, since, signature, text) {domain, #name, since, signature, text},
#include "op/expand.def"
#undef EXPAND
};

size_t whet__expand_count(void) { return WHET_COUNT(k_formula); }

const char *whet__expand_name(size_t row, const char **domain, int *since) {
  *domain = k_formula[row].domain;
  *since = k_formula[row].since;
  return k_formula[row].name;
}

/* A text that is being parsed, and what has come of it. A fault ends it: `why` is what was expected at `at`. */
struct parse {
  whet_import *im;
  const struct whet_im_op *call;
  const char *at;
  const char *why;
  whet_ox_function *fn;
  whet_ox_node *node; /* MAX_NODES of them; fn->n_node are filled */
  int n_const;        /* constants made so far, for their names */
  whet_str *named;    /* what statements so far make, whether they stand or not; n_named of MAX_NODES */
  int n_named;
  bool refused;       /* memory was */
};

/* ---- characters -------------------------------------------------------------------------------------------------
 */

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static void skip(struct parse *p) {
  while (*p->at == ' ' || *p->at == '\n') p->at++;
}

static void expected(struct parse *p, const char *what) {
  if (!p->why) p->why = what;
}

/* Take character c if it comes next. */
static bool take(struct parse *p, char c) {
  skip(p);
  if (p->why || *p->at != c) return false;
  p->at++;
  return true;
}

static void want(struct parse *p, char c, const char *what) {
  if (!take(p, c)) expected(p, what);
}

/* A name: letters, digits, underscores. It is borrowed from the text. */
static whet_str name(struct parse *p) {
  skip(p);
  const char *from = p->at;
  if (!is_letter(*from)) {
    expected(p, "a name");
    return (whet_str){"", 0};
  }
  while (is_letter(*p->at) || is_digit(*p->at)) p->at++;
  return (whet_str){from, (size_t)(p->at - from)};
}

/* A terminated copy, for names that are looked up as C strings. */
static whet_str keep(struct parse *p, whet_str s) {
  char *c = whet__arena_str(&p->im->tmp, s.p, s.n);
  if (!c) p->refused = true;
  return c ? (whet_str){c, s.n} : (whet_str){"", 0};
}

static void *room(struct parse *p, size_t n, size_t each) {
  void *q = whet__arena_array(&p->im->tmp, n, each);
  if (!q) p->refused = true;
  return q;
}

/* ---- literals and attributes ------------------------------------------------------------------------------------
 */

/* Digits as an integer, at most 15 of them so that a double holds it. *n counts them. */
static double digits(struct parse *p, int *n) {
  double v = 0;
  for (; is_digit(*p->at) && *n < 15; p->at++, ++*n) v = v * 10 + (*p->at - '0');
  return v;
}

/* One number: *real tells that it has a point or an exponent. (strtod would ask the locale what a point is.) */
static double number(struct parse *p, bool *real) {
  int n = 0, places = 0, exponent = 0, e_digits = 0;
  bool minus = take(p, '-'), e_minus = false;
  double v = digits(p, &n);
  if (!n) expected(p, "a number");
  if (*p->at == '.') {
    *real = true;
    p->at++;
    places = n;
    for (; is_digit(*p->at) && n < 15; p->at++, n++) v = v * 10 + (*p->at - '0');
    places = n - places;
  }
  if (*p->at == 'e') {
    *real = true;
    p->at++;
    e_minus = *p->at == '-';
    p->at += e_minus;
    exponent = (int)digits(p, &e_digits);
    if (!e_digits || exponent > 60) expected(p, "a smaller exponent");
  }
  if (is_digit(*p->at)) expected(p, "a number of at most 15 digits");
  exponent = (e_minus ? -exponent : exponent) - places;
  for (; exponent > 0 && !p->why; exponent--) v *= 10;
  double scale = 1;
  for (; exponent < 0 && !p->why; exponent++) scale *= 10;
  return minus ? -(v / scale) : v / scale;
}

/* A literal as an attribute without a name. */
static void literal(struct parse *p, whet_ox_attr *a) {
  *a = (whet_ox_attr){.name = {"", 0}, .ref = {"", 0}, .s = {"", 0}};
  bool real = false;
  if (take(p, '\'')) {
    const char *from = p->at;
    while (*p->at && *p->at != '\'') p->at++;
    a->type = WHET_OX_STRING;
    a->s = keep(p, (whet_str){from, (size_t)(p->at - from)});
    want(p, '\'', "the end of a text");
    return;
  }
  if (!take(p, '[')) {
    double v = number(p, &real);
    a->type = real ? WHET_OX_FLOAT : WHET_OX_INT;
    a->f = (float)v;
    a->i = (int64_t)v;
    return;
  }
  int64_t *ints = room(p, MAX_ITEMS, sizeof *ints);
  float *floats = room(p, MAX_ITEMS, sizeof *floats);
  if (p->refused) return;
  while (!take(p, ']')) {
    if (a->n == MAX_ITEMS || (a->n && !take(p, ','))) expected(p, "a shorter list, or a comma");
    double v = number(p, &real);
    if (p->why) return;
    floats[a->n] = (float)v;
    ints[a->n++] = (int64_t)v;
  }
  a->type = real ? WHET_OX_FLOATS : WHET_OX_INTS;
  a->ints = ints;
  a->floats = floats;
}

/* The call's attribute of that name; NULL: not given. */
static const whet_ox_attr *given(struct parse *p, whet_str n) {
  whet_str c = keep(p, n);
  return whet__ox_attr(p->im, c.p, NULL);
}

/* A literal or one of the call's attributes; false: nothing at all. */
static bool source(struct parse *p, whet_ox_attr *a) {
  if (!take(p, '@')) {
    literal(p, a);
    return true;
  }
  const whet_ox_attr *g = given(p, name(p));
  bool dflt = take(p, ':');
  if (dflt) literal(p, a);
  if (g) *a = *g;
  return g || dflt;
}

/* ---- statements -------------------------------------------------------------------------------------------------
 */

/* A new node; NULL when there are too many. */
static whet_ox_node *new_node(struct parse *p, const char *op, int n_in, int n_out, int n_attr) {
  if (p->fn->n_node == MAX_NODES) expected(p, "fewer statements");
  whet_str *in = room(p, (size_t)n_in, sizeof *in), *out = room(p, (size_t)n_out, sizeof *out);
  whet_ox_attr *attr = room(p, (size_t)n_attr, sizeof *attr);
  if (p->why || p->refused) return NULL;
  whet_ox_node *n = &p->node[p->fn->n_node++];
  *n = (whet_ox_node){
      .op = {op, strlen(op)}, .in = in, .out = out, .attr = attr, .n_in = n_in, .n_out = n_out, .n_attr = n_attr};
  n->name = n->domain = n->overload = (whet_str){"", 0};
  return n;
}

/* A constant of a literal, of the element type of value `like` when that has a name. Answers its name. */
static whet_str constant(struct parse *p, const whet_ox_attr *a, whet_str like) {
  static const char *const k_value[] = {
      [WHET_OX_FLOAT] = "value_float",   [WHET_OX_INT] = "value_int",   [WHET_OX_STRING] = "value_string",
      [WHET_OX_FLOATS] = "value_floats", [WHET_OX_INTS] = "value_ints", [WHET_OX_STRINGS] = "value_strings"};
  const char *value = a->type > 0 && (size_t)a->type < WHET_COUNT(k_value) ? k_value[a->type] : NULL;
  char text[24];
  snprintf(text, sizeof text, "0c%d", p->n_const++); /* no formula can say such a name */
  whet_str made = keep(p, (whet_str){text, strlen(text)});
  if (!value) expected(p, "an attribute that is a number or a list");
  whet_ox_node *n = new_node(p, "Constant", 0, 1, 1);
  if (!n) return made;
  ((whet_ox_attr *)n->attr)[0] = *a;
  ((whet_ox_attr *)n->attr)[0].name = (whet_str){value, strlen(value)};
  ((whet_str *)n->out)[0] = made;
  if (!like.n) return made;
  snprintf(text, sizeof text, "0c%d", p->n_const++);
  whet_str cast = keep(p, (whet_str){text, strlen(text)});
  if (!(n = new_node(p, "CastLike", 2, 1, 0))) return made;
  ((whet_str *)n->in)[0] = made;
  ((whet_str *)n->in)[1] = keep(p, like);
  ((whet_str *)n->out)[0] = cast;
  return cast;
}

/* Number of the formula's input of that name, or -1. */
static int input(const struct parse *p, whet_str n) {
  for (int i = 0; i < p->fn->n_in; i++)
    if (whet__str_same(p->fn->in[i], n)) return i;
  return -1;
}

/* Has a statement that stands made a value of that name? */
static bool made(const struct parse *p, whet_str n) {
  for (int i = 0; i < p->fn->n_node; i++)
    for (int k = 0; k < p->node[i].n_out; k++)
      if (whet__str_same(p->node[i].out[k], n)) return true;
  return false;
}

/* What stands between the parentheses of an operator. */
struct items {
  whet_str in[MAX_ITEMS];
  whet_ox_attr attr[MAX_ITEMS];
  int n_in, n_attr;
};

/* One operand or attribute. */
static void item(struct parse *p, struct items *it) {
  whet_ox_attr a;
  whet_str like = {"", 0}, n = {"", 0};
  if (it->n_in == MAX_ITEMS || it->n_attr == MAX_ITEMS) expected(p, "fewer operands");
  skip(p);
  if (p->why) return;
  if (is_letter(*p->at)) {
    n = name(p);
    if (!take(p, '=')) {
      it->in[it->n_in++] = keep(p, n);
      return;
    }
    if (source(p, &a)) {
      a.name = keep(p, n);
      it->attr[it->n_attr++] = a;
    }
    return;
  }
  if (*p->at == '-' && !is_digit(p->at[1])) {
    p->at++;
    it->in[it->n_in++] = (whet_str){"", 0};
    return;
  }
  bool there = source(p, &a);
  if (take(p, '~')) like = name(p);
  if (p->why || p->refused) return;
  it->in[it->n_in++] = there ? constant(p, &a, like) : (whet_str){"", 0};
}

/* Is the formula's output of that name one that the call does not want? */
static bool unwanted(const struct parse *p, whet_str n) {
  for (int i = 0; i < p->fn->n_out; i++)
    if (whet__str_same(p->fn->out[i], n)) return i >= p->call->n_out || p->call->out[i] < 0;
  return false;
}

/* True when the guard that comes next lets its statement stand. */
static bool guard(struct parse *p, bool holds) {
  whet_ox_attr want_attr;
  if (!take(p, '@')) {
    whet_str n = name(p);
    int i = input(p, n);
    bool known = i >= 0;
    for (int k = 0; k < p->n_named && !known; k++) known = whet__str_same(p->named[k], n);
    if (!known) expected(p, "an input of the formula, or what stands before");
    if (i < 0) return made(p, n) == holds;
    int32_t v = i < p->call->n_in ? p->call->in[i] : -1;
    if (!take(p, ':')) return (v >= 0) == holds;
    literal(p, &want_attr);
    const whet_val *x = v >= 0 && p->im->g ? &p->im->g->val[v] : NULL;
    if (want_attr.type == WHET_OX_STRING)
      return (x && !strcmp(whet_dtype_name((whet_dtype)x->dtype), want_attr.s.p)) == holds;
    return (whet__im_rank_of(p->im, v) == want_attr.i) == holds;
  }
  const whet_ox_attr *g = given(p, name(p));
  if (!take(p, '=')) return (g != NULL) == holds;
  literal(p, &want_attr);
  bool same =
      g && g->type == want_attr.type &&
      (g->type == WHET_OX_STRING ? whet__str_same(g->s, want_attr.s) : g->type == WHET_OX_INT && g->i == want_attr.i);
  return same == holds;
}

static void statement(struct parse *p) {
  whet_str out[MAX_ITEMS];
  struct items it = {.n_in = 0};
  int n_out = 0, first = p->fn->n_node;
  bool stands = true, wanted = false;
  for (;;) {
    if (take(p, '?'))
      stands &= guard(p, true);
    else if (take(p, '!'))
      stands &= guard(p, false);
    else
      break;
  }
  do {
    if (n_out == MAX_ITEMS) expected(p, "fewer outputs");
    if (p->why) return;
    out[n_out] = keep(p, name(p));
    if (p->n_named < MAX_NODES) p->named[p->n_named++] = out[n_out];
    if (unwanted(p, out[n_out])) out[n_out] = (whet_str){"", 0};
    wanted |= out[n_out++].n > 0;
  } while (take(p, ','));
  want(p, '=', "\"=\"");
  whet_str op = keep(p, name(p)), domain = {"", 0};
  if (take(p, ':')) { /* the only other domain: ms */
    domain = (whet_str){MICROSOFT, strlen(MICROSOFT)};
    op = keep(p, name(p));
  }
  want(p, '(', "\"(\"");
  while (!p->why && !p->refused && !take(p, ')')) {
    if ((it.n_in || it.n_attr) && !take(p, ',')) expected(p, "a comma or \")\"");
    item(p, &it);
  }
  if (p->why || p->refused) return;
  if (!stands || !wanted) {
    p->fn->n_node = first; /* its constants go, too */
    return;
  }
  whet_ox_node *n = new_node(p, op.p, it.n_in, n_out, it.n_attr);
  if (!n) return;
  n->domain = domain;
  memcpy((whet_str *)n->in, it.in, (size_t)it.n_in * sizeof *it.in);
  memcpy((whet_str *)n->out, out, (size_t)n_out * sizeof *out);
  memcpy((whet_ox_attr *)n->attr, it.attr, (size_t)it.n_attr * sizeof *it.attr);
}

/* "a, b? -> y, z". */
static void signature(struct parse *p) {
  whet_str *in = room(p, MAX_NAMES, sizeof *in), *out = room(p, MAX_NAMES, sizeof *out);
  whet_ox_function *f = p->fn;
  if (p->refused) return;
  f->in = in;
  f->out = out;
  do {
    if (f->n_in == MAX_NAMES) expected(p, "fewer inputs");
    if (p->why) return;
    in[f->n_in++] = keep(p, name(p));
    take(p, '?');
  } while (take(p, ','));
  want(p, '-', "\"->\"");
  want(p, '>', "\"->\"");
  do {
    if (f->n_out == MAX_NAMES) expected(p, "fewer outputs");
    if (p->why) return;
    out[f->n_out++] = keep(p, name(p));
  } while (take(p, ','));
  skip(p);
  if (*p->at) expected(p, "the end of the signature");
}

whet_status whet__expand_parse(whet_import *im, const struct whet_im_op *call, const char *sig, const char *text,
                               const whet_ox_function **fn, whet_err *err) {
  static const whet_ox_opset k_opset[] = {{{"", 0}, OPSET}, {{MICROSOFT, sizeof MICROSOFT - 1}, 1}};
  struct parse p = {.im = im, .call = call, .at = sig};
  p.fn = room(&p, 1, sizeof *p.fn);
  p.node = room(&p, MAX_NODES, sizeof *p.node);
  p.named = room(&p, MAX_NODES, sizeof *p.named);
  if (!p.refused) {
    *p.fn = (whet_ox_function){
        .name = {"", 0}, .domain = {"", 0}, .overload = {"", 0}, .opset = k_opset, .n_opset = 2, .node = p.node};
    signature(&p);
    if (!p.why) p.at = text;
    do statement(&p);
    while (take(&p, ';'));
    skip(&p);
    if (*p.at) expected(&p, "\";\" or the end");
  }
  if (p.refused) return whet__im_no_memory(im, err, 4096, "a formula");
  if (p.why)
    return whet__fail(err, WHET_E_INTERNAL, "formula of %.40s: expected %s at \"%.40s\"", call->type, p.why, p.at);
  *fn = p.fn;
  return WHET_OK;
}

whet_status whet__expand_row(whet_import *im, struct whet_im_op *o, size_t row, const whet_ox_function **fn,
                             whet_err *err) {
  struct whet_im_op *outer = im->op;
  im->op = o; /* attributes are the call's */
  whet_status s = whet__expand_parse(im, o, k_formula[row].signature, k_formula[row].text, fn, err);
  im->op = outer;
  return s;
}

whet_status whet__expand_find(whet_import *im, struct whet_im_op *o, const whet_ox_function **fn, whet_err *err) {
  size_t best = WHET_COUNT(k_formula);
  *fn = NULL;
  for (size_t i = 0; i < WHET_COUNT(k_formula); i++) {
    const struct formula *f = &k_formula[i];
    if (f->since <= o->since && !strcmp(f->name, o->type) && !strcmp(f->domain, o->domain) &&
        (best == WHET_COUNT(k_formula) || f->since > k_formula[best].since))
      best = i;
  }
  return best == WHET_COUNT(k_formula) ? WHET_OK : whet__expand_row(im, o, best, fn, err);
}
