/* SPDX-License-Identifier: Apache-2.0 */
/* Family wino_f32: blocks of tiles through the three stages. */

#include "kern/wino_f32.h"

#include <math.h>

#include "kern/unary_f32.h"

/* A convolution on its way through the tiles. */
typedef struct walk {
  const whet_wino_f32 *w;
  const whet_winos_f32 *set;
  const float *in, *res, *packed;
  float *out, *v, *m, *u;
  int64_t tiles[2]; /* down, across */
  int64_t n0, n1;   /* columns to make: whole panels */
  int64_t v_plane, m_plane;
  uint32_t flags;
  float lo, hi, swish;
  whet_epi_f32 rest; /* micro-operations after those of the output transform */
} walk;

enum { PLANE_PAD = 16 }; /* floats: planes start in different sets of the first cache */

bool whet__wino_takes(const whet_conv_f32 *c) {
  const whet_window *z = &c->dim[0];
  bool fits = c->groups == 1 && z->kernel == 1 && z->out == 1 && z->in == 1 && !z->pad;
  for (int i = 1; i < 3; i++) {
    const whet_window *d = &c->dim[i];
    fits &= d->kernel == 3 && d->stride == 1 && d->dilation == 1 && d->out > 0 && d->in > 0;
  }
  return fits && c->ic > 0 && c->oc > 0;
}

int64_t whet__wino_tiles(const whet_wino_f32 *w) {
  return w->c.batch * whet__ceil_div(w->c.dim[1].out, w->m) * whet__ceil_div(w->c.dim[2].out, w->m);
}

/* Columns of the widest panel, or more. */
static int64_t widest(const whet_wino_f32 *w) {
  return whet__min_i(whet__ceil_div(w->c.oc, 16) * 16, WHET_WINO_WIDEST);
}

void whet__wino_set_block(whet_wino_f32 *w, bool small) {
  int64_t places = whet__wino_places(w->m), wide = widest(w), l2 = (int64_t)w->c.l2_kb << 10;
  int64_t tiles = whet__wino_tiles(w), each = 4 * places * (w->c.ic + wide), weights = 4 * places * w->c.ic * w->c.oc;
  w->chunk = small ? (int32_t)whet__min_i(w->c.ic, 32) : 0;
  /* Weights that fit stay in the second cache with the block, which need not be large then; others are read again for
   * each block, or made again, which must pay. */
  bool fit = weights < l2 * 5 / 8 && !small;
  int64_t most = fit ? whet__clamp_i((l2 - weights) / each, 14, 28) : whet__max_i(l2 / each, 42);
  if (small) most = whet__clamp_i(l2 / each, 16, 64);
  w->block = (int32_t)whet__ceil_div(tiles, whet__ceil_div(tiles, most));
  if (w->block < tiles && w->block > 7) w->block = (int32_t)(whet__ceil_div(w->block, 7) * 7);
}

static size_t v_floats(const whet_wino_f32 *w) {
  return (size_t)whet__wino_places(w->m) * (size_t)(w->block * w->c.ic + PLANE_PAD);
}

static size_t m_floats(const whet_wino_f32 *w) {
  return (size_t)whet__wino_places(w->m) * (size_t)(w->block * widest(w) + PLANE_PAD);
}

static int64_t u_plane(const whet_wino_f32 *w) { return w->chunk * widest(w) + PLANE_PAD; }

size_t whet__wino_f32_scratch(const void *params) {
  const whet_wino_f32 *w = params;
  size_t u = w->chunk ? (size_t)(whet__wino_places(w->m) * u_plane(w)) : 0;
  return sizeof(float) * (whet__round_up(v_floats(w) + m_floats(w), 16) + u) + WHET_SLACK;
}

/* Rows or columns lo..hi of the patch of tile `at` that are inside. */
static void inside(const whet_window *d, int64_t at, int64_t m, int32_t *lo, int32_t *hi) {
  int64_t first = at * m - d->pad;
  *lo = (int32_t)whet__clamp_i(-first, 0, m + 2);
  *hi = (int32_t)whet__clamp_i(d->in - first, *lo, m + 2);
}

