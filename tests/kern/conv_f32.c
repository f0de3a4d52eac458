/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_f32 against one fused multiply-add after the other. */

#include "kern/conv_f32.h"

#include <math.h>

#include "kern/check.h"
#include "kern/pack_f32.h"

typedef struct state {
  whet_conv_f32 c;
  whet_pack_f32 pack;
  const float *in, *w, *bias, *res;
  int packed;
} state;

/* Steps of dense tensors whose pixels are `pitch` floats apart, in floats; answers the floats of one image. */
static int64_t steps(whet_conv_f32 *c, int64_t pitch, size_t field, bool out) {
  for (int i = 2; i >= 0; i--) {
    memcpy((char *)&c->dim[i] + field, &pitch, sizeof pitch);
    pitch *= out ? c->dim[i].out : c->dim[i].in;
  }
  return pitch;
}

/* The arguments for the sizes that draw or bench chose; *_gap: floats between the channels of neighbouring pixels. */
static void arguments(kc *k, state *s, bool bias, bool res, bool oihw, int64_t in_gap, int64_t out_gap,
                      int64_t res_gap) {
  whet_conv_f32 *c = &s->c;
  int64_t in_pitch = c->groups * c->ic + in_gap, out_pitch = c->groups * c->oc + out_gap;
  int64_t res_pitch = c->groups * c->oc + res_gap, taps = 1;
  c->in_batch = steps(c, in_pitch, offsetof(whet_window, in_step), false);
  c->out_batch = steps(c, out_pitch, offsetof(whet_window, out_step), true);
  c->res_batch = steps(c, res_pitch, offsetof(whet_window, res_step), true);
  for (int i = 0; i < 3; i++) taps *= c->dim[i].kernel;
  s->in = kc_in(k, WHET_F32, c->batch * c->in_batch - in_gap);
  kc_out(k, WHET_F32, c->batch * c->out_batch - out_gap);
  s->packed = kc_packed(k);
  if (res)
    s->res = kc_in(k, WHET_F32, c->batch * c->res_batch - res_gap);
  else
    kc_absent(k);
  int64_t n = c->groups * c->oc * taps * c->ic;
  float *w = kc_mem(k, (size_t)n * 4), *b = kc_mem(k, (size_t)(c->groups * c->oc) * 4);
  kc_fill_array(k, WHET_F32, w, n, k->fill);
  if (bias) kc_fill_array(k, WHET_F32, b, c->groups * c->oc, k->fill);
  s->w = w;
  s->bias = bias ? b : NULL;
  /* OIHW: taps fastest; OHWI: channels fastest. */
  int64_t tap = oihw ? 1 : c->ic, kw = c->dim[2].kernel, kh = c->dim[1].kernel;
  s->pack = (whet_pack_f32){.dtype = WHET_F32,
                            .bias_dtype = bias ? WHET_F32 : WHET_NONE,
                            .groups = c->groups,
                            .n = c->oc,
                            .k = {c->dim[0].kernel, kh, kw, c->ic},
                            .group_step = c->oc * taps * c->ic,
                            .n_step = taps * c->ic,
                            .k_step = {kh * kw * tap, kw * tap, tap, oihw ? taps : 1}};
  c->l2_kb = k->bench ? 1024 : 4;
  memcpy(kc_params(k, sizeof *c), c, sizeof *c);
}

/* A dimension with about n outputs. */
static whet_window draw_window(kc *k, int64_t n, int64_t kernel) {
  whet_window w = {.kernel = kc_chance(k, 40) ? 3 : kc_range(k, 1, kernel), .stride = 1, .dilation = 1};
  if (kc_chance(k, 30)) w.stride = kc_range(k, 1, 3);
  if (kc_chance(k, 20)) w.dilation = kc_range(k, 1, 3);
  int64_t reach = (w.kernel - 1) * w.dilation + 1, after = kc_range(k, 0, reach);
  w.pad = kc_chance(k, 30) ? 0 : kc_range(k, 0, reach);
  if (kc_chance(k, 50)) w.pad = after = (reach - 1) / 2;
  w.in = whet__max_i(kc_range(k, 1, n), reach - w.pad - after);
  w.in = whet__max_i(w.in, 1);
  w.out = (w.in + w.pad + after - reach) / w.stride + 1;
  return w;
}

