/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of a quantisation: what all stages share. */

#include "compress/job.h"

#include <math.h>

#include "compress/probe.h"

whet_status whet__job_full(whet_job *j) { return whet__no_memory(&j->mem, 0, j->err, "quantisation"); }

int32_t whet__job_root(const whet_job *j, int32_t v) {
  while (j->root[v] != v) v = j->root[v];
  return v;
}

int32_t whet__job_bias(const whet_job *j, const whet_weighted *p) {
  const whet_node *n = &j->g->node[p->add >= 0 ? p->add : p->node];
  if (p->add >= 0) return n->in[j->g->val[n->in[0]].role != WHET_ROLE_CONST];
  return n->n_in > 2 && !p->no_bias ? n->in[2] : -1;
}

bool whet__job_is_float(const whet_job *j, int32_t v) {
  return v >= 0 && j->env.dtype[v] == WHET_F32 && j->env.kind[v] == WHET_TENSOR && whet__shape_count(&j->env.shape[v]) >= 0;
}

bool whet__job_takes(const whet_job *j, const whet_node *n, int k) {
  int32_t id = (int32_t)(n - j->g->node);
  if (n->in[k] < 0 || (j->tail[id] && j->g->val[n->in[k]].role == WHET_ROLE_CONST)) return false;
  switch (j->tie[id]) {
    case WHET_TIE_NONE:
      return false;
    case WHET_TIE_FREE:
    case WHET_TIE_JOIN:
      return whet__job_is_float(j, n->in[k]);
    default:
      return k == 0;
  }
}

int whet__job_levels(const whet_job *j) {
  if (j->t == WHET_S16) return 65535;
  return j->o.symmetric && j->t == WHET_S8 ? 255 : 256;
}

float whet__job_scale(const whet_job *j, double s, int digits) {
  int e;
  if (!j->qdq || j->o.scheme != WHET_SCHEME_INT8 || j->o.any_scales || !(s > 0)) return (float)s;
  double m = frexp(s, &e);
  return (float)ldexp(ceil(ldexp(m, digits)), e - digits);
}

whet_param whet__job_param(const whet_job *j, whet_range r) {
  whet_param p = {.set = true, .scale = 1};
  double lo = fmin((double)r.lo, 0), hi = fmax((double)r.hi, 0);
  if (j->t == WHET_S16 || (j->o.symmetric && j->t == WHET_S8)) {
    double most = j->t == WHET_S16 ? 32767 : 127;
    if (fmax(hi, -lo) > 0) p.scale = whet__job_scale(j, fmax(hi, -lo) / most, 1);
  } else {
    double least = j->t == WHET_S8 ? -128 : 0;
    if (j->o.symmetric) hi = fmax(hi, -lo), lo = -hi;
    if (hi > lo) p.scale = whet__job_scale(j, (hi - lo) / 255, 1);
    p.zero = (int32_t)fmin(fmax(rint(least - lo / (double)p.scale), least), least + 255);
    if (j->o.symmetric) p.zero = 128;
  }
  if (!(p.scale > 1e-8f)) p.scale = 1e-8f; /* LiteRT wants the bounds of a Relu6, 6 / scale, in 32 bits */
  return p;
}

whet_status whet__job_progress(whet_job *j, const char *what, int64_t done, int64_t all) {
  if (j->o.progress && j->o.progress(j->o.user, what, done, all))
    return whet__fail(j->err, WHET_E_CANCELLED, "cancelled while %s", what);
  return WHET_OK;
}

