/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of whet that a kernel of the caller's own runs by name, attributes by themselves, and what the caller's
 * operators say of their outputs before a run. */

#include <stdlib.h>

#include "compat/ort_test.h"
#include "lib/build.h"

static OrtKernelInfo *s_copy;
static OrtOp *s_gemm, *s_cast, *s_top;
static OrtValue *s_bias;
static int s_told;

static OrtOpAttr *attr(const char *name, OrtOpAttrType type, const void *data, int n) {
  OrtOpAttr *a;
  OK(g->CreateOpAttr(name, data, n, type, &a));
  return a;
}
/* Make an operator of float inputs, and let its attributes go. */
static OrtOp *op(const OrtKernelInfo *k, const char *name, int version, OrtOpAttr **attrs, int n, int in, int out) {
  static const char *constraint = "T";
  static const ONNXTensorElementDataType f32 = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  OrtOp *made;
  OK(g->CreateOp(k, name, "", version, &constraint, &f32, 1, (const OrtOpAttr *const *)attrs, n, in, out, &made));
  for (int i = 0; i < n; i++) g->ReleaseOpAttr(attrs[i]);
  return made;
}

static OrtStatus *create(const OrtCustomOp *o, const OrtApi *api, const OrtKernelInfo *k, void **kernel) {
  (void)o;
  (void)api;
  OrtOp *none = NULL;
  OrtOpAttr *bad = NULL;
  float alpha = 2;
  int64_t one = 1, to = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
  OrtValue *absent;
  OK(g->KernelInfoGetAttribute_tensor(k, "bias", s_alloc, &s_bias));
  refused(g->KernelInfoGetAttribute_tensor(k, "none", s_alloc, &absent), ORT_FAIL, "none");
  refused(g->KernelInfoGetAttribute_tensor(k, "n", s_alloc, &absent), ORT_FAIL, "'n'");
  refused(g->CreateOpAttr("g", &one, 1, ORT_OP_ATTR_GRAPH, &bad), ORT_FAIL, "type 7");
  OrtStatus *st = g->CreateOp(k, "NoSuchOperator", "", 17, NULL, NULL, 0, NULL, 0, 1, 1, &none);
  assert_non_null(st);
  assert_non_null(strstr(g->GetErrorMessage(st), "NoSuchOperator"));
  g->ReleaseStatus(st);
  assert_null(none);
  OK(g->CopyKernelInfo(k, &s_copy));
  s_gemm = op(k, "Gemm", 13, (OrtOpAttr *[]){attr("alpha", ORT_OP_ATTR_FLOAT, &alpha, 1)}, 1, 3, 1);
  s_cast = op(k, "Cast", 13, (OrtOpAttr *[]){attr("to", ORT_OP_ATTR_INT, &to, 1)}, 1, 1, 1);
  s_top = op(k, "TopK", 11, NULL, 0, 2, 2);
  *kernel = &s_told;
  return NULL;
}

