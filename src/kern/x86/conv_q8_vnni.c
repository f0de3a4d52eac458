/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on AVX-512 VNNI: tiles of 7x64, 9x48, 14x32 and 14x16 sums in registers of bytes (vpdpbusd), and of
 * 14x32 and 14x16 of words for Winograd's products (vpdpwssd). Both are written as assembly: gcc 12 copies and spills the
 * accumulators of their intrinsics. */

#include "kern/x86/out_q8_ready512.h"

#define TILE_ELEM uint8_t
#define TILE_READY whet_out_ready_512
#define TILE_BYTES
#define TILE_NV 4
static const int8_t tile_mr[TILE_NV + 1] = {0, 14, 14, 9, 7};
#define TILE_SUM sum_of_bytes
#define TILE_START(MR, NV) ((MR) == tile_mr[NV])
static uint32_t sum_of_bytes(const uint8_t *a, const int64_t *seg, int64_t n_seg, int64_t n) {
  if (n <= 16) { /* a pixel of few channels, or a row of a window */
    const __mmask16 m = (__mmask16)((1u << n) - 1);
    __m128i s = _mm_setzero_si128();
    for (int64_t j = 0; j < n_seg; j++)
      s = _mm_add_epi64(s, _mm_sad_epu8(_mm_maskz_loadu_epi8(m, a + seg[j]), _mm_setzero_si128()));
    return (uint32_t)_mm_cvtsi128_si32(s) + (uint32_t)_mm_extract_epi32(s, 2);
  }
  const __mmask64 m = n % 64 ? ~UINT64_C(0) >> (64 - n % 64) : 0;
  __m512i s = _mm512_setzero_si512();
  for (int64_t j = 0; j < n_seg; j++) {
    const uint8_t *from = a + seg[j], *end = from + n / 64 * 64;
    for (; from < end; from += 64) s = _mm512_add_epi64(s, _mm512_sad_epu8(_mm512_loadu_si512(from), _mm512_setzero_si512()));
    if (m) s = _mm512_add_epi64(s, _mm512_sad_epu8(_mm512_maskz_loadu_epi8(m, end), _mm512_setzero_si512()));
  }
  return (uint32_t)_mm512_reduce_add_epi64(s);
}
#include "kern/tile_q8.h"

#define UNROLL _Pragma("GCC unroll 32")
#define DOT(how, acc, u, w) __asm__(how " %2, %1, %0" : "+v"(acc) : "v"(u), "v"(w))
#define DOT_MEM(how, acc, u, p) __asm__(how " %2, %1, %0" : "+v"(acc) : "v"(u), "m"(*(const __m512i *)(p)))
#define DOT_bytes "vpdpbusd"
#define DOT_words "vpdpwssd"

/* Four activations, or two words, in every lane. */
static inline __attribute__((always_inline)) __m512i four(const uint8_t *p) {
  int32_t x;
  memcpy(&x, p, 4);
  return _mm512_set1_epi32(x);
}

/* Tiles of bytes that are as high as they get; those of words add nothing at the start, and store their sums. */
#define HIGHEST_bytes(MR, NV) ((MR) == ((NV) == 4 ? 7 : (NV) == 3 ? 9 : 14))
#define HIGHEST_words(MR, NV) 0

