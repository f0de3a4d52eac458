/* SPDX-License-Identifier: Apache-2.0 */
/* whet_value: counted values that callers give and take. */

#include "run/value.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/base.h"
#include "ir/graph.h"

struct whet_value {
  _Atomic int ref;
  whet_kind kind;
  whet_dtype dtype;
  int32_t rank;
  int64_t dims[WHET_MAX_RANK];
  size_t count, bytes;
  void *data;
  whet_free_fn free_fn; /* of wrapped memory */
  void *user;
  bool wrapped;
  whet_value **item; /* sequences, optionals; maps: keys, values */
  size_t n_item, cap_item;
  whet_account *account; /* that pays for it; NULL: nobody */
  size_t charged;
};

struct whet_account {
  _Atomic int ref;
  _Atomic size_t used;
};

whet_account *whet__account_new(void) {
  whet_account *a = calloc(1, sizeof *a);
  if (a) atomic_init(&a->ref, 1);
  return a;
}
void whet__account_unref(whet_account *a) {
  if (a && atomic_fetch_sub(&a->ref, 1) == 1) free(a);
}
size_t whet__account_used(const whet_account *a) { return a ? atomic_load(&a->used) : 0; }

void whet__value_charge(whet_value *v, whet_account *a, size_t n) {
  if (!v || !a || (v->account && v->account != a)) return;
  if (!v->account) atomic_fetch_add(&a->ref, 1);
  v->account = a;
  v->charged += n;
  atomic_fetch_add(&a->used, n);
}

/* Sizes of a tensor; false when they do not fit. */
static bool sizes(whet_dtype t, int32_t rank, const int64_t *dims, size_t *count, size_t *bytes) {
  if (rank < 0 || rank > WHET_MAX_RANK || !whet_dtype_bits(t)) return false;
  whet_shape s = whet__shape(rank, dims);
  int64_t n = whet__shape_count(&s);
  if (n < 0) return false;
  *count = (size_t)n;
  *bytes = whet_dtype_bytes(t, *count);
  return !n || *bytes;
}

static whet_value *fresh(whet_kind kind) {
  whet_value *v = calloc(1, sizeof *v);
  if (!v) return NULL;
  atomic_init(&v->ref, 1);
  v->kind = kind;
  return v;
}

whet_status whet_value_create(whet_dtype t, int32_t rank, const int64_t *dims, whet_value **out) {
  size_t count, bytes;
  *out = NULL;
  if (!sizes(t, rank, dims, &count, &bytes)) return WHET_E_SHAPE;
  whet_value *v = fresh(WHET_TENSOR);
  void *data = NULL;
  if (!v || bytes > SIZE_MAX - WHET_SLACK || posix_memalign(&data, WHET_ALIGN, bytes + WHET_SLACK)) {
    free(v);
    return WHET_E_MEMORY;
  }
  memset(data, 0, bytes + WHET_SLACK);
  v->dtype = t;
  v->rank = rank;
  if (rank) memcpy(v->dims, dims, (size_t)rank * sizeof *dims);
  v->count = count;
  v->bytes = bytes;
  v->data = data;
  *out = v;
  return WHET_OK;
}

whet_status whet_value_wrap(whet_dtype t, int32_t rank, const int64_t *dims, void *data, size_t bytes,
                            whet_free_fn free_fn, void *user, whet_value **out) {
  size_t count, need;
  *out = NULL;
  if (t == WHET_STRING) return WHET_E_TYPE;
  if (!sizes(t, rank, dims, &count, &need) || bytes < need) return WHET_E_SHAPE;
  whet_value *v = fresh(WHET_TENSOR);
  if (!v) return WHET_E_MEMORY;
  v->dtype = t;
  v->rank = rank;
  if (rank) memcpy(v->dims, dims, (size_t)rank * sizeof *dims);
  v->count = count;
  v->bytes = need;
  v->data = data;
  v->free_fn = free_fn;
  v->user = user;
  v->wrapped = true;
  *out = v;
  return WHET_OK;
}

/* A value that holds others. */
static whet_status holder(whet_kind kind, whet_value *const *items, size_t n, whet_value **out) {
  *out = NULL;
  whet_value *v = fresh(kind);
  whet_value **list = v ? calloc(n ? n : 1, sizeof *list) : NULL;
  if (!list) {
    free(v);
    return WHET_E_MEMORY;
  }
  for (size_t i = 0; i < n; i++) list[i] = whet_value_ref(items[i]);
  v->item = list;
  v->n_item = n;
  v->cap_item = n ? n : 1;
  *out = v;
  return WHET_OK;
}

