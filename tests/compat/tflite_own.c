/* SPDX-License-Identifier: Apache-2.0 */
/* libtensorflowlite_c.so for operators of the caller's own: tensors of their own, outputs whose sizes the kernel
 * tells, strings, functions that answer registrations; and what is there for delegates, which have nothing to do. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/build.h"
#include "lib/test.h"
#include "tensorflow/lite/c/c_api_experimental.h"
#include "tensorflow/lite/c/c_api_opaque.h"
#include "tensorflow/lite/core/async/interop/c/types.h"
#include "tensorflow/lite/delegates/nnapi/nnapi_delegate_c_api.h"
#include "tensorflow/lite/delegates/xnnpack/xnnpack_delegate.h"
#include "tensorflow/lite/profiling/telemetry/c/telemetry_setting.h"

static char s_said[600];
static void listen(void *user, const char *format, va_list ap) { vsnprintf(s_said, sizeof s_said, format, ap); }

static TfLiteInterpreterOptions *options(void) {
  TfLiteInterpreterOptions *o = TfLiteInterpreterOptionsCreate();
  assert_non_null(o);
  TfLiteInterpreterOptionsSetErrorReporter(o, listen, s_said);
  s_said[0] = 0;
  return o;
}

/* x of three floats or strings through operator "Own" to y, whose size the file does not know; with add, y = Own(x +
 * x). */
static buf model(int type_in, int type_out, bool add) {
  const tf_tensor t[] = {{.name = "x", .type = type_in, .rank = 1, .dim = {3}},
                         {.name = "y", .type = type_out, .rank = 1, .dim = {1}},
                         {.name = "z", .type = 0, .rank = 1, .dim = {3}}};
  const tf_op op[] = {
      {.code = 32, .custom = "Own", .version = 1, .n_in = 1, .n_out = 1, .in = {add ? 2 : 0}, .out = {1}},
      {.code = 0, .version = 1, .n_in = 2, .n_out = 1, .in = {0, 0}, .out = {2}, .options = 11}};
  const tf_op both[] = {op[1], op[0]};
  const tf_graph g = {.n_tensor = 3,
                      .n_in = 1,
                      .n_out = 1,
                      .n_op = add ? 2 : 1,
                      .tensor = t,
                      .op = add ? both : op,
                      .in = {0},
                      .out = {1}};
  return tf_model(&g, 1, NULL, 0);
}

static TfLiteIntArray *vector(int n) {
  TfLiteIntArray *a = TfLiteIntArrayCreate(1);
  a->data[0] = n;
  return a;
}

/* ---- a temporary tensor, and an output whose size depends on the data: x's elements above zero, doubled
 * -------------- */

