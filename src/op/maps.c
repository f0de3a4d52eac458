/* SPDX-License-Identifier: Apache-2.0 */
/* Maps, ai.onnx.ml 1: ZipMap(x [n, c]): for each row a map from class labels to its elements, as a sequence; DictVectorizer(m):
 * the values of a vocabulary's keys, [1, v], or [n, v] for a sequence of maps, 0 where a key is not there; CastMap(m): the
 * values in the order of their keys, or at the places that the keys name, as another type, [1, n]. */

#include "op/cast.h"
#include "op/keys.h"
#include "op/move.h"
#include "op/object.h"
#include "op/scores.h"

typedef struct map_attr {
  whet_labels labels;    /* ZipMap */
  const whet_keys *keys; /* DictVectorizer */
  int32_t to;            /* CastMap: element type */
  int64_t most;          /* columns of the sparse form, 0: dense */
} map_attr;
static const whet_attr_desc k_attrs[] = {{"to", WHET_ATTR_I32, offsetof(map_attr, to)},
                                         {"max_map", WHET_ATTR_I64, offsetof(map_attr, most)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

static whet_status read_zip(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, map_attr, a);
  a->labels = whet__labels_read(im, "classlabels_int64s", "classlabels_strings");
  if (!a->labels.n) return whet__im_fail(im, WHET_E_FORMAT, "there are no class labels");
  return whet__im_node_as_is(im, op, a);
}

static whet_status read_dict(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, map_attr, a);
  whet_labels l = whet__labels_read(im, "int64_vocabulary", "string_vocabulary");
  if (!l.n) return whet__im_fail(im, WHET_E_FORMAT, "there is no vocabulary");
  a->keys = whet__keys_new(whet__im_arena(im), l.t == WHET_STRING ? WHET_KEY_TEXT : WHET_KEY_INT, l.v, l.n);
  return a->keys ? whet__im_node_as_is(im, op, a) : whet__im_fail(im, WHET_E_MEMORY, "no memory for a vocabulary");
}

/* The number of a word in a list that ends with NULL. */
static int word(whet_str s, const char *const *list) {
  for (int i = 0; list[i]; i++)
    if (strlen(list[i]) == s.n && !memcmp(list[i], s.p, s.n)) return i;
  return -1;
}

static whet_status read_cast(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, map_attr, a);
  static const char *const to[] = {"TO_FLOAT", "TO_STRING", "TO_INT64", NULL}, *const form[] = {"DENSE", "SPARSE", NULL};
  static const whet_dtype type[] = {WHET_F32, WHET_STRING, WHET_S64};
  int t = word(whet__onnx_str(im, "cast_to", "TO_FLOAT"), to), sparse = word(whet__onnx_str(im, "map_form", "DENSE"), form);
  a->most = sparse ? whet__onnx_int(im, "max_map", 1) : 0;
  if (t < 0 || sparse < 0 || a->most < 0 || a->most > 1 << 28 || (sparse && !a->most))
    return whet__im_fail(im, WHET_E_DATA, "cast_to, map_form or max_map is none that is known");
  a->to = (int32_t)type[t];
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_zip_from[] = {{"ai.onnx.ml", "ZipMap", 1, read_zip}, {0}};
static const whet_from k_dict_from[] = {{"ai.onnx.ml", "DictVectorizer", 1, read_dict}, {0}};
static const whet_from k_cast_from[] = {{"ai.onnx.ml", "CastMap", 1, read_cast}, {0}};

/* ---- shape rules ----------------------------------------------------------------------------- */

static whet_status zip_infer(whet_infer *f, const whet_node *n) {
  const map_attr *a = n->attr;
  const whet_shape *x = whet__in_shape(f, 0);
  if (whet__in_kind(f, 0) != WHET_TENSOR || whet__in_dtype(f, 0) != WHET_F32)
    return whet__infer_fail(f, WHET_E_TYPE, "input 0 is %s, expected float32", whet_dtype_name(whet__in_dtype(f, 0)));
  if (x->rank >= 0 && ((x->rank != 1 && x->rank != 2) || (whet__dim_known(x->d[x->rank - 1]) && x->d[x->rank - 1] != a->labels.n)))
    return whet__infer_fail(f, WHET_E_SHAPE, "input 0 does not have a column for each of %d labels", a->labels.n);
  whet__out(f, 0, WHET_F32);
  whet__out_kind(f, 0, WHET_SEQUENCE);
  return WHET_LATE;
}

