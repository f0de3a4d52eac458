/* SPDX-License-Identifier: Apache-2.0 */
/* Bad input of every kind: one clear line, exit status 1, and nothing left behind. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const char *g_dir, *g_out; /* a folder for files, and one that outputs would go to */
static const int64_t k_shape[] = {1, 3, 4, 4};

/* A run that must fail, and write nothing. */
#define FAILS(says, ...)                   \
  do {                                     \
    must_fail(whet(__VA_ARGS__), 1, says); \
    assert_int_equal(entries(g_out), -1);  \
  } while (0)

static int prepare(void **state) {
  (void)state;
  g_dir = test_folder();
  g_out = join(g_dir, "out");
  return 0;
}

static void files(void **state) {
  (void)state;
  const char *text = test_write(g_dir, "text.txt", "this is no model\n", 17);
  const char *verbs[] = {"run", "inspect", "bench"};
  for (int i = 0; i < 3; i++) {
    must_fail(whet("%s %s/nothing.onnx", verbs[i], g_dir), 1, "nothing.onnx: No such file");
    must_fail(whet("%s %s", verbs[i], g_dir), 1, "a folder, not a file");
    must_fail(whet("%s %s", verbs[i], text), 1, "text.txt");
  }
  FAILS("text.txt", "run %s --output %s --fill zeros", text, g_out);
}

/* Every prefix of both formats. */
static void truncated(void **state) {
  (void)state;
  const int32_t dims[] = {1, 4, 4, 3};
  for (int k = 0; k < 2; k++) {
    buf m = k ? quant_model(9, 1, 0, 4, dims) : relu_model(4, k_shape);
    for (size_t n = 0; n < m.n; n += 7) {
      const char *path = test_write(g_dir, "cut.model", m.p, n);
      said s = whet("run %s --fill zeros --output %s", path, g_out);
      if (!s.status) { /* an ONNX file may end after its graph */
        remove(join(g_out, "output_0.npy"));
        remove(g_out);
        continue;
      }
      must_fail(s, 1, "cut.model");
      assert_int_equal(entries(g_out), -1);
    }
    buf_free(&m);
  }
}

static void unknown_operators(void **state) {
  (void)state;
  buf g = {0};
  ox_add_node(&g, ox_node_in(NULL, "Frobnicate", "first", "x", "a", NULL));
  ox_add_node(&g, ox_node_in(NULL, "Relu", "second", "a", "b", NULL));
  ox_add_node(&g, ox_node_in("com.example", "Mangle", "third", "b", "c", NULL));
  ox_add_node(&g, ox_node_in(NULL, "Frobnicate", "fourth", "c", "y", NULL));
  ox_add_in(&g, ox_info("x", 1, 4, k_shape, NULL));
  ox_add_out(&g, ox_info("y", 1, 4, k_shape, NULL));
  buf m = ox_model(g, 8, 17), set = {0};
  pb_str(&set, 1, "com.example");
  pb_int(&set, 2, 1);
  pb_msg(&m, 8, &set);
  const char *path = write_model(g_dir, "unknown.onnx", m);
  FAILS("Frobnicate", "run %s --fill zeros --output %s", path, g_out);
  must_fail(whet("run %s --fill zeros", path), 1, "Mangle");
  json_t *j = json_of(whet("inspect %s --json", path));
  assert_true(json_is_false(at(j, "runs")));
  assert_int_equal(json_array_size(at(j, "cannot_run")), 3);
  assert_string_equal(text_at(j, "cannot_run.0.node"), "first");
  assert_string_equal(text_at(j, "cannot_run.1.node"), "third");
  assert_string_equal(text_at(j, "cannot_run.2.node"), "fourth");
  json_decref(j);
  said s = whet("inspect %s", path);
  must_pass(s);
  assert_non_null(strstr(s.out, "cannot run"));
}

static void inputs(void **state) {
  (void)state;
  const char *model = write_model(g_dir, "relu.onnx", relu_model(4, k_shape));
  float x[48] = {0};
  double d[48] = {0};
  const char *good = write_npy(g_dir, "good.npy", "<f4", "(1, 3, 4, 4)", x, sizeof x);
  const char *shape = write_npy(g_dir, "shape.npy", "<f4", "(1, 3, 4, 3)", x, 144);
  const char *rank = write_npy(g_dir, "rank.npy", "<f4", "(48,)", x, sizeof x);
  const char *type = write_npy(g_dir, "type.npy", "<f8", "(1, 3, 4, 4)", d, sizeof d);
  const char *cut = write_npy(g_dir, "cut.npy", "<f4", "(1, 3, 4, 4)", x, 100);
  const char *object = write_npy(g_dir, "object.npy", "|O", "(1,)", x, 8);
  const char *no_npy = test_write(g_dir, "no.npy", "hello", 5);
  const char *raw = test_write(g_dir, "x.raw", x, 100);
  FAILS("x float32 [1, 3, 4, 4]", "run %s --output %s", model, g_out);
  FAILS("there is no input \"z\"; the model has x float32", "run %s --input z=%s --output %s", model, good, g_out);
  FAILS("one file too many", "run %s -i %s -i %s --output %s", model, good, good, g_out);
  FAILS("given twice", "run %s -i x=%s -i x=%s --output %s", model, good, good, g_out);
  FAILS("nothing.npy: No such file", "run %s -i %s/nothing.npy --output %s", model, g_dir, g_out);
  FAILS("shape.npy", "run %s -i %s --output %s", model, shape, g_out);
  FAILS("rank.npy", "run %s -i %s --output %s", model, rank, g_out);
  FAILS("float64, but \"x\" is float32", "run %s -i %s --output %s", model, type, g_out);
  FAILS("ends early", "run %s -i %s --output %s", model, cut, g_out);
  FAILS("Python objects", "run %s -i %s --output %s", model, object, g_out);
  FAILS("no .npy file", "run %s -i %s --output %s", model, no_npy, g_out);
  FAILS("100 bytes", "run %s -i %s --output %s", model, raw, g_out);
  FAILS("\"z\"", "run %s --shape z:1x2 --fill zeros --output %s", model, g_out);
  must_fail(whet("run %s --shape x:1xbx2 --fill zeros", model), 2, "expected INPUT:DIMS");
  FAILS("3 numbers", "run %s -i 1,2,3 --output %s", model, g_out);
}

