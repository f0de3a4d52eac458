/* SPDX-License-Identifier: Apache-2.0 */
/* What both readers share: budgets, finding the record of an operator, the list of those that are not there, and the
 * whet__im_ functions that records call. */

#include "format/import.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/dtype.h"

/* ---- budgets ----------------------------------------------------------------------------------------------------
 */

whet_status whet__im_spend(whet_import *im, int64_t entries, bool node, whet_err *err) {
  im->nodes -= node;
  if (im->nodes < 0)
    return whet__fail(err, WHET_E_LIMIT, "more than %lld operators after expansion", (long long)im->m->limits.nodes);
  im->work -= entries < 0 ? 0 : entries;
  if (im->work < 0)
    return whet__fail(err, WHET_E_LIMIT, "subgraphs and functions expand to more than the node limit allows");
  if (im->deadline_ns) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (t.tv_sec * INT64_C(1000000000) + t.tv_nsec > im->deadline_ns)
      return whet__fail(err, WHET_E_DEADLINE, "reading takes longer than the limit of %lld ms",
                        (long long)im->m->limits.load_ms);
  }
  return WHET_OK;
}

whet_status whet__im_enter(whet_import *im, whet_err *err) {
  if (im->depth >= im->m->limits.depth)
    return whet__fail(err, WHET_E_LIMIT, "subgraphs and functions are nested deeper than the limit of %d",
                      (int)im->m->limits.depth);
  im->depth++;
  return WHET_OK;
}

void whet__im_leave(whet_import *im) { im->depth--; }

whet_status whet__im_inflate(whet_import *im, uint64_t bytes, uint64_t stored, const char *name, whet_err *err) {
  enum { FREE = 64 << 20, FACTOR = 256 };
  if (bytes <= FREE || bytes / FACTOR <= stored) return WHET_OK;
  return whet__fail(err, WHET_E_LIMIT, "tensor \"%.60s\": %llu stored bytes would become %llu", name,
                    (unsigned long long)stored, (unsigned long long)bytes);
}

whet_status whet__im_no_memory(whet_import *im, whet_err *err, size_t n, const char *what) {
  return whet__no_memory(&im->m->mem, n, err, what);
}

/* ---- operators that are not there -------------------------------------------------------------------------------
 */

/* "node 7 \"name\"" of an operator and of those in whose bodies it stands. */
static const char *place_text(whet_import *im, const struct whet_im_op *o) {
  const char *in = o->up ? place_text(im, o->up) : NULL;
  const char *type = o->up ? o->up->type : "";
  return whet__arena_printf(&im->tmp, "%s%s%s%snode %d%s%.80s%s", in ? in : "", in ? " (" : "", in ? type : "",
                            in ? ") " : "", (int)o->index, o->name[0] ? " \"" : "", o->name, o->name[0] ? "\"" : "");
}

whet_status whet__im_missing(whet_import *im, const struct whet_im_op *o, const char *why) {
  const char *domain = o->domain[0] ? o->domain : "ai.onnx";
  const char *text = why ? whet__arena_printf(&im->tmp, "%.80s: %.400s", o->type, why)
                         : whet__arena_printf(&im->tmp, "%.80s (%.80s %d)", o->type, domain, o->since);
  if (!text) goto refused;
  int32_t at = whet__names_get(&im->missing_names, text, strlen(text));
  if (at >= 0) {
    im->missing[at].count++;
    return WHET_OK;
  }
  const char *place = place_text(im, o);
  if (!place ||
      !whet__grow(&im->m->mem, (void **)&im->missing, &im->cap_missing, (size_t)im->n_missing + 1,
                  sizeof *im->missing) ||
      !whet__names_set(&im->missing_names, text, strlen(text), im->n_missing))
    goto refused;
  im->missing[im->n_missing++] = (struct whet_im_missing){text, place, 1};
  return WHET_OK;
refused:
  return whet__im_no_memory(im, im->err, 512, "the list of operators that are missing");
}