static void draw(kc *k) {
  state *s = k->state;
  whet_conv_f32 *c = &s->c;
  bool wide = kc_chance(k, 10); /* long rows and kernels */
  c->batch = kc_chance(k, 80) ? 1 : 2;
  c->groups = kc_chance(k, 75) ? 1 : kc_range(k, 2, 9);
  c->ic = kc_chance(k, 50) ? kc_range(k, 1, 8) : kc_size(k, 40);
  c->oc = kc_chance(k, 50) ? kc_range(k, 1, 30) : kc_size(k, 150);
  if (c->groups > 1) c->ic = kc_range(k, 1, 8), c->oc = kc_range(k, 1, 20);
  if (wide) c->ic = kc_range(k, 1, 3), c->oc = kc_range(k, 1, 20);
  c->dim[0] = kc_chance(k, 85) ? (whet_window){1, 1, 1, 1, 1, 0, 0, 0, 0} : draw_window(k, 4, 3);
  c->dim[1] = kc_chance(k, 20) ? (whet_window){1, 1, 1, 1, 1, 0, 0, 0, 0} : draw_window(k, 14, 5);
  c->dim[2] =
      kc_chance(k, 10) ? (whet_window){1, 1, 1, 1, 1, 0, 0, 0, 0} : draw_window(k, wide ? 200 : 20, wide ? 40 : 5);
  whet_epi_f32 *e = &c->epi;
  if (kc_chance(k, 40)) e->op[e->n++] = WHET_MICRO_ADD, e->res = 1;
  if (kc_chance(k, 40))
    e->a[e->n] = 0, e->b[e->n] = kc_chance(k, 50) ? 0.5f : INFINITY, e->op[e->n++] = WHET_MICRO_CLAMP;
  if (!e->res && kc_chance(k, 15)) e->op[e->n++] = WHET_MICRO_MUL, e->res = 1;
  bool gaps = kc_chance(k, 30);
  arguments(k, s, kc_chance(k, 70), e->res, kc_chance(k, 50), gaps ? kc_range(k, 0, 9) : 0,
            gaps ? kc_range(k, 0, 9) : 0, gaps ? kc_range(k, 0, 9) : 0);
  const whet_window *d = c->dim;
  kc_name(
      k,
      "%lldx%lld groups %lld->%lld; in %lld.%lld.%lld kernel %lld.%lld.%lld stride %lld.%lld.%lld dil %lld.%lld.%lld",
      (long long)c->batch, (long long)c->groups, (long long)c->ic, (long long)c->oc, (long long)d[0].in,
      (long long)d[1].in, (long long)d[2].in, (long long)d[0].kernel, (long long)d[1].kernel, (long long)d[2].kernel,
      (long long)d[0].stride, (long long)d[1].stride, (long long)d[2].stride, (long long)d[0].dilation,
      (long long)d[1].dilation, (long long)d[2].dilation);
}

static void pack(kc *k, const whet_kern *row) {
  state *s = k->state;
  s->pack.form = row->form;
  void *dst = kc_pack_bytes(k, s->packed, whet__pack_f32_bytes(&s->pack));
  const void *src[2] = {s->w, s->bias};
  for (int part = 0; part < 3; part++) whet__pack_f32(&s->pack, src, dst, part, 3);
}

/* The sum of one output; in: channel 0 of its group and image. */
static float sum(const state *s, const float *in, int64_t g, int64_t j, const int64_t at[3]) {
  const whet_conv_f32 *c = &s->c;
  const int64_t *step = s->pack.k_step;
  const float *w = s->w + g * s->pack.group_step + j * s->pack.n_step;
  float v = s->bias ? s->bias[g * c->oc + j] : 0;
  int64_t lo[3], hi[3];
  for (int i = 0; i < 3; i++) whet__window_taps(&c->dim[i], at[i], &lo[i], &hi[i]);
  for (int64_t z = lo[0]; z < hi[0]; z++)
    for (int64_t y = lo[1]; y < hi[1]; y++)
      for (int64_t x = lo[2]; x < hi[2]; x++) {
        int64_t tap[3] = {z, y, x}, from = 0;
        for (int i = 0; i < 3; i++)
          from += (at[i] * c->dim[i].stride + tap[i] * c->dim[i].dilation - c->dim[i].pad) * c->dim[i].in_step;
        for (int64_t ch = 0; ch < c->ic; ch++)
          v = fmaf(in[from + ch], w[z * step[0] + y * step[1] + x * step[2] + ch * step[3]], v);
      }
  return v;
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_conv_f32 *c = &s->c;
  for (int64_t n = 0; n < c->batch; n++)
    for (int64_t at = 0; at < c->dim[0].out * c->dim[1].out * c->dim[2].out && !k->failures; at++) {
      int64_t x[3] = {at / c->dim[2].out / c->dim[1].out, at / c->dim[2].out % c->dim[1].out, at % c->dim[2].out};
      int64_t out = n * c->out_batch, res = n * c->res_batch;
      for (int i = 0; i < 3; i++) out += x[i] * c->dim[i].out_step, res += x[i] * c->dim[i].res_step;
      for (int64_t g = 0; g < c->groups; g++)
        for (int64_t j = 0; j < c->oc; j++) {
          float v = sum(s, s->in + n * c->in_batch + g * c->ic, g, j, x);
          float r = s->res ? s->res[res + g * c->oc + j] : 0;
          for (int i = 0; i < c->epi.n; i++) {
            if (c->epi.op[i] == WHET_MICRO_ADD) v += r;
            if (c->epi.op[i] == WHET_MICRO_MUL) v *= r;
            if (c->epi.op[i] == WHET_MICRO_CLAMP && v > c->epi.b[i]) v = c->epi.b[i];
            if (c->epi.op[i] == WHET_MICRO_CLAMP && v < c->epi.a[i]) v = c->epi.a[i];
          }
          kc_want_f32(k, 1, out + g * c->oc + j, v);
        }
    }
}

