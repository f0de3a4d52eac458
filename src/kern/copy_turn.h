/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_COPY_TURN_H
#define WHET_KERN_COPY_TURN_H

/* Rows of family copy that turn matrices of bytes and of 4-byte elements. One dimension is contiguous in the input
 * (its index is a, M elements), another one in the output (b, N elements); all others are walked outside. Tiles of
 * TURN_SIDE_1 x TURN_SIDE_1 bytes or TURN_SIDE_4 x TURN_SIDE_4 words are turned in registers, the last one of a side
 * overlaps the one before it; three planes are interleaved into pixels, as pictures with channels first are when they
 * become channels last.
 *
 * The including file defines the sides and, before, tile_1(), tile_4(), planes_1(), planes_4(); distances are in
 * bytes. */

#include "kern/copy.h"

enum { BLOCK = 64 }; /* of the input's contiguous dimension in one piece of work */

/* The transposition: which dimensions, and what is left of the copy. */
typedef struct turn {
  whet_copy c;
  int a, b;
  int64_t m, n, in_step, out_step; /* sizes; distance between rows of the input (along b), of the output (along a) */
} turn;

static bool turn_of(const void *params, turn *t) {
  t->c = *(const whet_copy *)params;
  whet__copy_simplify(&t->c);
  t->a = t->b = -1;
  for (int i = 0; i < t->c.rank; i++) {
    if (t->c.in_stride[i] == 1 && t->a < 0) t->a = i;
    if (t->c.out_stride[i] == 1 && t->b < 0) t->b = i;
  }
  if (t->a < 0 || t->b < 0 || t->a == t->b) return false;
  t->m = t->c.dim[t->a], t->n = t->c.dim[t->b];
  t->in_step = t->c.in_stride[t->b], t->out_step = t->c.out_stride[t->a];
  return true;
}

static bool fits(const void *params) {
  turn t;
  const whet_copy *c = params;
  return (c->elem_bytes == 1 || c->elem_bytes == 4) && turn_of(params, &t) && t.m * t.n >= 16;
}

/* One element after the other: rows [a, m) of the output. */
static void plain(const uint8_t *in, int64_t is, uint8_t *out, int64_t os, int64_t m, int64_t n, int64_t e) {
  for (int64_t a = 0; a < m; a++)
    for (int64_t b = 0; b < n; b++)
      if (e == 1)
        out[a * os + b] = in[b * is + a];
      else
        memcpy(out + a * os + 4 * b, in + b * is + 4 * a, 4);
}

/* m x n elements; distances in bytes. */
static void block(const uint8_t *in, int64_t is, uint8_t *out, int64_t os, int64_t m, int64_t n, int64_t e) {
  int64_t side = e == 1 ? TURN_SIDE_1 : TURN_SIDE_4;
  if (n == 3 && os == 3 * e) {
    int64_t done = e == 1 ? planes_1(in, is, out, m) : planes_4(in, is, out, m);
    plain(in + done * e, is, out + done * os, os, m - done, n, e);
  } else if (m < side || n < side) {
    plain(in, is, out, os, m, n, e);
  } else {
    for (int64_t b = 0; b < n; b += side) {
      b = whet__min_i(b, n - side);
      for (int64_t a = 0; a < m; a += side) {
        a = whet__min_i(a, m - side);
        if (b * e % 64 == 0) /* whoever stores waits for each line in turn: have the next ones come meanwhile */
          for (int64_t i = a; i < a + side; i++) __builtin_prefetch(out + i * os + b * e + 64, 1);
        if (e == 1)
          tile_1(in + b * is + a, is, out + a * os + b, os);
        else
          tile_4(in + b * is + 4 * a, is, out + a * os + 4 * b, os);
      }
    }
  }
}

static void run(const void *params, void *const *ptr, int part, int parts) {
  turn t;
  if (!turn_of(params, &t)) return;
  int64_t e = t.c.elem_bytes, pieces = whet__ceil_div(t.m, BLOCK), outer = 1, from, to;
  for (int i = 0; i < t.c.rank; i++)
    if (i != t.a && i != t.b) outer *= t.c.dim[i];
  whet__split(outer * pieces, part, parts, &from, &to);
  for (; from < to; from++) {
    int64_t in = t.c.in_offset, out = t.c.out_offset, left = from / pieces, a = from % pieces * BLOCK;
    for (int i = t.c.rank - 1; i >= 0; i--) {
      if (i == t.a || i == t.b) continue;
      int64_t k = left % t.c.dim[i];
      left /= t.c.dim[i];
      in += k * t.c.in_stride[i];
      out += k * t.c.out_stride[i];
    }
    block((const uint8_t *)ptr[0] + (in + a) * e, t.in_step * e, (uint8_t *)ptr[1] + (out + a * t.out_step) * e,
          t.out_step * e, whet__min_i(BLOCK, t.m - a), t.n, e);
  }
}

#endif
