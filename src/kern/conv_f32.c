/* SPDX-License-Identifier: Apache-2.0 */
/* Family conv_f32: cuts the output into blocks of rows, and each block into strips of outputs that have the same
 * taps. */

#include "kern/conv_f32.h"

#include <math.h>

#include "kern/gemm_f32.h"

/* One group of a convolution on its way through the outputs. */
typedef struct walk {
  whet_conv_f32 c; /* dimensions perhaps exchanged */
  whet_job_f32 *job;
  const float *in, *res; /* channel 0 of the group */
  float *out;
  int64_t k0, k1;             /* rows of the panels that are summed now */
  int64_t row0, row1, x0, x1; /* block: rows of all images and depths, columns */
  int64_t in_lo[3], in_hi[3]; /* outputs without missing taps */
  whet_seg_f32 *seg;          /* list of the taps lo..hi below */
  int32_t n_seg;
  int64_t lo[3], hi[3];
  bool again;     /* the strip appended last had this list, and the rows k0..k1 */
  float *patches; /* room for the patches of an image; NULL: they are read where they lie */
  float *edge;    /* with a pad_value: where sums of outputs that have the taps of the list begin */
} walk;

/* Sums of outputs that lack other taps than lo..hi begin at the bias and what those read. */
static void set_edge(walk *w) {
  const whet_window *d = w->c.dim;
  const whet_job_f32 *j = w->job;
  unsigned form = j->tiles->form;
  int64_t vec = whet__panel_vec(form), pad = whet__panel_pad(form, j->n);
  memcpy(w->edge, j->w, (size_t)pad * sizeof(float));
  for (int64_t n0 = 0, width; n0 < pad; n0 += width) {
    const float *row = j->w + pad + n0 * j->k;
    width = vec * whet__panel_next(form, (pad - n0) / vec);
    for (int64_t k = 0; k < j->k; k++, row += width) {
      int64_t tap = k / w->c.ic, x = tap % d[2].kernel, y = tap / d[2].kernel % d[1].kernel, z = tap / d[2].kernel / d[1].kernel;
      bool inside = z >= w->lo[0] && z < w->hi[0] && y >= w->lo[1] && y < w->hi[1] && x >= w->lo[2] && x < w->hi[2];
      for (int64_t i = 0; !inside && i < width; i++) w->edge[n0 + i] += w->c.pad_value * row[i];
    }
  }
}

/* Does an output with the taps of the list lack some, which read something? */
static bool on_edge(const walk *w) {
  bool all = true;
  for (int i = 0; i < 3; i++) all &= w->lo[i] == 0 && w->hi[i] == w->c.dim[i].kernel;
  return w->edge && !all;
}

/* Make the list of segments for the taps lo..hi of each dimension, counted from the first of them. */
static void list_segments(walk *w, const int64_t lo[3], const int64_t hi[3]) {
  const whet_window *d = w->c.dim;
  int64_t step[3], ic = w->c.ic;
  if (!memcmp(lo, w->lo, sizeof w->lo) && !memcmp(hi, w->hi, sizeof w->hi)) return;
  memcpy(w->lo, lo, sizeof w->lo);
  memcpy(w->hi, hi, sizeof w->hi);
  w->again = false;
  for (int i = 0; i < 3; i++) step[i] = d[i].dilation * d[i].in_step;
  w->n_seg = 0;
  for (int64_t z = lo[0]; z < hi[0]; z++)
    for (int64_t y = lo[1]; y < hi[1]; y++)
      for (int64_t x = lo[2]; x < hi[2]; x++)
        whet__seg_add(w->seg, &w->n_seg, (z - lo[0]) * step[0] + (y - lo[1]) * step[1] + (x - lo[2]) * step[2],
                      ((z * d[1].kernel + y) * d[2].kernel + x) * ic, ic);
  if (on_edge(w)) set_edge(w);
}

