/* SPDX-License-Identifier: Apache-2.0 */
/* From a model to the graph that trains it.
 *
 *   x ─▶ model ─▶ y   becomes   x, target ─▶ model ─▶ loss ─▶ Gradient ─▶ Learn (each weight)
 *
 * Constants that are weights become variables; batch norms take the statistics of the batch and keep running ones. */

#include "train/graph.h"

#include "base/dtype.h"
#include "op/batchnorm.h"
#include "op/dense.h"
#include "op/grad.h"
#include "op/gradient.h"
#include "op/move_attr.h"
#include "op/variable.h"
#include "pass/pass.h"
#include "train/loss.h"
#include "train/rounded.h"

struct build {
  whet_train_graph *out;
  const whet_train_how *how;
  whet_graph *g;
  whet_region *r;
  whet_pass pass;
  whet_edit e;
  whet_mem *mem;
  whet_err *err;
  size_t cap_trained, cap_slot;
  int32_t own;     /* values that the model has itself */
  int32_t *shaped; /* by value: which one it is a part or another shape of; -1: none */
};

static whet_status full(struct build *b) { return whet__no_memory(b->mem, 0, b->err, "the training graph"); }

/* ---- weights --------------------------------------------------------------------------------- */

/* Is operator `name` a layer with weights? first, last: inputs that hold them. */
static bool is_layer(const char *name, int *first, int *last) {
  static const struct {
    const char *name;
    int first, last;
  } k[] = {{"Conv", 1, 2}, {"ConvTranspose", 1, 2}, {"Dense", 1, 2}, {"Gemm", 0, 2}, {"MatMul", 0, 1}};
  for (size_t i = 0; i < WHET_COUNT(k); i++)
    if (!strcmp(k[i].name, name)) return *first = k[i].first, *last = k[i].last, true;
  return false;
}
/* Operators that have weights beside those of layers. */
static bool is_minor(const char *name, int *first, int *last) {
  *first = 1;
  *last = !strcmp(name, "PRelu") ? 1 : 2;
  if (!strcmp(name, "BatchNormalization") || !strcmp(name, "LayerNormalization") || !strcmp(name, "PRelu") ||
      !strcmp(name, "RMSNormalization"))
    return true;
  *first = 0, *last = 1;
  return !strcmp(name, "Add") || !strcmp(name, "Mul");
}

static bool is_const(const struct build *b, int32_t v) { return v >= 0 && b->g->val[v].role == WHET_ROLE_CONST; }

/* The model's own constant that an input is, or is a part or another shape of, as where a layer was written out; -1: none.
 * Constants that it was written out with are not the model's: nothing would take what they learn. */
static int32_t weight_of(const struct build *b, int32_t v) {
  for (int depth = 0; v >= b->own && depth < 4; depth++) v = b->shaped[v];
  return v < b->own && is_const(b, v) ? v : -1;
}

/* Which value each is a part or another shape of. */
static whet_status note_shapes(struct build *b) {
  b->shaped = whet__arena_array(&b->g->arena, (size_t)b->g->n_val + 1, sizeof *b->shaped);
  if (!b->shaped) return full(b);
  for (int32_t v = 0; v < b->g->n_val; v++) b->shaped[v] = -1;
  for (int32_t i = 0; i < b->r->n_node; i++) {
    const whet_node *n = &b->g->node[b->r->node[i]];
    if (!whet__is_op(n, "Reshape") && !whet__is_op(n, "Split")) continue;
    for (int k = 0; k < n->n_out; k++)
      if (n->out[k] >= 0) b->shaped[n->out[k]] = n->in[0];
  }
  return WHET_OK;
}

