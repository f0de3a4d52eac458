/* SPDX-License-Identifier: Apache-2.0 */
/* The context in which shape rules run. */

#include "ir/infer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/dtype.h"
#include "op/object.h"

struct whet_infer {
  whet_env *env;
  const whet_node *node;
  whet_status status; /* of a refused allocation or a body */
  whet_shape nowhere; /* shapes of absent outputs are written here */
  bool kinds;             /* the rule has looked at kinds of inputs */
  uint64_t asked, absent; /* by input: the rule has asked whether it is there; has read it though it is not */
};

bool whet__env_init(whet_env *e, const whet_graph *g, whet_arena *a, whet_err *err) {
  size_t n = (size_t)g->n_val + 1;
  *e = (whet_env){.g = g, .arena = a, .err = err};
  e->shape = whet__arena_array(a, n, sizeof *e->shape);
  e->dtype = whet__arena_array(a, n, 1);
  e->kind = whet__arena_array(a, n, 1);
  e->known = whet__arena_array(a, n, sizeof *e->known);
  e->n_known = whet__arena_array(a, n, sizeof *e->n_known);
  e->data = whet__arena_array(a, n, sizeof *e->data);
  e->have = whet__arena_array(a, n, 1);
  if (!e->shape || !e->dtype || !e->kind || !e->known || !e->n_known || !e->data || !e->have) return false;
  for (int32_t v = 0; v < g->n_val; v++) {
    const whet_val *x = &g->val[v];
    e->dtype[v] = x->dtype;
    e->kind[v] = x->kind;
    e->shape[v] = x->shape;
    e->have[v] = x->role != WHET_ROLE_NODE;
    if (x->role == WHET_ROLE_CONST && x->data) e->data[v] = x->data->p;
  }
  return true;
}

void whet__env_set(whet_env *e, int32_t v, whet_dtype t, const whet_shape *s, const void *data) {
  e->dtype[v] = (uint8_t)t;
  e->shape[v] = *s;
  e->data[v] = data;
  e->known[v] = NULL;
  e->have[v] = 1;
}

const whet_dim *whet__env_known(whet_env *e, int32_t v, int32_t *n) {
  if (e->known[v]) {
    *n = e->n_known[v];
    return e->known[v];
  }
  int64_t count = e->data[v] ? whet__shape_count(&e->shape[v]) : -1;
  whet_dtype t = (whet_dtype)e->dtype[v];
  if (count < 0 || count > WHET_KNOWN_MAX || !(whet__is_int(t) || t == WHET_BOOL)) return NULL;
  whet_dim *d = whet__arena_array(e->arena, (size_t)count + 1, sizeof *d);
  if (!d) return NULL;
  for (int64_t i = 0; i < count; i++) d[i] = whet__max_i(whet__get_i64(t, e->data[v], i), WHET_DIM_LOWEST);
  e->known[v] = d;
  e->n_known[v] = (int32_t)count;
  *n = (int32_t)count;
  return d;
}

/* A dimension that a rule left behind must be a number, a symbol of the graph or ANY. */
static void tidy(whet_env *e, int32_t v) {
  whet_shape *s = &e->shape[v];
  if (s->rank < -1 || s->rank > WHET_MAX_RANK) s->rank = -1;
  for (int32_t i = 0; i < s->rank; i++)
    if (s->d[i] < 0 && (whet__dim_symbol(s->d[i]) < 0 || whet__dim_symbol(s->d[i]) >= e->g->n_symbol))
      s->d[i] = WHET_DIM_ANY;
}

/* An output whose shape its rule could not tell. */
static void forget(whet_env *e, int32_t v) {
  const whet_val *x = &e->g->val[v];
  e->have[v] = 1;
  if (!e->dtype[v]) e->dtype[v] = x->dtype;
  e->shape[v] = x->shape;
  if (e->numbers && whet__shape_count(&x->shape) < 0) e->shape[v].rank = -1;
  e->known[v] = NULL;
  e->data[v] = NULL;
}

static const char *type_text(const struct whet_env *e, const whet_node *n, char *text, size_t size) {
  size_t at = 0;
  text[0] = 0;
  for (int i = 0; i < n->n_in && at < size; i++) {
    char shape[120];
    int32_t v = n->in[i];
    if (v < 0) continue;
    at += (size_t)snprintf(text + at, size - at, "%s%s%s", at ? ", " : "", whet_dtype_name((whet_dtype)e->dtype[v]),
                           whet__shape_text(e->g, &e->shape[v], shape, sizeof shape));
  }
  return text;
}

