/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/opcheck.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "base/rng.h"
#include "ir/infer.h"
#include "plan/program.h"
#include "whet/whet.h"

static double unit(opcheck *c) {
  uint32_t r[4];
  whet__rng_block(c->seed, 1, c->at++, r);
  return whet__rng_unit(r[0]);
}

/* Fill n elements of type t. */
static void fill(opcheck *c, whet_dtype t, void *p, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    double u = unit(c);
    if (t == WHET_BOOL) {
      whet__set_i64(t, p, i, u < 0.5);
    } else if (whet__is_float(t)) {
      double lo = c->lo < c->hi ? c->lo : -1, hi = c->lo < c->hi ? c->hi : 1;
      whet__set_f64(t, p, i, lo + u * (hi - lo));
    } else {
      bool wide = whet_dtype_bits(t) >= 16;
      double lo = c->lo < c->hi ? c->lo : wide ? (whet__is_unsigned_int(t) ? 0 : -100) : (double)whet__dtype_min(t);
      double hi = c->lo < c->hi ? c->hi : wide ? 100 : (double)whet__dtype_max(t);
      whet__set_i64(t, p, i, (int64_t)floor(lo + u * (hi - lo + 1)));
    }
  }
}

void opcheck_begin(opcheck *c, const char *what) {
  whet_err err = {0};
  whet_model_opts o = whet_model_opts_default();
  *c = (opcheck){.what = what, .seed = test_seed(1)};
  c->model = whet__model_new(&o, &err);
  if (!c->model) fail_msg("%s", err.text);
  c->g = &c->model->graph;
}

int32_t opcheck_input(opcheck *c, whet_dtype t, int32_t rank, const int64_t *dims) {
  int32_t v = whet__graph_val(c->g, NULL);
  assert_true(v >= 0 && c->n_in < OPCHECK_MAX);
  c->g->val[v].role = WHET_ROLE_INPUT;
  c->g->val[v].dtype = (uint8_t)t;
  c->g->val[v].shape = whet__shape(rank, dims);
  c->in[c->n_in++] = v;
  return v;
}

int32_t opcheck_const(opcheck *c, whet_dtype t, int32_t rank, const int64_t *dims, const void *data) {
  int32_t v = whet__graph_const_copy(c->g, NULL, t, rank, dims, data);
  assert_true(v >= 0);
  if (!data) fill(c, t, (void *)c->g->val[v].data->p, whet__shape_count(&c->g->val[v].shape));
  return v;
}

void opcheck_quant(opcheck *c, int32_t v, int32_t n, int32_t axis, const float *scale, const int32_t *zero) {
  c->g->val[v].q = whet__graph_quant(c->g, n, axis, scale, zero);
  assert_non_null(c->g->val[v].q);
}

int32_t opcheck_nodes(opcheck *c, const char *name, const void *attr, int n_in, const int32_t *in, int n_out) {
  const whet_op *op = whet__op_find(name);
  int32_t out[OPCHECK_MAX];
  if (!op) fail_msg("%s: no operator %s", c->what, name);
  for (int i = 0; i < n_out; i++) assert_true((out[i] = whet__graph_val(c->g, NULL)) >= 0);
  void *copy = op->attr_size ? whet__arena_copy(&c->g->arena, attr, op->attr_size) : NULL;
  assert_true(whet__graph_node(c->g, &c->g->main, op, copy, in, n_in, out, n_out) >= 0);
  return out[0];
}

int32_t opcheck_node(opcheck *c, const char *name, const void *attr, int n_in, const int32_t *in) {
  return opcheck_nodes(c, name, attr, n_in, in, 1);
}

void opcheck_round(opcheck *c, whet_round r) { c->g->node[c->g->n_node - 1].round = (uint8_t)r; }
void opcheck_declare(opcheck *c, int32_t v, whet_dtype t) { c->g->val[v].dtype = (uint8_t)t; }

void opcheck_output(opcheck *c, int32_t v) {
  assert_true(c->n_out < OPCHECK_MAX);
  c->out[c->n_out++] = v;
}

