/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_q8 against the sum it is defined by. */

#include "kern/check.h"
#include "kern/dw_q8.h"
#include "kern/tight.h"

typedef struct state {
  whet_dw_q8 p;
  whet_dtype w_type;
  uint8_t *in, *w;
  int32_t *bias;
  float in_scale, out_scale, *scale;
  int32_t n_scale, n_zero, *zero;
  uint8_t *table;
} state;

/* Buffers, scales, weights. */
static void fill(kc *k) {
  state *s = k->state;
  whet_dw_q8 *p = kc_params(k, sizeof *p);
  *p = s->p;
  int64_t in_px = (int64_t)p->images * p->in_h * p->in_w, out_px = (int64_t)p->images * p->out_h * p->out_w;
  int64_t taps = (int64_t)p->kh * p->kw;
  s->in = kc_in(k, p->in_signed ? WHET_S8 : WHET_U8, (in_px - 1) * p->in_pitch + p->channels);
  kc_packed(k);
  kc_out(k, (whet_dtype)p->out.dtype, (out_px - 1) * p->out_pitch + p->channels);
  if (p->out.table)
    s->table = kc_in(k, WHET_U8, 256);
  else
    kc_absent(k);
  s->w = kc_mem(k, (size_t)(p->channels * taps));
  kc_fill_array(k, s->w_type, s->w, p->channels * taps, k->fill);
  if (kc_chance(k, 70)) {
    s->bias = kc_mem(k, (size_t)p->channels * 4);
    for (int32_t i = 0; i < p->channels; i++) s->bias[i] = (int32_t)(kc_f32(k) * (p->out.quick ? 1e5f : 2e9f));
  }
  s->n_scale = kc_chance(k, 50) ? p->channels : 1;
  s->scale = kc_mem(k, (size_t)s->n_scale * 4);
  s->in_scale = 0.01f + 0.1f * (kc_f32(k) + 1);
  s->out_scale = p->out.dtype == WHET_F32 ? 1.0f : 0.05f + kc_f32(k) * 0.01f;
  for (int32_t i = 0; i < s->n_scale; i++) {
    s->scale[i] = s->out_scale / s->in_scale / sqrtf((float)taps) / 32 * (1.0f + 0.9f * kc_f32(k));
    if (!p->out.quick && kc_chance(k, 10)) s->scale[i] *= kc_chance(k, 50) ? 1e4f : 1e-12f;
  }
  if (p->w_zeros) {
    s->n_zero = kc_chance(k, 50) ? p->channels : 1;
    s->zero = kc_mem(k, (size_t)s->n_zero * 4);
    for (int32_t i = 0; i < s->n_zero; i++)
      s->zero[i] = (int32_t)(s->w_type == WHET_U8 ? kc_range(k, 0, 255) : kc_range(k, -128, 127));
  } else if (s->w_type == WHET_U8) {
    s->n_zero = 1;
    s->zero = kc_mem(k, 4);
    s->zero[0] = 128;
  }
  const products all = {p->channels, taps, 1, p->channels, s->w_type, s->w, s->bias, s->zero, s->scale, s->n_zero, s->n_scale, p->in_zero,
                        s->in_scale / s->out_scale};
  p->out.tight = p->out.round == WHET_ROUND_ONNX_REAL && p->out.quick && kc_chance(k, 60) && tight(&all);
  k->ops = 2.0 * (double)out_px * p->channels * (double)taps;
}

