/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_ARM_DW_Q8_THREE_H
#define WHET_KERN_ARM_DW_Q8_THREE_H

/* Kernels 3 x 3 of family dw_q8 on dotprod by the loops of dots_3x3.h, included by dw_q8_dotprod.c: some rows of
 * results at a time, so that their input stays in the first cache while all channels pass over it. */

#include "kern/arm/dots_3x3.h"

/* What of a picture the loops can take: channels that fill halves of blocks. */
static int64_t three_channels(const whet_dw_q8 *p) {
  const bool fits = p->kh == 3 && p->kw == 3 && p->dil_h == 1 && p->dil_w == 1 && !p->w_zeros &&
                    p->stride_h == p->stride_w && (p->stride_w == 1 || p->stride_w == 2) && p->pad_left >= 0;
  return !fits ? 0 : p->channels % BLOCK == 8 ? p->channels : p->channels / BLOCK * BLOCK;
}
/* Sums of two rows, and where a row that is not there goes. */
static size_t three_scratch(const whet_dw_q8 *p) { return three_channels(p) ? (size_t)(2 * p->out_w + 1) * 64 : 0; }

/* Rows of results at a time, at most: TURNS of the loop. */
enum { TURNS = 16 };

/* The columns that results of row y of an image read. */
static void three_turns(const dw_call *k, const uint8_t *image, int64_t y, dots_turn turn[4]) {
  const whet_dw_q8 *p = k->p;
  const int64_t all = (int64_t)(p->out_w - 1) * p->stride_w + 3, left = whet__min_i(p->pad_left, all);
  const int64_t within = whet__min_i(p->in_w, all - left), right = all - left - within;
  dots_turn *t = turn;
  for (int side = 0; side < 3; side++) {
    t->n = side == 0 ? left : side == 1 ? within : right;
    if (!t->n) continue;
    for (int64_t i = 0; i < 4; i++) {
      const int64_t iy = y * p->stride_h - p->pad_top + i;
      const bool there = side == 1 && iy >= 0 && iy < p->in_h && i < (p->stride_h == 1 ? 4 : 3);
      t->a[i] = (there ? image + iy * p->in_w * p->in_pitch : k->outside);
      t->step[i] = there ? p->in_pitch : 0;
    }
    t++;
  }
  t->n = 0;
}

/* Results are made by what tight ones allow. */
static bool three_tight(const whet_out_q8 *o) { return o->tight && o->zero % 2 == 0; }

/* Half h of block b, results of rows [y, y + n) of an image, whose row 0 is at out. r: what does not depend on the
 * channels. */
static void three_half(const dw_call *k, const dw_block *b, int h, const dots_turn turn[][4], int64_t y, int64_t n,
                       dots_row *r, char *out) {
  static void (*const fn[2][5])(const dots_row *r, const dots_turn *t) = {
      {dots_near_sums, dots_near_u8, dots_near_s8, dots_near_u8_tight, dots_near_s8_tight},
      {dots_far_sums, dots_far_u8, dots_far_s8, dots_far_u8_tight, dots_far_s8_tight}};
  const whet_dw_q8 *p = k->p;
  const whet_out_q8 *o = &p->out;
  const int64_t pair = p->stride_h == 1 ? 2 : 1, line = p->out_w * p->out_pitch;
  const bool near = out_way(o) == OUT_REAL32 && o->quick && !o->table && out_whole(o);
  uint8_t *spare = (uint8_t *)(k->sums + 2 * p->out_w * BLOCK);
  r->c = b->c + 8 * h;
  for (int g = 0; g < 3; g++)
    for (int j = 0; j < 2; j++) {
      const int8x16_t w = vld1q_s8(b->w + 256 * g + 64 * (2 * h + j));
      vst1q_s8(r->w[2 * g + j], w);
      vst1q_s8(r->w[6 + 2 * g + j], vreinterpretq_s8_s32(vshlq_n_s32(vreinterpretq_s32_s8(w), 8)));
    }
  for (int j = 0; j < 2; j++) vst1q_s32(r->bias + 4 * j, b->bias[2 * h + j]);
  if (near) {
    memcpy(r->real, b->real32 + 8 * h, sizeof r->real);
    uint8_t *to = (uint8_t *)out + y * line + r->c;
    r->step[0] = r->step[1] = p->out_pitch;
    for (int64_t i = 0; i < n; i += pair, turn++, to += pair * line) {
      r->out[0] = to, r->out[1] = to + line;
      if (i + 1 == n) r->out[1] = spare, r->step[1] = 0;
      fn[pair == 1][(o->dtype == WHET_S8 ? 2 : 1) + (three_tight(o) ? 2 : 0)](r, *turn);
    }
    return;
  }
  const size_t bytes = whet_dtype_bits(o->dtype) / 8;
  whet_factors f = b->f;
  f.mul += f.mul ? 8 * h : 0, f.shift += f.shift ? 8 * h : 0, f.real += f.real ? 8 * h : 0,
      f.real32 += f.real32 ? 8 * h : 0;
  whet_out_ready_neon ready;
  out_ready(&ready, o, &f, 8, k->table);
  r->step[0] = r->step[1] = (int64_t)(BLOCK * sizeof *k->sums);
  r->out[0] = (uint8_t *)k->sums, r->out[1] = (uint8_t *)(k->sums + p->out_w * BLOCK);
  for (int64_t i = 0; i < n; i++) {
    const int32_t *sum = k->sums + i % pair * p->out_w * BLOCK;
    char *to = out + (size_t)((y + i) * line + r->c) * bytes;
    if (i % pair == 0) fn[pair == 1][0](r, *turn++);
    if (ready.make)
      ready.make(&ready, sum, p->out_w, (uint8_t *)to, p->out_pitch);
    else
      out_tile(o, &f, sum, BLOCK, p->out_w, 8, k->table, to, p->out_pitch);
  }
}

/* Rows [from, to) of all images' results, channels below three_channels(). */
static void three_rows(const dw_call *k, const uint8_t *in, int64_t from, int64_t to, char *out) {
  const whet_dw_q8 *p = k->p;
  const int64_t channels = three_channels(p), row = p->in_w * p->in_pitch, pair = p->stride_h == 1 ? 2 : 1;
  const size_t image = (size_t)(p->out_h * p->out_w * p->out_pitch) * (whet_dtype_bits(p->out.dtype) / 8);
  const int64_t most = pair * whet__clamp_i((24 << 10) / (2 * row + 1), 1, TURNS);
  dots_row r;
  vst1q_u8(r.turned, k->turn);
  if (three_tight(&p->out))
    vst1q_s32(r.zero, vdupq_n_s32(0x4b400000 + p->out.zero)); /* a float */
  else
    vst1q_s32(r.zero, vreinterpretq_s32_s16(vdupq_n_s16((int16_t)p->out.zero)));
  for (int i = 0; i < 32; i++) r.places[i / 16][i % 16] = (uint8_t)(i / 4 + i % 4 * 8);
  while (from < to) {
    dots_turn turn[TURNS][4];
    const int64_t at = from / p->out_h, y = from % p->out_h,
                  n = whet__min_i(whet__min_i(most, to - from), p->out_h - y);
    for (int64_t i = 0; i < n; i += pair) three_turns(k, in + at * p->in_h * row, y + i, turn[i / pair]);
    for (int64_t c = 0; c < channels; c += BLOCK) {
      dw_block b;
      block_of(k, c, &b);
      for (int h = 0; h < 2 && c + 8 * h < channels; h++)
        three_half(k, &b, h, (const dots_turn(*)[4])turn, y, n, &r, out + (size_t)at * image);
    }
    from += n;
  }
}

#endif
