/* SPDX-License-Identifier: Apache-2.0 */
/* ReadVariable(v): a copy of what variable v holds. AssignVariable(v, x): v holds x from now on.
 *
 * TFLite VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE. A handle is not a value of the graph: it becomes a constant that
 * holds the number of the variable, and the operators that take it name the variable itself. */

#include "op/variable.h"

#include "op/move.h"

/* ---- variables ------------------------------------------------------------------------------- */

int32_t whet__variable(whet_graph *g, const char *name) {
  for (int32_t v = 0; v < g->n_val; v++)
    if (g->val[v].role == WHET_ROLE_VARIABLE && !strcmp(g->val[v].name, name)) return v;
  int32_t v = whet__graph_val(g, name);
  if (v < 0) return -1;
  g->val[v].role = WHET_ROLE_VARIABLE;
  g->val[v].flags |= WHET_VAL_SHARED;
  return v;
}

int32_t whet__variable_new(whet_graph *g, const char *suffix, whet_dtype t, int32_t rank, const int64_t *d) {
  const char *name = whet__arena_printf(&g->arena, "%s:%d", suffix, g->n_val);
  int32_t v = name ? whet__graph_val(g, name) : -1;
  if (v < 0) return -1;
  g->val[v].role = WHET_ROLE_VARIABLE;
  g->val[v].dtype = (uint8_t)t;
  g->val[v].shape = whet__shape(rank, d);
  return v;
}

extern const whet_op whet_op_AssignVariable;

bool whet__variables_init(whet_graph *g, const whet_region *r) {
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &g->node[r->node[i]];
    if (n->op != &whet_op_AssignVariable || g->val[n->in[1]].role != WHET_ROLE_CONST) return false;
  }
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &g->node[r->node[i]];
    whet_val *v = &g->val[n->in[0]];
    const whet_val *x = &g->val[n->in[1]];
    v->data = x->data;
    v->dtype = x->dtype;
    v->shape = x->shape;
    g->node[r->node[i]].dead = 1;
  }
  return true;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The handle becomes a constant: the variable's number. */
static whet_status handle_tfl(whet_import *im, const whet_op *op) {
  whet_graph *g = whet__im_graph(im);
  whet_str box = whet__tfl_str(im, 0), name = whet__tfl_str(im, 1);
  const char *full =
      whet__arena_printf(&g->arena, "%.*s/%.*s", (int)whet__min_i((int64_t)box.n, 4096), box.n ? box.p : "",
                         (int)whet__min_i((int64_t)name.n, 4096), name.n ? name.p : "");
  int32_t out = whet__im_out(im, 0), v = full ? whet__variable(g, full) : -1;
  whet_data *d = whet__arena_alloc(&g->arena, sizeof *d);
  int32_t *p = whet__arena_copy(&g->arena, &v, sizeof v);
  if (v < 0 || !d || !p) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a variable");
  if (out < 0) return WHET_OK;
  *d = (whet_data){.p = p, .n = sizeof *p, .id = g->next_data++};
  g->val[out].role = WHET_ROLE_CONST;
  g->val[out].dtype = WHET_S32;
  g->val[out].shape.rank = 0;
  g->val[out].data = d;
  return WHET_OK;
}

/* The variable behind input 0. */
static whet_status variable_of(whet_import *im, int32_t *v) {
  whet_graph *g = whet__im_graph(im);
  whet_ints h = whet__im_list(im, whet__im_in(im, 0));
  if (h.n != 1 || h.v[0] < 0 || h.v[0] >= g->n_val || g->val[h.v[0]].role != WHET_ROLE_VARIABLE)
    return whet__im_fail(im, WHET_E_UNSUPPORTED,
                         "the handle of a variable is not made by VAR_HANDLE in the same subgraph");
  *v = (int32_t)h.v[0];
  return WHET_OK;
}

