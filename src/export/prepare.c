/* SPDX-License-Identifier: Apache-2.0 */
/* A model in the form that a format wants: what the format has no word for is written with others, channels stand where it has
 * them. Only what holds on every machine is done. */

#include "export/export.h"
#include "pass/pass.h"

typedef whet_status (*pass_fn)(whet_pass *);

/* ONNX has most operators: only the layout must be its own. TFLite has no batch norm, no Gemm, and products with a bias. */
static const pass_fn k_onnx[] = {whet__pass_fold,   whet__export_qdq, whet__pass_clean, whet__pass_norms, whet__pass_clean,
                                 whet__pass_layout, whet__pass_fold,  whet__pass_clean, whet__export_join_pads,
                                 whet__pass_clean};
static const pass_fn k_tflite[] = {whet__pass_fold,      whet__pass_clean, whet__pass_activations, whet__pass_clean,
                                   whet__pass_norms,     whet__pass_dense, whet__pass_batchnorm,   whet__pass_affine,
                                   whet__pass_layout,    whet__pass_fold,  whet__pass_clean};

static const pass_fn k_layers[] = {whet__pass_fold,  whet__pass_clean, whet__pass_activations, whet__pass_clean, whet__pass_norms,
                                   whet__pass_dense, whet__pass_affine, whet__pass_layout,     whet__pass_fold,  whet__pass_clean};

static whet_status run(whet_model *m, bool first, const pass_fn *fn, size_t n, whet_err *err) {
  whet_pass p = {.g = &m->graph, .err = err, .work = INT64_C(200) << 20, .files = true, .first = first};
  whet_status s = WHET_OK;
  for (size_t i = 0; i < n && !s; i++) {
    whet__arena_init(&p.a, &m->mem);
    p.env = NULL;
    s = fn[i](&p);
    whet__arena_free(&p.a);
  }
  return s;
}

/* What shape rules tell of values, so that writers find it on them. */
static whet_status tell_shapes(whet_model *m, whet_err *err) {
  whet_pass p = {.g = &m->graph, .err = err};
  whet__arena_init(&p.a, &m->mem);
  whet_status s = whet__pass_env(&p);
  for (int32_t v = 0; v < m->graph.n_val && !s; v++) {
    whet_val *x = &m->graph.val[v];
    if (x->role == WHET_ROLE_CONST || x->role == WHET_ROLE_INPUT) continue;
    if (!x->dtype) x->dtype = p.env->dtype[v];
    if (p.env->shape[v].rank >= 0) x->shape = p.env->shape[v];
  }
  whet__arena_free(&p.a);
  return s;
}

/* Is value v output number i or, by its name or by itself, one of those before? */
static bool taken(const whet_region *r, const int32_t *had, int32_t i, int32_t v) {
  for (int32_t k = 0; k < r->n_out; k++)
    if (k != i && (r->out[k] == v || had[k] == v)) return true;
  return false;
}

/* Outputs keep their names, whatever passes put in their places: had[i] is what stood there. A value that is something else,
 * too (an input, another output), is not renamed but copied; in ONNX constants are, too. Signatures follow. */
static whet_status keep_names(whet_model *m, const int32_t *had, bool onnx, whet_err *err) {
  whet_graph *g = &m->graph;
  whet_region *r = &g->main;
  for (int32_t i = 0; i < r->n_out; i++) {
    int32_t v = r->out[i];
    if (v == had[i]) continue;
    if (g->val[v].role == WHET_ROLE_INPUT || g->val[v].role == WHET_ROLE_VARIABLE ||
        (onnx && g->val[v].role == WHET_ROLE_CONST) || taken(r, had, i, v)) {
      int32_t copy = whet__graph_val(g, g->val[had[i]].name);
      if (copy < 0) return whet__no_memory(&m->mem, 0, err, "an output");
      whet_val *c = &g->val[copy];
      c->dtype = g->val[v].dtype, c->kind = g->val[v].kind, c->shape = g->val[v].shape, c->q = g->val[v].q;
      if (whet__graph_node(g, r, whet__op_find("Identity"), NULL, &v, 1, &copy, 1) < 0)
        return whet__no_memory(&m->mem, 0, err, "an output");
      v = copy;
    } else {
      g->val[v].name = g->val[had[i]].name;
    }
    whet__model_set_output(m, i, v);
    for (int32_t k = 0; k < m->n_signature; k++)
      for (int32_t o = 0; o < m->signature[k].n_out; o++)
        if (m->signature[k].out[o] == had[i]) m->signature[k].out[o] = v;
  }
  return WHET_OK;
}

/* A copy on which passes have run; *out stays NULL on failure. */
static whet_status prepare(whet_model *m, bool first, const pass_fn *fn, size_t n, whet_model **out, whet_err *err) {
  whet_model *p;
  *out = NULL;
  WHET_TRY(whet__model_derive(m, &p, err));
  int32_t *had = whet__arena_array(&p->graph.arena, (size_t)p->graph.main.n_out + 1, sizeof *had);
  whet_status s = had ? WHET_OK : whet__no_memory(&p->mem, 0, err, "outputs");
  for (int32_t i = 0; i < p->graph.main.n_out && had; i++) had[i] = p->graph.main.out[i];
  if (!s) s = run(p, first, fn, n, err);
  if (!s) s = keep_names(p, had, first, err);
  if (!s) s = tell_shapes(p, err);
  if (s)
    whet_model_close(&p);
  else
    *out = p;
  return s;
}

whet_status whet__export_prepare(whet_model *m, whet_format to, whet_model **out, whet_err *err) {
  bool onnx = to == WHET_FORMAT_ONNX;
  return prepare(m, onnx, onnx ? k_onnx : k_tflite, onnx ? WHET_COUNT(k_onnx) : WHET_COUNT(k_tflite), out, err);
}

whet_status whet__export_layers(whet_model *m, whet_model **out, whet_err *err) {
  return prepare(m, false, k_layers, WHET_COUNT(k_layers), out, err);
}
