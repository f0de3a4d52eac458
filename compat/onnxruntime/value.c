/* SPDX-License-Identifier: Apache-2.0 */
/* Values: tensors of every type, strings, sequences, maps. */

#include "shim.h"

OrtStatus *value_own(whet_value *v, OrtValue **out) {
  OrtValue *x = malloc(sizeof *x);
  if (!x) {
    whet_value_unref(&v);
    return no_memory();
  }
  *x = (OrtValue){.v = v, .memory = &cpu_memory};
  *out = x;
  return NULL;
}

void API(ReleaseValue)(OrtValue *x) {
  if (!x) return;
  whet_value_unref(&x->v);
  sparse_unref(x->sparse);
  free(x);
}

/* Give memory back to the allocator that it came from. */
static void give_back(void *user, void *data) {
  OrtAllocator *a = user;
  a->Free(a, data);
}

/* Elements of a shape, and the bytes of them. */
static OrtStatus *measure(whet_dtype t, const int64_t *dims, size_t rank, size_t *bytes) {
  size_t n = 1;
  if (t == WHET_NONE) return fail(ORT_NOT_IMPLEMENTED, "the element type is not one of whet's");
  if (rank > WHET_MAX_RANK)
    return fail(ORT_INVALID_ARGUMENT, "%zu dimensions; whet has up to %d", rank, WHET_MAX_RANK);
  for (size_t i = 0; i < rank; i++) {
    if (dims[i] < 0) return fail(ORT_FAIL, "tried creating tensor with negative value in shape");
    if (__builtin_mul_overflow(n, (size_t)dims[i], &n)) return fail(ORT_INVALID_ARGUMENT, "size overflow in shape");
  }
  *bytes = whet_dtype_bytes(t, n);
  return n && !*bytes ? fail(ORT_INVALID_ARGUMENT, "size overflow in shape") : NULL;
}

/* The failure to make a value. */
static OrtStatus *not_made(whet_status s) {
  return s == WHET_E_MEMORY ? no_memory() : fail(ORT_INVALID_ARGUMENT, "%s", whet_status_text(s));
}

OrtStatus *value_tensor(OrtAllocator *a, whet_dtype t, int32_t rank, const int64_t *dims, OrtValue **out) {
  size_t bytes;
  whet_value *v;
  TRY(measure(t, dims, (size_t)rank, &bytes));
  whet_status s;
  void *p = NULL;
  if (t == WHET_STRING) {
    s = whet_value_create(t, rank, dims, &v);
  } else {
    p = a->Alloc(a, bytes ? bytes : 1);
    if (!p) return no_memory();
    s = whet_value_wrap(t, rank, dims, p, bytes, give_back, a, &v);
  }
  if (s) {
    if (p) a->Free(a, p);
    return not_made(s);
  }
  TRY(value_own(v, out));
  const OrtMemoryInfo *m = a->Info(a);
  if (m) (*out)->memory = m;
  return NULL;
}

OrtStatus *value_copy(OrtAllocator *a, const whet_info *x, const void *data, OrtValue **out) {
  TRY(value_tensor(a, x->dtype, x->rank, x->dims, out));
  whet_value *v = (*out)->v;
  const whet_str *s = data;
  if (x->dtype != WHET_STRING) {
    if (whet_value_bytes(v)) memcpy(whet_value_data(v), data, whet_value_bytes(v));
    return NULL;
  }
  for (size_t i = 0; i < whet_value_count(v); i++)
    if (whet_value_set_string(v, i, s[i].p, s[i].n)) {
      API(ReleaseValue)(*out);
      *out = NULL;
      return no_memory();
    }
  return NULL;
}

OrtStatus *API(CreateTensorAsOrtValue)(OrtAllocator *a, const int64_t *shape, size_t rank,
                                       ONNXTensorElementDataType type, OrtValue **out) {
  NEED(a);
  NEED(out);
  if (rank) NEED(shape);
  size_t bytes;
  TRY(measure(whet_type(type), shape, rank, &bytes));
  return value_tensor(a, whet_type(type), (int32_t)rank, shape, out);
}

