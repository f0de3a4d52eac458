/* SPDX-License-Identifier: Apache-2.0 */
/* ir/graph, ir/walk: building, uses, verification, order, copies. */

#include <stdio.h>

#include "ir/graph.h"
#include "lib/test.h"
#include "op/op.h"

static const whet_op k_add = {.name = "Add"}, k_if = {.name = "If"}, k_attr = {.name = "Attr", .attr_size = 4};

static whet_mem k_mem;
static whet_graph g;

static int start(void **state) {
  whet__mem_init(&k_mem, NULL, NULL, 0);
  whet__graph_init(&g, &k_mem);
  return 0;
}
static int finish(void **state) {
  whet__graph_free(&g);
  whet__graph_free(&g); /* twice does no harm */
  return k_mem.used ? -1 : 0;
}

/* A new value made by a new node over a and b, at the end of r. */
static int32_t add(whet_region *r, int32_t a, int32_t b) {
  int32_t in[2] = {a, b}, out = whet__graph_val(&g, NULL);
  assert_true(whet__graph_node(&g, r, &k_add, NULL, in, 2, &out, 1) >= 0);
  return out;
}
static int32_t input(whet_region *r, const char *name) {
  int32_t v = whet__graph_val(&g, name);
  g.val[v].role = WHET_ROLE_INPUT;
  int32_t *list = whet__arena_array(&g.arena, (size_t)r->n_in + 1, sizeof *list);
  if (r->n_in) memcpy(list, r->in, (size_t)r->n_in * sizeof *list);
  list[r->n_in++] = v;
  r->in = list;
  return v;
}
static void output(whet_region *r, int32_t v) {
  int32_t *list = whet__arena_array(&g.arena, (size_t)r->n_out + 1, sizeof *list);
  if (r->n_out) memcpy(list, r->out, (size_t)r->n_out * sizeof *list);
  list[r->n_out++] = v;
  r->out = list;
}
/* A node at the end of `outer` whose one body computes a + b of outer values. */
static int32_t branch(whet_region *outer, int32_t a, int32_t b) {
  whet_region *body = whet__arena_alloc(&g.arena, sizeof *body);
  output(body, add(body, a, b));
  int32_t out = whet__graph_val(&g, NULL);
  int32_t n = whet__graph_node(&g, outer, &k_if, NULL, NULL, 0, &out, 1);
  g.node[n].body = whet__arena_alloc(&g.arena, sizeof *g.node[n].body);
  g.node[n].body[0] = body;
  g.node[n].n_body = 1;
  return out;
}
static whet_status verify(const char *says) {
  whet_err e = {0};
  whet_status s = whet__graph_verify(&g, &e);
  if (says && !strstr(e.text, says)) fail_msg("\"%s\" does not say \"%s\"", e.text, says);
  return s;
}

static void values(void **state) {
  int64_t dims[2] = {3, 5};
  float f[15] = {1, 2};
  int32_t v = whet__graph_val(&g, NULL);
  assert_int_equal(g.val[v].shape.rank, -1);
  assert_non_null(g.val[v].name);
  int32_t c = whet__graph_const(&g, "w", WHET_F32, 2, dims, f, true);
  int32_t d = whet__graph_const_copy(&g, "x", WHET_S4, 2, dims, f);
  assert_ptr_equal(g.val[c].data->p, f);
  assert_true(g.val[c].data->mapped && !g.val[d].data->mapped);
  assert_int_equal(g.val[c].data->n, 60);
  assert_int_equal(g.val[d].data->n, 8);
  assert_true(g.val[c].data->id != g.val[d].data->id);
  assert_ptr_not_equal(g.val[d].data->p, f);
  const int64_t huge[3] = {INT64_MAX / 2, 3, 5}, open[1] = {WHET_DIM_ANY};
  assert_int_equal(whet__graph_const_copy(&g, "h", WHET_F32, 3, huge, NULL), -1);
  assert_int_equal(whet__graph_const(&g, "h", WHET_F32, 3, huge, f, true), -1);
  assert_int_equal(whet__graph_const(&g, "h", WHET_F32, 1, open, f, true), -1);
  assert_int_equal(whet__graph_const(&g, "h", WHET_F32, 9, huge, f, true), -1);
  float scale[2] = {0.5f, 2};
  int32_t zero[2] = {3, -4};
  const whet_quant *q = whet__graph_quant(&g, 2, 1, scale, zero);
  assert_true(q->n == 2 && q->axis == 1 && q->scale[1] == 2 && q->zero[1] == -4);
  assert_int_equal(whet__graph_quant(&g, 2, 0, scale, NULL)->zero[1], 0);
  for (int i = 0; i < 1000; i++) { /* growth moves the array, numbers stay */
    assert_int_equal(whet__graph_val(&g, NULL), d + 1 + i);
    assert_string_equal(g.val[c].name, "w");
  }
}

