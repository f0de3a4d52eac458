/* SPDX-License-Identifier: Apache-2.0 */
/* Constant folding.
 *
 *   Const ─▶ Op ─▶ v      becomes   v: Const          (Op's reference, run once)
 *   If(Const) {a} {b}     becomes   a or b in place
 *
 * Only while the result is small next to its inputs and the work stays within a budget: a file of a hundred bytes
 * must not make gigabytes. */

#include "base/dtype.h"
#include "pass/pass.h"
#include "plan/cost.h"

enum { SMALL = 64 << 10, GROWTH = 4 };

/* A dense view of a value for the reference. */
static whet_tensor tensor(const whet_env *e, int32_t v, void *data) {
  whet_tensor t = {.dtype = (whet_dtype)e->dtype[v], .rank = e->shape[v].rank, .data = data, .q = e->g->val[v].q};
  int64_t stride = 1;
  for (int32_t i = t.rank - 1; i >= 0; i--) {
    t.dim[i] = e->shape[v].d[i];
    t.stride[i] = stride;
    stride *= t.dim[i];
  }
  return t;
}

/* All inputs constant, and the operator a plain function of them. Adds the inputs' bytes to *bytes. */
static bool foldable(const whet_pass *p, const whet_node *n, size_t *bytes) {
  if (n->op->flags & (WHET_OP_RANDOM | WHET_OP_STATE | WHET_OP_RUNS_BODY | WHET_OP_OBJECT) || !n->op->ref)
    return false;
  if (p->files && (whet__is_op(n, "DequantizeLinear") ||
                   (whet__is_op(n, "Cast") && p->g->val[n->in[0]].dtype == WHET_F16 && p->g->val[n->out[0]].dtype == WHET_F32)))
    return false;
  for (int k = 0; k < n->n_in; k++) {
    if (n->in[k] < 0) continue;
    const whet_val *x = &p->g->val[n->in[k]];
    if (x->role != WHET_ROLE_CONST) return false;
    *bytes += x->data->n;
  }
  for (int k = 0; k < n->n_out; k++)
    if (n->out[k] >= 0 &&
        (p->env->kind[n->out[k]] != WHET_TENSOR || whet__shape_count(&p->env->shape[n->out[k]]) < 0))
      return false;
  return true;
}

/* Turn value v into a constant over bytes in the graph's arena. */
static void become_const(whet_pass *p, int32_t v, const void *bytes, whet_data *d) {
  whet_val *x = &p->g->val[v];
  x->role = WHET_ROLE_CONST;
  x->dtype = p->env->dtype[v];
  x->shape = p->env->shape[v];
  *d = (whet_data){.p = bytes,
                   .id = p->g->next_data++,
                   .n = whet_dtype_bytes((whet_dtype)x->dtype, (size_t)whet__shape_count(&x->shape))};
  x->data = d;
  p->env->data[v] = bytes;
  p->changed = true;
}

/* Run the reference of a node whose inputs are constant; its outputs become constants. *done tells. */
static whet_status run_node(whet_pass *p, whet_node *n, bool *done) {
  size_t in_bytes = 0, out_bytes = 0;
  *done = false;
  if (!foldable(p, n, &in_bytes)) return WHET_OK;
  for (int k = 0; k < n->n_out; k++)
    if (n->out[k] >= 0)
      out_bytes += whet_dtype_bytes((whet_dtype)p->env->dtype[n->out[k]],
                                    (size_t)whet__shape_count(&p->env->shape[n->out[k]]));
  if (out_bytes > SMALL && out_bytes / GROWTH > in_bytes) return WHET_OK;
  int64_t work = (int64_t)(in_bytes + out_bytes) + whet__node_macs(p->env, n);
  if (work > p->work) return WHET_OK;
  p->work -= work;
  whet_tensor *t = whet__arena_array(&p->a, (size_t)n->n_in + n->n_out + 1, sizeof *t);
  whet_data **d = whet__arena_array(&p->a, (size_t)n->n_out + 1, sizeof *d);
  if (!t || !d) return whet__pass_full(p);
  for (int k = 0; k < n->n_in; k++)
    if (n->in[k] >= 0 && !whet__graph_align(p->g, n->in[k])) return whet__pass_full(p);
  for (int k = 0; k < n->n_in; k++)
    if (n->in[k] >= 0) t[k] = tensor(p->env, n->in[k], (void *)p->g->val[n->in[k]].data->p);
  for (int k = 0; k < n->n_out; k++) {
    int32_t v = n->out[k];
    if (v < 0) continue;
    size_t bytes = whet_dtype_bytes((whet_dtype)p->env->dtype[v], (size_t)whet__shape_count(&p->env->shape[v]));
    void *b = whet__arena_alloc(&p->g->arena, bytes + WHET_SLACK);
    d[k] = whet__arena_alloc(&p->g->arena, sizeof **d);
    if (!b || !d[k]) return whet__pass_full(p);
    t[n->n_in + k] = tensor(p->env, v, b);
  }
  whet_err why = {0};
  whet_args args = {
      .node = n, .attr = n->attr, .in = t, .out = t + n->n_in, .n_in = n->n_in, .n_out = n->n_out, .err = &why};
  size_t scratch = n->op->scratch ? n->op->scratch(&args) : 0;
  if (scratch && !(args.scratch = whet__arena_alloc(&p->a, scratch))) return whet__pass_full(p);
  if (n->op->ref(&args)) return WHET_OK; /* it will fail, and say so, when it is run */
  for (int k = 0; k < n->n_out; k++)
    if (n->out[k] >= 0) become_const(p, n->out[k], t[n->n_in + k].data, d[k]);
  *done = true;
  return WHET_OK;
}

