/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on NEON: tiles of three rows by sixteen outputs. SMULL makes sixteen-bit products of four
 * activations and two outputs, at most 2^14 each; SADALP adds neighbours to 32-bit sums, two for each output, joined
 * at the end. The two run in different pipes of most cores. Where no weight of a panel is -128, SMLAL adds a second
 * product to the first before that, for which tiles have two rows. */

#ifndef __clang__ /* gcc would bring the loads of the whole loop forward, for which there are no registers */
#pragma GCC optimize("no-schedule-insns")
#endif

#include "kern/arm/out_q8_neon.h"

#define TILE_ELEM int8_t
#define TILE_SIGNED 1
#define TILE_NV 1
#define TILE_APART
#ifdef __aarch64__
#define TILE_ROWS 6
#define TILE_TAME 2
#else
#define TILE_ROWS 3
#endif
enum { AT_ONCE = 3 }; /* rows of sums in registers */
#define TILE_READY whet_out_ready_neon
#define TILE_MAKE
static const int8_t tile_mr[TILE_NV + 1] = {0, TILE_ROWS};
#include "kern/tile_q8.h"

#ifdef __aarch64__
#include "kern/arm/conv_q8_order.h"
#else
#define STEP(LANE)                                                                        \
  WHET_UNROLL for (int j = 0; j < 4; j++) {                                               \
    const int8x16_t w = vld1q_s8(b + 16 * j);                                             \
    WHET_UNROLL for (int i = 0; i < mr; i++) {                                            \
      const int8x16_t u = vreinterpretq_s8_s32(vdupq_laneq_s32(x[i], LANE));              \
      acc[i][j][0] = vpadalq_s16(acc[i][j][0], vmull_s8(vget_low_s8(w), vget_low_s8(u))); \
      acc[i][j][1] = vpadalq_s16(acc[i][j][1], vmull_high_s8(w, u));                      \
    }                                                                                     \
  }                                                                                       \
  b += 64;

/* mr rows of sums, mr constant where it is called. */
WHET_INLINE void rows(const int mr, const bool tame, tile_from a, const tile_geo *g, const int8_t *b,
                      const int32_t *bias, int32_t *out) {
  int32x4_t acc[AT_ONCE][4][2];
  WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < 4; j++) acc[i][j][0] = acc[i][j][1] =
      vdupq_n_s32(0);
  for (int64_t s = 0; s < g->n_seg; s++) {
    const int8_t *q[AT_ONCE];
    int64_t k = g->k4;
    WHET_UNROLL for (int i = 0; i < mr; i++) q[i] = a[i] + g->seg[s];
    for (; k >= 4; k -= 4) {
      int32x4_t x[AT_ONCE];
      WHET_UNROLL for (int i = 0; i < mr; i++) memcpy(&x[i], q[i], 16), q[i] += 16;
      STEP(0)
      STEP(1)
      STEP(2)
      STEP(3)
    }
    for (; k > 0; k--) {
      int32x4_t x[AT_ONCE];
      WHET_UNROLL for (int i = 0; i < mr; i++) {
        int32_t four;
        memcpy(&four, q[i], 4), q[i] += 4;
        x[i] = vdupq_n_s32(four);
      }
      STEP(0)
    }
  }
  WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < 4; j++)
      vst1q_s32(out + 16 * i + 4 * j, vaddq_s32(vld1q_s32(bias + 4 * j), vpaddq_s32(acc[i][j][0], acc[i][j][1])));
}
#endif

typedef void (*tile_fn)(tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out);
#define TILE(mr, tame)                                                                                              \
  static void tile_##mr##tame(tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out) { \
    rows(mr, tame, a, g, b, bias, out);                                                                             \
  }
TILE(1, 0)
TILE(2, 0)
TILE(3, 0)
#ifdef __aarch64__
TILE(1, 1)
TILE(2, 1)
enum { TAME = 2 }; /* rows of sums that leave registers for products of tame weights */
static const tile_fn tame[] = {0, tile_11, tile_21};
#else
enum { TAME = AT_ONCE };
static const tile_fn tame[] = {0, tile_10, tile_20, tile_30};
#endif
static const tile_fn wild[] = {0, tile_10, tile_20, tile_30};

static void tile(int mr, int nv, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *acc) {
  const int most = g->tame ? TAME : AT_ONCE;
  (void)nv;
  for (int i = 0; i < mr; i += most) {
    const int n = mr - i < most ? mr - i : most;
    (g->tame ? tame : wild)[n](a + i, g, b, bias, acc + 16 * i);
  }
}

const whet_kern whet_k_conv_q8__neon_panel = {.name = "conv_q8__neon_panel",
                                              .isa = WHET_ISA_NEON,
                                              .form = WHET_CONV_Q8_SIGNED,
                                              .exact = 1,
                                              .scratch = tile_scratch,
                                              .run = tile_run};