static void dimensions(void **state) {
  whet_dim n = whet__graph_symbol(&g, "N"), h = whet__graph_symbol(&g, "height");
  char text[80];
  assert_int_equal(whet__graph_symbol(&g, "N"), n);
  assert_int_equal(whet__dim_symbol(h), 1);
  assert_int_equal(whet__dim_symbol(7), -1);
  assert_int_equal(whet__dim_symbol(WHET_DIM_ANY), -1);
  assert_false(whet__dim_known(n) || whet__dim_known(WHET_DIM_ANY));
  whet_shape s = whet__shape(4, (const int64_t[]){n, 3, h, WHET_DIM_ANY}), t = s;
  assert_string_equal(whet__shape_text(&g, &s, text, sizeof text), "[N, 3, height, ?]");
  assert_string_equal(whet__shape_text(NULL, &s, text, 7), "[?, 3,");
  assert_int_equal(whet__shape_count(&s), -1);
  assert_false(whet__shape_equal(&s, &t)); /* ANY is not even itself */
  s.rank = t.rank = 3;
  assert_true(whet__shape_equal(&s, &t));
  s = whet__shape(0, NULL);
  assert_int_equal(whet__shape_count(&s), 1);
  assert_string_equal(whet__shape_text(&g, &s, text, sizeof text), "[]");
  s = whet__shape(3, (const int64_t[]){INT64_MAX, INT64_MAX, 0});
  assert_int_equal(whet__shape_count(&s), 0);
  s = whet__shape(2, (const int64_t[]){INT64_MAX / 2, 3});
  assert_int_equal(whet__shape_count(&s), -1);
  s = whet__shape(2, (const int64_t[]){0, WHET_DIM_ANY});
  assert_int_equal(whet__shape_count(&s), -1);
  s.rank = -1;
  assert_int_equal(whet__shape_count(&s), -1);
  assert_string_equal(whet__shape_text(&g, &s, text, sizeof text), "[...]");
}

static void uses(void **state) {
  whet_uses u;
  whet_arena a;
  int32_t x = input(&g.main, "x"), y = add(&g.main, x, x), z = branch(&g.main, x, y), dead = add(&g.main, y, z);
  whet__region_remove(&g, &g.main, 2);
  output(&g.main, z);
  output(&g.main, x);
  whet__arena_init(&a, &k_mem);
  assert_true(whet__graph_uses(&g, &a, &u));
  assert_int_equal(u.count[x], 4); /* twice, once in the body, once as output */
  assert_int_equal(u.first[x + 1] - u.first[x], 3);
  assert_int_equal(u.user[u.first[x]], 0);
  assert_int_equal(u.user[u.first[x] + 1], 0);
  assert_int_equal(u.user[u.first[x] + 2], 1);
  assert_int_equal(u.count[y], 1);
  assert_int_equal(u.count[z], 1);
  assert_int_equal(u.maker[x], -1);
  assert_int_equal(u.maker[y], 0);
  assert_int_equal(u.maker[dead], -1);
  whet__arena_free(&a);
  whet__graph_replace(&g, x, y);
  assert_int_equal(g.main.out[1], y);
  assert_int_equal(g.node[1].in[0], y);
}