/* The strip of m outputs from (n, at[0], at[1], at[2]) along dimension `along`; taps lo..hi are inside for all of
 * them. */
static whet_strip_f32 strip_at(const walk *w, int64_t n, const int64_t at[3], const int64_t lo[3], int along,
                               int64_t m) {
  const whet_conv_f32 *c = &w->c;
  int64_t in = lo ? n * c->in_batch : 0, out = n * c->out_batch, res = n * c->res_batch;
  for (int i = 0; i < 3; i++) {
    if (lo) in += (at[i] * c->dim[i].stride + lo[i] * c->dim[i].dilation - c->dim[i].pad) * c->dim[i].in_step;
    out += at[i] * c->dim[i].out_step;
    res += at[i] * c->dim[i].res_step;
  }
  return (whet_strip_f32){.a = w->in + in,
                          .lda = c->dim[along].stride * c->dim[along].in_step,
                          .c = w->out + out,
                          .ldc = c->dim[along].out_step,
                          .res = w->res ? w->res + res : NULL,
                          .ldr = c->dim[along].res_step,
                          .m = m};
}

/* Append a strip of outputs that all have the taps of the first. */
static void add_strip(walk *w, int64_t n, int64_t z, int64_t y, int64_t x, int along, int64_t m) {
  int64_t at[3] = {z, y, x}, lo[3], hi[3];
  if (m <= 0) return;
  for (int i = 0; i < 3; i++) whet__window_taps(&w->c.dim[i], at[i], &lo[i], &hi[i]);
  for (int i = 0; i < 3; i++)
    if (lo[i] == hi[i]) memset(lo, 0, sizeof lo), memset(hi, 0, sizeof hi); /* no taps at all: the bias */
  list_segments(w, lo, hi);
  whet_strip_f32 s = strip_at(w, n, at, w->n_seg ? lo : NULL, along, m);
  s.begun = on_edge(w);
  if (s.begun && w->k0 == 0) {
    int64_t n0 = w->job->n0, count = whet__min_i(w->job->n1, w->job->n) - n0;
    for (int64_t i = 0; i < m; i++) memcpy(s.c + i * s.ldc + n0, w->edge + n0, (size_t)count * sizeof(float));
  }
  if (w->again && whet__job_again(w->job, &s)) return;
  whet__job_strip_rows(w->job, &s, w->seg, w->n_seg, w->k0, w->k1);
  w->again = w->n_seg <= WHET_JOB_SEGS;
}

/* Columns of one row that lack no taps in one strip, the others one by one; rows y0..y1 have the same taps in height,
 * so columns may also be strips down them. */
static void rows_alike(walk *w, int64_t n, int64_t z, int64_t y0, int64_t y1, bool down) {
  int64_t lo = whet__clamp_i(w->in_lo[2], w->x0, w->x1), hi = whet__clamp_i(w->in_hi[2], lo, w->x1);
  if (y0 >= y1) return;
  if (down) lo = hi;
  for (int64_t y = y0; y < y1; y++) add_strip(w, n, z, y, lo, 2, hi - lo);
  for (int64_t x = w->x0; x < w->x1; x++)
    if (x < lo || x >= hi) add_strip(w, n, z, y0, x, 1, y1 - y0);
}

/* One row, tap by tap: each tap adds to the columns for which it is inside. Right for wide kernels, which would leave
 * few columns without missing taps. Sums stay in the output in between; k ascends for each of them. */