/* Outputs whose contents the shape rules know become constants whatever the inputs are. */
static whet_status known_node(whet_pass *p, whet_node *n, bool *done) {
  *done = n->n_out > 0 && !(n->op->flags & (WHET_OP_STATE | WHET_OP_RANDOM));
  for (int k = 0; k < n->n_out; k++) {
    int32_t v = n->out[k];
    if (v < 0) continue;
    const whet_dim *d = p->env->known[v];
    if (!d || whet__shape_count(&p->env->shape[v]) != p->env->n_known[v]) *done = false;
    for (int32_t i = 0; *done && i < p->env->n_known[v]; i++) *done = whet__dim_number(d[i]);
    if (!*done) return WHET_OK;
  }
  for (int k = 0; k < n->n_out; k++) {
    int32_t v = n->out[k];
    if (v < 0) continue;
    whet_dtype t = (whet_dtype)p->env->dtype[v];
    int32_t count = p->env->n_known[v];
    void *b = whet__arena_alloc(&p->g->arena, whet_dtype_bytes(t, (size_t)count) + WHET_SLACK);
    whet_data *d = whet__arena_alloc(&p->g->arena, sizeof *d);
    if (!b || !d) return whet__pass_full(p);
    for (int32_t i = 0; i < count; i++) {
      whet_dim x = p->env->known[v][i];
      whet__set_i64(t, b, i, x == WHET_DIM_LOWEST ? INT64_MIN : x);
    }
    become_const(p, v, b, d);
  }
  return WHET_OK;
}

/* Put the nodes of an If's chosen body where the If stood. */
static whet_status inline_if(whet_pass *p, whet_region *r, int32_t at, bool *done) {
  whet_node *n = &p->g->node[r->node[at]];
  const whet_data *cond = whet__pass_const(p, n->in[0]);
  *done = cond && whet__shape_count(&p->g->val[n->in[0]].shape) == 1 && n->n_body == 2;
  if (!*done) return WHET_OK;
  whet_region *body = n->body[*(const uint8_t *)cond->p ? 0 : 1];
  int32_t n_out = n->n_out, *out = n->out;
  n->n_body = 0;
  whet__region_remove(p->g, r, at);
  for (int32_t i = 0; i < body->n_node; i++)
    if (!whet__region_insert(p->g, r, at + i, body->node[i])) return whet__pass_full(p);
  for (int32_t k = 0; k < n_out && k < body->n_out; k++) {
    if (out[k] < 0) continue;
    whet_val *o = &p->g->val[out[k]], *b = &p->g->val[body->out[k]];
    if (b->role == WHET_ROLE_NODE && b->origin < 0) b->origin = o->origin, b->name = o->name;
    whet__graph_replace(p->g, out[k], body->out[k]);
  }
  p->changed = true;
  return WHET_OK;
}

static whet_status fold_region(whet_pass *p, whet_region *r) {
  for (int32_t i = 0; i < r->n_node; i++) {
    whet_node *n = &p->g->node[r->node[i]];
    bool done = false;
    if (whet__is_op(n, "If")) {
      for (int b = 0; b < n->n_body && !whet__pass_const(p, n->in[0]); b++) WHET_TRY(fold_region(p, n->body[b]));
      WHET_TRY(inline_if(p, r, i, &done));
      if (done) {
        i--; /* its nodes stand here now */
        continue;
      }
    } else {
      for (int b = 0; b < n->n_body; b++) WHET_TRY(fold_region(p, n->body[b]));
    }
    whet_status s = whet__env_node(p->env, &p->g->node[r->node[i]]);
    if (s < 0) return s;
    n = &p->g->node[r->node[i]];
    if (s == WHET_OK) WHET_TRY(run_node(p, n, &done));
    if (!done) WHET_TRY(known_node(p, n, &done));
    if (done) whet__region_remove(p->g, r, i--);
  }
  return WHET_OK;
}

whet_status whet__pass_fold(whet_pass *p) {
  p->env = whet__arena_alloc(&p->a, sizeof *p->env);
  if (!p->env || !whet__env_init(p->env, p->g, &p->a, p->err)) return whet__pass_full(p);
  WHET_TRY(fold_region(p, &p->g->main));
  for (int32_t v = 0; v < p->g->n_val; v++) /* what was learnt stays: later passes and inspect read it */
    if (p->g->val[v].role == WHET_ROLE_NODE && p->env->have[v] && p->env->shape[v].rank >= 0) {
      p->g->val[v].shape = p->env->shape[v];
      if (p->env->dtype[v]) p->g->val[v].dtype = p->env->dtype[v];
    }
  return WHET_OK;
}