/* A variable has the type and shape of what is read from it or assigned to it. */
static void describe(whet_graph *g, int32_t v, int32_t as) {
  if (as < 0 || (g->val[v].dtype && whet__shape_count(&g->val[v].shape) >= 0)) return;
  g->val[v].dtype = g->val[as].dtype;
  g->val[v].shape = g->val[as].shape;
  if (!g->val[v].q) g->val[v].q = g->val[as].q;
}

static whet_status read_tfl(whet_import *im, const whet_op *op) {
  int32_t v = -1, out = whet__im_out(im, 0);
  WHET_TRY(variable_of(im, &v));
  describe(whet__im_graph(im), v, out);
  return whet__im_node(im, op, NULL, &v, 1, &out, 1);
}

static whet_status assign_tfl(whet_import *im, const whet_op *op) {
  int32_t in[2] = {-1, whet__im_in(im, 1)};
  WHET_TRY(variable_of(im, &in[0]));
  describe(whet__im_graph(im), in[0], in[1]);
  return whet__im_node(im, op, NULL, in, 2, NULL, 0);
}

static const whet_from k_read_from[] = {
    {"tflite", "READ_VARIABLE", 1, read_tfl}, {"tflite", "VAR_HANDLE", 1, handle_tfl}, {0}};
static const whet_from k_assign_from[] = {{"tflite", "ASSIGN_VARIABLE", 1, assign_tfl}, {0}};

/* ---- shape rule, reference, planning --------------------------------------------------------- */

static whet_status read_infer(whet_infer *f, const whet_node *n) {
  *whet__out(f, 0, whet__in_dtype(f, 0)) = *whet__in_shape(f, 0);
  return WHET_OK;
}

static whet_status assign_infer(whet_infer *f, const whet_node *n) {
  const whet_shape *v = whet__in_shape(f, 0), *x = whet__in_shape(f, 1);
  if (whet__in_dtype(f, 0) != whet__in_dtype(f, 1))
    return whet__infer_fail(f, WHET_E_TYPE, "the variable holds %s", whet_dtype_name(whet__in_dtype(f, 0)));
  bool same = v->rank == x->rank;
  for (int32_t i = 0; same && i < v->rank; i++)
    same = !whet__dim_known(v->d[i]) || !whet__dim_known(x->d[i]) || v->d[i] == x->d[i];
  if (!same && x->rank >= 0) return whet__infer_fail(f, WHET_E_SHAPE, "the value does not have the variable's shape");
  return WHET_OK;
}

static whet_status read_ref(const whet_args *a) {
  whet__move_flat(&a->out[0], &a->in[0]);
  return WHET_OK;
}
static whet_status assign_ref(const whet_args *a) {
  whet__move_flat(&a->in[0], &a->in[1]);
  return WHET_OK;
}

/* A copy of the whole; one that reads or writes a variable is not moved past another. */
static whet_status copy_step(whet_planner *p, int32_t to, int32_t from) {
  const whet_shape *s = whet__pl_shape(p, to);
  whet_copy c = {.rank = s->rank};
  memcpy(c.dim, s->d, sizeof c.dim);
  whet__pl_strides(p, from, c.in_stride);
  whet__pl_strides(p, to, c.out_stride);
  return whet__pl_copy(p, to, from, &c);
}
static whet_status read_plan(whet_planner *p, const whet_node *n) { return copy_step(p, n->out[0], n->in[0]); }
static whet_status assign_plan(whet_planner *p, const whet_node *n) { return copy_step(p, n->in[0], n->in[1]); }

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_ReadVariable = {.name = "ReadVariable",
                                      .flags = WHET_OP_STATE,
                                      .from = k_read_from,
                                      .infer = read_infer,
                                      .plan = read_plan,
                                      .ref = read_ref};

const whet_op whet_op_AssignVariable = {.name = "AssignVariable",
                                        .flags = WHET_OP_STATE,
                                        .from = k_assign_from,
                                        .infer = assign_infer,
                                        .plan = assign_plan,
                                        .ref = assign_ref};
