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
static const int8_t tile_mr[TILE_NV + 1] = {0, TILE_ROWS};
#include "kern/tile_q8.h"

enum { PAIRS = 3 };

/* Eight of k for `pairs` pairs of rows. */
#define STEP(x)                                                                               \
  WHET_UNROLL for (int j = 0; j < 8; j++) {                                                   \
    const int8x16_t w = vld1q_s8(b + 16 * j);                                                 \
    WHET_UNROLL for (int i = 0; i < pairs; i++) acc[i][j] = vmmlaq_s32(acc[i][j], (x)[i], w); \
  }                                                                                           \
  b += 128;

/* 2 * pairs rows of sums, of which the last two may be the same. pairs is constant where it is called. */
WHET_INLINE void rows(const int pairs, int mr, tile_from a, const tile_geo *g, const int8_t *b,
                      const int32_t *bias, int32_t *out) {
  int32x4_t acc[PAIRS][8];
  const bool odd = mr % 2;
  WHET_UNROLL for (int j = 0; j < 8; j++) {
    const int32x2_t two = vld1_s32(bias + 2 * j);
    WHET_UNROLL for (int i = 0; i < pairs; i++) acc[i][j] = vcombine_s32(two, two);
  }
  for (int64_t s = 0; s < g->n_seg; s++) {
    const int8_t *q[2 * PAIRS];
    int64_t k = g->k4;
    WHET_UNROLL for (int i = 0; i < pairs; i++) {
      q[2 * i] = a[2 * i] + g->seg[s];
      q[2 * i + 1] = i == pairs - 1 && odd ? q[2 * i] : a[2 * i + 1] + g->seg[s];
    }
    for (; k >= 4; k -= 4) {
      int8x16_t x[PAIRS], y[PAIRS];
      WHET_UNROLL for (int i = 0; i < pairs; i++) {
        const int64x2_t u = vreinterpretq_s64_s8(vld1q_s8(q[2 * i])),
                        v = vreinterpretq_s64_s8(vld1q_s8(q[2 * i + 1]));
        x[i] = vreinterpretq_s8_s64(vzip1q_s64(u, v)), y[i] = vreinterpretq_s8_s64(vzip2q_s64(u, v));
        q[2 * i] += 16, q[2 * i + 1] += 16;
      }
      STEP(x)
      STEP(y)
    }
    if (k > 0) {
      int8x16_t x[PAIRS];
      WHET_UNROLL for (int i = 0; i < pairs; i++) x[i] = vcombine_s8(vld1_s8(q[2 * i]), vld1_s8(q[2 * i + 1]));
      STEP(x)
    }
  }
  WHET_UNROLL for (int i = 0; i < pairs; i++) WHET_UNROLL for (int j = 0; j < 4; j++) {
    const int64x2_t u = vreinterpretq_s64_s32(acc[i][2 * j]), v = vreinterpretq_s64_s32(acc[i][2 * j + 1]);
    vst1q_s32(out + 32 * i + 4 * j, vreinterpretq_s32_s64(vzip1q_s64(u, v)));
    if (i < pairs - 1 || !odd) vst1q_s32(out + 32 * i + 16 + 4 * j, vreinterpretq_s32_s64(vzip2q_s64(u, v)));
  }
}

#define TILE(pairs)                                                                                           \
  static void pairs_##pairs(int mr, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias, \
                            int32_t *out) {                                                                   \
    rows(pairs, mr, a, g, b, bias, out);                                                                      \
  }
TILE(1)
TILE(2) TILE(3)

    typedef void (*tile_fn)(int mr, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                            int32_t *out);
static const tile_fn tiles[] = {0, pairs_1, pairs_2, pairs_3};

static void tile(int mr, int nv, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc) {
  (void)nv;
  tiles[(mr + 1) / 2](mr, a, g, b, bias, acc);
}

const whet_kern whet_k_conv_q8__i8mm_panel = {.name = "conv_q8__i8mm_panel",
                                              .isa = WHET_ISA_NEON | WHET_ISA_I8MM,
                                              .form = WHET_CONV_Q8_EIGHTS,
                                              .exact = 1,
                                              .scratch = tile_scratch,
                                              .run = tile_run};
