/* SPDX-License-Identifier: Apache-2.0 */
/* Lookup(query, keys, values, default, order): for every query the row of `values` that stands where the key is, and
 * whether there is such a key. Queries without one give the default, or zeros.
 *
 * order (may be absent): the places of the keys in rising order; equal keys by place: the first one counts.
 * TFLite HASHTABLE_FIND, HASHTABLE_LOOKUP (keys rise). HASHTABLE, HASHTABLE_IMPORT and HASHTABLE_SIZE make no nodes but
 * tell what a table holds: a table is filled once, so that its keys and values are values of the graph. Integers and
 * strings as keys, all types as values. Exact. */

#include "op/move.h"
#include "op/order.h"

enum { QUERY, KEYS, VALUES, DEFAULT, ORDER };

struct lookup {
  uint8_t sorted; /* keys rise: no order is needed */
};
static const whet_attr_desc k_attrs[] = {{"sorted", WHET_ATTR_BOOL, offsetof(struct lookup, sorted)}, {0}};

/* ---- order ----------------------------------------------------------------------------------- */

struct keys {
  whet_dtype t;
  const void *p;
};
static int compare(const void *ctx, int64_t i, int64_t j) {
  const struct keys *k = ctx;
  return whet__compare(k->t, k->p, i, k->p, j);
}

/* ---- reading: tables ------------------------------------------------------------------------- */

/* A handle is a constant that holds the number of its table and, once it was filled, of what it holds. */
enum { TABLE_ID, TABLE_KEYS, TABLE_VALUES, TABLE_ORDER, TABLE_FIELDS };

/* The record of a table by its number, made when new; NULL when memory is refused. */
static const whet_data *table(whet_graph *g, int32_t id) {
  const char *name = whet__arena_printf(&g->arena, "hash table %d", id);
  if (!name) return NULL;
  for (int32_t v = 0; v < g->n_val; v++)
    if (g->val[v].role == WHET_ROLE_CONST && g->val[v].origin < 0 && !strcmp(g->val[v].name, name)) return g->val[v].data;
  const int32_t fields[TABLE_FIELDS] = {id, -1, -1, -1};
  const int64_t n = TABLE_FIELDS;
  int32_t v = whet__graph_const_copy(g, name, WHET_S32, 1, &n, fields);
  return v < 0 ? NULL : g->val[v].data;
}

/* HASHTABLE: the handle becomes a constant over the table's record. */
static whet_status table_tfl(whet_import *im, const whet_op *op) {
  whet_graph *g = whet__im_graph(im);
  int32_t out = whet__im_out(im, 0);
  const whet_data *d = table(g, whet__small(whet__tfl_int(im, 0, 0)));
  if (!d) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a table");
  if (out < 0) return WHET_OK;
  g->val[out].role = WHET_ROLE_CONST;
  g->val[out].dtype = WHET_S32;
  g->val[out].shape = (whet_shape){.rank = 1, .d = {TABLE_FIELDS}};
  g->val[out].data = d;
  return WHET_OK;
}

/* The record behind input 0. */
static whet_status table_of(whet_import *im, int32_t **fields) {
  whet_graph *g = whet__im_graph(im);
  whet_ints h = whet__im_list(im, whet__im_in(im, 0));
  const whet_data *d = h.n == TABLE_FIELDS ? table(g, (int32_t)h.v[TABLE_ID]) : NULL;
  if (!d || d != g->val[whet__im_in(im, 0)].data)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "the handle of a table is not made by HASHTABLE in the same subgraph");
  *fields = (int32_t *)(uintptr_t)d->p; /* ours: table() made it */
  return WHET_OK;
}

/* A constant with the order of constant keys; -1: keys are computed, -2: memory is refused. */
static int32_t order_of(whet_import *im, int32_t keys) {
  whet_graph *g = whet__im_graph(im);
  int64_t n = whet__shape_count(&g->val[keys].shape);
  if (!g->val[keys].data || n < 0) return -1;
  if (!whet__graph_align(g, keys)) return -2;
  int64_t *a = whet__arena_array(whet__im_arena(im), (size_t)n + 1, sizeof *a);
  int64_t *b = whet__arena_array(whet__im_arena(im), (size_t)n + 1, sizeof *b);
  if (!a || !b) return -2;
  struct keys k = {(whet_dtype)g->val[keys].dtype, g->val[keys].data->p};
  int32_t v = whet__im_ints(im, whet__sort_places(n, a, b, compare, &k), (int32_t)whet__min_i(n, INT32_MAX));
  return v < 0 ? -2 : v;
}

