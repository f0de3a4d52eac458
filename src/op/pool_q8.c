/* SPDX-License-Identifier: Apache-2.0 */
/* Pooling of quantised numbers of 8 or 16 bits.
 *
 * MaxPool takes the greatest stored number (its quantisation is its input's). AveragePool takes the mean of the taps
 * inside as kern/pool_q8.h says: TFLite of stored numbers, ties away from zero, whatever the scales; under
 * WHET_ROUND_ONNX_REAL with both scales. LpPool takes the root of the mean (or sum) of powers of the real numbers, in
 * double. */

#include <math.h>

#include "base/dtype.h"
#include "kern/pool_q8.h"
#include "op/move.h"
#include "op/pool.h"
#include "op/q8.h"
#include "op/walk.h"

/* Everything that a mean needs beside sizes. */
static void meaning(const whet_node *n, whet_pool_q8 *p, whet_dtype t, const whet_quant *x, const whet_quant *y) {
  whet_q8 qx = whet__q8(t, x), qy = whet__q8(t, y);
  p->mean = !strcmp(n->op->name, "AveragePool");
  p->is_signed = whet__is_signed_int(t);
  p->round = whet__q8_tfl(n) ? WHET_ROUND_TFL_FIX : WHET_ROUND_ONNX_REAL;
  p->in_zero = qx.zero, p->out_zero = qy.zero;
  p->lo = qy.lo, p->hi = qy.hi;
  p->sx = qx.scale, p->sy = qy.scale;
}

/* ---- reference ------------------------------------------------------------------------------- */

/* The result of output position `out` in the plane that starts at element `base`. */
static void one(const whet_args *arg, const whet_pool_geo *g, const whet_pool_q8 *p, const int64_t *stride,
                int64_t base, const int64_t *out, int64_t to) {
  const whet_pool_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  bool lp = !strcmp(arg->node->op->name, "LpPool");
  int64_t from[3], end[3], k[3], count = 0, padded = 1, sum = 0, best = INT64_MIN;
  double powers = 0;
  for (int d = 0; d < 3; d++) {
    whet__pool_window(g, d, out[d], &from[d], &end[d]);
    int64_t start = out[d] * g->stride[d] - g->pad[d];
    padded *= whet__min_i(g->kernel[d], (g->in[d] + g->pad_end[d] - 1 - start) / g->dilation[d] + 1);
  }
  for (k[0] = from[0]; k[0] < end[0]; k[0]++)
    for (k[1] = from[1]; k[1] < end[1]; k[1]++)
      for (k[2] = from[2]; k[2] < end[2]; k[2]++, count++) {
        int64_t i = base;
        for (int d = 0; d < 3; d++) i += (out[d] * g->stride[d] - g->pad[d] + k[d] * g->dilation[d]) * stride[d];
        int64_t v = whet__get_i64(x->dtype, x->data, i);
        sum += v;
        best = whet__max_i(best, v);
        if (lp) powers += pow(fabs(whet__get_real(x, i)), a->p);
      }
  if (lp) {
    whet__set_real(y, to, pow(a->mean ? powers / (double)count : powers, 1.0 / a->p), (whet_round)arg->node->round);
  } else if (p->mean) {
    whet_pool_q8 q = *p;
    q.count = a->count_pads ? (int32_t)padded : 0;
    whet__set_i64(y->dtype, y->data, to, whet__pool_mean(&q, (int32_t)sum, (int32_t)count));
  } else {
    whet__set_i64(y->dtype, y->data, to, best < p->lo ? p->lo : best > p->hi ? p->hi : best);
  }
}

whet_status whet__pool_q8_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  const whet_pool_attr *a = arg->attr;
  whet_pool_geo g = whet__ref_pool_geo(arg);
  whet_pool_q8 p = {0};
  if (arg->n_out > 1 && arg->out[1].data)
    return whet__fail(arg->err, WHET_E_UNSUPPORTED, "indices of quantised numbers");
  meaning(arg->node, &p, y->dtype, x->q, y->q);
  int32_t space = a->last ? 1 : 2, chan = a->last ? g.n + 1 : 1;
  int64_t xs[3] = {0}, ys[3] = {0}, at[5] = {0}, dim[5] = {g.batch, g.chan, g.out[0], g.out[1], g.out[2]};
  for (int i = 0; i < g.n; i++) xs[3 - g.n + i] = x->stride[space + i], ys[3 - g.n + i] = y->stride[space + i];
  if (!whet__tensor_count(y)) return WHET_OK;
  do {
    int64_t to = at[0] * y->stride[0] + at[1] * y->stride[chan] + at[2] * ys[0] + at[3] * ys[1] + at[4] * ys[2];
    one(arg, &g, &p, xs, at[0] * x->stride[0] + at[1] * x->stride[chan], at + 2, to);
  } while (whet__index_next(5, dim, at));
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

