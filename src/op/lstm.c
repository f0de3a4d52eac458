/* SPDX-License-Identifier: Apache-2.0 */
/* LSTM(x): long short-term memory over time.
 *
 *   i = f(Wi x + Ri h + Pi c + bi)    f = f(Wf x + Rf h + Pf c + bf), or 1 - i (input_forget)
 *   c = f c + i g(Wc x + Rc h + bc)   o = f(Wo x + Ro h + Po c + bo)    h = o h(c)
 *
 * ONNX LSTM 1-22: gates in the order i, o, f, c. All float types; the reference computes in double. In float32 with
 * constant weights, the usual activations, without peepholes, clip and lengths it is a step of family lstm_f32. */

#include <math.h>

#include "kern/lstm_f32.h"
#include "op/rnn.h"

static whet_status from_onnx(whet_import *im, const whet_op *op) {
  static const uint8_t dflt[] = {RNN_SIGMOID, RNN_TANH, RNN_TANH};
  return whet__rnn_read(im, op, 3, dflt);
}
static const whet_from k_from[] = {{"", "LSTM", 1, from_onnx}, {0}};

static whet_status infer(whet_infer *f, const whet_node *n) { return whet__rnn_infer(f, n, 4, true); }

/* ---- reference ------------------------------------------------------------------------------- */

/* h, the next h, c. */
static size_t scratch(const whet_args *a) { return (size_t)(3 * a->in[2].dim[2]) * sizeof(double); }

/* Peephole of gate p (i, o, f). */
static double peep(const whet_rnn_lane *l, int64_t p, int64_t units, int64_t u) {
  const whet_tensor *t = &l->a->in[7];
  if (l->a->n_in <= 7 || !t->data) return 0;
  return whet__get_f64(t->dtype, t->data, l->d * t->stride[0] + (p * units + u) * t->stride[1]);
}

static double clipped(const whet_rnn *r, double v) { return r->clip > 0 ? fmax(-r->clip, fmin(r->clip, v)) : v; }

static whet_status ref(const whet_args *a) {
  const whet_rnn *r = a->attr;
  whet_rnn_dims n = whet__rnn_dims(r, &a->in[0]);
  int64_t units = a->in[2].dim[2], rows = 4 * units;
  enum { I, O, F, G };
  for (int64_t d = 0; d < r->dirs; d++)
    for (int64_t b = 0; b < n.batch; b++) {
      whet_rnn_lane l;
      double *h = a->scratch, *next = h + units, *c = next + units;
      int act = (int)d * 3;
      WHET_TRY(whet__rnn_lane(a, d, b, &l));
      for (int64_t u = 0; u < units; u++) h[u] = whet__rnn_state(&l, 5, u), c[u] = whet__rnn_state(&l, 6, u);
      for (int64_t step = 0; step < l.length; step++) {
        int64_t t = whet__rnn_time(&l, step);
        for (int64_t u = 0; u < units; u++) {
          double v[4];
          for (int q = 0; q < 4; q++) {
            int64_t row = q * units + u;
            v[q] = whet__rnn_wx(&l, t, row) + whet__rnn_rh(&l, h, row) + whet__rnn_bias(&l, row) +
                   whet__rnn_bias(&l, rows + row);
          }
          double i = whet__rnn_act(r, act, clipped(r, v[I] + peep(&l, 0, units, u) * c[u]));
          double f = r->couple ? 1 - i : whet__rnn_act(r, act, clipped(r, v[F] + peep(&l, 2, units, u) * c[u]));
          c[u] = f * c[u] + i * whet__rnn_act(r, act + 1, clipped(r, v[G]));
          double o = whet__rnn_act(r, act, clipped(r, v[O] + peep(&l, 1, units, u) * c[u]));
          next[u] = o * whet__rnn_act(r, act + 2, c[u]);
          whet__rnn_put_y(&l, t, u, next[u]);
        }
        double *old = h;
        h = next;
        next = old;
      }
      for (int64_t u = 0; u < units; u++) {
        for (int64_t t = l.length; t < n.steps; t++) whet__rnn_put_y(&l, t, u, 0);
        whet__rnn_put_state(&l, 1, u, h[u]);
        whet__rnn_put_state(&l, 2, u, c[u]);
      }
    }
  return WHET_OK;
}

/* ---- planning -------------------------------------------------------------------------------- */

