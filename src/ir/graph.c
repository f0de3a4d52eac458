/* SPDX-License-Identifier: Apache-2.0 */
/* Building and changing graphs. */

#include "ir/graph.h"

#include <stdio.h>

#include "base/dtype.h"
#include "op/op.h"

void whet__graph_init(whet_graph *g, whet_mem *mem) {
  *g = (whet_graph){.mem = mem};
  whet__arena_init(&g->arena, mem);
  g->next_data = 1;
}

/* Arrays that grow are counted blocks, since an arena would keep every old copy. */
void whet__graph_free(whet_graph *g) {
  if (!g->mem) return;
  whet__free(g->mem, g->val);
  whet__free(g->mem, g->node);
  whet__free(g->mem, g->symbol);
  whet__arena_free(&g->arena);
  *g = (whet_graph){0};
}

int32_t whet__graph_val(whet_graph *g, const char *name) {
  if (!whet__grow(g->mem, (void **)&g->val, &g->cap_val, (size_t)g->n_val + 1, sizeof *g->val)) return -1;
  if (!name) name = whet__arena_printf(&g->arena, "_%d", g->n_val);
  if (!name) return -1;
  g->val[g->n_val] = (whet_val){.name = name, .origin = -1, .shape.rank = -1};
  return g->n_val++;
}

int32_t whet__graph_const(whet_graph *g, const char *name, whet_dtype t, int32_t rank, const int64_t *dims,
                          const void *p, bool mapped) {
  if (rank < 0 || rank > WHET_MAX_RANK) return -1;
  whet_shape s = whet__shape(rank, dims);
  if (whet__shape_count(&s) < 0) return -1;
  whet_data *d = whet__arena_alloc(&g->arena, sizeof *d);
  int32_t v = d ? whet__graph_val(g, name) : -1;
  if (v < 0) return -1;
  *d = (whet_data){
      .p = p, .n = whet_dtype_bytes(t, (size_t)whet__shape_count(&s)), .id = g->next_data++, .mapped = mapped};
  whet_val *x = &g->val[v];
  x->dtype = (uint8_t)t;
  x->role = WHET_ROLE_CONST;
  x->shape = s;
  x->data = d;
  return v;
}

int32_t whet__graph_const_copy(whet_graph *g, const char *name, whet_dtype t, int32_t rank, const int64_t *dims,
                               const void *p) {
  if (rank < 0 || rank > WHET_MAX_RANK) return -1;
  whet_shape s = whet__shape(rank, dims);
  int64_t n = whet__shape_count(&s);
  if (n < 0) return -1;
  size_t bytes = whet_dtype_bytes(t, (size_t)n);
  void *q = whet__arena_alloc(&g->arena, bytes + WHET_SLACK);
  if (!q) return -1;
  if (p) memcpy(q, p, bytes);
  return whet__graph_const(g, name, t, rank, dims, q, false);
}

bool whet__data_aligned(const whet_data *d, whet_dtype t) {
  size_t each = whet__dtype_size(t), align = t == WHET_STRING      ? sizeof(void *)
                                             : whet__is_complex(t) ? each / 2
                                                                   : each;
  return !align || (uintptr_t)d->p % align == 0;
}

bool whet__graph_align(whet_graph *g, int32_t v) {
  const whet_data *d = g->val[v].data;
  size_t n;
  if (g->val[v].role != WHET_ROLE_CONST || whet__data_aligned(d, (whet_dtype)g->val[v].dtype)) return true;
  whet_data *copy = whet__arena_copy(&g->arena, d, sizeof *d);
  void *p = whet__add_size(d->n, WHET_SLACK, &n) ? whet__arena_alloc(&g->arena, n) : NULL;
  if (!copy || !p) return false;
  memcpy(p, d->p, d->n);
  copy->p = p;
  copy->mapped = false;
  g->val[v].data = copy;
  return true;
}

const whet_quant *whet__graph_quant(whet_graph *g, int32_t n, int32_t axis, const float *scale, const int32_t *zero) {
  whet_quant *q = whet__arena_alloc(&g->arena, sizeof *q);
  float *s = whet__arena_copy(&g->arena, scale, (size_t)n * sizeof *s);
  int32_t *z = whet__arena_array(&g->arena, (size_t)n, sizeof *z);
  if (!q || !s || !z) return NULL;
  if (zero) memcpy(z, zero, (size_t)n * sizeof *z);
  *q = (whet_quant){.n = n, .axis = axis, .scale = s, .zero = z};
  return q;
}

whet_dim whet__graph_symbol(whet_graph *g, const char *name) {
  for (int32_t i = 0; i < g->n_symbol; i++)
    if (!strcmp(g->symbol[i], name)) return WHET_DIM_SYM(i);
  char *copy = whet__arena_str(&g->arena, name, strlen(name));
  if (!copy || !whet__grow(g->mem, (void **)&g->symbol, &g->cap_symbol, (size_t)g->n_symbol + 1, sizeof *g->symbol))
    return WHET_DIM_ANY;
  g->symbol[g->n_symbol] = copy;
  return WHET_DIM_SYM(g->n_symbol++);
}

