/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on AVX-512 without VNNI: activations are widened to 16 bits with the strip, weights as they are
 * loaded, and vpmaddwd adds exact products in pairs (vpmaddubsw would saturate). A lane holds half of an output's
 * sum; the halves are added at the end. */

#include "kern/x86/out_q8_avx512.h"

#define TILE_ELEM int16_t
#define TILE_NV 1
static const int8_t tile_mr[TILE_NV + 1] = {0, 12};
#include "kern/tile_q8.h"

#define UNROLL _Pragma("GCC unroll 32")

/* Sixteen sums from two registers of half sums. */
static inline __attribute__((always_inline)) __m512i join(__m512i lo, __m512i hi) {
  const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i odd = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
  return _mm512_add_epi32(_mm512_permutex2var_epi32(lo, even, hi), _mm512_permutex2var_epi32(lo, odd, hi));
}

#define TILE(MR)                                                                                        \
  static __attribute__((noinline)) void tile_##MR(const int16_t *a, const tile_geo *g, const int8_t *b, \
                                                  const int32_t *bias, int32_t *out) {                  \
    const int64_t lda = g->lda;                                                                         \
    __m512i acc[MR][2];                                                                                 \
    UNROLL for (int i = 0; i < MR; i++) acc[i][0] = acc[i][1] = _mm512_setzero_si512();                 \
    for (int64_t s = 0; s < g->n_seg; s++) {                                                            \
      const int16_t *q[(MR + 2) / 3];                                                                   \
      UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] = a + g->seg[s] + 3 * i * lda;                 \
      for (int64_t k = 0; k < g->k4; k++, b += 64) {                                                    \
        __m512i w0 = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)b));        \
        __m512i w1 = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(b + 32))); \
        UNROLL for (int i = 0; i < MR; i++) {                                                           \
          int64_t x;                                                                                    \
          memcpy(&x, q[i / 3] + i % 3 * lda, 8);                                                        \
          __m512i u = _mm512_set1_epi64(x);                                                             \
          acc[i][0] = _mm512_add_epi32(acc[i][0], _mm512_madd_epi16(u, w0));                            \
          acc[i][1] = _mm512_add_epi32(acc[i][1], _mm512_madd_epi16(u, w1));                            \
        }                                                                                               \
        UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] += 4;                                        \
      }                                                                                                 \
    }                                                                                                   \
    __m512i first = _mm512_loadu_si512(bias);                                                           \
    UNROLL for (int i = 0; i < MR; i++)                                                                 \
        _mm512_store_si512(out + i * 16, _mm512_add_epi32(first, join(acc[i][0], acc[i][1])));          \
  }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)
TILE(7)
TILE(8)
TILE(9)
TILE(10)
TILE(11)
TILE(12)

typedef void (*tile_fn)(const int16_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out);
static const tile_fn tiles[13] = {0,      tile_1, tile_2, tile_3,  tile_4,  tile_5, tile_6,
                                  tile_7, tile_8, tile_9, tile_10, tile_11, tile_12};

static void tile(int mr, int nv, const int16_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc) {
  (void)nv;
  tiles[mr](a, g, b, bias, acc);
}

const whet_kern whet_k_conv_q8__avx512_panel = {.name = "conv_q8__avx512_panel",
                                                .isa = WHET_ISA_AVX512,
                                                .form = WHET_CONV_Q8_PANELS,
                                                .exact = 1,
                                                .scratch = tile_scratch,
                                                .run = tile_run};
