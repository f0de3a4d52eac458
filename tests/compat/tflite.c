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

/* The operator of own_model, however it was registered: it runs, and its failure is told. Answers its input. */
static float *own_runs(TfLiteInterpreter *it) {
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
  return x;
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
  own_runs(it);
  TfLiteInterpreterDelete(it);
  assert_true(s_made > 0);
  assert_int_equal(s_made, s_freed);
  TfLiteRegistrationExternalDelete(r);
  TfLiteInterpreterOptionsDelete(o);
  TfLiteModelDelete(m);
  buf_free(&b);
}

/* The same operator by the newest names, whose functions are given the caller's data first. */
static int s_with_data;
static void *with_init(void *user, TfLiteOpaqueContext *c, const char *buffer, size_t n) {
  ++*(int *)user;
  return init(c, buffer, n);
}
static void with_free(void *user, TfLiteOpaqueContext *c, void *data) {
  --*(int *)user;
  done(c, data);
}
static TfLiteStatus with_prepare(void *user, TfLiteOpaqueContext *c, TfLiteOpaqueNode *n) {
  return user == &s_with_data ? prepare(c, n) : kTfLiteError;
}
static TfLiteStatus with_invoke(void *user, TfLiteOpaqueContext *c, TfLiteOpaqueNode *n) {
  return user == &s_with_data ? invoke(c, n) : kTfLiteError;
}
static void newest_operator(void **state) {
  buf b = own_model();
  TfLiteModel *m = TfLiteModelCreate(b.p, b.n);
  TfLiteInterpreterOptions *o = options();
  TfLiteOperator *r = TfLiteOperatorCreate(kTfLiteBuiltinCustom, "Tens", 1, &s_with_data);
  assert_int_equal(TfLiteOperatorGetBuiltInCode(r), kTfLiteBuiltinCustom);
  assert_string_equal(TfLiteOperatorGetCustomName(r), "Tens");
  assert_int_equal(TfLiteOperatorGetVersion(r), 1);
  assert_ptr_equal(TfLiteOperatorGetUserData(r), &s_with_data);
  assert_int_equal(TfLiteOperatorSetInitWithData(r, with_init), kTfLiteOk);
  assert_int_equal(TfLiteOperatorSetFreeWithData(r, with_free), kTfLiteOk);
  assert_int_equal(TfLiteOperatorSetPrepareWithData(r, with_prepare), kTfLiteOk);
  assert_int_equal(TfLiteOperatorSetInvokeWithData(r, with_invoke), kTfLiteOk);
  assert_int_equal(TfLiteOperatorSetInvokeWithData(NULL, with_invoke), kTfLiteError);
  TfLiteInterpreterOptionsAddOperator(o, r);
  TfLiteInterpreter *it = TfLiteInterpreterCreate(m, o);
  if (!it) fail_msg("%s", s_said);
  assert_true(s_with_data > 0);
  own_runs(it);
  TfLiteInterpreterDelete(it);
  assert_int_equal(s_with_data, 0);
  TfLiteOperatorDelete(r);
  TfLiteInterpreterOptionsDelete(o);
  TfLiteModelDelete(m);
  buf_free(&b);
}

/* The same operator by the older form of registrations. */
static int s_old_made, s_old_freed;
static void *old_init(TfLiteContext *c, const char *buffer, size_t n) {
  s_old_made++;
  return malloc(1);
}
static void old_free(TfLiteContext *c, void *data) {
  s_old_freed++;
  free(data);
}
static TfLiteStatus old_prepare(TfLiteContext *c, TfLiteNode *n) {
  const TfLiteTensor *x = c->GetTensor(c, n->inputs->data[0]);
  TfLiteTensor *y = &c->tensors[n->outputs->data[0]];
  if (n->inputs->size != 1 || x->type != kTfLiteFloat32) return kTfLiteError;
  TfLiteIntArrayFree(n->temporaries);
  n->temporaries = TfLiteIntArrayCreate(0);
  TfLiteIntArray *size = TfLiteIntArrayCreate(1);
  size->data[0] = 2 * x->dims->data[0];
  return c->ResizeTensor(c, y, size);
}
static TfLiteStatus old_invoke(TfLiteContext *c, TfLiteNode *n) {
  const TfLiteTensor *x = &c->tensors[n->inputs->data[0]];
  TfLiteTensor *y = &c->tensors[n->outputs->data[0]];
  int count = x->dims->data[0];
  if (x->data.f[0] < 0) {
    c->ReportError(c, "%d is below zero", (int)x->data.f[0]);
    return kTfLiteError;
  }
  if (x->data.f[0] > 100) return c->AddTensors(c, 1, &count);
  if (!y->data.f || y->bytes != (size_t)count * 8 || !n->user_data) return kTfLiteError;
  for (int i = 0; i < 2 * count; i++) y->data.f[i] = 10 * x->data.f[i % count];
  return kTfLiteOk;
}

