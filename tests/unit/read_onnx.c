/* SPDX-License-Identifier: Apache-2.0 */
/* The ONNX reader: what it makes of graphs, types, constants, bodies and functions, and what it says of bad files. */

#include <stdlib.h>

#include "lib/open.h"
#include "lib/tiny.h"
#include "op/op.h"

static const int64_t k_3[] = {3}, k_n3[] = {-1, 3};

static buf made(const char *name) {
  for (size_t i = 0; i < tiny_n_onnx; i++)
    if (!strcmp(tiny_onnx[i].name, name)) return tiny_onnx[i].make();
  return (buf){0};
}

/* y = op(x): a graph to which tests add what they are about. */
static buf one_node(const char *op, const ox_attr *attrs) {
  buf g = {0};
  ox_add_in(&g, ox_info("x", 1, 1, k_3, NULL));
  ox_add_node(&g, ox_node(op, "x", "y", attrs));
  ox_add_out(&g, ox_info("y", 1, 1, k_3, NULL));
  return g;
}

/* ---- graphs and what the public calls say -----------------------------------------------------------------------
 */

static void chain(void **state) {
  buf b = made("chain");
  whet_model *m = open_made(&b, NULL);
  whet_info info;
  size_t n;
  assert_int_equal(whet_model_format(m), WHET_FORMAT_ONNX);
  assert_int_equal(whet_model_inputs(m), 1);
  assert_int_equal(whet_model_input(m, 0, &info), WHET_OK);
  assert_string_equal(info.name, "x");
  assert_int_equal(info.dtype, WHET_F32);
  assert_int_equal(info.rank, 2);
  assert_int_equal(info.dims[0], -1);
  assert_string_equal(info.symbol[0], "batch");
  assert_int_equal(info.dims[1], 3);
  assert_null(info.symbol[1]);
  assert_int_equal(whet_model_input(m, 1, &info), WHET_E_MISUSE);
  assert_int_equal(whet_model_output(m, 0, &info), WHET_OK);
  assert_string_equal(info.symbol[0], "batch");
  assert_int_equal(whet_model_tensors(m), 4); /* x, w, t, y */
  assert_int_equal(whet_model_tensor(m, 2, &info), WHET_OK);
  assert_string_equal(info.name, "t");
  assert_int_equal(whet_model_output_tensor(m, 0), 3);
  assert_int_equal(whet_model_overridables(m), 0);
  assert_string_equal(whet_model_meta(m, "labels", &n), "one,two");
  assert_int_equal(n, 7);
  assert_string_equal(whet_model_meta(m, "producer_name", NULL), "tests");
  assert_string_equal(whet_model_meta(m, "graph_name", NULL), "chain");
  assert_null(whet_model_meta(m, "nothing", NULL));
  assert_string_equal(main_node(m, 0)->op->name, "Add");
  assert_string_equal(main_node(m, 0)->name, "add");
  assert_int_equal(main_node(m, 1)->origin, 1);
  assert_string_equal(m->source.node[1].type, "Relu");
  assert_string_equal(m->source.node[1].domain, "");
  assert_int_equal(m->source.node[1].in[0], 2);
  close_made(&m, &b);
}

/* Private copies: the caller's bytes may change or go. */
static void private_copy(void **state) {
  buf b = made("chain");
  whet_model_opts o = whet_model_opts_default();
  o.map = WHET_MAP_PRIVATE_COPY;
  whet_model *m = open_made(&b, &o), *again = whet_model_ref(m);
  memset(b.p, 0xee, b.n);
  const whet_val *w = val_named(m, "w");
  assert_true(((const float *)w->data->p)[1] == -2);
  whet_model_close(&m);
  assert_null(m);
  assert_true(((const float *)val_named(again, "w")->data->p)[2] == 3);
  close_made(&again, &b);
}

static void typed(void **state) {
  buf b = made("typed");
  whet_model *m = open_made(&b, NULL);
  whet_info info;
  assert_int_equal(whet_model_inputs(m), 0);
  assert_int_equal(whet_model_overridables(m), 1);
  assert_int_equal(whet_model_overridable(m, 0, &info), WHET_OK);
  assert_string_equal(info.name, "f");
  assert_true(((const float *)val_named(m, "f")->data->p)[1] == -0.5f);
  assert_true(((const int64_t *)val_named(m, "i")->data->p)[2] == 600);
  const whet_str *s = val_named(m, "s")->data->p;
  assert_true(s[0].n == 3 && !memcmp(s[0].p, "cat", 3) && s[1].n == 0);
  const float *z = val_named(m, "z")->data->p, want[] = {0, 1, 0, 0, -2, 0};
  assert_memory_equal(z, want, sizeof want);
  close_made(&m, &b);
}

