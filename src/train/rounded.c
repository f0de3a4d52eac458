/* SPDX-License-Identifier: Apache-2.0 */
/* Quantisation-aware training (Jacob et al. 2018): layers read weights and tensors as an integer type will have them, while
 * gradients pass by the rounding.
 *
 *   weights w   s = max |w| / (2^(bits-1) - 1) of each channel,   Straight(w, Round(w / s) s)
 *   tensor x    s = (max x - min x) / (2^bits - 1) of the batch,  Straight(x, Round(x / s) s)
 *
 * 0 is a step in both, as in the files. A scale for each channel makes rounding blind to the batch norm that will be folded:
 * what it multiplies a channel by multiplies its steps, too. The trained model's weights are the rounded ones: whoever stores them
 * as integers finds every one on a step. */

#include "train/rounded.h"

#include <math.h>

#include "op/grad.h"
#include "op/reduce.h"
#include "op/weighted.h"

struct rounding {
  whet_pass *p;
  whet_edit *e;
  int32_t *map; /* value -> its rounded one; -1: not yet */
  int32_t n_map;
  double weight_steps, tensor_steps; /* 0: as it is */
  whet_train_graph *t;
  bool around_zero;                  /* tensors, too, are as far below 0 as above */
};

/* Operators beside layers whose inputs are stored as integers when they run on them. */
static bool reads_integers(const whet_node *n) {
  static const char *const k[] = {"Add", "Sub", "Mul", "Concat", "AveragePool", "GlobalAveragePool", "ReduceMean", "Softmax"};
  for (size_t i = 0; i < WHET_COUNT(k); i++)
    if (whet__is_op(n, k[i])) return true;
  return false;
}

static int32_t straight(struct rounding *r, int32_t x, int32_t s) {
  const whet_grad_name name[] = {{'x', x, 0}, {'s', s, 0}};
  int32_t in[2] = {x, whet__grad_formula(r->e, "Round(x/s)*s", name, 2, WHET_F32)};
  return whet__ed_call(r->e, "Straight", NULL, in, 2, WHET_F32);
}

/* The greatest magnitudes of w, of each channel or in all. */
static int32_t reduce(struct rounding *r, const char *op, int32_t x, int32_t rank, int32_t but) {
  int64_t *axes = whet__arena_array(&r->e->g->arena, WHET_MAX_RANK, sizeof *axes);
  whet_reduce_attr over = {.keep = true};
  if (!axes) return -1;
  for (int32_t i = 0; i < rank; i++)
    if (i != but) axes[over.axes.n++] = i;
  over.axes.v = axes;
  return whet__ed_call(r->e, op, &over, &x, 1, WHET_F32);
}

static int32_t rounded_weights(struct rounding *r, const whet_weighted *w, int32_t v) {
  const whet_graph *g = r->e->g;
  whet_grad_name name[] = {{'w', v, 0}, {'a', -1, 0}, {'n', -1, r->weight_steps}};
  int32_t size = whet__grad_formula(r->e, "Abs(w)", name, 1, WHET_F32);
  name[1].v = reduce(r, "ReduceMax", size, g->val[v].shape.rank, w->axis);
  for (int32_t i = 0; i < r->t->n_trained; i++)
    if (r->t->trained[i].val == v) r->t->trained[i].axis = w->axis, r->t->trained[i].steps = (float)r->weight_steps;
  return straight(r, v, whet__grad_formula(r->e, "Max(a,0.00000001)/n", name, 3, WHET_F32));
}

static int32_t rounded_tensor(struct rounding *r, int32_t v) {
  const whet_reduce_attr all = {.keep = false};
  whet_grad_name name[] = {{'l', whet__ed_call(r->e, "ReduceMin", &all, &v, 1, WHET_F32), 0},
                           {'h', whet__ed_call(r->e, "ReduceMax", &all, &v, 1, WHET_F32), 0},
                           {'n', -1, r->tensor_steps}};
  const char *s = r->around_zero ? "Max(Max(h,0-l),0.00000001)*2/n" : "Max(Max(h,0)-Min(l,0),0.00000001)/n";
  return straight(r, v, whet__grad_formula(r->e, s, name, 3, WHET_F32));
}