/* Operators that know nothing of sequences, maps and optionals (their rules never ask) must not meet them. */
static whet_status only_tensors(whet_infer *f) {
  static const char *const k_kind[] = {"tensor", "sequence", "map", "optional"};
  const whet_node *n = f->node;
  if (n->op->flags & (WHET_OP_OBJECT | WHET_OP_RUNS_BODY)) return WHET_OK;
  for (int i = 0; i < n->n_in; i++)
    if (n->in[i] >= 0 && f->env->kind[n->in[i]] != WHET_TENSOR)
      return whet__infer_fail(f, WHET_E_TYPE, "input %d is a %s, not a tensor", i, k_kind[f->env->kind[n->in[i]] & 3]);
  return WHET_OK;
}

/* A rule has read an input that is not there and has never asked whether it is. */
static whet_status missing(whet_infer *f) {
  int i = 0;
  while (!((f->absent & ~f->asked) >> i & 1)) i++;
  return whet__infer_fail(f, WHET_E_FORMAT, "input %d is missing", i);
}

whet_status whet__env_node(whet_env *e, const whet_node *n) {
  for (int o = 0; o < n->n_out; o++)
    if (n->out[o] >= 0) {
      e->known[n->out[o]] = NULL;
      e->data[n->out[o]] = NULL;
      e->dtype[n->out[o]] = e->g->val[n->out[o]].dtype;
      e->kind[n->out[o]] = e->g->val[n->out[o]].kind;
      e->shape[n->out[o]] = (whet_shape){.rank = -1};
    }
  whet_infer f = {.env = e, .node = n};
  bool blind = false;
  for (int i = 0; i < n->n_in; i++)
    if (n->in[i] >= 0 && e->shape[n->in[i]].rank < 0 && e->kind[n->in[i]] == WHET_TENSOR) blind = true;
  whet_status s = blind && !(n->op->flags & (WHET_OP_OBJECT | WHET_OP_RUNS_BODY)) ? WHET_LATE : n->op->infer(&f, n);
  if (!s) s = f.status;
  if (s >= 0 && f.absent & ~f.asked) s = missing(&f);
  if (s >= 0 && !f.kinds && only_tensors(&f)) s = WHET_E_TYPE;
  if (s < 0) {
    char types[300];
    if (e->err && e->err->code)
      whet__fail_in(e->err, "node %d \"%s\" (%s) on (%s)", n->origin, n->name, n->op->name,
                    type_text(e, n, types, sizeof types));
    return s;
  }
  for (int o = 0; o < n->n_out; o++) {
    int32_t v = n->out[o];
    if (v < 0) continue;
    e->have[v] = 1;
    tidy(e, v);
    bool tensor = e->kind[v] == WHET_TENSOR;
    if (s == WHET_LATE && (e->shape[v].rank < 0 || (e->numbers && whet__shape_count(&e->shape[v]) < 0))) forget(e, v);
    if (e->numbers && tensor && !s && whet__shape_count(&e->shape[v]) < 0) s = WHET_LATE;
  }
  return s;
}

whet_status whet__env_region(whet_env *e, const whet_region *r, bool stop, int32_t *late) {
  if (late) *late = r->n_node;
  whet_status answer = WHET_OK;
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_status s = whet__env_node(e, &e->g->node[r->node[i]]);
    if (s < 0) return s;
    if (s == WHET_LATE && answer != WHET_LATE) {
      answer = WHET_LATE;
      if (late) *late = i;
      if (stop) return s;
    }
  }
  return answer;
}

int whet__in_n(const whet_infer *f) {
  ((whet_infer *)f)->asked = UINT64_MAX; /* it counts for itself */
  return f->node->n_in;
}
/* Input i is there. */
static bool has(const whet_infer *f, int i) { return i < f->node->n_in && f->node->in[i] >= 0; }

bool whet__in_has(const whet_infer *f, int i) {
  if (i < 64) ((whet_infer *)f)->asked |= UINT64_C(1) << i;
  return has(f, i);
}

/* The same for a rule that reads it: one that never asks cannot do without it. */
static bool needs(const whet_infer *f, int i) {
  if (has(f, i)) return true;
  if (i < 64) ((whet_infer *)f)->absent |= UINT64_C(1) << i;
  return false;
}

