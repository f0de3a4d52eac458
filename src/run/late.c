/* SPDX-License-Identifier: Apache-2.0 */
/* Segments: planned when their inputs are there, run, and kept until the next run. */

#include "run/late.h"

#include "base/dtype.h"
#include "ir/infer.h"
#include "plan/program.h"

/* A block of memory that a run asked for: outputs of late operators, carried values, characters of strings. */
struct block {
  struct block *next, **at;
};

/* A plan of a loop's body that later runs take over. */
struct kept {
  const whet_region *region;
  whet_plan *plan;
};

struct whet_late {
  whet_arena a; /* environment of the current run */
  whet_env env;
  bool ran;          /* env holds the shapes of a finished run */
  uint8_t *outer;    /* by value: made already */
  uint8_t *uses;     /* by value: 0, 1, or more uses; a use in a body of what lies outside counts as more */
  whet_frame *frame; /* one for each segment after the first */
  size_t n_frame, cap_frame;
  struct kept *kept;
  size_t n_kept, cap_kept;
  struct block *blocks; /* that somebody drops, or the end of the run */
  struct block *temp;   /* outputs of late nodes: newest first */
  whet_value **object;  /* references held */
  size_t n_object, cap_object;
};

/* Room for blocks' headers keeps the alignment. */
enum { HEAD = WHET_ALIGN };

/* A block at the head of a list. */
static void *add_block(whet_session *s, struct block **list, size_t n) {
  struct block *b = n > SIZE_MAX - HEAD ? NULL : whet__alloc0(&s->mem, n + HEAD);
  if (!b) return NULL;
  b->next = *list;
  b->at = list;
  if (b->next) b->next->at = &b->next;
  *list = b;
  return (char *)b + HEAD;
}

/* Free the blocks of a list down to `stop`. */
static void free_blocks(whet_session *s, struct block **list, const struct block *stop) {
  while (*list && *list != stop) {
    struct block *b = *list;
    *list = b->next;
    if (b->next) b->next->at = list;
    whet__free(&s->mem, b);
  }
}

void *whet__late_block(whet_session *s, size_t n) { return add_block(s, &s->late->blocks, n); }

void whet__late_drop(whet_session *s, void *p) {
  if (!p) return;
  struct block *b = (struct block *)((char *)p - HEAD);
  *b->at = b->next;
  if (b->next) b->next->at = b->at;
  whet__free(&s->mem, b);
}

whet_late_mark whet__late_mark(const whet_session *s) {
  return (whet_late_mark){s->late->n_frame, s->late->n_object, s->late->temp};
}

void whet__late_release(whet_session *s, whet_late_mark m) {
  struct whet_late *l = s->late;
  while (l->n_frame > m.frames) whet__frame_free(&l->frame[--l->n_frame]);
  while (l->n_object > m.objects) whet_value_unref(&l->object[--l->n_object]);
  free_blocks(s, &l->temp, m.temp);
}

bool whet__late_hold(whet_session *s, whet_value *v) {
  struct whet_late *l = s->late;
  if (!v || !whet__grow(&s->mem, (void **)&l->object, &l->cap_object, l->n_object + 1, sizeof *l->object)) {
    whet_value_unref(&v);
    return false;
  }
  l->object[l->n_object++] = v;
  return true;
}

whet_env *whet__late_env(whet_session *s) { return &s->late->env; }

void whet__late_set(whet_session *s, int32_t v, whet_dtype t, const whet_shape *shape, void *data) {
  whet__env_set(&s->late->env, v, t, shape, data);
  s->late->outer[v] = 1;
  s->outer[v] = data;
}

const void *whet__late_data(const whet_session *s, int32_t v) {
  const whet_val *x = &s->program->graph.val[v];
  if (x->role == WHET_ROLE_VARIABLE) return whet__state_memory(s, v);
  return x->role == WHET_ROLE_CONST ? x->data->p : s->outer[v] ? s->outer[v] : s->late->env.data[v];
}

void whet__late_set_object(whet_session *s, int32_t v, whet_value *x) {
  const whet_shape none = {.rank = 0};
  const whet_value *item = whet_value_item(x, 0); /* type of the items, if there are any */
  whet_dtype t = item && whet_value_dtype(item) ? whet_value_dtype(item) : (whet_dtype)s->late->env.dtype[v];
  whet__late_set(s, v, t, &none, x);
  s->late->env.kind[v] = (uint8_t)whet_value_kind(x);
}

