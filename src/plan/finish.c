/* SPDX-License-Identifier: Apache-2.0 */
/* From emitted steps to the finished plan: lifetimes, sharing in place, offsets, flat arrays. */

#include <stdatomic.h>

#include "base/dtype.h"
#include "plan/planner.h"

/* Buffers while they are being found. */
struct finish {
  whet_planner *p;
  int32_t *buf_of; /* root value -> buffer, or -1 */
  whet_buf *buf;
  int32_t n_buf;
  int32_t *temp_buf;       /* temp -> buffer */
  int32_t *in_of, *out_of; /* value -> number among inputs / outputs of the region, or -1 */
  bool main;               /* the region is the program's main one: its inputs and outputs can be bound */
};

/* The buffer of a root value, made when new. */
static whet_buf *buffer_of(struct finish *f, int32_t root) {
  whet_planner *p = f->p;
  if (f->buf_of[root] >= 0) return &f->buf[f->buf_of[root]];
  const whet_val *x = &p->g->val[root];
  whet_buf b = {.id = root, .from = INT32_MAX, .to = -1, .input = -1, .output = -1, .bytes = whet__pl_bytes(p, root)};
  if (x->role == WHET_ROLE_CONST)
    b.where = WHET_IN_CONST;
  else if (p->outer && p->outer[root])
    b.where = WHET_IN_OUTER;
  else if (p->env->kind[root] != WHET_TENSOR)
    b.where = WHET_IN_SLOT;
  else if (x->role == WHET_ROLE_VARIABLE)
    b.where = WHET_IN_VAR;
  else
    b.where = WHET_IN_ARENA;
  f->buf_of[root] = f->n_buf;
  f->buf[f->n_buf] = b;
  return &f->buf[f->n_buf++];
}

static void live(whet_buf *b, int32_t step) {
  if (step < b->from) b->from = step;
  if (step > b->to) b->to = step;
}

/* Every use of every value, as lifetimes of buffers. */
static void lifetimes(struct finish *f) {
  whet_planner *p = f->p;
  int32_t last = p->n_step ? (int32_t)p->n_step - 1 : 0;
  for (size_t s = 0; s < p->n_step; s++)
    for (uint32_t k = 0; k < p->step[s].n_arg; k++) {
      const whet_place *a = &p->place[p->step[s].args + k];
      if (a->kind == WHET_ARG_VAL) live(buffer_of(f, p->root[a->buf]), (int32_t)s);
    }
  for (int32_t v = 0; v < p->g->n_val; v++) {
    if (f->main && f->in_of[v] >= 0) {
      whet_buf *b = buffer_of(f, v);
      live(b, 0);
      live(b, last);
      b->input = f->in_of[v];
    }
    if (p->keep[v] && (p->made[v] || f->buf_of[p->root[v]] >= 0)) {
      whet_buf *b = buffer_of(f, p->root[v]);
      live(b, last + 1); /* past the last step, so that not even that one may write over it */
      if (b->from > b->to) b->from = 0;
      if (f->main && f->out_of[v] >= 0 && p->root[v] == v) b->output = f->out_of[v];
    }
  }
  for (size_t s = 0; s < p->n_step; s++) { /* a loop needs what it reads until its last round */
    if (p->step[s].kind != WHET_STEP_LOOP) continue;
    for (int32_t i = 0; i < f->n_buf; i++)
      if (f->buf[i].from < (int32_t)s && f->buf[i].to >= (int32_t)s && f->buf[i].to < p->step[s].next - 1)
        f->buf[i].to = p->step[s].next - 1;
  }
}

/* Is step s inside a loop that began before `from`? Then what lives from `from` on lives on in the next round. */
static bool crosses_loop(const whet_planner *p, int32_t from, int32_t s) {
  for (int32_t i = 0; i < s; i++)
    if (p->step[i].kind == WHET_STEP_LOOP && i >= from && s < p->step[i].next) return true;
  return false;
}