/* Room for one more entry in a region's list. It lies in the arena: old lists are small change. */
static bool region_room(whet_graph *g, whet_region *r) {
  if ((size_t)r->n_node < r->cap_node) return true;
  size_t cap = r->cap_node ? r->cap_node * 2 : 16;
  int32_t *list = whet__arena_array(&g->arena, cap, sizeof *list);
  if (!list) return false;
  if (r->n_node) memcpy(list, r->node, (size_t)r->n_node * sizeof *list);
  r->node = list;
  r->cap_node = cap;
  return true;
}

int32_t whet__graph_node(whet_graph *g, whet_region *r, const struct whet_op *op, const void *attr, const int32_t *in,
                         int n_in, const int32_t *out, int n_out) {
  if (n_in > UINT16_MAX || n_out > UINT16_MAX) return -1;
  if (!whet__grow(g->mem, (void **)&g->node, &g->cap_node, (size_t)g->n_node + 1, sizeof *g->node)) return -1;
  int32_t *list = whet__arena_array(&g->arena, (size_t)(n_in + n_out), sizeof *list);
  if (!list || (r && !region_room(g, r))) return -1;
  if (n_in) memcpy(list, in, (size_t)n_in * sizeof *list);
  if (n_out) memcpy(list + n_in, out, (size_t)n_out * sizeof *list);
  int32_t id = g->n_node++;
  g->node[id] = (whet_node){.op = op,
                            .attr = attr,
                            .in = list,
                            .out = list + n_in,
                            .n_in = (uint16_t)n_in,
                            .n_out = (uint16_t)n_out,
                            .name = "",
                            .origin = -1};
  if (r) r->node[r->n_node++] = id;
  return id;
}

bool whet__region_insert(whet_graph *g, whet_region *r, int32_t at, int32_t n) {
  if (!region_room(g, r)) return false;
  memmove(r->node + at + 1, r->node + at, (size_t)(r->n_node - at) * sizeof *r->node);
  r->node[at] = n;
  r->n_node++;
  return true;
}

void whet__region_remove(whet_graph *g, whet_region *r, int32_t at) {
  g->node[r->node[at]].dead = 1;
  memmove(r->node + at, r->node + at + 1, (size_t)(r->n_node - at - 1) * sizeof *r->node);
  r->n_node--;
}

static void replace_list(int32_t *list, int n, int32_t from, int32_t to) {
  for (int i = 0; i < n; i++)
    if (list[i] == from) list[i] = to;
}

void whet__graph_replace(whet_graph *g, int32_t from, int32_t to) {
  for (int32_t i = 0; i < g->n_node; i++) {
    whet_node *n = &g->node[i];
    if (n->dead) continue;
    replace_list(n->in, n->n_in, from, to);
    for (int b = 0; b < n->n_body; b++) replace_list(n->body[b]->out, n->body[b]->n_out, from, to);
  }
  replace_list(g->main.out, g->main.n_out, from, to);
}

int64_t whet__shape_count(const whet_shape *s) {
  int64_t n = 1;
  bool zero = false;
  if (s->rank < 0) return -1;
  for (int32_t i = 0; i < s->rank; i++) {
    if (s->d[i] < 0) return -1;
    if (!s->d[i]) zero = true;
  }
  if (zero) return 0;
  for (int32_t i = 0; i < s->rank; i++)
    if (__builtin_mul_overflow(n, s->d[i], &n)) return -1;
  return n > INT64_MAX / 16 ? -1 : n;
}

bool whet__quant_equal(const whet_quant *a, const whet_quant *b) {
  if (a == b) return true;
  if (!a || !b || a->n != b->n || a->block != b->block || (a->n > 1 && a->axis != b->axis)) return false;
  return !memcmp(a->scale, b->scale, (size_t)a->n * sizeof *a->scale) &&
         !memcmp(a->zero, b->zero, (size_t)a->n * sizeof *a->zero);
}

bool whet__shape_equal(const whet_shape *a, const whet_shape *b) {
  if (a->rank != b->rank) return false;
  for (int32_t i = 0; i < a->rank; i++)
    if (a->d[i] != b->d[i] || a->d[i] == WHET_DIM_ANY) return false;
  return true;
}

void whet__graph_tell(const whet_graph *g, int32_t rank, const int64_t *dims, whet_info *out) {
  out->rank = rank;
  for (int32_t i = 0; i < rank; i++) {
    int32_t sym = g ? whet__dim_symbol(dims[i]) : -1;
    out->dims[i] = dims[i] < 0 ? -1 : dims[i];
    out->symbol[i] = sym >= 0 && sym < g->n_symbol ? g->symbol[sym] : NULL;
  }
}

const char *whet__shape_text(const whet_graph *g, const whet_shape *s, char *text, size_t n) {
  if (s->rank < 0) {
    snprintf(text, n, "[...]");
    return text;
  }
  size_t at = 0;
  at += (size_t)snprintf(text, n, "[");
  for (int32_t i = 0; i < s->rank && at < n; i++) {
    const char *sep = i ? ", " : "";
    int32_t sym = whet__dim_symbol(s->d[i]);
    if (s->d[i] >= 0)
      at += (size_t)snprintf(text + at, n - at, "%s%lld", sep, (long long)s->d[i]);
    else if (sym >= 0 && g && sym < g->n_symbol)
      at += (size_t)snprintf(text + at, n - at, "%s%.40s", sep, g->symbol[sym]);
    else
      at += (size_t)snprintf(text + at, n - at, "%s?", sep);
  }
  if (at < n) snprintf(text + at, n - at, "]");
  return text;
}
