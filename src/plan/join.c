/* SPDX-License-Identifier: Apache-2.0 */
/* Concat and split without copies: a value may lie inside a bigger one, its rows `pitch` elements apart.
 *
 * Before any step is emitted, the inputs of a Concat are placed inside its output where whoever makes them can write
 * rows with a pitch (WHET_OP_PITCH_OUT) and whoever else reads them can read such (WHET_OP_PITCH_IN). A split asks
 * while it is planned (whet__pl_part_of). */

#include "base/dtype.h"
#include "op/move_attr.h"
#include "plan/planner.h"

enum { SHORT = 32 }; /* bytes; rows shorter than this are slower to work on in place than to copy */

/* The node and the leader of its group, if it is in one, have this flag: a group may still be run node by node. */
static bool both_have(const whet_planner *p, int32_t id, uint32_t flag) {
  int32_t last = id;
  while (p->member[last] >= 0) last = p->member[last];
  int32_t lead = p->lead[last] >= 0 ? p->lead[last] : id;
  return p->g->node[id].op->flags & p->g->node[lead].op->flags & flag;
}

/* Every live user of v reads rows with a pitch. */
static bool users_agree(const whet_planner *p, int32_t v, const whet_node *but) {
  for (int32_t k = p->all.first[v]; k < p->all.first[v + 1]; k++) {
    int32_t id = p->all.user[k];
    const whet_node *u = &p->g->node[id];
    if (p->live[id] && u != but && !both_have(p, id, WHET_OP_PITCH_IN)) return false;
  }
  return true;
}

/* A value that a step of this plan makes, that nobody outside sees, and that has no place yet. */
static bool movable(const whet_planner *p, int32_t v) {
  return p->made[v] && !p->keep[v] && p->root[v] == v && !p->run[v] && p->env->kind[v] == WHET_TENSOR && p->need[v] &&
         !whet__pl_is_known(p, v) && whet__dtype_size((whet_dtype)p->env->dtype[v]);
}

/* Place input x of a Concat `at` elements into the rows of its output y, `rows` of them. */
static void place_input(whet_planner *p, const whet_node *n, int32_t x, int32_t y, int64_t at, int64_t rows,
                        int64_t inner) {
  int64_t run = rows ? whet__shape_count(&p->env->shape[x]) / rows : 0;
  int32_t m = p->all.maker[x];
  if (m < 0 || !p->live[m] || !run || !movable(p, x)) return;
  const whet_op *op = p->g->node[m].op;
  if (op->flags & (WHET_OP_VIEW | WHET_OP_RUNS_BODY)) return;
  size_t size = whet__dtype_size((whet_dtype)p->env->dtype[x]);
  if (rows > 1 && ((size_t)run * size < SHORT || !both_have(p, m, WHET_OP_PITCH_OUT) || !users_agree(p, x, n)))
    return;
  if (p->run[y] && p->run[y] != inner) return;
  int times = 0;
  for (int k = 0; k < n->n_in; k++) times += n->in[k] == x;
  if (times > 1) return;
  p->root[x] = p->root[y];
  p->off[x] = p->off[y] + (size_t)at * size;
  if (rows > 1) {
    p->run[x] = run;
    p->pitch[x] = p->run[y] ? p->pitch[y] : inner;
  }
}

void whet__join_concats(whet_planner *p, const whet_region *r, int32_t from, int32_t to) {
  for (int32_t i = to - 1; i >= from; i--) { /* from the end: a Concat inside another finds its place first */
    const whet_node *n = &p->g->node[r->node[i]];
    if (!p->live[r->node[i]] || strcmp(n->op->name, "Concat")) continue;
    int32_t y = n->out[0];
    const whet_shape *s = &p->env->shape[y];
    int32_t axis = ((const whet_concat *)n->attr)->axis;
    if (axis < 0) axis += s->rank;
    int64_t rows = 1, inner = 1, at = 0;
    for (int32_t d = 0; d < s->rank; d++) *(d < axis ? &rows : &inner) *= s->d[d];
    bool byte_wise = whet__dtype_size((whet_dtype)p->env->dtype[y]) && p->env->kind[y] == WHET_TENSOR;
    for (int k = 0; k < n->n_in && rows && byte_wise; k++) {
      const whet_quant *qx = p->g->val[n->in[k]].q, *qy = p->g->val[y].q;
      bool alike = p->env->dtype[n->in[k]] == p->env->dtype[y] && whet__quant_equal(qx, qy);
      if (alike) place_input(p, n, n->in[k], y, at, rows, inner);
      at += whet__shape_count(&p->env->shape[n->in[k]]) / rows;
    }
  }
}

bool whet__pl_joined(const whet_planner *p, const whet_node *n, int o, int i, int64_t offset) {
  int32_t x = n->in[i], y = n->out[o];
  size_t at = p->off[y] + (size_t)offset * whet__dtype_size((whet_dtype)p->env->dtype[y]);
  return p->root[x] == p->root[y] && x != y && p->made[x] && p->off[x] == at; /* else a Concat around this one has x elsewhere */
}

whet_status whet__pl_part_of(whet_planner *p, const whet_node *n, int o, int i, int64_t offset, int64_t pitch) {
  int32_t out = n->out[o], in = n->in[i];
  if (out >= 0 && !p->need[out] && !p->keep[out]) return WHET_OK;
  size_t size = whet__dtype_size((whet_dtype)p->env->dtype[in]);
  int64_t all = whet__shape_count(&p->env->shape[in]), part = out < 0 ? 0 : whet__shape_count(&p->env->shape[out]);
  if (out < 0 || !size || part <= 0 || pitch <= 0 || all % pitch || !movable(p, out)) return WHET_LATE;
  int64_t rows = all / pitch, run = part / rows;
  if (part % rows || offset + run > pitch * (rows > 1 ? 1 : rows)) return WHET_LATE;
  if (p->g->val[p->root[in]].role != WHET_ROLE_NODE && p->g->val[p->root[in]].role != WHET_ROLE_INPUT)
    return WHET_LATE;
  if (rows > 1 && ((size_t)run * size < SHORT || !users_agree(p, out, NULL))) return WHET_LATE;
  if (p->run[in] && (rows == 1 || p->run[in] != pitch)) return WHET_LATE;
  p->root[out] = p->root[in];
  p->off[out] = p->off[in] + (size_t)offset * size;
  if (rows > 1) {
    p->run[out] = run;
    p->pitch[out] = p->run[in] ? p->pitch[in] : pitch;
  }
  return WHET_OK;
}
