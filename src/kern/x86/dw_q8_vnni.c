/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8 on AVX-512 VNNI: 64 channels at a time. Four taps are interleaved byte by byte, so that one vpdpbusd
 * adds four products to each of 16 channels; the order in which channels come to stand is undone by packing the
 * results, and bias and factors are packed in it.
 *
 * Kernels of 3 x 3 and 5 x 5 slide along a row: a column of taps is interleaved once and serves every result that it
 * touches. Where a picture has fewer than 64 channels, or a last block of at most 32, a register holds that block for
 * two or four output rows one below the other; with 8 channels, for two neighbours of four rows. Sums of some results
 * are stored, then rescaled with the factors in registers. */

#include "kern/dw_q8.h"
#include "kern/x86/out_q8_avx512.h"

#define UNROLL _Pragma("GCC unroll 16")
#define DOT(acc, u, w) __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "v"(w))
#define DOT_MEM(acc, u, p) __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "m"(*(const __m512i *)(p)))

enum { CHUNK = 32, ROWS = 4 }; /* results whose sums are stored before they are rescaled; output rows in a register */

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
  whet_dw_q8 p;
  whet_dw_q8_layout l;
  const char *pack;
  const uint8_t *table;
  const uint8_t *outside; /* pixels of zero points, as the activations are stored */
  __m512i turn;           /* top bits of signed activations */
  __m512i zero;           /* zero points, as the activations are stored */
} dw_run;

/* A block of channels of some output rows, while its kernel slides. */
typedef struct dw_block {
  const uint8_t *row[5 * ROWS]; /* kernel row i of output row g at [i * ROWS + g]: channel 0 of the block, pixel 0 */
  int64_t step[5 * ROWS];       /* from pixel to pixel; 0 outside the picture */
  uint8_t *out[ROWS];           /* NULL: there is no such row */
  const char *weights;
  const int32_t *bias, *w_zero;
  whet_factors factors;
  int64_t n; /* channels; with two neighbours in a register, of both */
} dw_block;

/* Store the bytes of result x, `rows` output rows in a register. */
OUT_INLINE void put(const dw_block *k, __m512i y, int64_t x, int rows, int64_t pitch) {
  if (rows == 1) {
    out_store(k->out[0] + x * pitch, y, k->n);
  } else if (rows == 2) {
    __mmask32 m = (__mmask32)_bzhi_u32(~0u, (unsigned)k->n);
    if (k->out[0]) _mm256_mask_storeu_epi8(k->out[0] + x * pitch, m, _mm512_castsi512_si256(y));
    if (k->out[1]) _mm256_mask_storeu_epi8(k->out[1] + x * pitch, m, _mm512_extracti64x4_epi64(y, 1));
  } else {
    __mmask16 m = (__mmask16)_bzhi_u32(0xffff, (unsigned)k->n);
    if (k->out[0]) _mm_mask_storeu_epi8(k->out[0] + x * pitch, m, _mm512_castsi512_si128(y));
    if (k->out[1]) _mm_mask_storeu_epi8(k->out[1] + x * pitch, m, _mm512_extracti32x4_epi32(y, 1));
    if (k->out[2]) _mm_mask_storeu_epi8(k->out[2] + x * pitch, m, _mm512_extracti32x4_epi32(y, 2));
    if (k->out[3]) _mm_mask_storeu_epi8(k->out[3] + x * pitch, m, _mm512_extracti32x4_epi32(y, 3));
  }
}

/* Sums to bytes: `count` results of one block, `rows` output rows in a register, from result x on. */
OUT_INLINE void store_sums(const dw_run *d, const dw_block *k, const int32_t *acc, int64_t x, int64_t count, int rows,
                           int64_t pitch, int how) {
  out_bound b = out_bounds(&d->p.out);
  out_factor g[4];
  out_table t;
  UNROLL for (int j = 0; j < 4; j++) g[j] = out_load(&k->factors, 16 * j, how);
  if (d->p.out.table) t = out_table_load(d->table);
  for (int64_t i = x; i < x + count; i++, acc += 64) {
    __m512i v[4];
    UNROLL for (int j = 0; j < 4; j++) v[j] = out_rescale(_mm512_load_si512(acc + 16 * j), &g[j], how);
    __m512i y = out_narrow(v, &b);
    if (d->p.out.table) y = out_lookup(y, &t);
    put(k, y, i, rows, pitch);
  }
}

