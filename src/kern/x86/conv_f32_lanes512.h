/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_CONV_F32_LANES512_H
#define WHET_KERN_X86_CONV_F32_LANES512_H

/* Convolutions of few channels to at most eight, on AVX-512: a vector of outputs would be half empty, so that vectors
 * are 16 pixels of one channel here. Rows of the input are taken apart first into vectors of what neighbouring
 * outputs want from it; results are turned at the end. Sums have the order of tile_f32.h. */

#include <immintrin.h>

#include "kern/conv_f32.h"
#include "kern/unary_f32.h"

enum { LANES = 16, LANES_OC = 8, LANES_STEP = 8, LANES_KERNEL = 8, LANES_KH = 7, LANES_VECS = 3 };

/* A tap of a row: outputs lo..hi have it; what output 0 wants of channel 0 is float `at` of the row apart. */
typedef struct lanes_tap {
  int64_t at, lo, hi;
} lanes_tap;

/* A convolution on its way. Neighbouring outputs want floats `step` apart, stride * ic: apart[p][i] is float p of
 * step number i + first of a row. */
typedef struct lanes_conv {
  const whet_conv_f32 *c;
  const float *w;            /* packed: bias, then a vector for each tap and channel */
  int64_t step, first, line; /* line: floats of one p */
  uint32_t flags;
  float lo, hi;
  lanes_tap tap[LANES_KERNEL];
  const float *row[LANES_KH]; /* rows of taps, apart */
} lanes_conv;

/* Four vectors of 16 numbers each to 16 quartets: number 4 i + j is quarter i of to[j]; or back. */
WHET_INLINE void lanes_turn(const __m512 *x, __m512 *to) {
  __m512 a = _mm512_unpacklo_ps(x[0], x[1]), b = _mm512_unpackhi_ps(x[0], x[1]);
  __m512 c = _mm512_unpacklo_ps(x[2], x[3]), d = _mm512_unpackhi_ps(x[2], x[3]);
  to[0] = _mm512_shuffle_ps(a, c, 0x44);
  to[1] = _mm512_shuffle_ps(a, c, 0xee);
  to[2] = _mm512_shuffle_ps(b, d, 0x44);
  to[3] = _mm512_shuffle_ps(b, d, 0xee);
}

/* Row `in` of the picture, apart. What would lie outside is not there, or anything. */
static __attribute__((noinline)) void lanes_apart(const lanes_conv *l, const float *in, float *out) {
  const int64_t step = l->step, n = l->c->dim[2].in * l->c->ic;
  float part[LANES_STEP * LANES + 4];
  for (int64_t i = 0, at = l->first * step; at < n; i += LANES, at += step * LANES) {
    const float *v = in + at;
    if (at < 0 || at + step * LANES > n) {
      const int64_t lo = whet__max_i(-at, 0), hi = whet__min_i(n - at, step * LANES);
      memset(part, 0, sizeof part);
      memcpy(part + lo, v + lo, (size_t)(hi - lo) * sizeof *v);
      v = part;
    }
    for (int64_t p = 0; p < step; p += 4, v += 4) {
      const __mmask8 rest =
          (__mmask8)(step - p < 4 ? (1u << (step - p)) - 1u : 15u); /* nothing is read past the row */
      __m512 x[4], y[4];
      const float *q = v;
      WHET_UNROLL for (int j = 0; j < 4; j++, q += step) {
        x[j] = _mm512_castps128_ps512(_mm_loadu_ps(q));
        x[j] = _mm512_insertf32x4(x[j], _mm_loadu_ps(q + 4 * step), 1);
        x[j] = _mm512_insertf32x4(x[j], _mm_loadu_ps(q + 8 * step), 2);
        x[j] = _mm512_insertf32x4(x[j], j < 3 ? _mm_loadu_ps(q + 12 * step) : _mm_maskz_loadu_ps(rest, q + 12 * step), 3);
      }
      lanes_turn(x, y);
      WHET_UNROLL for (int j = 0; j < 4; j++) if (p + j < step) _mm512_store_ps(out + (p + j) * l->line + i, y[j]);
    }
  }
}