static void older_operator(void **state) {
  buf b = own_model();
  TfLiteModel *m = TfLiteModelCreate(b.p, b.n);
  TfLiteInterpreterOptions *first = options(), *o;
  TfLiteRegistration r = {.init = old_init, .free = old_free, .prepare = old_prepare, .invoke = old_invoke};
  TfLiteInterpreterOptionsAddCustomOp(first, "Tens", &r, 1, 1);
  memset(&r, 0, sizeof r); /* it was copied */
  o = TfLiteInterpreterOptionsCopy(first);
  TfLiteInterpreterOptionsDelete(first);
  TfLiteInterpreter *it = TfLiteInterpreterCreate(m, o);
  TfLiteInterpreterOptionsDelete(o);
  if (!it) fail_msg("%s", s_said);
  float *x = own_runs(it);
  x[0] = 101;
  assert_int_equal(TfLiteInterpreterInvoke(it), kTfLiteError);
  assert_non_null(strstr(s_said, "AddTensors: not there"));
  TfLiteInterpreterDelete(it);
  assert_true(s_old_made > 0);
  assert_int_equal(s_old_made, s_old_freed);
  TfLiteModelDelete(m);
  buf_free(&b);
}

/* A recurrent net h = x + h / 2, whose state is read and set. */
static void variables(void **state) {
  static const float one[4] = {1, 0, 0, 1}, half[4] = {.5f, 0, 0, .5f}, none[2] = {0, 0};
  const tf_tensor t[] = {{.name = "x", .type = 0, .rank = 2, .dim = {1, 2}},
                         {.name = "w", .type = 0, .rank = 2, .dim = {2, 2}, .data = one, .bytes = sizeof one},
                         {.name = "r", .type = 0, .rank = 2, .dim = {2, 2}, .data = half, .bytes = sizeof half},
                         {.name = "b", .type = 0, .rank = 1, .dim = {2}, .data = none, .bytes = sizeof none},
                         {.name = "h", .type = 0, .rank = 2, .dim = {1, 2}, .variable = true},
                         {.name = "y", .type = 0, .rank = 2, .dim = {1, 2}}};
  const tf_op op = {.code = 24, .n_in = 5, .n_out = 1, .in = {0, 1, 2, 3, 4}, .out = {5}, .options = 7};
  const tf_graph g = {.n_tensor = 6, .n_in = 1, .n_out = 1, .n_op = 1, .tensor = t, .op = &op, .in = {0}, .out = {5}};
  buf b = tf_model(&g, 1, NULL, 0);
  TfLiteModel *m = TfLiteModelCreate(b.p, b.n);
  TfLiteInterpreterOptions *o = options();
  TfLiteInterpreter *it = TfLiteInterpreterCreate(m, o);
  if (!it) fail_msg("%s", s_said);
  assert_int_equal(TfLiteInterpreterAllocateTensors(it), kTfLiteOk);
  assert_int_equal(TfLiteInterpreterGetVariableTensorCount(it), 1);
  assert_null(TfLiteInterpreterGetVariableTensor(it, 1));
  TfLiteTensor *h = TfLiteInterpreterGetVariableTensor(it, 0);
  assert_non_null(h);
  assert_true(h->is_variable && TfLiteTensorByteSize(h) == 8 && !strcmp(TfLiteTensorName(h), "h"));
  float *x = TfLiteTensorData(TfLiteInterpreterGetInputTensor(it, 0));
  const TfLiteTensor *y = TfLiteInterpreterGetOutputTensor(it, 0);
  x[0] = 1, x[1] = 2;
  assert_int_equal(TfLiteInterpreterInvoke(it), kTfLiteOk);
  assert_true(y->data.f[0] == 1 && y->data.f[1] == 2);
  h = TfLiteInterpreterGetVariableTensor(it, 0);
  assert_true(h->data.f[0] == 1 && h->data.f[1] == 2);
  assert_int_equal(TfLiteTensorCopyFromBuffer(h, (float[]){10, 20}, 8), kTfLiteOk);
  assert_int_equal(TfLiteInterpreterInvoke(it), kTfLiteOk);
  assert_true(y->data.f[0] == 6 && y->data.f[1] == 12);
  assert_int_equal(TfLiteInterpreterResetVariableTensors(it), kTfLiteOk);
  assert_true(TfLiteInterpreterGetVariableTensor(it, 0)->data.f[0] == 0);
  /* Only what the file leaves open may change. */
  assert_int_equal(TfLiteInterpreterResizeInputTensorStrict(it, 0, (int[]){1, 2}, 2), kTfLiteOk);
  assert_int_equal(TfLiteInterpreterResizeInputTensorStrict(it, 0, (int[]){1, 3}, 2), kTfLiteError);
  assert_non_null(strstr(s_said, "leaves open"));
  TfLiteInterpreterDelete(it);
  TfLiteInterpreterOptionsDelete(o);
  TfLiteModelDelete(m);
  buf_free(&b);
}

