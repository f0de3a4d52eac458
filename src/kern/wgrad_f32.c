/* SPDX-License-Identifier: Apache-2.0 */
/* Family wgrad_f32: how the work is cut, lines, packed rows. */
#include "kern/wgrad_f32.h"

static int64_t lines_of(const whet_wgrad_f32 *p) { return p->batch * p->dim[0].out * p->dim[1].out; }

int64_t whet__wgrad_f32_shards(const whet_wgrad_f32 *p) {
  int64_t lines = lines_of(p);
  return whet__clamp_i(lines * p->dim[2].out / 512, 1, whet__clamp_i(lines, 1, WHET_WGRAD_SHARDS));
}

int64_t whet__wgrad_f32_parts(const whet_wgrad_f32 *p) {
  whet_wgrad_cut c;
  if (p->join) return whet__ceil_div(p->count, 1024);
  whet__wgrad_cut(p, &c);
  return c.shards * c.blocks;
}

static int64_t vectors(int64_t n) { return whet__ceil_div(n, 16) * 16; }

void whet__wgrad_cut(const whet_wgrad_f32 *p, whet_wgrad_cut *c) {
  const whet_window *d = p->dim;
  int64_t pixels = (d[2].out - 1) * d[2].stride + d[2].kernel, rows = (d[1].kernel - 1) * d[1].dilation + 1;
  bool inside = !d[2].pad && pixels <= d[2].in && d[2].in_step == p->ic;
  *c = (whet_wgrad_cut){.shards = whet__wgrad_f32_shards(p), .lines = lines_of(p), .width = pixels * p->ic};
  c->wide = d[2].kernel > 1 && d[2].dilation == 1 && p->groups == 1 && (inside || d[0].kernel * rows * c->width <= WHET_WGRAD_ROOM);
  c->pack = c->wide && !inside;
  c->run = c->wide ? d[2].kernel * p->ic : p->ic;
  c->runs = d[0].kernel * d[1].kernel * (c->wide ? 1 : d[2].kernel);
  int64_t by_o = vectors(p->oc) * c->run, by_i = vectors(c->run) * p->oc; /* numbers of whole vectors */
  c->by_o = by_o < by_i || (by_o == by_i && (c->wide || p->w_ic != 1));
  c->nv = c->by_o ? p->oc : c->run;
  c->nb = c->by_o ? c->run : p->oc;
  c->v_blocks = whet__ceil_div(c->nv, WHET_WGRAD_V);
  c->b_blocks = whet__ceil_div(c->nb, WHET_WGRAD_B);
  c->blocks = p->groups * c->runs * c->b_blocks * c->v_blocks;
}

size_t whet__wgrad_f32_scratch(const void *params) {
  const whet_wgrad_f32 *p = params;
  whet_wgrad_cut c;
  if (p->join) return 0;
  whet__wgrad_cut(p, &c);
  int64_t rows = p->dim[0].kernel * p->dim[1].in * p->batch * p->dim[0].out * c.width;
  int64_t sums = whet__min_i(c.blocks, WHET_WGRAD_BLOCKS) * WHET_WGRAD_V * WHET_WGRAD_B;
  return sizeof(float) * (size_t)(sums + (c.pack ? whet__clamp_i(rows, 0, WHET_WGRAD_ROOM) : 0));
}

/* ---- chunks ---------------------------------------------------------------------------------- */

/* One row of pixels with its padding; src: pixel 0, or NULL for a row of zeros. */
static void pack_row(const whet_wgrad_f32 *p, const whet_wgrad_cut *c, const float *src, float *to) {
  const whet_window *d = &p->dim[2];
  int64_t pixels = c->width / p->ic, before = whet__min_i(d->pad, pixels), n = whet__min_i(d->in, pixels - before);
  memset(to, 0, (size_t)(before * p->ic) * sizeof *to);
  to += before * p->ic;
  if (d->in_step == p->ic)
    memcpy(to, src, (size_t)(n * p->ic) * sizeof *to);
  else
    for (int64_t i = 0; i < n; i++) memcpy(to + i * p->ic, src + i * d->in_step, (size_t)p->ic * sizeof *to);
  memset(to + n * p->ic, 0, (size_t)((pixels - before - n) * p->ic) * sizeof *to);
}

static int64_t depth_of(const whet_wgrad_f32 *p, const whet_wgrad_seg *s, int64_t tap) {
  const whet_window *d = p->dim;
  int64_t z = s->z * d->stride + tap * d->dilation - d->pad;
  return z < d->in ? z : -1;
}

static void pack(const whet_wgrad_f32 *p, const whet_wgrad_cut *c, const whet_wgrad_chunk *k, const whet_wgrad_seg *s) {
  for (int64_t t = 0; t < p->dim[0].kernel; t++) {
    int64_t z = depth_of(p, s, t);
    if (z < 0) continue;
    const float *x = k->x + s->n * p->in_batch + z * p->dim[0].in_step;
    float *to = k->room + s->at + t * (s->i1 - s->i0) * c->width;
    for (int64_t i = s->i0; i < s->i1; i++, to += c->width) pack_row(p, c, x + i * p->dim[1].in_step, to);
  }
}