whet_status whet__im_missing_error(whet_import *im, whet_status s) {
  if (!im->n_missing) return s;
  whet_err *err = im->err;
  char *text = err->text;
  size_t room = sizeof err->text, keep = 24, at; /* keep: for "; and 12345678 more" */
  at = (size_t)snprintf(text, room, "%d operator%s not supported: ", (int)im->n_missing,
                        im->n_missing > 1 ? "s are" : " is");
  bool full = false;
  for (int32_t i = 0; i < im->n_missing; i++) {
    char one[700];
    const struct whet_im_missing *x = &im->missing[i];
    int n = snprintf(one, sizeof one, "%s, %s", x->text, x->place);
    if (x->count > 1 && n > 0 && (size_t)n < sizeof one)
      snprintf(one + n, sizeof one - (size_t)n, " and %d more", (int)x->count - 1);
    whet__model_log(im->m, 0, "not supported: %s", one);
    if (full || (im->m->loose && !s)) continue;
    size_t len = strlen(one) + (i ? 2 : 0);
    if (at + len + keep < room) {
      at += (size_t)snprintf(text + at, room - at, "%s%s", i ? "; " : "", one);
    } else if (!i) {
      at += (size_t)snprintf(text + at, room - at - keep, "%s", one);
      at = strlen(text);
    } else {
      snprintf(text + at, room - at, "; and %d more", (int)(im->n_missing - i));
      full = true;
    }
  }
  if (im->m->loose && !s) return WHET_OK;
  whet__one_line(text);
  err->code = WHET_E_UNSUPPORTED;
  return WHET_E_UNSUPPORTED;
}

whet_status whet__im_place(struct whet_im_op *o, whet_err *err) {
  /* The outermost two places and the innermost say enough. */
  bool deep = o->up && o->up->up && !strncmp(o->err.text, "node ", 5);
  if (!deep && o->name[0])
    whet__fail_in(&o->err, "node %d \"%.80s\" (%.60s)", (int)o->index, o->name, o->type);
  else if (!deep)
    whet__fail_in(&o->err, "node %d (%.60s)", (int)o->index, o->type);
  return whet__fail(err, o->err.code, "%s", o->err.text);
}

/* ---- one operator -----------------------------------------------------------------------------------------------
 */

/* A model that is opened loosely keeps what cannot run: a node of a record that has only a name. What the record of
 * the operator had appended before it gave up (from position `from` of the region on) goes. */
static whet_status keep_missing(whet_import *im, struct whet_im_op *o, int32_t from) {
  if (!im->m->loose) return WHET_OK;
  while (o->region->n_node > from) whet__region_remove(im->g, o->region, o->region->n_node - 1);
  whet_op *op = whet__arena_alloc(&im->g->arena, sizeof *op);
  char *name = whet__arena_str(&im->g->arena, o->type, strlen(o->type));
  if (!op || !name) return whet__im_no_memory(im, im->err, sizeof *op, "the graph");
  op->name = name;
  im->op = o;
  whet_status s = whet__im_node_as_is(im, op, NULL);
  im->op = o->up;
  return s ? whet__im_place(o, im->err) : WHET_OK;
}

whet_status whet__im_run(whet_import *im, struct whet_im_op *o) {
  const whet_op *op = NULL;
  int oldest;
  int32_t from = o->region->n_node;
  o->up = im->op;
  o->last = -1;
  WHET_TRY(whet__im_spend(im, 1 + o->n_in + o->n_out, true, im->err));
  const whet_from *f = whet__from_find(o->domain, o->type, o->since, &op, &oldest);
  if (!f) {
    WHET_TRY(whet__im_missing(im, o, NULL));
    return keep_missing(im, o, from);
  }
  im->op = o;
  whet_status s = f->fn ? f->fn(im, op) : whet__im_node_as_is(im, op, NULL);
  im->op = o->up;
  if (!s) s = o->bad;
  if (!s && im->no_memory) s = whet__im_no_memory(im, &o->err, 64, "reading the model");
  if (!s && im->tf && im->tf->fb.bad)
    s = whet__fail(&o->err, WHET_E_FORMAT, "byte %zu: expected %s", im->tf->fb.at, im->tf->fb.what);
  if (!s) return WHET_OK;
  if (!o->err.code) whet__fail(&o->err, s, "the operator cannot be read");
  if (s != WHET_E_UNSUPPORTED) return whet__im_place(o, im->err);
  WHET_TRY(whet__im_missing(im, o, o->err.text));
  o->err.code = WHET_OK;
  return keep_missing(im, o, from);
}

/* ---- values -----------------------------------------------------------------------------------------------------
 */