static void row_by_taps(walk *w, int64_t n, int64_t z, int64_t y) {
  const whet_window *d = &w->c.dim[2];
  int64_t at[3] = {z, y, w->x0}, lo[3] = {0}, hi[3], m = w->x1 - w->x0;
  whet_seg_f32 seg = {0, 0, w->c.ic};
  for (int i = 0; i < 2; i++) whet__window_taps(&w->c.dim[i], at[i], &lo[i], &hi[i]);
  whet_strip_f32 s = strip_at(w, n, at, NULL, 2, m);
  s.first = true;
  whet__job_strip(w->job, &s, &seg, 0);
  for (int64_t tz = lo[0]; tz < hi[0]; tz++)
    for (int64_t ty = lo[1]; ty < hi[1]; ty++)
      for (int64_t tx = 0; tx < d->kernel; tx++) {
        int64_t tap[3] = {tz, ty, tx}, off = d->pad - tx * d->dilation; /* x * stride >= off and < off + in */
        int64_t x0 = off > 0 ? whet__ceil_div(off, d->stride) : 0, x1 = whet__ceil_div(d->in + off, d->stride);
        x0 = whet__max_i(x0, w->x0);
        x1 = whet__min_i(d->in + off > 0 ? x1 : 0, w->x1);
        if (x0 >= x1) continue;
        at[2] = x0;
        s = strip_at(w, n, at, tap, 2, x1 - x0);
        seg.k = ((tz * w->c.dim[1].kernel + ty) * d->kernel + tx) * w->c.ic;
        whet__job_strip(w->job, &s, &seg, 1);
      }
  at[2] = w->x0;
  s = strip_at(w, n, at, NULL, 2, m);
  s.last = true;
  whet__job_strip(w->job, &s, &seg, 0);
}

enum { ALONG, DOWN, BY_TAPS };

/* The cheapest way to cut the rows y0..y1 of one depth, by the number of tiles (a tile costs its rows and a bit). */
static int best_cut(const walk *w, int64_t y0, int64_t y1, int64_t mr) {
  int64_t lo = whet__clamp_i(w->in_lo[2], w->x0, w->x1), hi = whet__clamp_i(w->in_hi[2], lo, w->x1);
  int64_t ylo = whet__clamp_i(w->in_lo[1], y0, y1), yhi = whet__clamp_i(w->in_hi[1], ylo, y1);
  int64_t wide = w->x1 - w->x0, edge = wide - (hi - lo), tall = yhi - ylo, rest = y1 - y0 - tall;
#define COST(m) ((m) + 1.5 * (double)whet__ceil_div(m, mr))
  double other = (double)rest * (COST(hi - lo) + (double)edge * COST(1));
  double along = other + (double)tall * COST(hi - lo) + (double)edge * COST(tall);
  double down = (other + (double)wide * COST(tall)) * 1.1; /* results side by side are written and finished faster */
  double taps = (double)(y1 - y0) * COST(wide) * (1 + 8.0 / (double)w->c.ic);
#undef COST
  if (w->job->tiles->run || w->edge) taps = INFINITY; /* whole sums only */
  return taps < along && taps < down ? BY_TAPS : down < along ? DOWN : ALONG;
}

/* Append the strips of the block, for the rows k0..k1 of the panels. */
static void add_block(walk *w, int64_t mr) {
  const whet_window *d = w->c.dim;
  w->again = false;
  for (int64_t row = w->row0; row < w->row1;) {
    int64_t y = row % d[1].out, z = row / d[1].out % d[0].out, n = row / d[1].out / d[0].out;
    int64_t end = whet__min_i(y + w->row1 - row, d[1].out);
    int64_t lo = whet__clamp_i(w->in_lo[1], y, end), hi = whet__clamp_i(w->in_hi[1], lo, end);
    int cut = best_cut(w, y, end, mr);
    row += end - y;
    if (cut == BY_TAPS) {
      if (w->k0 == 0)
        for (; y < end; y++) row_by_taps(w, n, z, y);
      continue;
    }
    for (; y < lo; y++) rows_alike(w, n, z, y, y + 1, false);
    rows_alike(w, n, z, lo, hi, cut == DOWN);
    for (y = hi; y < end; y++) rows_alike(w, n, z, y, y + 1, false);
  }
}

/* Rows of panels that patches of an image are copied for at once: those and a panel's stay in a part of the second
 * cache. */
