/* SPDX-License-Identifier: Apache-2.0 */
#include "compress/prune.h"

#include <math.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "compress/units.h"
#include "export/export.h"
#include "op/batchnorm.h"
#include "op/conv.h"
#include "op/dense.h"
#include "op/move_attr.h"
#include "pass/pass.h"

enum { ALIGN = 8, ROUNDS = 30, BATCHES = 200 /* that tell gradients */ };

/* A unit that may go. */
typedef struct cand {
  int32_t root, set; /* unit; number of the set of layers that make it */
  double score;
} cand;

typedef struct pruner {
  whet_graph *g;
  whet_arena *a;
  whet_units u;
  int32_t *layer;  /* by node: union-find over layers that share channels */
  cand *c;         /* sorted by set, then by falling score */
  size_t n;
  uint8_t *gone;   /* by unit */
  int32_t align;
  const whet_trainer *told; /* knows gradients; NULL: scores are magnitudes */
} pruner;

/* ---- scores ---------------------------------------------------------------------------------- */

/* Axis of the weights along which output (input) channels lie. */
static int out_axis(const whet_graph *g, const whet_node *n, bool inputs) {
  if (whet__is_op(n, "Dense")) return ((const whet_dense *)n->attr)->kn != inputs ? 1 : 0;
  const whet_conv_attr *a = n->attr;
  int8_t perm[WHET_MAX_RANK];
  whet__export_order(a->weights, WHET_CONV_OIS, g->val[n->in[1]].shape.rank, perm); /* perm[0]: outputs, perm[1]: inputs */
  return perm[inputs ? 1 : 0];
}

/* Sum of squares of the weights of each index along an axis, times their gradients' (NULL: 1). */
static void norms(const whet_val *w, int axis, const float *square, double *out) {
  int64_t inner = 1, n = w->shape.d[axis], count = whet__shape_count(&w->shape);
  for (int i = axis + 1; i < w->shape.rank; i++) inner *= w->shape.d[i];
  for (int64_t i = 0; i < n; i++) out[i] = 0;
  for (int64_t i = 0; i < count; i++) {
    float x;
    memcpy(&x, (const char *)w->data->p + (size_t)i * 4, 4);
    out[i / inner % n] += (double)x * x * (square ? (double)square[i] : 1);
  }
}

/* What a batch norm behind product `y` does to its filters: sums of squares of those that would do without it. */
static void behind(const whet_graph *g, int32_t y, double *sum, int32_t n) {
  for (int32_t i = 0; i < g->main.n_node; i++) {
    const whet_node *b = &g->node[g->main.node[i]];
    if (!whet__is_norm(g, b) || b->in[0] != y) continue;
    const whet_val *scale = &g->val[b->in[1]], *var = &g->val[b->in[4]];
    if (whet__shape_count(&scale->shape) != n || whet__shape_count(&var->shape) != n) return;
    for (int32_t k = 0; k < n; k++) {
      double s = whet__get_f64(WHET_F32, scale->data->p, k), v = whet__get_f64(WHET_F32, var->data->p, k);
      sum[k] *= s * s / (fmax(v, 0) + (double)((const whet_batchnorm_attr *)b->attr)->epsilon + 1e-30);
    }
    return;
  }
}

static int32_t layer_root(pruner *p, int32_t n) {
  while (p->layer[n] != n) n = p->layer[n] = p->layer[p->layer[n]];
  return n;
}

static int by_score(const void *x, const void *y) {
  const cand *a = x, *b = y;
  if (a->set != b->set) return a->set < b->set ? -1 : 1;
  if (a->score != b->score) return a->score > b->score ? -1 : 1;
  return (a->root > b->root) - (a->root < b->root);
}

