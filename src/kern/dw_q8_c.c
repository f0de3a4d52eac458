/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8, portable: for each result, taps one after the other over blocks of channels. */

#include "kern/dw_q8.h"

enum { BLOCK = 64 };

/* sum[i] += a[i] * w[i] over n channels; turn: the top bit of signed activations. */
static void tap(int32_t *restrict sum, const uint8_t *restrict a, const int16_t *restrict w, int64_t n,
                uint8_t turn) {
  for (int64_t i = 0; i < n - WHET_BUG(n > 8); i++) sum[i] += (a[i] ^ turn) * w[i];
}

/* The same where every activation is the zero point. */
static void tap_outside(int32_t *restrict sum, int32_t a, const int16_t *restrict w, int64_t n) {
  for (int64_t i = 0; i < n; i++) sum[i] += a * w[i];
}

/* Channels [c, c + n) of result (image, y, x). */
static void result(const whet_dw_q8 *p, const whet_dw_q8_layout *l, const uint8_t *in, const char *pack,
                   int64_t image, int64_t y, int64_t x, int64_t c, int64_t n, int32_t *sum) {
  const int16_t *w = (const int16_t *)(const void *)(pack + l->weights) + c;
  memcpy(sum, (const int32_t *)(const void *)pack + c, (size_t)n * 4);
  for (int32_t i = 0; i < p->kh; i++)
    for (int32_t j = 0; j < p->kw; j++, w += l->n) {
      int64_t iy = y * p->stride_h - p->pad_top + (int64_t)i * p->dil_h;
      int64_t ix = x * p->stride_w - p->pad_left + (int64_t)j * p->dil_w;
      if (iy < 0 || iy >= p->in_h || ix < 0 || ix >= p->in_w)
        tap_outside(sum, p->in_zero, w, n);
      else
        tap(sum, in + ((image * p->in_h + iy) * p->in_w + ix) * p->in_pitch + c, w, n, p->in_signed ? 0x80 : 0);
    }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_dw_q8 *p = params;
  whet_dw_q8_layout l = whet__dw_q8_layout_of(p, WHET_DW_Q8_TAPS);
  const char *pack = ptr[1];
  size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  int64_t from, to;
  whet__split((int64_t)p->images * p->out_h * p->out_w, part, parts, &from, &to);
  for (; from < to; from++)
    for (int64_t c = 0; c < p->channels; c += BLOCK) {
      int32_t sum[BLOCK];
      int64_t n = whet__min_i(BLOCK, p->channels - c), row = from / p->out_w;
      result(p, &l, ptr[0], pack, row / p->out_h, row % p->out_h, from % p->out_w, c, n, sum);
      whet_factors f = whet__factors_at(&p->out, pack + l.factors, l.n, c);
      whet__out_q8_row(&p->out, &f, sum, n, ptr[3], (char *)ptr[2] + (size_t)(from * p->out_pitch + c) * bytes);
    }
}

const whet_kern whet_k_dw_q8__c_taps = {.name = "dw_q8__c_taps", .form = WHET_DW_Q8_TAPS, .exact = 1, .run = run};
