/* SPDX-License-Identifier: Apache-2.0 */
/* Quantising small networks with every scheme, for both formats: the result runs, its nodes compute with integers where they are said
 * to, and its outputs are the float network's as nearly as so many bits allow. */

#include "whet/quantize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "format/model.h"
#include "lib/build.h"
#include "lib/test.h"
#include "op/op.h"
#include "whet/whet.h"

enum { SIDE = 8, IN = 2 * SIDE * SIDE, OUT = 5, SAMPLES = 64 };

static float unit(uint64_t stream, uint64_t i) {
  uint32_t r[4];
  whet__rng_block(3, stream, i, r);
  return whet__rng_unit(r[0]) * 2 - 1;
}

static void add_weights(buf *g, const char *name, int rank, const int64_t *d, float size) {
  static float w[4096];
  int64_t n = 1;
  for (int i = 0; i < rank; i++) n *= d[i];
  for (int64_t i = 0; i < n; i++) w[i] = unit((uint64_t)name[0] << 8 | (uint64_t)name[1], (uint64_t)i) * size;
  ox_add_init(g, ox_tensor(name, WHET_F32, rank, d, w, (size_t)n * 4));
}

/* x [1, 2, 8, 8] ─▶ Conv 3x3 ─▶ BatchNorm ─▶ Relu ─▶ depthwise Conv ─▶ Relu ─▶ Add(Conv 1x1 of the same) ─▶ MaxPool ─▶ Flatten ─▶ Gemm
 * ─▶ Sigmoid ─▶ y [1, 5] */
static buf network(void) {
  static const int64_t x[] = {1, 2, SIDE, SIDE}, w1[] = {6, 2, 3, 3}, w2[] = {6, 1, 3, 3}, w3[] = {6, 6, 1, 1}, c[] = {6},
                       w4[] = {OUT, 96}, b4[] = {OUT}, y[] = {1, OUT}, pads[] = {1, 1, 1, 1}, two[] = {2, 2};
  static const float var[] = {0.5f, 1, 2, 0.1f, 1, 3};
  ox_attr conv[] = {{.name = "pads", .type = 7, .ints = pads, .n = 4}, {0}};
  ox_attr depth[] = {{.name = "pads", .type = 7, .ints = pads, .n = 4}, {.name = "group", .type = 2, .i = 6}, {0}};
  ox_attr pool[] = {{.name = "kernel_shape", .type = 7, .ints = two, .n = 2}, {.name = "strides", .type = 7, .ints = two, .n = 2}, {0}};
  ox_attr gemm[] = {{.name = "transB", .type = 2, .i = 1}, {0}};
  buf g = {0};
  ox_add_node(&g, ox_node_in("", "Conv", "first", "x,w1,b1", "a", conv));
  ox_add_node(&g, ox_node_in("", "BatchNormalization", "norm", "a,s,b1,m,v", "b", NULL));
  ox_add_node(&g, ox_node_in("", "Relu", "relu1", "b", "c", NULL));
  ox_add_node(&g, ox_node_in("", "Conv", "depth", "c,w2", "d", depth));
  ox_add_node(&g, ox_node_in("", "Relu", "relu2", "d", "e", NULL));
  ox_add_node(&g, ox_node_in("", "Conv", "point", "c,w3,b1", "f", NULL));
  ox_add_node(&g, ox_node_in("", "Add", "add", "e,f", "g", NULL));
  ox_add_node(&g, ox_node_in("", "MaxPool", "pool", "g", "h", pool));
  ox_add_node(&g, ox_node_in("", "Flatten", "flat", "h", "i", NULL));
  ox_add_node(&g, ox_node_in("", "Gemm", "last", "i,w4,b4", "j", gemm));
  ox_add_node(&g, ox_node_in("", "Sigmoid", "sigmoid", "j", "y", NULL));
  add_weights(&g, "w1", 4, w1, 0.5f);
  add_weights(&g, "w2", 4, w2, 0.5f);
  add_weights(&g, "w3", 4, w3, 0.8f);
  add_weights(&g, "w4", 2, w4, 0.3f);
  add_weights(&g, "b1", 1, c, 0.3f);
  add_weights(&g, "b4", 1, b4, 0.3f);
  add_weights(&g, "s", 1, c, 2);
  add_weights(&g, "m", 1, c, 0.2f);
  ox_add_init(&g, ox_tensor("v", WHET_F32, 1, c, var, sizeof var));
  ox_add_in(&g, ox_info("x", WHET_F32, 4, x, NULL));
  ox_add_out(&g, ox_info("y", WHET_F32, 2, y, NULL));
  return ox_model(g, 8, 13);
}

