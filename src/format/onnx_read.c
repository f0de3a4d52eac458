/* SPDX-License-Identifier: Apache-2.0 */
/* The ONNX reader: graphs, subgraphs and functions from their messages into the canonical graph (ONNX IR 3 to the
 * newest).
 *
 * A graph is read in this order: names of inputs, initialisers and all node outputs get values; Constant nodes become
 * constants; nodes are turned into the records' nodes one by one. So bodies see every outer name, and constants are
 * there whatever the order of the file. Functions are read in place of each node that calls them. */

#include "format/onnx.h"

#include <stdio.h>

enum { MAX_OPSETS = 1000 };

/* ---- names ------------------------------------------------------------------------------------------------------
 */

/* The value of a name in this scope or one around it; *own receives the scope that has it. -1: absent (no name, or an
 * input that the call leaves out), INT32_MIN: no such name. */
static int32_t resolve(struct whet_ox_scope *s, whet_str name, struct whet_ox_scope **own) {
  if (!name.n) return -1;
  for (; s; s = s->up) {
    int32_t v = whet__names_get(&s->names, name.p, name.n);
    if (v == -1) continue;
    if (own) *own = s;
    return v == WHET_OX_ABSENT ? -1 : v;
  }
  return INT32_MIN;
}

int32_t whet__onnx_named(whet_import *im, whet_str name) {
  struct whet_ox_scope *own = NULL;
  int32_t v = im->op->ox ? resolve(im->op->ox_scope, name, &own) : -1;
  if (v < 0) return -1;
  if (im->g->val[v].role == WHET_ROLE_NODE && !im->ox_made[v]) own->owner->unsorted = true;
  return v;
}

static whet_status refused(whet_import *im, whet_err *err) { return whet__im_no_memory(im, err, 64, "the graph"); }

/* Give a name of this scope a value (one of its own, or WHET_OX_ABSENT). */
static whet_status bind(whet_import *im, struct whet_ox_scope *s, whet_str name, int32_t v, const char *what,
                        whet_err *err) {
  if (whet__names_get(&s->names, name.p, name.n) != -1)
    return whet__fail(err, WHET_E_FORMAT, "%s \"%.80s\": the name is given twice", what, name.p);
  return whet__names_set(&s->names, name.p, name.n, v) ? WHET_OK : refused(im, err);
}

/* A new value of a name, bound in the scope; graphs of the file (not functions) also get a source tensor. */
static whet_status declare(whet_import *im, struct whet_ox_scope *s, whet_str name, const char *what, int32_t *out,
                           whet_err *err) {
  const char *full = s->prefix[0] ? whet__arena_printf(&im->g->arena, "%.500s%.500s", s->prefix, name.p)
                                  : whet__arena_str(&im->g->arena, name.p, name.n);
  int32_t v = full ? whet__graph_val(im->g, full) : -1;
  if (v < 0) return refused(im, err);
  if (name.n) WHET_TRY(bind(im, s, name, v, what, err));
  if (!s->call) {
    whet_source_tensor t = {.name = full, .shape.rank = -1, .val = v};
    if ((im->g->val[v].origin = whet__im_source_tensor(im, &t)) < 0) return refused(im, err);
  }
  *out = v;
  return WHET_OK;
}

/* What the value is now, for the source tensor that it came from. */
static void note_source(whet_import *im, int32_t v) {
  const whet_val *x = &im->g->val[v];
  if (x->origin < 0) return;
  whet_source_tensor *t = &im->m->source.tensor[x->origin];
  t->dtype = x->dtype;
  t->kind = x->kind;
  t->shape = x->shape;
  t->constant = x->role == WHET_ROLE_CONST;
}

/* ---- types ------------------------------------------------------------------------------------------------------
 */

/* A type as ONNX spells it, "seq(map(int64,tensor(float)))", in the arena; NULL when memory is refused. */
static const char *type_text(whet_import *im, const whet_ox_type *t) {
  whet_arena *a = &im->g->arena;
  whet_dtype dtype = whet__ox_dtype(t->kind == WHET_MAP ? t->key_type : t->elem_type);
  const char *elem = dtype == WHET_F32 ? "float" : dtype == WHET_F64 ? "double" : whet_dtype_name(dtype);
  if (t->kind == WHET_TENSOR) return whet__arena_printf(a, "tensor(%s)", elem);
  const char *inner = t->elem ? type_text(im, t->elem) : "";
  if (!inner) return NULL;
  if (t->kind == WHET_MAP) return whet__arena_printf(a, "map(%s,%s)", elem, inner);
  return whet__arena_printf(a, t->kind == WHET_SEQUENCE ? "seq(%s)" : "optional(%s)", inner);
}