/* Grant the wishes that are safe: `in` dies at the step that makes `out`, and both are ours. */
static void overlays(struct finish *f) {
  whet_planner *p = f->p;
  for (size_t i = 0; i < p->n_overlay; i++) {
    const whet_overlay *o = &p->overlay[i];
    int32_t ro = p->root[o->out], ri = p->root[o->in];
    if (ro == ri || f->buf_of[ro] < 0 || f->buf_of[ri] < 0 || p->off[o->out] || p->off[o->in]) continue;
    whet_buf *bo = &f->buf[f->buf_of[ro]], *bi = &f->buf[f->buf_of[ri]];
    if (bo->where != WHET_IN_ARENA || bi->where != WHET_IN_ARENA || bi->input >= 0 || bo->input >= 0 ||
        bi->output >= 0)
      continue;
    if (p->run[o->out] || p->run[o->in] || bo->bytes != bi->bytes) continue;
    /* `out` is written at its first step only, and that is where `in` is read last. */
    int32_t first = bo->from;
    if (bi->to != first || bi->from >= first || crosses_loop(p, bi->from, first)) continue;
    bo->from = bi->from;
    bi->where = WHET_IN_NOTHING;
    for (int32_t v = 0; v < p->g->n_val; v++)
      if (p->root[v] == ri) p->root[v] = ro;
    f->buf_of[ri] = f->buf_of[ro];
  }
}

static bool temps(struct finish *f) {
  whet_planner *p = f->p;
  f->temp_buf = whet__arena_array(p->a, p->n_temp + 1, sizeof *f->temp_buf);
  if (!f->temp_buf) return false;
  for (size_t i = 0; i < p->n_temp; i++) {
    f->temp_buf[i] = f->n_buf;
    f->buf[f->n_buf++] = (whet_buf){.where = p->temp[i].to >= 0 ? WHET_IN_ARENA : WHET_IN_NOTHING,
                                    .id = -1,
                                    .from = p->temp[i].from,
                                    .to = p->temp[i].to,
                                    .bytes = p->temp[i].bytes,
                                    .input = -1,
                                    .output = -1};
  }
  return true;
}

/* Turn argument ids into places. */
static void settle(struct finish *f, whet_place *a) {
  whet_planner *p = f->p;
  if (a->kind == WHET_ARG_VAL) {
    int32_t v = a->buf;
    a->buf = f->buf_of[p->root[v]];
    a->off = p->off[v];
  } else if (a->kind == WHET_ARG_TEMP) {
    a->buf = f->temp_buf[a->buf];
  }
}

static bool copy_out(whet_plan *q, const whet_planner *p, const struct finish *f) {
  whet_arena *a = &q->arena;
  q->n_val = p->g->n_val;
  q->n_step = (int32_t)p->n_step;
  q->n_place = (int32_t)p->n_place;
  q->n_params = p->n_params;
  q->n_blob = (int32_t)p->n_blob;
  q->n_pack = (int32_t)p->n_pack;
  q->n_buf = f->n_buf;
  q->shape = whet__arena_copy(a, p->env->shape, (size_t)q->n_val * sizeof *q->shape);
  q->dtype = whet__arena_copy(a, p->env->dtype, (size_t)q->n_val);
  q->store = whet__arena_array(a, (size_t)q->n_val + 1, sizeof *q->store);
  q->buf = whet__arena_copy(a, f->buf, (size_t)q->n_buf * sizeof *q->buf);
  q->step = whet__arena_copy(a, p->step, p->n_step * sizeof *q->step);
  q->place = whet__arena_copy(a, p->place, p->n_place * sizeof *q->place);
  q->params = whet__arena_alloc(a, p->n_params + 16);
  if (q->params && p->n_params) memcpy(q->params, p->params, p->n_params);
  q->blob = whet__arena_array(a, p->n_blob + 1, sizeof *q->blob);
  q->pack = whet__arena_copy(a, p->pack, p->n_pack * sizeof *q->pack);
  return q->shape && q->dtype && q->store && q->buf && q->step && q->place && q->params && q->blob && q->pack;
}

