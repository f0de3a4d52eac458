/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_q8, portable. */

#include "kern/lstm_q8.h"

enum { UNITS = WHET_LSTM_Q8_UNITS };

static int32_t clamp(int32_t x, int32_t lo, int32_t hi) { return x < lo ? lo : x > hi ? hi : x; }
static int32_t narrow(int32_t x) { return clamp(x, INT16_MIN, INT16_MAX); }

/* The sums of a panel for n bytes and the biases (NULL: none), times the factors of the gates. turned: the bytes are
 * unsigned. */
static void sums(const int8_t *x, int64_t n, bool turned, const char *panel, const int32_t *bias,
                 const whet_lstm_q8_factor f[4], int32_t *a) {
  const int8_t *w = (const int8_t *)panel + WHET_LSTM_Q8_GROUP;
  memcpy(a, panel, 4 * UNITS * sizeof *a);
  for (int i = 0; i < 4 * UNITS && bias; i++) a[i] = whet__fx_add(a[i], bias[i]);
  for (int64_t k = 0; k < n; k += 4, w += WHET_LSTM_Q8_GROUP) {
    uint32_t four = whet__lstm_q8_four(x, k, n) ^ (turned ? UINT32_C(0x80808080) : 0);
    int32_t v[4] = {(int32_t)(four & 255), (int32_t)(four >> 8 & 255), (int32_t)(four >> 16 & 255),
                    (int32_t)(four >> 24)};
    for (int i = 0; i < 4 * UNITS; i++) {
      const int8_t *p = w + i * 4;
      a[i] = whet__fx_add(a[i], p[0] * v[0] + p[1] * v[1] + p[2] * v[2] + p[3] * v[3]);
    }
  }
  for (int i = 0; i < 4 * UNITS; i++) a[i] = whet__mul_fix(a[i], f[i / UNITS].mul, f[i / UNITS].shift);
}

/* One unit: a[] are its four gates before their functions. */
static int8_t unit(const whet_lstm_q8 *p, const int16_t a[4], int16_t *c) {
  int32_t in = whet__fx16_logistic(a[0], 3), keep = whet__fx16_logistic(a[1], 3), value = whet__fx16_tanh(a[2], 3),
          out = whet__fx16_logistic(a[3], 3);
  int32_t v = narrow(whet__round_shift(keep * *c, 15) + whet__round_shift(in * value, 30 + p->cell_log2));
  if (p->cell_clip > 0) v = clamp(v, -p->cell_clip, p->cell_clip);
  *c = (int16_t)v;
  v = narrow(whet__mul_fix(out * whet__fx16_tanh(*c, 15 + p->cell_log2), p->out.mul, p->out.shift)) + p->out_zero;
  return (int8_t)clamp(v, INT8_MIN, INT8_MAX);
}

/* The time steps of one batch entry. */
static void entry(const whet_lstm_q8 *p, const int8_t *x, const char *w, const char *r, const int32_t *bias, int8_t *y,
                  int16_t *c, uint8_t *h) {
  int64_t panels = whet__lstm_q8_panels(p->units), w_size = whet__lstm_q8_panel(p->inputs),
          r_size = whet__lstm_q8_panel(p->units);
  for (int64_t n = 0; n < p->steps; n++) {
    int64_t t = p->reverse ? p->steps - 1 - n : n;
    const uint8_t *old = h + n % 2 * panels * UNITS;
    uint8_t *next = h + (n + 1) % 2 * panels * UNITS;
    for (int64_t j = 0; j < panels; j++) {
      int32_t a[4 * UNITS], b[4 * UNITS];
      sums(x + t * p->x_t, p->inputs, false, w + j * w_size, bias + j * 4 * UNITS, p->w, a);
      sums((const int8_t *)old, p->units, true, r + j * r_size, NULL, p->r, b);
      for (int64_t u = 0; u < UNITS && j * UNITS + u < p->units; u++) {
        int64_t at = whet__lstm_q8_place(u), k = j * UNITS + u;
        int16_t g[4];
        for (int q = 0; q < 4; q++, at += UNITS) g[q] = (int16_t)narrow(whet__fx_add(narrow(a[at]), b[at]));
        g[0] = (int16_t)(g[0] - WHET_BUG(g[0] > 0));
        int8_t v = unit(p, g, c + k);
        y[t * p->y_t + k] = v;
        next[k] = (uint8_t)(v ^ 0x80);
      }
    }
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_lstm_q8 *p = params;
  int64_t from, to, wide = whet__lstm_q8_panels(p->units) * WHET_LSTM_Q8_UNITS;
  char *scratch = ptr[9];
  uint8_t *h = (uint8_t *)scratch;
  whet__split(p->batch, part, parts, &from, &to);
  for (int64_t b = from; b < to; b++) {
    const int8_t *h0 = (const int8_t *)ptr[4] + b * p->units;
    int8_t *h1 = (int8_t *)ptr[7] + b * p->units;
    int16_t *c1 = (int16_t *)ptr[8] + b * p->units;
    memmove(c1, (const int16_t *)ptr[5] + b * p->units, (size_t)p->units * sizeof *c1);
    for (int64_t u = 0; u < p->units; u++) h[u] = (uint8_t)(h0[u] ^ 0x80);
    entry(p, (const int8_t *)ptr[0] + b * p->x_b, ptr[1], ptr[2], ptr[3], (int8_t *)ptr[6] + b * p->y_b, c1, h);
    const uint8_t *last = h + p->steps % 2 * wide;
    for (int64_t u = 0; u < p->units; u++) h1[u] = (int8_t)(last[u] ^ 0x80);
  }
}

const whet_kern whet_k_lstm_q8__c_any = {
    .name = "lstm_q8__c_any", .exact = 1, .scratch = whet__lstm_q8_scratch_bytes, .run = run};
