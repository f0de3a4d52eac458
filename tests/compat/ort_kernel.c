/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels of the caller's own learn through ONNX Runtime's interface: names, types, attributes, constant inputs,
 * entries of the options, and where they log. */

#include <stdlib.h>

#include "compat/ort_test.h"
#include "lib/build.h"

static int s_created, s_ran, s_lines;
static const OrtValue *s_constant;

static void heard(void *param, OrtLoggingLevel level, const char *category, const char *id, const char *place,
                  const char *line) {
  (void)category;
  if (strcmp(line, "made")) return;
  assert_ptr_equal(param, &s_lines);
  assert_int_equal(level, ORT_LOGGING_LEVEL_ERROR);
  assert_string_equal(id, "who");
  assert_string_equal(place, "kernel.c:7 create");
  s_lines++;
}

/* A text that is asked for twice: its length, then itself. */
#define TEXT(call_with, want)                                 \
  do {                                                        \
    char text[64];                                            \
    size_t size = 0;                                          \
    char *to = NULL;                                          \
    OK(call_with);                                            \
    assert_int_equal(size, strlen(want) + 1);                 \
    to = text;                                                \
    OK(call_with);                                            \
    assert_string_equal(text, want);                          \
    size = 1;                                                 \
    refused(call_with, ORT_INVALID_ARGUMENT, "large enough"); \
  } while (0)

static OrtStatus *create(const OrtCustomOp *op, const OrtApi *api, const OrtKernelInfo *k, void **kernel) {
  (void)op;
  size_t n;
  int since, constant;
  char **words;
  OrtTypeInfo *type;
  const OrtTensorTypeAndShapeInfo *info;
  const char *symbol[2];
  const float *w;
  const OrtLogger *logger;
  OrtLoggingLevel level;
  OrtKeyValuePairs *entries;
  assert_ptr_equal(api, g);
  TEXT(g->KernelInfo_GetNodeName(k, to, &size), "node");
  TEXT(g->KernelInfo_GetOperatorType(k, to, &size), "Own");
  TEXT(g->KernelInfo_GetOperatorDomain(k, to, &size), "mine");
  TEXT(g->KernelInfo_GetInputName(k, 0, to, &size), "x");
  TEXT(g->KernelInfo_GetInputName(k, 1, to, &size), "w");
  TEXT(g->KernelInfo_GetOutputName(k, 0, to, &size), "y");
  TEXT(g->KernelInfoGetAttribute_string(k, "text", to, &size), "hello");
  OK(g->KernelInfo_GetOperatorSinceVersion(k, &since));
  assert_int_equal(since, 1);
  OK(g->KernelInfoGetAttributeArray_string(k, "words", s_alloc, &words, &n));
  assert_int_equal(n, 2);
  assert_string_equal(words[1], "bc");
  for (size_t i = 0; i < n; i++) s_alloc->Free(s_alloc, words[i]);
  s_alloc->Free(s_alloc, words);
  refused(g->KernelInfoGetAttributeArray_string(k, "text", s_alloc, &words, &n), ORT_FAIL, "text");
  OK(g->KernelInfo_GetInputTypeInfo(k, 0, &type));
  OK(g->CastTypeInfoToTensorInfo(type, &info));
  OK(g->GetSymbolicDimensions(info, symbol, 2));
  assert_string_equal(symbol[0], "N");
  g->ReleaseTypeInfo(type);
  OK(g->KernelInfo_GetOutputTypeInfo(k, 0, &type));
  g->ReleaseTypeInfo(type);
  refused(g->KernelInfo_GetInputTypeInfo(k, 2, &type), ORT_INVALID_ARGUMENT, "input 2 of 2");
  OK(g->KernelInfoGetConstantInput_tensor(k, 0, &constant, &s_constant));
  assert_int_equal(constant, 0);
  assert_null(s_constant);
  OK(g->KernelInfoGetConstantInput_tensor(k, 1, &constant, &s_constant));
  assert_int_equal(constant, 1);
  OK(g->GetTensorData(s_constant, (const void **)&w));
  assert_true(w[0] == 2 && w[1] == 3);
  OK(g->KernelInfo_GetConfigEntries(k, &entries));
  assert_string_equal(g->GetKeyValue(entries, "key"), "value");
  g->ReleaseKeyValuePairs(entries);
  OK(g->KernelInfo_GetLogger(k, &logger));
  OK(g->Logger_GetLoggingSeverityLevel(logger, &level));
  assert_int_equal(level, ORT_LOGGING_LEVEL_WARNING);
  OK(g->Logger_LogMessage(logger, ORT_LOGGING_LEVEL_ERROR, "made", "some/kernel.c", 7, "create"));
  OK(g->Logger_LogMessage(logger, ORT_LOGGING_LEVEL_INFO, "made", "kernel.c", 8, "create")); /* below the level */
  s_created++;
  *kernel = &s_created;
  return NULL;
}

