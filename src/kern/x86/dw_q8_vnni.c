/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8 on AVX-512 VNNI: 64 channels at a time. Four taps are interleaved byte by byte, so that one vpdpbusd
 * adds four products to each of 16 channels; the order in which channels come to stand is undone by packing the
 * results, and bias and factors are packed in it.
 *
 * Kernels of up to four rows slide: a column of taps is interleaved once and serves every result that it touches. */

#include "kern/dw_q8.h"
#include "kern/x86/out_q8_avx512.h"

#define UNROLL _Pragma("GCC unroll 16")
#define DOT(acc, u, w) __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "v"(w))

/* Four rows of 64 bytes as 64 groups of four bytes. */
OUT_INLINE void interleave(__m512i a, __m512i b, __m512i c, __m512i d, __m512i to[4]) {
  __m512i ab0 = _mm512_unpacklo_epi8(a, b), ab1 = _mm512_unpackhi_epi8(a, b);
  __m512i cd0 = _mm512_unpacklo_epi8(c, d), cd1 = _mm512_unpackhi_epi8(c, d);
  to[0] = _mm512_unpacklo_epi16(ab0, cd0);
  to[1] = _mm512_unpackhi_epi16(ab0, cd0);
  to[2] = _mm512_unpacklo_epi16(ab1, cd1);
  to[3] = _mm512_unpackhi_epi16(ab1, cd1);
}

/* What is the same for all results of a call. */
typedef struct dw_run {
  const whet_dw_q8 *p;
  whet_dw_q8_layout l;
  const char *pack;
  const uint8_t *table;
  const uint8_t *outside; /* a pixel of zero points, as the activations are stored */
  __m512i turn;           /* top bits of signed activations */
} dw_run;

/* 64 channels of one result: rescale, narrow in the order of interleaving, look up, store. */
OUT_INLINE void finish(const dw_run *d, __m512i acc[4], const whet_factors *f, const out_bound *b, int64_t c,
                       int64_t n, uint8_t *out, int how) {
  __m512i v[4];
  UNROLL for (int j = 0; j < 4; j++) {
    out_factor g = out_load(f, c + 16 * j, how);
    v[j] = out_rescale(acc[j], &g, how);
  }
  __m512i x = out_narrow(v, b);
  if (d->p->out.table) {
    out_table t = out_table_load(d->table);
    x = out_lookup(x, &t);
  }
  out_store(out, x, n);
}

/* Where the taps of kernel row i lie for output row y: the row's first pixel, or the outside pixel over and over. */
static const uint8_t *row_at(const dw_run *d, const uint8_t *in, int64_t y, int64_t i, int64_t *step) {
  const whet_dw_q8 *p = d->p;
  int64_t iy = y * p->stride_h - p->pad_top + i * p->dil_h;
  bool inside = iy >= 0 && iy < p->in_h;
  *step = inside ? p->in_pitch : 0;
  return inside ? in + iy * p->in_w * p->in_pitch : d->outside;
}

/* Column x of three kernel rows, channels from c on. */
OUT_INLINE void column(const dw_run *d, const uint8_t *const row[3], const int64_t step[3], int64_t x, int64_t c,
                       __mmask64 m, __m512i to[4]) {
  const __m512i z = _mm512_setzero_si512();
  if (x < 0 || x >= d->p->in_w) {
    to[0] = to[1] = to[2] = to[3] = _mm512_set1_epi8((char)d->p->in_zero);
    return;
  }
  __m512i r[3];
  UNROLL for (int i = 0; i < 3; i++) r[i] =
      _mm512_xor_si512(_mm512_maskz_loadu_epi8(m, row[i] + x * step[i] + c), d->turn);
  interleave(r[0], r[1], r[2], z, to);
}

