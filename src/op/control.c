/* SPDX-License-Identifier: Apache-2.0 */
/* If, Loop, While, CallOnce: see control.h for what each does.
 *
 * ONNX If 1-25, Loop 1-25; TFLite IF, WHILE, CALL_ONCE, STABLEHLO_CASE, STABLEHLO_WHILE. Shapes of carried values may change from turn
 * to turn: the rule runs the body's rules until nothing changes, a dimension that differs becoming one that only data
 * tell. */

#include "op/control.h"

#include "op/move.h"
#include "op/variable.h"

/* ---- reading --------------------------------------------------------------------------------- */

/* Append a node with the operator's inputs and these bodies. */
static whet_status with_bodies(whet_import *im, const whet_op *op, int skip, int n_in, whet_region *const *body,
                               int n) {
  int32_t *in = whet__arena_array(whet__im_arena(im), (size_t)n_in + 1, sizeof *in);
  int n_out = whet__im_n_out(im);
  int32_t *out = whet__arena_array(whet__im_arena(im), (size_t)n_out + 1, sizeof *out);
  if (!in || !out) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a body");
  for (int i = 0; i < n_in; i++) in[i] = whet__im_in(im, skip + i);
  for (int i = 0; i < n_out; i++) out[i] = whet__im_out(im, i);
  WHET_TRY(whet__im_node(im, op, NULL, in, n_in, out, n_out));
  return whet__im_bodies(im, body, n);
}

/* Check the numbers of a body's inputs and outputs. */
static whet_status check_body(whet_import *im, const whet_region *r, const char *name, int n_in, int n_out) {
  if (!r) return whet__im_fail(im, WHET_E_FORMAT, "the body \"%s\" is absent or cannot be read", name);
  if (r->n_in != n_in || (n_out >= 0 && r->n_out != n_out))
    return whet__im_fail(im, WHET_E_FORMAT, "the body \"%s\" has %d inputs and %d outputs, expected %d and %d", name,
                         r->n_in, r->n_out, n_in, n_out);
  return WHET_OK;
}

static whet_status if_onnx(whet_import *im, const whet_op *op) {
  whet_region *r[2] = {whet__onnx_region(im, "then_branch"), whet__onnx_region(im, "else_branch")};
  int n = whet__im_n_out(im);
  WHET_TRY(check_body(im, r[0], "then_branch", 0, n));
  WHET_TRY(check_body(im, r[1], "else_branch", 0, n));
  return with_bodies(im, op, 0, 1, r, 2);
}

static whet_status loop_onnx(whet_import *im, const whet_op *op) {
  whet_region *r = whet__onnx_region(im, "body");
  int n_in = whet__im_n_in(im), n_out = whet__im_n_out(im);
  if (n_in < 2) return whet__im_fail(im, WHET_E_FORMAT, "%d inputs, expected 2 at least", n_in);
  WHET_TRY(check_body(im, r, "body", n_in, n_out + 1));
  if (n_out < n_in - 2) return whet__im_fail(im, WHET_E_FORMAT, "%d outputs for %d carried values", n_out, n_in - 2);
  return with_bodies(im, op, 0, n_in, &r, 1);
}

/* A subgraph whose inputs are the operator's inputs from `skip` on, used where it stands: its inputs are those
 * values. */
static whet_status inlined(whet_import *im, int64_t index, int skip, whet_region **out) {
  int n = whet__im_n_in(im) - skip;
  int32_t *args = n < 0 ? NULL : whet__arena_array(whet__im_arena(im), (size_t)n + 1, sizeof *args);
  if (n < 0) return whet__im_fail(im, WHET_E_FORMAT, "%d inputs, expected %d at least", n + skip, skip);
  if (!args) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a body");
  for (int i = 0; i < n; i++) args[i] = whet__im_in(im, skip + i);
  *out = whet__tfl_region_with(im, index, args, n);
  return check_body(im, *out, "subgraph", 0, whet__im_n_out(im));
}