#define STORE(how)                                                                                                 \
  static __attribute__((noinline)) void store_##how(const dw_run *d, const dw_block *k, const int32_t *acc,        \
                                                    int64_t x, int64_t count, int rows, int64_t pitch) {           \
    const dw_run run = *d;                                                                                         \
    const dw_block block = *k;                                                                                     \
    if (rows == 1)                                                                                                 \
      store_sums(&run, &block, acc, x, count, 1, pitch, how);                                                              \
    else                                                                                                           \
      store_sums(&run, &block, acc, x, count, rows == 2 ? 2 : 4, pitch, how);                                              \
  }
OUT_EACH_WAY(STORE)
typedef void (*store_fn)(const dw_run *d, const dw_block *k, const int32_t *acc, int64_t x, int64_t count, int rows,
                         int64_t pitch);
#define STORE_NAME(how) store_##how,
static const store_fn stores[] = {OUT_EACH_WAY(STORE_NAME)};

/* Kernel row i at column x of all output rows of a register: 64 bytes as unsigned numbers. inside: 0 where the column
 * lies beside the picture; with two neighbours in a register bit 0 is the one at x, bit 1 the one after it. */
OUT_INLINE __m512i load(const dw_run *d, const dw_block *k, int i, int64_t x, int inside, int rows, bool two) {
  const uint8_t *const *at = k->row + i * ROWS;
  const int64_t *step = k->step + i * ROWS;
  __m512i v;
  if (rows == 1 && k->n == 64) { /* a mask of bytes takes a port of the products */
    v = _mm512_loadu_si512(at[0] + x * step[0]);
  } else if (rows == 1) {
    v = _mm512_maskz_loadu_epi8(~UINT64_C(0) >> (64 - k->n), at[0] + x * step[0]);
  } else if (rows == 2) {
    __mmask32 m = (__mmask32)_bzhi_u32(~0u, (unsigned)k->n);
    v = _mm512_castsi256_si512(_mm256_maskz_loadu_epi8(m, at[0] + x * step[0]));
    v = _mm512_inserti64x4(v, _mm256_maskz_loadu_epi8(m, at[1] + x * step[1]), 1);
  } else {
    __mmask16 m = two ? (__mmask16)((inside & 1) * 0xff + (inside >> 1) * 0xff00)
                      : (__mmask16)_bzhi_u32(0xffff, (unsigned)k->n);
    __m128i z = _mm512_castsi512_si128(d->zero);
    v = _mm512_castsi128_si512(_mm_mask_loadu_epi8(z, m, at[0] + x * step[0]));
    v = _mm512_inserti32x4(v, _mm_mask_loadu_epi8(z, m, at[1] + x * step[1]), 1);
    v = _mm512_inserti32x4(v, _mm_mask_loadu_epi8(z, m, at[2] + x * step[2]), 2);
    v = _mm512_inserti32x4(v, _mm_mask_loadu_epi8(z, m, at[3] + x * step[3]), 3);
  }
  return d->p.in_signed ? _mm512_xor_si512(v, d->turn) : v;
}

/* Is column x inside the picture; with two neighbours, which of them are? */
OUT_INLINE int inside_at(const dw_run *d, int64_t x, bool two) {
  int a = x >= 0 && x < d->p.in_w, b = x + 1 >= 0 && x + 1 < d->p.in_w;
  return two ? a + 2 * b : a;
}

/* Rows [i, i + n) of column x, interleaved; n is 3 or 4. */
OUT_INLINE void column(const dw_run *d, const dw_block *k, int n, int64_t x, int rows, bool two, __m512i to[4]) {
  int in = inside_at(d, x, two);
  if (!in) {
    to[0] = to[1] = to[2] = to[3] = _mm512_xor_si512(d->zero, d->turn);
    return;
  }
  __m512i r[4] = {[3] = _mm512_setzero_si512()};
  UNROLL for (int i = 0; i < n; i++) r[i] = load(d, k, i, x, in, rows, two);
  interleave(r[0], r[1], r[2], r[3], to);
}

/* Results [from, to) of a 3 x 3 kernel that moves by `by` columns: their bytes by way `how` with factors from memory; or,
 * how being -1, their sums. */