static int64_t patch_rows(const whet_conv_f32 *c, int64_t pixels) {
  int64_t k = c->dim[1].kernel * c->dim[2].kernel * c->ic;
  int64_t most = whet__max_i(((int64_t)c->l2_kb << 10) / 5 / (4 * (pixels + 64)), 64);
  return whet__ceil_div(k, whet__ceil_div(k, most));
}

bool whet__conv_f32_low(const whet_conv_f32 *c) {
  const whet_window *d = c->dim;
  int64_t lo, hi, pixels = d[1].out * d[2].out, k = d[1].kernel * d[2].kernel * c->ic;
  whet__window_inner(&d[2], &lo, &hi);
  bool plain = d[0].kernel == 1 && d[0].out == 1 && !d[0].pad && d[1].out_step == d[2].out * d[2].out_step &&
               d[1].res_step == d[2].out * d[2].res_step;
  return plain && d[2].kernel > 1 && hi - lo <= 12 && d[2].out <= 16 && pixels >= 16 &&
         k * c->oc >= (int64_t)c->l2_kb << 8;
}

static size_t patch_bytes(const whet_conv_f32 *c) {
  int64_t pixels = c->dim[1].out * c->dim[2].out;
  return c->patches ? sizeof(float) * (size_t)(pixels * patch_rows(c, pixels)) : 0;
}

/* Rows k0..k1 of the panels, of the patches of lines y0..y1 of an image; missing taps are zeros. */
static void copy_patches(const walk *w, const float *in, int64_t y0, int64_t y1, int64_t k0, int64_t k1, float *to) {
  const whet_window *y = &w->c.dim[1], *x = &w->c.dim[2];
  int64_t ic = w->c.ic, run;
  for (int64_t at = y0 * x->out; at < y1 * x->out; at++)
    for (int64_t k = k0; k < k1; k += run, to += run) {
      int64_t tap = k / ic, channel = k % ic;
      int64_t row = at / x->out * y->stride + tap / x->kernel * y->dilation - y->pad;
      int64_t col = at % x->out * x->stride + tap % x->kernel * x->dilation - x->pad;
      run = whet__min_i(ic - channel, k1 - k);
      if (row >= 0 && row < y->in && col >= 0 && col < x->in)
        memcpy(to, in + row * y->in_step + col * x->in_step + channel, sizeof(float) * (size_t)run);
      else
        for (int64_t i = 0; i < run; i++) to[i] = w->c.pad_value;
    }
}

/* Lines y0..y1 of image n as a product of a matrix of patches. */
static void run_patches(walk *w, int64_t n, int64_t y0, int64_t y1) {
  const whet_window *d = w->c.dim;
  int64_t from[3] = {0, y0, 0}, k = w->job->k, kb = patch_rows(&w->c, d[1].out * d[2].out);
  for (int64_t k0 = 0; k0 < k; k0 += kb) {
    int64_t k1 = whet__min_i(k0 + kb, k);
    whet_seg_f32 seg = {0, k0, k1 - k0};
    whet_strip_f32 s = strip_at(w, n, from, NULL, 2, (y1 - y0) * d[2].out);
    s.a = w->patches;
    s.lda = k1 - k0;
    copy_patches(w, w->in + n * w->c.in_batch, y0, y1, k0, k1, w->patches);
    whet__job_strip_rows(w->job, &s, &seg, 1, k0, k1);
    whet__job_run(w->job);
  }
}

/* Rows of the output to take at once: see gemm_f32.c. */
static int64_t block_rows(const walk *w, int64_t columns, bool large) {
  const whet_conv_f32 *c = &w->c;
  int64_t pixel = c->dim[1].stride * c->dim[2].stride * c->ic + columns;
  int64_t pixels = whet__max_i(((int64_t)c->l2_kb << 9) / (4 * pixel), large ? 256 : 64);
  return whet__max_i(pixels / (w->x1 - w->x0), 1);
}

