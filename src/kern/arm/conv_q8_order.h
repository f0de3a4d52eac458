/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ARM_CONV_Q8_ORDER_H
#define WHET_KERN_ARM_CONV_Q8_ORDER_H

/* Rows of sums of byte products on aarch64, included by conv_q8_neon.c: the same as there, in an order for cores that
 * issue in order. */

enum { LAG = 4 /* products that wait to be added */ };

/* The instructions of a step of four of k are asm each, as compilers keep those in order: cores that issue in order
 * want other instructions between a product and its addition, and all 32 registers are needed. */
#define LOAD(x, p, at) \
  __asm__ volatile("ldr %q0, [%1, %2]" : "=w"(x) : "r"(p), "r"(at), "m"(*(const int8_t(*)[1 << 20])(p)))
#define LOAD_FOUR(x, p) __asm__ volatile("ld1r {%0.4s}, %1" : "=w"(x) : "Q"(*(const int64_t *)(const void *)(p)))
#define MOVE(p, by) __asm__ volatile("add %0, %0, %1" : "+r"(p) : "rI"((int64_t)(by)))
#define LOW(t, w, x) __asm__ volatile("smull %0.8h, %1.8b, %2.8b" : "=w"(t) : "w"(w), "w"(x))
#define HIGH(t, w, x) __asm__ volatile("smull2 %0.8h, %1.16b, %2.16b" : "=w"(t) : "w"(w), "w"(x))
#define LOW_TOO(t, w, x) __asm__ volatile("smlal %0.8h, %1.8b, %2.8b" : "+w"(t) : "w"(w), "w"(x))
#define HIGH_TOO(t, w, x) __asm__ volatile("smlal2 %0.8h, %1.16b, %2.16b" : "+w"(t) : "w"(w), "w"(x))
#define ADD(acc, t) __asm__ volatile("sadalp %0.4s, %1.8h" : "+w"(acc) : "w"(t))

/* Where a tile stands: weights at b and `at`, rows at q; the second four of eight likewise at
 * c and r. */
typedef struct place {
  const int8_t *b, *c, *q[AT_ONCE], *r[AT_ONCE];
  int64_t at[4];
} place;

/* Four of k, x, of mr rows, while the next four are loaded, from where the rows then move `forth`. w: the first
 * register of weights. */
WHET_INLINE void four(const int mr, int32x4_t acc[AT_ONCE][4][2], int8x16_t x[AT_ONCE], int8x16_t *w, place *p,
                      int64_t forth) {
  int16x8_t t[LAG];
  WHET_UNROLL for (int j = 0; j < 4; j++) {
    WHET_UNROLL for (int e = 0; e < 2 * mr + LAG; e++) {
      if (e >= LAG) ADD(acc[(e - LAG) / 2][j][e % 2], t[e % LAG]);
      if (e >= 2 * mr) continue;
      if (e % 2 == 0) LOW(t[e % LAG], *w, x[e / 2]);
      if (e % 2 == 1) HIGH(t[e % LAG], *w, x[e / 2]);
      if (e == 2 * mr - 1) LOAD(*w, p->b, p->at[(j + 1) % 4]);
      if (e % 2 == 1 && j == 3) LOAD_FOUR(x[e / 2], p->q[e / 2]);
    }
    if (j == 2) MOVE(p->b, 64);
  }
  WHET_UNROLL for (int i = 0; i < mr; i++) MOVE(p->q[i], forth);
}

/* Eight of k of weights that are tame, x the first four and y the others: two products together are below 2^15, so
 * that one addition does for both. The rows move `forth`, those of y `too`. */
