/* SPDX-License-Identifier: Apache-2.0 */
/* What operators call while they plan: questions about values, packed weights, memory, steps. */

#include <stdarg.h>
#include <stdio.h>

#include "base/dtype.h"
#include "kern/ref.h"
#include "plan/planner.h"

/* A step shorter than SHARE_NS runs on one thread: what cores fetch from one another is not free. Parts of PIECE_NS or more
 * let threads that are through help others. */
enum { SHARE_NS = 4500, PIECE_NS = 12000, PIECES = 4 };

bool whet__pl_room(whet_planner *p, void **list, size_t *cap, size_t need, size_t each) {
  if (need <= *cap) return true;
  size_t want = *cap ? *cap * 2 : 32;
  while (want < need) want *= 2;
  void *bigger = whet__arena_array(p->a, want, each);
  if (!bigger) {
    if (!p->status) p->status = whet__no_memory(p->a->mem, want * each, p->err, "a plan");
    return false;
  }
  if (*list) memcpy(bigger, *list, *cap * each);
  *list = bigger;
  *cap = want;
  return true;
}

whet_status whet__pl_fail(whet_planner *p, whet_status code, const char *fmt, ...) {
  char text[300];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  const whet_node *n = p->now;
  if (!p->status)
    p->status = n ? whet__fail(p->err, code, "node %d \"%s\" (%s): %s", n->origin, n->name, n->op->name, text)
                  : whet__fail(p->err, code, "%s", text);
  return p->status;
}

whet_err *whet__pl_err(whet_planner *p) { return p->err; }
const whet_target *whet__pl_target(const whet_planner *p) { return &p->program->target; }
const struct whet_program_opts *whet__pl_opts(const whet_planner *p) { return &p->program->opts; }
const whet_graph *whet__pl_graph(const whet_planner *p) { return p->g; }
whet_dtype whet__pl_dtype(const whet_planner *p, int32_t v) {
  return v < 0 ? WHET_NONE : (whet_dtype)p->env->dtype[v];
}
const whet_quant *whet__pl_quant(const whet_planner *p, int32_t v) { return v < 0 ? NULL : p->g->val[v].q; }

const whet_shape *whet__pl_shape(const whet_planner *p, int32_t v) {
  static const whet_shape none = {.rank = -1};
  return v < 0 ? &none : &p->env->shape[v];
}

size_t whet__pl_bytes(const whet_planner *p, int32_t v) {
  int64_t n = whet__shape_count(&p->env->shape[v]);
  return n < 0 ? 0 : whet_dtype_bytes((whet_dtype)p->env->dtype[v], (size_t)n);
}

/* Bytes of known contents, in the plan's arena: a constant that shape arithmetic made. */
static const void *known_bytes(whet_planner *p, int32_t v) {
  int32_t n;
  const whet_dim *d = whet__env_known(p->env, v, &n);
  void *b = d ? whet__arena_alloc(p->a, whet__pl_bytes(p, v) + WHET_SLACK) : NULL;
  if (!b) return NULL;
  for (int32_t i = 0; i < n; i++)
    whet__set_i64((whet_dtype)p->env->dtype[v], b, i, d[i] == WHET_DIM_LOWEST ? INT64_MIN : d[i]);
  return b;
}

bool whet__pl_is_known(const whet_planner *p, int32_t v) {
  const whet_val *x = &p->g->val[v];
  if (x->role == WHET_ROLE_CONST || p->env->data[v]) return true;
  if (!p->env->known[v] || whet__shape_count(&p->env->shape[v]) != p->env->n_known[v]) return false;
  for (int32_t i = 0; i < p->env->n_known[v]; i++)
    if (!whet__dim_number(p->env->known[v][i])) return false;
  return true;
}

/* What v contains when it is a constant seen with another shape. Folding leaves such where callers might replace the
 * constant. */
static const whet_data *viewed(const whet_planner *p, int32_t v) {
  const whet_node *n = p->all.maker[v] < 0 ? NULL : &p->g->node[p->all.maker[v]];
  for (int depth = 0; n && n->op->flags & WHET_OP_VIEW && n->out[0] == v && depth < 8; depth++) {
    const whet_val *x = &p->g->val[n->in[0]];
    if (x->role == WHET_ROLE_CONST) return x->dtype == p->env->dtype[v] ? x->data : NULL;
    if (x->role != WHET_ROLE_NODE || (p->outer && p->outer[n->in[0]]) || p->all.maker[n->in[0]] < 0) return NULL;
    v = n->in[0];
    n = &p->g->node[p->all.maker[v]];
  }
  return NULL;
}

