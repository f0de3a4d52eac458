/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on dotprod: tiles of six rows by sixteen outputs, sums in 24 of the 32 registers. An SDOT takes four
 * activations of a row by element and multiplies them with those of four outputs. Whole tiles are written out in
 * dots.h. */

#ifndef __clang__ /* gcc would bring the loads of the whole loop forward, for which there are no registers */
#pragma GCC optimize("no-schedule-insns")
#endif

#include "kern/arm/dots.h"
#include "kern/arm/out_q8_neon.h"

#define TILE_ELEM int8_t
#define TILE_SIGNED 1
#define TILE_NV 1
#define TILE_APART
#define TILE_ROWS 6
#define TILE_READY whet_out_ready_neon
#define TILE_MAKE
#define TILE_BYTES
static const int8_t tile_mr[TILE_NV + 1] = {0, TILE_ROWS};
#include "kern/tile_q8.h"

#define STEP(LANE)                                                       \
  WHET_UNROLL for (int j = 0; j < 4; j++) {                              \
    const int8x16_t w = vld1q_s8(b + 16 * j);                            \
    WHET_UNROLL for (int i = 0; i < mr; i++) acc[i][j] =                 \
        vdotq_laneq_s32(acc[i][j], w, vreinterpretq_s8_s32(x[i]), LANE); \
  }                                                                      \
  b += 64;

/* mr rows of sums, mr constant where it is called. */
WHET_INLINE void rows(const int mr, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                      int32_t *out) {
  int32x4_t acc[TILE_ROWS][4];
  WHET_UNROLL for (int i = 0; i < mr; i++) WHET_UNROLL for (int j = 0; j < 4; j++) acc[i][j] =
      vld1q_s32(bias + 4 * j);
  for (int64_t s = 0; s < g->n_seg; s++) {
    const int8_t *q[TILE_ROWS];
    int64_t k = g->k4;
    WHET_UNROLL for (int i = 0; i < mr; i++) q[i] = a[i] + g->seg[s];
    for (; k >= 4; k -= 4) {
      int32x4_t x[TILE_ROWS];
      WHET_UNROLL for (int i = 0; i < mr; i++) memcpy(&x[i], q[i], 16), q[i] += 16;
      STEP(0)
      STEP(1)
      STEP(2)
      STEP(3)
    }
    for (; k > 0; k--) {
      int32x4_t x[TILE_ROWS];
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

#define TILE(mr)                                                                                              \
  static void tile_##mr(tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out) { \
    rows(mr, a, g, b, bias, out);                                                                             \
  }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)

typedef void (*tile_fn)(tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out);
static const tile_fn tiles[] = {0, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6};

static void tile(int mr, int nv, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *acc) {
  (void)nv;
  const dots_tile t = {a, g->seg, g->n_seg, 4 * g->k4, b, bias};
  if (mr == TILE_ROWS && g->k4 >= 4)
    dots_6x4(&t, acc);
  else
    tiles[mr](a, g, b, bias, acc);
}

static bool tile_bytes_for(const tile_work *w, const tile_geo *g) {
  return w->ready->near && w->cols == 16 && !w->p->w_zeros && g->k4 >= 4;
}

static void tile_bytes(const tile_work *w, tile_from a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                       uint8_t *out) {
  const dots_tile t = {a, g->seg, g->n_seg, 4 * g->k4, b, bias};
  const whet_out_q8 *o = &w->p->out;
  const int64_t pitch = w->p->out_pitch;
  /* Not by a table of functions: each would save registers for a tile. */
  if (o->tight && o->dtype == WHET_U8)
    dots_6x4_u8_tight(&t, w->f.real32, o->zero, out, pitch);
  else if (o->tight)
    dots_6x4_s8_tight(&t, w->f.real32, o->zero, out, pitch);
  else if (o->dtype == WHET_U8)
    dots_6x4_u8(&t, w->f.real32, o->zero, out, pitch);
  else
    dots_6x4_s8(&t, w->f.real32, o->zero, out, pitch);
}

const whet_kern whet_k_conv_q8__dotprod_panel = {.name = "conv_q8__dotprod_panel",
                                                 .isa = WHET_ISA_NEON | WHET_ISA_DOTPROD,
                                                 .form = WHET_CONV_Q8_SIGNED,
                                                 .exact = 1,
                                                 .tight = 1,
                                                 .scratch = tile_scratch,
                                                 .run = tile_run};