static whet_status dict_infer(whet_infer *f, const whet_node *n) {
  if (whet__in_kind(f, 0) != WHET_MAP && whet__in_kind(f, 0) != WHET_SEQUENCE)
    return whet__infer_fail(f, WHET_E_TYPE, "input 0 is no map");
  const whet_val *declared = whet__out_val(f, 0);
  whet__out(f, 0, declared ? (whet_dtype)declared->dtype : WHET_NONE)->rank = -1;
  whet__out_kind(f, 0, WHET_TENSOR);
  return WHET_LATE;
}

static whet_status cast_infer(whet_infer *f, const whet_node *n) {
  const map_attr *a = n->attr;
  if (whet__in_kind(f, 0) != WHET_MAP) return whet__infer_fail(f, WHET_E_TYPE, "input 0 is no map");
  whet__out_dims(f, 0, (whet_dtype)a->to, 2, (whet_dim[]){1, a->most ? a->most : WHET_DIM_ANY});
  whet__out_kind(f, 0, WHET_TENSOR);
  return WHET_LATE;
}

/* ---- running --------------------------------------------------------------------------------- */

static whet_status zip_late(const whet_args *arg) {
  const map_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0];
  int64_t rows = whet__rows(x), cols = whet__cols(x);
  whet_status st = WHET_OK;
  if (cols != a->labels.n) return whet__fail(arg->err, WHET_E_SHAPE, "%lld columns for %d labels", (long long)cols, a->labels.n);
  whet_tensor t = {.dtype = a->labels.t, .rank = 1, .dim = {cols}, .stride = {1}, .data = (void *)(uintptr_t)a->labels.v};
  whet_value *keys = whet__object_from_tensor(arg, &t), *seq = keys ? whet__object_holder(arg, WHET_SEQUENCE, NULL, 0) : NULL;
  t.dtype = x->dtype;
  t.data = x->data;
  for (int64_t r = 0; seq && !st && r < rows; r++) {
    whet_value *pair[2] = {whet_value_ref(keys), whet__object_from_part(arg, &t, r * cols)};
    if (!pair[1]) whet_value_unref(&pair[0]);
    st = whet__object_insert(arg, seq, (size_t)r, pair[1] ? whet__object_holder(arg, WHET_MAP, pair, 2) : NULL);
  }
  whet_value_unref(&keys);
  if (st) whet_value_unref(&seq);
  return st ? st : whet__object_out(arg, 0, seq);
}

/* Element i of a map's values, which are a vector or a sequence of single elements; NULL: none of the type *t, which is set
 * by the first when it is NONE. *at: the element. */
static const whet_value *value_at(const whet_value *map, size_t i, whet_dtype *t, int64_t *at) {
  const whet_value *v = whet_value_item(map, 1);
  *at = (int64_t)i;
  if (whet_value_kind(v) == WHET_SEQUENCE) {
    v = whet_value_item(v, i);
    *at = 0;
    if (!v || whet_value_kind(v) != WHET_TENSOR || whet_value_count(v) != 1) return NULL;
  }
  if (!*t) *t = whet_value_dtype(v);
  return whet_value_dtype(v) == *t ? v : NULL;
}

/* Put a map's values into a row of the vocabulary. */
static whet_status spread(const whet_args *arg, const whet_value *map, whet_dtype *t, void *row, bool measure) {
  const map_attr *a = arg->attr;
  if (whet_value_kind(map) != WHET_MAP) return whet__fail(arg->err, WHET_E_TYPE, "an item is no map");
  const whet_value *keys = whet_value_item(map, 0);
  if (whet__key_class(whet_value_dtype(keys)) != a->keys->class)
    return whet__fail(arg->err, WHET_E_TYPE, "keys are %s, which the vocabulary's are not", whet_dtype_name(whet_value_dtype(keys)));
  for (size_t i = 0; i < whet_value_count(keys); i++) {
    int64_t at;
    const whet_value *v = value_at(map, i, t, &at);
    if (!v || whet_dtype_bits(*t) < 8) return whet__fail(arg->err, WHET_E_TYPE, "value %zu of a map is of another type", i);
    if (measure) return WHET_OK;
    int32_t k = whet__keys_find(a->keys, whet_value_dtype(keys), whet_value_const_data(keys), (int64_t)i);
    if (k < 0) continue;
    whet__move_one(*t, row, k, whet_value_const_data(v), at);
    if (*t != WHET_STRING) continue;
    whet_str *s = (whet_str *)row + k; /* the map may go before the result does */
    char *copy = whet__late_bytes(arg, s->n);
    if (!copy) return arg->err->code;
    if (s->n) memcpy(copy, s->p, s->n);
    s->p = copy;
  }
  return WHET_OK;
}