/* Tiles from..to of one row of tiles, numbered across, whose place among the block's is `slot`. */
static void row_in(const walk *w, int64_t image, int64_t ty, int64_t from, int64_t to, int64_t slot) {
  const whet_conv_f32 *c = &w->w->c;
  const whet_window *d = &c->dim[1];
  int64_t m = w->w->m;
  whet_wino_in t = {.in = w->in + image * c->in_batch,
                    .step = {d[0].in_step, d[1].in_step},
                    .next = m * d[1].in_step,
                    .channels = c->ic,
                    .plane = w->v_plane};
  inside(&d[0], ty, m, &t.lo[0], &t.hi[0]);
  for (int64_t x = from; x < to; x += t.n) {
    inside(&d[1], x, m, &t.lo[1], &t.hi[1]);
    t.n = 1;
    if (t.lo[1] == 0 && t.hi[1] == m + 2) { /* as far as no column is missing */
      int64_t last = (d[1].in + d[1].pad - m - 2) / m;
      t.n = whet__min_i(to, last + 1) - x;
    }
    t.at = (ty * m - d[0].pad) * t.step[0] + (x * m - d[1].pad) * t.step[1];
    t.v = w->v + (slot + x - from) * c->ic;
    w->set->in[m == 4](&t);
  }
}

/* The same on their way out, columns n0.. of a panel as wide as the block's M. */
static void row_out(const walk *w, int64_t image, int64_t ty, int64_t from, int64_t to, int64_t slot, int64_t n0,
                    int64_t width) {
  const whet_conv_f32 *c = &w->w->c;
  const whet_window *d = &c->dim[1];
  int64_t m = w->w->m, res_at = image * c->res_batch + ty * m * d[0].res_step + n0;
  float *row = w->out + image * c->out_batch + ty * m * d[0].out_step + n0;
  whet_wino_out t = {.plane = w->m_plane,
                     .width = width,
                     .bias = w->packed + n0,
                     .step = {d[0].out_step, d[1].out_step},
                     .next = m * d[1].out_step,
                     .res_step = {d[0].res_step, d[1].res_step},
                     .res_next = m * d[1].res_step,
                     .columns = whet__min_i(width, c->oc - n0),
                     .rows = (int32_t)whet__min_i(m, d[0].out - ty * m),
                     .lo = w->lo,
                     .hi = w->hi,
                     .swish = w->swish,
                     .flags = w->flags};
  for (int64_t x = from; x < to; x += t.n) {
    int64_t full = whet__min_i(to, d[1].out / m) - x;
    t.n = full > 0 ? full : 1;
    t.cols = (int32_t)(full > 0 ? m : d[1].out - x * m);
    t.m = w->m + (slot + x - from) * width;
    t.out = row + x * t.next;
    if (w->flags & (WHET_TILE_ADD | WHET_WINO_ADD)) t.res = w->res + res_at + x * t.res_next;
    w->set->out[m == 4](&t);
  }
  if (!w->rest.n) return;
  int64_t x1 = whet__min_i(to * m, d[1].out);
  for (int64_t y = 0, x0 = from * m; y < t.rows; y++) {
    const float *res = w->rest.res ? w->res + res_at + y * t.res_step[0] + x0 * t.res_step[1] : NULL;
    w->set->tiles->epi(&w->rest, row + y * t.step[0] + x0 * t.step[1], t.step[1], res, t.res_step[1], x1 - x0, t.columns);
  }
}

/* n tiles by the columns of one panel, for one place: t is ready but for the tiles. From *ahead to `stop` lines are
 * fetched meanwhile. */
