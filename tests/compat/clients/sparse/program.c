/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse tensors through ONNX Runtime's C interface, made, filled, asked for and misused: program MODEL (a model that
 * takes "x", floats [N, 2]). Prints what each call answers. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnxruntime_c_api.h"

static const OrtApi *g;

/* The code of a status: 0 where there is none. */
static int code(OrtStatus *s) {
  int c = s ? (int)g->GetErrorCode(s) : 0;
  g->ReleaseStatus(s);
  return c;
}
#define SAY(call) printf("  %.*s: %d\n", (int)strcspn(#call, "("), #call, code(g->call))

static void show_info(const char *what, OrtStatus *s, OrtTensorTypeAndShapeInfo *const *info) {
  int c = code(s);
  printf("  %s: %d", what, c);
  if (!c) {
    OrtTensorTypeAndShapeInfo *t = *info;
    ONNXTensorElementDataType type;
    size_t rank = 0, count = 0;
    int64_t dims[8] = {0};
    int bad = code(g->GetTensorElementType(t, &type)) | code(g->GetDimensionsCount(t, &rank)) |
              code(g->GetDimensions(t, dims, rank)) | code(g->GetTensorShapeElementCount(t, &count));
    printf(" (%d) type %d count %zu shape", bad, (int)type, count);
    for (size_t i = 0; i < rank; i++) printf(" %" PRId64, dims[i]);
    g->ReleaseTensorTypeAndShapeInfo(t);
  }
  printf("\n");
}

static void show_indices(const OrtValue *v, OrtSparseIndicesFormat f, const char *name) {
  OrtTensorTypeAndShapeInfo *t = NULL;
  show_info(name, g->GetSparseTensorIndicesTypeShape(v, f, &t), &t);
  const void *p = NULL;
  size_t n = 0;
  int c = code(g->GetSparseTensorIndices(v, f, &n, &p));
  printf("  %s: %d %zu:", name, c, n);
  for (size_t i = 0; !c && i < n; i++)
    printf(" %" PRId64, f == ORT_SPARSE_BLOCK_SPARSE_INDICES ? ((const int32_t *)p)[i] : ((const int64_t *)p)[i]);
  printf("\n");
}

/* All that a value tells; n: how many values of float it should hold. */
static void show(const char *what, OrtValue *v, size_t n) {
  int is = -1, sparse = -1, has = -1;
  OrtSparseFormat f = (OrtSparseFormat)-1;
  ONNXType kind = ONNX_TYPE_UNKNOWN;
  OrtTensorTypeAndShapeInfo *t = NULL;
  OrtTypeInfo *type = NULL;
  const OrtMemoryInfo *m = NULL;
  const void *p = NULL;
  void *q = NULL;
  size_t size = 0;
  printf("%s\n", what);
  int c[4] = {code(g->IsTensor(v, &is)), code(g->IsSparseTensor(v, &sparse)), code(g->HasValue(v, &has)),
              code(g->GetValueType(v, &kind))};
  printf("  tensor %d %d, sparse %d %d, value %d %d, kind %d %d\n", c[0], is, c[1], sparse, c[2], has, c[3],
         (int)kind);
  int format = code(g->GetSparseTensorFormat(v, &f));
  printf("  format %d %d\n", format, (int)f);
  show_info("dense", g->GetTensorTypeAndShape(v, &t), &t);
  show_info("values", g->GetSparseTensorValuesTypeAndShape(v, &t), &t);
  int got = code(g->GetSparseTensorValues(v, &p));
  printf("  values: %d", got);
  for (size_t i = 0; !got && p && i < n; i++) printf(" %.2f", ((const float *)p)[i]);
  printf("\n");
  show_indices(v, ORT_SPARSE_COO_INDICES, "coo");
  show_indices(v, ORT_SPARSE_CSR_INNER_INDICES, "inner");
  show_indices(v, ORT_SPARSE_CSR_OUTER_INDICES, "outer");
  show_indices(v, ORT_SPARSE_BLOCK_SPARSE_INDICES, "blocks");
  int info = code(g->GetTypeInfo(v, &type));
  if (!info) {
    const OrtTensorTypeAndShapeInfo *inside = NULL;
    ONNXType of = ONNX_TYPE_UNKNOWN;
    int cast = code(g->CastTypeInfoToTensorInfo(type, &inside)),
        kind_of = code(g->GetOnnxTypeFromTypeInfo(type, &of));
    ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    if (inside) code(g->GetTensorElementType(inside, &element));
    printf("  type: %d %d, %d %d %d\n", kind_of, (int)of, cast, inside != NULL, (int)element);
    g->ReleaseTypeInfo(type);
  } else {
    printf("  type: %d\n", info);
  }
  SAY(GetTensorMutableData(v, &q));
  SAY(GetTensorMemoryInfo(v, &m));
  const char *name = "";
  if (m && !code(g->MemoryInfoGetName(m, &name))) printf("  in %s\n", name);
  SAY(GetStringTensorDataLength(v, &size));
  SAY(GetValueCount(v, &size));
  SAY(GetTensorSizeInBytes(v, &size));
  SAY(GetTensorData(v, &p));
  const int64_t *dims = NULL;
  ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  SAY(GetTensorElementTypeAndShapeDataReference(v, &element, &dims, &size));
}

