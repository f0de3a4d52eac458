/* SPDX-License-Identifier: Apache-2.0 */
/* Family dwgrad_f32, over the vector layer that the including file has chosen; it defines ISA and ISA_BITS.
 *
 * The sums of some channels stay in scratch while lines of outputs go by; along a line, those of up to three taps beside
 * each other are in registers. */

#include "kern/dwgrad_f32.h"

#include "kern/row_name.h"

enum { VECS = VW > 1 ? 2 : 1, TAPS = 3 };

/* One line of outputs and one row of taps. */
struct row {
  const float *x, *dy; /* x: pixel 0 of the row that the taps meet */
  int64_t n;           /* channels, at most VECS vectors */
  int64_t first;       /* tap that the call begins with */
  float *sum;          /* [taps][WHET_DWGRAD_CHANNELS], of that tap */
};

/* Outputs lo..hi-1 into `taps` taps; every place lies inside. taps is a constant where it is called. */
WHET_INLINE void some(const whet_window *d, const struct row *r, const int taps, int64_t lo, int64_t hi) {
  vf acc[TAPS][VECS];
  const int64_t tap = d->dilation * d->in_step, x_step = d->stride * d->in_step, y_step = d->out_step;
  const int64_t n = whet__min_i(r->n, VW), m = whet__max_i(r->n - VW, 0);
  const float *x = r->x + (lo * d->stride + r->first * d->dilation - d->pad) * d->in_step, *y = r->dy + lo * y_step;
  WHET_UNROLL for (int t = 0; t < taps; t++) WHET_UNROLL for (int v = 0; v < VECS; v++) acc[t][v] =
      vf_load(r->sum + t * WHET_DWGRAD_CHANNELS + v * VW);
  for (; lo < hi; lo++, x += x_step, y += y_step) {
    vf g[VECS];
    WHET_UNROLL for (int v = 0; v < VECS; v++) g[v] = vf_load_n(y + v * VW, v ? m : n);
    WHET_UNROLL for (int t = 0; t < taps; t++) WHET_UNROLL for (int v = 0; v < VECS; v++) acc[t][v] =
        vf_fma(vf_load_n(x + t * tap + v * VW, v ? m : n), g[v], acc[t][v]);
  }
  WHET_UNROLL for (int t = 0; t < taps; t++) WHET_UNROLL for (int v = 0; v < VECS; v++)
      vf_store(r->sum + t * WHET_DWGRAD_CHANNELS + v * VW, acc[t][v]);
}
static void one(const whet_window *d, const struct row *r, int64_t lo, int64_t hi) {
  if (lo < hi) some(d, r, 1, lo, hi);
}

/* Outputs whose tap t lies inside. */
static void range(const whet_window *d, int64_t t, int64_t *lo, int64_t *hi) {
  int64_t first = t * d->dilation - d->pad;
  *lo = first < 0 ? whet__min_i(whet__ceil_div(-first, d->stride), d->out) : 0;
  *hi = first >= d->in ? 0 : whet__min_i((d->in - 1 - first) / d->stride + 1, d->out) - WHET_BUG(1);
}

/* All taps of the row: where all of `taps` lie inside together, what is left of that and right of it one by one. */
static void line(const whet_window *d, struct row r) {
  float *sum = r.sum;
  for (int64_t t = 0, taps; t < d->kernel; t += taps) {
    taps = d->kernel - t < TAPS ? 1 : TAPS;
    int64_t lo[TAPS], hi[TAPS], from = 0, to = d->out;
    for (int i = 0; i < taps; i++) {
      range(d, t + i, &lo[i], &hi[i]);
      from = whet__max_i(from, lo[i]);
      to = whet__min_i(to, hi[i]);
    }
    to = whet__max_i(to, from);
    for (int side = 0; side < 3; side++) {
      for (int i = 0; i < (side == 1 ? 1 : taps); i++) {
        r.first = t + i;
        r.sum = sum + (t + i) * WHET_DWGRAD_CHANNELS;
        if (side == 1 && taps == TAPS && from < to)
          some(d, &r, TAPS, from, to);
        else if (side == 1)
          one(d, &r, from, to);
        else
          one(d, &r, side ? whet__max_i(to, lo[i]) : lo[i], side ? hi[i] : whet__min_i(from, hi[i]));
      }
    }
  }
}

/* Channels c .. c + n - 1 of one shard. */
static void piece(const whet_wgrad_f32 *p, const float *x, const float *dy, int64_t shard, int64_t c, int64_t n, float *sum) {
  const whet_window *d = p->dim;
  int64_t from, to, row = d[2].kernel * WHET_DWGRAD_CHANNELS;
  memset(sum, 0, (size_t)(d[0].kernel * d[1].kernel * row) * sizeof *sum);
  whet__split(p->batch * d[0].out * d[1].out, (int)shard, (int)whet__wgrad_f32_shards(p), &from, &to);
  for (int64_t l = from; l < to; l++) {
    int64_t y = l % d[1].out, z = l / d[1].out % d[0].out, s = l / d[1].out / d[0].out;
    for (int64_t t = 0; t < d[0].kernel * d[1].kernel; t++) {
      int64_t zi = z * d[0].stride + t / d[1].kernel * d[0].dilation - d[0].pad;
      int64_t yi = y * d[1].stride + t % d[1].kernel * d[1].dilation - d[1].pad;
      if (zi < 0 || zi >= d[0].in || yi < 0 || yi >= d[1].in) continue;
      struct row r = {.x = x + s * p->in_batch + zi * d[0].in_step + yi * d[1].in_step + c,
                      .dy = dy + s * p->out_batch + z * d[0].out_step + y * d[1].out_step + c};
      for (int64_t v = 0; v < n; v += VECS * VW, r.x += VECS * VW, r.dy += VECS * VW) {
        r.n = whet__min_i(VECS * VW, n - v);
        r.sum = sum + t * row + v;
        line(&d[2], r);
      }
    }
  }
}

static size_t scratch(const void *params) {
  const whet_wgrad_f32 *p = params;
  return sizeof(float) * WHET_DWGRAD_CHANNELS * (size_t)(p->dim[0].kernel * p->dim[1].kernel * p->dim[2].kernel);
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  const whet_wgrad_f32 *p = params;
  const whet_window *d = p->dim;
  int64_t from, to, blocks = whet__ceil_div(p->groups, WHET_DWGRAD_CHANNELS), taps = d[0].kernel * d[1].kernel * d[2].kernel;
  float *sum = ptr[3];
  whet__split(whet__dwgrad_f32_parts(p), part, parts, &from, &to);
  for (; from < to; from++) {
    int64_t shard = from / blocks, c = from % blocks * WHET_DWGRAD_CHANNELS, n = whet__min_i(WHET_DWGRAD_CHANNELS, p->groups - c);
    piece(p, ptr[0], ptr[1], shard, c, n, sum);
    for (int64_t t = 0; t < taps; t++) {
      float *dw = (float *)ptr[2] + shard * p->count + c * p->w_group + t % d[2].kernel * p->w_tap[2];
      dw += t / d[2].kernel % d[1].kernel * p->w_tap[1] + t / d[2].kernel / d[1].kernel * p->w_tap[0];
      for (int64_t i = 0; i < n; i++) dw[i * p->w_group] = sum[t * WHET_DWGRAD_CHANNELS + i];
    }
  }
}

WHET_ROW_SCRATCH(dwgrad_f32);
