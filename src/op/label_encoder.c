/* SPDX-License-Identifier: Apache-2.0 */
/* LabelEncoder(x): each element's value in a table, or a default. ai.onnx.ml LabelEncoder 1 (classes_strings: text to
 * places and back, whichever x is), 2 (keys and values of numbers or text), 4 (tensors too); CategoryMapper 1 (two lists:
 * text to numbers and back). Exact. */

#include <stdio.h>

#include "op/keys.h"
#include "op/move.h"
#include "op/walk.h"

/* ---- attributes ------------------------------------------------------------------------------ */

/* One direction: keys, and a value for each. */
struct table {
  const whet_keys *keys; /* NULL: there is no such table */
  whet_dtype t;
  const void *value; /* keys->n elements of type t */
  const void *dflt;  /* one */
};

struct label {
  struct table table[2]; /* of different classes of keys; the one that x has is used */
  int32_t n_key, n_value;
};
static const whet_attr_desc k_attrs[] = {{"keys", WHET_ATTR_I32, offsetof(struct label, n_key)},
                                         {"values", WHET_ATTR_I32, offsetof(struct label, n_value)},
                                         {0}};

/* ---- reading --------------------------------------------------------------------------------- */

/* A list of keys or values as a file gives it. */
struct list {
  whet_dtype t; /* NONE: it is absent */
  const void *p;
  int32_t n;
};

/* The list that is there under one of the names, in one of four forms. */
static whet_status read_list(whet_import *im, const char *what, struct list *l) {
  char name[40];
  const char *form[] = {"int64s", "floats", "strings", "tensor"};
  *l = (struct list){WHET_NONE, NULL, 0};
  for (int i = 0; i < 4; i++) {
    snprintf(name, sizeof name, "%s_%s", what, form[i]);
    if (!whet__onnx_has(im, name)) continue;
    if (i == 0) {
      whet_ints v = whet__onnx_ints(im, name);
      *l = (struct list){WHET_S64, v.v, v.n};
    } else if (i == 1) {
      whet_floats v = whet__onnx_floats(im, name);
      *l = (struct list){WHET_F32, v.v, v.n};
    } else if (i == 2) {
      whet_strs v = whet__onnx_strs(im, name);
      *l = (struct list){WHET_STRING, v.v, v.n};
    } else {
      int32_t v = whet__onnx_tensor(im, name);
      if (v < 0) return WHET_E_FORMAT;
      if (!whet__graph_align(whet__im_graph(im), v)) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a table");
      const whet_val *x = whet__im_val(im, v);
      int64_t n = whet__shape_count(&x->shape);
      if (n < 0 || n > INT32_MAX / 4) return whet__im_fail(im, WHET_E_LIMIT, "a list of %lld", (long long)n);
      *l = (struct list){(whet_dtype)x->dtype, x->data->p, (int32_t)n};
    }
    if (l->n) return WHET_OK;
  }
  return WHET_OK;
}

/* One value in the arena: the default of a table. */
static const void *one(whet_import *im, whet_dtype t, const void *p) {
  return whet__arena_copy(whet__im_arena(im), p, whet_dtype_bytes(t, 1));
}

/* The default for values of type t. */
static whet_status read_default(whet_import *im, whet_dtype t, const void **out) {
  int64_t i = whet__onnx_int(im, "default_int64", -1);
  float f = whet__onnx_float(im, "default_float", -0.0f);
  whet_str s = whet__onnx_str(im, "default_string", "_Unused");
  int32_t v = whet__onnx_tensor(im, "default_tensor");
  if (v >= 0) {
    const whet_val *x = whet__im_val(im, v);
    if ((whet_dtype)x->dtype != t || whet__shape_count(&x->shape) != 1)
      return whet__im_fail(im, WHET_E_TYPE, "default_tensor is not one %s", whet_dtype_name(t));
    if (!whet__graph_align(whet__im_graph(im), v)) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a table");
    *out = whet__im_val(im, v)->data->p;
    return WHET_OK;
  }
  if (t == WHET_S64 || t == WHET_F32 || t == WHET_STRING)
    *out = t == WHET_S64 ? one(im, t, &i) : t == WHET_F32 ? one(im, t, &f) : one(im, t, &s);
  else if (t == WHET_F64)
    *out = one(im, t, &(double){-0.0});
  else
    return whet__im_fail(im, WHET_E_FORMAT, "values are %s: default_tensor is expected", whet_dtype_name(t));
  return *out ? WHET_OK : whet__im_fail(im, WHET_E_MEMORY, "no memory for a table");
}

