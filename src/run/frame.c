/* SPDX-License-Identifier: Apache-2.0 */
/* Binding plans to memory and walking their steps. */

#include "run/frame.h"

#include <time.h>

#include "base/dtype.h"
#include "plan/program.h"
#include "run/session.h"

int64_t whet__now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void whet__frame_free(whet_frame *f) {
  if (!f->session) return;
  whet_mem *m = &f->session->mem;
  whet__free(m, f->bound);
  whet__free(m, f->ptr);
  whet__free(m, f->tensor);
  whet__free(m, f->tensor_at);
  whet__free(m, f->arena);
  whet__plan_unref(f->plan);
  *f = (whet_frame){.session = f->session};
}

void *whet__frame_buffer(const whet_frame *f, int32_t i) {
  if (i < 0) return NULL;
  const whet_session *s = f->session;
  const whet_buf *b = &f->plan->buf[i];
  switch ((whet_where)b->where) {
    case WHET_IN_ARENA:
      if (b->input >= 0 && s->in[b->input].memory) return (void *)s->in[b->input].memory;
      if (b->output >= 0 && s->out[b->output].memory) return (void *)s->out[b->output].memory;
      return f->arena + b->off;
    case WHET_IN_CONST:
      return (void *)s->program->graph.val[b->id].data->p;
    case WHET_IN_VAR:
      return whet__state_memory(s, b->id);
    case WHET_IN_OUTER:
      return s->outer ? s->outer[b->id] : NULL;
    default:
      return NULL;
  }
}

void *whet__frame_value(const whet_frame *f, int32_t v) {
  const whet_store *st = &f->plan->store[v];
  char *base = whet__frame_buffer(f, st->buf);
  return base ? base + st->off : NULL;
}

void whet__frame_repoint(whet_frame *f, int32_t buf, void *base) {
  for (int32_t i = 0; i < f->plan->n_place; i++) {
    const whet_place *a = &f->plan->place[i];
    if ((a->kind == WHET_ARG_VAL || a->kind == WHET_ARG_TEMP) && a->buf == buf) f->ptr[i] = (char *)base + a->off;
  }
}

/* Where argument `a` lies. */
static void *resolve(whet_frame *f, const whet_place *a) {
  char *base;
  switch (a->kind) {
    case WHET_ARG_VAL:
    case WHET_ARG_TEMP:
      base = whet__frame_buffer(f, a->buf);
      return base ? base + a->off : NULL;
    case WHET_ARG_PACK:
      return f->plan->pack[a->buf]->bytes;
    case WHET_ARG_BLOB:
      return (void *)f->plan->blob[a->buf];
    case WHET_ARG_FAULT:
      return &f->fault;
    default:
      return NULL;
  }
}

/* Tensors of reference steps: everything but the pointers is known now. */
static bool bind_tensors(whet_frame *f, whet_mem *m) {
  const whet_plan *p = f->plan;
  int32_t n = 0;
  f->tensor_at = whet__alloc_array(m, (size_t)p->n_step + 1, sizeof *f->tensor_at);
  if (!f->tensor_at) return false;
  for (int32_t i = 0; i < p->n_step; i++) {
    const whet_ref_params *r = (const void *)(p->params + p->step[i].params);
    f->tensor_at[i] = n;
    if (p->step[i].kind == WHET_STEP_REF) n += r->n_in + r->n_out;
  }
  f->tensor = whet__alloc_array(m, (size_t)n + 1, sizeof *f->tensor);
  if (!f->tensor) return false;
  for (int32_t i = 0; i < p->n_step; i++) {
    if (p->step[i].kind != WHET_STEP_REF) continue;
    const whet_ref_params *r = (const void *)(p->params + p->step[i].params);
    const whet_ref_tensor *from = (const void *)(r + 1);
    whet_tensor *to = f->tensor + f->tensor_at[i];
    for (int k = 0; k < r->n_in + r->n_out; k++) {
      to[k].dtype = (whet_dtype)from[k].dtype;
      to[k].rank = from[k].rank;
      memcpy(to[k].dim, from[k].dim, sizeof to[k].dim);
      memcpy(to[k].stride, from[k].stride, sizeof to[k].stride);
      to[k].q = from[k].val >= 0 ? f->session->program->graph.val[from[k].val].q : NULL;
    }
  }
  return true;
}

/* Forget a plan that could not be bound, so that it is tried anew; answers s. */
static whet_status unbind(whet_frame *f, whet_status s) {
  whet__plan_unref(f->plan);
  f->plan = NULL;
  return s;
}

/* The arena, of at least n bytes. */
static bool make_arena(whet_frame *f, whet_mem *m, size_t n) {
  size_t more = f->session->program->opts.prefer == WHET_PREFER_MEMORY ? n : whet__huge(n);
  whet__free(m, f->arena);
  f->arena_cap = 0;
  f->arena = more > n ? whet__alloc(m, more) : NULL;
  if (f->arena)
    n = more;
  else if (!(f->arena = whet__alloc(m, n)))
    return false;
  f->arena_cap = n;
  return true;
}