whet_status whet_value_create_sequence(whet_value *const *items, size_t n, whet_value **out) {
  return holder(WHET_SEQUENCE, items, n, out);
}
whet_status whet_value_create_map(whet_value *keys, whet_value *values, whet_value **out) {
  whet_value *both[2] = {keys, values};
  *out = NULL;
  bool key_ok =
      keys && keys->kind == WHET_TENSOR && keys->rank == 1 && (keys->dtype == WHET_S64 || keys->dtype == WHET_STRING);
  if (!key_ok || !values) return WHET_E_TYPE;
  size_t n = values->kind == WHET_TENSOR ? values->count : values->n_item;
  return n == keys->count ? holder(WHET_MAP, both, 2, out) : WHET_E_SHAPE;
}
whet_status whet_value_create_optional(whet_value *item, whet_value **out) {
  return holder(WHET_OPTIONAL, &item, item ? 1 : 0, out);
}

whet_value *whet_value_ref(whet_value *v) {
  if (v) atomic_fetch_add(&v->ref, 1);
  return v;
}

void whet_value_unref(whet_value **pv) {
  whet_value *v = pv ? *pv : NULL;
  if (!v) return;
  *pv = NULL;
  if (atomic_fetch_sub(&v->ref, 1) > 1) return;
  for (size_t i = 0; i < v->n_item; i++) whet_value_unref(&v->item[i]);
  free(v->item);
  if (v->dtype == WHET_STRING && v->data)
    for (size_t i = 0; i < v->count; i++) free((void *)((whet_str *)v->data)[i].p);
  if (!v->wrapped)
    free(v->data);
  else if (v->free_fn)
    v->free_fn(v->user, v->data);
  if (v->account) {
    atomic_fetch_sub(&v->account->used, v->charged);
    whet__account_unref(v->account);
  }
  free(v);
}

bool whet__value_sole(const whet_value *v) { return atomic_load(&v->ref) == 1; }

whet_status whet__value_insert(whet_value *v, size_t at, whet_value *item) {
  if (v->n_item == v->cap_item) {
    size_t cap = v->cap_item + v->cap_item / 2 + 4;
    whet_value **list = cap > SIZE_MAX / sizeof *list ? NULL : realloc(v->item, cap * sizeof *list);
    if (!list) return WHET_E_MEMORY;
    v->item = list;
    v->cap_item = cap;
  }
  memmove(v->item + at + 1, v->item + at, (v->n_item - at) * sizeof *v->item);
  v->item[at] = item;
  v->n_item++;
  return WHET_OK;
}

void whet__value_erase(whet_value *v, size_t at) {
  whet_value_unref(&v->item[at]);
  memmove(v->item + at, v->item + at + 1, (--v->n_item - at) * sizeof *v->item);
}

whet_kind whet_value_kind(const whet_value *v) { return v->kind; }
whet_dtype whet_value_dtype(const whet_value *v) { return v->dtype; }
int32_t whet_value_rank(const whet_value *v) { return v->rank; }
const int64_t *whet_value_dims(const whet_value *v) { return v->kind == WHET_TENSOR ? v->dims : NULL; }
size_t whet_value_count(const whet_value *v) { return v->count; }
size_t whet_value_bytes(const whet_value *v) { return v->bytes; }
void *whet_value_data(whet_value *v) { return v->data; }
const void *whet_value_const_data(const whet_value *v) { return v->data; }

whet_status whet_value_set_string(whet_value *v, size_t i, const char *p, size_t n) {
  if (v->kind != WHET_TENSOR || v->dtype != WHET_STRING || i >= v->count || n == SIZE_MAX) return WHET_E_MISUSE;
  char *copy = malloc(n + 1);
  if (!copy) return WHET_E_MEMORY;
  if (n) memcpy(copy, p, n);
  copy[n] = 0;
  whet_str *s = (whet_str *)v->data + i;
  free((void *)s->p);
  *s = (whet_str){copy, n};
  return WHET_OK;
}

size_t whet_value_items(const whet_value *v) { return v->n_item; }
whet_value *whet_value_item(const whet_value *v, size_t i) { return i < v->n_item ? v->item[i] : NULL; }