const whet_data *whet__pl_data(const whet_planner *cp, int32_t v) {
  whet_planner *p = (whet_planner *)cp;
  if (v < 0) return NULL;
  if (p->g->val[v].role == WHET_ROLE_CONST) return p->g->val[v].data;
  if (p->g->val[v].role != WHET_ROLE_NODE || (p->outer && p->outer[v])) return NULL;
  if (!whet__pl_is_known(p, v)) return viewed(p, v);
  whet_data *d = whet__arena_alloc(p->a, sizeof *d);
  const void *b = p->env->data[v] ? p->env->data[v] : known_bytes(p, v);
  if (!d || !b) return NULL;
  *d = (whet_data){.p = b, .n = whet__pl_bytes(p, v)};
  return d;
}

/* The node that leads the group whose steps are emitted now. */
static int32_t now_id(const whet_planner *p) { return (int32_t)(p->now - p->g->node); }

const whet_node *whet__pl_group(const whet_planner *p, int k) {
  int32_t n = now_id(p);
  while (k-- > 0 && n >= 0) n = p->member[n];
  return n < 0 ? NULL : &p->g->node[n];
}

const whet_node *whet__pl_member(const whet_planner *p, const whet_node *n) {
  int32_t next = p->member[n - p->g->node];
  return next < 0 ? NULL : &p->g->node[next];
}

int32_t whet__pl_group_out(const whet_planner *p) {
  int32_t n = now_id(p);
  while (p->member[n] >= 0) n = p->member[n];
  return p->g->node[n].out[0];
}

void whet__pl_pitch(const whet_planner *p, int32_t v, int64_t *rows, int64_t *run, int64_t *pitch) {
  int64_t n = whet__shape_count(&p->env->shape[v]);
  *run = p->run[v] ? p->run[v] : n;
  *pitch = p->pitch[v] ? p->pitch[v] : n;
  *rows = *run ? n / *run : 0;
}

int32_t whet__pl_blob(whet_planner *p, const void *bytes, size_t n) {
  char *b = whet__arena_alloc(p->a, n + 2 * WHET_SLACK);
  if (!b || !whet__pl_room(p, (void **)&p->blobs, &p->cap_blob, p->n_blob + 1, sizeof *p->blobs) ||
      !whet__pl_room(p, (void **)&p->blob_bytes, &p->cap_blob_bytes, p->n_blob + 1, sizeof *p->blob_bytes)) {
    if (!p->status) p->status = whet__no_memory(p->a->mem, n, p->err, "a table of the plan");
    return -1;
  }
  b += (WHET_ALIGN - (uintptr_t)b % WHET_ALIGN) % WHET_ALIGN;
  memcpy(b, bytes, n);
  p->blobs[p->n_blob] = b;
  p->blob_bytes[p->n_blob] = n;
  return (int32_t)p->n_blob++;
}

void *whet__pl_memory(whet_planner *p, size_t bytes) {
  void *m = whet__arena_alloc(p->a, bytes);
  if (!m && !p->status) p->status = whet__no_memory(p->a->mem, bytes, p->err, "a description in the plan");
  return m;
}

int32_t whet__pl_temp(whet_planner *p, size_t bytes) {
  if (!whet__pl_room(p, (void **)&p->temp, &p->cap_temp, p->n_temp + 1, sizeof *p->temp)) return -1;
  p->temp[p->n_temp] = (whet_temp){bytes, INT32_MAX, -1};
  return (int32_t)p->n_temp++;
}

int32_t whet__pl_pack(whet_planner *p, const whet_pack_kind *k, const void *params, const int32_t *src, int n_src) {
  const whet_data *data[WHET_PACK_SRC] = {NULL};
  if (p->status) return -1;
  if (n_src > WHET_PACK_SRC) {
    whet__pl_fail(p, WHET_E_INTERNAL, "%d operands for %s, at most %d", n_src, k->name, WHET_PACK_SRC);
    return -1;
  }
  for (int i = 0; i < n_src; i++)
    if (src[i] >= 0 && !(data[i] = whet__pl_data(p, src[i]))) {
      whet__pl_fail(p, WHET_E_INTERNAL, "operand \"%s\" is packed but is no constant", p->g->val[src[i]].name);
      return -1;
    }
  whet_pack *e = whet__packs_want(p->program->packs, k, params, data, n_src, p->err);
  if (!e || !whet__pl_room(p, (void **)&p->pack, &p->cap_pack, p->n_pack + 1, sizeof *p->pack)) {
    if (!p->status) p->status = p->err && p->err->code ? p->err->code : WHET_E_MEMORY;
    return -1;
  }
  p->pack[p->n_pack] = e;
  return (int32_t)p->n_pack++;
}

