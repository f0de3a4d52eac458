/* SPDX-License-Identifier: Apache-2.0 */
/* whet eval: figures, models side by side, anomalies, detectors, refusals. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const char *demo(void) { return test_source("tools/demo_model/digits.tflite"); }

/* A float model and its quantised self: figures add up, the page holds both. */
static void classes(void **state) {
  const char *dir = test_folder(), *work = test_folder(), *small = join(work, "small.whet"), *page = join(work, "page.html");
  digit_folders(dir);
  must_pass(whet("quantize %s --data %s --samples 6 --eval 0 -o %s", demo(), dir, small));
  json_t *j = json_of(whet("eval %s %s --data %s --html %s --json", demo(), small, dir, page));
  assert_int_equal(number_at(j, "items"), 10);
  assert_string_equal(text_at(j, "metric"), "top1");
  assert_true(number_at(j, "models.0.top1") == 1 && number_at(j, "models.0.top5") == 1);
  assert_true(number_at(j, "models.0.top1_95.0") > 0.7 && number_at(j, "models.0.top1_95.1") > 0.999);
  for (int i = 0; i < 10; i++)
    for (int k = 0; k < 10; k++) {
      char path[60];
      snprintf(path, sizeof path, "models.0.confusion.%d.%d", i, k);
      assert_int_equal(number_at(j, path), i == k);
    }
  assert_string_equal(text_at(j, "models.0.classes.7.class"), "7");
  assert_true(number_at(j, "models.0.classes.7.f1") == 1);
  double same = number_at(j, "pairs.0.agreement"), only = number_at(j, "pairs.0.only_first");
  assert_true(fabs(same + only / 10 - 1) < 1e-9 && number_at(j, "models.1.top1") == 1 - only / 10);
  json_decref(j);
  size_t n;
  char *html = read_file(page, &n);
  assert_non_null(strstr(html, "small.whet"));
  assert_non_null(strstr(html, "</html>"));
  for (char *p = html; (p = strstr(p, "http")); p++) assert_int_equal(strncmp(p, "http://www.w3.org/", 18), 0); /* nothing from elsewhere */
  free(html);
  said s = whet("eval %s --data %s --limit 3", demo(), dir);
  must_pass(s);
  assert_non_null(strstr(s.out, "3 items"));
  j = json_of(whet("eval %s --data %s --metric auc --json", demo(), dir));
  assert_true(number_at(j, "models.0.value") == 1);
  json_decref(j);
}

