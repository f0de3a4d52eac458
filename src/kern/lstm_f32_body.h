/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of family lstm_f32, over the vector layer that the including file has chosen; it defines ISA (the suffix
 * of the row), ISA_BITS, and ROWS, how many rows of sums its registers hold for four vectors of columns. */

#include "kern/lstm_f32.h"
#include "kern/row_name.h"
#include "kern/vmath.h"

/* sum[r][0..64) += x[r][k] * w[k][0..64) for the `rows` (at most ROWS) rows of x, a chain over k for each. */
static inline void add_rows(float *const *sum, const float *const *x, int rows, const float *w, int64_t n) {
  for (int v0 = 0; v0 < WHET_LSTM_PANEL / VW; v0 += 4) {
    vf s[ROWS][4];
    for (int r = 0; r < rows; r++)
      for (int v = 0; v < 4; v++) s[r][v] = vf_load(sum[r] + (v0 + v) * VW);
    const float *at = w + v0 * VW;
    for (int64_t k = 0; k < n; k++, at += WHET_LSTM_PANEL) {
      vf c[4];
      for (int v = 0; v < 4; v++) c[v] = vf_load(at + v * VW);
      for (int r = 0; r < rows; r++) {
        vf b = vf_set(x[r][k]);
        for (int v = 0; v < 4; v++) s[r][v] = vf_fma(b, c[v], s[r][v]);
      }
    }
    for (int r = 0; r < rows; r++)
      for (int v = 0; v < 4; v++) vf_store(sum[r] + (v0 + v) * VW, s[r][v]);
  }
}

/* The same for any number of rows, `sum_step` and `x_step` floats apart: ROWS at a time, the rest one by one, so that
 * counts are constant and the sums stay in registers. */
static void add_all(float *sum, int64_t sum_step, const float *x, int64_t x_step, int64_t rows, const float *w,
                    int64_t n) {
  int64_t r = 0;
  for (; r + ROWS <= rows; r += ROWS) {
    float *s[ROWS];
    const float *a[ROWS];
    for (int i = 0; i < ROWS; i++) s[i] = sum + (r + i) * sum_step, a[i] = x + (r + i) * x_step;
    add_rows(s, a, ROWS, w, n);
  }
  for (; r < rows; r++) {
    float *s = sum + r * sum_step;
    const float *a = x + r * x_step;
    add_rows(&s, &a, 1, w, n);
  }
}

/* The gates of one panel of one batch entry. */
static inline void gates(const float *sum, float *c, float *h, float clip) {
  for (int j = 0; j < WHET_LSTM_UNITS; j += VW) {
    vf i = vf_sigmoid(vf_load(sum + j)), f = vf_sigmoid(vf_load(sum + WHET_LSTM_UNITS + j));
    vf g = vf_tanh(vf_load(sum + 2 * WHET_LSTM_UNITS + j)), o = vf_sigmoid(vf_load(sum + 3 * WHET_LSTM_UNITS + j));
    vf s = vf_fma(f, vf_load(c + j), vf_mul(i, g));
    if (clip > 0) s = vf_max(vf_set(-clip), vf_min(vf_set(clip), s));
    vf_store(c + j, s);
    vf_store(h + j, vf_mul(o, vf_tanh(s)));
  }
}

/* n floats, or zeros where there is no source; the rest of `wide` is zeroed. */
static void fill(float *to, const float *from, int64_t n, int64_t wide) {
  if (from)
    memcpy(to, from, (size_t)n * sizeof *to);
  else
    memset(to, 0, (size_t)n * sizeof *to);
  memset(to + n, 0, (size_t)(wide - n) * sizeof *to);
}