/* An initialiser that is listed as an input becomes one when the caller names it; other names are refused. */
static void overridden(void **state) {
  buf b = made("typed");
  whet_model_opts o = whet_model_opts_default();
  const char *const f[] = {"f", "f"}, *const i[] = {"i"}, *const none[] = {NULL};
  o.inputs = f;
  o.n_inputs = 2;
  whet_model *m = open_made(&b, &o);
  whet_info info;
  assert_int_equal(whet_model_inputs(m), 1);
  assert_int_equal(whet_model_overridables(m), 0);
  assert_int_equal(whet_model_input(m, 0, &info), WHET_OK);
  assert_string_equal(info.name, "f");
  assert_int_equal(info.dtype, WHET_F32);
  assert_null(val_named(m, "f")->data);
  whet_model_close(&m);
  whet_err err;
  o.inputs = i; /* an initialiser, but no input of the graph */
  o.n_inputs = 1;
  assert_int_equal(whet_model_open_memory(b.p, b.n, &o, &m, &err), WHET_E_NAME);
  assert_non_null(strstr(err.text, "\"i\" is no initializer"));
  o.inputs = none;
  assert_int_equal(whet_model_open_memory(b.p, b.n, &o, &m, &err), WHET_E_MISUSE);
  close_made(&m, &b);
  buf old = made("chain"); /* "w" is an initialiser only, "x" an input only */
  const char *const x[] = {"x"};
  o.inputs = x;
  assert_int_equal(whet_model_open_memory(old.p, old.n, &o, &m, &err), WHET_E_NAME);
  close_made(&m, &old);
}

static void constants(void **state) {
  buf b = made("constants");
  whet_model *m = open_made(&b, NULL);
  assert_int_equal(m->graph.main.n_node, 2);
  assert_string_equal(main_node(m, 0)->op->name, "Reshape"); /* the file has them the other way round */
  assert_string_equal(main_node(m, 1)->op->name, "Add");
  assert_int_equal(val_named(m, "c")->role, WHET_ROLE_CONST);
  assert_int_equal(val_named(m, "shape")->dtype, WHET_S64);
  assert_int_equal(val_named(m, "f")->shape.rank, 0);
  close_made(&m, &b);
}

static void bodies(void **state) {
  buf b = made("bodies");
  whet_model *m = open_made(&b, NULL);
  const whet_node *n = main_node(m, 0);
  assert_string_equal(n->op->name, "If");
  assert_int_equal(n->n_body, 2);
  assert_string_equal(n->body[0]->name, "then");
  assert_int_equal(n->body[0]->n_in, 0);
  const whet_node *add = &m->graph.node[n->body[1]->node[0]];
  assert_string_equal(m->graph.val[add->in[0]].name, "x"); /* an outer value, used as it is */
  n = main_node(m, 1);
  assert_string_equal(n->op->name, "Loop");
  assert_int_equal(n->in[1], -1);
  assert_int_equal(n->body[0]->n_in, 3);
  assert_int_equal(m->graph.val[n->body[0]->in[0]].role, WHET_ROLE_NODE);
  assert_int_equal(m->source.n_main_node, 2);
  assert_int_equal(m->source.n_node, 6);
  assert_int_equal(whet_model_tensors(m), 6);
  close_made(&m, &b);
}

static void functions(void **state) {
  buf b = made("functions");
  whet_model *m = open_made(&b, NULL);
  assert_int_equal(m->graph.main.n_node, 3);
  const whet_node *n = main_node(m, 0);
  assert_string_equal(n->op->name, "LeakyRelu");
  assert_string_equal(n->name, "");
  assert_string_equal(m->graph.val[n->out[0]].name, "call/m");
  assert_true(*(const float *)((const char *)n->attr + n->op->attrs[0].offset) ==
              0.75f); /* the call's own, twice handed on */
  assert_string_equal(main_node(m, 1)->op->name, "Add");
  assert_string_equal(m->graph.val[main_node(m, 1)->out[0]].name, "y");
  assert_string_equal(main_node(m, 2)->op->name, "Identity"); /* an input that is an output */
  assert_int_equal(main_node(m, 2)->origin, 0);
  close_made(&m, &b);
}

