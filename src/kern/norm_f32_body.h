/* SPDX-License-Identifier: Apache-2.0 */
/* Family norm_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS. */

#include "kern/norm_f32.h"

#include <math.h>

#include "kern/lanes.h"
#include "kern/row_name.h"

/* Sum of x - m, or of its square, over n neighbours, added to lanes. */
static inline void add_diffs(lanes *s, const float *x, int64_t n, vf m, bool square) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int k = 0; k < LANE_VECS; k++) {
      vf d = vf_sub(vf_load(x + i + k * VW), m);
      s->v[k] = square ? vf_fma(d, d, s->v[k]) : vf_add(s->v[k], d);
    }
  if (i == n) return;
  lanes v = lanes_load_n(x + i, n - i, 0);
  LANES_EACH(v, k, vf_sub(v.v[k], m));
  v = lanes_keep(v, n - i);
  LANES_EACH(*s, k, square ? vf_fma(v.v[k], v.v[k], s->v[k]) : vf_add(s->v[k], v.v[k]));
}

/* y = ((x - m) * f) * scale + bias over n neighbours. */
static void apply(float *y, const float *x, int64_t n, vf m, vf f, const float *scale, const float *bias) {
  for (int64_t i = 0; i < n; i += VW) {
    int64_t w = whet__min_i(VW, n - i);
    bool whole = w == VW;
    vf v = vf_mul(vf_sub(whole ? vf_load(x + i) : vf_load_n(x + i, w), m), f);
    vf b = !bias ? vf_set(0) : whole ? vf_load(bias + i) : vf_load_n(bias + i, w);
    if (scale)
      v = vf_fma(v, whole ? vf_load(scale + i) : vf_load_n(scale + i, w), b);
    else if (bias)
      v = vf_add(v, b);
    if (whole)
      vf_store(y + i, v);
    else
      vf_store_n(y + i, v, w);
  }
}

/* One row of LAYER, RMS or L2. */
static void row(const whet_norm_f32 *p, void *const *ptr, int64_t o) {
  const float *x = (const float *)ptr[0] + o * p->n;
  float *y = (float *)ptr[3] + o * p->n, share = 1 / (float)p->n, mean = 0, f;
  lanes s = lanes_set(0);
  if (p->kind == WHET_NORM_LAYER) {
    add_diffs(&s, x, p->n, vf_set(0), false);
    mean = lanes_sum(s) * share;
    s = lanes_set(0);
  }
  add_diffs(&s, x, p->n - WHET_BUG(1), vf_set(mean), true);
  float sum = lanes_sum(s);
  if (p->kind == WHET_NORM_L2) {
    float norm = sqrtf(sum);
    norm = norm > p->epsilon ? norm : norm != norm ? norm : p->epsilon;
    f = norm == 0 ? 0 : 1 / norm;
  } else {
    f = 1 / sqrtf(sum * share + p->epsilon);
  }
  apply(y, x, p->n, vf_set(mean), vf_set(f), ptr[1], ptr[2]);
  if (ptr[4]) ((float *)ptr[4])[o] = mean;
  if (ptr[5]) ((float *)ptr[5])[o] = f;
}

/* w of VW neighbours; the test of the whole vector is predicted. */
static inline vf load(const float *p, int64_t w) { return w == VW ? vf_load(p) : vf_load_n(p, w); }
static inline void store(float *p, vf v, int64_t w) {
  if (w == VW)
    vf_store(p, v);
  else
    vf_store_n(p, v, w);
}

/* Channels from .. from + w of one sample of GROUP, each a group of its own; w is at most VW. */
static void single(const whet_norm_f32 *p, void *const *ptr, int64_t o, int64_t from, int64_t w) {
  const float *x = (const float *)ptr[0] + o * p->n * p->chan + from, *scale = ptr[1], *bias = ptr[2];
  float *y = (float *)ptr[3] + o * p->n * p->chan + from;
  const vf share = vf_set(1 / (float)p->n);
  vf s = vf_set(0), q = vf_set(0), b = bias ? load(bias + from, w) : vf_set(0);
  for (int64_t i = 0; i < p->n; i++) s = vf_add(s, load(x + i * p->chan, w));
  vf m = vf_mul(s, share);
  for (int64_t i = 0; i < p->n - WHET_BUG(1); i++) {
    vf d = vf_sub(load(x + i * p->chan, w), m);
    q = vf_fma(d, d, q);
  }
  vf f = vf_div(vf_set(1), vf_sqrt(vf_add(vf_mul(q, share), vf_set(p->epsilon))));
  vf k = scale ? load(scale + from, w) : vf_set(1);
  for (int64_t i = 0; i < p->n; i++) {
    vf v = vf_mul(vf_sub(load(x + i * p->chan, w), m), f);
    store(y + i * p->chan, vf_fma(v, k, b), w);
  }
}

/* One group of several channels. */
static void group(const whet_norm_f32 *p, void *const *ptr, int64_t o, int64_t from) {
  const float *x = (const float *)ptr[0] + o * p->n * p->chan + from, *scale = ptr[1], *bias = ptr[2];
  float *y = (float *)ptr[3] + o * p->n * p->chan + from, share = 1 / (float)(p->n * p->each);
  lanes s = lanes_set(0);
  for (int64_t i = 0; i < p->n; i++) add_diffs(&s, x + i * p->chan, p->each, vf_set(0), false);
  float mean = lanes_sum(s) * share;
  s = lanes_set(0);
  for (int64_t i = 0; i < p->n - WHET_BUG(1); i++) add_diffs(&s, x + i * p->chan, p->each, vf_set(mean), true);
  float f = 1 / sqrtf(lanes_sum(s) * share + p->epsilon);
  for (int64_t i = 0; i < p->n; i++)
    apply(y + i * p->chan, x + i * p->chan, p->each, vf_set(mean), vf_set(f), scale ? scale + from : NULL,
          bias ? bias + from : NULL);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_norm_f32 *p = params;
  int64_t from, to, each = p->kind != WHET_NORM_GROUP ? 0 : p->each == 1 ? VW : p->each;
  int64_t blocks = each ? whet__ceil_div(p->chan, each) : 1;
  whet__split(p->outer * blocks, part, parts, &from, &to);
  for (int64_t i = from; i < to; i++) {
    int64_t c = i % blocks * each;
    if (!each)
      row(p, ptr, i);
    else if (p->each == 1)
      single(p, ptr, i / blocks, c, whet__min_i(VW, p->chan - c));
    else
      group(p, ptr, i / blocks, c);
  }
}

WHET_ROW(norm_f32);
