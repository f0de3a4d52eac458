/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_q8 against the sum it is defined by. */

#include "kern/check.h"
#include "kern/conv_q8.h"
#include "kern/tight.h"

typedef struct state {
  whet_conv_q8 p;
  whet_dtype w_type;
  int64_t k; /* products of one output */
  uint8_t *in, *w;
  int32_t *bias; /* NULL: none */
  float in_scale, out_scale, *scale;
  int32_t n_scale, n_zero, *zero;
  uint8_t *table;
  const int32_t *live_zero, *live_weights; /* arguments of sums_f32.h */
  const float *live_scale, *live_w_scale, *live_bias, *res;
} state;

/* What becomes of live sums; rows: results, in so many images. */
static void live(kc *k, int64_t rows) {
  state *s = k->state;
  whet_conv_q8 *p = &s->p;
  whet_sums_f32 *f = &p->sums;
  int64_t groups = p->images > 1 || kc_chance(k, 50) ? p->images : rows;
  *f = (whet_sums_f32){.rows = rows, .n = p->out_c, .group = rows / groups, .y_pitch = p->out_pitch, .res_pitch = p->out_c};
  if (kc_chance(k, 40)) f->epi.op[f->epi.n++] = WHET_MICRO_ADD, f->epi.res = 1;
  if (kc_chance(k, 40)) f->epi.op[f->epi.n] = WHET_MICRO_CLAMP, f->epi.a[f->epi.n] = -1, f->epi.b[f->epi.n++] = 6;
}

/* Their arguments. */
static void live_arguments(kc *k) {
  state *s = k->state;
  const whet_sums_f32 *f = &s->p.sums;
  const int64_t groups = f->rows / f->group;
  kc_scratch(k);
  s->live_scale = kc_in(k, WHET_F32, groups);
  s->live_zero = kc_in(k, WHET_S32, groups);
  s->live_weights = kc_in(k, WHET_S32, f->n);
  s->live_w_scale = kc_in(k, WHET_F32, f->n);
  s->live_bias = kc_in(k, WHET_F32, f->n);
  if (f->epi.res)
    s->res = kc_in(k, WHET_F32, f->rows * f->res_pitch);
  else
    kc_absent(k);
}

/* Result `at` of output o by them. */
static float live_result(const state *s, int64_t at, int64_t o, int32_t sum) {
  const whet_sums_f32 *f = &s->p.sums;
  const int64_t g = at / f->group;
  sum = (int32_t)((uint32_t)sum - (uint32_t)s->live_zero[g] * (uint32_t)s->live_weights[o]);
  volatile float by = s->live_scale[g] * s->live_w_scale[o], v = (float)sum * by;
  v = v + s->live_bias[o];
  for (int i = 0; i < f->epi.n; i++)
    if (f->epi.op[i] == WHET_MICRO_ADD)
      v = v + s->res[at * f->res_pitch + o];
    else if (!isnan(v)) /* which a clamp keeps */
      v = fmaxf(-1, fminf(v, 6));
  return v;
}

