/* SPDX-License-Identifier: Apache-2.0 */
/* Custom: one node of an operator of the caller's own (whet/custom.h), in either format.
 *
 * With a shape rule it is planned as any other operator; without one, or where the rule says so, its kernel tells the sizes while
 * running. Its
 * state is made once for each program (plan/custom.c). A kernel that is not thread safe takes turns with every other
 * such one. */

#include "op/custom.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/dtype.h"
#include "op/object.h"

/* What a call of the caller's functions sees. One of g (create), f (shape rule) and a (kernel) is set. */
struct whet_custom_ctx {
  const whet_node *node;
  const whet_custom_attr *attr;
  const whet_graph *g;
  whet_infer *f;
  const whet_args *a;
  const whet_graph *told; /* with f: `tell` is called, and free dimensions are its symbols */
  bool late;     /* the kernel tells sizes */
  bool later;    /* with f: the shape rule leaves them to the kernel */
  uint64_t made; /* outputs told, by number */
  char text[400];
};

/* ---- what the caller's functions call ---------------------------------------------------------------------------
 */

/* Attribute `name` of that kind; NULL when there is none. */
static const whet_custom_item *item(const whet_custom_ctx *c, const char *name, int kind) {
  for (int32_t i = 0; name && i < c->attr->n_item; i++)
    if (c->attr->item[i].kind == kind && !strcmp(c->attr->item[i].name, name)) return &c->attr->item[i];
  return NULL;
}

int whet_custom_attr_int(const whet_custom_ctx *c, const char *name, int64_t *out) {
  const whet_custom_item *x = item(c, name, WHET_ATTR_I64);
  if (x) *out = x->i;
  return x != NULL;
}
int whet_custom_attr_float(const whet_custom_ctx *c, const char *name, float *out) {
  const whet_custom_item *x = item(c, name, WHET_ATTR_F32);
  if (x) *out = x->f;
  return x != NULL;
}
int whet_custom_attr_ints(const whet_custom_ctx *c, const char *name, const int64_t **out, size_t *n) {
  const whet_custom_item *x = item(c, name, WHET_ATTR_I64S);
  if (x) *out = x->ints.v, *n = (size_t)x->ints.n;
  return x != NULL;
}
int whet_custom_attr_floats(const whet_custom_ctx *c, const char *name, const float **out, size_t *n) {
  const whet_custom_item *x = item(c, name, WHET_ATTR_F32S);
  if (x) *out = x->floats.v, *n = (size_t)x->floats.n;
  return x != NULL;
}
int whet_custom_attr_string(const whet_custom_ctx *c, const char *name, const char **out, size_t *n) {
  const whet_custom_item *x = item(c, name, WHET_ATTR_STR);
  if (x) *out = x->s.p, *n = x->s.n;
  return x != NULL;
}
int whet_custom_attr_strings(const whet_custom_ctx *c, const char *name, const whet_str **out, size_t *n) {
  const whet_custom_item *x = item(c, name, WHET_ATTR_STRS);
  if (x) *out = x->strs.v, *n = (size_t)x->strs.n;
  return x != NULL;
}
int whet_custom_attr_tensor(const whet_custom_ctx *c, const char *name, whet_info *info, const void **data) {
  const whet_custom_item *x = item(c, name, WHET_CUSTOM_TENSOR);
  if (!x) return 0;
  *info = (whet_info){.name = x->name, .dtype = x->dtype};
  whet__graph_tell(NULL, x->shape.rank, x->shape.d, info);
  *data = x->data;
  return 1;
}
const void *whet_custom_options(const whet_custom_ctx *c, size_t *bytes) {
  if (bytes) *bytes = c->attr->options.n;
  return c->attr->options.p;
}

const char *whet_custom_node(const whet_custom_ctx *c) { return c->node->name ? c->node->name : ""; }
size_t whet_custom_inputs(const whet_custom_ctx *c) { return (size_t)c->node->n_in; }
size_t whet_custom_outputs(const whet_custom_ctx *c) { return (size_t)c->node->n_out; }

