/* SPDX-License-Identifier: Apache-2.0 */
/* Operators whose results are sums of products are computed by their references thrice: on doubles; on magnitudes, which
 * bounds what rounding adds; and on f32. */

#include "model/qdq_float.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "op/conv.h"
#include "op/pool.h"
#include "op/unary.h"

static const double k_unit = 0x1p-24; /* of f32 */

typedef struct walk {
  const whet_graph *g;
  whet_env env;
  whet_arena a;
  qdq_value *v;
  int32_t *maker;
  qdq_count *count;
  char *why;
  whet_err err;
} walk;

static bool is(const whet_node *n, const char *name) { return !strcmp(n->op->name, name); }
static bool among(const whet_node *n, const char *const *names, size_t many) {
  for (size_t i = 0; i < many; i++)
    if (is(n, names[i])) return true;
  return false;
}
static int64_t elements(const walk *w, int32_t v) { return whet__shape_count(&w->env.shape[v]); }
static void *room(walk *w, int64_t n, size_t each) {
  void *p = whet__arena_array(&w->a, (size_t)n + 1, each);
  if (!p) abort();
  return p;
}
static void make_room(walk *w, int32_t v) {
  int64_t n = elements(w, v);
  w->v[v].real = room(w, n, 8), w->v[v].error = room(w, n, 8), w->v[v].f32 = room(w, n, 4);
}
static bool fails(walk *w, const whet_node *n, const char *text) {
  snprintf(w->why, 200, "%s \"%.60s\": %.80s", n->op->name, n->name, text);
  return false;
}

/* ---- references --------------------------------------------------------------------------------------------------- */

static whet_tensor tensor(const walk *w, int32_t v, whet_dtype t, const void *data) {
  whet_tensor x = {.rank = -1};
  if (v < 0) return x;
  x = (whet_tensor){.dtype = t, .rank = w->env.shape[v].rank, .data = (void *)(uintptr_t)data};
  for (int64_t i = x.rank - 1, stride = 1; i >= 0; stride *= x.dim[i--]) x.dim[i] = w->env.shape[v].d[i], x.stride[i] = stride;
  return x;
}

/* The reference of a node on type t: of input k the numbers at in[k], where that is NULL the constant. */
static bool reference(walk *w, const whet_node *n, whet_dtype t, const void *const *in, void *out) {
  whet_tensor x[40];
  for (int k = 0; k < n->n_in; k++) {
    int32_t v = n->in[k];
    const whet_data *d = v >= 0 ? w->g->val[v].data : NULL;
    if (v >= 0 && !in[k] && !d) return fails(w, n, "an input is not known");
    x[k] = tensor(w, v, v < 0 || in[k] ? t : (whet_dtype)w->env.dtype[v], v < 0 ? NULL : in[k] ? in[k] : d->p);
  }
  x[n->n_in] = tensor(w, n->out[0], t, out);
  for (int k = 1; k < n->n_out; k++) x[n->n_in + k] = (whet_tensor){.rank = -1};
  whet_args a = {.node = n, .attr = n->attr, .in = x, .out = x + n->n_in, .n_in = n->n_in, .n_out = n->n_out, .err = &w->err};
  size_t scratch = n->op->scratch ? n->op->scratch(&a) : 0;
  a.scratch = scratch ? malloc(scratch) : NULL;
  bool ok = !n->op->ref(&a);
  free(a.scratch);
  return ok || fails(w, n, w->err.text);
}

/* How many products are added up for one result. */
static int64_t terms(const walk *w, const whet_node *n) {
  const whet_shape *x = &w->env.shape[n->in[0]];
  int64_t many = 4;
  if (is(n, "Conv")) return elements(w, n->in[1]) / w->env.shape[n->in[1]].d[0] + 2;
  if (is(n, "ConvTranspose")) return elements(w, n->in[1]) / w->env.shape[n->in[1]].d[1] + 2;
  if (is(n, "Gemm") || is(n, "MatMul")) return (x->rank ? whet__max_i(x->d[x->rank - 1], x->d[x->rank > 1 ? x->rank - 2 : 0]) : 1) + 2;
  if (is(n, "AveragePool")) {
    const whet_pool_attr *a = n->attr;
    many = a->global ? elements(w, n->in[0]) / (x->d[0] * x->d[1]) : 1;
    for (int i = 0; i < a->kernel.n && !a->global; i++) many *= a->kernel.v[i];
  }
  return many + 2;
}

