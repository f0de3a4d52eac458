/* SPDX-License-Identifier: Apache-2.0 */
/* Family chain_f32: the last stage asks the one before it for the rows that it looks at, and so on up to the input. */

#include "kern/chain_f32.h"

enum { MOST_ROWS = 8 }; /* of the output at once, but where all that is kept takes a sixteenth of the second cache */

/* A chain on its way through one image. Stage s but the last keeps its rows first[s]..end[s] in buf[s]. */
typedef struct walk {
  const whet_chain_f32 *p;
  const whet_kern *conv, *dw;
  void *const *ptr;
  void *scratch; /* of a convolution */
  int64_t image;
  float *buf[WHET_CHAIN_MAX];
  int64_t room[WHET_CHAIN_MAX], first[WHET_CHAIN_MAX], end[WHET_CHAIN_MAX]; /* rows */
} walk;

/* Floats of one row of what stage s makes. */
static int64_t line(const whet_conv_f32 *c) { return c->dim[2].out * c->groups * c->oc; }

/* Rows of its input that m rows of stage c look at, at most. */
static int64_t rows_in(const whet_conv_f32 *c, int64_t m) {
  const whet_window *d = &c->dim[1];
  return whet__min_i((m - 1) * d->stride + (d->kernel - 1) * d->dilation + 1, d->in);
}

/* Rows that each stage but the last keeps while `rows` of the output are made at once: twice what is looked at, so that
 * rows that stay are moved seldom. Answers their floats. */
static int64_t keep(const whet_chain_f32 *p, int64_t rows, int64_t room[WHET_CHAIN_MAX]) {
  int64_t m = rows, sum = 0;
  for (int s = p->n - 1; s > 0; s--) {
    m = rows_in(&p->stage[s], m);
    room[s - 1] = whet__min_i(2 * m, p->stage[s].dim[1].in);
    sum += room[s - 1] * line(&p->stage[s - 1]);
  }
  return sum;
}

void whet__chain_set_rows(whet_chain_f32 *p) {
  const whet_conv_f32 *last = &p->stage[p->n - 1];
  int64_t most = last->dim[1].out, room[WHET_CHAIN_MAX], l2 = (int64_t)last->l2_kb << 10;
  for (p->rows = 1; p->rows < most && 4 * keep(p, p->rows + 1, room) <= (p->rows < MOST_ROWS ? l2 / 2 : l2 / 16);) p->rows++;
}

/* Forget the rows below those that are looked at. */
static void looked_at(whet_window *d) {
  d->in = whet__min_i(d->in, (d->out - 1) * d->stride + (d->kernel - 1) * d->dilation + 1 - d->pad);
}

/* Scratch of the convolution of some rows of any stage, however many. */
static size_t conv_scratch(const whet_chain_f32 *p, const int64_t room[WHET_CHAIN_MAX], const whet_kern *conv) {
  size_t most = 0;
  for (int s = 0; s < p->n; s++) {
    whet_conv_f32 c = p->stage[s];
    if (c.groups > 1) continue;
    c.batch = 1;
    for (int64_t m = s + 1 < p->n ? room[s] : p->rows; m > 0; m--)
      for (int inside = 0; inside < 2; inside++) {
        c.dim[1].out = m;
        c.dim[1].pad = inside ? 0 : p->stage[s].dim[1].pad;
        looked_at(&c.dim[1]);
        size_t n = conv->scratch(&c);
        if (n > most) most = n;
      }
  }
  return whet__round_up(most, 128);
}

size_t whet__chain_f32_scratch(const whet_chain_f32 *p, const whet_kern *conv) {
  int64_t room[WHET_CHAIN_MAX];
  keep(p, p->rows, room);
  size_t n = conv_scratch(p, room, conv);
  for (int s = 0; s + 1 < p->n; s++)
    n += whet__round_up((size_t)(room[s] * line(&p->stage[s])) * sizeof(float) + WHET_SLACK, 128);
  return n;
}