int64_t whet__wgrad_take(const whet_wgrad_f32 *p, const whet_wgrad_cut *c, whet_wgrad_chunk *k, int64_t from, int64_t to) {
  const whet_window *d = &p->dim[1];
  int64_t used = 0, most = whet__min_i(to, from + WHET_WGRAD_LINES), reach = (d->kernel - 1) * d->dilation + 1;
  k->n_seg = 0;
  while (from < most && k->n_seg < WHET_WGRAD_SEGS) {
    whet_wgrad_seg *s = &k->seg[k->n_seg];
    int64_t plane = from / d->out, y = from % d->out, n = whet__min_i(most - from, d->out - y);
    if (c->pack) { /* as many as there is room for */
      int64_t rows = (WHET_WGRAD_ROOM - used) / (p->dim[0].kernel * c->width);
      if (rows < reach) break;
      n = whet__min_i(n, (rows - reach) / d->stride + 1);
    }
    *s = (whet_wgrad_seg){.n = plane / p->dim[0].out, .z = plane % p->dim[0].out, .y0 = y, .y1 = y + n, .at = used};
    s->i0 = whet__max_i(s->y0 * d->stride - d->pad, 0);
    s->i1 = whet__max_i(whet__min_i((s->y1 - 1) * d->stride - d->pad + reach, d->in), s->i0);
    if (c->pack) {
      pack(p, c, k, s);
      used += p->dim[0].kernel * (s->i1 - s->i0) * c->width;
    }
    k->n_seg++;
    from += n;
  }
  return from;
}

void whet__wgrad_lines(const whet_wgrad_f32 *p, const whet_wgrad_cut *c, whet_wgrad_chunk *k, int64_t run) {
  const whet_window *d = p->dim;
  int64_t tx = c->wide ? 0 : run % d[2].kernel, rest = c->wide ? run : run / d[2].kernel;
  int64_t ty = rest % d[1].kernel, tz = rest / d[1].kernel, lo = 0, hi = d[2].out, first = 0;
  int64_t x_step = d[2].stride * (c->pack ? p->ic : d[2].in_step), y_step = d[2].out_step;
  if (!c->wide) { /* outputs whose tap lies inside */
    first = tx * d[2].dilation - d[2].pad;
    lo = first < 0 ? whet__ceil_div(-first, d[2].stride) : 0;
    hi = first >= d[2].in ? 0 : whet__min_i((d[2].in - 1 - first) / d[2].stride + 1, d[2].out);
  }
  k->n_line = 0;
  for (int i = 0; i < k->n_seg && lo < hi; i++) {
    const whet_wgrad_seg *s = &k->seg[i];
    int64_t z = depth_of(p, s, tz);
    if (z < 0) continue;
    for (int64_t y = s->y0; y < s->y1; y++) {
      int64_t row = y * d[1].stride + ty * d[1].dilation - d[1].pad;
      if (row < 0 || row >= d[1].in) continue;
      whet_wgrad_line l = {.n = hi - lo - WHET_BUG(1)};
      l.y = k->dy + s->n * p->out_batch + s->z * d[0].out_step + y * d[1].out_step + lo * y_step;
      l.x = c->pack ? k->room + s->at + (tz * (s->i1 - s->i0) + row - s->i0) * c->width
                    : k->x + s->n * p->in_batch + z * d[0].in_step + row * d[1].in_step + (lo * d[2].stride + first) * d[2].in_step;
      whet_wgrad_line *last = &k->line[k->n_line - 1];
      if (k->n_line && last->x + last->n * x_step == l.x && last->y + last->n * y_step == l.y)
        last->n += l.n;
      else
        k->line[k->n_line++] = l;
    }
  }
}

/* ---- blocks ---------------------------------------------------------------------------------- */

whet_wgrad_block whet__wgrad_block(const whet_wgrad_f32 *p, const whet_wgrad_cut *c, int64_t at) {
  whet_wgrad_block b = {.v0 = at % c->v_blocks * WHET_WGRAD_V};
  (void)p;
  at /= c->v_blocks;
  b.b0 = at % c->b_blocks * WHET_WGRAD_B;
  at /= c->b_blocks;
  b.run = at % c->runs, b.group = at / c->runs;
  b.nv = whet__min_i(WHET_WGRAD_V, c->nv - b.v0);
  b.nb = whet__min_i(WHET_WGRAD_B, c->nb - b.b0);
  return b;
}

void whet__wgrad_put(const whet_wgrad_f32 *p, const whet_wgrad_cut *c, const whet_wgrad_block *b, const float *sum, float *dw) {
  const whet_window *d = p->dim;
  int64_t tx = c->wide ? 0 : b->run % d[2].kernel, rest = c->wide ? b->run : b->run / d[2].kernel;
  int64_t x0 = c->by_o ? b->b0 : b->v0, nx = c->by_o ? b->nb : b->nv, o0 = c->by_o ? b->v0 : b->b0, no = c->by_o ? b->nv : b->nb;
  int64_t x_step = c->by_o ? WHET_WGRAD_V : 1, o_step = c->by_o ? 1 : WHET_WGRAD_V;
  dw += b->group * p->w_group + o0 * p->w_oc + rest / d[1].kernel * p->w_tap[0] + rest % d[1].kernel * p->w_tap[1] + tx * p->w_tap[2];
  for (int64_t i = 0; i < nx; i++) {
    int64_t at = x0 + i;
    float *to = dw + (c->wide ? at / p->ic * p->w_tap[2] + at % p->ic * p->w_ic : at * p->w_ic);
    for (int64_t o = 0; o < no; o++) to[o * p->w_oc] = sum[i * x_step + o * o_step];
  }
}
