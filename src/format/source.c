/* SPDX-License-Identifier: Apache-2.0 */
/* The file's own graph as callers see it (whet/source.h). */

#include "whet/source.h"

#include "base/base.h"
#include "format/model.h"

size_t whet_model_graphs(const whet_model *m) { return m->source.n_graph ? (size_t)m->source.n_graph : 1; }

/* Graph g, or an empty one past the end. ONNX files have the main graph only, whose parts stand first. */
static whet_source_graph graph_at(const whet_model *m, size_t g) {
  if (m->source.n_graph)
    return g < (size_t)m->source.n_graph ? m->source.graph[g] : (whet_source_graph){0};
  return g ? (whet_source_graph){0} : (whet_source_graph){0, m->source.n_main, 0, m->source.n_main_node};
}

size_t whet_model_graph_tensors(const whet_model *m, size_t g) { return (size_t)graph_at(m, g).n_tensor; }
size_t whet_model_graph_nodes(const whet_model *m, size_t g) { return (size_t)graph_at(m, g).n_node; }

/* Copy what the caller's struct has room for; its size stays. */
static whet_status give(void *out, const void *from, size_t size) {
  size_t room = *(size_t *)out;
  if (room < sizeof room) return WHET_E_MISUSE;
  memcpy(out, from, room < size ? room : size);
  *(size_t *)out = room;
  return WHET_OK;
}

whet_status whet_model_graph_tensor(const whet_model *m, size_t g, size_t i, whet_tensor_info *out) {
  whet_source_graph s = graph_at(m, g);
  if (!out || i >= (size_t)s.n_tensor) return WHET_E_MISUSE;
  int32_t number = s.tensor + (int32_t)i;
  const whet_source_tensor *t = &m->source.tensor[number];
  whet_tensor_info o = {.number = number, .constant = t->constant, .type = t->type};
  whet__model_source_info(m, number, &o.info);
  if (t->q && t->q->block) {
    o.block = t->q->block;
    o.info.quant = (whet_quant_info){t->q->n, t->q->axis, t->q->scale, t->q->zero};
  }
  if (t->val >= 0) {
    const whet_val *v = &m->graph.val[t->val];
    o.variable = v->role == WHET_ROLE_VARIABLE;
    if (v->role == WHET_ROLE_CONST && v->data && v->dtype == t->dtype) {
      o.data = v->data->p;
      o.bytes = v->data->n;
    }
  }
  return give(out, &o, sizeof o);
}

whet_status whet_model_graph_node(const whet_model *m, size_t g, size_t i, whet_node_info *out) {
  whet_source_graph s = graph_at(m, g);
  if (!out || i >= (size_t)s.n_node) return WHET_E_MISUSE;
  const whet_source_node *n = &m->source.node[s.node + (int32_t)i];
  const whet_node_info o = {.name = n->name ? n->name : "",
                            .type = n->type,
                            .domain = n->domain,
                            .since = n->since,
                            .in = n->in,
                            .n_in = (size_t)n->n_in,
                            .out = n->out,
                            .n_out = (size_t)n->n_out};
  return give(out, &o, sizeof o);
}

int32_t whet_model_signature_graph(const whet_model *m, size_t i) {
  return i < (size_t)m->n_signature ? m->signature[i].graph : -1;
}

int32_t whet_model_signature_input_tensor(const whet_model *m, size_t i, size_t k) {
  if (i >= (size_t)m->n_signature || k >= (size_t)m->signature[i].n_in) return -1;
  return m->graph.val[m->signature[i].in[k]].origin;
}

int32_t whet_model_signature_output_tensor(const whet_model *m, size_t i, size_t k) {
  if (i >= (size_t)m->n_signature || k >= (size_t)m->signature[i].n_out) return -1;
  return m->graph.val[m->signature[i].out[k]].origin;
}