/* Samples with neighbours alike, as pictures have. */
static whet_status fill(void *user, int64_t i, size_t input, void *to, size_t bytes, whet_err *err) {
  float *x = to;
  assert_int_equal(bytes, IN * 4);
  for (int k = 0; k < IN; k++) {
    float at = unit(100 + (uint64_t)i, (uint64_t)(k / 16));
    x[k] = at + 0.3f * unit(1000 + (uint64_t)i, (uint64_t)k);
  }
  if (user && i == 3) x[7] = *(const float *)user;
  return WHET_OK;
}

static whet_model *open_float(buf *bytes) {
  whet_err err;
  whet_model *m;
  *bytes = network();
  assert_int_equal(whet_model_open_memory(bytes->p, bytes->n, NULL, &m, &err), WHET_OK);
  return m;
}

/* Outputs for a sample, as real numbers. */
static void outputs(whet_model *m, int64_t from, int64_t n, float *y) {
  whet_err err;
  whet_program *p;
  whet_session *s;
  if (whet_program_create(m, NULL, &p, &err) || whet_session_create(p, &s, &err)) fail_msg("%s", err.text);
  for (int64_t i = 0; i < n; i++) {
    float x[IN];
    whet_info in, out;
    size_t bytes;
    fill(NULL, from + i, 0, x, sizeof x, NULL);
    void *to = whet_session_input(s, 0, &bytes, &err);
    assert_non_null(to);
    assert_int_equal(whet_session_input_info(s, 0, &in), WHET_OK);
    for (int k = 0; k < IN; k++) {
      double q = in.dtype == WHET_F32 ? 0 : rint((double)x[k] / (double)in.quant.scale[0]) + in.quant.zero[0];
      if (in.dtype == WHET_F32) ((float *)to)[k] = x[k];
      if (in.dtype == WHET_S8) ((int8_t *)to)[k] = (int8_t)fmin(fmax(q, -128), 127);
      if (in.dtype == WHET_S16) ((int16_t *)to)[k] = (int16_t)fmin(fmax(q, -32768), 32767);
    }
    if (whet_session_run(s, NULL, &err)) fail_msg("%s", err.text);
    const void *o = whet_session_output(s, 0, &bytes, &err);
    assert_int_equal(whet_session_output_info(s, 0, &out), WHET_OK);
    for (int k = 0; k < OUT; k++) {
      double v = out.dtype == WHET_F32 ? (double)((const float *)o)[k] : out.dtype == WHET_S8 ? ((const int8_t *)o)[k] : ((const int16_t *)o)[k];
      if (out.dtype != WHET_F32) v = (v - out.quant.zero[0]) * (double)out.quant.scale[0];
      y[i * OUT + k] = (float)v;
    }
  }
  whet_session_close(&s);
  whet_program_close(&p);
}

/* Root of the mean squared difference of two models on samples that no calibration has seen. */
static double distance(whet_model *a, whet_model *b) {
  static float x[SAMPLES * OUT], y[SAMPLES * OUT];
  double sum = 0;
  outputs(a, 1000, SAMPLES, x);
  outputs(b, 1000, SAMPLES, y);
  for (int i = 0; i < SAMPLES * OUT; i++) sum += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
  return sqrt(sum / (SAMPLES * OUT));
}

