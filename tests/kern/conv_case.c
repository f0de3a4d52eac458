/* SPDX-License-Identifier: Apache-2.0 */
/* Cases of convolution: arguments, packing, reference. */

#include "kern/conv_case.h"
#include "kern/unary_f32.h"

#include <math.h>

#include "kern/convt_f32.h"

/* Steps of dense tensors whose pixels are `pitch` floats apart, in floats; answers the floats of one image. */
static int64_t steps(whet_conv_f32 *c, int64_t pitch, size_t field, bool out) {
  for (int i = 2; i >= 0; i--) {
    memcpy((char *)&c->dim[i] + field, &pitch, sizeof pitch);
    pitch *= out ? c->dim[i].out : c->dim[i].in;
  }
  return pitch;
}

void conv_arguments(kc *k, conv_case *s, bool bias, bool res, bool oihw, int64_t in_gap, int64_t out_gap,
                    int64_t res_gap) {
  whet_conv_f32 *c = &s->c;
  int64_t in_pitch = c->groups * c->ic + in_gap, out_pitch = c->groups * c->oc + out_gap;
  int64_t res_pitch = c->groups * c->oc + res_gap, taps = 1;
  c->in_batch = steps(c, in_pitch, offsetof(whet_window, in_step), false);
  c->out_batch = steps(c, out_pitch, offsetof(whet_window, out_step), true);
  c->res_batch = steps(c, res_pitch, offsetof(whet_window, res_step), true);
  for (int i = 0; i < 3; i++) taps *= c->dim[i].kernel;
  s->in = kc_in(k, WHET_F32, c->batch * c->in_batch - in_gap);
  kc_out(k, WHET_F32, s->out_floats ? s->out_floats : c->batch * c->out_batch - out_gap);
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
  c->l2_kb = k->bench || kc_chance(k, 20) ? 1024 : 4;
  c->constant = c->grow = true;
  c->patches = s->may_copy && whet__conv_f32_low(c);
  memcpy(kc_params(k, sizeof *c), c, sizeof *c);
}

