/* SPDX-License-Identifier: Apache-2.0 */
/* Gradients written out.
 *
 *   a, b ─▶ Mul ─▶ y,   Gradient(xs = a, b; y) ─▶ da, db    becomes   1 ─▶ Mul(b) ─▶ da,   1 ─▶ Mul(a) ─▶ db
 *
 * The nodes between xs and y are walked back from y; each node's grad hook appends those that make the gradients of its
 * inputs. Where Gradient gives xs or zs other values than they have, the nodes on the way are first written once more for
 * those. A training program's gradients can be had in the same way: a Gradient node of its loss by its weights. */

#include "op/gradient.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/dtype.h"
#include "op/grad.h"
#include "op/move_attr.h"
#include "pass/pass.h"

/* What is known while one Gradient is written out. Arrays are indexed by value number, up to the graph's values when they
 * were made. */
struct whet_grads {
  int32_t n;     /* values that there were before the hooks ran */
  int32_t n_env; /* values that the pass's env knows */
  int32_t *of;   /* the gradient, or -1 */
  uint8_t *wants;
};

int32_t whet__grad_of(const whet_edit *e, int32_t v) { return v >= 0 && v < e->grads->n ? e->grads->of[v] : -1; }
bool whet__grad_wants(const whet_edit *e, int32_t v) { return v >= 0 && v < e->grads->n && e->grads->wants[v]; }

void whet__grad_add(whet_edit *e, int32_t v, int32_t g) {
  if (g < 0) e->failed = true;
  if (e->failed || !whet__grad_wants(e, v)) return;
  int32_t *have = &e->grads->of[v], in[2] = {*have, g};
  *have = *have < 0 ? g : whet__ed_call(e, "Add", NULL, in, 2, whet__ed_dtype(e, v));
}

const whet_shape *whet__ed_shape(const whet_edit *e, int32_t v) {
  static const whet_shape none = {.rank = -1};
  return v < 0 ? &none : v < e->grads->n_env ? &e->pass->env->shape[v] : &e->g->val[v].shape;
}
whet_dtype whet__ed_dtype(const whet_edit *e, int32_t v) {
  return (whet_dtype)(v < 0 ? WHET_NONE : v < e->grads->n_env ? e->pass->env->dtype[v] : e->g->val[v].dtype);
}

whet_status whet__grad_fail(whet_edit *e, int32_t node, const char *fmt, ...) {
  char text[200];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  const whet_node *n = &e->g->node[node];
  return whet__fail(e->pass->err, WHET_E_UNSUPPORTED, "node %d \"%s\" (%s) is not supported in a gradient: %s",
                    (int)n->origin, n->name, n->op->name, text);
}

/* One Gradient node. */
struct job {
  whet_pass *p;
  whet_region *r;
  whet_edit e;
  whet_node node;
  int32_t n_val, place;     /* values that there were, and where the node stands */
  int32_t *map;             /* value -> what stands for it */
  uint8_t *stop, *need, *dep; /* xs and zs; y depends on it; it depends on xs */
  int32_t *tape, n_tape;    /* nodes between xs and y, in order */
};

/* Mark what y needs and what depends on xs; both end at xs and zs. */
static void mark(struct job *j) {
  const whet_gradient *a = j->node.attr;
  int32_t count = a->xs + a->zs;
  for (int32_t i = 0; i < count; i++) {
    j->stop[j->node.in[count + i]] = 1;
    if (i < a->xs) j->dep[j->node.in[count + i]] = 1;
  }
  j->need[j->node.in[2 * count]] = 1;
  for (int32_t i = j->place - 1; i >= 0; i--) {
    const whet_node *n = &j->p->g->node[j->r->node[i]];
    bool used = false;
    for (int o = 0; o < n->n_out; o++) used |= n->out[o] >= 0 && j->need[n->out[o]] && !j->stop[n->out[o]];
    for (int k = 0; used && k < n->n_in; k++)
      if (n->in[k] >= 0) j->need[n->in[k]] = 1;
  }
  for (int32_t i = 0; i < j->place; i++) {
    const whet_node *n = &j->p->g->node[j->r->node[i]];
    bool depends = false;
    for (int k = 0; k < n->n_in; k++) depends |= n->in[k] >= 0 && j->dep[n->in[k]];
    for (int o = 0; depends && o < n->n_out; o++)
      if (n->out[o] >= 0 && !j->stop[n->out[o]]) j->dep[n->out[o]] = 1;
  }
}

