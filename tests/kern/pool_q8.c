/* SPDX-License-Identifier: Apache-2.0 */
/* Family pool_q8 against its formulas, window by window. */

#include <math.h>

#include "kern/check.h"
#include "kern/pool_q8.h"

typedef struct state {
  whet_pool_q8 p;
  uint8_t *in;
} state;

static void buffers(kc *k) {
  state *s = k->state;
  whet_pool_q8 *p = kc_params(k, sizeof *p);
  *p = s->p;
  whet_dtype t = p->is_signed ? WHET_S8 : WHET_U8;
  s->in = kc_in(k, t, ((int64_t)p->images * p->in_h * p->in_w - 1) * p->in_pitch + p->channels);
  kc_out(k, t, ((int64_t)p->images * p->out_h * p->out_w - 1) * p->out_pitch + p->channels);
}

static void draw(kc *k) {
  state *s = k->state;
  whet_pool_q8 *p = &s->p;
  bool global = kc_chance(k, 20);
  p->channels = kc_chance(k, 15) ? 1 : (int32_t)kc_size(k, 200);
  p->images = (int32_t)kc_range(k, 1, global && p->channels == 1 ? 90 : 2);
  p->in_h = (int32_t)kc_range(k, 1, 14);
  p->in_w = (int32_t)kc_range(k, 1, 20);
  p->kh = global ? p->in_h : (int32_t)kc_range(k, 1, p->in_h < 4 ? p->in_h : 4);
  p->kw = global ? p->in_w : (int32_t)kc_range(k, 1, p->in_w < 4 ? p->in_w : 4);
  p->stride_h = (int32_t)kc_range(k, 1, 3);
  p->stride_w = (int32_t)kc_range(k, 1, 3);
  p->dil_h = p->dil_w = 1;
  if (kc_chance(k, 20) && (p->kh - 1) * 2 < p->in_h && (p->kw - 1) * 2 < p->in_w) p->dil_h = p->dil_w = 2;
  p->pad_top = global || p->dil_h > 1 ? 0 : (int32_t)kc_range(k, 0, p->kh - 1);
  p->pad_left = global || p->dil_h > 1 ? 0 : (int32_t)kc_range(k, 0, p->kw - 1);
  p->out_h = (p->in_h + 2 * p->pad_top - (p->kh - 1) * p->dil_h - 1) / p->stride_h + 1;
  p->out_w = (p->in_w + 2 * p->pad_left - (p->kw - 1) * p->dil_w - 1) / p->stride_w + 1;
  p->in_pitch = p->channels + (kc_chance(k, 70) ? 0 : kc_range(k, 1, 9));
  p->out_pitch = p->channels + (kc_chance(k, 70) ? 0 : kc_range(k, 1, 9));
  p->mean = kc_chance(k, 60);
  p->is_signed = kc_chance(k, 50);
  static const uint8_t rules[] = {WHET_ROUND_TFL_FIX, WHET_ROUND_TFL_FIX1, WHET_ROUND_ONNX_REAL};
  p->round = rules[kc_range(k, 0, 2)];
  whet__quantize_multiplier((double)expf(-4.0f + 4.0f * kc_f32(k)), &p->mul, &p->shift);
  p->count = kc_chance(k, 30) ? p->kh * p->kw : 0;
  int32_t least = p->is_signed ? -128 : 0;
  p->in_zero = least + (int32_t)kc_range(k, 0, 255);
  p->out_zero = least + (int32_t)kc_range(k, 0, 255);
  p->lo = kc_chance(k, 60) ? least : least + (int32_t)kc_range(k, 0, 200);
  p->hi = kc_chance(k, 60) ? least + 255 : (int32_t)kc_range(k, p->lo, least + 255);
  p->sx = 0.02f * (1.2f + kc_f32(k));
  p->sy = kc_chance(k, 40) ? p->sx : 0.02f * (1.2f + kc_f32(k));
  buffers(k);
  kc_name(k, "%s of %s, rule %d, %dx%dx%dx%d, window %dx%d, stride %d %d, dilation %d, pad %d %d, to %dx%d",
          p->mean ? "mean" : "max", p->is_signed ? "s8" : "u8", p->round, p->images, p->in_h, p->in_w, p->channels,
          p->kh, p->kw, p->stride_h, p->stride_w, p->dil_h, p->pad_top, p->pad_left, p->out_h, p->out_w);
}

