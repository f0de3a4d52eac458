/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes can compute with integers, and which values share scale and zero point. */

#include <math.h>

#include "compress/job.h"
#include "op/reduce.h"
#include "op/resize.h"
#include "op/softmax.h"
#include "op/unary.h"

enum { T8 = 1, T16 = 2, Q = 4 };

static const struct {
  const char *name;
  whet_tie tie;
  int formats;
} k_rules[] = {
#define RULE(name, tie, formats) {#name, WHET_TIE_##tie, formats},
#include "compress/rules.def"
#undef RULE
};

bool whet__job_computes(const char *op) {
  for (size_t i = 0; i < WHET_COUNT(k_rules); i++)
    if (!strcmp(op, k_rules[i].name)) return k_rules[i].tie != WHET_TIE_SAME && k_rules[i].tie != WHET_TIE_ACT;
  return true;
}

static bool is_op(const whet_node *n, const char *name) { return !strcmp(n->op->name, name); }

/* The bounds between which a Relu or Clip leaves numbers alone. */
static bool bounds(const whet_node *n, double *lo, double *hi) {
  *lo = 0, *hi = INFINITY;
  if (is_op(n, "Relu")) return true;
  if (!is_op(n, "Clip")) return false;
  const whet_unary_attr *a = n->attr;
  *lo = (double)a->a, *hi = (double)a->b;
  return true;
}

/* A clamp that TFLite has a name for: RELU, RELU6, RELU_N1_TO_1, RELU_0_TO_1. */
static bool named_clamp(double lo, double hi) {
  return (lo == 0 && (hi == INFINITY || hi == 6 || hi == 1)) || (lo == -1 && hi == 1);
}

/* What keeps node n, whose rule is `tie`, from integers beyond its operator; NULL: nothing. */
static const char *against(whet_job *j, const whet_node *n, whet_tie tie) {
  double lo, hi;
  if (bounds(n, &lo, &hi) && !j->qdq && !named_clamp(lo, hi)) return "TFLite has no clamp with these bounds";
  if (is_op(n, "Softmax") || is_op(n, "LogSoftmax")) {
    const whet_softmax_attr *a = n->attr;
    int32_t rank = j->env.shape[n->in[0]].rank;
    if (a->flat || (a->axis != -1 && a->axis != rank - 1)) return "not over the last dimension";
  }
  if (is_op(n, "Resize")) {
    const whet_resize_attr *a = n->attr;
    if (a->place == WHET_RESIZE_CROP || a->mode == WHET_RESIZE_CUBIC) return "no integer form of this interpolation";
    if (j->qdq && a->mode != WHET_RESIZE_NEAREST) return "no integer form of this interpolation";
  }
  if (is_op(n, "MatMul") && tie == WHET_TIE_FREE) {
    const whet_matmul *a = n->attr;
    if (a->alpha != 1) return "its factor alpha is not 1";
    if (j->qdq) return "a product of two activations";
  }
  if (is_op(n, "Expand") || is_op(n, "Tile") || is_op(n, "Gather") || is_op(n, "Pad"))
    if (n->n_in > 1 && n->in[1] >= 0 && j->g->val[n->in[0]].role == WHET_ROLE_CONST) return "it works on constants";
  if (is_op(n, "MaxPool") && n->n_out > 1 && n->out[1] >= 0) return "it gives indices too";
  return NULL;
}

/* Every number that it takes and makes is f32 of known shape? */
static const char *types(whet_job *j, const whet_node *n, whet_tie tie) {
  int many = tie == WHET_TIE_FREE || tie == WHET_TIE_JOIN ? n->n_in : 1;
  bool some = false;
  for (int k = 0; k < many; k++) {
    if (n->in[k] < 0) continue;
    if (j->env.dtype[n->in[k]] != WHET_F32) {
      if (tie == WHET_TIE_FREE && k && (is_op(n, "ReduceMean") || is_op(n, "ReduceSum"))) continue; /* axes */
      return "it does not work on float32";
    }
    if (!whet__job_is_float(j, n->in[k])) return "a shape is known only while it runs";
    some |= j->g->val[n->in[k]].role != WHET_ROLE_CONST;
  }
  for (int k = 0; k < n->n_out; k++)
    if (n->out[k] >= 0 && !whet__job_is_float(j, n->out[k])) return "a shape is known only while it runs, or not float32";
  return some ? NULL : "it works on constants";
}

