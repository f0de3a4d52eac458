/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about whole graphs: who uses what, is it sound, in which order can it run, a copy of it. */

#include <stdio.h>

#include "base/dtype.h"
#include "ir/graph.h"
#include "op/op.h"

bool whet__graph_uses(const whet_graph *g, whet_arena *a, whet_uses *u) {
  size_t nv = (size_t)g->n_val, total = 0;
  u->maker = whet__arena_array(a, nv + 1, sizeof *u->maker);
  u->count = whet__arena_array(a, nv + 1, sizeof *u->count);
  u->first = whet__arena_array(a, nv + 2, sizeof *u->first);
  if (!u->maker || !u->count || !u->first) return false;
  for (size_t v = 0; v < nv; v++) u->maker[v] = -1;
  for (int32_t i = 0; i < g->n_node; i++) {
    const whet_node *n = &g->node[i];
    if (n->dead) continue;
    for (int k = 0; k < n->n_out; k++)
      if (n->out[k] >= 0) u->maker[n->out[k]] = i;
    for (int k = 0; k < n->n_in; k++)
      if (n->in[k] >= 0) u->count[n->in[k]]++, total++;
  }
  u->user = whet__arena_array(a, total + 1, sizeof *u->user);
  if (!u->user) return false;
  for (size_t v = 0; v < nv; v++) u->first[v + 1] = u->first[v] + u->count[v];
  for (int32_t i = g->n_node - 1; i >= 0; i--) {
    const whet_node *n = &g->node[i];
    if (n->dead) continue;
    for (int k = n->n_in - 1; k >= 0; k--) /* counts run down to 0 here ... */
      if (n->in[k] >= 0) u->user[u->first[n->in[k]] + --u->count[n->in[k]]] = i;
  }
  for (size_t v = 0; v < nv; v++) u->count[v] = u->first[v + 1] - u->first[v]; /* ... and are set again */
  for (int k = 0; k < g->main.n_out; k++)
    if (g->main.out[k] >= 0) u->count[g->main.out[k]]++;
  for (int32_t i = 0; i < g->n_node; i++)
    for (int b = 0; !g->node[i].dead && b < g->node[i].n_body; b++) {
      const whet_region *r = g->node[i].body[b];
      for (int k = 0; k < r->n_out; k++)
        if (r->out[k] >= 0) u->count[r->out[k]]++;
    }
  return true;
}

/* State of a verification: which values are made, in which order. */
struct verify {
  const whet_graph *g;
  uint8_t *made; /* by value: 1 made and in scope, 2 made in a body that has ended */
  whet_err *err;
};

/* A node's result, or an input of a region: nothing else gives it contents. */
static bool must_be_made(const whet_graph *g, int32_t x) {
  return g->val[x].role == WHET_ROLE_NODE || g->val[x].role == WHET_ROLE_INPUT;
}

static whet_status verify_region(struct verify *v, const whet_region *r, int depth);

static whet_status verify_node(struct verify *v, const whet_node *n, int depth) {
  for (int k = 0; k < n->n_in; k++) {
    int32_t x = n->in[k];
    if (x < -1 || x >= v->g->n_val)
      return whet__fail(v->err, WHET_E_INTERNAL, "node \"%s\" (%s): input %d is no value", n->name, n->op->name, k);
    if (x >= 0 && v->g->val[x].role == WHET_ROLE_CONST && !v->g->val[x].dtype && v->g->val[x].kind == WHET_TENSOR)
      return whet__fail(v->err, WHET_E_FORMAT, "node \"%s\" (%s): input %d, constant \"%s\", has no element type", n->name,
                        n->op->name, k, v->g->val[x].name);
    if (x >= 0 && must_be_made(v->g, x) && v->made[x] != 1)
      return whet__fail(v->err, WHET_E_FORMAT,
                        "node \"%s\" (%s): input %d, \"%s\", is used before it is made, or never made", n->name,
                        n->op->name, k, v->g->val[x].name);
  }
  for (int b = 0; b < n->n_body; b++) WHET_TRY(verify_region(v, n->body[b], depth + 1));
  for (int k = 0; k < n->n_out; k++) {
    int32_t x = n->out[k];
    if (x == -1) continue;
    if (x < 0 || x >= v->g->n_val)
      return whet__fail(v->err, WHET_E_INTERNAL, "node \"%s\" (%s): output %d is no value", n->name, n->op->name, k);
    if (v->made[x] || v->g->val[x].role != WHET_ROLE_NODE)
      return whet__fail(v->err, WHET_E_FORMAT, "node \"%s\" (%s): output %d, \"%s\", is made twice", n->name,
                        n->op->name, k, v->g->val[x].name);
    v->made[x] = 1;
  }
  if (n->op->attr_size && !n->attr)
    return whet__fail(v->err, WHET_E_INTERNAL, "node \"%s\" (%s) has no attributes", n->name, n->op->name);
  return WHET_OK;
}