/* Append node `from` with inputs and outputs replaced: outputs are new values like its own. */
static int32_t again(struct job *j, int32_t from) {
  const whet_node n = j->p->g->node[from];
  whet_arena *a = &j->p->a;
  int32_t *in = whet__arena_array(a, (size_t)n.n_in + n.n_out + 1, sizeof *in), *out = in + n.n_in;
  if (!in) j->e.failed = true;
  for (int k = 0; in && k < n.n_in; k++) in[k] = n.in[k] < 0 ? -1 : j->map[n.in[k]];
  for (int o = 0; in && o < n.n_out; o++) {
    out[o] = -1;
    if (n.out[o] < 0) continue;
    const whet_env *env = j->p->env;
    out[o] = whet__ed_val(&j->e, "again", (whet_dtype)env->dtype[n.out[o]], &env->shape[n.out[o]]);
    j->map[n.out[o]] = out[o];
  }
  int32_t to = j->e.failed ? -1 : whet__ed_node(&j->e, n.op, n.attr, in, n.n_in, out, n.n_out);
  if (to < 0) return -1;
  j->p->g->node[to].name = n.name;
  j->p->g->node[to].origin = n.origin;
  j->p->g->node[to].round = n.round;
  return to;
}

/* Values for xs and zs, the nodes on the way where they are others, and the tape. */
static whet_status record(struct job *j) {
  const whet_gradient *a = j->node.attr;
  int32_t count = a->xs + a->zs;
  for (int32_t v = 0; v < j->n_val; v++) j->map[v] = v;
  for (int32_t i = 0; i < count; i++) {
    int32_t given = j->node.in[i], own = j->node.in[count + i], copy;
    if (given == own) continue;
    copy = whet__ed_val(&j->e, "given", (whet_dtype)j->p->env->dtype[own], &j->p->env->shape[own]);
    if (whet__ed_node(&j->e, whet__op_find("Identity"), NULL, &given, 1, &copy, 1) < 0) return whet__pass_full(j->p);
    j->map[own] = copy;
  }
  for (int32_t i = 0; i < j->place; i++) {
    int32_t from = j->r->node[i];
    const whet_node *n = &j->p->g->node[from];
    bool used = false, moved = false, depends = false;
    for (int o = 0; o < n->n_out; o++) used |= n->out[o] >= 0 && j->need[n->out[o]] && !j->stop[n->out[o]];
    for (int k = 0; k < n->n_in; k++) {
      if (n->in[k] < 0) continue;
      moved |= j->map[n->in[k]] != n->in[k];
      depends |= j->dep[n->in[k]];
    }
    if (!used || (!moved && !depends)) continue;
    if (n->n_body) return whet__grad_fail(&j->e, from, "it has bodies");
    if (n->op->flags & (WHET_OP_RANDOM | WHET_OP_STATE)) return whet__grad_fail(&j->e, from, "it is no function");
    if (moved) from = again(j, from);
    if (from < 0) return whet__pass_full(j->p);
    if (depends) j->tape[j->n_tape++] = from;
  }
  return WHET_OK;
}

/* A tensor as v, every element `x`. */
static int32_t filled(whet_edit *e, int32_t v, double x) {
  whet_dtype t = whet__ed_dtype(e, v);
  int32_t in[2] = {whet__ed_shape_of(e, "Shape", v), whet__ed_number(e, t, x)};
  return whet__ed_call(e, "Fill", NULL, in, 2, t);
}