/* One result, from 64-bit sums. */
static int64_t want(const state *s, int64_t n, int64_t y, int64_t x, int64_t c) {
  const whet_pool_q8 *p = &s->p;
  int64_t sum = 0, best = INT64_MIN, taps = 0, v;
  for (int64_t i = 0; i < p->kh; i++)
    for (int64_t j = 0; j < p->kw; j++) {
      int64_t iy = y * p->stride_h - p->pad_top + i * p->dil_h, ix = x * p->stride_w - p->pad_left + j * p->dil_w;
      if (iy < 0 || iy >= p->in_h || ix < 0 || ix >= p->in_w) continue;
      v = whet__get_i64(p->is_signed ? WHET_S8 : WHET_U8, s->in,
                        ((n * p->in_h + iy) * p->in_w + ix) * p->in_pitch + c);
      sum += v;
      taps++;
      if (v > best) best = v;
    }
  if (!p->mean) {
    v = best;
  } else if (p->round == WHET_ROUND_TFL_FIX1) {
    v = (int64_t)whet__mul_fix((int32_t)(sum - taps * p->in_zero), p->mul, p->shift) + p->out_zero;
  } else if (p->round == WHET_ROUND_ONNX_REAL) {
    float share = 1.0f / (float)(p->count ? p->count : taps), product = p->sx * share, factor = product / p->sy;
    v = (int64_t)rint((double)((float)(sum - taps * p->in_zero) * factor)) + p->out_zero;
  } else {
    v = sum > 0 ? (sum + taps / 2) / taps : (sum - taps / 2) / taps;
  }
  return v < p->lo ? p->lo : v > p->hi ? p->hi : v;
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_pool_q8 *p = &s->p;
  int64_t px = 0;
  for (int64_t n = 0; n < p->images; n++)
    for (int64_t y = 0; y < p->out_h; y++)
      for (int64_t x = 0; x < p->out_w && !k->failures; x++, px++)
        for (int64_t c = 0; c < p->channels; c++) kc_want_int(k, 1, px * p->out_pitch + c, want(s, n, y, x, c));
}

/* The pools of resnet18 and squeezenet. */
static void bench(kc *k, int i) {
  state *s = k->state;
  s->p = (whet_pool_q8){.images = 1,
                        .in_h = 112,
                        .in_w = 112,
                        .channels = 64,
                        .out_h = 56,
                        .out_w = 56,
                        .kh = 3,
                        .kw = 3,
                        .stride_h = 2,
                        .stride_w = 2,
                        .dil_h = 1,
                        .dil_w = 1,
                        .pad_top = 1,
                        .pad_left = 1,
                        .in_pitch = 64,
                        .out_pitch = 64,
                        .hi = 255,
                        .sx = 1,
                        .sy = 1};
  if (i)
    s->p = (whet_pool_q8){.images = 1,
                          .in_h = 7,
                          .in_w = 7,
                          .channels = 1280,
                          .out_h = 1,
                          .out_w = 1,
                          .kh = 7,
                          .kw = 7,
                          .stride_h = 1,
                          .stride_w = 1,
                          .dil_h = 1,
                          .dil_w = 1,
                          .in_pitch = 1280,
                          .out_pitch = 1280,
                          .mean = 1,
                          .round = WHET_ROUND_ONNX_REAL,
                          .hi = 255,
                          .sx = 1,
                          .sy = 1};
  buffers(k);
  k->bytes = (double)s->p.in_h * s->p.in_w * s->p.channels;
  kc_name(k, i ? "mean 7x7 of 1280" : "max 3x3 s2 @112 of 64");
}

static const kc_test test = {.family = WHET_FAMILY_pool_q8,
                             .state_bytes = sizeof(state),
                             .fills = 1 << KC_RANDOM | 1 << KC_INTS | 1 << KC_MIN | 1 << KC_MAX | 1 << KC_ALTERNATE,
                             .draw = draw,
                             .check = check,
                             .n_bench = 2,
                             .bench = bench};
KC_MAIN(test)