whet_status whet__ox_declare(whet_import *im, int32_t v, const whet_ox_type *t, bool make, whet_err *err) {
  const whet_ox_type *whole = t;
  const char *name = im->g->val[v].name;
  whet_kind kind = t->kind;
  while (t->kind != WHET_TENSOR && t->elem) t = t->elem;
  whet_dtype dtype = whet__ox_dtype(t->elem_type);
  if (t->elem_type && dtype == WHET_NONE)
    return whet__fail(err, WHET_E_UNSUPPORTED, "value \"%.80s\" has element type %d, which is not known", name,
                      (int)t->elem_type);
  if (t->sparse) return whet__fail(err, WHET_E_UNSUPPORTED, "value \"%.80s\" is a sparse tensor", name);
  whet_shape s = {.rank = -1};
  if (t->has_shape && kind == WHET_TENSOR) {
    if (t->n_dim > WHET_MAX_RANK)
      return whet__fail(err, WHET_E_UNSUPPORTED, "value \"%.80s\" has %d dimensions; at most %d are taken", name,
                        (int)t->n_dim, WHET_MAX_RANK);
    s.rank = t->n_dim;
    for (int32_t i = 0; i < t->n_dim; i++) {
      const whet_ox_dim *d = &t->dim[i];
      s.d[i] = d->has_value && d->value >= 0 ? d->value : whet__im_symbol(im, d->param, make);
    }
  }
  if (im->no_memory) return refused(im, err);
  whet_val *x = &im->g->val[v];
  x->kind = (uint8_t)kind;
  x->dtype = (uint8_t)dtype;
  x->shape = s;
  note_source(im, v);
  if (kind != WHET_TENSOR && x->origin >= 0 &&
      !(im->m->source.tensor[x->origin].type = type_text(im, whole)))
    return refused(im, err);
  return WHET_OK;
}

/* Declared types of values that nodes make. A type that we cannot hold is no harm there: it is only a hint. make: names of
 * free dimensions that no input has are kept. */
static whet_status declare_infos(whet_import *im, struct whet_ox_scope *s, const whet_ox_info *info, int32_t n, bool make,
                                 whet_err *err) {
  for (int32_t i = 0; i < n; i++) {
    int32_t v = info[i].name.n ? whet__names_get(&s->names, info[i].name.p, info[i].name.n) : -1;
    if (v < 0 || !info[i].type || im->g->val[v].role != WHET_ROLE_NODE) continue;
    whet_err ignored = {0};
    whet_status st = whet__ox_declare(im, v, info[i].type, make, &ignored);
    if (st && st != WHET_E_UNSUPPORTED) return whet__fail(err, st, "%s", ignored.text);
  }
  return WHET_OK;
}

/* ---- inputs and initialisers ------------------------------------------------------------------------------------
 */

/* Every initialiser that the caller must have given for something is there. */
static whet_status check_given(const whet_import *im, const struct whet_ox_scope *s, whet_err *err) {
  for (size_t i = 0; i < im->opts->n_initializers; i++) {
    const whet_initializer *x = &im->opts->initializers[i];
    int32_t v = x->external ? whet__names_get(&s->names, x->name, strlen(x->name)) : 0;
    if (v < 0 || (x->external && im->g->val[v].role != WHET_ROLE_CONST))
      return whet__fail(err, WHET_E_NAME, "initializer \"%.80s\" is given, and the model has none of that name", x->name);
  }
  return WHET_OK;
}

