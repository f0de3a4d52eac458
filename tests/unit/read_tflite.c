/* SPDX-License-Identifier: Apache-2.0 */
/* The TFLite reader: what it makes of tensors, operators, subgraphs and signatures, and what it says of bad files. */

#include <stdlib.h>

#include "lib/open.h"
#include "lib/tiny.h"
#include "op/op.h"

enum {
  F32 = 0,
  S32 = 2,
  U8 = 3,
  STRING = 5,
  BOOLEAN = 6,
  S8 = 9,
  ADD = 0,
  RELU = 19,
  RELU6 = 21,
  DENSIFY = 124,
  IF = 118,
  CUSTOM = 32
};

static buf made(const char *name) {
  for (size_t i = 0; i < tiny_n_tflite; i++)
    if (!strcmp(tiny_tflite[i].name, name)) return tiny_tflite[i].make();
  return (buf){0};
}

/* One subgraph with y = op(x) and one more tensor, t. */
static buf one(tf_op op, tf_tensor t) {
  tf_tensor ts[] = {
      {.name = "x", .type = F32, .rank = 1, .dim = {2}}, {.name = "y", .type = F32, .rank = 1, .dim = {2}}, t};
  tf_graph g = {.n_tensor = 3, .tensor = ts, .n_op = 1, .op = &op, .n_in = 1, .in = {0}, .n_out = 1, .out = {1}};
  return tf_model(&g, 1, NULL, 0);
}
static tf_op relu(void) { return (tf_op){.code = RELU, .n_in = 1, .in = {0}, .n_out = 1, .out = {1}}; }
/* A graph whose output is the constant t. */
static buf constant(tf_tensor t) {
  tf_graph g = {.n_tensor = 1, .tensor = &t, .n_out = 1, .out = {0}};
  return tf_model(&g, 1, NULL, 0);
}

static void add(void **state) {
  buf b = made("add");
  whet_model *m = open_made(&b, NULL);
  whet_info info;
  assert_int_equal(whet_model_format(m), WHET_FORMAT_TFLITE);
  assert_int_equal(whet_model_input(m, 0, &info), WHET_OK);
  assert_int_equal(info.dtype, WHET_S8);
  assert_int_equal(info.quant.n, 1);
  assert_true(info.quant.scale[0] == 0.5f && info.quant.zero[0] == 3);
  /* The fused activation is a node of its own, between values of the same numbers. */
  assert_int_equal(m->graph.main.n_node, 2);
  const whet_val *mid = &m->graph.val[main_node(m, 0)->out[0]], *y = &m->graph.val[main_node(m, 1)->out[0]];
  assert_string_equal(main_node(m, 0)->op->name, "Add");
  assert_int_equal(mid->dtype, WHET_S8);
  assert_ptr_equal(mid->q, y->q);
  assert_int_equal(mid->origin, -1);
  assert_int_equal(y->origin, 2);
  assert_int_equal(main_node(m, 1)->in[0], main_node(m, 0)->out[0]);
  assert_true(val_named(m, "w")->data->mapped);
  assert_int_equal(whet_model_tensors(m), 3);
  assert_int_equal(whet_model_input_tensor(m, 0), 0);
  assert_int_equal(whet_model_output_tensor(m, 0), 2);
  assert_int_equal(whet_model_signatures(m), 2);
  assert_string_equal(whet_model_signature_key(m, 1), "again");
  assert_int_equal(whet_model_signature_inputs(m, 0), 1);
  assert_string_equal(whet_model_signature_input(m, 0, 0), "input");
  assert_string_equal(whet_model_signature_output(m, 1, 0), "out");
  assert_null(whet_model_signature_output(m, 1, 1));
  assert_null(whet_model_signature_key(m, 2));
  whet_graph g;
  whet_err err = {0};
  assert_int_equal(whet__model_graph(m, "again", &m->mem, &g, &err), WHET_OK);
  assert_int_equal(g.main.n_node, 2);
  whet__graph_free(&g);
  assert_int_equal(whet__model_graph(m, "none", &m->mem, &g, &err), WHET_E_NAME);
  assert_non_null(strstr(err.text, "serve, again"));
  close_made(&m, &b);
}

