/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_RNN_H
#define WHET_OP_RNN_H

/* What LSTM, GRU and RNN share: attributes, reading, the shape rule, activations, walking time steps. */

#include "op/move.h"

/* Activations of a cell, with the parameters a and b. */
enum {
  RNN_TANH,
  RNN_SIGMOID,
  RNN_RELU,
  RNN_AFFINE,
  RNN_LEAKY_RELU,
  RNN_THRESHOLDED_RELU,
  RNN_SCALED_TANH,
  RNN_HARD_SIGMOID,
  RNN_ELU,
  RNN_SOFTSIGN,
  RNN_SOFTPLUS,
  RNN_ACTIVATIONS
};

typedef struct whet_rnn {
  int32_t hidden;
  uint8_t dirs;        /* 1 or 2 */
  uint8_t backward;    /* the one direction runs backwards */
  uint8_t batch_first; /* layout 1: [batch, steps, ...], states [batch, directions, hidden] */
  uint8_t couple;      /* LSTM: forget gate = 1 - input gate */
  uint8_t reset_after; /* GRU: the reset gate works on the product with R (linear_before_reset) */
  float clip;          /* of the gates' sums; 0: none */
  uint8_t act[6];      /* RNN_, per direction as many as the cell has */
  float a[6], b[6];
} whet_rnn;
extern const whet_attr_desc whet__rnn_attrs[];

/* Read an ONNX node: gates of the cell are named by the caller only through how many activations it has (1 .. 3),
 * whose defaults are dflt. */
whet_status whet__rnn_read(whet_import *im, const whet_op *op, int n_act, const uint8_t *dflt);

/* Inputs X, W, R, B, sequence_lens, initial_h, (initial_c, P); outputs Y, Y_h, (Y_c). gates: rows of W for each unit.
 */
whet_status whet__rnn_infer(whet_infer *f, const whet_node *n, int gates, bool cell);

double whet__rnn_act(const whet_rnn *a, int k, double x);
/* ONNX's name of an activation (RNN_), and which of its parameters stand in a node's lists. */
const char *whet__rnn_act_name(int act);
bool whet__rnn_takes_alpha(int act);
bool whet__rnn_takes_beta(int act);

/* Sizes of one call. */
typedef struct whet_rnn_dims {
  int64_t steps, batch, inputs;
} whet_rnn_dims;
whet_rnn_dims whet__rnn_dims(const whet_rnn *a, const whet_tensor *x);

/* One direction of one batch entry, for references: element access whatever the layout. */
typedef struct whet_rnn_lane {
  const whet_args *a;
  const whet_rnn *r;
  int64_t d, b, length; /* time steps that count */
  bool reverse;
} whet_rnn_lane;
whet_status whet__rnn_lane(const whet_args *a, int64_t d, int64_t b, whet_rnn_lane *l);
/* Time step number `step` in the direction's order. */
static inline int64_t whet__rnn_time(const whet_rnn_lane *l, int64_t step) {
  return l->reverse ? l->length - 1 - step : step;
}
double whet__rnn_x(const whet_rnn_lane *l, int64_t t, int64_t k);
/* bias of W, and of R, and the products; row counts from 0 over all gates. */
double whet__rnn_wx(const whet_rnn_lane *l, int64_t t, int64_t row);
double whet__rnn_rh(const whet_rnn_lane *l, const double *h, int64_t row);
double whet__rnn_bias(const whet_rnn_lane *l, int64_t row);
/* Initial state number i (an input), 0 where it is absent. */
double whet__rnn_state(const whet_rnn_lane *l, int i, int64_t u);
/* Store outputs, where they are wanted: y of a time step, a final state. */
void whet__rnn_put_y(const whet_rnn_lane *l, int64_t t, int64_t u, double v);
void whet__rnn_put_state(const whet_rnn_lane *l, int o, int64_t u, double v);

#endif
