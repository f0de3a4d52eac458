/* SPDX-License-Identifier: Apache-2.0 */
/* Every tiny model cut at every byte, every byte of it changed, and every allocation of its opening refused. Whatever
 * comes of it must end in a named error or a model, leave nothing behind and stay within its bytes (sanitizers
 * watch). */

#include <stdlib.h>

#include "format/import.h"
#include "lib/open.h"
#include "lib/tiny.h"

/* Promises 1, 2, 4 and 7: open bytes that lie in a block of exactly their size, under a memory limit, and close
 * again. */
static whet_status try(const uint8_t *p, size_t n, whet_format f, whet_err *err) {
  uint8_t *copy = malloc(n ? n : 1);
  memcpy(copy, p, n);
  whet_model_opts o = whet_model_opts_default();
  whet_model *m = NULL;
  test_alloc a;
  test_alloc_init(&a, 0);
  o.allocator = &a.fns;
  o.format = f;
  o.limits.memory_bytes = 8 << 20;
  o.limits.nodes = 2000;
  *err = (whet_err){0};
  whet_status s = whet_model_open_memory(copy, n, &o, &m, err);
  if ((s == WHET_OK) != (m != NULL)) fail_msg("status %s, but %s model", whet_status_name(s), m ? "a" : "no");
  if (s && (err->code != s || !err->text[0])) fail_msg("%s without a text", whet_status_name(s));
  if (s == WHET_E_INTERNAL) fail_msg("a fault of our own: %s", err->text);
  for (size_t i = 0; m && i < whet_model_tensors(m); i++) {
    whet_info info;
    if (whet_model_tensor(m, i, &info) || !info.name) fail_msg("tensor %zu says nothing", i);
  }
  whet_model_close(&m);
  if (a.live) fail_msg("%ld blocks leaked", (long)a.live);
  free(copy);
  return s;
}

static void cut_all(const tiny *list, size_t count, whet_format f) {
  for (size_t i = 0; i < count; i++) {
    buf b = list[i].make();
    whet_err err;
    if (try(b.p, b.n, f, &err)) fail_msg("%s: %s", list[i].name, err.text);
    for (size_t n = 0; n < b.n; n++) try(b.p, n, f, &err);
    buf_free(&b);
  }
}
static void cut_onnx(void **state) { cut_all(tiny_onnx, tiny_n_onnx, WHET_FORMAT_ONNX); }
static void cut_tflite(void **state) { cut_all(tiny_tflite, tiny_n_tflite, WHET_FORMAT_TFLITE); }

/* Values that break things more often than others, for every byte; at least one of them must be refused. */
static void bend_all(const tiny *list, size_t count, whet_format f) {
  static const uint8_t k_xor[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff, 0x7f};
  for (size_t i = 0; i < count; i++) {
    buf b = list[i].make();
    size_t refused = 0;
    whet_err err;
    for (size_t at = 0; at < b.n; at++)
      for (size_t k = 0; k < WHET_COUNT(k_xor); k++) {
        b.p[at] ^= k_xor[k];
        refused += try(b.p, b.n, f, &err) != WHET_OK;
        b.p[at] ^= k_xor[k];
      }
    if (!refused) fail_msg("%s: no change was refused", list[i].name);
    printf("# %s: %zu of %zu changes refused\n", list[i].name, refused, b.n * WHET_COUNT(k_xor));
    buf_free(&b);
  }
}
static void bend_onnx(void **state) { bend_all(tiny_onnx, tiny_n_onnx, WHET_FORMAT_ONNX); }
static void bend_tflite(void **state) { bend_all(tiny_tflite, tiny_n_tflite, WHET_FORMAT_TFLITE); }

/* Promise 7. */
static whet_status open_close(void *arg, const whet_allocator *a, whet_err *err) {
  const buf *b = arg;
  whet_model_opts o = whet_model_opts_default();
  whet_model *m;
  o.allocator = a;
  o.map = WHET_MAP_PRIVATE_COPY;
  whet_status s = whet_model_open_memory(b->p, b->n, &o, &m, err);
  whet_model_close(&m);
  return s;
}
static void refuse_all(const tiny *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    buf b = list[i].make();
    test_oom(list[i].name, open_close, &b, 0);
    buf_free(&b);
  }
}
static void memory(void **state) {
  refuse_all(tiny_onnx, tiny_n_onnx);
  refuse_all(tiny_tflite, tiny_n_tflite);
}

/* Promise 3: the structure is read once. What happens to the bytes later changes nothing of the model but what
 * constants contain. */
static void once(const tiny *t) {
  buf b = t->make();
  whet_model *m = open_made(&b, NULL);
  whet_info before, after;
  char name[64];
  whet_err err = {0};
  assert_int_equal(whet_model_output(m, 0, &before), WHET_OK);
  snprintf(name, sizeof name, "%s", before.name);
  memset(b.p, 0xff, b.n);
  assert_int_equal(whet__graph_verify(&m->graph, &err), WHET_OK);
  assert_int_equal(whet_model_output(m, 0, &after), WHET_OK);
  assert_string_equal(after.name, name);
  assert_int_equal(after.rank, before.rank);
  for (int32_t k = 0; k < m->source.n_node; k++) assert_true(m->source.node[k].type[0] != (char)0xff);
  for (int32_t k = 0; k < m->source.n_tensor; k++) assert_true(m->source.tensor[k].name[0] != (char)0xff);
  for (size_t k = 0; k < whet_model_signatures(m); k++)
    assert_true(whet_model_signature_input(m, k, 0)[0] != (char)0xff);
  for (size_t k = 0; k < whet_model_metas(m); k++) {
    size_t n;
    const char *v = whet_model_meta(m, whet_model_meta_key(m, k), &n);
    assert_true(v && !memchr(v, 0xff, n));
  }
  for (int32_t k = 0; k < m->graph.n_val; k++) { /* quantisation and strings are structure, too */
    const whet_val *v = &m->graph.val[k];
    if (v->q) assert_true(v->q->scale[0] > 0 && v->q->scale[0] < 1e3f);
    if (v->dtype == WHET_STRING && v->data) assert_true(((const whet_str *)v->data->p)[0].n < 100);
  }
  close_made(&m, &b);
}
static void structure_once(void **state) {
  for (size_t i = 0; i < tiny_n_onnx; i++) once(&tiny_onnx[i]);
  for (size_t i = 0; i < tiny_n_tflite; i++) once(&tiny_tflite[i]);
}

/* The dispatch table holds every row of every record. */
static void dispatch(void **state) {
  size_t rows = 0;
  for (size_t i = 0; i < whet__n_ops; i++)
    for (const whet_from *f = whet__ops[i]->from; f && f->name; f++) {
      const whet_op *op = NULL;
      int oldest;
      const whet_from *found = whet__from_find(f->domain, f->name, f->since, &op, &oldest);
      if (!found || found->since != f->since) fail_msg("%s %s %d is not found", f->domain, f->name, f->since);
      if (op != whet__ops[i])
        fail_msg("%s %s %d is a row of %s and of %s", f->domain, f->name, f->since, op->name, whet__ops[i]->name);
      rows++;
    }
  assert_int_equal(whet__from_rows(), rows);
  const whet_op *op;
  int oldest;
  assert_null(whet__from_find("", "Nothing", 99, &op, &oldest));
  assert_int_equal(oldest, -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(cut_onnx),  cmocka_unit_test(cut_tflite),
                                     cmocka_unit_test(bend_onnx), cmocka_unit_test(bend_tflite),
                                     cmocka_unit_test(memory),    cmocka_unit_test(structure_once),
                                     cmocka_unit_test(dispatch)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