/* Initialisers of the graph as constants. In the main graph those that are listed as inputs may be replaced. */
static whet_status read_inits(whet_import *im, const whet_ox_graph *g, struct whet_ox_scope *s, whet_err *err) {
  for (int32_t i = 0; i < g->n_init + g->n_sparse; i++) {
    const whet_ox_tensor *t = i < g->n_init ? &g->init[i] : &g->sparse[i - g->n_init].values;
    whet_dtype dtype;
    whet_shape shape;
    const void *p;
    bool mapped = false;
    int32_t v;
    if (!t->name.n) return whet__fail(err, WHET_E_FORMAT, "byte %zu: an initializer without a name", t->self.at);
    v = whet__names_get(&s->names, t->name.p, t->name.n);
    if (v >= 0 && (!s->main || im->g->val[v].role == WHET_ROLE_INPUT))
      continue; /* a default; bodies are given all, the main graph those that the caller named */
    WHET_TRY(whet__im_spend(im, 1, false, err));
    WHET_TRY(declare(im, s, t->name, "initializer", &v, err));
    WHET_TRY(i < g->n_init ? (s->main ? whet__ox_initializer : whet__ox_contents)(im, t, &dtype, &shape, &p, &mapped, err)
                           : whet__ox_dense(im, &g->sparse[i - g->n_init], &dtype, &shape, &p, err));
    if (!whet__im_set_const(im, v, dtype, &shape, p, mapped)) return refused(im, err);
    note_source(im, v);
  }
  return s->main ? check_given(im, s, err) : WHET_OK;
}

/* Inputs of a body: values that the node which runs it provides. */
static whet_status read_body_inputs(whet_import *im, const whet_ox_graph *g, struct whet_ox_scope *s, whet_err *err) {
  whet_region *r = s->region;
  r->in = whet__arena_array(&im->g->arena, (size_t)g->n_in, sizeof *r->in);
  if (!r->in) return refused(im, err);
  for (int32_t i = 0; i < g->n_in; i++) {
    int32_t v;
    WHET_TRY(declare(im, s, g->in[i].name, "input", &v, err));
    if (g->in[i].type) WHET_TRY(whet__ox_declare(im, v, g->in[i].type, false, err));
    r->in[r->n_in++] = v;
  }
  return WHET_OK;
}

/* One input of the main graph. */
static whet_status main_input(whet_import *im, const whet_ox_info *in, struct whet_ox_scope *s, whet_err *err) {
  int32_t v;
  WHET_TRY(declare(im, s, in->name, "input", &v, err));
  im->g->val[v].role = WHET_ROLE_INPUT;
  if (in->type) WHET_TRY(whet__ox_declare(im, v, in->type, true, err));
  s->region->in[s->region->n_in++] = v;
  return im->g->val[v].dtype ? WHET_OK
                             : whet__fail(err, WHET_E_FORMAT, "input \"%.80s\" of the graph has no element type", in->name.p);
}

/* Initialisers that the caller wants as inputs, in the file's order. inits: names of all. */
static whet_status read_asked_inputs(whet_import *im, const whet_ox_graph *g, const whet_names *inits,
                                     struct whet_ox_scope *s, whet_err *err) {
  for (size_t k = 0; k < im->opts->n_inputs; k++) {
    const char *name = im->opts->inputs[k];
    int32_t i = 0;
    while (i < g->n_in && !whet__str_is(g->in[i].name, name)) i++;
    if (i == g->n_in || im->ox->ir_version < 4 || whet__names_get(inits, name, strlen(name)) < 0)
      return whet__fail(err, WHET_E_NAME, "\"%.80s\" is no initializer that the graph lists as an input (IR version 4 and later)", name);
  }
  for (int32_t i = 0; i < g->n_in; i++)
    for (size_t k = 0; k < im->opts->n_inputs; k++)
      if (whet__str_is(g->in[i].name, im->opts->inputs[k])) {
        WHET_TRY(main_input(im, &g->in[i], s, err));
        break;
      }
  return WHET_OK;
}

/* Inputs of the main graph, in the file's order, but for those that are initialisers; then those of them that the caller
 * named. */