static whet_status if_tfl(whet_import *im, const whet_op *op) {
  whet_region *r[2];
  WHET_TRY(inlined(im, whet__tfl_int(im, 0, 0), 1, &r[0]));
  WHET_TRY(inlined(im, whet__tfl_int(im, 1, 0), 1, &r[1]));
  return with_bodies(im, op, 0, 1, r, 2);
}

/* STABLEHLO_CASE(index): one of n branches, the last one for an index that is out of range: an If in the else of an If. */
static whet_status case_tfl(whet_import *im, const whet_op *op) {
  whet_ints list = whet__tfl_ints(im, 0);
  whet_graph *g = whet__im_graph(im);
  int32_t n_out = whet__im_n_out(im), index = whet__im_in(im, 0);
  whet_arena *arena = whet__im_arena(im);
  if (list.n < 1 || list.n > UINT8_MAX)
    return whet__im_fail(im, list.n < 1 ? WHET_E_FORMAT : WHET_E_LIMIT, "%d branches", list.n);
  int32_t n = list.n == 1 ? 2 : list.n; /* one branch stands on both sides */
  whet_region **branch = whet__arena_array(arena, (size_t)n, sizeof *branch);
  int32_t *cond = whet__arena_array(arena, (size_t)n, sizeof *cond);
  if (!branch || !cond) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a body");
  for (int32_t i = 0; i < n; i++) WHET_TRY(inlined(im, list.v[i < list.n ? i : 0], 1, &branch[i]));
  const whet_val *v = whet__im_val(im, index);
  if (v->dtype != WHET_S32) return whet__im_fail(im, WHET_E_TYPE, "the index is no int32");
  for (int32_t i = 0; i < n - 1; i++) {
    int32_t in[2] = {index, whet__im_const(im, WHET_S32, 0, NULL, &i)};
    cond[i] = whet__im_new(im, "chosen");
    WHET_TRY(whet__im_node(im, whet__op_find("Equal"), NULL, in, 2, &cond[i], 1));
  }
  whet_region *rest = branch[n - 1];
  for (int32_t i = n - 2; i > 0; i--) {
    whet_region *r = whet__arena_alloc(arena, sizeof *r), **body = whet__arena_array(arena, 2, sizeof *body);
    int32_t *out = whet__arena_array(arena, (size_t)n_out + 1, sizeof *out), node = -1;
    for (int32_t k = 0; r && body && out && k < n_out; k++)
      if ((out[k] = whet__im_new(im, "branch")) < 0) out = NULL;
    if (r && body && out) node = whet__graph_node(g, r, op, NULL, &cond[i], 1, out, n_out);
    if (node < 0) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a body");
    body[0] = branch[i], body[1] = rest;
    g->node[node].body = body;
    g->node[node].n_body = 2;
    r->out = out;
    r->n_out = n_out;
    rest = r;
  }
  int32_t *out = whet__arena_array(arena, (size_t)n_out + 1, sizeof *out);
  if (!out) return whet__im_fail(im, WHET_E_MEMORY, "no memory for a body");
  for (int32_t k = 0; k < n_out; k++) out[k] = whet__im_out(im, k);
  WHET_TRY(whet__im_node(im, op, NULL, cond, 1, out, n_out));
  return whet__im_bodies(im, (whet_region *[]){branch[0], rest}, 2);
}

static whet_status while_tfl(whet_import *im, const whet_op *op) {
  int n = whet__im_n_in(im);
  whet_region *r[2] = {whet__tfl_region(im, whet__tfl_int(im, 0, 0)), NULL};
  WHET_TRY(check_body(im, r[0], "condition", n, 1));
  r[1] = whet__tfl_region(im, whet__tfl_int(im, 1, 0));
  WHET_TRY(check_body(im, r[1], "body", n, n));
  if (whet__im_n_out(im) != n)
    return whet__im_fail(im, WHET_E_FORMAT, "%d outputs for %d values", whet__im_n_out(im), n);
  return with_bodies(im, op, 0, n, r, 2);
}