static int s_freed;
static void *positive_init(TfLiteOpaqueContext *c, const char *options, size_t n) {
  int *number = calloc(1, sizeof *number);
  TfLiteOpaqueTensorBuilder *b = TfLiteOpaqueTensorBuilderCreate();
  assert_ptr_equal(TfLiteOpaqueTensorBuilderSetType(b, kTfLiteFloat32), b);
  assert_int_equal(TfLiteOpaqueContextAddTensor(c, b, number), kTfLiteError); /* of no allocation type */
  assert_ptr_equal(TfLiteOpaqueTensorBuilderSetAllocationType(b, kTfLiteDynamic), b);
  assert_int_equal(TfLiteOpaqueContextAddTensor(c, b, number), kTfLiteError); /* dynamic, and without data */
  assert_ptr_equal(TfLiteOpaqueTensorBuilderSetData(b, number), b);
  TfLiteOpaqueTensorBuilderSetAllocationType(b, kTfLiteArenaRw);
  assert_int_equal(TfLiteOpaqueContextAddTensor(c, b, number), kTfLiteError); /* the arena's, and with data */
  TfLiteOpaqueTensorBuilderSetData(b, NULL);
  assert_ptr_equal(TfLiteOpaqueTensorBuilderSetQuantizationParams(b, (TfLiteQuantizationParams){.5f, 3}), b);
  assert_ptr_equal(TfLiteOpaqueTensorBuilderSetQuantization(b, (TfLiteQuantization){kTfLiteNoQuantization, NULL}), b);
  assert_int_equal(TfLiteOpaqueContextAddTensor(c, b, number), kTfLiteOk);
  TfLiteOpaqueTensorBuilderDelete(b);
  return number;
}
static void positive_free(TfLiteOpaqueContext *c, void *data) {
  s_freed++;
  free(data);
}
static TfLiteStatus positive_prepare(TfLiteOpaqueContext *c, TfLiteOpaqueNode *n) {
  const int *number = TfLiteOpaqueNodeGetUserData(n), *in, *out;
  int n_in = 0, n_out = 0;
  if (TfLiteOpaqueNodeSetTemporaries(n, number, 1)) return kTfLiteError;
  TfLiteOpaqueTensor *t = TfLiteOpaqueContextGetOpaqueTensor(c, *number);
  if (!t || TfLiteOpaqueTensorGetQuantizationParams(t).zero_point != 3) return kTfLiteError;
  if (TfLiteOpaqueContextResizeTensor(c, t, vector(3))) return kTfLiteError;
  assert_int_equal(TfLiteOpaqueNodeInputs(n, &in, &n_in), kTfLiteOk);
  assert_int_equal(TfLiteOpaqueNodeOutputs(n, &out, &n_out), kTfLiteOk);
  assert_true(n_in == 1 && n_out == 1);
  assert_int_equal(in[0], TfLiteOpaqueNodeGetInputTensorIndex(n, 0));
  assert_int_equal(out[0], TfLiteOpaqueNodeGetOutputTensorIndex(n, 0));
  assert_int_equal(TfLiteOpaqueNodeGetInputTensorIndex(n, 1), -1);
  assert_int_equal(TfLiteOpaqueNodeGetOutputTensorIndex(n, -1), -1);
  assert_true((size_t)*number < TfLiteOpaqueContextGetNumTensors(c));
  assert_true(TfLiteOpaqueContextGetNumNodes(c) > 0);
  assert_ptr_equal(TfLiteOpaqueContextGetOpaqueTensor(c, in[0]), TfLiteOpaqueNodeGetInput(c, n, 0));
  TfLiteOpaqueTensor *y = TfLiteOpaqueNodeGetOutput(c, n, 0);
  TfLiteOpaqueTensorSetAllocationTypeToDynamic(y);
  assert_int_equal(TfLiteOpaqueTensorGetAllocationType(y), kTfLiteDynamic);
  assert_int_equal(TfLiteOpaqueTensorGetAllocationStrategy(y), kTfLiteAllocationStrategyMalloc);
  return kTfLiteOk;
}
static TfLiteStatus positive_invoke(TfLiteOpaqueContext *c, TfLiteOpaqueNode *n) {
  const int *list;
  int count = 0, kept = 0;
  if (TfLiteOpaqueNodeTemporaries(n, &list, &count) || count != 1) return kTfLiteError;
  float *t = TfLiteOpaqueTensorData(TfLiteOpaqueContextGetOpaqueTensor(c, list[0]));
  const float *x = TfLiteOpaqueTensorData(TfLiteOpaqueNodeGetInput(c, n, 0));
  for (int i = 0; i < 3; i++)
    if (x[i] > 0) t[kept++] = 2 * x[i];
  TfLiteOpaqueTensor *y = TfLiteOpaqueNodeGetOutput(c, n, 0);
  if (TfLiteOpaqueContextResizeTensor(c, y, vector(kept))) return kTfLiteError;
  if (kept) memcpy(TfLiteOpaqueTensorData(y), t, (size_t)kept * sizeof *t);
  return kTfLiteOk;
}

/* The registration of those four functions. */
static TfLiteRegistrationExternal *positive(void) {
  TfLiteRegistrationExternal *r = TfLiteRegistrationExternalCreate(32, "Own", 1);
  TfLiteRegistrationExternalSetInit(r, positive_init);
  TfLiteRegistrationExternalSetFree(r, positive_free);
  TfLiteRegistrationExternalSetPrepare(r, positive_prepare);
  TfLiteRegistrationExternalSetInvoke(r, positive_invoke);
  return r;
}