/* Input k of node id reads rounded numbers. */
static whet_status tensor(struct rounding *r, int32_t id, int k) {
  whet_node *n = &r->e->g->node[id];
  int32_t v = n->in[k];
  if (v < 0 || v >= r->n_map || !(r->tensor_steps > 0)) return WHET_OK;
  const whet_val *x = &r->e->g->val[v];
  if (r->p->env->dtype[v] != WHET_F32 || x->role == WHET_ROLE_CONST || x->role == WHET_ROLE_VARIABLE) return WHET_OK;
  if (r->map[v] < 0) r->map[v] = rounded_tensor(r, v);
  if (r->map[v] < 0) return whet__pass_full(r->p);
  r->e->g->node[id].in[k] = r->map[v];
  return WHET_OK;
}

/* The node at position *at of the list; *at follows it. */
static whet_status round_node(struct rounding *r, int32_t *at, bool *any) {
  whet_graph *g = r->e->g;
  int32_t id = r->e->r->node[*at], own;
  bool full = false;
  whet_weighted *w = whet__weighted_of(r->p->env, g, id, &r->p->a, &full);
  if (full) return whet__pass_full(r->p);
  if (!w && !reads_integers(&g->node[id])) return WHET_OK;
  r->e->at = *at;
  if (w) {
    *any = true;
    WHET_TRY(tensor(r, id, 0));
    if ((own = rounded_weights(r, w, g->node[id].in[1])) < 0) return whet__pass_full(r->p);
    g->node[id].in[1] = own;
  } else {
    for (int k = 0; k < g->node[id].n_in; k++) WHET_TRY(tensor(r, id, k));
  }
  *at = r->e->at;
  return WHET_OK;
}

whet_status whet__train_rounded(whet_pass *p, whet_edit *e, whet_rounded how, whet_train_graph *t, whet_err *err) {
  struct rounding r = {.p = p, .e = e, .t = t, .n_map = e->g->n_val};
  bool any = false;
  if (how == WHET_ROUNDED_NONE) return WHET_OK;
  r.weight_steps = how == WHET_ROUNDED_INT4 ? 7 : 127;
  r.tensor_steps = how == WHET_ROUNDED_INT8 ? 255 : how == WHET_ROUNDED_INT16X8 ? 65535 : 0;
  r.around_zero = how == WHET_ROUNDED_INT16X8;
  r.map = whet__arena_array(&p->a, (size_t)r.n_map, sizeof *r.map);
  if (!r.map) return whet__pass_full(p);
  for (int32_t i = 0; i < r.n_map; i++) r.map[i] = -1;
  for (int32_t i = 0; i < e->r->n_node; i++) WHET_TRY(round_node(&r, &i, &any));
  return any ? WHET_OK : whet__fail(err, WHET_E_UNSUPPORTED, "the model has no layers whose weights could be rounded");
}

void whet__round_weights(const whet_trained *x, const whet_shape *s, float *w) {
  int64_t count = whet__shape_count(s), n = x->axis < 0 ? 1 : s->d[x->axis], step = 1;
  if (!(x->steps > 0)) return;
  for (int32_t d = x->axis + 1; d < s->rank; d++) step *= s->d[d];
  if (x->axis < 0) step = count;
  for (int64_t c = 0; c < n; c++) {
    float most = 0.00000001f;
    for (int64_t at = c * step; at < count; at += n * step)
      for (int64_t i = at; i < at + step; i++) most = fmaxf(most, fabsf(w[i]));
    most /= x->steps;
    for (int64_t at = c * step; at < count; at += n * step)
      for (int64_t i = at; i < at + step; i++) w[i] = rintf(w[i] / most) * most;
  }
}
