/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8 on AVX2: activations of two taps are interleaved as 16-bit numbers, so that one vpmaddwd adds two
 * exact products to each channel. A block of 16 channels runs along a row with its weights at hand. */

#include "kern/dw_q8.h"
#include "kern/x86/out_q8_avx2.h"

typedef int16_t dw_elem;
#define DW_FORM WHET_DW_Q8_PAIRS
#define DW_OWN(l) ((size_t)0)

static inline bool dw_two(const whet_dw_q8 *p) { return p->channels <= 8 && p->stride_w == 1; }
static __attribute__((noinline)) void dw_widen(const uint8_t *from, int64_t n, bool is_signed, int16_t *to) {
  const __m128i turn = _mm_set1_epi8((char)(is_signed ? 0x80 : 0));
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m128i x = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)(from + i)), turn);
    _mm256_storeu_si256((__m256i *)(void *)(to + i), _mm256_cvtepu8_epi16(x));
  }
  for (; i < n; i++) to[i] = from[i] ^ (uint8_t)_mm_extract_epi8(turn, 0);
}

typedef struct dw_block {
  int64_t n; /* channels */
  const char *w;
  const int32_t *bias;
  whet_factors f;
  whet_out_ready_avx2 ready;
} dw_block;
static void dw_block_of(dw_block *k, const whet_dw_q8 *p, const whet_dw_q8_layout *l, const void *own,
                        const char *pack, int64_t b, const uint8_t *table) {
  (void)own;
  k->n = whet__min_i(16, p->channels - b);
  k->w = pack + l->weights + b * l->slots * 2;
  k->bias = (const int32_t *)(const void *)pack + b;
  k->f = whet__factors_at(&p->out, pack + l->factors, l->n, b);
  out_ready(&k->ready, &p->out, &k->f, k->n, table);
}

/* Two taps at a time. */
OUT_INLINE void sums(const dw_block *k, const int16_t *const *tap, int64_t pairs, int64_t at, int64_t step, int64_t n,
                     int32_t *sum) {
  const __m256i b0 = out_load_i(k->bias), b1 = out_load_i(k->bias + 8);
  const int64_t each = step == 8 ? 2 : 1, other = 8 * each; /* results of a vector; where its upper half goes */
  for (int64_t x = 0; x < n; x += each, at += each * step, sum += 16 * each) {
    __m256i lo = _mm256_setzero_si256(), hi = lo;
    for (int64_t s = 0; s < pairs; s++) {
      __m256i a = out_load_i(tap[2 * s] + at), b = out_load_i(tap[2 * s + 1] + at);
      lo = _mm256_add_epi32(lo, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), out_load_i(k->w + 64 * s)));
      hi = _mm256_add_epi32(hi, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), out_load_i(k->w + 64 * s + 32)));
    }
    __m256i first = _mm256_add_epi32(_mm256_permute2x128_si256(lo, hi, 0x20), b0);
    __m256i second = _mm256_add_epi32(_mm256_permute2x128_si256(lo, hi, 0x31), b1);
    _mm256_storeu_si256((__m256i *)(void *)sum, first);
    _mm256_storeu_si256((__m256i *)(void *)(sum + other), second);
  }
}

/* The same for nine taps: everything stays in registers. */
static void sums_9(const dw_block *k, const int16_t *const *taps, int64_t at, int64_t step, int64_t n, int32_t *sum) {
  const int16_t *tap[10];
  for (int i = 0; i < 10; i++) tap[i] = taps[i];
  sums(k, tap, 5, at, step, n, sum);
}

static void dw_sums(const dw_block *k, const int16_t *const *tap, int slots, int64_t at, int64_t step, int64_t n,
                    int32_t *sum) {
  if (slots == 10)
    sums_9(k, tap, at, step, n, sum);
  else
    sums(k, tap, slots / 2, at, step, n, sum);
}

OUT_INLINE void dw_out(const dw_block *k, const whet_dw_q8 *p, const int32_t *sum, int64_t n, const uint8_t *table,
                       char *out) {
  out_ready_tile(&k->ready, &p->out, &k->f, sum, n, k->n, table, out, p->out_pitch);
}

static void dw_ready(const whet_dw_q8 *p, const whet_dw_q8_layout *l, const char *pack, void *own) {
  (void)p, (void)l, (void)pack, (void)own;
}

#include "kern/x86/dw_q8_ring.h"

const whet_kern whet_k_dw_q8__avx2_pairs = {.name = "dw_q8__avx2_pairs",
                                            .isa = WHET_ISA_AVX2,
                                            .form = WHET_DW_Q8_PAIRS,
                                            .exact = 1,
                                            .scratch = dw_scratch,
                                            .run = dw_run};
