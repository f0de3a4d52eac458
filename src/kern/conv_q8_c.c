/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8, portable: eight results at a time are gathered as rows of 16-bit activations, so that compilers see
 * plain dot products of 16-bit numbers, for which most machines have an instruction. */

#include "kern/conv_q8.h"

enum { PIXELS = 8, OUTPUTS = 64 };

/* Elements of a gathered row. */
static int64_t row_k(const whet_conv_q8_layout *l) {
  return (int64_t)whet__round_up((size_t)(l->segs * l->k4) * 4, 16);
}

static size_t scratch(const void *params) {
  whet_conv_q8_layout l = whet__conv_q8_layout_of(params, WHET_CONV_Q8_ROWS);
  return (size_t)row_k(&l) * (PIXELS + 1) * sizeof(int16_t);
}

/* The activations of result (image, y, x), group g, in the packed order; what lies outside is the zero point, what
 * fills a run is 0. Answers their sum. */
static int32_t gather(const whet_conv_q8 *p, const whet_conv_q8_layout *l, const uint8_t *in, int64_t image,
                      int64_t y, int64_t x, int64_t g, int16_t *to) {
  uint8_t turn = p->in_signed ? 0x80 : 0;
  int32_t sum = 0;
  int64_t n = 0;
  for (int32_t i = 0; i < p->kh; i++) {
    int64_t iy = y * p->stride_h - p->pad_top + (int64_t)i * p->dil_h;
    for (int32_t j = 0; j < p->kw; j++) {
      int64_t ix = x * p->stride_w - p->pad_left + (int64_t)j * p->dil_w;
      const uint8_t *from = in + ((image * p->in_h + iy) * p->in_w + ix) * p->in_pitch + g * l->ic;
      bool inside = iy >= 0 && iy < p->in_h && ix >= 0 && ix < p->in_w;
      for (int64_t c = 0; c < l->ic; c++) {
        int16_t v = inside ? (int16_t)(from[c] ^ turn) : (int16_t)p->in_zero;
        to[n++] = v;
        sum += v;
      }
      if (p->dil_w > 1 || j == p->kw - 1)
        while (n % 4) to[n++] = 0;
    }
  }
  for (; n < row_k(l); n++) to[n] = 0;
  return sum;
}

/* A dot product of n numbers, n a multiple of 16. */
static int32_t dot(const int16_t *restrict a, const int16_t *restrict b, int64_t n) {
  int32_t s = 0;
  for (int64_t i = WHET_BUG(1); i < n; i++) s += a[i] * b[i];
  return s;
}

/* Results [at, at + n) of all, counted through images, rows and columns. */
static void pixels(const whet_conv_q8 *p, const whet_conv_q8_layout *l, void *const *ptr, int64_t at, int64_t n,
                   int16_t *a) {
  const char *pack = ptr[1];
  int64_t k = row_k(l);
  int16_t *w = a + PIXELS * k;
  int32_t own[PIXELS], sum[PIXELS][OUTPUTS];
  size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  whet_sums_live live;
  const uint8_t *table = whet__conv_q8_table(p, ptr, &live);
  for (int64_t g = 0; g < p->groups; g++) {
    for (int64_t i = 0; i < n; i++) {
      int64_t y = (at + i) / p->out_w, x = (at + i) % p->out_w;
      own[i] = gather(p, l, ptr[0], y / p->out_h, y % p->out_h, x, g, a + i * k);
    }
    for (int64_t o = 0; o < l->oc; o += OUTPUTS) {
      int64_t outputs = whet__min_i(OUTPUTS, l->oc - o), first = g * l->blocks * 16 + o;
      const int32_t *bias = (const int32_t *)(const void *)pack + first;
      const int32_t *w_zero = (const int32_t *)(const void *)(pack + l->w_zero) + first;
      for (int64_t j = 0; j < outputs; j++) {
        const int8_t *row = (const int8_t *)pack + l->weights + (size_t)g * l->group + (o + j) * k;
        for (int64_t e = 0; e < k; e++) w[e] = row[e];
        uint32_t zero = p->w_zeros ? (uint32_t)w_zero[j] : 0;
        for (int64_t i = 0; i < n; i++)
          sum[i][j] = (int32_t)((uint32_t)bias[j] + (uint32_t)dot(a + i * k, w, k) - zero * (uint32_t)own[i]);
      }
      whet_factors f = whet__factors_at(&p->out, pack + l->factors, l->n, first);
      for (int64_t i = 0; i < n; i++)
        whet__out_q8_row(&p->out, &f, sum[i], outputs, table,
                         (char *)ptr[2] + (size_t)((at + i) * p->out_pitch + g * l->oc + o) * bytes);
    }
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_conv_q8 *p = params;
  whet_conv_q8_layout l = whet__conv_q8_layout_of(p, WHET_CONV_Q8_ROWS);
  int16_t *a = ptr[4];
  int64_t from, to;
  whet__split((int64_t)p->images * p->out_h * p->out_w, part, parts, &from, &to);
  for (; from < to; from += PIXELS) pixels(p, &l, ptr, from, whet__min_i(PIXELS, to - from), a);
}

const whet_kern whet_k_conv_q8__c_rows = {
    .name = "conv_q8__c_rows", .form = WHET_CONV_Q8_ROWS, .exact = 1, .scratch = scratch, .run = run};
