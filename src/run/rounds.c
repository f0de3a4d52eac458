/* SPDX-License-Identifier: Apache-2.0 */
#include "run/rounds.h"

#include "base/dtype.h"
#include "ir/infer.h"
#include "plan/program.h"

size_t whet__round_bytes(whet_dtype t, const whet_shape *s) {
  int64_t n = whet__shape_count(s);
  return n < 0 ? 0 : whet_dtype_bytes(t, (size_t)n);
}

whet_carried whet__carried_take(whet_session *s, int32_t v) {
  const whet_env *e = whet__late_env(s);
  return (whet_carried){(whet_dtype)e->dtype[v], e->shape[v], (void *)whet__late_data(s, v), NULL,
                        (whet_kind)e->kind[v]};
}

whet_carried whet__carried_hold(whet_session *s, int32_t v) {
  whet_carried c = whet__carried_take(s, v);
  if (c.kind != WHET_TENSOR) c.own = whet_value_ref(c.data);
  return c;
}

/* Copy value v into memory that outlives the round. */
static whet_status keep(whet_session *s, whet_carried *c, int32_t v, whet_err *err) {
  whet_carried now = whet__carried_take(s, v);
  if (now.kind != WHET_TENSOR) { /* counted: one reference more */
    now.own = whet_value_ref(now.data);
    *c = now;
    return WHET_OK;
  }
  size_t n = whet__round_bytes(now.t, &now.shape);
  now.own = whet__late_block(s, n);
  if (!now.own) return whet__no_memory(&s->mem, n, err, "a value that a loop carries");
  if (n) memcpy(now.own, now.data, n);
  now.data = now.own;
  *c = now;
  return WHET_OK;
}

void whet__carried_drop(whet_session *s, whet_carried *c) {
  if (c->kind == WHET_TENSOR) {
    whet__late_drop(s, c->own);
  } else {
    whet_value *v = c->own;
    whet_value_unref(&v);
  }
  c->own = NULL;
}

void whet__carried_set(whet_session *s, int32_t v, const whet_carried *c) {
  whet__late_set(s, v, c->t, &c->shape, c->data);
  whet__late_env(s)->kind[v] = (uint8_t)c->kind;
}

/* All are copied before the old ones go, since a body may exchange them. */
whet_status whet__carried_next(whet_session *s, whet_carried *c, int n, const int32_t *v, whet_err *err) {
  whet_carried few[16], *next = n <= 16 ? few : whet__arena_array(whet__late_env(s)->arena, (size_t)n, sizeof *next);
  if (!next) return whet__no_memory(&s->mem, 0, err, "a loop");
  for (int i = 0; i < n; i++) {
    whet_status st = keep(s, &next[i], v[i], err);
    if (!st) continue;
    while (i--) whet__carried_drop(s, &next[i]);
    return st;
  }
  for (int i = 0; i < n; i++) whet__carried_drop(s, &c[i]);
  if (n) memcpy(c, next, (size_t)n * sizeof *c);
  return WHET_OK;
}

whet_status whet__carried_settle(whet_session *s, whet_carried *c, int n, const int32_t *in, const int32_t *out,
                                 whet_err *err) {
  for (int i = 0; i < n; i++)
    if (c[i].kind != WHET_TENSOR || c[i].t == WHET_STRING || whet__shape_count(&c[i].shape) < 0) return WHET_LATE;
  for (int i = 0; i < n; i++) {
    size_t bytes = whet__round_bytes(c[i].t, &c[i].shape);
    if (out[i] == in[i] || c[i].own) continue;
    c[i].own = whet__late_block(s, bytes);
    if (!c[i].own) return whet__no_memory(&s->mem, bytes, err, "a value that a loop carries");
    if (bytes) memcpy(c[i].own, c[i].data, bytes);
    c[i].data = c[i].own;
  }
  return WHET_OK;
}

/* Does p lie in a place that a carried value keeps? */
static bool carried_place(const whet_carried *c, int n, const void *p) {
  for (int i = 0; i < n; i++) {
    const char *own = c[i].own;
    if (own && (uintptr_t)p - (uintptr_t)own < whet__round_bytes(c[i].t, &c[i].shape)) return true;
  }
  return false;
}

whet_status whet__carried_moves(whet_session *s, const whet_carried *c, int n, const int32_t *out, whet_move **move,
                                int *n_move, whet_err *err) {
  whet_move *m = whet__arena_array(whet__late_env(s)->arena, (size_t)n + 1, sizeof *m);
  if (!m) return whet__no_memory(&s->mem, 0, err, "a loop");
  *move = m;
  *n_move = 0;
  for (int i = 0; i < n; i++) {
    whet_carried now = whet__carried_take(s, out[i]);
    size_t bytes = whet__round_bytes(now.t, &now.shape);
    if (now.kind != WHET_TENSOR || now.t != c[i].t || !whet__shape_equal(&now.shape, &c[i].shape)) return WHET_LATE;
    if (!c[i].own || now.data == c[i].own || !bytes) continue;
    if (!now.data) return WHET_LATE;
    *m = (whet_move){now.data, c[i].own, NULL, bytes};
    if (carried_place(c, n, now.data)) {
      m->via = whet__arena_alloc(whet__late_env(s)->arena, bytes);
      if (!m->via) return whet__no_memory(&s->mem, bytes, err, "a value that a loop carries");
    }
    m++, ++*n_move;
  }
  return WHET_OK;
}

