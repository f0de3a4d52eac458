/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that run bodies whose shapes or rounds only data tell. Where carried values keep their shapes a body is
 * planned once, before the first round; else each round is planned when it starts. op/control.h says what each
 * operator means. */

#include "base/dtype.h"
#include "ir/infer.h"
#include "op/control.h"
#include "op/move.h"
#include "op/object.h"
#include "plan/program.h"
#include "run/rounds.h"

/* Output k of node n is value v as it lies now. */
static whet_status give(whet_session *s, const whet_run *r, const whet_node *n, int k, whet_carried *c) {
  if (c->kind != WHET_TENSOR && c->own) { /* the run keeps the reference */
    whet_value *v = c->own;
    c->own = NULL;
    if (!whet__late_hold(s, v)) return whet__no_memory(&s->mem, 0, r->err, "an object");
  }
  if (k < n->n_out && n->out[k] >= 0) whet__carried_set(s, n->out[k], c);
  return WHET_OK;
}

/* What a loop carried is its node's outputs, if all went well; else it is let go. */
static whet_status finish(whet_session *s, const whet_run *r, const whet_node *n, whet_carried *c, int count,
                          whet_status st) {
  for (int i = 0; i < count; i++) {
    if (!st) st = give(s, r, n, i, &c[i]);
    if (st) whet__carried_drop(s, &c[i]);
  }
  return st;
}

static whet_status run_if(whet_session *s, whet_run *r, const whet_node *n) {
  const whet_region *b = n->body[whet__round_truth(s, n->in[0]) ? 0 : 1];
  WHET_TRY(whet__late_region(s, r, b, 0));
  for (int k = 0; k < n->n_out && k < b->n_out; k++) {
    whet_carried c = whet__carried_hold(s, b->out[k]);
    WHET_TRY(give(s, r, n, k, &c));
  }
  return WHET_OK;
}

/* What the rounds of a loop share. */
typedef struct turns {
  bool steady; /* planned once: else everything below is empty */
  size_t frame, cond;
  whet_move *move;
  int n_move;
} turns;

/* Plan body b, and `cond` before it if it is not NULL, for all rounds: `first` of its inputs and `first_out` of its
 * outputs are not carried, and their inputs are told. Where that cannot be `steady` is false, and rounds are planned
 * one by one. */
static whet_status steady(whet_session *s, whet_run *r, const whet_region *cond, const whet_region *b, int first,
                          int first_out, whet_carried *c, int n, turns *out) {
  *out = (turns){.steady = false};
  whet_late_mark mark = whet__late_mark(s);
  whet_status st = whet__carried_settle(s, c, n, b->in + first, b->out + first_out, r->err);
  for (int i = 0; !st && i < n; i++) {
    whet__carried_set(s, b->in[first + i], &c[i]);
    if (cond) whet__carried_set(s, cond->in[i], &c[i]);
  }
  if (!st && cond) st = whet__late_steady(s, r, cond, &out->cond);
  if (!st) st = whet__late_steady(s, r, b, &out->frame);
  if (!st) st = whet__carried_moves(s, c, n, b->out + first_out, &out->move, &out->n_move, r->err);
  out->steady = !st;
  if (st == WHET_LATE) whet__late_release(s, mark);
  return st == WHET_LATE ? WHET_OK : st;
}

/* Run the body, planned once or now. */
static whet_status run_body(whet_session *s, whet_run *r, const whet_region *b, const turns *w) {
  return w->steady ? whet__late_again(s, r, w->frame) : whet__late_region(s, r, b, 0);
}

/* What the round that ends has made is what the next one starts with. */
static whet_status next_round(whet_session *s, whet_run *r, const turns *w, whet_carried *c, int n,
                              const int32_t *out) {
  if (!w->steady) return whet__carried_next(s, c, n, out, r->err);
  whet__carried_move(w->move, w->n_move);
  return WHET_OK;
}

