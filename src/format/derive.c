/* SPDX-License-Identifier: Apache-2.0 */
/* Models made from models: what functions from graph to graph give back. */

#include "format/model.h"

/* The base's signatures of its main graph, for a model whose values have the same numbers. */
static bool signatures(const whet_model *base, whet_model *m) {
  whet_arena *a = &m->graph.arena;
  m->signature = whet__arena_array(a, (size_t)base->n_signature + 1, sizeof *m->signature);
  if (!m->signature) return false;
  for (int32_t i = 0; i < base->n_signature; i++) {
    if (base->signature[i].region != &base->graph.main) continue;
    whet_signature *s = &m->signature[m->n_signature++];
    *s = base->signature[i];
    s->region = &m->graph.main;
    s->in = whet__arena_array(a, (size_t)s->n_in + 1, sizeof *s->in);
    s->out = whet__arena_array(a, (size_t)s->n_out + 1, sizeof *s->out);
    if (!s->in || !s->out) return false;
    for (int32_t k = 0; k < s->n_in; k++) s->in[k] = base->signature[i].in[k];
    for (int32_t k = 0; k < s->n_out; k++) s->out[k] = base->signature[i].out[k];
  }
  return true;
}

whet_status whet__model_derive(whet_model *base, whet_model **out, whet_err *err) {
  whet_model_opts o = whet_model_opts_default();
  *out = NULL;
  o.allocator = &base->mem.fns;
  o.limits = base->limits;
  o.log = base->log;
  o.log_user = base->log_user;
  o.custom = base->custom;
  o.n_custom = base->n_custom;
  o.rules = base->micro ? "micro" : NULL;
  whet_model *m = whet__model_new(&o, err);
  if (!m) return err ? err->code : WHET_E_MEMORY;
  m->base = whet_model_ref(base);
  m->format = base->format;
  m->folder = base->folder;
  m->source = base->source;
  m->meta = base->meta;
  m->n_meta = base->n_meta;
  whet__graph_free(&m->graph);
  whet_status s = whet__model_graph(base, NULL, &m->mem, &m->graph, err);
  if (!s && !signatures(base, m)) s = whet__no_memory(&m->mem, 0, err, "signatures");
  if (s)
    whet_model_close(&m);
  else
    *out = m;
  return s;
}

whet_status whet__model_note(whet_model *m, const char *key, const char *text, whet_err *err) {
  whet_arena *a = &m->graph.arena;
  whet_meta *all = whet__arena_array(a, (size_t)m->n_meta + 1, sizeof *all);
  const char *k = whet__arena_str(a, key, strlen(key)), *v = whet__arena_str(a, text, strlen(text));
  int32_t n = 0;
  if (!all || !k || !v) return whet__no_memory(&m->mem, strlen(text), err, "metadata");
  for (int32_t i = 0; i < m->n_meta; i++)
    if (strcmp(m->meta[i].key, key)) all[n++] = m->meta[i];
  all[n++] = (whet_meta){k, v, strlen(text)};
  m->meta = all;
  m->n_meta = n;
  return WHET_OK;
}

static void replace(int32_t *list, int32_t n, int32_t from, int32_t to) {
  for (int32_t i = 0; i < n; i++)
    if (list[i] == from) list[i] = to;
}

void whet__model_set_input(whet_model *m, int32_t i, int32_t v) {
  for (int32_t k = 0; k < m->n_signature; k++)
    replace(m->signature[k].in, m->signature[k].n_in, m->graph.main.in[i], v);
  m->graph.main.in[i] = v;
}

void whet__model_set_output(whet_model *m, int32_t i, int32_t v) {
  for (int32_t k = 0; k < m->n_signature; k++)
    replace(m->signature[k].out, m->signature[k].n_out, m->graph.main.out[i], v);
  m->graph.main.out[i] = v;
}