static whet_status read_main_inputs(whet_import *im, const whet_ox_graph *g, struct whet_ox_scope *s, whet_err *err) {
  whet_model *m = im->m;
  whet_region *r = s->region;
  whet_names inits = {.mem = &m->mem};
  whet_status st = WHET_OK;
  r->in = whet__arena_array(&im->g->arena, (size_t)g->n_in, sizeof *r->in);
  m->override = whet__arena_array(&im->g->arena, (size_t)g->n_in, sizeof *m->override);
  if (!r->in || !m->override) return refused(im, err);
  for (int32_t i = 0; i < g->n_init + g->n_sparse && !st; i++) {
    whet_str n = i < g->n_init ? g->init[i].name : g->sparse[i - g->n_init].values.name;
    if (n.n && !whet__names_set(&inits, n.p, n.n, i)) st = refused(im, err);
  }
  for (int32_t i = 0; i < g->n_in && !st; i++) {
    const whet_ox_info *in = &g->in[i];
    if (!in->name.n)
      st = whet__fail(err, WHET_E_FORMAT, "input %d of the graph has no name", (int)i);
    else if (whet__names_get(&inits, in->name.p, in->name.n) < 0)
      st = main_input(im, in, s, err);
  }
  if (!st) st = read_asked_inputs(im, g, &inits, s, err);
  whet__names_free(&inits);
  return st;
}

/* Note the initialisers that are listed as inputs; they have values by now. */
static void note_overrides(whet_import *im, const whet_ox_graph *g, struct whet_ox_scope *s) {
  whet_model *m = im->m;
  for (int32_t i = 0; i < g->n_in; i++) {
    int32_t v = whet__names_get(&s->names, g->in[i].name.p, g->in[i].name.n);
    if (v >= 0 && im->g->val[v].role == WHET_ROLE_CONST) m->override[m->n_override++] = v;
  }
}

/* ---- nodes ------------------------------------------------------------------------------------------------------
 */

/* "" for ai.onnx, which has two spellings. */
static const char *canonical_domain(whet_str d) { return whet__str_is(d, "ai.onnx") ? "" : d.p; }

/* The opset of a domain in this scope; -1 when it is not imported. */
static int opset(const struct whet_ox_scope *s, const char *domain) {
  for (int32_t i = 0; i < s->n_opset; i++)
    if (!strcmp(canonical_domain(s->opset[i].domain), domain))
      return s->opset[i].version > 0 && s->opset[i].version < 32767 ? (int)s->opset[i].version : 32767;
  return -1;
}

static bool is_constant(const whet_ox_node *n) {
  return whet__str_is(n->op, "Constant") && !canonical_domain(n->domain)[0];
}

/* The record of one node while it is read. Names that outlive the reading are copied. */
static whet_status begin(whet_import *im, struct whet_ox_scope *s, const whet_ox_node *n, int32_t index,
                         int32_t origin, struct whet_im_op *o, whet_err *err) {
  *o = (struct whet_im_op){.region = s->region, .index = index, .origin = origin, .last = -1, .ox = n, .ox_scope = s};
  o->name = n->name.n ? whet__arena_printf(&im->g->arena, "%.500s%.500s", s->prefix, n->name.p) : "";
  o->type = n->op.p;
  o->domain = canonical_domain(n->domain);
  o->since = opset(s, o->domain);
  int32_t *list = whet__arena_array(&im->g->arena, (size_t)n->n_in + (size_t)n->n_out, sizeof *list);
  if (!o->name || !list) return refused(im, err);
  o->in = list;
  o->out = list + n->n_in;
  o->n_in = n->n_in;
  o->n_out = n->n_out;
  o->up = im->op;
  for (int32_t i = 0; i < n->n_in; i++) {
    struct whet_ox_scope *own;
    list[i] = resolve(s, n->in[i], &own);
    if (list[i] == INT32_MIN) {
      whet__fail(&o->err, WHET_E_FORMAT, "input %d, \"%.80s\", is no input, no initializer and made by no node",
                 (int)i, n->in[i].p);
      return whet__im_place(o, err);
    }
    if (list[i] >= 0 && im->g->val[list[i]].role == WHET_ROLE_NODE && !im->ox_made[list[i]])
      own->owner->unsorted = true;
  }
  for (int32_t i = 0; i < n->n_out; i++) list[n->n_in + i] = resolve(s, n->out[i], NULL);
  return WHET_OK;
}

/* Room to note for every value whether a node that stands before has made it. */
static whet_status made_room(whet_import *im, whet_err *err) {
  return whet__grow(&im->m->mem, (void **)&im->ox_made, &im->cap_made, (size_t)im->g->n_val + 1, 1)
             ? WHET_OK
             : refused(im, err);
}