/* Run an interpreter whose operator that is, `times` its input. */
static void positive_runs(TfLiteInterpreter *it, float times) {
  static const float k_in[][3] = {{1, -1, 2}, {-1, -2, -3}, {3, 4, 5}};
  static const int k_kept[] = {2, 0, 3};
  if (!it) fail_msg("%s", s_said);
  if (TfLiteInterpreterAllocateTensors(it)) fail_msg("%s", s_said);
  for (int k = 0; k < 3; k++) {
    assert_int_equal(TfLiteTensorCopyFromBuffer(TfLiteInterpreterGetInputTensor(it, 0), k_in[k], 12), kTfLiteOk);
    if (TfLiteInterpreterInvoke(it)) fail_msg("%s", s_said);
    const TfLiteTensor *y = TfLiteInterpreterGetOutputTensor(it, 0);
    assert_int_equal(TfLiteTensorByteSize(y), 4 * k_kept[k]);
    assert_int_equal(TfLiteTensorDim(y, 0), k_kept[k]);
    if (k != 1) assert_true(y->data.f[0] == 2 * times * k_in[k][0]);
    if (k != 1) assert_true(y->data.f[k_kept[k] - 1] == 2 * times * k_in[k][2]);
  }
}

static void dynamic_output(void **state) {
  buf b = model(0, 0, true);
  TfLiteModel *m = TfLiteModelCreate(b.p, b.n);
  TfLiteInterpreterOptions *o = options();
  TfLiteRegistrationExternal *r = positive();
  TfLiteInterpreterOptionsAddRegistrationExternal(o, r);
  s_freed = 0;
  TfLiteInterpreter *it = TfLiteInterpreterCreate(m, o);
  positive_runs(it, 2);
  TfLiteInterpreterDelete(it);
  assert_int_equal(s_freed, 1);
  TfLiteInterpreterOptionsDelete(o);
  TfLiteRegistrationExternalDelete(r);
  TfLiteModelDelete(m);
  buf_free(&b);
}

/* The same in the older form: x's elements above zero. */
static TfLiteStatus old_prepare(TfLiteContext *c, TfLiteNode *n) {
  c->tensors[n->outputs->data[0]].allocation_type = kTfLiteDynamic;
  return kTfLiteOk;
}
static TfLiteStatus old_invoke(TfLiteContext *c, TfLiteNode *n) {
  const TfLiteTensor *x = &c->tensors[n->inputs->data[0]];
  TfLiteTensor *y = &c->tensors[n->outputs->data[0]];
  int kept = 0;
  for (int i = 0; i < 3; i++) kept += x->data.f[i] > 0;
  if (c->ResizeTensor(c, y, vector(kept))) return kTfLiteError;
  for (int i = kept = 0; i < 3; i++)
    if (x->data.f[i] > 0) y->data.f[kept++] = 2 * x->data.f[i];
  return kTfLiteOk;
}
static const TfLiteRegistration k_old = {
    .prepare = old_prepare, .invoke = old_invoke, .builtin_code = 32, .custom_name = "Own", .version = 1};

static void older_dynamic_output(void **state) {
  buf b = model(0, 0, false);
  TfLiteModel *m = TfLiteModelCreate(b.p, b.n);
  TfLiteInterpreterOptions *o = options();
  TfLiteInterpreterOptionsAddCustomOp(o, "Own", &k_old, 1, 1);
  TfLiteInterpreter *it = TfLiteInterpreterCreate(m, o);
  positive_runs(it, 1);
  TfLiteInterpreterDelete(it);
  TfLiteInterpreterOptionsDelete(o);
  TfLiteModelDelete(m);
  buf_free(&b);
}

/* ---- strings: every one of x twice ------------------------------------------------------------------ */

