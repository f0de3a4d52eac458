/* SPDX-License-Identifier: Apache-2.0 */
/* Family lstm_q8 on vectors: the body that the ISA files share, over the names of out_q8_avx2.h or out_q8_avx512.h, a
 * product `dot`, and 16-bit lanes (fixed16_avx2.h, fixed16_avx512.h). A panel's units are done 2 * OUT_LANES at a
 * time: four gates of two vectors of sums each, which stand in memory [gate][vector] between products and what
 * follows.
 *
 * LSTM_WORDS: bytes are multiplied as words, the even ones of a vector by dot_words' first, the odd ones by its
 * second; where there are steps enough and the first cache holds them, weights are widened once: each vector becomes
 * two. */

#include "kern/lstm_q8.h"
#include "kern/x86/fixed16_body.h"

enum { UNITS = WHET_LSTM_Q8_UNITS, WIDE = 2 * OUT_LANES, SUMS = 4 * UNITS };

/* A factor of sums below 2^30, as the family's header demands: rounding to the right is half of 2^32 more. */
typedef struct lstm_factor {
  out_int mul, left, right, add, sign;
} lstm_factor;

/* What all time steps share. */
typedef struct lstm {
  const whet_lstm_q8 *p;
  int64_t panels, w_size, r_size;
  const char *w_packed, *r_packed;
  const int32_t *bias;
  const char *w_words, *r_words; /* widened panels, twice their size; NULL: none */
  uint8_t *turned;               /* x of one time step as unsigned numbers */
  lstm_factor w[4], r[4], out;
} lstm;

static __attribute__((noinline)) void factor(whet_lstm_q8_factor f, lstm_factor *to) {
  const int right = f.shift < 0 ? -f.shift : 0;
  to->mul = out_set_i(f.mul);
  to->left = out_set_i(1 + right + f.shift);
  to->right = out_set_i(right);
  to->add = h16_set_64((INT64_C(1) << 31) + (right ? INT64_C(1) << (right + 31) : 0));
  to->sign = out_set_i(-(right > 0));
}

/* TFL_FIX: the product's upper half with half of what is shifted out, less one where that rounds below zero. */
OUT_INLINE out_int rescaled(out_int x, const lstm_factor *f) {
  out_int y = h16_left_by(x, f->left);
  return h16_right_by(out_add_i(h16_high_mul(y, f->mul, f->add), h16_and(h16_right32(x, 31), f->sign)), f->right);
}

/* Sums of `vectors` vectors of each gate: those at the panel's begin and n groups of w; x: four bytes of each group.
 */
OUT_INLINE void sum_vectors(int32_t *to, const char *panel, const char *w, const uint8_t *x, int64_t n, int vectors,
                            bool words) {
  const int32_t *first = (const int32_t *)(const void *)panel;
  const int wide = words ? 2 : 1;
  out_int a[8];
  WHET_UNROLL
  for (int i = 0; i < 4 * vectors; i++) a[i] = out_load_int(first + i / vectors * UNITS + i % vectors * 16);
  for (int64_t k = 0; k < n; k++, w += wide * WHET_LSTM_Q8_GROUP) {
    int32_t four;
    memcpy(&four, x + 4 * k, 4);
    out_int v = out_set_i(four);
    WHET_UNROLL
    for (int i = 0; i < 4 * vectors; i++) {
      const char *at = w + (i / vectors * UNITS + i % vectors * 16) * 4 * wide;
#ifdef LSTM_WORDS
      if (words) {
        a[i] = dot_words(a[i], v, out_load_int((const int32_t *)(const void *)at),
                         out_load_int((const int32_t *)(const void *)at + OUT_LANES));
        continue;
      }
#endif
      a[i] = dot(a[i], v, (const int8_t *)at);
    }
  }
  WHET_UNROLL
  for (int i = 0; i < 4 * vectors; i++) out_store_int(to + (i / vectors * 2 + i % vectors) * OUT_LANES, a[i]);
}

/* Is there nothing in the second vectors of the WIDE units from `at` on? Eight lanes hold units 0..3 and 8..11. */
OUT_INLINE bool narrow(const lstm *l, int64_t at) { return OUT_LANES == 8 && l->p->units - at <= 4; }

/* The same of a panel's units; words: the panel widened, or NULL. */
static __attribute__((noinline)) void sums(int32_t *to, const char *panel, const char *words, const uint8_t *x,
                                           int64_t n, bool one) {
  const char *w = panel + WHET_LSTM_Q8_GROUP;
#ifdef LSTM_WORDS
  if (words && one)
    sum_vectors(to, panel, words + 2 * WHET_LSTM_Q8_GROUP, x, n, 1, true);
  else if (words)
    sum_vectors(to, panel, words + 2 * WHET_LSTM_Q8_GROUP, x, n, 2, true);
  else
#endif
      if (one)
    sum_vectors(to, panel, w, x, n, 1, false);
  else
    sum_vectors(to, panel, w, x, n, 2, false);
}