static whet_status read_call(whet_import *im, struct whet_im_op *o, const whet_ox_function *fn, bool standard);

/* The function of the model for a node; NULL: there is none. */
static const whet_ox_function *find_function(whet_import *im, const whet_ox_node *n) {
  char key[400];
  if (!im->ox->n_fn) return NULL;
  int len = snprintf(key, sizeof key, "%s\n%s\n%s", canonical_domain(n->domain), n->op.p, n->overload.p);
  int32_t at = len > 0 && (size_t)len < sizeof key ? whet__names_get(&im->ox_functions, key, (size_t)len) : -1;
  return at < 0 ? NULL : &im->ox->fn[at];
}

/* Turn one node into the graph's: an operator of the caller's own, a function of the model, a record, or a formula.
 */
static whet_status read_node(whet_import *im, struct whet_ox_scope *s, const whet_ox_node *n, int32_t index,
                             int32_t origin, whet_err *err) {
  struct whet_im_op o;
  const whet_ox_function *fn;
  WHET_TRY(begin(im, s, n, index, origin, &o, err));
  if (origin >= 0 && !s->call) {
    whet_source_node *x = &im->m->source.node[origin];
    int32_t *list = whet__arena_array(&im->g->arena, (size_t)o.n_in + (size_t)o.n_out, sizeof *list);
    if (!list) return refused(im, err);
    for (int i = 0; i < o.n_in + o.n_out; i++) list[i] = o.in[i] >= 0 ? im->g->val[o.in[i]].origin : -1;
    x->in = list;
    x->out = list + o.n_in;
    x->n_in = o.n_in;
    x->n_out = o.n_out;
    x->since = o.since;
  }
  const whet_custom_op *custom = whet__im_custom(im, &o);
  if (custom) return whet__im_custom_node(im, &o, custom);
  if ((fn = find_function(im, n))) return read_call(im, &o, fn, false);
  if (o.since < 0) {
    whet__fail(&o.err, WHET_E_FORMAT, "the model imports no opset of domain \"%.60s\"",
               o.domain[0] ? o.domain : "ai.onnx");
    return whet__im_place(&o, err);
  }
  int oldest;
  const whet_op *op;
  if (!whet__from_find(o.domain, o.type, o.since, &op, &oldest)) {
    WHET_TRY(whet__expand_find(im, &o, &fn, err));
    if (fn) return read_call(im, &o, fn, true);
  }
  return whet__im_run(im, &o);
}

/* Give every output of every node a value, and Constant nodes their contents. */
static whet_status declare_outputs(whet_import *im, struct whet_ox_scope *s, const whet_ox_node *node, int32_t n,
                                   whet_err *err) {
  for (int32_t i = 0; i < n; i++)
    for (int32_t k = 0; k < node[i].n_out; k++) {
      int32_t v;
      whet_str name = node[i].out[k];
      if (!name.n) continue;
      WHET_TRY(whet__im_spend(im, 1, false, err));
      if (s->owner != s && (v = whet__names_get(&s->call->outs, name.p, name.n)) >= 0) {
        WHET_TRY(bind(im, s, name, v, "output", err)); /* the call's own output */
        continue;
      }
      WHET_TRY(declare(im, s, name, "output", &v, err));
    }
  return WHET_OK;
}

static whet_status read_constants(whet_import *im, struct whet_ox_scope *s, const whet_ox_node *node, int32_t n,
                                  int32_t origin, whet_err *err) {
  struct whet_im_op *outer = im->op;
  for (int32_t i = 0; i < n; i++) {
    struct whet_im_op o;
    if (!is_constant(&node[i]) || node[i].n_out != 1) continue;
    WHET_TRY(begin(im, s, &node[i], i, origin, &o, err));
    if (o.out[0] < 0) continue;
    im->op = &o;
    whet_status st = whet__ox_constant(im, &o, o.out[0]);
    im->op = outer;
    if (st) return whet__im_place(&o, err);
    note_source(im, o.out[0]);
  }
  return WHET_OK;
}