/* One output row of a 3 x 3 kernel with step 1 or 2, channels [c, c + 64). */
OUT_INLINE void slide_row(const dw_run *d, const uint8_t *const row[3], const int64_t step[3], int64_t c,
                          uint8_t *out, int stride, int how) {
  const whet_dw_q8 *p = d->p;
  int64_t n = whet__min_i(64, p->channels - c);
  __mmask64 m = ~UINT64_C(0) >> (64 - n);
  const int32_t *bias = (const int32_t *)(const void *)d->pack + c;
  const char *weights = d->pack + d->l.weights + c / 64 * d->l.slots * 64;
  whet_factors f = whet__factors_at(&p->out, d->pack + d->l.factors, d->l.n, 0);
  out_bound b = out_bounds(&p->out);
  __m512i w[3][4], a[3][4];
  UNROLL for (int k = 0; k < 3; k++) UNROLL for (int j = 0; j < 4; j++) w[k][j] =
      _mm512_loadu_si512(weights + (k * 4 + j) * 64);
  int64_t x = -p->pad_left;
  column(d, row, step, x, c, m, a[0]);
  if (stride == 1) column(d, row, step, x + 1, c, m, a[1]);
  for (int64_t o = 0; o < p->out_w; o++, x += stride, out += p->out_pitch) {
    if (stride == 2) column(d, row, step, x + 1, c, m, a[1]);
    column(d, row, step, x + 2, c, m, a[2]);
    __m512i acc[4];
    UNROLL for (int j = 0; j < 4; j++) {
      acc[j] = _mm512_loadu_si512(bias + 16 * j);
      UNROLL for (int k = 0; k < 3; k++) DOT(acc[j], a[k][j], w[k][j]);
      a[0][j] = a[stride][j];
      a[1][j] = a[2][j];
    }
    finish(d, acc, &f, &b, c, n, out + c, how);
  }
}

/* One result of any kernel: tap[] points at the pixels that it reads, slots a multiple of 4. */
OUT_INLINE void gather_result(const dw_run *d, const uint8_t *const *tap, uint8_t *out, int how) {
  const whet_dw_q8 *p = d->p;
  whet_factors f = whet__factors_at(&p->out, d->pack + d->l.factors, d->l.n, 0);
  out_bound b = out_bounds(&p->out);
  for (int64_t c = 0; c < p->channels; c += 64) {
    int64_t n = whet__min_i(64, p->channels - c);
    __mmask64 m = ~UINT64_C(0) >> (64 - n);
    const char *weights = d->pack + d->l.weights + c / 64 * d->l.slots * 64;
    __m512i acc[4];
    UNROLL for (int j = 0; j < 4; j++) acc[j] =
        _mm512_loadu_si512((const int32_t *)(const void *)d->pack + c + 16 * j);
    for (int64_t s = 0; s < d->l.slots; s += 4, weights += 256) {
      __m512i r[4], q[4];
      UNROLL for (int i = 0; i < 4; i++) r[i] = _mm512_xor_si512(_mm512_maskz_loadu_epi8(m, tap[s + i] + c), d->turn);
      interleave(r[0], r[1], r[2], r[3], q);
      UNROLL for (int j = 0; j < 4; j++) DOT(acc[j], q[j], _mm512_loadu_si512(weights + 64 * j));
    }
    finish(d, acc, &f, &b, c, n, out + c, how);
  }
}

/* The pixels that result (y, x) of an image reads, in the order of the packed slots. */
static void gather(const dw_run *d, const uint8_t *in, int64_t y, int64_t x, const uint8_t **tap) {
  const whet_dw_q8 *p = d->p;
  bool down = p->kh <= 4;
  for (int64_t s = 0; s < d->l.slots; s++) {
    int64_t i = down ? s % 4 : s / p->kw, j = down ? s / 4 : s % p->kw;
    int64_t iy = y * p->stride_h - p->pad_top + i * p->dil_h, ix = x * p->stride_w - p->pad_left + j * p->dil_w;
    bool inside = i < p->kh && iy >= 0 && iy < p->in_h && ix >= 0 && ix < p->in_w;
    tap[s] = inside ? in + (iy * p->in_w + ix) * p->in_pitch : d->outside;
  }
}

