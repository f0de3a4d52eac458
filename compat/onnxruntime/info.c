/* SPDX-License-Identifier: Apache-2.0 */
/* Types of values: tensors with a shape, sequences, maps, optionals. whet numbers element types as ONNX does. */

#include "shim.h"

_Static_assert((int)WHET_F32 == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT &&
                   (int)WHET_STRING == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING &&
                   (int)WHET_BF16 == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 &&
                   (int)WHET_S4 == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4 &&
                   (int)WHET_F4E2M1 == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT4E2M1,
               "element types");

/* whet has one type between those that the original has not, and two after them: its numbers from there on differ. */
ONNXTensorElementDataType onnx_type(whet_dtype t) {
  if (t == WHET_U2) return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT2;
  if (t == WHET_S2) return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT2;
  return t >= WHET_F8E8M0 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED : (ONNXTensorElementDataType)t;
}

whet_dtype whet_type(ONNXTensorElementDataType t) {
  if (t == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT2) return WHET_U2;
  if (t == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT2) return WHET_S2;
  return (int)t > 0 && (int)t < (int)WHET_F8E8M0 ? (whet_dtype)t : WHET_NONE;
}

const char *type_text(whet_dtype t, char buf[40]) {
  const char *name = t == WHET_F32 ? "float" : t == WHET_F64 ? "double" : whet_dtype_name(t);
  snprintf(buf, 40, "tensor(%s)", name);
  return buf;
}

OrtStatus *tensor_type(whet_dtype t, int32_t rank, const int64_t *dims, OrtTensorTypeAndShapeInfo **out) {
  OrtTensorTypeAndShapeInfo *x = calloc(1, sizeof *x);
  if (!x) return no_memory();
  x->type = onnx_type(t);
  x->has_shape = rank >= 0;
  x->rank = rank > 0 ? (size_t)rank : 0;
  if (x->rank) memcpy(x->dims, dims, x->rank * sizeof *dims);
  *out = x;
  return NULL;
}

/* A deep copy. */
static OrtStatus *tensor_copy(const OrtTensorTypeAndShapeInfo *from, OrtTensorTypeAndShapeInfo **out) {
  OrtTensorTypeAndShapeInfo *x = malloc(sizeof *x);
  if (!x) return no_memory();
  *x = *from;
  bool whole = true;
  for (size_t i = 0; i < WHET_MAX_RANK; i++) {
    x->symbol[i] = from->symbol[i] ? strdup(from->symbol[i]) : NULL;
    whole &= !from->symbol[i] || x->symbol[i];
  }
  if (!whole) {
    API(ReleaseTensorTypeAndShapeInfo)(x);
    return no_memory();
  }
  *out = x;
  return NULL;
}

OrtStatus *type_copy(const OrtTypeInfo *from, OrtTypeInfo **out) {
  OrtTypeInfo *t = calloc(1, sizeof *t);
  if (!t) return no_memory();
  t->type = from->type;
  t->key = from->key;
  OrtStatus *s = from->tensor ? tensor_copy(from->tensor, &t->tensor) : NULL;
  if (!s && from->inner) s = type_copy(from->inner, &t->inner);
  if (s) {
    API(ReleaseTypeInfo)(t);
    return s;
  }
  *out = t;
  return NULL;
}

/* Whether text goes on with word; if so, past it. */
static bool eat(const char **text, const char *word) {
  size_t n = strlen(word);
  if (strncmp(*text, word, n) != 0) return false;
  *text += n;
  return true;
}

/* The element type that text goes on with, up to `end`. */
static whet_dtype element(const char **text, char end) {
  char name[24];
  size_t n = 0;
  while ((*text)[n] && (*text)[n] != end && n + 1 < sizeof name) name[n] = (*text)[n], n++;
  name[n] = 0;
  *text += n;
  if (**text == end) ++*text;
  return !strcmp(name, "float") ? WHET_F32 : !strcmp(name, "double") ? WHET_F64 : whet_dtype_from_name(name);
}

/* Read a type as ONNX writes it: "seq(map(int64,tensor(float)))". Nesting is bounded by what the reader of models
 * takes. */
static OrtStatus *parse(const char **text, int depth, OrtTypeInfo **out) {
  OrtTypeInfo *t = calloc(1, sizeof *t);
  OrtStatus *s = NULL;
  if (!t) return no_memory();
  if (depth > 64) {
    s = fail(ORT_FAIL, "a type is nested too deeply");
  } else if (eat(text, "tensor(")) {
    t->type = ONNX_TYPE_TENSOR;
    s = tensor_type(element(text, ')'), -1, NULL, &t->tensor);
  } else if (eat(text, "seq(") || eat(text, "optional(")) {
    t->type = (*text)[-2] == 'q' ? ONNX_TYPE_SEQUENCE : ONNX_TYPE_OPTIONAL;
    s = parse(text, depth + 1, &t->inner);
    eat(text, ")");
  } else if (eat(text, "map(")) {
    t->type = ONNX_TYPE_MAP;
    t->key = onnx_type(element(text, ','));
    while (eat(text, " ")) continue;
    s = parse(text, depth + 1, &t->inner);
    eat(text, ")");
  }
  if (s)
    API(ReleaseTypeInfo)(t);
  else
    *out = t;
  return s;
}

