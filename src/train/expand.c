/* SPDX-License-Identifier: Apache-2.0 */
/* Layers as the operators that they are made of, whose gradients are known.
 *
 *   LayerNormalization(x, s, b)   (x - mean) / sqrt(variance + epsilon) s + b, by reductions
 *   LSTM, GRU (ONNX's, one direction, default activations)   a step after the other, written out */

#include <math.h>

#include "base/dtype.h"
#include "op/dense.h"
#include "op/grad.h"
#include "op/layernorm.h"
#include "op/move_attr.h"
#include "op/reduce.h"
#include "op/rnn.h"
#include "pass/pass.h"
#include "train/graph.h"

/* ---- norms ----------------------------------------------------------------------------------- */

static whet_status norm(whet_pass *p, whet_edit *e, const whet_node *n) {
  const whet_layernorm_attr *a = n->attr;
  int32_t rank = p->env->shape[n->in[0]].rank, axis = (int32_t)(a->axis < 0 ? a->axis + rank : a->axis);
  bool rms = whet__is_op(n, "RMSNormalization");
  int64_t *axes = whet__arena_array(&e->g->arena, WHET_MAX_RANK, sizeof *axes);
  if (!axes || rank < 1) return whet__pass_full(p);
  for (int32_t i = axis; i < rank; i++) axes[i - axis] = i;
  const whet_reduce_attr over = {.axes = {axes, rank - axis}, .keep = true};
  whet_grad_name name[] = {{'x', n->in[0], 0}, {'m', -1, 0}, {'v', -1, 0}, {'e', -1, (double)a->epsilon}, {'s', -1, 1}, {'b', -1, 0}};
  if (!rms) {
    name[1].v = whet__ed_call(e, "ReduceMean", &over, &n->in[0], 1, WHET_F32);
    name[0].v = whet__grad_formula(e, "x-m", name, 2, WHET_F32);
  }
  int32_t square = whet__grad_formula(e, "x*x", name, 1, WHET_F32);
  name[2].v = whet__ed_call(e, "ReduceMean", &over, &square, 1, WHET_F32);
  if (n->n_in > 1 && n->in[1] >= 0) name[4].v = n->in[1];
  if (n->n_in > 2 && n->in[2] >= 0) name[5].v = n->in[2];
  int32_t y = whet__grad_formula(e, "x*Rsqrt(v+e)*s+b", name, 6, WHET_F32);
  whet__ed_node(e, whet__op_find("Identity"), NULL, &y, 1, n->out, 1);
  return WHET_OK;
}

/* ---- recurrent layers ------------------------------------------------------------------------ */

/* One layer while it is written out. */
struct rnn {
  whet_edit *e;
  const whet_node *n;
  const whet_rnn *a;
  int64_t steps, batch, hidden, gates;
  int32_t r, rb; /* weights of the state [gates * hidden, hidden], their bias or -1 */
};

static int32_t ints(whet_edit *e, int64_t n, const int64_t *v) { return whet__ed_const(e, WHET_S64, 1, &n, v); }
static int32_t reshaped(whet_edit *e, int32_t v, int32_t rank, const int64_t *dims) {
  const whet_reshape how = {0};
  int32_t in[2] = {v, ints(e, rank, dims)};
  return whet__ed_call(e, "Reshape", &how, in, 2, WHET_F32);
}
static int32_t two(whet_edit *e, const char *op, const void *attr, int32_t a, int32_t b) {
  int32_t in[2] = {a, b};
  return whet__ed_call(e, op, attr, in, 2, WHET_F32);
}
static int32_t one(whet_edit *e, const char *op, int32_t a) { return whet__ed_call(e, op, NULL, &a, 1, WHET_F32); }

/* v cut into n equal parts along an axis. */
static bool cut(whet_edit *e, int32_t v, int32_t axis, int64_t n, int64_t each, int32_t *out) {
  int64_t *sizes = whet__arena_array(&e->g->arena, (size_t)n + 1, sizeof *sizes);
  if (!sizes) return false;
  for (int64_t i = 0; i < n; i++) sizes[i] = each, out[i] = whet__ed_val(e, "part", WHET_F32, NULL);
  if (n == 1) {
    out[0] = v;
    return true;
  }
  const whet_split how = {.axis = axis, .sizes = {sizes, (int32_t)n}};
  return whet__ed_node(e, whet__op_find("Split"), &how, &v, 1, out, (int)n) >= 0;
}

