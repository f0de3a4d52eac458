/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8 on AVX2: activations of two taps are interleaved as 16-bit numbers, so that one vpmaddwd adds two exact
 * products to each channel; 16 channels at a time.
 *
 * The input rows under a row of results are held in a ring, each brought in once: widened, borders filled with the zero
 * point, channels rounded up to 16. Then a block of channels runs along the row with its weights at hand. */

#include "kern/dw_q8.h"
#include "kern/x86/out_q8_avx2.h"

enum { CHUNK = 32 }; /* results whose sums are stored before they are rescaled */

/* How a call is cut; a function of the parameters only. */
typedef struct dw_cut {
  whet_dw_q8_layout l;
  int64_t wide, px, len, ring;                    /* channels and pixels of a row in the ring, its elements; rows */
  size_t zero_at, have_at, row_at, tap_at, bytes; /* offsets in scratch: the ring comes first */
} dw_cut;

static dw_cut cut_for(const whet_dw_q8 *p) {
  dw_cut c = {.l = whet__dw_q8_layout_of(p, WHET_DW_Q8_PAIRS)};
  c.wide = (int64_t)whet__round_up((size_t)p->channels, 16);
  c.px = (int64_t)(p->out_w - 1) * p->stride_w + (int64_t)(p->kw - 1) * p->dil_w + 1;
  c.len = c.px * c.wide;
  c.ring = (int64_t)(p->kh - 1) * p->dil_h + 1;
  c.zero_at = (size_t)(c.ring * c.len) * sizeof(int16_t);
  c.have_at = c.zero_at + (size_t)c.len * sizeof(int16_t);
  c.row_at = c.have_at + (size_t)c.ring * sizeof(int64_t);
  c.tap_at = c.row_at + (size_t)p->kh * sizeof(void *);
  c.bytes = c.tap_at + (size_t)c.l.slots * sizeof(void *);
  return c;
}

static size_t scratch(const void *params) { return cut_for(params).bytes; }

static void fill(int16_t *to, int64_t n, int32_t v) {
  for (int64_t i = 0; i < n; i++) to[i] = (int16_t)v;
}

/* n bytes as unsigned 16-bit numbers; turn: the top bit of signed ones. */
static void widen(const uint8_t *from, int64_t n, __m128i turn, int16_t *to) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m128i x = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)(from + i)), turn);
    _mm256_storeu_si256((__m256i *)(void *)(to + i), _mm256_cvtepu8_epi16(x));
  }
  for (; i < n; i++) to[i] = from[i] ^ (uint8_t)_mm_extract_epi8(turn, 0);
}

/* A row of the picture into the ring. */
static void bring(const whet_dw_q8 *p, const dw_cut *c, const uint8_t *in, int16_t *to) {
  __m128i turn = _mm_set1_epi8((char)(p->in_signed ? 0x80 : 0));
  int64_t a = whet__min_i(p->pad_left, c->px), b = whet__clamp_i(p->in_w + p->pad_left, a, c->px);
  fill(to, a * c->wide, p->in_zero);
  if (p->in_pitch == c->wide)
    widen(in, (b - a - 1) * c->wide + p->channels, turn, to + a * c->wide);
  else
    for (int64_t x = a; x < b; x++) widen(in + (x - a) * p->in_pitch, p->channels, turn, to + x * c->wide);
  fill(to + b * c->wide, (c->px - b) * c->wide, p->in_zero);
}

/* Sums of 16 channels of n results `step` elements apart, two taps at a time; w: their weights. */
OUT_INLINE void sums(const int16_t *const *tap, int64_t pairs, const char *w, const int32_t *bias, int64_t at,
                     int64_t step, int64_t n, int32_t *sum) {
  const __m256i b0 = out_load_i(bias), b1 = out_load_i(bias + 8);
  for (int64_t x = 0; x < n; x++, at += step, sum += 16) {
    __m256i lo = _mm256_setzero_si256(), hi = lo;
    for (int64_t s = 0; s < pairs; s++) {
      __m256i a = out_load_i(tap[2 * s] + at), b = out_load_i(tap[2 * s + 1] + at);
      lo = _mm256_add_epi32(lo, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), out_load_i(w + 64 * s)));
      hi = _mm256_add_epi32(hi, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), out_load_i(w + 64 * s + 32)));
    }
    __m256i first = _mm256_add_epi32(_mm256_permute2x128_si256(lo, hi, 0x20), b0);
    __m256i second = _mm256_add_epi32(_mm256_permute2x128_si256(lo, hi, 0x31), b1);
    _mm256_storeu_si256((__m256i *)(void *)sum, first);
    _mm256_storeu_si256((__m256i *)(void *)(sum + 8), second);
  }
}