static bool kept(const whet_job *j, const whet_node *n) {
  for (size_t i = 0; i < j->o.n_keep_float; i++)
    if (!strcmp(j->o.keep_float[i], n->name) || (n->n_out && n->out[0] >= 0 && !strcmp(j->o.keep_float[i], j->g->val[n->out[0]].name)))
      return true;
  return false;
}

/* The rule of one node. */
static whet_status judge(whet_job *j, int32_t id) {
  const whet_node *n = &j->g->node[id];
  int format = j->qdq ? Q : j->t == WHET_S16 ? T16 : T8;
  const char *target = j->qdq ? "ONNX" : j->t == WHET_S16 ? "TFLite's int16x8" : "TFLite";
  whet_tie tie = WHET_TIE_NONE;
  for (size_t i = 0; i < WHET_COUNT(k_rules); i++)
    if (is_op(n, k_rules[i].name) && k_rules[i].formats & format) tie = k_rules[i].tie;
  if (!tie || n->n_body || n->n_in < 1 || n->in[0] < 0) {
    char *why = whet__arena_printf(&j->g->arena, "%s has no integer form in %s", n->op->name, target);
    if (!why) return whet__job_full(j);
    j->why[id] = why;
    return WHET_OK;
  }
  if (tie == WHET_TIE_POOL) tie = j->qdq ? WHET_TIE_FREE : WHET_TIE_SAME;
  if (tie == WHET_TIE_MATRIX)
    tie = n->n_in > 1 && n->in[1] >= 0 && j->g->val[n->in[1]].role == WHET_ROLE_CONST && j->g->val[n->in[1]].shape.rank == 2 && j->qdq
              ? WHET_TIE_PRODUCT
              : WHET_TIE_FREE;
  if (tie == WHET_TIE_ACT) tie = WHET_TIE_FREE;
  if ((j->why[id] = kept(j, n) ? "you asked for it" : j->force[id])) return WHET_OK;
  if ((j->why[id] = types(j, n, tie)) || (j->why[id] = against(j, n, tie))) return WHET_OK;
  if (tie == WHET_TIE_PRODUCT) {
    bool full = false;
    whet_weighted *p = j->product[id] ? j->product[id] : whet__weighted_of(&j->env, j->g, id, &j->a, &full);
    if (full) return whet__job_full(j);
    if (!p || j->g->val[n->in[1]].dtype != WHET_F32) {
      j->why[id] = "its weights are not constant float32";
      return WHET_OK;
    }
    bool bias = n->n_in > 2 && n->in[2] >= 0;
    const whet_val *b = bias ? &j->g->val[n->in[2]] : NULL;
    if (b && (b->role != WHET_ROLE_CONST || b->dtype != WHET_F32 || whet__shape_count(&b->shape) != p->channels)) {
      j->why[id] = "its bias is not one constant float32 for each channel";
      return WHET_OK;
    }
    if (p->axis < 0 && !j->qdq) { /* grouped, with channels apart */
      j->why[id] = "its channels lie in groups apart";
      return WHET_OK;
    }
    if (p->transposed && j->qdq) {
      j->why[id] = "no integer form in ONNX";
      return WHET_OK;
    }
    j->product[id] = p;
  }
  j->tie[id] = (uint8_t)tie;
  return WHET_OK;
}

/* The only user of v, and v is no output. -1: it has others or none. */
static int32_t only_user(const whet_job *j, int32_t v) {
  int32_t user = -1;
  if (j->uses.count[v] != 1 || j->uses.first[v + 1] - j->uses.first[v] != 1) return -1;
  user = j->uses.user[j->uses.first[v]];
  return user;
}

/* The Add that brings the bias of MatMul n, one number for each channel. -1: there is none. */
static int32_t bias_add(const whet_job *j, const whet_node *n, const whet_weighted *p) {
  int32_t y = n->out[0], u = only_user(j, y);
  if (!is_op(n, "MatMul") || u < 0 || !is_op(&j->g->node[u], "Add") || !j->tie[u]) return -1;
  const whet_node *add = &j->g->node[u];
  int32_t c = add->in[add->in[0] == y];
  const whet_val *b = c >= 0 ? &j->g->val[c] : NULL;
  if (!b || b->role != WHET_ROLE_CONST || b->dtype != WHET_F32 || b->shape.rank != 1 || b->shape.d[0] != p->channels) return -1;
  return u;
}