static void place(const whet_tiles_f32 *tiles, whet_tile_f32 *t, int64_t n, int nv, const float *ahead,
                  const float *stop) {
  int64_t count = whet__ceil_div(n, tiles->mr[nv]);
  while (n > 0) {
    int64_t mr = whet__tile_next(tiles, nv, n, &count);
    t->ahead = ahead < stop ? ahead : t->w;
    ahead += t->seg->run * WHET_TILE_AHEAD(nv);
    tiles->fn[nv][mr](t);
    t->a += mr * t->lda;
    t->c += mr * t->ldc;
    n -= mr;
  }
}

static const _Alignas(64) float k_zero[WHET_WINO_WIDEST];

/* The products of one panel with weights that are transformed here, some channels at a time. */
static void products_of_plain(const walk *w, int64_t n, int64_t n0, int nv, int64_t width) {
  const whet_tiles_f32 *tiles = w->set->tiles;
  int64_t ic = w->w->c.ic, places = whet__wino_places(w->w->m), pad = whet__panel_pad(tiles->form, w->w->c.oc);
  const float *panel = w->packed + pad + n0 * 9 * ic;
  whet_seg_f32 seg = {0};
  whet_tile_f32 t = {.lda = ic, .seg = &seg, .n_seg = 1, .bias = k_zero, .ldc = width};
  t.last = (uint32_t)whet__panel_vec(tiles->form);
  for (int64_t k = 0; k < ic; k += seg.run) {
    seg.run = whet__min_i(ic - k, w->w->chunk);
    whet_wino_kernels u = {panel + k * width, ic * width, w->u, u_plane(w->w), seg.run * width};
    w->set->kernels[w->w->m == 4](&u);
    t.flags = k ? WHET_TILE_ACC : 0;
    for (int64_t z = 0; z < places; z++) {
      t.a = w->v + z * w->v_plane + k;
      t.c = w->m + z * w->m_plane;
      t.w = w->u + z * u.plane;
      place(tiles, &t, n, nv, t.w, t.w);
    }
  }
}

/* The products of one panel: for each place, n tiles by its columns. The panel of the next place is fetched
 * meanwhile. */
static void products(const walk *w, int64_t n, int64_t n0, int nv, int64_t width) {
  const whet_tiles_f32 *tiles = w->set->tiles;
  int64_t ic = w->w->c.ic, places = whet__wino_places(w->w->m), pad = whet__panel_pad(tiles->form, w->w->c.oc);
  const float *panels = w->packed + pad, *end = panels + pad * ic * places;
  whet_seg_f32 seg = {0, 0, ic};
  whet_tile_f32 t = {.lda = ic, .seg = &seg, .n_seg = 1, .bias = k_zero, .ldc = width};
  t.last = (uint32_t)whet__panel_vec(tiles->form);
  t.w = panels + n0 * ic * places;
  seg.run -= WHET_BUG(ic > 5);
  for (int64_t z = 0; z < places; z++) {
    const float *next = t.w + ic * width, *ahead = next, *stop = next + ic * width;
    if (next >= end) ahead = panels, stop = panels + ic * width;
    t.a = w->v + z * w->v_plane;
    t.c = w->m + z * w->m_plane;
    place(tiles, &t, n, nv, ahead, stop);
    t.w = next;
  }
}

/* Tiles at..at + n through all stages. */
static void block(const walk *w, int64_t at, int64_t n) {
  unsigned form = w->set->tiles->form;
  int64_t across = w->tiles[1], vec = whet__panel_vec(form), pad = whet__panel_pad(form, w->w->c.oc), m;
  for (int64_t i = 0; i < n; i += m) {
    int64_t row = (at + i) / across, x = (at + i) % across;
    m = whet__min_i(n - i, across - x);
    row_in(w, row / w->tiles[0], row % w->tiles[0], x, x + m, i);
  }
  for (int64_t n0 = w->n0, width; n0 < w->n1; n0 += width) {
    int nv = whet__panel_next(form, (pad - n0) / vec);
    width = nv * vec;
    (w->w->chunk ? products_of_plain : products)(w, n, n0, nv, width);
    for (int64_t i = 0; i < n; i += m) {
      int64_t row = (at + i) / across, x = (at + i) % across;
      m = whet__min_i(n - i, across - x);
      row_out(w, row / w->tiles[0], row % w->tiles[0], x, x + m, i, n0, width);
    }
  }
}