OrtStatus *type_of_info(const whet_info *info, const char *text, OrtTypeInfo **out) {
  if (text) return parse(&text, 0, out);
  OrtTypeInfo *t = calloc(1, sizeof *t);
  if (!t) return no_memory();
  t->type = info->kind == WHET_TENSOR     ? ONNX_TYPE_TENSOR
            : info->kind == WHET_SEQUENCE ? ONNX_TYPE_SEQUENCE
            : info->kind == WHET_MAP      ? ONNX_TYPE_MAP
                                          : ONNX_TYPE_OPTIONAL;
  OrtStatus *s = NULL;
  if (t->type == ONNX_TYPE_TENSOR) s = tensor_type(info->dtype, info->rank, info->dims, &t->tensor);
  for (int i = 0; !s && t->tensor && i < info->rank; i++)
    if (info->symbol[i] && info->dims[i] < 0 && !(t->tensor->symbol[i] = strdup(info->symbol[i]))) s = no_memory();
  if (s)
    API(ReleaseTypeInfo)(t);
  else
    *out = t;
  return s;
}

/* The type of a value. Of tensors within others the shape is not told: each has its own. */
static OrtStatus *type_within(const whet_value *v, bool within, OrtTypeInfo **out) {
  whet_info info = {
      .kind = whet_value_kind(v), .dtype = whet_value_dtype(v), .rank = within ? -1 : whet_value_rank(v)};
  if (info.kind == WHET_TENSOR && info.rank > 0)
    memcpy(info.dims, whet_value_dims(v), (size_t)info.rank * sizeof *info.dims);
  OrtTypeInfo *t;
  TRY(type_of_info(&info, NULL, &t));
  const whet_value *in = whet_value_item(v, info.kind == WHET_MAP ? 1 : 0);
  OrtStatus *s = info.kind != WHET_TENSOR && in ? type_within(in, true, &t->inner) : NULL;
  if (!s && info.kind == WHET_MAP) t->key = onnx_type(whet_value_dtype(whet_value_item(v, 0)));
  if (s)
    API(ReleaseTypeInfo)(t);
  else
    *out = t;
  return s;
}
OrtStatus *type_of_value(const whet_value *v, OrtTypeInfo **out) { return type_within(v, false, out); }

void API(ReleaseTypeInfo)(OrtTypeInfo *t) {
  if (!t) return;
  API(ReleaseTensorTypeAndShapeInfo)(t->tensor);
  API(ReleaseTypeInfo)(t->inner);
  free(t);
}
/* Views of a type information: it owns them. */
void API(ReleaseMapTypeInfo)(OrtMapTypeInfo *t) { (void)t; }
void API(ReleaseSequenceTypeInfo)(OrtSequenceTypeInfo *t) { (void)t; }

OrtStatus *API(GetOnnxTypeFromTypeInfo)(const OrtTypeInfo *t, ONNXType *out) {
  NEED(t);
  NEED(out);
  *out = t->type;
  return NULL;
}
OrtStatus *API(GetDenotationFromTypeInfo)(const OrtTypeInfo *t, const char **const denotation, size_t *n) {
  NEED(t);
  NEED(denotation);
  NEED(n);
  *denotation = "";
  *n = 0;
  return NULL;
}
OrtStatus *API(CastTypeInfoToTensorInfo)(const OrtTypeInfo *t, const OrtTensorTypeAndShapeInfo **out) {
  NEED(t);
  NEED(out);
  *out = t->tensor;
  return NULL;
}
OrtStatus *API(CastTypeInfoToMapTypeInfo)(const OrtTypeInfo *t, const OrtMapTypeInfo **out) {
  NEED(t);
  NEED(out);
  *out = t->type == ONNX_TYPE_MAP ? (const OrtMapTypeInfo *)t : NULL;
  return NULL;
}
OrtStatus *API(CastTypeInfoToSequenceTypeInfo)(const OrtTypeInfo *t, const OrtSequenceTypeInfo **out) {
  NEED(t);
  NEED(out);
  *out = t->type == ONNX_TYPE_SEQUENCE ? (const OrtSequenceTypeInfo *)t : NULL;
  return NULL;
}
OrtStatus *API(CastTypeInfoToOptionalTypeInfo)(const OrtTypeInfo *t, const OrtOptionalTypeInfo **out) {
  NEED(t);
  NEED(out);
  *out = t->type == ONNX_TYPE_OPTIONAL ? (const OrtOptionalTypeInfo *)t : NULL;
  return NULL;
}
/* What a map, a sequence, an optional holds: a copy for the caller. */
static OrtStatus *inner_of(const void *view, OrtTypeInfo **out) {
  const OrtTypeInfo *t = view;
  if (!t->inner) return fail(ORT_FAIL, "the type of what it holds is not known");
  return type_copy(t->inner, out);
}
OrtStatus *API(GetMapKeyType)(const OrtMapTypeInfo *t, ONNXTensorElementDataType *out) {
  NEED(t);
  NEED(out);
  *out = ((const OrtTypeInfo *)t)->key;
  return NULL;
}
OrtStatus *API(GetMapValueType)(const OrtMapTypeInfo *t, OrtTypeInfo **out) {
  NEED(t);
  NEED(out);
  return inner_of(t, out);
}
OrtStatus *API(GetSequenceElementType)(const OrtSequenceTypeInfo *t, OrtTypeInfo **out) {
  NEED(t);
  NEED(out);
  return inner_of(t, out);
}
OrtStatus *API(GetOptionalContainedTypeInfo)(const OrtOptionalTypeInfo *t, OrtTypeInfo **out) {
  NEED(t);
  NEED(out);
  return inner_of(t, out);
}

