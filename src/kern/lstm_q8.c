/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_q8: packing, and what the rows share. */

#include "kern/lstm_q8.h"

size_t whet__lstm_q8_pack_bytes(const void *params) {
  const whet_lstm_q8_pack *p = params;
  return (size_t)(whet__lstm_q8_panels(p->units) * whet__lstm_q8_panel(p->inputs));
}

/* The weights of one unit and gate into its panel, at `to`. */
static void spread(const whet_lstm_q8_pack *p, const int8_t *w, char *to) {
  uint32_t first = 0;
  for (int64_t k = 0; k < p->inputs; k++) {
    to[(1 + k / 4) * WHET_LSTM_Q8_GROUP + k % 4] = (char)w[k];
    first -= (uint32_t)w[k] * (uint32_t)(p->zero + 128);
  }
  memcpy(to, &first, sizeof first);
}

void whet__lstm_q8_pack(const void *params, const void *const *src, void *dst, int part, int parts) {
  const whet_lstm_q8_pack *p = params;
  int64_t from, to, size = whet__lstm_q8_panel(p->inputs);
  whet__split(whet__lstm_q8_panels(p->units), part, parts, &from, &to);
  for (int64_t n = from; n < to; n++) {
    char *panel = (char *)dst + n * size;
    memset(panel, 0, (size_t)size);
    for (int q = 0; q < 4; q++)
      for (int64_t u = 0, at = n * WHET_LSTM_Q8_UNITS; u < WHET_LSTM_Q8_UNITS && at < p->units; u++, at++)
        spread(p, (const int8_t *)src[q] + at * p->inputs,
               panel + (q * WHET_LSTM_Q8_UNITS + whet__lstm_q8_place(u)) * 4);
  }
}

size_t whet__lstm_q8_bias_bytes(const void *params) {
  const whet_lstm_q8_pack *p = params;
  return (size_t)(whet__lstm_q8_panels(p->units) * WHET_LSTM_Q8_GROUP);
}

void whet__lstm_q8_bias(const void *params, const void *const *src, void *dst, int part, int parts) {
  const whet_lstm_q8_pack *p = params;
  if (part) return;
  memset(dst, 0, whet__lstm_q8_bias_bytes(p));
  for (int q = 0; q < 4; q++)
    for (int64_t u = 0; u < p->units; u++)
      memcpy((char *)dst + u / WHET_LSTM_Q8_UNITS * WHET_LSTM_Q8_GROUP +
                 (q * WHET_LSTM_Q8_UNITS + whet__lstm_q8_place(u % WHET_LSTM_Q8_UNITS)) * 4,
             (const char *)src[q] + u * 4, 4);
}

size_t whet__lstm_q8_scratch_bytes(const void *params) {
  const whet_lstm_q8 *p = params;
  int64_t wide = whet__lstm_q8_panels(p->units) * WHET_LSTM_Q8_UNITS;
  return (size_t)(wide * (16 * whet__lstm_q8_block(p) + 4)) + whet__round_up((size_t)p->inputs, 64);
}
