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

/* How samples were goes along with the model, also to the other format and through quantising. */
static void remembered(void **state) {
  const char *data = digit_folders(test_folder()), *dir = test_folder();
  const char *one = join(dir, "one.onnx"), *two = join(dir, "two.tflite"), *three = join(dir, "three.tflite");
  must_pass(whet("train --data %s --layers 28x28x1,4:relu,10:softmax --mean 0.5 --std 0.25 --range 0..1 --epochs 1 -o %s",
                 data, one));
  must_pass(whet("convert %s -o %s", one, two));
  must_pass(whet("quantize %s --data %s --eval 0 -o %s", two, data, three));
  const char *all[] = {one, two, three};
  for (size_t i = 0; i < WHET_COUNT(all); i++) {
    size_t n;
    bool there = false;
    char *p = read_file(all[i], &n);
    for (size_t k = 0; p && k + 22 <= n; k++) there |= !memcmp(p + k, "0..1 mean 0.5 std 0.25", 22);
    free(p);
    assert_true(there);
    said s = whet("run %s --input %s", all[i], test_source("tools/demo_model/samples/5.pgm"));
    must_pass(s);
    assert_non_null(strstr(s.out, "0..1, normalised (the model's metadata)"));
  }
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
  s = whet("train --layers 4x4,lstm5,2:softmax --data %s --epochs 1 -o %s", data, out);
  must_pass(s);
  assert_non_null(strstr(s.out, "232 weights")); /* 20 rows for 4 inputs, 5 states and two biases; 2 for 5 states and one */
  s = whet("train --layers 4x4,gru5,2:softmax --optimizer adamw --loss kl --decay 0.01 --data %s --epochs 1 -o %s", data, out);
  must_pass(s);
  assert_non_null(strstr(s.out, "177 weights"));
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

/* Pictures of 8 by 8 in idx files: a bright field in one of two corners. */
static const char *corners(const char *dir) {
  static char pic[16 + 200 * 64], lab[8 + 200];
  memcpy(pic, "\0\0\x08\x03\0\0\0\xc8\0\0\0\x08\0\0\0\x08", 16);
  memcpy(lab, "\0\0\x08\x01\0\0\0\xc8", 8);
  for (int i = 0; i < 200; i++) {
    lab[8 + i] = (char)(i % 2);
    for (int k = 0; k < 64; k++) {
      bool in = i % 2 ? k / 8 < 4 && k % 8 < 4 : k / 8 >= 4 && k % 8 >= 4;
      pic[16 + i * 64 + k] = (char)((in ? 150 : 0) + (i * 37 + k * 11) % 100);
    }
  }
  test_write(dir, "train-images-idx3-ubyte", pic, sizeof pic);
  test_write(dir, "train-labels-idx1-ubyte", lab, sizeof lab);
  return dir;
}

/* A teacher in another layout and of another size; what it says is kept and said again. */
static void taught(void **state) {
  const char *dir = test_folder(), *data = rings(dir), *big = join(dir, "big.onnx"), *one = join(dir, "one.whet"), *two = join(dir, "two.whet");
  const char *kept = join(dir, "kept"), *pics = corners(dir);
  must_pass(whet("train --data %s " NET " --epochs 12 -o %s", data, big));
  json_t *j = json_of(whet("train --data %s " NET " --epochs 8 -o %s --teacher %s --mix 1 --temperature 2 --json", data, one, big));
  assert_true(number_at(j, "epochs.7.accuracy") > 0.95);
  json_decref(j);
  must_pass(whet("train --data %s " NET " --epochs 8 -o %s --teacher %s --mix 1 --temperature 2 --teacher-cache %s", data, two, big, kept));
  same_bytes(one, two);
  must_pass(whet("train --data %s " NET " --epochs 8 -o %s --teacher %s --mix 1 --temperature 2 --teacher-cache %s", data, two, big, kept));
  same_bytes(one, two);
  must_fail(whet("train --data %s " NET " -o %s --teacher %s --teacher-cache %s", data, two, one, kept), 1, "another teacher");
  must_fail(whet("train --data %s " NET " -o %s --teacher %s --teacher-cache %s --noise 1", data, two, big, kept), 1, "without augmentation");
  must_fail(whet("train --data %s " NET " -o %s --mix 0.5", data, two), 2, "--teacher");
  must_fail(whet("train --data %s " NET " -o %s --teacher %s --match Relu_2", data, two, big), 2, "MINE=ITS");
  must_fail(whet("train --data %s " NET " -o %s --teacher %s --match Relu_2=nothing", data, two, big), 1, "\"nothing\"");
  /* Features are compared, and a picture's size, layout and type are the teacher's. */
  must_pass(whet("train --data %s --layers 8x8x1,conv4:relu,mean,2:softmax --rate 0.02 --epochs 8 --batch 10 -o %s", pics, big));
  must_pass(whet("quantize %s --data %s --eval 0 -o %s", big, pics, join(dir, "big.tflite")));
  const char *mid = join(dir, "mid.onnx");
  must_pass(whet("convert %s -o %s", big, mid));
  j = json_of(whet("train --data %s --layers 4x4x1,8:relu,2:softmax --epochs 10 --batch 10 --rate 0.02 -o %s --teacher %s --match Relu_3=Relu_2 "
                   "--match-weight 10 --json", pics, one, mid));
  assert_true(number_at(j, "epochs.9.accuracy") > 0.95);
  json_decref(j);
  j = json_of(whet("train --data %s --layers 64,2:softmax --epochs 10 --batch 10 --rate 0.02 -o %s --teacher %s --mix 1 --json", pics, one,
                   join(dir, "big.tflite")));
  assert_true(number_at(j, "epochs.9.accuracy") > 0.95);
  json_decref(j);
}

/* Rounding that was learnt changes nothing when it is done. */
static void rounded(void **state) {
  const char *dir = test_folder(), *data = rings(dir), *net = join(dir, "net.onnx"), *small = join(dir, "small.onnx");
  json_t *j = json_of(whet("train --data %s " NET " --epochs 12 -o %s --quantization-aware int4 --json", data, net));
  assert_true(number_at(j, "epochs.11.accuracy") > 0.95);
  json_decref(j);
  j = json_of(whet("quantize %s --data %s --scheme weights --weights 4 --eval 500 -o %s --json", net, data, small));
  assert_true(number_at(j, "judged.agreement") == 100);
  json_decref(j);
  must_pass(whet("train --data %s " NET " --epochs 2 -o %s", data, net));
  must_pass(whet("quantize %s --data %s --train 1 --eval 0 -o %s", net, data, small));
  must_fail(whet("quantize %s --data %s --train 1 -o %s", net, data, small), 2, "--eval-split");
}

/* whet shrink --train: fewer channels, learnt again, then integers; the curves; what judges is not what is learnt. */
static void shrunk(void **state) {
  const char *dir = test_folder(), *data = rings(dir), *net = join(dir, "net.onnx"), *out = join(dir, "small.tflite");
  must_pass(whet("train --data %s --layers 2,32:relu,32:relu,2:softmax --rate 0.02 --batch 20 --epochs 15 -o %s", data, net));
  json_t *j = json_of(whet("shrink %s --data %s --split :0..400 --eval-split :400.. --samples 100 --train 10 --train-rate 0.01 "
                           "--keep 50%%,25%% --max-drop 5%% --chart %s -o %s --json", net, data, join(dir, "trade.svg"), out));
  size_t n = json_array_size(at(j, "variants")), cut = 0, chosen = 0;
  for (size_t i = 0; i < n; i++) {
    json_t *v = json_array_get(at(j, "variants"), i);
    const char *name = text_at(v, "name");
    chosen += json_is_true(json_object_get(v, "chosen"));
    if (strcmp(name, "50 % of the multiply-adds") && strcmp(name, "25 %, int8")) continue;
    cut++;
    assert_true(number_at(v, "score") > 90);
    assert_true(number_at(v, "constants_bytes") < number_at(j, "variants.0.constants_bytes"));
  }
  assert_int_equal(cut, 2);
  assert_int_equal(chosen, 1);
  json_decref(j);
  must_pass(whet("inspect %s", out));
  char *chart = read_file(join(dir, "trade.svg"), &n);
  assert_non_null(strstr(chart, "Score against memory"));
  free(chart);
  must_fail(whet("shrink %s --data %s --keep 50%% -o %s", net, data, out), 2, "--train EPOCHS");
  must_fail(whet("shrink %s --data %s --keep 0%% --train 1 -o %s", net, data, out), 2, "between 0 and 100");
  must_fail(whet("shrink %s --data %s --train 1 -o %s", net, data, out), 2, "--eval-split");
}

static void refusals(void **state) {
  const char *dir = test_folder(), *data = rings(dir), *out = join(dir, "x.whet");
  must_fail(whet("train --data %s -o %s", data, out), 2, "--layers");
  must_fail(whet("train " NET " -o %s", out), 2, "--data");
  must_fail(whet("train --data %s --layers 2,16:rulu -o %s", data, out), 2, "16:rulu");
  must_fail(whet("train --data %s --layers 3,2:softmax -o %s", data, out), 1, "takes 3 numbers");
  must_fail(whet("train --data %s --layers 2,3:softmax -o %s", data, out), 1, "2 classes");
  /* Before anything is learnt. */
  must_fail(whet("train --data %s " NET " -o %s", data, join(dir, "nowhere/x.onnx")), 1, "nowhere/x.onnx: No such file");
  const char *digits = digit_folders(test_folder());
  must_fail(whet("train --data %s --layers 28x28x1,lstm4,10:softmax -o %s", digits, join(dir, "x.tflite")), 1, "(LSTM)");
  must_fail(whet("train --data %s --layers 28x28x1,10:softmax --mean 1,2 -o %s", digits, out), 1, "mean has 2 numbers, the input 1 channel");
  must_pass(whet("train --data %s --layers 28x28x1,lstm4,10:softmax --epochs 1 --batch 5 -o %s", digits, join(dir, "x.onnx")));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(learns), cmocka_unit_test(remembered), cmocka_unit_test(recipes), cmocka_unit_test(interrupted),
                                     cmocka_unit_test(taught), cmocka_unit_test(rounded), cmocka_unit_test(shrunk), cmocka_unit_test(refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
