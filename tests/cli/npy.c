/* SPDX-License-Identifier: Apache-2.0 */
/* Tensor files: every type there and back, what numpy writes in other ways, and damaged files. */

#include "codec/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/dtype.h"
#include "base/rng.h"
#include "format/onnx_value.h"
#include "lib/build.h"
#include "lib/test.h"

static whet_mem g_mem;

/* A file of a version with a header as given, then `bytes` bytes. */
static whet_text file(int version, const char *dict, const void *p, size_t bytes) {
  whet_text t = {.mem = &g_mem};
  uint32_t n = (uint32_t)strlen(dict);
  char head[12] = {'\x93', 'N', 'U', 'M', 'P', 'Y', (char)version, 0, (char)n, (char)(n >> 8), 0, 0};
  whet__text_add(&t, head, version == 1 ? 10 : 12);
  whet__text_add(&t, dict, n);
  if (bytes) whet__text_add(&t, p, bytes);
  return t;
}

/* Put bytes into the fuzzer's corpus (tests/fuzz/tensor.c). */
static void keep(const char *name, const void *p, size_t n) {
  char path[600];
  const char *build = getenv("WHET_BUILD");
  if (!build) return;
  snprintf(path, sizeof path, "%s/corpus", build);
  mkdir(path, 0777);
  snprintf(path, sizeof path, "%s/corpus/tensor", build);
  mkdir(path, 0777);
  snprintf(path, sizeof path, "%s/corpus/tensor/%s", build, name);
  FILE *f = fopen(path, "wb");
  if (!f) return;
  fwrite(p, 1, n, f);
  fclose(f);
}

/* Read it; NULL and a checked text when that fails. */
static whet_value *read_back(whet_text *t, const char *says) {
  whet_value *v = NULL;
  whet_err err = {0};
  /* In a block of exactly its size, so that a sanitizer sees every byte too far. */
  char *exact = malloc(t->n);
  memcpy(exact, t->p, t->n);
  whet_status s = whet__npy_read(exact, t->n, &v, &err);
  free(exact);
  whet__text_free(t);
  if (says ? !s || !strstr(err.text, says) : s)
    fail_msg("\"%s\" where \"%s\" was expected", err.text, says ? says : "success");
  return v;
}

static void round_trips(void **state) {
  (void)state;
  static const int64_t shapes[][4] = {{0}, {5}, {2, 3}, {0, 4}, {2, 1, 3, 2}};
  static const int32_t ranks[] = {0, 1, 2, 2, 4};
  for (int type = WHET_F32; type < WHET_DTYPE_COUNT; type++)
    for (int k = 0; k < 5; k++) {
      whet_value *v, *w;
      whet_err err = {0};
      whet_dtype t = (whet_dtype)type;
      assert_int_equal(whet_value_create(t, ranks[k], shapes[k], &v), WHET_OK);
      uint8_t *p = whet_value_data(v);
      for (size_t i = 0; t != WHET_STRING && i < whet_value_bytes(v); i++)
        p[i] = (uint8_t)(t == WHET_BOOL ? i & 1 : i * 37 + 1);
      for (size_t i = 0; t == WHET_STRING && i < whet_value_count(v); i++)
        assert_int_equal(whet_value_set_string(v, i, "caterpillar", i), WHET_OK);
      whet_text text = {.mem = &g_mem};
      assert_int_equal(whet__npy_write(v, &text, &err), WHET_OK);
      assert_true(whet__npy_knows(text.p, text.n));
      char name[40];
      snprintf(name, sizeof name, "%d_%d.npy", type, k);
      keep(name, text.p, text.n);
      w = read_back(&text, NULL);
      assert_int_equal(whet_value_rank(w), ranks[k]);
      for (int32_t d = 0; d < ranks[k]; d++) assert_int_equal(whet_value_dims(w)[d], shapes[k][d]);
      for (size_t i = 0; i < whet_value_count(v); i++) {
        if (t == WHET_STRING) {
          const whet_str *a = whet_value_const_data(v), *b = whet_value_const_data(w);
          assert_true(a[i].n == b[i].n && !memcmp(a[i].p ? a[i].p : "", b[i].p ? b[i].p : "", a[i].n));
        } else if (whet_dtype_bits(t) < 8) {
          assert_true(whet__get_f64(t, p, (int64_t)i) ==
                      whet__get_f64(whet_value_dtype(w), whet_value_const_data(w), (int64_t)i));
        } else {
          size_t e = whet_dtype_bits(t) / 8;
          assert_memory_equal(p + i * e, (const char *)whet_value_const_data(w) + i * e, e);
        }
      }
      whet_value_unref(&v);
      whet_value_unref(&w);
    }
}

