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

/* Gemm and MatMul with weights have a bias as ONNX wants it: Dense is for TFLite. Constants of other types than float are not
 * touched by either list. */
static const pass_fn k_onnx[] = {whet__pass_fold, whet__pass_clean, whet__pass_batchnorm, whet__pass_affine, whet__pass_clean};
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