/* Tensors that the caller has made. */
static void own_tensors(void **state) {
  TfLiteTensor a = {0}, b = {0};
  TfLiteIntArray *d[2] = {TfLiteIntArrayCreate(1), TfLiteIntArrayCreate(1)};
  TfLiteFloatArray *f = TfLiteFloatArrayCreate(2), *g;
  const TfLiteQuantizationParams q = {.5f, 3};
  d[0]->data[0] = 4;
  f->data[1] = 7;
  g = TfLiteFloatArrayCopy(f);
  assert_true(g->size == 2 && g->data[1] == 7 &&
              TfLiteFloatArrayGetSizeInBytes(2) == (int)(sizeof(TfLiteFloatArray) + 8));
  assert_null(TfLiteFloatArrayCreate(-1));
  TfLiteFloatArrayFree(f);
  TfLiteFloatArrayFree(g);
  assert_true(TfLiteIntArrayEqualsArray(d[0], 1, (int[]){4}) && !TfLiteIntArrayEqualsArray(d[0], 1, (int[]){5}));
  TfLiteTensorReset(kTfLiteInt8, "a", d[0], q, NULL, 0, kTfLiteDynamic, NULL, false, &a);
  TfLiteTensorReset(kTfLiteInt8, "b", d[1], q, NULL, 0, kTfLiteDynamic, NULL, false, &b);
  assert_int_equal(TfLiteTensorRealloc(4, &a), kTfLiteOk);
  memcpy(a.data.raw, "abcd", 4);
  assert_int_equal(TfLiteTensorRealloc(6, &a), kTfLiteOk);
  assert_memory_equal(a.data.raw, "abcd", 4);
  assert_int_equal(TfLiteTensorCopy(&a, &b), kTfLiteError); /* of other sizes */
  assert_int_equal(TfLiteTensorRealloc(4, &a), kTfLiteOk);
  assert_int_equal(TfLiteTensorResizeMaybeCopy(4, &b, false), kTfLiteOk);
  assert_int_equal(TfLiteTensorCopy(&a, &b), kTfLiteOk);
  assert_true(!memcmp(b.data.raw, "abcd", 4) && TfLiteIntArrayEqual(a.dims, b.dims) && b.dims != a.dims);
  TfLiteTensorFree(&a);
  TfLiteTensorFree(&b);
  assert_int_equal(TfLiteTensorRealloc(1, NULL), kTfLiteError);
  assert_string_equal(TfLiteTypeGetName(kTfLiteFloat32), "FLOAT32");
  assert_string_equal(TfLiteTypeGetName((TfLiteType)99), "Unknown type");
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(classic),        cmocka_unit_test(refused),
                                     cmocka_unit_test(own_operator),   cmocka_unit_test(newest_operator),
                                     cmocka_unit_test(older_operator), cmocka_unit_test(variables),
                                     cmocka_unit_test(own_tensors),    cmocka_unit_test(arrays)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
