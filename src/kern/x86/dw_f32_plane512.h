/* SPDX-License-Identifier: Apache-2.0 */
/* Part of dw_f32_body.h on AVX-512: windows of 3 or 5 columns over many rows of a picture, one vector of channels
 * after the other, so that what does not change from row to row is found out once. */

#include <immintrin.h>

/* Rows of the window of output row `at` that are inside the picture; the others stand above or below. */
WHET_INLINE int64_t window_rows(const whet_window *y, int64_t at, int64_t *lo) {
  int64_t first = at * y->stride - y->pad, hi = whet__min_i(y->in - first, y->kernel);
  *lo = first < 0 ? whet__min_i(-first, y->kernel) : 0;
  return whet__max_i(hi - *lo, 0);
}

/* Rows y0..y1, n channels from c on. */
WHET_INLINE void plane_vector(const whet_dw_f32_call *d, const whet_window *y, int64_t y0, int64_t y1, const float *w,
                              int64_t width, int64_t c, const int taps, const int stride, int64_t n) {
  const bool dense = y->out_step == d->m * d->out_step && (!d->res || y->res_step == d->m * d->res_step);
  const int64_t runs = whet__ceil_div(d->m, WHET_DW_WIDE), least = d->m / runs, more = d->m % runs;
  int64_t wait = 0; /* outputs before `out` that want the rest of the epilogue */
  for (; y0 < y1; y0++) {
    int64_t lo, rows = window_rows(y, y0, &lo), left = d->left;
    const float *in = d->in + (rows ? (y0 * y->stride - y->pad + lo) * y->in_step : 0), *wt = w + lo * taps * width;
    float *out = d->out + y0 * y->out_step + c;
    for (int64_t i = 0; i < runs; i++) {
      const int64_t wide = least + (i < more), right = i + 1 < runs ? 0 : d->right;
#define RUN(wide)                                                                                            \
  case wide:                                                                                                 \
    window(d, in, left, right, wt, width, c, wide, taps, stride, false, n, rows, NULL, out, d->out_step, n); \
    break;
      switch (wide) { RUN(3) RUN(4) RUN(5) RUN(6) RUN(7) RUN(8) }
#undef RUN
      in += (wide * stride - left) * d->step[2];
      out += wide * d->out_step;
      left = 0;
    }
    wait += d->m;
    if (!d->rest || (wait < LATER && dense && y0 + 1 < y1)) continue;
    const float *res = d->res ? d->res + y0 * y->res_step + (d->m - wait) * d->res_step + c : NULL;
    CAT4(whet__epi_f32_, ISA, , )(d->rest, out - wait * d->out_step, d->out_step, res, d->res_step, wait, n);
    wait = 0;
  }
}

enum { PAIRS = 8 }; /* pairs of pixels in registers */

/* The first half of a vector, in both halves. */
static inline vf vf_twice(const float *p) { return _mm512_broadcast_f32x8(_mm256_loadu_ps(p)); }
/* c + a k where the lanes of `half` are, else c, of which a is not read. */
static inline vf vf_fma_half(__mmask16 half, const float *a, vf k, vf c) {
  return _mm512_mask3_fmadd_ps(_mm512_maskz_loadu_ps(half, a), k, c, half);
}

/* PAIRS pairs of neighbouring outputs of eight channels each, a pair in a vector. in: a pixel left of the first. The
 * first pixel of the first pair lacks its first column, `left` says, and the second of the last pair its last column.
 */
WHET_INLINE void pair_window(const whet_dw_f32_call *d, const float *in, bool left, bool right, const float *wt,
                             int64_t rows, int64_t width, float *out) {
  enum { C = VW / 2, COLUMNS = 2 * PAIRS + 1 };
  vf acc[PAIRS], k[3];
  WHET_UNROLL for (int i = 0; i < PAIRS; i++) acc[i] = vf_twice(d->w);
  for (; rows > 0; rows--, in += d->step[1], wt += 3 * width) {
    WHET_UNROLL for (int x = 0; x < 3; x++) k[x] = vf_twice(wt + x * width);
    WHET_UNROLL for (int x = 0; x < COLUMNS; x++) {
      if (x == 0 && left) {
        acc[0] = vf_fma_half(0xff00, in, k[0], acc[0]);
      } else if (x == COLUMNS - 1 && right) {
        acc[PAIRS - 1] = vf_fma_half(0x00ff, in + x * C, k[2], acc[PAIRS - 1]);
      } else {
        vf v = vf_load(in + x * C);
        WHET_UNROLL for (int i = 0; i < PAIRS; i++) {
          if (x - 2 * i >= 0 && x - 2 * i < 3) acc[i] = vf_fma(v, k[x - 2 * i], acc[i]);
        }
      }
    }
  }
  if (d->flags & WHET_TILE_CLAMP) {
    vf lo = vf_set(d->lo), hi = vf_set(d->hi);
    WHET_UNROLL for (int i = 0; i < PAIRS; i++) acc[i] = vf_max(lo, vf_min(hi, acc[i]));
  }
  WHET_UNROLL for (int i = 0; i < PAIRS; i++) vf_store(out + i * VW, acc[i]);
}

/* Do pixels hold half a vector of channels, all side by side, so that two of them fill one? */
WHET_INLINE bool by_pairs(const whet_dw_f32_call *d) {
  return d->n == VW / 2 && d->step[2] == VW / 2 && d->out_step == VW / 2 && !d->rest && d->m >= 2 * PAIRS &&
         d->m % 2 == 0;
}