/* Inputs and outputs of the graph, once all are known. */
static void finish(opcheck *c) {
  c->g->main.in = whet__arena_copy(&c->g->arena, c->in, (size_t)c->n_in * sizeof *c->in);
  c->g->main.out = whet__arena_copy(&c->g->arena, c->out, (size_t)c->n_out * sizeof *c->out);
  c->g->main.n_in = c->n_in;
  c->g->main.n_out = c->n_out;
  whet_err err = {0};
  if (whet__graph_verify(c->g, &err)) fail_msg("%s: %s", c->what, err.text);
}

static whet_tensor tensor(const whet_env *e, int32_t v, void *data) {
  whet_tensor t = {.rank = -1};
  if (v < 0) return t;
  t = (whet_tensor){.dtype = (whet_dtype)e->dtype[v], .rank = e->shape[v].rank, .data = data, .q = e->g->val[v].q};
  int64_t stride = 1;
  for (int32_t i = t.rank - 1; i >= 0; i--) t.dim[i] = e->shape[v].d[i], t.stride[i] = stride, stride *= t.dim[i];
  return t;
}

/* The references, node by node, into data[value]. */
static void reference(opcheck *c, whet_env *e, void **data) {
  whet_err err = {0};
  e->err = &err;
  e->numbers = true;
  for (int32_t i = 0; i < c->g->main.n_node; i++) {
    const whet_node *n = &c->g->node[c->g->main.node[i]];
    whet_status s = whet__env_node(e, n);
    if (s) fail_msg("%s: shape rule of %s: %s", c->what, n->op->name, s == WHET_LATE ? "not known" : err.text);
    whet_tensor t[2 * OPCHECK_MAX];
    for (int k = 0; k < n->n_in; k++)
      t[k] = tensor(e, n->in[k],
                    n->in[k] < 0               ? NULL
                    : c->g->val[n->in[k]].data ? (void *)c->g->val[n->in[k]].data->p
                                               : data[n->in[k]]);
    for (int k = 0; k < n->n_out; k++) {
      int32_t v = n->out[k];
      size_t bytes = whet_dtype_bytes((whet_dtype)e->dtype[v], (size_t)whet__shape_count(&e->shape[v]));
      data[v] = aligned_alloc(64, whet__round_up(bytes + 1, 64));
      memset(data[v], 0xcd, bytes);
      t[n->n_in + k] = tensor(e, v, data[v]);
    }
    whet_args a = {
        .node = n, .attr = n->attr, .in = t, .out = t + n->n_in, .n_in = n->n_in, .n_out = n->n_out, .err = &err};
    if (!n->op->ref) fail_msg("%s: %s has no reference", c->what, n->op->name);
    size_t scratch = n->op->scratch ? n->op->scratch(&a) : 0;
    a.scratch = scratch ? malloc(scratch) : NULL;
    if (n->op->ref(&a)) fail_msg("%s: reference of %s: %s", c->what, n->op->name, err.text);
    free(a.scratch);
  }
}

/* One output against the reference. */
static void compare(const opcheck *c, const char *how, int o, whet_dtype t, const void *got, const void *want,
                    int64_t n, double tolerance) {
  double most = 0, worst = 0;
  int64_t at = -1;
  bool real = whet__is_float(t);
  for (int64_t i = 0; i < n && real; i++) {
    double w = fabs(whet__get_f64(t, want, i));
    if (isfinite(w) && w > most) most = w;
  }
  for (int64_t i = 0; i < n; i++) {
    double g = whet__get_f64(t, got, i), w = whet__get_f64(t, want, i);
    bool same = g == w || (isnan(g) && isnan(w));
    double d = same ? 0 : isfinite(g - w) ? fabs(g - w) : INFINITY;
    if (d > worst) worst = d, at = i;
  }
  double allowed = real ? tolerance * most : tolerance >= 1 ? tolerance : 0;
  if (worst > allowed)
    fail_msg("%s (%s, seed %llu): output %d, element %lld of %lld: got %.9g, expected %.9g, allowed %.3g", c->what,
             how, (unsigned long long)c->seed, o, (long long)at, (long long)n, whet__get_f64(t, got, at),
             whet__get_f64(t, want, at), allowed);
}

