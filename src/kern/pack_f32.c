/* SPDX-License-Identifier: Apache-2.0 */
/* The packer of float weights. Each column of a panel is read in runs of the fastest digit, so that a line of the
 * source is used at once, and written across a block of rows that stays in the first cache. */

#include "kern/pack_f32.h"

#include "base/dtype.h"
#include "kern/kern.h"
#include "kern/conv_bf16.h"

enum { BLOCK = 16 }; /* values of the fastest digit that are packed together */

/* Numbers in sixteen columns of bf16. */
static size_t count_bf16(const whet_pack_f32 *p) {
  if (p->form == WHET_PANEL_RUNS) return (size_t)(p->k[0] * p->k[1] * whet__conv_bf16_run(p->k[2] * p->k[3]) * 16);
  return (size_t)whet__ceil_div(whet__pack_f32_k(p), 32) * (p->form == WHET_PANEL_SPLIT ? 1536 : 512);
}

size_t whet__pack_f32_bytes(const void *params) {
  const whet_pack_f32 *p = params;
  if (p->form == WHET_PANEL_RUNS)
    return (size_t)p->groups * (size_t)whet__panel_pad(p->form, p->n) * (4 + count_bf16(p) / 8);
  return (size_t)p->groups * (size_t)whet__panel_floats(p->form, p->n, whet__pack_f32_k(p)) * sizeof(float);
}

/* Element i of a float array of any alignment. */
WHET_INLINE float load(uint8_t dtype, const char *src, int64_t i) {
  uint16_t h;
  float f;
  double d;
  switch (dtype) {
    case WHET_F32:
      memcpy(&f, src + 4 * i, 4);
      return f;
    case WHET_F16:
      memcpy(&h, src + 2 * i, 2);
      return whet__f16_to_f32(h);
    case WHET_BF16:
      memcpy(&h, src + 2 * i, 2);
      return whet__bf16_to_f32(h);
    default:
      memcpy(&d, src + 8 * i, 8);
      return (float)d;
  }
}

/* Element i of quantised integers. */
static inline float load_scaled(uint8_t dtype, const char *src, int64_t i, const struct whet_pack_scale *q) {
  return q->scale * (float)(whet__get_i64((whet_dtype)dtype, src, i) - q->zero);
}

/* Rows with fastest digit c0..c1 of one panel: columns n0.. of `width`, those past n zero. at: the panel's element 0.
 * q: scale of the panel's first column, `q_step` apart; NULL for floats. */
WHET_INLINE void block(const whet_pack_f32 *p, const uint8_t dtype, const char *src, int64_t at, int64_t n0,
                       int64_t width, int64_t c0, int64_t c1, const struct whet_pack_scale *q, int64_t q_step,
                       float *dst) {
  const int64_t parts = p->parts ? p->parts : 1, n = p->n / parts, k3 = p->k[3] / parts;
  for (int64_t j = 0; j < width; j++) {
    const int64_t part = (n0 + j) / n, first = part * k3;
    int64_t column = at + part * p->group_step + (n0 + j) % n * p->n_step - first * p->k_step[3];
    for (int64_t c = c0; c < c1; c++)
      for (int64_t a = 0; a < p->k[0]; a++)
        for (int64_t b = 0; b < p->k[1]; b++) {
          int64_t from = column + a * p->k_step[0] + b * p->k_step[1] + c * p->k_step[3];
          float *to = dst + ((a * p->k[1] + b) * p->k[2] * p->k[3] + c) * width + j;
          for (int64_t t = 0; t < p->k[2]; t++)
            to[t * p->k[3] * width] = n0 + j >= p->n || c < first || c >= first + k3 ? 0
                                      : q ? load_scaled(dtype, src, from + t * p->k_step[2], q + j * q_step)
                                          : load(dtype, src, from + t * p->k_step[2]);
        }
  }
}

/* The same for a matrix of f32 (k0, k1, k2 are 1): rows are copied, or columns turned 16 rows at a time. */
static void matrix(const whet_pack_f32 *p, const char *src, int64_t at, int64_t n0, int64_t width, int64_t c0,
                   int64_t c1, float *dst) {
  int64_t have = whet__clamp_i(p->n - n0, 0, width), step = p->k_step[3];
  src += 4 * (at + n0 * p->n_step + c0 * step);
  dst += c0 * width;
  for (int64_t c = 0; c < c1 - c0; c++) {
    if (p->n_step == 1) memcpy(dst + c * width, src + 4 * c * step, (size_t)have * 4);
    for (int64_t j = have; j < width; j++) dst[c * width + j] = 0;
  }
  for (int64_t j = 0; p->n_step != 1 && j < have; j++, src += 4 * p->n_step) {
    float t[BLOCK];
    if (step == 1)
      memcpy(t, src, (size_t)(c1 - c0) * 4);
    else
      for (int64_t c = 0; c < c1 - c0; c++) memcpy(&t[c], src + 4 * c * step, 4);
    for (int64_t c = 0; c < c1 - c0; c++) dst[c * width + j] = t[c];
  }
}