static void draw(kc *k) {
  static const uint8_t types[] = {WHET_U8, WHET_S8, WHET_U8, WHET_S8, WHET_S16, WHET_S32, WHET_F32};
  static const uint8_t rules[] = {WHET_ROUND_TFL_FIX, WHET_ROUND_TFL_FIX, WHET_ROUND_TFL_FIX1, WHET_ROUND_TFL_REAL,
                                  WHET_ROUND_ONNX_REAL, WHET_ROUND_ONNX_REAL};
  state *s = k->state;
  whet_dw_q8 *p = &s->p;
  bool usual = kc_chance(k, 60), plain = usual && kc_chance(k, 60); /* what most layers are */
  int32_t side = kc_chance(k, 30) ? 5 : 3;
  p->images = (int32_t)kc_range(k, 1, 2);
  p->channels = kc_chance(k, 15) ? 8 : (int32_t)kc_size(k, 150);
  p->kh = usual ? side : (int32_t)kc_range(k, 1, 6);
  p->kw = usual ? side : (int32_t)kc_range(k, 1, 6);
  p->stride_h = (int32_t)kc_range(k, 1, 2);
  p->stride_w = (int32_t)kc_range(k, 1, kc_chance(k, 10) ? 3 : 2);
  p->dil_h = plain || kc_chance(k, 80) ? 1 : 2;
  p->dil_w = plain || kc_chance(k, 80) ? 1 : 2;
  if (plain) p->stride_w = p->stride_h;
  p->pad_top = kc_chance(k, 30) ? 0 : (int32_t)kc_range(k, 0, p->kh - 1);
  p->pad_left = kc_chance(k, 30) ? 0 : (int32_t)kc_range(k, 0, p->kw - 1);
  p->in_h = (int32_t)kc_range(k, whet__max_i((p->kh - 1) * p->dil_h + 1 - p->pad_top, 1), 16);
  p->in_w = (int32_t)kc_range(k, whet__max_i((p->kw - 1) * p->dil_w + 1 - p->pad_left, 1), 30);
  p->out_h =
      (p->in_h + p->pad_top + (int32_t)kc_range(k, 0, p->pad_top) - (p->kh - 1) * p->dil_h - 1) / p->stride_h + 1;
  p->out_w =
      (p->in_w + p->pad_left + (int32_t)kc_range(k, 0, p->pad_left) - (p->kw - 1) * p->dil_w - 1) / p->stride_w + 1;
  p->in_pitch = p->channels + (kc_chance(k, 70) ? 0 : kc_range(k, 1, 9));
  p->out_pitch = p->channels + (kc_chance(k, 70) ? 0 : kc_range(k, 1, 9));
  p->in_signed = kc_chance(k, 40);
  p->in_zero = (int32_t)kc_range(k, 0, 255);
  p->w_zeros = !plain && kc_chance(k, 25);
  s->w_type = p->w_zeros && kc_chance(k, 50) ? WHET_U8 : kc_chance(k, 70) ? WHET_S8 : WHET_U8;
  p->out.dtype = types[kc_range(k, 0, 6)];
  p->out.round = rules[kc_range(k, 0, 5)];
  p->out.quick =
      (p->out.round == WHET_ROUND_TFL_FIX || p->out.round == WHET_ROUND_ONNX_REAL) && kc_chance(k, 50);
  const bool whole = kc_chance(k, 40); /* nothing is cut */
  p->out.table = !whole && (p->out.dtype == WHET_U8 || p->out.dtype == WHET_S8) && kc_chance(k, 25);
  int32_t lo = p->out.dtype == WHET_U8 ? 0 : p->out.dtype == WHET_S8 ? -128 : -32768;
  int32_t hi = p->out.dtype == WHET_U8 ? 255 : p->out.dtype == WHET_S8 ? 127 : 32767;
  p->out.zero = (int32_t)kc_range(k, lo, hi);
  p->out.lo = whole || kc_chance(k, 50) ? lo : p->out.zero;
  p->out.hi = whole || kc_chance(k, 50) ? hi : (int32_t)kc_range(k, p->out.lo, hi);
  fill(k);
  kc_name(k, "%dx%dx%dx%d %s, %dx%d kernel, stride %d %d, dilation %d %d, pad %d %d, to %dx%d, type %d rule %d%s%s",
          p->images, p->in_h, p->in_w, p->channels, p->in_signed ? "s8" : "u8", p->kh, p->kw, p->stride_h,
          p->stride_w, p->dil_h, p->dil_w, p->pad_top, p->pad_left, p->out_h, p->out_w, p->out.dtype, p->out.round,
          p->out.quick ? " quick" : "", p->w_zeros ? ", weights with zero points" : "");
}

static void pack(kc *k, const whet_kern *row) {
  const state *s = k->state;
  const whet_dw_q8 *p = &s->p;
  size_t size = whet__dw_q8_pack_size(s->n_scale, s->n_zero);
  whet_dw_q8_pack *d = kc_mem(k, size);
  d->size = (uint32_t)size;
  d->shape = (whet_dw_q8_shape){.channels = p->channels,
                                .kh = p->kh,
                                .kw = p->kw,
                                .form = (uint8_t)row->form,
                                .w_zeros = p->w_zeros,
                                .out = whet__factors_of(&p->out)};
  d->w_type = (uint8_t)s->w_type;
  d->bias_type = s->bias ? WHET_S32 : 0;
  d->in_zero = p->in_zero;
  d->in_scale = s->in_scale;
  d->out_scale = s->out_scale;
  d->n_scale = s->n_scale;
  d->n_zero = s->n_zero;
  d->at_c = 1;
  d->at_y = (int64_t)p->kw * p->channels;
  d->at_x = p->channels;
  memcpy(whet__dw_q8_scales(d), s->scale, (size_t)s->n_scale * 4);
  if (s->n_zero) memcpy(whet__dw_q8_zeros(d), s->zero, (size_t)s->n_zero * 4);
  const void *src[2] = {s->w, s->bias};
  void *to = kc_pack_bytes(k, 1, whet__dw_q8_bytes(d));
  for (int i = 0; i < 3; i++) whet__dw_q8_do_pack(d, src, to, i, 3);
}

