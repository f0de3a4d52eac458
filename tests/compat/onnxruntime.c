/* SPDX-License-Identifier: Apache-2.0 */
/* libonnxruntime.so.1 as its users see it: the classic program, threads at once, preallocated and bound outputs, strings,
 * sequences and maps, misuse, terminating, operators of the caller's own. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat/ort_test.h"
#include "lib/build.h"

/* y[N,2] = x[N,2] + x[N,2], and t = Identity(s[N]) of strings. */
static buf model(void) {
  buf graph = {0};
  ox_add_node(&graph, ox_node("Add", "x,x", "y", NULL));
  ox_add_node(&graph, ox_node("Identity", "s", "t", NULL));
  ox_add_in(&graph, ox_info("x", 1, 2, (int64_t[]){-1, 2}, "N"));
  ox_add_in(&graph, ox_info("s", 8, 1, (int64_t[]){-1}, "N"));
  ox_add_out(&graph, ox_info("y", 1, 2, (int64_t[]){-1, 2}, "N"));
  ox_add_out(&graph, ox_info("t", 8, 1, (int64_t[]){-1}, "N"));
  return ox_model(graph, 8, 17);
}

static OrtSession *session(void) {
  OrtSessionOptions *o;
  OrtSession *s;
  buf b = model();
  OK(g->CreateSessionOptions(&o));
  OK(g->SetIntraOpNumThreads(o, 1));
  OK(g->CreateSessionFromArray(s_env, b.p, b.n, o, &s));
  g->ReleaseSessionOptions(o);
  buf_free(&b);
  return s;
}