bool whet__late_last(const whet_session *s, int32_t v) {
  return s->late->uses[v] == 1 && s->program->graph.val[v].role == WHET_ROLE_NODE;
}

/* Count the uses of values in a region, number `id`, and in those inside it; home[v]: the region that makes v. */
static void count_uses(const whet_graph *g, const whet_region *r, int32_t *id, int32_t *home, uint8_t *uses) {
  const int32_t here = ++*id;
  for (int32_t i = 0; i < r->n_in; i++) home[r->in[i]] = here;
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &g->node[r->node[i]];
    for (int k = 0; k < n->n_in; k++)
      if (n->in[k] >= 0) uses[n->in[k]] = (uint8_t)(home[n->in[k]] == here && !uses[n->in[k]] ? 1 : 2);
    for (int b = 0; b < n->n_body; b++) count_uses(g, n->body[b], id, home, uses);
    for (int k = 0; k < n->n_out; k++)
      if (n->out[k] >= 0) home[n->out[k]] = here;
  }
  for (int32_t i = 0; i < r->n_out; i++)
    uses[r->out[i]] = (uint8_t)(home[r->out[i]] == here && !uses[r->out[i]] ? 1 : 2);
}

/* Forget the last run. */
static void clear(whet_session *s) {
  struct whet_late *l = s->late;
  whet__late_release(s, (whet_late_mark){0, 0, NULL});
  free_blocks(s, &l->blocks, NULL);
  whet__arena_free(&l->a);
  whet__arena_init(&l->a, &s->mem);
  l->ran = false;
}

void whet__late_free(whet_session *s) {
  if (!s->late) return;
  clear(s);
  while (s->late->n_kept) whet__plan_unref(s->late->kept[--s->late->n_kept].plan);
  whet__free(&s->mem, s->late->kept);
  whet__free(&s->mem, s->late->outer);
  whet__free(&s->mem, s->late->uses);
  whet__free(&s->mem, s->late->frame);
  whet__free(&s->mem, s->late->object);
  whet__free(&s->mem, s->late);
  whet__free(&s->mem, s->outer);
  s->late = NULL;
  s->outer = NULL;
}

whet_status whet__late_prepare(whet_session *s, whet_err *err) {
  const whet_graph *g = &s->program->graph;
  whet__late_free(s);
  if (s->frame.plan->late == g->main.n_node && !s->program->objects) return WHET_OK;
  size_t n = (size_t)g->n_val + 1;
  s->late = whet__alloc0(&s->mem, sizeof *s->late);
  s->outer = whet__alloc_array(&s->mem, n, sizeof *s->outer);
  uint8_t *outer = whet__alloc0(&s->mem, n);
  uint8_t *uses = whet__alloc0(&s->mem, n);
  int32_t *home = whet__alloc_array(&s->mem, n, sizeof *home), id = 0;
  if (s->late) s->late->outer = outer, s->late->uses = uses, whet__arena_init(&s->late->a, &s->mem);
  if (uses && home) count_uses(g, &g->main, &id, home, uses);
  bool all = s->late && s->outer && outer && uses && home;
  whet__free(&s->mem, home);
  if (all) return WHET_OK;
  if (!s->late) { /* else they go with it */
    whet__free(&s->mem, uses);
    whet__free(&s->mem, outer);
    whet__free(&s->mem, s->outer);
    s->outer = NULL;
  }
  return whet__no_memory(&s->mem, n * sizeof(void *), err, "a run whose sizes depend on data");
}

/* Tell the environment and the later segments of the values that a frame has made. */
static void publish(whet_session *s, const whet_frame *f, const whet_region *r, int32_t from, int32_t to) {
  struct whet_late *l = s->late;
  const whet_graph *g = &s->program->graph;
  for (int32_t i = from; i < to; i++) {
    const whet_node *n = &g->node[r->node[i]];
    for (int k = 0; k < n->n_out; k++) {
      int32_t v = n->out[k];
      if (v < 0) continue;
      void *p = whet__frame_value(f, v);
      l->outer[v] = 1;
      s->outer[v] = p;
      if (!p || f->plan->store[v].run) continue;
      const whet_dim *known = l->env.known[v];
      int32_t n_known = l->env.n_known[v];
      whet__env_set(&l->env, v, (whet_dtype)f->plan->dtype[v], &f->plan->shape[v], p);
      l->env.known[v] = known;
      l->env.n_known[v] = n_known;
    }
  }
}