bool whet__im_set_const(whet_import *im, int32_t v, whet_dtype t, const whet_shape *s, const void *p, bool mapped) {
  whet_data *d = whet__arena_alloc(&im->g->arena, sizeof *d);
  if (!d) {
    im->no_memory = true;
    return false;
  }
  *d = (whet_data){
      .p = p, .n = whet_dtype_bytes(t, (size_t)whet__shape_count(s)), .id = im->g->next_data++, .mapped = mapped};
  whet_val *x = &im->g->val[v];
  x->dtype = (uint8_t)t;
  x->kind = WHET_TENSOR;
  x->role = WHET_ROLE_CONST;
  x->shape = *s;
  x->data = d;
  return true;
}

/* True when every byte is 0 or 1, as kernels expect of BOOL. */
static bool clean_bools(const uint8_t *p, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (p[i] > 1) return false;
  return true;
}

/* Misaligned contents from this many bytes on stay where they are until it is known who reads them: whet__im_align.
 */
enum { IN_PLACE = 64 << 10 };

whet_status whet__im_bytes(whet_import *im, const char *name, whet_dtype t, const uint8_t *src, size_t bytes,
                           const void **p, bool *mapped, whet_err *err) {
  static const uint64_t k_empty = 0; /* contents of a tensor without elements are a valid pointer, too */
  size_t each = whet__dtype_size(t), align = whet__is_complex(t) ? each / 2 : each ? each : 1, n;
  bool clean = t != WHET_BOOL || clean_bools(src, bytes);
  *mapped = bytes && clean && ((uintptr_t)src % align == 0 || bytes >= IN_PLACE);
  *p = bytes ? src : (const void *)&k_empty;
  if (!bytes || *mapped) return WHET_OK;
  uint8_t *copy = whet__add_size(bytes, WHET_SLACK, &n) ? whet__arena_alloc(&im->g->arena, n) : NULL;
  if (!copy) return whet__im_no_memory(im, err, bytes, name);
  if (clean)
    memcpy(copy, src, bytes);
  else
    for (size_t i = 0; i < bytes; i++) copy[i] = src[i] != 0;
  *p = copy;
  return WHET_OK;
}

/* The constants of a list. */
static bool align_list(whet_graph *g, const int32_t *v, int n) {
  for (int k = 0; k < n; k++)
    if (v[k] >= 0 && !whet__graph_align(g, v[k])) return false;
  return true;
}

whet_status whet__im_align(whet_import *im) {
  whet_graph *g = im->g;
  bool ok = align_list(g, g->main.out, g->main.n_out);
  for (int32_t i = 0; i < im->m->n_signature && ok; i++)
    ok = align_list(g, im->m->signature[i].out, im->m->signature[i].n_out);
  for (int32_t i = 0; i < g->n_node && ok; i++) {
    const whet_node *n = &g->node[i];
    ok = n->dead || n->op->flags & WHET_OP_PACKS || align_list(g, n->in, n->n_in);
    for (int b = 0; b < n->n_body && ok; b++) ok = align_list(g, n->body[b]->out, n->body[b]->n_out);
  }
  return ok ? WHET_OK : whet__im_no_memory(im, im->err, 1 << 20, "constants");
}

whet_dim whet__im_symbol(whet_import *im, whet_str name, bool make) {
  if (!name.n) return WHET_DIM_ANY;
  int32_t at = whet__names_get(&im->symbols, name.p, name.n);
  if (at >= 0) return WHET_DIM_SYM(at);
  if (!make) return WHET_DIM_ANY;
  whet_graph *g = im->g;
  char *copy = whet__arena_str(&g->arena, name.p, name.n);
  if (!copy || !whet__grow(g->mem, (void **)&g->symbol, &g->cap_symbol, (size_t)g->n_symbol + 1, sizeof *g->symbol) ||
      !whet__names_set(&im->symbols, copy, name.n, g->n_symbol)) {
    im->no_memory = true;
    return WHET_DIM_ANY;
  }
  g->symbol[g->n_symbol] = copy;
  return WHET_DIM_SYM(g->n_symbol++);
}

int32_t whet__im_source_tensor(whet_import *im, const whet_source_tensor *t) {
  whet_source *s = &im->m->source;
  if (!whet__grow(&im->m->mem, (void **)&s->tensor, &s->cap_tensor, (size_t)s->n_tensor + 1, sizeof *s->tensor)) {
    im->no_memory = true;
    return -1;
  }
  s->tensor[s->n_tensor] = *t;
  return s->n_tensor++;
}