/* A tensor of floats over x; one of strings. */
static OrtValue *floats(float *x, int64_t rows) {
  return tensor_over(x, (size_t)rows * 8, (int64_t[]){rows, 2}, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
}
static OrtValue *strings(const char *const *s, int64_t n) {
  OrtValue *v;
  OK(g->CreateTensorAsOrtValue(s_alloc, &n, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, &v));
  OK(g->FillStringTensor(v, s, (size_t)n));
  return v;
}

static const char *const s_in[] = {"x", "s"}, *const s_out[] = {"y", "t"};

static void classic(void **state) {
  (void)state;
  OrtSession *s = session();
  size_t n;
  char *name;
  OK(g->SessionGetInputCount(s, &n));
  assert_int_equal(n, 2);
  OK(g->SessionGetOutputName(s, 1, s_alloc, &name));
  assert_string_equal(name, "t");
  OK(g->AllocatorFree(s_alloc, name));
  OrtTypeInfo *type;
  const OrtTensorTypeAndShapeInfo *info;
  const char *symbol[2];
  int64_t dims[2];
  OK(g->SessionGetInputTypeInfo(s, 0, &type));
  OK(g->CastTypeInfoToTensorInfo(type, &info));
  OK(g->GetDimensions(info, dims, 2));
  OK(g->GetSymbolicDimensions(info, symbol, 2));
  assert_true(dims[0] == -1 && dims[1] == 2);
  assert_string_equal(symbol[0], "N");
  g->ReleaseTypeInfo(type);

  float x[] = {1, 2, 3, 4}, *y;
  const OrtValue *in[] = {floats(x, 2), strings((const char *const[]){"one", ""}, 2)};
  OrtValue *out[2] = {NULL, NULL};
  OK(g->Run(s, NULL, s_in, in, 2, s_out, 2, out));
  OK(g->GetTensorMutableData(out[0], (void **)&y));
  for (int i = 0; i < 4; i++) assert_true(y[i] == 2 * x[i]);
  char text[8];
  size_t offset[2];
  OK(g->GetStringTensorDataLength(out[1], &n));
  assert_int_equal(n, 3);
  OK(g->GetStringTensorContent(out[1], text, sizeof text, offset, 2));
  assert_memory_equal(text, "one", 3);
  assert_true(offset[0] == 0 && offset[1] == 3);
  /* The same again into what is there, and one output alone. */
  x[0] = 5;
  OK(g->Run(s, NULL, s_in, in, 2, s_out, 2, out));
  assert_true(y[0] == 10);
  OrtValue *alone = NULL;
  OK(g->Run(s, NULL, s_in, in, 2, s_out, 1, &alone));
  OK(g->GetTensorMutableData(alone, (void **)&y));
  assert_true(y[0] == 10);
  g->ReleaseValue(alone);
  for (int i = 0; i < 2; i++) g->ReleaseValue((OrtValue *)in[i]), g->ReleaseValue(out[i]);
  g->ReleaseSession(s);
}

/* Runs of other shapes, one after the other, see no memory of the one before. */
static void shapes(void **state) {
  (void)state;
  OrtSession *s = session();
  for (int64_t rows = 5; rows > 0; rows -= 2) {
    float x[10], *y;
    const char *text[5] = {"a", "b", "c", "d", "e"};
    for (int i = 0; i < 10; i++) x[i] = (float)i;
    const OrtValue *in[] = {floats(x, rows), strings(text, rows)};
    OrtValue *out[2] = {NULL, NULL};
    OK(g->Run(s, NULL, s_in, in, 2, s_out, 2, out));
    OK(g->GetTensorMutableData(out[0], (void **)&y));
    for (int64_t i = 0; i < 2 * rows; i++) assert_true(y[i] == 2 * x[i]);
    for (int i = 0; i < 2; i++) g->ReleaseValue((OrtValue *)in[i]), g->ReleaseValue(out[i]);
  }
  g->ReleaseSession(s);
}

/* Many threads run one session. */
static void *runs(void *arg) {
  for (int k = 0; k < 200; k++) {
    float x[] = {(float)k, 1}, *y;
    const OrtValue *in[] = {floats(x, 1), strings((const char *const[]){"z"}, 1)};
    OrtValue *out = NULL;
    OK(g->Run(arg, NULL, s_in, in, 2, s_out, 1, &out));
    OK(g->GetTensorMutableData(out, (void **)&y));
    if (y[0] != 2 * (float)k || y[1] != 2) return arg;
    g->ReleaseValue(out);
    for (int i = 0; i < 2; i++) g->ReleaseValue((OrtValue *)in[i]);
  }
  return NULL;
}
static void threads(void **state) {
  (void)state;
  OrtSession *s = session();
  pthread_t t[4];
  void *bad;
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&t[i], NULL, runs, s), 0);
  for (int i = 0; i < 4; i++) {
    pthread_join(t[i], &bad);
    assert_null(bad);
  }
  g->ReleaseSession(s);
}

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t s_done = PTHREAD_COND_INITIALIZER;
static OrtStatus *s_status;
static int s_calls;
static void done(void *user, OrtValue **out, size_t n, OrtStatusPtr status) {
  (void)out;
  pthread_mutex_lock(&s_lock);
  *(size_t *)user = n;
  s_status = status;
  s_calls++;
  pthread_cond_signal(&s_done);
  pthread_mutex_unlock(&s_lock);
}