OUT_INLINE void slide_3(const dw_run *d, const dw_block *k, int64_t from, int64_t to, int32_t *restrict acc, int by,
                        int rows, bool two, bool zeros, int how) {
  const out_bound bound = out_bounds(&d->p.out);
  __m512i w[3][4], a[3][4];
  const __m512i ones = _mm512_set1_epi32(0x010101);
  UNROLL for (int c = 0; c < 3; c++) UNROLL for (int j = 0; j < 4; j++) w[c][j] =
      _mm512_loadu_si512(k->weights + (c * 4 + j) * 64);
  /* The first rounds only bring the columns that results before `from` would have left. */
  int64_t first = from - (by == 1 ? 2 : 1), x = first * by - d->p.pad_left;
  UNROLL for (int c = 0; c < 2; c++) UNROLL for (int j = 0; j < 4; j++) a[c][j] = _mm512_setzero_si512();
  for (int64_t o = first; o < to; o++, x += by) {
    if (by == 2) column(d, k, 3, x + 1, rows, two, a[1]);
    column(d, k, 3, x + 2, rows, two, a[2]);
    if (o < from) {
      UNROLL for (int j = 0; j < 4; j++) a[0][j] = a[by][j], a[1][j] = a[2][j];
      continue;
    }
    __m512i v[4];
    UNROLL for (int j = 0; j < 4; j++) {
      __m512i s = _mm512_loadu_si512(k->bias + 16 * j);
      UNROLL for (int c = 0; c < 3; c++) DOT(s, a[c][j], w[c][j]);
      if (zeros) {
        __m512i sum = _mm512_setzero_si512();
        UNROLL for (int c = 0; c < 3; c++) DOT(sum, a[c][j], ones);
        s = _mm512_sub_epi32(s, _mm512_mullo_epi32(sum, _mm512_loadu_si512(k->w_zero + 16 * j)));
      }
      if (how >= 0) {
        const out_factor f = out_load(&k->factors, 16 * j, how);
        v[j] = out_rescale(s, &f, how);
      } else {
        _mm512_store_si512(acc + 16 * j, s);
      }
      a[0][j] = a[by][j];
      a[1][j] = a[2][j];
    }
    if (how >= 0) {
      __m512i y = out_narrow(v, &bound);
      if (d->p.out.table) {
        out_table t = out_table_load(d->table);
        y = out_lookup(y, &t);
      }
      put(k, y, o, rows, d->p.out_pitch);
    }
    acc += 64;
  }
}

/* Four neighbours of kernel row 4 from column x on, interleaved. */
OUT_INLINE void across(const dw_run *d, const dw_block *k, int64_t x, int rows, __m512i to[4]) {
  __m512i r[4];
  UNROLL for (int i = 0; i < 4; i++) r[i] =
      inside_at(d, x + i, false) ? load(d, k, 4, x + i, 1, rows, false) : _mm512_xor_si512(d->zero, d->turn);
  interleave(r[0], r[1], r[2], r[3], to);
}

/* The same of a 5 x 5 kernel: rows 0 .. 3 by columns; four neighbours of row 4, the fifth as the last of the four that
 * begin one column later. */
OUT_INLINE void slide_5(const dw_run *d, const dw_block *k, int64_t from, int64_t to, int32_t *restrict acc, int by,
                        int rows) {
  __m512i a[5][4], low[4];
  int64_t first = from - (by == 1 ? 4 : 2), x = first * by - d->p.pad_left;
  UNROLL for (int c = 0; c < 5 - by; c++) UNROLL for (int j = 0; j < 4; j++) a[c][j] = _mm512_setzero_si512();
  UNROLL for (int j = 0; j < 4; j++) low[j] = _mm512_setzero_si512();
  for (int64_t o = first; o < to; o++, x += by) {
    __m512i next[4] = {low[0], low[1], low[2], low[3]};
    UNROLL for (int c = 5 - by; c < 5; c++) column(d, k, 4, x + c, rows, false, a[c]);
    if (o + 1 >= from) {
      if (by == 2) across(d, k, x, rows, low);
      across(d, k, x + 1, rows, next);
    }
    if (o < from) {
      UNROLL for (int c = 0; c < 5 - by; c++) UNROLL for (int j = 0; j < 4; j++) a[c][j] = a[c + by][j];
      UNROLL for (int j = 0; j < 4; j++) low[j] = next[j];
      continue;
    }
    UNROLL for (int j = 0; j < 4; j++) {
      __m512i s = _mm512_loadu_si512(k->bias + 16 * j), t = _mm512_setzero_si512();
      const char *w = k->weights + 64 * j;
      DOT_MEM(t, low[j], w + 5 * 256);
      DOT_MEM(s, next[j], w + 6 * 256);
      UNROLL for (int c = 0; c < 5; c++) {
        if (c % 2)
          DOT_MEM(s, a[c][j], w + c * 256);
        else
          DOT_MEM(t, a[c][j], w + c * 256);
      }
      _mm512_store_si512(acc + 16 * j, _mm512_add_epi32(s, t));
      UNROLL for (int c = 0; c < 5 - by; c++) a[c][j] = a[c + by][j];
      low[j] = next[j];
    }
    acc += 64;
  }
}