/* Subgraphs are copied where they are called; constants are shared; the copies' nodes know where they come from. */
static void control(void **state) {
  buf b = made("control");
  whet_model *m = open_made(&b, NULL);
  assert_int_equal(m->graph.main.n_node, 2);
  const whet_node *cond = main_node(m, 0), *loop = main_node(m, 1);
  assert_string_equal(cond->op->name, "If");
  assert_string_equal(loop->op->name, "While");
  const whet_node *a = &m->graph.node[cond->body[0]->node[0]], *c = &m->graph.node[loop->body[1]->node[0]];
  assert_string_equal(a->op->name, "Add");
  assert_string_equal(c->op->name, "Add");
  assert_int_not_equal(a->out[0], c->out[0]);
  assert_int_equal(a->in[1], c->in[1]);
  assert_int_equal(a->origin, 2);
  assert_int_equal(m->graph.val[a->out[0]].origin, 6);
  assert_int_equal(whet_model_tensors(m), 4);
  assert_int_equal(m->source.n_tensor, 10);
  close_made(&m, &b);
}

/* A call is no node: what it calls stands in its place. */
static void calls(void **state) {
  buf b = made("call");
  whet_model *m = open_made(&b, NULL);
  assert_int_equal(m->graph.main.n_node, 3);
  assert_string_equal(main_node(m, 0)->op->name, "Add");
  assert_string_equal(m->graph.val[main_node(m, 0)->out[0]].name, "y");
  for (int i = 1; i < 3; i++) assert_string_equal(main_node(m, i)->op->name, "Identity");
  assert_string_equal(m->graph.val[main_node(m, 1)->in[0]].name, "x");
  assert_int_equal(m->graph.val[main_node(m, 2)->in[0]].role, WHET_ROLE_CONST);
  assert_int_equal(main_node(m, 2)->origin, 0);
  close_made(&m, &b);
  tf_op o = {
      .code = 31, .n_in = 1, .in = {0}, .n_out = 1, .out = {1}, .options = 16, .n_field = 1, .field = {{0, 4, 0}}};
  b = one(o, (tf_tensor){.type = F32});
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "node 0 (CALL)", "subgraph 0 calls itself");
}

static void quantisation(void **state) {
  static const int8_t k_w[6] = {0};
  const tf_tensor w = {.name = "w",
                       .type = S8,
                       .rank = 2,
                       .dim = {2, 3},
                       .n_quant = 2,
                       .scale = {0.5f, 0.25f},
                       .axis = 0,
                       .data = k_w,
                       .bytes = 6};
  tf_tensor t = w;
  buf b = constant(t);
  whet_model *m = open_made(&b, NULL);
  const whet_quant *q = val_named(m, "w")->q;
  assert_true(q->n == 2 && q->axis == 0 && q->scale[1] == 0.25f && q->zero[1] == 0);
  close_made(&m, &b);
  t.axis = 1;
  b = constant(t);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "\"w\"", "2 scales do not fit dimension 1");
  t = w;
  t.zero[1] = 128;
  b = constant(t);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "\"w\"", "zero point 128");
  t = w;
  t.scale[0] = -1;
  b = constant(t);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "\"w\"", "scale 0 is -1");
  /* A bias with one scale may name the weights' dimension. */
  t = (tf_tensor){.name = "w",
                  .type = S32,
                  .rank = 1,
                  .dim = {1},
                  .n_quant = 1,
                  .scale = {2},
                  .axis = 3,
                  .data = "\1\0\0\0",
                  .bytes = 4};
  b = constant(t);
  m = open_made(&b, NULL);
  assert_int_equal(val_named(m, "w")->q->axis, 0);
  close_made(&m, &b);
}

static void strings(void **state) {
  static const uint8_t k_s[] = {2, 0, 0, 0, 16, 0, 0, 0, 19, 0, 0, 0, 19, 0, 0, 0, 'c', 'a', 't'};
  tf_tensor t = {.name = "s", .type = STRING, .rank = 1, .dim = {2}, .data = k_s, .bytes = sizeof k_s};
  buf b = constant(t);
  whet_model *m = open_made(&b, NULL);
  const whet_str *s = val_named(m, "s")->data->p;
  assert_true(s[0].n == 3 && !memcmp(s[0].p, "cat", 3) && s[1].n == 0);
  close_made(&m, &b);
  for (size_t n = 1; n < sizeof k_s; n++) {
    t.bytes = n;
    b = constant(t);
    OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "\"s\"");
  }
  t.bytes = sizeof k_s;
  t.dim[0] = 3;
  b = constant(t);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "number of strings");
}

