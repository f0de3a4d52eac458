/* SPDX-License-Identifier: Apache-2.0 */
/* format/expand: every formula parses, guards and attributes do what they say, faults are named. */

#include "format/onnx.h"
#include "lib/open.h"

/* A node with two inputs that are there (or not), and attributes, as the parser sees it. */
struct call {
  whet_model m;
  whet_import im;
  whet_err err;
  struct whet_im_op o;
  whet_ox_node node;
  struct whet_ox_scope scope;
  whet_ox_attr attr[2];
  int32_t in[2], out[1];
};
static void begin(struct call *c, int n_in, int n_attr) {
  memset(c, 0, sizeof *c);
  whet__mem_init(&c->m.mem, NULL, NULL, 0);
  whet__arena_init(&c->im.tmp, &c->m.mem);
  c->im.m = &c->m;
  c->im.err = &c->err;
  c->attr[0] = (whet_ox_attr){.name = {"alpha", 5}, .type = WHET_OX_FLOAT, .f = 3};
  c->attr[1] = (whet_ox_attr){.name = {"mode", 4}, .type = WHET_OX_STRING, .s = {"sum", 3}};
  c->node.attr = c->attr;
  c->node.n_attr = n_attr;
  c->o = (struct whet_im_op){.type = "F",
                             .domain = "",
                             .name = "",
                             .since = 24,
                             .in = c->in,
                             .out = c->out,
                             .n_in = n_in,
                             .n_out = 1,
                             .ox = &c->node,
                             .ox_scope = &c->scope};
  c->im.op = &c->o;
}
static void end(struct call *c) {
  whet__arena_free(&c->im.tmp);
  assert_int_equal(c->m.mem.used, 0);
}

/* The formula as text again: "y=Op(a,b){alpha=..}; ..." */
static const char *parse(struct call *c, const char *sig, const char *text) {
  static char out[2000];
  size_t at = 0;
  const whet_ox_function *f = NULL;
  c->err = (whet_err){0};
  if (whet__expand_parse(&c->im, &c->o, sig, text, &f, &c->err)) {
    snprintf(out, sizeof out, "%.500s", c->err.text);
    return out;
  }
  for (int i = 0; i < f->n_node; i++) {
    const whet_ox_node *n = &f->node[i];
    at += (size_t)snprintf(out + at, sizeof out - at, "%s%s=%s(", i ? " " : "", n->out[0].p, n->op.p);
    for (int k = 0; k < n->n_in; k++)
      at += (size_t)snprintf(out + at, sizeof out - at, "%s%s", k ? "," : "", n->in[k].p);
    at += (size_t)snprintf(out + at, sizeof out - at, ")");
    for (int k = 0; k < n->n_attr; k++) {
      const whet_ox_attr *a = &n->attr[k];
      at += (size_t)snprintf(out + at, sizeof out - at, "{%s ", a->name.p);
      if (a->type == WHET_OX_FLOAT) at += (size_t)snprintf(out + at, sizeof out - at, "%.9g}", (double)a->f);
      if (a->type == WHET_OX_INT) at += (size_t)snprintf(out + at, sizeof out - at, "%d}", (int)a->i);
      if (a->type == WHET_OX_STRING) at += (size_t)snprintf(out + at, sizeof out - at, "'%s'}", a->s.p);
      if (a->type == WHET_OX_INTS) at += (size_t)snprintf(out + at, sizeof out - at, "%d ints}", (int)a->n);
      if (a->type == WHET_OX_FLOATS) at += (size_t)snprintf(out + at, sizeof out - at, "%d floats}", (int)a->n);
    }
  }
  return out;
}

static void grammar(void **state) {
  struct call c;
  begin(&c, 1, 1);
  const char *sig = "x, b? -> y";
  assert_string_equal(parse(&c, sig, "t = Add(x, b); y = Gelu(t)"), "t=Add(x,b) y=Gelu(t)");
  assert_string_equal(parse(&c, sig, "?x:3 y = Abs(x); !x:3 y = Neg(x)"), "y=Neg(x)"); /* a rank that is not known */
  assert_string_equal(parse(&c, sig, "?x:'float32' y = Abs(x); !x:'float32' y = Neg(x)"), "y=Neg(x)");
  assert_string_equal(parse(&c, "x -> y, z", "z = Abs(x); y = Neg(x)"), "y=Neg(x)"); /* nobody wants z */
  assert_string_equal(parse(&c, "x -> y, z", "y, z = TopK(x); t, z = TopK(x)"), "y=TopK(x) t=TopK(x)");
  assert_string_equal(parse(&c, sig, "y = ms:Gelu(x)"), "y=Gelu(x)");
  assert_string_equal(parse(&c, sig, "y = Mul(x, 0.5)"), "0c0=Constant(){value_float 0.5} y=Mul(x,0c0)");
  assert_string_equal(parse(&c, sig, "y = Mul(x, 2~x)"),
                      "0c0=Constant(){value_int 2} 0c1=CastLike(0c0,x) y=Mul(x,0c1)");
  assert_string_equal(parse(&c, sig, "y = R(x, -, [1, -2], k='tanh', n=-3, e=1.5e-3)"),
                      "0c0=Constant(){value_ints 2 ints} y=R(x,,0c0){k 'tanh'}{n -3}{e 0.00150000001}");
  assert_string_equal(parse(&c, sig, "y = R(x, a=@alpha, b=@beta, c=@beta:2, d=@alpha:9.0)"),
                      "y=R(x){a 3}{c 2}{d 3}");
  assert_string_equal(parse(&c, sig, "y = R(x, @alpha, @beta, @beta:[0.5])"),
                      "0c0=Constant(){value_float 3} 0c1=Constant(){value_floats 1 floats} y=R(x,0c0,,0c1)");
  end(&c);
}