int32_t whet__im_source_node(whet_import *im, const whet_source_node *n) {
  whet_source *s = &im->m->source;
  if (!whet__grow(&im->m->mem, (void **)&s->node, &s->cap_node, (size_t)s->n_node + 1, sizeof *s->node)) {
    im->no_memory = true;
    return -1;
  }
  s->node[s->n_node] = *n;
  return s->n_node++;
}

whet_status whet__im_meta(whet_import *im, const char *key, whet_str value) {
  whet_model *m = im->m;
  char *k = whet__arena_str(&m->graph.arena, key, strlen(key)),
       *v = whet__arena_str(&m->graph.arena, value.p, value.n);
  if (!k || !v || !whet__grow(&m->mem, (void **)&m->meta, &m->cap_meta, (size_t)m->n_meta + 1, sizeof *m->meta))
    return whet__im_no_memory(im, im->err, value.n, "metadata");
  m->meta[m->n_meta++] = (whet_meta){k, v, value.n};
  return WHET_OK;
}

/* ---- what records call ------------------------------------------------------------------------------------------
 */

whet_err *whet__im_err(whet_import *im) { return &im->op->err; }
whet_arena *whet__im_arena(whet_import *im) { return &im->g->arena; }
whet_graph *whet__im_graph(whet_import *im) { return im->g; }
int whet__im_since(const whet_import *im) { return im->op->since; }
int whet__im_n_in(const whet_import *im) { return im->op->n_in; }
int whet__im_n_out(const whet_import *im) { return im->op->n_out; }
int32_t whet__im_in(const whet_import *im, int i) { return i >= 0 && i < im->op->n_in ? im->op->in[i] : -1; }
int32_t whet__im_out(const whet_import *im, int i) { return i >= 0 && i < im->op->n_out ? im->op->out[i] : -1; }
bool whet__im_rules_micro(const whet_import *im) { return im->m->micro; }

const whet_val *whet__im_val(const whet_import *im, int32_t v) {
  static const whet_val k_none = {.name = "", .shape.rank = -1, .origin = -1};
  return v >= 0 && v < im->g->n_val ? &im->g->val[v] : &k_none;
}

whet_status whet__im_fail(whet_import *im, whet_status code, const char *fmt, ...) {
  char text[sizeof im->op->err.text];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  return whet__fail(&im->op->err, code, "%s", text);
}

/* The cache entry of constant v, when it is one with numbers that `fits`; else NULL. */
static struct whet_im_cache *cached(whet_import *im, int32_t v, bool (*fits)(whet_dtype), int32_t *n) {
  const whet_val *x = whet__im_val(im, v);
  int64_t count = x->data && x->role == WHET_ROLE_CONST ? whet__shape_count(&x->shape) : -1;
  *n = 0;
  if (count < 0 || count > INT32_MAX || !fits((whet_dtype)x->dtype)) return NULL;
  if (!whet__grow(&im->m->mem, (void **)&im->cache, &im->cap_cache, (size_t)v + 1, sizeof *im->cache)) {
    im->no_memory = true;
    return NULL;
  }
  *n = (int32_t)count;
  return &im->cache[v];
}

static bool is_whole(whet_dtype t) { return whet__is_int(t) || t == WHET_BOOL; }

const int64_t *whet__im_const_ints(whet_import *im, int32_t v, int32_t *n) {
  struct whet_im_cache *c = cached(im, v, is_whole, n);
  if (!c || c->ints) return c ? c->ints : NULL;
  int64_t *p = whet__arena_array(&im->g->arena, (size_t)*n, sizeof *p);
  if (!p) {
    im->no_memory = true;
    return NULL;
  }
  const whet_val *x = whet__im_val(im, v);
  for (int32_t i = 0; i < *n; i++) p[i] = whet__get_i64((whet_dtype)x->dtype, x->data->p, i);
  return c->ints = p;
}

const float *whet__im_const_floats(whet_import *im, int32_t v, int32_t *n) {
  struct whet_im_cache *c = cached(im, v, whet__is_float, n);
  if (!c || c->floats) return c ? c->floats : NULL;
  float *p = whet__arena_array(&im->g->arena, (size_t)*n, sizeof *p);
  if (!p) {
    im->no_memory = true;
    return NULL;
  }
  const whet_val *x = whet__im_val(im, v);
  for (int32_t i = 0; i < *n; i++) p[i] = (float)whet__get_f64((whet_dtype)x->dtype, x->data->p, i);
  return c->floats = p;
}