static void function_default(void **state) {
  buf g = {0}, b = made("functions"), m2;
  ox_add_in(&g, ox_info("x", 1, 1, k_3, NULL));
  ox_add_node(&g, ox_node_in("mine", "Inner", NULL, "x", "y", NULL));
  ox_add_out(&g, ox_info("y", 1, 1, k_3, NULL));
  m2 = ox_model(g, 10, 18);
  /* The functions of the other model: its last fields. */
  const uint8_t *fn = memchr(b.p, 0xca, b.n);
  buf_add(&m2, fn, b.n - (size_t)(fn - b.p));
  whet_model *m = open_made(&m2, NULL);
  const whet_node *n = main_node(m, 0);
  assert_true(*(const float *)((const char *)n->attr + n->op->attrs[0].offset) == 0.25f);
  close_made(&m, &m2);
  buf_free(&b);
}

static void kinds(void **state) {
  buf b = made("sequence");
  whet_model *m = open_made(&b, NULL);
  whet_info info;
  assert_int_equal(whet_model_input(m, 0, &info), WHET_OK);
  assert_int_equal(info.kind, WHET_SEQUENCE);
  assert_int_equal(info.dtype, WHET_F32);
  assert_int_equal(info.rank, -1);
  close_made(&m, &b);
}

/* ---- contents ---------------------------------------------------------------------------------------------------
 */

/* A model that holds one initialiser "w" and gives it out. */
static buf holding(buf tensor, int type) {
  buf g = {0};
  ox_add_init(&g, tensor);
  ox_add_out(&g, ox_info("w", type, -1, NULL, NULL));
  return ox_model(g, 8, 17);
}

/* raw_data is used in place where it is aligned, and copied where it is not. */
static void in_place(void **state) {
  float v[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  int placed = 0, copied = 0;
  for (size_t shift = 0; shift < 4; shift++) {
    buf b = holding(ox_tensor("w", 1, 1, (const int64_t[]){8}, v, sizeof v), 1);
    uint8_t *at = malloc(b.n + 16), *from = at + shift;
    memcpy(from, b.p, b.n);
    whet_model *m;
    assert_int_equal(whet_model_open_memory(from, b.n, NULL, &m, NULL), WHET_OK);
    const whet_data *d = val_named(m, "w")->data;
    bool inside = (const uint8_t *)d->p >= from && (const uint8_t *)d->p < from + b.n;
    assert_int_equal(d->mapped, inside);
    assert_true((uintptr_t)d->p % 4 == 0 && !memcmp(d->p, v, sizeof v));
    placed += inside;
    copied += !inside;
    whet_model_close(&m);
    buf_free(&b);
    free(at);
  }
  assert_int_equal(placed, 1);
  assert_int_equal(copied, 3);
}

/* Big ones stay in place whatever their alignment where only operators read them that pack them; else they are
 * copied. */
static void big_in_place(void **state) {
  static float w[64 * 512];
  for (int packs = 0; packs < 2; packs++)
    for (size_t shift = 0; shift < 4; shift++) {
      buf g = {0};
      ox_add_in(&g, ox_info("x", 1, 2, (const int64_t[]){1, 64}, NULL));
      ox_add_init(&g, ox_tensor("w", 1, 2, (const int64_t[]){64, 512}, w, sizeof w));
      ox_add_node(&g, packs ? ox_node("MatMul", "x,w", "y", NULL) : ox_node("Relu", "w", "y", NULL));
      ox_add_out(&g, ox_info("y", 1, -1, NULL, NULL));
      buf b = ox_model(g, 8, 17);
      uint8_t *at = malloc(b.n + 16);
      memcpy(at + shift, b.p, b.n);
      whet_model *m = NULL;
      whet_err err = {0};
      if (whet_model_open_memory(at + shift, b.n, NULL, &m, &err)) fail_msg("%s", err.text);
      const whet_data *d = val_named(m, "w")->data;
      bool aligned = (uintptr_t)d->p % 4 == 0;
      assert_int_equal(whet__data_aligned(d, WHET_F32), aligned);
      if (packs)
        assert_true(d->mapped);
      else
        assert_true(aligned);
      whet_model_close(&m);
      buf_free(&b);
      free(at);
    }
}

/* Every element type in its typed field: what is stored, and the bytes that become of it. */
static void typed_fields(void **state) {
  static const struct row {
    int type;
    unsigned field;
    int wire; /* 0 varint, 1 double, 5 float */
    int n, dim;
    int64_t v[2];
    size_t bytes;
    uint8_t want[16];
  } k_row[] = {{2, 5, 0, 2, 2, {1, 255}, 2, {1, 255}},
               {3, 5, 0, 2, 2, {-1, 5}, 2, {255, 5}},
               {4, 5, 0, 2, 2, {1, 65535}, 4, {1, 0, 255, 255}},
               {5, 5, 0, 2, 2, {-2, 1}, 4, {254, 255, 1, 0}},
               {6, 5, 0, 1, 1, {-2}, 4, {254, 255, 255, 255}},
               {7, 7, 0, 1, 1, {-2}, 8, {254, 255, 255, 255, 255, 255, 255, 255}},
               {9, 5, 0, 2, 2, {7, 0}, 2, {1, 0}},
               {10, 5, 0, 1, 1, {0x3c00}, 2, {0, 0x3c}},
               {11, 10, 1, 1, 1, {INT64_C(0x3ff0000000000000)}, 8, {0, 0, 0, 0, 0, 0, 0xf0, 0x3f}},
               {12, 11, 0, 1, 1, {4294967295}, 4, {255, 255, 255, 255}},
               {13, 11, 0, 1, 1, {-1}, 8, {255, 255, 255, 255, 255, 255, 255, 255}},
               {14, 4, 5, 2, 1, {0x3f800000, 0x40000000}, 8, {0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}},
               {16, 5, 0, 1, 1, {0x3f80}, 2, {0x80, 0x3f}},
               {17, 5, 0, 1, 1, {0x38}, 1, {0x38}},
               {21, 5, 0, 2, 3, {0x21, 0x03}, 2, {0x21, 0x03}},
               {22, 5, 0, 1, 2, {0xf1}, 1, {0xf1}},
               {25, 5, 0, 1, 4, {0xe4}, 1, {0xe4}}};
  for (size_t i = 0; i < WHET_COUNT(k_row); i++) {
    const struct row *r = &k_row[i];
    buf t = ox_tensor("w", r->type, 1, (const int64_t[]){r->dim}, NULL, 0);
    for (int k = 0; k < r->n; k++) {
      pb_varint(&t, r->field << 3 | (unsigned)r->wire);
      if (r->wire)
        buf_add(&t, &r->v[k], r->wire == 1 ? 8 : 4);
      else
        pb_varint(&t, (uint64_t)r->v[k]);
    }
    buf b = holding(t, r->type);
    whet_model *m = open_made(&b, NULL);
    const whet_val *w = val_named(m, "w");
    assert_int_equal(w->dtype, r->type);
    assert_int_equal(w->data->n, r->bytes);
    assert_memory_equal(w->data->p, r->want, r->bytes);
    close_made(&m, &b);
    t = ox_tensor("w", r->type, 1, (const int64_t[]){r->dim + 8}, NULL, 0); /* too few of them */
    pb_varint(&t, r->field << 3 | (unsigned)r->wire);
    buf_add(&t, "\0\0\0\0\0\0\0", r->wire == 1 ? 8 : r->wire == 5 ? 4 : 1);
    b = holding(t, r->type);
    OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "\"w\"", "expected");
  }
}