static void spellings(void **state) {
  (void)state;
  static const uint8_t big[] = {0x3f, 0x80, 0, 0, 0x40, 0, 0, 0};
  static const int16_t cols[] = {1, 4, 2, 5, 3, 6};
  whet_text t = file(1, "{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", big, 8);
  whet_value *v = read_back(&t, NULL);
  assert_true(((const float *)whet_value_const_data(v))[0] == 1 && ((const float *)whet_value_const_data(v))[1] == 2);
  whet_value_unref(&v);
  t = file(2, "{\"shape\":(2,3),\"fortran_order\":True,\"descr\":\"<i2\"}", cols, 12);
  v = read_back(&t, NULL);
  for (int i = 0; i < 6; i++) assert_int_equal(((const int16_t *)whet_value_const_data(v))[i], i + 1);
  whet_value_unref(&v);
  t = file(3, "{'descr': '<U2', 'fortran_order': False, 'shape': (2,)}  \n", "a\0\0\0\xe9\0\0\0\x0e\x04\1\0\0\0\0\0",
           16);
  v = read_back(&t, NULL);
  const whet_str *s = whet_value_const_data(v);
  assert_true(s[0].n == 3 && !memcmp(s[0].p, "a\xc3\xa9", 3));
  assert_true(s[1].n == 4 && !memcmp(s[1].p, "\xf0\x90\x90\x8e", 4));
  whet_value_unref(&v);
  t = file(1, "{'descr': '|V2', 'fortran_order': False, 'shape': ()}", "\x80\x3f", 2);
  v = read_back(&t, NULL);
  assert_true(whet_value_dtype(v) == WHET_U16 && ((const uint16_t *)whet_value_const_data(v))[0] == 0x3f80);
  whet_value_unref(&v);
  t = file(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (2L,)}", "\0\7", 2);
  v = read_back(&t, NULL);
  assert_true(((const uint8_t *)whet_value_const_data(v))[1] == 1);
  whet_value_unref(&v);
}

static void refusals(void **state) {
  (void)state;
  static const char *const bad[][2] = {
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "ends early"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }", "cannot be read"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,), }", "header"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "too large"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", "at most 8 dimensions"},
      {"{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", "cannot be read"},
      {"{'descr': '<f4', 'shape': (1,), }", "cannot be read"},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "Python objects"},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "structured"},
      {"{'descr': '<f16', 'fortran_order': False, 'shape': (1,), }", "type f16"},
      {"{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (1,), }", "cannot be read"},
      {"{'descr': '|S0', 'fortran_order': False, 'shape': (1000000,), }", "1000000 strings"},
      {"{'descr': '<f4' 'fortran_order': False, 'shape': (1,), }", "cannot be read"},
      {"", "cannot be read"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    whet_text t = file(1, bad[i][0], "abcdefgh", 8);
    assert_null(read_back(&t, bad[i][1]));
  }
  whet_text t = file(4, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "abcd", 4);
  assert_null(read_back(&t, "version 4"));
}

