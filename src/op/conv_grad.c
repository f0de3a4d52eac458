/* SPDX-License-Identifier: Apache-2.0 */
/* ConvGrad(x, dy, w): the gradient of the weights w of the Conv that makes y of x; of w only the shape counts.
 *
 *   dw[o, t, c] = sum over batch and places p of dy[n, p, o] * x[n, p*stride + t*dilation - pad, c]
 *
 * And the gradient hooks of Conv and ConvTranspose, each of which is the other's gradient by its input. No file has this
 * operator. f32 by kernels with channels last (chains of fused multiply-adds, samples and places ascending, for shards of the
 * batch, which are added), other floats by the reference. */

#include "kern/dwgrad_f32.h"
#include "op/conv.h"
#include "op/grad.h"
#include "op/matrix.h"
#include "op/move.h"
#include "op/move_attr.h"
#include "op/walk.h"
#include "whet/program.h"

/* ---- shape and type -------------------------------------------------------------------------- */

static whet_status infer(whet_infer *f, const whet_node *n) {
  const whet_conv_attr *a = n->attr;
  char why[WHET_CONV_WHY];
  whet_conv_geo g;
  whet_shape y;
  if (n->n_in != 3) return whet__infer_fail(f, WHET_E_FORMAT, "expected 3 inputs, got %d", n->n_in);
  whet_dtype t = whet__in_dtype(f, 0);
  const whet_shape *x = whet__in_shape(f, 0), *dy = whet__in_shape(f, 1), *w = whet__in_shape(f, 2);
  if (!whet__type_in(WHET_T_FLOAT, t) || whet__in_dtype(f, 1) != t || whet__in_dtype(f, 2) != t)
    return whet__infer_fail(f, WHET_E_TYPE, "inputs of %s, %s and %s: expected floats of one type", whet_dtype_name(t),
                            whet_dtype_name(whet__in_dtype(f, 1)), whet_dtype_name(whet__in_dtype(f, 2)));
  *whet__out(f, 0, t) = *w;
  if (x->rank < 0 || dy->rank < 0 || whet__shape_count(w) < 0) return WHET_LATE;
  if (!whet__conv_geo(a, false, x, w, NULL, &g, why)) return whet__infer_fail(f, WHET_E_SHAPE, "%s", why);
  whet__conv_out_shape(a, &g, &y);
  bool same = dy->rank == y.rank;
  for (int32_t i = 0; same && i < y.rank; i++) same = dy->d[i] == y.d[i] || !whet__dim_known(y.d[i]) || !whet__dim_known(dy->d[i]);
  return same ? WHET_OK : whet__infer_fail(f, WHET_E_SHAPE, "the gradient does not have the shape of the convolution's output");
}

/* ---- reference ------------------------------------------------------------------------------- */

static int64_t place(const whet_conv_attr *a, const whet_conv_geo *g, const whet_tensor *t, const int64_t *p) {
  int64_t o = 0;
  for (int i = 3 - g->n; i < 3; i++) o += p[i] * t->stride[whet__conv_axis(a, g, i)];
  return o;
}

/* One weight; xc, yc: offsets of its channels. */
static double sum(const whet_args *args, const whet_conv_geo *g, const int64_t *tap, int64_t xc, int64_t yc) {
  const whet_conv_attr *a = args->attr;
  const whet_tensor *x = &args->in[0], *dy = &args->in[1];
  int64_t dim[4] = {g->batch, g->out[0], g->out[1], g->out[2]}, at[4] = {0}, p[3];
  double acc = 0;
  if (whet__dim_product(dim, 0, 4) == 0) return 0;
  do {
    bool inside = true;
    for (int d = 0; d < 3; d++) {
      p[d] = at[1 + d] * g->stride[d] + tap[d] * g->dilation[d] - g->pad[d];
      inside &= p[d] >= 0 && p[d] < g->in[d];
    }
    if (inside)
      acc = whet__ref_fma(x->dtype == WHET_F64,
                          whet__get_f64(x->dtype, x->data, at[0] * x->stride[0] + xc + place(a, g, x, p)),
                          whet__get_f64(dy->dtype, dy->data, at[0] * dy->stride[0] + yc + place(a, g, dy, at + 1)), acc);
  } while (whet__index_next(4, dim, at));
  return acc;
}

/* Sizes, from the shapes of x and w. */
static whet_conv_geo sizes(const whet_conv_attr *a, const whet_shape *x, const whet_shape *w) {
  char why[WHET_CONV_WHY];
  whet_conv_geo g;
  whet__conv_geo(a, false, x, w, NULL, &g, why);
  return g;
}