/* Make the table from one list to the other. */
static whet_status make(whet_import *im, const struct list *key, const struct list *value, struct table *t) {
  if (whet__key_class(key->t) == WHET_KEY_NONE || whet__is_complex(value->t) || whet_dtype_bits(value->t) < 8)
    return whet__im_fail(im, WHET_E_TYPE, "a table from %s to %s", whet_dtype_name(key->t), whet_dtype_name(value->t));
  if (key->n != value->n) return whet__im_fail(im, WHET_E_FORMAT, "%d keys and %d values", key->n, value->n);
  t->keys = whet__keys_of_tensor(whet__im_arena(im), key->t, key->p, key->n);
  if (!t->keys) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a table");
  t->t = value->t;
  t->value = value->p;
  return read_default(im, value->t, &t->dflt);
}

static whet_status read_pairs(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct label, a);
  struct list key, value;
  WHET_TRY(read_list(im, "keys", &key));
  WHET_TRY(read_list(im, "values", &value));
  if (!key.n || !value.n) return whet__im_fail(im, WHET_E_FORMAT, "there are no keys, or no values");
  WHET_TRY(make(im, &key, &value, &a->table[0]));
  a->n_key = key.n;
  a->n_value = value.n;
  return whet__im_node_as_is(im, op, a);
}

/* Text and numbers, both ways. */
static whet_status read_both(whet_import *im, const whet_op *op, whet_strs text, const int64_t *number, int32_t n) {
  WHET_NEW_ATTR(im, struct label, a);
  struct list s = {WHET_STRING, text.v, text.n}, i = {WHET_S64, number, n};
  if (!text.n) return whet__im_fail(im, WHET_E_FORMAT, "there are no categories");
  WHET_TRY(make(im, &s, &i, &a->table[0]));
  WHET_TRY(make(im, &i, &s, &a->table[1]));
  a->n_key = a->n_value = n;
  return whet__im_node_as_is(im, op, a);
}

static whet_status read_classes(whet_import *im, const whet_op *op) {
  whet_strs text = whet__onnx_strs(im, "classes_strings");
  int64_t *number = whet__arena_array(whet__im_arena(im), (size_t)text.n + 1, sizeof *number);
  if (!number) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a table");
  for (int32_t i = 0; i < text.n; i++) number[i] = i;
  return read_both(im, op, text, number, text.n);
}

static whet_status read_mapper(whet_import *im, const whet_op *op) {
  whet_ints number = whet__onnx_ints(im, "cats_int64s");
  return read_both(im, op, whet__onnx_strs(im, "cats_strings"), number.v, number.n);
}

static const whet_from k_from[] = {{"ai.onnx.ml", "LabelEncoder", 1, read_classes},
                                   {"ai.onnx.ml", "LabelEncoder", 2, read_pairs},
                                   {"ai.onnx.ml", "CategoryMapper", 1, read_mapper},
                                   {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* The table for elements of type t; NULL when there is none. */
static const struct table *table_for(const struct label *a, whet_dtype t) {
  for (int i = 0; i < 2; i++)
    if (a->table[i].keys && a->table[i].keys->class == whet__key_class(t)) return &a->table[i];
  return NULL;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const struct table *t = table_for(n->attr, whet__in_dtype(f, 0));
  if (!t) return whet__infer_fail(f, WHET_E_TYPE, "the table has no keys of type %s", whet_dtype_name(whet__in_dtype(f, 0)));
  *whet__out(f, 0, t->t) = *whet__in_shape(f, 0);
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static whet_status ref(const whet_args *a) {
  const whet_tensor *x = &a->in[0], *y = &a->out[0];
  const struct table *t = table_for(a->attr, x->dtype);
  whet_walk w;
  whet__walk_init(&w, x->rank, x->dim);
  whet__walk_add(&w, x);
  whet__walk_add(&w, y);
  while (whet__walk_row(&w))
    for (int64_t i = 0; i < w.run; i++) {
      int32_t k = whet__keys_find(t->keys, x->dtype, x->data, w.at[0] + i * w.step[0]);
      whet__move_one(t->t, y->data, w.at[1] + i * w.step[1], k < 0 ? t->dflt : t->value, k < 0 ? 0 : k);
    }
  return WHET_OK;
}

const whet_op whet_op_LabelEncoder = {.name = "LabelEncoder", .flags = WHET_OP_FROM_FILE,
                                      .attr_size = sizeof(struct label),
                                      .attrs = k_attrs,
                                      .from = k_from,
                                      .infer = infer,
                                      .ref = ref};
