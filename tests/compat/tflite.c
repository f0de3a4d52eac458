/* SPDX-License-Identifier: Apache-2.0 */
/* libtensorflowlite_c.so as its users see it: the classic program, wrong order and wrong sizes, strings, signatures,
 * operators of the caller's own, cancelling. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/build.h"
#include "lib/test.h"
#include "tensorflow/lite/c/c_api_experimental.h"
#include "tensorflow/lite/c/c_api_opaque.h"
#include "tensorflow/lite/delegates/xnnpack/xnnpack_delegate.h"

/* What was reported last. */
static char s_said[600];
static int s_reports;
static void listen(void *user, const char *format, va_list ap) {
  assert_ptr_equal(user, s_said);
  vsnprintf(s_said, sizeof s_said, format, ap);
  s_reports++;
}

static TfLiteInterpreterOptions *options(void) {
  TfLiteInterpreterOptions *o = TfLiteInterpreterOptionsCreate();
  assert_non_null(o);
  TfLiteInterpreterOptionsSetErrorReporter(o, listen, s_said);
  return o;
}

static void classic(void **state) {
  TfLiteModel *m = TfLiteModelCreateFromFile(test_source("tools/demo_model/digits.tflite"));
  assert_non_null(m);
  TfLiteInterpreterOptions *o = options();
  TfLiteInterpreterOptionsSetNumThreads(o, 2);
  TfLiteDelegate *d = TfLiteXNNPackDelegateCreate(&(TfLiteXNNPackDelegateOptions){.num_threads = 2});
  TfLiteInterpreterOptionsAddDelegate(o, d);
  TfLiteInterpreter *it = TfLiteInterpreterCreate(m, o);
  TfLiteInterpreterOptionsDelete(o);
  TfLiteModelDelete(m); /* the interpreter holds what it needs */
  assert_non_null(it);
  assert_int_equal(TfLiteInterpreterModifyGraphWithDelegate(it, d), kTfLiteOk);
  assert_int_equal(TfLiteInterpreterGetInputTensorCount(it), 1);
  TfLiteTensor *x = TfLiteInterpreterGetInputTensor(it, 0);
  assert_null(TfLiteTensorData(x));
  assert_int_equal(TfLiteInterpreterInvoke(it), kTfLiteError); /* not allocated */
  assert_non_null(strstr(s_said, "not ready"));
  assert_int_equal(TfLiteInterpreterAllocateTensors(it), kTfLiteOk);
  size_t bytes = TfLiteTensorByteSize(x), count = 1;
  for (int32_t i = 0; i < TfLiteTensorNumDims(x); i++) count *= (size_t)TfLiteTensorDim(x, i);
  assert_true(bytes >= count && x->dims->size == TfLiteTensorNumDims(x) && x->data.data == TfLiteTensorData(x));
  void *in = calloc(1, bytes);
  assert_int_equal(TfLiteTensorCopyFromBuffer(x, in, bytes), kTfLiteOk);
  assert_int_equal(TfLiteTensorCopyFromBuffer(x, in, bytes - 1), kTfLiteError);
  free(in);
  assert_int_equal(TfLiteInterpreterInvoke(it), kTfLiteOk);
  const TfLiteTensor *y = TfLiteInterpreterGetOutputTensor(it, 0);
  assert_int_equal(TfLiteTensorDim(y, TfLiteTensorNumDims(y) - 1), 10);
  assert_ptr_equal(TfLiteInterpreterGetTensor(it, TfLiteInterpreterGetOutputTensorIndex(it, 0)), y);
  assert_null(TfLiteInterpreterGetInputTensor(it, 1));
  assert_null(TfLiteInterpreterGetOutputTensor(it, -1));
  assert_int_equal(TfLiteTensorDim(y, 99), -1);
  assert_int_equal(TfLiteInterpreterCancel(it), kTfLiteError); /* not enabled */
  TfLiteInterpreterDelete(it);
  TfLiteXNNPackDelegateDelete(d);
}

static void refused(void **state) {
  char other[64] = {0};
  assert_null(TfLiteModelCreateWithErrorReporter("no model", 8, listen, s_said));
  assert_non_null(strstr(s_said, "neither"));
  assert_null(TfLiteModelCreateFromFileWithErrorReporter("/nowhere", listen, s_said));
  assert_null(TfLiteInterpreterCreate(NULL, NULL));
  TfLiteModel *m = TfLiteModelCreateFromFile(test_source("tools/demo_model/digits.tflite"));
  TfLiteInterpreterOptions *o = options();
  TfLiteInterpreterOptionsAddDelegate(o, (TfLiteDelegate *)(void *)other);
  assert_null(TfLiteInterpreterCreate(m, o));
  assert_non_null(strstr(s_said, "delegate"));
  TfLiteInterpreterOptionsDelete(o);
  o = options();
  TfLiteInterpreter *it = TfLiteInterpreterCreate(m, o);
  assert_int_equal(TfLiteInterpreterResizeInputTensor(it, 7, (int[]){1}, 1), kTfLiteError);
  assert_int_equal(TfLiteInterpreterResizeInputTensor(it, 0, (int[]){-3}, 1), kTfLiteError);
  TfLiteInterpreterDelete(it);
  TfLiteInterpreterOptionsDelete(o);
  TfLiteModelDelete(m);
}

/* ---- operators of the caller's own ------------------------------------------------------------------------------
 */