/* x w' + bias for all steps: [steps, batch, gates * hidden]. */
static int32_t inputs(struct rnn *l, int32_t w, int32_t wb, int64_t in) {
  const whet_matmul turned = {1, 0, 1};
  const int64_t all[2] = {l->steps * l->batch, in}, back[3] = {l->steps, l->batch, l->gates * l->hidden};
  int32_t x = l->n->in[0];
  if (l->a->batch_first) {
    static const int64_t perm[3] = {1, 0, 2};
    const whet_transpose t = {.perm = {perm, 3}};
    x = whet__ed_call(l->e, "Transpose", &t, &x, 1, WHET_F32);
  }
  int32_t y = two(l->e, "MatMul", &turned, reshaped(l->e, x, 2, all), w);
  if (wb >= 0) y = two(l->e, "Add", NULL, y, wb);
  return reshaped(l->e, y, 3, back);
}

/* One step of the cell: gates of the input g[] in ONNX's order, state h (and c). */
static void lstm_step(struct rnn *l, int32_t x, int32_t *h, int32_t *c) {
  const whet_matmul turned = {1, 0, 1};
  int32_t sum = two(l->e, "Add", NULL, x, two(l->e, "MatMul", &turned, *h, l->r)), g[4];
  if (l->rb >= 0) sum = two(l->e, "Add", NULL, sum, l->rb);
  if (!cut(l->e, sum, 1, 4, l->hidden, g)) return;
  const whet_grad_name name[] = {{'i', g[0], 0}, {'o', g[1], 0}, {'f', g[2], 0}, {'g', g[3], 0}, {'c', *c, 0}};
  *c = whet__grad_formula(l->e, "Sigmoid(f)*c+Sigmoid(i)*Tanh(g)", name, 5, WHET_F32);
  *h = two(l->e, "Mul", NULL, one(l->e, "Sigmoid", g[1]), one(l->e, "Tanh", *c));
}
static void gru_step(struct rnn *l, int32_t x, int32_t *h) {
  const whet_matmul turned = {1, 0, 1};
  int32_t gx[3], gr[3], wr[3], br[3];
  if (!cut(l->e, x, 1, 3, l->hidden, gx) || !cut(l->e, l->r, 0, 3, l->hidden, wr)) return;
  if (l->rb >= 0 && !cut(l->e, l->rb, 0, 3, l->hidden, br)) return;
  for (int i = 0; i < 2; i++) {
    gr[i] = two(l->e, "MatMul", &turned, *h, wr[i]);
    if (l->rb >= 0) gr[i] = two(l->e, "Add", NULL, gr[i], br[i]);
  }
  int32_t z = one(l->e, "Sigmoid", two(l->e, "Add", NULL, gx[0], gr[0])), r = one(l->e, "Sigmoid", two(l->e, "Add", NULL, gx[1], gr[1]));
  gr[2] = two(l->e, "MatMul", &turned, l->a->reset_after ? *h : two(l->e, "Mul", NULL, r, *h), wr[2]);
  if (l->rb >= 0) gr[2] = two(l->e, "Add", NULL, gr[2], br[2]);
  if (l->a->reset_after) gr[2] = two(l->e, "Mul", NULL, r, gr[2]);
  int32_t n = one(l->e, "Tanh", two(l->e, "Add", NULL, gx[2], gr[2]));
  const whet_grad_name name[] = {{'z', z, 0}, {'n', n, 0}, {'h', *h, 0}};
  *h = whet__grad_formula(l->e, "n+z*(h-n)", name, 3, WHET_F32);
}

/* Is the layer of the form that is written out? */
static bool plain(const whet_node *n, const whet_rnn *a, bool lstm) {
  static const uint8_t acts[2][3] = {{RNN_SIGMOID, RNN_TANH, 0}, {RNN_SIGMOID, RNN_TANH, RNN_TANH}};
  for (int k = 0; k < (lstm ? 3 : 2); k++)
    if (a->act[k] != acts[lstm][k]) return false;
  for (int i = 4; i < n->n_in; i++)
    if (n->in[i] >= 0) return false;
  return a->dirs == 1 && !a->backward && !a->couple && !(a->clip > 0);
}

/* A row of a weight [1, rows, columns] (or [1, rows]) without the direction. */
static int32_t undirected(whet_edit *e, int32_t v, int64_t rows, int64_t columns) {
  const int64_t dims[2] = {rows, columns};
  return reshaped(e, v, columns ? 2 : 1, dims);
}