/* Append parameters, aligned to 16 so that kernels may read them in place. */
static uint32_t add_params(whet_planner *p, const void *bytes, size_t n) {
  size_t at = whet__round_up(p->n_params, 16);
  if (!whet__pl_room(p, (void **)&p->params, &p->cap_params, at + n + 1, 1)) return 0;
  memset(p->params + p->n_params, 0, at - p->n_params);
  if (n) memcpy(p->params + at, bytes, n);
  p->n_params = at + n;
  return (uint32_t)at;
}

/* Append one argument of the step that is being made. */
static void add_arg(whet_planner *p, whet_arg a, size_t scratch) {
  if (!whet__pl_room(p, (void **)&p->place, &p->cap_place, p->n_place + 1, sizeof *p->place)) return;
  whet_place x = {.kind = a.kind, .write = a.write, .buf = a.id, .val = a.kind == WHET_ARG_VAL ? a.id : -1};
  int32_t at = (int32_t)p->n_step;
  if (a.kind == WHET_ARG_SCRATCH) {
    x.kind = scratch ? WHET_ARG_TEMP : WHET_ARG_NONE;
    x.buf = scratch ? whet__pl_temp(p, scratch) : -1;
  }
  const whet_val *v = a.kind == WHET_ARG_VAL ? &p->g->val[a.id] : NULL;
  bool odd = v && v->role == WHET_ROLE_CONST && !whet__data_aligned(v->data, (whet_dtype)v->dtype);
  bool known = v && v->role == WHET_ROLE_NODE && !a.write && p->made[a.id] && whet__pl_is_known(p, a.id);
  if (odd || known) {
    if (p->blob[a.id] < 0) {
      const whet_data *d = whet__pl_data(p, a.id);
      if (d) p->blob[a.id] = whet__pl_blob(p, d->p, d->n);
    }
    x.kind = WHET_ARG_BLOB;
    x.buf = p->blob[a.id];
  }
  if (x.kind == WHET_ARG_TEMP && x.buf >= 0) {
    whet_temp *t = &p->temp[x.buf];
    if (at < t->from) t->from = at;
    if (at > t->to) t->to = at;
  }
  p->place[p->n_place++] = x;
}

/* Append a step of any kind. */
static whet_status add_step(whet_planner *p, whet_step s, const void *params, size_t size, const whet_arg *arg,
                            int n_arg, size_t scratch) {
  if (p->status) return p->status;
  s.params = add_params(p, params, size);
  s.params_size = (uint32_t)size;
  s.args = (uint32_t)p->n_place;
  s.n_arg = (uint16_t)n_arg;
  s.node = p->now ? now_id(p) : -1;
  if (s.parts > 1) {
    int64_t threads = p->program->threads;
    s.scratch = whet__round_up(scratch, 128);
    while (s.scratch_at < n_arg && arg[s.scratch_at].kind != WHET_ARG_SCRATCH) s.scratch_at++;
    scratch = s.scratch * (size_t)whet__min_i(threads, s.parts);
  }
  for (int i = 0; i < n_arg; i++) add_arg(p, arg[i], scratch);
  if (!whet__pl_room(p, (void **)&p->step, &p->cap_step, p->n_step + 1, sizeof *p->step) || p->status)
    return p->status;
  s.next = (int32_t)p->n_step + 1;
  p->step[p->n_step++] = s;
  return WHET_OK;
}

/* Into how many parts a step is cut: none, one for each thread, or of much work several for each. */
static int64_t parts_of(const whet_planner *p, const whet_step_req *r) {
  int64_t threads = p->program->threads, most = whet__max_i(r->max_parts, 1);
  if (r->work_ns < SHARE_NS || threads < 2 || r->n_arg > WHET_SHARED_ARGS) return 1;
  int64_t parts = whet__min_i(threads, (int64_t)(r->work_ns / (SHARE_NS / 2)));
  if (parts < threads) return whet__min_i(parts, most);
  int64_t each = whet__clamp_i((int64_t)(r->work_ns / PIECE_NS) / threads, 1, PIECES);
  while (each > 1 && r->pieces % (threads * each)) each--;
  return whet__min_i(threads * each, most);
}

whet_status whet__pl_step(whet_planner *p, const whet_step_req *r) {
  int64_t parts = parts_of(p, r);
  whet_step s = {.kind = WHET_STEP_KERN, .family = (uint16_t)r->family, .row = r->row, .parts = (uint16_t)parts};
  for (int i = 0; i < r->n_arg; i++) s.checked |= r->arg[i].kind == WHET_ARG_FAULT;
  return add_step(p, s, r->params, r->params_size, r->arg, r->n_arg,
                  r->row->scratch ? r->row->scratch(r->params) : 0);
}