const whet_shape *whet__in_shape(const whet_infer *f, int i) {
  static const whet_shape none = {.rank = -1};
  return needs(f, i) ? &f->env->shape[f->node->in[i]] : &none;
}
whet_dtype whet__in_dtype(const whet_infer *f, int i) {
  return needs(f, i) ? (whet_dtype)f->env->dtype[f->node->in[i]] : WHET_NONE;
}
const whet_quant *whet__in_quant(const whet_infer *f, int i) {
  return has(f, i) ? f->env->g->val[f->node->in[i]].q : NULL;
}
const whet_dim *whet__in_known(const whet_infer *f, int i, int32_t *n) {
  return has(f, i) ? whet__env_known(f->env, f->node->in[i], n) : NULL;
}
const void *whet__in_data(const whet_infer *f, int i) {
  return has(f, i) && f->env->kind[f->node->in[i]] == WHET_TENSOR ? f->env->data[f->node->in[i]] : NULL;
}
const whet_value *whet__in_object(const whet_infer *f, int i) {
  return has(f, i) && f->env->kind[f->node->in[i]] != WHET_TENSOR ? f->env->data[f->node->in[i]] : NULL;
}
bool whet__out_has(const whet_infer *f, int o) { return o < f->node->n_out && f->node->out[o] >= 0; }

whet_shape *whet__out(whet_infer *f, int o, whet_dtype t) {
  if (!whet__out_has(f, o)) return &f->nowhere;
  int32_t v = f->node->out[o];
  f->env->dtype[v] = (uint8_t)t;
  f->env->shape[v].rank = 0;
  return &f->env->shape[v];
}

whet_dim *whet__out_known(whet_infer *f, int o, int32_t n) {
  if (!whet__out_has(f, o) || n < 0 || n > WHET_KNOWN_MAX) return NULL;
  whet_dim *d = whet__arena_array(f->env->arena, (size_t)n + 1, sizeof *d);
  if (!d) {
    f->status = whet__no_memory(f->env->arena->mem, (size_t)n * sizeof *d, f->env->err, "known contents");
    return NULL;
  }
  f->env->known[f->node->out[o]] = d;
  f->env->n_known[f->node->out[o]] = n;
  return d;
}

void whet__out_like(whet_infer *f, int o, int i) {
  bool there = needs(f, i); /* asked whether or not anybody wants the output */
  if (!there || !whet__out_has(f, o)) return;
  int32_t v = f->node->out[o], u = f->node->in[i], n;
  whet_env *e = f->env;
  e->dtype[v] = e->dtype[u];
  e->kind[v] = e->kind[u];
  e->shape[v] = e->shape[u];
  e->known[v] = whet__env_known(e, u, &n);
  if (e->known[v]) e->n_known[v] = n;
}

void whet__out_kind(whet_infer *f, int o, whet_kind k) {
  if (whet__out_has(f, o)) f->env->kind[f->node->out[o]] = (uint8_t)k;
}
const whet_val *whet__out_val(const whet_infer *f, int o) {
  return whet__out_has(f, o) ? &f->env->g->val[f->node->out[o]] : NULL;
}

whet_status whet__infer_fail(whet_infer *f, whet_status code, const char *fmt, ...) {
  char text[300];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  return whet__fail(f->env->err, code, "%s", text);
}

const whet_graph *whet__infer_symbols(const whet_infer *f) { return f->env->numbers ? NULL : f->env->g; }

whet_status whet__infer_body(whet_infer *f, int b) {
  whet_status s = whet__env_region(f->env, f->node->body[b], false, NULL);
  return s;
}

whet_status whet__infer_body_try(whet_infer *f, int b) {
  whet_err *told = f->env->err, mine = {0};
  f->env->err = &mine;
  whet_status s = whet__infer_body(f, b);
  f->env->err = told;
  if (s != WHET_E_MEMORY && s != WHET_E_LIMIT) return s;
  return whet__fail(told, s, "%s", mine.text);
}

void whet__body_in(whet_infer *f, int b, int i, whet_dtype t, const whet_shape *s) {
  if (b < f->node->n_body && i < f->node->body[b]->n_in) whet__env_set(f->env, f->node->body[b]->in[i], t, s, NULL);
}

const whet_shape *whet__body_out(whet_infer *f, int b, int o, whet_dtype *t) {
  int32_t v = f->node->body[b]->out[o];
  *t = (whet_dtype)f->env->dtype[v];
  return &f->env->shape[v];
}