static int32_t sum_at(const state *s, int64_t n, int64_t y, int64_t x, int64_t c) {
  const whet_dw_q8 *p = &s->p;
  int32_t in_zero = p->in_zero - (p->in_signed ? 128 : 0), w_zero = s->n_zero ? s->zero[s->n_zero > 1 ? c : 0] : 0;
  uint32_t sum = s->bias ? (uint32_t)s->bias[c] : 0;
  for (int64_t i = 0; i < p->kh; i++)
    for (int64_t j = 0; j < p->kw; j++) {
      int64_t iy = y * p->stride_h + i * p->dil_h - p->pad_top, ix = x * p->stride_w + j * p->dil_w - p->pad_left;
      if (iy < 0 || iy >= p->in_h || ix < 0 || ix >= p->in_w) continue;
      int64_t a = whet__get_i64(p->in_signed ? WHET_S8 : WHET_U8, s->in,
                                ((n * p->in_h + iy) * p->in_w + ix) * p->in_pitch + c);
      int64_t w = whet__get_i64(s->w_type, s->w, (i * p->kw + j) * p->channels + c);
      sum += (uint32_t)((a - in_zero) * (w - w_zero));
    }
  return (int32_t)sum;
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_dw_q8 *p = &s->p;
  int64_t px = 0;
  for (int64_t n = 0; n < p->images; n++)
    for (int64_t y = 0; y < p->out_h; y++)
      for (int64_t x = 0; x < p->out_w && !k->failures; x++, px++)
        for (int64_t c = 0; c < p->channels; c++) {
          int32_t sum = sum_at(s, n, y, x, c);
          int64_t at = px * p->out_pitch + c;
          whet_rescale r = whet__rescale(s->in_scale, s->scale[s->n_scale > 1 ? c : 0], s->out_scale);
          if (p->out.dtype == WHET_S32) {
            kc_want_int(k, 2, at, sum);
          } else if (p->out.dtype == WHET_F32) {
            kc_want_f32(k, 2, at, (float)sum * r.real32);
          } else {
            int32_t v = whet__add_zero(whet__rescale_apply((whet_round)p->out.round, &r, sum), p->out.zero, p->out.lo,
                                       p->out.hi);
            if (s->table) v = p->out.dtype == WHET_S8 ? (int8_t)s->table[(uint8_t)v] : s->table[(uint8_t)v];
            kc_want_int(k, 2, at, v);
          }
        }
}

/* Depthwise layers of MobileNets and EfficientNet. */
static void bench(kc *k, int i) {
  static const int c[][4] = {{112, 32, 3, 1}, {112, 64, 3, 2}, {56, 144, 3, 1}, {28, 192, 3, 1}, {14, 576, 3, 1},
                             {7, 960, 3, 1},  {28, 240, 5, 1}, {14, 672, 5, 2}, {24, 8, 3, 1}};
  state *s = k->state;
  whet_dw_q8 *p = &s->p;
  const int *d = c[i / 2];
  p->images = p->dil_h = p->dil_w = 1;
  p->out_h = p->out_w = d[0];
  p->channels = d[1];
  p->kh = p->kw = d[2];
  p->stride_h = p->stride_w = d[3];
  p->pad_top = p->pad_left = d[2] / 2;
  p->in_h = p->in_w = d[0] * d[3];
  p->in_pitch = p->out_pitch = d[1];
  p->in_zero = 128;
  s->w_type = WHET_S8;
  p->out = (whet_out_q8){.dtype = WHET_U8,
                         .round = i % 2 ? WHET_ROUND_TFL_FIX : WHET_ROUND_ONNX_REAL,
                         .quick = 1,
                         .zero = 128,
                         .lo = 0,
                         .hi = 255};
  fill(k);
  kc_name(k, "%dx%d s%d @%d c%d %s", d[2], d[2], d[3], d[0], d[1], i % 2 ? "fixed" : "float");
}

static const kc_test test = {
    .family = WHET_FAMILY_dw_q8,
    .state_bytes = sizeof(state),
    .fills = 1 << KC_RANDOM | 1 << KC_INTS | 1 << KC_MIN | 1 << KC_MAX | 1 << KC_ALTERNATE | 1 << KC_SPECIAL,
    .draw = draw,
    .pack = pack,
    .check = check,
    .n_bench = 18,
    .bench = bench};
KC_MAIN(test)
