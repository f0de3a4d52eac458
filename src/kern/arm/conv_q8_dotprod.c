/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on dotprod: tiles of six rows by sixteen outputs, sums in 24 of the 32 registers. An SDOT takes four
 * activations of a row by element and multiplies them with those of four outputs. Whole tiles have their loop in loops.h. */

#ifndef __clang__ /* gcc would bring the loads of the whole loop forward, for which there are no registers */
#pragma GCC optimize("no-schedule-insns")
#endif

#include "kern/arm/loops.h"
#include "kern/arm/out_q8_neon.h"

#define TILE_ELEM int8_t
#define TILE_SIGNED 1
#define TILE_NV 1
static const int8_t tile_mr[TILE_NV + 1] = {0, 6};
#include "kern/tile_q8.h"

enum { MR = 6 };
#define STEP(LANE)                                                       \
  WHET_UNROLL for (int j = 0; j < 4; j++) {                              \
    const int8x16_t w = vld1q_s8(b + 16 * j);                            \
    WHET_UNROLL for (int i = 0; i < mr; i++) acc[i][j] =                 \
        vdotq_laneq_s32(acc[i][j], w, vreinterpretq_s8_s32(x[i]), LANE); \
  }                                                                      \
  b += 64;

/* mr rows of sums, mr constant where it is called. */
WHET_INLINE void rows(const int mr, const int8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                      int32_t *out) {
  int32x4_t acc[MR][4];
  WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < 4; j++) acc[i][j] = vld1q_s32(bias + 4 * j);
  for (int64_t s = 0; s < g->n_seg; s++) {
    const int8_t *q[MR];
    int64_t k = g->k4;
    WHET_UNROLL for (int i = 0; i < mr; i++) q[i] = a + g->seg[s] + i * g->lda;
    if (k >= 4 && mr == MR) {
      const int64_t bytes = 4 * (k & ~INT64_C(3)), at = 16 - bytes;
      WHET_UNROLL for (int i = 0; i < mr; i++) q[i] += bytes - 16;
      LOOP_6X4(LOOP_SDOT, 64, acc, q, b, at);
      WHET_UNROLL for (int i = 0; i < mr; i++) q[i] += 16;
      b += 16 * bytes, k &= 3;
    }
    for (; k >= 4; k -= 4) {
      int32x4_t x[MR];
      WHET_UNROLL for (int i = 0; i < mr; i++) memcpy(&x[i], q[i], 16), q[i] += 16;
      STEP(0)
      STEP(1)
      STEP(2)
      STEP(3)
    }
    for (; k > 0; k--) {
      int32x4_t x[MR];
      WHET_UNROLL for (int i = 0; i < mr; i++) {
        int32_t four;
        memcpy(&four, q[i], 4), q[i] += 4;
        x[i] = vdupq_n_s32(four);
      }
      STEP(0)
    }
  }
  WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < 4; j++)
      vst1q_s32(out + 16 * i + 4 * j, acc[i][j]);
}

#define TILE(mr)                                                                                          \
  static void tile_##mr(const int8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out) { \
    rows(mr, a, g, b, bias, out);                                                                         \
  }
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)

typedef void (*tile_fn)(const int8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out);
static const tile_fn tiles[] = {0, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6};

static void tile(int mr, int nv, const int8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc) {
  (void)nv;
  tiles[mr](a, g, b, bias, acc);
}

const whet_kern whet_k_conv_q8__dotprod_panel = {.name = "conv_q8__dotprod_panel",
                                              .isa = WHET_ISA_NEON | WHET_ISA_DOTPROD,
                                              .form = WHET_CONV_Q8_SIGNED,
                                              .exact = 1,
                                              .scratch = tile_scratch,
                                              .run = tile_run};