typedef void (*slide_fn)(const dw_run *restrict d, const dw_block *restrict k, int64_t from, int64_t to,
                         int32_t *restrict acc);
#define SLIDE_3(name, by, rows, two, zeros)                                                                    \
  static __attribute__((noinline)) void slide_3_##name(const dw_run *restrict d, const dw_block *restrict k,   \
                                                       int64_t from, int64_t to, int32_t *restrict acc) {      \
    slide_3(d, k, from, to, acc, by, rows, two, zeros, -1);                                                    \
  }
/* With copies of what is read, which no store of results can change; of one row it is 64 unsigned channels. */
#define SLIDE_3R(name, by, rows, how)                                                                          \
  static __attribute__((noinline)) void slide_3_##name(const dw_run *restrict d, const dw_block *restrict k,   \
                                                       int64_t from, int64_t to, int32_t *restrict acc) {      \
    dw_run run = *d;                                                                                           \
    dw_block block = *k;                                                                                       \
    if (rows == 1) run.p.in_signed = 0, block.n = 64;                                                          \
    slide_3(&run, &block, from, to, acc, by, rows, false, false, how);                                         \
  }
#define SLIDE_3S(by, rows)                     \
  SLIDE_3(by##_##rows, by, rows, false, false) \
  SLIDE_3R(by##_##rows##_near, by, rows, OUT_NEAR)
SLIDE_3S(1, 1)
SLIDE_3S(1, 2)
SLIDE_3S(1, 4)
SLIDE_3S(2, 1)
SLIDE_3S(2, 2)
SLIDE_3S(2, 4)
SLIDE_3R(1_1_half_up, 1, 1, OUT_HALF_UP)
SLIDE_3R(2_1_half_up, 2, 1, OUT_HALF_UP)
SLIDE_3(two, 2, 4, true, false)
/* Weights with zero points are rare: one row in a register. */
SLIDE_3(1_z, 1, 1, false, true)
SLIDE_3(2_z, 2, 1, false, true)
#define SLIDE_5(by, rows)                                                                                       \
  static __attribute__((noinline)) void slide_5_##by##_##rows(const dw_run *restrict d, const dw_block *restrict k, \
                                                              int64_t from, int64_t to, int32_t *restrict acc) { \
    slide_5(d, k, from, to, acc, by, rows);                                                                     \
  }
#define SLIDE_5W(by)                                                                                           \
  static __attribute__((noinline)) void slide_5_##by##_whole(const dw_run *restrict d, const dw_block *restrict k, \
                                                             int64_t from, int64_t to, int32_t *restrict acc) { \
    dw_run run = *d;                                                                                           \
    dw_block block = *k;                                                                                       \
    run.p.in_signed = 0, block.n = 64;                                                                         \
    slide_5(&run, &block, from, to, acc, by, 1);                                                               \
  }
SLIDE_5(1, 1)
SLIDE_5(1, 2)
SLIDE_5(2, 1)
SLIDE_5(2, 2)
SLIDE_5W(1)
SLIDE_5W(2)
/* By columns moved less one, rows in a register (1, 2, 4); sums, or bytes by OUT_NEAR or OUT_HALF_UP. */
#define SLIDES_3(by, rows, up) {slide_3_##by##_##rows, slide_3_##by##_##rows##_near, up}
static const slide_fn slides_3[2][3][3] = {{SLIDES_3(1, 1, slide_3_1_1_half_up), SLIDES_3(1, 2, NULL), SLIDES_3(1, 4, NULL)},
                                           {SLIDES_3(2, 1, slide_3_2_1_half_up), SLIDES_3(2, 2, NULL), SLIDES_3(2, 4, NULL)}};