/* Square pictures, `same` padding. */
static const struct shape {
  const char *what;
  int64_t size, ic, oc, kernel, stride, groups;
} shapes[] = {{"resnet stem", 224, 3, 64, 7, 2, 1},
              {"resnet 56", 56, 64, 64, 3, 1, 1},
              {"resnet 56 s2", 56, 64, 128, 3, 2, 1},
              {"resnet 28", 28, 128, 128, 3, 1, 1},
              {"resnet 14", 14, 256, 256, 3, 1, 1},
              {"resnet 7", 7, 512, 512, 3, 1, 1},
              {"resnet 56 1x1 s2", 56, 64, 128, 1, 2, 1},
              {"resnet50 56 64->256", 56, 64, 256, 1, 1, 1},
              {"mobilenet stem", 224, 3, 32, 3, 2, 1},
              {"mobilenet 112 32->16", 112, 32, 16, 1, 1, 1},
              {"mobilenet 56 144->24", 56, 144, 24, 1, 1, 1},
              {"mobilenet 14 96->576", 14, 96, 576, 1, 1, 1},
              {"squeezenet 55", 55, 16, 64, 3, 1, 1},
              {"squeezenet 13", 13, 64, 256, 3, 1, 1},
              {"yolo 80", 80, 16, 16, 3, 1, 1},
              {"yolo 40", 40, 64, 64, 3, 1, 1},
              {"resnet8 32", 32, 16, 16, 3, 1, 1},
              {"resnet8 8", 8, 64, 64, 3, 1, 1},
              {"vit patches 224", 224, 3, 192, 16, 16, 1},
              {"resnext 56", 56, 4, 4, 3, 1, 32},
              {"ultraface 20", 20, 64, 6, 3, 1, 1}};

static void bench(kc *k, int i) {
  state *s = k->state;
  const struct shape *q = &shapes[i];
  int64_t out = whet__ceil_div(q->size, q->stride), pad = q->kernel == 16 ? 0 : q->kernel / 2;
  whet_window one = {1, 1, 1, 1, 1, 0, 0, 0, 0}, d = {q->size, out, q->kernel, q->stride, 1, pad, 0, 0, 0};
  s->c = (whet_conv_f32){.batch = 1, .groups = q->groups, .ic = q->ic, .oc = q->oc, .dim = {one, d, d}};
  s->c.epi = (whet_epi_f32){.n = 1, .op = {WHET_MICRO_CLAMP}, .b = {INFINITY}};
  arguments(k, s, true, false, true, 0, 0, 0);
  k->ops = 2.0 * (double)(out * out * q->groups * q->oc * q->ic * q->kernel * q->kernel);
  kc_name(k, "%s (%lldx%lld %lld->%lld s%lld)", q->what, (long long)q->kernel, (long long)q->kernel,
          (long long)(q->ic * q->groups), (long long)(q->oc * q->groups), (long long)q->stride);
}

static const kc_test test = {.family = WHET_FAMILY_conv_f32,
                             .state_bytes = sizeof(state),
                             .fills = 1u << KC_RANDOM | 1u << KC_INTS | 1u << KC_SPECIAL | 1u << KC_ALTERNATE,
                             .draw = draw,
                             .pack = pack,
                             .check = check,
                             .n_bench = (int)WHET_COUNT(shapes),
                             .bench = bench};
KC_MAIN(test)
