/* SPDX-License-Identifier: Apache-2.0 */
/* whet verify: it passes when it should, and fails when it must: wrong goldens are planted in every layout. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"

static const int64_t k_shape[] = {2, 3};
static const float k_x[] = {1, -2, 3, -4, 5, -6}, k_y[] = {1, 0, 3, 0, 5, 0};

/* A new folder in another. */
static const char *folder(const char *in, const char *name) {
  const char *p = join(in, name);
  assert_int_equal(mkdir(p, 0777), 0);
  return p;
}

static void write_text(const char *dir, const char *name, const char *s) { test_write(dir, name, s, strlen(s)); }

/* A case of relu whose output is y. */
static const char *write_case(const char *in, const char *name, const float *y) {
  const char *c = folder(in, name);
  write_npy(c, "input_0.npy", "<f4", "(2, 3)", k_x, sizeof k_x);
  write_npy(c, "output_0.npy", "<f4", "(2, 3)", y, sizeof k_x);
  return c;
}

/* The last line must be this, and the exit status must fit. */
static void expect(said s, const char *last) {
  size_t n = strlen(s.out), m = strlen(last);
  if (n < m + 1 || strncmp(s.out + n - m - 1, last, m))
    fail_msg("the last line is not \"%s\":\n%s%s", last, s.out, s.err);
  assert_int_equal(s.status, strstr(last, " 0 failed") ? 0 : 1);
}

static void passes_and_fails(void **state) {
  (void)state;
  const char *dir = test_folder(), *model = write_model(dir, "m.onnx", relu_model(2, k_shape));
  float wrong[6];
  write_case(dir, "case0", k_y);
  write_text(dir, "meta.json", "{\"tolerance\": {\"kind\": \"exact\", \"value\": 0}}");
  expect(whet("verify %s %s", model, dir), "1 passed, 0 failed");
  memcpy(wrong, k_y, sizeof wrong);
  wrong[2] = 3.5f;
  wrong[4] = 5.125f;
  const char *bad = write_case(dir, "case1", wrong);
  said s = whet("verify %s %s", model, dir);
  expect(s, "1 passed, 1 failed");
  assert_non_null(strstr(
      s.out, "FAILED  case1: output 0 \"y\": 2 of 6 differ; worst at [0, 2]: got 3, expected 3.5, off by 0.5"));
  expect(whet("verify %s %s", model, bad), "0 passed, 1 failed");
  expect(whet("verify %s %s --only case0", model, dir), "1 passed, 0 failed");
  expect(whet("verify %s %s --tolerance abs:0.5", model, dir), "2 passed, 0 failed");
  expect(whet("verify %s %s --tolerance abs:0.49", model, dir), "1 passed, 1 failed");
  expect(whet("verify %s %s --tolerance rel:0.1", model, dir), "2 passed, 0 failed");
  expect(whet("verify %s %s --tolerance rel:0.09", model, dir), "1 passed, 1 failed");
  expect(whet("verify %s %s --tolerance close:0.01:0.2", model, dir), "2 passed, 0 failed");
  expect(whet("verify %s %s --tolerance close:0.01:0.1", model, dir), "1 passed, 1 failed");
  json_t *j = NULL;
  s = whet("verify %s %s --json", model, dir);
  assert_int_equal(s.status, 1);
  j = json_loads(s.out, 0, NULL);
  assert_true(number_at(j, "passed") == 1 && number_at(j, "failed") == 1);
  assert_non_null(strstr(text_at(j, "cases.1.why"), "worst at [0, 2]"));
  json_decref(j);
  expect(whet("verify %s %s --cpu c --threads 2", model, dir), "1 passed, 1 failed");
  write_text(dir, "meta.json", "{\"tolerance\": {\"kind\": \"abs\", \"value\": 0.6}}");
  expect(whet("verify %s %s", model, dir), "2 passed, 0 failed");
  write_text(dir, "meta.json", "{\"tolerance\": {\"kind\": \"nearly\", \"value\": 1}}");
  must_fail(whet("verify %s %s", model, dir), 1, "\"nearly\"");
  must_fail(whet("verify %s %s", model, folder(dir, "empty")), 1, "no cases there");
}