/* What a body has made is not seen outside it. */
static void leave(struct verify *v, const whet_region *r) {
  for (int k = 0; k < r->n_in; k++) v->made[r->in[k]] = 2;
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &v->g->node[r->node[i]];
    for (int k = 0; k < n->n_out; k++)
      if (n->out[k] >= 0) v->made[n->out[k]] = 2;
  }
}

static whet_status verify_region(struct verify *v, const whet_region *r, int depth) {
  if (depth > 64) return whet__fail(v->err, WHET_E_LIMIT, "subgraphs are nested more than 64 deep");
  for (int k = 0; k < r->n_in; k++) {
    if (r->in[k] < 0 || r->in[k] >= v->g->n_val)
      return whet__fail(v->err, WHET_E_INTERNAL, "a graph input is no value");
    if (!must_be_made(v->g, r->in[k]) || v->made[r->in[k]])
      return whet__fail(v->err, WHET_E_FORMAT, "input \"%s\" of a graph has contents already", v->g->val[r->in[k]].name);
    v->made[r->in[k]] = 1;
  }
  for (int32_t i = 0; i < r->n_node; i++) {
    if (r->node[i] < 0 || r->node[i] >= v->g->n_node)
      return whet__fail(v->err, WHET_E_INTERNAL, "a region lists no node");
    WHET_TRY(verify_node(v, &v->g->node[r->node[i]], depth));
  }
  for (int k = 0; k < r->n_out; k++) {
    int32_t x = r->out[k];
    if (x < 0 || x >= v->g->n_val) return whet__fail(v->err, WHET_E_FORMAT, "output %d of a graph is no value", k);
    if (must_be_made(v->g, x) && v->made[x] != 1)
      return whet__fail(v->err, WHET_E_FORMAT, "output \"%s\" of a graph is made by no node", v->g->val[x].name);
  }
  if (depth > 0) leave(v, r);
  return WHET_OK;
}

whet_status whet__graph_verify(const whet_graph *g, whet_err *err) {
  struct verify v = {g, whet__alloc0(g->mem, (size_t)g->n_val + 1), err};
  if (!v.made) return whet__no_memory(g->mem, (size_t)g->n_val, err, "checking the graph");
  whet_status s = verify_region(&v, &g->main, 0);
  whet__free(g->mem, v.made);
  return s;
}

/* Every value that a node needs: its inputs, and what its bodies use of values made outside them. */
static void each_need(const whet_graph *g, const whet_node *n, void (*fn)(void *, int32_t), void *arg) {
  for (int k = 0; k < n->n_in; k++)
    if (n->in[k] >= 0) fn(arg, n->in[k]);
  for (int b = 0; b < n->n_body; b++) {
    for (int32_t i = 0; i < n->body[b]->n_node; i++) each_need(g, &g->node[n->body[b]->node[i]], fn, arg);
    for (int k = 0; k < n->body[b]->n_out; k++)
      if (n->body[b]->out[k] >= 0) fn(arg, n->body[b]->out[k]);
  }
}

struct sort {
  const whet_graph *g;
  int32_t *place; /* value -> position in the region of the node that makes it, or -1 */
  int32_t *stack;
  int32_t n_stack;
  uint8_t *state; /* position: 0 new, 1 on the way, 2 placed */
  bool pending, cycle;
};

static void push_need(void *arg, int32_t v) {
  struct sort *s = arg;
  int32_t at = s->place[v];
  if (at < 0 || s->state[at] == 2) return;
  if (s->state[at] == 1) {
    s->cycle = true;
    return;
  }
  s->pending = true;
  s->stack[s->n_stack++] = at;
  s->state[at] = 3; /* asked for; becomes 1 when it is looked at */
}

