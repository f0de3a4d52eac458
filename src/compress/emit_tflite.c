/* SPDX-License-Identifier: Apache-2.0 */
/* The quantised graph as TFLite has it: values hold stored numbers, operators work on them.
 *
 *   x: f32 ─▶ Conv(w, b) ─▶ Relu ─▶ y: f32   becomes   x: s8 ─▶ Conv(w: s8, b: s32) ─▶ Relu ─▶ y: s8
 *
 * A clamp on the way has the parameters of its result on both sides, as TFLite's fused activations do. Where integer and float
 * nodes meet there is QUANTIZE or DEQUANTIZE, where parameters that must be the same are not, QUANTIZE. */

#include "compress/emit.h"

/* Value v of the job's graph as stored numbers under p. */
static int32_t stored(whet_emit *e, int32_t v, whet_param p) {
  whet_param own = whet__emit_param(e, v);
  if (e->home[v] && own.scale == p.scale && own.zero == p.zero) return v;
  int32_t found = whet__emit_find(e, v, false, p);
  if (found >= 0) return found;
  if (e->g->val[v].role == WHET_ROLE_CONST) {
    found = whet__emit_const(e, v, e->j->t, p);
  } else {
    found = whet__emit_val(e, v, "quantized", e->j->t, p);
    whet__emit_linear(e, "QuantizeLinear", v, found, WHET_ROUND_TFL_FIX);
  }
  whet__emit_keep(e, v, false, p, found);
  return found;
}

/* Value v as real numbers. */
static int32_t real(whet_emit *e, int32_t v) {
  whet_param none = {0};
  if (!e->home[v]) return v;
  int32_t found = whet__emit_find(e, v, true, none);
  if (found >= 0) return found;
  found = whet__emit_val(e, v, "real", WHET_F32, none);
  whet__emit_linear(e, "DequantizeLinear", v, found, WHET_ROUND_TFL_FIX);
  whet__emit_keep(e, v, true, none, found);
  return found;
}

static whet_round round_of(const whet_emit *e, int32_t id) {
  const whet_node *n = &e->g->node[id];
  bool wide = e->j->t == WHET_S16, micro = e->m->micro;
  if (whet__is_op(n, "Conv"))
    return whet__conv_q8_rule(&e->g->val[n->in[0]], n->n_in > 2 && n->in[2] >= 0 ? &e->g->val[n->in[2]] : NULL, micro);
  if (whet__is_op(n, "Dense")) return micro ? (wide ? WHET_ROUND_TFL_16X8 : WHET_ROUND_TFL_FIX) : WHET_ROUND_TFL_REAL;
  if (whet__is_op(n, "MatMul") || whet__is_op(n, "ConvTranspose")) return wide ? WHET_ROUND_TFL_16X8 : WHET_ROUND_TFL_FIX;
  return WHET_ROUND_TFL_FIX;
}

/* What lies outside of what is padded: 0 unless the node says otherwise. */
static void padding(whet_emit *e, int32_t id, whet_param p) {
  int32_t v = e->g->node[id].n_in > 2 ? e->g->node[id].in[2] : -1, c;
  if (v >= 0 && e->g->val[v].role == WHET_ROLE_CONST && e->g->val[v].dtype == WHET_F32) {
    c = whet__emit_const(e, v, e->j->t, p);
  } else {
    int16_t zero = (int16_t)p.zero;
    int8_t byte = (int8_t)p.zero;
    c = whet__ed_const(&e->e, e->j->t, 0, NULL, e->j->t == WHET_S16 ? (const void *)&zero : &byte);
    whet__emit_store(e, c, e->j->t, p);
  }
  whet__emit_three(e, id);
  if (!e->e.failed) e->g->node[id].in[2] = c;
}

static void to_integers(whet_emit *e, int32_t id) {
  whet_job *j = e->j;
  int n_in = e->g->node[id].n_in;
  bool shared = j->tie[id] == WHET_TIE_SAME || j->tie[id] == WHET_TIE_JOIN;
  whet_param out = whet__emit_param(e, e->g->node[id].out[0]);
  for (int k = 0; k < n_in; k++) {
    int32_t v = e->g->node[id].in[k];
    if (!whet__job_takes(j, &j->g->node[id], k)) continue;
    int32_t s = stored(e, v, shared ? out : whet__emit_param(e, v));
    e->g->node[id].in[k] = s;
  }
  if (j->product[id]) {
    int32_t w, b, x = j->g->node[id].in[0];
    whet__emit_weights(e, j->product[id], whet__emit_param(e, x).scale, &w, &b);
    whet__emit_three(e, id);
    e->g->node[id].in[1] = w;
    e->g->node[id].in[2] = b;
  }
  if (whet__is_op(&e->g->node[id], "Pad")) padding(e, id, out);
  if (e->e.failed) return;
  for (int k = 0; k < e->g->node[id].n_out; k++) {
    int32_t v = e->g->node[id].out[k];
    if (v < 0) continue;
    whet__emit_store(e, v, j->t, whet__emit_param(e, v));
    e->home[v] = 1;
  }
  e->g->node[id].round = (uint8_t)round_of(e, id);
}

whet_status whet__emit_tflite(whet_emit *e) {
  whet_job *j = e->j;
  whet_region *r = &e->g->main;
  int32_t n_val = j->g->n_val;
  for (int32_t i = 0; i < r->n_in && !j->o.float_ends; i++) {
    int32_t v = r->in[i];
    if (j->g->val[v].dtype != WHET_F32 || !whet__emit_param(e, v).set) continue;
    whet__emit_store(e, v, j->t, whet__emit_param(e, v));
    e->home[v] = 1;
  }
  for (e->e.at = 0; e->e.at < r->n_node && !e->e.failed; e->e.at++) {
    int32_t id = r->node[e->e.at];
    if (j->tie[id]) {
      to_integers(e, id);
      continue;
    }
    for (int k = 0; k < e->g->node[id].n_in; k++) {
      int32_t v = e->g->node[id].in[k];
      if (v >= 0 && v < n_val && e->home[v]) v = real(e, v);
      e->g->node[id].in[k] = v;
    }
  }
  for (int32_t i = 0; i < r->n_out && j->o.float_ends && !e->e.failed; i++) {
    int32_t v = r->out[i], to = v < n_val ? real(e, v) : v;
    if (to == v || to < 0) continue;
    whet__model_set_output(e->m, i, to);
    whet__emit_swap_names(e, v, to);
  }
  return WHET_OK;
}
