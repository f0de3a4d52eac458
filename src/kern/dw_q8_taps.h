/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_DW_Q8_TAPS_H
#define WHET_KERN_DW_Q8_TAPS_H

/* The driver of family dw_q8 over weights of form 3, included by each ISA file after it has included its out_q8 and
 * defined
 *
 *   DW_WIDE, DW_BLOCK   results whose taps are read together; channels of a block, a multiple of 16
 *   dw_sums()           sums of m channels from c on (all: DW_BLOCK of them) of DW_WIDE results, DW_BLOCK apart; w:
 * their weights, taps `step` apart; turn: what makes activations unsigned
 *
 * Taps outside the picture read a row of zero points. */

#include "kern/dw_q8.h"

/* Scratch: pointers to the taps of the results, then the row of zero points. */
static size_t dw_zeros_at(const whet_dw_q8 *p) { return (size_t)p->kh * (size_t)p->kw * DW_WIDE * sizeof(uint8_t *); }
static size_t dw_scratch(const void *params) {
  const whet_dw_q8 *p = params;
  return dw_zeros_at(p) + whet__round_up((size_t)p->channels, 64);
}

/* Where results [x, x + n) of a row read: the pointers of each tap next to each other. */
static void dw_taps_of(const whet_dw_q8 *p, const uint8_t *image, int64_t y, int64_t x, int64_t n,
                       const uint8_t *zeros, const uint8_t **tap) {
  for (int64_t i = 0; i < p->kh; i++) {
    int64_t iy = y * p->stride_h - p->pad_top + i * p->dil_h;
    for (int64_t j = 0; j < p->kw; j++, tap += DW_WIDE)
      for (int64_t r = 0; r < DW_WIDE; r++) {
        int64_t ix = (x + whet__min_i(r, n - 1)) * p->stride_w - p->pad_left + j * p->dil_w;
        bool inside = iy >= 0 && iy < p->in_h && ix >= 0 && ix < p->in_w;
        tap[r] = inside ? image + (iy * p->in_w + ix) * p->in_pitch : zeros;
      }
  }
}

/* Row `row` of all images' results. */
static void dw_row(const whet_dw_q8 *p, const whet_dw_q8_layout *l, const char *pack, const uint8_t *in, int64_t row,
                   const uint8_t *table, char *out, const uint8_t *zeros, const uint8_t **tap) {
  const uint8_t turn = p->in_signed ? 0x80 : 0, *image = in + row / p->out_h * p->in_h * p->in_w * p->in_pitch;
  const size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  for (int64_t x = 0; x < p->out_w; x += DW_WIDE) {
    int64_t n = whet__min_i(DW_WIDE, p->out_w - x);
    dw_taps_of(p, image, row % p->out_h, x, n, zeros, tap);
    for (int64_t c = 0; c < p->channels; c += DW_BLOCK) {
      int32_t sum[DW_WIDE * DW_BLOCK];
      int64_t m = whet__min_i(DW_BLOCK, p->channels - c);
      const int16_t *w = (const int16_t *)(const void *)(pack + l->weights) + c;
      const int32_t *bias = (const int32_t *)(const void *)pack + c;
      if (m == DW_BLOCK)
        dw_sums(tap, l->taps, c, m, w, l->n, bias, turn, sum, true);
      else
        dw_sums(tap, l->taps, c, m, w, l->n, bias, turn, sum, false);
      whet_factors f = whet__factors_at(&p->out, pack + l->factors, l->n, c);
      out_tile(&p->out, &f, sum, DW_BLOCK, n, m, table,
               out + (size_t)((row * p->out_w + x) * p->out_pitch + c) * bytes, p->out_pitch);
    }
  }
}

static void dw_run(const void *params, void *const *ptr, int part, int parts) {
  const whet_dw_q8 *p = params;
  whet_dw_q8_layout l = whet__dw_q8_layout_of(p, WHET_DW_Q8_TAPS);
  char *own = ptr[4];
  uint8_t *zeros = (uint8_t *)own + dw_zeros_at(p);
  int64_t from, to;
  memset(zeros, (p->in_zero ^ (p->in_signed ? 0x80 : 0)) & 0xff, (size_t)p->channels);
  whet__split((int64_t)p->images * p->out_h, part, parts, &from, &to);
  for (; from < to; from++) dw_row(p, &l, ptr[1], ptr[0], from, ptr[3], ptr[2], zeros, (const uint8_t **)(void *)own);
}

#endif