static whet_status ref(const whet_args *args) {
  const whet_conv_attr *a = args->attr;
  const whet_tensor *x = &args->in[0], *dy = &args->in[1], *dw = &args->out[0];
  whet_shape xs = whet__shape(x->rank, x->dim), ws = whet__shape(dw->rank, dw->dim);
  whet_conv_geo g = sizes(a, &xs, &ws);
  int32_t chan = whet__conv_chan(a, &g);
  int64_t dim[6] = {g.groups, g.oc, g.ic, g.kernel[0], g.kernel[1], g.kernel[2]}, at[6] = {0};
  if (!whet__tensor_count(dw)) return WHET_OK;
  do {
    int64_t o = at[0] * g.w_group + at[1] * g.w_oc + at[2] * g.w_ic;
    for (int d = 0; d < 3; d++) o += at[3 + d] * g.w_tap[d];
    double v = sum(args, &g, at + 3, (at[0] * g.ic + at[2]) * x->stride[chan], (at[0] * g.oc + at[1]) * dy->stride[chan]);
    whet__set_f64(dw->dtype, dw->data, whet__flat_offset(dw, o), v);
  } while (whet__index_next(6, dim, at));
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_conv_attr *a = n->attr;
  if (whet__pl_dtype(p, n->in[0]) != WHET_F32 || !a->last) return WHET_LATE;
  whet_conv_geo g = sizes(a, whet__pl_shape(p, n->in[0]), whet__pl_shape(p, n->in[2]));
  whet_wgrad_f32 k = {.batch = g.batch, .groups = g.groups, .ic = g.ic, .oc = g.oc, .w_group = g.w_group, .w_oc = g.w_oc, .w_ic = g.w_ic};
  int64_t xs[WHET_MAX_RANK], ys[WHET_MAX_RANK];
  whet__pl_strides(p, n->in[0], xs);
  whet__pl_strides(p, n->in[1], ys);
  k.in_batch = xs[0], k.out_batch = ys[0];
  for (int i = 0; i < 3; i++) {
    int32_t axis = i < 3 - g.n ? 0 : whet__conv_axis(a, &g, i);
    k.dim[i] = (whet_window){g.in[i], g.out[i], g.kernel[i], g.stride[i], g.dilation[i], g.pad[i], xs[axis], ys[axis], 0};
    k.w_tap[i] = g.w_tap[i];
  }
  k.count = whet__shape_count(whet__pl_shape(p, n->in[2]));
  int64_t shards = whet__wgrad_f32_shards(&k);
  int32_t part = shards > 1 ? whet__pl_temp(p, sizeof(float) * (size_t)(shards * k.count)) : -1;
  whet_arg arg[4] = {whet__rd(n->in[0]), whet__rd(n->in[1]), shards > 1 ? whet__tm(part, true) : whet__wr(n->out[0]), whet__scratch()};
  double macs = (double)(g.batch * g.out[0] * g.out[1] * g.out[2]) * (double)k.count;
  bool deep = g.ic == 1 && g.oc == 1 && g.groups > 1;
  WHET_TRY(whet__pl_kern(p, deep ? WHET_FAMILY_dwgrad_f32 : WHET_FAMILY_wgrad_f32, &k, sizeof k, arg, 4,
                         deep ? whet__dwgrad_f32_parts(&k) : whet__wgrad_f32_parts(&k), whet__pl_macs_ns(p, macs) * (deep ? 3 : 1.2)));
  if (shards == 1) return WHET_OK;
  k.join = 1;
  whet_arg join[3] = {whet__tm(part, false), whet__rd(-1), whet__wr(n->out[0])};
  return whet__pl_kern(p, WHET_FAMILY_wgrad_f32, &k, sizeof k, join, 3, whet__wgrad_f32_parts(&k), (double)(shards * k.count) * 0.1);
}

/* ---- gradients of convolutions ---------------------------------------------------------------- */

/* v with its channels last. */
static int32_t channels_last(whet_edit *e, int32_t v, bool last, int32_t rank) {
  int64_t perm[WHET_MAX_RANK];
  if (last) return v;
  for (int32_t i = 0; i < rank; i++) perm[i] = i == 0 ? 0 : i == rank - 1 ? 1 : i + 1;
  whet_transpose t = {.perm = {whet__arena_copy(&whet__ed_graph(e)->arena, perm, (size_t)rank * sizeof *perm), rank}};
  return t.perm.v ? whet__ed_call(e, "Transpose", &t, &v, 1, whet__ed_dtype(e, v)) : -1;
}

/* The order of weights in which a convolution and a transposed one are each other's gradient. */
static uint8_t dual(uint8_t w) {
  static const uint8_t of[] = {[WHET_CONV_OIS] = WHET_CONV_IOS, [WHET_CONV_OSI] = WHET_CONV_ISO, [WHET_CONV_1SO] = WHET_CONV_ISO_1,
                               [WHET_CONV_SIO] = WHET_CONV_SOI, [WHET_CONV_IOS] = WHET_CONV_OIS, [WHET_CONV_SOI] = WHET_CONV_SIO,
                               [WHET_CONV_ISO] = WHET_CONV_OSI, [WHET_CONV_ISO_1] = WHET_CONV_1SO};
  return of[w];
}