/* Make constant v a variable. */
static whet_status release(struct build *b, int32_t v, bool learnt, const whet_node *n) {
  whet_train_graph *t = b->out;
  whet_val *x = &b->g->val[v];
  if (x->dtype != WHET_F32 || !x->data)
    return whet__fail(b->err, WHET_E_UNSUPPORTED, "node \"%s\" (%s): weights of type %s are not trained; float32 are", n->name, n->op->name,
                      whet_dtype_name((whet_dtype)x->dtype));
  if (!whet__grow(b->mem, (void **)&t->trained, &b->cap_trained, (size_t)t->n_trained + 1, sizeof *t->trained)) return full(b);
  t->trained[t->n_trained++] = (whet_trained){.val = v, .learnt = learnt};
  x->role = WHET_ROLE_VARIABLE;
  if (learnt) t->weights += whet__shape_count(&x->shape);
  return WHET_OK;
}

/* The layers that are to be trained: all, or the last ones. Batch norms between them follow the batch. */
static whet_status find_weights(struct build *b) {
  int first, last, layers = 0, seen = 0;
  for (int32_t i = 0; i < b->r->n_node; i++) {
    const whet_node *n = &b->g->node[b->r->node[i]];
    bool any = false;
    if (!is_layer(n->op->name, &first, &last)) continue;
    for (int k = first; k <= last && k < n->n_in; k++) any |= weight_of(b, n->in[k]) >= 0;
    layers += any;
  }
  int skip = b->how->last > 0 ? layers - b->how->last : 0;
  for (int32_t i = 0; i < b->r->n_node; i++) {
    const whet_node *n = &b->g->node[b->r->node[i]];
    bool layer = is_layer(n->op->name, &first, &last), any = false;
    if (!layer && !is_minor(n->op->name, &first, &last)) continue;
    for (int k = first; k <= last && k < n->n_in; k++) any |= weight_of(b, n->in[k]) >= 0;
    if (!any) continue;
    seen += layer;
    if (seen <= whet__max_i(skip, 0) || !seen) continue;
    bool plain = !strcmp(n->op->name, "Add") || !strcmp(n->op->name, "Mul");
    for (int k = first; k <= last && k < n->n_in; k++) {
      int32_t v = weight_of(b, n->in[k]);
      if (v < 0 || (plain && whet__shape_count(&b->g->val[v].shape) <= 1)) continue;
      WHET_TRY(release(b, v, true, n));
    }
  }
  return b->out->n_trained ? WHET_OK : whet__fail(b->err, WHET_E_UNSUPPORTED, "the model has no weights that can be trained");
}

/* ---- batch norms ----------------------------------------------------------------------------- */

static int32_t turned(struct build *b, int32_t v, int32_t rank, bool to_last) {
  int64_t perm[WHET_MAX_RANK];
  for (int32_t i = 0; i < rank; i++) perm[i] = i == 0 ? 0 : to_last ? (i == rank - 1 ? 1 : i + 1) : (i == 1 ? rank - 1 : i - 1);
  whet_transpose t = {.perm = {whet__arena_copy(&b->g->arena, perm, sizeof perm), rank}};
  return t.perm.v ? whet__ed_call(&b->e, "Transpose", &t, &v, 1, WHET_F32) : -1;
}

/* running = momentum running + (1 - momentum) now */
static void keep_running(struct build *b, int32_t running, int32_t now, float momentum) {
  const whet_grad_name name[] = {{'r', running, 0}, {'n', now, 0}, {'m', -1, (double)momentum}, {'k', -1, 1 - (double)momentum}};
  int32_t in[2] = {running, whet__grad_formula(&b->e, "m*r+k*n", name, 4, WHET_F32)};
  whet__ed_node(&b->e, whet__op_find("AssignVariable"), NULL, in, 2, NULL, 0);
}