/* What a case needs beside its sizes: buffers, scales, weights. */
static void fill(kc *k) {
  state *s = k->state;
  whet_conv_q8 *p = kc_params(k, sizeof *p);
  *p = s->p;
  s->k = (int64_t)p->kh * p->kw * (p->in_c / p->groups);
  int64_t in_px = (int64_t)p->images * p->in_h * p->in_w, out_px = (int64_t)p->images * p->out_h * p->out_w;
  s->in = kc_in(k, p->in_signed ? WHET_S8 : WHET_U8, (in_px - 1) * p->in_pitch + p->in_c);
  kc_packed(k);
  kc_out(k, p->out.live ? WHET_F32 : (whet_dtype)p->out.dtype, (out_px - 1) * p->out_pitch + p->out_c);
  if (p->out.table)
    s->table = kc_in(k, WHET_U8, 256);
  else
    kc_absent(k);
  if (p->out.live) live_arguments(k);
  s->w = kc_mem(k, (size_t)(p->out_c * s->k));
  kc_fill_array(k, s->w_type, s->w, p->out_c * s->k, k->fill);
  if (kc_chance(k, 50)) /* no weight is -128 */
    for (int64_t i = 0; i < p->out_c * s->k; i++) s->w[i] += s->w[i] == (s->w_type == WHET_U8 ? 0 : 0x80);
  if (kc_chance(k, 70)) {
    s->bias = kc_mem(k, (size_t)p->out_c * 4);
    for (int32_t i = 0; i < p->out_c; i++) s->bias[i] = (int32_t)(kc_f32(k) * (p->out.quick ? 1e6f : 2e9f));
  }
  s->n_scale = kc_chance(k, 50) ? p->out_c : 1;
  s->scale = kc_mem(k, (size_t)s->n_scale * 4);
  s->in_scale = 0.01f + 0.1f * (kc_f32(k) + 1);
  s->out_scale = p->out.dtype == WHET_F32 ? 1.0f : 0.05f + kc_f32(k) * 0.01f;
  /* Factors around what spreads sums over the whole range; when not quick some larger than one. */
  float mean = s->out_scale / s->in_scale / sqrtf((float)s->k) / (p->out.quick ? 64 : 16);
  for (int32_t i = 0; i < s->n_scale; i++) {
    s->scale[i] = mean * (1.0f + 0.9f * kc_f32(k));
    if (!p->out.quick && kc_chance(k, 10)) s->scale[i] *= kc_chance(k, 50) ? 1e4f : 1e-12f;
  }
  if (p->w_zeros) {
    s->n_zero = kc_chance(k, 50) ? p->out_c : 1;
    s->zero = kc_mem(k, (size_t)s->n_zero * 4);
    for (int32_t i = 0; i < s->n_zero; i++)
      s->zero[i] = (int32_t)(s->w_type == WHET_U8 ? kc_range(k, 0, 255) : kc_range(k, -128, 127));
  } else if (s->w_type == WHET_U8) {
    s->n_zero = 1;
    s->zero = kc_mem(k, 4);
    s->zero[0] = 128;
  }
  const products all = {p->out_c, s->k, s->k, 1, s->w_type, s->w, s->bias, s->zero, s->scale, s->n_zero, s->n_scale, p->in_zero,
                        s->in_scale / s->out_scale};
  p->out.tight = p->out.round == WHET_ROUND_ONNX_REAL && p->out.quick && kc_chance(k, 60) && tight(&all);
  k->ops = 2.0 * (double)out_px * p->out_c * (double)s->k;
}

static void output(kc *k, whet_conv_q8 *p) {
  static const uint8_t types[] = {WHET_U8, WHET_S8, WHET_U8, WHET_S8, WHET_S16, WHET_S32, WHET_S32, WHET_F32};
  static const uint8_t rules[] = {WHET_ROUND_TFL_FIX, WHET_ROUND_TFL_FIX, WHET_ROUND_TFL_FIX1, WHET_ROUND_TFL_REAL,
                                  WHET_ROUND_ONNX_REAL, WHET_ROUND_ONNX_REAL};
  p->out.dtype = types[kc_range(k, 0, 7)];
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
  p->out.live = p->out.dtype == WHET_S32 && kc_chance(k, 70);
  if (p->out.live) live(k, (int64_t)p->images * p->out_h * p->out_w);
}