/* Batch entries b0 .. b1 of direction d. */
static void sequence(const whet_lstm_f32 *p, void *const *ptr, float *scratch, int64_t d, int64_t b0, int64_t b1) {
  int64_t panels = whet__lstm_panels(p->units), wide = panels * WHET_LSTM_UNITS, n = b1 - b0;
  const float *x = (const float *)ptr[0] + b0 * p->x_b, *bias = (const float *)ptr[1] + d * panels * WHET_LSTM_PANEL;
  const float *w = (const float *)ptr[2] + d * panels * p->inputs * WHET_LSTM_PANEL;
  const float *rec = (const float *)ptr[3] + d * panels * p->units * WHET_LSTM_PANEL;
  float *y = ptr[6];
  int64_t block = whet__lstm_block(p), row = wide * 4; /* floats of sums of one batch entry */
  float *sum = scratch, *h = sum + block * n * row, *next = h + n * wide, *c = next + n * wide;
  for (int64_t b = 0; b < n; b++) {
    int64_t at = d * p->s_d + (b0 + b) * p->s_b;
    fill(h + b * wide, ptr[4] ? (const float *)ptr[4] + at : NULL, p->units, wide);
    fill(c + b * wide, ptr[5] ? (const float *)ptr[5] + at : NULL, p->units, wide);
  }
  int64_t way = p->reverse[d] ? -1 : 1, t = p->reverse[d] ? p->steps - 1 : 0;
  for (int64_t left = p->steps - WHET_BUG(1); left > 0;) {
    int64_t m = whet__min_i(block, left);
    /* What x adds, for a block of steps at once, so that W is read once for all of them. */
    for (int64_t q = 0; q < panels; q++)
      for (int64_t b = 0; b < n; b++) {
        float *to = sum + b * row + q * WHET_LSTM_PANEL;
        for (int64_t i = 0; i < m; i++)
          memcpy(to + i * n * row, bias + q * WHET_LSTM_PANEL, WHET_LSTM_PANEL * sizeof *to);
        add_all(to, n * row, x + t * p->x_t + b * p->x_b, way * p->x_t, m, w + q * p->inputs * WHET_LSTM_PANEL,
                p->inputs);
      }
    for (int64_t i = 0; i < m; i++, t += way) {
      for (int64_t q = 0; q < panels; q++) {
        float *to = sum + i * n * row + q * WHET_LSTM_PANEL;
        add_all(to, row, h, wide, n, rec + q * p->units * WHET_LSTM_PANEL, p->units);
        for (int64_t b = 0; b < n; b++)
          gates(to + b * row, c + b * wide + q * WHET_LSTM_UNITS, next + b * wide + q * WHET_LSTM_UNITS, p->clip);
      }
      float *old = h;
      h = next;
      next = old;
      for (int64_t b = 0; y && b < n; b++)
        memcpy(y + t * p->y_t + d * p->y_d + (b0 + b) * p->y_b, h + b * wide, (size_t)p->units * sizeof *y);
    }
    left -= m;
  }
  for (int64_t b = 0; b < n; b++) {
    int64_t at = d * p->s_d + (b0 + b) * p->s_b;
    if (ptr[7]) memcpy((float *)ptr[7] + at, h + b * wide, (size_t)p->units * sizeof *h);
    if (ptr[8]) memcpy((float *)ptr[8] + at, c + b * wide, (size_t)p->units * sizeof *c);
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_lstm_f32 *p = params;
  float *scratch = ptr[9];
  int64_t from, to;
  whet__split(p->dirs * p->batch, part, parts, &from, &to);
  while (from < to) {
    int64_t d = from / p->batch, b0 = from % p->batch, b1 = whet__min_i(p->batch, b0 + to - from);
    sequence(p, ptr, scratch, d, b0, b1);
    from += b1 - b0;
  }
}

#define NAME_(isa) "lstm_f32__" #isa "_any"
#define NAME(isa) NAME_(isa)
#define SYMBOL_(isa) whet_k_lstm_f32__##isa##_any
#define SYMBOL(isa) SYMBOL_(isa)
const whet_kern SYMBOL(ISA) = {
    .name = NAME(ISA), .isa = ISA_BITS, .exact = VEC_EXACT, .scratch = whet__lstm_f32_scratch, .run = run};
