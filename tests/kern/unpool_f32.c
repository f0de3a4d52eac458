/* SPDX-License-Identifier: Apache-2.0 */
/* Family unpool_f32 against its definition. */

#include "kern/unpool_f32.h"

#include <math.h>

#include "kern/check.h"

typedef struct state {
  whet_unpool_f32 p;
  const float *dy;
  float *x, *y, *want;
} state;

static int64_t cells(const whet_unpool_f32 *p) { return p->in[0] * p->in[1] * p->in[2]; }
static int64_t outs(const whet_unpool_f32 *p) { return p->out[0] * p->out[1] * p->out[2]; }

/* Every element of the windows of channel c of sample b, in order: what `visit` 0 makes greatest, 1 gives. */
static void walk(const state *s, int64_t b, int64_t c, bool give) {
  const whet_unpool_f32 *p = &s->p;
  for (int64_t o = 0; o < outs(p); o++) {
    int64_t at[3] = {o / p->out[2] / p->out[1], o / p->out[2] % p->out[1], o % p->out[2]}, q[3], k[3], count = 0, padded = 1;
    float *y = s->y + (b * outs(p) + o) * p->chan + c, g = s->dy[(b * outs(p) + o) * p->chan + c];
    bool done = false;
    if (!give) *y = -INFINITY;
    for (int pass = 0; pass < 2; pass++)
      for (k[0] = 0; k[0] < p->kernel[0]; k[0]++)
        for (k[1] = 0; k[1] < p->kernel[1]; k[1]++)
          for (k[2] = 0; k[2] < p->kernel[2]; k[2]++) {
            bool inside = true;
            for (int d = 0; d < 3; d++) {
              q[d] = at[d] * p->stride[d] - p->pad[d] + k[d] * p->dilation[d];
              inside &= q[d] >= 0 && q[d] < p->in[d];
            }
            if (!inside) continue;
            int64_t i = (b * cells(p) + (q[0] * p->in[1] + q[1]) * p->in[2] + q[2]) * p->chan + c;
            if (!pass)
              count++;
            else if (!give)
              *y = s->x[i] > *y ? s->x[i] : *y;
            else if (p->fn == WHET_POOL_F32_MAX && !done && s->x[i] == *y)
              s->want[i] += g, done = true;
            else if (p->fn != WHET_POOL_F32_MAX)
              s->want[i] += g * (1 / (float)(p->count_pads ? padded : count));
          }
  }
}

static void arrays(kc *k, whet_unpool_f32 *p) {
  state *s = k->state;
  int64_t nx = p->batch * cells(p) * p->chan, ny = p->batch * outs(p) * p->chan;
  s->p = *p;
  s->x = kc_mem(k, (size_t)nx * sizeof(float));
  s->y = kc_mem(k, (size_t)ny * sizeof(float));
  s->want = kc_mem(k, (size_t)nx * sizeof(float));
  memset(s->want, 0, (size_t)nx * sizeof(float));
  kc_fill_array(k, WHET_F32, s->x, nx, k->fill);
  s->dy = kc_in(k, WHET_F32, ny);
  kc_out(k, WHET_F32, nx);
  for (int64_t b = 0; b < p->batch; b++)
    for (int64_t c = 0; c < p->chan; c++) walk(s, b, c, false);
  if (p->fn == WHET_POOL_F32_MAX) {
    kc_given(k, WHET_F32, nx, s->x);
    kc_given(k, WHET_F32, ny, s->y);
  } else {
    kc_absent(k);
    kc_absent(k);
  }
  kc_name(k, "fn %d, %lld samples of %lld places, %lld channels", p->fn, (long long)p->batch, (long long)cells(p), (long long)p->chan);
}

static void draw(kc *k) {
  whet_unpool_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_unpool_f32){.fn = kc_chance(k, 50) ? WHET_POOL_F32_MAX : WHET_POOL_F32_MEAN, .batch = kc_range(k, 1, 2), .chan = kc_size(k, 90)};
  for (int d = 0; d < 3; d++) {
    p->kernel[d] = d ? kc_range(k, 1, 3) : 1;
    p->stride[d] = kc_range(k, 1, 3);
    p->dilation[d] = kc_range(k, 1, 2);
    p->pad[d] = kc_range(k, 0, p->kernel[d] - 1);
    p->in[d] = d ? kc_range(k, (p->kernel[d] - 1) * p->dilation[d] + 1, 8) : 1;
    p->out[d] = (p->in[d] + p->pad[d] - (p->kernel[d] - 1) * p->dilation[d] - 1) / p->stride[d] + 1;
  }
  arrays(k, p);
}

static void check(kc *k) {
  state *s = k->state;
  const whet_unpool_f32 *p = &s->p;
  memset(s->want, 0, (size_t)(p->batch * cells(p) * p->chan) * sizeof *s->want); /* another row may have been here */
  for (int64_t b = 0; b < p->batch; b++)
    for (int64_t c = 0; c < p->chan; c++) walk(s, b, c, true);
  for (int64_t i = 0; i < p->batch * cells(p) * p->chan; i++) kc_want_f32(k, 1, i, s->want[i]);
}

static void bench(kc *k, int i) {
  whet_unpool_f32 *p = kc_params(k, sizeof *p);
  *p = (whet_unpool_f32){.fn = i ? WHET_POOL_F32_MEAN : WHET_POOL_F32_MAX, .batch = 8, .chan = 32, .in = {1, 32, 32}, .out = {1, 16, 16},
                         .kernel = {1, 2, 2}, .stride = {1, 2, 2}, .dilation = {1, 1, 1}};
  arrays(k, p);
  k->ops = (double)(p->batch * cells(p) * p->chan);
  k->bytes = 12 * k->ops;
}

static const kc_test test = {.family = WHET_FAMILY_unpool_f32,
                             .state_bytes = sizeof(state),
                             .draw = draw,
                             .check = check,
                             .fills = 3,
                             .n_bench = 2,
                             .bench = bench};
KC_MAIN(test)