/* Divide the epilogue into what the output transform does and the rest. */
static void epilogue(walk *w) {
  whet_epi_f32 first, after;
  w->flags = whet__epi_split(&w->w->c.epi, &first, &w->rest);
  w->lo = w->flags & WHET_TILE_CLAMP ? first.a[0] : -INFINITY;
  w->hi = w->flags & WHET_TILE_CLAMP ? first.b[0] : INFINITY;
  if (!w->rest.n || w->rest.op[0] != WHET_MICRO_UNARY + WHET_UN_SWISH) return;
  w->flags |= WHET_WINO_SWISH;
  w->swish = w->rest.a[0];
  after = (whet_epi_f32){.n = (uint8_t)(w->rest.n - 1), .res = w->rest.res};
  for (int i = 0; i < after.n; i++)
    after.op[i] = w->rest.op[i + 1], after.a[i] = w->rest.a[i + 1], after.b[i] = w->rest.b[i + 1];
  if (whet__epi_split(&after, &first, &w->rest) != WHET_TILE_ADD || w->rest.n)
    w->rest = after;
  else
    w->flags |= WHET_WINO_ADD;
}

/* Columns of the panels that fall to a part; whole panels, perhaps none. */
static void share_panels(unsigned form, int64_t n, int part, int parts, int64_t *n0, int64_t *n1) {
  int64_t vec = whet__panel_vec(form), pad = whet__panel_pad(form, n);
  *n0 = *n1 = pad;
  for (int64_t from = 0, next; from < pad; from = next) {
    next = from + vec * whet__panel_next(form, (pad - from) / vec);
    int64_t mid = (from + next) / 2;
    if (mid * parts / pad == part) {
      if (*n0 == pad) *n0 = from;
      *n1 = next;
    }
  }
  if (*n0 == pad) *n1 = *n0;
}

void whet__wino_f32(const void *params, void *const *ptr, int part, int parts, const whet_winos_f32 *set) {
  const whet_wino_f32 *p = params;
  const whet_conv_f32 *c = &p->c;
  unsigned form = set->tiles->form;
  int64_t tiles = whet__wino_tiles(p), from = 0, to = tiles;
  walk w = {.w = p, .set = set, .in = ptr[0], .out = ptr[1], .packed = ptr[2], .res = ptr[3]};
  w.v = ptr[4];
  w.m = w.v + v_floats(p);
  w.u = w.v + whet__round_up(v_floats(p) + m_floats(p), 16); /* as weights are aligned */
  w.v_plane = p->block * c->ic + PLANE_PAD;
  w.m_plane = p->block * widest(p) + PLANE_PAD;
  for (int i = 0; i < 2; i++) w.tiles[i] = whet__ceil_div(c->dim[i + 1].out, p->m);
  epilogue(&w);
  w.n1 = whet__panel_pad(form, c->oc);
  /* Each part keeps its own weights where those are the larger share of what is read. */
  if (whet__panel_count(form, c->oc) >= parts && c->ic * c->oc > 2 * tiles * (c->ic + c->oc))
    share_panels(form, c->oc, part, parts, &w.n0, &w.n1);
  else
    whet__split(tiles, part, parts, &from, &to);
  if (w.n0 == w.n1) return;
  for (int64_t blocks = whet__ceil_div(to - from, p->block); blocks > 0; blocks--) {
    int64_t n = whet__ceil_div(to - from, blocks);
    if (n > 7 && blocks > 1) n = whet__min_i(whet__ceil_div(n, 7) * 7, p->block);
    block(&w, from, n);
    from += n;
  }
}