whet_status whet__frame_bind(whet_frame *f, whet_plan *plan, whet_err *err) {
  whet_mem *m = &f->session->mem;
  whet__free(m, f->bound);
  whet__free(m, f->ptr);
  whet__free(m, f->tensor);
  whet__free(m, f->tensor_at);
  f->bound = NULL, f->ptr = NULL, f->tensor = NULL, f->tensor_at = NULL;
  whet__plan_unref(f->plan);
  f->plan = plan;
  if ((plan->arena_bytes > f->arena_cap || !f->arena) && !make_arena(f, m, plan->arena_bytes))
    return unbind(f, whet__no_memory(m, plan->arena_bytes, err, "the arena for activations"));
  f->bound = whet__alloc_array(m, (size_t)plan->n_step + 1, sizeof *f->bound);
  f->ptr = whet__alloc_array(m, (size_t)plan->n_place + 1, sizeof *f->ptr);
  if (!f->bound || !f->ptr || !bind_tensors(f, m))
    return unbind(f, whet__no_memory(m, (size_t)plan->n_step * 64, err, "bound steps"));
  for (int32_t i = 0; i < plan->n_place; i++) f->ptr[i] = resolve(f, &plan->place[i]);
  for (int32_t i = 0; i < plan->n_step; i++) {
    const whet_step *s = &plan->step[i];
    f->bound[i] = (whet_bound){.fn = s->row ? s->row->run : NULL,
                               .params = plan->params + s->params,
                               .ptr = f->ptr + s->args,
                               .parts = s->parts,
                               .kind = s->kind,
                               .checked = s->checked,
                               .next = s->next};
  }
  return WHET_OK;
}

/* Put the place of step i in front of an error. */
static whet_status blame(const whet_run *r, int32_t i, whet_status s) {
  const whet_plan *p = r->frame->plan;
  if (p->step[i].node < 0) return s;
  const whet_node *n = &p->program->graph.node[p->step[i].node];
  whet__fail(r->err, s, "it failed");
  whet__fail_in(r->err, "node %d \"%s\" (%s)", n->origin, n->name, n->op->name);
  return s;
}

static whet_status run_ref(whet_run *r, int32_t i) {
  whet_frame *f = r->frame;
  const whet_ref_params *p = f->bound[i].params;
  whet_tensor *t = f->tensor + f->tensor_at[i];
  int n = p->n_in + p->n_out;
  for (int k = 0; k < n; k++) t[k].data = f->bound[i].ptr[k];
  const whet_node *node = &f->plan->program->graph.node[p->node];
  whet_args a = {.node = node,
                 .attr = node->attr,
                 .in = t,
                 .out = t + p->n_in,
                 .n_in = p->n_in,
                 .n_out = p->n_out,
                 .scratch = f->bound[i].ptr[n],
                 .frame = f,
                 .err = r->err};
  whet_status s = node->op->ref(&a);
  return s ? blame(r, i, s) : WHET_OK;
}

static void run_pack(const whet_bound *b) {
  const whet_pack_step *p = b->params;
  const void *src[8] = {NULL};
  for (int k = 0; k < p->n_src; k++) src[k] = b->ptr[k];
  p->kind->pack(p + 1, src, b->ptr[p->n_src], 0, 1);
}

struct shared_step {
  const whet_bound *b;
  const whet_step *s;
};
/* Each thread has a piece of the scratch. */
static void run_part(void *arg, int part, int parts, int thread) {
  const struct shared_step *x = arg;
  void *own[WHET_SHARED_ARGS];
  void *const *ptr = x->b->ptr;
  if (thread && x->s->scratch) {
    memcpy(own, ptr, x->s->n_arg * sizeof *own);
    own[x->s->scratch_at] = (char *)own[x->s->scratch_at] + (size_t)thread * x->s->scratch;
    ptr = own;
  }
  x->b->fn(x->b->params, ptr, part, parts);
}

static inline void run_kern(const whet_run *r, const whet_bound *b) {
  if (b->parts == 1) {
    b->fn(b->params, b->ptr, 0, 1);
  } else {
    struct shared_step s = {b, &r->frame->plan->step[b - r->frame->bound]};
    whet__lease_run(r->lease, b->parts, run_part, &s);
  }
}

/* Everything but a plain kernel, and whatever is asked between steps. */
static whet_status run_checked(whet_run *r, int32_t i) {
  whet_frame *f = r->frame;
  const whet_bound *b = &f->bound[i];
  if (r->cancel && whet_cancel_raised(r->cancel))
    return whet__fail(r->err, WHET_E_CANCELLED, "the run was cancelled");
  int64_t t = r->until_ns || r->profile ? whet__now_ns() : 0;
  if (r->until_ns && t > r->until_ns)
    return whet__fail(r->err, WHET_E_DEADLINE, "the deadline passed during the run");
  whet_status s = WHET_OK;
  switch ((whet_step_kind)b->kind) {
    case WHET_STEP_KERN:
      run_kern(r, b);
      if (b->checked && f->fault) {
        f->fault = 0;
        whet__fail(r->err, WHET_E_DATA, "an index in its data is out of range");
        s = blame(r, i, WHET_E_DATA);
      }
      break;
    case WHET_STEP_REF:
      s = run_ref(r, i);
      break;
    case WHET_STEP_PACK:
      run_pack(b);
      break;
    default:
      s = whet__frame_branch(r, i);
      break;
  }
  if (r->profile) r->profile[i] += (uint64_t)(whet__now_ns() - t);
  return s;
}

whet_status whet__frame_run(whet_run *r, int32_t from, int32_t to) {
  const whet_bound *bound = r->frame->bound;
  bool bare = !r->cancel && !r->until_ns && !r->profile;
  for (int32_t i = from; i < to; i = bound[i].next) {
    const whet_bound *b = &bound[i];
    if (WHET_LIKELY(bare && b->kind == WHET_STEP_KERN && !b->checked))
      run_kern(r, b);
    else
      WHET_TRY(run_checked(r, i));
  }
  return WHET_OK;
}