/* ONNX's messages of test data: tensors, sequences, optionals, maps. */
static void onnx_values(void **state) {
  (void)state;
  static const int64_t two[] = {2};
  static const float x[] = {1.5f, -2};
  whet_value *v;
  whet_err err = {0};
  buf t = ox_tensor("a", WHET_F32, 1, two, x, 8), s = {0}, o = {0}, m = {0}, part;
  assert_int_equal(whet__onnx_value(t.p, t.n, WHET_TENSOR, &v, &err), WHET_OK);
  assert_memory_equal(whet_value_const_data(v), x, 8);
  whet_value_unref(&v);
  keep("tensor.pb", t.p, t.n);
  pb_int(&s, 2, 1);
  for (int i = 0; i < 3; i++) part = ox_tensor(NULL, WHET_F32, 1, two, x, 8), pb_msg(&s, 3, &part);
  assert_int_equal(whet__onnx_value(s.p, s.n, WHET_SEQUENCE, &v, &err), WHET_OK);
  assert_true(whet_value_kind(v) == WHET_SEQUENCE && whet_value_items(v) == 3 &&
              whet_value_count(whet_value_item(v, 2)) == 2);
  whet_value_unref(&v);
  keep("sequence.pb", s.p, s.n);
  pb_int(&o, 2, 3);
  pb_bytes(&o, 5, s.p, s.n);
  assert_int_equal(whet__onnx_value(o.p, o.n, WHET_OPTIONAL, &v, &err), WHET_OK);
  assert_true(whet_value_kind(v) == WHET_OPTIONAL && whet_value_items(v) == 1 &&
              whet_value_items(whet_value_item(v, 0)) == 3);
  whet_value_unref(&v);
  assert_int_equal(whet__onnx_value(o.p, 2, WHET_OPTIONAL, &v, &err), WHET_OK); /* elem_type alone: nothing in it */
  assert_int_equal(whet_value_items(v), 0);
  whet_value_unref(&v);
  keep("optional.pb", o.p, o.n);
  part = (buf){0};
  pb_int(&part, 2, 1);
  for (int i = 0; i < 2; i++) pb_bytes(&part, 3, t.p, t.n);
  pb_int(&m, 2, 8);
  pb_str(&m, 4, "cat");
  pb_str(&m, 4, "dog");
  pb_msg(&m, 5, &part);
  assert_int_equal(whet__onnx_value(m.p, m.n, WHET_MAP, &v, &err), WHET_OK);
  assert_true(whet_value_kind(v) == WHET_MAP && whet_value_dtype(whet_value_item(v, 0)) == WHET_STRING);
  whet_value_unref(&v);
  keep("map.pb", m.p, m.n);
  buf *all[] = {&t, &s, &o, &m};
  for (int k = 0; k < 4; k++) /* every prefix, as every kind: an error or a value */
    for (size_t n = 0; n < 4 * all[k]->n; n++) {
      uint8_t *exact = malloc(n / 4 + 1);
      memcpy(exact, all[k]->p, n / 4);
      err.code = WHET_OK;
      whet_status status = whet__onnx_value(exact, n / 4, (whet_kind)(n & 3), &v, &err);
      assert_true(status ? v == NULL && err.text[0] : v != NULL);
      whet_value_unref(&v);
      free(exact);
    }
  for (int k = 0; k < 4; k++) buf_free(all[k]);
}

/* Every prefix and changed byte: an error or a tensor. */
static void damage(void **state) {
  (void)state;
  whet_text whole =
      file(1, "{'descr': '<i4', 'fortran_order': True, 'shape': (3, 2), }", "abcdefghijklmnopqrstuvwx", 24);
  for (size_t i = 0; i < whole.n + 4000; i++) {
    size_t n = i < whole.n ? i : whole.n;
    char *p = malloc(n ? n : 1);
    uint32_t r[4];
    memcpy(p, whole.p, n);
    whet__rng_block(1, 2, i, r);
    if (i >= whole.n) p[r[0] % n] = (char)r[1];
    whet_value *v = NULL;
    whet_err err = {0};
    whet_status s = whet__npy_knows(p, n) ? whet__npy_read(p, n, &v, &err) : WHET_E_FORMAT;
    assert_true(s ? v == NULL : v != NULL);
    whet_value_unref(&v);
    free(p);
  }
  whet__text_free(&whole);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(round_trips), cmocka_unit_test(spellings),
                                     cmocka_unit_test(refusals), cmocka_unit_test(onnx_values),
                                     cmocka_unit_test(damage)};
  whet__mem_init(&g_mem, NULL, NULL, 0);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
