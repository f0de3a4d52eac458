/* SPDX-License-Identifier: Apache-2.0 */
/* Schemes that make weights small and leave arithmetic to floats.
 *
 *   FLOAT16   Conv(x, w)  becomes  Conv(x, Cast(w: f16))
 *   WEIGHTS   Conv(x, w)  becomes  Conv(x, DQ(w: s8 or s4, a scale for each channel or block))
 *   DYNAMIC   Conv(x, w)  becomes  Conv(HybridRound(x), w: s8), as TFLite's hybrid kernels have it */

#include "base/dtype.h"
#include "compress/emit.h"
#include "op/cast.h"
#include "op/fakeq.h"
#include "op/quantize.h"

/* Constant v in halves, and back. */
static int32_t halves(whet_emit *e, int32_t v) {
  const whet_val x = e->g->val[v];
  int64_t n = whet__shape_count(&x.shape);
  int32_t h = whet__ed_const(&e->e, WHET_F16, x.shape.rank, x.shape.d, NULL), y = -1;
  if (h < 0) return v;
  for (int64_t i = 0; i < n; i++) {
    float f;
    memcpy(&f, (const char *)x.data->p + i * 4, 4);
    whet__set_f64(WHET_F16, (void *)(uintptr_t)e->g->val[h].data->p, i, (double)f);
  }
  e->g->val[h].name = x.name;
  y = whet__emit_val(e, h, "float32", WHET_F32, (whet_param){0});
  if (y >= 0) whet__ed_cast(&e->e, h, y, WHET_F32);
  return y;
}

/* Integers two in a byte, low half first. */
static void pack4(const int8_t *q, int64_t n, uint8_t *to) {
  for (int64_t i = 0; i < n; i++) to[i / 2] = (uint8_t)(to[i / 2] | (q[i] & 15) << (i % 2 * 4));
}

/* The numbers behind weights w whose blocks along the inputs have scales: these are an input of the DequantizeLinear, in the order of
 * a tensor whose dimension of inputs is counted in blocks. */
static int32_t from_blocks(whet_emit *e, const whet_weighted *p, int32_t w) {
  int32_t inner = 1 - p->axis;
  int64_t n = whet__ceil_div(p->k, p->block), dims[2];
  float *s = whet__arena_array(&e->pass.a, (size_t)p->n_scale, sizeof *s);
  if (!s) {
    e->e.failed = true;
    return -1;
  }
  dims[inner] = n, dims[p->axis] = p->channels;
  for (int64_t o = 0; o < p->channels; o++)
    for (int64_t b = 0; b < n; b++) s[inner ? o * n + b : b * p->channels + o] = p->scale[o * n + b];
  whet_quantize_attr a = {.axis = inner, .block = p->block, .dtype = WHET_F32};
  int32_t v = whet__emit_val(e, w, "float32", WHET_F32, (whet_param){0});
  int32_t in[2] = {w, whet__ed_const(&e->e, WHET_F32, 2, dims, s)};
  if (v < 0 || in[1] < 0) return -1;
  int32_t id = whet__ed_node(&e->e, whet__op_find("DequantizeLinear"), &a, in, 2, &v, 1);
  if (id < 0) return -1;
  e->g->node[id].round = WHET_ROUND_ONNX_REAL;
  e->g->node[id].name = e->g->val[v].name;
  return v;
}

/* Weights of product p as a constant of integers. */
static int32_t integers(whet_emit *e, const whet_weighted *p) {
  int32_t was = e->g->node[p->node].in[1];
  whet_shape s = e->g->val[was].shape;
  int64_t n = whet__shape_count(&s);
  bool four = e->j->o.weight_bits == 4;
  uint8_t *packed = four ? whet__arena_alloc(&e->pass.a, (size_t)n / 2 + 1) : NULL;
  if (four && !packed) {
    e->e.failed = true;
    return -1;
  }
  if (four) pack4(p->q, n, packed);
  int32_t w = whet__ed_const(&e->e, four ? WHET_S4 : WHET_S8, s.rank, s.d, four ? (const void *)packed : p->q);
  if (w < 0) return -1;
  e->g->val[w].name = e->g->val[was].name;
  if (p->block) return w;
  e->g->val[w].q = whet__graph_quant(e->g, p->n_scale, p->n_scale > 1 ? p->axis : 0, p->scale, NULL);
  if (!e->g->val[w].q) e->e.failed = true;
  return w;
}

/* A bias that makes up for the mean error, where there is something to make up for. */
static void bias(whet_emit *e, const whet_weighted *p) {
  int32_t id = p->node, b = e->g->node[id].n_in > 2 ? e->g->node[id].in[2] : -1;
  if (!p->mean || e->j->o.no_bias_correction || whet__is_op(&e->g->node[id], "MatMul")) return;
  int32_t c = whet__ed_const(&e->e, WHET_F32, 1, &p->channels, p->bias);
  if (c < 0) return;
  if (b >= 0) e->g->val[c].name = e->g->val[b].name;
  whet__emit_three(e, id);
  if (!e->e.failed) e->g->node[id].in[2] = c;
}

static void one(whet_emit *e, const whet_weighted *p) {
  int32_t id = p->node, v;
  whet_round rule = e->j->qdq ? WHET_ROUND_ONNX_REAL : WHET_ROUND_TFL_FIX;
  if (e->j->o.scheme == WHET_SCHEME_FLOAT16) {
    for (int k = 1; k < e->g->node[id].n_in && k < 3; k++)
      if ((v = e->g->node[id].in[k]) >= 0 && e->g->val[v].role == WHET_ROLE_CONST) {
        v = halves(e, v);
        e->g->node[id].in[k] = v;
      }
    return;
  }
  int32_t w = integers(e, p);
  if (w < 0) return;
  bias(e, p);
  if (e->j->o.scheme == WHET_SCHEME_WEIGHTS) {
    if (p->block) {
      v = from_blocks(e, p, w);
    } else {
      v = whet__emit_val(e, w, "float32", WHET_F32, (whet_param){0});
      whet__emit_linear(e, "DequantizeLinear", w, v, rule);
    }
    if (v >= 0) e->g->node[id].in[1] = v;
    return;
  }
  int32_t x = e->g->node[id].in[0];
  whet_fakeq a = {.row = p->conv ? 0 : p->k, .asymmetric = !p->conv || p->n_scale > 1};
  v = whet__emit_val(e, x, "hybrid", WHET_F32, (whet_param){0});
  if (whet__ed_node(&e->e, whet__op_find("HybridRound"), &a, &x, 1, &v, 1) < 0) return;
  e->g->node[id].in[0] = v;
  e->g->node[id].in[1] = w;
}

static whet_status rewrite(whet_emit *e) {
  whet_region *r = &e->g->main;
  for (e->e.at = 0; e->e.at < r->n_node && !e->e.failed; e->e.at++) {
    int32_t id = r->node[e->e.at];
    if (id < e->j->g->n_node && e->j->tie[id]) one(e, e->j->product[id]);
  }
  return WHET_OK;
}

whet_status whet__job_emit_float(whet_job *j, whet_model **out) {
  whet_emit e;
  whet_status s = whet__emit_open(&e, j);
  if (!s) s = rewrite(&e);
  return whet__emit_close(&e, s, out);
}
