/* SPDX-License-Identifier: Apache-2.0 */
/* Integer operators as ONNX says them: float operators between Dequantize and Quantize.
 *
 *   x: s8 ─▶ Conv(w: s8, b: s32) ─▶ y: s8    becomes    x ─▶ DQ ─▶ Conv(DQ(w), DQ(b)) ─▶ Q ─▶ y
 *
 * Operators that only move elements, and whose result has the parameters of what they move, stay as they are. Reinterpret,
 * by which readers say that stored numbers get or lose their meaning, is Identity. */

#include "export/export.h"
#include "op/quantize.h"
#include "pass/pass.h"

/* Does the node's own meaning need no real numbers? */
static bool moves(const whet_graph *g, const whet_node *n) {
  static const char *const names[] = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Slice", "StridedSlice",
                                      "Split", "Concat", "Gather", "GatherND", "Tile", "Expand", "DepthToSpace", "SpaceToDepth", "MaxPool"};
  bool known = false;
  for (size_t i = 0; i < WHET_COUNT(names); i++) known |= whet__is_op(n, names[i]);
  for (int k = 0; k < n->n_in && known; k++)
    for (int m = 0; m < n->n_out; m++) {
      if (n->in[k] < 0 || n->out[m] < 0 || !g->val[n->in[k]].q) continue;
      const whet_val *x = &g->val[n->in[k]], *y = &g->val[n->out[m]];
      if (y->q ? !whet__quant_equal(x->q, y->q) : y->dtype != x->dtype) return false; /* plain numbers are moved too */
    }
  return known;
}

/* A new float value like v. */
static int32_t real_like(whet_edit *e, int32_t v) {
  int32_t f = whet__ed_like(e, v);
  if (f < 0) return -1;
  e->g->val[f].dtype = WHET_F32;
  e->g->val[f].q = NULL;
  return f;
}

static void linear(whet_edit *e, const char *name, int32_t in, int32_t out) {
  whet_quantize_attr a = {.dtype = out < 0 ? 0 : e->g->val[out].dtype};
  whet__ed_node(e, whet__op_find(name), &a, &in, 1, &out, 1);
}

/* A bias that is a plain integer (QLinearConv) counts in units of the two scales before it. */
static void scale_bias(whet_edit *e, int32_t id) {
  const whet_node *n = &e->g->node[id];
  int32_t b = n->n_in > 2 ? n->in[2] : -1;
  if (b < 0 || e->g->val[b].q || e->g->val[b].dtype != WHET_S32) return;
  const whet_quant *x = e->g->val[n->in[0]].q, *w = e->g->val[n->in[1]].q;
  if (!x || !w || x->n != 1 || w->block) return;
  float *scale = whet__arena_array(&e->g->arena, (size_t)w->n, sizeof *scale);
  if (!scale) {
    e->failed = true;
    return;
  }
  for (int32_t i = 0; i < w->n; i++) scale[i] = x->scale[0] * w->scale[i];
  e->g->val[b].q = whet__graph_quant(e->g, w->n, 0, scale, NULL);
  e->failed |= !e->g->val[b].q;
}

static whet_status region(whet_pass *p, whet_region *r) {
  whet_graph *g = p->g;
  for (int32_t i = 0; i < r->n_node; i++) {
    int32_t id = r->node[i];
    if (whet__is_op(&g->node[id], "Reinterpret")) {
      g->node[id].op = whet__op_find("Identity");
      continue;
    }
    bool down = whet__is_op(&g->node[id], "QuantizeLinear");
    if (whet__is_op(&g->node[id], "DequantizeLinear") || moves(g, &g->node[id])) continue;
    if (down && !g->val[g->node[id].in[0]].q) continue;
    whet_edit e = {.pass = p, .g = g, .r = r, .at = i};
    scale_bias(&e, id);
    for (int k = 0; k < g->node[id].n_in; k++) {
      int32_t v = g->node[id].in[k];
      if (v < 0 || !g->val[v].q || g->val[v].q->block) continue;
      int32_t f = real_like(&e, v);
      linear(&e, "DequantizeLinear", v, f);
      if (!e.failed) g->node[id].in[k] = f;
    }
    e.at++;
    for (int k = 0; k < g->node[id].n_out && !down; k++) {
      int32_t v = g->node[id].out[k];
      if (v < 0 || !g->val[v].q) continue;
      int32_t f = real_like(&e, v);
      if (!e.failed) g->node[id].out[k] = f;
      linear(&e, "QuantizeLinear", f, v);
    }
    if (e.failed) return whet__pass_full(p);
    i = e.at - 1;
  }
  return WHET_OK;
}

whet_status whet__export_qdq(struct whet_pass *p) { return whet__pass_regions(p, region); }