/* Nodes of that operator whose first output has that type. */
static int count(const whet_model *m, const char *op, whet_dtype t) {
  int n = 0;
  for (int32_t i = 0; i < m->graph.main.n_node; i++) {
    const whet_node *x = &m->graph.node[m->graph.main.node[i]];
    n += !strcmp(x->op->name, op) && (!t || m->graph.val[x->out[0]].dtype == t);
  }
  return n;
}

static const whet_samples k_samples = {SAMPLES, fill, NULL};

/* Every scheme, both formats: error within what its bits explain. */
static void schemes(void **state) {
  static const struct {
    const char *name;
    whet_quantize_opts o;
    double most;
  } cases[] = {
      {"QDQ, uint8", {.format = WHET_FORMAT_ONNX}, 0.012},
      {"QDQ, int8", {.format = WHET_FORMAT_ONNX, .activations = WHET_S8}, 0.012},
      {"QDQ, int8, symmetric, one scale a tensor", {.format = WHET_FORMAT_ONNX, .activations = WHET_S8, .symmetric = 1, .per_tensor = 1}, 0.02},
      {"TFLite int8", {.format = WHET_FORMAT_TFLITE}, 0.012},
      {"TFLite int8, float ends", {.format = WHET_FORMAT_TFLITE, .float_ends = 1}, 0.012},
      {"TFLite int8, rounded to nearest", {.format = WHET_FORMAT_TFLITE, .rounding = WHET_ROUNDING_NEAREST}, 0.015},
      {"TFLite int8, everything seen", {.format = WHET_FORMAT_TFLITE, .calibrate = WHET_CALIBRATE_MINMAX}, 0.012},
      {"TFLite int8, entropy", {.format = WHET_FORMAT_TFLITE, .calibrate = WHET_CALIBRATE_ENTROPY}, 0.03},
      {"TFLite int8, percentile", {.format = WHET_FORMAT_TFLITE, .calibrate = WHET_CALIBRATE_PERCENTILE}, 0.02},
      {"TFLite int16x8", {.format = WHET_FORMAT_TFLITE, .scheme = WHET_SCHEME_INT16X8}, 0.006},
      {"TFLite dynamic", {.format = WHET_FORMAT_TFLITE, .scheme = WHET_SCHEME_DYNAMIC}, 0.012},
      {"TFLite int8 weights", {.format = WHET_FORMAT_TFLITE, .scheme = WHET_SCHEME_WEIGHTS}, 0.006},
      {"ONNX int8 weights", {.format = WHET_FORMAT_ONNX, .scheme = WHET_SCHEME_WEIGHTS}, 0.006},
      {"ONNX int4 weights in groups", {.format = WHET_FORMAT_ONNX, .scheme = WHET_SCHEME_WEIGHTS, .weight_bits = 4, .group = 32}, 0.06},
      {"ONNX float16", {.format = WHET_FORMAT_ONNX, .scheme = WHET_SCHEME_FLOAT16}, 0.0005},
      {"TFLite float16", {.format = WHET_FORMAT_TFLITE, .scheme = WHET_SCHEME_FLOAT16}, 0.0005},
  };
  buf bytes;
  whet_model *m = open_float(&bytes);
  for (size_t i = 0; i < WHET_COUNT(cases); i++) {
    whet_err err;
    whet_quantize_opts o = cases[i].o;
    whet_model *q;
    o.size = sizeof o;
    if (!o.weight_bits) o.weight_bits = 8;
    if (whet_quantize(m, &k_samples, &o, &q, NULL, &err)) fail_msg("%s: %s", cases[i].name, err.text);
    double d = distance(m, q);
    if (!(d < cases[i].most)) fail_msg("%s: outputs differ by %g, expected less than %g", cases[i].name, d, cases[i].most);
    if (!(d > 1e-7)) fail_msg("%s: outputs are the float model's: nothing was quantised", cases[i].name);
    whet_model_close(&q);
  }
  whet_model_close(&m);
  buf_free(&bytes);
}

/* TFLite's form: everything is int8 from end to end, with TFLite's fixed scale for a sigmoid; ONNX's form has every integer node
 * between DQ and Q, and the batch norm is gone from both. */