/* Sizes and quantisation as callers see them; g (may be NULL) names free ones. */
static void describe(const whet_graph *g, whet_info *o, int32_t rank, const int64_t *dims, const whet_quant *q) {
  whet__graph_tell(g, rank, dims, o);
  if (q && !q->block) o->quant = (whet_quant_info){q->n, q->axis, q->scale, q->zero};
}

whet_status whet_custom_input(const whet_custom_ctx *c, size_t i, whet_info *info, const void **data) {
  if (i >= (size_t)c->node->n_in || !info) return WHET_E_MISUSE;
  int32_t v = c->node->in[i];
  *info = (whet_info){.rank = -1};
  if (data) *data = NULL;
  if (v < 0) return WHET_OK;
  if (c->g) {
    const whet_val *x = &c->g->val[v];
    info->name = x->name;
    info->kind = (whet_kind)x->kind;
    info->dtype = (whet_dtype)x->dtype;
    describe(c->g, info, x->shape.rank, x->shape.d, x->q);
    if (data && x->role == WHET_ROLE_CONST) *data = x->data->p;
  } else if (c->f) {
    const whet_shape *s = whet__in_shape(c->f, (int)i);
    info->dtype = whet__in_dtype(c->f, (int)i);
    describe(c->told, info, s->rank, s->d, whet__in_quant(c->f, (int)i));
    if (data) *data = whet__in_data(c->f, (int)i);
  } else {
    const whet_tensor *t = &c->a->in[i];
    info->dtype = t->dtype;
    describe(c->g, info, t->rank, t->dim, t->q);
    if (data) *data = t->data;
  }
  return WHET_OK;
}

whet_status whet_custom_output_info(const whet_custom_ctx *c, size_t i, whet_info *info) {
  if (i >= (size_t)c->node->n_out || !info) return WHET_E_MISUSE;
  int32_t v = c->node->out[i];
  *info = (whet_info){.rank = -1};
  if (v < 0) return WHET_OK;
  const whet_val *x = c->g ? &c->g->val[v] : c->f ? whet__out_val(c->f, (int)i) : NULL;
  if (x) {
    info->name = x->name;
    info->dtype = (whet_dtype)x->dtype;
    describe(c->g, info, x->shape.rank, x->shape.d, x->q);
  } else if (c->a) {
    const whet_tensor *t = &c->a->out[i];
    info->dtype = t->dtype;
    describe(c->g, info, t->rank, t->dim, t->q);
  }
  return WHET_OK;
}

/* Keep the first thing that went wrong. */
WHET_PRINTF(3, 4) static whet_status wrong(whet_custom_ctx *c, whet_status s, const char *fmt, ...) {
  if (!c->text[0]) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->text, sizeof c->text, fmt, ap);
    va_end(ap);
  }
  return s;
}

whet_status whet_custom_output(whet_custom_ctx *c, size_t i, whet_dtype t, int32_t rank, const int64_t *dims,
                               void **data) {
  if (data) *data = NULL;
  if (c->g || i >= (size_t)c->node->n_out || i >= 64 || (rank > 0 && !dims))
    return wrong(c, WHET_E_MISUSE, "there is no output %zu to tell here", i);
  whet_shape s = {.rank = -1};
  if (rank >= 0 && rank <= WHET_MAX_RANK) s = whet__shape(rank, dims);
  int64_t n = whet__shape_count(&s);
  if (n < 0 || !whet_dtype_bits(t) || (n && !whet_dtype_bytes(t, (size_t)n)))
    return wrong(c, WHET_E_SHAPE, "output %zu: no such type or shape", i);
  if (t == WHET_STRING && !c->late)
    return wrong(c, WHET_E_TYPE, "output %zu: an operator with a shape rule cannot make strings, unless that leaves them to the kernel", i);
  c->made |= UINT64_C(1) << i;
  if (c->node->out[i] < 0) return WHET_OK;
  if (c->f) {
    *whet__out(c->f, (int)i, t) = s;
    return WHET_OK;
  }
  if (c->late) {
    void *p = whet__late_out(c->a, (int)i, t, rank, dims);
    if (data) *data = p;
    if (p && t == WHET_STRING)
      for (int64_t k = 0; k < n; k++) ((whet_str *)p)[k] = (whet_str){"", 0};
    return p ? WHET_OK : WHET_E_MEMORY;
  }
  const whet_tensor *o = &c->a->out[i];
  bool same = o->dtype == t && o->rank == rank;
  for (int32_t k = 0; same && k < rank; k++) same = o->dim[k] == dims[k];
  if (!same) return wrong(c, WHET_E_SHAPE, "output %zu is not of the type and shape that its shape rule said", i);
  if (data) *data = o->data;
  return WHET_OK;
}

