/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on AVX-VNNI (256-bit vpdpbusd without AVX-512): tiles of six rows by sixteen outputs. Written as
 * assembly for the same reason as the AVX-512 form. */

#include "kern/x86/out_q8_avx2.h"

#define TILE_ELEM uint8_t
#define TILE_NV 1
#define TILE_READY whet_out_ready_avx2
#define TILE_MAKE
static const int8_t tile_mr[TILE_NV + 1] = {0, 6};
#define TILE_SUM whet__sum_bytes_avx2
#include "kern/tile_q8.h"

#define UNROLL _Pragma("GCC unroll 32")
#define DOT(acc, u, w) __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(u), "x"(w))

#define TILE(MR)                                                                                        \
  static __attribute__((noinline)) void tile_##MR(const uint8_t *a, const tile_geo *g, const int8_t *b, \
                                                  const int32_t *bias, int32_t *out) {                  \
    const int64_t lda = g->lda;                                                                         \
    __m256i acc[MR][2];                                                                                 \
    UNROLL for (int i = 0; i < MR; i++) acc[i][0] = out_load_i(bias), acc[i][1] = out_load_i(bias + 8); \
    for (int64_t s = 0; s < g->n_seg; s++) {                                                            \
      const uint8_t *q[(MR + 2) / 3];                                                                   \
      UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] = a + g->seg[s] + 3 * i * lda;                 \
      for (int64_t k = 0; k < g->k4; k++, b += 64) {                                                    \
        __m256i w0 = out_load_i(b), w1 = out_load_i(b + 32);                                            \
        UNROLL for (int i = 0; i < MR; i++) {                                                           \
          int32_t x;                                                                                    \
          memcpy(&x, q[i / 3] + i % 3 * lda, 4);                                                        \
          __m256i u = _mm256_set1_epi32(x);                                                             \
          DOT(acc[i][0], u, w0);                                                                        \
          DOT(acc[i][1], u, w1);                                                                        \
        }                                                                                               \
        UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] += 4;                                        \
      }                                                                                                 \
    }                                                                                                   \
    UNROLL for (int i = 0; i < MR; i++) UNROLL for (int j = 0; j < 2; j++)                              \
        _mm256_storeu_si256((__m256i *)(void *)(out + i * 16 + 8 * j), acc[i][j]);                      \
  }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)

typedef void (*tile_fn)(const uint8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias, int32_t *out);
static const tile_fn tiles[7] = {0, tile_1, tile_2, tile_3, tile_4, tile_5, tile_6};

static void tile(int mr, int nv, const uint8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc) {
  (void)nv;
  tiles[mr](a, g, b, bias, acc);
}

const whet_kern whet_k_conv_q8__avxvnni_panel = {.name = "conv_q8__avxvnni_panel",
                                                 .isa = WHET_ISA_AVX2 | WHET_ISA_AVXVNNI,
                                                 .form = WHET_CONV_Q8_PANELS,
                                                 .exact = 1,
                                                 .scratch = tile_scratch,
                                                 .run = tile_run};

#include "kern/x86/wino_q8_vec.h"
OUT_INLINE void words_add(out_int *sum, out_int a, out_int b) { __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(*sum) : "x"(a), "x"(b)); }
#include "kern/x86/wino_q8_words256.h"

static bool wino_fits(const void *params) { return whet__wino_q8_pays256(params, 58, 29); }

const whet_kern whet_k_conv_q8__avxvnni_winograd = {.name = "conv_q8__avxvnni_winograd",
                                                 .isa = WHET_ISA_AVX2 | WHET_ISA_AVXVNNI,
                                                 .form = WHET_CONV_Q8_WINO,
                                                 .exact = 1,
                                                 .fits = wino_fits,
                                                 .scratch = whet__wino_q8_scratch256,
                                                 .run = wino_run};

#define ROW_MOST 4
enum { ROW_STEP = 64 };
typedef uint8_t row_elem;
OUT_INLINE out_int row_dot(out_int sum, out_int u, const int8_t *w) {
  __m256i bytes = out_load_i(w);
  DOT(sum, u, bytes);
  return sum;
}
OUT_INLINE void row_copy(row_elem *own, const uint8_t *a, int64_t n, uint8_t turn) {
  const __m128i t = _mm_set1_epi8((char)turn);
  for (int64_t i = 0; i < n; i += 16)
    _mm_storeu_si128((__m128i *)(void *)(own + i), _mm_xor_si128(out_load_half(a + i, n - i), t));
}
#include "kern/x86/row_q8_body.h"

const whet_kern whet_k_conv_q8__avxvnni_row = {.name = "conv_q8__avxvnni_row",
                                          .isa = WHET_ISA_AVX2 | WHET_ISA_AVXVNNI,
                                          .form = WHET_CONV_Q8_PANELS,
                                          .exact = 1,
                                          .fits = row_fits,
                                          .scratch = row_scratch,
                                          .run = row_run};