static void sound_and_unsound(void **state) {
  int32_t x = input(&g.main, "x"), y = add(&g.main, x, x), z = branch(&g.main, x, y), w = add(&g.main, z, -1);
  output(&g.main, w);
  assert_int_equal(verify(NULL), WHET_OK);
  g.node[0].name = "first";
  g.node[0].in[1] = w;
  assert_int_equal(verify("\"first\" (Add): input 1"), WHET_E_FORMAT);
  g.node[0].in[1] = g.n_val;
  assert_int_equal(verify("input 1 is no value"), WHET_E_INTERNAL);
  g.node[0].in[1] = -2;
  assert_int_equal(verify("input 1 is no value"), WHET_E_INTERNAL);
  g.node[0].in[1] = x;
  int32_t made = g.node[0].out[0];
  g.node[0].out[0] = x;
  assert_int_equal(verify("is made twice"), WHET_E_FORMAT);
  g.node[0].out[0] = g.n_val;
  assert_int_equal(verify("output 0 is no value"), WHET_E_INTERNAL);
  g.node[0].out[0] = made;
  assert_int_equal(verify(NULL), WHET_OK);
  g.main.out[0] = whet__graph_val(&g, "never");
  assert_int_equal(verify("\"never\""), WHET_E_FORMAT);
  g.main.out[0] = -1;
  assert_int_equal(verify("output 0"), WHET_E_FORMAT);
  g.main.out[0] = w;
  whet__graph_node(&g, &g.main, &k_attr, NULL, NULL, 0, NULL, 0);
  assert_int_equal(verify("no attributes"), WHET_E_INTERNAL);
  g.main.node[g.main.n_node - 1] = g.n_node;
  assert_int_equal(verify("lists no node"), WHET_E_INTERNAL);
  g.main.n_node--;
  whet_region *body = g.node[2].body[0]; /* a value of a body may not be used outside it before it is made */
  body->out[0] = w;
  assert_int_equal(verify("made by no node"), WHET_E_FORMAT);
}

/* Nodes in an order that is wrong everywhere, bodies included, come out in one that verifies. */
static void sorting(void **state) {
  enum { N = 400 };
  int32_t x = input(&g.main, "x"), v[N];
  v[0] = x;
  for (int i = 1; i < N; i++)
    v[i] = i % 7 == 3 ? branch(&g.main, v[i - 1], v[i / 2]) : add(&g.main, v[i - 1], v[i / 3]);
  output(&g.main, v[N - 1]);
  assert_int_equal(verify(NULL), WHET_OK);
  for (int32_t i = 0, j = g.main.n_node - 1; i < j; i++, j--) {
    int32_t t = g.main.node[i];
    g.main.node[i] = g.main.node[j];
    g.main.node[j] = t;
  }
  assert_int_equal(verify("before it is made"), WHET_E_FORMAT);
  assert_int_equal(whet__region_sort(&g, &g.main, NULL), WHET_OK);
  assert_int_equal(g.main.n_node, N - 1);
  assert_int_equal(verify(NULL), WHET_OK);
  int32_t before[N];
  memcpy(before, g.main.node, sizeof(int32_t) * (N - 1));
  assert_int_equal(whet__region_sort(&g, &g.main, NULL), WHET_OK); /* what is in order stays as it is */
  assert_memory_equal(before, g.main.node, sizeof(int32_t) * (N - 1));
  whet_node *second = &g.node[g.main.node[1]];
  second->in[1] = v[N - 1];
  assert_int_equal(whet__region_sort(&g, &g.main, NULL), WHET_E_FORMAT);
  assert_memory_equal(before, g.main.node, sizeof(int32_t) * (N - 1));
  second->in[1] = second->out[0]; /* the shortest cycle */
  assert_int_equal(whet__region_sort(&g, &g.main, NULL), WHET_E_FORMAT);
}

