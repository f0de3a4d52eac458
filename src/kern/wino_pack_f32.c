/* SPDX-License-Identifier: Apache-2.0 */
/* Weights of family wino_f32, transformed in double when they are packed. */

#include "kern/wino_f32.h"

enum {
  CHANNELS = 8,
  LANES = 4,
  LINE = 16
}; /* channels of one block; columns that are transformed together, that are written together */
typedef float vs __attribute__((vector_size(4 * LANES)));
typedef double vd __attribute__((vector_size(8 * LANES)));

size_t whet__wino_pack_f32_bytes(const void *params) {
  const whet_wino_pack_f32 *p = params;
  int64_t pad = whet__panel_pad(p->pack.form, p->pack.n);
  return (size_t)(pad * (1 + p->pack.k[3] * whet__wino_places(p->m))) * sizeof(float);
}

/* One dimension of G g: m + 2 numbers of three. */
WHET_INLINE void kernel_line(const int m, const vd *g, const int step, vd *u, const int u_step) {
  const double p = 0.70710678118654752440;
  vd even = g[0], odd = g[step], last = g[2 * step];
  u[0] = even;
  u[(m + 1) * u_step] = last;
  if (m == 2) {
    u[u_step] = (even + last + odd) * 0.5;
    u[2 * u_step] = (even + last - odd) * 0.5;
    return;
  } /* at +-p: 1 / (2 p^2 (p^2 - q^2)) = -2/3; at +-q: 1/6 */
  vd a = (even + 0.5 * last) * (-2.0 / 3), b = odd * (-2.0 / 3 * p);
  u[u_step] = a + b;
  u[2 * u_step] = a - b;
  a = (even + 2 * last) * (1.0 / 6), b = odd * (2 * p / 6);
  u[3 * u_step] = a + b;
  u[4 * u_step] = a - b;
}

/* LANES columns of one channel: taps `tap` floats apart into places `plane` floats apart. */
WHET_INLINE void kernel_square(const int m, const float *g, int64_t tap, float *u, int64_t plane) {
  const int size = m + 2;
  vd in[3], half[18], line[6];
  for (int x = 0; x < 3; x++) {
    WHET_UNROLL for (int y = 0; y < 3; y++) {
      vs f;
      memcpy(&f, g + (3 * y + x) * tap, sizeof f);
      in[y] = __builtin_convertvector(f, vd);
    }
    kernel_line(m, in, 1, half + x, 3);
  }
  for (int y = 0; y < size; y++) {
    kernel_line(m, half + 3 * y, 1, line, 1);
    WHET_UNROLL for (int x = 0; x < size; x++) {
      vs f = __builtin_convertvector(line[x], vs);
      memcpy(u + (y * size + x) * plane, &f, sizeof f);
    }
  }
}

/* Channels c0..c1 of the panel of `width` columns from n0 on; dst: the panel. */
static void pack_block(const whet_wino_pack_f32 *p, const void *src, int64_t n0, int64_t width, int64_t c0,
                       int64_t c1, float *dst) {
  _Alignas(64) float plain[WHET_WINO_WIDEST + 9 * CHANNELS * WHET_WINO_WIDEST];
  const void *from[2] = {src, NULL};
  int64_t ic = p->pack.k[3], n = c1 - c0;
  whet_pack_f32 q = p->pack;
  q.bias_dtype = WHET_NONE;
  q.n = whet__min_i(width, p->pack.n - n0);
  q.k[3] = n;
  q.at += n0 * q.n_step + c0 * q.k_step[3];
  whet__pack_f32(&q, from, plain, 0, 1);
  const float *g = plain + width;
  dst += c0 * width;
  for (int64_t c = 0; c < n; c++, g += width, dst += width)
    for (int64_t j = 0; j < width; j += LINE) {
      float u[36 * LINE]; /* places lie far apart, often in one set of the cache: each gets a whole line at a time */
      int64_t some = whet__min_i(LINE, width - j);
      for (int64_t i = 0; i < some; i += LANES) {
        if (p->m == 2)
          kernel_square(2, g + j + i, n * width, u + i, LINE);
        else
          kernel_square(4, g + j + i, n * width, u + i, LINE);
      }
      for (int64_t z = 0; z < whet__wino_places(p->m); z++) {
        float *to = dst + z * ic * width + j;
        if (some == LINE)
          memcpy(to, u + z * LINE, LINE * sizeof *u);
        else
          memcpy(to, u + z * LINE, (size_t)some * sizeof *u);
      }
    }
}

void whet__wino_pack_f32(const void *params, const void *const *src, void *dst, int part, int parts) {
  const whet_wino_pack_f32 *p = params;
  int64_t vec = whet__panel_vec(p->pack.form), pad = whet__panel_pad(p->pack.form, p->pack.n), ic = p->pack.k[3];
  int64_t blocks = whet__ceil_div(ic, CHANNELS), count = whet__panel_count(p->pack.form, p->pack.n), from, to, at = 0;
  float *panels = (float *)dst + pad;
  whet__split(count * blocks, part, parts, &from, &to);
  if (part == 0) { /* the bias: a group without rows */
    whet_pack_f32 bias = p->pack;
    bias.k[3] = 0;
    whet__pack_f32(&bias, src, dst, 0, 1);
  }
  for (int64_t n0 = 0, width; n0 < pad; n0 += width) {
    width = vec * whet__panel_next(p->pack.form, (pad - n0) / vec);
    for (int64_t b = 0; b < blocks; b++, at++)
      if (at >= from && at < to)
        pack_block(p, src[0], n0, width, b * CHANNELS, whet__min_i((b + 1) * CHANNELS, ic),
                   panels + n0 * ic * whet__wino_places(p->m));
  }
}