/* Rows y0..y1 of stage s, of which rows of the stage before are there, to `out`. */
static void run_stage(walk *w, int s, int64_t y0, int64_t y1, float *out) {
  const whet_chain_f32 *p = w->p;
  whet_conv_f32 c = p->stage[s];
  whet_window *d = &c.dim[1];
  bool last = s == p->n - 1;
  const float *in = s ? w->buf[s - 1] : (const float *)w->ptr[0] + w->image * c.in_batch;
  const float *res = w->ptr[WHET_CHAIN_RES];
  res = last && res ? res + w->image * c.res_batch + y0 * d->res_step : NULL;
  c.batch = 1;
  d->out = y1 - y0;
  d->pad -= y0 * d->stride;
  if (s) {
    d->in = w->end[s - 1] - w->first[s - 1];
    d->pad += w->first[s - 1];
    c.dim[2].in_step = c.groups * c.ic;
    d->in_step = c.dim[2].in * c.dim[2].in_step;
  }
  if (!last) {
    c.dim[2].out_step = c.groups * c.oc;
    d->out_step = line(&c);
  }
  if (d->pad < 0) { /* rows above those that are looked at */
    in -= d->pad * d->in_step;
    d->in += d->pad;
    d->pad = 0;
  }
  looked_at(d);
  void *ptr[5] = {(void *)in, out, w->ptr[2 + s], (void *)res, w->scratch};
  if (c.groups > 1)
    w->dw->run(&c, ptr, 0, 1);
  else
    w->conv->run(&c, ptr, 0, 1);
}

/* Let the buffer of stage s hold its rows y0..y1; those before y0 are not asked for again. */
static void make_rows(walk *w, int s, int64_t y0, int64_t y1) {
  const whet_conv_f32 *c = &w->p->stage[s];
  int64_t row = line(c), from = whet__max_i(w->end[s], y0);
  if (y1 <= w->end[s]) return;
  if (w->end[s] <= y0) {
    w->first[s] = y0;
  } else if (y1 - w->first[s] > w->room[s]) {
    memmove(w->buf[s], w->buf[s] + (y0 - w->first[s]) * row, (size_t)((w->end[s] - y0) * row) * sizeof(float));
    w->first[s] = y0;
  }
  if (s) {
    const whet_window *d = &c->dim[1];
    int64_t lo = whet__clamp_i(from * d->stride - d->pad, 0, d->in);
    int64_t hi = whet__clamp_i((y1 - 1) * d->stride - d->pad + (d->kernel - 1) * d->dilation + 1, lo, d->in);
    make_rows(w, s - 1, lo, hi);
  }
  run_stage(w, s, from, y1, w->buf[s] + (from - w->first[s]) * row);
  w->end[s] = y1;
}

void whet__chain_f32(const void *params, void *const *ptr, int part, int parts, const whet_kern *conv, const whet_kern *dw) {
  const whet_chain_f32 *p = params;
  const whet_conv_f32 *c = &p->stage[p->n - 1];
  const whet_window *d = &c->dim[1];
  walk w = {.p = p, .conv = conv, .dw = dw, .ptr = ptr, .image = -1};
  char *scratch = ptr[WHET_CHAIN_RES + 1];
  int64_t from, to, m;
  keep(p, p->rows, w.room);
  for (int s = 0; s + 1 < p->n; s++) {
    w.buf[s] = (float *)scratch;
    scratch += whet__round_up((size_t)(w.room[s] * line(&p->stage[s])) * sizeof(float) + WHET_SLACK, 128);
  }
  w.scratch = scratch; /* last, so that its size need not be known here */
  whet__split(c->batch * d->out, part, parts, &from, &to);
  for (int64_t at = from; at < to; at += m) {
    int64_t y = at % d->out, image = at / d->out;
    m = whet__min_i(d->out - y, to - at);
    m = whet__ceil_div(m, whet__ceil_div(m, p->rows));
    if (image != w.image)
      for (int s = 0; s < p->n; s++) w.first[s] = w.end[s] = 0;
    w.image = image;
    int64_t lo = whet__clamp_i(y * d->stride - d->pad, 0, d->in);
    int64_t hi = whet__clamp_i((y + m - 1) * d->stride - d->pad + (d->kernel - 1) * d->dilation + 1, lo, d->in);
    make_rows(&w, p->n - 2, lo, hi);
    run_stage(&w, p->n - 1, y, y + m, (float *)ptr[1] + image * c->out_batch + y * d->out_step);
  }
}
