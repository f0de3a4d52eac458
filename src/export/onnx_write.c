/* SPDX-License-Identifier: Apache-2.0 */
/* Writing ONNX models: graph, initialisers, inputs and outputs, opsets, texts. Operators: onnx_ops.c. */

#include "base/dtype.h"
#include "export/onnx.h"
#include "export/sparse.h"
#include "whet/types.h"

enum { IR_VERSION = 10, MS_OPSET = 1 };
enum { ATTR_FLOAT = 1, ATTR_INT = 2, ATTR_STRING = 3, ATTR_GRAPH = 5, ATTR_FLOATS = 6, ATTR_INTS = 7, ATTR_STRINGS = 8, ATTR_SPARSE = 11 };

static whet_mem *mem_of(const whet_onnx_out *o) { return o->attr.mem; }

/* ---- attributes ------------------------------------------------------------------------------ */

static void attr_end(whet_onnx_out *o, const char *name, whet_text *a, int type) {
  whet__pb_put_str(a, 1, name);
  whet__pb_put_int(a, 20, type);
  whet__pb_put_message(&o->attr, 5, a);
}

void whet__ox_int(whet_onnx_out *o, const char *name, int64_t v) {
  whet_text a = {.mem = mem_of(o)};
  whet__pb_put_int(&a, 3, v);
  attr_end(o, name, &a, ATTR_INT);
}

void whet__ox_float(whet_onnx_out *o, const char *name, float v) {
  whet_text a = {.mem = mem_of(o)};
  whet__pb_put_float(&a, 2, v);
  attr_end(o, name, &a, ATTR_FLOAT);
}

void whet__ox_ints(whet_onnx_out *o, const char *name, const int64_t *v, int32_t n) {
  whet_text a = {.mem = mem_of(o)};
  for (int32_t i = 0; i < n; i++) whet__pb_put_int(&a, 8, v[i]);
  attr_end(o, name, &a, ATTR_INTS);
}

void whet__ox_floats(whet_onnx_out *o, const char *name, const float *v, int32_t n) {
  whet_text a = {.mem = mem_of(o)};
  for (int32_t i = 0; i < n; i++) whet__pb_put_float(&a, 7, v[i]);
  attr_end(o, name, &a, ATTR_FLOATS);
}

void whet__ox_strs(whet_onnx_out *o, const char *name, const char *const *v, int32_t n) {
  whet_text a = {.mem = mem_of(o)};
  for (int32_t i = 0; i < n; i++) whet__pb_put_str(&a, 9, v[i]);
  attr_end(o, name, &a, ATTR_STRINGS);
}

void whet__ox_str(whet_onnx_out *o, const char *name, const char *v) {
  whet_text a = {.mem = mem_of(o)};
  whet__pb_put_str(&a, 4, v);
  attr_end(o, name, &a, ATTR_STRING);
}

/* ---- tensors --------------------------------------------------------------------------------- */

static void put_tensor(whet_text *t, const char *name, whet_dtype type, int32_t rank, const int64_t *dims, const void *p,
                       size_t n) {
  whet_text head = {.mem = t->mem};
  for (int32_t i = 0; i < rank; i++) whet__pb_put_int(&head, 1, dims[i]);
  whet__pb_put_int(&head, 2, type);
  whet__pb_put_str(&head, 8, name);
  whet__pb_put_head(&head, whet__is_float6(type) ? 5 : 9, n); /* raw data, which of floats of 6 bits are packed: int32 data */
  whet__pb_put_head(t, 5, head.n + n);
  whet__text_add(t, head.p, head.n);
  whet__text_add(t, p, n);
  t->bad |= head.bad;
  whet__text_free(&head);
}

/* Bytes of a number as a varint. */
static int varint_bytes(int64_t v) {
  int n = 1;
  while (v >>= 7) n++;
  return n;
}