whet_status whet__emit_control(whet_planner *p, whet_step_kind kind, const whet_branch *b, const whet_arg *arg,
                               int n_arg) {
  whet_step s = {.kind = (uint8_t)kind, .parts = 1, .checked = 1};
  return add_step(p, s, b, sizeof *b, arg, n_arg, 0);
}

whet_status whet__pl_kern(whet_planner *p, unsigned family, const void *params, size_t params_size,
                          const whet_arg *arg, int n_arg, int64_t max_parts, double work_ns) {
  const whet_kern *row = whet__pl_pick(p, family, params, params_size);
  if (!row) return p->status;
  return whet__pl_step(p, &(whet_step_req){family, row, params, params_size, arg, n_arg, max_parts, work_ns, 0});
}

int32_t whet__pl_pack_step(whet_planner *p, const whet_pack_kind *k, const void *params, const int32_t *src,
                           int n_src) {
  int32_t t = whet__pl_temp(p, k->bytes(params));
  uint8_t *both = whet__arena_alloc(p->a, sizeof(whet_pack_step) + whet__pack_params_size(k, params));
  if (t < 0 || !both || n_src > WHET_PACK_SRC) return -1;
  whet_pack_step head = {k, n_src};
  memcpy(both, &head, sizeof head);
  memcpy(both + sizeof head, params, whet__pack_params_size(k, params));
  whet_arg arg[WHET_PACK_SRC + 1];
  for (int i = 0; i < n_src; i++) arg[i] = whet__rd(src[i]);
  arg[n_src] = whet__tm(t, true);
  whet_step s = {.kind = WHET_STEP_PACK, .parts = 1};
  return add_step(p, s, both, sizeof head + whet__pack_params_size(k, params), arg, n_src + 1, 0) ? -1 : t;
}

/* How the reference sees a value: its dimensions, and strides that follow the pitch. */
static whet_ref_tensor ref_tensor(const whet_planner *p, int32_t v) {
  whet_ref_tensor t = {.val = v, .rank = -1};
  if (v < 0) return t;
  const whet_shape *s = &p->env->shape[v];
  t.dtype = p->env->dtype[v];
  t.rank = (int8_t)(s->rank < 0 ? 0 : s->rank);
  int64_t stride = 1, inner = 1, run, pitch, rows;
  whet__pl_pitch(p, v, &rows, &run, &pitch);
  bool outside = false;
  for (int32_t i = t.rank - 1; i >= 0; i--) {
    if (!outside && rows > 1 && inner == run && inner != 1) stride = pitch, outside = true;
    if (!outside && rows > 1 && run == 1 && inner == 1) stride = pitch, outside = true;
    t.dim[i] = s->d[i];
    t.stride[i] = stride;
    stride *= s->d[i];
    inner *= s->d[i];
  }
  return t;
}

/* Bytes of scratch that the reference of n asks for; SIZE_MAX when memory for the question is refused. */
static size_t ref_scratch(whet_planner *p, const whet_node *n, const whet_ref_tensor *t) {
  int total = n->n_in + n->n_out;
  if (!n->op->scratch) return 0;
  whet_tensor *full = whet__arena_array(p->a, (size_t)total + 1, sizeof *full);
  if (!full) return SIZE_MAX;
  for (int i = 0; i < total; i++) {
    full[i] = (whet_tensor){.dtype = (whet_dtype)t[i].dtype, .rank = t[i].rank};
    memcpy(full[i].dim, t[i].dim, sizeof full[i].dim);
    memcpy(full[i].stride, t[i].stride, sizeof full[i].stride);
  }
  whet_args a = {.node = n, .attr = n->attr, .in = full, .out = full + n->n_in, .n_in = n->n_in, .n_out = n->n_out};
  return n->op->scratch(&a);
}

