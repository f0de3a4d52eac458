/* SPDX-License-Identifier: Apache-2.0 */
/* MaxPoolGrad(dy, x, y), AveragePoolGrad(dy, x): the gradient of the pooling's input, whose shape x has. The first greatest
 * element of a window gets all of it, elements of a mean equal shares.
 *
 * And the gradient hooks of MaxPool and AveragePool. No file has these operators. f32 by kernels with channels last. */

#include <math.h>

#include "kern/unpool_f32.h"
#include "op/grad.h"
#include "op/move.h"
#include "op/move_attr.h"
#include "op/pool.h"
#include "op/walk.h"

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_pool_attr *a = n->attr;
  whet_dtype t = whet__in_dtype(f, 0);
  int count = !strcmp(n->op->name, "MaxPoolGrad") ? 3 : 2;
  whet_pool_geo g;
  char why[WHET_POOL_WHY];
  if (n->n_in != count) return whet__infer_fail(f, WHET_E_FORMAT, "expected %d inputs, got %d", count, n->n_in);
  for (int i = 0; i < count; i++)
    if (!whet__type_in(WHET_T_FLOAT, t) || whet__in_dtype(f, i) != t)
      return whet__infer_fail(f, WHET_E_TYPE, "input %d of type %s is not taken", i, whet_dtype_name(whet__in_dtype(f, i)));
  const whet_shape *x = whet__in_shape(f, 1);
  *whet__out(f, 0, t) = *x;
  if (x->rank < 0) return WHET_LATE;
  if (!whet__pool_geo(a, x, &g, why)) return whet__infer_fail(f, WHET_E_SHAPE, "%s", why);
  whet_shape y = {.rank = g.n + 2};
  y.d[0] = g.batch;
  y.d[a->last ? g.n + 1 : 1] = g.chan;
  for (int i = 0; i < g.n; i++) y.d[i + (a->last ? 1 : 2)] = g.out[3 - g.n + i];
  for (int i = 0; i < count; i += 2) {
    const whet_shape *s = whet__in_shape(f, i);
    bool same = s->rank == y.rank;
    for (int32_t d = 0; same && d < y.rank; d++) same = s->d[d] == y.d[d] || !whet__dim_known(s->d[d]) || !whet__dim_known(y.d[d]);
    if (!same) return whet__infer_fail(f, WHET_E_SHAPE, "input %d does not have the shape of the pooling's output", i);
  }
  return WHET_OK;
}

/* ---- reference ------------------------------------------------------------------------------- */

static double divisor(const whet_pool_attr *a, const whet_pool_geo *g, const int64_t *out, int64_t inside) {
  if (!a->count_pads) return (double)inside;
  double n = 1;
  for (int d = 0; d < 3; d++) {
    int64_t start = out[d] * g->stride[d] - g->pad[d], step = g->dilation[d];
    n *= (double)whet__min_i(g->kernel[d], (g->in[d] + g->pad_end[d] - 1 - start) / step + 1);
  }
  return n;
}

static int64_t offset(const whet_pool_attr *a, const whet_pool_geo *g, const whet_tensor *t, int64_t b, int64_t c, const int64_t *p) {
  int64_t o = b * t->stride[0] + c * t->stride[a->last ? g->n + 1 : 1];
  for (int i = 0; i < g->n; i++) o += p[3 - g->n + i] * t->stride[i + (a->last ? 1 : 2)];
  return o;
}

/* What one output gives to its window. */
static void give(const whet_args *arg, const whet_pool_geo *g, int64_t b, int64_t c, const int64_t *out) {
  const whet_pool_attr *a = arg->attr;
  bool max = arg->n_in > 2;
  const whet_tensor *dy = &arg->in[0], *x = &arg->in[1], *dx = &arg->out[0];
  int64_t from[3], to[3], k[3], at[3];
  double v = whet__get_f64(dy->dtype, dy->data, offset(a, g, dy, b, c, out));
  double top = max ? whet__get_f64(x->dtype, arg->in[2].data, offset(a, g, &arg->in[2], b, c, out)) : 0;
  for (int d = 0; d < 3; d++) whet__pool_window(g, d, out[d], &from[d], &to[d]);
  int64_t inside = (to[0] - from[0]) * (to[1] - from[1]) * (to[2] - from[2]);
  if (!max) v /= divisor(a, g, out, inside);
  for (k[0] = from[0]; k[0] < to[0]; k[0]++)
    for (k[1] = from[1]; k[1] < to[1]; k[1]++)
      for (k[2] = from[2]; k[2] < to[2]; k[2]++) {
        for (int d = 0; d < 3; d++) at[d] = out[d] * g->stride[d] - g->pad[d] + k[d] * g->dilation[d];
        if (max && whet__get_f64(x->dtype, x->data, offset(a, g, x, b, c, at)) != top) continue;
        int64_t o = offset(a, g, dx, b, c, at);
        whet__set_f64(dx->dtype, dx->data, o, whet__get_f64(dx->dtype, dx->data, o) + v);
        if (max) return;
      }
}