/* The demonstration's ten digits as idx files. */
static const char *idx(const char *dir) {
  enum { HEAD = 13, ITEM = 28 * 28 };
  static uint8_t images[16 + 10 * ITEM] = {0, 0, 8, 3, 0, 0, 0, 10, 0, 0, 0, 28, 0, 0, 0, 28},
                 labels[] = {0, 0, 8, 1, 0, 0, 0, 10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (int d = 0; d < 10; d++) {
    char name[40];
    size_t n;
    snprintf(name, sizeof name, "tools/demo_model/samples/%d.pgm", d);
    char *p = read_file(test_source(name), &n);
    assert_true(p && n == HEAD + ITEM);
    memcpy(images + 16 + d * ITEM, p + HEAD, ITEM);
    free(p);
  }
  test_write(dir, "t10k-images-idx3-ubyte", images, sizeof images);
  test_write(dir, "t10k-labels-idx1-ubyte", labels, sizeof labels);
  return dir;
}

/* A model says what samples it takes; of one that does not, and of which another range makes much more, a line says so. */
static void ranges(void **state) {
  const char *dir = idx(test_folder());
  size_t n;
  said s = whet("eval %s --data %s", demo(), dir);
  must_pass(s);
  assert_string_equal(s.err, "");
  assert_non_null(strstr(s.out, "100.00"));
  char *p = read_file(test_source("tools/demo_model/digits.onnx"), &n), *note = NULL;
  for (size_t i = 0; p && i + 12 < n; i++)
    if (!memcmp(p + i, "whet.samples", 12)) note = p + i;
  assert_non_null(note);
  memcpy(note, "other.things", 12);
  const char *silent = test_write(dir, "silent.onnx", p, n);
  free(p);
  s = whet("eval %s --data %s", silent, dir);
  assert_int_equal(s.status, 0);
  assert_non_null(strstr(s.err, "go in as 0..1"));
  assert_non_null(strstr(s.err, "--range 0..255"));
  s = whet("eval %s --data %s --range 0..255", silent, dir);
  must_pass(s);
  assert_string_equal(s.err, "");
  assert_non_null(strstr(s.out, "100.00"));
}

/* In bf16, where the CPU has such products; else the refusal says why. */
static void lower_precision(void **state) {
  const char *dir = digit_folders(test_folder());
  json_t *j = json_of(whet("eval %s --data %s --json", demo(), dir));
  assert_string_equal(text_at(j, "precision"), "f32");
  json_decref(j);
  said s = whet("eval %s --data %s --precision bf16 --json", demo(), dir);
  if (s.status) {
    must_fail(s, 1, "has no bf16 dot products");
    return;
  }
  j = json_of(s);
  assert_string_equal(text_at(j, "precision"), "bf16");
  assert_true(number_at(j, "models.0.top1") == 1);
  json_decref(j);
  s = whet("eval %s --data %s --precision bf16", demo(), dir);
  must_pass(s);
  assert_non_null(strstr(s.out, "10 items (pictures), products in bf16"));
  must_fail(whet("eval %s --data %s --precision f16", demo(), dir), 2, "--precision");
}

/* x -> relu(x) tells positive numbers again and loses negative ones: an autoencoder whose errors are known. An item is two inputs. */
static void anomalies(void **state) {
  static const int64_t dims[] = {1, 4};
  const char *dir = test_folder(), *model = write_model(test_folder(), "relu.onnx", relu_model(2, dims));
  float x[4][2][4];
  int64_t y[4] = {0, 1, 0, 1};
  for (int i = 0; i < 4; i++)
    for (int k = 0; k < 8; k++) x[i][k / 4][k % 4] = i % 2 && k % 4 == 0 ? (float)-i - (float)(k / 4) : 1;
  write_npy(dir, "x.npy", "<f4", "(4, 2, 4)", x, sizeof x);
  write_npy(dir, "y.npy", "<i8", "(4,)", y, sizeof y);
  json_t *j = json_of(whet("eval %s --data %s --metric auc --json", model, dir));
  assert_true(number_at(j, "models.0.auc") == 1);
  assert_true(fabs(number_at(j, "models.0.threshold") - (1 + 4) / 8.0) < 1e-6);
  assert_true(fabs(number_at(j, "models.0.mse") - (1 + 4 + 9 + 16) / 8.0 / 4) < 1e-6);
  json_decref(j);
  j = json_of(whet("eval %s --data %s --metric auc --positive 0 --json", model, dir));
  assert_true(number_at(j, "models.0.auc") == 0);
  json_decref(j);
  must_fail(whet("eval %s --data %s --metric auc --positive odd", model, dir), 1, "no such class");
}

/* A "detector" that tells one box whatever it sees: 2,2 to 6,6 of 8 by 8. */
static buf one_box(void) {
  static const int64_t in[] = {1, 1, 8, 8}, out[] = {1, 1, 6};
  static const float box[] = {2, 2, 6, 6, 0.9f, 3}, zero[] = {0};
  static const int64_t one = 1;
  buf g = {0};
  const ox_attr a[] = {{.name = "keepdims", .type = 2, .i = 0}, {0}};
  ox_add_init(&g, ox_tensor("box", 1, 3, out, box, sizeof box));
  ox_add_init(&g, ox_tensor("zero", 1, 1, &one, zero, sizeof zero));
  ox_add_node(&g, ox_node("ReduceMean", "x", "m", a));
  ox_add_node(&g, ox_node("Mul", "m,zero", "n", NULL));
  ox_add_node(&g, ox_node("Add", "box,n", "y", NULL));
  ox_add_in(&g, ox_info("x", 1, 4, in, NULL));
  ox_add_out(&g, ox_info("y", 1, 3, out, NULL));
  return ox_model(g, 8, 13);
}

static void detectors(void **state) {
  const char *dir = test_folder(), *model = write_model(test_folder(), "box.onnx", one_box());
  char big[13 + 256];
  memset(big, 9, sizeof big);
  memcpy(big, "P5 16 16 255\n", 13);
  test_write(dir, "a.pgm", big, sizeof big);
  test_write(dir, "b.pgm", big, sizeof big);
#define TRUTH(text) test_write(dir, "annotations.csv", text, sizeof text - 1)
  TRUTH("file,x0,y0,x1,y1,class\na.pgm,4,4,12,12,3\nb.pgm,4,4,12,12,3\n");
  json_t *j = json_of(whet("eval %s --data %s --detector boxes --json", model, dir));
  assert_true(number_at(j, "models.0.map") == 1 && number_at(j, "items") == 2);
  json_decref(j);
  TRUTH("a.pgm,4,4,12,10,3\r\nb.pgm\r\n"); /* overlap 0.75; the other picture is empty */
  j = json_of(whet("eval %s --data %s --detector boxes --labels a,b,c,cat --json", model, dir));
  assert_true(fabs(number_at(j, "models.0.map50") - 1) < 1e-9 && fabs(number_at(j, "models.0.map") - 0.6) < 0.01);
  assert_string_equal(text_at(j, "models.0.classes.3.class"), "cat");
  json_decref(j);
  TRUTH("a.pgm,4,4,12,12,dog\n");
  must_fail(whet("eval %s --data %s --detector boxes", model, dir), 1, "annotations.csv:1");
  TRUTH("a.pgm,4,4,12\n");
  must_fail(whet("eval %s --data %s --detector boxes", model, dir), 1, "4 cells");
  TRUTH("a.pgm,4,4,4,12,1\n");
  must_fail(whet("eval %s --data %s --detector boxes", model, dir), 1, "empty");
  TRUTH("../a.pgm,4,4,12,12,1\n");
  must_fail(whet("eval %s --data %s --detector boxes", model, dir), 1, "a.pgm");
  TRUTH("a.pgm,4,4,12,12,3\n");
  must_fail(whet("eval %s --data %s --detector yolo", model, dir), 1, "box.onnx");
}

static void wrong_use(void **state) {
  const char *dir = digit_folders(test_folder());
  must_fail(whet("eval --data %s", dir), 2, "name a model");
  must_fail(whet("eval %s", demo()), 2, "--data");
  must_fail(whet("eval %s --data %s --metric map", demo(), dir), 1, "--detector");
  must_fail(whet("eval %s --data %s --metric mse", demo(), dir), 1, "mse");
  must_fail(whet("eval %s --data %s --detector anchors", demo(), dir), 2, "--anchors");
  must_fail(whet("eval %s --data %s", demo(), join(dir, "none")), 1, "none");
}

/* Counts that other engines have, too: see data/accuracy.json of the shared folder. State of the recurrent net is reset for each digit. */
static void references(void **state) {
  const char *model = test_shared("models/mnist_lstm_int8.tflite"), *cnn = test_shared("models/mnist_pytorch.onnx");
  const char *data = test_shared("data/mnist");
  if (!model || !cnn || !data) {
    print_message("# the shared folder is not there: reference accuracies were not compared\n");
    skip();
  }
  json_t *j = json_of(whet("eval %s %s --data %s --limit 1000 --json", model, cnn, data));
  assert_true(fabs(number_at(j, "models.0.top1") - 0.977) <= 0.0021);
  assert_true(number_at(j, "models.1.top1") == 0.908);
  json_decref(j);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(classes),         cmocka_unit_test(anomalies), cmocka_unit_test(detectors),
                                     cmocka_unit_test(lower_precision), cmocka_unit_test(ranges),    cmocka_unit_test(wrong_use),
                                     cmocka_unit_test(references)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