static void draw(kc *k) {
  state *s = k->state;
  whet_conv_q8 *p = &s->p;
  bool flat = kc_chance(k, 35), wino = !flat && kc_chance(k, 20); /* wino: what Winograd's rows take */
  p->images = flat && kc_chance(k, 60) ? 1 : (int32_t)kc_range(k, 1, 2);
  p->groups = wino || kc_chance(k, 80) ? 1 : (int32_t)kc_range(k, 2, 3);
  int64_t ic = flat ? kc_size(k, 300) : kc_size(k, 40), oc = kc_size(k, flat ? 200 : 90);
  if (wino) ic = kc_range(k, 40, 100), oc = kc_range(k, 40, 140);
  p->in_c = (int32_t)(ic * p->groups);
  p->out_c = (int32_t)(oc * p->groups);
  p->kh = flat ? 1 : wino ? 3 : (int32_t)kc_range(k, 1, 4);
  p->kw = flat ? 1 : wino ? 3 : (int32_t)kc_range(k, 1, 4);
  p->stride_h = flat || wino ? 1 : (int32_t)kc_range(k, 1, 2);
  p->stride_w = flat || wino ? 1 : (int32_t)kc_range(k, 1, 2);
  p->dil_h = flat || wino || kc_chance(k, 80) ? 1 : 2;
  p->dil_w = flat || wino || kc_chance(k, 80) ? 1 : 2;
  p->pad_top = flat || kc_chance(k, 30) ? 0 : (int32_t)kc_range(k, 0, p->kh - 1);
  p->pad_left = flat || kc_chance(k, 30) ? 0 : (int32_t)kc_range(k, 0, p->kw - 1);
  p->in_h = flat ? 1 : (int32_t)kc_range(k, (p->kh - 1) * p->dil_h + 1, 20);
  p->in_w = flat ? (kc_chance(k, 30) ? 1 : (int32_t)kc_size(k, 300)) : (int32_t)kc_range(k, (p->kw - 1) * p->dil_w + 1, 40);
  int32_t more_h = p->pad_top ? (int32_t)kc_range(k, 0, p->pad_top) : 0;
  int32_t more_w = p->pad_left ? (int32_t)kc_range(k, 0, p->pad_left) : 0;
  p->out_h = (p->in_h + p->pad_top + more_h - (p->kh - 1) * p->dil_h - 1) / p->stride_h + 1;
  p->out_w = (p->in_w + p->pad_left + more_w - (p->kw - 1) * p->dil_w - 1) / p->stride_w + 1;
  p->in_pitch = p->in_c + (kc_chance(k, 70) ? 0 : kc_range(k, 1, 9));
  p->out_pitch = p->out_c + (kc_chance(k, 70) ? 0 : kc_range(k, 1, 9));
  p->in_signed = kc_chance(k, 30);
  p->in_zero = (int32_t)kc_range(k, 0, 255);
  p->w_zeros = kc_chance(k, 25);
  p->small = 9 * ic * 255 * (p->w_zeros ? 255 : 128) < 1 << 25;
  s->w_type = kc_chance(k, 70) ? WHET_S8 : WHET_U8;
  output(k, p);
  fill(k);
  kc_name(
      k,
      "%dx%dx%dx%d %s, %dx%d kernel, stride %d %d, dilation %d %d, pad %d %d, %d groups, %d outputs %dx%d, type %d "
      "rule %d%s%s%s",
      p->images, p->in_h, p->in_w, p->in_c, p->in_signed ? "s8" : "u8", p->kh, p->kw, p->stride_h, p->stride_w,
      p->dil_h, p->dil_w, p->pad_top, p->pad_left, p->groups, p->out_c, p->out_h, p->out_w, p->out.dtype,
      p->out.round, p->out.quick ? " quick" : "", p->out.live ? " live" : "", p->w_zeros ? ", weights with zero points" : "");
}

static void pack(kc *k, const whet_kern *row) {
  const state *s = k->state;
  const whet_conv_q8 *p = &s->p;
  int64_t ic = p->in_c / p->groups;
  size_t size = whet__conv_q8_pack_size(s->n_scale, s->n_zero);
  whet_conv_q8_pack *d = kc_mem(k, size);
  d->size = (uint32_t)size;
  d->shape = whet__conv_q8_shape_of(p, (uint8_t)row->form);
  d->w_type = (uint8_t)s->w_type;
  d->bias_type = s->bias ? WHET_S32 : 0;
  d->in_zero = p->in_zero;
  d->in_scale = s->in_scale;
  d->out_scale = s->out_scale;
  d->n_scale = s->n_scale;
  d->n_zero = s->n_zero;
  d->at_o = s->k;
  d->at_g = s->k * (p->out_c / p->groups);
  d->at_i = 1;
  d->at_y = p->kw * ic;
  d->at_x = ic;
  memcpy(whet__conv_q8_scales(d), s->scale, (size_t)s->n_scale * 4);
  if (s->n_zero) memcpy(whet__conv_q8_zeros(d), s->zero, (size_t)s->n_zero * 4);
  const void *src[2] = {s->w, s->bias};
  void *to = kc_pack_bytes(k, 1, whet__conv_q8_bytes(d));
  for (int i = 0; i < 3; i++) whet__conv_q8_do_pack(d, src, to, i, 3);
}