whet_status whet__region_sort(whet_graph *g, whet_region *r, whet_err *err) {
  size_t n = (size_t)r->n_node, needs = n + 1; /* a node is pushed at most once for each use of its outputs */
  struct sort s = {.g = g};
  whet_status st = WHET_E_MEMORY;
  for (int32_t i = 0; i < g->n_node; i++) {
    needs += g->node[i].n_in;
    for (int b = 0; b < g->node[i].n_body; b++) needs += (size_t)g->node[i].body[b]->n_out;
  }
  int32_t *order = whet__alloc_array(g->mem, n + 1, sizeof *order);
  s.place = whet__alloc_array(g->mem, (size_t)g->n_val + 1, sizeof *s.place);
  s.stack = whet__alloc_array(g->mem, needs, sizeof *s.stack);
  s.state = whet__alloc0(g->mem, n + 1);
  if (!order || !s.place || !s.stack || !s.state) goto done;
  for (int32_t v = 0; v < g->n_val; v++) s.place[v] = -1;
  for (size_t i = 0; i < n; i++) {
    const whet_node *x = &g->node[r->node[i]];
    for (int k = 0; k < x->n_out; k++)
      if (x->out[k] >= 0) s.place[x->out[k]] = (int32_t)i;
  }
  size_t placed = 0;
  for (size_t i = 0; i < n; i++) {
    if (s.state[i] == 2) continue;
    s.n_stack = 0;
    s.stack[s.n_stack++] = (int32_t)i;
    while (s.n_stack && !s.cycle) {
      int32_t at = s.stack[s.n_stack - 1];
      if (s.state[at] == 2) {
        s.n_stack--;
        continue;
      }
      s.state[at] = 1;
      s.pending = false;
      int32_t base = s.n_stack;
      each_need(g, &g->node[r->node[at]], push_need, &s);
      for (int32_t k = base; k < s.n_stack; k++)
        if (s.state[s.stack[k]] == 3) s.state[s.stack[k]] = 0;
      if (s.pending) continue;
      s.n_stack--;
      s.state[at] = 2;
      order[placed++] = r->node[at];
    }
    if (s.cycle) break;
  }
  st = s.cycle ? WHET_E_FORMAT : WHET_OK;
  if (!st) memcpy(r->node, order, n * sizeof *order);
done:
  whet__free(g->mem, order);
  whet__free(g->mem, s.place);
  whet__free(g->mem, s.stack);
  whet__free(g->mem, s.state);
  if (st == WHET_E_MEMORY) return whet__no_memory(g->mem, needs * sizeof *order, err, "sorting nodes");
  return st ? whet__fail(err, st, "nodes of graph \"%.80s\" need each other in a circle", r->name ? r->name : "")
            : WHET_OK;
}

/* A copy of a region's lists in another graph's arena. */
static whet_region *copy_region(const whet_region *r, whet_graph *to) {
  whet_region *c = whet__arena_copy(&to->arena, r, sizeof *r);
  if (!c) return NULL;
  c->node = whet__arena_copy(&to->arena, r->node, (size_t)r->n_node * sizeof *r->node);
  c->in = whet__arena_copy(&to->arena, r->in, (size_t)r->n_in * sizeof *r->in);
  c->out = whet__arena_copy(&to->arena, r->out, (size_t)r->n_out * sizeof *r->out);
  c->cap_node = (size_t)r->n_node;
  return c->node && c->in && c->out ? c : NULL;
}

whet_status whet__graph_copy(const whet_graph *from, whet_mem *mem, whet_graph *to, whet_err *err) {
  whet__graph_init(to, mem);
  to->next_data = from->next_data;
  whet_region *main = copy_region(&from->main, to);
  if (!main || !whet__grow(mem, (void **)&to->val, &to->cap_val, (size_t)from->n_val + 1, sizeof *to->val) ||
      !whet__grow(mem, (void **)&to->node, &to->cap_node, (size_t)from->n_node + 1, sizeof *to->node) ||
      !whet__grow(mem, (void **)&to->symbol, &to->cap_symbol, (size_t)from->n_symbol + 1, sizeof *to->symbol))
    goto full;
  to->main = *main;
  if (from->n_val) memcpy(to->val, from->val, (size_t)from->n_val * sizeof *to->val);
  if (from->n_symbol) memcpy(to->symbol, from->symbol, (size_t)from->n_symbol * sizeof *to->symbol);
  to->n_val = from->n_val;
  to->n_symbol = from->n_symbol;
  for (int32_t i = 0; i < from->n_node; i++) {
    const whet_node *n = &from->node[i];
    whet_node *c = &to->node[to->n_node++];
    *c = *n;
    int32_t *list = whet__arena_array(&to->arena, (size_t)n->n_in + n->n_out, sizeof *list);
    if (!list) goto full;
    if (n->n_in) memcpy(list, n->in, n->n_in * sizeof *list);
    if (n->n_out) memcpy(list + n->n_in, n->out, n->n_out * sizeof *list);
    c->in = list;
    c->out = list + n->n_in;
    if (n->n_body && !(c->body = whet__arena_array(&to->arena, n->n_body, sizeof *c->body))) goto full;
    for (int b = 0; b < n->n_body; b++)
      if (!(c->body[b] = copy_region(n->body[b], to))) goto full;
  }
  return WHET_OK;
full:
  whet__graph_free(to);
  return whet__no_memory(mem, 0, err, "a copy of the graph");
}

bool whet__tensor_dense(const whet_tensor *t) {
  int64_t stride = 1;
  for (int32_t i = t->rank - 1; i >= 0; i--) {
    if (t->dim[i] != 1 && t->stride[i] != stride) return false;
    stride *= t->dim[i];
  }
  return true;
}