/* All nodes of a graph or function. first: source number of node 0, when each has one (`each`), else of all. */
static whet_status read_nodes(whet_import *im, struct whet_ox_scope *s, const whet_ox_node *node, int32_t n,
                              int32_t first, bool each, whet_err *err) {
  WHET_TRY(read_constants(im, s, node, n, first, err));
  WHET_TRY(made_room(im, err));
  for (int32_t i = 0; i < n; i++) {
    bool folded = is_constant(&node[i]) && node[i].n_out == 1;
    if (!folded) WHET_TRY(read_node(im, s, &node[i], i, each ? first + i : first, err));
    WHET_TRY(made_room(im, err));
    for (int32_t k = 0; k < node[i].n_out; k++) {
      int32_t v = resolve(s, node[i].out[k], NULL);
      if (v >= 0) im->ox_made[v] = 1;
    }
  }
  return WHET_OK;
}

/* ---- graphs -----------------------------------------------------------------------------------------------------
 */

/* Source nodes of a graph, in its order; *first receives the number of the first. */
static whet_status source_nodes(whet_import *im, const whet_ox_graph *g, int32_t *first, whet_err *err) {
  *first = im->m->source.n_node;
  for (int32_t i = 0; i < g->n_node; i++) {
    const whet_ox_node *n = &g->node[i];
    whet_arena *a = &im->g->arena;
    whet_source_node x = {
        .name = whet__arena_str(a, n->name.p, n->name.n), .type = whet__arena_str(a, n->op.p, n->op.n), .index = i};
    const char *domain = canonical_domain(n->domain);
    x.domain = domain[0] ? whet__arena_str(a, domain, strlen(domain)) : "";
    if (!x.name || !x.type || !x.domain || whet__im_source_node(im, &x) < 0) return refused(im, err);
  }
  return WHET_OK;
}

static whet_status read_outputs(whet_import *im, const whet_ox_graph *g, struct whet_ox_scope *s, whet_err *err) {
  whet_region *r = s->region;
  r->out = whet__arena_array(&im->g->arena, (size_t)g->n_out, sizeof *r->out);
  if (!r->out) return refused(im, err);
  for (int32_t i = 0; i < g->n_out; i++) {
    int32_t v = resolve(s, g->out[i].name, NULL);
    if (v < 0)
      return whet__fail(err, WHET_E_FORMAT, "output %d of graph \"%.60s\", \"%.80s\", is made by no node", (int)i,
                        g->name.p, g->out[i].name.p);
    r->out[r->n_out++] = v;
  }
  return WHET_OK;
}

/* The graph, in a scope whose fields are set but for its names. */
static whet_status read_graph(whet_import *im, const whet_ox_graph *g, struct whet_ox_scope *s, whet_err *err) {
  whet_region *r = s->region;
  int32_t first = im->op ? im->op->origin : -1;
  WHET_TRY(whet__im_spend(im, 1 + g->n_in + g->n_out + g->n_info, false, err));
  if (!s->call) WHET_TRY(source_nodes(im, g, &first, err));
  if (!(r->name = whet__arena_str(&im->g->arena, g->name.p, g->name.n))) return refused(im, err);
  WHET_TRY(s->main ? read_main_inputs(im, g, s, err) : read_body_inputs(im, g, s, err));
  WHET_TRY(read_inits(im, g, s, err));
  if (s->main && im->ox->ir_version >= 4) note_overrides(im, g, s); /* before, every initialiser had to be an input */
  WHET_TRY(declare_outputs(im, s, g->node, g->n_node, err));
  if (s->main) {
    im->m->source.n_main = im->m->source.n_tensor;
    im->m->source.n_main_node = im->m->source.n_node;
  }
  WHET_TRY(declare_infos(im, s, g->info, g->n_info, false, err));
  WHET_TRY(declare_infos(im, s, g->out, g->n_out, s->main, err));
  WHET_TRY(made_room(im, err));
  for (int32_t i = 0; i < r->n_in; i++) im->ox_made[r->in[i]] = 1;
  WHET_TRY(read_nodes(im, s, g->node, g->n_node, first, !s->call, err));
  WHET_TRY(read_outputs(im, g, s, err));
  if (!s->unsorted || (im->n_missing && !im->m->loose)) return WHET_OK;
  WHET_TRY(whet__im_spend(im, im->g->n_val + im->g->n_node, false, err));
  whet__model_log(im->m, 1, "graph \"%s\": nodes stand before those that they need; they are sorted", r->name);
  return whet__region_sort(im->g, r, err);
}