whet_status whet__infer_body_is(whet_infer *f, int bodies, int b, int n_in, int n_out) {
  if (f->node->n_body != bodies)
    return whet__infer_fail(f, WHET_E_FORMAT, "%d bodies, expected %d", f->node->n_body, bodies);
  const whet_region *r = f->node->body[b];
  if ((n_in >= 0 && r->n_in != n_in) || r->n_out != n_out || n_in < -1 || n_out < 0)
    return whet__infer_fail(f, WHET_E_FORMAT, "body %d takes %d values and gives %d, expected %d and %d", b, (int)r->n_in,
                            (int)r->n_out, n_in, n_out);
  return WHET_OK;
}

whet_status whet__infer_is_tensor(whet_infer *f, int i) {
  if (whet__in_kind(f, i) == WHET_TENSOR) return WHET_OK;
  return whet__infer_fail(f, WHET_E_TYPE, "input %d is no tensor", i);
}

whet_kind whet__in_kind(const whet_infer *f, int i) {
  ((whet_infer *)f)->kinds = true;
  return has(f, i) ? (whet_kind)f->env->kind[f->node->in[i]] : WHET_TENSOR;
}

whet_kind whet__body_out_kind(const whet_infer *f, int b, int o) {
  return (whet_kind)f->env->kind[f->node->body[b]->out[o]];
}

void whet__body_in_kind(whet_infer *f, int b, int i, whet_kind k) {
  if (b < f->node->n_body && i < f->node->body[b]->n_in) f->env->kind[f->node->body[b]->in[i]] = (uint8_t)k;
}

const whet_shape *whet__body_in_shape(const whet_infer *f, int b, int i) {
  return &f->env->shape[f->node->body[b]->in[i]];
}

whet_dim whet__dim_add(whet_dim a, whet_dim b) {
  if (!a) return b;
  if (!b) return a;
  whet_dim c;
  return !whet__dim_number(a) || !whet__dim_number(b) || __builtin_add_overflow(a, b, &c) || !whet__dim_number(c)
             ? WHET_DIM_ANY
             : c;
}
whet_dim whet__dim_sub(whet_dim a, whet_dim b) {
  if (!b) return a;
  whet_dim c;
  return !whet__dim_number(a) || !whet__dim_number(b) || __builtin_sub_overflow(a, b, &c) || !whet__dim_number(c)
             ? WHET_DIM_ANY
             : c;
}
whet_dim whet__dim_mul(whet_dim a, whet_dim b) {
  if (a == 1) return b;
  if (b == 1) return a;
  if (!a || !b) return 0;
  whet_dim c;
  return !whet__dim_number(a) || !whet__dim_number(b) || __builtin_mul_overflow(a, b, &c) || !whet__dim_number(c)
             ? WHET_DIM_ANY
             : c;
}
whet_dim whet__dim_div(whet_dim a, whet_dim b) {
  if (b == 1) return a;
  if (a == b && a != WHET_DIM_ANY && a) return 1;
  return !whet__dim_number(a) || !whet__dim_number(b) || !b ? WHET_DIM_ANY : a / b;
}

whet_status whet__infer_broadcast(whet_infer *f, const whet_shape *a, const whet_shape *b, whet_shape *out) {
  whet_shape r = {.rank = a->rank > b->rank ? a->rank : b->rank};
  for (int32_t i = 0; i < r.rank; i++) {
    int32_t ia = i - (r.rank - a->rank), ib = i - (r.rank - b->rank);
    whet_dim x = ia < 0 ? 1 : a->d[ia], y = ib < 0 ? 1 : b->d[ib];
    if (x == 1)
      r.d[i] = y;
    else if (y == 1 || (x == y && x != WHET_DIM_ANY))
      r.d[i] = x;
    else if (x < 0 && y < 0)
      r.d[i] = WHET_DIM_ANY;
    else if (x < 0)
      r.d[i] = y; /* x is y or 1, or the run fails */
    else if (y < 0)
      r.d[i] = x;
    else {
      char ta[120], tb[120];
      return whet__infer_fail(f, WHET_E_SHAPE, "shapes %s and %s do not broadcast: dimension %d is %lld and %lld",
                              whet__shape_text(f->env->g, a, ta, sizeof ta),
                              whet__shape_text(f->env->g, b, tb, sizeof tb), i, (long long)x, (long long)y);
    }
  }
  *out = r;
  return WHET_OK;
}

whet_status whet__infer_axis(whet_infer *f, int64_t axis, int32_t rank, int32_t *out) {
  if (axis < -(int64_t)rank || axis >= rank)
    return whet__infer_fail(f, WHET_E_DATA, "axis %lld is not in the %d dimensions of the input", (long long)axis,
                            rank);
  *out = (int32_t)(axis < 0 ? axis + rank : axis);
  return WHET_OK;
}
