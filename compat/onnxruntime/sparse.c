/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse tensors: values beside where they go, as values of a client's. whet's runs take none, so that what whet sees
 * of one is an optional that holds nothing.
 *
 * Those made without values copy what they are filled with into their allocator's memory; those made over a caller's
 * values use its indices as well. */

#include "shim.h"

struct sparse {
  atomic_int refs;
  whet_info shape; /* element type and dimensions of the whole */
  OrtSparseFormat format;
  OrtAllocator *allocator; /* NULL: all memory is the caller's */
  OrtValue *values;        /* NULL: none yet */
  OrtValue *index[2];      /* of CSR the inner ones first */
};

sparse *sparse_ref(sparse *x) {
  if (x) atomic_fetch_add_explicit(&x->refs, 1, memory_order_relaxed);
  return x;
}

void sparse_unref(sparse *x) {
  if (!x || atomic_fetch_sub_explicit(&x->refs, 1, memory_order_acq_rel) > 1) return;
  API(ReleaseValue)(x->values);
  for (int i = 0; i < 2; i++) API(ReleaseValue)(x->index[i]);
  free(x);
}

const whet_info *sparse_shape(const sparse *x) { return &x->shape; }

/* One without values, over memory of a (NULL: the caller's). */
static OrtStatus *create(OrtAllocator *a, const int64_t *dims, size_t rank, ONNXTensorElementDataType type,
                         OrtValue **out) {
  whet_value *none;
  sparse *x;
  whet_dtype t = whet_type(type);
  NEED(out);
  if (rank) NEED(dims);
  if (t == WHET_NONE) return fail(ORT_NOT_IMPLEMENTED, "sparse tensor type %d is not supported", (int)type);
  if (rank > WHET_MAX_RANK)
    return fail(ORT_INVALID_ARGUMENT, "%zu dimensions; whet has up to %d", rank, WHET_MAX_RANK);
  for (size_t i = 0; i < rank; i++)
    if (dims[i] < 0) return fail(ORT_INVALID_ARGUMENT, "tried creating tensor with negative value in shape");
  x = calloc(1, sizeof *x);
  if (!x) return no_memory();
  atomic_init(&x->refs, 1);
  x->allocator = a;
  x->shape.dtype = t;
  x->shape.rank = (int32_t)rank;
  if (rank) memcpy(x->shape.dims, dims, rank * sizeof *dims);
  OrtStatus *s = whet_value_create_optional(NULL, &none) ? no_memory() : value_own(none, out);
  if (s) {
    free(x);
    return s;
  }
  (*out)->sparse = x;
  return NULL;
}
OrtStatus *API(CreateSparseTensorAsOrtValue)(OrtAllocator *a, const int64_t *dims, size_t rank,
                                             ONNXTensorElementDataType type, OrtValue **out) {
  NEED(a);
  return create(a, dims, rank, type, out);
}
OrtStatus *API(CreateSparseTensorWithValuesAsOrtValue)(const OrtMemoryInfo *m, void *data, const int64_t *dims,
                                                       size_t rank, const int64_t *values, size_t n,
                                                       ONNXTensorElementDataType type, OrtValue **out) {
  OrtValue *made;
  int64_t count = 1;
  NEED(m);
  if (n) NEED(values);
  for (size_t i = 0; i < n; i++)
    if (values[i] < 0 || __builtin_mul_overflow(count, values[i], &count))
      return fail(ORT_INVALID_ARGUMENT, "tried creating tensor with negative value in shape");
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING)
    return fail(ORT_INVALID_ARGUMENT,
                "Can not use strings in pre-allocated memory. Use CreateSparseTensorAsOrtValue()");
  TRY(create(NULL, dims, rank, type, &made));
  size_t bytes = whet_dtype_bytes(made->sparse->shape.dtype, (size_t)count);
  OrtStatus *s = API(CreateTensorWithDataAsOrtValue)(m, data, bytes, values, n, type, &made->sparse->values);
  if (s)
    API(ReleaseValue)(made);
  else
    *out = made;
  return s;
}

/* Leave unless x is a sparse tensor; (filled) unless it has values and indices. */
#define SPARSE(x) \
  NEED(x);        \
  if (!(x)->sparse) return fail(ORT_RUNTIME_EXCEPTION, "%s: the value is no sparse tensor", __func__ + 4)
#define FILLED(x) \
  SPARSE(x);      \
  if (!(x)->sparse->format) return fail(ORT_FAIL, "Sparse Tensor does not contain sparse data")