/* The sum of one output, in the numbers of the file. */
static int32_t sum_at(const state *s, int64_t n, int64_t y, int64_t x, int64_t o) {
  const whet_conv_q8 *p = &s->p;
  int64_t ic = p->in_c / p->groups, g = o / (p->out_c / p->groups);
  int32_t in_zero = p->in_zero - (p->in_signed ? 128 : 0), w_zero = s->n_zero ? s->zero[s->n_zero > 1 ? o : 0] : 0;
  uint32_t sum = s->bias ? (uint32_t)s->bias[o] : 0;
  for (int64_t i = 0; i < p->kh; i++)
    for (int64_t j = 0; j < p->kw; j++) {
      int64_t iy = y * p->stride_h + i * p->dil_h - p->pad_top, ix = x * p->stride_w + j * p->dil_w - p->pad_left;
      if (iy < 0 || iy >= p->in_h || ix < 0 || ix >= p->in_w) continue;
      for (int64_t c = 0; c < ic; c++) {
        int64_t a = whet__get_i64(p->in_signed ? WHET_S8 : WHET_U8, s->in,
                                  ((n * p->in_h + iy) * p->in_w + ix) * p->in_pitch + g * ic + c);
        int64_t w = whet__get_i64(s->w_type, s->w, o * s->k + (i * p->kw + j) * ic + c);
        sum += (uint32_t)((a - in_zero) * (w - w_zero));
      }
    }
  return (int32_t)sum;
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_conv_q8 *p = &s->p;
  int64_t px = 0;
  for (int64_t n = 0; n < p->images; n++)
    for (int64_t y = 0; y < p->out_h; y++)
      for (int64_t x = 0; x < p->out_w && !k->failures; x++, px++)
        for (int64_t o = 0; o < p->out_c; o++) {
          int32_t sum = sum_at(s, n, y, x, o);
          int64_t at = px * p->out_pitch + o;
          whet_rescale r = whet__rescale(s->in_scale, s->scale[s->n_scale > 1 ? o : 0], s->out_scale);
          if (p->out.live) {
            kc_want_f32(k, 2, at, live_result(s, px, o, sum));
          } else if (p->out.dtype == WHET_S32) {
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

/* Layers of the networks that the targets name. */
static void bench(kc *k, int i) {
  static const int c[][5] = {
      {56, 64, 64, 3, 1},  {28, 128, 128, 3, 1}, {14, 256, 256, 3, 1}, {7, 512, 512, 3, 1},   {112, 3, 64, 7, 2},
      {112, 3, 32, 3, 2},  {56, 64, 256, 1, 1},  {56, 256, 64, 1, 1},  {14, 1024, 256, 1, 1}, {7, 512, 2048, 1, 1},
      {112, 16, 96, 1, 1}, {56, 24, 144, 1, 1},  {14, 96, 576, 1, 1},  {14, 576, 96, 1, 1},   {40, 80, 80, 3, 1},
      {80, 16, 16, 3, 1},  {32, 16, 16, 3, 1},   {1, 640, 128, 1, 1},  {1, 128, 128, 1, 1},   {1, 2048, 1000, 1, 1},
      {112, 3, 16, 3, 2},  {28, 16, 96, 1, 1},  {28, 16, 64, 1, 1},  {28, 32, 64, 1, 1},  {28, 16, 48, 1, 1},  {28, 16, 32, 1, 1}};
  state *s = k->state;
  whet_conv_q8 *p = &s->p;
  int which = i / 2;
  const int *d = c[which];
  p->images = p->groups = p->dil_h = p->dil_w = 1;
  p->out_h = p->out_w = d[0];
  p->in_c = d[1];
  p->out_c = d[2];
  p->kh = p->kw = d[3];
  p->stride_h = p->stride_w = d[4];
  p->pad_top = p->pad_left = d[3] / 2;
  p->in_h = p->in_w = d[0] * d[4];
  p->in_pitch = d[1];
  p->out_pitch = d[2];
  p->in_zero = 128;
  p->small = d[1] <= 256;
  s->w_type = WHET_S8;
  p->out = (whet_out_q8){.dtype = WHET_U8,
                         .round = i % 2 ? WHET_ROUND_TFL_FIX : WHET_ROUND_ONNX_REAL,
                         .quick = 1,
                         .zero = 128,
                         .lo = 0,
                         .hi = 255};
  fill(k);
  kc_name(k, "%dx%d s%d @%d %d->%d %s", d[3], d[3], d[4], d[0], d[1], d[2], i % 2 ? "fixed" : "float");
}

static const kc_test test = {
    .family = WHET_FAMILY_conv_q8,
    .state_bytes = sizeof(state),
    .fills = 1 << KC_RANDOM | 1 << KC_INTS | 1 << KC_MIN | 1 << KC_MAX | 1 << KC_ALTERNATE | 1 << KC_SPECIAL,
    .draw = draw,
    .pack = pack,
    .check = check,
    .n_bench = 52,
    .bench = bench};
KC_MAIN(test)
