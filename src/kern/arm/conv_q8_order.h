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
#define ADD(acc, t) __asm__ volatile("sadalp %0.4s, %1.8h" : "+w"(acc) : "w"(t))

/* Where a tile stands: weights at b and `at`, rows at q. */
typedef struct place {
  const int8_t *b, *q[TILE_ROWS];
  int64_t at[4];
} place;

/* Four of k, x, of mr rows, while the next four are loaded, from where the rows then move `forth`. w: the first
 * register of weights. */
WHET_INLINE void four(const int mr, int32x4_t acc[TILE_ROWS][4][2], int8x16_t x[TILE_ROWS], int8x16_t *w, place *p,
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

/* mr rows of sums, mr constant where it is called. */
WHET_INLINE void rows(const int mr, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                      int32_t *out) {
  int32x4_t acc[TILE_ROWS][4][2];
  int8x16_t w, x[TILE_ROWS];
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
    WHET_UNROLL for (int i = 0; i < mr; i++) {
      p.q[i] = a[i] + g->seg[s];
      LOAD_FOUR(x[i], p.q[i]);
      p.q[i] += k > 1 ? 4 : 0; /* at the end what is there is loaded again */
    }
    for (; k > 2; k--) four(mr, acc, x, &w, &p, 4);
    if (k > 1) four(mr, acc, x, &w, &p, 0);
    four(mr, acc, x, &w, &p, 0);
  }
  WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < 4; j++)
      vst1q_s32(out + 16 * i + 4 * j, vaddq_s32(vld1q_s32(bias + 4 * j), vpaddq_s32(acc[i][j][0], acc[i][j][1])));
}

#endif