void whet__carried_move(const whet_move *move, int n) {
  for (int i = 0; i < n; i++)
    if (move[i].via) memcpy(move[i].via, move[i].from, move[i].bytes);
  for (int i = 0; i < n; i++) memcpy(move[i].to, move[i].via ? move[i].via : move[i].from, move[i].bytes);
}

whet_status whet__stack_add(whet_session *s, whet_stack *c, int32_t v, whet_err *err) {
  whet_carried now = whet__carried_take(s, v);
  size_t n = whet__round_bytes(now.t, &now.shape);
  if (c->rounds && !whet__shape_equal(&c->shape, &now.shape))
    return whet__fail(err, WHET_E_SHAPE, "an output that is stacked changes its shape in round %lld",
                      (long long)c->rounds);
  if (c->n + n > c->cap) {
    size_t want = (c->n + n) * 2;
    char *bigger = whet__late_block(s, want);
    if (!bigger) return whet__no_memory(&s->mem, want, err, "a stacked output");
    if (c->n) memcpy(bigger, c->data, c->n);
    whet__late_drop(s, c->data);
    c->data = bigger;
    c->cap = want;
  }
  if (n) memcpy(c->data + c->n, now.data, n);
  c->n += n;
  c->t = now.t;
  c->shape = now.shape;
  c->rounds++;
  return WHET_OK;
}

/* The declared shape of one round; sizes that nothing tells are 0. */
static void declared(const whet_session *s, whet_stack *c, int32_t one) {
  const whet_val *x = &s->program->graph.val[one];
  const whet_env *e = whet__late_env((whet_session *)s);
  c->t = (whet_dtype)(e->dtype[one] ? e->dtype[one] : x->dtype);
  c->shape = e->shape[one].rank >= 0 ? e->shape[one] : x->shape;
  if (c->shape.rank < 0) c->shape.rank = 0;
  for (int32_t k = 0; k < c->shape.rank; k++)
    if (c->shape.d[k] < 0) c->shape.d[k] = 0;
}

whet_status whet__stack_end(whet_session *s, whet_stack *c, int32_t v, int32_t one, int64_t axis, bool reverse,
                            whet_err *err) {
  if (!c->rounds) declared(s, c, one);
  int32_t rank = c->shape.rank + 1;
  if (axis < 0) axis += rank;
  if (rank > WHET_MAX_RANK || axis < 0 || axis >= rank)
    return whet__fail(err, WHET_E_SHAPE, "an output cannot be stacked along dimension %lld of %d", (long long)axis,
                      rank);
  whet_shape out = {.rank = rank};
  int64_t outer = 1, inner = 1;
  for (int32_t k = 0, from = 0; k < rank; k++) out.d[k] = k == axis ? c->rounds : c->shape.d[from++];
  for (int32_t k = 0; k < c->shape.rank; k++) *(k < axis ? &outer : &inner) *= c->shape.d[k];
  char *data = c->data;
  if (!data || (c->n && (axis || reverse))) {
    data = whet__late_block(s, c->n);
    if (!data) return whet__no_memory(&s->mem, c->n, err, "a stacked output");
    size_t run = whet_dtype_bytes(c->t, (size_t)inner), each = run * (size_t)outer;
    for (int64_t t = 0; t < c->rounds; t++)
      for (int64_t o = 0; o < outer; o++)
        memcpy(data + (size_t)(o * c->rounds + (reverse ? c->rounds - 1 - t : t)) * run,
               c->data + (size_t)t * each + (size_t)o * run, run);
    whet__late_drop(s, c->data);
  }
  whet__late_set(s, v, c->t, &out, data);
  return WHET_OK;
}

whet_status whet__round_pause(const whet_run *r) {
  if (r->cancel && whet_cancel_raised(r->cancel))
    return whet__fail(r->err, WHET_E_CANCELLED, "the run was cancelled");
  if (r->until_ns && whet__now_ns() > r->until_ns)
    return whet__fail(r->err, WHET_E_DEADLINE, "the deadline passed during the run");
  return WHET_OK;
}

bool whet__round_truth(whet_session *s, int32_t v) {
  const void *p = whet__late_data(s, v);
  return p && whet__get_i64((whet_dtype)whet__late_env(s)->dtype[v], p, 0) != 0;
}
