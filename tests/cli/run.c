/* SPDX-License-Identifier: Apache-2.0 */
/* whet run: what files become, and how answers look. Models are the identity, so that outputs show the inputs. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const char *g_dir;
/* A picture of 3 x 2 pixels: red, green, blue; grey 10, white, black. */
static const uint8_t k_pixels[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 10, 10, 255, 255, 255, 0, 0, 0};
static const char *g_ppm;

static int prepare(void **state) {
  (void)state;
  g_dir = test_folder();
  char file[64] = "P6 3 2 255\n";
  memcpy(file + 11, k_pixels, 18);
  g_ppm = test_write(g_dir, "p.ppm", file, 29);
  return 0;
}

/* The flat numbers of output 0 of a JSON answer. */
static size_t flat(json_t *v, double *out, size_t n) {
  if (!json_is_array(v)) return out[n] = json_number_value(v), n + 1;
  for (size_t i = 0; i < json_array_size(v); i++) n = flat(json_array_get(v, i), out, n);
  return n;
}

/* Output 0 of the command must be these numbers. */
static void expect(said s, const double *want, size_t n, double off) {
  double got[256];
  json_t *j = json_of(s);
  size_t have = flat(at(j, "outputs.0.values"), got, 0);
  if (have != n) fail_msg("%zu numbers, not %zu: %s", have, n, s.out);
  for (size_t i = 0; i < n; i++)
    if (!(fabs(got[i] - want[i]) <= off)) fail_msg("number %zu is %g, not %g", i, got[i], want[i]);
  json_decref(j);
}

static void pictures(void **state) {
  (void)state;
  static const int64_t chw[] = {1, 3, 2, 3}, hwc[] = {1, 2, 3, 3}, grey[] = {1, 1, 2, 3}, row[] = {1, 4},
                       any[] = {1, 3, -1, -1};
  double want[18];
  const char *nchw = write_model(g_dir, "chw.onnx", identity_model(1, 4, chw));
  for (int i = 0; i < 18; i++) want[i] = k_pixels[i % 6 * 3 + i / 6];
  expect(whet("run %s -i %s --json", nchw, g_ppm), want, 18, 0);
  for (int i = 0; i < 18; i++) want[i] = k_pixels[i % 6 * 3 + 2 - i / 6];
  expect(whet("run %s -i x=%s --color bgr --json", nchw, g_ppm), want, 18, 0);
  for (int i = 0; i < 18; i++) want[i] = (k_pixels[i % 6 * 3 + i / 6] / 255.0 - 0.5 - 0.1 * (i / 6)) / 0.25;
  expect(whet("run %s -i %s --range 0..1 --mean 0.5,0.6,0.7 --std 0.25 --json", nchw, g_ppm), want, 18, 1e-5);
  for (int i = 0; i < 18; i++) want[i] = k_pixels[i] * 2 / 255.0 - 1;
  const char *nhwc = write_model(g_dir, "hwc.onnx", identity_model(1, 4, hwc));
  expect(whet("run %s -i %s --range -1..1 --layout nhwc --json", nhwc, g_ppm), want, 18, 1e-5);
  static const double luma[] = {76, 150, 29, 10, 255, 0};
  const char *one = write_model(g_dir, "grey.onnx", identity_model(1, 4, grey));
  expect(whet("run %s -i %s --json", one, g_ppm), luma, 6, 0);
  /* A row of four numbers: a grey picture of 2 x 2, the part in the middle. */
  static const double cut[] = {101, 69, 92, 85};
  expect(whet("run %s -i %s --filter area --json", write_model(g_dir, "row.onnx", identity_model(1, 2, row)), g_ppm),
         cut, 4, 12);
  /* Free sizes are the picture's own. */
  json_t *j = json_of(whet("run %s -i %s --json", write_model(g_dir, "any.onnx", identity_model(1, 4, any)), g_ppm));
  assert_int_equal((int)number_at(j, "outputs.0.shape.2"), 2);
  assert_int_equal((int)number_at(j, "outputs.0.shape.3"), 3);
  assert_non_null(strstr(text_at(j, "inputs.0.made"), "3x2 picture"));
  json_decref(j);
}