int32_t whet__im_new(whet_import *im, const char *suffix) {
  struct whet_im_op *o = im->op;
  int32_t first = o->n_out ? o->out[0] : -1;
  const char *base = first >= 0 ? im->g->val[first].name : o->name[0] ? o->name : o->type;
  const char *name = whet__arena_printf(&im->g->arena, "%.400s/%.60s", base, suffix ? suffix : "");
  int32_t v = name ? whet__graph_val(im->g, name) : -1;
  if (v < 0) im->no_memory = true;
  return v;
}

int32_t whet__im_const(whet_import *im, whet_dtype t, int32_t rank, const int64_t *dims, const void *p) {
  int32_t v = whet__graph_const_copy(im->g, NULL, t, rank, dims, p);
  if (v < 0) im->no_memory = true;
  return v;
}

void whet__im_rank(whet_import *im, int32_t v, int32_t rank) {
  if (v < 0 || rank < 0 || rank > WHET_MAX_RANK) return;
  if ((size_t)v >= im->cap_rank) {
    size_t cap = (size_t)im->g->n_val * 2 + 64;
    int8_t *more = whet__arena_array(&im->tmp, cap, 1);
    if (!more) {
      im->no_memory = true;
      return;
    }
    if (im->cap_rank) memcpy(more, im->rank, im->cap_rank);
    im->rank = more;
    im->cap_rank = cap;
  }
  im->rank[v] = (int8_t)(rank + 1);
}

int32_t whet__im_rank_of(const whet_import *im, int32_t v) {
  if (v < 0 || !im->g) return -1;
  int32_t rank = im->g->val[v].shape.rank;
  return rank >= 0 || (size_t)v >= im->cap_rank ? rank : im->rank[v] - 1;
}

whet_status whet__im_node(whet_import *im, const whet_op *op, const void *attr, const int32_t *in, int n_in,
                          const int32_t *out, int n_out) {
  struct whet_im_op *o = im->op;
  if (im->no_memory) return whet__im_no_memory(im, &o->err, 64, "reading the model");
  if (!op) return whet__fail(&o->err, WHET_E_UNSUPPORTED, "it needs an operator that is not there");
  if (n_in > UINT16_MAX || n_out > UINT16_MAX)
    return whet__fail(&o->err, WHET_E_LIMIT, "%d inputs and %d outputs; at most %d are taken", n_in, n_out,
                      UINT16_MAX);
  for (int i = 0; i < n_out; i++)
    if (out[i] >= 0 && im->g->val[out[i]].role != WHET_ROLE_NODE)
      return whet__fail(&o->err, WHET_E_FORMAT, "output %d, \"%.80s\", is an input or a constant of the model", i,
                        im->g->val[out[i]].name);
  int32_t n = whet__graph_node(im->g, o->region, op, attr, in, n_in, out, n_out);
  if (n < 0) return whet__im_no_memory(im, &o->err, sizeof(whet_node), "the graph");
  im->g->node[n].name = o->name;
  im->g->node[n].origin = o->origin;
  o->last = n;
  return WHET_OK;
}

whet_status whet__im_node_as_is(whet_import *im, const whet_op *op, const void *attr) {
  return whet__im_node(im, op, attr, im->op->in, im->op->n_in, im->op->out, im->op->n_out);
}

void whet__im_round(whet_import *im, whet_round r) {
  if (im->op->last >= 0) im->g->node[im->op->last].round = (uint8_t)r;
}

whet_status whet__im_bodies(whet_import *im, whet_region *const *body, int n) {
  struct whet_im_op *o = im->op;
  if (o->last < 0 || n < 0 || n > UINT8_MAX)
    return whet__fail(&o->err, o->last < 0 ? WHET_E_INTERNAL : WHET_E_LIMIT, "%d bodies", n);
  for (int i = 0; i < n; i++)
    if (!body[i]) return whet__fail(&o->err, o->err.code ? o->err.code : WHET_E_FORMAT, "body %d is missing", i);
  whet_region **copy = whet__arena_copy(&im->g->arena, body, (size_t)n * sizeof *body);
  if (!copy) return whet__im_no_memory(im, &o->err, (size_t)n * sizeof *body, "the graph");
  im->g->node[o->last].body = copy;
  im->g->node[o->last].n_body = (uint8_t)n;
  return WHET_OK;
}
