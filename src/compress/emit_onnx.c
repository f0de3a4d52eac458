/* SPDX-License-Identifier: Apache-2.0 */
/* The quantised graph as ONNX has it: float operators between DequantizeLinear and QuantizeLinear (QDQ).
 *
 *   x ─▶ Conv(w, b) ─▶ Relu ─▶ y   becomes   x ─▶ Q ─▶ DQ ─▶ Conv(DQ(w), DQ(b)) ─▶ Relu ─▶ y ─▶ Q ─▶ DQ ─▶ ...
 *
 * A clamp on the way has no Q before it. What an integer node makes is seen through its Q and DQ by everybody. */

#include "compress/emit.h"

/* Value v after rounding to numbers under p. */
static int32_t rounded(whet_emit *e, int32_t v, whet_param p) {
  whet_param own = whet__emit_param(e, v), none = {0};
  int32_t found = whet__emit_find(e, v, false, p), q;
  if (found >= 0) return found;
  if (e->g->val[v].role == WHET_ROLE_CONST) {
    q = whet__emit_const(e, v, e->j->t, p);
  } else {
    bool other = e->home[v] && (own.scale != p.scale || own.zero != p.zero);
    int32_t from = other ? rounded(e, v, own) : v;
    q = whet__emit_val(e, v, "quantized", e->j->t, p);
    whet__emit_linear(e, "QuantizeLinear", from, q, WHET_ROUND_ONNX_REAL);
  }
  found = q < 0 ? -1 : whet__emit_val(e, v, "dequantized", WHET_F32, none);
  whet__emit_linear(e, "DequantizeLinear", q, found, WHET_ROUND_ONNX_REAL);
  whet__emit_keep(e, v, false, p, found);
  return found;
}

/* The DQ of constant c. */
static int32_t back(whet_emit *e, int32_t c) {
  whet_param none = {0};
  if (c < 0) return -1;
  int32_t v = whet__emit_val(e, c, "dequantized", WHET_F32, none);
  whet__emit_linear(e, "DequantizeLinear", c, v, WHET_ROUND_ONNX_REAL);
  return v;
}

static void to_integers(whet_emit *e, int32_t id) {
  whet_job *j = e->j;
  int n_in = e->g->node[id].n_in;
  bool shared = j->tie[id] == WHET_TIE_SAME || j->tie[id] == WHET_TIE_JOIN;
  whet_param out = whet__emit_param(e, e->g->node[id].out[0]);
  for (int k = 0; k < n_in && !j->tail[id]; k++) {
    int32_t v = e->g->node[id].in[k];
    if (!whet__job_takes(j, &j->g->node[id], k)) continue;
    int32_t s = rounded(e, v, shared ? out : whet__emit_param(e, v));
    e->g->node[id].in[k] = s;
  }
  if (j->product[id]) {
    int32_t w, b, x = j->g->node[id].in[0];
    whet__emit_weights(e, j->product[id], whet__emit_param(e, x).scale, &w, &b);
    w = back(e, w);
    b = back(e, b);
    int32_t add = j->product[id]->add;
    if (b >= 0 && add < 0) whet__emit_three(e, id);
    if (e->e.failed) return;
    e->g->node[id].in[1] = w;
    if (b >= 0 && add < 0) e->g->node[id].in[2] = b;
    if (b >= 0 && add >= 0) e->g->node[add].in[e->g->val[e->g->node[add].in[0]].role != WHET_ROLE_CONST] = b;
  }
  for (int k = 0; k < e->g->node[id].n_out; k++)
    if (e->g->node[id].out[k] >= 0) e->home[e->g->node[id].out[k]] = 1;
}

/* A clamp takes what the node before it makes as it is; all others see numbers through Q and DQ. */
whet_status whet__emit_onnx(whet_emit *e) {
  whet_job *j = e->j;
  whet_region *r = &e->g->main;
  int32_t n_val = j->g->n_val;
  for (e->e.at = 0; e->e.at < r->n_node && !e->e.failed; e->e.at++) {
    int32_t id = r->node[e->e.at];
    if (j->tie[id]) {
      to_integers(e, id);
      continue;
    }
    for (int k = 0; k < e->g->node[id].n_in; k++) {
      int32_t v = e->g->node[id].in[k];
      if (v < 0 || v >= n_val || !e->home[v]) continue;
      v = rounded(e, v, whet__emit_param(e, v));
      e->g->node[id].in[k] = v;
    }
  }
  for (int32_t i = 0; i < r->n_out && !e->e.failed; i++) {
    int32_t v = r->out[i];
    if (v >= n_val || !e->home[v]) continue;
    int32_t to = rounded(e, v, whet__emit_param(e, v));
    if (to < 0) break;
    whet__model_set_output(e->m, i, to);
    whet__emit_swap_names(e, v, to);
  }
  return WHET_OK;
}
