/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse tensors of ONNX Runtime's interface: what is put in comes out, and what does not fit is refused and leaves
 * nothing behind. tests/compat/clients/sparse compares the whole with the original. */

#include "compat/ort_test.h"

static const int64_t k_dense[] = {3, 4}, k_three[] = {3};

static OrtValue *none_yet(ONNXTensorElementDataType type) {
  OrtValue *v;
  OK(g->CreateSparseTensorAsOrtValue(s_alloc, k_dense, 2, type, &v));
  return v;
}

/* The numbers of one form of indices. */
static void has(const OrtValue *v, OrtSparseIndicesFormat form, const int64_t *want, size_t n) {
  const void *p;
  size_t got;
  OK(g->GetSparseTensorIndices(v, form, &got, &p));
  assert_int_equal(got, n);
  assert_memory_equal(p, want, n * sizeof *want);
}

static void copies(void **state) {
  (void)state;
  float x[] = {1, 2, 3};
  int64_t at[] = {0, 6, 11};
  const int64_t kept[] = {0, 6, 11};
  const float first[] = {1, 2, 3};
  const void *p;
  int is;
  OrtMemoryInfo *m;
  OrtSparseFormat format;
  OrtValue *v = none_yet(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  OK(g->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &m));
  refused(g->GetSparseTensorValues(v, &p), ORT_FAIL, "does not contain");
  at[2] = 12;
  refused(g->FillSparseTensorCoo(v, m, k_three, 1, x, at, 3), ORT_INVALID_ARGUMENT, "12 must be in [0, 12)");
  refused(g->FillSparseTensorCoo(v, m, k_three, 1, x, at, 4), ORT_INVALID_ARGUMENT, "count");
  at[2] = 11;
  OK(g->FillSparseTensorCoo(v, m, k_three, 1, x, at, 3));
  x[0] = 9;
  at[0] = 5;
  OK(g->GetSparseTensorFormat(v, &format));
  assert_int_equal(format, ORT_SPARSE_COO);
  OK(g->GetSparseTensorValues(v, &p));
  assert_memory_equal(p, first, sizeof first);
  has(v, ORT_SPARSE_COO_INDICES, kept, 3);
  refused(g->UseCooIndices(v, at, 3), ORT_FAIL, "already");
  OK(g->IsTensor(v, &is));
  assert_false(is);
  OK(g->IsSparseTensor(v, &is));
  assert_true(is);
  g->ReleaseValue(v);
  g->ReleaseMemoryInfo(m);
}

static void uses(void **state) {
  (void)state;
  float x[] = {1, 2, 3};
  int64_t inner[] = {1, 3, 0}, outer[] = {0, 2, 2, 3};
  const void *p;
  size_t n;
  OrtMemoryInfo *m;
  OrtValue *v;
  OK(g->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &m));
  OK(g->CreateSparseTensorWithValuesAsOrtValue(m, x, k_dense, 2, k_three, 1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                                               &v));
  outer[2] = 1;
  refused(g->UseCsrIndices(v, inner, 3, outer, 4), ORT_INVALID_ARGUMENT, "monotonically");
  outer[2] = 2;
  OK(g->UseCsrIndices(v, inner, 3, outer, 4));
  OK(g->GetSparseTensorValues(v, &p));
  assert_ptr_equal(p, x);
  OK(g->GetSparseTensorIndices(v, ORT_SPARSE_CSR_OUTER_INDICES, &n, &p));
  assert_ptr_equal(p, outer);
  has(v, ORT_SPARSE_CSR_INNER_INDICES, inner, 3);
  refused(g->GetSparseTensorIndices(v, ORT_SPARSE_COO_INDICES, &n, &p), ORT_FAIL, "format");
  g->ReleaseValue(v);
  g->ReleaseMemoryInfo(m);
}

static void strings(void **state) {
  (void)state;
  const char *text[] = {"one", "", "three"};
  const int64_t at[] = {0, 1, 2};
  char word[8] = {0};
  size_t n;
  OrtMemoryInfo *m;
  OrtValue *v = none_yet(ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  OK(g->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &m));
  refused(g->GetStringTensorDataLength(v, &n), ORT_INVALID_ARGUMENT, "does not contain");
  OK(g->FillSparseTensorCoo(v, m, k_three, 1, text, at, 3));
  OK(g->GetStringTensorDataLength(v, &n));
  assert_int_equal(n, 8);
  OK(g->GetStringTensorElement(v, sizeof word, 2, word));
  assert_string_equal(word, "three");
  g->ReleaseValue(v);
  g->ReleaseMemoryInfo(m);
}

int main(void) {
  const struct CMUnitTest t[] = {cmocka_unit_test(copies), cmocka_unit_test(uses), cmocka_unit_test(strings)};
  return cmocka_run_group_tests(t, setup, teardown);
}