WHET_INLINE void eight(const int mr, int32x4_t acc[AT_ONCE][4][2], int8x16_t x[AT_ONCE], int8x16_t y[AT_ONCE],
                       int8x16_t *w, place *p, int64_t forth, int64_t too) {
  enum { SECOND = 3, ADDED = 6 }; /* products later */
  const int each = 2 * mr, all = 4 * each;
  int8x16_t low[5] = {*w}, high[4];
  int16x8_t t[ADDED + 1];
  WHET_UNROLL for (int e = 0; e < all + ADDED; e++) {
    const int j = e / each, i = e % each / 2, b = e - SECOND, bj = b / each, bi = b % each / 2, a = e - ADDED;
    if (e < all) {
      if (e % 2 == 0) LOW(t[e % (ADDED + 1)], low[j], x[i]);
      if (e % 2 == 1) HIGH(t[e % (ADDED + 1)], low[j], x[i]);
      if (e == all - each - 1) MOVE(p->b, 128);
      if (e % each == 2 % each) LOAD(low[j + 1], p->b, p->at[(j + 1) % 4]);
      if (j == 3 && e % 2 == 1) LOAD_FOUR(x[i], p->q[i]);
      if (j == 3 && e % 2 == 1) MOVE(p->q[i], forth);
      if (e % each == 0) LOAD(high[j], p->c, p->at[j]);
      if (e == all - each + 1) MOVE(p->c, 128);
    }
    if (b >= 0 && b < all) {
      if (b % 2 == 0) LOW_TOO(t[b % (ADDED + 1)], high[bj], y[bi]);
      if (b % 2 == 1) HIGH_TOO(t[b % (ADDED + 1)], high[bj], y[bi]);
      if (bj == 3 && b % 2 == 1) LOAD_FOUR(y[bi], p->r[bi]);
      if (bj == 3 && b % 2 == 1) MOVE(p->r[bi], too);
    }
    if (a >= 0) ADD(acc[a % each / 2][a / each][a % 2], t[a % (ADDED + 1)]);
  }
  *w = low[4];
}

/* mr rows of sums, mr and tame constant where it is called. */
WHET_INLINE void rows(const int mr, const bool tame, tile_from a, const tile_geo *g, const int8_t *b,
                      const int32_t *bias, int32_t *out) {
  int32x4_t acc[AT_ONCE][4][2];
  int8x16_t w, x[AT_ONCE], y[AT_ONCE];
  place p = {.b = b};
  WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < 4; j++) acc[i][j][0] = acc[i][j][1] =
      vdupq_n_s32(0);
  WHET_UNROLL for (int j = 0; j < 4; j++) {
    p.at[j] = 16 * j;
    __asm__("" : "+r"(p.at[j])); /* a register */
  }
  LOAD(w, b, p.at[0]);
  for (int64_t s = 0; s < g->n_seg; s++) {
    int64_t k = g->k4;
    p.c = p.b + 64;
    /* At the end what is there is loaded again. */
    WHET_UNROLL for (int i = 0; i < mr; i++) {
      p.q[i] = a[i] + g->seg[s];
      LOAD_FOUR(x[i], p.q[i]);
      if (tame) {
        p.r[i] = p.q[i] + (k > 1 ? 4 : 0);
        LOAD_FOUR(y[i], p.r[i]);
        p.q[i] += k > 2 ? 8 : 0, p.r[i] += k > 3 ? 8 : 0;
      } else {
        p.q[i] += k > 1 ? 4 : 0;
      }
    }
    for (; tame && k > 5; k -= 2) eight(mr, acc, x, y, &w, &p, 8, 8);
    for (; tame && k > 1; k -= 2) eight(mr, acc, x, y, &w, &p, k > 4 ? 8 : 0, 0);
    for (; !tame && k > 2; k--) four(mr, acc, x, &w, &p, 4);
    for (; k > 0; k--) four(mr, acc, x, &w, &p, 0);
  }
  WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < 4; j++)
      vst1q_s32(out + 16 * i + 4 * j, vaddq_s32(vld1q_s32(bias + 4 * j), vpaddq_s32(acc[i][j][0], acc[i][j][1])));
}

#endif
