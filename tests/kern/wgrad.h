/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TESTS_KERN_WGRAD_H
#define WHET_TESTS_KERN_WGRAD_H

/* Cases of wgrad_f32 and dwgrad_f32, and their definition. */

#include <math.h>

#include "kern/check.h"
#include "kern/wgrad_f32.h"

typedef struct state {
  whet_wgrad_f32 p;
  const float *x, *dy;
} state;

static void fill(kc *k, whet_wgrad_f32 *p) {
  state *s = k->state;
  int64_t cx = p->groups * p->ic, cy = p->groups * p->oc, x = cx, y = cy, tap = p->ic;
  for (int i = 2; i >= 0; i--) {
    whet_window *d = &p->dim[i];
    d->in_step = x, d->out_step = y;
    x *= d->in, y *= d->out;
    p->w_tap[i] = tap;
    tap *= d->kernel;
  }
  p->in_batch = x, p->out_batch = y;
  p->w_ic = 1, p->w_oc = tap, p->w_group = p->oc * tap;
  p->count = p->groups * p->w_group;
  s->p = *p;
  if (p->join) {
    s->x = kc_in(k, WHET_F32, p->count * whet__wgrad_f32_shards(p));
    kc_absent(k);
    kc_out(k, WHET_F32, p->count);
    kc_name(k, "%lld shards of %lld", (long long)whet__wgrad_f32_shards(p), (long long)p->count);
    return;
  }
  s->x = kc_in(k, WHET_F32, p->batch * x);
  s->dy = kc_in(k, WHET_F32, p->batch * y);
  kc_out(k, WHET_F32, p->count * whet__wgrad_f32_shards(p));
  kc_name(k, "%lldx%lldx%lld kernel %lldx%lld stride %lld, %lld groups of %lld -> %lld", (long long)p->batch, (long long)p->dim[1].in,
          (long long)p->dim[2].in, (long long)p->dim[1].kernel, (long long)p->dim[2].kernel, (long long)p->dim[2].stride,
          (long long)p->groups, (long long)p->ic, (long long)p->oc);
}

static void draw_any(kc *k, bool deep) {
  whet_wgrad_f32 *p = kc_params(k, sizeof *p);
  bool large = kc_chance(k, 15); /* some shards */
  p->batch = kc_range(k, 1, 3);
  p->join = !deep && kc_chance(k, 15);
  p->groups = deep ? kc_size(k, 80) : kc_chance(k, 70) ? 1 : kc_range(k, 2, 4);
  p->ic = deep ? 1 : kc_size(k, 40);
  p->oc = deep ? 1 : kc_size(k, 70);
  for (int i = 0; i < 3; i++) {
    whet_window *d = &p->dim[i];
    *d = (whet_window){1, 1, 1, 1, 1, 0, 0, 0, 0};
    if (i == 0 && kc_chance(k, 80)) continue;
    d->in = large && i ? kc_range(k, 15, 30) : kc_range(k, 1, i ? 9 : 3);
    d->kernel = kc_range(k, 1, deep ? 5 : 3);
    d->stride = kc_range(k, 1, 2);
    d->dilation = kc_range(k, 1, 2);
    d->pad = kc_range(k, 0, 3);
    int64_t room = d->in + d->pad + kc_range(k, 0, 2) - (d->kernel - 1) * d->dilation - 1;
    d->out = room < 0 ? 0 : room / d->stride + 1;
    if (room < 0) d->kernel = d->out = 1, d->stride = 1, d->pad = 0, d->out = d->in;
  }
  fill(k, p);
}

/* Sum i over lines from .. to - 1 of the outputs. */
static float sum_of(const state *s, int64_t i, int64_t from, int64_t to) {
  const whet_wgrad_f32 *p = &s->p;
  int64_t g = i / p->w_group, o = i / p->w_oc % p->oc, c = i % p->ic, t[3], at[3];
  float sum = 0;
  for (int d = 0; d < 3; d++) t[d] = i / p->w_tap[d] % p->dim[d].kernel;
  for (int64_t line = from; line < to; line++)
    for (at[2] = 0; at[2] < p->dim[2].out; at[2]++) {
      int64_t n = line / p->dim[1].out / p->dim[0].out, x = n * p->in_batch + g * p->ic + c, y = n * p->out_batch + g * p->oc + o;
      bool inside = true;
      at[0] = line / p->dim[1].out % p->dim[0].out, at[1] = line % p->dim[1].out;
      for (int d = 0; d < 3; d++) {
        int64_t q = at[d] * p->dim[d].stride + t[d] * p->dim[d].dilation - p->dim[d].pad;
        inside &= q >= 0 && q < p->dim[d].in;
        x += q * p->dim[d].in_step, y += at[d] * p->dim[d].out_step;
      }
      if (inside) sum = fmaf(s->x[x], s->dy[y], sum);
    }
  return sum;
}

static void check(kc *k) {
  const state *s = k->state;
  const whet_wgrad_f32 *p = &s->p;
  int64_t shards = whet__wgrad_f32_shards(p), lines = p->batch * p->dim[0].out * p->dim[1].out;
  for (int64_t i = 0; i < p->count && !k->failures; i++) {
    float sum = p->join ? s->x[i] : 0;
    for (int64_t j = 0; j < shards; j++)
      if (!p->join)
        kc_want_f32(k, 2, j * p->count + i, sum_of(s, i, lines * j / shards, lines * (j + 1) / shards));
      else if (j)
        sum += s->x[j * p->count + i];
    if (p->join) kc_want_f32(k, 2, i, sum);
  }
}

#endif