/* Parts of x, w and the bias of node `node`. */
static whet_status grads(whet_edit *e, int32_t node, bool transposed) {
  const whet_node n = whet__ed_graph(e)->node[node];
  const whet_conv_attr *a = n.attr;
  whet_arena *arena = &whet__ed_graph(e)->arena;
  char why[WHET_CONV_WHY];
  int32_t x = n.in[0], w = n.in[1], b = n.n_in > 2 ? n.in[2] : -1, g = whet__grad_of(e, n.out[0]);
  const whet_shape xs = *whet__ed_shape(e, x), ws = *whet__ed_shape(e, w), ys = *whet__ed_shape(e, n.out[0]);
  whet_dtype t = whet__ed_dtype(e, x);
  whet_conv_geo s;
  if (!whet__is_float(whet__ed_dtype(e, w)) || xs.rank < 3 || ws.rank != xs.rank ||
      !whet__conv_geo(a, transposed, &xs, &ws, n.n_in > 3 && n.in[3] >= 0 ? &ys : NULL, &s, why))
    return whet__grad_fail(e, node, "its weights are integers, or sizes are not known");
  int64_t list[12];
  for (int i = 0; i < s.n; i++) {
    int d = 3 - s.n + i;
    if (!whet__dim_known(s.in[d]) || !whet__dim_known(s.out[d])) return whet__grad_fail(e, node, "the size of its input is open");
    int64_t reach = (s.kernel[d] - 1) * s.dilation[d] + 1;
    list[i] = s.stride[d], list[3 + i] = s.dilation[d];
    list[6 + i] = s.pad[d];
    /* Of a transposed convolution: what is padded at the end, less than a stride, is left over again. */
    if (transposed) {
      int64_t end = (s.in[d] - 1) * s.stride[d] + reach - s.pad[d] - s.out[d];
      if (end <= -s.stride[d]) return whet__grad_fail(e, node, "its output is padded by a stride or more");
      list[6 + s.n + i] = whet__max_i(end, 0);
    } else
      list[6 + s.n + i] = s.pad_end[d];
  }
  whet_conv_attr back = {.group = s.groups, .last = a->last, .weights = a->weights};
  back.strides = (whet_ints){whet__arena_copy(arena, list, (size_t)s.n * sizeof *list), s.n};
  back.dilations = (whet_ints){whet__arena_copy(arena, list + 3, (size_t)s.n * sizeof *list), s.n};
  back.pads = (whet_ints){whet__arena_copy(arena, list + 6, 2 * (size_t)s.n * sizeof *list), 2 * s.n};
  for (int i = 0; i < s.n; i++) {
    int d = 3 - s.n + i;
    list[i] = s.in[d] + s.pad[d] + s.pad_end[d] - ((s.out[d] - 1) * s.stride[d] + (s.kernel[d] - 1) * s.dilation[d] + 1);
  }
  if (!back.strides.v || !back.dilations.v || !back.pads.v) return whet__grad_add(e, x, -1), WHET_OK;
  whet_conv_attr dw = back;
  back.weights = dual(a->weights);
  if (transposed)
    dw.weights = back.weights;
  else
    back.out_pad = (whet_ints){whet__arena_copy(arena, list, (size_t)s.n * sizeof *list), s.n};
  int32_t in[3] = {g, w};
  if (whet__grad_wants(e, x)) whet__grad_add(e, x, whet__ed_call(e, transposed ? "Conv" : "ConvTranspose", &back, in, 2, t));
  int32_t last = channels_last(e, g, a->last, ys.rank);
  if (whet__grad_wants(e, w)) {
    int32_t from = channels_last(e, x, a->last, xs.rank);
    dw.last = 1;
    in[0] = transposed ? last : from;
    in[1] = transposed ? from : last;
    in[2] = w;
    whet__grad_add(e, w, whet__ed_call(e, "ConvGrad", &dw, in, 3, t));
  }
  if (!whet__grad_wants(e, b)) return WHET_OK;
  whet_shape have = ys;
  if (!a->last) {
    for (int32_t i = 1; i + 1 < ys.rank; i++) have.d[i] = ys.d[i + 1];
    have.d[ys.rank - 1] = ys.d[1];
  }
  return whet__grad_add_summed(e, node, b, last, &have);
}

whet_status whet__conv_grad(whet_edit *e, int32_t node) { return grads(e, node, false); }
whet_status whet__conv_transpose_grad(whet_edit *e, int32_t node) { return grads(e, node, true); }

/* ---- record ---------------------------------------------------------------------------------- */

const whet_op whet_op_ConvGrad = {
    .name = "ConvGrad", .attr_size = sizeof(whet_conv_attr), .attrs = whet__conv_attrs, .infer = infer, .plan = plan, .ref = ref};
