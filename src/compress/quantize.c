/* SPDX-License-Identifier: Apache-2.0 */
/* whet_quantize: the stages in order, and the report. */

#include "whet/quantize.h"

#include "compress/job.h"

whet_quantize_opts whet_quantize_opts_default(void) {
  return (whet_quantize_opts){.size = sizeof(whet_quantize_opts), .weight_bits = 8};
}

static const char *precision(const whet_job *j, bool integer) {
  if (!integer) return "float32";
  switch (j->o.scheme) {
    case WHET_SCHEME_INT16X8:
      return "int16x8";
    case WHET_SCHEME_DYNAMIC:
      return "dynamic int8";
    case WHET_SCHEME_WEIGHTS:
      return j->o.weight_bits == 4 ? "int4 weights" : "int8 weights";
    case WHET_SCHEME_FLOAT16:
      return "float16 weights";
    default:
      return "int8";
  }
}

/* A line for each node that computes: those that only move numbers, and clamps on the way, are left out. */
whet_status whet__job_report(const whet_job *j, whet_model *out, whet_quantized *r) {
  const whet_region *m = &j->g->main;
  *r = (whet_quantized){0};
  whet_quantized_layer *layer = whet__arena_array(&out->graph.arena, (size_t)m->n_node + 1, sizeof *layer);
  r->layer = layer;
  if (!layer) return whet__no_memory(&j->mem, 0, j->err, "a report");
  for (int32_t i = 0; i < m->n_node; i++) {
    int32_t id = m->node[i];
    const whet_weighted *p = j->product[id];
    const char *op = j->g->node[id].op->name, *name = j->g->node[id].name;
    if (!whet__job_computes(op) || (!j->tie[id] && !j->why[id]) || (j->tail[id] && !j->product[id])) continue;
    if (!*name) name = j->g->val[j->g->node[id].out[0]].name; /* TFLite's nodes have none */
    layer[r->n++] = (whet_quantized_layer){.name = name, .op = op, .precision = precision(j, j->tie[id]),
                                              .why = j->tie[id] ? NULL : j->why[id], .noise = p ? p->noise : 0,
                                              .weights = p ? p->channels * p->k : 0};
  }
  return WHET_OK;
}

static whet_status stages(whet_job *j, whet_model **out) {
  WHET_TRY(whet__job_rules(j));
  if (j->o.scheme != WHET_SCHEME_INT8 && j->o.scheme != WHET_SCHEME_INT16X8) {
    if (j->samples && j->o.scheme != WHET_SCHEME_FLOAT16) WHET_TRY(whet__job_observe(j));
    if (j->o.scheme != WHET_SCHEME_FLOAT16) WHET_TRY(whet__job_weights(j));
    return whet__job_emit_float(j, out);
  }
  WHET_TRY(whet__job_observe(j));
  WHET_TRY(whet__job_params(j));
  WHET_TRY(whet__job_weights(j));
  return whet__job_emit(j, out);
}

whet_status whet_quantize(whet_model *m, const whet_samples *samples, const whet_quantize_opts *o, whet_model **out,
                          whet_quantized *r, whet_err *user) {
  whet_err err = {0};
  if (out) *out = NULL;
  if (r) *r = (whet_quantized){0};
  if (!m || !out) return whet__fail(user, WHET_E_MISUSE, "whet_quantize: m and out must be given");
  whet_job j;
  whet_status s = whet__job_open(&j, m, samples, o, &err);
  if (!s) s = stages(&j, out);
  if (!s && r && (s = whet__job_report(&j, *out, r))) whet_model_close(out);
  whet__job_close(&j);
  if (s && user) *user = err;
  return s;
}
