/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes by themselves: made by callers for operators of whet (op.c), or read from the node of an operator of the
 * caller's own whose shapes are asked for (shapes.c). */

#include "shim.h"

/* Room for n elements of `each` bytes in an attribute's list. */
static bool room(OrtOpAttr *a, size_t n, size_t each) {
  a->n = n;
  return (a->list = calloc(n ? n : 1, each)) != NULL;
}
static bool put_string(OrtOpAttr *a, size_t i, const char *p, size_t n) {
  char *own = malloc(n + 1);
  if (!own) return false;
  if (n) memcpy(own, p, n);
  own[n] = 0;
  a->strings[i] = (whet_str){own, n};
  return true;
}

void API(ReleaseOpAttr)(OrtOpAttr *a) {
  if (!a) return;
  bool text = a->type == ORT_OP_ATTR_STRING || a->type == ORT_OP_ATTR_STRINGS;
  for (size_t i = 0; text && a->list && i < a->n; i++) free((char *)a->strings[i].p);
  free(a->list);
  free(a->name);
  API(ReleaseValue)(a->tensor);
  free(a);
}

/* An attribute of a type, without contents. */
static OrtOpAttr *blank(const char *name, OrtOpAttrType type) {
  OrtOpAttr *a = calloc(1, sizeof *a);
  if (!a) return NULL;
  a->type = type;
  a->name = strdup(name);
  if (a->name) return a;
  free(a);
  return NULL;
}
/* Finish it: the attribute, or why there is none. */
static OrtStatus *finish(OrtOpAttr *a, bool good, OrtOpAttr **out) {
  if (!good) API(ReleaseOpAttr)(a);
  *out = good ? a : NULL;
  return good ? NULL : no_memory();
}

OrtStatus *API(CreateOpAttr)(const char *name, const void *data, int len, OrtOpAttrType type, OrtOpAttr **out) {
  NEED(name);
  NEED(out);
  *out = NULL;
  bool one = type == ORT_OP_ATTR_INT || type == ORT_OP_ATTR_FLOAT || type == ORT_OP_ATTR_STRING;
  size_t n = one ? 1 : len < 0 ? 0 : (size_t)len;
  if (n) NEED(data);
  OrtOpAttr *a = blank(name, type);
  bool good = a != NULL;
  switch (type) {
    case ORT_OP_ATTR_INT:
    case ORT_OP_ATTR_INTS:
      if (good && (good = room(a, n, sizeof *a->ints)) && n) memcpy(a->ints, data, n * sizeof *a->ints);
      break;
    case ORT_OP_ATTR_FLOAT:
    case ORT_OP_ATTR_FLOATS:
      if (good && (good = room(a, n, sizeof *a->floats)) && n) memcpy(a->floats, data, n * sizeof *a->floats);
      break;
    case ORT_OP_ATTR_STRING:
      good = good && room(a, 1, sizeof *a->strings) && put_string(a, 0, data, len < 0 ? 0 : (size_t)len);
      break;
    case ORT_OP_ATTR_STRINGS:
      good = good && room(a, n, sizeof *a->strings);
      for (size_t i = 0; good && i < n; i++) {
        const char *s = ((const char *const *)data)[i];
        good = put_string(a, i, s, strlen(s));
      }
      break;
    default:
      if (a) a->type = ORT_OP_ATTR_UNDEFINED;
      API(ReleaseOpAttr)(a);
      return fail(ORT_FAIL, "CreateOpAttr: attributes of type %d cannot be made", (int)type);
  }
  return finish(a, good, out);
}

OrtStatus *attr_of_node(const whet_custom_ctx *c, const char *name, OrtOpAttr **out) {
  whet_str s;
  const whet_str *strs;
  const float *f;
  const int64_t *i;
  float one_f;
  int64_t one_i;
  size_t n;
  whet_info x;
  const void *data;
  if (whet_custom_attr_int(c, name, &one_i)) return API(CreateOpAttr)(name, &one_i, 1, ORT_OP_ATTR_INT, out);
  if (whet_custom_attr_float(c, name, &one_f)) return API(CreateOpAttr)(name, &one_f, 1, ORT_OP_ATTR_FLOAT, out);
  if (whet_custom_attr_ints(c, name, &i, &n)) return API(CreateOpAttr)(name, i, (int)n, ORT_OP_ATTR_INTS, out);
  if (whet_custom_attr_floats(c, name, &f, &n)) return API(CreateOpAttr)(name, f, (int)n, ORT_OP_ATTR_FLOATS, out);
  if (whet_custom_attr_string(c, name, &s.p, &s.n))
    return API(CreateOpAttr)(name, s.p, (int)s.n, ORT_OP_ATTR_STRING, out);
  if (whet_custom_attr_strings(c, name, &strs, &n)) {
    OrtOpAttr *a = blank(name, ORT_OP_ATTR_STRINGS);
    bool good = a && room(a, n, sizeof *a->strings);
    for (size_t k = 0; good && k < n; k++) good = put_string(a, k, strs[k].p, strs[k].n);
    return finish(a, good, out);
  }
  if (whet_custom_attr_tensor(c, name, &x, &data)) {
    OrtOpAttr *a = blank(name, ORT_OP_ATTR_TENSOR);
    if (!a) return no_memory();
    OrtStatus *st = value_copy(&cpu_allocator, &x, data, &a->tensor);
    if (!st) return finish(a, true, out);
    API(ReleaseOpAttr)(a);
    return st;
  }
  *out = NULL;
  return fail(ORT_INVALID_ARGUMENT, "Attribute does not exist: %s", name);
}