/* One row in a register, two, or one of 64 unsigned channels. */
static const slide_fn slides_5[2][3] = {{slide_5_1_1, slide_5_1_2, slide_5_1_whole}, {slide_5_2_1, slide_5_2_2, slide_5_2_whole}};

static bool slides(const whet_dw_q8 *p) {
  return p->kh == p->kw && (p->kh == 3 || (p->kh == 5 && !p->w_zeros)) && p->stride_w <= 2 && p->dil_w == 1;
}

/* How a call is cut: blocks of 64 channels, the last one perhaps with several output rows in a register. */
typedef struct dw_cut {
  int64_t blocks;
  int rows; /* of the last block's registers */
  bool two; /* and two neighbours in each */
} dw_cut;

static dw_cut cut_for(const whet_dw_q8 *p) {
  int64_t left = p->channels % 64;
  dw_cut c = {whet__ceil_div(p->channels, 64), !left || left > 32 ? 1 : left > 16 ? 2 : 4, false};
  if (p->kh == 5 && c.rows == 4) c.rows = 2;
  if (p->w_zeros) c.rows = 1;
  c.two = !p->w_zeros && p->channels == 8 && p->in_pitch == 8 && p->out_pitch == 8 && p->stride_w == 1 && p->kh == 3;
  return c;
}

/* Rows of a narrow picture whose sums are stored together: in memory they follow each other. */
static int64_t rows_at_once(const whet_dw_q8 *p) { return whet__clamp_i(CHUNK / whet__max_i(p->out_w, 1), 1, CHUNK); }

/* Where block b of output rows [y, y + rows) reads and writes. */
static void aim(const dw_run *d, dw_block *k, const uint8_t *in, uint8_t *out, int64_t y, int64_t b, int rows) {
  const whet_dw_q8 *p = &d->p;
  for (int g = 0; g < rows; g++) {
    k->out[g] = y + g < p->out_h ? out + (y + g) * p->out_w * p->out_pitch + b * 64 : NULL;
    for (int i = 0; i < p->kh; i++) {
      int64_t iy = (y + g) * p->stride_h - p->pad_top + (int64_t)i * p->dil_h;
      bool inside = y + g < p->out_h && iy >= 0 && iy < p->in_h;
      k->step[i * ROWS + g] = inside ? p->in_pitch : 0;
      k->row[i * ROWS + g] = inside ? in + iy * p->in_w * p->in_pitch + b * 64 : d->outside;
    }
  }
}

/* Output rows [y, to) of an image, block b, `rows` in a register; of more than one when they are not so many that their
 * sums are stored together. */
static void slide_rows(const dw_run *d, const uint8_t *in, uint8_t *out, int64_t y, int64_t to, int64_t b, int rows,
                       bool two) {
  const whet_dw_q8 *p = &d->p;
  int64_t width = two ? whet__ceil_div(p->out_w, 2) : p->out_w, pitch = two ? 16 : p->out_pitch;
  dw_block k = {.weights = d->pack + d->l.weights + b * d->l.slots * 64,
                .bias = (const int32_t *)(const void *)d->pack + b * 64,
                .w_zero = (const int32_t *)(const void *)(d->pack + d->l.w_zero) + b * 64,
                .factors = whet__factors_at(&p->out, d->pack + d->l.factors, d->l.n, b * 64),
                .n = two ? 16 : whet__min_i(64, p->channels - b * 64)};
  const int at = rows == 1 ? 0 : rows == 2 ? 1 : 2, how = out_way_for(&p->out, &k.factors, 64);
  int bytes = how == OUT_REAL32 && p->out.quick ? 1 : how == OUT_HALF_UP ? 2 : 0; /* in the slide itself */
  const bool whole = rows == 1 && k.n == 64 && !p->in_signed;
  if (p->kh != 3 || p->w_zeros || two || (rows == 1 && !whole) || !slides_3[p->stride_w - 1][at][bytes]) bytes = 0;
  slide_fn slide = two            ? slide_3_two
                   : p->w_zeros ? (p->stride_w == 1 ? slide_3_1_z : slide_3_2_z)
                   : p->kh == 3 ? slides_3[p->stride_w - 1][at][bytes]
                                : slides_5[p->stride_w - 1][whole ? 2 : at];
  store_fn store = stores[how];
  _Alignas(64) int32_t acc[CHUNK * 64];
  if (bytes || width <= CHUNK / 2) {
    int64_t n = 0, first = y;
    for (; y < to; y += rows, n += width) {
      aim(d, &k, in, out, y, b, rows);
      slide(d, &k, 0, width, acc + n * 64);
      if (rows > 1) break;
    }
    if (bytes) return;
    if (rows == 1) k.out[0] = out + first * p->out_w * p->out_pitch + b * 64;
    bool half = two && p->out_w % 2;
    n = rows == 1 ? n : width;
    if (n > half) store(d, &k, acc, 0, n - half, rows, pitch);
    if (!half) return;
    k.n = 8;
    store(d, &k, acc + (width - 1) * 64, width - 1, 1, rows, pitch);
    return;
  }
  aim(d, &k, in, out, y, b, rows);
  for (int64_t x = 0; x < width; x += CHUNK) {
    int64_t n = whet__min_i(CHUNK, width - x);
    slide(d, &k, x, x + n, acc);
    bool half = two && x + n == width && p->out_w % 2;
    if (n > half) store(d, &k, acc, x, n - half, rows, pitch);
    if (!half) continue;
    k.n = 8;
    store(d, &k, acc + (n - 1) * 64, x + n - 1, 1, rows, pitch);
  }
}