/* y = 2 x w + bias, w all ones; and that without its fraction. */
static OrtStatus *compute(void *kernel, OrtKernelContext *c) {
  (void)kernel;
  const OrtValue *x;
  OrtValue *y, *z;
  float ones[] = {1, 1, 1, 1}, best[2];
  int64_t k = 1, where[2];
  OK(g->KernelContext_GetInput(c, 0, &x));
  OK(g->KernelContext_GetOutput(c, 0, (int64_t[]){2, 2}, 2, &y));
  OK(g->KernelContext_GetOutput(c, 1, (int64_t[]){2, 2}, 2, &z));
  OrtValue *w = tensor_over(ones, sizeof ones, (int64_t[]){2, 2}, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  OrtValue *one = tensor_over(&k, sizeof k, (int64_t[]){1}, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
  OrtValue *top[] = {tensor_over(best, sizeof best, (int64_t[]){2, 1}, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT),
                     tensor_over(where, sizeof where, (int64_t[]){2, 1}, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64)};
  for (int turn = 0; turn < 2; turn++) { /* the second time nothing is made */
    OK(g->InvokeOp(c, s_gemm, (const OrtValue *const[]){x, w, s_bias}, 3, &y, 1));
    OK(g->InvokeOp(c, s_cast, (const OrtValue *const[]){y}, 1, &z, 1));
  }
  OK(g->InvokeOp(c, s_gemm, (const OrtValue *const[]){x, w, NULL}, 3, &w, 1)); /* without its bias */
  assert_true(ones[0] == 6 && ones[3] == 14);
  OK(g->InvokeOp(c, s_top, (const OrtValue *const[]){y, one}, 2, top, 2));
  assert_true(best[0] == 6.5f && where[0] == 0 && best[1] == 14.5f && where[1] == 0);
  OrtValue *small = tensor_over(best, sizeof best, (int64_t[]){2}, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  refused(g->InvokeOp(c, s_gemm, (const OrtValue *const[]){x, w, s_bias}, 3, &small, 1), ORT_INVALID_ARGUMENT,
          "{2,2}");
  refused(g->InvokeOp(c, s_gemm, (const OrtValue *const[]){x, w}, 2, &y, 1), ORT_INVALID_ARGUMENT, "made for 3");
  refused(g->InvokeOp(c, s_cast, (const OrtValue *const[]){x}, 1, (OrtValue *const[]){NULL}, 1), ORT_INVALID_ARGUMENT,
          "null");
  for (int i = 0; i < 2; i++) g->ReleaseValue(top[i]);
  g->ReleaseValue(small);
  g->ReleaseValue(one);
  g->ReleaseValue(w);
  char name[16];
  size_t size = sizeof name;
  OK(g->KernelInfo_GetNodeName(s_copy, name, &size)); /* after create */
  assert_string_equal(name, "it");
  return NULL;
}
static void forget(void *kernel) {
  (void)kernel;
  g->ReleaseKernelInfo(s_copy);
  g->ReleaseOp(s_gemm);
  g->ReleaseOp(s_cast);
  g->ReleaseOp(s_top);
  g->ReleaseValue(s_bias);
}

/* Twice as many columns as `n` says; the second output stays untold. */
static OrtStatus *infer(const OrtCustomOp *o, OrtShapeInferContext *c) {
  (void)o;
  size_t n;
  OrtTensorTypeAndShapeInfo *x;
  const OrtOpAttr *a, *none = NULL;
  const char *symbol[2];
  const char *name;
  int64_t columns;
  OrtOpAttrType type;
  OrtValue *bias;
  OK(g->ShapeInferContext_GetInputCount(c, &n));
  assert_int_equal(n, 1);
  OK(g->ShapeInferContext_GetInputTypeShape(c, 0, &x));
  OK(g->GetSymbolicDimensions(x, symbol, 2));
  assert_string_equal(symbol[0], "N");
  OK(g->ShapeInferContext_GetAttribute(c, "n", &a));
  OK(g->OpAttr_GetName(a, &name));
  assert_string_equal(name, "n");
  OK(g->ReadOpAttr(a, ORT_OP_ATTR_INT, &columns, sizeof columns, &n));
  refused(g->OpAttr_GetTensorAttributeAsOrtValue(a, &bias), ORT_INVALID_ARGUMENT, "no tensor");
  refused(g->ShapeInferContext_GetAttribute(c, "none", &none), ORT_INVALID_ARGUMENT, "none");
  OK(g->ShapeInferContext_GetAttribute(c, "bias", &a));
  OK(g->OpAttr_GetType(a, &type));
  assert_int_equal(type, ORT_OP_ATTR_TENSOR);
  OK(g->OpAttr_GetTensorAttributeAsOrtValue(a, &bias));
  g->ReleaseValue(bias);
  OK(g->SetDimensions(x, (int64_t[]){-1, columns}, 2));
  OK(g->ShapeInferContext_SetOutputTypeShape(c, 0, x));
  refused(g->ShapeInferContext_SetOutputTypeShape(c, 5, x), ORT_INVALID_ARGUMENT, "");
  refused(g->SetDimensions(x, (int64_t[]){-2}, 1), ORT_INVALID_ARGUMENT, "-1");
  s_told++; /* x is the context's, as the original's C++ header takes it */
  return NULL;
}

static const char *own(const OrtCustomOp *o) { return o ? "Own" : NULL; }
static const char *say(const OrtCustomOp *o) { return o ? "Say" : NULL; }
static size_t one(const OrtCustomOp *o) { return o ? 1 : 0; }
static size_t two(const OrtCustomOp *o) { return o ? 2 : 0; }
static ONNXTensorElementDataType f32(const OrtCustomOp *o, size_t i) {
  (void)i;
  return o ? ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}
static ONNXTensorElementDataType i64(const OrtCustomOp *o, size_t i) {
  (void)i;
  return o ? ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}
static ONNXTensorElementDataType text(const OrtCustomOp *o, size_t i) {
  (void)i;
  return o ? ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}
static ONNXTensorElementDataType f32_i64(const OrtCustomOp *o, size_t i) { return i ? i64(o, i) : f32(o, i); }

/* Two operators of one name: what each says. */
static OrtStatus *make_f(const OrtCustomOp *o, const OrtApi *api, const OrtKernelInfo *k, void **kernel) {
  (void)o;
  (void)api;
  (void)k;
  *kernel = (void *)"float";
  return NULL;
}
static OrtStatus *make_i(const OrtCustomOp *o, const OrtApi *api, const OrtKernelInfo *k, void **kernel) {
  (void)o;
  (void)api;
  (void)k;
  *kernel = (void *)"int64";
  return NULL;
}
static OrtStatus *tell(void *kernel, OrtKernelContext *c) {
  OrtValue *y;
  const char *words[] = {kernel, "", "and a longer text"};
  OK(g->KernelContext_GetOutput(c, 0, (int64_t[]){3}, 1, &y));
  OK(g->FillStringTensor(y, words, 3));
  return NULL;
}
static void nothing(void *kernel) { assert_non_null(kernel); }

/* Run the model's one or two inputs; the caller's are float 2x2 and int64 2x2. */
static OrtSession *open(const OrtCustomOp *const *ops, size_t n, buf *b, OrtCustomOpDomain **d) {
  OrtSessionOptions *o;
  OrtSession *s;
  OK(g->CreateCustomOpDomain("mine", d));
  for (size_t i = 0; i < n; i++) OK(g->CustomOpDomain_Add(*d, ops[i]));
  OK(g->CreateSessionOptions(&o));
  OK(g->SetIntraOpNumThreads(o, 1));
  OK(g->AddCustomOpDomain(o, *d));
  OK(g->CreateSessionFromArray(s_env, b->p, b->n, o, &s));
  g->ReleaseSessionOptions(o);
  return s;
}
static buf model(buf graph) {
  buf opset = {0}, b = ox_model(graph, 8, 17);
  pb_str(&opset, 1, "mine");
  pb_int(&opset, 2, 1);
  pb_msg(&b, 8, &opset);
  return b;
}

static void runs_operators(void **state) {
  (void)state;
  static const OrtCustomOp o = {.version = 17,
                                .GetName = own,
                                .GetInputType = f32,
                                .GetInputTypeCount = one,
                                .GetOutputType = f32_i64,
                                .GetOutputTypeCount = two,
                                .KernelDestroy = forget,
                                .CreateKernelV2 = create,
                                .KernelComputeV2 = compute,
                                .InferOutputShapeFn = infer};
  const OrtCustomOp *ops[] = {&o};
  buf bias = ox_tensor("bias", 1, 1, (int64_t[]){2}, (float[]){0.5f, -0.5f}, 8), graph = {0};
  const ox_attr attrs[] = {{.name = "n", .type = 2, .i = 2}, {.name = "bias", .type = 4, .t = &bias}, {.type = 0}};
  ox_add_node(&graph, ox_node_in("mine", "Own", "it", "x", "y,z", attrs));
  ox_add_in(&graph, ox_info("x", 1, 2, (int64_t[]){-1, 2}, "N"));
  ox_add_out(&graph, ox_info("y", 1, -1, NULL, NULL));
  ox_add_out(&graph, ox_info("z", 7, -1, NULL, NULL));
  buf b = model(graph);
  OrtCustomOpDomain *d;
  OrtSession *s = open(ops, 1, &b, &d);
  assert_true(s_told > 0);
  OrtTypeInfo *type;
  const OrtTensorTypeAndShapeInfo *info;
  size_t rank;
  int64_t dims[2];
  OK(g->SessionGetOutputTypeInfo(s, 0, &type));
  OK(g->CastTypeInfoToTensorInfo(type, &info));
  OK(g->GetDimensionsCount(info, &rank));
  assert_int_equal(rank, 2);
  OK(g->GetDimensions(info, dims, 2));
  assert_true(dims[0] == -1 && dims[1] == 2);
  g->ReleaseTypeInfo(type);
  float x[] = {1, 2, 3, 4}, *y;
  int64_t *z;
  const char *in = "x", *outs[] = {"y", "z"};
  OrtValue *v = tensor_over(x, sizeof x, (int64_t[]){2, 2}, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT), *out[2] = {0};
  OK(g->Run(s, NULL, &in, (const OrtValue *const *)&v, 1, outs, 2, out));
  OK(g->GetTensorMutableData(out[0], (void **)&y));
  OK(g->GetTensorMutableData(out[1], (void **)&z));
  assert_true(y[0] == 6.5f && y[1] == 5.5f && y[3] == 13.5f && z[0] == 6 && z[3] == 13);
  for (int i = 0; i < 2; i++) g->ReleaseValue(out[i]);
  g->ReleaseValue(v);
  g->ReleaseSession(s);
  g->ReleaseCustomOpDomain(d);
  buf_free(&b);
}

/* Strings as outputs, and the operator of a name that takes the types which are there: also inner ones. */
static void by_type(void **state) {
  (void)state;
  OrtCustomOp f = {.version = 16,
                   .GetName = say,
                   .GetInputType = f32,
                   .GetInputTypeCount = one,
                   .GetOutputType = text,
                   .GetOutputTypeCount = one,
                   .KernelDestroy = nothing,
                   .CreateKernelV2 = make_f,
                   .KernelComputeV2 = tell};
  OrtCustomOp i = f;
  i.GetInputType = i64;
  i.CreateKernelV2 = make_i;
  const OrtCustomOp *ops[] = {&f, &i};
  const ox_attr to[] = {{.name = "to", .type = 2, .i = 7}, {.type = 0}};
  buf graph = {0};
  ox_add_node(&graph, ox_node("Cast", "x", "inner", to));
  ox_add_node(&graph, ox_node_in("mine", "Say", "a", "x", "a", NULL));
  ox_add_node(&graph, ox_node_in("mine", "Say", "b", "inner", "b", NULL));
  ox_add_in(&graph, ox_info("x", 1, 1, (int64_t[]){2}, NULL));
  ox_add_out(&graph, ox_info("a", 8, -1, NULL, NULL));
  ox_add_out(&graph, ox_info("b", 8, -1, NULL, NULL));
  buf b = model(graph);
  OrtCustomOpDomain *d;
  OrtSession *s = open(ops, 2, &b, &d);
  float x[2] = {0};
  const char *in = "x", *outs[] = {"a", "b"};
  OrtValue *v = tensor_over(x, sizeof x, (int64_t[]){2}, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  for (int turn = 0; turn < 2; turn++) {
    OrtValue *out[2] = {0};
    OK(g->Run(s, NULL, &in, (const OrtValue *const *)&v, 1, outs, 2, out));
    for (int k = 0; k < 2; k++) {
      char word[32] = {0};
      size_t n;
      OK(g->GetStringTensorElement(out[k], sizeof word, 0, word));
      assert_string_equal(word, k ? "int64" : "float");
      OK(g->GetStringTensorDataLength(out[k], &n));
      assert_int_equal(n, 5 + 17);
      g->ReleaseValue(out[k]);
    }
  }
  g->ReleaseValue(v);
  g->ReleaseSession(s);
  g->ReleaseCustomOpDomain(d);
  buf_free(&b);
}

/* Attributes are read as the original reads them. */
static void attributes(void **state) {
  (void)state;
  static const char *const words[] = {"one", "", "three"};
  OrtOpAttr *a = attr("words", ORT_OP_ATTR_STRINGS, words, 3);
  char to[16];
  size_t n;
  refused(g->ReadOpAttr(a, ORT_OP_ATTR_STRINGS, NULL, 0, &n), ORT_INVALID_ARGUMENT, "11 needed");
  assert_int_equal(n, 11);
  OK(g->ReadOpAttr(a, ORT_OP_ATTR_STRINGS, to, sizeof to, &n));
  assert_memory_equal(to, "one\0\0three", 11);
  OK(g->ReadOpAttr(a, ORT_OP_ATTR_INTS, to, sizeof to, &n));
  assert_int_equal(n, 0);
  refused(g->ReadOpAttr(a, ORT_OP_ATTR_FLOAT, to, sizeof to, &n), ORT_INVALID_ARGUMENT, "words");
  assert_int_equal(n, 4);
  refused(g->ReadOpAttr(a, ORT_OP_ATTR_GRAPH, to, sizeof to, &n), ORT_INVALID_ARGUMENT, "type 7");
  g->ReleaseOpAttr(a);
  a = attr("text", ORT_OP_ATTR_STRING, "abcdef", 4);
  OK(g->ReadOpAttr(a, ORT_OP_ATTR_STRING, to, sizeof to, &n));
  assert_int_equal(n, 4);
  assert_memory_equal(to, "abcd", 4);
  g->ReleaseOpAttr(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(runs_operators), cmocka_unit_test(by_type),
                                     cmocka_unit_test(attributes)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