static void pictures(void **state) {
  (void)state;
  static const int64_t flat[] = {1, 7};
  const char *model = write_model(g_dir, "relu.onnx", relu_model(4, k_shape)),
             *row = write_model(g_dir, "row.onnx", relu_model(2, flat));
  const char *text = test_write(g_dir, "text.png", "this is no picture", 18);
  const char *jpeg = test_write(g_dir, "cut.jpg", "\xff\xd8\xff\xe0\0\x10JFIF", 10);
  const char *bmp = test_write(g_dir, "cut.bmp", "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\4\0\0\0\4\0\0\0", 26);
  const char *gif = test_write(g_dir, "a.gif", "GIF89a....", 10);
  const char *good = test_write(g_dir, "good.ppm", "P6 1 1 255 abc", 14);
  const char *wav = test_write(g_dir, "cut.wav", "RIFF\0\0\0\0WAVEfmt ", 16);
  FAILS("no picture", "run %s -i %s --output %s", model, text, g_out);
  FAILS("cut.jpg", "run %s -i %s --output %s", model, jpeg, g_out);
  FAILS("cut.bmp", "run %s -i %s --output %s", model, bmp, g_out);
  FAILS("GIF", "run %s -i %s --output %s", model, gif, g_out);
  FAILS("cut.wav", "run %s -i %s --output %s", model, wav, g_out);
  FAILS("holds no picture", "run %s -i %s --output %s", row, good, g_out);
  FAILS("gray has 1", "run %s -i %s --color gray --output %s", model, good, g_out);
  FAILS("--mean has 2 numbers", "run %s -i %s --mean 1,2 --output %s", model, good, g_out);
}

static void external_data(void **state) {
  (void)state;
  buf g = {0}, t = {0}, e = {0};
  pb_int(&t, 1, 48);
  pb_int(&t, 2, 1);
  pb_str(&t, 8, "w");
  pb_str(&e, 1, "location");
  pb_str(&e, 2, "weights.bin");
  pb_msg(&t, 13, &e);
  pb_int(&t, 14, 1);
  ox_add_init(&g, t);
  static const int64_t dims[] = {48};
  ox_add_node(&g, ox_node("Add", "x,w", "y", NULL));
  ox_add_in(&g, ox_info("x", 1, 1, dims, NULL));
  ox_add_out(&g, ox_info("y", 1, 1, dims, NULL));
  const char *model = write_model(g_dir, "external.onnx", ox_model(g, 8, 17));
  FAILS("weights.bin", "run %s --fill zeros --output %s", model, g_out);
  test_write(g_dir, "weights.bin", "short", 5);
  FAILS("weights.bin", "run %s --fill zeros --output %s", model, g_out);
}

static void limits(void **state) {
  (void)state;
  static const int64_t large[] = {1, 512, 64, 64};
  const char *model = write_model(g_dir, "large.onnx", relu_model(4, large));
  FAILS("memory limit of 1024 bytes", "run %s --fill zeros --memory-limit 1K --output %s", model, g_out);
  FAILS("memory limit of 1048576 bytes", "run %s --fill zeros --memory-limit 1M --output %s", model, g_out);
  must_fail(whet("bench %s --memory-limit 1M --min-time 0.01", model), 1, "memory limit");
}

/* Outputs that cannot be written leave nothing. */
static void unwritable(void **state) {
  (void)state;
  const char *model = write_model(g_dir, "relu.onnx", relu_model(4, k_shape));
  const char *file = test_write(g_dir, "file", "x", 1);
  must_fail(whet("run %s --fill zeros --output %s/sub/dir", model, g_dir), 1, "sub/dir");
  must_fail(whet("run %s --fill zeros --output %s", model, file), 1, "file");
  must_fail(whet("inspect %s --html %s/none/a.html", model, g_dir), 1, "none/a.html");
  must_fail(whet("bench %s --min-time 0.01 --trace %s/none/a.json", model, g_dir), 1, "none/a.json");
  size_t n;
  char *kept = read_file(file, &n);
  assert_true(n == 1 && kept[0] == 'x');
  free(kept);
  const char *labels = test_write(g_dir, "labels.txt", "a\nb\n", 4);
  FAILS("2 labels", "run %s --fill zeros --labels %s --output %s", model, labels, g_out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(files),  cmocka_unit_test(truncated), cmocka_unit_test(unknown_operators),
      cmocka_unit_test(inputs), cmocka_unit_test(pictures),  cmocka_unit_test(external_data),
      cmocka_unit_test(limits), cmocka_unit_test(unwritable)};
  return cmocka_run_group_tests(tests, prepare, NULL);
}