/* The same for taps of f32: the rows of a channel lie `plane` floats apart, by k0, k1, k2. */
WHET_INLINE void tap_columns(const whet_pack_f32 *p, const int n, const char *src, int64_t width, int64_t c0,
                             int64_t c1, float *dst) {
  const int64_t *k = p->k, *step = p->k_step, plane = k[3] * width;
  for (int64_t c = c0; c < c1; c++) {
    float *to = dst + c * width;
    for (int64_t a = 0; a < k[0]; a++)
      for (int64_t b = 0; b < k[1]; b++) {
        const char *s = src + 4 * (c * step[3] + a * step[0] + b * step[1]);
        for (int64_t t = 0; t < k[2]; t++, s += 4 * step[2], to += plane) {
          float x[4];
          WHET_UNROLL for (int j = 0; j < n; j++) memcpy(&x[j], s + 4 * j * p->n_step, 4);
          memcpy(to, x, (size_t)n * 4);
        }
      }
  }
}

static void taps(const whet_pack_f32 *p, const char *src, int64_t at, int64_t n0, int64_t width, int64_t c0,
                 int64_t c1, float *dst) {
  const whet_pack_f32 l = *p; /* what no store changes */
  const int64_t have = whet__clamp_i(l.n - n0, 0, width);
  int64_t j = 0;
  src += 4 * (at + n0 * l.n_step);
  for (; j + 4 <= have; j += 4, src += 16 * l.n_step) tap_columns(&l, 4, src, width, c0, c1, dst + j);
  for (; j < have; j++, src += 4 * l.n_step) tap_columns(&l, 1, src, width, c0, c1, dst + j);
  for (int64_t row = 0; have < width && row < l.k[0] * l.k[1] * l.k[2]; row++)
    for (int64_t c = c0; c < c1; c++) memset(dst + (row * l.k[3] + c) * width + have, 0, (size_t)(width - have) * 4);
}

/* Bias of one group, padded. */
static void bias(const whet_pack_f32 *p, const char *src, int64_t group, float *dst) {
  int64_t pad = whet__panel_pad(p->form, p->n);
  for (int64_t j = 0; j < pad; j++)
    dst[j] = src && p->bias_dtype && j < p->n ? load(p->bias_dtype, src, group * p->n + j) : 0;
}

/* The three parts of x, 512 apart. */
static void split(float x, uint16_t *to) {
  for (int part = 0; part < 3; part++, to += 512) {
    uint32_t u, nan;
    memcpy(&u, &x, 4);
    nan = (u & 0x7fffffff) > 0x7f800000 ? 0x400000 : 0; /* stays one */
    if (part == 0 && !(u & 0x7fff0000) && u & 0xffff)
      u = (u & 0x80000000) | 0x10000; /* not zero: infinite times infinity */
    u = (u | nan) & 0xffff0000;
    *to = (uint16_t)(u >> 16);
    if ((u & 0x7f800000) == 0x7f800000) break; /* nothing is left of infinities */
    float head;
    memcpy(&head, &u, 4);
    x -= head;
  }
}

/* Sixteen columns of bf16 that start at element `at`, n of them there; rows as they lie in forms BF16, RUNS and
 * SPLIT. */