/* Eight vectors of pixels, one for each channel, to where n pixels of oc channels are. */
static __attribute__((noinline)) void lanes_store(const __m512 *a, float *out, int64_t step, int64_t n, __mmask8 oc) {
  const __m512i low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11),
                high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  __m512 q[4], r[4];
  lanes_turn(a, q);
  lanes_turn(a + 4, r);
  WHET_UNROLL for (int j = 0; j < 4; j++) {
    __m512d t = _mm512_castps_pd(q[j]), u = _mm512_castps_pd(r[j]);
    __m512 x = _mm512_castpd_ps(_mm512_permutex2var_pd(t, low, u)),
           y = _mm512_castpd_ps(_mm512_permutex2var_pd(t, high, u));
    if (j < n) _mm256_mask_storeu_ps(out + j * step, oc, _mm512_castps512_ps256(x));
    if (4 + j < n) _mm256_mask_storeu_ps(out + (4 + j) * step, oc, _mm512_extractf32x8_ps(x, 1));
    if (8 + j < n) _mm256_mask_storeu_ps(out + (8 + j) * step, oc, _mm512_castps512_ps256(y));
    if (12 + j < n) _mm256_mask_storeu_ps(out + (12 + j) * step, oc, _mm512_extractf32x8_ps(y, 1));
  }
}

/* Outputs x.. of a row that has the rows of taps y0..y1: LANES_VECS vectors of pixels. */
static __attribute__((noinline)) void lanes_tile(const lanes_conv *l, int64_t x, int64_t y0, int64_t y1, float *out) {
  const whet_window *d = &l->c->dim[2];
  const int64_t ic = l->c->ic;
  __m512 acc[LANES_VECS][LANES_OC];
  WHET_UNROLL for (int j = 0; j < LANES_OC; j++) WHET_UNROLL for (int v = 0; v < LANES_VECS; v++) acc[v][j] =
      _mm512_set1_ps(l->w[j]);
  for (int64_t y = y0; y < y1; y++) {
    const float *w = l->w + LANES + y * d->kernel * ic * LANES;
    for (int64_t t = 0; t < d->kernel; t++) {
      const lanes_tap *tap = &l->tap[t];
      const float *a = l->row[y] + tap->at + x;
      __mmask16 has[LANES_VECS];
      WHET_UNROLL for (int v = 0; v < LANES_VECS; v++) {
        const int64_t from = whet__clamp_i(tap->lo - x - v * LANES, 0, LANES),
                      end = whet__clamp_i(tap->hi - x - v * LANES, from, LANES);
        has[v] = (__mmask16)((1u << end) - (1u << from));
      }
      for (int64_t c = 0; c < ic; c++, w += LANES, a += l->line) {
        __m512 b[LANES_VECS];
        WHET_UNROLL for (int v = 0; v < LANES_VECS; v++) b[v] = _mm512_loadu_ps(a + v * LANES);
        WHET_UNROLL for (int j = 0; j < LANES_OC; j++) {
          const __m512 k = _mm512_set1_ps(w[j]);
          WHET_UNROLL for (int v = 0; v < LANES_VECS; v++) acc[v][j] =
              _mm512_mask3_fmadd_ps(b[v], k, acc[v][j], has[v]);
        }
      }
    }
  }
  const __mmask8 oc = (__mmask8)((1u << l->c->oc) - 1u);
  WHET_UNROLL for (int v = 0; v < LANES_VECS; v++) {
    if (l->flags & WHET_TILE_CLAMP) {
      const __m512 lo = _mm512_set1_ps(l->lo), hi = _mm512_set1_ps(l->hi);
      WHET_UNROLL for (int j = 0; j < LANES_OC; j++) acc[v][j] = _mm512_max_ps(lo, _mm512_min_ps(hi, acc[v][j]));
    }
    lanes_store(acc[v], out + (x + v * LANES) * d->out_step, d->out_step, d->out - x - v * LANES, oc);
  }
}

