/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_DW_Q8_RING_H
#define WHET_KERN_X86_DW_Q8_RING_H

/* The driver of family dw_q8's rows whose activations are widened: the input rows under a row of results are held in
 * a ring, each brought in once, borders filled with the zero point, channels rounded up to 16. The including file
 * defines, before, what dw_q8_rows.h wants, and
 *
 *   DW_FORM       the form of the weights
 *   dw_two()      whether pixels of at most 8 channels lie so close that a vector holds two of them
 *   dw_widen()    n bytes as unsigned numbers of type dw_elem; is_signed: their top bits are turned
 *   dw_ready()    what is made once for a call, in DW_OWN(layout) bytes */

#include "kern/x86/dw_q8_rows.h"

/* How a call is cut; a function of the parameters only. */
typedef struct dw_cut {
  whet_dw_q8_layout l;
  int64_t wide, px, len;                                  /* channels and pixels of a row in the ring, its elements */
  int64_t ring, many;                                     /* its rows; rows of results that are made together */
  size_t own_at, zero_at, have_at, row_at, tap_at, bytes; /* offsets in scratch: the ring comes first */
} dw_cut;

static __attribute__((noinline)) dw_cut cut_for(const whet_dw_q8 *p) {
  dw_cut c = {.l = whet__dw_q8_layout_of(p, DW_FORM)};
  c.wide = (int64_t)whet__round_up((size_t)p->channels, dw_two(p) ? 8 : 16);
  c.px = (int64_t)(p->out_w - 1) * p->stride_w + (int64_t)(p->kw - 1) * p->dil_w + 1;
  c.len = c.px * c.wide;
  c.many = dw_many(p);
  c.ring = (c.many - 1) * p->stride_h + (int64_t)(p->kh - 1) * p->dil_h + 1;
  c.zero_at = (size_t)(c.ring * c.len) * sizeof(dw_elem);
  c.have_at = c.zero_at + (size_t)c.len * sizeof(dw_elem);
  c.row_at = c.have_at + (size_t)c.ring * sizeof(int64_t);
  c.tap_at = c.row_at + (size_t)p->kh * sizeof(void *);
  c.own_at = whet__round_up(c.tap_at + (size_t)(c.many * c.l.slots) * sizeof(void *), 64);
  c.bytes = c.own_at + DW_OWN(c.l);
  return c;
}

static size_t dw_scratch(const void *params) { return cut_for(params).bytes; }

static __attribute__((noinline)) void fill(dw_elem *to, int64_t n, int32_t v) {
  for (int64_t i = 0; i < n; i++) to[i] = (dw_elem)v;
}

/* A row of the picture into the ring. */
static void bring(const whet_dw_q8 *p, const dw_cut *c, const uint8_t *in, dw_elem *to) {
  int64_t a = whet__min_i(p->pad_left, c->px), b = whet__clamp_i(p->in_w + p->pad_left, a, c->px);
  fill(to, a * c->wide, p->in_zero);
  if (p->in_pitch == c->wide)
    dw_widen(in, (b - a - 1) * c->wide + p->channels, p->in_signed, to + a * c->wide);
  else
    for (int64_t x = a; x < b; x++) dw_widen(in + (x - a) * p->in_pitch, p->channels, p->in_signed, to + x * c->wide);
  fill(to + b * c->wide, (c->px - b) * c->wide, p->in_zero);
}

/* The taps of the first result of a row, whose input rows are row[0 .. kh). */
static void dw_taps(const whet_dw_q8 *p, const dw_cut *c, const dw_elem *const *row, const dw_elem **tap) {
  for (int64_t i = 0; i < p->kh; i++)
    for (int64_t j = 0; j < p->kw; j++) *tap++ = row[i] + j * p->dil_w * c->wide;
  for (int64_t s = c->l.taps; s < c->l.slots; s++) *tap++ = row[0]; /* no tap: its weight is 0 */
}

static void dw_run(const void *params, void *const *ptr, int part, int parts) {
  const whet_dw_q8 *p = params;
  dw_cut c = cut_for(p);
  char *own = ptr[4];
  dw_elem *ring = (dw_elem *)(void *)own, *zero = (dw_elem *)(void *)(own + c.zero_at);
  int64_t *have = (int64_t *)(void *)(own + c.have_at), from, to;
  const dw_elem **row = (const dw_elem **)(void *)(own + c.row_at),
                **tap = (const dw_elem **)(void *)(own + c.tap_at);
  size_t bytes = whet_dtype_bits(p->out.dtype) / 8;
  dw_ready(p, &c.l, ptr[1], own + c.own_at);
  fill(zero, c.len, p->in_zero);
  for (int64_t i = 0; i < c.ring; i++) have[i] = -1;
  if (c.wide > p->channels) /* channels that fill a block up are never written */
    memset(ring, 0, (size_t)(c.ring * c.len) * sizeof *ring);
  whet__split((int64_t)p->images * p->out_h, part, parts, &from, &to);
  for (int64_t many; from < to; from += many) {
    int64_t image = from / p->out_h, y = from % p->out_h;
    many = whet__min_i(c.many, whet__min_i(to - from, p->out_h - y));
    for (int64_t r = 0; r < many; r++) {
      for (int64_t i = 0; i < p->kh; i++) {
        int64_t iy = (y + r) * p->stride_h - p->pad_top + i * p->dil_h, id = image * p->in_h + iy;
        row[i] = zero;
        if (iy < 0 || iy >= p->in_h) continue;
        dw_elem *at = ring + iy % c.ring * c.len;
        if (have[iy % c.ring] != id) bring(p, &c, (const uint8_t *)ptr[0] + id * p->in_w * p->in_pitch, at);
        have[iy % c.ring] = id;
        row[i] = at;
      }
      dw_taps(p, &c, row, tap + r * c.l.slots);
    }
    dw_rows(p, &c.l, 0, p->channels, many, tap, c.l.slots, c.wide, own + c.own_at, ptr[1], ptr[3],
            (char *)ptr[2] + (size_t)(from * p->out_w * p->out_pitch) * bytes);
  }
}

#endif