/* Find what may go, and how much it is worth. False when memory is refused. */
static bool find(pruner *p) {
  whet_graph *g = p->g;
  double *score = whet__arena_array(p->a, p->u.n + 1, sizeof *score);
  int32_t *maker = whet__arena_array(p->a, p->u.n + 1, sizeof *maker); /* by root: a layer that makes it, + 1 */
  p->layer = whet__arena_array(p->a, (size_t)g->n_node + 1, sizeof *p->layer);
  p->gone = whet__arena_array(p->a, p->u.n + 1, 1);
  if (!score || !maker || !p->layer || !p->gone) return false;
  for (int32_t i = 0; i < g->n_node; i++) p->layer[i] = i;
  for (int32_t i = 0; i < g->main.n_node; i++) {
    int32_t id = g->main.node[i], y = g->node[id].out[0];
    const whet_node *n = &g->node[id];
    if (!whet__cuts_outputs(g, n) || !p->u.of[y]) continue;
    double *sum = whet__arena_array(p->a, (size_t)p->u.count[y], sizeof *sum), mean = 0;
    if (!sum) return false;
    const float *square = p->told ? whet__trainer_square(p->told, n->in[1]) : NULL;
    norms(&g->val[n->in[1]], out_axis(g, n, false), square, sum);
    if (!square) behind(g, y, sum, p->u.count[y]); /* gradients come through the norm */
    for (int32_t k = 0; k < p->u.count[y]; k++) mean += sum[k] / p->u.count[y];
    for (int32_t k = 0; k < p->u.count[y]; k++) {
      int32_t r = whet__unit_root(&p->u, p->u.of[y][k]);
      score[r] += mean > 0 ? sum[k] / mean : 0;
      if (maker[r]) p->layer[layer_root(p, maker[r] - 1)] = layer_root(p, id);
      maker[r] = id + 1;
    }
  }
  p->c = whet__arena_array(p->a, p->u.n + 1, sizeof *p->c);
  if (!p->c) return false;
  for (size_t i = 0; i < p->u.n; i++)
    if (maker[i] && whet__unit_root(&p->u, (int32_t)i) == (int32_t)i && !p->u.fixed[i])
      p->c[p->n++] = (cand){(int32_t)i, 0, score[i]};
  for (size_t i = 0; i < p->n; i++) p->c[i].set = layer_root(p, maker[p->c[i].root] - 1);
  qsort(p->c, p->n, sizeof *p->c, by_score);
  return true;
}

/* ---- choosing -------------------------------------------------------------------------------- */

/* Let a share of every set go. */
static void choose(pruner *p, double keep) {
  memset(p->gone, 0, p->u.n);
  for (size_t i = 0, end; i < p->n; i = end) {
    for (end = i; end < p->n && p->c[end].set == p->c[i].set;) end++;
    int64_t n = (int64_t)(end - i), stay = (int64_t)floor(keep * (double)n + 0.5);
    if (n >= 2 * p->align) stay = (int64_t)floor((double)stay / p->align + 0.5) * p->align;
    if (stay < 1) stay = n >= 2 * p->align ? p->align : 1;
    for (int64_t k = stay; k < n; k++) p->gone[p->c[i + (size_t)k].root] = 1;
  }
}

/* What the share left over is given back: block by block, to the sets whose next channels are worth most, while it fits. */
static double macs(pruner *p);
static void fill(pruner *p, double most) {
  for (bool any = true; any;) {
    double best = -1;
    size_t from = 0, to = 0;
    any = false;
    for (size_t i = 0, end; i < p->n; i = end) {
      size_t at = i;
      for (end = i; end < p->n && p->c[end].set == p->c[i].set;) end++;
      while (at < end && !p->gone[p->c[at].root]) at++;
      size_t n = (int64_t)(end - i) >= 2 * p->align ? (size_t)p->align : 1, stop = at + n < end ? at + n : end;
      if (at == end || p->c[at].score <= best) continue;
      for (size_t k = at; k < stop; k++) p->gone[p->c[k].root] = 0;
      if (macs(p) <= most) best = p->c[at].score, from = at, to = stop, any = true;
      for (size_t k = at; k < stop; k++) p->gone[p->c[k].root] = 1;
    }
    for (size_t k = from; k < to; k++) p->gone[p->c[k].root] = 0;
  }
}

static bool stays(pruner *p, int32_t unit) { return !p->gone[whet__unit_root(&p->u, unit)]; }