static void wrong_contents(void **state) {
  float v[4] = {0};
  buf b = holding(ox_tensor("w", 1, 1, (const int64_t[]){5}, v, 16), 1);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "\"w\"", "16 bytes", "expected 20", "byte ");
  b = holding(ox_tensor("w", 77, 1, k_3, v, 12), 1);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "element type 77");
  b = holding(ox_tensor("w", 1, 1, (const int64_t[]){-3}, v, 12), 1);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "dimension 0 is -3");
  const int64_t big[] = {INT64_C(1) << 40, INT64_C(1) << 40};
  b = holding(ox_tensor("w", 1, 2, big, v, 12), 1);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "overflows");
  const int64_t nine[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  b = holding(ox_tensor("w", 1, 9, nine, v, 4), 1);
  OPEN_FAILS(&b, NULL, WHET_E_UNSUPPORTED, "9 dimensions");
  b = holding(ox_tensor("w", 8, 1, (const int64_t[]){INT64_C(1) << 50}, NULL, 0), 8);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "\"w\"");
}

/* Promise 4: sparse tensors that lie: an index outside, indices of the wrong shape, and a few bytes that would fill
 * the memory.
 */
static buf sparse_model(const int64_t *dims, int rank, int64_t index, int64_t n_index) {
  buf g = {0}, s = {0}, v = ox_tensor("w", 1, 1, (const int64_t[]){1}, (const float[]){1}, 4);
  buf i = ox_tensor(NULL, 7, 1, &n_index, (const int64_t[]){index, 0}, (size_t)n_index * 8);
  pb_msg(&s, 1, &v);
  pb_msg(&s, 2, &i);
  for (int k = 0; k < rank; k++) pb_int(&s, 3, dims[k]);
  pb_msg(&g, 15, &s);
  ox_add_out(&g, ox_info("w", 1, -1, NULL, NULL));
  return ox_model(g, 8, 17);
}
static void wrong_sparse(void **state) {
  const int64_t d[] = {2, 3}, huge[] = {1 << 20, 1 << 20};
  buf b = sparse_model(d, 2, 6, 1);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "index 0 is out of range");
  b = sparse_model(d, 2, -1, 1);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "index 0 is out of range");
  b = sparse_model(d, 2, 1, 2);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "indices int64");
  b = sparse_model(huge, 2, 1, 1);
  OPEN_FAILS(&b, NULL, WHET_E_LIMIT, "\"w\"");
}