whet_status whet__pl_ref(whet_planner *p, const whet_node *n, size_t scratch) {
  int total = n->n_in + n->n_out;
  size_t size = sizeof(whet_ref_params) + (size_t)total * sizeof(whet_ref_tensor);
  whet_ref_params *r = whet__arena_alloc(p->a, size);
  whet_arg *arg = whet__arena_array(p->a, (size_t)total + 1, sizeof *arg);
  if (!r || !arg) return whet__pl_fail(p, WHET_E_MEMORY, "out of memory");
  *r = (whet_ref_params){.node = (int32_t)(n - p->g->node), .n_in = n->n_in, .n_out = n->n_out, .scratch = scratch};
  whet_ref_tensor *t = (whet_ref_tensor *)(r + 1);
  for (int i = 0; i < n->n_in; i++) t[i] = ref_tensor(p, n->in[i]), arg[i] = whet__rd(n->in[i]);
  for (int i = 0; i < n->n_out; i++)
    t[n->n_in + i] = ref_tensor(p, n->out[i]), arg[n->n_in + i] = whet__wr(n->out[i]);
  arg[total] = whet__scratch();
  size_t wanted = ref_scratch(p, n, t);
  if (wanted == SIZE_MAX) return whet__pl_fail(p, WHET_E_MEMORY, "out of memory");
  if (wanted > scratch) r->scratch = scratch = wanted;
  whet_step s = {.kind = WHET_STEP_REF, .family = WHET_FAMILY_ref, .parts = 1, .checked = 1};
  return add_step(p, s, r, size, arg, total + 1, scratch);
}

void whet__pl_may_overlay(whet_planner *p, int32_t out, int32_t in) {
  if (in < 0 || out < 0 ||
      !whet__pl_room(p, (void **)&p->overlay, &p->cap_overlay, p->n_overlay + 1, sizeof *p->overlay))
    return;
  p->overlay[p->n_overlay++] = (whet_overlay){out, in, (int32_t)p->n_step};
}

/* Inputs of n that its output may overwrite, by the operator's flags. */
static void offer_overlays(whet_planner *p, const whet_node *n) {
  if (!(n->op->flags & WHET_OP_INPLACE) || n->n_out < 1 || n->out[0] < 0) return;
  int most = n->op->flags & WHET_OP_POINTWISE ? n->n_in : 1;
  for (int i = 0; i < most && i < n->n_in; i++) {
    int32_t v = n->in[i], o = n->out[0];
    if (v < 0 || p->env->dtype[v] != p->env->dtype[o] || !whet__shape_equal(&p->env->shape[v], &p->env->shape[o]))
      continue;
    whet__pl_may_overlay(p, o, v);
  }
}

/* Every output is a tensor without elements, and nothing else comes of the node: kernels need not know of such. */
static bool makes_nothing(const whet_planner *p, const whet_node *n) {
  if (!n->n_out || n->op->flags & (WHET_OP_STATE | WHET_OP_OBJECT)) return false;
  for (int o = 0; o < n->n_out; o++)
    if (n->out[o] >= 0 && (p->env->kind[n->out[o]] != WHET_TENSOR || whet__shape_count(&p->env->shape[n->out[o]])))
      return false;
  return true;
}

/* The steps of one node, or of the group that it leads: by its plan hook, else its reference. A hook that cannot do a
 * group is asked for the leader alone, and the members follow one by one; one that could lead keeps those after it. */
static whet_status emit_one(whet_planner *p, const whet_node *n) {
  p->now = n;
  if (n->op->flags & WHET_OP_RUNS_BODY) return whet__emit_bodies(p, n);
  if (makes_nothing(p, n)) return WHET_OK; /* nor do the pointwise members of its group */
  offer_overlays(p, n);
  whet_status s = n->op->plan ? n->op->plan(p, n) : WHET_LATE;
  if (p->status) return p->status;
  int32_t id = now_id(p), next = p->member[id];
  if (s == WHET_LATE && next >= 0) {
    p->member[id] = -1;
    WHET_TRY(emit_one(p, n));
    for (id = next; id >= 0; id = next) {
      next = p->member[id];
      if (p->g->node[id].op->flags & WHET_OP_POINTWISE)
        p->member[id] = -1;
      else
        next = -1;
      WHET_TRY(emit_one(p, &p->g->node[id]));
    }
    return WHET_OK;
  }
  if (s == WHET_LATE) {
    if (!n->op->ref) return whet__pl_fail(p, WHET_E_UNSUPPORTED, "%s cannot run on these types", n->op->name);
    s = whet__pl_ref(p, n, 0);
  }
  return s;
}

whet_status whet__emit_nodes(whet_planner *p, const whet_region *r, int32_t from, int32_t to) {
  whet__group_match(p, r, from, to);
  if (!p->program->opts.no_group) whet__join_concats(p, r, from, to);
  for (int32_t i = from; i < to && !p->status; i++) {
    int32_t id = r->node[i];
    if (!p->live[id] || p->lead[id] == -2) continue;
    whet_status s = emit_one(p, &p->g->node[p->lead[id] >= 0 ? p->lead[id] : id]);
    if (s && !p->status) p->status = s < 0 ? s : WHET_E_INTERNAL;
  }
  p->now = NULL;
  return p->status;
}