static whet_status recurrent(whet_pass *p, whet_edit *e, const whet_node *n, bool lstm) {
  const whet_rnn *a = n->attr;
  const whet_shape x = p->env->shape[n->in[0]];
  struct rnn l = {.e = e, .n = n, .a = a, .hidden = a->hidden, .gates = lstm ? 4 : 3, .rb = -1};
  if (!plain(n, a, lstm) || x.rank != 3 || whet__shape_count(&x) < 0)
    return whet__fail(p->err, WHET_E_UNSUPPORTED, "node \"%s\" (%s): of recurrent layers those of one direction with the usual activations, "
                      "without lengths or first states, are trained", n->name, n->op->name);
  l.steps = x.d[a->batch_first ? 1 : 0], l.batch = x.d[a->batch_first ? 0 : 1];
  int64_t rows = l.gates * l.hidden, dims[2] = {l.batch, l.hidden};
  int32_t wb = -1, bias[2];
  l.r = undirected(e, n->in[2], rows, l.hidden);
  if (n->n_in > 3 && n->in[3] >= 0) {
    if (!cut(e, undirected(e, n->in[3], 2 * rows, 0), 0, 2, rows, bias)) return whet__pass_full(p);
    wb = bias[0], l.rb = bias[1];
  }
  int32_t *part = whet__arena_array(&e->g->arena, 2 * (size_t)l.steps + 2, sizeof *part), *y = part + l.steps;
  int32_t gates = inputs(&l, undirected(e, n->in[1], rows, x.d[2]), wb, x.d[2]);
  int32_t h = whet__ed_const(e, WHET_F32, 2, dims, NULL), c = whet__ed_const(e, WHET_F32, 2, dims, NULL);
  if (!part || !cut(e, gates, 0, l.steps, 1, part)) return whet__pass_full(p);
  const int64_t flat[2] = {l.batch, rows};
  const int64_t line[4] = {a->batch_first ? l.batch : 1, 1, a->batch_first ? 1 : l.batch, l.hidden};
  for (int64_t t = 0; t < l.steps && !e->failed; t++) {
    int32_t in = reshaped(e, part[t], 2, flat);
    if (lstm)
      lstm_step(&l, in, &h, &c);
    else
      gru_step(&l, in, &h);
    y[t] = reshaped(e, h, 4, line);
  }
  if (n->n_out > 0 && n->out[0] >= 0) {
    const whet_concat join = {.axis = a->batch_first ? 1 : 0};
    whet__ed_node(e, whet__op_find("Concat"), &join, y, (int)l.steps, &n->out[0], 1);
  }
  const int64_t state[3] = {a->batch_first ? l.batch : 1, a->batch_first ? 1 : l.batch, l.hidden};
  for (int o = 1; o < n->n_out; o++) {
    if (n->out[o] < 0) continue;
    int32_t v = reshaped(e, o == 1 ? h : c, 3, state);
    whet__ed_node(e, whet__op_find("Identity"), NULL, &v, 1, &n->out[o], 1);
  }
  return WHET_OK;
}

/* ---- all ------------------------------------------------------------------------------------- */

whet_status whet__train_expand(whet_model *m, whet_err *err) {
  whet_graph *g = &m->graph;
  whet_region *r = &g->main;
  whet_pass p = {.g = g, .err = err};
  whet_status s = WHET_OK;
  whet__arena_init(&p.a, g->mem);
  for (int32_t i = 0; i < r->n_node && !s; i++) {
    const whet_node n = g->node[r->node[i]];
    bool lstm = whet__is_op(&n, "LSTM"), is_norm = whet__is_op(&n, "LayerNormalization") || whet__is_op(&n, "RMSNormalization");
    if (!lstm && !is_norm && !whet__is_op(&n, "GRU")) continue;
    s = whet__pass_env(&p);
    if (s) break;
    whet_edit e = {.pass = &p, .g = g, .r = r, .at = i};
    s = is_norm ? norm(&p, &e, &n) : recurrent(&p, &e, &n, lstm);
    if (!s && e.failed) s = whet__pass_full(&p);
    if (s) break;
    whet__region_remove(g, r, e.at);
    i = e.at - 1;
  }
  whet__arena_free(&p.a);
  return s;
}