/* Channels of value v that stay. */
static int64_t left(pruner *p, int32_t v) {
  int64_t n = 0;
  for (int32_t i = 0; i < p->u.count[v]; i++) n += stays(p, p->u.of[v][i]);
  return n;
}

/* Multiply-adds of the products with what stays. */
static double macs(pruner *p) {
  double all = 0;
  for (int32_t i = 0; i < p->g->main.n_node; i++) {
    const whet_node *n = &p->g->node[p->g->main.node[i]];
    bool dw = whet__is_depthwise(p->g, n);
    if ((!dw && !whet__cuts_outputs(p->g, n)) || !p->u.of[n->out[0]] || !p->u.of[n->in[0]]) continue;
    const whet_shape *w = &p->g->val[n->in[1]].shape, *y = &p->g->val[n->out[0]].shape;
    double each = (double)whet__shape_count(w) / (double)w->d[out_axis(p->g, n, false)], places = 1;
    for (int32_t k = 0; k + 1 < y->rank; k++) places *= whet__dim_known(y->d[k]) ? (double)y->d[k] : 1;
    double in = dw ? 1 : (double)left(p, n->in[0]) / p->u.count[n->in[0]];
    all += places * (double)left(p, n->out[0]) * each * in;
  }
  return all;
}

/* ---- cutting --------------------------------------------------------------------------------- */

/* A copy of constant v of which only some positions along an axis stay; unit i % count stands for position i. */
static int32_t cut(pruner *p, int32_t v, int axis, const int32_t *unit, int32_t count) {
  const whet_val *c = &p->g->val[v];
  int64_t dims[WHET_MAX_RANK], inner = 4, outer = 1, n = c->shape.d[axis], stay = 0;
  for (int i = 0; i < c->shape.rank; i++) {
    dims[i] = c->shape.d[i];
    if (i < axis) outer *= dims[i];
    if (i > axis) inner *= dims[i];
  }
  for (int64_t i = 0; i < n; i++) stay += stays(p, unit[i % count]);
  if (stay == n) return v;
  char *to = whet__arena_alloc(p->a, (size_t)(outer * stay * inner) + 1);
  if (!to) return -1;
  char *at = to;
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < n; i++) {
      if (!stays(p, unit[i % count])) continue;
      memcpy(at, (const char *)c->data->p + (size_t)((o * n + i) * inner), (size_t)inner);
      at += inner;
    }
  dims[axis] = stay;
  const char *name = c->name;
  return whet__graph_const_copy(p->g, name, WHET_F32, c->shape.rank, dims, to);
}

/* Replace input k of a node by what cut answered. */
static whet_status put(pruner *p, int32_t id, int k, int32_t v, whet_pass *pass) {
  if (v < 0) return whet__pass_full(pass);
  p->g->node[id].in[k] = v;
  return WHET_OK;
}

static whet_status cut_product(pruner *p, int32_t id, bool dw, whet_pass *pass) {
  const whet_node *n = &p->g->node[id];
  int32_t x = n->in[0], y = n->out[0], b = n->n_in > 2 ? n->in[2] : -1;
  int out = out_axis(p->g, n, false), in = dw ? -1 : out_axis(p->g, n, true);
  WHET_TRY(put(p, id, 1, cut(p, n->in[1], out, p->u.of[y], p->u.count[y]), pass));
  if (!dw) WHET_TRY(put(p, id, 1, cut(p, p->g->node[id].in[1], in, p->u.of[x], p->u.count[x]), pass));
  if (b >= 0) WHET_TRY(put(p, id, 2, cut(p, b, p->g->val[b].shape.rank - 1, p->u.of[y], p->u.count[y]), pass));
  if (!dw || !((const whet_conv_attr *)n->attr)->group) return WHET_OK;
  whet_edit e = {.pass = pass, .g = p->g};
  whet_conv_attr *a = whet__ed_attr(&e, id);
  if (!a) return whet__pass_full(pass);
  a->group = left(p, x);
  return WHET_OK;
}