static void forms(void **state) {
  buf bytes;
  whet_err err;
  whet_model *m = open_float(&bytes), *q;
  whet_quantize_opts o = whet_quantize_opts_default();
  whet_quantized r;
  whet_info info;
  o.format = WHET_FORMAT_TFLITE;
  assert_int_equal(whet_quantize(m, &k_samples, &o, &q, &r, &err), WHET_OK);
  assert_int_equal(count(q, "Conv", WHET_S8), 3);
  assert_int_equal(count(q, "Dense", WHET_S8), 1);
  assert_int_equal(count(q, "Relu", WHET_S8), 2);
  assert_int_equal(count(q, "BatchNormalization", WHET_NONE) + count(q, "Mul", WHET_NONE), 0);
  assert_int_equal(count(q, "QuantizeLinear", WHET_NONE) + count(q, "DequantizeLinear", WHET_NONE), 0);
  assert_int_equal(whet_model_output(q, 0, &info), WHET_OK);
  assert_int_equal(info.dtype, WHET_S8);
  assert_string_equal(info.name, "y");
  assert_true(info.quant.scale[0] == 1.0f / 256 && info.quant.zero[0] == -128);
  assert_int_equal(r.n, 6); /* three Conv, Add, Dense, Sigmoid */
  for (size_t i = 0; i < r.n; i++) {
    assert_string_equal(r.layer[i].precision, "int8");
    assert_null(r.layer[i].why);
  }
  whet_model_close(&q);
  o.format = WHET_FORMAT_ONNX;
  assert_int_equal(whet_quantize(m, &k_samples, &o, &q, NULL, &err), WHET_OK);
  assert_int_equal(count(q, "Conv", WHET_NONE), 3);
  /* x, c, e, f, g, h, i, j, y; weights of four and biases of four more have DQ only. */
  assert_int_equal(count(q, "QuantizeLinear", WHET_U8), 9);
  assert_int_equal(count(q, "DequantizeLinear", WHET_NONE), 17);
  assert_int_equal(whet_model_output(q, 0, &info), WHET_OK);
  assert_int_equal(info.dtype, WHET_F32);
  assert_string_equal(info.name, "y");
  whet_model_close(&q);
  whet_model_close(&m);
  buf_free(&bytes);
}

/* Nodes that were asked to stay float do, and the report says so. */
static void float_layers(void **state) {
  static const char *const names[] = {"depth", "last"};
  for (int f = 0; f < 2; f++) {
    buf bytes;
    whet_err err;
    whet_model *m = open_float(&bytes), *q;
    whet_quantize_opts o = whet_quantize_opts_default();
    whet_quantized r;
    int kept = 0;
    o.format = f ? WHET_FORMAT_TFLITE : WHET_FORMAT_ONNX;
    o.keep_float = names;
    o.n_keep_float = 2;
    assert_int_equal(whet_quantize(m, &k_samples, &o, &q, &r, &err), WHET_OK);
    for (size_t i = 0; i < r.n; i++)
      for (int k = 0; k < 2; k++)
        if (!strcmp(r.layer[i].name, names[k])) {
          assert_string_equal(r.layer[i].precision, "float32");
          assert_string_equal(r.layer[i].why, "you asked for it");
          kept++;
        }
    assert_int_equal(kept, 2);
    if (f) assert_int_equal(count(q, "Conv", WHET_F32), 1);
    assert_true(distance(m, q) < 0.012);
      whet_model_close(&q);
    whet_model_close(&m);
    buf_free(&bytes);
  }
}

/* Rounding by least squares leaves less error in outputs than rounding to nearest, where inputs go together: few bits show it. */
static void least_squares(void **state) {
  buf bytes;
  whet_err err;
  whet_model *m = open_float(&bytes);
  double d[2];
  for (int k = 0; k < 2; k++) {
    whet_model *q;
    whet_quantize_opts o = whet_quantize_opts_default();
    o.scheme = WHET_SCHEME_WEIGHTS;
    o.weight_bits = 4;
    o.rounding = k ? WHET_ROUNDING_NEAREST : WHET_ROUNDING_LEAST_SQUARES;
    if (whet_quantize(m, &k_samples, &o, &q, NULL, &err)) fail_msg("%s", err.text);
    d[k] = distance(m, q);
    whet_model_close(&q);
  }
  if (!(d[0] < 0.8 * d[1])) fail_msg("least squares: %g, nearest: %g", d[0], d[1]);
  whet_model_close(&m);
  buf_free(&bytes);
}