#define UNFILLED(x) \
  SPARSE(x);        \
  if ((x)->sparse->format) return fail(ORT_FAIL, "this tensor already has populated sparse_indices")

/* Numbers of a caller's as a tensor: copied where the sparse tensor owns its memory. */
static OrtStatus *keep(const sparse *x, whet_dtype t, const int64_t *dims, size_t rank, const void *data,
                       OrtValue **out) {
  size_t count = 1;
  if (rank > WHET_MAX_RANK)
    return fail(ORT_INVALID_ARGUMENT, "%zu dimensions; whet has up to %d", rank, WHET_MAX_RANK);
  for (size_t i = 0; i < rank; i++) count *= (size_t)dims[i];
  if (count) NEED(data);
  if (!x->allocator)
    return API(CreateTensorWithDataAsOrtValue)(&cpu_memory, (void *)data, whet_dtype_bytes(t, count), dims, rank,
                                               onnx_type(t), out);
  if (t == WHET_STRING) {
    TRY(value_tensor(x->allocator, t, (int32_t)rank, dims, out));
    OrtStatus *s = API(FillStringTensor)(*out, data, count);
    if (s) API(ReleaseValue)(*out), *out = NULL;
    return s;
  }
  whet_info info = {.dtype = t, .rank = (int32_t)rank};
  memcpy(info.dims, dims, rank * sizeof *dims);
  return value_copy(x->allocator, &info, data, out);
}

/* Indices i of values that are there. */
static OrtStatus *keep_index(sparse *x, int i, whet_dtype t, const int64_t *dims, size_t rank, const void *data) {
  if (!x->values) return fail(ORT_FAIL, "the sparse tensor owns its memory: fill it with FillSparseTensor...()");
  return keep(x, t, dims, rank, data, &x->index[i]);
}

/* The values that it is to be filled with: as many as the shape says, in one row unless `shaped`. */
static OrtStatus *fill_values(OrtValue *v, const OrtMemoryInfo *m, const int64_t *dims, size_t rank, bool shaped,
                              const void *values) {
  int64_t count = 1;
  UNFILLED(v);
  NEED(m);
  if (rank) NEED(dims);
  if (!v->sparse->allocator)
    return fail(ORT_FAIL, "the values are the caller's: give their indices with Use...Indices()");
  for (size_t i = 0; i < rank; i++)
    if (dims[i] < 0 || __builtin_mul_overflow(count, dims[i], &count))
      return fail(ORT_FAIL, "tried Filling sparse tensor with negative value in values shape");
  return keep(v->sparse, v->sparse->shape.dtype, shaped ? dims : &count, shaped ? rank : 1, values,
              &v->sparse->values);
}

/* The end of each way: s is how putting the indices in went. */
static OrtStatus *done(sparse *x, OrtSparseFormat format, OrtStatus *s) {
  if (!s) {
    x->format = format;
    return NULL;
  }
  for (int i = 0; i < 2; i++) API(ReleaseValue)(x->index[i]), x->index[i] = NULL;
  if (x->allocator) API(ReleaseValue)(x->values), x->values = NULL;
  return s;
}

static int64_t count_of(const sparse *x) { return x->values ? (int64_t)whet_value_count(x->values->v) : 0; }

/* COO: one number each, counting through the whole, or a row and a column each. */
static OrtStatus *put_coo(sparse *x, const int64_t *index, size_t n) {
  const int64_t *dims = x->shape.dims, count = count_of(x);
  const bool both = n == 2 * (size_t)count;
  int64_t all = 1;
  if (n) NEED(index);
  if (!count && n)
    return fail(ORT_INVALID_ARGUMENT, "COO indices must be empty when the sparse tensor has no values.");
  if (!both && n != (size_t)count)
    return fail(ORT_INVALID_ARGUMENT, "COO indices count must be equal to or twice the values count.");
  if (both && n && x->shape.rank != 2)
    return fail(ORT_INVALID_ARGUMENT, "COO indices of rows and columns need a dense shape of both");
  for (int32_t i = 0; i < x->shape.rank; i++)
    if (__builtin_mul_overflow(all, dims[i], &all)) return fail(ORT_INVALID_ARGUMENT, "size overflow in shape");
  for (size_t i = 0; i < n; i += both ? 2 : 1) {
    if (both && (index[i] < 0 || index[i] >= dims[0] || index[i + 1] < 0 || index[i + 1] >= dims[1]))
      return fail(ORT_INVALID_ARGUMENT, "COO 2D index out of bounds: (%lld, %lld) must be in [0, %lld) x [0, %lld)",
                  (long long)index[i], (long long)index[i + 1], (long long)dims[0], (long long)dims[1]);
    if (!both && (index[i] < 0 || index[i] >= all))
      return fail(ORT_INVALID_ARGUMENT, "COO linear index out of bounds: %lld must be in [0, %lld)",
                  (long long)index[i], (long long)all);
  }
  return keep_index(x, 0, WHET_S64, (const int64_t[]){count, 2}, both ? 2 : 1, index);
}
OrtStatus *API(FillSparseTensorCoo)(OrtValue *v, const OrtMemoryInfo *m, const int64_t *dims, size_t rank,
                                    const void *values, const int64_t *index, size_t n) {
  TRY(fill_values(v, m, dims, rank, false, values));
  return done(v->sparse, ORT_SPARSE_COO, put_coo(v->sparse, index, n));
}
OrtStatus *API(UseCooIndices)(OrtValue *v, int64_t *index, size_t n) {
  UNFILLED(v);
  return done(v->sparse, ORT_SPARSE_COO, put_coo(v->sparse, index, n));
}