/* A tensor over the caller's memory; a (may be NULL) gives it back. */
static OrtStatus *wrap(OrtAllocator *a, void *data, size_t have, const int64_t *shape, size_t rank,
                       ONNXTensorElementDataType type, OrtValue **out) {
  NEED(out);
  if (rank) NEED(shape);
  size_t bytes;
  whet_value *v;
  whet_dtype t = whet_type(type);
  if (t == WHET_STRING)
    return fail(ORT_INVALID_ARGUMENT, "tensors of strings own their memory: create one and fill it");
  TRY(measure(t, shape, rank, &bytes));
  if (have < bytes) return fail(ORT_INVALID_ARGUMENT, "not enough space: expected %zu, got %zu", bytes, have);
  if (!data && bytes) return fail(ORT_INVALID_ARGUMENT, "the tensor's memory is null");
  static char none;
  whet_status s =
      whet_value_wrap(t, (int32_t)rank, shape, data ? data : &none, have, a && data ? give_back : NULL, a, &v);
  return s ? not_made(s) : value_own(v, out);
}

OrtStatus *API(CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo *m, void *data, size_t bytes, const int64_t *shape,
                                               size_t rank, ONNXTensorElementDataType type, OrtValue **out) {
  NEED(m);
  if (m->device != OrtMemoryInfoDeviceType_CPU)
    return fail(ORT_NOT_IMPLEMENTED, "memory of \"%s\": whet runs on the CPU", m->name);
  return wrap(NULL, data, bytes, shape, rank, type, out);
}
OrtStatus *API(CreateTensorWithDataAndDeleterAsOrtValue)(OrtAllocator *a, void *data, size_t bytes,
                                                         const int64_t *shape, size_t rank,
                                                         ONNXTensorElementDataType type, OrtValue **out) {
  NEED(a);
  return wrap(a, data, bytes, shape, rank, type, out);
}

/* What a value is. */
OrtStatus *API(IsTensor)(const OrtValue *x, int *out) {
  NEED(x);
  NEED(out);
  *out = whet_value_kind(x->v) == WHET_TENSOR;
  return NULL;
}
OrtStatus *API(HasValue)(const OrtValue *x, int *out) {
  NEED(x);
  NEED(out);
  *out = x->sparse || whet_value_kind(x->v) != WHET_OPTIONAL || whet_value_items(x->v) > 0;
  return NULL;
}
OrtStatus *API(GetValueType)(const OrtValue *x, ONNXType *out) {
  NEED(x);
  NEED(out);
  static const ONNXType type[] = {ONNX_TYPE_TENSOR, ONNX_TYPE_SEQUENCE, ONNX_TYPE_MAP, ONNX_TYPE_OPTIONAL};
  *out = x->sparse ? ONNX_TYPE_SPARSETENSOR : type[whet_value_kind(x->v)];
  return NULL;
}
OrtStatus *API(GetTypeInfo)(const OrtValue *x, OrtTypeInfo **out) {
  NEED(x);
  NEED(out);
  if (!x->sparse) return type_of_value(x->v, out);
  const whet_info *whole = sparse_shape(x->sparse);
  OrtTypeInfo *t = calloc(1, sizeof *t);
  if (!t) return no_memory();
  t->type = ONNX_TYPE_SPARSETENSOR;
  OrtStatus *s = tensor_type(whole->dtype, whole->rank, whole->dims, &t->tensor);
  if (s)
    free(t);
  else
    *out = t;
  return s;
}
/* Leave unless x is a tensor; (of strings) unless it is one of strings. */
#define TENSOR(x)                             \
  NEED(x);                                    \
  if (whet_value_kind((x)->v) != WHET_TENSOR) \
  return fail(ORT_RUNTIME_EXCEPTION, "%s: the value is no tensor", __func__ + 4)