whet_status whet__ox_body(whet_import *im, const whet_ox_graph *g, struct whet_ox_scope *up, whet_region *r,
                          whet_err *err) {
  struct whet_ox_scope s = {
      .up = up, .call = up->call, .opset = up->opset, .n_opset = up->n_opset, .region = r, .prefix = up->prefix};
  s.owner = &s;
  s.names.mem = &im->m->mem;
  whet_status st = read_graph(im, g, &s, err);
  whet__names_free(&s.names);
  return st;
}

/* ---- functions --------------------------------------------------------------------------------------------------
 */

/* What the body made of each output, given to the call's value where it is not that value itself. */
static whet_status return_outputs(whet_import *im, struct whet_im_op *o, const whet_ox_function *fn,
                                  struct whet_ox_scope *s, whet_err *err) {
  const whet_op *identity = whet__op_find("Identity");
  for (int32_t i = 0; i < fn->n_out && i < o->n_out; i++) {
    int32_t v = resolve(s, fn->out[i], NULL);
    if (o->out[i] < 0 || v == o->out[i]) continue;
    if (v < 0) return whet__fail(err, WHET_E_FORMAT, "the function makes no output \"%.80s\"", fn->out[i].p);
    WHET_TRY(whet__im_node(im, identity, NULL, &v, 1, &o->out[i], 1));
  }
  return WHET_OK;
}

/* The body of a function in place of the call, with its names set up. */
static whet_status read_function(whet_import *im, struct whet_im_op *o, const whet_ox_function *fn,
                                 struct whet_ox_scope *s, whet_err *err) {
  if (o->n_in > fn->n_in || o->n_out > fn->n_out)
    return whet__fail(err, WHET_E_FORMAT, "the function has %d inputs and %d outputs, the node %d and %d",
                      (int)fn->n_in, (int)fn->n_out, o->n_in, o->n_out);
  for (int32_t i = 0; i < fn->n_in; i++)
    WHET_TRY(bind(im, s, fn->in[i], i < o->n_in && o->in[i] >= 0 ? o->in[i] : WHET_OX_ABSENT, "input", err));
  for (int32_t i = 0; i < fn->n_out && i < o->n_out; i++)
    if (o->out[i] >= 0 && whet__names_get(&s->call->outs, fn->out[i].p, fn->out[i].n) < 0 &&
        !whet__names_set(&s->call->outs, fn->out[i].p, fn->out[i].n, o->out[i]))
      return refused(im, err);
  WHET_TRY(declare_outputs(im, s, fn->node, fn->n_node, err));
  WHET_TRY(read_nodes(im, s, fn->node, fn->n_node, o->origin, false, err));
  return return_outputs(im, o, fn, s, err);
}

/* Read function fn in place of node o. standard: a formula of our own, with opsets of its own. */
static whet_status read_call(whet_import *im, struct whet_im_op *o, const whet_ox_function *fn, bool standard) {
  struct whet_ox_call call = {.fn = fn, .node = o->ox, .scope = o->ox_scope, .outs.mem = &im->m->mem};
  struct whet_ox_scope s = {.owner = o->ox_scope->owner,
                            .call = &call,
                            .names.mem = &im->m->mem,
                            .opset = fn->opset,
                            .n_opset = fn->n_opset,
                            .region = o->region};
  whet_err *outer = im->err, inner = {0};
  whet_status st = whet__im_spend(im, 1 + o->n_in + o->n_out, true, &o->err);
  if (!st) st = whet__im_enter(im, &o->err);
  if (st) return whet__im_place(o, im->err);
  if (!fn->n_opset && !standard) {
    s.opset = im->ox->opset;
    s.n_opset = im->ox->n_opset;
  }
  const char *base = o->name[0] || !o->n_out || o->out[0] < 0 ? o->name : im->g->val[o->out[0]].name;
  s.prefix = whet__arena_printf(&im->tmp, "%.400s%s", base, base[0] ? "/" : "");
  im->op = o;
  im->err = &inner;
  st = s.prefix ? read_function(im, o, fn, &s, &inner) : refused(im, &inner);
  im->err = outer;
  im->op = o->up;
  whet__im_leave(im);
  whet__names_free(&s.names);
  whet__names_free(&call.outs);
  if (!st) return WHET_OK;
  if (!inner.code) whet__fail(&inner, st, "%s", o->err.text);
  o->err = inner;
  return whet__im_place(o, outer);
}