/* A Constant with a SparseTensorProto: values that are not zero, and their places as numbers of elements; these are small as int64_data. Not a
 * sparse_initializer: full shape inference calls that a sparse tensor, which no operator takes; the result of Constant is dense. */
static void put_sparse(whet_onnx_out *o, const char *name, whet_dtype type, int32_t rank, const int64_t *dims, const whet_sparse_out *s) {
  whet_mem *mem = mem_of(o);
  whet_text all = {.mem = mem}, values = {.mem = mem}, places = {.mem = mem}, attr = {.mem = mem}, node = {.mem = mem};
  size_t n = 0;
  whet__pb_put_int(&values, 1, s->n);
  whet__pb_put_int(&values, 2, type);
  whet__pb_put_str(&values, 8, name);
  whet__pb_put_bytes(&values, 9, s->values, whet_dtype_bytes(type, (size_t)s->n));
  whet__pb_put_message(&all, 1, &values);
  whet__pb_put_int(&places, 1, s->n);
  whet__pb_put_int(&places, 2, WHET_S64);
  for (int64_t i = 0; i < s->n; i++) n += (size_t)varint_bytes(s->at[i]);
  whet__pb_put_head(&places, 7, n);
  for (int64_t i = 0; i < s->n; i++) whet__pb_put_varint(&places, (uint64_t)s->at[i]);
  whet__pb_put_message(&all, 2, &places);
  for (int32_t i = 0; i < rank; i++) whet__pb_put_int(&all, 3, dims[i]);
  whet__pb_put_str(&attr, 1, "sparse_value");
  whet__pb_put_int(&attr, 20, ATTR_SPARSE);
  whet__pb_put_message(&attr, 22, &all);
  whet__pb_put_str(&node, 2, name);
  whet__pb_put_str(&node, 4, "Constant");
  whet__pb_put_message(&node, 5, &attr);
  whet__pb_put_message(o->nodes, 1, &node);
}

/* An initialiser or, where that is much smaller, a sparse Constant before the node that is about to be written; not in bodies, from which it
 * could not be seen elsewhere. Lists and numbers, which shape rules read, are never sparse. */
static void put_constant(whet_onnx_out *o, whet_text *t, const char *name, whet_dtype type, int32_t rank, const int64_t *dims, const void *p) {
  whet_sparse_out s;
  int64_t n = 1;
  for (int32_t i = 0; i < rank; i++) n *= dims[i];
  if (rank > 1 && o->init == o->top && whet__export_sparse(&o->x, type, n, p, varint_bytes(n), 64, &s))
    put_sparse(o, name, type, rank, dims, &s);
  else
    put_tensor(t, name, type, rank, dims, p, whet_dtype_bytes(type, (size_t)n));
}

const char *whet__ox_const(whet_onnx_out *o, const char *like, whet_dtype t, int32_t rank, const int64_t *dims,
                           const void *p) {
  const char *name = whet__export_fresh(&o->x, like);
  put_constant(o, o->init, name, t, rank, dims, p);
  return name;
}

const char *whet__ox_list(whet_onnx_out *o, const char *like, const int64_t *v, int32_t n) {
  int64_t dim = n;
  return whet__ox_const(o, like, WHET_S64, 1, &dim, v);
}

/* The node that makes v from a quantised constant, NULL: none does. It is written where it is asked for. */
static const whet_node *dequantised(const whet_onnx_out *o, int32_t v) {
  int32_t m = v < 0 ? -1 : o->x.uses.maker[v];
  const whet_node *n = m < 0 ? NULL : &o->x.g->node[m];
  return n && !strcmp(n->op->name, "DequantizeLinear") && n->n_in == 1 && whet__export_data(&o->x, n->in[0]) &&
                 o->x.g->val[n->in[0]].q && !o->x.g->val[n->in[0]].q->block
             ? n
             : NULL;
}

bool whet__ox_late(const whet_onnx_out *o, const whet_node *n) {
  return n->n_out == 1 && n->out[0] >= 0 && dequantised(o, n->out[0]) == n;
}