/* Tensor types. */
OrtStatus *API(CreateTensorTypeAndShapeInfo)(OrtTensorTypeAndShapeInfo **out) {
  NEED(out);
  return tensor_type(WHET_NONE, -1, NULL, out);
}
void API(ReleaseTensorTypeAndShapeInfo)(OrtTensorTypeAndShapeInfo *t) {
  if (!t) return;
  for (size_t i = 0; i < WHET_MAX_RANK; i++) free(t->symbol[i]);
  free(t);
}
OrtStatus *API(SetTensorElementType)(OrtTensorTypeAndShapeInfo *t, ONNXTensorElementDataType type) {
  NEED(t);
  t->type = type;
  return NULL;
}
OrtStatus *API(SetDimensions)(OrtTensorTypeAndShapeInfo *t, const int64_t *dims, size_t n) {
  NEED(t);
  if (n) NEED(dims);
  if (n > WHET_MAX_RANK)
    return fail(ORT_INVALID_ARGUMENT, "SetDimensions: %zu dimensions; whet has up to %d", n, WHET_MAX_RANK);
  for (size_t i = 0; i < n; i++)
    if (dims[i] < -1) return fail(ORT_INVALID_ARGUMENT, "dim_values must be -1 (symbolic dimension) or larger.");
  if (n) memcpy(t->dims, dims, n * sizeof *dims);
  t->rank = n;
  t->has_shape = true;
  return NULL;
}
OrtStatus *API(SetSymbolicDimensions)(OrtTensorTypeAndShapeInfo *t, const char *names[], size_t n) {
  NEED(t);
  if (n) NEED(names);
  if (n > WHET_MAX_RANK)
    return fail(ORT_INVALID_ARGUMENT, "SetSymbolicDimensions: %zu dimensions; whet has up to %d", n, WHET_MAX_RANK);
  for (size_t i = 0; i < n; i++) {
    free(t->symbol[i]);
    t->symbol[i] = names[i] && *names[i] ? strdup(names[i]) : NULL;
    if (names[i] && *names[i] && !t->symbol[i]) return no_memory();
  }
  return NULL;
}
OrtStatus *API(GetTensorElementType)(const OrtTensorTypeAndShapeInfo *t, ONNXTensorElementDataType *out) {
  NEED(t);
  NEED(out);
  *out = t->type;
  return NULL;
}
OrtStatus *API(GetDimensionsCount)(const OrtTensorTypeAndShapeInfo *t, size_t *out) {
  NEED(t);
  NEED(out);
  *out = t->rank;
  return NULL;
}
OrtStatus *API(GetDimensions)(const OrtTensorTypeAndShapeInfo *t, int64_t *out, size_t n) {
  NEED(t);
  if (n) NEED(out);
  for (size_t i = 0; i < n && i < t->rank; i++) out[i] = t->dims[i];
  return NULL;
}
OrtStatus *API(GetSymbolicDimensions)(const OrtTensorTypeAndShapeInfo *t, const char *out[], size_t n) {
  NEED(t);
  if (n) NEED(out);
  for (size_t i = 0; i < n && i < t->rank; i++) out[i] = t->symbol[i] ? t->symbol[i] : "";
  return NULL;
}
OrtStatus *API(GetTensorShapeElementCount)(const OrtTensorTypeAndShapeInfo *t, size_t *out) {
  NEED(t);
  NEED(out);
  size_t n = 1;
  for (size_t i = 0; i < t->rank; i++) {
    if (t->dims[i] < 0) {
      *out = (size_t)-1;
      return NULL;
    }
    if (__builtin_mul_overflow(n, (size_t)t->dims[i], &n))
      return fail(ORT_RUNTIME_EXCEPTION, "the number of elements overflows");
  }
  *out = n;
  return NULL;
}
bool API(TensorTypeAndShape_HasShape)(const OrtTensorTypeAndShapeInfo *t) { return t && t->has_shape; }