/* Additions of biases are done on the way too. */
static void biases(whet_job *j) {
  for (int32_t i = 0; i < j->g->main.n_node; i++) {
    int32_t id = j->g->main.node[i];
    whet_weighted *p = j->product[id];
    if (!p || !j->tie[id] || !p->no_bias) continue;
    p->add = bias_add(j, &j->g->node[id], p);
    if (p->add < 0) continue;
    j->tail[p->add] = 1;
    j->tie[p->add] = WHET_TIE_JOIN;
  }
}

/* Clamps that the node before does on its way: both have the parameters of the clamp's result. */
static void tails(whet_job *j) {
  static const char *const heads[] = {"Conv", "ConvTranspose", "Dense", "Gemm", "MatMul", "Add", "Sub", "Mul", "AveragePool"};
  double lo, hi;
  for (int32_t i = 0; i < j->g->main.n_node; i++) {
    const whet_node *n = &j->g->node[j->g->main.node[i]];
    bool head = false;
    for (size_t k = 0; k < WHET_COUNT(heads); k++) head |= is_op(n, heads[k]);
    if (!head || !j->tie[j->g->main.node[i]]) continue;
    if (is_op(n, "ConvTranspose") || (is_op(n, "AveragePool") && j->qdq)) continue;
    int32_t u = only_user(j, n->out[0]);
    if (u < 0 || !j->tie[u] || !bounds(&j->g->node[u], &lo, &hi)) continue;
    j->tail[u] = 1;
    j->tie[u] = WHET_TIE_JOIN;
  }
}

/* A node that has no weights gains nothing from integers unless they come from, or go to, a product that has them. */
static whet_status lonely(whet_job *j) {
  const whet_region *r = &j->g->main;
  uint8_t *near = whet__arena_array(&j->a, (size_t)j->g->n_node + 1, 1);
  if (!near) return whet__job_full(j);
  for (bool again = true; again;) {
    again = false;
    for (int32_t i = 0; i < r->n_node; i++) {
      int32_t id = r->node[i];
      const whet_node *n = &j->g->node[id];
      if (!j->tie[id] || near[id]) continue;
      near[id] = j->tie[id] == WHET_TIE_PRODUCT;
      for (int k = 0; k < n->n_in; k++) {
        int32_t m = whet__job_takes(j, n, k) ? j->uses.maker[n->in[k]] : -1;
        if (m >= 0) near[id] |= near[m];
      }
      for (int k = 0; k < n->n_out; k++)
        for (int32_t u = n->out[k] < 0 ? 0 : j->uses.first[n->out[k]]; n->out[k] >= 0 && u < j->uses.first[n->out[k] + 1]; u++)
          near[id] |= near[j->uses.user[u]];
      again |= near[id];
    }
  }
  for (int32_t i = 0; i < r->n_node; i++) {
    int32_t id = r->node[i];
    if (!j->tie[id] || near[id]) continue;
    j->tie[id] = WHET_TIE_NONE;
    j->why[id] = "no product beside it computes with integers";
  }
  return WHET_OK;
}

static whet_param unit(const whet_job *j, whet_tie tie) {
  bool wide = j->t == WHET_S16;
  int32_t least = j->t == WHET_S8 ? -128 : 0;
  if (tie == WHET_TIE_SIGNED_UNIT) return (whet_param){true, wide ? 1.0f / 32768 : 1.0f / 128, wide ? 0 : least + 128};
  if (tie == WHET_TIE_LOG_UNIT) return (whet_param){true, 16.0f / 256, least + 255};
  return (whet_param){true, wide ? 1.0f / 32768 : 1.0f / 256, wide ? 0 : least};
}

/* Let a and b share parameters, unless both have fixed ones already that differ. */
static void unite(whet_job *j, int32_t a, int32_t b) {
  a = whet__job_root(j, a), b = whet__job_root(j, b);
  if (a == b) return;
  const whet_param *p = &j->param[a], *q = &j->param[b];
  if (p->set && q->set && (p->scale != q->scale || p->zero != q->zero)) return;
  if (q->set)
    j->root[a] = b;
  else
    j->root[b] = a;
}