/* HASHTABLE_IMPORT(table, keys, values): the first one counts. */
static whet_status import_tfl(whet_import *im, const whet_op *op) {
  int32_t *t, keys = whet__im_in(im, 1), values = whet__im_in(im, 2);
  WHET_TRY(table_of(im, &t));
  if (keys < 0 || values < 0) return whet__im_fail(im, WHET_E_FORMAT, "expected a table, keys and values");
  if (t[TABLE_KEYS] >= 0) return WHET_OK;
  whet_dtype type = (whet_dtype)whet__im_val(im, keys)->dtype;
  if (!whet__is_int(type) && type != WHET_STRING)
    return whet__im_fail(im, WHET_E_TYPE, "keys of %s", whet_dtype_name(type));
  int32_t order = order_of(im, keys);
  if (order == -2) return whet__im_fail(im, WHET_E_MEMORY, "no memory for the order of keys");
  if (order < 0 || !whet__im_val(im, values)->data)
    return whet__im_fail(im, WHET_E_UNSUPPORTED, "a table of keys and values that are not constant");
  t[TABLE_KEYS] = keys;
  t[TABLE_VALUES] = values;
  t[TABLE_ORDER] = order;
  return WHET_OK;
}

/* The record behind input 0, which must be filled. */
static whet_status filled_table(whet_import *im, int32_t **t) {
  WHET_TRY(table_of(im, t));
  if ((*t)[TABLE_KEYS] >= 0) return WHET_OK;
  return whet__im_fail(im, WHET_E_UNSUPPORTED, "table %d is used before it is filled", (*t)[TABLE_ID]);
}

/* HASHTABLE_FIND(table, query, default). */
static whet_status find_tfl(whet_import *im, const whet_op *op) {
  int32_t *t, out[2] = {whet__im_out(im, 0), -1};
  WHET_TRY(filled_table(im, &t));
  WHET_NEW_ATTR(im, struct lookup, a);
  const int32_t in[5] = {whet__im_in(im, 1), t[TABLE_KEYS], t[TABLE_VALUES], whet__im_in(im, 2), t[TABLE_ORDER]};
  return whet__im_node(im, op, a, in, 5, out, 2);
}

/* HASHTABLE_SIZE(table): how many different keys it has. */
static whet_status size_tfl(whet_import *im, const whet_op *op) {
  int32_t *t, out = whet__im_out(im, 0);
  WHET_TRY(filled_table(im, &t));
  const whet_val *keys = whet__im_val(im, t[TABLE_KEYS]), *order = whet__im_val(im, t[TABLE_ORDER]);
  const struct keys k = {(whet_dtype)keys->dtype, keys->data->p};
  const int64_t *place = order->data->p;
  int64_t n = order->shape.d[0], size = n > 0, one = 1;
  for (int64_t i = 1; i < n; i++) size += compare(&k, place[i - 1], place[i]) != 0;
  int32_t v = whet__im_const(im, WHET_S64, 1, &one, &size);
  return whet__im_node(im, whet__op_find("Identity"), NULL, &v, 1, &out, 1);
}

/* HASHTABLE_LOOKUP(query, keys, values): found rows, and which were. */
static whet_status lookup_tfl(whet_import *im, const whet_op *op) {
  WHET_NEW_ATTR(im, struct lookup, a);
  a->sorted = 1;
  return whet__im_node_as_is(im, op, a);
}