/* Differences that are no matter of tolerance. */
static void shapes_and_types(void **state) {
  (void)state;
  const char *dir = test_folder(), *model = write_model(dir, "m.onnx", relu_model(2, k_shape));
  double y64[6];
  for (int i = 0; i < 6; i++) y64[i] = (double)k_y[i];
  const char *c = write_case(dir, "case0", k_y);
  write_npy(c, "output_0.npy", "<f4", "(3, 2)", k_y, sizeof k_y);
  said s = whet("verify %s %s --tolerance abs:1000", model, dir);
  expect(s, "0 passed, 1 failed");
  assert_non_null(strstr(s.out, "got shape [2, 3], expected [3, 2]"));
  write_npy(c, "output_0.npy", "<f8", "(2, 3)", y64, sizeof y64);
  s = whet("verify %s %s --tolerance abs:1000", model, dir);
  expect(s, "0 passed, 1 failed");
  assert_non_null(strstr(s.out, "got float32, expected float64"));
  write_npy(c, "output_0.npy", "<f4", "(2, 3)", k_y, sizeof k_y);
  write_npy(c, "output_1.npy", "<f4", "(2, 3)", k_y, sizeof k_y);
  expect(whet("verify %s %s", model, dir), "0 passed, 1 failed"); /* an output that the model has not */
  remove(join(c, "output_1.npy"));
  write_npy(c, "input_0.npy", "<f4", "(6,)", k_x, sizeof k_x);
  expect(whet("verify %s %s", model, dir), "0 passed, 1 failed");
  float nan[6];
  for (int i = 0; i < 6; i++) nan[i] = i ? k_y[i] : 0.0f / (float)(i);
  write_npy(c, "input_0.npy", "<f4", "(2, 3)", nan, sizeof nan);
  expect(whet("verify %s %s --tolerance abs:1000", model, dir), "0 passed, 1 failed"); /* NaN where 1 should be */
  write_npy(c, "output_0.npy", "<f4", "(2, 3)", nan, sizeof nan);
  expect(whet("verify %s %s --tolerance exact", model, dir), "1 passed, 0 failed");
}

/* A case that lost its outputs fails beside one that has them. */
static void lost_outputs(void **state) {
  (void)state;
  const char *dir = test_folder(), *model = write_model(dir, "m.onnx", relu_model(2, k_shape));
  write_case(dir, "case0", k_y);
  write_npy(folder(dir, "case1"), "input_0.npy", "<f4", "(2, 3)", k_x, sizeof k_x);
  expect(whet("verify %s %s", model, dir), "1 passed, 1 failed");
}

/* Outputs of other engines count as right, all of one engine together. */
static void alternatives(void **state) {
  (void)state;
  const char *dir = test_folder(), *model = write_model(dir, "m.onnx", relu_model(2, k_shape));
  float other[6] = {9, 9, 9, 9, 9, 9};
  const char *c = write_case(dir, "case0", other);
  expect(whet("verify %s %s", model, dir), "0 passed, 1 failed");
  write_npy(c, "output_0.some-engine.npy", "<f4", "(2, 3)", k_y, sizeof k_y);
  expect(whet("verify %s %s", model, dir), "1 passed, 0 failed");
  write_npy(c, "output_0.some-engine.npy", "<f4", "(2, 3)", other, sizeof other);
  expect(whet("verify %s %s", model, dir), "0 passed, 1 failed");
}

/* ONNX's own layout. */
static void onnx_layout(void **state) {
  (void)state;
  const char *dir = test_folder(), *model = write_model(dir, "model.onnx", relu_model(2, k_shape)),
             *set = folder(dir, "test_data_set_0");
  buf in = ox_tensor("x", 1, 2, k_shape, k_x, sizeof k_x), out = ox_tensor("y", 1, 2, k_shape, k_y, sizeof k_y);
  test_write(set, "input_0.pb", in.p, in.n);
  test_write(set, "output_0.pb", out.p, out.n);
  buf_free(&out);
  expect(whet("verify %s %s", model, dir), "1 passed, 0 failed");
  expect(whet("verify %s %s", model, set), "1 passed, 0 failed");
  float wrong[6];
  memcpy(wrong, k_y, sizeof wrong);
  wrong[0] = 1.0011f;
  out = ox_tensor("y", 1, 2, k_shape, wrong, sizeof wrong);
  test_write(set, "output_0.pb", out.p, out.n);
  expect(whet("verify %s %s", model, dir), "0 passed, 1 failed");
  wrong[0] = 1.0009f;
  buf_free(&out);
  out = ox_tensor("y", 1, 2, k_shape, wrong, sizeof wrong);
  test_write(set, "output_0.pb", out.p, out.n);
  expect(whet("verify %s %s", model, dir), "1 passed, 0 failed");
  buf_free(&in);
  buf_free(&out);
}