/* Is it such a convolution? Its rows apart take the room of the scratch that others fill with a job. */
static bool lanes_fit(const whet_conv_f32 *c, lanes_conv *l) {
  const whet_window *d = &c->dim[2];
  const int64_t last = d->kernel - 1 - d->pad, wide = (int64_t)whet__round_up((size_t)d->out, LANES_VECS * LANES);
  if (c->groups > 1 || c->oc > LANES_OC || c->dim[0].kernel > 1 || c->dim[0].out > 1 || c->dim[0].pad ||
      c->dim[1].dilation > 1 || c->dim[1].kernel > LANES_KH || d->kernel > LANES_KERNEL || d->dilation > 1 ||
      d->pad < 0 || last < 0 || d->stride * c->ic > LANES_STEP || d->in_step != c->ic || 4 * d->out < 3 * wide ||
      c->pad_value != 0)
    return false;
  l->step = d->stride * c->ic;
  l->first = -whet__ceil_div(d->pad, d->stride);
  l->line = wide + (int64_t)whet__round_up((size_t)(last / d->stride - l->first), LANES);
  return (size_t)(c->dim[1].kernel * l->step * l->line) * sizeof(float) <= sizeof(whet_job_f32);
}

/* Where taps and floats of a row are. */
static void lanes_set(lanes_conv *l) {
  const whet_window *d = &l->c->dim[2];
  for (int64_t t = 0; t < d->kernel; t++) { /* the tap of output i is pixel stride * i + at */
    const int64_t at = t - d->pad, group = at >= 0 ? at / d->stride : -whet__ceil_div(-at, d->stride);
    l->tap[t].at = (at - group * d->stride) * l->c->ic * l->line + group - l->first;
    l->tap[t].lo = at < 0 ? whet__ceil_div(-at, d->stride) : 0;
    l->tap[t].hi = d->in > at ? (d->in - 1 - at) / d->stride + 1 : 0;
  }
}

/* The whole step, if it is such a one. */
static bool lanes_conv_run(const whet_conv_f32 *c, void *const *ptr, int part, int parts) {
  lanes_conv l = {.c = c, .w = ptr[2]};
  whet_epi_f32 first, rest;
  const whet_window *y = &c->dim[1], *x = &c->dim[2];
  l.flags = whet__epi_split(&c->epi, &first, &rest);
  if (!lanes_fit(c, &l) || l.flags & WHET_TILE_ADD) return false;
  l.lo = first.a[0];
  l.hi = first.b[0];
  lanes_set(&l);
  float *apart = ptr[4];
  int64_t at, end, there = 0; /* rows of the picture before that one are apart */
  whet__split(c->batch * y->out, part, parts, &at, &end);
  for (int64_t n = at / whet__max_i(y->out, 1), row = at - n * y->out; at < end; at++, row++) {
    if (row == y->out) row = there = 0, n++;
    const int64_t lo = whet__max_i(y->pad - row * y->stride, 0),
                  hi = whet__min_i(y->in + y->pad - row * y->stride, y->kernel);
    for (int64_t t = lo; t < hi - WHET_BUG(hi > 2); t++) {
      const int64_t in = row * y->stride + t * y->dilation - y->pad;
      float *to = apart + in % y->kernel * l.step * l.line;
      if (in >= there) lanes_apart(&l, (const float *)ptr[0] + n * c->in_batch + in * y->in_step, to), there = in + 1;
      l.row[t] = to;
    }
    float *out = (float *)ptr[1] + n * c->out_batch + row * y->out_step;
    for (int64_t i = 0; i < x->out; i += LANES_VECS * LANES) lanes_tile(&l, i, lo, hi, out);
    if (!rest.n) continue;
    const float *res = rest.res ? (const float *)ptr[3] + n * c->res_batch + row * y->res_step : NULL;
    whet__epi_f32_avx512(&rest, out, x->out_step, res, x->res_step, x->out, c->oc);
  }
  return true;
}

#endif
