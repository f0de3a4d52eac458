/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on AVX-512 VNNI: tiles of 7x64, 9x48, 14x32 and 14x16 sums in registers, of bytes (vpdpbusd) and of words
 * for Winograd's products (vpdpwssd). Both are written as assembly: gcc 12 copies and spills the accumulators of their
 * intrinsics. */

#include "kern/x86/out_q8_avx512.h"

#define TILE_ELEM uint8_t
#define TILE_NV 4
static const int8_t tile_mr[TILE_NV + 1] = {0, 14, 14, 9, 7};
struct tile_geo;
static void tile(int mr, int nv, const uint8_t *a, const struct tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc);
#include "kern/tile_q8.h"

#define UNROLL _Pragma("GCC unroll 32")
#define DOT(how, acc, u, w) __asm__(how " %2, %1, %0" : "+v"(acc) : "v"(u), "v"(w))
#define DOT_MEM(how, acc, u, p) __asm__(how " %2, %1, %0" : "+v"(acc) : "v"(u), "m"(*(const __m512i *)(p)))
#define DOT_bytes "vpdpbusd"
#define DOT_words "vpdpwssd"
#define AHEAD_bytes(b) (void)0
#define AHEAD_words(b) _mm_prefetch((b) + g->ahead[0], _MM_HINT_T1), _mm_prefetch((b) + g->ahead[1], _MM_HINT_T1)

/* Four activations, or two words, in every lane. */
static inline __attribute__((always_inline)) __m512i four(const uint8_t *p) {
  int32_t x;
  memcpy(&x, p, 4);
  return _mm512_set1_epi32(x);
}

/* Rows in threes: each base pointer serves the rows at 0, 1 and 2 times lda. With four blocks the fourth is a memory
 * operand, as 28 sums, three blocks and one activation fill the registers. */
#define TILE(T, MR, NV)                                                                                           \
  static __attribute__((noinline)) void T##_##MR##_##NV(const uint8_t *a, const tile_geo *g, const int8_t *b, \
                                                         const int32_t *bias, int32_t *out) {                  \
    const int64_t lda = g->lda, block = g->block;                                                              \
    __m512i acc[MR][NV];                                                                                       \
    UNROLL for (int i = 0; i < MR; i++) UNROLL for (int j = 0; j < NV; j++) acc[i][j] =                        \
        _mm512_loadu_si512(bias + 16 * j);                                                                     \
    for (int64_t s = 0; s < g->n_seg; s++) {                                                                   \
      const uint8_t *q[(MR + 2) / 3];                                                                          \
      UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] = a + g->seg[s] + 3 * i * lda;                        \
      for (int64_t k = 0; k < g->k4; k++, b += 64) {                                                           \
        AHEAD_##T(b);                                                                                          \
        __m512i w[3];                                                                                          \
        UNROLL for (int j = 0; j < (NV < 3 ? NV : 3); j++) w[j] = _mm512_loadu_si512(b + j * block);           \
        UNROLL for (int i = 0; i < MR; i++) {                                                                  \
          __m512i u = four(q[i / 3] + i % 3 * lda);                                                            \
          UNROLL for (int j = 0; j < (NV < 3 ? NV : 3); j++) DOT(DOT_##T, acc[i][j], u, w[j]);                          \
          if (NV == 4) DOT_MEM(DOT_##T, acc[i][NV - 1], u, b + 3 * block);                                              \
        }                                                                                                      \
        UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] += 4;                                               \
      }                                                                                                        \
    }                                                                                                          \
    UNROLL for (int i = 0; i < MR; i++) UNROLL for (int j = 0; j < NV; j++)                                    \
        _mm512_store_si512(out + (i * NV + j) * 16, acc[i][j]);                                                \
  }

