/* SPDX-License-Identifier: Apache-2.0 */
/* Family unpool_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS. */

#include "kern/unpool_f32.h"

#include "kern/row_name.h"

static inline vf load(const float *p, int64_t w) { return w == VW ? vf_load(p) : vf_load_n(p, w); }
static inline void store(float *p, vf v, int64_t w) {
  if (w == VW)
    vf_store(p, v);
  else
    vf_store_n(p, v, w);
}

/* The places of one window along a dimension: first, count, and count in the padded input. */
static int64_t places(const whet_unpool_f32 *p, int d, int64_t o, int64_t *first, int64_t *padded) {
  int64_t start = o * p->stride[d] - p->pad[d], step = p->dilation[d];
  int64_t from = start >= 0 ? 0 : (-start + step - 1) / step;
  int64_t to = start >= p->in[d] ? 0 : whet__min_i(p->kernel[d], (p->in[d] - 1 - start) / step + 1);
  *padded = whet__min_i(p->kernel[d], (p->in[d] + p->pad_end[d] - 1 - start) / step + 1);
  *first = start + from * step;
  return to > from ? to - from : 0;
}

/* Channels c .. c + w of one window. */
static void window(const whet_unpool_f32 *p, const float *x, float *dx, const int64_t n[3], vf g, vf top, int64_t w) {
  const vf zero = vf_set(0);
  int64_t step[3] = {p->dilation[0] * p->in[1] * p->in[2] * p->chan, p->dilation[1] * p->in[2] * p->chan, p->dilation[2] * p->chan};
  for (int64_t z = 0; z < n[0]; z++)
    for (int64_t y = 0; y < n[1]; y++)
      for (int64_t i = 0; i < n[2] - WHET_BUG(1); i++) {
        int64_t o = z * step[0] + y * step[1] + i * step[2];
        vf d = g;
        if (x) { /* what has been given is given no more */
          vm is = vf_eq(load(x + o, w), top);
          d = vf_sel(is, g, zero);
          g = vf_sel(is, zero, g);
        }
        store(dx + o, vf_add(load(dx + o, w), d), w);
      }
}

static void block(const whet_unpool_f32 *p, void *const *ptr, int64_t b, int64_t c0, int64_t c1) {
  int64_t cells = p->in[0] * p->in[1] * p->in[2], outs = p->out[0] * p->out[1] * p->out[2], first[3], padded[3], n[3];
  bool max = p->fn == WHET_POOL_F32_MAX;
  const float *dy = (const float *)ptr[0] + b * outs * p->chan;
  float *dx = (float *)ptr[1] + b * cells * p->chan;
  const float *x = max ? (const float *)ptr[2] + b * cells * p->chan : NULL;
  const float *top = max ? (const float *)ptr[3] + b * outs * p->chan : NULL;
  for (int64_t i = 0; i < cells; i++) memset(dx + i * p->chan + c0, 0, (size_t)(c1 - c0) * sizeof *dx);
  for (int64_t o = 0; o < outs; o++) {
    int64_t at[3] = {o / p->out[2] / p->out[1], o / p->out[2] % p->out[1], o % p->out[2]};
    for (int d = 0; d < 3; d++) n[d] = places(p, d, at[d], &first[d], &padded[d]);
    int64_t from = ((first[0] * p->in[1] + first[1]) * p->in[2] + first[2]) * p->chan;
    float share = 1 / (float)(p->count_pads ? padded[0] * padded[1] * padded[2] : n[0] * n[1] * n[2]);
    for (int64_t c = c0; c < c1; c += VW) {
      int64_t w = whet__min_i(VW, c1 - c);
      vf g = load(dy + o * p->chan + c, w);
      window(p, max ? x + from + c : NULL, dx + from + c, n, max ? g : vf_mul(g, vf_set(share)),
             max ? load(top + o * p->chan + c, w) : vf_set(0), w);
    }
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_unpool_f32 *p = params;
  int64_t blocks = whet__ceil_div(p->chan, 64), from, to;
  whet__split(whet__unpool_f32_parts(p), part, parts, &from, &to);
  for (int64_t i = from; i < to; i++) {
    int64_t c = i % blocks * 64;
    block(p, ptr, i / blocks, c, whet__min_i(c + 64, p->chan));
  }
}

WHET_ROW(unpool_f32);