/* Walk the tape back. */
static whet_status play(struct job *j, int32_t y) {
  whet_edit *e = &j->e;
  if (!whet__is_float(whet__ed_dtype(e, y)))
    return whet__fail(j->p->err, WHET_E_TYPE, "node %d \"%s\" (Gradient): y is %s", (int)j->node.origin, j->node.name,
                      whet_dtype_name(whet__ed_dtype(e, y)));
  whet__grad_add(e, y, whet__grad_wants(e, y) ? filled(e, y, 1) : y);
  for (int32_t i = j->n_tape - 1; i >= 0 && !e->failed; i--) {
    const whet_node *n = &j->p->g->node[j->tape[i]];
    bool has = false;
    for (int o = 0; o < n->n_out; o++) has |= whet__grad_of(e, n->out[o]) >= 0;
    if (!has) continue;
    if (!n->op->grad) return whet__grad_fail(e, j->tape[i], "its derivative is not known");
    WHET_TRY(n->op->grad(e, j->tape[i]));
  }
  return e->failed ? whet__pass_full(j->p) : WHET_OK;
}

/* Replace the Gradient node at position *at by nodes; *at moves on to the last of them. */
static whet_status write_out(whet_pass *p, whet_region *r, int32_t *at) {
  WHET_TRY(whet__pass_env(p));
  struct whet_grads grads = {.n_env = p->g->n_val};
  struct job j = {.p = p, .r = r, .node = p->g->node[r->node[*at]], .n_val = p->g->n_val, .place = *at};
  j.e = (whet_edit){.pass = p, .g = p->g, .r = r, .at = *at, .grads = &grads};
  const whet_gradient *a = j.node.attr;
  size_t n = (size_t)j.n_val;
  j.map = whet__arena_array(&p->a, n, sizeof *j.map);
  j.tape = whet__arena_array(&p->a, (size_t)*at + 1, sizeof *j.tape);
  j.stop = whet__arena_array(&p->a, n, 3);
  if (!j.map || !j.tape || !j.stop) return whet__pass_full(p);
  j.need = j.stop + n;
  j.dep = j.need + n;
  mark(&j);
  WHET_TRY(record(&j));
  grads.n = p->g->n_val;
  grads.of = whet__arena_array(&p->a, (size_t)grads.n, sizeof *grads.of);
  grads.wants = whet__arena_array(&p->a, (size_t)grads.n, 1);
  if (!grads.of || !grads.wants) return whet__pass_full(p);
  for (int32_t v = 0; v < grads.n; v++) grads.of[v] = -1;
  for (int32_t v = 0; v < j.n_val; v++)
    if (j.dep[v] && j.need[v] && whet__is_float((whet_dtype)p->env->dtype[v])) grads.wants[j.map[v]] = 1;
  WHET_TRY(play(&j, j.map[j.node.in[2 * (a->xs + a->zs)]]));
  for (int o = 0; o < j.node.n_out; o++) {
    int32_t x = j.map[j.node.in[a->xs + a->zs + o]], g = whet__grad_of(&j.e, x);
    if (j.node.out[o] < 0) continue;
    if (g < 0) g = filled(&j.e, x, 0);
    if (whet__ed_node(&j.e, whet__op_find("Identity"), NULL, &g, 1, &j.node.out[o], 1) < 0) return whet__pass_full(p);
  }
  whet__region_remove(p->g, r, j.e.at);
  *at = j.e.at - 1;
  p->changed = true;
  return WHET_OK;
}

static whet_status gradient_region(whet_pass *p, whet_region *r) {
  for (int32_t i = 0; i < r->n_node; i++)
    if (whet__is_op(&p->g->node[r->node[i]], "Gradient")) WHET_TRY(write_out(p, r, &i));
  return WHET_OK;
}

whet_status whet__pass_gradient(whet_pass *p) { return whet__pass_regions(p, gradient_region); }