static whet_status dict_late(const whet_args *arg) {
  const map_attr *a = arg->attr;
  const whet_value *x = whet__object_in(arg, 0);
  bool many = whet_value_kind(x) == WHET_SEQUENCE;
  size_t rows = many ? whet_value_items(x) : 1;
  whet_dtype t = WHET_NONE;
  for (size_t r = 0; r < rows && !t; r++) WHET_TRY(spread(arg, many ? whet_value_item(x, r) : x, &t, NULL, true));
  if (!t) t = WHET_F32; /* no map has a value */
  char *y = whet__late_out(arg, 0, t, 2, (int64_t[]){(int64_t)rows, a->keys->n});
  if (!y) return arg->err->code;
  for (size_t r = 0; r < rows; r++)
    WHET_TRY(spread(arg, many ? whet_value_item(x, r) : x, &t, y + r * whet_dtype_bytes(t, (size_t)a->keys->n), false));
  return WHET_OK;
}

/* One value as the type of CastMap. */
static whet_status cast_one(const whet_args *arg, whet_dtype t, const void *p, int64_t i, whet_dtype to, void *y, int64_t at) {
  whet_tensor in = {.dtype = t, .rank = 0, .data = (char *)(uintptr_t)p + (size_t)i * whet__dtype_size(t)};
  whet_tensor out = {.dtype = to, .rank = 0, .data = (char *)y + (size_t)at * whet__dtype_size(to)};
  whet_args one = {.in = &in, .out = &out, .n_in = 1, .n_out = 1, .frame = arg->frame, .err = arg->err};
  if (t == WHET_STRING || to == WHET_STRING) return whet__cast_text(&one);
  if (to == WHET_F32)
    *(float *)out.data = (float)whet__get_f64(t, p, i);
  else
    *(int64_t *)out.data = whet__get_i64(t, p, i);
  return WHET_OK;
}

static whet_status cast_late(const whet_args *arg) {
  const map_attr *a = arg->attr;
  const whet_value *map = whet__object_in(arg, 0), *keys = whet_value_item(map, 0);
  size_t n = whet_value_count(keys);
  whet_dtype t = WHET_NONE, to = (whet_dtype)a->to;
  if (whet_value_dtype(keys) != WHET_S64) return whet__fail(arg->err, WHET_E_TYPE, "keys are text, expected integers");
  const int64_t *key = whet_value_const_data(keys);
  void *y = whet__late_out(arg, 0, to, 2, (int64_t[]){1, a->most ? a->most : (int64_t)n});
  if (!y) return arg->err->code;
  for (size_t i = 0; i < n; i++) {
    int64_t at, place = 0;
    const whet_value *v = value_at(map, i, &t, &at);
    if (!v || (t != WHET_F32 && t != WHET_STRING)) return whet__fail(arg->err, WHET_E_TYPE, "value %zu of the map is neither float32 nor string", i);
    for (size_t k = 0; !a->most && k < n; k++) place += key[k] < key[i] || (key[k] == key[i] && k < i);
    if (a->most) place = key[i];
    if (place < 0 || place >= (a->most ? a->most : (int64_t)n)) continue; /* outside the sparse form */
    WHET_TRY(cast_one(arg, t, whet_value_const_data(v), at, to, y, place));
  }
  return WHET_OK;
}

#define RECORD(op, lower)                                                                                           \
  const whet_op whet_op_##op = {.name = #op, .flags = WHET_OP_OBJECT | WHET_OP_FROM_FILE, .attr_size = sizeof(map_attr), .attrs = k_attrs, \
                                .from = k_##lower##_from, .infer = lower##_infer, .late = lower##_late}
RECORD(ZipMap, zip);
RECORD(DictVectorizer, dict);
RECORD(CastMap, cast);