/* Rows of outputs row0..row1, columns x0..x1 of the walk, and output channels n0..n1 of its group. */
static void run_share(walk *w, const whet_share *r) {
  int64_t k = w->job->k, width = r->n1 - r->n0;
  bool large = 4 * k * width > (int64_t)w->c.l2_kb << 9;
  int64_t rows = block_rows(w, width, large), kb = whet__job_k(w->job, (size_t)w->c.l2_kb << 10);
  const whet_tiles_f32 *t = w->job->tiles;
  int64_t mr = t->mr[whet__panel_next(t->form, whet__ceil_div(width, whet__panel_vec(t->form)))];
  w->job->n0 = r->n0;
  w->job->n1 = r->n1;
  w->job->ahead = 4 * k * width > (int64_t)w->c.l2_kb << 4;
  if (w->patches) {
    for (int64_t at = r->m0, end; at < r->m1; at = end) {
      int64_t y = at % w->c.dim[1].out;
      end = whet__min_i(at + w->c.dim[1].out - y, r->m1);
      run_patches(w, at / w->c.dim[1].out, y, y + end - at);
    }
    return;
  }
  rows = whet__ceil_div(r->m1 - r->m0, whet__ceil_div(r->m1 - r->m0, rows));
  for (int64_t at = r->m0; at < r->m1; at += rows) {
    w->row0 = at;
    w->row1 = whet__min_i(at + rows, r->m1);
    for (w->k0 = 0; w->k0 == 0 || w->k0 < k; w->k0 = w->k1) {
      w->k1 = whet__min_i(w->k0 + kb, k);
      add_block(w, mr);
      if (!k) break;
    }
    whet__job_run(w->job);
  }
}

/* A width of one is exchanged with the height or depth that is longer, so that rows are long. Taps keep their order:
 * no dimension with more than one is passed. */
static void exchange(whet_conv_f32 *c) {
  whet_window *x = &c->dim[2];
  if (x->kernel > 1 || x->out > 1 || x->pad) return;
  int other = c->dim[1].out > 1 || c->dim[1].kernel > 1 ? 1 : 0;
  whet_window d = c->dim[other];
  c->dim[other] = *x;
  *x = d;
}

/* Of walk.edge, whatever the form. */
static size_t edge_bytes(const whet_conv_f32 *c) {
  return c->pad_value != 0 ? whet__round_up((size_t)whet__round_up((size_t)c->oc, 64) * sizeof(float), 64) : 0;
}

size_t whet__conv_f32_scratch_on(const whet_conv_f32 *c, const whet_tiles_f32 *tiles) {
  int64_t taps = c->dim[0].kernel * c->dim[1].kernel * c->dim[2].kernel;
  return whet__round_up(sizeof(walk), 64) + whet__round_up(sizeof(whet_job_f32), 64) +
         whet__round_up((size_t)taps * sizeof(whet_seg_f32), 64) + edge_bytes(c) +
         (tiles && tiles->run ? whet__job_room(tiles, taps * c->ic) : patch_bytes(c));
}

size_t whet__conv_f32_scratch(const void *params) { return whet__conv_f32_scratch_on(params, NULL); }

/* Group g: rows and columns that fall to this part. Few rows are cut into pieces, many groups are not. */
static void run_group(walk *w, int64_t rows, int part, int parts) {
  const whet_conv_f32 *c = &w->c;
  unsigned form = w->job->tiles->form;
  int64_t wide = c->dim[2].out, pieces = rows < 4 * parts && parts > 1 ? whet__max_i(wide / 32, 1) : 1;
  int64_t in = c->batch, out = c->batch * rows * wide;
  for (int i = 0; i < 3; i++) in *= c->dim[i].in;
  bool by_columns = w->job->k * c->oc > in * c->ic + out * c->oc || rows * pieces < parts;
  whet_share r[3];
  if (by_columns) pieces = 1;
  int n = whet__share(form, rows * pieces, 1, c->oc, by_columns, part, parts, r);
  for (int i = 0; i < n; i++) {
    whet_share s = r[i];
    for (int64_t at = r[i].m0; pieces > 1 && at < r[i].m1; at++) {
      s.m0 = at / pieces;
      s.m1 = s.m0 + 1;
      whet__split(wide, (int)(at % pieces), (int)pieces, &w->x0, &w->x1);
      run_share(w, &s);
    }
    w->x0 = 0;
    w->x1 = wide;
    if (pieces == 1) run_share(w, &s);
  }
}