static int s_made, s_freed;
static void *init(TfLiteOpaqueContext *c, const char *buffer, size_t n) {
  s_made++;
  return malloc(1);
}
static void done(TfLiteOpaqueContext *c, void *data) {
  s_freed++;
  free(data);
}
/* The output is twice as long. */
static TfLiteStatus prepare(TfLiteOpaqueContext *c, TfLiteOpaqueNode *n) {
  const TfLiteOpaqueTensor *x = TfLiteOpaqueNodeGetInput(c, n, 0);
  if (TfLiteOpaqueNodeNumberOfInputs(n) != 1 || TfLiteOpaqueTensorType(x) != kTfLiteFloat32) return kTfLiteError;
  TfLiteIntArray *size = TfLiteIntArrayCreate(1);
  size->data[0] = 2 * TfLiteOpaqueTensorDim(x, 0);
  return TfLiteOpaqueContextResizeTensor(c, TfLiteOpaqueNodeGetOutput(c, n, 0), size);
}
static TfLiteStatus invoke(TfLiteOpaqueContext *c, TfLiteOpaqueNode *n) {
  const TfLiteOpaqueTensor *x = TfLiteOpaqueNodeGetInput(c, n, 0);
  TfLiteOpaqueTensor *y = TfLiteOpaqueNodeGetOutput(c, n, 0);
  const float *in = TfLiteOpaqueTensorData(x);
  float *out = TfLiteOpaqueTensorData(y);
  int count = TfLiteOpaqueTensorDim(x, 0);
  if (in[0] < 0) {
    TfLiteOpaqueContextReportError(c, "%d is below zero", (int)in[0]);
    return kTfLiteError;
  }
  if (!out || TfLiteOpaqueTensorByteSize(y) != (size_t)count * 8 || !TfLiteOpaqueNodeGetUserData(n))
    return kTfLiteError;
  for (int i = 0; i < 2 * count; i++) out[i] = 10 * in[i % count];
  return kTfLiteOk;
}

static buf own_model(void) {
  const tf_tensor t[] = {{.name = "x", .type = 0, .rank = 1, .dim = {3}},
                         {.name = "y", .type = 0, .rank = 1, .dim = {6}}};
  const tf_op op = {.code = 32, .custom = "Tens", .n_in = 1, .n_out = 1, .in = {0}, .out = {1}};
  const tf_graph g = {.n_tensor = 2, .n_in = 1, .n_out = 1, .n_op = 1, .tensor = t, .op = &op, .in = {0}, .out = {1}};
  return tf_model(&g, 1, NULL, 0);
}

static void own_operator(void **state) {
  buf b = own_model();
  TfLiteModel *m = TfLiteModelCreate(b.p, b.n);
  assert_non_null(m); /* operators are looked for later */
  TfLiteInterpreterOptions *o = options();
  assert_null(TfLiteInterpreterCreate(m, o));
  assert_non_null(strstr(s_said, "Tens"));
  TfLiteRegistrationExternal *r = TfLiteRegistrationExternalCreate(32, "Tens", 1);
  TfLiteRegistrationExternalSetInit(r, init);
  TfLiteRegistrationExternalSetFree(r, done);
  TfLiteRegistrationExternalSetPrepare(r, prepare);
  TfLiteRegistrationExternalSetInvoke(r, invoke);
  TfLiteInterpreterOptionsAddRegistrationExternal(o, r);
  TfLiteInterpreter *it = TfLiteInterpreterCreate(m, o);
  if (!it) fail_msg("%s", s_said);
  assert_int_equal(TfLiteInterpreterAllocateTensors(it), kTfLiteOk);
  float *x = TfLiteTensorData(TfLiteInterpreterGetInputTensor(it, 0));
  for (int i = 0; i < 3; i++) x[i] = (float)(i + 1);
  assert_int_equal(TfLiteInterpreterInvoke(it), kTfLiteOk);
  const TfLiteTensor *y = TfLiteInterpreterGetOutputTensor(it, 0);
  assert_int_equal(TfLiteTensorByteSize(y), 24);
  for (int i = 0; i < 6; i++) assert_true(y->data.f[i] == (float)(10 * (i % 3 + 1)));
  x[0] = -4;
  assert_int_equal(TfLiteInterpreterInvoke(it), kTfLiteError);
  assert_non_null(strstr(s_said, "-4 is below zero"));
  TfLiteInterpreterDelete(it);
  assert_true(s_made > 0);
  assert_int_equal(s_made, s_freed);
  TfLiteRegistrationExternalDelete(r);
  TfLiteInterpreterOptionsDelete(o);
  TfLiteModelDelete(m);
  buf_free(&b);
}

static void arrays(void **state) {
  TfLiteIntArray *a = TfLiteIntArrayCreate(3), *b;
  for (int i = 0; i < 3; i++) a->data[i] = i;
  b = TfLiteIntArrayCopy(a);
  assert_true(TfLiteIntArrayEqual(a, b));
  b->data[2] = 9;
  assert_false(TfLiteIntArrayEqual(a, b));
  assert_null(TfLiteIntArrayCreate(-1));
  TfLiteIntArrayFree(a);
  TfLiteIntArrayFree(b);
}

/* The layouts that programs compiled elsewhere rely on (64-bit). */
_Static_assert(sizeof(void *) != 8 || (sizeof(TfLiteTensor) == 112 && offsetof(TfLiteTensor, data) == 8 &&
                                       offsetof(TfLiteTensor, dims) == 16 && offsetof(TfLiteTensor, params) == 24 &&
                                       offsetof(TfLiteTensor, bytes) == 40 && offsetof(TfLiteTensor, name) == 56 &&
                                       offsetof(TfLiteTensor, quantization) == 80),
               "TfLiteTensor");

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(classic), cmocka_unit_test(refused),
                                     cmocka_unit_test(own_operator), cmocka_unit_test(arrays)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
