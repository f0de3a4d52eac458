/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_q8 on vectors: the body that the ISA files share, over the names of out_q8_avx2.h or out_q8_avx512.h, a
 * product `dot`, and 16-bit lanes (fixed16_avx2.h, fixed16_avx512.h). A panel's units are done 2 * OUT_LANES at a time:
 * four gates of two vectors of sums each. */

#include "kern/lstm_q8.h"
#include "kern/x86/fixed16_body.h"

enum { UNITS = WHET_LSTM_Q8_UNITS, WIDE = 2 * OUT_LANES, SUMS = 4 * UNITS };

/* What all time steps share, in registers or beside the stack pointer. */
typedef struct lstm {
  const whet_lstm_q8 *p;
  int64_t panels, w_size, r_size;
  const char *w_packed, *r_packed;
  const int32_t *bias;
  out_factor w[4], r[4], out;
} lstm;

/* Eight vectors of sums: first[] and n groups of w; x: four bytes of each group. */
OUT_INLINE void sums(out_int a[8], const int32_t *first, const int8_t *w, const uint8_t *x, int64_t n) {
  WHET_UNROLL
  for (int i = 0; i < 8; i++) a[i] = out_load_int(first + i / 2 * UNITS + i % 2 * 16);
  for (int64_t k = 0; k < n; k++, w += WHET_LSTM_Q8_GROUP) {
    int32_t four;
    memcpy(&four, x + 4 * k, 4);
    out_int v = out_set_i(four);
    WHET_UNROLL
    for (int i = 0; i < 8; i++) a[i] = dot(a[i], v, w + (i / 2 * UNITS + i % 2 * 16) * 4);
  }
}

/* The share of x of all panels. */
static void share_of_x(const lstm *l, const int8_t *x, int32_t *to) {
  uint8_t turned[256];
  const out_int least = out_set_i(INT16_MIN), most = out_set_i(INT16_MAX);
  for (int64_t j = 0; j < l->panels; j++)
    for (int half = 0; half < UNITS / WIDE && j * UNITS + half * WIDE < l->p->units; half++) {
      const char *panel = l->w_packed + j * l->w_size + half * OUT_LANES * 4;
      const int32_t *first = (const int32_t *)(const void *)panel;
      const int8_t *w = (const int8_t *)panel + WHET_LSTM_Q8_GROUP;
      int32_t *own = to + j * SUMS + half * OUT_LANES;
      for (int64_t k = 0; k < l->p->inputs; k += 256) {
        int64_t n = whet__clamp_i(l->p->inputs - k, 0, 256);
        if (l->p->inputs > 256 || (!j && !half))
          for (int64_t i = 0; i < n; i += 4) {
            uint32_t v = whet__lstm_q8_four(x, k + i, l->p->inputs);
            memcpy(turned + i, &v, 4);
          }
        out_int a[8];
        sums(a, first, w + k / 4 * WHET_LSTM_Q8_GROUP, turned, whet__ceil_div(n, 4));
        bool last = k + n >= l->p->inputs;
        first = own;
        WHET_UNROLL
        for (int i = 0; i < 8; i++) {
          int at = i / 2 * UNITS + i % 2 * 16;
          if (last) {
            a[i] = out_add_i(a[i], out_load_int(l->bias + (own - to) + at));
            a[i] = out_between(out_rescale(a[i], &l->w[i / 2], OUT_FIX), least, most);
          }
          out_store_int(own + at, a[i]);
        }
      }
    }
}

