/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on i8mm: tiles of six rows by sixteen outputs, sums in 24 of the 32 registers. An SMMLA multiplies
 * eight activations of each of two rows with those of two outputs: a register of sums is two rows by two outputs. */

#ifndef __clang__ /* gcc would bring the loads of the whole loop forward, for which there are no registers */
#pragma GCC optimize("no-schedule-insns")
#endif

#include "kern/arm/out_q8_neon.h"

#define TILE_ELEM int8_t
#define TILE_SIGNED 1
#define TILE_FORM WHET_CONV_Q8_EIGHTS
#define TILE_GROUP 8
#define TILE_NV 1
#define TILE_APART
#define TILE_ROWS 6
#define TILE_READY whet_out_ready_neon
#define TILE_MAKE
static const int8_t tile_mr[TILE_NV + 1] = {0, TILE_ROWS};
#include "kern/tile_q8.h"

enum { PAIRS = 3, AHEAD = 2 /* registers of weights */ };

/* The instructions of a step of eight of k are asm each, as compilers keep those in order: cores that issue in order
 * want loads between products, and all 32 registers are needed. By the model of the Cortex-A55 a load with an offset
 * in a register takes as long as a product, so that the two go together, others and additions come a cycle later. */
#define LOAD(x, p, at) \
  __asm__ volatile("ldr %q0, [%1, %2]" : "=w"(x) : "r"(p), "r"(at), "m"(*(const int8_t(*)[1 << 20])(p)))
/* The halves of a register: a pair of rows. */
#define LOAD_LOW(x, p, at) \
  __asm__ volatile("ldr %d0, [%1, %2]" : "=w"(x) : "r"(p), "r"(at), "m"(*(const int8_t(*)[1 << 20])(p)))
#define LOAD_HIGH(x, p) __asm__ volatile("ld1 {%0.d}[1], %1" : "+w"(x) : "Q"(*(const int8x8_t *)(const void *)(p)))
#define MOVE(p, by) __asm__ volatile("add %0, %0, %1" : "+r"(p) : "rI"((int64_t)(by)))
#define DOTS(acc, x, w) __asm__ volatile("smmla %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(x), "w"(w))

/* Where a tile stands: weights at b and `at`; the next bytes of rows 2 i at even[i] + k, of rows 2 i + 1 at odd[i].
 */
typedef struct place {
  const int8_t *b, *even[PAIRS], *odd[PAIRS];
  int64_t at[8], k;
} place;

/* Eight of k for `pairs` pairs of rows, x, while `next` is loaded, from where the place then moves `forth`. w: the
 * first AHEAD registers of weights. */
WHET_INLINE void eight(int32x4_t acc[PAIRS][8], const int8x16_t x[PAIRS], int8x16_t next[PAIRS], int8x16_t w[AHEAD],
                       place *p, int64_t forth, const int pairs) {
  WHET_UNROLL for (int j = 0; j < 8; j++) {
    WHET_UNROLL for (int i = 0; i < pairs; i++) {
      DOTS(acc[i][j], x[i], w[j % AHEAD]);
      if (i == pairs - 1) LOAD(w[j % AHEAD], p->b, p->at[(j + AHEAD) % 8]);
      if (i == 0 && j < pairs) LOAD_LOW(next[j], p->even[j], p->k);
      if (i == pairs / 2 && j >= 3 && j < 3 + pairs) LOAD_HIGH(next[j - 3], p->odd[j - 3]);
    }
    if (j == 7 - AHEAD) p->b += 128;
  }
  WHET_UNROLL for (int i = 0; i < pairs; i++) MOVE(p->odd[i], forth);
  MOVE(p->k, forth);
}

/* 2 * pairs rows of sums, of which the last two may be the same. pairs is constant where it is called. */
WHET_INLINE void rows(const int pairs, int mr, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                      int32_t *out) {
  int32x4_t acc[PAIRS][8];
  const bool odd = mr % 2;
  WHET_UNROLL for (int j = 0; j < 8; j++) {
    const int32x2_t two = vld1_s32(bias + 2 * j);
    WHET_UNROLL for (int i = 0; i < pairs; i++) acc[i][j] = vcombine_s32(two, two);
  }
  int8x16_t w[AHEAD];
  place p = {.b = b};
  WHET_UNROLL for (int j = 0; j < 8; j++) {
    p.at[j] = 16 * j;
    __asm__("" : "+r"(p.at[j])); /* a register */
  }
  WHET_UNROLL for (int j = 0; j < AHEAD; j++) LOAD(w[j], b, p.at[j]);
  for (int64_t s = 0; s < g->n_seg; s++) {
    int8x16_t x[PAIRS], next[PAIRS];
    p.k = 0;
    WHET_UNROLL for (int i = 0; i < pairs; i++) {
      p.even[i] = a[2 * i] + g->seg[s];
      p.odd[i] = i == pairs - 1 && odd ? p.even[i] : a[2 * i + 1] + g->seg[s];
      LOAD_LOW(x[i], p.even[i], p.k);
      LOAD_HIGH(x[i], p.odd[i]);
      p.odd[i] += g->k4 > 2 ? 8 : 0; /* at the end what is there is loaded again */
    }
    p.k += g->k4 > 2 ? 8 : 0;
    int64_t k = g->k4;
    for (; k > 4; k -= 4) {
      eight(acc, x, next, w, &p, 8, pairs);
      eight(acc, next, x, w, &p, 8, pairs);
    }
    eight(acc, x, next, w, &p, k > 2 ? 8 : 0, pairs);
    if (k > 2) eight(acc, next, x, w, &p, 0, pairs);
  }
  WHET_UNROLL for (int i = 0; i < pairs; i++) WHET_UNROLL for (int j = 0; j < 4; j++) {
    const int64x2_t u = vreinterpretq_s64_s32(acc[i][2 * j]), v = vreinterpretq_s64_s32(acc[i][2 * j + 1]);
    vst1q_s32(out + 32 * i + 4 * j, vreinterpretq_s32_s64(vzip1q_s64(u, v)));
    if (i < pairs - 1 || !odd) vst1q_s32(out + 32 * i + 16 + 4 * j, vreinterpretq_s32_s64(vzip2q_s64(u, v)));
  }
}

#define TILE(pairs)                                                                                       \
  static void pairs_##pairs(int mr, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias, \
                            int32_t *out) {                                                               \
    rows(pairs, mr, a, g, b, bias, out);                                                                  \
  }
TILE(1)
TILE(2)
TILE(3)

typedef void (*tile_fn)(int mr, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out);
static const tile_fn tiles[] = {0, pairs_1, pairs_2, pairs_3};

static void tile(int mr, int nv, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *acc) {
  (void)nv;
  tiles[(mr + 1) / 2](mr, a, g, b, bias, acc);
}

const whet_kern whet_k_conv_q8__i8mm_panel = {.name = "conv_q8__i8mm_panel",
                                              .isa = WHET_ISA_NEON | WHET_ISA_I8MM,
                                              .form = WHET_CONV_Q8_EIGHTS,
                                              .exact = 1,
                                              .scratch = tile_scratch,
                                              .run = tile_run};