/* Replace the batch norm at position *at of the list. */
static whet_status train_norm(struct build *b, int32_t *at) {
  const whet_node n = b->g->node[b->r->node[*at]];
  const whet_batchnorm_attr *a = n.attr;
  int32_t rank = b->pass.env->shape[n.in[0]].rank;
  if (rank < 2 || a->places || a->training)
    return whet__fail(b->err, WHET_E_UNSUPPORTED, "node \"%s\" (%s) is of a form that is not trained", n.name, n.op->name);
  for (int i = 3; i < 5; i++) {
    if (!is_const(b, n.in[i])) return whet__fail(b->err, WHET_E_UNSUPPORTED, "node \"%s\" (%s): its statistics are computed", n.name, n.op->name);
    WHET_TRY(release(b, n.in[i], false, &n));
  }
  const whet_batchnorm_train how = {.epsilon = a->epsilon};
  bool turn = !a->last && rank > 2;
  b->e.at = *at;
  int32_t x = turn ? turned(b, n.in[0], rank, true) : n.in[0], in[3] = {x, n.in[1], n.in[2]};
  int32_t out[3] = {turn ? whet__ed_val(&b->e, "norm", WHET_F32, NULL) : n.out[0], whet__ed_val(&b->e, "mean", WHET_F32, NULL),
                    whet__ed_val(&b->e, "inverse", WHET_F32, NULL)};
  whet__ed_node(&b->e, whet__op_find("BatchNormTrain"), &how, in, 3, out, 3);
  if (turn) {
    int64_t *perm = whet__arena_array(&b->g->arena, WHET_MAX_RANK, sizeof *perm);
    if (!perm) return full(b);
    for (int32_t i = 0; i < rank; i++) perm[i] = i == 0 ? 0 : i == 1 ? rank - 1 : i - 1;
    const whet_transpose t = {.perm = {perm, rank}};
    whet__ed_node(&b->e, whet__op_find("Transpose"), &t, &out[0], 1, &n.out[0], 1);
  }
  /* The variance out of its inverse root; what is kept is that of the population, as estimated from the batch. */
  const whet_grad_name name[] = {{'i', out[2], 0}, {'e', -1, (double)a->epsilon}};
  float momentum = a->momentum > 0 && a->momentum < 1 ? a->momentum : 0.9f;
  keep_running(b, n.in[3], out[1], momentum);
  keep_running(b, n.in[4], whet__grad_formula(&b->e, "1/(i*i)-e", name, 2, WHET_F32), momentum);
  if (b->e.failed) return full(b);
  whet__region_remove(b->g, b->r, b->e.at);
  *at = b->e.at - 1;
  return WHET_OK;
}

static bool is_trained(const struct build *b, int32_t v) { return v >= 0 && b->g->val[v].role == WHET_ROLE_VARIABLE; }

static whet_status train_norms(struct build *b) {
  for (int32_t i = 0; i < b->r->n_node; i++) {
    const whet_node *n = &b->g->node[b->r->node[i]];
    if (!whet__is_op(n, "BatchNormalization") || n->n_in < 5) continue;
    if (is_trained(b, n->in[1]) || is_trained(b, n->in[2])) WHET_TRY(train_norm(b, &i));
  }
  return WHET_OK;
}

/* ---- batch ----------------------------------------------------------------------------------- */

/* A model for one item at a time takes a batch: its first dimension, and what reshapes to it. */
static whet_status set_batch(struct build *b) {
  whet_graph *g = b->g;
  if (b->r->n_in != 1) return whet__fail(b->err, WHET_E_UNSUPPORTED, "the model has %d inputs; models of one are trained", b->r->n_in);
  whet_val *x = &g->val[b->r->in[0]];
  int64_t n = b->how->batch;
  if (x->dtype != WHET_F32 || x->q)
    return whet__fail(b->err, WHET_E_UNSUPPORTED, "input \"%s\" is %s%s; models of float32 are trained", x->name, x->q ? "quantised " : "",
                      whet_dtype_name((whet_dtype)x->dtype));
  if (x->shape.rank < 2) return whet__fail(b->err, WHET_E_SHAPE, "input \"%s\" has no dimension for a batch", x->name);
  bool one = x->shape.d[0] == 1;
  x->shape.d[0] = n;
  for (int32_t i = 1; i < x->shape.rank; i++)
    if (!whet__dim_known(x->shape.d[i])) return whet__fail(b->err, WHET_E_SHAPE, "dimension %d of input \"%s\" is open", i, x->name);
  for (int32_t v = 0; v < g->n_val; v++)
    if (g->val[v].role == WHET_ROLE_NODE && g->val[v].shape.rank > 0 && (one ? g->val[v].shape.d[0] == 1 : true)) g->val[v].shape.d[0] = n;
  for (int32_t i = 0; one && i < b->r->n_node; i++) {
    whet_node *node = &g->node[b->r->node[i]];
    int32_t k, count = 0;
    if (!whet__is_op(node, "Reshape") || node->n_in < 2 || !is_const(b, node->in[1])) continue;
    const int64_t *list = whet__ed_ints(&b->e, node->in[1], &k);
    int64_t dims[WHET_MAX_RANK];
    if (!list || k < 1 || k > WHET_MAX_RANK || list[0] != 1) continue;
    memcpy(dims, list, (size_t)k * sizeof *dims);
    dims[0] = n;
    const int64_t rank = k;
    (void)count;
    int32_t c = whet__ed_const(&b->e, WHET_S64, 1, &rank, dims);
    if (c < 0) return full(b);
    g->node[b->r->node[i]].in[1] = c;
  }
  return WHET_OK;
}

