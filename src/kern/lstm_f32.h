/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_LSTM_F32_H
#define WHET_KERN_LSTM_F32_H

/* Family lstm_f32: long short-term memory over sequences, one or two directions.
 *
 *   for every time step t (backwards in a reversed direction), batch entry b, unit u, gate q in (i, f, g, o):
 *     a_q = bias_q[u] + sum over k of W_q[u][k] x[t][b][k] + sum over k of R_q[u][k] h[b][k]
 *     c[b][u] = clip(sigmoid(a_f) c[b][u] + sigmoid(a_i) tanh(a_g))
 *     h[b][u] = sigmoid(a_o) tanh(c[b][u])
 *
 * Order of sums (exact): the bias, then one chain of fused multiply-adds, x before h, k ascending; c is
 * fma(sigmoid(a_f), c, sigmoid(a_i) tanh(a_g)), h one product. sigmoid and tanh are those of unary_f32.
 *
 * Packed: units in panels of 16, in a panel the four gates side by side: 64 floats for each k; units that are not
 * there are zero. Arguments: [0] x, [1] biases, [2] W, [3] R (each direction after the other), [4] h and [5] c at the
 * start, absent: zero, [6] y, [7] h and [8] c at the end, each may be absent, [9] scratch. [7] may be [4], [8] may be
 * [5]. Parts share directions and batch entries. */

#include "kern/kern.h"

enum { WHET_LSTM_UNITS = 16, WHET_LSTM_PANEL = 64 };

typedef struct whet_lstm_f32 {
  int64_t steps, batch, inputs, units;
  int32_t dirs;          /* 1 or 2 */
  uint8_t reverse[2];    /* by direction */
  float clip;            /* of c; 0: none */
  int64_t x_t, x_b;      /* elements of x between time steps and between batch entries */
  int64_t y_t, y_d, y_b; /* of y */
  int64_t s_d, s_b;      /* of the states, at the start and at the end */
} whet_lstm_f32;

static inline int64_t whet__lstm_panels(int64_t units) { return whet__ceil_div(units, WHET_LSTM_UNITS); }

/* How W or R is packed. Weight of direction d, gate q, unit u, input k: element at[q] + d * d_step + u * u_step + k
 * of src[q], or of src[0] when one constant holds all gates. */
typedef struct whet_lstm_pack {
  int64_t units, inputs;
  int32_t dirs;
  uint8_t one; /* src[0] holds all gates */
  int64_t at[4], d_step, u_step;
} whet_lstm_pack;
size_t whet__lstm_pack_bytes(const void *params);
void whet__lstm_pack(const void *params, const void *const *src, void *dst, int part, int parts);

/* How biases are packed: the same without inputs; where `twice`, the element `second` after it is added. */
typedef struct whet_lstm_bias {
  int64_t units;
  int32_t dirs;
  uint8_t one, twice;
  int64_t at[4], d_step, second;
} whet_lstm_bias;
size_t whet__lstm_bias_bytes(const void *params);
void whet__lstm_bias(const void *params, const void *const *src, void *dst, int part, int parts);

/* Time steps whose share of x is computed at once: enough rows to read W seldom, few enough to stay in the cache. */
static inline int64_t whet__lstm_block(const whet_lstm_f32 *p) {
  return whet__clamp_i(p->batch > 0 ? 24 / p->batch : 1, 1, p->steps > 0 ? p->steps : 1);
}
/* Bytes of scratch for one thread. */
size_t whet__lstm_f32_scratch(const void *params);

#endif