/* Rows y0..y1 in pairs of pixels; the last run of a row makes some outputs again. */
static void plane_pairs(const whet_dw_f32_call *d, const whet_window *y, int64_t y0, int64_t y1) {
  const int64_t width = VW, last = d->m - 2 * PAIRS;
  for (; y0 < y1; y0++) {
    int64_t lo, rows = window_rows(y, y0, &lo);
    const float *in = d->in + ((y0 * y->stride - y->pad + lo) * y->in_step - d->left * (VW / 2)),
                *wt = d->w + VW + lo * 3 * width;
    float *out = d->out + y0 * y->out_step;
    for (int64_t x = 0, end = 0; x < d->m; x = end) {
      end = x + 2 * PAIRS;
      if (end > d->m) x = last;
      pair_window(d, in + x * (VW / 2), d->left && x == 0, d->right && x == last, wt, rows, width,
                  out + x * (VW / 2));
    }
  }
}

typedef void plane_fn(const whet_dw_f32_call *d, const whet_window *y, int64_t y0, int64_t y1);
#define PLANE(taps, stride)                                                                                   \
  static void plane_##taps##stride(const whet_dw_f32_call *d, const whet_window *y, int64_t y0, int64_t y1) { \
    if (taps == 3 && stride == 1 && by_pairs(d)) {                                                            \
      plane_pairs(d, y, y0, y1);                                                                              \
      return;                                                                                                 \
    }                                                                                                         \
    CHANNELS(d, plane_vector(d, y, y0, y1, w, width, c, taps, stride, whet__min_i(n, VW)))                    \
  }
PLANE(3, 1)
PLANE(3, 2)
PLANE(5, 1)
PLANE(5, 2)

/* The first cache: sets, and lines of each that may be counted on. Pixels an even number of lines apart fall on some
 * of the sets. */
enum { SETS = 64, WAYS = 5 };

/* Rows y0..y1 of a picture. Where pixels lie so that rows of them would not stay in the first cache, runs of columns
 * go one after the other, down to y1 or, where that comes from beyond the second cache, all runs of a row. */
static void plane(const whet_conv_f32 *p, const whet_dw_f32_call *given, plane_fn *fn, int64_t y0, int64_t y1) {
  const whet_window *y = &p->dim[1], *x = &p->dim[2];
  const int64_t apart = x->in_step % VW ? 1 : x->in_step / VW, sets = whet__max_i(SETS / (apart & -apart), 1);
  const bool runs = y->kernel * x->in + x->out > sets * WAYS;
  const bool far = runs && 4 * p->groups * (y->in * x->in + y->out * x->out) > (int64_t)p->l2_kb << 10;
  for (int64_t end; y0 < y1; y0 = end) {
    whet_dw_f32_call d = *given;
    int64_t left = d.m;
    end = far ? y0 + 1 : y1;
    for (int64_t n = runs ? whet__ceil_div(left, WHET_DW_WIDE) : 1; n > 0; n--) {
      d.m = whet__ceil_div(left, n);
      d.right = n == 1 ? given->right : 0;
      fn(&d, y, y0, end);
      left -= d.m;
      d.in += (d.m * x->stride - d.left) * x->in_step;
      d.out += d.m * x->out_step;
      if (d.res) d.res += d.m * x->res_step;
      d.left = 0;
    }
  }
}

/* The whole step, if it is one for these functions. */
static bool planes(const whet_conv_f32 *p, void *const *ptr, int part, int parts) {
  static plane_fn *const fn[2][2] = {{plane_31, plane_32}, {plane_51, plane_52}};
  const whet_window *z = &p->dim[0], *y = &p->dim[1];
  whet_dw_f32_call d;
  whet_epi_f32 rest;
  whet_share r[3];
  int64_t lo, hi, rows = p->batch * z->out * y->out;
  whet__dw_f32_call(p, ptr, &d, &rest);
  whet__window_inner(z, &lo, &hi);
  if (!whet__dw_f32_rows(p, &d) || y->dilation != 1 || lo > 0 || hi < z->out) return false;
  if (d.flags & WHET_TILE_ADD) d.flags = 0, rest = p->epi;
  d.right += WHET_BUG(d.m > 4);
  if (rest.n) d.rest = &rest;
  for (int i = whet__share(FORM, rows, 1, p->groups, !whet__depthwise_rows(rows, parts), part, parts, r) - 1; i >= 0;
       i--) {
    d.panel = d.c0 = r[i].n0;
    d.c1 = r[i].n1;
    for (int64_t at = r[i].m0, end; at < r[i].m1; at = end) {
      const int64_t row = at % y->out, depth = at / y->out % z->out, image = at / y->out / z->out;
      end = whet__min_i(at + y->out - row, r[i].m1);
      d.in = (const float *)ptr[0] + image * p->in_batch + (depth * z->stride - z->pad) * z->in_step;
      d.out = (float *)ptr[1] + image * p->out_batch + depth * z->out_step;
      d.res = rest.res ? (const float *)ptr[3] + image * p->res_batch + depth * z->res_step : NULL;
      plane(p, &d, fn[p->dim[2].kernel == 5][p->dim[2].stride - 1], row, row + end - at);
    }
  }
  return true;
}