/* Elements from pixel to pixel of a value with channels last; -1 when rows or images have gaps. */
static int64_t pixel_pitch(const whet_planner *p, int32_t v, int64_t chan) {
  int64_t rows, run, pitch;
  whet__pl_pitch(p, v, &rows, &run, &pitch);
  if (rows <= 1 || run == pitch) return chan;
  return run == chan ? pitch : -1;
}

whet_status whet__pool_q8_plan(whet_planner *p, const whet_node *n) {
  const whet_pool_attr *a = n->attr;
  whet_dtype t = whet__pl_dtype(p, n->in[0]);
  bool mean = !strcmp(n->op->name, "AveragePool"), max = !strcmp(n->op->name, "MaxPool");
  int32_t out = whet__pl_group_out(p);
  uint8_t map[256];
  if (!a->last || (t != WHET_S8 && t != WHET_U8) || (!mean && !max) || (n->n_out > 1 && n->out[1] >= 0) ||
      whet__pl_dtype(p, out) != t)
    return WHET_LATE;
  whet_pool_geo g = whet__pl_pool_geo(p, n);
  int64_t taps = g.kernel[1] * g.kernel[2],
          most = whet__min_i(g.kernel[1], g.in[1]) * whet__min_i(g.kernel[2], g.in[2]);
  if (g.in[0] != 1 || g.out[0] != 1 || g.kernel[0] != 1 || most > 65536 || taps > 1 << 20) return WHET_LATE;
  if (a->count_pads && (g.pad[1] || g.pad[2] || g.pad_end[1] || g.pad_end[2])) {
    /* Padding that a window does not reach is not counted: only when every window lies inside is the count the same.
     */
    for (int d = 1; d < 3; d++)
      if ((g.out[d] - 1) * g.stride[d] + (g.kernel[d] - 1) * g.dilation[d] >= g.in[d] + g.pad[d] + g.pad_end[d])
        return WHET_LATE;
  }
  whet_pool_q8 k = {.images = (int32_t)g.batch,
                    .in_h = (int32_t)g.in[1],
                    .in_w = (int32_t)g.in[2],
                    .channels = (int32_t)g.chan,
                    .out_h = (int32_t)g.out[1],
                    .out_w = (int32_t)g.out[2],
                    .kh = (int32_t)g.kernel[1],
                    .kw = (int32_t)g.kernel[2],
                    .stride_h = (int32_t)g.stride[1],
                    .stride_w = (int32_t)g.stride[2],
                    .dil_h = (int32_t)g.dilation[1],
                    .dil_w = (int32_t)g.dilation[2],
                    .pad_top = (int32_t)g.pad[1],
                    .pad_left = (int32_t)g.pad[2]};
  meaning(n, &k, t, whet__pl_quant(p, n->in[0]), whet__pl_quant(p, n->out[0]));
  if (a->count_pads) k.count = (int32_t)taps;
  k.in_pitch = pixel_pitch(p, n->in[0], g.chan);
  k.out_pitch = pixel_pitch(p, out, g.chan);
  if (k.in_pitch < 0 || k.out_pitch < 0) return WHET_LATE;
  if (whet__pl_epi_table(p, n, map) && !whet__table_clamps(map, t, &k.lo, &k.hi)) return WHET_LATE;
  whet_arg arg[3] = {whet__rd(n->in[0]), whet__wr(out), whet__scratch()};
  int64_t pixels = g.batch * g.out[1] * g.out[2];
  return whet__pl_kern(p, WHET_FAMILY_pool_q8, &k, sizeof k, arg, 3, pixels,
                       (double)(pixels * g.chan * most) * 0.02 + (double)pixels * 10);
}