/* A suite: case.json, later runs, random outputs, a folder that cannot be read, one that crashes nothing else. */
static void suites(void **state) {
  (void)state;
  const char *dir = test_folder();
  static const char *const names[] = {"a_good", "b_bad", "c_later", "d_random", "e_broken"};
  float wrong[6];
  memcpy(wrong, k_y, sizeof wrong);
  wrong[5] = -1;
  for (int i = 0; i < 5; i++) {
    bool bad = i == 1 || i == 3;
    const char *c = write_case(dir, names[i], bad ? wrong : k_y);
    write_model(c, "model.onnx", relu_model(2, k_shape));
    write_npy(c, "run1_output_0.npy", "<f4", "(2, 3)", i == 2 ? wrong : k_y, sizeof k_y);
    char json[1000];
    snprintf(json, sizeof json,
             "{\"tolerance\": {\"kind\": \"exact\", \"value\": 0}, \"random\": %s, \"inputs\": [{\"file\": "
             "\"input_0.npy\"}],"
             " \"outputs\": [{\"file\": \"output_0.npy\"}], \"more_runs\": [{\"signature\": null, \"inputs\": "
             "[{\"file\": \"input_0.npy\"}],"
             " \"outputs\": [{\"file\": \"run1_output_0.npy\"}]}]}",
             i == 3 ? "true" : "false");
    write_text(c, "case.json", i == 4 ? "{ no json" : json);
  }
  said s = whet("verify --suite %s", dir);
  expect(s, "2 passed, 3 failed");
  assert_non_null(strstr(s.out, "FAILED  b_bad: run 0, output 0"));
  assert_non_null(strstr(s.out, "FAILED  c_later: run 1, output 0"));
  assert_non_null(strstr(s.out, "FAILED  e_broken"));
  expect(whet("verify --suite %s --one-process", dir), "2 passed, 3 failed");
  expect(whet("verify --suite %s --only a_good", dir), "1 passed, 0 failed");
  must_fail(whet("verify --suite %s --only nothing", dir), 1, "no case");
  must_fail(whet("verify --suite %s", folder(dir, "z")), 1, "no folder in it holds a model");
}

/* Steps in one file: y_t = relu(x_t) fed row by row, with a wrong row planted. */
static void sequences(void **state) {
  (void)state;
  static const int64_t one[] = {1, 2};
  const char *dir = test_folder(), *model = write_model(dir, "m.onnx", relu_model(2, one)),
             *c = write_case(dir, "sequence0", k_y);
  float y[6];
  memcpy(y, k_y, sizeof y);
  write_npy(c, "input_0.npy", "<f4", "(3, 1, 2)", k_x, sizeof k_x);
  write_npy(c, "output_0.npy", "<f4", "(3, 1, 2)", y, sizeof y);
  write_text(c, "sequence.json",
             "{\"inputs\": [{\"kind\": \"fed\", \"shape\": [1, 2]}], \"kept_outputs\": [0], \"last_outputs\": []}");
  expect(whet("verify %s %s", model, dir), "1 passed, 0 failed");
  y[4] = 4;
  write_npy(c, "output_0.npy", "<f4", "(3, 1, 2)", y, sizeof y);
  said s = whet("verify %s %s", model, dir);
  expect(s, "0 passed, 1 failed");
  assert_non_null(strstr(s.out, "worst at [2, 0, 0]: got 5, expected 4"));
  write_npy(c, "output_0.npy", "<f4", "(1, 2)", k_y + 4, 8);
  write_text(c, "sequence.json",
             "{\"inputs\": [{\"kind\": \"fed\", \"shape\": [1, 2]}], \"kept_outputs\": [], \"last_outputs\": [0]}");
  expect(whet("verify %s %s", model, dir), "1 passed, 0 failed");
  write_text(c, "sequence.json", "{\"inputs\": [{\"kind\": \"fed\", \"shape\": [1, 4]}], \"kept_outputs\": [0]}");
  expect(whet("verify %s %s", model, dir), "0 passed, 1 failed");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(passes_and_fails), cmocka_unit_test(shapes_and_types),
                                     cmocka_unit_test(lost_outputs), cmocka_unit_test(alternatives),     cmocka_unit_test(onnx_layout),
                                     cmocka_unit_test(suites),           cmocka_unit_test(sequences)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