/* y = x * w, by the constant that create was given. */
static OrtStatus *compute(void *kernel, OrtKernelContext *c) {
  const OrtValue *in;
  OrtValue *out;
  const float *x, *w;
  float *y;
  const OrtLogger *logger;
  OrtAllocator *a;
  OrtMemoryInfo *m;
  void *stream = &s_ran;
  assert_ptr_equal(kernel, &s_created);
  OK(g->KernelContext_GetLogger(c, &logger));
  OK(g->Logger_LogMessage(logger, ORT_LOGGING_LEVEL_ERROR, "made", "kernel.c", 7, "create"));
  OK(g->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &m));
  OK(g->KernelContext_GetAllocator(c, m, &a));
  g->ReleaseAllocator(a);
  g->ReleaseMemoryInfo(m);
  OK(g->KernelContext_GetGPUComputeStream(c, &stream));
  assert_null(stream);
  OK(g->KernelContext_GetPreallocatedOutput(c, 0, &out));
  assert_null(out);
  refused(g->KernelContext_GetPreallocatedOutput(c, 1, &out), ORT_INVALID_ARGUMENT, "output 1 of 1");
  OK(g->KernelContext_GetInput(c, 0, &in));
  OK(g->KernelContext_GetOutput(c, 0, (int64_t[]){2, 2}, 2, &out));
  OK(g->GetTensorData(in, (const void **)&x));
  OK(g->GetTensorData(s_constant, (const void **)&w));
  OK(g->GetTensorMutableData(out, (void **)&y));
  for (int i = 0; i < 4; i++) y[i] = x[i] * w[i % 2];
  s_ran++;
  return NULL;
}

static const char *name_of(const OrtCustomOp *op) { return op ? "Own" : NULL; }
static ONNXTensorElementDataType type_at(const OrtCustomOp *op, size_t i) {
  return op && i < 2 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}
static size_t two(const OrtCustomOp *op) { return op ? 2 : 0; }
static size_t one(const OrtCustomOp *op) { return op ? 1 : 0; }
static void forget(void *kernel) { assert_ptr_equal(kernel, &s_created); }

static void learns(void **state) {
  (void)state;
  static const OrtCustomOp op = {.version = 16,
                                 .GetName = name_of,
                                 .GetInputType = type_at,
                                 .GetInputTypeCount = two,
                                 .GetOutputType = type_at,
                                 .GetOutputTypeCount = one,
                                 .KernelDestroy = forget,
                                 .CreateKernelV2 = create,
                                 .KernelComputeV2 = compute};
  const ox_attr attrs[] = {
      {.name = "text", .type = 3, .s = "hello"}, {.name = "words", .type = 8, .s = "a,bc"}, {.type = 0}};
  buf graph = {0}, opset = {0};
  ox_add_node(&graph, ox_node_in("mine", "Own", "node", "x,w", "y", attrs));
  ox_add_init(&graph, ox_tensor("w", 1, 1, (int64_t[]){2}, (float[]){2, 3}, 8));
  ox_add_in(&graph, ox_info("x", 1, 2, (int64_t[]){-1, 2}, "N"));
  ox_add_out(&graph, ox_info("y", 1, 2, (int64_t[]){-1, 2}, "N"));
  buf b = ox_model(graph, 8, 17);
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
  OK(g->AddSessionConfigEntry(o, "key", "value"));
  OK(g->SetUserLoggingFunction(o, heard, &s_lines));
  OK(g->SetSessionLogId(o, "who"));
  OK(g->CreateSessionFromArray(s_env, b.p, b.n, o, &s));
  assert_int_equal(s_created, 1);
  assert_int_equal(s_lines, 1);
  float x[] = {1, 2, 3, 4}, *y;
  const char *in_name = "x", *out_name = "y";
  OrtMemoryInfo *m;
  OrtValue *in, *out = NULL;
  OK(g->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &m));
  OK(g->CreateTensorWithDataAsOrtValue(m, x, sizeof x, (int64_t[]){2, 2}, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                                       &in));
  OK(g->Run(s, NULL, &in_name, (const OrtValue *const *)&in, 1, &out_name, 1, &out));
  OK(g->GetTensorMutableData(out, (void **)&y));
  assert_true(y[0] == 2 && y[1] == 6 && y[2] == 6 && y[3] == 12);
  assert_int_equal(s_lines, 2);
  assert_int_equal(s_ran, 1);
  g->ReleaseValue(in);
  g->ReleaseValue(out);
  g->ReleaseMemoryInfo(m);
  g->ReleaseSession(s);
  g->ReleaseSessionOptions(o);
  g->ReleaseCustomOpDomain(d);
  buf_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(learns)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