static void bound(void **state) {
  (void)state;
  OrtSession *s = session();
  OrtIoBinding *b;
  OrtMemoryInfo *m;
  OrtRunOptions *o;
  float x[] = {1, 2}, y[2] = {0};
  OrtValue *vx = floats(x, 1), *vy = floats(y, 1), *vs = strings((const char *const[]){"q"}, 1), **got;
  OK(g->CreateIoBinding(s, &b));
  OK(g->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &m));
  OK(g->BindInput(b, "x", vx));
  OK(g->BindInput(b, "s", vs));
  refused(g->BindInput(b, "nobody", vx), ORT_FAIL, "nobody");
  OK(g->BindOutput(b, "y", vy));
  OK(g->BindOutputToDevice(b, "t", m));
  OK(g->RunWithBinding(s, NULL, b));
  assert_true(y[0] == 2 && y[1] == 4);
  size_t n, length;
  OK(g->GetBoundOutputValues(b, s_alloc, &got, &n));
  assert_int_equal(n, 2);
  OK(g->GetStringTensorElementLength(got[1], 0, &length));
  assert_int_equal(length, 1);
  for (size_t i = 0; i < n; i++) g->ReleaseValue(got[i]);
  OK(g->AllocatorFree(s_alloc, got));
  OK(g->RunWithBinding(s, NULL, b));
  /* Terminated: at once and again, until the flag is taken back. */
  OK(g->CreateRunOptions(&o));
  OK(g->RunOptionsSetTerminate(o));
  refused(g->RunWithBinding(s, o, b), ORT_FAIL, "terminate");
  OK(g->RunOptionsUnsetTerminate(o));
  OK(g->RunWithBinding(s, o, b));
  const OrtValue *in[] = {vx, vs};
  OrtValue *out = NULL;
  OK(g->RunAsync(s, o, s_in, in, 2, s_out, 1, &out, done, &n));
  pthread_mutex_lock(&s_lock);
  while (!s_calls) pthread_cond_wait(&s_done, &s_lock);
  pthread_mutex_unlock(&s_lock);
  assert_null(s_status);
  assert_int_equal(n, 1);
  assert_non_null(out);
  g->ReleaseValue(out);
  g->ReleaseRunOptions(o);
  g->ReleaseIoBinding(b);
  g->ReleaseMemoryInfo(m);
  g->ReleaseValue(vx), g->ReleaseValue(vy), g->ReleaseValue(vs);
  g->ReleaseSession(s);
}