/* Rounds of a Loop; c: what is carried, stack: what is stacked. */
static whet_status loop_rounds(whet_session *s, whet_run *r, const whet_node *n, whet_carried *c, whet_stack *stack) {
  const whet_region *b = n->body[0];
  const whet_shape scalar = {.rank = 0};
  int n_carried = n->n_in - 2, n_stack = b->n_out - 1 - n_carried;
  int64_t *round = whet__late_block(s, sizeof *round), most = INT64_MAX;
  uint8_t *go = whet__late_block(s, 1);
  if (!round || !go) return whet__no_memory(&s->mem, 0, r->err, "a loop");
  if (n->in[0] >= 0)
    most = whet__get_i64((whet_dtype)whet__late_env(s)->dtype[n->in[0]], whet__late_data(s, n->in[0]), 0);
  *go = n->in[1] < 0 || whet__round_truth(s, n->in[1]);
  if (most <= 0 || !*go) return WHET_OK;
  whet_late_mark start = whet__late_mark(s);
  turns w;
  whet__late_set(s, b->in[0], WHET_S64, &scalar, round);
  whet__late_set(s, b->in[1], WHET_BOOL, &scalar, go);
  WHET_TRY(steady(s, r, NULL, b, 2, 1, c, n_carried, &w));
  for (*round = 0; *round < most && *go; ++*round) {
    WHET_TRY(whet__round_pause(r));
    whet_late_mark mark = whet__late_mark(s);
    if (!w.steady) {
      whet__late_set(s, b->in[0], WHET_S64, &scalar, round);
      whet__late_set(s, b->in[1], WHET_BOOL, &scalar, go);
      for (int i = 0; i < n_carried; i++) whet__carried_set(s, b->in[2 + i], &c[i]);
    }
    WHET_TRY(run_body(s, r, b, &w));
    bool more = whet__round_truth(s, b->out[0]);
    for (int i = 0; i < n_stack; i++) WHET_TRY(whet__stack_add(s, &stack[i], b->out[1 + n_carried + i], r->err));
    WHET_TRY(next_round(s, r, &w, c, n_carried, b->out + 1));
    whet__late_release(s, mark);
    *go = more;
  }
  whet__late_release(s, start);
  return WHET_OK;
}

static whet_status run_loop(whet_session *s, whet_run *r, const whet_node *n) {
  const whet_region *b = n->body[0];
  int n_carried = n->n_in - 2, n_stack = b->n_out - 1 - n_carried;
  whet_arena *a = whet__late_env(s)->arena;
  whet_carried *c = whet__arena_array(a, (size_t)n_carried + 1, sizeof *c);
  whet_stack *stack = whet__arena_array(a, (size_t)n_stack + 1, sizeof *stack);
  if (!c || !stack) return whet__no_memory(&s->mem, 0, r->err, "a loop");
  for (int i = 0; i < n_carried; i++) c[i] = whet__carried_hold(s, n->in[2 + i]);
  WHET_TRY(finish(s, r, n, c, n_carried, loop_rounds(s, r, n, c, stack)));
  for (int i = 0; i < n_stack && n_carried + i < n->n_out; i++)
    if (n->out[n_carried + i] >= 0)
      WHET_TRY(whet__stack_end(s, &stack[i], n->out[n_carried + i], b->out[1 + n_carried + i], 0, false, r->err));
  return WHET_OK;
}

/* Rounds of a While. */
static whet_status while_rounds(whet_session *s, whet_run *r, const whet_node *n, whet_carried *c) {
  const whet_region *cond = n->body[0], *b = n->body[1];
  whet_late_mark start = whet__late_mark(s);
  turns w;
  WHET_TRY(steady(s, r, cond, b, 0, 0, c, n->n_in, &w));
  for (bool more = true; more;) {
    WHET_TRY(whet__round_pause(r));
    whet_late_mark mark = whet__late_mark(s);
    for (int i = 0; !w.steady && i < n->n_in; i++) {
      whet__carried_set(s, cond->in[i], &c[i]);
      whet__carried_set(s, b->in[i], &c[i]);
    }
    WHET_TRY(w.steady ? whet__late_again(s, r, w.cond) : whet__late_region(s, r, cond, 0));
    more = whet__round_truth(s, cond->out[0]);
    if (more) {
      WHET_TRY(run_body(s, r, b, &w));
      WHET_TRY(next_round(s, r, &w, c, n->n_in, b->out));
    }
    whet__late_release(s, mark);
  }
  whet__late_release(s, start);
  return WHET_OK;
}

