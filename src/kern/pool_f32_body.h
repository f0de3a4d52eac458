/* SPDX-License-Identifier: Apache-2.0 */
/* Family pool_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS. */

#include "kern/pool_f32.h"

#include "kern/lanes.h"
#include "kern/row_name.h"
#include "kern/unary_f32.h"

#define EPI__(isa) whet__epi_f32_##isa
#define EPI_(isa) EPI__(isa)
#define EPI EPI_(ISA)

/* The input elements of one output pixel: first pixel, counts, distances in elements, elements to divide by. */
struct window {
  const float *x;
  int64_t n[3], step[3];
  float divisor;
};

/* Take element v into acc. */
static inline vf take_max(vf acc, vf v) { return vf_max_nan(acc, v); }
static inline vf take_sum(vf acc, vf v) { return vf_add(acc, v); }
static inline vf take_square(vf acc, vf v) { return vf_fma(v, v, acc); }

/* WIDE vectors of channels of one output pixel. */
#define WINDOW(NAME, TAKE, START, LAST)                                                        \
  static void NAME##_4(const struct window *w, float *y, const float *x) {                     \
    vf a = vf_set(START), b = a, c = a, d = a;                                                 \
    for (int64_t i = 0; i < w->n[0]; i++)                                                      \
      for (int64_t j = 0; j < w->n[1]; j++) {                                                  \
        const float *p = x + i * w->step[0] + j * w->step[1];                                  \
        for (int64_t k = 0; k < w->n[2]; k++, p += w->step[2]) {                               \
          a = TAKE(a, vf_load(p)), b = TAKE(b, vf_load(p + VW));                               \
          c = TAKE(c, vf_load(p + 2 * VW)), d = TAKE(d, vf_load(p + 3 * VW));                  \
        }                                                                                      \
      }                                                                                        \
    const vf n = vf_set(w->divisor);                                                           \
    (void)n;                                                                                   \
    vf_store(y, LAST(a, n)), vf_store(y + VW, LAST(b, n));                                     \
    vf_store(y + 2 * VW, LAST(c, n)), vf_store(y + 3 * VW, LAST(d, n));                        \
  }                                                                                            \
  static void NAME##_n(const struct window *w, float *y, const float *x, int64_t m) {          \
    vf a = vf_set(START);                                                                      \
    for (int64_t i = 0; i < w->n[0]; i++)                                                      \
      for (int64_t j = 0; j < w->n[1]; j++) {                                                  \
        const float *p = x + i * w->step[0] + j * w->step[1];                                  \
        if (m == VW)                                                                           \
          for (int64_t k = 0; k < w->n[2]; k++, p += w->step[2]) a = TAKE(a, vf_load(p));      \
        else                                                                                   \
          for (int64_t k = 0; k < w->n[2]; k++, p += w->step[2]) a = TAKE(a, vf_load_n(p, m)); \
      }                                                                                        \
    a = LAST(a, vf_set(w->divisor));                                                           \
    if (m == VW)                                                                               \
      vf_store(y, a);                                                                          \
    else                                                                                       \
      vf_store_n(y, a, m);                                                                     \
  }                                                                                            \
  static void NAME(const struct window *w, float *y, int64_t from, int64_t to) {               \
    int64_t c = from;                                                                          \
    for (; c + 4 * VW <= to; c += 4 * VW) NAME##_4(w, y + c, w->x + c);                        \
    for (; c < to; c += VW) NAME##_n(w, y + c, w->x + c, whet__min_i(VW, to - c));             \
  }

#define LAST_MAX(a, n) (a)
#define LAST_MEAN(a, n) vf_div(a, n)
#define LAST_L2(a, n) vf_sqrt(vf_div(a, n))
WINDOW(nan_window, take_max, -INFINITY, LAST_MAX)
WINDOW(mean_window, take_sum, 0, LAST_MEAN)
WINDOW(l2_window, take_square, 0, LAST_L2)

/* The greatest of four vectors of channels, as if there were no NaN; the sum of all elements, which is none if an
 * element was one (or infinities of both signs met), tells. An addition takes less than to keep NaN. */