whet_window conv_window(kc *k, int64_t n, int64_t kernel) {
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

void conv_epilogue(kc *k, whet_epi_f32 *e) {
  if (kc_chance(k, 40)) e->op[e->n++] = WHET_MICRO_ADD, e->res = 1;
  if (kc_chance(k, 40))
    e->a[e->n] = 0, e->b[e->n] = kc_chance(k, 50) ? 0.5f : INFINITY, e->op[e->n++] = WHET_MICRO_CLAMP;
  if (!e->res && kc_chance(k, 15)) e->op[e->n++] = WHET_MICRO_MUL, e->res = 1;
}

void conv_name(kc *k, const whet_conv_f32 *c) {
  const whet_window *d = c->dim;
  kc_name(
      k,
      "%lldx%lld groups %lld->%lld; in %lld.%lld.%lld kernel %lld.%lld.%lld stride %lld.%lld.%lld dil %lld.%lld.%lld",
      (long long)c->batch, (long long)c->groups, (long long)c->ic, (long long)c->oc, (long long)d[0].in,
      (long long)d[1].in, (long long)d[2].in, (long long)d[0].kernel, (long long)d[1].kernel, (long long)d[2].kernel,
      (long long)d[0].stride, (long long)d[1].stride, (long long)d[2].stride, (long long)d[0].dilation,
      (long long)d[1].dilation, (long long)d[2].dilation);
}

void conv_pack(kc *k, const whet_kern *row) {
  conv_case *s = k->state;
  const void *src[2] = {s->w, s->bias};
  s->pack.form = row->form;
  if (s->one_group) { /* groups of one column each are columns of one group */
    s->pack.groups = 1;
    s->pack.n = s->c.groups;
    s->pack.n_step = s->pack.group_step;
  }
  whet_convt_pack_f32 t = {.pack = s->pack};
  for (int i = 0; i < 3; i++) {
    t.stride[i] = s->c.dim[i].stride;
    t.dilation[i] = s->c.dim[i].dilation;
    t.pad[i] = s->c.dim[i].pad;
  }
  void *dst =
      kc_pack_bytes(k, s->packed, s->transposed ? whet__convt_pack_f32_bytes(&t) : whet__pack_f32_bytes(&s->pack));
  for (int part = 0; part < 3; part++) {
    if (s->transposed)
      whet__convt_pack_f32(&t, src, dst, part, 3);
    else
      whet__pack_f32(&s->pack, src, dst, part, 3);
  }
}

/* The input position that tap `t` of output position `at` meets, or -1. */
static int64_t met(const conv_case *s, const whet_window *w, int64_t at, int64_t t) {
  int64_t p = s->transposed ? at + w->pad - t * w->dilation : at * w->stride + t * w->dilation - w->pad;
  if (s->transposed && (p < 0 || p % w->stride)) return -1;
  if (s->transposed) p /= w->stride;
  return p < 0 || p >= w->in ? -1 : p;
}

/* The sum of one output; in: channel 0 of its group and image. Transposed: taps from the last to the first. */
static float sum(const kc *k, const float *in, int64_t g, int64_t j, const int64_t at[3], kc_sum *of) {
  const conv_case *s = k->state;
  const whet_conv_f32 *c = &s->c;
  const int64_t *step = s->pack.k_step;
  const float *w = s->w + g * s->pack.group_step + j * s->pack.n_step;
  float v = s->bias ? s->bias[g * c->oc + j] : 0;
  *of = (kc_sum){.size = fabs((double)v)};
  int64_t taps = c->dim[0].kernel * c->dim[1].kernel * c->dim[2].kernel;
  for (int64_t n = 0; n < taps; n++) {
    int64_t t = s->transposed ? taps - 1 - n : n, from = 0, wi = 0;
    bool inside = true;
    for (int i = 2; i >= 0; t /= c->dim[i--].kernel) {
      int64_t tap = t % c->dim[i].kernel, p = met(s, &c->dim[i], at[i], tap);
      inside &= p >= 0;
      from += p * c->dim[i].in_step;
      wi += tap * step[i];
    }
    for (int64_t ch = 0; (inside || c->patches) && ch < c->ic; ch++) {
      float x = inside ? kc_factor(k, in[from + ch]) : 0, y = kc_factor(k, w[wi + ch * step[3]]);
      v = fmaf(x, y, v);
      kc_add(of, x, y);
    }
  }
  return v;
}

void conv_check(kc *k) {
  const conv_case *s = k->state;
  const whet_conv_f32 *c = &s->c;
  for (int64_t n = 0; n < c->batch; n++)
    for (int64_t at = 0; at < c->dim[0].out * c->dim[1].out * c->dim[2].out && !k->failures; at++) {
      int64_t x[3] = {at / c->dim[2].out / c->dim[1].out, at / c->dim[2].out % c->dim[1].out, at % c->dim[2].out};
      int64_t out = n * c->out_batch, res = n * c->res_batch;
      for (int i = 0; i < 3; i++) out += x[i] * c->dim[i].out_step, res += x[i] * c->dim[i].res_step;
      for (int64_t g = 0; g < c->groups; g++)
        for (int64_t j = 0; j < c->oc; j++) {
          kc_sum of;
          double times = 1;
          float v = sum(k, s->in + n * c->in_batch + g * c->ic, g, j, x, &of);
          float r = s->res ? s->res[res + g * c->oc + j] : 0;
          for (int i = 0; i < c->epi.n; i++) {
            if (c->epi.op[i] == WHET_MICRO_ADD) v += r;
            if (c->epi.op[i] == WHET_MICRO_MUL) v *= r, times *= fabs((double)r);
            if (c->epi.op[i] == WHET_MICRO_UNARY + WHET_UN_ABS) v = fabsf(v);
            if (c->epi.op[i] == WHET_MICRO_CLAMP && v > c->epi.b[i]) v = c->epi.b[i];
            if (c->epi.op[i] == WHET_MICRO_CLAMP && v < c->epi.a[i]) v = c->epi.a[i];
          }
          kc_want_sum(k, 1, out + g * c->oc + j, v, &of, times);
        }
    }
}
