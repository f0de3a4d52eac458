/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_CONV_Q8_AMX_CUT_H
#define WHET_KERN_X86_CONV_Q8_AMX_CUT_H

/* How a convolution is cut for tiles.
 *
 * A tile of activations has one distance between its rows, and short lines of results would leave most of its rows
 * empty. So tiles run on over the ends of lines: in a strip with its borders the first result of a line follows the
 * last of the line before after a few pixels, whose sums are made and dropped. Where a convolution steps over pixels
 * the strip holds them sorted by their place in a step, which makes neighbours of those that neighbouring results
 * read. */

#define TILE_ELEM uint8_t
#include "kern/tile_copy.h"

/* How a convolution is cut; a function of the parameters only. */
typedef struct cut {
  whet_conv_q8_layout l;
  bool dense;           /* each result reads one pixel, results and pixels lie in the same order */
  bool copy;            /* strips are copied */
  int64_t lines, per;   /* lines of results of all images; of one image */
  int64_t width, total; /* results in a line (the last may be shorter when dense); in all */
  int64_t next;         /* rows of tiles from one line's first result to that of the next; 0: tiles keep to a line */
  int64_t strip;        /* lines in a strip at most */
  int64_t fh, fw;       /* rows and columns of pixels are sorted by their place in so many */
  int64_t px, pix, row; /* pixels of a row of a strip, elements between pixels, rows */
  int64_t plane;        /* elements between pixels of different places in a step */
  int64_t lda;          /* elements between rows of a tile */
  int64_t n_seg, k4;    /* runs of activations that a result reads; groups of four in each */
  int64_t steps, step;  /* steps of a run, groups of four in one */
  int64_t panel;        /* blocks of 16 outputs in a panel */
  size_t seg_at, bytes;
} cut;

/* Rows of a strip of n lines, in each plane. */
static int64_t rows_of(const whet_conv_q8 *p, const cut *c, int64_t n) {
  int64_t reach = (int64_t)(p->kh - 1) * p->dil_h;
  return c->fh == p->stride_h ? n + reach / c->fh : (n - 1) * p->stride_h + reach + 1;
}

/* A panel is four blocks for sums of so many products at most: its weights stay in the first cache. */
enum { WIDE_TO = 512 };

/* Bytes of a strip at most: with all weights in the first cache so should it be, else both in the second. */
static int64_t strip_bytes(const cut *c) {
  return c->l.group <= 24 << 10 ? 16 << 10 : c->l.group <= 512 << 10 ? 256 << 10 : 768 << 10;
}

static void cut_dense(const whet_conv_q8 *p, cut *c) {
  c->total = (int64_t)p->images * p->out_h * p->out_w;
  c->width = whet__min_i(c->total, 64);
  c->lines = c->per = c->width ? whet__ceil_div(c->total, c->width) : 0;
  c->next = c->width;
  c->fh = c->fw = c->n_seg = 1;
  c->k4 = c->l.k4;
  c->copy = tile_turn(p) || c->l.k4 * 4 != c->l.ic; /* steps read whole: nothing lies behind the last pixel */
  c->pix = c->lda = c->copy ? c->l.ic : p->in_pitch;
  c->row = c->width * c->pix;
  c->strip = whet__clamp_i(strip_bytes(c) / whet__max_i(c->row, 1), 1, whet__max_i(c->per, 1));
}

static void cut_lines(const whet_conv_q8 *p, cut *c) {
  const int64_t reach_w = (int64_t)(p->kw - 1) * p->dil_w;
  const int64_t tall = c->l.segs * c->l.k4 * 4 <= WIDE_TO ? 16 : 32; /* results of a block */
  bool joined = p->dil_w == 1 && p->groups == 1 && p->in_pitch == p->in_c;
  bool columns = p->kw == 1 || p->dil_w > 1 || c->l.ic % 64 == 0; /* weights of a column are whole steps */
  c->total = (int64_t)p->images * p->out_h * p->out_w;
  c->width = p->out_w;
  c->per = p->out_h;
  c->lines = (int64_t)p->images * p->out_h;
  int64_t next = p->out_w + reach_w / p->stride_w;
  bool run_on = (columns || p->stride_w == 1) &&
                whet__ceil_div((c->per - 1) * next + c->width, tall) < c->per * whet__ceil_div(c->width, tall);
  c->next = run_on ? next : 0;
  c->fh = run_on ? p->stride_h : 1;
  c->fw = run_on ? p->stride_w : 1;
  c->copy = tile_turn(p) || !whet__conv_q8_inside(p) || c->fh > 1 || c->fw > 1 || run_on || !(joined || columns) ||
            c->l.k4 * 4 != c->l.seg_k;
  bool apart = p->dil_w > 1 || c->fw > 1 || (!c->copy && !joined && p->kw > 1); /* a run for each kernel column */
  c->n_seg = (int64_t)p->kh * (apart ? p->kw : 1);
  c->k4 = apart && p->dil_w == 1 && p->kw > 1 ? c->l.ic / 4 : c->l.k4;
  c->px = !c->copy ? p->in_w : run_on ? next : (int64_t)(p->out_w - 1) * p->stride_w + reach_w + 1;
  c->pix = c->copy ? c->l.ic : p->in_pitch;
  c->row = c->px * c->pix;
  c->lda = c->pix * (p->stride_w / c->fw);
  int64_t planes = (p->kh > 1 ? c->fh : 1) * (p->kw > 1 ? c->fw : 1);
  int64_t line = whet__max_i(planes * c->row * (p->stride_h / c->fh), 1);
  int64_t over = planes * c->row * (rows_of(p, c, 1) - p->stride_h / c->fh);
  c->strip = whet__clamp_i((strip_bytes(c) - over) / line, 1, whet__max_i(c->per, 1));
  c->plane = rows_of(p, c, c->strip) * c->row;
  if (c->copy) c->seg_at = (size_t)(planes * c->plane) + WHET_SLACK;
}

static void cut_for(const whet_conv_q8 *p, cut *c) {
  memset(c, 0, sizeof *c);
  c->l = whet__conv_q8_layout_of(p, WHET_CONV_Q8_STEPS);
  c->dense = whet__conv_q8_inside(p) && p->kh == 1 && p->kw == 1 && p->stride_h == 1 && p->stride_w == 1 &&
             p->in_h == p->out_h && p->in_w == p->out_w;
  if (c->dense)
    cut_dense(p, c);
  else
    cut_lines(p, c);
  if (c->dense && c->copy) c->seg_at = (size_t)(c->strip * c->row) + WHET_SLACK;
  c->steps = whet__conv_q8_steps(c->k4);
  c->step = c->steps ? c->k4 / c->steps : 0;
  c->panel = c->n_seg * c->k4 * 4 <= WIDE_TO && c->l.blocks > 2 ? 4 : 2;
  c->seg_at = whet__round_up(c->seg_at, 64);
  c->bytes = c->seg_at + (size_t)c->n_seg * sizeof(int64_t);
}

/* Where the run of kernel row i and column j begins. */
static int64_t seg_of(const whet_conv_q8 *p, const cut *c, int64_t i, int64_t j) {
  int64_t y = i * p->dil_h, x = j * p->dil_w, across = p->kw > 1 ? c->fw : 1;
  return (y % c->fh * across + x % c->fw) * c->plane + y / c->fh * c->row + x / c->fw * c->pix;
}

#endif
