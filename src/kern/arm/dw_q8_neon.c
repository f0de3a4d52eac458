/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8 on NEON: blocks of 16 channels, four neighbouring results at a time, so that four vectors of activations
 * meet each load of weights; SMLAL adds exact products of 16-bit numbers to 32-bit sums. Taps outside the picture read
 * a row of zero points. */

#include "kern/arm/out_q8_neon.h"
#include "kern/dw_q8.h"

enum { WIDE = 4, BLOCK = 16 };

/* Scratch: pointers to the taps of WIDE results, then the row of zero points. */
static size_t zeros_at(const whet_dw_q8 *p) { return (size_t)p->kh * (size_t)p->kw * WIDE * sizeof(uint8_t *); }
static size_t scratch(const void *params) {
  const whet_dw_q8 *p = params;
  return zeros_at(p) + whet__round_up((size_t)p->channels, 64);
}

/* Where results [x, x + n) of a row read: the pointers of each tap next to each other. */
static void taps_of(const whet_dw_q8 *p, const uint8_t *image, int64_t y, int64_t x, int64_t n, const uint8_t *zeros,
                    const uint8_t **tap) {
  for (int64_t i = 0; i < p->kh; i++) {
    int64_t iy = y * p->stride_h - p->pad_top + i * p->dil_h;
    for (int64_t j = 0; j < p->kw; j++, tap += WIDE)
      for (int64_t r = 0; r < WIDE; r++) {
        int64_t ix = (x + whet__min_i(r, n - 1)) * p->stride_w - p->pad_left + j * p->dil_w;
        bool inside = iy >= 0 && iy < p->in_h && ix >= 0 && ix < p->in_w;
        tap[r] = inside ? image + (iy * p->in_w + ix) * p->in_pitch : zeros;
      }
  }
}

/* Sums of m channels from c on (all: 16 of them) of WIDE results; w: their weights, taps `step` apart. */
OUT_INLINE void sums(const uint8_t *const *tap, int64_t taps, int64_t c, int64_t m, const int16_t *w, int64_t step,
                     const int32_t *bias, uint8_t turn, int32_t *sum, const bool all) {
  int32x4_t acc[WIDE][4];
  const uint8x16_t flip = vdupq_n_u8(turn);
  WHET_UNROLL for (int r = 0; r < WIDE; r++) WHET_UNROLL for (int j = 0; j < 4; j++) acc[r][j] =
      vld1q_s32(bias + 4 * j);
  for (int64_t t = 0; t < taps; t++, tap += WIDE, w += step) {
    const int16x8_t w0 = vld1q_s16(w), w1 = vld1q_s16(w + 8);
    WHET_UNROLL for (int r = 0; r < WIDE; r++) {
      uint8x16_t x = all ? vld1q_u8(tap[r] + c) : vreinterpretq_u8_s32(out_load_bytes(tap[r] + c, m));
      x = veorq_u8(x, flip);
      const int16x8_t lo = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(x)));
      const int16x8_t hi = vreinterpretq_s16_u16(vmovl_high_u8(x));
      acc[r][0] = vmlal_s16(acc[r][0], vget_low_s16(lo), vget_low_s16(w0));
      acc[r][1] = vmlal_high_s16(acc[r][1], lo, w0);
      acc[r][2] = vmlal_s16(acc[r][2], vget_low_s16(hi), vget_low_s16(w1));
      acc[r][3] = vmlal_high_s16(acc[r][3], hi, w1);
    }
  }
  WHET_UNROLL for (int r = 0; r < WIDE; r++) WHET_UNROLL for (int j = 0; j < 4; j++)
      vst1q_s32(sum + BLOCK * r + 4 * j, acc[r][j]);
}

/* Row `row` of all images' results. */
static void one_row(const whet_dw_q8 *p, const whet_dw_q8_layout *l, const char *pack, const uint8_t *in, int64_t row,
                    const uint8_t *table, char *out, const uint8_t *zeros, const uint8_t **tap) {
  const uint8_t turn = p->in_signed ? 0x80 : 0, *image = in + row / p->out_h * p->in_h * p->in_w * p->in_pitch;
  const size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  for (int64_t x = 0; x < p->out_w; x += WIDE) {
    int64_t n = whet__min_i(WIDE, p->out_w - x);
    taps_of(p, image, row % p->out_h, x, n, zeros, tap);
    for (int64_t c = 0; c < p->channels; c += BLOCK) {
      int32_t sum[WIDE * BLOCK];
      int64_t m = whet__min_i(BLOCK, p->channels - c);
      const int16_t *w = (const int16_t *)(const void *)(pack + l->weights) + c;
      const int32_t *bias = (const int32_t *)(const void *)pack + c;
      if (m == BLOCK)
        sums(tap, l->taps, c, m, w, l->n, bias, turn, sum, true);
      else
        sums(tap, l->taps, c, m, w, l->n, bias, turn, sum, false);
      whet_factors f = whet__factors_at(&p->out, pack + l->factors, l->n, c);
      out_tile(&p->out, &f, sum, BLOCK, n, m, table,
               out + (size_t)((row * p->out_w + x) * p->out_pitch + c) * bytes, p->out_pitch);
    }
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_dw_q8 *p = params;
  whet_dw_q8_layout l = whet__dw_q8_layout_of(p, WHET_DW_Q8_TAPS);
  char *own = whet__part_scratch(ptr[4], scratch(p), part);
  uint8_t *zeros = (uint8_t *)own + zeros_at(p);
  int64_t from, to;
  memset(zeros, (p->in_zero ^ (p->in_signed ? 0x80 : 0)) & 0xff, (size_t)p->channels);
  whet__split((int64_t)p->images * p->out_h, part, parts, &from, &to);
  for (; from < to; from++)
    one_row(p, &l, ptr[1], ptr[0], from, ptr[3], ptr[2], zeros, (const uint8_t **)(void *)own);
}

const whet_kern whet_k_dw_q8__neon_taps = {.name = "dw_q8__neon_taps",
                                           .isa = WHET_ISA_NEON,
                                           .form = WHET_DW_Q8_TAPS,
                                           .exact = 1,
                                           .scratch = scratch,
                                           .run = run};