static void strings(OrtAllocator *a, const OrtMemoryInfo *m) {
  const int64_t dense[] = {3, 3}, values[] = {3}, index[] = {1, 3, 8};
  const char *text[] = {"one", "", "three"};
  OrtValue *v = NULL;
  SAY(CreateSparseTensorAsOrtValue(a, dense, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, &v));
  SAY(FillSparseTensorCoo(v, m, values, 1, text, index, 3));
  show("strings", v, 0);
  size_t n = 0;
  char all[32] = {0};
  size_t at[4] = {0};
  printf("  length %d", code(g->GetStringTensorDataLength(v, &n)));
  printf(" %zu\n", n);
  int c = code(g->GetStringTensorContent(v, all, n, at, 3));
  printf("  content %d %.*s %zu %zu %zu\n", c, (int)n, all, at[0], at[1], at[2]);
  for (size_t i = 0; i < 4; i++) {
    char one[16] = {0};
    size_t length = 0;
    int l = code(g->GetStringTensorElementLength(v, i, &length)),
        e = code(g->GetStringTensorElement(v, sizeof one, i, one));
    printf("  element %d %zu, %d %s\n", l, length, e, one);
  }
  g->ReleaseValue(v);
  v = NULL;
  SAY(CreateSparseTensorWithValuesAsOrtValue(m, text, dense, 2, values, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, &v));
  g->ReleaseValue(v);
}