/* One time step: x_share of all panels, h before and after it as unsigned numbers. */
OUT_INLINE void step(const lstm *l, const int32_t *x_share, int16_t *c, const uint8_t *old, uint8_t *next, int8_t *y) {
  const whet_lstm_q8 *p = l->p;
  for (int64_t j = 0; j < l->panels; j++)
    for (int half = 0; half < UNITS / WIDE && j * UNITS + half * WIDE < p->units; half++) {
      const char *panel = l->r_packed + j * l->r_size + half * OUT_LANES * 4;
      const int32_t *share = x_share + j * SUMS + half * OUT_LANES;
      int64_t at = j * UNITS + half * WIDE;
      out_int a[8];
      half16 g[4];
      sums(a, (const int32_t *)(const void *)panel, (const int8_t *)panel + WHET_LSTM_Q8_GROUP, old,
           whet__ceil_div(p->units, 4));
      WHET_UNROLL
      for (int i = 0; i < 8; i++)
        a[i] = out_add_i(out_rescale(a[i], &l->r[i / 2], OUT_FIX), out_load_int(share + i / 2 * UNITS + i % 2 * 16));
      WHET_UNROLL
      for (int q = 0; q < 4; q++) {
        g[q] = h16_pack(a[2 * q], a[2 * q + 1]);
        g[q] = q == 2 ? h16_tanh(g[q], 3) : h16_logistic(g[q], 3);
      }
      half16 v = h16_adds(h16_mul_shift(g[1], h16_load(c + at), 15), h16_mul_shift(g[0], g[2], 30 + p->cell_log2));
      if (p->cell_clip > 0) v = h16_between(v, (int16_t)-p->cell_clip, (int16_t)p->cell_clip);
      h16_store(c + at, v);
      v = h16_tanh(v, 15 + p->cell_log2);
      out_int lo = out_rescale(h16_product(g[3], v, 0), &l->out, OUT_FIX),
              hi = out_rescale(h16_product(g[3], v, 1), &l->out, OUT_FIX);
      h16_store_bytes(h16_adds(h16_pack(lo, hi), h16_set((int16_t)p->out_zero)), next + at, y + at, p->units - at);
    }
}

/* The time steps of one batch entry; h: two states, the first the one to begin with. */
static void entry(const lstm *l, const int8_t *x, int8_t *y, int32_t *share, int16_t *c, uint8_t *h) {
  const whet_lstm_q8 *p = l->p;
  int64_t block = whet__lstm_q8_block(p), wide = l->panels * UNITS;
  for (int64_t from = 0; from < p->steps; from += block) {
    int64_t to = from + block < p->steps ? from + block : p->steps;
    for (int64_t n = from; n < to; n++) {
      int64_t t = p->reverse ? p->steps - 1 - n : n;
      share_of_x(l, x + t * p->x_t, share + (n - from) * l->panels * SUMS);
    }
    for (int64_t n = from; n < to; n++) {
      int64_t t = p->reverse ? p->steps - 1 - n : n;
      step(l, share + (n - from) * l->panels * SUMS, c, h + n % 2 * wide, h + (n + 1) % 2 * wide, y + t * p->y_t);
    }
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_lstm_q8 *p = params;
  lstm l = {.p = p,
            .panels = whet__lstm_q8_panels(p->units),
            .w_size = whet__lstm_q8_panel(p->inputs),
            .r_size = whet__lstm_q8_panel(p->units),
            .w_packed = ptr[1],
            .r_packed = ptr[2],
            .bias = ptr[3],
            .out = out_factor_all(p->out.mul, p->out.shift)};
  for (int q = 0; q < 4; q++) {
    l.w[q] = out_factor_all(p->w[q].mul, p->w[q].shift);
    l.r[q] = out_factor_all(p->r[q].mul, p->r[q].shift);
  }
  int64_t from, to, wide = l.panels * UNITS;
  int32_t *share = ptr[9];
  int16_t *c = (int16_t *)(share + whet__lstm_q8_block(p) * l.panels * SUMS);
  uint8_t *h = (uint8_t *)(c + wide);
  whet__split(p->batch, part, parts, &from, &to);
  for (int64_t b = from; b < to; b++) {
    const int8_t *h0 = (const int8_t *)ptr[4] + b * p->units;
    int8_t *h1 = (int8_t *)ptr[7] + b * p->units;
    memset(c, 0, (size_t)wide * sizeof *c);
    memcpy(c, (const int16_t *)ptr[5] + b * p->units, (size_t)p->units * sizeof *c);
    memset(h, 0x80, (size_t)wide * 2);
    for (int64_t u = 0; u < p->units; u++) h[u] = (uint8_t)(h0[u] ^ 0x80);
    entry(&l, (const int8_t *)ptr[0] + b * p->x_b, (int8_t *)ptr[6] + b * p->y_b, share, c, h);
    const uint8_t *last = h + p->steps % 2 * wide;
    for (int64_t u = 0; u < p->units; u++) h1[u] = (int8_t)(last[u] ^ 0x80);
    memcpy((int16_t *)ptr[8] + b * p->units, c, (size_t)p->units * sizeof *c);
  }
}