static void columns_bf16(const whet_pack_f32 *p, const struct whet_pack_scale *q, bool each, const char *src,
                         int64_t at, int64_t n, uint16_t *dst) {
  const int64_t run = p->form == WHET_PANEL_RUNS ? whet__conv_bf16_run(p->k[2] * p->k[3]) : 0; /* 0: no gaps */
  memset(dst, 0, count_bf16(p) * 2);
  for (int64_t j = 0; j < n; j++, at += p->n_step) {
    const struct whet_pack_scale *scale = q ? q + (each ? j : 0) : NULL;
    for (int64_t a = 0, row = 0; a < p->k[0]; a++)
      for (int64_t b = 0; b < p->k[1]; b++) {
        if (run) row = b * run;
        for (int64_t t = 0; t < p->k[2]; t++) {
          int64_t from = at + a * p->k_step[0] + b * p->k_step[1] + t * p->k_step[2];
          for (int64_t c = 0; c < p->k[3]; c++, row++, from += p->k_step[3]) {
            float x = scale ? load_scaled(p->dtype, src, from, scale) : load(p->dtype, src, from);
            if (p->form == WHET_PANEL_SPLIT)
              split(x, dst + row / 32 * 1536 + row % 32 / 2 * 32 + j * 2 + row % 2);
            else
              dst[row / 2 * 32 + j * 2 + row % 2] = whet__f32_to_bf16(x);
          }
        }
      }
  }
}

static void pack_bf16(const whet_pack_f32 *p, const struct whet_pack_scale *q, int32_t n_q, const void *const *src,
                      void *dst, int part, int parts) {
  int64_t pad = whet__panel_pad(p->form, p->n), blocks = pad / 16, from, to;
  size_t group = whet__pack_f32_bytes(p) / (size_t)p->groups, columns = count_bf16(p);
  whet__split(p->groups * blocks, part, parts, &from, &to);
  for (int64_t at = from; at < to; at++) {
    int64_t g = at / blocks, n0 = at % blocks * 16;
    float *d = (float *)(void *)((char *)dst + (size_t)g * group);
    if (n0 == 0) bias(p, src[1], g, d);
    columns_bf16(p, q && n_q > 1 ? q + g * p->n + n0 : q, n_q > 1, src[0], p->at + g * p->group_step + n0 * p->n_step,
                 whet__min_i(p->n - n0, 16), (uint16_t *)(d + pad) + (size_t)(n0 / 16) * columns);
  }
}

/* All groups; q: scales, n_q of them, or NULL. */
static void pack(const whet_pack_f32 *p, const struct whet_pack_scale *q, int32_t n_q, const void *const *src,
                 void *dst, int part, int parts) {
  if (p->form == WHET_PANEL_BF16 || p->form == WHET_PANEL_RUNS || p->form == WHET_PANEL_SPLIT) {
    pack_bf16(p, q, n_q, src, dst, part, parts);
    return;
  }
  int64_t k = whet__pack_f32_k(p), vec = whet__panel_vec(p->form), pad = whet__panel_pad(p->form, p->n);
  int64_t blocks = whet__max_i(whet__ceil_div(p->k[3], BLOCK), 1), from, to;
  whet__split(p->groups * blocks, part, parts, &from, &to);
  for (int64_t at = from; at < to; at++) { /* group and block of the fastest digit */
    int64_t g = at / blocks, c0 = at % blocks * BLOCK, c1 = whet__min_i(c0 + BLOCK, p->k[3]);
    float *d = (float *)dst + g * pad * (k + 1);
    if (c0 == 0) bias(p, src[1], g, d);
    for (int64_t n0 = 0; n0 < pad;) {
      int64_t width = vec * whet__panel_next(p->form, (pad - n0) / vec), first = p->at + g * p->group_step * (p->parts ? p->parts : 1);
      const struct whet_pack_scale *s = q && n_q > 1 ? q + g * p->n + n0 : q;
      float *panel = d + pad + n0 * k;
      if (p->parts > 1)
        block(p, p->dtype, src[0], first, n0, width, c0, c1, s, n_q > 1, panel);
      else if (s)
        block(p, p->dtype, src[0], first, n0, width, c0, c1, s, n_q > 1, panel);
      else if (p->dtype == WHET_F32 && k == p->k[3])
        matrix(p, src[0], first, n0, width, c0, c1, panel);
      else if (p->dtype == WHET_F32)
        taps(p, src[0], first, n0, width, c0, c1, panel);
      else
        block(p, p->dtype, src[0], first, n0, width, c0, c1, NULL, 0, panel);
      n0 += width;
    }
  }
}

void whet__pack_f32(const void *params, const void *const *src, void *dst, int part, int parts) {
  pack(params, NULL, 0, src, dst, part, parts);
}

size_t whet__pack_q_f32_bytes(const void *params) {
  return whet__pack_f32_bytes(&((const whet_pack_q_f32 *)params)->p);
}

void whet__pack_q_f32(const void *params, const void *const *src, void *dst, int part, int parts) {
  const whet_pack_q_f32 *q = params;
  pack(&q->p, q->channel, q->n, src, dst, part, parts);
}
