/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8 on AVX-512 without dot products of bytes: activations and weights are floats. Products of two bytes
 * and sums of up to 258 of them stay below 2^24, so that every step of a multiply-add is exact; the bias is added to
 * integers. A block of 16 channels runs along a row with its weights at hand. */

#include "kern/dw_q8.h"
#include "kern/x86/out_q8_avx512.h"

enum { MOST = (1 << 24) / (255 * 255) }; /* taps */

typedef float dw_elem;
#define DW_FORM WHET_DW_Q8_TAPS
#define DW_OWN(l) ((size_t)((l).taps * (l).n) * sizeof(float)) /* weights as floats */

static inline bool dw_two(const whet_dw_q8 *p) { return (void)p, false; }
static void dw_widen(const uint8_t *from, int64_t n, bool is_signed, float *to) {
  const __m128i turn = _mm_set1_epi8((char)(is_signed ? 0x80 : 0));
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 m = (__mmask16)_bzhi_u32(0xffff, (unsigned)whet__min_i(16, n - i));
    const __m128i x = _mm_xor_si128(_mm_maskz_loadu_epi8(m, from + i), turn);
    _mm512_mask_storeu_ps(to + i, m, _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(x)));
  }
}

static void dw_ready(const whet_dw_q8 *p, const whet_dw_q8_layout *l, const char *pack, void *own) {
  const int16_t *w = (const int16_t *)(const void *)(pack + l->weights);
  float *to = own;
  (void)p;
  for (int64_t i = 0; i < l->taps * l->n; i += 16) {
    const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(w + i));
    _mm512_storeu_ps(to + i, _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(x)));
  }
}

typedef struct dw_block {
  int64_t n, far; /* channels; from tap to tap of weights */
  const float *w;
  const int32_t *bias;
  whet_factors f;
} dw_block;
static void dw_block_of(dw_block *k, const whet_dw_q8 *p, const whet_dw_q8_layout *l, const void *own,
                        const char *pack, int64_t b, const uint8_t *table) {
  (void)table;
  const whet_factors f = whet__factors_at(&p->out, pack + l->factors, l->n, b);
  *k = (dw_block){whet__min_i(16, p->channels - b), l->n, (const float *)own + b,
                  (const int32_t *)(const void *)pack + b, f};
}

/* taps: a constant where it is called, at most 25, whose weights stand in registers. */
OUT_INLINE void few(const dw_block *k, const float *const *tap, const int taps, int64_t at, int64_t step, int64_t n,
                    int32_t *sum) {
  const __m512i b = _mm512_loadu_si512(k->bias);
  const float *x[25];
  __m512 w[25];
  _Pragma("GCC unroll 32") for (int t = 0; t < taps; t++) w[t] = _mm512_loadu_ps(k->w + t * k->far),
                                                          x[t] = tap[t] + at;
  for (int64_t i = 0; i < n * step; i += step, sum += 16) {
    __m512 acc = _mm512_mul_ps(_mm512_loadu_ps(x[0] + i), w[0]);
    _Pragma("GCC unroll 32") for (int t = 1; t < taps; t++) acc =
        _mm512_fmadd_ps(_mm512_loadu_ps(x[t] + i), w[t], acc);
    _mm512_storeu_si512(sum, _mm512_add_epi32(_mm512_cvtps_epi32(acc), b));
  }
}
static void dw_sums(const dw_block *k, const float *const *tap, int taps, int64_t at, int64_t step, int64_t n,
                    int32_t *sum) {
  const __m512i b = _mm512_loadu_si512(k->bias);
  if (taps == 9) {
    few(k, tap, 9, at, step, n, sum);
    return;
  }
  if (taps == 25) {
    few(k, tap, 25, at, step, n, sum);
    return;
  }
  for (int64_t i = 0; i < n * step; i += step, sum += 16) {
    __m512 acc = _mm512_setzero_ps();
    for (int t = 0; t < taps; t++)
      acc = _mm512_fmadd_ps(_mm512_loadu_ps(tap[t] + at + i), _mm512_loadu_ps(k->w + t * k->far), acc);
    _mm512_storeu_si512(sum, _mm512_add_epi32(_mm512_cvtps_epi32(acc), b));
  }
}

OUT_INLINE void dw_out(const dw_block *k, const whet_dw_q8 *p, const int32_t *sum, int64_t n, const uint8_t *table,
                       char *out) {
  out_tile(&p->out, &k->f, sum, 16, n, k->n, table, out, p->out_pitch);
}

#include "kern/x86/dw_q8_ring.h"

static bool fits(const void *params) {
  const whet_dw_q8 *p = params;
  return (int64_t)p->kh * p->kw <= MOST;
}

const whet_kern whet_k_dw_q8__avx512_floats = {.name = "dw_q8__avx512_floats",
                                               .isa = WHET_ISA_AVX512,
                                               .form = WHET_DW_Q8_TAPS,
                                               .exact = 1,
                                               .fits = fits,
                                               .scratch = dw_scratch,
                                               .run = dw_run};