static bool max_4(const struct window *w, float *y, const float *x) {
  const vf low = vf_set(-INFINITY), zero = vf_set(0);
  vf a = low, b = low, c = low, d = low, sa = zero, sb = zero, sc = zero, sd = zero;
  for (int64_t i = 0; i < w->n[0]; i++)
    for (int64_t j = 0; j < w->n[1]; j++) {
      const float *p = x + i * w->step[0] + j * w->step[1];
      for (int64_t k = 0; k < w->n[2]; k++, p += w->step[2]) {
        vf va = vf_load(p), vb = vf_load(p + VW), vc = vf_load(p + 2 * VW), vd = vf_load(p + 3 * VW);
        a = vf_max(a, va), b = vf_max(b, vb), c = vf_max(c, vc), d = vf_max(d, vd);
        sa = vf_add(sa, va), sb = vf_add(sb, vb), sc = vf_add(sc, vc), sd = vf_add(sd, vd);
      }
    }
  vf_store(y, a), vf_store(y + VW, b);
  vf_store(y + 2 * VW, c), vf_store(y + 3 * VW, d);
  sa = vf_add(vf_add(sa, sb), vf_add(sc, sd));
  return !vm_any(vf_ne(sa, sa));
}

static void max_window(const struct window *w, float *y, int64_t from, int64_t to) {
  int64_t c = from;
  for (; c + 4 * VW <= to; c += 4 * VW)
    if (!max_4(w, y + c, w->x + c)) nan_window_4(w, y + c, w->x + c);
  if (c < to) nan_window(w, y, c, to);
}

/* The part of a window that lies inside, along dimension d: first input place and count; *padded: elements inside the
 * padded input. */
static int64_t clip_window(const whet_pool_f32 *p, int d, int64_t o, int64_t *first, int64_t *padded) {
  int64_t start = o * p->stride[d] - p->pad[d], step = p->dilation[d];
  int64_t from = start >= 0 ? 0 : (-start + step - 1) / step;
  int64_t to = start >= p->in[d] ? 0 : whet__min_i(p->kernel[d], (p->in[d] - 1 - start) / step + 1);
  *padded = whet__min_i(p->kernel[d], (p->in[d] + p->pad_end[d] - 1 - start) / step + 1);
  *first = start + from * step;
  return to > from ? to - from : 0;
}

/* Channels from .. to of one row of output pixels. */
static void row(const whet_pool_f32 *p, const float *x, float *y, const float *res, int64_t r, int64_t from,
                int64_t to) {
  int64_t oh = r % p->out[1], od = r / p->out[1] % p->out[0], b = r / p->out[1] / p->out[0];
  int64_t line = p->in[2] * p->x_pitch, first[3], padded[3];
  struct window w = {.step = {p->dilation[0] * p->in[1] * line, p->dilation[1] * line, p->dilation[2] * p->x_pitch}};
  w.n[0] = clip_window(p, 0, od, &first[0], &padded[0]);
  w.n[1] = clip_window(p, 1, oh, &first[1], &padded[1]);
  const float *plane = x + ((b * p->in[0] + first[0]) * p->in[1] + first[1]) * line;
  int64_t reach = (p->kernel[2] - 1) * p->dilation[2]; /* from the first to the last element of a whole window */
  for (int64_t o = 0; o < p->out[2]; o++) {
    int64_t pixel = r * p->out[2] + o;
    float *to_y = y + pixel * p->y_pitch;
    first[2] = o * p->stride[2] - p->pad[2];
    if (first[2] >= 0 && first[2] + reach < p->in[2])
      w.n[2] = padded[2] = p->kernel[2];
    else
      w.n[2] = clip_window(p, 2, o, &first[2], &padded[2]);
    w.x = plane + first[2] * p->x_pitch;
    int64_t inside = w.n[0] * w.n[1] * w.n[2] - WHET_BUG(1);
    w.divisor = p->fn == WHET_POOL_F32_L2 && !p->mean
                    ? 1
                    : (float)(p->count_pads ? padded[0] * padded[1] * padded[2] : inside);
    if (p->fn == WHET_POOL_F32_MAX)
      max_window(&w, to_y, from, to);
    else if (p->fn == WHET_POOL_F32_MEAN)
      mean_window(&w, to_y, from, to);
    else
      l2_window(&w, to_y, from, to);
    if (p->epi.n) EPI(&p->epi, to_y + from, 0, res ? res + pixel * p->y_pitch + from : NULL, 0, 1, to - from);
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_pool_f32 *p = params;
  int64_t rows = p->batch * p->out[0] * p->out[1], blocks = whet__ceil_div(p->chan, 64), from, to;
  if (rows >= parts) { /* rows of pixels, else blocks of channels */
    whet__split(rows, part, parts, &from, &to);
    for (int64_t r = from; r < to; r++) row(p, ptr[0], ptr[1], ptr[2], r, 0, p->chan);
    return;
  }
  whet__split(rows * blocks, part, parts, &from, &to);
  for (int64_t i = from; i < to; i++) {
    int64_t c = i % blocks * 64;
    row(p, ptr[0], ptr[1], ptr[2], i / blocks, c, whet__min_i(c + 64, p->chan));
  }
}

WHET_ROW(pool_f32);
