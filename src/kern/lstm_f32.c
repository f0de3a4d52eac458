/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_f32: packing, and what the rows share. */

#include "kern/lstm_f32.h"

size_t whet__lstm_pack_bytes(const void *params) {
  const whet_lstm_pack *p = params;
  return (size_t)(p->dirs * whet__lstm_panels(p->units) * p->inputs * WHET_LSTM_PANEL) * sizeof(float);
}

/* Element k of constant number q, whose bytes may lie anywhere. */
static float element(const void *const *src, bool one, int q, int64_t k) {
  const char *p = src[one ? 0 : q];
  float v = 0;
  if (p) memcpy(&v, p + (size_t)k * sizeof v, sizeof v);
  return v;
}

void whet__lstm_pack(const void *params, const void *const *src, void *dst, int part, int parts) {
  const whet_lstm_pack *p = params;
  int64_t panels = whet__lstm_panels(p->units), from, to;
  whet__split(p->dirs * panels, part, parts, &from, &to);
  for (int64_t n = from; n < to; n++) {
    int64_t d = n / panels, u0 = n % panels * WHET_LSTM_UNITS;
    float *out = (float *)dst + n * p->inputs * WHET_LSTM_PANEL;
    for (int64_t k = 0; k < p->inputs; k++)
      for (int q = 0; q < 4; q++)
        for (int64_t j = 0; j < WHET_LSTM_UNITS; j++, out++)
          *out = u0 + j < p->units ? element(src, p->one, q, p->at[q] + d * p->d_step + (u0 + j) * p->u_step + k) : 0;
  }
}

size_t whet__lstm_bias_bytes(const void *params) {
  const whet_lstm_bias *p = params;
  return (size_t)(p->dirs * whet__lstm_panels(p->units) * WHET_LSTM_PANEL) * sizeof(float);
}

void whet__lstm_bias(const void *params, const void *const *src, void *dst, int part, int parts) {
  const whet_lstm_bias *p = params;
  int64_t panels = whet__lstm_panels(p->units), from, to;
  whet__split(p->dirs * panels, part, parts, &from, &to);
  for (int64_t n = from; n < to; n++) {
    int64_t d = n / panels, u0 = n % panels * WHET_LSTM_UNITS;
    float *out = (float *)dst + n * WHET_LSTM_PANEL;
    for (int q = 0; q < 4; q++)
      for (int64_t j = 0; j < WHET_LSTM_UNITS; j++, out++) {
        int64_t at = p->at[q] + d * p->d_step + u0 + j;
        *out = 0;
        if (u0 + j >= p->units) continue;
        *out = element(src, p->one, q, at);
        if (p->twice) *out += element(src, p->one, q, at + p->second);
      }
  }
}

/* The sums of a block of steps; two states h (the old one is needed until the last panel is done), one c. */
size_t whet__lstm_f32_scratch(const void *params) {
  const whet_lstm_f32 *p = params;
  int64_t wide = whet__lstm_panels(p->units) * WHET_LSTM_UNITS;
  return (size_t)(p->batch * wide * (4 * whet__lstm_block(p) + 3)) * sizeof(float);
}