/* A body that only gives variables their first values is no code: the values are taken over and the call goes. */
static whet_status call_once_tfl(whet_import *im, const whet_op *op) {
  whet_region *r = whet__tfl_region(im, whet__tfl_int(im, 0, 0));
  WHET_TRY(check_body(im, r, "init", 0, -1));
  if (whet__variables_init(whet__im_graph(im), r)) return WHET_OK;
  return with_bodies(im, op, 0, 0, &r, 1);
}

static const whet_from k_if_from[] = {{"", "If", 1, if_onnx}, {"tflite", "IF", 1, if_tfl}, {"tflite", "STABLEHLO_CASE", 1, case_tfl}, {0}};
static const whet_from k_loop_from[] = {{"", "Loop", 1, loop_onnx}, {0}};
static const whet_from k_while_from[] = {{"tflite", "STABLEHLO_WHILE", 1, while_tfl}, {"tflite", "WHILE", 1, while_tfl}, {0}};
static const whet_from k_once_from[] = {{"tflite", "CALL_ONCE", 1, call_once_tfl}, {0}};

/* ---- shape rule ------------------------------------------------------------------------------ */

/* What a and b have in common: dimensions that differ are ANY, ranks that differ are not known. True when that is not
 * a. */
static bool merge(whet_shape *a, const whet_shape *b) {
  if (a->rank < 0) return false;
  if (a->rank != b->rank) {
    a->rank = -1;
    return true;
  }
  bool changed = false;
  for (int32_t i = 0; i < a->rank; i++) {
    if (a->d[i] == b->d[i] || a->d[i] == WHET_DIM_ANY) continue;
    a->d[i] = WHET_DIM_ANY;
    changed = true;
  }
  return changed;
}

/* Output o is what output bo of body b is. */
static void take_body(whet_infer *f, int o, int b, int bo) {
  whet_dtype t;
  const whet_shape *s = whet__body_out(f, b, bo, &t);
  *whet__out(f, o, t) = *s;
  whet__out_kind(f, o, whet__body_out_kind(f, b, bo));
}

static whet_status fails_unless_one(whet_infer *f, const whet_shape *s, const char *what) {
  int64_t n = s->rank < 0 ? 1 : whet__shape_count(s);
  if (n >= 0 && n != 1)
    return whet__infer_fail(f, WHET_E_SHAPE, "%s has %lld elements, expected 1", what, (long long)n);
  return WHET_OK;
}

static whet_status if_infer(whet_infer *f, const whet_node *n) {
  for (int b = 0; b < 2; b++) WHET_TRY(whet__infer_body_is(f, 2, b, -1, n->n_out));
  WHET_TRY(whet__infer_is_tensor(f, 0));
  WHET_TRY(fails_unless_one(f, whet__in_shape(f, 0), "the condition"));
  if (whet__in_dtype(f, 0) != WHET_BOOL && whet__in_dtype(f, 0) != WHET_NONE)
    return whet__infer_fail(f, WHET_E_TYPE, "the condition is %s", whet_dtype_name(whet__in_dtype(f, 0)));
  int32_t m;
  const whet_dim *cond = whet__in_known(f, 0, &m);
  if (cond && m == 1 && whet__dim_number(cond[0])) {
    int b = cond[0] ? 0 : 1;
    whet_status s = whet__infer_body(f, b);
    if (s < 0) return s;
    for (int o = 0; o < n->n_out; o++) take_body(f, o, b, o);
    return s;
  }
  /* A branch whose shapes do not fit may be one that these inputs never take: only the condition tells. */
  whet_status answer = WHET_OK, branch[2];
  for (int b = 0; b < 2; b++) {
    branch[b] = whet__infer_body_try(f, b);
    if (branch[b] == WHET_E_MEMORY || branch[b] == WHET_E_LIMIT) return branch[b];
    if (branch[b]) answer = WHET_LATE;
  }
  if (branch[0] < 0 && branch[1] < 0) return whet__infer_body(f, 0);
  for (int o = 0; o < n->n_out; o++) {
    whet_dtype t[2] = {WHET_NONE, WHET_NONE};
    int known = branch[0] < 0 ? 1 : 0;
    whet_shape both = *whet__body_out(f, known, o, &t[known]);
    take_body(f, o, known, o);
    if (branch[0] >= 0 && branch[1] >= 0) {
      const whet_shape *other = whet__body_out(f, 1, o, &t[1]);
      if (t[0] != t[1] && t[0] && t[1])
        return whet__infer_fail(f, WHET_E_TYPE, "output %d is %s in one branch and %s in the other", o,
                                whet_dtype_name(t[0]), whet_dtype_name(t[1]));
      merge(&both, other);
    } else {
      both.rank = -1;
    }
    *whet__out(f, o, t[0] ? t[0] : t[1]) = both;
    if (both.rank < 0 && whet__body_out_kind(f, known, o) == WHET_TENSOR) answer = WHET_LATE;
  }
  return answer;
}

