/* SPDX-License-Identifier: Apache-2.0 */
/* whet convert and inspect --check: a file that answers as the model does, damage that is named, refusals. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const char *demo(void) { return test_source("tools/demo_model/digits.tflite"); }

static void same_answer(void **state) {
  (void)state;
  const char *dir = test_folder(), *file = join(dir, "digits.whet");
  const char *picture = test_source("tools/demo_model/samples/5.pgm");
  must_pass(whet("convert %s -o %s", demo(), file));
  char *first = strdup(whet("run %s --input %s --json", demo(), picture).out);
  json_t *a = json_loads(first, 0, NULL), *b = json_of(whet("run %s --input %s --json", file, picture));
  assert_true(json_equal(at(a, "outputs"), at(b, "outputs")));
  json_decref(a);
  json_decref(b);
  free(first);
  json_t *j = json_of(whet("convert %s --output %s --without-packed --json", demo(), join(dir, "small.whet")));
  assert_true(number_at(j, "output_bytes") > 0 && number_at(j, "bytes") > 0);
  json_decref(j);
  must_pass(whet("inspect %s --check", file));
}

/* --tune: kernels are measured, the file that keeps the choice answers as before. */
static void tuned(void **state) {
  (void)state;
  const char *dir = test_folder(), *file = join(dir, "tuned.whet");
  said s = whet("convert %s -o %s --tune", demo(), file);
  assert_int_equal(s.status, 0);
  assert_non_null(strstr(s.err, "tuned: of "));
  json_t *a = json_of(whet("run %s --input %s --json", demo(), test_source("tools/demo_model/samples/5.pgm")));
  json_t *b = json_of(whet("run %s --input %s --json", file, test_source("tools/demo_model/samples/5.pgm")));
  for (int i = 0; i < 10; i++) {
    char path[64];
    snprintf(path, sizeof path, "outputs.0.values.0.%d", i);
    assert_true(number_at(a, path) > number_at(b, path) - 1e-5 && number_at(a, path) < number_at(b, path) + 1e-5);
  }
  json_decref(a);
  json_decref(b);
  must_fail(whet("convert %s -o %s --tune", demo(), join(dir, "x.onnx")), 2, "--tune is for .whet files");
}

static void damage(void **state) {
  (void)state;
  const char *dir = test_folder(), *file = join(dir, "digits.whet");
  must_pass(whet("convert %s -o %s", demo(), file));
  size_t n;
  char *bytes = read_file(file, &n);
  bytes[64] ^= 1; /* the first block */
  must_fail(whet("inspect %s --check", test_write(dir, "bent.whet", bytes, n)), 1, "byte 64: the block of");
  bytes[64] ^= 1;
  bytes[n - 1] ^= 1;
  must_fail(whet("run %s", test_write(dir, "bent2.whet", bytes, n)), 1, "the index is damaged");
  must_fail(whet("run %s", test_write(dir, "cut.whet", bytes, n / 2)), 1, "its header says");
  free(bytes);
}

static void wrong_use(void **state) {
  (void)state;
  const char *dir = test_folder();
  must_fail(whet("convert %s", demo()), 2, "name the file to write");
  must_fail(whet("convert %s -o %s", demo(), join(dir, "x.bin")), 2, ".onnx, .tflite or .whet");
  must_fail(whet("convert %s -o /nowhere/x.whet", demo()), 1, "/nowhere/x.whet");
  assert_int_equal(entries(dir), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(same_answer), cmocka_unit_test(tuned), cmocka_unit_test(damage),
                                     cmocka_unit_test(wrong_use)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