static const whet_pack_kind k_weights = {"lstm_f32 weights", sizeof(whet_lstm_pack), whet__lstm_pack_bytes,
                                         whet__lstm_pack, true};
static const whet_pack_kind k_biases = {"lstm_f32 biases", sizeof(whet_lstm_bias), whet__lstm_bias_bytes,
                                        whet__lstm_bias, true};

/* Does a kernel compute this node? */
static bool usual(const whet_planner *p, const whet_node *n) {
  const whet_rnn *r = n->attr;
  static const uint8_t acts[] = {RNN_SIGMOID, RNN_TANH, RNN_TANH};
  for (int k = 0; k < 3 * r->dirs; k++)
    if (r->act[k] != acts[k % 3]) return false;
  for (int i = 1; i < 4; i++)
    if (i < n->n_in && n->in[i] >= 0 && !whet__pl_data(p, n->in[i])) return false;
  return whet__pl_dtype(p, n->in[0]) == WHET_F32 && !r->couple && !(r->clip > 0) && (n->n_in <= 4 || n->in[4] < 0) &&
         (n->n_in <= 7 || n->in[7] < 0);
}

static whet_status plan(whet_planner *p, const whet_node *n) {
  const whet_rnn *r = n->attr;
  if (!usual(p, n)) return WHET_LATE;
  const whet_shape *x = whet__pl_shape(p, n->in[0]), *w = whet__pl_shape(p, n->in[1]);
  int64_t stride[WHET_MAX_RANK], h = w->d[1] / 4, in = w->d[2];
  bool bf = r->batch_first;
  whet_lstm_f32 k = {.steps = x->d[bf], .batch = x->d[!bf], .inputs = in, .units = h, .dirs = r->dirs};
  k.reverse[0] = r->dirs == 1 && r->backward;
  k.reverse[1] = 1;
  whet__pl_strides(p, n->in[0], stride);
  k.x_t = stride[bf], k.x_b = stride[!bf];
  if (n->out[0] >= 0) {
    whet__pl_strides(p, n->out[0], stride);
    k.y_t = stride[bf], k.y_d = stride[bf ? 2 : 1], k.y_b = stride[bf ? 0 : 2];
  }
  k.s_d = bf ? h : k.batch * h;
  k.s_b = bf ? r->dirs * h : h;
  /* Panels have the gates i, f, g, o; the file i, o, f, c. */
  static const int gate[] = {0, 2, 3, 1};
  whet_lstm_pack pw = {.units = h, .inputs = in, .dirs = r->dirs, .one = 1, .d_step = 4 * h * in, .u_step = in};
  whet_lstm_pack pr = {.units = h, .inputs = h, .dirs = r->dirs, .one = 1, .d_step = 4 * h * h, .u_step = h};
  whet_lstm_bias pb = {.units = h, .dirs = r->dirs, .one = 1, .twice = 1, .d_step = 8 * h, .second = 4 * h};
  for (int q = 0; q < 4; q++) pw.at[q] = gate[q] * h * in, pr.at[q] = gate[q] * h * h, pb.at[q] = gate[q] * h;
  int32_t bias = n->n_in > 3 ? n->in[3] : -1;
  int32_t in_h = n->n_in > 5 ? n->in[5] : -1, in_c = n->n_in > 6 ? n->in[6] : -1;
  whet_arg arg[] = {whet__rd(n->in[0]),
                    whet__pk(whet__pl_pack(p, &k_biases, &pb, &bias, 1)),
                    whet__pk(whet__pl_pack(p, &k_weights, &pw, &n->in[1], 1)),
                    whet__pk(whet__pl_pack(p, &k_weights, &pr, &n->in[2], 1)),
                    whet__rd(in_h),
                    whet__rd(in_c),
                    whet__wr(n->out[0]),
                    whet__wr(n->n_out > 1 ? n->out[1] : -1),
                    whet__wr(n->n_out > 2 ? n->out[2] : -1),
                    whet__scratch()};
  double work = (double)(k.steps * k.batch * r->dirs * h) * (double)(in + h) * 4 * 0.03;
  return whet__pl_kern(p, WHET_FAMILY_lstm_f32, &k, sizeof k, arg, 10, k.batch * r->dirs, work);
}

const whet_op whet_op_LSTM = {.name = "LSTM",
                              .attr_size = sizeof(whet_rnn),
                              .attrs = whet__rnn_attrs,
                              .from = k_from,
                              .infer = infer,
                              .plan = plan,
                              .ref = ref,
                              .scratch = scratch};
