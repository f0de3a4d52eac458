/* SPDX-License-Identifier: Apache-2.0 */
/* GRU(x): gated recurrent units over time.
 *
 *   z = f(Wz x + Rz h + bz)    r = f(Wr x + Rr h + br)
 *   n = g(Wh x + Rh (r h) + bh), or with linear_before_reset  n = g(Wh x + Wbh + r (Rh h + Rbh))
 *   h = (1 - z) n + z h
 *
 * ONNX GRU 1-22. All float types; the reference computes in double. */

#include <math.h>

#include "op/rnn.h"

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  static const uint8_t dflt[] = {RNN_SIGMOID, RNN_TANH};
  return whet__rnn_read(im, op, 2, dflt);
}
static const whet_from k_from[] = {{"", "GRU", 1, from_onnx}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) { return whet__rnn_infer(f, n, 3, false); }

/* h, the next h, z and r h. */
static size_t scratch(const whet_args *a) { return (size_t)(4 * a->in[2].dim[2]) * sizeof(double); }

static double clipped(const whet_rnn *r, double v) { return r->clip > 0 ? fmax(-r->clip, fmin(r->clip, v)) : v; }

static whet_status ref(const whet_args *a) {
  const whet_rnn *r = a->attr;
  whet_rnn_dims n = whet__rnn_dims(r, &a->in[0]);
  int64_t units = a->in[2].dim[2], rows = 3 * units;
  for (int64_t d = 0; d < r->dirs; d++)
    for (int64_t b = 0; b < n.batch; b++) {
      whet_rnn_lane l;
      double *h = a->scratch, *next = h + units, *z = next + units, *rh = z + units;
      int f = (int)d * 2, g = f + 1;
      WHET_TRY(whet__rnn_lane(a, d, b, &l));
      for (int64_t u = 0; u < units; u++) h[u] = whet__rnn_state(&l, 5, u);
      for (int64_t step = 0; step < l.length; step++) {
        int64_t t = whet__rnn_time(&l, step);
        for (int64_t u = 0; u < units; u++) {
          for (int q = 0; q < 2; q++) {
            int64_t row = q * units + u;
            double v = whet__rnn_wx(&l, t, row) + whet__rnn_rh(&l, h, row) + whet__rnn_bias(&l, row) +
                       whet__rnn_bias(&l, rows + row);
            *(q ? &rh[u] : &z[u]) = whet__rnn_act(r, f, clipped(r, v));
          }
          rh[u] *=
              r->reset_after ? whet__rnn_rh(&l, h, 2 * units + u) + whet__rnn_bias(&l, rows + 2 * units + u) : h[u];
        }
        for (int64_t u = 0; u < units; u++) {
          int64_t row = 2 * units + u;
          double v = whet__rnn_wx(&l, t, row) + whet__rnn_bias(&l, row);
          v += r->reset_after ? rh[u] : whet__rnn_rh(&l, rh, row) + whet__rnn_bias(&l, rows + row);
          next[u] = (1 - z[u]) * whet__rnn_act(r, g, clipped(r, v)) + z[u] * h[u];
          whet__rnn_put_y(&l, t, u, next[u]);
        }
        double *old = h;
        h = next;
        next = old;
      }
      for (int64_t u = 0; u < units; u++) {
        for (int64_t t = l.length; t < n.steps; t++) whet__rnn_put_y(&l, t, u, 0);
        whet__rnn_put_state(&l, 1, u, h[u]);
      }
    }
  return WHET_OK;
}

const whet_op whet_op_GRU = {.name = "GRU",
                             .attr_size = sizeof(whet_rnn),
                             .attrs = whet__rnn_attrs,
                             .from = k_from,
                             .infer = infer,
                             .ref = ref,
                             .scratch = scratch};
