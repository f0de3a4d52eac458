/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on AVX2: activations are widened once, when a strip of them is copied, weights as they are read, and
 * vpmaddwd multiplies two channels for eight outputs. Unlike vpmaddubsw, which takes bytes, it loses nothing. */

#include "kern/x86/out_q8_avx2.h"

#define TILE_ELEM int16_t
#define TILE_FORM WHET_CONV_Q8_WORDS
#define TILE_NV 1
#define TILE_READY whet_out_ready_avx2
#define TILE_MAKE
static const int8_t tile_mr[TILE_NV + 1] = {0, 6};
#include "kern/tile_q8.h"

#define UNROLL _Pragma("GCC unroll 32")

/* V: vectors of a row: both halves of a block, or the first where no more than eight results are asked for. */
#define TILE(MR, V)                                                                                     \
  static __attribute__((noinline)) void tile_##MR##_##V(const int16_t *a, const tile_geo *g, const int8_t *b, \
                                                        const int32_t *bias, int32_t *out) {            \
    const int64_t lda = g->lda;                                                                         \
    __m256i acc[MR][V];                                                                                 \
    UNROLL for (int i = 0; i < MR; i++) UNROLL for (int j = 0; j < V; j++) acc[i][j] = out_load_i(bias + 8 * j); \
    for (int64_t s = 0; s < g->n_seg; s++) {                                                            \
      const int16_t *q[(MR + 2) / 3];                                                                   \
      UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] = a + g->seg[s] + 3 * i * lda;                 \
      for (int64_t k = 2 * g->k4; k > 0; k--, b += 32) {                                                \
        __m256i w[V];                                                                                   \
        UNROLL for (int j = 0; j < V; j++) w[j] =                                                       \
            _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(b + 16 * j)));         \
        UNROLL for (int i = 0; i < MR; i++) {                                                           \
          int32_t x;                                                                                    \
          memcpy(&x, q[i / 3] + i % 3 * lda, 4);                                                        \
          __m256i u = _mm256_set1_epi32(x);                                                             \
          UNROLL for (int j = 0; j < V; j++) acc[i][j] = _mm256_add_epi32(acc[i][j], _mm256_madd_epi16(u, w[j])); \
        }                                                                                               \
        UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] += 2;                                        \
      }                                                                                                 \
    }                                                                                                   \
    UNROLL for (int i = 0; i < MR; i++) UNROLL for (int j = 0; j < 2; j++)                              \
        _mm256_storeu_si256((__m256i *)(void *)(out + i * 16 + 8 * j), acc[i][j < V ? j : 0]);          \
  }
#define TILES(V) TILE(1, V) TILE(2, V) TILE(3, V) TILE(4, V) TILE(5, V) TILE(6, V)
TILES(1)
TILES(2)

typedef void (*tile_fn)(const int16_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out);
#define ENTRIES(V) {0, tile_1_##V, tile_2_##V, tile_3_##V, tile_4_##V, tile_5_##V, tile_6_##V}
static const tile_fn tiles[2][7] = {ENTRIES(2), ENTRIES(1)};

static void tile(int mr, int nv, const int16_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc) {
  (void)nv;
  tiles[g->few][mr](a, g, b, bias, acc);
}

const whet_kern whet_k_conv_q8__avx2_panel = {.name = "conv_q8__avx2_panel",
                                              .isa = WHET_ISA_AVX2,
                                              .form = WHET_CONV_Q8_WORDS,
                                              .exact = 1,
                                              .scratch = tile_scratch,
                                              .run = tile_run};

#include "kern/x86/wino_q8_vec.h"
OUT_INLINE void words_add(out_int *sum, out_int a, out_int b) {
  *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(a, b));
}
#include "kern/x86/wino_q8_words256.h"
enum { WORDS_NV = 1 };
static const int8_t words_mr[2] = {0, 6};
#include "kern/x86/wino_q8_body.h"

bool whet__wino_q8_pays256(const void *params, double bytes_rate, double words_rate) {
  return wino_pays(params, bytes_rate, words_rate);
}
size_t whet__wino_q8_scratch256(const void *params) { return wino_scratch(params); }
void whet__wino_q8_part256(const void *params, void *const *ptr, int part, int parts, wino_words *products) {
  wino_part(params, ptr, part, parts, products);
}

static bool wino_fits(const void *params) { return wino_pays(params, 25, 25); }

const whet_kern whet_k_conv_q8__avx2_winograd = {.name = "conv_q8__avx2_winograd",
                                                 .isa = WHET_ISA_AVX2,
                                                 .form = WHET_CONV_Q8_WINO,
                                                 .exact = 1,
                                                 .fits = wino_fits,
                                                 .scratch = wino_scratch,
                                                 .run = wino_run};

#define ROW_MOST 4
enum { ROW_STEP = 32 };
typedef int16_t row_elem;
OUT_INLINE out_int row_dot(out_int sum, out_int u, const int8_t *w) {
  __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)w);
  return _mm256_add_epi32(sum, _mm256_madd_epi16(u, _mm256_cvtepi8_epi16(bytes)));
}
OUT_INLINE void row_copy(row_elem *own, const uint8_t *a, int64_t n, uint8_t turn) {
  const __m128i t = _mm_set1_epi8((char)turn);
  for (int64_t i = 0; i < n; i += 16) {
    __m128i x = out_load_half(a + i, n - i);
    _mm256_storeu_si256((__m256i *)(void *)(own + i), _mm256_cvtepu8_epi16(_mm_xor_si128(x, t)));
  }
}
#include "kern/x86/row_q8_body.h"

const whet_kern whet_k_conv_q8__avx2_row = {.name = "conv_q8__avx2_row",
                                          .isa = WHET_ISA_AVX2,
                                          .form = WHET_CONV_Q8_WORDS,
                                          .exact = 1,
                                          .fits = row_fits,
                                          .scratch = row_scratch,
                                          .run = row_run};