/* Filled by the library, in an allocator's memory. */
static void filled(OrtAllocator *a, const OrtMemoryInfo *m) {
  const int64_t dense[] = {3, 4}, three[] = {3}, none[] = {0}, line[] = {1, 6, 11}, pairs[] = {0, 1, 1, 2, 2, 3},
                wrong[] = {1, 99, -4};
  const int64_t inner[] = {1, 2, 3}, outer[] = {0, 1, 2, 3}, blocks[] = {2, 2, 2}, block_at[] = {2, 2};
  const int32_t block[] = {0, 0, 1, 1};
  const float x[] = {1.5f, -2, 3.25f, 4, 5, 6, 7, 8};
  OrtValue *v = NULL;
  struct {
    const char *what;
    const int64_t *index;
    size_t n;
  } coo[] = {{"coo, one number each", line, 3},
             {"coo, two numbers each", pairs, 6},
             {"coo, outside", wrong, 3},
             {"coo, too few", line, 2},
             {"coo, four", pairs, 4}};
  for (size_t i = 0; i < sizeof coo / sizeof *coo; i++) {
    v = NULL;
    SAY(CreateSparseTensorAsOrtValue(a, dense, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
    SAY(FillSparseTensorCoo(v, m, three, 1, x, coo[i].index, coo[i].n));
    show(coo[i].what, v, 3);
    SAY(FillSparseTensorCoo(v, m, three, 1, x, line, 3));
    SAY(FillSparseTensorCsr(v, m, three, 1, x, inner, 3, outer, 4));
    SAY(UseCooIndices(v, (int64_t *)line, 3));
    g->ReleaseValue(v);
  }
  struct {
    const char *what;
    size_t inner, outer;
  } csr[] = {{"csr", 3, 4}, {"csr, few inner", 2, 4}, {"csr, few outer", 3, 3}, {"csr, none", 0, 0}};
  for (size_t i = 0; i < sizeof csr / sizeof *csr; i++) {
    v = NULL;
    SAY(CreateSparseTensorAsOrtValue(a, dense, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
    SAY(FillSparseTensorCsr(v, m, csr[i].inner || csr[i].outer ? three : none, 1, x, inner, csr[i].inner, outer,
                            csr[i].outer));
    show(csr[i].what, v, csr[i].inner || csr[i].outer ? 3 : 0);
    g->ReleaseValue(v);
  }
  v = NULL;
  SAY(CreateSparseTensorAsOrtValue(a, dense, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
  show("nothing in it yet", v, 0);
  SAY(FillSparseTensorBlockSparse(v, m, blocks, 3, x, block_at, 2, block));
  show("blocks", v, 8);
  g->ReleaseValue(v);
  v = NULL;
  SAY(CreateSparseTensorAsOrtValue(a, dense, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
  SAY(FillSparseTensorBlockSparse(v, m, three, 1, x, block_at, 2, block));
  show("blocks of one dimension", v, 3);
  g->ReleaseValue(v);
  v = NULL;
  SAY(CreateSparseTensorAsOrtValue(a, dense, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
  SAY(FillSparseTensorCoo(v, m, none, 1, NULL, NULL, 0));
  show("coo, no values", v, 0);
  g->ReleaseValue(v);
  v = NULL;
  SAY(CreateSparseTensorAsOrtValue(a, dense, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, &v));
  SAY(FillSparseTensorCsr(v, m, three, 1, line, inner, 3, outer, 4));
  show("csr of one dimension", v, 0);
  g->ReleaseValue(v);
  v = NULL;
  SAY(CreateSparseTensorAsOrtValue(a, dense, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED, &v));
  SAY(CreateSparseTensorAsOrtValue(a, line, 0, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
  g->ReleaseValue(v);
  v = NULL;
  SAY(CreateSparseTensorAsOrtValue(a, wrong, 3, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
  g->ReleaseValue(v);
}

/* Numbers that do not fit together: what each form looks at. */
static void odd(OrtAllocator *a, OrtMemoryInfo *m) {
  static const struct {
    const char *what;
    int form; /* 0: coo, 1: csr, 2: blocks */
    size_t rank, value_rank, n, n2;
    int64_t dense[3], values[4], index[6], outer[6];
  } test[] = {
      {"coo of three dimensions", 0, 3, 1, 3, 0, {2, 2, 3}, {3}, {0, 5, 11}, {0}},
      {"coo of three dimensions, in pairs", 0, 3, 1, 6, 0, {2, 2, 3}, {3}, {0, 1, 1, 1, 2, 2}, {0}},
      {"coo of one dimension", 0, 1, 1, 2, 0, {5}, {2}, {0, 4}, {0}},
      {"coo of one dimension, in pairs", 0, 1, 1, 4, 0, {5}, {2}, {0, 1, 0, 4}, {0}},
      {"coo, pair outside", 0, 2, 1, 4, 0, {3, 4}, {2}, {0, 1, 3, 2}, {0}},
      {"coo, pair below", 0, 2, 1, 4, 0, {3, 4}, {2}, {0, 1, 0, -1}, {0}},
      {"coo, not in order", 0, 2, 1, 3, 0, {3, 4}, {3}, {5, 1, 1}, {0}},
      {"coo, values of two dimensions", 0, 2, 2, 4, 0, {3, 4}, {2, 2}, {0, 1, 2, 3}, {0}},
      {"coo, a negative count", 0, 2, 1, 1, 0, {3, 4}, {-1}, {0}, {0}},
      {"coo, no value but indices", 0, 2, 1, 3, 0, {3, 4}, {0}, {0, 1, 2}, {0}},
      {"coo, a count without dimensions", 0, 2, 0, 1, 0, {3, 4}, {0}, {7}, {0}},
      {"csr, column outside", 1, 2, 1, 2, 4, {3, 4}, {2}, {1, 4}, {0, 1, 2, 2}},
      {"csr, column below", 1, 2, 1, 2, 4, {3, 4}, {2}, {1, -1}, {0, 1, 2, 2}},
      {"csr, rows not in order", 1, 2, 1, 2, 4, {3, 4}, {2}, {1, 2}, {0, 2, 1, 2}},
      {"csr, not from nought", 1, 2, 1, 2, 4, {3, 4}, {2}, {1, 2}, {1, 1, 2, 2}},
      {"csr, a row too many", 1, 2, 1, 2, 5, {3, 4}, {2}, {1, 2}, {0, 1, 1, 2, 2}},
      {"csr, other counts", 1, 2, 1, 3, 4, {3, 4}, {2}, {1, 2, 3}, {0, 1, 2, 3}},
      {"csr, no inner", 1, 2, 1, 0, 4, {3, 4}, {2}, {0}, {0, 0, 0, 0}},
      {"csr, no outer", 1, 2, 1, 2, 0, {3, 4}, {2}, {1, 2}, {0}},
      {"csr, none but rows", 1, 2, 1, 0, 4, {3, 4}, {0}, {0}, {0, 0, 0, 0}},
      {"csr of three dimensions", 1, 3, 1, 2, 4, {3, 4, 2}, {2}, {1, 2}, {0, 1, 2, 2}},
      {"blocks, one", 2, 2, 3, 2, 0, {4, 4}, {1, 2, 2}, {2, 1}, {1, 1}},
      {"blocks, outside", 2, 2, 3, 2, 0, {4, 4}, {1, 2, 2}, {2, 1}, {2, 0}},
      {"blocks, below", 2, 2, 3, 2, 0, {4, 4}, {1, 2, 2}, {2, 1}, {0, -1}},
      {"blocks, other counts", 2, 2, 3, 2, 0, {4, 4}, {1, 2, 2}, {2, 2}, {0, 0, 1, 1}},
      {"blocks, indices of one dimension", 2, 2, 3, 1, 0, {4, 4}, {1, 2, 2}, {2}, {0, 0}},
      {"blocks, three numbers each", 2, 2, 3, 2, 0, {4, 4}, {1, 2, 2}, {3, 1}, {0, 0, 0}},
      {"blocks, two dimensions", 2, 2, 2, 2, 0, {4, 4}, {2, 2}, {2, 1}, {0, 0}},
      {"blocks, four dimensions", 2, 2, 4, 2, 0, {4, 4}, {1, 2, 2, 1}, {2, 1}, {0, 1}},
      {"blocks, none", 2, 2, 3, 2, 0, {4, 4}, {0, 2, 2}, {2, 0}, {0}},
      {"blocks of three dimensions", 2, 3, 3, 2, 0, {4, 4, 2}, {1, 2, 2}, {2, 1}, {0, 1}},
      {"blocks, wherever", 2, 2, 3, 2, 0, {4, 4}, {1, 2, 1}, {2, 1}, {99, -3}},
      {"blocks, fully sparse", 2, 2, 1, 1, 0, {4, 4}, {0}, {0}, {0}},
      {"blocks, fully sparse, two dimensions", 2, 2, 1, 2, 0, {4, 4}, {0}, {2, 0}, {0}},
      {"blocks, larger than all", 2, 2, 3, 2, 0, {4, 4}, {1, 5, 2}, {2, 1}, {0, 0}},
  };
  static float x[64] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (size_t i = 0; i < sizeof test / sizeof *test; i++)
    for (int own = 0; own < 2; own++) {
      OrtValue *v = NULL;
      int32_t block[6];
      int made = own ? code(g->CreateSparseTensorWithValuesAsOrtValue(m, x, test[i].dense, test[i].rank,
                                                                      test[i].values, test[i].value_rank,
                                                                      ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v))
                     : code(g->CreateSparseTensorAsOrtValue(a, test[i].dense, test[i].rank,
                                                            ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
      printf("%s, %s: %d\n", test[i].what, own ? "the caller's" : "filled", made);
      if (made) continue;
      for (int k = 0; k < 6; k++) block[k] = (int32_t)test[i].outer[k];
      int64_t *index = (int64_t *)test[i].index, *outer = (int64_t *)test[i].outer;
      int put =
          test[i].form == 0
              ? code(own ? g->UseCooIndices(v, index, test[i].n)
                         : g->FillSparseTensorCoo(v, m, test[i].values, test[i].value_rank, x, index, test[i].n))
          : test[i].form == 1 ? code(own ? g->UseCsrIndices(v, index, test[i].n, outer, test[i].n2)
                                         : g->FillSparseTensorCsr(v, m, test[i].values, test[i].value_rank, x, index,
                                                                  test[i].n, outer, test[i].n2))
                              : code(own ? g->UseBlockSparseIndices(v, index, test[i].n, block)
                                         : g->FillSparseTensorBlockSparse(v, m, test[i].values, test[i].value_rank, x,
                                                                          index, test[i].n, block));
      printf("  put: %d\n", put);
      show("then", v, 0);
      g->ReleaseValue(v);
    }
}

/* Over the caller's memory. */
static void used(OrtAllocator *a, const OrtMemoryInfo *m) {
  const int64_t dense[] = {3, 4}, three[] = {3}, blocks[] = {2, 2, 2}, block_at[] = {2, 2};
  int64_t line[] = {1, 6, 11}, inner[] = {1, 2, 3}, outer[] = {0, 1, 2, 3};
  int32_t block[] = {0, 0, 1, 1};
  float x[] = {1.5f, -2, 3.25f, 4, 5, 6, 7, 8};
  OrtValue *v = NULL;
  SAY(CreateSparseTensorWithValuesAsOrtValue(m, x, dense, 2, three, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
  show("values alone", v, 3);
  SAY(UseCooIndices(v, line, 2));
  SAY(UseCooIndices(v, line, 3));
  x[0] = 9;
  line[0] = 2;
  show("coo, the caller's", v, 3);
  const void *p = NULL;
  size_t n = 0;
  printf("  same memory %d\n", !code(g->GetSparseTensorValues(v, &p)) && p == x);
  printf("  same indices %d\n", !code(g->GetSparseTensorIndices(v, ORT_SPARSE_COO_INDICES, &n, &p)) && p == line);
  SAY(UseCsrIndices(v, inner, 3, outer, 4));
  SAY(FillSparseTensorCoo(v, m, three, 1, x, line, 3));
  g->ReleaseValue(v);
  v = NULL;
  SAY(CreateSparseTensorWithValuesAsOrtValue(m, x, dense, 2, three, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
  SAY(FillSparseTensorCoo(v, m, three, 1, x, line, 3));
  SAY(FillSparseTensorCsr(v, m, three, 1, x, inner, 3, outer, 4));
  SAY(FillSparseTensorBlockSparse(v, m, blocks, 3, x, block_at, 2, block));
  show("filled over the caller's", v, 3);
  g->ReleaseValue(v);
  v = NULL;
  SAY(CreateSparseTensorWithValuesAsOrtValue(m, x, dense, 2, three, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
  SAY(UseCsrIndices(v, inner, 3, outer, 3));
  SAY(UseCsrIndices(v, inner, 3, outer, 4));
  show("csr, the caller's", v, 3);
  g->ReleaseValue(v);
  v = NULL;
  SAY(CreateSparseTensorWithValuesAsOrtValue(m, x, dense, 2, blocks, 3, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
  SAY(UseBlockSparseIndices(v, block_at, 2, block));
  show("blocks, the caller's", v, 8);
  g->ReleaseValue(v);
  v = NULL;
  SAY(CreateSparseTensorAsOrtValue(a, dense, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &v));
  SAY(UseCooIndices(v, line, 3));
  SAY(UseBlockSparseIndices(v, block_at, 2, block));
  g->ReleaseValue(v);
}

/* Where a tensor is wanted, and the other way round. */
static void misused(OrtAllocator *a, const OrtMemoryInfo *m, const char *path) {
  const int64_t dense[] = {2, 2}, three[] = {3}, line[] = {0, 1, 3};
  float x[] = {1, 2, 3, 4};
  OrtValue *tensor = NULL, *sparse = NULL, *out = NULL, *all = NULL;
  SAY(CreateTensorWithDataAsOrtValue(m, x, sizeof x, dense, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &tensor));
  show("a tensor", tensor, 0);
  SAY(FillSparseTensorCoo(tensor, m, three, 1, x, line, 3));
  SAY(UseCooIndices(tensor, (int64_t *)line, 3));
  SAY(CreateSparseTensorAsOrtValue(a, dense, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &sparse));
  SAY(FillSparseTensorCoo(sparse, m, three, 1, x, line, 3));
  const OrtValue *both[] = {sparse, sparse};
  SAY(CreateValue(both, 2, ONNX_TYPE_SEQUENCE, &all));
  g->ReleaseValue(all);
  all = NULL;
  SAY(CreateValue(both, 2, ONNX_TYPE_MAP, &all));
  g->ReleaseValue(all);
  all = NULL;
  const OrtValue *dense_ones[] = {tensor, tensor};
  SAY(CreateValue(dense_ones, 2, ONNX_TYPE_SEQUENCE, &all));
  show("a sequence", all, 0);
  OrtValue *map = NULL;
  const OrtValue *lists[] = {all, all};
  SAY(CreateValue(lists, 2, ONNX_TYPE_MAP, &map));
  g->ReleaseValue(map);
  g->ReleaseValue(all);
  OrtEnv *env = NULL;
  OrtSessionOptions *o = NULL;
  OrtSession *s = NULL;
  OrtIoBinding *b = NULL;
  const char *in[] = {"x"}, *outs[] = {"y"};
  const OrtValue *feed[] = {sparse};
  SAY(CreateEnv(ORT_LOGGING_LEVEL_FATAL, "sparse", &env));
  SAY(CreateSessionOptions(&o));
  SAY(AddInitializer(o, "w", sparse));
  SAY(CreateSession(env, path, o, &s));
  g->ReleaseSession(s);
  g->ReleaseSessionOptions(o);
  s = NULL;
  SAY(CreateSessionOptions(&o));
  SAY(CreateSession(env, path, o, &s));
  SAY(Run(s, NULL, in, feed, 1, outs, 1, &out));
  feed[0] = tensor;
  out = sparse;
  SAY(Run(s, NULL, in, feed, 1, outs, 1, &out));
  SAY(CreateIoBinding(s, &b));
  SAY(BindInput(b, "x", sparse));
  SAY(BindOutputToDevice(b, "y", m));
  SAY(RunWithBinding(s, NULL, b));
  g->ReleaseIoBinding(b);
  g->ReleaseSession(s);
  g->ReleaseSessionOptions(o);
  g->ReleaseEnv(env);
  g->ReleaseValue(sparse);
  g->ReleaseValue(tensor);
}

int main(int n, char **args) {
  OrtAllocator *a;
  OrtMemoryInfo *m;
  if (n < 2 || !(g = OrtGetApiBase()->GetApi(24))) return 2;
  if (code(g->GetAllocatorWithDefaultOptions(&a)) ||
      code(g->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &m)))
    return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  filled(a, m);
  odd(a, m);
  used(a, m);
  strings(a, m);
  misused(a, m, args[1]);
  g->ReleaseMemoryInfo(m);
  return 0;
}