static void fits(void **state) {
  (void)state;
  static const int64_t square[] = {1, 1, 4, 4};
  const char *model = write_model(g_dir, "square.onnx", identity_model(1, 4, square));
  uint8_t file[11 + 8] = "P5 4 2 255\n";
  for (int i = 0; i < 8; i++) file[11 + i] = (uint8_t)(10 * i);
  const char *wide = test_write(g_dir, "wide.pgm", file, sizeof file);
  static const double boxed[] = {7, 7, 7, 7, 0, 10, 20, 30, 40, 50, 60, 70, 7, 7, 7, 7};
  expect(whet("run %s -i %s --resize letterbox --pad 7 --json", model, wide), boxed, 16, 0);
  static const double cropped[] = {10, 10, 20, 20, 10, 10, 20, 20, 50, 50, 60, 60, 50, 50, 60, 60};
  expect(whet("run %s -i %s --resize crop --filter nearest --json", model, wide), cropped, 16, 0);
  static const double stretched[] = {0, 10, 20, 30, 0, 10, 20, 30, 40, 50, 60, 70, 40, 50, 60, 70};
  expect(whet("run %s -i %s --filter nearest --json", model, wide), stretched, 16, 0);
}

/* A quantised input takes the real value through its scale and zero point. */
static void quantised(void **state) {
  (void)state;
  static const int32_t dims[] = {1, 2, 3, 3};
  double want[18];
  const char *s8 = write_model(g_dir, "s8.tflite", quant_model(9, 1.0f / 255, -128, 4, dims));
  for (int i = 0; i < 18; i++) want[i] = k_pixels[i] - 128;
  expect(whet("run %s -i %s --range 0..1 --json", s8, g_ppm), want, 18, 0);
  expect(whet("run %s -i %s --json", s8, g_ppm), want, 18, 0); /* all that its quantisation holds */
  const char *u8 = write_model(g_dir, "u8.tflite", quant_model(3, 0.5f, 10, 4, dims));
  for (int i = 0; i < 18; i++) want[i] = fmin(255, round(k_pixels[i] / 0.5) + 10);
  expect(whet("run %s -i %s --range 0..255 --json", u8, g_ppm), want, 18, 0);
}

static void numbers(void **state) {
  (void)state;
  static const int64_t six[] = {2, 3}, any[] = {-1, 3};
  static const double want[] = {1, 2, 3, 4, 5, -6.5};
  static const float x[] = {1, 2, 3, 4, 5, -6.5f};
  const char *model = write_model(g_dir, "six.onnx", identity_model(1, 2, six));
  const char *npy = write_npy(g_dir, "x.npy", "<f4", "(2, 3)", x, sizeof x);
  expect(whet("run %s -i %s --json", model, npy), want, 6, 0);
  expect(whet("run %s -i %s --json", model, test_write(g_dir, "x.raw", x, sizeof x)), want, 6, 0);
  expect(whet("run %s -i x=1,2,3,4,5,-6.5 --json", model), want, 6, 0);
  size_t n;
  char *bytes = read_file(npy, &n);
  expect(whet_with_input(bytes, n, "run %s -i - --json", model), want, 6, 0);
  free(bytes);
  expect(whet("run %s -i %s --json", write_model(g_dir, "any.onnx", identity_model(1, 2, any)), npy), want, 6, 0);
  /* ONNX's own files, and a name with a '='. */
  buf t = ox_tensor("x", 1, 2, six, x, sizeof x);
  const char *pb = test_write(g_dir, "a=b.pb", t.p, t.n);
  buf_free(&t);
  expect(whet("run %s -i %s --json", model, pb), want, 6, 0);
  expect(whet("run %s -i x=%s --json", model, pb), want, 6, 0);
  static const double ones[] = {1, 1, 1, 1, 1, 1};
  expect(whet("run %s --fill ones --json", model), ones, 6, 0);
}