#ifdef LSTM_WORDS
/* Bytes of widened panels; 0: they do not pay. */
static size_t words_bytes(const whet_lstm_q8 *p) {
  const int64_t n =
      2 * whet__lstm_q8_panels(p->units) * (whet__lstm_q8_panel(p->inputs) + whet__lstm_q8_panel(p->units));
  return p->steps >= 4 && n <= 32 << 10 ? (size_t)n : 0;
}
static size_t lstm_scratch(const void *params) {
  return words_bytes(params) + whet__round_up(whet__lstm_q8_scratch_bytes(params), 64);
}
static const char *widened(char *to, const char *from, int64_t n) {
  for (int64_t i = 0; i < n; i += 4 * OUT_LANES) {
    const half16 v = out_load_int((const int32_t *)(const void *)(from + i));
    h16_store((int16_t *)(void *)(to + 2 * i), h16_right(h16_left(v, 8), 8));
    h16_store((int16_t *)(void *)(to + 2 * i + 4 * OUT_LANES), h16_right(v, 8));
  }
  return to;
}
#else
#define lstm_scratch whet__lstm_q8_scratch_bytes
#endif

/* The share of x of all panels, [panel][half][gate][vector]. */
static __attribute__((noinline)) void share_of_x(const lstm *l, const int8_t *x, int32_t *to) {
  const out_int least = out_set_i(INT16_MIN), most = out_set_i(INT16_MAX);
  const int64_t n = l->p->inputs;
  for (int64_t k = 0; k < n; k += 4 * OUT_LANES)
    out_store_int((int32_t *)(void *)(l->turned + k),
                  h16_xor(out_load_bytes((const uint8_t *)x + k, n - k), out_set_i((int32_t)0x80808080)));
  for (int64_t at = 0; at < l->p->units; at += WIDE, to += 4 * WIDE) {
    const int64_t j = at / UNITS, off = at % UNITS / 2;
    const int32_t *bias = l->bias + j * SUMS + off;
    const bool one = narrow(l, at);
    sums(to, l->w_packed + j * l->w_size + off * 4, l->w_words ? l->w_words + 2 * (j * l->w_size + off * 4) : NULL,
         l->turned, whet__ceil_div(n, 4), one);
    _Pragma("GCC unroll 1") for (int q = 0; q < 4; q++) for (int v = 0; v < 2 - one; v++) {
      int32_t *own = to + (2 * q + v) * OUT_LANES;
      out_int a = out_add_i(out_load_int(own), out_load_int(bias + q * UNITS + v * 16));
      out_store_int(own, out_between(rescaled(a, &l->w[q]), least, most));
    }
  }
}

/* One time step: the share of x, h before and after it as unsigned numbers. */
static __attribute__((noinline)) void step(const lstm *l, const int32_t *share, int16_t *c, const uint8_t *old,
                                           uint8_t *next, int8_t *y) {
  const whet_lstm_q8 *p = l->p;
  for (int64_t at = 0; at < p->units; at += WIDE, share += 4 * WIDE) {
    int32_t sum[4 * WIDE];
    int16_t gate[4 * WIDE];
    const bool one = narrow(l, at);
    const int64_t panel = at / UNITS * l->r_size + at % UNITS * 2;
    sums(sum, l->r_packed + panel, l->r_words ? l->r_words + 2 * panel : NULL, old, whet__ceil_div(p->units, 4), one);
    _Pragma("GCC unroll 1") for (int q = 0; q < 4; q++) {
      const int32_t *own = share + q * WIDE, *more = sum + q * WIDE;
      out_int lo = out_add_i(rescaled(out_load_int(more), &l->r[q]), out_load_int(own)), hi = out_zero();
      if (!one) hi = out_add_i(rescaled(out_load_int(more + OUT_LANES), &l->r[q]), out_load_int(own + OUT_LANES));
      h16_store(gate + q * WIDE, h16_pack(lo, hi));
    }
    half16 in = h16_load(gate), keep = h16_load(gate + WIDE), value = h16_load(gate + 2 * WIDE),
           out = h16_load(gate + 3 * WIDE);
    value = h16_tanh(value, 3);
    if (one) { /* four units: their other gates are one vector */
      in = h16_logistic(h16_fours(in, keep, out), 3);
      keep = h16_four(in, 1), out = h16_four(in, 2);
    } else {
      _Pragma("GCC unroll 1") for (int q = 0; q < 4; q += 1 + (q == 1))
          h16_store(gate + q * WIDE, h16_logistic(h16_load(gate + q * WIDE), 3));
      in = h16_load(gate), keep = h16_load(gate + WIDE), out = h16_load(gate + 3 * WIDE);
    }
    half16 v = h16_adds(h16_mul_shift(keep, h16_load(c + at), 15), h16_mul_shift(in, value, 30 + p->cell_log2));
    if (p->cell_clip > 0) v = h16_between(v, (int16_t)-p->cell_clip, (int16_t)p->cell_clip);
    h16_store(c + at, v);
    v = h16_tanh(v, 15 + p->cell_log2);
    out_int lo = rescaled(h16_product(out, v, 0), &l->out), hi = rescaled(h16_product(out, v, 1), &l->out);
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
            .bias = ptr[3]};
  factor(p->out, &l.out);
  for (int q = 0; q < 4; q++) factor(p->w[q], &l.w[q]), factor(p->r[q], &l.r[q]);
  int64_t from, to, wide = l.panels * UNITS;
  int32_t *share = ptr[9];
  int16_t *c = (int16_t *)(share + whet__lstm_q8_block(p) * l.panels * SUMS);
  uint8_t *h = (uint8_t *)(c + wide);
  l.turned = h + 2 * wide;
#ifdef LSTM_WORDS
  if (words_bytes(p)) {
    char *words = (char *)share + whet__round_up(whet__lstm_q8_scratch_bytes(p), 64);
    l.w_words = widened(words, l.w_packed, l.panels * l.w_size);
    l.r_words = widened(words + 2 * l.panels * l.w_size, l.r_packed, l.panels * l.r_size);
  }
#endif
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