static whet_status settle_options(whet_job *j, const whet_quantize_opts *o) {
  j->o = whet_quantize_opts_default();
  WHET_TRY(whet__take_opts("whet_quantize_opts", o, sizeof j->o, &j->o, j->err));
  if (j->o.format == WHET_FORMAT_AUTO) j->o.format = j->source->format;
  if (j->o.format != WHET_FORMAT_ONNX && j->o.format != WHET_FORMAT_TFLITE)
    return whet__fail(j->err, WHET_E_UNSUPPORTED, "a quantised model is written as ONNX or TFLite: say which");
  j->qdq = j->o.format == WHET_FORMAT_ONNX;
  j->t = j->o.scheme == WHET_SCHEME_INT16X8 ? WHET_S16 : j->o.activations ? j->o.activations : j->qdq ? WHET_U8 : WHET_S8;
  if (j->o.scheme == WHET_SCHEME_INT16X8 && j->qdq)
    return whet__fail(j->err, WHET_E_UNSUPPORTED, "int16x8 is TFLite's: ONNX files have int8, or weights alone");
  if (j->o.scheme == WHET_SCHEME_DYNAMIC && j->qdq)
    return whet__fail(j->err, WHET_E_UNSUPPORTED, "dynamic range quantisation is TFLite's: ONNX files have int8, or weights alone");
  if (j->o.scheme == WHET_SCHEME_INT8 && j->t != WHET_S8 && (j->t != WHET_U8 || !j->qdq))
    return whet__fail(j->err, WHET_E_UNSUPPORTED, "activations of type %s: %s", whet_dtype_name(j->t),
                      j->qdq ? "expected uint8 or int8" : "TFLite's are int8");
  if (j->o.weight_bits != 8 && !(j->o.weight_bits == 4 && j->o.scheme == WHET_SCHEME_WEIGHTS))
    return whet__fail(j->err, WHET_E_UNSUPPORTED, "weights of %d bits: expected 8, or 4 where weights alone become small", j->o.weight_bits);
  if (j->o.group && (j->o.scheme != WHET_SCHEME_WEIGHTS || !j->qdq))
    return whet__fail(j->err, WHET_E_UNSUPPORTED, "groups of weights that share a scale are ONNX's, where weights alone become small");
  if (!(j->o.percentile > 0)) j->o.percentile = 99.99;
  if (j->o.percentile > 100) return whet__fail(j->err, WHET_E_DATA, "percentile %g: expected at most 100", j->o.percentile);
  return WHET_OK;
}

whet_status whet__job_open(whet_job *j, whet_model *m, const whet_samples *samples, const whet_quantize_opts *o,
                           whet_err *err) {
  *j = (whet_job){.source = m, .samples = samples, .err = err};
  whet__mem_init(&j->mem, &m->mem, NULL, 0);
  whet__arena_init(&j->a, &j->mem);
  WHET_TRY(settle_options(j, o));
  WHET_TRY(whet__prepare(m, j->o.format, &j->model, err));
  if (j->o.equalize) WHET_TRY(whet__equalize(j->model, err));
  j->g = &j->model->graph;
  size_t nodes = (size_t)j->g->n_node + 1, vals = (size_t)j->g->n_val + 1;
  j->tie = whet__arena_array(&j->a, nodes, sizeof *j->tie);
  j->tail = whet__arena_array(&j->a, nodes, sizeof *j->tail);
  j->why = whet__arena_array(&j->a, nodes, sizeof *j->why);
  j->force = whet__arena_array(&j->a, nodes, sizeof *j->force);
  j->product = whet__arena_array(&j->a, nodes, sizeof *j->product);
  j->root = whet__arena_array(&j->a, vals, sizeof *j->root);
  j->param = whet__arena_array(&j->a, vals, sizeof *j->param);
  j->hist = whet__arena_array(&j->a, vals, sizeof *j->hist);
  if (!j->tie || !j->tail || !j->why || !j->force || !j->product || !j->root || !j->param || !j->hist) return whet__job_full(j);
  if (!whet__graph_uses(j->g, &j->a, &j->uses)) return whet__job_full(j);
  return whet__shapes_of_one(j->g, &j->a, &j->env, err);
}

void whet__job_close(whet_job *j) {
  whet_model_close(&j->model);
  if (j->a.mem) whet__arena_free(&j->a);
}