static TfLiteStatus twice_prepare(TfLiteOpaqueContext *c, TfLiteOpaqueNode *n) {
  TfLiteOpaqueTensorSetAllocationTypeToDynamic(TfLiteOpaqueNodeGetOutput(c, n, 0));
  return kTfLiteOk;
}
static TfLiteStatus twice_invoke(TfLiteOpaqueContext *c, TfLiteOpaqueNode *n) {
  const TfLiteOpaqueTensor *x = TfLiteOpaqueNodeGetInput(c, n, 0);
  TfLiteOpaqueTensor *y = TfLiteOpaqueNodeGetOutput(c, n, 0);
  const char *text[16];
  int length[16], count = TfLiteOpaqueTensorGetStringCount(x);
  assert_int_equal(TfLiteOpaqueTensorGetString(x, 0, text, NULL), kTfLiteError);
  assert_int_equal(TfLiteOpaqueTensorGetString(x, count, text, length), kTfLiteError);
  assert_int_equal(TfLiteOpaqueTensorGetString(x, -1, text, length), kTfLiteError);
  for (int i = 0; i < count; i++) {
    if (TfLiteOpaqueTensorGetString(x, i, &text[2 * i], &length[2 * i])) return kTfLiteError;
    text[2 * i + 1] = text[2 * i], length[2 * i + 1] = length[2 * i];
  }
  assert_int_equal(TfLiteOpaqueTensorWriteString(y, "none of these", 4), kTfLiteOk);
  assert_int_equal(TfLiteOpaqueTensorWriteStrings(y, text, -1, length), kTfLiteError);
  return TfLiteOpaqueTensorWriteStrings(y, text, 2 * count, length);
}

static void strings(void **state) {
  buf b = model(5, 5, false);
  TfLiteModel *m = TfLiteModelCreate(b.p, b.n);
  TfLiteInterpreterOptions *o = options();
  TfLiteRegistrationExternal *r = TfLiteRegistrationExternalCreate(32, "Own", 1);
  TfLiteRegistrationExternalSetPrepare(r, twice_prepare);
  TfLiteRegistrationExternalSetInvoke(r, twice_invoke);
  TfLiteInterpreterOptionsAddRegistrationExternal(o, r);
  TfLiteInterpreter *it = TfLiteInterpreterCreate(m, o);
  if (!it || TfLiteInterpreterAllocateTensors(it)) fail_msg("%s", s_said);
  TfLiteOpaqueTensor *x = (TfLiteOpaqueTensor *)TfLiteInterpreterGetInputTensor(it, 0);
  const char *word[] = {"one", "", "th\0ree"};
  assert_int_equal(TfLiteOpaqueTensorWriteStrings(x, word, 3, (int[]){3, 0, 6}), kTfLiteOk);
  assert_int_equal(TfLiteOpaqueTensorGetStringCount(x), 3);
  if (TfLiteInterpreterInvoke(it)) fail_msg("%s", s_said);
  const TfLiteOpaqueTensor *y = (const TfLiteOpaqueTensor *)TfLiteInterpreterGetOutputTensor(it, 0);
  assert_int_equal(TfLiteOpaqueTensorGetStringCount(y), 6);
  assert_int_equal(TfLiteOpaqueTensorDim(y, 0), 6);
  for (int i = 0; i < 6; i++) {
    static const int k_n[] = {3, 0, 6};
    const char *text;
    int n;
    assert_int_equal(TfLiteOpaqueTensorGetString(y, i, &text, &n), kTfLiteOk);
    assert_int_equal(n, k_n[i / 2]);
    if (n) assert_memory_equal(text, word[i / 2], (size_t)n);
  }
  assert_int_equal(TfLiteOpaqueTensorGetStringCount(NULL), -1);
  TfLiteInterpreterDelete(it);
  TfLiteInterpreterOptionsDelete(o);
  TfLiteRegistrationExternalDelete(r);
  TfLiteModelDelete(m);
  buf_free(&b);
}

/* ---- functions that answer registrations --------------------------------------------------------- */