/* One row: two sets of sums, so that the latency of one is hidden by the other. */
#define TILE_ONE(T, NV)                                                                                             \
  static __attribute__((noinline)) void T##_1_##NV(const uint8_t *a, const tile_geo *g, const int8_t *b,        \
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
          DOT_MEM(DOT_##T, x[j], u, b + j * block);                                                                       \
          DOT_MEM(DOT_##T, y[j], v, b + j * block + 64);                                                                  \
        }                                                                                                        \
      }                                                                                                          \
      if (k < g->k4) {                                                                                           \
        __m512i u = four(q);                                                                                     \
        UNROLL for (int j = 0; j < NV; j++) DOT_MEM(DOT_##T, x[j], u, b + j * block);                                     \
        b += 64;                                                                                                 \
      }                                                                                                          \
    }                                                                                                            \
    UNROLL for (int j = 0; j < NV; j++) _mm512_store_si512(out + 16 * j, _mm512_add_epi32(x[j], y[j]));          \
  }

#define TILES_7(T, NV) \
  TILE_ONE(T, NV) TILE(T, 2, NV) TILE(T, 3, NV) TILE(T, 4, NV) TILE(T, 5, NV) TILE(T, 6, NV) TILE(T, 7, NV)
#define TILES_14(T, NV) \
  TILES_7(T, NV) TILE(T, 8, NV) TILE(T, 9, NV) TILE(T, 10, NV) TILE(T, 11, NV) TILE(T, 12, NV) TILE(T, 13, NV) TILE(T, 14, NV)
#define TILES(T) TILES_14(T, 1) TILES_14(T, 2) TILES_7(T, 3) TILE(T, 8, 3) TILE(T, 9, 3) TILES_7(T, 4)
TILES(bytes)
TILES(words)

typedef void (*tile_fn)(const uint8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out);
#define ROW_7(T, NV) T##_1_##NV, T##_2_##NV, T##_3_##NV, T##_4_##NV, T##_5_##NV, T##_6_##NV, T##_7_##NV
#define ROW_14(T, NV) \
  ROW_7(T, NV), T##_8_##NV, T##_9_##NV, T##_10_##NV, T##_11_##NV, T##_12_##NV, T##_13_##NV, T##_14_##NV
#define TABLE(T) {{0}, {0, ROW_14(T, 1)}, {0, ROW_14(T, 2)}, {0, ROW_7(T, 3), T##_8_3, T##_9_3}, {0, ROW_7(T, 4)}}
static const tile_fn of_bytes[TILE_NV + 1][15] = TABLE(bytes), of_words[TILE_NV + 1][15] = TABLE(words);

static void tile(int mr, int nv, const uint8_t *a, const struct tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc) {
  of_bytes[nv][mr](a, g, b, bias, acc);
}

const whet_kern whet_k_conv_q8__vnni_panel = {.name = "conv_q8__vnni_panel",
                                              .isa = WHET_ISA_VNNI | WHET_ISA_AVX512,
                                              .form = WHET_CONV_Q8_PANELS,
                                              .exact = 1,
                                              .scratch = tile_scratch,
                                              .run = tile_run};

#include "kern/x86/wino_q8_vec.h"
enum { WORDS_NV = TILE_NV };
#define words_mr tile_mr
static void words(int mr, int nv, const int16_t *a, int64_t lda, int64_t k2, const int8_t *b, int64_t block,
                  int64_t next, int pass, int32_t *out) {
  static const int32_t no_bias[16 * WORDS_NV];
  static const int64_t no_seg[1];
  tile_geo g = {2 * lda, no_seg, 1, k2, block, {0, 0}};
  for (int i = 0; i < 2 && 2 * pass + i < nv; i++) g.ahead[i] = next + (2 * pass + i) * block;
  of_words[nv][mr]((const uint8_t *)a, &g, b, no_bias, out);
}
#include "kern/x86/wino_q8_body.h"

static bool wino_fits(const void *params) { return wino_pays(params, 125, 60); }

const whet_kern whet_k_conv_q8__vnni_winograd = {.name = "conv_q8__vnni_winograd",
                                                 .isa = WHET_ISA_VNNI | WHET_ISA_AVX512,
                                                 .form = WHET_CONV_Q8_WINO,
                                                 .exact = 1,
                                                 .fits = wino_fits,
                                                 .scratch = wino_scratch,
                                                 .run = wino_run};