whet_status whet_custom_output_string(whet_custom_ctx *c, size_t i, size_t k, const char *p, size_t n) {
  size_t count = 0;
  bool made = c->late && i < 64 && c->made >> i & 1;
  if (made && c->node->out[i] < 0) return WHET_OK;
  whet_str *to = made ? whet__late_strings(c->a, (int)i, &count) : NULL;
  if (!to || k >= count || (n && !p)) return wrong(c, WHET_E_MISUSE, "there is no string %zu in output %zu", k, i);
  char *own = whet__late_bytes(c->a, n);
  if (!own) return WHET_E_MEMORY;
  if (n) memcpy(own, p, n);
  to[k] = (whet_str){own, n};
  return WHET_OK;
}

whet_status whet_custom_output_late(whet_custom_ctx *c) {
  if (!c->f || c->told) return wrong(c, WHET_E_MISUSE, "only a shape rule can leave sizes to the kernel");
  c->later = true;
  return WHET_OK;
}
int whet_custom_tells(const whet_custom_ctx *c) { return c->late; }

/* The dimension of a graph that has that name; ANY: none. */
static int64_t symbol_of(const whet_graph *g, const char *name) {
  for (int32_t i = 0; name && i < g->n_symbol; i++)
    if (!strcmp(g->symbol[i], name)) return WHET_DIM_SYM(i);
  return WHET_DIM_ANY;
}

whet_status whet_custom_output_told(whet_custom_ctx *c, size_t i, const whet_info *info) {
  if (!c->told || i >= (size_t)c->node->n_out || !info || info->rank > WHET_MAX_RANK || !whet_dtype_bits(info->dtype))
    return wrong(c, WHET_E_MISUSE, "there is no output %zu of such a type to tell here", i);
  if (c->node->out[i] < 0) return WHET_OK;
  whet_shape *s = whet__out(c->f, (int)i, info->dtype);
  s->rank = info->rank;
  for (int32_t k = 0; k < info->rank; k++)
    s->d[k] = info->dims[k] < 0 ? symbol_of(c->told, info->symbol[k]) : info->dims[k];
  return WHET_OK;
}

whet_status whet_custom_keep(const whet_custom_ctx *c, whet_custom_ctx **out) {
  *out = c->g ? whet__arena_copy((whet_arena *)&c->g->arena, c, sizeof *c) : NULL;
  return *out ? WHET_OK : c->g ? WHET_E_MEMORY : WHET_E_MISUSE;
}

void whet_custom_error(whet_custom_ctx *c, const char *text) {
  if (text) wrong(c, WHET_OK, "%s", text);
}

/* ---- the record -------------------------------------------------------------------------------------------------
 */

/* Operators that are not thread safe run one at a time. Rank: above all others; the caller's code runs under it. */
static pthread_mutex_t k_turn = PTHREAD_MUTEX_INITIALIZER;