/* Smaller weights stay as they are: they cost nothing. */
enum { SMALL = 256 };

/* Schemes that leave arithmetic to floats: products with weights worth packing. */
static whet_status weights_only(whet_job *j, int32_t id) {
  const whet_node *n = &j->g->node[id];
  bool full = false;
  if (n->n_body || n->n_in < 2) return WHET_OK;
  bool known = is_op(n, "Conv") || is_op(n, "Dense") || is_op(n, "Gemm") || is_op(n, "MatMul");
  if (is_op(n, "ConvTranspose")) known = j->o.scheme != WHET_SCHEME_DYNAMIC;
  if (!known || n->in[1] < 0 || j->g->val[n->in[1]].role != WHET_ROLE_CONST || !whet__job_is_float(j, n->in[0])) return WHET_OK;
  whet_weighted *p = whet__weighted_of(&j->env, j->g, id, &j->a, &full);
  if (full) return whet__job_full(j);
  j->why[id] = "its weights are not constant float32";
  if (!p || j->g->val[n->in[1]].dtype != WHET_F32) return WHET_OK;
  j->why[id] = kept(j, n) ? "you asked for it" : "its weights are few";
  if (p->channels * p->k < SMALL || kept(j, n)) return WHET_OK;
  const whet_val *b = n->n_in > 2 && n->in[2] >= 0 ? &j->g->val[n->in[2]] : NULL;
  j->why[id] = "its bias is not one constant float32 for each channel";
  if (b && (b->role != WHET_ROLE_CONST || b->dtype != WHET_F32 || whet__shape_count(&b->shape) != p->channels)) return WHET_OK;
  j->product[id] = p;
  j->tie[id] = WHET_TIE_PRODUCT;
  return WHET_OK;
}

whet_status whet__job_rules(whet_job *j) {
  const whet_region *r = &j->g->main;
  if (j->o.scheme != WHET_SCHEME_INT8 && j->o.scheme != WHET_SCHEME_INT16X8) {
    for (int32_t i = 0; i < r->n_node; i++) WHET_TRY(weights_only(j, r->node[i]));
    return WHET_OK;
  }
  for (int32_t i = 0; i < j->g->n_node; i++) j->tie[i] = WHET_TIE_NONE, j->tail[i] = 0, j->why[i] = NULL;
  for (int32_t v = 0; v < j->g->n_val; v++) j->root[v] = v, j->param[v] = (whet_param){0};
  for (int32_t i = 0; i < r->n_node; i++) WHET_TRY(judge(j, r->node[i]));
  if (j->qdq) biases(j);
  tails(j);
  WHET_TRY(lonely(j));
  for (int32_t i = 0; i < r->n_node; i++) { /* a tail whose head stays float is none */
    int32_t id = r->node[i];
    const whet_node *n = &j->g->node[id];
    int32_t m = j->tail[id] ? j->uses.maker[n->in[n->n_in > 1 && j->g->val[n->in[0]].role == WHET_ROLE_CONST]] : -1;
    if (j->tail[id] && (m < 0 || !j->tie[m] || !j->tie[id])) j->tail[id] = 0;
  }
  for (int32_t i = 0; i < r->n_node; i++) {
    int32_t id = r->node[i], out = j->g->node[id].out[0];
    whet_tie tie = (whet_tie)j->tie[id];
    if (tie == WHET_TIE_UNIT || tie == WHET_TIE_SIGNED_UNIT || tie == WHET_TIE_LOG_UNIT) j->param[out] = unit(j, tie);
  }
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &j->g->node[r->node[i]];
    whet_tie tie = (whet_tie)j->tie[r->node[i]];
    if (tie != WHET_TIE_SAME && tie != WHET_TIE_JOIN) continue;
    for (int k = 0; k < n->n_in; k++)
      if (whet__job_takes(j, n, k)) unite(j, n->out[0], n->in[k]);
    for (int k = 1; k < n->n_out; k++)
      if (n->out[k] >= 0) unite(j, n->out[0], n->out[k]);
  }
  return WHET_OK;
}