enum { MAX_TURNS = 12 }; /* each one makes a shape wider; past them it is not known */

/* Run the rules of body b on carried values that start as inputs `first`.. of the node and are the body's inputs
 * `in`.. and outputs `out`.., `count` of them, until their shapes stay. cond: a body whose rules run before each
 * turn, or -1. */
static whet_status settle(whet_infer *f, int b, int first, int in, int out, int count, int cond) {
  whet_status answer = WHET_OK;
  for (int turn = 0;; turn++) {
    if (cond >= 0) {
      whet_status s = whet__infer_body(f, cond);
      if (s < 0) return s;
    }
    whet_status s = whet__infer_body(f, b);
    if (s < 0) return s;
    answer = s;
    bool changed = false;
    for (int k = 0; k < count; k++) {
      whet_dtype t = WHET_NONE, now = whet__in_dtype(f, first + k);
      whet_shape shape = turn ? *whet__body_in_shape(f, b, in + k) : *whet__in_shape(f, first + k);
      whet_shape made = *whet__body_out(f, b, out + k, &t);
      whet_kind kind = whet__body_out_kind(f, b, out + k);
      if (now && t && now != t)
        return whet__infer_fail(f, WHET_E_TYPE, "carried value %d is %s and becomes %s", k, whet_dtype_name(now),
                                whet_dtype_name(t));
      if (turn == MAX_TURNS) made.rank = -1;
      bool wider = kind == WHET_TENSOR && merge(&shape, &made);
      changed |= wider;
      whet__body_in(f, b, in + k, now ? now : t, &shape);
      whet__body_in_kind(f, b, in + k, kind);
      if (cond >= 0) whet__body_in(f, cond, in + k, now ? now : t, &shape);
    }
    if (!changed) return answer;
  }
}

/* Tell a body its first carried values. */
static void start(whet_infer *f, int b, int first, int in, int count) {
  for (int k = 0; k < count; k++) {
    whet__body_in(f, b, in + k, whet__in_dtype(f, first + k), whet__in_shape(f, first + k));
    whet__body_in_kind(f, b, in + k, whet__in_kind(f, first + k));
  }
}