/* The environment at the start of a run: everything that the first segment has made. */
static whet_status begin(whet_session *s, whet_err *err) {
  struct whet_late *l = s->late;
  whet_program *p = s->program;
  clear(s);
  memset(l->outer, 0, (size_t)p->graph.n_val);
  WHET_TRY(whet__program_env(p, s->in_shape, &l->a, &l->env, err));
  l->env.numbers = true;
  l->env.err = err;
  for (size_t i = 0; i < s->n_in; i++) {
    int32_t v = p->graph.main.in[i];
    bool object = p->graph.val[v].kind != WHET_TENSOR;
    void *data = object ? (void *)s->in[i].value : whet__frame_value(&s->frame, v);
    if (object && !data)
      return whet__fail(err, WHET_E_MISUSE, "input \"%s\" is no tensor and was not set", p->graph.val[v].name);
    whet__env_set(&l->env, v, (whet_dtype)p->graph.val[v].dtype, &s->in_shape[i], data);
    l->outer[v] = 1;
    s->outer[v] = data;
  }
  int32_t late;
  for (late = 0; late < s->frame.plan->late; late++) {
    whet_status st = whet__env_node(&l->env, &p->graph.node[p->graph.main.node[late]]);
    if (st < 0) return st;
  }
  publish(s, &s->frame, &p->graph.main, 0, late);
  return WHET_OK;
}

/* A dense tensor over a value that is there. */
static whet_tensor tensor(const whet_session *s, int32_t v) {
  const struct whet_late *l = s->late;
  whet_tensor t = {.rank = -1};
  if (v < 0) return t;
  const whet_val *x = &s->program->graph.val[v];
  t.dtype = (whet_dtype)l->env.dtype[v];
  t.rank = l->env.shape[v].rank < 0 ? 0 : l->env.shape[v].rank;
  t.q = x->q;
  t.data = (void *)whet__late_data(s, v);
  int64_t stride = 1;
  for (int32_t i = t.rank - 1; i >= 0; i--) {
    t.dim[i] = l->env.shape[v].d[i];
    t.stride[i] = stride;
    stride *= t.dim[i];
  }
  return t;
}

/* Run a node that tells its sizes itself. */
static whet_status run_late_node(whet_session *s, whet_run *r, const whet_node *n) {
  struct whet_late *l = s->late;
  if (!strcmp(n->op->name, "Identity") && l->env.kind[n->in[0]] != WHET_TENSOR) { /* one more name for it */
    whet_value *x = whet_value_ref(s->outer[n->in[0]]);
    if (!whet__late_hold(s, x)) return whet__no_memory(&s->mem, 0, r->err, "an object");
    whet__late_set_object(s, n->out[0], x);
    return WHET_OK;
  }
  if (!n->op->late)
    return whet__fail(r->err, WHET_E_SHAPE,
                      "node %d \"%s\" (%s): the shape of its output cannot be told from its inputs", n->origin,
                      n->name, n->op->name);
  whet_tensor *t = whet__arena_array(&l->a, (size_t)n->n_in + n->n_out + 1, sizeof *t);
  if (!t) return whet__no_memory(&s->mem, 0, r->err, "a late node");
  for (int k = 0; k < n->n_in; k++) t[k] = tensor(s, n->in[k]);
  for (int k = 0; k < n->n_out; k++) t[n->n_in + k].rank = -1;
  whet_args a = {.node = n,
                 .attr = n->attr,
                 .in = t,
                 .out = t + n->n_in,
                 .n_in = n->n_in,
                 .n_out = n->n_out,
                 .frame = &s->frame,
                 .err = r->err};
  whet_status st = n->op->late(&a);
  if (st) {
    whet__fail(r->err, st, "it failed");
    return whet__fail_in(r->err, "node %d \"%s\" (%s)", n->origin, n->name, n->op->name), st;
  }
  return WHET_OK;
}

void *whet__late_out(const whet_args *a, int o, whet_dtype t, int32_t rank, const int64_t *dims) {
  whet_session *s = a->frame->session;
  int32_t v = o < a->node->n_out ? a->node->out[o] : -1;
  whet_shape shape = whet__shape(rank, dims);
  int64_t n = whet__shape_count(&shape);
  size_t bytes = n < 0 ? 0 : whet_dtype_bytes(t, (size_t)n);
  void *p = n < 0 || (n && !bytes) ? NULL : add_block(s, &s->late->temp, bytes);
  if (!p) {
    whet__no_memory(&s->mem, bytes, a->err, "an output");
    return NULL;
  }
  if (v >= 0) {
    whet__late_set(s, v, t, &shape, p);
    s->late->env.kind[v] = WHET_TENSOR;
  }
  return p;
}

