/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on AVX-512 VNNI: tiles of 7x64, 9x48, 14x32 and 14x16 sums in registers. vpdpbusd is written as
 * assembly: gcc 12 copies and spills the accumulators of its intrinsic. */

#include "kern/x86/out_q8_avx512.h"

#define TILE_ELEM uint8_t
#define TILE_NV 4
static const int8_t tile_mr[TILE_NV + 1] = {0, 14, 14, 9, 7};
struct tile_geo;
static void tile(int mr, int nv, const uint8_t *a, const struct tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc);
#include "kern/tile_q8.h"

#define UNROLL _Pragma("GCC unroll 32")
#define DOT(acc, u, w) __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "v"(w))
#define DOT_MEM(acc, u, p) __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "m"(*(const __m512i *)(p)))

/* Four activations in every lane. */
static inline __attribute__((always_inline)) __m512i four(const uint8_t *p) {
  int32_t x;
  memcpy(&x, p, 4);
  return _mm512_set1_epi32(x);
}

/* Rows in threes: each base pointer serves the rows at 0, 1 and 2 times lda. With four blocks the fourth is a memory
 * operand, as 28 sums, three blocks and one activation fill the registers. */
#define TILE(MR, NV)                                                                                           \
  static __attribute__((noinline)) void tile_##MR##_##NV(const uint8_t *a, const tile_geo *g, const int8_t *b, \
                                                         const int32_t *bias, int32_t *out) {                  \
    const int64_t lda = g->lda, block = g->block;                                                              \
    __m512i acc[MR][NV];                                                                                       \
    UNROLL for (int i = 0; i < MR; i++) UNROLL for (int j = 0; j < NV; j++) acc[i][j] =                        \
        _mm512_loadu_si512(bias + 16 * j);                                                                     \
    for (int64_t s = 0; s < g->n_seg; s++) {                                                                   \
      const uint8_t *q[(MR + 2) / 3];                                                                          \
      UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] = a + g->seg[s] + 3 * i * lda;                        \
      for (int64_t k = 0; k < g->k4; k++, b += 64) {                                                           \
        __m512i w[3];                                                                                          \
        UNROLL for (int j = 0; j < (NV < 3 ? NV : 3); j++) w[j] = _mm512_loadu_si512(b + j * block);           \
        UNROLL for (int i = 0; i < MR; i++) {                                                                  \
          __m512i u = four(q[i / 3] + i % 3 * lda);                                                            \
          UNROLL for (int j = 0; j < (NV < 3 ? NV : 3); j++) DOT(acc[i][j], u, w[j]);                          \
          if (NV == 4) DOT_MEM(acc[i][NV - 1], u, b + 3 * block);                                              \
        }                                                                                                      \
        UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] += 4;                                               \
      }                                                                                                        \
    }                                                                                                          \
    UNROLL for (int i = 0; i < MR; i++) UNROLL for (int j = 0; j < NV; j++)                                    \
        _mm512_store_si512(out + (i * NV + j) * 16, acc[i][j]);                                                \
  }

/* One row: two sets of sums, so that the latency of one is hidden by the other. */
#define TILE_ONE(NV)                                                                                             \
  static __attribute__((noinline)) void tile_1_##NV(const uint8_t *a, const tile_geo *g, const int8_t *b,        \
                                                    const int32_t *bias, int32_t *out) {                         \
    const int64_t block = g->block;                                                                              \
    __m512i x[NV], y[NV];                                                                                        \
    UNROLL for (int j = 0; j < NV; j++) x[j] = _mm512_loadu_si512(bias + 16 * j), y[j] = _mm512_setzero_si512(); \
    for (int64_t s = 0; s < g->n_seg; s++) {                                                                     \
      const uint8_t *q = a + g->seg[s];                                                                          \
      int64_t k = 0;                                                                                             \
      for (; k + 2 <= g->k4; k += 2, q += 8, b += 128) {                                                         \
        __m512i u = four(q), v = four(q + 4);                                                                    \
        UNROLL for (int j = 0; j < NV; j++) {                                                                    \
          DOT_MEM(x[j], u, b + j * block);                                                                       \
          DOT_MEM(y[j], v, b + j * block + 64);                                                                  \
        }                                                                                                        \
      }                                                                                                          \
      if (k < g->k4) {                                                                                           \
        __m512i u = four(q);                                                                                     \
        UNROLL for (int j = 0; j < NV; j++) DOT_MEM(x[j], u, b + j * block);                                     \
        b += 64;                                                                                                 \
      }                                                                                                          \
    }                                                                                                            \
    UNROLL for (int j = 0; j < NV; j++) _mm512_store_si512(out + 16 * j, _mm512_add_epi32(x[j], y[j]));          \
  }

#define TILES_7(NV) TILE_ONE(NV) TILE(2, NV) TILE(3, NV) TILE(4, NV) TILE(5, NV) TILE(6, NV) TILE(7, NV)
TILES_7(1)
TILES_7(2)
TILES_7(3)
TILES_7(4)
TILE(8, 1)
TILE(9, 1)
TILE(10, 1)
TILE(11, 1)
TILE(12, 1)
TILE(13, 1)
TILE(14, 1)
TILE(8, 2)
TILE(9, 2)
TILE(10, 2)
TILE(11, 2)
TILE(12, 2)
TILE(13, 2)
TILE(14, 2)
TILE(8, 3)
TILE(9, 3)

typedef void (*tile_fn)(const uint8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out);
#define ROW_7(NV) tile_1_##NV, tile_2_##NV, tile_3_##NV, tile_4_##NV, tile_5_##NV, tile_6_##NV, tile_7_##NV
static const tile_fn tiles[TILE_NV + 1][15] = {
    {0},
    {0, ROW_7(1), tile_8_1, tile_9_1, tile_10_1, tile_11_1, tile_12_1, tile_13_1, tile_14_1},
    {0, ROW_7(2), tile_8_2, tile_9_2, tile_10_2, tile_11_2, tile_12_2, tile_13_2, tile_14_2},
    {0, ROW_7(3), tile_8_3, tile_9_3},
    {0, ROW_7(4)},
};

static void tile(int mr, int nv, const uint8_t *a, const struct tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc) {
  tiles[nv][mr](a, g, b, bias, acc);
}

const whet_kern whet_k_conv_q8__vnni_panel = {.name = "conv_q8__vnni_panel",
                                              .isa = WHET_ISA_VNNI | WHET_ISA_AVX512,
                                              .form = WHET_CONV_Q8_PANELS,
                                              .exact = 1,
                                              .scratch = tile_scratch,
                                              .run = tile_run};
