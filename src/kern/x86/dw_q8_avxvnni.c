/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8 on AVX-VNNI (256-bit vpdpbusd without AVX-512), for kernels of at most four rows, or 5 x 5. Rows of the picture are
 * laid out anew for each row of results: the bytes of four kernel rows side by side, pixel by pixel and channel by channel, so that
 * one vpdpbusd adds a column of the kernel to eight channels, and channels keep their order. The fifth row of 5 x 5 has a layout of
 * its own, of four neighbours. */

#include "kern/dw_q8.h"
#include "kern/x86/out_q8_avx2.h"

#define DOT(acc, u, w) __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(u), "xm"(w))

typedef uint32_t dw_elem;
typedef struct dw_block {
  int64_t n, far; /* channels; bytes between groups of weights */
  const int8_t *w;
  const int32_t *bias;
  whet_factors f;
  whet_out_ready_avx2 ready;
} dw_block;
static void dw_block_of(dw_block *k, const whet_dw_q8 *p, const whet_dw_q8_layout *l, const void *own, const char *pack, int64_t b,
                        const uint8_t *table) {
  (void)own;
  k->n = whet__min_i(16, p->channels - b);
  k->far = 4 * l->n;
  k->w = (const int8_t *)pack + l->weights + 4 * b;
  k->bias = (const int32_t *)(const void *)pack + b;
  k->f = whet__factors_at(&p->out, pack + l->factors, l->n, b);
  out_ready(&k->ready, &p->out, &k->f, k->n, table);
}

/* vecs: 1 where no more than eight channels are asked for; three: there are so many groups, whose weights stay in registers. */
OUT_INLINE void sums(const dw_block *k, const uint32_t *const *tap, int64_t slots, int64_t at, int64_t step, int64_t n, int32_t *sum,
                     const int vecs, const bool three) {
  __m256i w[3][2], first[2];
  OUT_UNROLL for (int v = 0; v < vecs; v++) first[v] = out_load_i(k->bias + 8 * v);
  if (three)
    OUT_UNROLL for (int s = 0; s < 3; s++) OUT_UNROLL for (int v = 0; v < vecs; v++) w[s][v] = out_load_i(k->w + s * k->far + 32 * v);
  const uint32_t *a = tap[0] + at, *b = tap[three ? 1 : 0] + at, *c = tap[three ? 2 : 0] + at;
  for (int64_t x = 0; x < n * step; x += step, sum += 16) {
    __m256i acc[2];
    OUT_UNROLL for (int v = 0; v < vecs; v++) acc[v] = first[v];
    if (three) {
      OUT_UNROLL for (int v = 0; v < vecs; v++) {
        DOT(acc[v], out_load_i(a + x + 8 * v), w[0][v]);
        DOT(acc[v], out_load_i(b + x + 8 * v), w[1][v]);
        DOT(acc[v], out_load_i(c + x + 8 * v), w[2][v]);
      }
    } else {
      const int8_t *wt = k->w;
      for (int64_t s = 0; s < slots; s++, wt += k->far)
        OUT_UNROLL for (int v = 0; v < vecs; v++) DOT(acc[v], out_load_i(tap[s] + at + x + 8 * v), *(const __m256i *)(const void *)(wt + 32 * v));
    }
    OUT_UNROLL for (int v = 0; v < vecs; v++) out_store_int(sum + 8 * v, acc[v]);
  }
}
static void dw_sums(const dw_block *k, const uint32_t *const *tap, int slots, int64_t at, int64_t step, int64_t n, int32_t *sum) {
  if (slots != 3)
    sums(k, tap, slots, at, step, n, sum, 2, false);
  else if (k->n > 8)
    sums(k, tap, 3, at, step, n, sum, 2, true);
  else
    sums(k, tap, 3, at, step, n, sum, 1, true);
}
OUT_INLINE void dw_out(const dw_block *k, const whet_dw_q8 *p, const int32_t *sum, int64_t n, const uint8_t *table, char *out) {
  out_ready_tile(&k->ready, &p->out, &k->f, sum, n, k->n, table, out, p->out_pitch);
}
#include "kern/x86/dw_q8_rows.h"