static whet_status run_while(whet_session *s, whet_run *r, const whet_node *n) {
  whet_carried *c = whet__arena_array(whet__late_env(s)->arena, (size_t)n->n_in + 1, sizeof *c);
  if (!c) return whet__no_memory(&s->mem, 0, r->err, "a loop");
  for (int i = 0; i < n->n_in; i++) c[i] = whet__carried_hold(s, n->in[i]);
  return finish(s, r, n, c, n->n_in, while_rounds(s, r, n, c));
}

/* A slice of x, index t along dimension axis, in memory of its own: that which `out` has already, if any. */
static whet_status slice(whet_session *s, const whet_carried *x, int64_t axis, int64_t t, whet_carried *out,
                         whet_err *err) {
  int64_t outer = 1, inner = 1;
  whet_shape shape = {.rank = x->shape.rank - 1};
  for (int32_t k = 0, to = 0; k < x->shape.rank; k++) {
    if (k != axis) shape.d[to++] = x->shape.d[k];
    if (k != axis) *(k < axis ? &outer : &inner) *= x->shape.d[k];
  }
  size_t run = whet_dtype_bytes(x->t, (size_t)inner), n = run * (size_t)outer;
  char *data = out->own ? out->own : whet__late_block(s, n);
  if (!data) return whet__no_memory(&s->mem, n, err, "a slice");
  for (int64_t o = 0; o < outer; o++)
    memcpy(data + (size_t)o * run, (const char *)x->data + (size_t)(o * x->shape.d[axis] + t) * run, run);
  *out = (whet_carried){x->t, shape, data, data, WHET_TENSOR};
  return WHET_OK;
}

/* The slices that round t of a Scan sees. */
static whet_status scan_slices(whet_session *s, const whet_scan *w, const whet_carried *x, int64_t t, int64_t rounds,
                               whet_carried *now, whet_err *err) {
  for (int i = 0; i < w->n_scan; i++) {
    int64_t axis = whet__scan_entry(w->in_axis, i);
    if (axis < 0) axis += x[i].shape.rank;
    WHET_TRY(slice(s, &x[i], axis, whet__scan_entry(w->in_reverse, i) ? rounds - 1 - t : t, &now[i], err));
  }
  return WHET_OK;
}

/* One pass of a Scan over sequences x[0 .. n_scan) with states c. Stacked outputs go to `stack`. */
static whet_status scan_once(whet_session *s, whet_run *r, const whet_node *n, whet_carried *c, const whet_carried *x,
                             int n_state, int64_t n_round, whet_stack *stack) {
  const whet_scan *sc = n->attr;
  const whet_region *b = n->body[0];
  whet_carried now[64] = {{0}};
  if (sc->n_scan > 64) return whet__fail(r->err, WHET_E_UNSUPPORTED, "a Scan over more than 64 sequences");
  if (n_round <= 0) return WHET_OK;
  whet_late_mark start = whet__late_mark(s);
  turns w;
  WHET_TRY(scan_slices(s, sc, x, 0, n_round, now, r->err));
  for (int i = 0; i < sc->n_scan; i++) whet__carried_set(s, b->in[n_state + i], &now[i]);
  WHET_TRY(steady(s, r, NULL, b, 0, 0, c, n_state, &w));
  for (int64_t t = 0; t < n_round; t++) {
    WHET_TRY(whet__round_pause(r));
    whet_late_mark mark = whet__late_mark(s);
    if (t) WHET_TRY(scan_slices(s, sc, x, t, n_round, now, r->err));
    for (int i = 0; !w.steady && i < n_state; i++) whet__carried_set(s, b->in[i], &c[i]);
    for (int i = 0; !w.steady && i < sc->n_scan; i++) whet__carried_set(s, b->in[n_state + i], &now[i]);
    WHET_TRY(run_body(s, r, b, &w));
    for (int i = 0; i < b->n_out - n_state; i++) WHET_TRY(whet__stack_add(s, &stack[i], b->out[n_state + i], r->err));
    WHET_TRY(next_round(s, r, &w, c, n_state, b->out));
    whet__late_release(s, mark);
  }
  for (int i = 0; i < sc->n_scan; i++) whet__carried_drop(s, &now[i]);
  whet__late_release(s, start);
  return WHET_OK;
}