static void sound(void **state) {
  (void)state;
  static const int64_t four[] = {1, 4}, any[] = {1, -1};
  uint8_t wav[44 + 12] = "RIFF....WAVEfmt \x10\0\0\0\1\0\2\0\x80\x3e\0\0\0\xfa\0\0\4\0\x10\0data\xc\0\0\0";
  static const int16_t frames[] = {16384, -16384, 32767, 32767, -32768, 0};
  memcpy(wav + 44, frames, sizeof frames);
  const char *file = test_write(g_dir, "s.wav", wav, sizeof wav),
             *model = write_model(g_dir, "four.onnx", identity_model(1, 2, four));
  static const double want[] = {0, 32767 / 32768.0, -0.5, 0};
  expect(whet("run %s -i %s --json", model, file), want, 4, 1e-7);
  expect(whet("run %s -i %s --rate 16000 --json", write_model(g_dir, "any.onnx", identity_model(1, 2, any)), file),
         want, 3, 1e-7);
  json_t *j = json_of(
      whet("run %s -i %s --rate 48000 --json", write_model(g_dir, "any.onnx", identity_model(1, 2, any)), file));
  assert_int_equal((int)json_array_size(at(j, "outputs.0.values.0")),
                   9); /* three samples are nine of a third of the time ... */
  json_decref(j);
  said s = whet("run %s -i %s --rate 48000", model, file);
  must_pass(s);
  assert_non_null(strstr(s.out, "resampled from 16,000"));
  must_fail(whet("run %s -i %s --rate 1", model, file), 1, "more than 4096 times");
}

/* Rows of --mel are what the stages window and mel of a pipeline make, also where the numbers of a row stand first. */
static void mel(void **state) {
  static uint8_t wav[44 + 2 * 400] = "RIFF....WAVEfmt \x10\0\0\0\1\0\1\0\x80\x3e\0\0\0\x7d\0\0\2\0\x10\0data\x20\3\0\0";
  static const int64_t rows[] = {1, -1, 4}, first[] = {1, 4, 11};
  size_t n, m;
  (void)state;
  for (int i = 0; i < 400; i++) {
    int v = (int)(9000 * sin(i * 0.3) + 3000 * sin(i * 1.1));
    wav[44 + 2 * i] = (uint8_t)v, wav[45 + 2 * i] = (uint8_t)(v >> 8);
  }
  const char *file = test_write(g_dir, "mel.wav", wav, sizeof wav), *a = join(g_dir, "a"), *b = join(g_dir, "b");
  const char *model = write_model(g_dir, "rows.onnx", identity_model(1, 3, rows)), *how = "window=64,hop=2ms,bands=4";
  must_pass(whet("run %s -i %s --mel %s --output %s", model, file, how, a));
  model = write_model(g_dir, "first.onnx", identity_model(1, 3, first));
  must_pass(whet("run %s -i %s --mel %s --output %s", model, file, how, b));
  static const char yaml[] =
      "source: {files: {files: mel.wav}}\nstages: [{window: {length: 64, hop: 2ms}}, {mel: {bands: 4}}]\nsinks: [{arrays: mel.npy}]\n";
  said s = whet("pipeline %s", test_write(g_dir, "mel.yaml", yaml, sizeof yaml - 1));
  if (s.status && strstr(s.err, "libyaml")) skip();
  must_pass(s);
  char *want = read_file(join(g_dir, "mel.npy"), &n), *got = read_file(join(a, "output_0.npy"), &m);
  assert_true(n > 11 * 16 && m > 11 * 16);
  assert_memory_equal(want + n - 11 * 16, got + m - 11 * 16, 11 * 16);
  char *turned = read_file(join(b, "output_0.npy"), &m);
  for (int r = 0; r < 11; r++)
    for (int k = 0; k < 4; k++)
      assert_memory_equal(want + n - 11 * 16 + 4 * (4 * r + k), turned + m - 11 * 16 + 4 * (11 * k + r), 4);
  free(want), free(got), free(turned);
  must_fail(whet("run %s -i %s --mel bands", model, file), 2, "--mel bands");
  must_fail(whet("run %s -i %s --mel bands=5", model, file), 1, "rows of 5");
}