whet_str *whet__late_strings(const whet_args *a, int o, size_t *n) {
  const whet_session *s = a->frame->session;
  int32_t v = o < a->node->n_out ? a->node->out[o] : -1;
  if (v < 0 || s->late->env.dtype[v] != WHET_STRING) return NULL;
  *n = (size_t)whet__shape_count(&s->late->env.shape[v]);
  return s->outer[v];
}

/* Bind a plan, whose reference is taken over, to memory: the newest frame. */
static whet_status push_frame(whet_session *s, whet_plan *plan, whet_err *err) {
  struct whet_late *l = s->late;
  whet_status st = whet__packs_fill(s->program->packs, s->program->pool, 1, false, NULL, 0, err);
  if (!st && !whet__grow(&s->mem, (void **)&l->frame, &l->cap_frame, l->n_frame + 1, sizeof *l->frame))
    st = whet__no_memory(&s->mem, sizeof *l->frame, err, "a segment");
  if (st) {
    whet__plan_unref(plan);
    return st;
  }
  whet_frame *f = &l->frame[l->n_frame++];
  *f = (whet_frame){.session = s};
  return whet__frame_bind(f, plan, err);
}

/* Plan the segment of a region that starts at node `at`. */
static whet_status plan_segment(whet_session *s, const whet_region *region, int32_t at, whet_plan **plan,
                                whet_err *err) {
  whet_err *told = s->late->env.err;
  whet_status st =
      whet__plan_make(&(whet_plan_req){s->program, region, at, &s->late->env, s->late->outer, NULL}, plan, err);
  s->late->env.err = told;
  return st;
}

/* Run all steps of a segment. */
static whet_status run_frame(const whet_run *r, whet_frame *f) {
  whet_run run = *r;
  run.frame = f;
  run.profile = NULL;
  return whet__frame_run(&run, 0, f->plan->n_step);
}

/* Plan and run the segment of a region that starts at *at; *at moves to its end. */
static whet_status run_segment(whet_session *s, whet_run *r, const whet_region *region, int32_t *at) {
  whet_plan *plan;
  WHET_TRY(plan_segment(s, region, *at, &plan, r->err));
  WHET_TRY(push_frame(s, plan, r->err));
  whet_frame *f = &s->late->frame[s->late->n_frame - 1];
  WHET_TRY(run_frame(r, f));
  publish(s, f, region, *at, f->plan->late);
  *at = f->plan->late;
  return WHET_OK;
}

/* What the nodes of a region made in an earlier round is gone: they make it anew. */
static void forget_round(whet_session *s, const whet_region *region, int32_t from) {
  for (int32_t i = from; i < region->n_node; i++) {
    const whet_node *n = &s->program->graph.node[region->node[i]];
    for (int k = 0; k < n->n_out; k++) {
      if (n->out[k] < 0) continue;
      s->late->outer[n->out[k]] = 0;
      s->outer[n->out[k]] = NULL;
    }
  }
}

whet_status whet__late_region(whet_session *s, whet_run *r, const whet_region *region, int32_t from) {
  forget_round(s, region, from);
  for (int32_t at = from; at < region->n_node;) {
    const whet_node *n = &s->program->graph.node[region->node[at]];
    whet_status st = whet__env_node(&s->late->env, n);
    if (st < 0) return st;
    if (!whet__can_plan(&s->late->env, n)) st = WHET_LATE;
    if (st == WHET_LATE && n->op->flags & WHET_OP_RUNS_BODY) {
      WHET_TRY(whet__late_bodies(s, r, n));
      at++;
    } else if (st == WHET_LATE) {
      WHET_TRY(run_late_node(s, r, n));
      at++;
    } else {
      WHET_TRY(run_segment(s, r, region, &at));
    }
  }
  return WHET_OK;
}

/* Mark what a region, and those inside it, make. */
static void mark_inside(const whet_graph *g, const whet_region *r, uint8_t *inside) {
  for (int32_t i = 0; i < r->n_in; i++) inside[r->in[i]] = 1;
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &g->node[r->node[i]];
    for (int k = 0; k < n->n_out; k++)
      if (n->out[k] >= 0) inside[n->out[k]] = 1;
    for (int b = 0; b < n->n_body; b++) mark_inside(g, n->body[b], inside);
  }
}

