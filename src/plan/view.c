/* SPDX-License-Identifier: Apache-2.0 */
/* Values that share memory: views, parts, and the copies that are made where sharing is not possible. */

#include "base/dtype.h"
#include "kern/copy.h"
#include "plan/planner.h"

/* Is the buffer of v one that callers see, or that is not ours to write? */
static bool outside(const whet_planner *p, int32_t v) {
  const whet_val *x = &p->g->val[p->root[v]];
  return x->role != WHET_ROLE_NODE || (p->outer && p->outer[p->root[v]]) || whet__pl_is_known(p, p->root[v]);
}

static bool is_output(const whet_planner *p, int32_t v) {
  for (int32_t i = 0; i < p->region->n_out; i++)
    if (p->region->out[i] == v) return true;
  return false;
}

/* Let v lie where u lies. Where v is an output, its buffer takes u's in: callers may bind it. False when it cannot.
 */
static bool join(whet_planner *p, int32_t v, int32_t u) {
  int32_t r = p->root[u];
  if (!is_output(p, v)) {
    p->root[v] = r;
    p->off[v] = p->off[u];
    return true;
  }
  if (p->off[u] || outside(p, r) || is_output(p, r) || whet__pl_bytes(p, r) != whet__pl_bytes(p, v)) return false;
  for (int32_t x = 0; x < p->g->n_val; x++)
    if (p->root[x] == r) p->root[x] = v;
  return true;
}

/* Strides of v as it lies, over the merged shape [rows, run]. */
whet_status whet__emit_copy(whet_planner *p, int32_t out, int32_t in) {
  whet_copy c = {.elem_bytes = (int32_t)whet__dtype_size((whet_dtype)p->env->dtype[in]), .rank = 1};
  int64_t rows_i, run_i, pitch_i, rows_o, run_o, pitch_o, n = whet__shape_count(&p->env->shape[in]);
  if (p->env->kind[in] != WHET_TENSOR)
    return whet__pl_fail(p, WHET_E_UNSUPPORTED, "\"%.80s\" is no tensor, and a plan copies only those",
                         p->g->val[in].name);
  whet__pl_pitch(p, in, &rows_i, &run_i, &pitch_i);
  whet__pl_pitch(p, out, &rows_o, &run_o, &pitch_o);
  bool other = whet__dtype_size((whet_dtype)p->env->dtype[out]) != (size_t)c.elem_bytes; /* both are dense then */
  if (!c.elem_bytes || other) { /* packed elements, or bits seen as others: whole bytes */
    c.elem_bytes = 1;
    n = run_i = run_o = (int64_t)whet__pl_bytes(p, in);
    rows_i = rows_o = 1;
  }
  if (n == 0) return WHET_OK;
  int64_t run = rows_i > 1 && (rows_o <= 1 || run_i < run_o) ? run_i : run_o;
  c.rank = 2;
  c.dim[0] = n / run;
  c.dim[1] = run;
  c.in_stride[1] = c.out_stride[1] = 1;
  c.in_stride[0] = rows_i > 1 ? pitch_i : run;
  c.out_stride[0] = rows_o > 1 ? pitch_o : run;
  whet_arg arg[] = {whet__rd(in), whet__wr(out)};
  return whet__pl_kern(p, WHET_FAMILY_copy, &c, sizeof c, arg, 2, whet__max_i(1, n / 16384),
                       (double)n * c.elem_bytes / 10);
}

whet_status whet__emit_same(whet_planner *p, int32_t out, int32_t in) {
  bool dense = !p->run[in] && !p->run[out] && p->root[out] == out && p->env->kind[in] == WHET_TENSOR;
  return dense && join(p, out, in) ? WHET_OK : whet__emit_copy(p, out, in);
}

whet_status whet__pl_view(whet_planner *p, const whet_node *n, int o, int i) {
  int32_t out = n->out[o], in = n->in[i];
  if (out < 0) return WHET_OK;
  if (whet__pl_bytes(p, out) != whet__pl_bytes(p, in))
    return whet__pl_fail(p, WHET_E_INTERNAL, "a view of %zu bytes of a value of %zu", whet__pl_bytes(p, out),
                         whet__pl_bytes(p, in));
  return whet__emit_same(p, out, in);
}