/* Call one of the caller's functions; what it answers, or what is wrong with what it did. */
static whet_status call(whet_custom_ctx *c, whet_status (*fn)(void *, void *, whet_custom_ctx *), bool turns) {
  const whet_custom_op *op = c->attr->op;
  if (turns) pthread_mutex_lock(&k_turn);
  whet_status s = fn(op->user, c->attr->state, c);
  if (turns) pthread_mutex_unlock(&k_turn);
  if (s > 0) s = WHET_E_DATA;
  if (s) return wrong(c, s, "the operator failed: %s", whet_status_text(s));
  for (int i = 0; i < c->node->n_out && i < 64 && !c->later; i++)
    if (c->node->out[i] >= 0 && !(c->made >> i & 1)) return wrong(c, WHET_E_DATA, "output %d was not told", i);
  return WHET_OK;
}

whet_status whet__custom_create(const whet_graph *g, const whet_node *n, whet_custom_attr *attr, whet_err *err) {
  whet_custom_ctx c = {.node = n, .attr = attr, .g = g};
  if (!attr->op->create) return WHET_OK;
  whet_status s = attr->op->create(attr->op->user, &c, &attr->state);
  if (!s) return WHET_OK;
  attr->state = NULL;
  if (s > 0) s = WHET_E_DATA;
  return whet__fail(err, s, "node %d \"%s\" (%s): %s", n->origin, n->name, attr->op->name,
                    c.text[0] ? c.text : "its state could not be made");
}

/* What an operator without a shape rule says beforehand. */
static whet_status tell(whet_infer *f, const whet_node *n) {
  const whet_custom_attr *attr = n->attr;
  const whet_graph *g = whet__infer_symbols(f);
  bool can = attr->op->size > offsetof(whet_custom_op, tell) && attr->op->tell;
  for (int i = 0; i < n->n_in; i++) (void)whet__in_has(f, i);
  if (!can || !g) return WHET_LATE;
  whet_custom_ctx c = {.node = n, .attr = attr, .f = f, .told = g};
  whet_status s = attr->op->tell(attr->op->user, &c);
  return s ? whet__infer_fail(f, s < 0 ? s : WHET_E_DATA, "%s: %s", attr->op->name, c.text) : WHET_LATE;
}

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_custom_attr *attr = n->attr;
  if (!attr->op->shape) return tell(f, n);
  for (int i = 0; i < n->n_in; i++)
    if (whet__in_has(f, i) && whet__shape_count(whet__in_shape(f, i)) < 0) return WHET_LATE;
  whet_custom_ctx c = {.node = n, .attr = attr, .f = f};
  whet_status s = call(&c, attr->op->shape, !attr->op->thread_safe);
  return s ? whet__infer_fail(f, s, "%s: %s", attr->op->name, c.text) : c.later ? WHET_LATE : WHET_OK;
}

/* The kernel. */
static whet_status run(const whet_args *a, bool late) {
  const whet_custom_attr *attr = a->attr;
  whet_custom_ctx c = {.node = a->node, .attr = attr, .a = a, .late = late};
  for (int i = 0; i < a->n_in; i++)
    if (a->in[i].data && !whet__tensor_dense(&a->in[i]))
      return whet__fail(a->err, WHET_E_INTERNAL, "input %d of %s is not dense", i, attr->op->name);
  whet_status s = call(&c, attr->op->run, !attr->op->thread_safe);
  return s ? whet__fail(a->err, s, "%s: %s", attr->op->name, c.text) : WHET_OK;
}

static whet_status ref(const whet_args *a) { return run(a, false); }
static whet_status late(const whet_args *a) { return run(a, true); }

/* RANDOM: nobody knows what it reads or writes beside its tensors. */
const whet_op whet_op_Custom = {.name = "Custom",
                                .flags = WHET_OP_RANDOM | WHET_OP_STATE,
                                .attr_size = sizeof(whet_custom_attr),
                                .infer = infer,
                                .ref = ref,
                                .late = late};