static whet_status run_scan(whet_session *s, whet_run *r, const whet_node *n) {
  const whet_scan *w = n->attr;
  const whet_region *b = n->body[0];
  int first = w->batch ? 1 : 0, n_state = n->n_in - first - w->n_scan, n_stack = b->n_out - n_state;
  whet_arena *a = whet__late_env(s)->arena;
  whet_carried *c = whet__arena_array(a, (size_t)n->n_in + 1, 2 * sizeof *c), *x = c + n->n_in + 1;
  whet_stack *stack = whet__arena_array(a, (size_t)n_stack + 1, sizeof *stack);
  if (!c || !stack) return whet__no_memory(&s->mem, 0, r->err, "a scan");
  for (int i = 0; i < w->n_scan; i++) x[i] = whet__carried_take(s, n->in[first + n_state + i]);
  if (!w->batch) {
    for (int i = 0; i < n_state; i++) c[i] = whet__carried_take(s, n->in[i]);
    int64_t axis = whet__scan_entry(w->in_axis, 0);
    int64_t rounds = w->n_scan ? x[0].shape.d[axis < 0 ? axis + x[0].shape.rank : axis] : 0;
    WHET_TRY(finish(s, r, n, c, n_state, scan_once(s, r, n, c, x, n_state, rounds, stack)));
    for (int i = 0; i < n_stack && n_state + i < n->n_out; i++)
      if (n->out[n_state + i] >= 0)
        WHET_TRY(whet__stack_end(s, &stack[i], n->out[n_state + i], b->out[n_state + i],
                                 whet__scan_entry(w->out_axis, i), whet__scan_entry(w->out_reverse, i) != 0, r->err));
    return WHET_OK;
  }
  /* Opset 8: every item of the batch on its own; results are stacked along dimension 0. */
  whet_stack *whole = whet__arena_array(a, (size_t)b->n_out + 1, sizeof *whole);
  whet_carried *xs = whet__arena_array(a, (size_t)w->n_scan + 1, sizeof *xs);
  if (!whole || !xs) return whet__no_memory(&s->mem, 0, r->err, "a scan");
  const whet_carried lens = n->in[0] >= 0 ? whet__carried_take(s, n->in[0]) : (whet_carried){0};
  int64_t batch = w->n_scan ? x[0].shape.d[0] : 0;
  for (int64_t item = 0; item < batch; item++) {
    for (int i = 0; i < n_state; i++) {
      whet_carried all = whet__carried_take(s, n->in[first + i]);
      WHET_TRY(slice(s, &all, 0, item, &c[i], r->err));
    }
    for (int i = 0; i < w->n_scan; i++) WHET_TRY(slice(s, &x[i], 0, item, &xs[i], r->err));
    int64_t rounds = xs[0].shape.d[0];
    if (lens.data) rounds = whet__min_i(rounds, whet__get_i64(lens.t, lens.data, item));
    memset(stack, 0, (size_t)n_stack * sizeof *stack);
    WHET_TRY(scan_once(s, r, n, c, xs, n_state, rounds, stack));
    for (int i = 0; i < b->n_out; i++) {
      int32_t v = b->out[i];
      if (i < n_state)
        whet__carried_set(s, v, &c[i]);
      else
        WHET_TRY(whet__stack_end(s, &stack[i - n_state], v, v, 0, false, r->err));
      WHET_TRY(whet__stack_add(s, &whole[i], v, r->err));
    }
    for (int i = 0; i < n_state; i++) whet__carried_drop(s, &c[i]);
    for (int i = 0; i < w->n_scan; i++) whet__carried_drop(s, &xs[i]);
  }
  for (int i = 0; i < b->n_out && i < n->n_out; i++)
    if (n->out[i] >= 0) WHET_TRY(whet__stack_end(s, &whole[i], n->out[i], b->out[i], 0, false, r->err));
  return WHET_OK;
}

/* A value of a round, as an item that somebody else may keep. */
static whet_value *item_of(const whet_args *a, whet_session *s, int32_t v) {
  whet_carried c = whet__carried_take(s, v);
  if (c.kind != WHET_TENSOR) return whet_value_ref(c.data);
  whet_tensor t = {.dtype = c.t, .rank = c.shape.rank, .data = c.data};
  for (int32_t i = 0; i < t.rank; i++) t.dim[i] = c.shape.d[i];
  whet__dense_strides(t.rank, t.dim, t.stride);
  return whet__object_from_tensor(a, &t);
}