typedef struct asked {
  int builtin, custom;
  const void *answer;  /* for the custom one */
  const void *instead; /* for a built-in one */
} asked;
static const TfLiteRegistration *find_builtin(void *user, TfLiteBuiltinOperator op, int version) {
  asked *a = user;
  a->builtin++;
  assert_true(op == kTfLiteBuiltinAdd && version == 1);
  return a->instead;
}
static const TfLiteRegistration *find_custom(void *user, const char *name, int version) {
  asked *a = user;
  a->custom++;
  assert_string_equal(name, "Own");
  return a->answer;
}
static const TfLiteRegistrationExternal *find_builtin_new(void *user, int op, int version) { return NULL; }
static const TfLiteRegistrationExternal *find_custom_new(void *user, const char *name, int version) {
  return ((asked *)user)->answer;
}
static const TfLiteRegistrationExternal *find_none(void *user, const char *name, int version) { return NULL; }
static const TfLiteRegistration_V1 *find_v1(void *user, TfLiteBuiltinOperator op, int version) { return NULL; }
static const TfLiteRegistration_V1 *custom_v1(void *user, const char *name, int version) {
  return ((asked *)user)->answer;
}
static const TfLiteRegistration_V2 *find_v2(void *user, TfLiteBuiltinOperator op, int version) { return NULL; }
static const TfLiteRegistration_V2 *custom_v2(void *user, const char *name, int version) {
  return ((asked *)user)->answer;
}
static const TfLiteRegistration_V3 *find_v3(void *user, TfLiteBuiltinOperator op, int version) { return NULL; }
static const TfLiteRegistration_V3 *custom_v3(void *user, const char *name, int version) {
  return ((asked *)user)->answer;
}

/* Give the options one resolver of the six forms. */
static void set(TfLiteInterpreterOptions *o, int form, asked *a) {
  if (form == 0) TfLiteInterpreterOptionsSetOpResolver(o, find_builtin, find_custom, a);
  if (form == 1) TfLiteInterpreterOptionsSetOpResolverV1(o, find_v1, custom_v1, a);
  if (form == 2) TfLiteInterpreterOptionsSetOpResolverV2(o, find_v2, custom_v2, a);
  if (form == 3) TfLiteInterpreterOptionsSetOpResolverV3(o, find_v3, custom_v3, a);
  if (form == 4) TfLiteInterpreterOptionsSetOpResolverExternal(o, find_builtin_new, find_custom_new, a);
  if (form == 5)
    TfLiteInterpreterOptionsSetOpResolverExternalWithFallback(o, find_builtin_new, find_none, find_builtin,
                                                              find_custom, a);
}

static void resolvers(void **state) {
  buf b = model(0, 0, false);
  TfLiteModel *m = TfLiteModelCreate(b.p, b.n);
  TfLiteRegistrationExternal *r = positive();
  for (int form = 0; form < 6; form++) {
    asked a = {.answer = form == 4 ? (const void *)r : &k_old};
    TfLiteInterpreterOptions *o = options();
    set(o, form, &a);
    TfLiteInterpreter *it = TfLiteInterpreterCreateWithSelectedOps(m, o);
    positive_runs(it, 1);
    TfLiteInterpreterDelete(it);
    a.answer = NULL;
    assert_null(TfLiteInterpreterCreateWithSelectedOps(m, o));
    assert_non_null(strstr(s_said, "Own"));
    TfLiteInterpreterOptionsDelete(o);
  }
  TfLiteRegistrationExternalDelete(r);
  TfLiteModelDelete(m);
  buf_free(&b);
}