/* Outputs of one tap each that lie at even distances are the rows of a product. */
static bool product(const whet_conv_f32 *c, whet_gemm_f32 *g) {
  const whet_window all = {c->batch, c->batch, 1, 1, 1, 0, c->in_batch, c->out_batch, c->res_batch};
  *g = (whet_gemm_f32){.m = 1, .n = c->oc, .k = c->ic, .epi = c->epi, .l2_kb = c->l2_kb};
  bool rows = c->groups == 1;
  for (int i = 2; i >= -1; i--) {
    const whet_window *d = i < 0 ? &all : &c->dim[i];
    rows &= d->kernel == 1 && !d->pad && d->out <= d->in && (d->out == 1 || d->stride == 1);
    if (d->out == 1) continue;
    if (g->m == 1) g->lda = d->in_step, g->ldc = d->out_step, g->ldr = d->res_step;
    rows &= d->in_step == g->m * g->lda && d->out_step == g->m * g->ldc && d->res_step == g->m * g->ldr;
    g->m *= d->out;
  }
  return rows;
}

void whet__conv_f32(const void *params, void *const *ptr, int part, int parts, const whet_tiles_f32 *tiles) {
  const whet_conv_f32 *given = params;
  whet_gemm_f32 single;
  if (!tiles->run && product(given, &single)) {
    whet__gemm_f32(&single, ptr, part, parts, tiles);
    return;
  }
  char *scratch = ptr[4];
  walk *w = (walk *)scratch;
  scratch += whet__round_up(sizeof *w, 64);
  w->c = *given;
  w->job = (whet_job_f32 *)scratch;
  w->seg = (whet_seg_f32 *)(scratch + whet__round_up(sizeof(whet_job_f32), 64));
  w->n_seg = 0;
  exchange(&w->c);
  const whet_conv_f32 *c = &w->c;
  int64_t k = c->ic, rows = c->batch * c->dim[0].out * c->dim[1].out, from = 0, to = c->groups;
  for (int i = 0; i < 3; i++) {
    k *= c->dim[i].kernel;
    whet__window_inner(&c->dim[i], &w->in_lo[i], &w->in_hi[i]);
    w->lo[i] = -1; /* no list yet */
  }
  w->job->room = (char *)w->seg + whet__round_up((size_t)(k / c->ic) * sizeof(whet_seg_f32), 64);
  w->edge = c->pad_value != 0 ? w->job->room : NULL;
  w->job->room = (char *)w->job->room + edge_bytes(c);
  w->patches = c->patches && !tiles->run ? w->job->room : NULL;
  bool by_groups = c->groups >= 2 * parts;
  if (by_groups) whet__split(c->groups, part, parts, &from, &to);
  for (int64_t g = from; g < to; g++) {
    w->in = (const float *)ptr[0] + g * c->ic;
    w->out = (float *)ptr[1] + g * c->oc;
    w->res = ptr[3] ? (const float *)ptr[3] + g * c->oc : NULL;
    whet__job_init(w->job, tiles, (const float *)ptr[2] + g * whet__panel_floats(tiles->form, c->oc, k), c->oc, k,
                   &c->epi);
    run_group(w, rows, by_groups ? 0 : part, by_groups ? 1 : parts);
  }
}
