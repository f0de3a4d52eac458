/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 on AVX2: vpmaddubsw multiplies bytes and cuts sums of two products that leave 16 bits. They do where two weights of
 * one sign are large; there one activation is taken from 255 and its weight negated (form 9). So activations of eight rows stand
 * side by side, in each of the ways in which a result may want them, and weights are what all lanes have in common. */

#include "kern/x86/out_q8_avx2.h"

#define TILE_ELEM uint8_t
#define TILE_FORM WHET_CONV_Q8_TURNED
#define TILE_NV 1
#define TILE_LAID 256 /* sixteen rows, in four ways */
#define TILE_READY whet_out_ready_avx2
#define TILE_MAKE
#define TILE_SUM whet__sum_bytes_avx2
#define TILE_ROWS 16
#include "kern/tile_q8.h"

/* A group of four of eight rows in each of the ways. */
OUT_INLINE void make_ways(uint8_t *to, __m256i x) {
  for (int j = 0; j < 4; j++) {
    const __m256i turn = _mm256_set1_epi32((j & 1 ? 0xff : 0) | (j & 2 ? 0xff0000 : 0));
    _mm256_store_si256((__m256i *)(void *)(to + 64 * j), _mm256_xor_si256(x, turn));
  }
}

/* n groups of four of eight rows, transposed. */
static void make_run(const uint8_t *const *row, int64_t at, int64_t n, uint8_t *to) {
  for (; n >= 4; n -= 4, at += 16, to += 4 * TILE_LAID) {
    __m256i x[4];
    OUT_UNROLL for (int i = 0; i < 4; i++) x[i] =
        _mm256_setr_m128i(_mm_loadu_si128((const __m128i *)(const void *)(row[i] + at)),
                          _mm_loadu_si128((const __m128i *)(const void *)(row[i + 4] + at)));
    const __m256i a = _mm256_unpacklo_epi32(x[0], x[1]), b = _mm256_unpackhi_epi32(x[0], x[1]);
    const __m256i c = _mm256_unpacklo_epi32(x[2], x[3]), d = _mm256_unpackhi_epi32(x[2], x[3]);
    make_ways(to, _mm256_unpacklo_epi64(a, c));
    make_ways(to + TILE_LAID, _mm256_unpackhi_epi64(a, c));
    make_ways(to + 2 * TILE_LAID, _mm256_unpacklo_epi64(b, d));
    make_ways(to + 3 * TILE_LAID, _mm256_unpackhi_epi64(b, d));
  }
  for (; n > 0; n--, at += 4, to += TILE_LAID) {
    int32_t x[8];
    for (int i = 0; i < 8; i++) memcpy(&x[i], row[i] + at, 4);
    make_ways(to, out_load_i(x));
  }
}

static void tile_lay(const uint8_t *const *row, int mr, const tile_geo *g, uint8_t *to) {
  for (int r = 0; r < mr; r += 8, row += 8, to += 32)
    for (int64_t at = g->from, n; at < g->to; at += n) {
      n = whet__min_i(g->k4 - at % g->k4, g->to - at);
      make_run(row, g->seg[at / g->k4] + at % g->k4 * 4, n, to + (at - g->from) * TILE_LAID);
    }
}

/* Four results of eight rows, transposed. */
OUT_INLINE void four_store(__m256i a, __m256i b, __m256i c, __m256i d, int32_t *out) {
  const __m256i x = _mm256_unpacklo_epi32(a, b), y = _mm256_unpackhi_epi32(a, b);
  const __m256i z = _mm256_unpacklo_epi32(c, d), w = _mm256_unpackhi_epi32(c, d);
  const __m256i t[4] = {_mm256_unpacklo_epi64(x, z), _mm256_unpackhi_epi64(x, z), _mm256_unpacklo_epi64(y, w),
                        _mm256_unpackhi_epi64(y, w)};
  OUT_UNROLL for (int i = 0; i < 4; i++) {
    _mm_storeu_si128((__m128i *)(void *)(out + i * 16), _mm256_castsi256_si128(t[i]));
    _mm_storeu_si128((__m128i *)(void *)(out + (i + 4) * 16), _mm256_extracti128_si256(t[i], 1));
  }
}

/* Four results of eight or sixteen rows: from bias or `kept` on, to `kept` or out. Written as assembly, as compilers would bring all
 * loads forward and then lack registers. */
#define PRODUCT(at, sum)                  \
  "vmovdqa " at "(%[a],%[way]), %[t]\n\t" \
  "vpmaddubsw %[w], %[t], %[t]\n\t"       \
  "vpmaddwd %[one], %[t], %[t]\n\t"       \
  "vpaddd %[t], %[" sum "], %[" sum "]\n\t"
#define WEIGHTS(way, at)                \
  "movzbl " way "(%[b]), %k[way]\n\t" \
  "vpbroadcastd " at "(%[b]), %[w]\n\t"