/* y = sums of products of all real inputs: its error is what those of the inputs make of it, and what rounding adds. A
 * subtraction adds magnitudes: `plus` then is Add. */
static bool linear(walk *w, const whet_node *n, int many, const whet_op *plus, bool exact) {
  const void *real[40] = {0}, *size[40] = {0}, *wide[40] = {0}, *f32[40] = {0};
  int32_t y = n->out[0];
  whet_node sum = *n;
  make_room(w, y);
  qdq_value *o = &w->v[y];
  int64_t count = elements(w, y);
  double *magnitude = room(w, count, 8), u = exact ? 0 : (double)terms(w, n) * k_unit;
  if (plus) sum.op = plus;
  for (int k = 0; k < many; k++) {
    if (n->in[k] < 0) continue;
    const qdq_value *x = &w->v[n->in[k]];
    if (!x->real) return fails(w, n, "an input is not known");
    int64_t m = elements(w, n->in[k]);
    double *s = room(w, m, 8), *b = room(w, m, 8);
    for (int64_t i = 0; i < m; i++) s[i] = fabs(x->real[i]), b[i] = s[i] + x->error[i];
    real[k] = x->real, f32[k] = x->f32, size[k] = s, wide[k] = b;
  }
  if (!reference(w, n, WHET_F64, real, o->real) || !reference(w, n, WHET_F32, f32, o->f32) ||
      !reference(w, &sum, WHET_F64, size, magnitude) || !reference(w, &sum, WHET_F64, wide, o->error))
    return false;
  for (int64_t i = 0; i < count; i++) o->error[i] = o->error[i] * (1 + u) - magnitude[i];
  return true;
}

/* A largest element is as far off as the worst of its window. */
static bool largest(walk *w, const whet_node *n) {
  int32_t x = n->in[0], y = n->out[0];
  make_room(w, y);
  return reference(w, n, WHET_F64, (const void *[]){w->v[x].real}, w->v[y].real) &&
         reference(w, n, WHET_F64, (const void *[]){w->v[x].error}, w->v[y].error) &&
         reference(w, n, WHET_F32, (const void *[]){w->v[x].f32}, w->v[y].f32);
}

/* Functions of one number: none rises by more than 1.2 in 1; within 4 units, and two of what is added to x inside. */
static bool function(walk *w, const whet_node *n) {
  int32_t x = n->in[0], y = n->out[0];
  bool exact = is(n, "Relu") || is(n, "Clip");
  make_room(w, y);
  qdq_value *o = &w->v[y], *i = &w->v[x];
  if (!reference(w, n, WHET_F64, (const void *[]){i->real}, o->real) || !reference(w, n, WHET_F32, (const void *[]){i->f32}, o->f32))
    return false;
  for (int64_t k = 0, count = elements(w, y); k < count; k++)
    o->error[k] = exact ? i->error[k] : 1.2 * i->error[k] + k_unit * (4 * fabs(o->real[k]) + 2 * fabs(i->real[k]));
  return true;
}

/* A part of e^x over their sum: its relative error is twice the worst of an exponent's, and what is added. */
static bool softmax(walk *w, const whet_node *n) {
  int32_t x = n->in[0], y = n->out[0];
  make_room(w, y);
  qdq_value *o = &w->v[y], *i = &w->v[x];
  double off = 0, most = 0;
  if (!reference(w, n, WHET_F64, (const void *[]){i->real}, o->real) || !reference(w, n, WHET_F32, (const void *[]){i->f32}, o->f32))
    return false;
  for (int64_t k = 0, count = elements(w, x); k < count; k++) off = fmax(off, i->error[k]), most = fmax(most, fabs(i->real[k]));
  for (int64_t k = 0, count = elements(w, y); k < count; k++)
    o->error[k] = fabs(o->real[k]) * (2.1 * off + k_unit * (4 * most + (double)w->env.shape[x].d[w->env.shape[x].rank - 1] + 48));
  return true;
}

/* ---- quantisation ------------------------------------------------------------------------------------------------- */