/* ---- the model --------------------------------------------------------------------------------------------------
 */

/* Texts that the file carries, the fixed ones first so that they win over the file's own keys. */
static whet_status read_meta(whet_import *im, const whet_ox_model *m) {
  char version[24];
  int n = snprintf(version, sizeof version, "%lld", (long long)m->version);
  const struct {
    const char *key;
    whet_str value;
  } fixed[] = {{"producer_name", m->producer}, {"producer_version", m->producer_version},
               {"domain", m->domain},          {"graph_name", m->graph->name},
               {"description", m->doc},        {"graph_description", m->graph->doc}};
  for (size_t i = 0; i < WHET_COUNT(fixed); i++)
    if (fixed[i].value.n) WHET_TRY(whet__im_meta(im, fixed[i].key, fixed[i].value));
  WHET_TRY(whet__im_meta(im, "version", (whet_str){version, (size_t)n}));
  for (int32_t i = 0; i < m->n_prop; i++) WHET_TRY(whet__im_meta(im, m->prop[i].key.p, m->prop[i].value));
  return WHET_OK;
}

/* Functions of the model by domain, name and overload. */
static whet_status index_functions(whet_import *im, const whet_ox_model *m) {
  for (int32_t i = 0; i < m->n_fn; i++) {
    const whet_ox_function *f = &m->fn[i];
    const char *key =
        whet__arena_printf(&im->tmp, "%.120s\n%.120s\n%.120s", canonical_domain(f->domain), f->name.p, f->overload.p);
    if (!key) return refused(im, im->err);
    if (f->domain.n > 120 || f->name.n > 120 || f->overload.n > 120)
      return whet__fail(im->err, WHET_E_LIMIT, "function \"%.80s\": its name is longer than 120 bytes", f->name.p);
    if (f->n_opset > MAX_OPSETS)
      return whet__fail(im->err, WHET_E_LIMIT, "function \"%.80s\" imports %d opsets", f->name.p, (int)f->n_opset);
    if (whet__names_get(&im->ox_functions, key, strlen(key)) >= 0)
      return whet__fail(im->err, WHET_E_FORMAT, "function \"%.80s\" is defined twice", f->name.p);
    if (!whet__names_set(&im->ox_functions, key, strlen(key), i)) return refused(im, im->err);
  }
  return WHET_OK;
}

static whet_status read_model(whet_import *im, whet_ox_model *m) {
  whet_model *model = im->m;
  static const whet_ox_opset k_first = {{"", 0}, 1};
  WHET_TRY(whet__ox_model((whet_span){model->bytes, model->n_bytes, 0, false}, &im->tmp, model->limits.nodes,
                          model->limits.depth, m, im->err));
  if (!m->graph) return whet__fail(im->err, WHET_E_FORMAT, "no ONNX model: there is no graph in it");
  if (m->n_opset > MAX_OPSETS)
    return whet__fail(im->err, WHET_E_LIMIT, "the model imports %d opsets", (int)m->n_opset);
  if (!m->n_opset && m->ir_version < 3) m->opset = &k_first, m->n_opset = 1; /* opsets came with IR 3 */
  im->ox = m;
  WHET_TRY(read_meta(im, m));
  WHET_TRY(index_functions(im, m));
  WHET_TRY(whet__ox_take_given(im));
  struct whet_ox_scope s = {
      .opset = m->opset, .n_opset = m->n_opset, .region = &im->g->main, .prefix = "", .main = true};
  s.owner = &s;
  s.names.mem = &model->mem;
  whet_status st = read_graph(im, m->graph, &s, im->err);
  whet__names_free(&s.names);
  return st;
}

whet_status whet__onnx_read(whet_import *im) {
  whet_ox_model m;
  im->ox_functions.mem = im->ox_files.mem = im->ox_given.mem = &im->m->mem;
  whet_status st = read_model(im, &m);
  whet__names_free(&im->ox_functions);
  whet__names_free(&im->ox_files);
  whet__names_free(&im->ox_given);
  whet__free(&im->m->mem, im->ox_made);
  im->ox_made = NULL;
  im->ox = NULL;
  return st;
}