#define FOUR(R, X)                                                                                                       \
  static __attribute__((noinline)) void four_##R(const uint8_t *a, int64_t n, const int8_t *b, const int32_t *bias,      \
                                                 const __m256i *from, __m256i *kept, int32_t *out) {                     \
    const __m256i one = _mm256_set1_epi16(1);                                                                            \
    __m256i x0, x1, x2, x3, y0, y1, y2, y3, w, t;                                                                        \
    int64_t way;                                                                                                         \
    if (from)                                                                                                            \
      x0 = from[0], x1 = from[1], x2 = from[2], x3 = from[3], y0 = from[4], y1 = from[5], y2 = from[6], y3 = from[7];    \
    else                                                                                                                 \
      x0 = y0 = _mm256_set1_epi32(bias[0]), x1 = y1 = _mm256_set1_epi32(bias[1]), x2 = y2 = _mm256_set1_epi32(bias[2]),  \
      x3 = y3 = _mm256_set1_epi32(bias[3]);                                                                              \
    if (n > 0)                                                                                                           \
      __asm__(".p2align 6\n"                                                                                             \
              "1:\n\t" WEIGHTS("16", "0") X("0") WEIGHTS("17", "4") X("1") WEIGHTS("18", "8") X("2") WEIGHTS("19", "12") X("3") \
              "add %[made], %[a]\n\tadd %[next], %[b]\n\tsub $1, %[n]\n\tjne 1b"                                        \
              : [x0] "+x"(x0), [x1] "+x"(x1), [x2] "+x"(x2), [x3] "+x"(x3), [y0] "+x"(y0), [y1] "+x"(y1), [y2] "+x"(y2), \
                [y3] "+x"(y3), [w] "=&x"(w), [t] "=&x"(t), [way] "=&r"(way), [a] "+r"(a), [b] "+r"(b), [n] "+r"(n)       \
              : [one] "x"(one), [made] "i"(TILE_LAID), [next] "i"(WHET_CONV_Q8_FOURS)                                    \
              : "memory", "cc");                                                                                         \
    if (kept) {                                                                                                          \
      kept[0] = x0, kept[1] = x1, kept[2] = x2, kept[3] = x3, kept[4] = y0, kept[5] = y1, kept[6] = y2, kept[7] = y3;    \
      return;                                                                                                            \
    }                                                                                                                    \
    four_store(x0, x1, x2, x3, out);                                                                                     \
    if (R > 8) four_store(y0, y1, y2, y3, out + 8 * 16);                                                                 \
  }
#define EIGHT_ROWS(j) PRODUCT("0", "x" j)
#define SIXTEEN_ROWS(j) PRODUCT("0", "x" j) PRODUCT("32", "y" j)
FOUR(8, EIGHT_ROWS)
FOUR(16, SIXTEEN_ROWS)

/* Where sums begin when -128 was negated: less what is missing for that. */
static __attribute__((noinline)) void four_less(const uint8_t *a, int64_t n, const int8_t *least, const int32_t *bias,
                                                const __m256i *from, __m256i *own) {
  int32_t *of = (int32_t *)(void *)own;
  for (int i = 0; i < 8; i++) own[i] = from ? from[i] : _mm256_set1_epi32(bias[i % 4]);
  for (int64_t g = 0; g < n; g++, a += TILE_LAID)
    for (int j = 0; j < 8 && least[g]; j++)
      for (int r = 0; r < 16 && least[g] >> j & 1; r++) of[r / 8 * 32 + j / 2 * 8 + r % 8] -= a[4 * r + j % 2 * 2];
}

static void tile(int mr, int nv, const uint8_t *a, const tile_geo *g, const int8_t *b, const int32_t *bias,
                 int32_t *acc) {
  const int64_t all = g->n_seg * g->k4, n = g->to - g->from;
  (void)nv;
  for (int j = 0; j < (g->few ? 8 : 16); j += 4, b += g->block / 4) {
    __m256i own[8], *kept = (__m256i *)(void *)(g->kept + j * TILE_ROWS);
    const __m256i *from = g->from ? kept : NULL;
    for (int64_t i = 0; g->ahead && i < n * WHET_CONV_Q8_FOURS; i += 64)
      _mm_prefetch((const char *)b + g->ahead + g->from * WHET_CONV_Q8_FOURS + i, _MM_HINT_T0);
    if (*b) four_less(a, n, b + 4 + all * WHET_CONV_Q8_FOURS + g->from, bias + j, from, own), from = own;
    (mr > 8 ? four_16 : four_8)(a, n, b + 4 + g->from * WHET_CONV_Q8_FOURS, bias + j, from, g->to < all ? kept : NULL, acc + j);
  }
}

const whet_kern whet_k_conv_q8__avx2_panel = {.name = "conv_q8__avx2_panel",
                                              .isa = WHET_ISA_AVX2,
                                              .form = WHET_CONV_Q8_TURNED,
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

static bool wino_fits(const void *params) { return wino_pays(params, 32, 25); }

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