/* Which parameters element i of value v has. */
static int32_t which(const walk *w, const whet_quant *q, int32_t v, int64_t i) {
  int64_t inner = 1;
  for (int32_t d = q->axis + 1; d < w->env.shape[v].rank; d++) inner *= w->env.shape[v].d[d];
  return q->n == 1 ? 0 : (int32_t)(i / inner % q->n);
}

static bool dequantize(walk *w, const whet_node *n) {
  int32_t x = n->in[0], y = n->out[0];
  const whet_val *v = &w->g->val[x];
  if (!v->q || v->q->block || !w->v[x].stored) return fails(w, n, "what it takes is not known");
  make_room(w, y);
  for (int64_t i = 0, count = elements(w, y); i < count; i++) {
    int32_t k = which(w, v->q, x, i);
    double raw = (double)whet__get_i64((whet_dtype)w->env.dtype[x], w->v[x].stored, i) - v->q->zero[k];
    w->v[y].real[i] = raw * (double)v->q->scale[k];
    w->v[y].f32[i] = (float)raw * v->q->scale[k];
    w->v[y].error[i] = 2 * k_unit * fabs(w->v[y].real[i]);
  }
  return true;
}

/* Compare value y, which a Reinterpret made of what node n makes. */
static bool quantize(walk *w, const whet_node *n, int32_t y, const void *stored) {
  int32_t x = n->in[0];
  const whet_val *v = &w->g->val[n->out[0]];
  whet_dtype t = (whet_dtype)v->dtype;
  if (!v->q || v->q->n != 1 || !w->v[x].real) return fails(w, n, "what it takes is not known");
  double lo = (double)whet__dtype_min(t), hi = (double)whet__dtype_max(t), scale = (double)v->q->scale[0];
  for (int64_t i = 0, count = elements(w, x); i < count; i++) {
    double at = w->v[x].real[i] / scale, bound = w->v[x].error[i] / scale + k_unit * (6 * fabs(at)) + 1e-12;
    double exact = fmin(fmax(at + v->q->zero[0], lo), hi);
    double plain = fmin(fmax((double)rintf(w->v[x].f32[i] / v->q->scale[0]) + v->q->zero[0], lo), hi);
    double got = (double)whet__get_i64(t, stored, i);
    w->count->compared++;
    w->count->differ += plain != got;
    if (bound > w->count->widest && fabs(at) < 1e4) w->count->widest = bound;
    if (fabs(got - exact) <= 0.5 + bound && fabs(plain - exact) <= 0.5 + bound && fabs(got - plain) <= 1) continue;
    snprintf(w->why, 200, "%.60s, element %lld: stored %g, in f32 %g, exactly %.9g with a bound of %.3g", w->g->val[y].name,
             (long long)i, got, plain, exact, bound);
    return false;
  }
  return true;
}

