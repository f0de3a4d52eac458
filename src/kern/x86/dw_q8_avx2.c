/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8 on AVX2: activations of two taps are widened to 16 bits and interleaved, so that one vpmaddwd adds two
 * exact products to each channel; 16 channels at a time. */

#include "kern/dw_q8.h"
#include "kern/x86/out_q8_avx2.h"

/* What is the same for all results of a call. */
typedef struct dw_run {
  const whet_dw_q8 *p;
  whet_dw_q8_layout l;
  const char *pack;
  const uint8_t *table, *outside; /* outside: a pixel of zero points, as the activations are stored */
  const uint8_t **tap;            /* the pixels that one result reads */
  __m128i turn;                   /* top bits of signed activations */
} dw_run;

/* n <= 16 activations as unsigned 16-bit numbers. */
OUT_INLINE __m256i widen(const dw_run *d, const uint8_t *p, int64_t n) {
  __m128i x;
  if (n == 16) {
    x = _mm_loadu_si128((const __m128i *)(const void *)p);
  } else {
    uint8_t t[16] = {0};
    memcpy(t, p, (size_t)n);
    x = _mm_loadu_si128((const __m128i *)(const void *)t);
  }
  return _mm256_cvtepu8_epi16(_mm_xor_si128(x, d->turn));
}

/* Sums of channels [c, c + n), n <= 16. */
OUT_INLINE void sums(const dw_run *d, int64_t c, int64_t n, int32_t *sum) {
  const char *w = d->pack + d->l.weights + c * d->l.slots * 2;
  __m256i lo = _mm256_setzero_si256(), hi = lo;
  for (int64_t s = 0; s < d->l.slots; s += 2, w += 64) {
    __m256i a = widen(d, d->tap[s] + c, n), b = widen(d, d->tap[s + 1] + c, n);
    lo = _mm256_add_epi32(lo, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), out_load_i(w)));
    hi = _mm256_add_epi32(hi, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), out_load_i(w + 32)));
  }
  const int32_t *bias = (const int32_t *)(const void *)d->pack + c;
  __m256i first = _mm256_add_epi32(_mm256_permute2x128_si256(lo, hi, 0x20), out_load_i(bias));
  __m256i second = _mm256_add_epi32(_mm256_permute2x128_si256(lo, hi, 0x31), out_load_i(bias + 8));
  _mm256_storeu_si256((__m256i *)(void *)sum, first);
  _mm256_storeu_si256((__m256i *)(void *)(sum + 8), second);
}

/* The pixels that result (y, x) of an image reads. */
static void gather(const dw_run *d, const uint8_t *in, int64_t y, int64_t x) {
  const whet_dw_q8 *p = d->p;
  for (int64_t s = 0; s < d->l.slots; s++) {
    int64_t iy = y * p->stride_h - p->pad_top + s / p->kw * p->dil_h;
    int64_t ix = x * p->stride_w - p->pad_left + s % p->kw * p->dil_w;
    bool inside = s < d->l.taps && iy >= 0 && iy < p->in_h && ix >= 0 && ix < p->in_w;
    d->tap[s] = inside ? in + (iy * p->in_w + ix) * p->in_pitch : d->outside;
  }
}

static size_t scratch(const void *params) {
  const whet_dw_q8 *p = params;
  whet_dw_q8_layout l = whet__dw_q8_layout_of(p, WHET_DW_Q8_PAIRS);
  return (size_t)l.n + (size_t)l.slots * sizeof(void *);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_dw_q8 *p = params;
  char *own = whet__part_scratch(ptr[4], scratch(p), part);
  dw_run d = {.p = p, .l = whet__dw_q8_layout_of(p, WHET_DW_Q8_PAIRS), .pack = ptr[1], .table = ptr[3]};
  d.outside = (uint8_t *)own;
  d.tap = (const uint8_t **)(void *)(own + d.l.n);
  d.turn = p->in_signed ? _mm_set1_epi8((char)0x80) : _mm_setzero_si128();
  memset(own, p->in_zero ^ (p->in_signed ? 0x80 : 0), (size_t)d.l.n);
  size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  int64_t from, to;
  whet__split((int64_t)p->images * p->out_h * p->out_w, part, parts, &from, &to);
  for (; from < to; from++) {
    int64_t row = from / p->out_w, image = row / p->out_h;
    gather(&d, (const uint8_t *)ptr[0] + image * p->in_h * p->in_w * p->in_pitch, row % p->out_h, from % p->out_w);
    for (int64_t c = 0; c < p->channels; c += 64) {
      int32_t sum[64];
      int64_t n = whet__min_i(64, p->channels - c), k = 0;
      for (; k + 16 <= n; k += 16) sums(&d, c + k, 16, sum + k);
      if (k < n) sums(&d, c + k, n - k, sum + k);
      whet_factors f = whet__factors_at(&p->out, d.pack + d.l.factors, d.l.n, c);
      out_tile(&p->out, &f, sum, 64, 1, n, d.table, (char *)ptr[2] + (size_t)(from * p->out_pitch + c) * bytes, 0);
    }
  }
}

const whet_kern whet_k_dw_q8__avx2_pairs = {.name = "dw_q8__avx2_pairs",
                                            .isa = WHET_ISA_AVX2,
                                            .form = WHET_DW_Q8_PAIRS,
                                            .exact = 1,
                                            .scratch = scratch,
                                            .run = run};