/* Constants beside the channels of a pointwise node. */
static whet_status cut_beside(pruner *p, int32_t id, whet_pass *pass) {
  const whet_node *n = &p->g->node[id];
  int32_t y = n->out[0];
  for (int k = 0; k < n->n_in; k++) {
    int32_t v = p->g->node[id].in[k], rank = v < 0 ? 0 : p->g->val[v].shape.rank;
    if (v < 0 || p->g->val[v].role != WHET_ROLE_CONST || rank < 1 || p->g->val[v].shape.d[rank - 1] != p->u.count[y] || p->u.count[y] == 1)
      continue;
    if (p->g->val[v].dtype != WHET_F32)
      return whet__fail(pass->err, WHET_E_UNSUPPORTED, "node \"%.80s\" (%s): a constant of %s beside channels", n->name, n->op->name,
                        whet_dtype_name((whet_dtype)p->g->val[v].dtype));
    WHET_TRY(put(p, id, k, cut(p, v, rank - 1, p->u.of[y], p->u.count[y]), pass));
  }
  return WHET_OK;
}

/* Sizes of a Split along channels. */
static whet_status cut_split(pruner *p, int32_t id, whet_pass *pass) {
  const whet_node *n = &p->g->node[id];
  int64_t *size = whet__arena_array(&p->g->arena, n->n_out, sizeof *size);
  whet_edit e = {.pass = pass, .g = p->g};
  whet_split *a = whet__ed_attr(&e, id);
  if (!size || !a) return whet__pass_full(pass);
  int32_t rank = p->g->val[n->in[0]].shape.rank;
  if ((a->axis < 0 ? a->axis + rank : a->axis) != rank - 1) return WHET_OK;
  for (int k = 0; k < n->n_out; k++) size[k] = left(p, n->out[k]);
  a->sizes = (whet_ints){size, n->n_out};
  if (p->g->node[id].n_in > 1) p->g->node[id].n_in = 1;
  return WHET_OK;
}

/* The list of a Reshape, or the sizes of a Resize, whose last number are channels: input k. */
static whet_status cut_list(pruner *p, int32_t id, int k, whet_pass *pass) {
  const whet_node *n = &p->g->node[id];
  int32_t v = n->n_in > k ? n->in[k] : -1, y = n->out[0], rank = p->g->val[y].shape.rank;
  int64_t list[WHET_MAX_RANK], dim = rank;
  if (v < 0 || whet__shape_count(&p->g->val[v].shape) != rank) return WHET_OK;
  for (int32_t i = 0, open = 0; i < rank; i++)
    list[i] = whet__dim_known(p->g->val[y].shape.d[i]) ? p->g->val[y].shape.d[i] : open++ ? 0 : -1;
  list[rank - 1] = left(p, y);
  return put(p, id, k, whet__graph_const_copy(p->g, p->g->val[v].name, WHET_S64, 1, &dim, list), pass);
}

static whet_status cut_all(pruner *p, whet_pass *pass) {
  for (int32_t i = 0; i < p->g->main.n_node; i++) {
    int32_t id = p->g->main.node[i];
    const whet_node *n = &p->g->node[id];
    int32_t y = n->n_out ? n->out[0] : -1, x = n->n_in ? n->in[0] : -1;
    if (y < 0 || x < 0 || !p->u.of[y] || (p->g->val[x].role != WHET_ROLE_CONST && !p->u.of[x])) continue;
    if (whet__cuts_outputs(p->g, n))
      WHET_TRY(cut_product(p, id, false, pass));
    else if (whet__is_depthwise(p->g, n))
      WHET_TRY(cut_product(p, id, true, pass));
    else if (whet__is_op(n, "Split"))
      WHET_TRY(cut_split(p, id, pass));
    else if (whet__is_op(n, "Reshape"))
      WHET_TRY(cut_list(p, id, 1, pass));
    else if (whet__is_op(n, "Resize"))
      WHET_TRY(cut_list(p, id, 3, pass));
    else if (n->op->flags & WHET_OP_POINTWISE || whet__is_norm(p->g, n))
      WHET_TRY(cut_beside(p, id, pass));
  }
  for (int32_t v = 0; v < p->u.n_val; v++) { /* not the constants that were made here */
    whet_val *x = &p->g->val[v];
    if (x->role == WHET_ROLE_NODE && p->u.of[v] && x->shape.rank > 0)
      x->shape.d[p->u.axis[v] < 0 ? x->shape.rank - 1 : p->u.axis[v]] = left(p, v);
  }
  return WHET_OK;
}