static void outputs(void **state) {
  (void)state;
  static const int64_t three[] = {1, 3};
  static const float x[] = {0.1f, 0.7f, 0.2f};
  const char *model = write_model(g_dir, "three.onnx", identity_model(1, 2, three)),
             *npy = write_npy(g_dir, "x.npy", "<f4", "(1, 3)", x, sizeof x);
  const char *labels = test_write(g_dir, "labels.txt", "cat\r\ndog\nox", 11), *out = join(g_dir, "out");
  said s = whet("run %s -i %s --labels %s --top 2", model, npy, labels);
  must_pass(s);
  char *dog = strstr(s.out, "dog (1)"), *ox = strstr(s.out, "ox (2)");
  assert_true(dog && ox && dog < ox && !strstr(s.out, "cat"));
  json_t *j = json_of(whet("run %s -i %s --labels %s --output %s --json", model, npy, labels, out));
  assert_string_equal(text_at(j, "outputs.0.top.0.label"), "dog");
  assert_int_equal((int)number_at(j, "outputs.0.top.0.index"), 1);
  assert_string_equal(text_at(j, "outputs.0.file"), join(out, "output_0.npy"));
  assert_null(json_object_get(at(j, "outputs.0"), "values"));
  json_decref(j);
  assert_int_equal(entries(out), 1);
  size_t n;
  char *written = read_file(join(out, "output_0.npy"), &n);
  assert_true(written && n == 128 + 12 && !memcmp(written + 128, x, 12));
  free(written);
  expect(whet("run %s -i %s/output_0.npy --json", model, out), (const double[]){0.1, 0.7, 0.2}, 3, 1e-7);
}

/* The normalisation that TFLite's metadata gives: 4 x 4 bytes of tables made as its schema says. */
static void metadata(void **state) {
  (void)state;
  static const int64_t chw[] = {1, 3, 2, 3};
  buf m = identity_model(1, 4, chw), prop = {0};
  pb_str(&prop, 1, "Image.NominalPixelRange");
  pb_str(&prop, 2, "Normalized_0_1");
  pb_msg(&m, 14, &prop);
  pb_str(&prop, 1, "Image.BitmapPixelFormat");
  pb_str(&prop, 2, "Bgr8");
  pb_msg(&m, 14, &prop);
  double want[18];
  for (int i = 0; i < 18; i++) want[i] = k_pixels[i % 6 * 3 + 2 - i / 6] / 255.0;
  expect(whet("run %s -i %s --json", write_model(g_dir, "props.onnx", m), g_ppm), want, 18, 1e-6);
}

/* Text for people: what was done to the picture, all numbers of small tensors, the range of large ones. */
static void text(void **state) {
  (void)state;
  static const int64_t chw[] = {1, 3, 2, 3};
  said s = whet("run %s -i %s", write_model(g_dir, "chw.onnx", identity_model(1, 4, chw)), g_ppm);
  must_pass(s);
  assert_non_null(strstr(s.out, "stretched to 3x2, RGB, nchw, 0..255"));
  assert_non_null(strstr(s.out, "y  float32 [1, 3, 2, 3]"));
  assert_non_null(strstr(s.out, "min 0 at [0, 0, 0, 1], max 255 at [0, 0, 0, 0], mean 86.6667"));
}

/* An initialiser that is an input too: the file's value, or what is given by its name. */
static void initialisers(void **state) {
  (void)state;
  static const int64_t dims[] = {2};
  static const float w[] = {2, 3};
  static const double own[] = {10, 21}, given[] = {50, 700};
  buf g = {0};
  ox_add_in(&g, ox_info("x", 1, 1, dims, NULL));
  ox_add_in(&g, ox_info("w", 1, 1, dims, NULL));
  ox_add_init(&g, ox_tensor("w", 1, 1, dims, w, sizeof w));
  ox_add_node(&g, ox_node("Mul", "x,w", "y", NULL));
  ox_add_out(&g, ox_info("y", 1, 1, dims, NULL));
  const char *model = write_model(g_dir, "scale.onnx", ox_model(g, 8, 17));
  expect(whet("run %s -i 5,7 --json", model), own, 2, 0);
  expect(whet("run %s -i w=10,100 -i 5,7 --json", model), given, 2, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(pictures), cmocka_unit_test(fits),  cmocka_unit_test(quantised),
                                     cmocka_unit_test(numbers),  cmocka_unit_test(sound), cmocka_unit_test(mel), cmocka_unit_test(outputs),
                                     cmocka_unit_test(initialisers),
                                     cmocka_unit_test(metadata), cmocka_unit_test(text)};
  return cmocka_run_group_tests(tests, prepare, NULL);
}