/* ---- external data ----------------------------------------------------------------------------------------------
 */

static buf external(const char *location, const char *offset, const char *length) {
  const char *const kv[][2] = {{"location", location}, {"offset", offset}, {"length", length}};
  buf t = ox_tensor("w", 1, 1, k_3, NULL, 0);
  for (int i = 0; i < 3; i++) {
    buf e = {0};
    if (!kv[i][1]) continue;
    pb_str(&e, 1, kv[i][0]);
    pb_str(&e, 2, kv[i][1]);
    pb_msg(&t, 13, &e);
  }
  pb_int(&t, 14, 1);
  return holding(t, 1);
}

/* Promise 6. */
static void external_data(void **state) {
  const char *folder = test_folder();
  float v[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  test_write(folder, "weights.bin", v, sizeof v);
  buf b = external("weights.bin", "8", "12");
  const char *path = test_write(folder, "m.onnx", b.p, b.n);
  whet_model *m = NULL;
  whet_err err = {0};
  if (whet_model_open(path, NULL, &m, &err)) fail_msg("%s", err.text);
  const whet_data *d = val_named(m, "w")->data;
  assert_true(d->mapped);
  assert_memory_equal(d->p, v + 2, 12);
  whet_model_close(&m);
  OPEN_FAILS(&b, NULL, WHET_E_DATA, "no folder", "weights.bin"); /* from memory, and nobody said where it lies */
  whet_model_opts o = whet_model_opts_default();
  o.data_folder = folder;
  b = external("weights.bin", NULL, NULL);
  m = open_made(&b, &o);
  assert_memory_equal(val_named(m, "w")->data->p, v, 12);
  close_made(&m, &b);
  b = external("weights.bin", "24", NULL);
  OPEN_FAILS(&b, &o, WHET_E_FORMAT, "12 bytes at 24", "32 bytes");
  b = external("weights.bin", "18446744073709551615", NULL);
  OPEN_FAILS(&b, &o, WHET_E_FORMAT, "12 bytes at 18446744073709551615");
  b = external("weights.bin", "8", "16");
  OPEN_FAILS(&b, &o, WHET_E_FORMAT, "16 external bytes", "expected 12");
  b = external("weights.bin", "-8", NULL);
  OPEN_FAILS(&b, &o, WHET_E_FORMAT, "offset", "-8");
  b = external("../weights.bin", NULL, NULL);
  OPEN_FAILS(&b, &o, WHET_E_DATA, "leaves the model's folder");
  b = external("/etc/passwd", NULL, NULL);
  OPEN_FAILS(&b, &o, WHET_E_DATA, "absolute");
  b = external("nowhere.bin", NULL, NULL);
  OPEN_FAILS(&b, &o, WHET_E_IO, "nowhere.bin", "\"w\"");
}

/* What callers give in place of contents of the file. */
static void given_data(void **state) {
  static const int64_t k_4[] = {4};
  float v[6] = {0, 1, 2, 3, 4, 5}, own[3] = {7, 8, 9};
  whet_initializer x = {.name = "w", .dtype = WHET_F32, .rank = 1, .dims = k_3, .data = own};
  whet_initializer two[] = {x, x};
  whet_data_file f = {"./weights.bin", v, sizeof v}, twice[] = {f, {"weights.bin", v, sizeof v}};
  whet_model_opts o = whet_model_opts_default();
  o.initializers = &x;
  o.n_initializers = 1;
  for (x.external = 0; x.external < 2; x.external++) { /* the file is not even looked for */
    buf b = external("weights.bin", "8", "12");
    whet_model *m = open_made(&b, &o);
    assert_ptr_equal(val_named(m, "w")->data->p, own);
    close_made(&m, &b);
  }
  x.external = 0;
  buf b = holding(ox_tensor("w", 1, 1, k_3, v, 12), 1);
  whet_model *m = open_made(&b, &o);
  assert_ptr_equal(val_named(m, "w")->data->p, own);
  close_made(&m, &b);
  x.external = 1;
  b = holding(ox_tensor("w", 1, 1, k_3, v, 12), 1);
  OPEN_FAILS(&b, &o, WHET_E_DATA, "\"w\"", "itself has");
  b = external("weights.bin", NULL, NULL);
  x.dims = k_4;
  OPEN_FAILS(&b, &o, WHET_E_SHAPE, "given as [4]", "[3]");
  b = external("weights.bin", NULL, NULL);
  x.dims = k_3;
  x.dtype = WHET_S32;
  OPEN_FAILS(&b, &o, WHET_E_TYPE, "int32", "float32");
  x.dtype = WHET_F32;
  x.name = "x"; /* an input, no initialiser */
  b = external("weights.bin", NULL, NULL);
  o.data_files = &f;
  o.n_data_files = 1;
  OPEN_FAILS(&b, &o, WHET_E_NAME, "\"x\"");
  x.external = 0;
  b = external("weights.bin", "8", "12");
  m = open_made(&b, &o);
  assert_ptr_equal(val_named(m, "w")->data->p, v + 2);
  close_made(&m, &b);
  b = external("./weights.bin", "8", NULL);
  o.map = WHET_MAP_PRIVATE_COPY;
  m = open_made(&b, &o);
  assert_ptr_not_equal(val_named(m, "w")->data->p, v + 2);
  assert_memory_equal(val_named(m, "w")->data->p, v + 2, 12);
  close_made(&m, &b);
  b = external("weights.bin", "16", NULL);
  OPEN_FAILS(&b, &o, WHET_E_FORMAT, "12 bytes at 16", "24 bytes");
  b = external("weights.bin", NULL, NULL);
  o.data_files = twice;
  o.n_data_files = 2;
  OPEN_FAILS(&b, &o, WHET_E_MISUSE, "twice", "weights.bin");
  o.n_data_files = 1;
  o.initializers = two;
  o.n_initializers = 2;
  b = external("weights.bin", NULL, NULL);
  OPEN_FAILS(&b, &o, WHET_E_MISUSE, "twice", "\"w\"");
  two[1].data = NULL;
  b = external("weights.bin", NULL, NULL);
  OPEN_FAILS(&b, &o, WHET_E_MISUSE, "initializer 1");
}

/* ---- bad graphs -------------------------------------------------------------------------------------------------
 */

static void names(void **state) {
  buf g = one_node("Relu", NULL), b;
  ox_add_node(&g, ox_node_in(NULL, "Add", "sum", "x,ghost", "z", NULL));
  b = ox_model(g, 8, 17);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "node 1 \"sum\" (Add)", "input 1", "\"ghost\"");
  g = one_node("Relu", NULL);
  ox_add_node(&g, ox_node("Abs", "x", "y", NULL));
  b = ox_model(g, 8, 17);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "\"y\"", "twice");
  g = one_node("Relu", NULL);
  ox_add_out(&g, ox_info("lost", 1, 1, k_3, NULL));
  b = ox_model(g, 8, 17);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "output 1", "\"lost\"");
  g = one_node("Relu", NULL);
  ox_add_node(&g, ox_node("Add", "x,q", "p", NULL));
  ox_add_node(&g, ox_node("Abs", "p", "q", NULL));
  b = ox_model(g, 8, 17);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "in a circle");
  g = one_node("Relu", NULL);
  ox_add_in(&g, ox_info("untyped", 0, 1, k_3, NULL));
  b = ox_model(g, 8, 17);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "\"untyped\"", "no element type");
}