/* What only moves its first input. */
static const char *const k_moves[] = {"Identity", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice"};

/* An integer sum takes a bias in units of the input's scale times the weight's: its error is what that rounding costs. x and
 * weights: inputs of the product, bias: value number. */
static void round_bias(walk *w, int32_t x, int32_t weights, int32_t bias) {
  while (x >= 0 && w->maker[x] >= 0 && among(&w->g->node[w->maker[x]], k_moves, WHET_COUNT(k_moves)))
    x = w->g->node[w->maker[x]].in[0];
  if (bias < 0 || x < 0 || weights < 0 || w->maker[x] < 0 || w->maker[weights] < 0) return;
  const whet_node *dx = &w->g->node[w->maker[x]], *dw = &w->g->node[w->maker[weights]];
  if (!is(dx, "DequantizeLinear") || !is(dw, "DequantizeLinear") || !w->v[bias].real) return;
  const whet_quant *qx = w->g->val[dx->in[0]].q, *qw = w->g->val[dw->in[0]].q;
  if (!qx || !qw) return;
  for (int64_t i = 0, count = elements(w, bias); i < count; i++) {
    double unit = (double)(qx->scale[0] * qw->scale[qw->n == count ? i : 0]), k = w->v[bias].real[i] / unit;
    w->v[bias].error[i] = 2 * k_unit * fabs(w->v[bias].real[i]) + fabs(rint(k) - k) * unit;
  }
}

/* ---- the walk ----------------------------------------------------------------------------------------------------- */

static bool step(walk *w, const whet_node *n, const void *const *stored) {
  static const char *const sums[] = {"Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "Sub", "Mul"};
  if (whet__env_node(&w->env, n)) return fails(w, n, w->err.text);
  if (is(n, "Reinterpret")) {
    int32_t m = w->maker[n->in[0]];
    w->v[n->out[0]].stored = w->v[n->in[0]].stored;
    if (m < 0 || !is(&w->g->node[m], "QuantizeLinear")) return true;
    if (!stored[n->out[0]]) return fails(w, n, "the run did not keep it");
    w->v[n->out[0]].stored = stored[n->out[0]];
    return quantize(w, &w->g->node[m], n->out[0], stored[n->out[0]]);
  }
  if (is(n, "QuantizeLinear")) return n->n_in == 1 || fails(w, n, "parameters are not constant");
  if (is(n, "DequantizeLinear")) return dequantize(w, n);
  if ((is(n, "Conv") || is(n, "ConvTranspose") || is(n, "Gemm")) && n->n_in > 2) round_bias(w, n->in[0], n->in[1], n->in[2]);
  for (int k = 0; k < 2 && is(n, "Add"); k++) {
    const whet_node *m = w->maker[n->in[k]] >= 0 ? &w->g->node[w->maker[n->in[k]]] : NULL;
    if (m && is(m, "MatMul")) round_bias(w, m->in[0], m->in[1], n->in[!k]);
  }
  if (among(n, sums, WHET_COUNT(sums))) return linear(w, n, n->n_in, is(n, "Sub") ? whet__op_find("Add") : NULL, false);
  if (is(n, "Concat")) return linear(w, n, n->n_in, NULL, true);
  if (among(n, k_moves, WHET_COUNT(k_moves))) return linear(w, n, 1, NULL, true);
  if (is(n, "AveragePool") || is(n, "Resize")) return linear(w, n, 1, NULL, false);
  if (is(n, "MaxPool")) return largest(w, n);
  if (is(n, "Softmax")) return softmax(w, n);
  if (whet__unary_row(n->op)) return function(w, n);
  return fails(w, n, "this test does not know it");
}

bool qdq_float(const whet_model *m, const float *const *inputs, const void *const *stored, qdq_count *c, char why[200]) {
  walk w = {.g = &m->graph, .count = c, .why = why};
  whet_mem mem;
  bool ok = true;
  whet__mem_init(&mem, NULL, NULL, 0);
  whet__arena_init(&w.a, &mem);
  if (!whet__env_init(&w.env, w.g, &w.a, &w.err)) abort();
  w.env.numbers = true;
  w.v = room(&w, w.g->n_val, sizeof *w.v);
  w.maker = room(&w, w.g->n_val, sizeof *w.maker);
  for (int32_t v = 0; v < w.g->n_val; v++) {
    const whet_data *d = w.g->val[v].data;
    w.maker[v] = -1;
    w.v[v] = (qdq_value){.stored = d ? d->p : NULL};
    if (!d || w.g->val[v].dtype != WHET_F32) continue;
    make_room(&w, v);
    memcpy(w.v[v].f32, d->p, (size_t)elements(&w, v) * 4);
    for (int64_t i = 0; i < elements(&w, v); i++) w.v[v].real[i] = (double)w.v[v].f32[i], w.v[v].error[i] = 0;
  }
  for (int32_t i = 0; i < w.g->main.n_in; i++) {
    int32_t v = w.g->main.in[i];
    for (int32_t k = 0; k < w.env.shape[v].rank; k++)
      if (w.env.shape[v].d[k] < 0) w.env.shape[v].d[k] = 1;
    make_room(&w, v);
    for (int64_t k = 0; k < elements(&w, v); k++)
      w.v[v].f32[k] = inputs[i][k], w.v[v].real[k] = (double)inputs[i][k], w.v[v].error[k] = 0;
  }
  for (int32_t i = 0; i < w.g->main.n_node && ok; i++) {
    const whet_node *n = &w.g->node[w.g->main.node[i]];
    for (int k = 0; k < n->n_out; k++)
      if (n->out[k] >= 0) w.maker[n->out[k]] = w.g->main.node[i];
    ok = step(&w, n, stored);
  }
  whet__arena_free(&w.a);
  return ok;
}