/* Item k of the sequence at input i becomes the body's input i; what is no sequence is the same in every round. */
static void set_item(whet_session *s, const whet_node *n, int i, size_t k) {
  whet_carried c = whet__carried_take(s, n->in[i]);
  int32_t to = n->body[0]->in[i];
  if (c.kind == WHET_SEQUENCE) {
    whet_value *item = whet_value_item(c.data, k);
    if (whet_value_kind(item) != WHET_TENSOR) {
      whet__late_set_object(s, to, item);
      return;
    }
    c = (whet_carried){whet_value_dtype(item), whet__shape(whet_value_rank(item), whet_value_dims(item)),
                       whet_value_data(item), NULL, WHET_TENSOR};
  }
  whet__carried_set(s, to, &c);
}

/* Rounds of a SequenceMap; seq: what it makes so far. */
static whet_status map_rounds(whet_session *s, whet_run *r, const whet_node *n, const whet_args *a,
                              whet_value **seq) {
  const whet_region *b = n->body[0];
  size_t rounds = 0;
  for (int i = 0; i < n->n_in; i++) {
    whet_carried c = whet__carried_take(s, n->in[i]);
    if (c.kind == WHET_SEQUENCE && i && whet_value_items(c.data) != rounds)
      return whet__fail(r->err, WHET_E_SHAPE, "input %d has %zu items, input 0 has %zu", i, whet_value_items(c.data),
                        rounds);
    if (!i) rounds = whet_value_items(c.data);
  }
  for (int o = 0; o < n->n_out; o++)
    if (!(seq[o] = whet__object_holder(a, WHET_SEQUENCE, NULL, 0))) return r->err->code;
  for (size_t k = 0; k < rounds; k++) {
    WHET_TRY(whet__round_pause(r));
    whet_late_mark mark = whet__late_mark(s);
    for (int i = 0; i < n->n_in; i++) set_item(s, n, i, k);
    WHET_TRY(whet__late_region(s, r, b, 0));
    for (int o = 0; o < n->n_out; o++) WHET_TRY(whet__object_insert(a, seq[o], k, item_of(a, s, b->out[o])));
    whet__late_release(s, mark);
  }
  return WHET_OK;
}

static whet_status run_map(whet_session *s, whet_run *r, const whet_node *n) {
  whet_value **seq = whet__arena_array(whet__late_env(s)->arena, (size_t)n->n_out + 1, sizeof *seq);
  if (!seq) return whet__no_memory(&s->mem, 0, r->err, "a sequence");
  const whet_args a = {.node = n, .n_in = n->n_in, .n_out = n->n_out, .frame = &s->frame, .err = r->err};
  whet_status st = map_rounds(s, r, n, &a, seq);
  for (int o = 0; o < n->n_out; o++) {
    if (!st)
      st = whet__object_out(&a, o, seq[o]);
    else
      whet_value_unref(&seq[o]);
  }
  return st;
}

/* Once for a session, and again after a reset. */
static whet_status run_once(whet_session *s, whet_run *r, const whet_node *n) {
  int32_t id = (int32_t)(n - s->program->graph.node);
  if (!s->once) {
    s->once = whet__alloc0(&s->mem, (size_t)s->program->graph.n_node + 1);
    if (!s->once) return whet__no_memory(&s->mem, 0, r->err, "a session");
  }
  if (s->once[id]) return WHET_OK;
  WHET_TRY(whet__late_region(s, r, n->body[0], 0));
  s->once[id] = 1;
  return WHET_OK;
}

static const struct {
  const char *op;
  whet_status (*run)(whet_session *, whet_run *, const whet_node *);
} k_rows[] = {{"If", run_if},     {"Loop", run_loop},       {"While", run_while},
              {"Scan", run_scan}, {"SequenceMap", run_map}, {"CallOnce", run_once}};

whet_status whet__late_bodies(whet_session *s, whet_run *r, const whet_node *n) {
  for (size_t i = 0; i < WHET_COUNT(k_rows); i++)
    if (!strcmp(n->op->name, k_rows[i].op)) return k_rows[i].run(s, r, n);
  return whet__fail(r->err, WHET_E_UNSUPPORTED, "node %d \"%s\" (%s): no such control flow", n->origin, n->name,
                    n->op->name);
}