uint64_t whet__plan_print(const whet_plan *q) {
  uint64_t h = whet__hash(WHET_HASH_SEED, &q->arena_bytes, sizeof q->arena_bytes);
  for (int32_t i = 0; i < q->n_step; i++) {
    const whet_step *s = &q->step[i];
    if (s->row) h = whet__hash(h, s->row->name, strlen(s->row->name));
    h = whet__hash(h, &s->node, sizeof s->node);
    if (s->kind != WHET_STEP_PACK) h = whet__hash(h, q->params + s->params, s->params_size);
    for (int k = 0; k < s->n_arg; k++) {
      const whet_place *a = &q->place[s->args + (uint32_t)k];
      h = whet__hash(h, &a->off, sizeof a->off);
      h = whet__hash(h, &a->buf, sizeof a->buf);
    }
  }
  return h;
}

whet_status whet__plan_finish(whet_planner *p, const whet_plan_req *r, whet_plan **out) {
  size_t nv = (size_t)p->g->n_val + 1;
  struct finish f = {.p = p, .main = r->region == &p->program->graph.main && !r->from};
  whet_plan *q = NULL;
  f.buf_of = whet__arena_array(p->a, nv, sizeof *f.buf_of);
  f.in_of = whet__arena_array(p->a, nv, sizeof *f.in_of);
  f.out_of = whet__arena_array(p->a, nv, sizeof *f.out_of);
  f.buf = whet__arena_array(p->a, nv + p->n_temp, sizeof *f.buf);
  if (!f.buf_of || !f.in_of || !f.out_of || !f.buf) goto full;
  for (size_t v = 0; v < nv; v++) f.buf_of[v] = f.in_of[v] = f.out_of[v] = -1;
  for (int32_t i = 0; i < r->region->n_in; i++) f.in_of[r->region->in[i]] = i;
  for (int32_t i = 0; i < r->region->n_out; i++) f.out_of[r->region->out[i]] = i;
  lifetimes(&f);
  overlays(&f);
  if (!temps(&f)) goto full;
  for (size_t i = 0; i < p->n_place; i++) settle(&f, &p->place[i]);
  size_t bound, arena = whet__place_buffers(p->a->mem, f.buf, f.n_buf, &bound);
  if (arena == SIZE_MAX) goto full;

  q = whet__alloc0(&p->program->mem, sizeof *q);
  if (!q) goto full;
  atomic_init(&q->ref, 1);
  whet__mem_init(&q->mem, &p->program->mem, NULL, 0);
  whet__arena_init(&q->arena, &q->mem);
  q->program = p->program;
  q->arena_bytes = arena;
  q->bound_bytes = bound;
  q->late = p->to;
  if (!copy_out(q, p, &f)) goto full;
  for (size_t i = 0; i < p->n_blob; i++) {
    const void **b = &q->blob[i];
    size_t n = p->blob_bytes[i];
    char *to = whet__arena_alloc(&q->arena, n + 2 * WHET_SLACK);
    if (!to) goto full;
    to += (WHET_ALIGN - (uintptr_t)to % WHET_ALIGN) % WHET_ALIGN;
    memcpy(to, p->blobs[i], n);
    *b = to;
  }
  for (int32_t v = 0; v < q->n_val; v++)
    q->store[v] = (whet_store){f.buf_of[p->root[v]], p->off[v], p->run[v], p->pitch[v]};
  if (r->in_shape) {
    q->n_in = r->region->n_in;
    q->in_shape = whet__arena_copy(&q->arena, r->in_shape, (size_t)q->n_in * sizeof *q->in_shape);
    if (!q->in_shape) goto full;
  }
  q->macs = p->macs;
  *out = q;
  return WHET_OK;
full:
  whet__plan_unref(q);
  return whet__no_memory(&p->program->mem, nv * sizeof(whet_shape), p->err, "a plan");
}

whet_plan *whet__plan_ref(whet_plan *p) {
  atomic_fetch_add(&p->ref, 1);
  return p;
}

void whet__plan_unref(whet_plan *p) {
  if (!p || atomic_fetch_sub(&p->ref, 1) > 1) return;
  whet_mem *mem = p->mem.parent;
  whet__arena_free(&p->arena);
  whet__free(mem, p);
}