static void attributes(void **state) {
  buf b = ox_model(one_node("LeakyRelu", (ox_attr[]){{.name = "alpha", .type = 2, .i = 1}, {0}}), 8, 17);
  OPEN_FAILS(&b, NULL, WHET_E_TYPE, "node 0 (LeakyRelu)", "alpha", "type int", "expected float");
  b = ox_model(one_node("If", NULL), 8, 17);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "node 0 (If)", "then_branch");
}

/* Promise 9: everything that is missing is said at once, also what stands in bodies; the log has each on a line. */
static void log_line(void *user, int level, const char *line) {
  if (strstr(line, "not supported")) ++*(int *)user;
}
static void missing(void **state) {
  int lines = 0;
  whet_model_opts o = whet_model_opts_default();
  o.log = log_line;
  o.log_user = &lines;
  buf g = one_node("Zig", NULL), body = {0}, b, dom = {0};
  ox_add_node(&body, ox_node("Zag", "x", "v", NULL));
  ox_add_out(&body, ox_info("v", 1, -1, NULL, NULL));
  buf body2 = {0};
  buf_add(&body2, body.p, body.n);
  ox_add_init(&g, ox_tensor("c", 9, 0, NULL, "\1", 1));
  ox_add_node(&g, ox_node_in(NULL, "If", "choose", "c", "w",
                             (ox_attr[]){{.name = "then_branch", .type = 5, .t = &body},
                                         {.name = "else_branch", .type = 5, .t = &body2},
                                         {0}}));
  ox_add_node(&g, ox_node_in("far.away", "Zog", "zog", "x", "u", NULL));
  b = ox_model(g, 8, 17);
  pb_str(&dom, 1, "far.away");
  pb_int(&dom, 2, 3);
  pb_msg(&b, 8, &dom);
  OPEN_FAILS(&b, &o, WHET_E_UNSUPPORTED, "3 operators are not supported", "Zig (ai.onnx 17), node 0",
             "Zag (ai.onnx 17)", "\"choose\" (If)", "and 1 more", "Zog (far.away 3)", "\"zog\"");
  assert_int_equal(lines, 3);
  b = ox_model(one_node("Relu", NULL), 8, 17);
  g = (buf){0};
  for (int i = 0; i < 60; i++) {
    char op[32];
    snprintf(op, sizeof op, "Operator%d", i);
    ox_add_node(&g, ox_node(op, "x", "", NULL));
  }
  ox_add_in(&g, ox_info("x", 1, 1, k_3, NULL));
  buf_free(&b);
  b = ox_model(g, 8, 17);
  lines = 0;
  OPEN_FAILS(&b, &o, WHET_E_UNSUPPORTED, "60 operators", "Operator0", "; and ", " more");
  assert_int_equal(lines, 60);
}