/* Output row y of an image, channels [c, c + 64) when the kernel slides, all channels otherwise. */
OUT_INLINE void one_row(const dw_run *d, const uint8_t *in, int64_t y, int64_t c, uint8_t *out, bool slide, int how,
                        const uint8_t **tap) {
  const whet_dw_q8 *p = d->p;
  if (slide) {
    const uint8_t *row[3];
    int64_t step[3];
    for (int i = 0; i < 3; i++) row[i] = row_at(d, in, y, i, &step[i]);
    if (p->stride_w == 1)
      slide_row(d, row, step, c, out, 1, how);
    else
      slide_row(d, row, step, c, out, 2, how);
    return;
  }
  for (int64_t x = 0; x < p->out_w; x++) {
    gather(d, in, y, x, tap);
    gather_result(d, tap, out + x * p->out_pitch, how);
  }
}

#define ROW(name, how)                                                                                       \
  static __attribute__((noinline)) void row_##name(const dw_run *d, const uint8_t *in, int64_t y, int64_t c, \
                                                   uint8_t *out, bool slide, const uint8_t **tap) {          \
    one_row(d, in, y, c, out, slide, how, tap);                                                              \
  }
ROW(quick, OUT_QUICK)
ROW(up, OUT_UP)
ROW(fix, OUT_FIX)
ROW(real, OUT_REAL)
ROW(real32, OUT_REAL32)

static bool slides(const whet_dw_q8 *p) { return p->kh == 3 && p->kw == 3 && p->stride_w <= 2 && p->dil_w == 1; }

static bool fits(const void *params) {
  const whet_dw_q8 *p = params;
  return !p->w_zeros && (p->out.dtype == WHET_U8 || p->out.dtype == WHET_S8) &&
         (p->out.round == WHET_ROUND_TFL_FIX || p->out.round == WHET_ROUND_TFL_REAL ||
          p->out.round == WHET_ROUND_ONNX_REAL);
}

/* A pixel of zero points, then the pointers of one result. */
static size_t scratch(const void *params) {
  const whet_dw_q8 *p = params;
  whet_dw_q8_layout l = whet__dw_q8_layout_of(p, WHET_DW_Q8_DOTS);
  return (size_t)l.n + (size_t)l.slots * sizeof(void *);
}

/* Part of a call: rows of all images, for a sliding kernel each block of channels on its own. */
static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_dw_q8 *p = params;
  char *own = whet__part_scratch(ptr[4], scratch(p), part);
  dw_run d = {p,
              whet__dw_q8_layout_of(p, WHET_DW_Q8_DOTS),
              ptr[1],
              ptr[3],
              (uint8_t *)own,
              p->in_signed ? _mm512_set1_epi8((char)0x80) : _mm512_setzero_si512()};
  memset(own, p->in_zero ^ (p->in_signed ? 0x80 : 0), (size_t)d.l.n);
  const uint8_t **tap = (const uint8_t **)(void *)(own + d.l.n);
  bool slide = slides(p);
  static void (*const rows_of[])(const dw_run *, const uint8_t *, int64_t, int64_t, uint8_t *, bool,
                                 const uint8_t **) = {row_quick, row_up, row_fix, row_real, row_real32};
  void (*row)(const dw_run *, const uint8_t *, int64_t, int64_t, uint8_t *, bool, const uint8_t **) =
      rows_of[out_way(&p->out)];
  int64_t rows = (int64_t)p->images * p->out_h, blocks = slide ? whet__ceil_div(p->channels, 64) : 1, from, to;
  whet__split(rows * blocks, part, parts, &from, &to);
  for (; from < to; from++) {
    int64_t c = from / rows * 64, r = from % rows, image = r / p->out_h;
    row(&d, (const uint8_t *)ptr[0] + image * p->in_h * p->in_w * p->in_pitch, r % p->out_h, c,
        (uint8_t *)ptr[2] + r * p->out_w * p->out_pitch, slide, tap);
  }
}

const whet_kern whet_k_dw_q8__vnni_dots = {.name = "dw_q8__vnni_dots",
                                           .isa = WHET_ISA_VNNI | WHET_ISA_AVX512,
                                           .form = WHET_DW_Q8_DOTS,
                                           .exact = 1,
                                           .fits = fits,
                                           .scratch = scratch,
                                           .run = run};
