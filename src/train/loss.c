/* SPDX-License-Identifier: Apache-2.0 */
/* Losses:
 *
 *   cross-entropy   -sum t log softmax(y)                         mean over the batch
 *   KL              sum t (log t - log softmax(y))                likewise
 *   MSE             (y - t)^2                                     mean over all numbers
 *   a teacher's     (1 - mix) loss + mix T^2 KL(q | softmax(y / T)), q the teacher's shares at temperature T
 *                   (Hinton, Vinyals, Dean 2015); with MSE: mix MSE(y, q)
 *   alike           + weight |G / |G|_rows - H|^2 / batch^2, G = F F' of the matched tensor F [batch, all else], H the teacher's
 *                   (Tung, Mori 2019): any two tensors can be compared, whatever their shapes */

#include "train/loss.h"

#include "op/dense.h"
#include "op/grad.h"
#include "op/move_attr.h"
#include "op/reduce.h"
#include "op/softmax.h"
#include "pass/pass.h"

static const whet_reduce_attr k_all = {.keep = false};

static int32_t total(whet_edit *e, int32_t v) { return whet__ed_call(e, "ReduceSum", &k_all, &v, 1, WHET_F32); }
static int32_t mean(whet_edit *e, int32_t v) { return whet__ed_call(e, "ReduceMean", &k_all, &v, 1, WHET_F32); }

/* Rows of a target: items, or items by places. */
static double rows(const whet_shape *s) { return (double)whet__shape_count(s) / (double)whet__max_i(s->d[s->rank - 1], 1); }

/* sum t (log t - log softmax(y)) / n, without t log t unless kl. */
static int32_t entropy(whet_edit *e, int32_t y, int32_t t, double n, bool kl) {
  const whet_softmax_attr last = {.axis = -1, .beta = 1};
  whet_grad_name name[] = {{'t', t, 0}, {'n', -1, n}, {'p', -1, 0}, {'s', -1, 0}};
  name[2].v = whet__ed_call(e, "LogSoftmax", &last, &y, 1, WHET_F32);
  name[3].v = total(e, whet__grad_formula(e, kl ? "t*(Log(Max(t,0.000000000001))-p)" : "-t*p", name, 3, WHET_F32));
  return whet__grad_formula(e, "s/n", name, 4, WHET_F32);
}

static int32_t square(whet_edit *e, int32_t y, int32_t t) {
  const whet_grad_name name[] = {{'y', y, 0}, {'t', t, 0}};
  return mean(e, whet__grad_formula(e, "SquaredDifference(y,t)", name, 2, WHET_F32));
}

/* The numbers before the Softmax that makes y, or y. */
static int32_t logits(const whet_edit *e, int32_t y) {
  const whet_graph *g = whet__ed_graph((whet_edit *)(uintptr_t)e);
  for (int32_t i = 0; i < g->main.n_node; i++) {
    const whet_node *n = &g->node[g->main.node[i]];
    if (n->n_out && n->out[0] == y && whet__is_op(n, "Softmax")) return n->in[0];
  }
  return y;
}

/* How alike the items of a batch are by tensor v: G with rows of length 1. */
static int32_t alike(whet_edit *e, int32_t v, int64_t batch, int64_t count) {
  const whet_reshape as = {0};
  const whet_matmul with_turned = {.alpha = 1, .trans_b = 1};
  const int64_t two = 2, dims[2] = {batch, count / batch};
  static const int64_t last = 1;
  const whet_reduce_attr over = {.axes = {&last, 1}, .keep = true};
  int32_t in[2] = {v, whet__ed_const(e, WHET_S64, 1, &two, dims)};
  in[0] = in[1] = whet__ed_call(e, "Reshape", &as, in, 2, WHET_F32);
  int32_t g = whet__ed_call(e, "MatMul", &with_turned, in, 2, WHET_F32);
  whet_grad_name name[] = {{'g', g, 0}, {'s', -1, 0}};
  int32_t sq = whet__grad_formula(e, "g*g", name, 1, WHET_F32);
  name[1].v = whet__ed_call(e, "ReduceSum", &over, &sq, 1, WHET_F32);
  return whet__grad_formula(e, "g*Rsqrt(s+0.000000000001)", name, 2, WHET_F32);
}

int32_t whet__value_called(const whet_graph *g, const whet_region *r, const char *name) {
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &g->node[r->node[i]];
    for (int k = 0; k < n->n_out; k++)
      if (n->out[k] >= 0 && !strcmp(g->val[n->out[k]].name, name)) return n->out[k];
  }
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &g->node[r->node[i]];
    if (n->n_out && n->out[0] >= 0 && n->name && !strcmp(n->name, name)) return n->out[0];
  }
  return -1;
}

whet_status whet__loss_nodes(whet_edit *e, const whet_train_how *how, const whet_loss_ends *in, int32_t *loss, int32_t *scores) {
  bool numbers = how->loss == WHET_LOSS_MSE;
  double n = rows(&in->shape);
  int32_t z = *scores = numbers ? in->y : logits(e, in->y), l = -1;
  bool only = in->told >= 0 && how->mix >= 1;
  if (!only) l = numbers ? square(e, in->y, in->target) : entropy(e, z, in->target, n, how->loss == WHET_LOSS_KL);
  if (in->told >= 0) {
    double t = numbers ? 1 : how->temperature;
    whet_grad_name name[] = {{'l', l, 0}, {'z', z, 0}, {'t', -1, t}, {'k', -1, 0}, {'m', -1, how->mix * t * t}, {'h', -1, 1 - how->mix}};
    int32_t soft = numbers ? z : whet__grad_formula(e, "z/t", name, 3, WHET_F32);
    name[3].v = numbers ? square(e, soft, in->told) : entropy(e, soft, in->told, n, true);
    l = whet__grad_formula(e, only ? "k*m" : "h*l+m*k", name, 6, WHET_F32);
  }
  if (in->own >= 0) {
    const whet_shape *s = &in->own_shape;
    if (whet__shape_count(s) < 0 || s->rank < 1 || s->d[0] != how->batch)
      return whet__fail(whet__ed_err(e), WHET_E_SHAPE, "tensor \"%s\" cannot be matched: it has not the batch in front", how->match);
    whet_grad_name name[] = {{'l', l, 0}, {'a', -1, 0}, {'w', -1, how->match_weight}};
    name[1].v = square(e, alike(e, in->own, how->batch, whet__shape_count(s)), in->alike);
    l = whet__grad_formula(e, "l+w*a", name, 3, WHET_F32);
  }
  *loss = l;
  return l < 0 ? whet__fail(whet__ed_err(e), WHET_E_MEMORY, "no memory for the training graph") : WHET_OK;
}