static void guards(void **state) {
  struct call c;
  const char *sig = "x, b? -> y", *text = "?b y = Add(x, b); !b y = Abs(x)";
  begin(&c, 1, 0);
  assert_string_equal(parse(&c, sig, text), "y=Abs(x)");
  end(&c);
  begin(&c, 2, 2);
  assert_string_equal(parse(&c, sig, text), "y=Add(x,b)");
  assert_string_equal(parse(&c, sig, "?@alpha y = A(x, 1.0); !@alpha y = B(x, 2.0)"),
                      "0c0=Constant(){value_float 1} y=A(x,0c0)");
  assert_string_equal(parse(&c, sig, "?@mode='sum' y = A(x); !@mode='sum' y = B(x); ?@mode='mean' y = C(x)"),
                      "y=A(x)");
  assert_string_equal(parse(&c, sig, "?b !@beta y = A(x); ?b ?@beta y = B(x)"), "y=A(x)");
  assert_string_equal(parse(&c, sig, "?b t = A(x); !b u = A(x); ?t !u y = B(t); !t y = C(x); ?u y = D(x)"), "t=A(x) y=B(t)");
  c.in[1] = -1;
  assert_string_equal(parse(&c, sig, text), "y=Abs(x)");
  end(&c);
}

static void faults(void **state) {
  struct call c;
  begin(&c, 1, 0);
  static const char *const k_bad[][2] = {
      {"y = Add(x", "comma"},        {"y Add(x)", "\"=\""},          {"y = (x)", "a name"},
      {"y = Add(x) z", "\";\""},     {"y = Add(x, [1, )", "number"}, {"y = Add(x, 'a", "end of a text"},
      {"?q y = Add(x)", "an input"}, {"y = Add(x,, x)", "a number"}, {"y = Add(x, 1e99)", "exponent"}};
  for (size_t i = 0; i < WHET_COUNT(k_bad); i++) {
    const char *got = parse(&c, "x -> y", k_bad[i][0]);
    if (!strstr(got, "formula of F") || !strstr(got, k_bad[i][1])) fail_msg("\"%s\": %s", k_bad[i][0], got);
  }
  assert_non_null(strstr(parse(&c, "x > y", "y = Abs(x)"), "\"->\""));
  end(&c);
}

/* Every formula of the list, with few and with many inputs. */
static void all(void **state) {
  struct call c;
  for (size_t i = 0; i < whet__expand_count(); i++)
    for (int n = 1; n <= 2; n++) {
      const whet_ox_function *f = NULL;
      begin(&c, n, 0);
      if (whet__expand_row(&c.im, &c.o, i, &f, &c.err)) fail_msg("formula %zu: %s", i, c.err.text);
      assert_true(f->n_node > 0 && f->n_in > 0 && f->n_out > 0);
      for (int k = 0; k < f->n_out; k++) { /* each output is made once */
        int made = 0;
        for (int j = 0; j < f->n_node; j++)
          for (int l = 0; l < f->node[j].n_out; l++) made += whet__str_same(f->node[j].out[l], f->out[k]);
        if (made != (k < c.o.n_out)) fail_msg("formula %zu: output \"%s\" is made %d times", i, f->out[k].p, made);
      }
      end(&c);
    }
}

/* A record wins over a formula, so a formula that has a record is dead text. */
static void live(void **state) {
  for (size_t i = 0; i < whet__expand_count(); i++) {
    int since, oldest;
    const char *domain, *name = whet__expand_name(i, &domain, &since);
    const whet_op *op = NULL;
    if (whet__from_find(domain, name, since, &op, &oldest))
      fail_msg("%s has the record %s: take its line out of op/expand.def", name, op->name);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(grammar), cmocka_unit_test(guards), cmocka_unit_test(faults),
                                     cmocka_unit_test(all), cmocka_unit_test(live)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
