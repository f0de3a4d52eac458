/* SPDX-License-Identifier: Apache-2.0 */
/* whet eval: figures of models whose answers are known, side by side, anomalies, boxes, refusals. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* Points on a line, the class by the side of 0; a few on the wrong one. */
static const char *sides(const char *dir) {
  static char text[20000];
  size_t n = 0;
  for (int i = 0; i < 400; i++) {
    double x = (i % 2 ? 1 : -1) * (0.5 + 0.01 * (i / 4));
    n += (size_t)snprintf(text + n, sizeof text - n, "%.3f,%.3f,%s\n", i % 20 == 7 ? -x : x, 0.1,
                          i % 2 ? "right" : "left");
  }
  return test_write(dir, "sides.csv", text, n);
}

static void classes(void **state) {
  const char *dir = test_folder(), *data = sides(dir), *one = join(dir, "one.onnx"), *two = join(dir, "two.tflite"),
             *page = join(dir, "page.html");
  must_pass(whet("train --data %s --layers 2,2:softmax --epochs 20 --rate 0.1 -o %s", data, one));
  must_pass(whet("train --data %s --layers 2,4:relu,2:softmax --epochs 20 --rate 0.1 -o %s --seed 2", data, two));
  json_t *j = json_of(whet("eval %s %s --data %s --json --html %s", one, two, data, page));
  assert_true(fabs(number_at(j, "models.0.top1") - 0.95) < 1e-9); /* 20 of 400 lie on the wrong side */
  assert_true(number_at(j, "items") == 400 && number_at(j, "agreement.0.0") == 1 &&
              number_at(j, "agreement.0.1") > 0.9);
  assert_true(number_at(j, "models.0.classes.0.items") == 200 && number_at(j, "models.0.classes.0.right") == 200);
  assert_true(number_at(j, "models.0.confusion.1.0") == 20 && number_at(j, "models.0.confusion.0.1") == 0);
  assert_true(number_at(j, "models.0.auc") > 0.8 && number_at(j, "models.0.auc") < 1);
  assert_true(fabs(number_at(j, "models.0.classes.1.recall") - 0.9) < 1e-9);
  json_decref(j);
  size_t n;
  char *p = read_file(page, &n);
  assert_true(strstr(p, "Confusion") && strstr(p, "</svg>") && strstr(p, "one.onnx"));
  free(p);
  said s = whet("eval %s --data %s --confusion --split :0..100", one, data);
  must_pass(s);
  assert_non_null(strstr(s.out, "100 items"));
}

/* n rows of three floats as .npy. */
static void write_rows(const char *dir, const char *name, const float *v, int n) {
  static char text[128 + 12 * 400];
  char head[100];
  snprintf(head, sizeof head, "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 3), }", n);
  memcpy(text, "\x93NUMPY\x01\x00\x76\x00", 10);
  memset(text + 10, ' ', 118);
  memcpy(text + 10, head, strlen(head));
  text[127] = '\n';
  memcpy(text + 128, v, (size_t)n * 12);
  test_write(dir, name, text, 128 + (size_t)n * 12);
}

/* A net through two numbers learns the plane z = x + y; points off it come back badly. */
static void anomalies(void **state) {
  static float plane[400][3];
  static char text[20000];
  const char *dir = test_folder(), *model = join(dir, "auto.onnx");
  size_t n = 0;
  for (int i = 0; i < 400; i++) {
    double x = sin(i * 1.3), y = cos(i * 0.7);
    plane[i][0] = (float)x, plane[i][1] = (float)y, plane[i][2] = (float)(x + y);
    n += (size_t)snprintf(text + n, sizeof text - n, "%.4f,%.4f,%.4f,%s\n", x, y, x + y + (i % 4 ? 0 : 1.5),
                          i % 4 ? "fine" : "broken");
  }
  write_rows(dir, "x.npy", plane[0], 400);
  write_rows(dir, "y.npy", plane[0], 400);
  must_pass(whet("train --data %s --layers 3,2,3 --epochs 60 --rate 0.02 -o %s", dir, model));
  const char *data = test_write(test_folder(), "machine.csv", text, n);
  json_t *j = json_of(whet("eval %s --data %s --metric auc --positive broken --json", model, data));
  assert_true(number_at(j, "models.0.anomaly_auc") > 0.99 && number_at(j, "models.0.anomaly_threshold") > 0);
  json_decref(j);
  j = json_of(whet("eval %s --data %s --metric auc --positive fine --json", model, data));
  assert_true(number_at(j, "models.0.anomaly_auc") < 0.01);
  json_decref(j);
  j = json_of(whet("eval %s --data %s --json", model, dir)); /* numbers */
  assert_true(number_at(j, "models.0.r2") > 0.98 && number_at(j, "models.0.loss") < 0.02);
  json_decref(j);
}

static void boxes(void **state) {
  const char *dir = test_folder();
  test_write(dir, "boxes.csv", "picture,class,x0,y0,x1,y1\na.pgm,0,1,1,3\n", 43);
  must_fail(whet("eval nothing.onnx --data %s --metric map --detector yolo", dir), 1, "boxes.csv:2");
  test_write(dir, "boxes.csv", "a.pgm,0,3,1,3,2\n", 16);
  must_fail(whet("eval nothing.onnx --data %s --metric map --detector yolo", dir), 1, "without an area");
  test_write(dir, "boxes.csv", "a.pgm,0,1,1,3,2\n", 16);
  must_fail(whet("eval nothing.onnx --data %s --metric map", dir), 1, "--detector");
}

static void refusals(void **state) {
  const char *dir = test_folder(), *data = sides(dir), *model = join(dir, "m.onnx");
  must_fail(whet("eval --data %s", data), 2, "name a model");
  must_fail(whet("eval x.onnx"), 2, "--data");
  must_fail(whet("eval %s --data %s", join(dir, "none.onnx"), data), 1, "none.onnx");
  must_pass(whet("train --data %s --layers 2,2:softmax --epochs 1 -o %s", data, model));
  must_fail(whet("eval %s --data %s --metric mse", model, data), 1, "no mse");
  must_fail(whet("eval %s --data %s --split :9..5", model, data), 1, "FROM..TO");
  must_fail(whet("eval %s --data %s --split :900..", model, data), 1, "400");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(classes), cmocka_unit_test(anomalies), cmocka_unit_test(boxes),
                                     cmocka_unit_test(refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
