/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8: layout of packed weights, and packing. */

#include "kern/dw_q8.h"
#include "base/dtype.h"

whet_dw_q8_layout whet__dw_q8_layout(const whet_dw_q8_shape *s) {
  whet_dw_q8_layout l = {.n = (int64_t)whet__round_up((size_t)s->channels, 64), .taps = (int64_t)s->kh * s->kw};
  const bool fours = whet__dw_q8_fours(s->form);
  if (fours)
    l.slots = s->kh <= 4 ? (int64_t)s->kw * 4 : (int64_t)whet__round_up((size_t)l.taps, 4);
  else
    l.slots = s->form == WHET_DW_Q8_PAIRS ? (int64_t)whet__round_up((size_t)l.taps, 2) : l.taps;
  l.factors = (size_t)l.n * 4;
  l.w_zero = l.factors + whet__round_up(whet__factors_bytes(&s->out, l.n), 64);
  l.weights = l.w_zero + (s->w_zeros && s->form == WHET_DW_Q8_DOTS ? (size_t)l.n * 4 : 0);
  l.bytes = l.weights + (size_t)(l.slots * l.n) * (fours ? 1 : 2);
  return l;
}

size_t whet__dw_q8_bytes(const void *params) {
  return whet__dw_q8_layout(&((const whet_dw_q8_pack *)params)->shape).bytes;
}

/* Kernel row and column of a slot; false for padding. */
static bool slot_tap(const whet_dw_q8_pack *p, int64_t slot, int64_t *y, int64_t *x) {
  int64_t kh = p->shape.kh, kw = p->shape.kw;
  if (whet__dw_q8_fours(p->shape.form)) return whet__dw_q8_dots_tap(kh, kw, slot, y, x);
  *y = slot / kw, *x = slot % kw;
  return slot < kh * kw;
}

/* The channel at place c of n; what is not below `channels` is padding. */
static int64_t channel(const whet_dw_q8_pack *p, int64_t c) {
  int64_t first = p->shape.channels / 64 * 64, left = p->shape.channels - first;
  if (p->shape.form == WHET_DW_Q8_PAIRS && p->shape.channels <= 8) return c % 8;
  if (p->shape.form != WHET_DW_Q8_DOTS || c < first || left > 32) return c;
  return first + (c - first) % (left <= 8 ? 8 : left <= 16 ? 16 : 32);
}

/* Where bias and factors of channel c stand. */
static int64_t place(uint8_t form, int64_t c) {
  if (form != WHET_DW_Q8_DOTS) return c;
  int64_t q = c % 64 / 16, j = c % 16 / 4, i = c % 4;
  return c / 64 * 64 + 16 * j + 4 * q + i;
}

/* Store a weight at its place. */
static void put(uint8_t form, void *to, const whet_dw_q8_layout *l, int64_t c, int64_t slot, int64_t v) {
  if (form == WHET_DW_Q8_DOTS) {
    int64_t at = place(form, c) % 64;
    ((int8_t *)to)[c / 64 * l->slots * 64 + slot / 4 * 256 + at * 4 + slot % 4] = (int8_t)v;
  } else if (form == WHET_DW_Q8_GROUPS) {
    ((int8_t *)to)[(slot / 4 * l->n + c) * 4 + slot % 4] = (int8_t)v;
  } else if (form == WHET_DW_Q8_PAIRS) {
    int64_t half = c / 4 % 2, lane = c % 16 / 8 * 4 + c % 4;
    ((int16_t *)to)[c / 16 * l->slots * 16 + slot / 2 * 32 + half * 16 + lane * 2 + slot % 2] = (int16_t)v;
  } else {
    ((int16_t *)to)[slot * l->n + c] = (int16_t)v;
  }
}

void whet__dw_q8_do_pack(const void *params, const void *const *src, void *dst, int part, int parts) {
  const whet_dw_q8_pack *p = params;
  whet_dw_q8_layout l = whet__dw_q8_layout(&p->shape);
  uint8_t form = p->shape.form;
  int32_t *bias = dst, *w_zero = (int32_t *)(void *)((char *)dst + l.w_zero);
  bool fours = whet__dw_q8_fours(form);
  char *weights = (char *)dst + l.weights;
  int64_t from, to;
  whet__split(l.n / 64, part, parts, &from, &to);
  for (int64_t at = from * 64; at < to * 64; at++) {
    int64_t c = channel(p, at);
    bool real = c < p->shape.channels;
    int64_t zero = real && p->n_zero ? whet__dw_q8_zeros(p)[p->n_zero > 1 ? c : 0] : 0, y, x;
    int64_t apart = fours ? zero - (p->w_type == WHET_U8 ? 128 : 0) : 0; /* bytes are w + apart, form 1 has zeros beside them */
    uint32_t sum = 0;
    for (int64_t s = 0; s < l.slots; s++) {
      int64_t v = 0;
      if (real && slot_tap(p, s, &y, &x))
        v = whet__get_i64((whet_dtype)p->w_type, src[0], c * p->at_c + y * p->at_y + x * p->at_x) - zero;
      sum += (uint32_t)v;
      put(form, weights, &l, at, s, real && slot_tap(p, s, &y, &x) ? v + apart : 0);
    }
    whet_rescale r = {0};
    if (real) r = whet__rescale(p->in_scale, whet__dw_q8_scales(p)[p->n_scale > 1 ? c : 0], p->out_scale);
    uint32_t own = 0;
    if (real && p->bias_type) memcpy(&own, (const char *)src[1] + c * 4, 4); /* it may lie anywhere in a file */
    bias[place(form, at)] = (int32_t)(own - (uint32_t)p->in_zero * sum);
    whet__factors_set(&p->shape.out, (char *)dst + l.factors, l.n, place(form, at), &r);
    if (form == WHET_DW_Q8_DOTS && p->shape.w_zeros) w_zero[place(form, at)] = (int32_t)apart;
  }
}