/* The same for nine taps: everything stays in registers. */
static void sums_9(const int16_t *const *taps, const char *w, const int32_t *bias, int64_t at, int64_t step,
                   int64_t n, int32_t *sum) {
  const int16_t *tap[10];
  for (int i = 0; i < 10; i++) tap[i] = taps[i];
  sums(tap, 5, w, bias, at, step, n, sum);
}

/* A row of results whose input rows are there. */
static void one_row(const whet_dw_q8 *p, const dw_cut *c, const int16_t *const *row, const int16_t **tap,
                    const char *pack, const uint8_t *table, char *out) {
  int64_t pairs = c->l.slots / 2, step = p->stride_w * c->wide;
  size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  for (int64_t b = 0; b < p->channels; b += 16) {
    int32_t sum[CHUNK * 16];
    const char *w = pack + c->l.weights + b * c->l.slots * 2;
    const int32_t *bias = (const int32_t *)(const void *)pack + b;
    whet_factors f = whet__factors_at(&p->out, pack + c->l.factors, c->l.n, b);
    whet_out_ready_avx2 ready;
    out_ready(&ready, &p->out, &f, whet__min_i(16, p->channels - b));
    for (int64_t s = 0; s < c->l.slots; s++) /* a slot that is no tap has weight 0 */
      tap[s] = s < c->l.taps ? row[s / p->kw] + s % p->kw * p->dil_w * c->wide + b : row[0] + b;
    for (int64_t x = 0; x < p->out_w; x += CHUNK) {
      int64_t n = whet__min_i(CHUNK, p->out_w - x);
      if (pairs == 5)
        sums_9(tap, w, bias, x * step, step, n, sum);
      else
        sums(tap, pairs, w, bias, x * step, step, n, sum);
      char *to = out + (size_t)(x * p->out_pitch + b) * bytes;
      if (ready.make)
        ready.make(&ready, sum, n, (uint8_t *)to, p->out_pitch);
      else
        out_tile(&p->out, &f, sum, 16, n, whet__min_i(16, p->channels - b), table, to, p->out_pitch);
    }
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_dw_q8 *p = params;
  dw_cut c = cut_for(p);
  char *own = whet__part_scratch(ptr[4], c.bytes, part);
  int16_t *ring = (int16_t *)(void *)own, *zero = (int16_t *)(void *)(own + c.zero_at);
  int64_t *have = (int64_t *)(void *)(own + c.have_at), from, to;
  const int16_t **row = (const int16_t **)(void *)(own + c.row_at), **tap = (const int16_t **)(void *)(own + c.tap_at);
  size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  fill(zero, c.len, p->in_zero);
  for (int64_t i = 0; i < c.ring; i++) have[i] = -1;
  memset(ring, 0, (size_t)(c.ring * c.len) * sizeof *ring); /* channels that fill a block up are never written */
  whet__split((int64_t)p->images * p->out_h, part, parts, &from, &to);
  for (; from < to; from++) {
    int64_t image = from / p->out_h, y = from % p->out_h;
    for (int64_t i = 0; i < p->kh; i++) {
      int64_t iy = y * p->stride_h - p->pad_top + i * p->dil_h, id = image * p->in_h + iy;
      row[i] = zero;
      if (iy < 0 || iy >= p->in_h) continue;
      int16_t *at = ring + iy % c.ring * c.len;
      if (have[iy % c.ring] != id) bring(p, &c, (const uint8_t *)ptr[0] + id * p->in_w * p->in_pitch, at);
      have[iy % c.ring] = id;
      row[i] = at;
    }
    one_row(p, &c, row, tap, ptr[1], ptr[3], (char *)ptr[2] + (size_t)(from * p->out_w * p->out_pitch) * bytes);
  }
}

const whet_kern whet_k_dw_q8__avx2_pairs = {.name = "dw_q8__avx2_pairs",
                                            .isa = WHET_ISA_AVX2,
                                            .form = WHET_DW_Q8_PAIRS,
                                            .exact = 1,
                                            .scratch = scratch,
                                            .run = run};