static const whet_from k_from[] = {{"tflite", "HASHTABLE", 1, table_tfl},
                                   {"tflite", "HASHTABLE_FIND", 1, find_tfl},
                                   {"tflite", "HASHTABLE_IMPORT", 1, import_tfl},
                                   {"tflite", "HASHTABLE_LOOKUP", 1, lookup_tfl},
                                   {"tflite", "HASHTABLE_SIZE", 1, size_tfl},
                                   {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_shape *q = whet__in_shape(f, QUERY), *keys = whet__in_shape(f, KEYS), *values = whet__in_shape(f, VALUES);
  whet_dtype t = whet__in_dtype(f, KEYS);
  whet_shape *out = whet__out(f, 0, whet__in_dtype(f, VALUES));
  out->rank = -1;
  if ((!whet__is_int(t) && t != WHET_STRING) || t != whet__in_dtype(f, QUERY))
    return whet__infer_fail(f, WHET_E_TYPE, "queries of %s for keys of %s", whet_dtype_name(whet__in_dtype(f, QUERY)),
                            whet_dtype_name(t));
  if (whet__in_has(f, DEFAULT) && whet__in_dtype(f, DEFAULT) != whet__in_dtype(f, VALUES))
    return whet__infer_fail(f, WHET_E_TYPE, "the default is %s, the values %s", whet_dtype_name(whet__in_dtype(f, DEFAULT)),
                            whet_dtype_name(whet__in_dtype(f, VALUES)));
  if (q->rank < 0 || keys->rank < 0 || values->rank < 0) return WHET_LATE;
  if (keys->rank != 1 || values->rank < 1 ||
      (whet__dim_known(keys->d[0]) && whet__dim_known(values->d[0]) && keys->d[0] != values->d[0]))
    return whet__infer_fail(f, WHET_E_SHAPE, "keys and values do not belong together");
  if (q->rank + values->rank - 1 > WHET_MAX_RANK)
    return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", q->rank + values->rank - 1, WHET_MAX_RANK);
  int64_t one = whet__in_has(f, DEFAULT) ? whet__shape_count(whet__in_shape(f, DEFAULT)) : 1;
  if (one >= 0 && one != 1)
    return whet__infer_fail(f, WHET_E_SHAPE, "the default has %lld elements, expected 1", (long long)one);
  *out = *q;
  for (int32_t i = 1; i < values->rank; i++) out->d[out->rank++] = values->d[i];
  if (whet__out_has(f, 1)) *whet__out(f, 1, WHET_U8) = *q;
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* The place of a query among n keys, -1: none. order NULL: sorted keys, or (not sorted) one after the other. */
static int64_t find(const whet_tensor *keys, const whet_tensor *order, bool sorted, const whet_tensor *q, int64_t at) {
  int64_t lo = 0, hi = keys->dim[0];
  if (!sorted && !order) {
    for (; lo < hi; lo++)
      if (!whet__compare(keys->dtype, keys->data, lo * keys->stride[0], q->data, at)) return lo;
    return -1;
  }
  while (lo < hi) { /* the first key that is not less */
    int64_t mid = lo + (hi - lo) / 2, k = order ? whet__vec_i64(order, mid) : mid;
    if (whet__compare(keys->dtype, keys->data, k * keys->stride[0], q->data, at) < 0)
      lo = mid + 1;
    else
      hi = mid;
  }
  if (lo == keys->dim[0]) return -1;
  int64_t k = order ? whet__vec_i64(order, lo) : lo;
  return whet__compare(keys->dtype, keys->data, k * keys->stride[0], q->data, at) ? -1 : k;
}

static whet_status ref(const whet_args *args) {
  const struct lookup *a = args->attr;
  const whet_tensor *q = &args->in[QUERY], *keys = &args->in[KEYS], *values = &args->in[VALUES], *out = &args->out[0];
  const whet_tensor *order = args->n_in > ORDER && args->in[ORDER].data ? &args->in[ORDER] : NULL;
  const whet_tensor *hits = args->n_out > 1 && args->out[1].data ? &args->out[1] : NULL;
  static const uint64_t zero[2];
  static const whet_str nothing = {"", 0};
  static const int64_t none[WHET_MAX_RANK];
  int64_t at[WHET_MAX_RANK] = {0};
  const void *missing = values->dtype == WHET_STRING ? (const void *)&nothing : zero;
  if (args->n_in > DEFAULT && args->in[DEFAULT].data) missing = args->in[DEFAULT].data;
  for (int64_t left = whet__tensor_count(q); left > 0; left--, whet__index_next(q->rank, q->dim, at)) {
    int64_t k = find(keys, order, a->sorted, q, whet__index_offset(q->rank, at, q->stride));
    if (hits) whet__set_i64(WHET_U8, hits->data, whet__index_offset(q->rank, at, hits->stride), k >= 0);
    if (!out->data) continue;
    whet__move_box(values->dtype, values->rank - 1, values->dim + 1, out->data, whet__index_offset(q->rank, at, out->stride),
                   out->stride + q->rank, k < 0 ? missing : values->data, k < 0 ? 0 : k * values->stride[0],
                   k < 0 ? none : values->stride + 1);
  }
  return WHET_OK;
}

const whet_op whet_op_Lookup = {
    .name = "Lookup",
    .attr_size = sizeof(struct lookup),
    .attrs = k_attrs,
    .from = k_from,
    .infer = infer,
    .ref = ref,
};
