/* SPDX-License-Identifier: Apache-2.0 */
/* What operators on objects and strings call while they run. */

#include "op/object.h"

#include "base/dtype.h"
#include "ir/infer.h"
#include "run/late.h"

whet_value *whet__object_in(const whet_args *a, int i) {
  whet_session *s = a->frame->session;
  int32_t v = i < a->node->n_in ? a->node->in[i] : -1;
  return v >= 0 && whet__late_env(s)->kind[v] != WHET_TENSOR ? (whet_value *)whet__late_data(s, v) : NULL;
}

whet_status whet__object_out(const whet_args *a, int o, whet_value *x) {
  whet_session *s = a->frame->session;
  int32_t v = o < a->node->n_out ? a->node->out[o] : -1;
  if (!whet__late_hold(s, x)) return whet__no_memory(&s->mem, 0, a->err, "an object");
  if (v < 0) return WHET_OK;
  const whet_shape none = {.rank = 0};
  whet__late_set(s, v, whet_value_dtype(x), &none, x);
  whet__late_env(s)->kind[v] = (uint8_t)whet_value_kind(x);
  return WHET_OK;
}

char *whet__late_bytes(const whet_args *a, size_t n) {
  whet_session *s = a->frame->session;
  char *p = n == SIZE_MAX ? NULL : whet__arena_alloc(&s->text, n + 1);
  if (!p) whet__no_memory(&s->mem, n, a->err, "characters of a string");
  return p;
}

whet_value *whet__object_from_tensor(const whet_args *a, const whet_tensor *t) {
  whet_value *v = NULL;
  whet_status st = whet_value_create(t->dtype, t->rank, t->dim, &v);
  size_t n = v ? whet_value_count(v) : 0;
  if (!st && t->dtype != WHET_STRING) memcpy(whet_value_data(v), t->data, whet_value_bytes(v));
  for (size_t i = 0; !st && t->dtype == WHET_STRING && i < n; i++) {
    const whet_str *x = (const whet_str *)t->data + i;
    st = whet_value_set_string(v, i, x->p, x->n);
  }
  if (st) {
    whet__fail(a->err, st, "out of memory: a value of a sequence");
    whet_value_unref(&v);
  }
  return v;
}

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