/* How a call is cut; a function of the parameters only. */
typedef struct dw_cut {
  whet_dw_q8_layout l;
  int64_t many, slots;                 /* rows of results that are made together; groups of taps */
  int64_t px, some, wide;              /* pixels of a row; channels that are done together, and their places in it */
  int64_t row, plane;                  /* elements of a row, and of all rows of a layout */
  bool flat;                           /* all channels of all pixels of a row are one run */
  bool fifth;                          /* there is a layout for a fifth kernel row */
  size_t zero_at, tap_at, bytes;       /* offsets in scratch: the layouts come first */
} dw_cut;

enum { NEAR = 7 << 10 }; /* elements of a row at most that has all channels, as the first cache holds it */

static __attribute__((noinline)) dw_cut cut_for(const whet_dw_q8 *p) {
  dw_cut c = {.l = whet__dw_q8_layout_of(p, WHET_DW_Q8_GROUPS), .fifth = p->kh == 5};
  c.slots = c.l.slots / 4;
  c.px = (int64_t)(p->out_w - 1) * p->stride_w + (int64_t)(p->kw - 1) * p->dil_w + 1;
  c.flat = p->in_pitch == p->channels && c.px * p->channels <= NEAR;
  c.some = c.flat ? p->channels : whet__min_i(p->channels, 32);
  c.wide = c.flat ? p->channels : 32;
  c.row = c.px * c.wide;
  c.many = whet__clamp_i(NEAR / c.row, 1, dw_many(p));
  c.plane = c.many * c.row + 32; /* what vectors reach past the end */
  c.zero_at = whet__round_up((size_t)(c.plane * (1 + c.fifth)) * sizeof(dw_elem), 64);
  c.tap_at = c.zero_at + whet__round_up((size_t)p->in_w * (size_t)p->channels, 64);
  c.bytes = c.tap_at + (size_t)(c.many * c.slots) * sizeof(void *);
  return c;
}
static size_t dw_scratch(const void *params) { return cut_for(params).bytes; }

/* n bytes of four rows side by side; whole vectors are stored. */
static __attribute__((noinline)) void beside(const uint8_t *const row[4], int64_t n, __m256i turn, dw_elem *to) {
  uint8_t last[4][32];
  const uint8_t *at[4] = {row[0], row[1], row[2], row[3]};
  for (; n > 0; n -= 32, to += 32) {
    __m256i r[4], x[4];
    OUT_UNROLL for (int j = 0; j < 4; j++) {
      if (n < 32) at[j] = memcpy(last[j], at[j], (size_t)n);
      r[j] = _mm256_xor_si256(turn, out_load_i(at[j]));
      at[j] += 32;
    }
    const __m256i ab0 = _mm256_unpacklo_epi8(r[0], r[1]), ab1 = _mm256_unpackhi_epi8(r[0], r[1]);
    const __m256i cd0 = _mm256_unpacklo_epi8(r[2], r[3]), cd1 = _mm256_unpackhi_epi8(r[2], r[3]);
    x[0] = _mm256_unpacklo_epi16(ab0, cd0), x[1] = _mm256_unpackhi_epi16(ab0, cd0);
    x[2] = _mm256_unpacklo_epi16(ab1, cd1), x[3] = _mm256_unpackhi_epi16(ab1, cd1);
    OUT_UNROLL for (int j = 0; j < 4; j++) {
      _mm_storeu_si128((__m128i *)(void *)(to + 4 * j), _mm256_castsi256_si128(x[j]));
      _mm_storeu_si128((__m128i *)(void *)(to + 4 * j + 16), _mm256_extracti128_si256(x[j], 1));
    }
  }
}

/* Pixels [from, to) of rows whose pixel 0 lies at row[], `pitch` bytes apart. */
static void bring(const dw_cut *c, const uint8_t *const row[4], const int64_t pitch[4], int64_t from, int64_t to, int64_t some, __m256i turn,
                  dw_elem *out) {
  if (c->flat) some *= to - from;
  for (int64_t x = from; x < to; x += c->flat ? to - from : 1, out += c->wide) {
    const uint8_t *at[4];
    OUT_UNROLL for (int j = 0; j < 4; j++) at[j] = row[j] + x * pitch[j];
    beside(at, some, turn, out);
  }
}
static __attribute__((noinline)) void fill(dw_elem *to, int64_t n, uint32_t v) {
  for (int64_t i = 0; i < n; i++) to[i] = v;
}