static whet_status list_layers(pruner *p, whet_model *m, whet_prune_report *r, whet_err *err) {
  r->layer = whet__arena_array(&m->graph.arena, (size_t)p->g->main.n_node + 1, sizeof *r->layer);
  if (!r->layer) return whet__no_memory(&m->mem, 0, err, "a report");
  for (int32_t i = 0; i < p->g->main.n_node; i++) {
    const whet_node *n = &p->g->node[p->g->main.node[i]];
    if (!whet__cuts_outputs(p->g, n) || !p->u.of[n->out[0]]) continue;
    r->layer[r->n_layer++] = (whet_prune_layer){p->g->main.node[i], p->u.count[n->out[0]], left(p, n->out[0])};
  }
  return WHET_OK;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* Are there constants that stand for other numbers? */
static bool quantised(const whet_graph *g) {
  for (int32_t v = 0; v < g->n_val; v++)
    if (g->val[v].data && g->val[v].q) return true;
  return false;
}

static whet_status prune(whet_model *m, const whet_prune_opts *o, const whet_trainer *told, whet_arena *a, whet_prune_report *r, whet_err *err) {
  pruner p = {.g = &m->graph, .a = a, .align = o->align ? o->align : ALIGN, .told = told};
  whet_pass pass = {.g = &m->graph, .err = err};
  if (!whet__units_of(p.g, a, &p.u) || !find(&p)) return whet__no_memory(&m->mem, 0, err, "pruning");
  if (!p.n && quantised(p.g))
    return whet__fail(err, WHET_E_UNSUPPORTED, "its weights are integers: prune the float model, and quantise what comes of it");
  if (!p.n) return whet__fail(err, WHET_E_UNSUPPORTED, "no channel of this model can go: inputs, outputs and unknown operators hold all");
  r->had_macs = macs(&p);
  double lo = 0, hi = 1;
  for (int i = 0; i < ROUNDS; i++) { /* the greatest share that fits */
    double mid = (lo + hi) / 2;
    choose(&p, mid);
    *(macs(&p) <= o->keep * r->had_macs ? &lo : &hi) = mid;
  }
  choose(&p, o->keep >= 1 ? 1 : lo);
  fill(&p, o->keep * r->had_macs);
  r->macs = macs(&p);
  if (r->macs > o->keep * r->had_macs * (1 + 1e-9))
    return whet__fail(err, WHET_E_UNSUPPORTED, "%.1f %% of the multiply-adds are left when all that can go is gone, not %.1f %%",
                      100 * r->macs / r->had_macs, 100 * o->keep);
  WHET_TRY(list_layers(&p, m, r, err));
  return cut_all(&p, &pass);
}

whet_status whet__prune(whet_model *m, const whet_prune_opts *o, whet_model **out, whet_prune_report *report, whet_err *err) {
  *out = NULL;
  *report = (whet_prune_report){0};
  if (!(o->keep > 0 && o->keep <= 1)) return whet__fail(err, WHET_E_DATA, "a part of %g of the multiply-adds: expected above 0, at most 1", o->keep);
  whet_model *p;
  whet_arena a;
  whet_trainer *told = NULL;
  WHET_TRY(whet__export_layers(m, &p, err));
  whet__arena_init(&a, &p->mem);
  whet_status s = WHET_OK;
  if (o->data) s = whet__trainer_open(p, o->data, o->learn, &p->mem, &told, err);
  if (!s && told) s = whet__trainer_look(told, BATCHES, err);
  if (!s) s = prune(p, o, told, &a, report, err);
  whet__trainer_close(&told);
  whet__arena_free(&a);
  if (s)
    whet_model_close(&p);
  else
    *out = p;
  return s;
}