const char *whet__ox_name(whet_onnx_out *o, int32_t v) {
  const char *name = whet__export_name(&o->x, v);
  const whet_data *d = whet__export_data(&o->x, v);
  const whet_node *from = dequantised(o, v);
  if (v < 0 || (!d && !from) || o->written[v]) return name;
  if (from) {
    const whet_val *x = &o->x.g->val[from->in[0]];
    o->written[v] = 1;
    whet__ox_linear(o, from->name, false, whet__ox_name(o, from->in[0]), name, (whet_dtype)x->dtype, x->q);
    return name;
  }
  const whet_val *c = &o->x.g->val[v];
  o->written[v] = 1;
  put_constant(o, o->top, name, (whet_dtype)c->dtype, c->shape.rank, c->shape.d, d->p);
  return name;
}

const char *whet__ox_turned(whet_onnx_out *o, int32_t v, const int8_t *perm, int32_t rank) {
  int64_t dims[WHET_MAX_RANK];
  bool same = true;
  for (int32_t i = 0; i < rank; i++) same &= perm[i] == i;
  if (same) return whet__ox_name(o, v);
  const whet_node *from = dequantised(o, v);
  const char *name = whet__export_name(&o->x, v);
  if (from) { /* turned before it is dequantised */
    const whet_val *c = &o->x.g->val[from->in[0]];
    const void *bytes = whet__export_turned(&o->x, from->in[0], perm, dims);
    whet_quant q = *c->q;
    if (!bytes) return name;
    for (int32_t i = 0; i < rank; i++)
      if (perm[i] == c->q->axis) q.axis = i;
    const char *out = whet__export_fresh(&o->x, name);
    whet__ox_linear(o, "", false, whet__ox_const(o, c->name, (whet_dtype)c->dtype, rank, dims, bytes), out, (whet_dtype)c->dtype, &q);
    return out;
  }
  const void *p = whet__export_turned(&o->x, v, perm, dims);
  if (p) return whet__ox_const(o, name, (whet_dtype)o->x.g->val[v].dtype, rank, dims, p);
  const char *out = whet__export_fresh(&o->x, "turned");
  whet_text keep = o->attr; /* the caller may have begun with its own */
  o->attr = (whet_text){.mem = keep.mem};
  for (int32_t i = 0; i < rank; i++) dims[i] = perm[i];
  whet__ox_ints(o, "perm", dims, rank);
  whet__ox_node(o, out, "Transpose", &name, 1, &out, 1);
  whet__text_free(&o->attr);
  o->attr = keep;
  return out;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

void whet__ox_node(whet_onnx_out *o, const char *label, const char *type, const char *const *in, int n_in,
                   const char *const *out, int n_out) {
  whet_text t = {.mem = mem_of(o)};
  const char *colon = strchr(type, ':');
  while (n_in > 0 && !in[n_in - 1][0]) n_in--;
  while (n_out > 1 && !out[n_out - 1][0]) n_out--;
  for (int i = 0; i < n_in; i++) whet__pb_put_str(&t, 1, in[i]);
  for (int i = 0; i < n_out; i++) whet__pb_put_str(&t, 2, out[i]);
  if (label[0]) whet__pb_put_str(&t, 3, label);
  whet__pb_put_str(&t, 4, colon ? colon + 1 : type);
  if (o->attr.n) whet__text_add(&t, o->attr.p, o->attr.n);
  t.bad |= o->attr.bad;
  if (colon) whet__pb_put_bytes(&t, 7, type, (size_t)(colon - type)), o->uses_ms = true;
  whet__text_free(&o->attr);
  whet__pb_put_message(o->nodes, 1, &t);
}

whet_status whet__ox_as_is(whet_onnx_out *o, const whet_node *n, const char *type) {
  const char **name = whet__arena_array(&o->x.a, (size_t)n->n_in + n->n_out + 1, sizeof *name);
  if (!name) return o->x.failed = true, WHET_OK;
  for (int i = 0; i < n->n_in; i++) name[i] = whet__ox_name(o, n->in[i]);
  for (int i = 0; i < n->n_out; i++) name[n->n_in + i] = whet__export_name(&o->x, n->out[i]);
  whet__ox_node(o, n->name, type, name, n->n_in, name + n->n_in, n->n_out);
  return WHET_OK;
}

/* ---- graphs ---------------------------------------------------------------------------------- */

/* ValueInfoProto of value v as field `field`. */
static whet_status put_value(whet_onnx_out *o, whet_text *t, uint32_t field, int32_t v) {
  const whet_val *x = &o->x.g->val[v];
  if (x->kind != WHET_TENSOR)
    return whet__fail(o->x.err, WHET_E_UNSUPPORTED, "\"%.80s\" is no tensor: only tensors can be inputs and outputs here",
                      x->name);
  whet_text tensor = {.mem = t->mem}, type = {.mem = t->mem}, info = {.mem = t->mem};
  whet__pb_put_int(&tensor, 1, x->dtype);
  if (x->shape.rank >= 0) {
    whet_text shape = {.mem = t->mem};
    for (int32_t i = 0; i < x->shape.rank; i++) {
      whet_text dim = {.mem = t->mem};
      int32_t s = whet__dim_symbol(x->shape.d[i]);
      if (whet__dim_known(x->shape.d[i])) whet__pb_put_int(&dim, 1, x->shape.d[i]);
      if (s >= 0 && s < o->x.g->n_symbol) whet__pb_put_str(&dim, 2, o->x.g->symbol[s]);
      whet__pb_put_message(&shape, 1, &dim);
    }
    whet__pb_put_message(&tensor, 2, &shape);
  }
  whet__pb_put_message(&type, 1, &tensor);
  whet__pb_put_str(&info, 1, whet__export_name(&o->x, v));
  if (x->dtype) /* results of bodies may leave it open */
    whet__pb_put_message(&info, 2, &type);
  else
    whet__text_free(&type);
  whet__pb_put_message(t, field, &info);
  return WHET_OK;
}

/* Does a node of this very region make v? */
static bool made_in(const whet_graph *g, const whet_region *r, int32_t v) {
  for (int32_t i = 0; i < r->n_node && g->val[v].role == WHET_ROLE_NODE; i++) {
    const whet_node *n = &g->node[r->node[i]];
    for (int32_t k = 0; k < n->n_out; k++)
      if (n->out[k] == v) return true;
  }
  return false;
}

/* An output that no node of the graph makes is an input, a constant, or a value of the graph around it: ONNX wants a node. */
static void output_node(whet_onnx_out *o, int32_t v, const char *out) {
  const char *in = whet__ox_name(o, v);
  whet__ox_node(o, out, "Identity", &in, 1, &out, 1);
}

/* GraphProto of a region. */
static whet_status put_graph(whet_onnx_out *o, const whet_region *r, const char *name, whet_text *out) {
  whet_text nodes = {.mem = out->mem}, init = {.mem = out->mem}, io = {.mem = out->mem};
  whet_text *had_nodes = o->nodes, *had_init = o->init;
  whet_status s = WHET_OK;
  o->nodes = &nodes;
  o->init = &init;
  if (!o->top) o->top = &init;
  for (int32_t i = 0; i < r->n_in; i++) whet__export_name(&o->x, r->in[i]);
  for (int32_t i = 0; i < r->n_out; i++) whet__export_name(&o->x, r->out[i]);
  for (int32_t i = 0; i < r->n_node && !s; i++) s = whet__onnx_node(o, &o->x.g->node[r->node[i]]);
  for (int32_t i = 0; i < r->n_out; i++) whet__ox_name(o, r->out[i]);
  for (int32_t i = 0; i < r->n_in && !s; i++) s = put_value(o, &io, 11, r->in[i]);
  for (int32_t i = 0; i < r->n_out && !s; i++) {
    int32_t v = r->out[i];
    if (!made_in(o->x.g, r, v)) {
      const char *fresh = whet__export_fresh(&o->x, whet__export_name(&o->x, v));
      output_node(o, v, fresh);
      const char *had = o->x.name[v];
      o->x.name[v] = fresh;
      s = put_value(o, &io, 12, v);
      o->x.name[v] = had;
    } else {
      s = put_value(o, &io, 12, v);
    }
  }
  if (nodes.n) whet__text_add(out, nodes.p, nodes.n);
  whet__pb_put_str(out, 2, name && *name ? name : "graph");
  if (init.n) whet__text_add(out, init.p, init.n);
  if (io.n) whet__text_add(out, io.p, io.n);
  out->bad |= nodes.bad | init.bad | io.bad;
  whet__text_free(&nodes);
  whet__text_free(&init);
  whet__text_free(&io);
  o->nodes = had_nodes;
  o->init = had_init;
  return s;
}

whet_status whet__ox_graph(whet_onnx_out *o, const char *name, const whet_region *r) {
  whet_text keep = o->attr, graph = {.mem = keep.mem}, a = {.mem = keep.mem};
  o->attr = (whet_text){.mem = keep.mem};
  whet_status s = put_graph(o, r, name, &graph);
  whet__text_free(&o->attr);
  o->attr = keep;
  whet__pb_put_message(&a, 6, &graph);
  attr_end(o, name, &a, ATTR_GRAPH);
  return s;
}

/* ---- the model ------------------------------------------------------------------------------- */

static void put_opset(whet_text *t, const char *domain, int version) {
  whet_text op = {.mem = t->mem};
  if (*domain) whet__pb_put_str(&op, 1, domain);
  whet__pb_put_int(&op, 2, version);
  whet__pb_put_message(t, 8, &op);
}

/* ONNX wants different keys and text. */
static bool fits(const whet_model *m, int32_t i) {
  return whet__export_text(m, i) && (!m->meta[i].n || !memchr(m->meta[i].value, 0, m->meta[i].n)); /* not bytes of TFLite's own kinds */
}

static void put_texts(whet_text *t, const whet_model *m) {
  for (int32_t i = 0; i < m->n_meta; i++) {
    whet_text pair = {.mem = t->mem};
    if (!fits(m, i)) continue;
    whet__pb_put_str(&pair, 1, m->meta[i].key);
    whet__pb_put_bytes(&pair, 2, m->meta[i].value, m->meta[i].n);
    whet__pb_put_message(t, 14, &pair);
  }
}

whet_status whet__onnx_bytes(const whet_model *m, int opset, bool dense, whet_text *out, whet_err *err) {
  whet_onnx_out o = {.opset = opset, .attr = {.mem = out->mem}};
  whet_text graph = {.mem = out->mem};
  whet_status s = whet__export_open(&o.x, m, err);
  o.x.dense = dense;
  o.written = whet__arena_array(&o.x.a, (size_t)m->graph.n_val + 1, 1);
  if (!o.written) o.x.failed = true;
  if (!s && !o.x.failed) s = put_graph(&o, &m->graph.main, m->graph.main.name, &graph);
  if (!s && !o.x.failed && !o.x.n_refused) {
    whet__pb_put_int(out, 1, IR_VERSION);
    whet__pb_put_str(out, 2, "whet");
    whet__pb_put_str(out, 3, whet_version());
    size_t n;
    const char *said = whet_model_meta(m, "description", &n);
    if (said) whet__pb_put_bytes(out, 6, said, n);
    whet__pb_put_head(out, 7, graph.n);
    whet__text_add(out, graph.p, graph.n);
    put_opset(out, "", opset);
    if (o.uses_ms) put_opset(out, "com.microsoft", MS_OPSET);
    put_texts(out, m);
  }
  if (graph.bad || out->bad) o.x.failed = true;
  whet__text_free(&graph);
  whet__text_free(&o.attr);
  return whet__export_close(&o.x, s);
}