static void collections(void **state) {
  (void)state;
  float x[] = {1, 2, 3, 4};
  int64_t two = 2, keys[] = {7, 8};
  OrtMemoryInfo *m;
  OK(g->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &m));
  OrtValue *k, *v, *map, *seq, *item, *part;
  OK(g->CreateTensorWithDataAsOrtValue(m, keys, sizeof keys, &two, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, &k));
  OK(g->CreateTensorWithDataAsOrtValue(m, x, 8, &two, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
  OK(g->CreateValue((const OrtValue *const[]){k, v}, 2, ONNX_TYPE_MAP, &map));
  OK(g->CreateValue((const OrtValue *const[]){map, map}, 2, ONNX_TYPE_SEQUENCE, &seq));
  refused(g->CreateValue((const OrtValue *const[]){k}, 1, ONNX_TYPE_MAP, &item), ORT_FAIL, "MUST be 2");
  refused(g->CreateValue((const OrtValue *const[]){k, v}, 2, ONNX_TYPE_SEQUENCE, &item), ORT_FAIL, "type");
  enum ONNXType type;
  size_t n;
  OK(g->GetValueType(seq, &type));
  assert_int_equal(type, ONNX_TYPE_SEQUENCE);
  OK(g->GetValueCount(seq, &n));
  assert_int_equal(n, 2);
  OK(g->GetValue(seq, 1, s_alloc, &item));
  OK(g->GetValue(item, 0, s_alloc, &part));
  const void *p;
  OK(g->GetTensorData(part, &p));
  assert_memory_equal(p, keys, sizeof keys);
  refused(g->GetValue(seq, 2, s_alloc, &item), ORT_FAIL, "index");
  g->ReleaseValue(part), g->ReleaseValue(item), g->ReleaseValue(seq), g->ReleaseValue(map);
  g->ReleaseValue(k), g->ReleaseValue(v);
  g->ReleaseMemoryInfo(m);
}

static void misuse(void **state) {
  (void)state;
  OrtSession *s = session(), *none;
  float x[6] = {0};
  OrtValue *vx = floats(x, 2), *vs = strings((const char *const[]){"a", "b"}, 2), *wrong, *out = NULL;
  const OrtValue *in[] = {vx, vs};
  refused(g->Run(NULL, NULL, s_in, in, 2, s_out, 1, &out), ORT_INVALID_ARGUMENT, "null");
  refused(g->Run(s, NULL, s_in, in, 1, s_out, 1, &out), ORT_FAIL, "Missing Input: s");
  refused(g->Run(s, NULL, s_out, in, 2, s_out, 1, &out), ORT_INVALID_ARGUMENT, "Invalid input name: y");
  refused(g->Run(s, NULL, s_in, in, 2, s_in, 1, &out), ORT_INVALID_ARGUMENT, "Invalid output name: x");
  refused(g->Run(s, NULL, s_in, (const OrtValue *const[]){vs, vs}, 2, s_out, 1, &out), ORT_INVALID_ARGUMENT, "data type");
  OK(g->CreateTensorAsOrtValue(s_alloc, (int64_t[]){1, 3}, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &wrong));
  refused(g->Run(s, NULL, s_in, (const OrtValue *const[]){wrong, vs}, 2, s_out, 1, &out), ORT_INVALID_ARGUMENT,
          "Got: 3 Expected: 2");
  refused(g->Run(s, NULL, s_in, in, 2, s_out, 1, &wrong), ORT_INVALID_ARGUMENT, "{2,2}");
  OK(g->Run(s, NULL, s_in, in, 2, s_out, 1, &out));
  g->ReleaseValue(out), g->ReleaseValue(wrong), g->ReleaseValue(vx), g->ReleaseValue(vs);
  refused(g->CreateSession(s_env, "no/such/file.onnx", NULL, &none), ORT_NO_SUCHFILE, "no/such/file.onnx");
  refused(g->CreateSessionFromArray(s_env, "rubbish", 7, NULL, &none), ORT_INVALID_PROTOBUF, "");
  refused(g->CreateSessionFromArray(s_env, "", 0, NULL, &none), ORT_INVALID_ARGUMENT, "No graph");
  refused(g->SetCurrentGpuDeviceId(0), ORT_NOT_IMPLEMENTED, "SetCurrentGpuDeviceId");
  assert_null(OrtGetApiBase()->GetApi(ORT_API_VERSION + 1));
  assert_ptr_equal(OrtGetApiBase()->GetApi(17), g);
  g->ReleaseSession(s);
}

static void options(void **state) {
  (void)state;
  OrtSessionOptions *o, *copy;
  char text[8];
  size_t n = 2;
  int has;
  OK(g->CreateSessionOptions(&o));
  OK(g->AddSessionConfigEntry(o, "key", "value"));
  OK(g->CloneSessionOptions(o, &copy));
  g->ReleaseSessionOptions(o);
  OK(g->HasSessionConfigEntry(copy, "key", &has));
  assert_int_equal(has, 1);
  refused(g->GetSessionConfigEntry(copy, "key", text, &n), ORT_INVALID_ARGUMENT, "not large enough");
  assert_int_equal(n, 6);
  OK(g->GetSessionConfigEntry(copy, "key", text, &n));
  assert_string_equal(text, "value");
  refused(g->SessionOptionsAppendExecutionProvider(copy, "CUDA", NULL, NULL, 0), ORT_INVALID_ARGUMENT, "CUDA");
  OrtCUDAProviderOptionsV2 *cuda = NULL;
  refused(g->CreateCUDAProviderOptions(&cuda), ORT_FAIL, "CUDA execution provider is not enabled in this build");
  memset(cuda, 1, 1024); /* as clients do that do not look at the status */
  refused(g->UpdateCUDAProviderOptions(cuda, NULL, NULL, 0), ORT_FAIL, "CUDA");
  refused(g->SessionOptionsAppendExecutionProvider_CUDA_V2(copy, cuda), ORT_FAIL, "CUDA");
  g->ReleaseCUDAProviderOptions(cuda);
  assert_null(OrtSessionOptionsAppendExecutionProvider_CPU(copy, 1));
  refused(OrtSessionOptionsAppendExecutionProvider_CPU(NULL, 1), ORT_INVALID_ARGUMENT, "options");
  refused(OrtSessionOptionsAppendExecutionProvider_CUDA(copy, 0), ORT_FAIL, "CUDA");
  refused(OrtSessionOptionsAppendExecutionProvider_ROCM(copy, 0), ORT_FAIL, "ROCM");
  refused(OrtSessionOptionsAppendExecutionProvider_MIGraphX(copy, 0), ORT_FAIL, "MIGraphX");
  refused(OrtSessionOptionsAppendExecutionProvider_Dnnl(copy, 1), ORT_FAIL, "DNNL");
  refused(OrtSessionOptionsAppendExecutionProvider_Tensorrt(copy, 0), ORT_FAIL, "TensorRT");
  refused(OrtSessionOptionsAppendExecutionProvider_OpenVINO(copy, "CPU"), ORT_FAIL, "OpenVINO");
  refused(OrtSessionOptionsAppendExecutionProvider_Tensorrt(NULL, 0), ORT_INVALID_ARGUMENT, "Tensorrt: options");
  /* A free dimension with a number is that number. */
  OK(g->AddFreeDimensionOverrideByName(copy, "N", 3));
  buf b = model();
  OrtSession *s;
  OrtTypeInfo *type;
  const OrtTensorTypeAndShapeInfo *info;
  int64_t dims[2];
  OK(g->CreateSessionFromArray(s_env, b.p, b.n, copy, &s));
  OK(g->SessionGetInputTypeInfo(s, 0, &type));
  OK(g->CastTypeInfoToTensorInfo(type, &info));
  OK(g->GetDimensions(info, dims, 2));
  assert_int_equal(dims[0], 3);
  g->ReleaseTypeInfo(type);
  g->ReleaseSession(s);
  buf_free(&b);
  g->ReleaseSessionOptions(copy);
}

/* An operator of the caller's own: y = by * x, where by is an attribute. */
static void *scale_create(const OrtCustomOp *op, const OrtApi *api, const OrtKernelInfo *info) {
  (void)op;
  float *by = malloc(sizeof *by);
  OrtStatus *s = api->KernelInfoGetAttribute_float(info, "by", by);
  if (!s) return by;
  api->ReleaseStatus(s);
  free(by);
  return NULL;
}
static const char *scale_name(const OrtCustomOp *op) { return op ? "Scale" : NULL; }
static ONNXTensorElementDataType scale_type(const OrtCustomOp *op, size_t i) {
  return op && !i ? ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}
static size_t scale_count(const OrtCustomOp *op) { return op != NULL; }
static void scale_run(void *kernel, OrtKernelContext *k) {
  const OrtValue *in;
  OrtValue *out;
  OrtTensorTypeAndShapeInfo *info;
  int64_t dims[2];
  const void *x;
  float *y;
  size_t n;
  OK(g->KernelContext_GetInput(k, 0, &in));
  OK(g->GetTensorTypeAndShape(in, &info));
  OK(g->GetDimensions(info, dims, 2));
  OK(g->GetTensorShapeElementCount(info, &n));
  g->ReleaseTensorTypeAndShapeInfo(info);
  OK(g->KernelContext_GetOutput(k, 0, dims, 2, &out));
  OK(g->GetTensorData(in, &x));
  OK(g->GetTensorMutableData(out, (void **)&y));
  for (size_t i = 0; i < n; i++) y[i] = *(float *)kernel * ((const float *)x)[i];
}
static void scale_free(void *kernel) { free(kernel); }

static void own_operator(void **state) {
  (void)state;
  static const OrtCustomOp op = {.version = 12, .CreateKernel = scale_create, .GetName = scale_name, .GetInputType = scale_type,
                                 .GetInputTypeCount = scale_count, .GetOutputType = scale_type,
                                 .GetOutputTypeCount = scale_count, .KernelCompute = scale_run, .KernelDestroy = scale_free};
  const ox_attr by[] = {{.name = "by", .type = 1, .f = 3}, {.type = 0}};
  for (int with = 0; with < 2; with++) {
    buf graph = {0};
    ox_add_node(&graph, ox_node_in("mine", "Scale", "n", "x", "m", with ? by : NULL));
    ox_add_node(&graph, ox_node("Add", "m,x", "y", NULL));
    ox_add_in(&graph, ox_info("x", 1, 2, (int64_t[]){-1, 2}, "N"));
    ox_add_out(&graph, ox_info("y", 1, 2, (int64_t[]){-1, 2}, "N"));
    buf b = ox_model(graph, 8, 17), opset = {0};
    pb_str(&opset, 1, "mine");
    pb_int(&opset, 2, 1);
    pb_msg(&b, 8, &opset);
    OrtCustomOpDomain *d;
    OrtSessionOptions *o;
    OrtSession *s;
    OK(g->CreateCustomOpDomain("mine", &d));
    OK(g->CustomOpDomain_Add(d, &op));
    OK(g->CreateSessionOptions(&o));
    OK(g->AddCustomOpDomain(o, d));
    OrtStatus *st = g->CreateSessionFromArray(s_env, b.p, b.n, o, &s);
    if (with) {
      OK(st);
      float x[] = {1, 2, 3, 4}, *y;
      const OrtValue *in = floats(x, 2);
      OrtValue *out = NULL;
      OK(g->Run(s, NULL, s_in, &in, 1, s_out, 1, &out));
      OK(g->GetTensorMutableData(out, (void **)&y));
      for (int i = 0; i < 4; i++) assert_true(y[i] == 4 * x[i]);
      g->ReleaseValue(out), g->ReleaseValue((OrtValue *)in);
      g->ReleaseSession(s);
    } else {
      refused(st, ORT_INVALID_ARGUMENT, "no kernel");
    }
    g->ReleaseSessionOptions(o);
    g->ReleaseCustomOpDomain(d);
    buf_free(&b);
  }
}

/* An input that is a scalar takes any tensor of one element, as with the original: sherpa-onnx gives silero's rate
 * so. */
static void scalar(void **state) {
  (void)state;
  buf graph = {0};
  ox_add_node(&graph, ox_node("Add", "r,r", "y", NULL));
  ox_add_in(&graph, ox_info("r", 1, 0, NULL, NULL));
  ox_add_out(&graph, ox_info("y", 1, 0, NULL, NULL));
  buf b = ox_model(graph, 8, 17);
  OrtSession *s;
  OK(g->CreateSessionFromArray(s_env, b.p, b.n, NULL, &s));
  buf_free(&b);
  float x[] = {3, 4}, *y;
  static const int64_t one[] = {1, 1}, two[] = {2};
  for (size_t rank = 0; rank < 3; rank++) {
    const OrtValue *in = tensor_over(x, 4, one, rank, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
    OrtValue *out = NULL;
    OK(g->Run(s, NULL, &(const char *){"r"}, &in, 1, &(const char *){"y"}, 1, &out));
    OK(g->GetTensorMutableData(out, (void **)&y));
    assert_true(*y == 6);
    g->ReleaseValue(out), g->ReleaseValue((OrtValue *)in);
  }
  const OrtValue *in = tensor_over(x, 8, two, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  OrtValue *out = NULL;
  refused(g->Run(s, NULL, &(const char *){"r"}, &in, 1, &(const char *){"y"}, 1, &out), ORT_INVALID_ARGUMENT, "rank");
  g->ReleaseValue((OrtValue *)in);
  g->ReleaseSession(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(classic), cmocka_unit_test(shapes),      cmocka_unit_test(threads),
                                     cmocka_unit_test(bound),   cmocka_unit_test(collections), cmocka_unit_test(misuse),
                                     cmocka_unit_test(options), cmocka_unit_test(own_operator),
                                     cmocka_unit_test(scalar)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