static whet_status ref(const whet_args *arg) {
  whet_shape x = whet__shape(arg->in[1].rank, arg->in[1].dim);
  char why[WHET_POOL_WHY];
  whet_pool_geo g;
  whet__pool_geo(arg->attr, &x, &g, why);
  const whet_tensor *dx = &arg->out[0];
  for (int64_t i = 0, n = whet__tensor_count(dx); i < n; i++) whet__set_f64(dx->dtype, dx->data, whet__flat_offset(dx, i), 0);
  int64_t dim[5] = {g.batch, g.chan, g.out[0], g.out[1], g.out[2]}, at[5] = {0};
  if (whet__dim_product(dim, 0, 5) == 0) return WHET_OK;
  do give(arg, &g, at[0], at[1], at + 2);
  while (whet__index_next(5, dim, at));
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_pool_attr *a = n->attr;
  bool max = n->n_in > 2;
  whet_pool_geo g;
  char why[WHET_POOL_WHY];
  if (whet__pl_dtype(p, n->in[0]) != WHET_F32 || !a->last || !whet__pool_geo(a, whet__pl_shape(p, n->in[1]), &g, why)) return WHET_LATE;
  whet_unpool_f32 k = {.fn = max ? WHET_POOL_F32_MAX : WHET_POOL_F32_MEAN, .count_pads = a->count_pads, .batch = g.batch, .chan = g.chan};
  for (int d = 0; d < 3; d++) {
    k.in[d] = g.in[d], k.out[d] = g.out[d], k.kernel[d] = g.kernel[d], k.stride[d] = g.stride[d];
    k.dilation[d] = g.dilation[d], k.pad[d] = g.pad[d], k.pad_end[d] = g.pad_end[d];
  }
  whet_arg arg[4] = {whet__rd(n->in[0]), whet__wr(n->out[0]), whet__rd(max ? n->in[1] : -1), whet__rd(max ? n->in[2] : -1)};
  for (int i = 0; i < 4; i++)
    if (arg[i].id >= 0 && !whet__pl_dense(p, arg[i].id)) return WHET_LATE;
  double taps = (double)(g.out[0] * g.out[1] * g.out[2] * g.kernel[0] * g.kernel[1] * g.kernel[2]);
  return whet__pl_kern(p, WHET_FAMILY_unpool_f32, &k, sizeof k, arg, 4, whet__unpool_f32_parts(&k), (double)(g.batch * g.chan) * taps * 0.2);
}

/* ---- gradients of pooling --------------------------------------------------------------------- */

whet_status whet__pool_grad(whet_edit *e, int32_t node) {
  const whet_node n = whet__ed_graph(e)->node[node];
  whet_pool_attr a = *(const whet_pool_attr *)n.attr;
  bool max = !strcmp(n.op->name, "MaxPool"), turn = !a.last;
  int32_t x = n.in[0], y = n.out[0], g = whet__grad_of(e, y), rank = whet__ed_shape(e, x)->rank;
  whet_dtype t = whet__ed_dtype(e, x);
  if (!whet__grad_wants(e, x)) return WHET_OK;
  if (!max && strcmp(n.op->name, "AveragePool")) return whet__grad_fail(e, node, "its derivative is not known");
  if (rank < 2) return whet__grad_fail(e, node, "the rank of its input is not known");
  int64_t *perm = whet__arena_array(&whet__ed_graph(e)->arena, 2 * WHET_MAX_RANK, sizeof *perm), *back = perm + WHET_MAX_RANK;
  if (!perm) return whet__grad_add(e, x, -1), WHET_OK;
  for (int32_t i = 0; i < rank; i++) {
    perm[i] = i == 0 ? 0 : i == rank - 1 ? 1 : i + 1;
    back[i] = i == 0 ? 0 : i == 1 ? rank - 1 : i - 1;
  }
  const whet_transpose to = {.perm = {perm, rank}}, from = {.perm = {back, rank}};
  int32_t in[3] = {g, x, y};
  for (int i = 0; turn && i < (max ? 3 : 2); i++) in[i] = whet__ed_call(e, "Transpose", &to, &in[i], 1, t);
  a.last = true;
  int32_t dx = whet__ed_call(e, max ? "MaxPoolGrad" : "AveragePoolGrad", &a, in, max ? 3 : 2, t);
  if (turn) dx = whet__ed_call(e, "Transpose", &from, &dx, 1, t);
  whet__grad_add(e, x, dx);
  return WHET_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

#define POOL_GRAD(name_)                                                \
  const whet_op whet_op_##name_ = {.name = #name_,                      \
                                   .attr_size = sizeof(whet_pool_attr), \
                                   .attrs = whet__pool_attrs,           \
                                   .infer = infer,                      \
                                   .plan = plan,                        \
                                   .ref = ref};
POOL_GRAD(AveragePoolGrad)
POOL_GRAD(MaxPoolGrad)
