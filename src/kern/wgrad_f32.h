/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_WGRAD_F32_H
#define WHET_KERN_WGRAD_F32_H

/* Family wgrad_f32: the gradient of a convolution's weights, channels last; with one position and many samples, of a
 * matrix product's second factor (a' b):
 *
 *   dw[g][j][tap][c] = sum over samples n and output positions p of x[n][p * stride + tap * dilation - pad][g*ic + c]
 *                      * dy[n][p][g*oc + j],   places outside the input left out
 *
 * Parameters: those of conv_f32, out_step and out_batch being distances in dy, with the distances of dw. Lines of outputs
 * (all samples, depths and rows) are cut into shards, whose number follows from the sizes alone:
 *
 *   sums   of each shard one chain of fused multiply-adds from zero, samples and positions ascending; shards lie
 *          `count` floats apart, each as dw lies
 *   join   dw = shard 0 + shard 1 + ... in this order
 *
 * Where there is one shard, its sums are dw and there is no join. Exact for finite numbers.
 *
 * Arguments, sums: [0] x, [1] dy, [2] shards, [3] scratch. Join: [0] shards, [1] absent, [2] dw. */

#include "kern/conv_f32.h"

typedef struct whet_wgrad_f32 {
  int64_t batch, groups, ic, oc;
  whet_window dim[3];
  int64_t in_batch, out_batch;
  int64_t w_group, w_oc, w_ic, w_tap[3];
  int64_t count; /* numbers of dw */
  int32_t join;
} whet_wgrad_f32;

/* Shards, and pieces that the work of `sums` or `join` falls into. */
int64_t whet__wgrad_f32_shards(const whet_wgrad_f32 *p);
int64_t whet__wgrad_f32_parts(const whet_wgrad_f32 *p);

/* ---- how sums are made --------------------------------------------------------------------------------------------
 *
 * A run is a stretch of inputs that lie beside each other and meet the same outputs: a row of taps with its channels, where
 * rows of the input can be had with their padding (packed, or because there is none), else the channels of one tap. Outputs
 * by runs are matrix products over positions: one side is read in vectors, the other number by number. Blocks of these
 * products stay in scratch while chunks of lines go by, which stay in the second cache. */

enum {
  WHET_WGRAD_SHARDS = 16,
  WHET_WGRAD_V = 32,           /* numbers of a block, the side of vectors */
  WHET_WGRAD_B = 48,           /* the other side */
  WHET_WGRAD_BLOCKS = 40,      /* most blocks at once */
  WHET_WGRAD_ROOM = 64 * 1024, /* floats of packed rows */
  WHET_WGRAD_LINES = 256,
  WHET_WGRAD_SEGS = 64
};

typedef struct whet_wgrad_cut {
  int64_t shards, lines; /* lines: of outputs, in all */
  bool wide, pack, by_o; /* runs are rows of taps; which are packed; outputs are read in vectors */
  int64_t width;         /* floats of a packed row */
  int64_t run, runs;     /* inputs of one run; runs of a group */
  int64_t nv, nb, v_blocks, b_blocks, blocks;
} whet_wgrad_cut;
void whet__wgrad_cut(const whet_wgrad_f32 *p, whet_wgrad_cut *c);

/* Lines y0..y1-1 of one depth of one sample, with the rows i0..i1-1 of the input that they meet, packed at `at`. */
typedef struct whet_wgrad_seg {
  int64_t n, z, y0, y1, i0, i1, at;
} whet_wgrad_seg;
/* Neighbouring outputs and the inputs that the first number of a run meets there. */
typedef struct whet_wgrad_line {
  const float *x, *y;
  int64_t n;
} whet_wgrad_line;
typedef struct whet_wgrad_chunk {
  const float *x, *dy;
  float *room; /* packed rows */
  int n_seg, n_line;
  whet_wgrad_seg seg[WHET_WGRAD_SEGS];
  whet_wgrad_line line[WHET_WGRAD_LINES];
} whet_wgrad_chunk;
/* Take lines from `from` on, not past `to`, and pack what they meet; answers the first line that is left. */
int64_t whet__wgrad_take(const whet_wgrad_f32 *p, const whet_wgrad_cut *c, whet_wgrad_chunk *k, int64_t from, int64_t to);
/* The chunk's lines for one run. */
void whet__wgrad_lines(const whet_wgrad_f32 *p, const whet_wgrad_cut *c, whet_wgrad_chunk *k, int64_t run);

/* Where block number `at` lies. */
typedef struct whet_wgrad_block {
  int64_t group, run, b0, v0, nb, nv;
} whet_wgrad_block;
whet_wgrad_block whet__wgrad_block(const whet_wgrad_f32 *p, const whet_wgrad_cut *c, int64_t at);
/* Sums of a block [B][V] to where they belong. */
void whet__wgrad_put(const whet_wgrad_f32 *p, const whet_wgrad_cut *c, const whet_wgrad_block *b, const float *sum, float *dw);

size_t whet__wgrad_f32_scratch(const void *params);

#endif
