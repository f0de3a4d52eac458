/* SPDX-License-Identifier: Apache-2.0 */
/* Pooling of quantised numbers of 8 or 16 bits.
 *
 * MaxPool takes the greatest stored number. AveragePool takes the mean of the real numbers, LpPool the root of the
 * mean (or sum) of their powers, in double; results are quantised half to even under WHET_ROUND_ONNX_REAL, else away
 * from zero. When input and output of MaxPool have one quantisation, numbers are moved as they are. */

#include <math.h>

#include "op/pool.h"
#include "op/walk.h"

whet_status whet__pool_q8_plan(whet_planner *p, const whet_node *n) { return WHET_LATE; }

/* The real result of output position `out` in the plane that starts at element `base`. */
static double one(const whet_args *arg, const whet_pool_geo *g, const int64_t *stride, int64_t base,
                  const int64_t *out) {
  const whet_pool_attr *a = arg->attr;
  const whet_tensor *x = &arg->in[0];
  bool max = !strcmp(arg->node->op->name, "MaxPool"), lp = !strcmp(arg->node->op->name, "LpPool");
  int64_t from[3], to[3], k[3], count = 0, padded = 1;
  double s = max ? -INFINITY : 0;
  for (int d = 0; d < 3; d++) {
    whet__pool_window(g, d, out[d], &from[d], &to[d]);
    int64_t start = out[d] * g->stride[d] - g->pad[d];
    padded *= whet__min_i(g->kernel[d], (g->in[d] + g->pad_end[d] - 1 - start) / g->dilation[d] + 1);
  }
  for (k[0] = from[0]; k[0] < to[0]; k[0]++)
    for (k[1] = from[1]; k[1] < to[1]; k[1]++)
      for (k[2] = from[2]; k[2] < to[2]; k[2]++, count++) {
        int64_t i = base;
        for (int d = 0; d < 3; d++) i += (out[d] * g->stride[d] - g->pad[d] + k[d] * g->dilation[d]) * stride[d];
        double v = whet__get_real(x, i);
        s = max ? fmax(s, v) : s + (lp ? pow(fabs(v), a->p) : v);
      }
  if (max) return s;
  if (lp) return pow(a->mean ? s / (double)count : s, 1.0 / a->p);
  return s / (double)(a->count_pads ? padded : count);
}

whet_status whet__pool_q8_ref(const whet_args *arg) {
  const whet_tensor *x = &arg->in[0], *y = &arg->out[0];
  const whet_pool_attr *a = arg->attr;
  whet_pool_geo g = whet__ref_pool_geo(arg);
  if (arg->n_out > 1 && arg->out[1].data)
    return whet__fail(arg->err, WHET_E_UNSUPPORTED, "indices of quantised numbers");
  int32_t space = a->last ? 1 : 2, chan = a->last ? g.n + 1 : 1;
  int64_t xs[3] = {0}, ys[3] = {0}, o[3];
  for (int i = 0; i < g.n; i++) xs[3 - g.n + i] = x->stride[space + i], ys[3 - g.n + i] = y->stride[space + i];
  for (int64_t b = 0; b < g.batch; b++)
    for (int64_t c = 0; c < g.chan; c++)
      for (o[0] = 0; o[0] < g.out[0]; o[0]++)
        for (o[1] = 0; o[1] < g.out[1]; o[1]++)
          for (o[2] = 0; o[2] < g.out[2]; o[2]++) {
            double v = one(arg, &g, xs, b * x->stride[0] + c * x->stride[chan], o);
            int64_t to = b * y->stride[0] + c * y->stride[chan] + o[0] * ys[0] + o[1] * ys[1] + o[2] * ys[2];
            whet__set_real(y, to, v, (whet_round)arg->node->round);
          }
  return WHET_OK;
}
