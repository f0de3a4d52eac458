/* SPDX-License-Identifier: Apache-2.0 */
/* Building the quantised graph: what its two forms share. */

#include "compress/emit.h"

#include <math.h>

#include "base/dtype.h"
#include "op/quantize.h"

whet_status whet__emit_full(whet_emit *e) { return whet__no_memory(e->g->mem, 0, e->j->err, "the quantised graph"); }

whet_status whet__emit_open(whet_emit *e, whet_job *j) {
  *e = (whet_emit){.j = j};
  WHET_TRY(whet__model_derive(j->model, &e->m, j->err));
  e->g = &e->m->graph;
  e->m->format = j->o.format;
  e->pass = (whet_pass){.g = e->g, .err = j->err};
  whet__arena_init(&e->pass.a, &j->mem);
  e->e = (whet_edit){.pass = &e->pass, .g = e->g, .r = &e->g->main};
  e->home = whet__arena_array(&j->a, (size_t)j->g->n_val + 1, 1);
  return e->home ? WHET_OK : whet__emit_full(e);
}

whet_status whet__emit_close(whet_emit *e, whet_status s, whet_model **out) {
  if (!s && e->e.failed) s = whet__emit_full(e);
  if (!s) s = whet__graph_verify(e->g, e->j->err);
  if (e->pass.a.mem) whet__arena_free(&e->pass.a);
  whet__free(&e->j->mem, e->form);
  if (s) whet_model_close(&e->m);
  *out = e->m;
  return s;
}

static bool same(whet_param a, whet_param b) { return a.scale == b.scale && a.zero == b.zero; }

int32_t whet__emit_find(const whet_emit *e, int32_t of, bool real, whet_param p) {
  for (size_t i = 0; i < e->n_form; i++)
    if (e->form[i].of == of && e->form[i].real == real && same(e->form[i].param, p)) return e->form[i].val;
  return -1;
}

bool whet__emit_keep(whet_emit *e, int32_t of, bool real, whet_param p, int32_t val) {
  if (val < 0 || !whet__grow(&e->j->mem, (void **)&e->form, &e->cap_form, e->n_form + 1, sizeof *e->form)) {
    e->e.failed = true;
    return false;
  }
  e->form[e->n_form++] = (whet_form){of, real, p, val};
  return true;
}

whet_param whet__emit_param(const whet_emit *e, int32_t v) { return e->j->param[whet__job_root(e->j, v)]; }

void whet__emit_store(whet_emit *e, int32_t v, whet_dtype t, whet_param p) {
  if (v < 0) return;
  e->g->val[v].dtype = (uint8_t)t;
  e->g->val[v].q = whet__graph_quant(e->g, 1, 0, &p.scale, &p.zero);
  if (!e->g->val[v].q) e->e.failed = true;
}

int32_t whet__emit_val(whet_emit *e, int32_t like, const char *suffix, whet_dtype t, whet_param p) {
  whet_shape s = e->g->val[like].shape;
  int32_t v = whet__ed_val(&e->e, NULL, t, &s);
  if (v < 0) return -1;
  char *name = whet__arena_printf(&e->g->arena, "%.200s_%s", e->g->val[like].name, suffix);
  for (int32_t u = 0; u < v && name; u++) /* nodes bear these names, and other runtimes want them apart */
    if (!strcmp(e->g->val[u].name, name)) name = whet__arena_printf(&e->g->arena, "%s_%d", name, v), u = v;
  if (name) e->g->val[v].name = name;
  if (p.set) whet__emit_store(e, v, t, p);
  return v;
}

void whet__emit_linear(whet_emit *e, const char *op, int32_t in, int32_t out, whet_round round) {
  if (out < 0) return;
  whet_quantize_attr a = {.dtype = e->g->val[out].dtype};
  int32_t n = whet__ed_node(&e->e, whet__op_find(op), &a, &in, 1, &out, 1);
  if (n < 0) return;
  e->g->node[n].round = (uint8_t)round;
  e->g->node[n].name = e->g->val[out].name;
}

static float number(const whet_val *x, int64_t i) {
  float f;
  memcpy(&f, (const char *)x->data->p + i * 4, 4);
  return f;
}