/* Four activations of each row, with which the next weights are multiplied. */
#define STEP(T, MR, NV)                                                                                       \
  {                                                                                                           \
    if (NV > 1) _mm_prefetch(b + g->ahead, _MM_HINT_T1); /* loads are what limits one block */                \
    __m512i c[3];                                                                                             \
    UNROLL for (int j = 0; j < (NV < 3 ? NV : 3); j++) c[j] = _mm512_loadu_si512(b + j * block);              \
    UNROLL for (int i = 0; i < MR; i++) {                                                                     \
      __m512i u = four(q[i / 3] + i % 3 * lda);                                                               \
      UNROLL for (int j = 0; j < (NV < 3 ? NV : 3); j++) DOT(DOT_##T, acc[i][j], u, c[j]);                    \
      if (NV == 4) DOT_MEM(DOT_##T, acc[i][NV - 1], u, b + 3 * block);                                        \
    }                                                                                                         \
    UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] += 4;                                                  \
    b += 64;                                                                                                  \
  }

/* Rows in threes: each base pointer serves the rows at 0, 1 and 2 times lda. With four blocks the fourth is a memory
 * operand, as 28 sums, three blocks and one activation fill the registers. Steps go in fours where tiles are highest: the
 * end of a loop of four or more rounds was seen to cost 28 cycles on a Xeon, half of what 16 channels take. */
#define TILE(T, MR, NV)                                                                                       \
  static __attribute__((noinline)) void T##_##MR##_##NV(const uint8_t *a, const tile_geo *g, const int8_t *b, \
                                                        const int32_t *bias, void *out, const tile_work *w) { \
    const int64_t lda = g->lda, block = g->block;                                                             \
    __m512i acc[MR][NV];                                                                                      \
    if (HIGHEST_##T(MR, NV) && g->start) {                                                                    \
      UNROLL for (int i = 0; i < MR; i++) UNROLL for (int j = 0; j < NV; j++) acc[i][j] =                     \
          _mm512_add_epi32(_mm512_loadu_si512(bias + 16 * j), _mm512_set1_epi32(g->start[i]));                \
    } else {                                                                                                  \
      UNROLL for (int i = 0; i < MR; i++) UNROLL for (int j = 0; j < NV; j++) acc[i][j] =                     \
          _mm512_loadu_si512(bias + 16 * j);                                                                  \
    }                                                                                                         \
    if (HIGHEST_##T(MR, NV) && NV == 1 && g->n_seg == 3 && g->k4 == 3) { /* pictures of three colours */      \
      UNROLL for (int s = 0; s < 3; s++) {                                                                    \
        const uint8_t *q[(MR + 2) / 3];                                                                       \
        UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] = a + g->seg[s] + 3 * i * lda;                     \
        UNROLL for (int step = 0; step < 3; step++) STEP(T, MR, NV)                                           \
      }                                                                                                       \
    } else {                                                                                                  \
      for (int64_t s = 0; s < g->n_seg; s++) {                                                                \
        const uint8_t *q[(MR + 2) / 3];                                                                       \
        UNROLL for (int i = 0; i < (MR + 2) / 3; i++) q[i] = a + g->seg[s] + 3 * i * lda;                     \
        int64_t k = g->k4;                                                                                    \
        if (HIGHEST_##T(MR, NV))                                                                              \
          for (; k >= 4; k -= 4) {                                                                            \
            UNROLL for (int step = 0; step < 4; step++) STEP(T, MR, NV)                                       \
          }                                                                                                   \
        for (; k > 0; k--) STEP(T, MR, NV)                                                                    \
      }                                                                                                       \
    }                                                                                                         \
    if (HIGHEST_##T(MR, NV) && w) {                                                                           \
      ready_bytes(w->ready, &acc[0][0], MR, NV, out, w->p->out_pitch);                                        \
      return;                                                                                                 \
    }                                                                                                         \
    UNROLL for (int i = 0; i < MR; i++) UNROLL for (int j = 0; j < NV; j++)                                   \
        _mm512_store_si512((int32_t *)out + (i * NV + j) * 16, acc[i][j]);                                    \
  }