/* A domain that is not imported, and a function that calls itself. */
static void calls(void **state) {
  buf g = {0}, b, fn = {0}, n;
  ox_add_in(&g, ox_info("x", 1, 1, k_3, NULL));
  ox_add_node(&g, ox_node_in("mine", "F", "f", "x", "y", NULL));
  ox_add_out(&g, ox_info("y", 1, 1, k_3, NULL));
  b = ox_model(g, 8, 17);
  pb_str(&fn, 1, "F");
  pb_str(&fn, 4, "a");
  pb_str(&fn, 5, "b");
  n = ox_node_in("mine", "F", NULL, "a", "b", NULL);
  pb_msg(&fn, 7, &n);
  pb_str(&fn, 10, "mine");
  buf copy = {0};
  buf_add(&copy, b.p, b.n);
  OPEN_FAILS(&copy, NULL, WHET_E_FORMAT, "no opset of domain \"mine\"");
  pb_msg(&b, 25, &fn);
  OPEN_FAILS(&b, NULL, WHET_E_LIMIT, "node 0 \"f\" (F)", "deeper than the limit of 32");
}

/* Promises 4 and 5. */
static void limits(void **state) {
  whet_model_opts o = whet_model_opts_default();
  o.limits.nodes = 3;
  buf g = one_node("Relu", NULL), b;
  for (int i = 0; i < 3; i++) ox_add_node(&g, ox_node("Relu", "x", i ? i > 1 ? "c" : "b" : "a", NULL));
  b = ox_model(g, 8, 17);
  OPEN_FAILS(&b, &o, WHET_E_LIMIT, "limit is 3");
  o = whet_model_opts_default();
  o.limits.memory_bytes = 20000;
  b = ox_model(one_node("Relu", NULL), 8, 17);
  OPEN_FAILS(&b, &o, WHET_E_LIMIT, "memory limit of 20000 bytes");
  o = whet_model_opts_default();
  o.limits.depth = 2;
  buf inner = {0}, middle = {0};
  ox_add_node(&inner, ox_node("Relu", "x", "a", NULL));
  ox_add_node(&middle, ox_node("If", "x", "a", (ox_attr[]){{.name = "then_branch", .type = 5, .t = &inner}, {0}}));
  b = ox_model(one_node("If", (ox_attr[]){{.name = "then_branch", .type = 5, .t = &middle}, {0}}), 8, 17);
  OPEN_FAILS(&b, &o, WHET_E_LIMIT, "nested deeper");
}