/* Does it read nothing but what is marked, and constants? Then its plan depends on the shapes of its inputs only. */
static bool closed(const whet_graph *g, const whet_region *r, const uint8_t *inside) {
  for (int32_t i = 0; i < r->n_node; i++) {
    const whet_node *n = &g->node[r->node[i]];
    for (int k = 0; k < n->n_in; k++)
      if (n->in[k] >= 0 && !inside[n->in[k]] && g->val[n->in[k]].role != WHET_ROLE_CONST) return false;
    for (int b = 0; b < n->n_body; b++)
      if (!closed(g, n->body[b], inside)) return false;
  }
  return true;
}

/* Keep the plan of a region for later runs if it may be kept. */
static whet_status keep_plan(whet_session *s, const whet_region *region, whet_plan *plan, whet_err *err) {
  struct whet_late *l = s->late;
  const whet_graph *g = &s->program->graph;
  uint8_t *inside = whet__alloc0(&s->mem, (size_t)g->n_val + 1);
  if (!inside) return whet__no_memory(&s->mem, (size_t)g->n_val, err, "a loop");
  mark_inside(g, region, inside);
  bool may = closed(g, region, inside);
  whet__free(&s->mem, inside);
  if (!may) return WHET_OK;
  struct kept *k = l->kept, *end = k + l->n_kept;
  while (k < end && k->region != region) k++;
  if (k == end) {
    if (!whet__grow(&s->mem, (void **)&l->kept, &l->cap_kept, l->n_kept + 1, sizeof *l->kept))
      return whet__no_memory(&s->mem, sizeof *k, err, "a loop");
    k = &l->kept[l->n_kept++];
    k->plan = NULL;
  }
  whet__plan_unref(k->plan);
  *k = (struct kept){region, whet__plan_ref(plan)};
  return WHET_OK;
}

/* The plan kept for a region and the shapes that its inputs have now; NULL: there is none. */
static whet_plan *kept_plan(const whet_session *s, const whet_region *region) {
  const struct whet_late *l = s->late;
  for (size_t i = 0; i < l->n_kept; i++) {
    const whet_plan *q = l->kept[i].plan;
    if (l->kept[i].region != region) continue;
    for (int32_t k = 0; k < region->n_in; k++) {
      int32_t v = region->in[k];
      if (q->dtype[v] != l->env.dtype[v] || !whet__shape_equal(&q->shape[v], &l->env.shape[v])) return NULL;
    }
    return whet__plan_ref(l->kept[i].plan);
  }
  return NULL;
}

whet_status whet__late_steady(whet_session *s, whet_run *r, const whet_region *region, size_t *frame) {
  struct whet_late *l = s->late;
  whet_err unsaid = {0}; /* what fails here fails again when it is planned for its round, and is said there */
  forget_round(s, region, 0);
  for (int32_t i = 0; i < region->n_in; i++) l->env.data[region->in[i]] = NULL;
  if (!region->n_node) return WHET_LATE;
  whet_plan *plan = kept_plan(s, region);
  if (!plan) {
    whet_status st = plan_segment(s, region, 0, &plan, &unsaid);
    if (st == WHET_E_MEMORY || st == WHET_E_LIMIT) return whet__fail(r->err, st, "%s", unsaid.text);
    if (!st && plan->late == region->n_node)
      st = keep_plan(s, region, plan, r->err);
    else
      st = WHET_LATE;
    if (st) {
      whet__plan_unref(plan);
      return st;
    }
  }
  *frame = l->n_frame;
  WHET_TRY(push_frame(s, plan, r->err));
  publish(s, &l->frame[*frame], region, 0, region->n_node);
  return WHET_OK;
}

whet_status whet__late_again(whet_session *s, const whet_run *r, size_t frame) {
  return run_frame(r, &s->late->frame[frame]);
}