/* ---- loss and steps -------------------------------------------------------------------------- */

static int32_t new_input(struct build *b, const char *name, int32_t rank, const int64_t *dims) {
  whet_shape s = whet__shape(rank, dims);
  int32_t v = whet__ed_val(&b->e, NULL, WHET_F32, &s);
  if (v < 0) return -1;
  b->g->val[v].role = WHET_ROLE_INPUT;
  b->g->val[v].name = name;
  return v;
}

/* The loss and the inputs that it is of; *n of them in ends[], after x. */
static whet_status add_loss(struct build *b, int32_t *ends, int *n, int32_t *loss, int32_t *scores) {
  whet_train_graph *t = b->out;
  const int64_t three = 3, pair[2] = {b->how->batch, b->how->batch};
  whet_loss_ends l = {.y = b->r->out[0], .told = -1, .alike = -1, .own = -1, .shape = t->target};
  l.target = new_input(b, "target", t->target.rank, t->target.d);
  ends[0] = l.target, ends[1] = new_input(b, "hyper", 1, &three);
  *n = 2;
  if (b->how->taught) ends[(*n)++] = l.told = new_input(b, "teacher", t->target.rank, t->target.d);
  if (b->how->match) {
    l.own = whet__value_called(b->g, b->r, b->how->match);
    if (l.own < 0) return whet__fail(b->err, WHET_E_NAME, "no tensor and no node of the model is called \"%.100s\"", b->how->match);
    if (b->pass.env->dtype[l.own] != WHET_F32)
      return whet__fail(b->err, WHET_E_TYPE, "tensor \"%.100s\" is %s; float32 is matched", b->how->match,
                        whet_dtype_name((whet_dtype)b->pass.env->dtype[l.own]));
    l.own_shape = b->pass.env->shape[l.own];
    ends[(*n)++] = l.alike = new_input(b, "alike", 2, pair);
  }
  return whet__loss_nodes(&b->e, b->how, &l, loss, scores);
}

/* A variable of zeros like v. */
static int32_t slot(struct build *b, int32_t v) {
  whet_train_graph *t = b->out;
  const whet_shape s = b->g->val[v].shape;
  int32_t m = whet__variable_new(b->g, "moment", WHET_F32, s.rank, s.d);
  if (m < 0 || !whet__grow(b->mem, (void **)&t->slot, &b->cap_slot, (size_t)t->n_slot + 1, sizeof *t->slot)) return -1;
  return t->slot[t->n_slot++] = m;
}