#define STRINGS(x)                                                                \
  NEED(x);                                                                        \
  if (whet_value_kind((x)->v) != WHET_TENSOR)                                     \
    return fail(ORT_NOT_IMPLEMENTED, "%s: the value is no tensor", __func__ + 4); \
  if (whet_value_dtype((x)->v) != WHET_STRING) return fail(ORT_FAIL, "%s: the tensor is not of strings", __func__ + 4)

/* The same where it is only looked at: of a sparse tensor its values. */
#define OF_STRINGS(x)                                      \
  NEED(x);                                                 \
  if ((x)->sparse) TRY(sparse_strings((x)->sparse, &(x))); \
  STRINGS(x)

OrtStatus *API(GetTensorMemoryInfo)(const OrtValue *x, const OrtMemoryInfo **out) {
  TENSOR(x);
  NEED(out);
  *out = x->memory;
  return NULL;
}

/* Element type and dimensions of a tensor or of a sparse one; false where it is neither. */
static bool shape_of(const OrtValue *x, whet_dtype *t, int32_t *rank, const int64_t **dims) {
  const whet_info *whole = x->sparse ? sparse_shape(x->sparse) : NULL;
  *t = whole ? whole->dtype : whet_value_dtype(x->v);
  *rank = whole ? whole->rank : whet_value_rank(x->v);
  *dims = whole ? whole->dims : whet_value_dims(x->v);
  return whole || whet_value_kind(x->v) == WHET_TENSOR;
}
OrtStatus *API(GetTensorTypeAndShape)(const OrtValue *x, OrtTensorTypeAndShapeInfo **out) {
  whet_dtype t;
  int32_t rank;
  const int64_t *dims;
  NEED(x);
  NEED(out);
  if (!shape_of(x, &t, &rank, &dims)) return fail(ORT_FAIL, "Argument is not a tensor");
  return tensor_type(t, rank, dims, out);
}
OrtStatus *API(GetTensorElementTypeAndShapeDataReference)(const OrtValue *x, ONNXTensorElementDataType *type,
                                                          const int64_t **dims, size_t *n) {
  whet_dtype t;
  int32_t rank;
  const int64_t *at;
  NEED(x);
  NEED(type);
  NEED(dims);
  NEED(n);
  if (!shape_of(x, &t, &rank, &at)) return fail(ORT_INVALID_ARGUMENT, "Argument is not a tensor");
  *type = onnx_type(t);
  *n = (size_t)rank;
  *dims = rank ? at : NULL;
  return NULL;
}
OrtStatus *API(GetTensorMutableData)(OrtValue *x, void **out) {
  TENSOR(x);
  NEED(out);
  *out = whet_value_data(x->v);
  return NULL;
}
OrtStatus *API(GetTensorData)(const OrtValue *x, const void **out) {
  TENSOR(x);
  NEED(out);
  *out = whet_value_const_data(x->v);
  return NULL;
}
OrtStatus *API(GetTensorSizeInBytes)(const OrtValue *x, size_t *out) {
  NEED(x);
  NEED(out);
  if (whet_value_kind(x->v) != WHET_TENSOR) return fail(ORT_INVALID_ARGUMENT, "OrtValue is not a tensor");
  if (whet_value_dtype(x->v) == WHET_STRING) return fail(ORT_INVALID_ARGUMENT, "String tensors are not supported");
  *out = whet_dtype_bytes(whet_value_dtype(x->v), whet_value_count(x->v));
  return NULL;
}
OrtStatus *API(TensorAt)(OrtValue *x, const int64_t *at, size_t n, void **out) {
  TENSOR(x);
  NEED(out);
  if (n) NEED(at);
  whet_dtype t = whet_value_dtype(x->v);
  const int64_t *dims = whet_value_dims(x->v);
  if (t == WHET_STRING || whet_dtype_bits(t) < 8)
    return fail(ORT_INVALID_ARGUMENT, "TensorAt: elements of %s have no address", whet_dtype_name(t));
  if (n != (size_t)whet_value_rank(x->v))
    return fail(ORT_INVALID_ARGUMENT, "location dimensions do not match shape size");
  size_t index = 0;
  for (size_t i = 0; i < n; i++) {
    if (at[i] < 0 || at[i] >= dims[i]) return fail(ORT_INVALID_ARGUMENT, "invalid location range");
    index = index * (size_t)dims[i] + (size_t)at[i];
  }
  *out = (char *)whet_value_data(x->v) + index * (whet_dtype_bits(t) / 8);
  return NULL;
}