static void variables(void **state) {
  buf b = one(relu(), (tf_tensor){.name = "v", .type = F32, .rank = 1, .dim = {2}, .variable = true});
  whet_model *m = open_made(&b, NULL);
  close_made(&m, &b);
  tf_op o = relu();
  o.in[0] = 2;
  b = one(o, (tf_tensor){.name = "v", .type = F32, .rank = 1, .dim = {2}, .variable = true});
  m = open_made(&b, NULL);
  assert_int_equal(val_named(m, "v")->role, WHET_ROLE_VARIABLE);
  assert_null(val_named(m, "v")->data);
  close_made(&m, &b);
}

/* Bools other than 0 and 1 would surprise kernels; they become 1. */
static void bools(void **state) {
  buf b = constant((tf_tensor){.name = "b", .type = BOOLEAN, .rank = 1, .dim = {3}, .data = "\0\1\7", .bytes = 3});
  whet_model *m = open_made(&b, NULL);
  assert_false(val_named(m, "b")->data->mapped);
  assert_memory_equal(val_named(m, "b")->data->p, "\0\1\1", 3);
  close_made(&m, &b);
}

/* Contents past the end of the tables: 64-bit offset and size in the buffer. */
static void past_the_end(void **state) {
  buf b = constant((tf_tensor){.name = "w", .type = U8, .rank = 1, .dim = {4}, .data = "", .bytes = 0});
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "made by no node"); /* an empty list is no contents */
  for (int bad = 0; bad < 3; bad++) {
    fb_begin(&b, "TFL3");
    fb_tab root = fb_table(&b, 5);
    fb_num(&b, root, 0, 4, 3);
    size_t graphs = fb_refs(&b, 1), buffers = fb_refs(&b, 2);
    fb_ref(&b, root, 2, graphs);
    fb_ref(&b, root, 4, buffers);
    fb_tab g = fb_table(&b, 3);
    fb_item(&b, graphs, 0, g.pos);
    size_t ts = fb_refs(&b, 1);
    fb_ref(&b, g, 0, ts);
    fb_ref(&b, g, 2, fb_vec(&b, (const int32_t[]){0}, 1, 4));
    fb_tab t = fb_table(&b, 4);
    fb_item(&b, ts, 0, t.pos);
    fb_num(&b, t, 1, 1, U8);
    fb_num(&b, t, 2, 4, 1);
    fb_ref(&b, t, 0, fb_vec(&b, (const int32_t[]){4}, 1, 4));
    fb_ref(&b, t, 3, fb_str(&b, "w"));
    fb_item(&b, buffers, 0, fb_table(&b, 1).pos);
    fb_tab data = fb_table(&b, 3);
    fb_item(&b, buffers, 1, data.pos);
    fb_num(&b, data, 1, 8, bad == 1 ? INT64_MAX : (int64_t)b.n);
    fb_num(&b, data, 2, 8, bad == 2 ? 5 : 4);
    buf_add(&b, "abcd", 4);
    if (bad) {
      OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "buffer 1 lies at byte");
      continue;
    }
    whet_model *m = open_made(&b, NULL);
    assert_memory_equal(val_named(m, "w")->data->p, "abcd", 4);
    close_made(&m, &b);
  }
}

/* ---- sparse tensors ---------------------------------------------------------------------------------------------
 */

/* [4, 4] in blocks of 2 x 2, block rows dense, block columns compressed: blocks (0,1) and (1,0). `segments` and
 * `indices` of the compressed level may lie. */