/* CSR: the column of each value, and for each row where its values start. */
static OrtStatus *put_csr(sparse *x, const int64_t *inner, size_t n, const int64_t *outer, size_t m) {
  const int64_t *dims = x->shape.dims;
  if (n) NEED(inner);
  if (m) NEED(outer);
  if (x->shape.rank != 2) return fail(ORT_FAIL, "dense shape must 2-D. Got: %d", x->shape.rank);
  if (m && outer[0])
    return fail(ORT_INVALID_ARGUMENT, "CSR outer index must start at 0, got: %lld", (long long)outer[0]);
  for (size_t i = 1; i < m; i++)
    if (outer[i] < outer[i - 1])
      return fail(ORT_INVALID_ARGUMENT, "CSR outer index out of bounds or not monotonically non-decreasing: %lld",
                  (long long)outer[i]);
  if (m && outer[m - 1] != (int64_t)n)
    return fail(ORT_INVALID_ARGUMENT, "CSR outer index last element must equal inner index count (%zu), got: %lld", n,
                (long long)outer[m - 1]);
  for (size_t i = 0; i < n; i++)
    if (inner[i] < 0 || inner[i] >= dims[1])
      return fail(ORT_INVALID_ARGUMENT, "CSR inner index out of bounds: %lld must be in [0, %lld)",
                  (long long)inner[i], (long long)dims[1]);
  if (!n != !m) return fail(ORT_FAIL, "Inner and Outer indices must either be both zero or non-zero");
  if ((int64_t)n != count_of(x))
    return fail(ORT_FAIL, "Expecting inner index size: %zu the same as values size: %lld", n, (long long)count_of(x));
  if (m && (int64_t)m != dims[0] + 1)
    return fail(ORT_FAIL, "Outer index count must be rows + 1 or zero. Got: %zu rows: %lld", m, (long long)dims[0]);
  TRY(keep(x, WHET_S64, (const int64_t[]){(int64_t)n}, 1, inner, &x->index[0]));
  return keep_index(x, 1, WHET_S64, (const int64_t[]){(int64_t)m}, 1, outer);
}
OrtStatus *API(FillSparseTensorCsr)(OrtValue *v, const OrtMemoryInfo *m, const int64_t *dims, size_t rank,
                                    const void *values, const int64_t *inner, size_t n, const int64_t *outer,
                                    size_t n_outer) {
  TRY(fill_values(v, m, dims, rank, false, values));
  return done(v->sparse, ORT_SPARSE_CSRC, put_csr(v->sparse, inner, n, outer, n_outer));
}
OrtStatus *API(UseCsrIndices)(OrtValue *v, int64_t *inner, size_t n, int64_t *outer, size_t n_outer) {
  UNFILLED(v);
  return done(v->sparse, ORT_SPARSE_CSRC, put_csr(v->sparse, inner, n, outer, n_outer));
}

/* Blocks: values of three dimensions and more, of which those from the third on count the blocks; two numbers for
 * each. */