/* Copy outputs made late to where callers want them. */
static whet_status hand_over(whet_session *s, whet_err *err) {
  for (size_t i = 0; i < s->n_out; i++) {
    int32_t v = s->program->graph.main.out[i];
    whet_io *o = &s->out[i];
    if ((!o->memory && !o->alloc) || !whet__late_owns(s, v) || !s->outer[v]) continue;
    const whet_shape *shape = &s->late->env.shape[v];
    whet_dtype t = (whet_dtype)s->late->env.dtype[v];
    size_t n = whet_dtype_bytes(t, (size_t)whet__shape_count(shape));
    void *to = o->alloc ? o->alloc(o->user, i, t, shape->rank, shape->d, n) : (void *)o->memory;
    if (!to) return whet__fail(err, WHET_E_MEMORY, "output %zu: the caller gave no memory for %zu bytes", i, n);
    if (!o->alloc && o->bytes < n)
      return whet__fail(err, WHET_E_SHAPE, "output %zu takes %zu bytes; %zu were bound", i, n, o->bytes);
    memcpy(to, s->outer[v], n);
    s->outer[v] = to;
  }
  return WHET_OK;
}

whet_status whet__late_run(whet_session *s, whet_run *r) {
  WHET_TRY(begin(s, r->err));
  WHET_TRY(whet__late_region(s, r, &s->program->graph.main, s->frame.plan->late));
  s->late->ran = true;
  return hand_over(s, r->err);
}

bool whet__late_owns(const whet_session *s, int32_t v) {
  return s->late && s->frame.plan->store[v].buf < 0 && s->program->graph.val[v].role == WHET_ROLE_NODE;
}

void whet__late_shape(const whet_session *s, int32_t v, whet_dtype *t, whet_shape *shape) {
  if (whet__late_owns(s, v)) {
    if (!s->late->ran) return;
    *t = (whet_dtype)s->late->env.dtype[v];
    *shape = s->late->env.shape[v];
  } else {
    *t = (whet_dtype)s->frame.plan->dtype[v];
    *shape = s->frame.plan->shape[v];
  }
}

/* Kind of a value: what a run found, else what the graph says. */
static whet_kind kind_of(const whet_session *s, int32_t v) {
  return (whet_kind)(s->late && s->late->ran ? s->late->env.kind[v] : s->program->graph.val[v].kind);
}

/* Where value v lies after a run. */
static void *memory_of(whet_session *s, int32_t v) {
  return whet__late_owns(s, v) ? (s->late->ran ? s->outer[v] : NULL) : whet__frame_value(&s->frame, v);
}

const void *whet__late_output(whet_session *s, size_t i, size_t *bytes, whet_err *err) {
  int32_t v = s->program->graph.main.out[i];
  whet_dtype t = WHET_NONE;
  whet_shape shape = {.rank = -1};
  whet__late_shape(s, v, &t, &shape);
  void *p = memory_of(s, v);
  int64_t n = whet__shape_count(&shape);
  if (kind_of(s, v) != WHET_TENSOR)
    return whet__fail(err, WHET_E_TYPE, "output %zu is no tensor: get it as a value", i), NULL;
  if (!p || n < 0) return whet__fail(err, WHET_E_MISUSE, "the size of output %zu is known after a run only", i), NULL;
  if (bytes) *bytes = whet_dtype_bytes(t, (size_t)n);
  return p;
}

whet_status whet__late_get(whet_session *s, size_t i, whet_value **out, whet_err *err) {
  size_t bytes;
  WHET_TRY(whet__session_ready(s, err));
  int32_t v = s->program->graph.main.out[i];
  if (kind_of(s, v) != WHET_TENSOR) {
    if (!s->late || !s->late->ran || !s->outer[v])
      return whet__fail(err, WHET_E_MISUSE, "output %zu is there after a run only", i);
    *out = whet_value_ref(s->outer[v]);
    return WHET_OK;
  }
  const void *p = whet__late_output(s, i, &bytes, err);
  if (!p) return err && err->code ? err->code : WHET_E_MISUSE;
  whet_dtype t = WHET_NONE;
  whet_shape shape = {.rank = -1};
  whet__late_shape(s, v, &t, &shape);
  WHET_TRY(whet_value_create(t, shape.rank, shape.d, out));
  if (t != WHET_STRING) {
    memcpy(whet_value_data(*out), p, bytes);
    return WHET_OK;
  }
  const whet_str *str = p;
  for (size_t k = 0; k < bytes / sizeof *str; k++) {
    whet_status st = whet_value_set_string(*out, k, str[k].p, str[k].n);
    if (st) {
      whet_value_unref(out);
      return whet__fail(err, st, "out of memory: a string of an output");
    }
  }
  return WHET_OK;
}