/* One result of any kernel: tap[] points at the pixels that it reads, slots a multiple of 4. */
static void gather_result(const dw_run *d, const uint8_t *const *tap, const int32_t *ones, uint8_t *out) {
  const whet_dw_q8 *p = &d->p;
  for (int64_t c = 0; c < p->channels; c += 64) {
    _Alignas(64) int32_t acc[64];
    dw_block k = {.out = {out + c},
                  .factors = whet__factors_at(&p->out, d->pack + d->l.factors, d->l.n, c),
                  .n = whet__min_i(64, p->channels - c)};
    __mmask64 m = ~UINT64_C(0) >> (64 - k.n);
    const char *weights = d->pack + d->l.weights + c / 64 * d->l.slots * 64;
    const int32_t *w_zero = (const int32_t *)(const void *)(d->pack + d->l.w_zero) + c;
    __m512i s[4], sum[4];
    UNROLL for (int j = 0; j < 4; j++) {
      s[j] = _mm512_loadu_si512((const int32_t *)(const void *)d->pack + c + 16 * j);
      sum[j] = _mm512_setzero_si512();
    }
    for (int64_t t = 0; t < d->l.slots; t += 4, weights += 256) {
      __m512i r[4], q[4];
      UNROLL for (int i = 0; i < 4; i++) r[i] = _mm512_xor_si512(_mm512_maskz_loadu_epi8(m, tap[t + i] + c), d->turn);
      interleave(r[0], r[1], r[2], r[3], q);
      UNROLL for (int j = 0; j < 4; j++) DOT(s[j], q[j], _mm512_loadu_si512(weights + 64 * j));
      if (!p->w_zeros) continue;
      __m512i one = _mm512_set1_epi32(ones[t / 4]);
      UNROLL for (int j = 0; j < 4; j++) DOT(sum[j], q[j], one);
    }
    UNROLL for (int j = 0; j < 4; j++) {
      if (p->w_zeros) s[j] = _mm512_sub_epi32(s[j], _mm512_mullo_epi32(sum[j], _mm512_loadu_si512(w_zero + 16 * j)));
      _mm512_store_si512(acc + 16 * j, s[j]);
    }
    stores[out_way_for(&p->out, &k.factors, 64)](d, &k, acc, 0, 1, 1, 0);
  }
}

/* The pixels that result (y, x) of an image reads, in the order of the packed slots, and which slots are taps. */
static void gather(const dw_run *d, const uint8_t *in, int64_t y, int64_t x, const uint8_t **tap, int32_t *ones) {
  const whet_dw_q8 *p = &d->p;
  for (int64_t s = 0; s < d->l.slots; s++) {
    int64_t i, j;
    bool real = whet__dw_q8_dots_tap(p->kh, p->kw, s, &i, &j);
    int64_t iy = y * p->stride_h - p->pad_top + i * p->dil_h, ix = x * p->stride_w - p->pad_left + j * p->dil_w;
    bool inside = real && iy >= 0 && iy < p->in_h && ix >= 0 && ix < p->in_w;
    tap[s] = inside ? in + (iy * p->in_w + ix) * p->in_pitch : d->outside;
    if (s % 4 == 0) ones[s / 4] = 0;
    ones[s / 4] |= (int32_t)real << (s % 4 * 8);
  }
}

