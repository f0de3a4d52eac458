/* SPDX-License-Identifier: Apache-2.0 */
/* What operators on objects and strings call while they run. */

#include "op/object.h"

#include "base/dtype.h"
#include "ir/infer.h"
#include <stdatomic.h>

#include "op/move.h"
#include "run/late.h"
#include "run/value.h"

/* May the session's values take n bytes more? Values are charged to the session, beside the memory that is counted for
 * it; what they hold together must stay within every limit that is set. */
static bool allowed(const whet_args *a, size_t n) {
  whet_session *s = a->frame->session;
  size_t mine = whet__account_used(s->account);
  for (const whet_mem *m = &s->mem; m; m = m->parent) {
    size_t used = atomic_load(&m->used);
    if (m->limit && (n > m->limit || mine > m->limit - n || used > m->limit - n - mine)) {
      whet__fail(a->err, WHET_E_LIMIT, "values of %zu bytes more would pass the limit of %zu bytes", n, m->limit);
      return false;
    }
  }
  if (!s->account && !(s->account = whet__account_new())) {
    whet__fail(a->err, WHET_E_MEMORY, "out of memory: an account of values");
    return false;
  }
  return true;
}

/* Charge a new value, or say that it was refused. */
static whet_value *made(const whet_args *a, whet_status st, whet_value *v, size_t n) {
  if (st) {
    whet__fail(a->err, st, "out of memory: a value of %zu bytes", n);
    whet_value_unref(&v);
    return NULL;
  }
  whet__value_charge(v, a->frame->session->account, n);
  return v;
}

enum { EACH = 160 }; /* bytes of a value beside its contents, about */

whet_value *whet__object_in(const whet_args *a, int i) {
  whet_session *s = a->frame->session;
  int32_t v = i < a->node->n_in ? a->node->in[i] : -1;
  return v >= 0 && whet__late_env(s)->kind[v] != WHET_TENSOR ? (whet_value *)whet__late_data(s, v) : NULL;
}

whet_status whet__object_out(const whet_args *a, int o, whet_value *x) {
  whet_session *s = a->frame->session;
  int32_t v = o < a->node->n_out ? a->node->out[o] : -1;
  if (!x) return a->err && a->err->code ? a->err->code : WHET_E_MEMORY;
  if (!whet__late_hold(s, x)) return whet__no_memory(&s->mem, 0, a->err, "an object");
  if (v < 0) return WHET_OK;
  whet__late_set_object(s, v, x);
  return WHET_OK;
}

char *whet__late_bytes(const whet_args *a, size_t n) {
  whet_session *s = a->frame->session;
  char *p = n == SIZE_MAX ? NULL : whet__arena_alloc(&s->text, n + 1);
  if (!p) whet__no_memory(&s->mem, n, a->err, "characters of a string");
  return p;
}

whet_value *whet__object_from_tensor(const whet_args *a, const whet_tensor *t) {
  return whet__object_from_part(a, t, 0);
}

whet_value *whet__object_from_part(const whet_args *a, const whet_tensor *t, int64_t from) {
  size_t n = (size_t)whet__tensor_count(t), bytes = whet_dtype_bytes(t->dtype, n) + EACH;
  int64_t stride[WHET_MAX_RANK], at[WHET_MAX_RANK] = {0};
  whet_value *v = NULL;
  if (!allowed(a, bytes)) return NULL;
  whet_status st = whet_value_create(t->dtype, t->rank, t->dim, &v);
  whet__dense_strides(t->rank, t->dim, stride);
  if (!st && n && t->dtype != WHET_STRING)
    whet__move_box(t->dtype, t->rank, t->dim, whet_value_data(v), 0, stride, t->data, from, t->stride);
  for (size_t i = 0; !st && t->dtype == WHET_STRING && i < n; i++, whet__index_next(t->rank, t->dim, at)) {
    const whet_str *x = (const whet_str *)t->data + from + whet__index_offset(t->rank, at, t->stride);
    bytes += x->n + 1;
    st = allowed(a, bytes) ? whet_value_set_string(v, i, x->p, x->n) : WHET_E_MEMORY;
  }
  return made(a, st, v, bytes);
}

whet_value *whet__object_holder(const whet_args *a, whet_kind kind, whet_value **item, size_t n) {
  whet_value *v = NULL;
  whet_status st = WHET_OK;
  size_t bytes = n * sizeof *item + EACH;
  bool may = allowed(a, bytes);
  if (may)
    st = kind == WHET_SEQUENCE   ? whet_value_create_sequence(item, n, &v)
         : kind == WHET_OPTIONAL ? whet_value_create_optional(n ? item[0] : NULL, &v)
                                 : whet_value_create_map(item[0], item[1], &v);
  for (size_t i = 0; i < n; i++) whet_value_unref(&item[i]);
  return may ? made(a, st, v, bytes) : NULL;
}

whet_value *whet__object_own(const whet_args *a, int i) {
  whet_value *x = whet__object_in(a, i), *v = NULL;
  size_t n = whet_value_items(x), bytes = n * sizeof v + EACH;
  if (whet__late_last(a->frame->session, a->node->in[i]) && whet__value_sole(x)) return whet_value_ref(x);
  if (!allowed(a, bytes)) return NULL;
  whet_status st = whet_value_create_sequence(NULL, 0, &v);
  for (size_t k = 0; !st && k < n; k++) {
    whet_value *item = whet_value_ref(whet_value_item(x, k));
    st = whet__value_insert(v, k, item);
    if (st) whet_value_unref(&item);
  }
  return made(a, st, v, bytes);
}

whet_status whet__object_insert(const whet_args *a, whet_value *seq, size_t at, whet_value *item) {
  whet_status st = item && allowed(a, sizeof item) ? whet__value_insert(seq, at, item) : WHET_E_MEMORY;
  if (!st)
    whet__value_charge(seq, a->frame->session->account, sizeof item);
  else {
    whet_value_unref(&item);
    st = whet__fail(a->err, st, "out of memory: a longer sequence");
  }
  return st;
}

void whet__object_erase(whet_value *seq, size_t at) { whet__value_erase(seq, at); }

whet_status whet__object_to_tensor(const whet_args *a, int o, const whet_value *v) {
  void *to = whet__late_out(a, o, whet_value_dtype(v), whet_value_rank(v), whet_value_dims(v));
  if (!to) return WHET_E_MEMORY;
  if (whet_value_dtype(v) != WHET_STRING) {
    if (whet_value_bytes(v)) memcpy(to, whet_value_const_data(v), whet_value_bytes(v));
    return WHET_OK;
  }
  const whet_str *from = whet_value_const_data(v);
  for (size_t i = 0; i < whet_value_count(v); i++) {
    char *p = whet__late_bytes(a, from[i].n);
    if (!p) return WHET_E_MEMORY;
    if (from[i].n) memcpy(p, from[i].p, from[i].n);
    ((whet_str *)to)[i] = (whet_str){p, from[i].n};
  }
  return WHET_OK;
}
