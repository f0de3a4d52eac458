/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_SEQ_LSTM_H
#define WHET_OP_SEQ_LSTM_H

/* SequenceLSTM: the long short-term memory of TFLite, with state in variables. Shared by its files. */

#include "op/move.h"

/* Inputs, in TFLite's order; the last five are of the bidirectional operator only. Gates stand in the order i, f, g,
 * o. */
enum {
  LSTM_X,
  LSTM_W,                   /* 4: [units, inputs]; the first absent: the input gate is 1 - forget gate */
  LSTM_R = LSTM_W + 4,      /* 4: [units, outputs] */
  LSTM_P = LSTM_R + 4,      /* 3: peepholes of i, f, o [units] */
  LSTM_B = LSTM_P + 3,      /* 4: [units] */
  LSTM_PROJ = LSTM_B + 4,   /* [outputs, units] */
  LSTM_PROJ_B,              /* [outputs] */
  LSTM_H,                   /* variable [batch, outputs] */
  LSTM_C,                   /* variable [batch, units] */
  LSTM_NORM,                /* 4: layer norm coefficients [units] */
  LSTM_AUX = LSTM_NORM + 4, /* a second input */
  LSTM_AUX_W,               /* 4: [units, its size] */
  LSTM_INPUTS = LSTM_AUX_W + 4
};

typedef struct whet_seq_lstm {
  uint8_t act;        /* code of g and of the cell's output */
  uint8_t time_major; /* x is [steps, batch, inputs], else [batch, steps, inputs]; rank 2: one step */
  uint8_t backward;
  uint8_t asymmetric;         /* hybrid: how activations are quantised */
  float cell_clip, proj_clip; /* 0: none */
  float hidden_scale;         /* int8: of the cell's output before the projection; 0: not told */
  int32_t hidden_zero;
  float norm_scale[4]; /* int8 with layer norm: of the gates before it */
} whet_seq_lstm;

/* Sizes of a call, checked by the shape rule. */
typedef struct whet_lstm_size {
  int64_t steps, batch, inputs, units, outputs, aux;
} whet_lstm_size;
whet_lstm_size whet__lstm_size(const whet_args *a);
static inline bool whet__lstm_has(const whet_args *a, int i) { return i < a->n_in && a->in[i].rank >= 0; }
/* Offset of x[t][b][0], or of the output's, whatever the layout. */
static inline int64_t whet__lstm_at(const whet_seq_lstm *l, const whet_tensor *x, int64_t t, int64_t b) {
  if (x->rank == 2) return b * x->stride[0];
  return l->time_major ? t * x->stride[0] + b * x->stride[1] : b * x->stride[0] + t * x->stride[1];
}

/* seq_lstm_q8.c: 8-bit activations, 16-bit cell. */
size_t whet__lstm_q8_scratch(const whet_args *a);
whet_status whet__lstm_q8_ref(const whet_args *a);
/* A step of family lstm_q8 for a network without peepholes, norm, projection; sizes and strides are in k. */
struct whet_lstm_q8;
whet_status whet__lstm_q8_plan(whet_planner *p, const whet_node *n, struct whet_lstm_q8 *k);

#endif