/* Built-in operators: one that nobody answers, and one of the caller's in its place. */
static void built_in(void **state) {
  buf b = model(0, 0, true);
  TfLiteModel *m = TfLiteModelCreate(b.p, b.n);
  asked a = {.answer = &k_old};
  TfLiteInterpreterOptions *o = options();
  set(o, 0, &a);
  assert_null(TfLiteInterpreterCreateWithSelectedOps(m, o));
  assert_true(a.builtin == 1 && strstr(s_said, "builtin opcode"));
  a.instead = &k_old;
  assert_null(TfLiteInterpreterCreateWithSelectedOps(m, o));
  assert_non_null(strstr(s_said, "in place of the built-in one"));
  TfLiteInterpreterOptionsDelete(o);
  o = options();
  TfLiteInterpreterOptionsAddCustomOp(o, "Own", &k_old, 1, 1);
  TfLiteInterpreterOptionsAddBuiltinOp(o, kTfLiteBuiltinSub, &k_old, 1, 1); /* the model has none */
  TfLiteInterpreter *it = TfLiteInterpreterCreate(m, o);
  positive_runs(it, 2);
  TfLiteInterpreterDelete(it);
  TfLiteInterpreterOptionsAddBuiltinOp(o, kTfLiteBuiltinAdd, &k_old, 1, 1);
  assert_null(TfLiteInterpreterCreate(m, o));
  assert_non_null(strstr(s_said, "in place of the built-in one"));
  TfLiteInterpreterOptionsDelete(o);
  TfLiteModelDelete(m);
  buf_free(&b);
}

/* ---- delegates, holders, what tensors say of themselves --------------------------------------------- */

static void delegates(void **state) {
  TfLiteModel *m = TfLiteModelCreateFromFile(test_source("tools/demo_model/digits.tflite"));
  TfLiteInterpreterOptions *o = options();
  TfLiteNnapiDelegateOptions no = TfLiteNnapiDelegateOptionsDefault();
  assert_true(no.execution_preference == kUndefined && !no.cache_dir);
  TfLiteDelegate *nnapi = TfLiteNnapiDelegateCreate(&no);
  assert_non_null(nnapi);
  TfLiteInterpreterOptionsAddDelegate(o, nnapi);
  struct TfLiteXNNPackDelegateWeightsCache *cache = TfLiteXNNPackDelegateWeightsCacheCreateWithSize(1 << 20);
  TfLiteXNNPackDelegateOptions xo;
  memset(&xo, 1, sizeof xo);
  xo = TfLiteXNNPackDelegateOptionsDefault();
  xo.num_threads = 2;
  xo.weights_cache = cache;
  TfLiteDelegate *xnnpack = TfLiteXNNPackDelegateCreate(&xo);
  assert_int_equal(TfLiteXNNPackDelegateGetOptions(xnnpack)->num_threads, 2);
  TfLiteInterpreterOptionsAddDelegate(o, xnnpack);
  TfLiteInterpreterOptionsSetTelemetryProfiler(o, NULL);
  TfLiteInterpreter *it = TfLiteInterpreterCreate(m, o);
  assert_non_null(it);
  assert_true(TfLiteXNNPackDelegateWeightsCacheFinalizeSoft(cache));
  assert_true(TfLiteXNNPackDelegateWeightsCacheFinalizeHard(cache));
  assert_false(TfLiteXNNPackDelegateWeightsCacheFinalizeHard(NULL));
  assert_int_equal(TfLiteInterpreterAllocateTensors(it), kTfLiteOk);
  assert_int_equal(TfLiteInterpreterInvoke(it), kTfLiteOk);
  TfLiteBufferHandle h = 7;
  TfLiteOpaqueDelegate *of = nnapi;
  int x = TfLiteInterpreterGetInputTensorIndex(it, 0);
  assert_int_equal(TfLiteInterpreterGetBufferHandle(it, x, &h, &of), kTfLiteOk);
  assert_true(h == kTfLiteNullBufferHandle && !of);
  assert_int_equal(TfLiteInterpreterSetBufferHandle(it, TfLiteInterpreterGetInputTensor(it, 0), 1, nnapi),
                   kTfLiteError);
  TfLiteInterpreterDelete(it);
  TfLiteXNNPackDelegateDelete(xnnpack);
  TfLiteXNNPackDelegateWeightsCacheDelete(cache);
  TfLiteNnapiDelegateDelete(nnapi);
  int data = 0;
  TfLiteOpaqueDelegate *own = TfLiteOpaqueDelegateCreate(&(TfLiteOpaqueDelegateBuilder){.data = &data});
  assert_ptr_equal(TfLiteOpaqueDelegateGetData(own), &data);
  assert_null(TfLiteOpaqueDelegateCreate(NULL));
  assert_null(TfLiteOpaqueDelegateGetData(NULL));
  TfLiteInterpreterOptionsAddDelegate(o, own);
  assert_null(TfLiteInterpreterCreate(m, o));
  assert_non_null(strstr(s_said, "delegates"));
  TfLiteOpaqueDelegateDelete(own);
  TfLiteDelegate plain = TfLiteDelegateCreate();
  plain.data_ = &data;
  assert_true(!plain.Prepare && !plain.flags && TfLiteOpaqueDelegateGetData(&plain) == &data);
  TfLiteInterpreterOptionsDelete(o);
  TfLiteModelDelete(m);
}

