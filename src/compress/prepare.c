/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to a float graph before it is quantised, so that as much as possible is one product with integers: constants
 * are folded, batch norms and other factors and terms of a channel go into the weights before them. For TFLite products are
 * Dense and channels last. */

#include "compress/job.h"
#include "op/move_attr.h"
#include "op/quantize.h"
#include "pass/pass.h"

typedef whet_status (*pass_fn)(whet_pass *);

static whet_status run(whet_model *m, const pass_fn *fn, size_t n, whet_err *err) {
  whet_pass p = {.g = &m->graph, .err = err, .work = INT64_C(200) << 20};
  whet_status s = WHET_OK;
  for (size_t i = 0; i < n && !s; i++) {
    whet__arena_init(&p.a, &m->mem);
    p.env = NULL;
    s = fn[i](&p);
    whet__arena_free(&p.a);
  }
  return s;
}

/* ---- ONNX's words ----------------------------------------------------------------------------- */

/* Weights of a convolution in ONNX's order, outputs and inputs first: islands are of that. */
static void turn_weights(whet_edit *e, whet_node *n, int rank) {
  const whet_conv_attr *a = n->attr;
  int8_t perm[WHET_MAX_RANK];
  int32_t id = (int32_t)(n - e->g->node), n_space = rank - 2;
  int o, i, s; /* where outputs, inputs and the first spatial dimension stand */
  switch (a->weights) {
    case WHET_CONV_OSI:
      o = 0, i = rank - 1, s = 1;
      break;
    case WHET_CONV_1SO:
      o = rank - 1, i = 0, s = 1;
      break;
    case WHET_CONV_SIO:
      o = rank - 1, i = rank - 2, s = 0;
      break;
    default:
      return;
  }
  perm[0] = (int8_t)o, perm[1] = (int8_t)i;
  for (int k = 0; k < n_space; k++) perm[2 + k] = (int8_t)(s + k);
  int32_t w = whet__ed_permuted_const(e, n->in[1], perm, rank);
  whet_conv_attr *own = whet__ed_attr(e, id);
  if (w < 0 || !own) return;
  if (own->weights == WHET_CONV_1SO && !own->group) { /* a group for each input channel */
    int32_t x = e->g->node[id].in[0];
    const whet_shape *xs = &e->pass->env->shape[x];
    own->group = xs->d[own->last ? rank - 1 : 1];
  }
  e->g->val[w].name = e->g->val[e->g->node[id].in[1]].name;
  own->weights = WHET_CONV_OIS;
  e->g->node[id].in[1] = w;
}

/* Dense as Gemm, where its input is a matrix; else as MatMul and Add. */
static void undense(whet_edit *e, int32_t id) {
  const whet_dense a = *(const whet_dense *)e->g->node[id].attr;
  int32_t x = e->g->node[id].in[0], w = e->g->node[id].in[1], b = e->g->node[id].n_in > 2 ? e->g->node[id].in[2] : -1;
  int32_t rank = e->pass->env->shape[x].rank, y = e->g->node[id].out[0];
  static const int8_t swap[] = {1, 0};
  if (rank == 2 && e->pass->env->shape[y].rank == 2) {
    whet_gemm gemm = {.alpha = 1, .beta = 1, .trans_b = !a.kn};
    int32_t in[3] = {x, w, b};
    if (whet__ed_node(e, whet__op_find("Gemm"), &gemm, in, b < 0 ? 2 : 3, &y, 1) < 0) return;
  } else if (rank > 2 && !a.flat) {
    whet_matmul matmul = {.alpha = 1};
    int32_t in[2] = {x, a.kn ? w : whet__ed_permuted_const(e, w, swap, 2)}, sum = b < 0 ? y : whet__ed_like(e, y);
    if (in[1] < 0 || sum < 0) return;
    e->g->val[in[1]].name = e->g->val[w].name;
    if (whet__ed_node(e, whet__op_find("MatMul"), &matmul, in, 2, &sum, 1) < 0) return;
    int32_t add[2] = {sum, b};
    if (b >= 0 && whet__ed_node(e, whet__op_find("Add"), NULL, add, 2, &y, 1) < 0) return;
  } else {
    return;
  }
  int32_t last = e->r->node[e->at - 1];
  e->g->node[last].name = e->g->node[id].name;
  e->g->node[last].origin = e->g->node[id].origin;
  whet__region_remove(e->g, e->r, e->at--);
}

static whet_status onnx_words(whet_pass *p) {
  WHET_TRY(whet__pass_env(p));
  whet_edit e = {.pass = p, .g = p->g, .r = &p->g->main};
  int32_t n_val = p->g->n_val; /* those that the shapes know */
  for (e.at = 0; e.at < e.r->n_node && !e.failed; e.at++) {
    whet_node *n = &p->g->node[e.r->node[e.at]];
    if (n->n_in < 2 || n->in[0] < 0 || n->in[0] >= n_val || n->in[1] < 0 || !whet__pass_const(p, n->in[1])) continue;
    if (p->g->val[n->in[1]].dtype != WHET_F32) continue;
    if (whet__is_op(n, "Conv"))
      turn_weights(&e, n, p->g->val[n->in[1]].shape.rank);
    else if (whet__is_op(n, "Dense"))
      undense(&e, e.r->node[e.at]);
  }
  return e.failed ? whet__pass_full(p) : WHET_OK;
}

static const pass_fn k_onnx[] = {whet__pass_fold,   whet__pass_clean, whet__pass_dense, whet__pass_batchnorm,
                                 whet__pass_affine, onnx_words,       whet__pass_clean};
static const pass_fn k_tflite[] = {whet__pass_fold,      whet__pass_clean,  whet__pass_dense,  whet__pass_batchnorm,
                                   whet__pass_affine,    whet__pass_layout, whet__pass_rejoin, whet__pass_fold,
                                   whet__pass_clean};

/* Is something quantised there already? */
static const whet_node *quantised(const whet_graph *g) {
  for (int32_t i = 0; i < g->main.n_node; i++) {
    const whet_node *n = &g->node[g->main.node[i]];
    for (int k = 0; k < n->n_out; k++)
      if (n->out[k] >= 0 && g->val[n->out[k]].q) return n;
    if (whet__is_op(n, "QuantizeLinear") || whet__is_op(n, "DequantizeLinear") || whet__is_op(n, "HybridRound")) return n;
  }
  return NULL;
}

whet_status whet__prepare(whet_model *m, whet_format format, whet_model **out, whet_err *err) {
  *out = NULL;
  const whet_node *q = quantised(&m->graph);
  if (q)
    return whet__fail(err, WHET_E_UNSUPPORTED, "node \"%.200s\" (%s) is quantised already: a float model is needed", q->name,
                      q->op->name);
  whet_model *p;
  WHET_TRY(whet__model_derive(m, &p, err));
  bool tfl = format == WHET_FORMAT_TFLITE;
  whet_status s = run(p, tfl ? k_tflite : k_onnx, tfl ? WHET_COUNT(k_tflite) : WHET_COUNT(k_onnx), err);
  if (s)
    whet_model_close(&p);
  else
    *out = p;
  return s;
}