OrtStatus *API(OpAttr_GetType)(const OrtOpAttr *a, OrtOpAttrType *out) {
  NEED(a);
  NEED(out);
  *out = a->type;
  return NULL;
}
OrtStatus *API(OpAttr_GetName)(const OrtOpAttr *a, const char **out) {
  NEED(a);
  NEED(out);
  *out = a->name;
  return NULL;
}
/* A copy of the tensor, the caller's to release. */
OrtStatus *API(OpAttr_GetTensorAttributeAsOrtValue)(const OrtOpAttr *a, OrtValue **out) {
  NEED(a);
  NEED(out);
  *out = NULL;
  if (a->type != ORT_OP_ATTR_TENSOR)
    return fail(ORT_INVALID_ARGUMENT, "attribute \"%s\" holds no tensor", a->name);
  const whet_value *v = a->tensor->v;
  whet_info x = {.dtype = whet_value_dtype(v), .rank = whet_value_rank(v)};
  if (x.rank) memcpy(x.dims, whet_value_dims(v), (size_t)x.rank * sizeof *x.dims);
  return value_copy(&cpu_allocator, &x, whet_value_const_data(v), out);
}

/* The bytes in which an attribute is read: texts in a list have a zero each, a single one has none. */
static size_t size_of(const OrtOpAttr *a) {
  size_t n = 0;
  if (a->type == ORT_OP_ATTR_INT || a->type == ORT_OP_ATTR_INTS) return a->n * sizeof *a->ints;
  if (a->type == ORT_OP_ATTR_FLOAT || a->type == ORT_OP_ATTR_FLOATS) return a->n * sizeof *a->floats;
  for (size_t i = 0; i < a->n; i++) n += a->strings[i].n + (a->type == ORT_OP_ATTR_STRINGS);
  return n;
}

/* As the original: asked for a list or a text that the attribute is not, it reads nothing. */
OrtStatus *API(ReadOpAttr)(const OrtOpAttr *a, OrtOpAttrType type, void *data, size_t len, size_t *out) {
  NEED(a);
  NEED(out);
  *out = type == ORT_OP_ATTR_INT ? sizeof *a->ints : type == ORT_OP_ATTR_FLOAT ? sizeof *a->floats : 0;
  if (type < ORT_OP_ATTR_INT || type > ORT_OP_ATTR_STRINGS)
    return fail(ORT_INVALID_ARGUMENT, "ReadOpAttr: attributes of type %d cannot be read", (int)type);
  if (a->type != type)
    return *out ? fail(ORT_INVALID_ARGUMENT, "attribute \"%s\" is of type %d, not %d", a->name, (int)a->type, (int)type)
                : NULL;
  *out = size_of(a);
  if (len < *out)
    return fail(ORT_INVALID_ARGUMENT, "Size of data not large enough to hold attribute \"%s\": %zu, %zu needed", a->name,
                len, *out);
  if (!*out) return NULL;
  NEED(data);
  if (type < ORT_OP_ATTR_STRING) {
    memcpy(data, a->list, *out);
    return NULL;
  }
  char *to = data;
  for (size_t i = 0; i < a->n; i++) {
    size_t n = a->strings[i].n + (type == ORT_OP_ATTR_STRINGS);
    memcpy(to, a->strings[i].p, n);
    to += n;
  }
  return NULL;
}

/* AttributeProto. */
void attr_put(const OrtOpAttr *a, uint32_t field, whet_text *to) {
  whet_text t = {.mem = to->mem};
  whet__pb_put_str(&t, 1, a->name);
  static const uint8_t number[] = {[ORT_OP_ATTR_INT] = 2,  [ORT_OP_ATTR_INTS] = 7,   [ORT_OP_ATTR_FLOAT] = 1,
                                   [ORT_OP_ATTR_FLOATS] = 6, [ORT_OP_ATTR_STRING] = 3, [ORT_OP_ATTR_STRINGS] = 8,
                                   [ORT_OP_ATTR_TENSOR] = 4};
  whet__pb_put_int(&t, 20, number[a->type]);
  for (size_t i = 0; i < a->n; i++) switch (a->type) {
      case ORT_OP_ATTR_INT:
      case ORT_OP_ATTR_INTS:
        whet__pb_put_int(&t, a->type == ORT_OP_ATTR_INT ? 3 : 8, a->ints[i]);
        break;
      case ORT_OP_ATTR_FLOAT:
      case ORT_OP_ATTR_FLOATS:
        whet__pb_put_float(&t, a->type == ORT_OP_ATTR_FLOAT ? 2 : 7, a->floats[i]);
        break;
      default:
        whet__pb_put_bytes(&t, a->type == ORT_OP_ATTR_STRING ? 4 : 9, a->strings[i].p, a->strings[i].n);
    }
  whet__pb_put_message(to, field, &t);
}