int32_t whet__emit_const(whet_emit *e, int32_t v, whet_dtype t, whet_param p) {
  const whet_val x = e->g->val[v];
  int64_t n = whet__shape_count(&x.shape), lo = whet__dtype_min(t), hi = whet__dtype_max(t);
  int32_t c = whet__ed_const(&e->e, t, x.shape.rank, x.shape.d, NULL);
  if (c < 0) return -1;
  for (int64_t i = 0; i < n; i++) {
    double q = rint((double)number(&x, i) / (double)p.scale) + p.zero;
    whet__set_i64(t, (void *)(uintptr_t)e->g->val[c].data->p, i, (int64_t)fmin(fmax(q, (double)lo), (double)hi));
  }
  char *name = whet__arena_printf(&e->g->arena, "%.200s_quantized", x.name);
  if (name) e->g->val[c].name = name;
  whet__emit_store(e, c, t, p);
  return c;
}

void whet__emit_weights(whet_emit *e, const whet_weighted *p, float sx, int32_t *weights, int32_t *bias) {
  const whet_node *n = &e->g->node[p->node];
  whet_graph *g = e->g;
  int32_t was = n->in[1], b = whet__job_bias(e->j, p), axis = p->n_scale > 1 ? p->axis : 0;
  bool wide = e->j->t == WHET_S16, some = b >= 0;
  whet_shape s = g->val[was].shape;
  *bias = -1;
  *weights = whet__ed_const(&e->e, WHET_S8, s.rank, s.d, p->q);
  if (*weights < 0) return;
  g->val[*weights].name = g->val[was].name;
  if (!(g->val[*weights].q = whet__graph_quant(g, p->n_scale, axis, p->scale, NULL))) e->e.failed = true;
  for (int64_t o = 0; o < p->channels; o++) some |= p->bias[o] != 0;
  if (!some || (p->no_bias && p->add < 0)) return;
  float *unit = whet__arena_array(&e->pass.a, (size_t)p->n_scale, sizeof *unit);
  *bias = whet__ed_const(&e->e, wide ? WHET_S64 : WHET_S32, 1, &p->channels, NULL);
  if (!unit || *bias < 0) {
    e->e.failed = true;
    return;
  }
  for (int32_t i = 0; i < p->n_scale; i++) unit[i] = sx * p->scale[i];
  double most = wide ? 549755813887.0 : 2147483647.0; /* int16x8: what TFLite's converter keeps to, 40 bits */
  for (int64_t o = 0; o < p->channels; o++) {
    double q = rint((double)p->bias[o] / (double)unit[p->n_scale > 1 ? o : 0]);
    whet__set_i64(wide ? WHET_S64 : WHET_S32, (void *)(uintptr_t)g->val[*bias].data->p, o, (int64_t)fmin(fmax(q, -most), most));
  }
  if (!(g->val[*bias].q = whet__graph_quant(g, p->n_scale, 0, unit, NULL))) e->e.failed = true;
  if (b >= 0) g->val[*bias].name = g->val[b].name;
}

void whet__emit_three(whet_emit *e, int32_t node) {
  whet_node *n = &e->g->node[node];
  if (n->n_in >= 3) return;
  int32_t *in = whet__arena_array(&e->g->arena, 3, sizeof *in);
  if (!in) {
    e->e.failed = true;
    return;
  }
  for (int k = 0; k < 3; k++) in[k] = k < n->n_in ? n->in[k] : -1;
  n->in = in;
  n->n_in = 3;
}

void whet__emit_swap_names(whet_emit *e, int32_t a, int32_t b) {
  const char *name = e->g->val[a].name;
  e->g->val[a].name = e->g->val[b].name;
  e->g->val[b].name = name;
  int32_t origin = e->g->val[a].origin;
  e->g->val[a].origin = e->g->val[b].origin;
  e->g->val[b].origin = origin;
}

whet_status whet__job_emit(whet_job *j, whet_model **out) {
  whet_emit e;
  whet_status s = whet__emit_open(&e, j);
  if (!s) s = j->qdq ? whet__emit_onnx(&e) : whet__emit_tflite(&e);
  return whet__emit_close(&e, s, out);
}