static buf sparse(const int32_t *segments, const int32_t *indices, const char *values, size_t n_values,
                  int32_t rows) {
  buf b;
  fb_begin(&b, "TFL3");
  fb_tab root = fb_table(&b, 5);
  fb_num(&b, root, 0, 4, 3);
  size_t codes = fb_refs(&b, 1), graphs = fb_refs(&b, 1), buffers = fb_refs(&b, 2);
  fb_ref(&b, root, 1, codes);
  fb_ref(&b, root, 2, graphs);
  fb_ref(&b, root, 4, buffers);
  fb_tab c = fb_table(&b, 4);
  fb_item(&b, codes, 0, c.pos);
  fb_num(&b, c, 0, 1, DENSIFY);
  fb_tab g = fb_table(&b, 4);
  fb_item(&b, graphs, 0, g.pos);
  size_t ts = fb_refs(&b, 2), ops = fb_refs(&b, 1);
  fb_ref(&b, g, 0, ts);
  fb_ref(&b, g, 2, fb_vec(&b, (const int32_t[]){1}, 1, 4));
  fb_ref(&b, g, 3, ops);
  for (int i = 0; i < 2; i++) {
    fb_tab t = fb_table(&b, 7);
    fb_item(&b, ts, (size_t)i, t.pos);
    fb_num(&b, t, 1, 1, S8);
    fb_num(&b, t, 2, 4, i ? 0 : 1);
    fb_ref(&b, t, 0, fb_vec(&b, (const int32_t[]){4, 4}, 2, 4));
    fb_ref(&b, t, 3, fb_str(&b, i ? "dense" : "sparse"));
    if (i) continue;
    fb_tab s = fb_table(&b, 3);
    fb_ref(&b, t, 6, s.pos);
    fb_ref(&b, s, 0, fb_vec(&b, (const int32_t[]){0, 1, 2, 3}, 4, 4));
    fb_ref(&b, s, 1, fb_vec(&b, (const int32_t[]){0, 1}, 2, 4));
    size_t dims = fb_refs(&b, 4);
    fb_ref(&b, s, 2, dims);
    for (int k = 0; k < 4; k++) {
      fb_tab d = fb_table(&b, 6);
      fb_item(&b, dims, (size_t)k, d.pos);
      if (k != 1) {
        fb_num(&b, d, 1, 4, k ? 2 : rows);
        continue;
      }
      fb_num(&b, d, 0, 1, 1);
      fb_num(&b, d, 2, 1, 1);
      fb_num(&b, d, 4, 1, 1);
      fb_tab v = fb_table(&b, 1);
      fb_ref(&b, d, 3, v.pos);
      fb_ref(&b, v, 0, fb_vec(&b, segments, 3, 4));
      v = fb_table(&b, 1);
      fb_ref(&b, d, 5, v.pos);
      fb_ref(&b, v, 0, fb_vec(&b, indices, 2, 4));
    }
  }
  fb_tab o = fb_table(&b, 3);
  fb_item(&b, ops, 0, o.pos);
  fb_ref(&b, o, 1, fb_vec(&b, (const int32_t[]){0}, 1, 4));
  fb_ref(&b, o, 2, fb_vec(&b, (const int32_t[]){1}, 1, 4));
  fb_item(&b, buffers, 0, fb_table(&b, 1).pos);
  fb_tab data = fb_table(&b, 1);
  fb_item(&b, buffers, 1, data.pos);
  fb_ref(&b, data, 0, fb_vec(&b, values, n_values, 1));
  return b;
}

static void sparse_tensors(void **state) {
  const int32_t seg[] = {0, 1, 2}, idx[] = {1, 0};
  buf b = sparse(seg, idx, "\1\2\3\4\5\6\7\10", 8, 2);
  whet_model *m = open_made(&b, NULL);
  static const int8_t k_want[16] = {0, 0, 1, 2, 0, 0, 3, 4, 5, 6, 0, 0, 7, 8, 0, 0};
  const whet_val *v = &m->graph.val[m->graph.main.out[0]];
  assert_int_equal(v->role, WHET_ROLE_CONST);
  assert_memory_equal(v->data->p, k_want, 16);
  assert_int_equal(m->graph.main.n_node, 0);
  close_made(&m, &b);
  b = sparse(seg, (const int32_t[]){1, 2}, "\1\2\3\4\5\6\7\10", 8, 2);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "\"sparse\"", "index is out of range");
  b = sparse((const int32_t[]){0, 2, 1}, idx, "\1\2\3\4\5\6\7\10", 8, 2);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "segments do not rise");
  b = sparse((const int32_t[]){0, 1, 3}, idx, "\1\2\3\4\5\6\7\10", 8, 2);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "outside its indices");
  b = sparse(seg, idx, "\1\2\3\4\5\6\7\10", 7, 2);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "fewer values");
  b = sparse(seg, idx, "\1\2\3\4\5\6\7\10", 8, 3);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "dense level");
}

/* ---- bad files --------------------------------------------------------------------------------------------------
 */

static void missing(void **state) {
  tf_op o = relu();
  o.code = CUSTOM;
  o.custom = "MyOwn";
  buf b = one(o, (tf_tensor){.type = F32});
  OPEN_FAILS(&b, NULL, WHET_E_UNSUPPORTED, "1 operator is not supported", "MyOwn (tflite.custom 1), node 0");
  o.code = 4000;
  b = one(o, (tf_tensor){.type = F32});
  OPEN_FAILS(&b, NULL, WHET_E_UNSUPPORTED, "builtin operator 4000");
}

