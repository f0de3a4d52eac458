/* SPDX-License-Identifier: Apache-2.0 */
/* Family dw_f32: row by row. Where no function does a whole one, columns without missing taps go in even runs, the
 * others one by one. */

#include "kern/dw_f32.h"

enum {
  FIRST_CACHE = 20 << 10, /* bytes of it that input rows may take */
  MANY = 12,              /* outputs of a row for which the rest of the epilogue is worth its constants */
  FEW_SETS = 128          /* pixels a multiple of so many floats apart fall on few places of it: rows do not stay */
};

/* A convolution on its way through the rows. */
typedef struct walk {
  const whet_conv_f32 *c;
  const whet_dws_f32 *dw;
  const float *in, *res;
  float *out;
  whet_dw_f32_call call;
  whet_epi_f32 rest; /* micro-operations after those of the call */
  void (*whole)(const whet_dw_f32_call *); /* does a row, or NULL ... */
  bool by_runs; /* ... in runs of outputs, all channels of each: rows would not stay in the first cache */
} walk;

/* m outputs from column x on that have the same taps; the call's in, out and res stand at the row. */
static void alike(const walk *w, int64_t x, int64_t m) {
  const whet_window *d = &w->c->dim[2];
  whet_dw_f32_call c = w->call;
  int64_t lo, hi;
  whet__window_taps(d, x, &lo, &hi);
  hi -= WHET_BUG(hi > 2);
  c.taps[2] = hi - lo;
  c.first += lo;
  c.in += (x * d->stride + lo * d->dilation - d->pad) * d->in_step;
  c.out += x * d->out_step;
  if (c.res) c.res += x * d->res_step;
  while (m > 0) {
    int64_t n = whet__ceil_div(m, whet__ceil_div(m, WHET_DW_WIDE));
    while (!w->dw->fn[n]) n--;
    w->dw->fn[n](&c);
    c.in += n * c.next;
    c.out += n * c.out_step;
    if (c.res) c.res += n * c.res_step;
    m -= n;
  }
}

/* All columns of a row. */
static void columns(const walk *w) {
  const whet_window *d = &w->c->dim[2];
  int64_t lo, hi;
  if (w->whole) {
    whet_dw_f32_call c = w->call;
    int64_t left = c.left, right = c.right, m = c.m;
    for (int64_t runs = w->by_runs ? whet__ceil_div(m, WHET_DW_WIDE) : 1; runs > 0; runs--, m -= c.m) {
      c.m = whet__ceil_div(m, runs);
      c.left = left;
      c.right = runs == 1 ? right : 0;
      w->whole(&c);
      c.in += (c.m * d->stride - left) * d->in_step;
      c.out += c.m * d->out_step;
      if (c.res) c.res += c.m * d->res_step;
      left = 0;
    }
    return;
  }
  whet__window_inner(d, &lo, &hi);
  for (int64_t x = 0; x < lo; x++) alike(w, x, 1);
  if (hi > lo) alike(w, lo, hi - lo);
  for (int64_t x = hi; x < d->out; x++) alike(w, x, 1);
}

bool whet__dw_f32_rows(const whet_conv_f32 *c, whet_dw_f32_call *call) {
  const whet_window *d = &c->dim[2];
  call->m = d->out;
  call->left = d->pad;
  call->right = whet__max_i((d->out - 1) * d->stride - d->pad + d->kernel - d->in, 0);
  return d->dilation == 1 && (d->kernel == 3 || d->kernel == 5) && d->stride <= 2 && d->out >= WHET_DW_ROW && d->pad >= 0 &&
         d->pad <= d->kernel / 2 && call->right <= d->kernel / 2 && c->dim[0].kernel == 1;
}

void whet__dw_f32_call(const whet_conv_f32 *c, void *const *ptr, whet_dw_f32_call *call, whet_epi_f32 *rest) {
  const whet_window *d = c->dim;
  whet_epi_f32 first;
  *call = (whet_dw_f32_call){.w = ptr[2], .k = d[0].kernel * d[1].kernel * d[2].kernel, .n = c->groups};
  call->flags = whet__epi_split(&c->epi, &first, rest);
  call->lo = first.a[0];
  call->hi = first.b[0];
  for (int i = 0; i < 3; i++) call->step[i] = d[i].dilation * d[i].in_step;
  call->row[0] = d[1].kernel * d[2].kernel;
  call->row[1] = d[2].kernel;
  call->next = d[2].stride * d[2].in_step;
  call->out_step = d[2].out_step;
  call->res_step = d[2].res_step;
}