/* What cannot be done says so in one line. */
static void refusals(void **state) {
  static const float none = NAN;
  buf bytes;
  whet_err err;
  whet_model *m = open_float(&bytes), *q, *again;
  whet_quantize_opts o = whet_quantize_opts_default();
  whet_samples bad = k_samples;
  bad.user = (void *)(uintptr_t)&none;
  assert_int_equal(whet_quantize(m, &bad, &o, &q, NULL, &err), WHET_E_DATA);
  assert_non_null(strstr(err.text, "\"x\" is not finite for sample 3"));
  assert_int_equal(whet_quantize(m, NULL, &o, &q, NULL, &err), WHET_E_MISUSE);
  assert_null(q);
  o.scheme = WHET_SCHEME_INT16X8;
  assert_int_equal(whet_quantize(m, &k_samples, &o, &q, NULL, &err), WHET_E_UNSUPPORTED);
  assert_non_null(strstr(err.text, "int16x8"));
  o.scheme = WHET_SCHEME_INT8;
  o.weight_bits = 4;
  assert_int_equal(whet_quantize(m, &k_samples, &o, &q, NULL, &err), WHET_E_UNSUPPORTED);
  o = whet_quantize_opts_default();
  assert_int_equal(whet_quantize(m, &k_samples, &o, &q, NULL, &err), WHET_OK);
  assert_int_equal(whet_quantize(q, &k_samples, &o, &again, NULL, &err), WHET_E_UNSUPPORTED);
  assert_non_null(strstr(err.text, "quantised already"));
  whet_model_close(&q);
  whet_model_close(&m);
  buf_free(&bytes);
}

static int stop(void *user, const char *what, int64_t done, int64_t all) {
  assert_true(done >= 1 && done <= all);
  return ++*(int *)user == 5;
}

static void cancelled(void **state) {
  buf bytes;
  whet_err err;
  int calls = 0;
  whet_model *m = open_float(&bytes), *q;
  whet_quantize_opts o = whet_quantize_opts_default();
  o.progress = stop;
  o.user = &calls;
  assert_int_equal(whet_quantize(m, &k_samples, &o, &q, NULL, &err), WHET_E_CANCELLED);
  assert_int_equal(calls, 5);
  whet_model_close(&m);
  buf_free(&bytes);
}

/* Quantise with an allocator that refuses. */
static whet_status starved(void *arg, const whet_allocator *a, whet_err *err) {
  whet_model_opts mo = whet_model_opts_default();
  whet_quantize_opts o = *(const whet_quantize_opts *)arg;
  whet_samples s = k_samples;
  whet_model *m, *q;
  buf bytes = network();
  mo.allocator = a;
  s.n = 2;
  whet_status st = whet_model_open_memory(bytes.p, bytes.n, &mo, &m, err);
  if (!st) st = whet_quantize(m, &s, &o, &q, NULL, err);
  if (!st) whet_model_close(&q);
  whet_model_close(&m);
  buf_free(&bytes);
  return st;
}

static void memory(void **state) {
  whet_quantize_opts o = whet_quantize_opts_default();
  for (int f = 0; f < 2; f++) {
    o.format = f ? WHET_FORMAT_TFLITE : WHET_FORMAT_ONNX;
    test_oom(f ? "TFLite" : "ONNX", starved, &o, 4);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(schemes),  cmocka_unit_test(forms),     cmocka_unit_test(float_layers),
                                     cmocka_unit_test(least_squares), cmocka_unit_test(refusals), cmocka_unit_test(cancelled),
                                     cmocka_unit_test(memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