static void indices(void **state) {
  tf_op o = relu();
  o.in[0] = 3;
  buf b = one(o, (tf_tensor){.type = F32});
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "node 0 (RELU)", "input 0 is tensor 3");
  o = relu();
  o.in[0] = 2;
  b = one(o, (tf_tensor){.name = "t", .type = F32});
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "\"t\"", "before it is made");
  o = relu();
  o.out[0] = 0;
  b = one(o, (tf_tensor){.type = F32});
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "\"x\"", "is an input");
  o = relu();
  o.options = 11; /* options of Add */
  o.code = 1;
  b = one(o, (tf_tensor){.type = F32});
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "node 0 (AVERAGE_POOL_2D)", "options of Add, expected Pool2D");
  b = one(relu(), (tf_tensor){.name = "t", .type = 99});
  OPEN_FAILS(&b, NULL, WHET_E_UNSUPPORTED, "\"t\"", "type 99");
}

static void recursion(void **state) {
  const tf_tensor t[] = {{.name = "c", .type = BOOLEAN}, {.name = "x", .type = F32}, {.name = "y", .type = F32}};
  const tf_op o = {.code = IF,
                   .n_in = 2,
                   .in = {0, 1},
                   .n_out = 1,
                   .out = {2},
                   .options = 92,
                   .n_field = 2,
                   .field = {{0, 4, 1}, {1, 4, 1}}};
  const tf_op deep = {.code = IF,
                      .n_in = 2,
                      .in = {0, 1},
                      .n_out = 1,
                      .out = {2},
                      .options = 92,
                      .n_field = 2,
                      .field = {{0, 4, 1}, {1, 4, 7}}};
  tf_graph g[] = {{.n_tensor = 3, .tensor = t, .n_op = 1, .op = &o, .n_in = 2, .in = {0, 1}, .n_out = 1, .out = {2}},
                  {.n_tensor = 3, .tensor = t, .n_op = 1, .op = &o, .n_in = 1, .in = {1}, .n_out = 1, .out = {2}}};
  buf b = tf_model(g, 2, NULL, 0);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "node 0 (IF)", "subgraph 1 calls itself");
  g[0].op = &deep;
  g[1].op = NULL;
  g[1].n_op = 0;
  g[1].out[0] = 1;
  b = tf_model(g, 2, NULL, 0);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "no subgraph 7, only 2");
}

/* Promise 5: copies of copies: eleven subgraphs that each call the next twice would be 2^11 operators. */
static void copies(void **state) {
  enum { N = 12 };
  const tf_tensor t[] = {{.name = "c", .type = BOOLEAN}, {.name = "x", .type = F32}, {.name = "y", .type = F32}};
  tf_op op[N];
  tf_graph g[N];
  for (int i = 0; i < N; i++) {
    op[i] = (tf_op){.code = IF,
                    .n_in = 3,
                    .in = {0, 0, 1},
                    .n_out = 1,
                    .out = {2},
                    .options = 92,
                    .n_field = 2,
                    .field = {{0, 4, i + 1}, {1, 4, i + 1}}};
    g[i] = (tf_graph){
        .n_tensor = 3, .tensor = t, .n_op = 1, .op = &op[i], .n_in = 2, .in = {0, 1}, .n_out = 1, .out = {2}};
  }
  g[N - 1].op = &(tf_op){.code = RELU, .n_in = 1, .in = {1}, .n_out = 1, .out = {2}};
  whet_model_opts o = whet_model_opts_default();
  o.limits.nodes = 500;
  buf b = tf_model(g, N, NULL, 0);
  OPEN_FAILS(&b, &o, WHET_E_LIMIT, "more than 500 operators");
}

static void no_models(void **state) {
  buf b = made("add");
  b.p[4] = 'X';
  whet_model_opts o = whet_model_opts_default();
  o.format = WHET_FORMAT_TFLITE;
  OPEN_FAILS(&b, &o, WHET_E_FORMAT, "identifier");
  fb_begin(&b, "TFL3");
  fb_num(&b, fb_table(&b, 1), 0, 4, 2);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "schema version 2, expected 3");
  fb_begin(&b, "TFL3");
  fb_num(&b, fb_table(&b, 1), 0, 4, 3);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "no subgraph");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(add),          cmocka_unit_test(control),      cmocka_unit_test(calls),
      cmocka_unit_test(quantisation), cmocka_unit_test(strings),      cmocka_unit_test(variables),
      cmocka_unit_test(bools),        cmocka_unit_test(past_the_end), cmocka_unit_test(sparse_tensors),
      cmocka_unit_test(missing),      cmocka_unit_test(indices),      cmocka_unit_test(recursion),
      cmocka_unit_test(copies),       cmocka_unit_test(no_models)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