static whet_status finish(struct build *b) {
  whet_train_graph *t = b->out;
  int32_t y = b->r->out[0], scores = -1, loss = -1, xs = 0, n_ends;
  b->e.at = b->r->n_node;
  t->target = b->pass.env->shape[y];
  t->x = b->g->val[b->r->in[0]].shape;
  if (whet__shape_count(&t->target) < 0 || t->target.rank < 1 || b->pass.env->dtype[y] != WHET_F32)
    return whet__fail(b->err, WHET_E_UNSUPPORTED, "the shape or the type of output \"%s\" cannot be trained", b->g->val[y].name);
  int32_t *ends = whet__arena_array(&b->g->arena, 7, sizeof *ends);
  if (!ends) return full(b);
  ends[0] = b->r->in[0];
  WHET_TRY(add_loss(b, ends + 1, &n_ends, &loss, &scores));
  int32_t *in = whet__arena_array(&b->g->arena, 4 * (size_t)t->n_trained + 8, sizeof *in), *out = in + 2 * t->n_trained + 2;
  if (b->e.failed || loss < 0 || !in) return full(b);
  for (int32_t i = 0; i < t->n_trained; i++)
    if (t->trained[i].learnt) in[xs++] = t->trained[i].val;
  for (int32_t i = 0; i < xs; i++) {
    in[xs + i] = in[i];
    out[i] = whet__ed_val(&b->e, "gradient", WHET_F32, &b->g->val[in[i]].shape);
  }
  in[2 * xs] = loss;
  const whet_gradient grad = {.xs = xs, .zs = 0};
  whet__ed_node(&b->e, whet__op_find("Gradient"), &grad, in, 2 * xs + 1, out, xs);
  for (int32_t i = 0; i < xs && !b->e.failed; i++) {
    whet_learn how = b->how->learn;
    if (b->g->val[in[i]].shape.rank < 2) how.decay = 0;
    int32_t arg[5] = {in[i], out[i], ends[2], slot(b, in[i]), how.kind == WHET_LEARN_ADAM ? slot(b, in[i]) : -1};
    if (arg[3] < 0 || (how.kind == WHET_LEARN_ADAM && arg[4] < 0)) return full(b);
    whet__ed_node(&b->e, whet__op_find("Learn"), &how, arg, how.kind == WHET_LEARN_ADAM ? 5 : 4, NULL, 0);
  }
  if (b->e.failed) return full(b);
  b->r->in = ends, b->r->n_in = 1 + n_ends;
  b->r->out = ends + b->r->n_in, b->r->n_out = 2;
  b->r->out[0] = loss, b->r->out[1] = scores;
  return WHET_OK;
}

static whet_status build(struct build *b) {
  WHET_TRY(set_batch(b));
  b->own = b->g->n_val;
  WHET_TRY(whet__train_expand(b->out->model, b->err));
  WHET_TRY(note_shapes(b));
  WHET_TRY(find_weights(b));
  WHET_TRY(whet__pass_env(&b->pass));
  WHET_TRY(train_norms(b));
  WHET_TRY(whet__pass_env(&b->pass));
  if (b->how->rounded) {
    WHET_TRY(whet__train_rounded(&b->pass, &b->e, b->how->rounded, b->out, b->err));
    WHET_TRY(whet__pass_env(&b->pass));
  }
  return finish(b);
}

whet_status whet__train_graph(whet_model *m, const whet_train_how *how, whet_mem *mem, whet_train_graph *out, whet_err *err) {
  *out = (whet_train_graph){0};
  WHET_TRY(whet__model_derive(m, &out->model, err));
  out->model->n_signature = 0;
  whet_graph *g = &out->model->graph;
  struct build b = {.out = out, .how = how, .g = g, .r = &g->main, .mem = mem, .err = err};
  b.pass = (whet_pass){.g = g, .err = err};
  b.e = (whet_edit){.pass = &b.pass, .g = g, .r = b.r};
  whet__arena_init(&b.pass.a, mem);
  whet_status s = build(&b);
  whet__arena_free(&b.pass.a);
  if (s) whet__train_graph_free(out, mem);
  return s;
}

void whet__train_graph_free(whet_train_graph *g, whet_mem *mem) {
  whet__free(mem, g->trained);
  whet__free(mem, g->slot);
  whet_model_close(&g->model);
  *g = (whet_train_graph){0};
}