static void holders(void **state) {
  int data = 0;
  TfLiteBackendBuffer *b = TfLiteBackendBufferCreate();
  TfLiteSynchronization *s = TfLiteSynchronizationCreate();
  assert_true(!TfLiteBackendBufferGetPtr(b) && !TfLiteSynchronizationGetPtr(s));
  TfLiteBackendBufferSetPtr(b, &data);
  TfLiteSynchronizationSetPtr(s, &data);
  assert_ptr_equal(TfLiteBackendBufferGetPtr(b), &data);
  assert_ptr_equal(TfLiteSynchronizationGetPtr(s), &data);
  TfLiteBackendBufferDelete(b);
  TfLiteSynchronizationDelete(s);
  assert_null(TfLiteTelemetryInterpreterSettingsGetSubgraphInfo(NULL));
  assert_int_equal(TfLiteTelemetrySubgraphInfoGetNumQuantizations(NULL), 0);
}

/* Strategy, stability of address and data, steps that know data and shape: as the original answers for each type. */
static void what_tensors_say(void **state) {
  static const int k_say[][6] = {{kTfLiteMemNone, 1, 3, 3, 1, 1}, {kTfLiteMmapRo, 2, 3, 3, 1, 1},
                                 {kTfLiteArenaRw, 3, 1, 2, 3, 2}, {kTfLiteArenaRwPersistent, 3, 1, 3, 3, 2},
                                 {kTfLiteDynamic, 4, 2, 2, 3, 3}, {kTfLitePersistentRo, 0, 2, 2, 2, 2},
                                 {kTfLiteCustom, 0, 0, 0, 0, 0},  {kTfLiteVariantObject, 5, 3, 2, 3, 3}};
  for (size_t i = 0; i < sizeof k_say / sizeof *k_say; i++) {
    const int *k = k_say[i];
    TfLiteTensor t = {.allocation_type = (TfLiteAllocationType)k[0]};
    const int got[] = {k[0],
                       (int)TfLiteTensorGetAllocationStrategy(&t),
                       (int)TfLiteTensorGetBufferAddressStability(&t),
                       (int)TfLiteTensorGetDataStability(&t),
                       (int)TfLiteTensorGetDataKnownStep(&t),
                       (int)TfLiteTensorGetShapeKnownStep(&t)};
    for (int j = 0; j < 6; j++)
      if (got[j] != k[j]) fail_msg("allocation type %d: answer %d is %d, not %d", k[0], j, got[j], k[j]);
  }
  TfLiteSparsity *s = calloc(1, sizeof *s);
  s->traversal_order = TfLiteIntArrayCreate(2);
  s->dim_metadata_size = 2;
  s->dim_metadata = calloc(2, sizeof *s->dim_metadata);
  s->dim_metadata[1].format = kTfLiteDimSparseCSR;
  s->dim_metadata[1].array_segments = TfLiteIntArrayCreate(3);
  s->dim_metadata[1].array_indices = TfLiteIntArrayCreate(3);
  TfLiteSparsityFree(s);
  TfLiteSparsityFree(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dynamic_output), cmocka_unit_test(older_dynamic_output),
      cmocka_unit_test(strings),        cmocka_unit_test(resolvers),
      cmocka_unit_test(built_in),       cmocka_unit_test(delegates),
      cmocka_unit_test(holders),        cmocka_unit_test(what_tensors_say),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