/* Promise 5: functions that double twenty times would be a million operators. */
static void time_limit(void **state) {
  enum { N = 20 };
  buf g = {0}, b, fn = {0}, n;
  ox_add_in(&g, ox_info("x", 1, 1, k_3, NULL));
  ox_add_node(&g, ox_node_in("mine", "F0", NULL, "x", "y", NULL));
  ox_add_out(&g, ox_info("y", 1, 1, k_3, NULL));
  b = ox_model(g, 8, 17);
  for (int i = 0; i < N; i++) {
    char name[8], next[8];
    snprintf(name, sizeof name, "F%d", i);
    snprintf(next, sizeof next, "F%d", i + 1);
    pb_str(&fn, 1, name);
    pb_str(&fn, 4, "a");
    pb_str(&fn, 5, "c");
    n = ox_node_in(i < N - 1 ? "mine" : NULL, i < N - 1 ? next : "Relu", NULL, "a", "b", NULL);
    pb_msg(&fn, 7, &n);
    n = ox_node_in(i < N - 1 ? "mine" : NULL, i < N - 1 ? next : "Relu", NULL, "b", "c", NULL);
    pb_msg(&fn, 7, &n);
    pb_str(&fn, 10, "mine");
    pb_msg(&b, 25, &fn);
  }
  whet_model_opts o = whet_model_opts_default();
  o.limits.load_ms = 10;
  OPEN_FAILS(&b, &o, WHET_E_DEADLINE, "limit of 10 ms");
}

/* Promise 8: one line, also when names hold line ends. */
static void one_line(void **state) {
  buf g = one_node("Relu", NULL), b;
  ox_add_node(&g, ox_node("Two\nLines", "x", "", NULL));
  b = ox_model(g, 8, 17);
  OPEN_FAILS(&b, NULL, WHET_E_UNSUPPORTED, "Two?Lines");
}

static void no_models(void **state) {
  buf b = {0};
  whet_model *m;
  whet_err err = {0};
  assert_int_equal(whet_model_open_memory("", 0, NULL, &m, &err), WHET_E_FORMAT);
  assert_non_null(strstr(err.text, "empty"));
  buf_add(&b, "# a text file\n", 14);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "neither an ONNX nor a TFLite nor a .whet model", "23 20 61");
  pb_int(&b, 1, 8);
  OPEN_FAILS(&b, NULL, WHET_E_FORMAT, "no graph");
  assert_int_equal(whet_model_open("/nowhere/at/all.onnx", NULL, &m, &err), WHET_E_IO);
  assert_non_null(strstr(err.text, "/nowhere/at/all.onnx"));
  assert_int_equal(whet_model_open(test_folder(), NULL, &m, &err), WHET_E_IO);
  whet_model_opts o = whet_model_opts_default();
  o.rules = "other";
  assert_int_equal(whet_model_open_memory("\x08", 1, &o, &m, &err), WHET_E_NAME);
  o = (whet_model_opts){0};
  assert_int_equal(whet_model_open_memory("\x08", 1, &o, &m, &err), WHET_E_MISUSE);
}

/* Old files: initialisers had to be inputs too, which gives callers nothing to replace; no opsets at all. */
static void old_files(void **state) {
  buf g = {0}, b = {0};
  ox_add_in(&g, ox_info("x", 1, 2, k_n3, NULL));
  ox_add_in(&g, ox_info("w", 1, 1, k_3, NULL));
  ox_add_init(&g, ox_tensor("w", 1, 1, k_3, (const float[]){1, 2, 3}, 12));
  ox_add_node(&g, ox_node("Identity", "x", "y", NULL));
  ox_add_out(&g, ox_info("y", 1, 2, k_n3, NULL));
  pb_int(&b, 1, 2);
  pb_msg(&b, 7, &g);
  whet_model *m = open_made(&b, NULL);
  assert_int_equal(whet_model_inputs(m), 1);
  assert_int_equal(whet_model_overridables(m), 0);
  assert_int_equal(m->source.node[0].since, 1);
  close_made(&m, &b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(chain),
                                     cmocka_unit_test(private_copy),
                                     cmocka_unit_test(typed),
                                     cmocka_unit_test(overridden),
                                     cmocka_unit_test(constants),
                                     cmocka_unit_test(bodies),
                                     cmocka_unit_test(functions),
                                     cmocka_unit_test(function_default),
                                     cmocka_unit_test(kinds),
                                     cmocka_unit_test(in_place),
                                     cmocka_unit_test(big_in_place),
                                     cmocka_unit_test(typed_fields),
                                     cmocka_unit_test(wrong_contents),
                                     cmocka_unit_test(wrong_sparse),
                                     cmocka_unit_test(external_data), cmocka_unit_test(given_data),
                                     cmocka_unit_test(names),
                                     cmocka_unit_test(attributes),
                                     cmocka_unit_test(missing),
                                     cmocka_unit_test(calls),
                                     cmocka_unit_test(limits),
                                     cmocka_unit_test(time_limit),
                                     cmocka_unit_test(one_line),
                                     cmocka_unit_test(no_models),
                                     cmocka_unit_test(old_files)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
