/* SPDX-License-Identifier: Apache-2.0 */
/* whet train: a net that learns, the same bytes with any number of threads and after kills, recipes, refusals. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* Two rings, one in the other: no line parts them. */
static const char *rings(const char *dir) {
  static char text[40000];
  size_t n = 0;
  for (int i = 0; i < 600; i++) {
    double angle = i * 2.39996, r = i % 2 ? 2 + 0.3 * sin(i * 1.7) : 0.7 + 0.3 * sin(i * 2.3);
    n += (size_t)snprintf(text + n, sizeof text - n, "%.4f,%.4f,%s\n", r * cos(angle), r * sin(angle), i % 2 ? "out" : "in");
  }
  return test_write(dir, "rings.csv", text, n);
}

static void same_bytes(const char *a, const char *b) {
  size_t na, nb;
  char *pa = read_file(a, &na), *pb = read_file(b, &nb);
  assert_true(pa && pb && na == nb && !memcmp(pa, pb, na));
  free(pa);
  free(pb);
}

#define NET "--layers 2,16:relu,2:softmax --rate 0.02 --batch 20"

static void learns(void **state) {
  const char *dir = test_folder(), *data = rings(dir), *one = join(dir, "one.whet"), *two = join(dir, "two.whet");
  json_t *j = json_of(whet("train --data %s " NET " --epochs 12 --threads 1 -o %s --json --log %s --chart %s", data, one, join(dir, "log.csv"),
                           join(dir, "chart.svg")));
  assert_true(number_at(j, "epochs.11.accuracy") > 0.97);
  assert_true(number_at(j, "weights") == 2 * 16 + 16 + 16 * 2 + 2);
  json_decref(j);
  must_pass(whet("train --data %s " NET " --epochs 12 --threads 2 -o %s", data, two));
  same_bytes(one, two);
  size_t n;
  char *log = read_file(join(dir, "log.csv"), &n), *chart = read_file(join(dir, "chart.svg"), &n);
  int lines = 0;
  for (char *p = log; *p; p++) lines += *p == '\n';
  assert_int_equal(lines, 13);
  assert_non_null(strstr(chart, "</svg>"));
  free(log);
  free(chart);
  /* From the model on, its last layer only. */
  j = json_of(whet("train --data %s --model %s --last 1 --epochs 1 -o %s --json", data, one, two));
  assert_true(number_at(j, "weights") == 16 * 2 + 2 && number_at(j, "epochs.0.accuracy") > 0.95);
  json_decref(j);
}

/* Every optimiser and loss, recurrent and convolutional layers, norms and blocks, by a recipe. */
static void recipes(void **state) {
  static const char recipe[] =
      "optimizer: sgd\nnesterov: true\nschedule: cosine\nwarmup: 1\nrate: 0.05\nepochs: 2\nbatch: 10\nsmoothing: 0.1\ninput: [4, 4, 1]\n"
      "augment: {shift: 1, flip: true, mixup: 0.2, noise: 0.01}\n"
      "layers:\n  - {conv: 4, norm: true, activation: relu}\n  - residual:\n      - {depthwise: 3, norm: true, activation: relu6}\n"
      "      - {conv: 6, stride: 2}\n  - {max_pool: 2, stride: 1}\n  - {mean_pool: 0}\n  - {layer_norm: true}\n"
      "  - {dense: 2, activation: softmax}\n";
  static char text[20000];
  size_t n = 0;
  const char *dir = test_folder();
  for (int i = 0; i < 40; i++) {
    for (int k = 0; k < 16; k++) n += (size_t)snprintf(text + n, sizeof text - n, "%.3f,", sin(i * 3.1 + k * (i % 2 ? 1.0 : 2.0)));
    n += (size_t)snprintf(text + n, sizeof text - n, "%d\n", i % 2);
  }
  const char *data = test_write(dir, "data.csv", text, n), *file = test_write(dir, "net.yaml", recipe, sizeof recipe - 1);
  const char *out = join(dir, "net.whet");
  said s = whet("train %s --data %s -o %s", file, data, out);
  if (s.status && strstr(s.err, "libyaml")) skip();
  must_pass(s);
  must_pass(whet("train --layers 4x4,lstm5,2:softmax --data %s --epochs 1 -o %s", data, out));
  must_pass(whet("train --layers 4x4,gru5,2:softmax --optimizer adamw --loss kl --decay 0.01 --data %s --epochs 1 -o %s", data, out));
  file = test_write(dir, "bad.yaml", "epochs: 2\nlayer:\n  - {dense: 2}\n", 32);
  must_fail(whet("train %s --data %s -o %s", file, data, out), 1, "bad.yaml:2");
}

static void interrupted(void **state) {
  const char *dir = test_folder(), *data = rings(dir), *whole = join(dir, "whole.whet"), *again = join(dir, "again.whet");
  const char *ckpt = join(dir, "state");
  must_pass(whet("train --data %s " NET " --epochs 6 -o %s --checkpoint %s --checkpoint-steps 7", data, whole, ckpt));
  must_pass(whet("train --data %s " NET " --epochs 6 -o %s --checkpoint %s", data, again, ckpt)); /* nothing is left to do */
  same_bytes(whole, again);
  must_fail(whet("train --data %s " NET " --epochs 7 -o %s --checkpoint %s", data, again, ckpt), 1, "checkpoint of another model");
  must_pass(whet("train --data %s " NET " --epochs 6 -o %s --checkpoint %s --restart", data, again, ckpt));
  same_bytes(whole, again);
  size_t n;
  char *p = read_file(ckpt, &n);
  p[n - 5] ^= 1;
  test_write(dir, "state", p, n);
  free(p);
  must_fail(whet("train --data %s " NET " --epochs 6 -o %s --checkpoint %s", data, again, ckpt), 1, "damaged");
}

static void refusals(void **state) {
  const char *dir = test_folder(), *data = rings(dir), *out = join(dir, "x.whet");
  must_fail(whet("train --data %s -o %s", data, out), 2, "--layers");
  must_fail(whet("train " NET " -o %s", out), 2, "--data");
  must_fail(whet("train --data %s --layers 2,16:rulu -o %s", data, out), 2, "16:rulu");
  must_fail(whet("train --data %s --layers 3,2:softmax -o %s", data, out), 1, "takes 3 numbers");
  must_fail(whet("train --data %s --layers 2,3:softmax -o %s", data, out), 1, "2 classes");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(learns), cmocka_unit_test(recipes), cmocka_unit_test(interrupted), cmocka_unit_test(refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