/* Strings. */
static OrtStatus *no_element(size_t i, size_t n) {
  return fail(ORT_INVALID_ARGUMENT, "element index is out of bounds: %zu of %zu", i, n);
}
OrtStatus *API(FillStringTensor)(OrtValue *x, const char *const *s, size_t n) {
  STRINGS(x);
  if (n) NEED(s);
  if (n != whet_value_count(x->v))
    return fail(ORT_INVALID_ARGUMENT, "input array doesn't equal tensor size: %zu, %zu", n, whet_value_count(x->v));
  for (size_t i = 0; i < n; i++) {
    if (!s[i]) return fail(ORT_INVALID_ARGUMENT, "FillStringTensor: string %zu is null", i);
    if (whet_value_set_string(x->v, i, s[i], strlen(s[i]))) return no_memory();
  }
  return NULL;
}
OrtStatus *API(FillStringTensorElement)(OrtValue *x, const char *s, size_t i) {
  STRINGS(x);
  NEED(s);
  if (i >= whet_value_count(x->v)) return no_element(i, whet_value_count(x->v));
  return whet_value_set_string(x->v, i, s, strlen(s)) ? no_memory() : NULL;
}
OrtStatus *API(GetResizedStringTensorElementBuffer)(OrtValue *x, size_t i, size_t n, char **out) {
  STRINGS(x);
  NEED(out);
  if (i >= whet_value_count(x->v)) return no_element(i, whet_value_count(x->v));
  char *room = n < SIZE_MAX ? calloc(1, n + 1) : NULL;
  if (!room) return no_memory();
  whet_status s = whet_value_set_string(x->v, i, room, n);
  free(room);
  if (s) return no_memory();
  *out = (char *)((const whet_str *)whet_value_data(x->v))[i].p;
  return NULL;
}
OrtStatus *API(GetStringTensorDataLength)(const OrtValue *x, size_t *out) {
  OF_STRINGS(x);
  NEED(out);
  const whet_str *s = whet_value_const_data(x->v);
  *out = 0;
  for (size_t i = 0; i < whet_value_count(x->v); i++) *out += s[i].n;
  return NULL;
}
OrtStatus *API(GetStringTensorContent)(const OrtValue *x, void *to, size_t room, size_t *offsets, size_t n) {
  OF_STRINGS(x);
  const whet_str *s = whet_value_const_data(x->v);
  size_t count = whet_value_count(x->v), need = 0;
  TRY(API(GetStringTensorDataLength)(x, &need));
  if (n != count) return fail(ORT_FAIL, "offsets buffer doesn't equal tensor size: %zu, %zu", n, count);
  if (room < need) return fail(ORT_FAIL, "output buffer is too small. Use GetStringTensorDataLength.");
  if (n) NEED(offsets);
  if (need) NEED(to);
  for (size_t i = 0, at = 0; i < n; at += s[i++].n) {
    offsets[i] = at;
    if (s[i].n) memcpy((char *)to + at, s[i].p, s[i].n);
  }
  return NULL;
}
OrtStatus *API(GetStringTensorElementLength)(const OrtValue *x, size_t i, size_t *out) {
  OF_STRINGS(x);
  NEED(out);
  if (i >= whet_value_count(x->v)) return no_element(i, whet_value_count(x->v));
  *out = ((const whet_str *)whet_value_const_data(x->v))[i].n;
  return NULL;
}
OrtStatus *API(GetStringTensorElement)(const OrtValue *x, size_t room, size_t i, void *to) {
  OF_STRINGS(x);
  if (i >= whet_value_count(x->v)) return no_element(i, whet_value_count(x->v));
  const whet_str *s = (const whet_str *)whet_value_const_data(x->v) + i;
  if (room < s->n) return fail(ORT_FAIL, "buffer size is too small for string element");
  if (s->n) NEED(to);
  if (s->n) memcpy(to, s->p, s->n);
  return NULL;
}