/* The function that does rows of this convolution at once, if there is one. */
static void set_whole(walk *w) {
  const whet_window *d = &w->c->dim[2];
  if (!whet__dw_f32_rows(w->c, &w->call)) return;
  w->whole = w->dw->row[d->kernel == 5][d->stride - 1];
  if (!w->whole) return;
  w->by_runs = d->in_step % FEW_SETS == 0;
  if (w->rest.n && !w->rest.res && d->out >= MANY) w->call.rest = &w->rest;
  w->call.right += WHET_BUG(d->out > 4);
}

/* Row y of depth z of image n. */
static void row(walk *w, int64_t n, int64_t z, int64_t y) {
  const whet_window *d = w->c->dim;
  whet_dw_f32_call *c = &w->call;
  int64_t at[2] = {z, y}, lo[2], hi[2];
  c->in = w->in + n * w->c->in_batch;
  c->out = w->out + n * w->c->out_batch;
  c->res = w->res ? w->res + n * w->c->res_batch : NULL;
  c->first = 0;
  for (int i = 0; i < 2; i++) {
    whet__window_taps(&d[i], at[i], &lo[i], &hi[i]);
    c->taps[i] = hi[i] - lo[i];
    c->first += lo[i] * c->row[i];
    if (hi[i] > lo[i]) c->in += (at[i] * d[i].stride + lo[i] * d[i].dilation - d[i].pad) * d[i].in_step;
    c->out += at[i] * d[i].out_step;
    if (c->res) c->res += at[i] * d[i].res_step;
  }
  if (!c->taps[0]) c->taps[1] = 0;
  columns(w);
  if (!w->rest.n || c->rest) return;
  int64_t m = d[2].out, some = whet__min_i(c->c1, c->n) - c->c0;
  w->dw->epi(&w->rest, c->out + c->c0, c->out_step, c->res ? c->res + c->c0 : NULL, c->res_step, m, some);
}

/* Rows r->m0..m1 of the channels c0..c1 that are set. */
static void run_rows(walk *w, const whet_share *r) {
  const whet_window *d = w->c->dim;
  for (int64_t at = r->m0; at < r->m1; at++)
    row(w, at / d[1].out / d[0].out, at / d[1].out % d[0].out, at % d[1].out);
}

/* One rectangle, in groups of channels whose input rows stay in the first cache until the next output rows have used them
 * too: several panels, or parts of one. */
static void run_share(walk *w, const whet_share *r) {
  const whet_window *d = w->c->dim;
  whet_dw_f32_call *c = &w->call;
  int64_t vec = whet__panel_vec(w->dw->form), pad = whet__panel_pad(w->dw->form, c->n);
  int64_t most = whet__max_i(FIRST_CACHE / whet__max_i(4 * d[0].kernel * d[1].kernel * d[2].in, 1) / vec, 1) * vec;
  if (w->by_runs) most = pad;
  for (c->panel = r->n0; c->panel < r->n1;) {
    int64_t end = c->panel, width;
    do {
      width = vec * whet__panel_next(w->dw->form, (pad - end) / vec);
      end += width;
    } while (end < r->n1 && end + width - c->panel <= most);
    for (c->c0 = c->panel; c->c0 < end; c->c0 = c->c1) {
      c->c1 = whet__min_i(c->c0 + whet__max_i(most, end - width > c->panel ? end - c->panel : 0), end);
      run_rows(w, r);
    }
    c->panel = end;
  }
}

void whet__dw_f32(const void *params, void *const *ptr, int part, int parts, const whet_dws_f32 *dw) {
  const whet_conv_f32 *c = params;
  const whet_window *d = c->dim;
  walk w = {.c = c, .dw = dw, .in = ptr[0], .out = ptr[1], .res = ptr[3]};
  whet__dw_f32_call(c, ptr, &w.call, &w.rest);
  set_whole(&w);
  int64_t rows = c->batch * d[0].out * d[1].out;
  whet_share r[3];
  int n = whet__share(dw->form, rows, 1, c->groups, !whet__depthwise_rows(rows, parts), part, parts, r);
  for (int i = 0; i < n; i++) run_share(&w, &r[i]);
}
