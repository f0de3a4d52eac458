/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_LSTM_Q8_H
#define WHET_KERN_LSTM_Q8_H

/* Family lstm_q8: long short-term memory of 8-bit activations with a 16-bit cell, in LiteRT's fixed point.
 *
 *   for every time step t (backwards when reversed), batch entry b, unit u, gate q in (i, f, g, o), s16 saturating:
 *     a_q = s16(s16((bias_q[u] + sum W_q[u][k] (x[t][b][k] - x_zero)) * w_q)
 *               + (sum R_q[u][k] (h[b][k] - h_zero)) * r_q)
 *     c[b][u] = clip(s16((sigmoid(a_f) c[b][u] >> 15) + (sigmoid(a_i) tanh(a_g) >> 30 + cell_log2)))
 *     h[b][u] = y[t][b][u] = s8((sigmoid(a_o) tanh(c[b][u])) * out + out_zero)
 *
 * Sums, times 2^shift of their factor where that is to the left, are below 2^30 in size (whet__lstm_q8_small); out does
 * not shift to the left. Factors multiply by rule TFL_FIX; shifts round halves away from zero; sigmoid and tanh are those of
 * fixed16.c for Q3.12 (c: 15 + cell_log2 integer bits). Exact.
 *
 * W and R are packed by whet__lstm_q8_pack: units in panels of 32, absent ones zero. A panel holds what its sums start
 * from ([4 gates][32] of int32: the zero point, x and h being taken as unsigned), then the weights in groups of four
 * k: [4 gates][32][4]. Unit 8 i + 4 j + n of a panel stands at 16 j + 4 i + n, as packing two vectors of 32-bit
 * numbers to 16 bits turns that into their order. Biases stand alike, [panels][4 gates][32] of int32.
 *
 * Arguments: [0] x, [1] W, [2] R, [3] biases, [4] h and [5] c at the start, [6] y, [7] h and [8] c at the end, [9]
 * scratch. [7] may be [4], [8] may be [5]. All but what is packed may be the caller's. Parts share batch entries. */

#include "kern/fixed.h"
#include "kern/kern.h"

enum { WHET_LSTM_Q8_UNITS = 32, WHET_LSTM_Q8_GROUP = 4 * 32 * 4 };

/* A factor: mul / 2^31 * 2^shift; mul is not negative, shift is in -31 .. 30. */
typedef struct whet_lstm_q8_factor {
  int32_t mul, shift;
} whet_lstm_q8_factor;

typedef struct whet_lstm_q8 {
  int64_t steps, batch, inputs, units;
  int64_t x_t, x_b, y_t, y_b; /* elements between time steps and between batch entries; states are dense */
  whet_lstm_q8_factor w[4], r[4], out;
  int32_t out_zero;  /* -128 .. 127 */
  int32_t cell_log2; /* -15 .. -9 */
  int32_t cell_clip; /* 0: none; up to 32767 */
  uint8_t reverse;
} whet_lstm_q8;

/* What is packed, from 4 constants by gate: weights [units][inputs], or biases (int32). */
typedef struct whet_lstm_q8_pack {
  int64_t units, inputs, zero; /* zero point of what the weights multiply */
} whet_lstm_q8_pack;
size_t whet__lstm_q8_pack_bytes(const void *params);
void whet__lstm_q8_pack(const void *params, const void *const *src, void *dst, int part, int parts);
size_t whet__lstm_q8_bias_bytes(const void *params);
void whet__lstm_q8_bias(const void *params, const void *const *src, void *dst, int part, int parts);

static inline int64_t whet__lstm_q8_panels(int64_t units) { return whet__ceil_div(units, WHET_LSTM_Q8_UNITS); }
/* Bytes of a panel. */
static inline int64_t whet__lstm_q8_panel(int64_t inputs) {
  return (1 + whet__ceil_div(inputs, 4)) * WHET_LSTM_Q8_GROUP;
}
/* Where a unit of a panel stands. */
static inline int64_t whet__lstm_q8_place(int64_t u) { return u / 4 % 2 * 16 + u / 8 * 4 + u % 4; }

/* Time steps whose share of x is computed at once: one where the second cache holds all weights, for then it is done while the
 * step before waits for its own numbers. */
static inline int64_t whet__lstm_q8_block(const whet_lstm_q8 *p) {
  const int64_t weights = whet__lstm_q8_panels(p->units) * (whet__lstm_q8_panel(p->inputs) + whet__lstm_q8_panel(p->units));
  return weights <= 512 << 10 ? 1 : whet__clamp_i(p->steps, 1, 32);
}
/* Is a sum of n products and `bias` small enough for a factor? */
static inline bool whet__lstm_q8_small(int64_t n, int64_t bias, whet_lstm_q8_factor f) {
  return n * 255 * 128 + (bias < 0 ? -bias : bias) < (INT64_C(1) << 30) >> (f.shift > 0 ? f.shift : 0);
}
/* Scratch of a part: the shares of x, [block][panels] of 128 sums of int32; c, [panels][32] of int16; two states h as
 * unsigned numbers, [panels][32]; x of a time step likewise. */
size_t whet__lstm_q8_scratch_bytes(const void *params);

/* Four bytes of x from k on as unsigned numbers; those past the end n are any. */
static inline uint32_t whet__lstm_q8_four(const int8_t *x, int64_t k, int64_t n) {
  uint32_t v = 0;
  if (k + 4 <= n)
    memcpy(&v, x + k, 4);
  else
    for (int64_t i = 0; k + i < n; i++) v |= (uint32_t)(uint8_t)x[k + i] << (8 * i);
  return v ^ UINT32_C(0x80808080);
}

#endif