/* Sequences and maps. */
OrtStatus *API(GetValueCount)(const OrtValue *x, size_t *out) {
  NEED(x);
  NEED(out);
  whet_kind k = whet_value_kind(x->v);
  if (k != WHET_SEQUENCE && k != WHET_MAP) return fail(ORT_FAIL, "Input is not of type sequence or map.");
  *out = k == WHET_MAP ? 2 : whet_value_items(x->v);
  return NULL;
}
OrtStatus *API(GetValue)(const OrtValue *x, int i, OrtAllocator *a, OrtValue **out) {
  NEED(x);
  NEED(a);
  NEED(out);
  whet_kind k = whet_value_kind(x->v);
  if (k != WHET_SEQUENCE && k != WHET_MAP) return fail(ORT_FAIL, "Input is not of type sequence or map.");
  whet_value *v = i >= 0 ? whet_value_item(x->v, (size_t)i) : NULL;
  if (!v) return fail(ORT_FAIL, "Invalid index requested: %d", i);
  return value_own(whet_value_ref(v), out);
}

/* A map's keys and values: tensors of one dimension, of as many elements. */
static OrtStatus *create_map(const OrtValue *const *in, size_t n, whet_value **out) {
  if (n != 2) return fail(ORT_FAIL, "For map type num_values MUST be 2");
  for (size_t i = 0; i < 2; i++)
    if (whet_value_kind(in[i]->v) != WHET_TENSOR)
      return fail(ORT_RUNTIME_EXCEPTION, "Either the key tensor or the value tensor is not a tensor");
  if (whet_value_count(in[0]->v) != whet_value_count(in[1]->v))
    return fail(ORT_FAIL, "Key and value tensors have unequal number of elements.");
  whet_dtype k = whet_value_dtype(in[0]->v), t = whet_value_dtype(in[1]->v);
  if ((k != WHET_S64 && k != WHET_STRING) || (t != WHET_F32 && t != WHET_F64 && t != WHET_S64 && t != WHET_STRING))
    return fail(ORT_FAIL, "a map of %s to %s: keys are int64 or string, values float, double, int64 or string",
                whet_dtype_name(k), whet_dtype_name(t));
  whet_status s = whet_value_create_map(in[0]->v, in[1]->v, out);
  return s ? not_made(s) : NULL;
}
/* A sequence's items: all of one kind and element type. */
static OrtStatus *create_sequence(const OrtValue *const *in, size_t n, whet_value **out) {
  if (!n) return fail(ORT_FAIL, "Number of values should be at least 1.");
  whet_value **item = malloc(n * sizeof *item);
  if (!item) return no_memory();
  for (size_t i = 0; i < n; i++) {
    item[i] = in[i]->v;
    whet_kind k = whet_value_kind(item[i]);
    if (k == whet_value_kind(item[0]) && (k == WHET_TENSOR || k == WHET_MAP) &&
        whet_value_dtype(item[i]) == whet_value_dtype(item[0]))
      continue;
    free(item);
    return fail(ORT_FAIL, "All OrtValues in a sequence must be tensors of one type, or maps: value %zu is not", i);
  }
  whet_status s = whet_value_create_sequence(item, n, out);
  free(item);
  return s ? not_made(s) : NULL;
}
OrtStatus *API(CreateValue)(const OrtValue *const *in, size_t n, ONNXType type, OrtValue **out) {
  NEED(out);
  if (n) NEED(in);
  for (size_t i = 0; i < n; i++) NEED(in[i]);
  whet_value *v;
  if (type == ONNX_TYPE_MAP)
    TRY(create_map(in, n, &v));
  else if (type == ONNX_TYPE_SEQUENCE)
    TRY(create_sequence(in, n, &v));
  else
    return fail(ORT_FAIL, "Input is not of type sequence or map.");
  return value_own(v, out);
}