/* The layouts of a row of results, `at`: its first kernel row is row y of the picture `in`, whose channels that are asked for are
 * `some`. */
static void lay(const whet_dw_q8 *p, const dw_cut *c, const uint8_t *in, const uint8_t *zeros, int64_t y, int64_t some, __m256i turn,
                dw_elem *at) {
  const uint8_t *row[5];
  int64_t pitch[5];
  const uint32_t zero = (uint32_t)p->in_zero * UINT32_C(0x01010101);
  for (int i = 0; i < 5; i++) { /* rows that the kernel does not have count nothing */
    const int64_t iy = y + whet__min_i(i, p->kh - 1) * p->dil_h;
    const bool inside = iy >= 0 && iy < p->in_h;
    row[i] = inside ? in + iy * p->in_w * p->in_pitch : zeros;
    pitch[i] = inside ? p->in_pitch : p->channels;
  }
  const int64_t a = whet__min_i(p->pad_left, c->px), b = whet__clamp_i(p->in_w + p->pad_left, a, c->px);
  fill(at, a * c->wide, zero);
  bring(c, row, pitch, a - p->pad_left, b - p->pad_left, some, turn, at + a * c->wide);
  fill(at + b * c->wide, (c->px - b) * c->wide, zero);
  if (!c->fifth) return;
  at += c->plane;
  for (int64_t x = 0; x + 3 * p->dil_w < c->px; x++, at += c->wide) {
    const uint8_t *next[4];
    OUT_UNROLL for (int j = 0; j < 4; j++) {
      const int64_t ix = x + j * p->dil_w - p->pad_left;
      next[j] = ix >= 0 && ix < p->in_w ? row[4] + ix * pitch[4] : zeros;
    }
    beside(next, some, turn, at);
  }
}

/* Part of a call. */
static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_dw_q8 *p = params;
  const dw_cut c = cut_for(p);
  char *own = ptr[4];
  dw_elem *lines = (dw_elem *)(void *)own;
  uint8_t *zeros = (uint8_t *)own + c.zero_at;
  const dw_elem **tap = (const dw_elem **)(void *)(own + c.tap_at);
  const size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  const uint8_t top = p->in_signed ? 0x80 : 0;
  const __m256i turn = _mm256_set1_epi8((char)top);
  memset(zeros, p->in_zero ^ top, (size_t)p->in_w * (size_t)p->channels);
  for (int64_t r = 0; r < c.many; r++)
    for (int64_t s = 0; s < c.slots; s++) /* the fifth row's groups begin at columns 0 and 1 */
      tap[r * c.slots + s] = lines + r * c.row + (c.fifth && s >= 5 ? c.plane + (s - 5) * p->dil_w * c.wide : s * p->dil_w * c.wide);
  int64_t from, to;
  whet__split((int64_t)p->images * p->out_h, part, parts, &from, &to);
  for (int64_t many; from < to; from += many) {
    const int64_t image = from / p->out_h, y = from % p->out_h;
    many = whet__min_i(c.many, whet__min_i(to - from, p->out_h - y));
    const uint8_t *in = (const uint8_t *)ptr[0] + image * p->in_h * p->in_w * p->in_pitch;
    for (int64_t b = 0; b < p->channels; b += c.some) {
      const int64_t some = whet__min_i(c.some, p->channels - b);
      for (int64_t r = 0; r < many; r++)
        lay(p, &c, in + b, zeros, (y + r) * p->stride_h - p->pad_top, some, turn, lines + r * c.row);
      dw_rows(p, &c.l, b, b + some, many, tap, c.slots, c.wide, NULL, ptr[1], ptr[3],
              (char *)ptr[2] + (size_t)(from * p->out_w * p->out_pitch) * bytes);
    }
  }
}

static bool fits(const void *params) {
  const whet_dw_q8 *p = params;
  return !p->w_zeros && (p->kh <= 4 || (p->kh == 5 && p->kw == 5));
}

const whet_kern whet_k_dw_q8__avxvnni_dots = {.name = "dw_q8__avxvnni_dots",
                                              .isa = WHET_ISA_AVX2 | WHET_ISA_AVXVNNI,
                                              .form = WHET_DW_Q8_GROUPS,
                                              .exact = 1,
                                              .fits = fits,
                                              .scratch = dw_scratch,
                                              .run = run};