static OrtStatus *put_blocks(sparse *x, const int64_t *dims, size_t rank, const int32_t *index) {
  const int64_t *values = x->values ? whet_value_dims(x->values->v) : NULL;
  int32_t n = x->values ? whet_value_rank(x->values->v) : 0;
  int64_t blocks = 1, told = 1;
  if (rank) NEED(dims);
  for (int32_t i = 2; i < n; i++) blocks *= values[i];
  for (size_t i = 0; i < rank; i++)
    if (dims[i] < 0 || __builtin_mul_overflow(told, dims[i], &told))
      return fail(ORT_FAIL, "a shape of indices with %lld", (long long)dims[i]);
  if (!count_of(x)) {
    if (n != 1) return fail(ORT_FAIL, "Expecting fully sparse tensors to have value shape {0}");
    if (rank != 1) return fail(ORT_FAIL, "Expecting fully sparse tensors to have indices shape {0}");
  } else {
    if (n < 3) return fail(ORT_FAIL, "Expecting to have at lest 3-D shape. Got: %d", n);
    if (rank != 2) return fail(ORT_FAIL, "Expecting indices to have 2-D shape . Got: %zu", rank);
    if (dims[0] != 2) return fail(ORT_FAIL, "Indices shape must have dim[0] == 2");
    if (told / 2 != blocks)
      return fail(ORT_FAIL, "Expecting index blocks: %lld to be equal to values blocks: %lld", (long long)told / 2,
                  (long long)blocks);
  }
  return keep_index(x, 0, WHET_S32, dims, rank, index);
}
OrtStatus *API(FillSparseTensorBlockSparse)(OrtValue *v, const OrtMemoryInfo *m, const int64_t *dims, size_t rank,
                                            const void *values, const int64_t *index_dims, size_t index_rank,
                                            const int32_t *index) {
  TRY(fill_values(v, m, dims, rank, true, values));
  return done(v->sparse, ORT_SPARSE_BLOCK_SPARSE, put_blocks(v->sparse, index_dims, index_rank, index));
}
OrtStatus *API(UseBlockSparseIndices)(OrtValue *v, const int64_t *dims, size_t rank, int32_t *index) {
  UNFILLED(v);
  return done(v->sparse, ORT_SPARSE_BLOCK_SPARSE, put_blocks(v->sparse, dims, rank, index));
}

/* What is in one. */
OrtStatus *API(IsSparseTensor)(const OrtValue *v, int *out) {
  NEED(v);
  NEED(out);
  *out = v->sparse != NULL;
  return NULL;
}
OrtStatus *API(GetSparseTensorFormat)(const OrtValue *v, OrtSparseFormat *out) {
  SPARSE(v);
  NEED(out);
  *out = v->sparse->format;
  return NULL;
}
OrtStatus *API(GetSparseTensorValuesTypeAndShape)(const OrtValue *v, OrtTensorTypeAndShapeInfo **out) {
  FILLED(v);
  return API(GetTensorTypeAndShape)(v->sparse->values, out);
}
OrtStatus *API(GetSparseTensorValues)(const OrtValue *v, const void **out) {
  FILLED(v);
  if (v->sparse->shape.dtype == WHET_STRING)
    return fail(ORT_INVALID_ARGUMENT, "Use GetStringTensor*() API to retrieve strings");
  return API(GetTensorData)(v->sparse->values, out);
}
OrtStatus *sparse_strings(const sparse *x, const OrtValue **values) {
  if (!x->format) return fail(ORT_INVALID_ARGUMENT, "Sparse Tensor does not contain sparse data");
  *values = x->values;
  return NULL;
}

/* The indices of that form. */
static OrtStatus *indices(const OrtValue *v, OrtSparseIndicesFormat form, const OrtValue **out) {
  static const OrtSparseFormat of[] = {ORT_SPARSE_COO, ORT_SPARSE_CSRC, ORT_SPARSE_CSRC, ORT_SPARSE_BLOCK_SPARSE};
  FILLED(v);
  if ((unsigned)form >= sizeof of / sizeof *of)
    return fail(ORT_INVALID_ARGUMENT, "there are no indices of form %d", (int)form);
  if (of[form] != v->sparse->format)
    return fail(ORT_FAIL, "the sparse tensor's format is %d, not %d", (int)v->sparse->format, (int)of[form]);
  *out = v->sparse->index[form == ORT_SPARSE_CSR_OUTER_INDICES];
  return NULL;
}
OrtStatus *API(GetSparseTensorIndicesTypeShape)(const OrtValue *v, OrtSparseIndicesFormat form,
                                                OrtTensorTypeAndShapeInfo **out) {
  const OrtValue *x;
  TRY(indices(v, form, &x));
  return API(GetTensorTypeAndShape)(x, out);
}
OrtStatus *API(GetSparseTensorIndices)(const OrtValue *v, OrtSparseIndicesFormat form, size_t *n, const void **out) {
  const OrtValue *x;
  NEED(n);
  TRY(indices(v, form, &x));
  *n = whet_value_count(x->v);
  return API(GetTensorData)(x, out);
}