/* One row: two sets of sums, so that the latency of one is hidden by the other. */
#define TILE_ONE(T, NV)                                                                                          \
  static __attribute__((noinline)) void T##_1_##NV(const uint8_t *a, const tile_geo *g, const int8_t *b,         \
                                                   const int32_t *bias, void *out, const tile_work *w) {         \
    (void)w;                                                                                                     \
    const int64_t block = g->block;                                                                              \
    __m512i x[NV], y[NV];                                                                                        \
    UNROLL for (int j = 0; j < NV; j++) x[j] = _mm512_loadu_si512(bias + 16 * j), y[j] = _mm512_setzero_si512(); \
    for (int64_t s = 0; s < g->n_seg; s++) {                                                                     \
      const uint8_t *q = a + g->seg[s];                                                                          \
      int64_t k = 0;                                                                                             \
      for (; k + 2 <= g->k4; k += 2, q += 8, b += 128) {                                                         \
        __m512i u = four(q), v = four(q + 4);                                                                    \
        UNROLL for (int j = 0; j < NV; j++) {                                                                    \
          DOT_MEM(DOT_##T, x[j], u, b + j * block);                                                              \
          DOT_MEM(DOT_##T, y[j], v, b + j * block + 64);                                                         \
        }                                                                                                        \
      }                                                                                                          \
      if (k < g->k4) {                                                                                           \
        __m512i u = four(q);                                                                                     \
        UNROLL for (int j = 0; j < NV; j++) DOT_MEM(DOT_##T, x[j], u, b + j * block);                            \
        b += 64;                                                                                                 \
      }                                                                                                          \
    }                                                                                                            \
    UNROLL for (int j = 0; j < NV; j++)                                                                          \
        _mm512_store_si512((int32_t *)out + 16 * j, _mm512_add_epi32(x[j], y[j]));                               \
  }

/* Heights that are left out are made of two halves. Words: two blocks at most, see WORDS_NV. */
#define TILES_4(X, X1, T, NV) X1(T, NV) X(T, 2, NV) X(T, 3, NV) X(T, 4, NV)
#define BYTES_1(X, X1)                                                                                         \
  TILES_4(X, X1, bytes, 1)                                                                                     \
  X(bytes, 5, 1)                                                                                               \
  X(bytes, 6, 1)                                                                                               \
  X(bytes, 7, 1) X(bytes, 8, 1) X(bytes, 9, 1) X(bytes, 10, 1) X(bytes, 11, 1) X(bytes, 12, 1) X(bytes, 13, 1) \
      X(bytes, 14, 1)
#define BYTES_2(X, X1)     \
  TILES_4(X, X1, bytes, 2) \
  X(bytes, 5, 2) X(bytes, 6, 2) X(bytes, 7, 2) X(bytes, 8, 2) X(bytes, 12, 2) X(bytes, 13, 2) X(bytes, 14, 2)
#define BYTES_3(X, X1) TILES_4(X, X1, bytes, 3) X(bytes, 5, 3) X(bytes, 6, 3) X(bytes, 8, 3) X(bytes, 9, 3)
#define BYTES_4(X, X1) TILES_4(X, X1, bytes, 4) X(bytes, 5, 4) X(bytes, 6, 4) X(bytes, 7, 4)
#define WORDS_8(X, X1, NV) TILES_4(X, X1, words, NV) X(words, 5, NV) X(words, 6, NV) X(words, 7, NV) X(words, 8, NV)
#define WORDS_1(X, X1) WORDS_8(X, X1, 1) X(words, 14, 1)
#define WORDS_2(X, X1) WORDS_8(X, X1, 2) X(words, 12, 2) X(words, 14, 2)
#define EACH(X) X(TILE, TILE_ONE)
EACH(BYTES_1)
EACH(BYTES_2)
EACH(BYTES_3)
EACH(BYTES_4)
EACH(WORDS_1)
EACH(WORDS_2)

typedef void (*tile_fn)(const uint8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias, void *out, const tile_work *w);
#define ENTRY(T, MR, NV) [MR] = T##_##MR##_##NV,
#define ENTRY_ONE(T, NV) [1] = T##_1_##NV,
#define ENTRIES(X) {X(ENTRY, ENTRY_ONE)}
static const tile_fn of_bytes[TILE_NV + 1][15] = {
    {0}, ENTRIES(BYTES_1), ENTRIES(BYTES_2), ENTRIES(BYTES_3), ENTRIES(BYTES_4)};
static const tile_fn of_words[3][15] = {{0}, ENTRIES(WORDS_1), ENTRIES(WORDS_2)};

static inline void tile_of(const tile_fn *of, int mr, int nv, const uint8_t *a, const tile_geo *g, const int8_t *b,
                           const int32_t *bias, int32_t *acc) {
  if (!of[mr]) {
    const int half = (mr + 1) / 2;
    of[half](a, g, b, bias, acc, NULL);
    a += half * g->lda, acc += half * nv * 16, mr -= half;
  }
  of[mr](a, g, b, bias, acc, NULL);
}

static void tile(int mr, int nv, const uint8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc) {
  tile_of(of_bytes[nv], mr, nv, a, g, b, bias, acc);
}

static bool tile_bytes_for(const tile_work *w, const tile_geo *g) {
  (void)g;
  return w->ready->how >= 0 && (!w->p->w_zeros || w->one_zero);
}

static void tile_bytes(const tile_work *w, const uint8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias, uint8_t *out) {
  of_bytes[w->nv][tile_mr[w->nv]](a, g, b, bias, out, w);
}

const whet_kern whet_k_conv_q8__vnni_panel = {.name = "conv_q8__vnni_panel",
                                              .isa = WHET_ISA_VNNI | WHET_ISA_AVX512,
                                              .form = WHET_CONV_Q8_PANELS,
                                              .exact = 1,
                                              .scratch = tile_scratch,
                                              .run = tile_run};

#include "kern/x86/wino_q8_vec.h"
enum { WORDS_NV = 2 };
static const int8_t words_mr[WORDS_NV + 1] = {0, 14, 14};
static void words(int mr, int nv, const int16_t *a, int64_t lda, int64_t k2, const int8_t *b, int64_t block,
                  int64_t next, int pass, int32_t *out) {
  static const int32_t no_bias[16 * WORDS_NV];
  static const int64_t no_seg[1];
  const tile_geo g = {2 * lda, no_seg, 1, k2, block, .ahead = pass < nv ? next + pass * block : 0};
  tile_of(of_words[nv], mr, nv, (const uint8_t *)a, &g, b, no_bias, out);
}
#include "kern/x86/wino_q8_body.h"

static void wino_run(const void *params, void *const *ptr, int part, int parts) {
  wino_part(params, ptr, part, parts, words);
}

static bool wino_fits(const void *params) { return wino_pays(params, 125, 60); }

const whet_kern whet_k_conv_q8__vnni_winograd = {.name = "conv_q8__vnni_winograd",
                                                 .isa = WHET_ISA_VNNI | WHET_ISA_AVX512,
                                                 .form = WHET_CONV_Q8_WINO,
                                                 .exact = 1,
                                                 .fits = wino_fits,
                                                 .scratch = wino_scratch,
                                                 .run = wino_run};

/* ---- one row ------------------------------------------------------------------------------------------------ */

#define ROW_MOST 8
enum { ROW_STEP = 64 };
typedef uint8_t row_elem;
OUT_INLINE out_int row_dot(out_int sum, out_int u, const int8_t *w) {
  DOT_MEM(DOT_bytes, sum, u, w);
  return sum;
}
OUT_INLINE void row_copy(row_elem *own, const uint8_t *a, int64_t n, uint8_t turn) {
  const __m512i t = _mm512_set1_epi8((char)turn);
  for (int64_t i = 0; i < n; i += 64) {
    __mmask64 m = n - i >= 64 ? ~UINT64_C(0) : ~UINT64_C(0) >> (64 - (n - i));
    _mm512_storeu_si512(own + i, _mm512_xor_si512(_mm512_maskz_loadu_epi8(m, a + i), t));
  }
}
#include "kern/x86/row_q8_body.h"

const whet_kern whet_k_conv_q8__vnni_row = {.name = "conv_q8__vnni_row",
                                            .isa = WHET_ISA_VNNI | WHET_ISA_AVX512,
                                            .form = WHET_CONV_Q8_PANELS,
                                            .exact = 1,
                                            .fits = row_fits,
                                            .scratch = row_scratch,
                                            .run = row_run};