static whet_status loop_infer(whet_infer *f, const whet_node *n) {
  int carried = n->n_in - 2, stacked = n->n_out - carried;
  whet_shape scalar = {.rank = 0};
  if (carried < 0 || stacked < 0) return whet__infer_fail(f, WHET_E_FORMAT, "%d inputs and %d outputs", n->n_in, n->n_out);
  WHET_TRY(whet__infer_body_is(f, 1, 0, n->n_in, 1 + n->n_out));
  for (int i = 0; i < 2; i++) WHET_TRY(whet__infer_is_tensor(f, i));
  (void)whet__in_has(f, 0), (void)whet__in_has(f, 1); /* both may be absent */
  WHET_TRY(fails_unless_one(f, whet__in_shape(f, 0), "the trip count"));
  WHET_TRY(fails_unless_one(f, whet__in_shape(f, 1), "the condition"));
  WHET_TRY(whet__infer_is_int(f, 0));
  whet__body_in(f, 0, 0, WHET_S64, &scalar);
  whet__body_in(f, 0, 1, WHET_BOOL, &scalar);
  start(f, 0, 2, 2, carried);
  whet_status s = settle(f, 0, 2, 2, 1, carried, -1);
  if (s < 0) return s;
  bool late = s == WHET_LATE || stacked > 0;
  for (int k = 0; k < carried; k++) {
    whet_dtype t;
    const whet_shape *shape = whet__body_in_shape(f, 0, 2 + k);
    whet__body_out(f, 0, 1 + k, &t);
    *whet__out(f, k, t) = *shape;
    whet__out_kind(f, k, whet__body_out_kind(f, 0, 1 + k));
    late |= shape->rank < 0 && whet__body_out_kind(f, 0, 1 + k) == WHET_TENSOR;
  }
  for (int k = carried; k < n->n_out; k++) {
    whet_dtype t;
    whet_shape e = *whet__body_out(f, 0, 1 + k, &t);
    whet_shape *out = whet__out(f, k, t);
    if (e.rank == WHET_MAX_RANK)
      return whet__infer_fail(f, WHET_E_SHAPE, "%d dimensions, at most %d", e.rank + 1, WHET_MAX_RANK);
    out->rank = e.rank < 0 ? -1 : e.rank + 1;
    out->d[0] = WHET_DIM_ANY;
    for (int32_t i = 0; i < e.rank; i++) out->d[i + 1] = e.d[i];
  }
  return late ? WHET_LATE : WHET_OK;
}

static whet_status while_infer(whet_infer *f, const whet_node *n) {
  WHET_TRY(whet__infer_body_is(f, 2, 0, n->n_in, 1));
  WHET_TRY(whet__infer_body_is(f, 2, 1, n->n_in, n->n_in));
  if (n->n_out != n->n_in) return whet__infer_fail(f, WHET_E_FORMAT, "%d outputs for %d values", n->n_out, n->n_in);
  start(f, 0, 0, 0, n->n_in);
  start(f, 1, 0, 0, n->n_in);
  whet_status s = settle(f, 1, 0, 0, 0, n->n_in, 0);
  if (s < 0) return s;
  whet_dtype t;
  const whet_shape *cond = whet__body_out(f, 0, 0, &t);
  WHET_TRY(fails_unless_one(f, cond, "the condition"));
  if (t != WHET_BOOL) return whet__infer_fail(f, WHET_E_TYPE, "the condition is %s", whet_dtype_name(t));
  for (int k = 0; k < n->n_out; k++) {
    whet__body_out(f, 1, k, &t);
    *whet__out(f, k, t) = *whet__body_in_shape(f, 1, k);
    whet__out_kind(f, k, whet__body_out_kind(f, 1, k));
    if (whet__body_in_shape(f, 1, k)->rank < 0) s = WHET_LATE;
  }
  return s;
}

static whet_status once_infer(whet_infer *f, const whet_node *n) {
  if (n->n_body != 1 || n->body[0]->n_in) return whet__infer_fail(f, WHET_E_FORMAT, "expected a body without inputs");
  whet_status s = whet__infer_body(f, 0);
  return s < 0 ? s : WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

const whet_op whet_op_If = {.name = "If", .flags = WHET_OP_RUNS_BODY, .from = k_if_from, .infer = if_infer};
const whet_op whet_op_Loop = {.name = "Loop", .flags = WHET_OP_RUNS_BODY, .from = k_loop_from, .infer = loop_infer};
const whet_op whet_op_While = {
    .name = "While", .flags = WHET_OP_RUNS_BODY, .from = k_while_from, .infer = while_infer};
const whet_op whet_op_CallOnce = {
    .name = "CallOnce", .flags = WHET_OP_RUNS_BODY | WHET_OP_STATE, .from = k_once_from, .infer = once_infer};
