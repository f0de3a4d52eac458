/* SPDX-License-Identifier: Apache-2.0 */
/* Weights that become zero: the model keeps its shape. */

#include "base/dtype.h"
#include "compress/prune.h"

/* Constants of the layers as copies that may be written. */
static whet_status copies(whet_model *m, const whet_sparse_layer *l, size_t n, float **w, whet_err *err) {
  whet_graph *g = &m->graph;
  for (size_t i = 0; i < n; i++) {
    whet_val *x = &g->val[l[i].val];
    size_t bytes = whet_dtype_bytes(WHET_F32, (size_t)whet__shape_count(&x->shape));
    whet_data *d = whet__arena_alloc(&g->arena, sizeof *d);
    w[i] = whet__arena_copy(&g->arena, x->data->p, bytes);
    if (!d || !w[i]) return whet__no_memory(&m->mem, bytes, err, "pruned weights");
    *d = (whet_data){.p = w[i], .n = bytes, .id = g->next_data++};
    x->data = d;
  }
  return WHET_OK;
}

static whet_status prune(whet_model *m, const whet_sparsity *how, whet_arena *a, whet_err *err) {
  whet_sparse_layer *l;
  size_t n;
  if (how->score != WHET_BY_MAGNITUDE) return whet__fail(err, WHET_E_MISUSE, "scores by gradient come with training");
  WHET_TRY(whet__sparse_layers(m, how, a, &l, &n, err));
  float **w = whet__arena_array(a, n + 1, sizeof *w);
  if (!w) return whet__no_memory(&m->mem, 0, err, "pruning");
  WHET_TRY(copies(m, l, n, w, err));
  return whet__sparsify(how, l, n, w, NULL, 1, &m->mem, err);
}

whet_status whet__prune_weights(whet_model *m, const whet_sparsity *how, whet_model **out, whet_err *err) {
  whet_model *p;
  whet_arena a;
  *out = NULL;
  WHET_TRY(whet__model_derive(m, &p, err));
  whet__arena_init(&a, &p->mem);
  whet_status s = prune(p, how, &a, err);
  whet__arena_free(&a);
  if (s)
    whet_model_close(&p);
  else
    *out = p;
  return s;
}

whet_status whet__prune_count(whet_model *m, whet_prune_report *r, whet_err *err) {
  whet_sparse_layer *l;
  size_t n;
  *r = (whet_prune_report){0};
  WHET_TRY(whet__sparse_layers(m, NULL, &m->graph.arena, &l, &n, err));
  r->layer = whet__arena_array(&m->graph.arena, n + 1, sizeof *r->layer);
  if (!r->layer) return whet__no_memory(&m->mem, 0, err, "a report");
  for (size_t i = 0; i < n; i++) {
    const whet_val *x = &m->graph.val[l[i].val];
    whet_prune_layer *to = &r->layer[r->n_layer++];
    *to = (whet_prune_layer){l[i].node, whet__shape_count(&x->shape), 0};
    for (int64_t k = 0; k < to->had; k++) to->has += whet__get_f64(WHET_F32, x->data->p, k) != 0;
  }
  return WHET_OK;
}