static bool fits(const void *params) {
  const whet_dw_q8 *p = params;
  return out_way(&p->out) >= 0;
}

/* Pixels of zero points, then the pointers of one result, and its taps as ones. */
static size_t scratch(const void *params) {
  const whet_dw_q8 *p = params;
  whet_dw_q8_layout l = whet__dw_q8_layout_of(p, WHET_DW_Q8_DOTS);
  return (size_t)l.n + (size_t)l.slots * (sizeof(void *) + 1);
}

/* Output rows [y0, y1) of an image, blocks [b0, b1) of channels: each row of full blocks, groups of rows of the last one. */
static void blocks_of_rows(const dw_run *d, const dw_cut *c, const uint8_t *in, uint8_t *out, int64_t y0, int64_t y1, int64_t b0, int64_t b1) {
  for (int64_t b = b0; b < b1; b++) {
    const bool full = c->rows == 1 || b < c->blocks - 1;
    int64_t some = full ? rows_at_once(&d->p) : c->rows;
    for (int64_t y = y0; y < y1; y += some)
      slide_rows(d, in, out, y, full ? whet__min_i(y + some, y1) : y + some, b, full ? 1 : c->rows, !full && c->two);
  }
}

/* Part of a call. */
static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_dw_q8 *p = params;
  char *own = ptr[4];
  uint8_t zero = (uint8_t)(p->in_zero ^ (p->in_signed ? 0x80 : 0));
  dw_run d = {.p = *p,
              .l = whet__dw_q8_layout_of(p, WHET_DW_Q8_DOTS),
              .pack = ptr[1],
              .table = ptr[3],
              .outside = (uint8_t *)own,
              .turn = p->in_signed ? _mm512_set1_epi8((char)0x80) : _mm512_setzero_si512(),
              .zero = _mm512_set1_epi8((char)zero)};
  memset(own, zero, (size_t)d.l.n);
  int64_t image_in = (int64_t)p->in_h * p->in_w * p->in_pitch, image_out = (int64_t)p->out_h * p->out_w * p->out_pitch;
  int64_t from, to;
  if (!slides(p)) {
    const uint8_t **tap = (const uint8_t **)(void *)(own + d.l.n);
    int32_t *ones = (int32_t *)(void *)(tap + d.l.slots);
    whet__split((int64_t)p->images * p->out_h * p->out_w, part, parts, &from, &to);
    for (; from < to; from++) {
      int64_t row = from / p->out_w, image = row / p->out_h;
      gather(&d, (const uint8_t *)ptr[0] + image * image_in, row % p->out_h, from % p->out_w, tap, ones);
      gather_result(&d, tap, ones, (uint8_t *)ptr[2] + from * p->out_pitch);
    }
    return;
  }
  dw_cut c = cut_for(p);
  int64_t units = p->images * whet__ceil_div(p->out_h, c.rows);
  bool by_rows = whet__depthwise_rows(units, parts);
  whet__split(by_rows ? units : p->images * c.blocks, part, parts, &from, &to);
  for (int64_t n; from < to; from += n) {
    int64_t per = by_rows ? units / p->images : c.blocks, image = from / per, at = from % per;
    n = whet__min_i(to - from, per - at);
    const uint8_t *in = (const uint8_t *)ptr[0] + image * image_in;
    uint8_t *out = (uint8_t *)ptr[2] + image * image_out;
    if (by_rows)
      blocks_of_rows(&d, &c, in, out, at * c.rows, whet__min_i((at + n) * c.rows, p->out_h), 0, c.blocks);
    else
      blocks_of_rows(&d, &c, in, out, 0, p->out_h, at, at + n);
  }
}

const whet_kern whet_k_dw_q8__vnni_dots = {.name = "dw_q8__vnni_dots",
                                           .isa = WHET_ISA_VNNI | WHET_ISA_AVX512,
                                           .form = WHET_DW_Q8_DOTS,
                                           .exact = 1,
                                           .fits = fits,
                                           .scratch = scratch,
                                           .run = run};