static void region_lists(void **state) {
  int32_t x = input(&g.main, "x");
  int32_t in[1] = {x}, out[1];
  for (int i = 0; i < 40; i++) {
    out[0] = whet__graph_val(&g, NULL);
    int32_t n = whet__graph_node(&g, NULL, &k_add, NULL, in, 1, out, 1);
    assert_true(whet__region_insert(&g, &g.main, 0, n));
  }
  assert_int_equal(g.main.n_node, 40);
  for (int i = 0; i < 40; i++) assert_int_equal(g.main.node[i], 39 - i);
  whet__region_remove(&g, &g.main, 39);
  whet__region_remove(&g, &g.main, 0);
  assert_int_equal(g.main.n_node, 38);
  assert_true(g.node[0].dead && g.node[39].dead && !g.node[1].dead);
  assert_int_equal(whet__graph_node(&g, NULL, &k_add, NULL, in, 70000, out, 1), -1);
}

static void copies(void **state) {
  whet_graph c;
  whet_err e = {0};
  int32_t x = input(&g.main, "x"), y = branch(&g.main, x, add(&g.main, x, x));
  output(&g.main, y);
  whet__graph_symbol(&g, "N");
  assert_int_equal(whet__graph_copy(&g, &k_mem, &c, &e), WHET_OK);
  assert_int_equal(c.n_val, g.n_val);
  assert_int_equal(c.n_node, g.n_node);
  assert_int_equal(c.next_data, g.next_data);
  assert_string_equal(c.symbol[0], "N");
  assert_int_equal(whet__graph_verify(&c, &e), WHET_OK);
  c.node[0].in[0] = -1; /* lists are its own, bodies' too */
  c.node[g.main.node[1]].body[0]->out[0] = x;
  c.main.out[0] = x;
  assert_int_equal(g.node[0].in[0], x);
  assert_int_equal(g.main.out[0], y);
  assert_int_equal(verify(NULL), WHET_OK);
  whet__graph_free(&c);
}

static whet_status build_all(void *arg, const whet_allocator *a, whet_err *err) {
  whet_mem m;
  whet_graph from, to = {0};
  whet_arena scratch;
  whet_uses u;
  bool ok = true;
  whet__mem_init(&m, NULL, a, 0);
  whet__graph_init(&from, &m);
  whet__arena_init(&scratch, &m);
  int32_t v = whet__graph_val(&from, "x");
  ok &= v >= 0 && whet__graph_symbol(&from, "N") != WHET_DIM_ANY;
  if (v >= 0) from.val[v].role = WHET_ROLE_CONST, from.val[v].dtype = WHET_F32;
  for (int i = 0; ok && i < 100; i++) {
    int32_t w = whet__graph_val(&from, NULL);
    ok = w >= 0 && whet__graph_node(&from, &from.main, &k_add, NULL, &v, 1, &w, 1) >= 0;
    v = w;
  }
  ok = ok && !whet__region_sort(&from, &from.main, NULL) && whet__graph_uses(&from, &scratch, &u);
  whet_status s = ok ? WHET_OK : whet__fail(err, WHET_E_MEMORY, "building");
  if (!s) s = whet__graph_verify(&from, err);
  if (!s) s = whet__graph_copy(&from, &m, &to, err);
  whet__graph_free(&to);
  whet__graph_free(&from);
  whet__arena_free(&scratch);
  return s;
}
static void refused_memory(void **state) { test_oom("building and copying a graph", build_all, NULL, 0); }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(values, start, finish),
                                     cmocka_unit_test_setup_teardown(dimensions, start, finish),
                                     cmocka_unit_test_setup_teardown(uses, start, finish),
                                     cmocka_unit_test_setup_teardown(sound_and_unsound, start, finish),
                                     cmocka_unit_test_setup_teardown(sorting, start, finish),
                                     cmocka_unit_test_setup_teardown(region_lists, start, finish),
                                     cmocka_unit_test_setup_teardown(copies, start, finish),
                                     cmocka_unit_test(refused_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
