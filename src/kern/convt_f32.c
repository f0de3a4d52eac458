/* SPDX-License-Identifier: Apache-2.0 */
/* Family convt_f32: phases of a transposed convolution. */

#include "kern/convt_f32.h"

static int64_t gcd(int64_t a, int64_t b) { return b ? gcd(b, a % b) : a; }

whet_window whet__convt_phase(const whet_window *w, int64_t phase, int64_t *tap, int64_t *tap_step) {
  int64_t common = gcd(w->stride, w->dilation), step = w->stride / common, k = w->kernel - 1;
  whet_window p = {.in = w->in,
                   .out = whet__max_i(whet__ceil_div(w->out - phase, w->stride), 0),
                   .stride = 1,
                   .dilation = w->dilation / common,
                   .in_step = w->in_step,
                   .out_step = w->stride * w->out_step,
                   .res_step = w->stride * w->res_step};
  /* The last tap that reaches an input from this phase; taps repeat every `step`. */
  while (k >= 0 && k > w->kernel - 1 - step && (phase + w->pad - k * w->dilation) % w->stride) k--;
  *tap = k;
  *tap_step = step;
  if (k < 0 || (phase + w->pad - k * w->dilation) % w->stride) return p;
  p.kernel = k / step + 1;
  p.pad = -(phase + w->pad - k * w->dilation) / w->stride;
  return p;
}

/* Panels of one phase; answers false past the last one. `at` counts phases. */
static bool phase_pack(const whet_convt_pack_f32 *c, int64_t at, whet_pack_f32 *out) {
  if (at >= c->stride[0] * c->stride[1] * c->stride[2]) return false;
  *out = c->pack;
  for (int i = 2; i >= 0; at /= c->stride[i--]) {
    whet_window w = {.in = 1,
                     .out = 1,
                     .kernel = c->pack.k[i],
                     .stride = c->stride[i],
                     .dilation = c->dilation[i],
                     .pad = c->pad[i]};
    int64_t tap, step;
    w = whet__convt_phase(&w, at % c->stride[i], &tap, &step);
    out->k[i] = w.kernel;
    if (w.kernel) out->at += tap * c->pack.k_step[i];
    out->k_step[i] = -step * c->pack.k_step[i];
  }
  return true;
}

size_t whet__convt_pack_f32_bytes(const void *params) {
  whet_pack_f32 p;
  size_t bytes = 0;
  for (int64_t at = 0; phase_pack(params, at, &p); at++) bytes += whet__pack_f32_bytes(&p);
  return bytes;
}

void whet__convt_pack_f32(const void *params, const void *const *src, void *dst, int part, int parts) {
  whet_pack_f32 p;
  char *to = dst;
  for (int64_t at = 0; phase_pack(params, at, &p); at++) {
    whet__pack_f32(&p, src, to, part, parts);
    to += whet__pack_f32_bytes(&p);
  }
}

void whet__convt_f32(const void *params, void *const *ptr, int part, int parts, const whet_tiles_f32 *tiles, const whet_dws_f32 *dw) {
  const whet_conv_f32 *c = params;
  const float *weights = ptr[2];
  bool deep = whet__convt_depthwise(c);
  for (int64_t z = 0; z < c->dim[0].stride; z++)
    for (int64_t y = 0; y < c->dim[1].stride; y++)
      for (int64_t x = 0; x < c->dim[2].stride; x++) {
        int64_t phase[3] = {z, y, x}, out = 0, res = 0, k = c->ic, tap, step;
        whet_conv_f32 one = *c;
        for (int i = 0; i < 3; i++) {
          one.dim[i] = whet__convt_phase(&c->dim[i], phase[i], &tap, &step);
          out += phase[i] * c->dim[i].out_step;
          res += phase[i] * c->dim[i].res_step;
          k *= one.dim[i].kernel;
        }
        void *p[5] = {ptr[0], (float *)ptr[1] + out, (void *)weights, ptr[3] ? (float *)ptr[3] + res : NULL, ptr[4]};
        bool some = one.dim[0].out && one.dim[1].out && one.dim[2].out;
        if (some && deep)
          whet__dw_f32(&one, p, part, parts, dw);
        else if (some)
          whet__conv_f32(&one, p, part, parts, tiles);
        weights += deep ? whet__panel_floats(dw->form, c->groups, k) : c->groups * whet__panel_floats(tiles->form, c->oc, k);
      }
}