/* One program: run twice, the second time in memory that the first has used. */
static void run_program(opcheck *c, const whet_env *e, void **data, const char *level, int threads, int no_group,
                        double tolerance) {
  whet_program_opts o = whet_program_opts_default();
  char how[80];
  snprintf(how, sizeof how, "--cpu %s --threads %d%s", level, threads, no_group ? " --no-group" : "");
  o.cpu = level;
  o.threads = threads;
  o.no_group = no_group;
  o.exact = c->floats_exact;
  whet_program *p;
  whet_session *s;
  whet_err err;
  if (whet_program_create(c->model, &o, &p, &err)) fail_msg("%s (%s): %s", c->what, how, err.text);
  if (whet_session_create(p, &s, &err)) fail_msg("%s (%s): %s", c->what, how, err.text);
  bool there = !c->becomes, reads = !c->reads;
  for (int32_t i = 0; i < p->graph.main.n_node; i++) {
    const whet_node *n = &p->graph.node[p->graph.main.node[i]];
    there |= c->becomes && !strcmp(n->op->name, c->becomes);
    reads |= c->reads && !strcmp(n->op->name, c->reads) && n->in[0] == p->graph.main.in[0];
  }
  if (!there) fail_msg("%s (%s): no %s was made of it", c->what, how, c->becomes);
  if (!reads) fail_msg("%s (%s): no %s reads the input", c->what, how, c->reads);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < c->n_in; i++) {
      size_t bytes;
      void *x = whet_session_input(s, (size_t)i, &bytes, &err);
      if (!x) fail_msg("%s (%s): %s", c->what, how, err.text);
      memcpy(x, data[c->in[i]], bytes);
    }
    if (whet_session_run(s, NULL, &err)) fail_msg("%s (%s): %s", c->what, how, err.text);
    for (int i = 0; i < c->n_out; i++) {
      const void *y = whet_session_output(s, (size_t)i, NULL, &err);
      if (!y) fail_msg("%s (%s): %s", c->what, how, err.text);
      compare(c, how, i, (whet_dtype)e->dtype[c->out[i]], y, data[c->out[i]], whet__shape_count(&e->shape[c->out[i]]),
              tolerance);
    }
  }
  whet_session_close(&s);
  whet_program_close(&p);
}

void opcheck_run(opcheck *c, double tolerance) {
  static const char *const levels[] = {"c",    "avx2",    "avxvnni", "avx512", "vnni", "amx",
                                       "neon", "dotprod", "i8mm",    "sve2",   "rvv"};
  whet_arena a;
  whet_env e;
  whet_mem mem;
  uint32_t last = UINT32_MAX;
  finish(c);
  whet__mem_init(&mem, NULL, NULL, 0);
  whet__arena_init(&a, &mem);
  assert_true(whet__env_init(&e, c->g, &a, NULL));
  void **data = calloc((size_t)c->g->n_val + 1, sizeof *data);
  for (int i = 0; i < c->n_in; i++) {
    const whet_val *x = &c->g->val[c->in[i]];
    int64_t n = whet__shape_count(&x->shape);
    data[c->in[i]] = aligned_alloc(64, whet__round_up(whet_dtype_bytes((whet_dtype)x->dtype, (size_t)n) + 1, 64));
    fill(c, (whet_dtype)x->dtype, data[c->in[i]], n);
  }
  reference(c, &e, data);
  for (size_t l = 0; l < WHET_COUNT(levels); l++) {
    uint32_t bits, have;
    if (!whet__isa_of_level(levels[l], &bits)) continue;
    have = bits & whet__target_host()->isa;
    if (have == last) continue; /* this machine has nothing more there */
    last = have;
    run_program(c, &e, data, levels[l], 1, 0, tolerance);
    run_program(c, &e, data, levels[l], 2, 1, tolerance);
  }
  for (int32_t v = 0; v < c->g->n_val; v++) free(data[v]);
  free(data);
  whet__arena_free(&a);
  whet_model_close(&c->model);
}

void opcheck_refused(opcheck *c, whet_status s) {
  whet_program *p = NULL;
  whet_err err;
  finish(c);
  assert_int_equal(whet_program_create(c->model, NULL, &p, &err), s);
  assert_true(err.text[0]);
  whet_model_close(&c->model);
}
