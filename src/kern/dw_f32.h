/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_DW_F32_H
#define WHET_KERN_DW_F32_H

/* Family dw_f32: depthwise convolution, one filter for each channel: conv_f32.h's definition and parameters with ic =
 * oc = 1 and one group for each channel.
 *
 * Taps that fall outside the input are left out: rows and columns of taps are skipped. Arguments: as conv_f32's. Packed
 * weights: one group of `groups` columns whose rows are the taps (tile_f32.h), its bias included. Order of sums: the
 * bias, then one chain of fused multiply-adds over the taps in row-major order, then the residual; exact. */

#include "kern/conv_f32.h"

/* Some outputs beside each other that have the same taps, or a row of outputs; all channels c0..c1 of them. */
typedef struct whet_dw_f32_call {
  const float *in;          /* channel 0 at the first tap of the first output that is there */
  int64_t m, left, right;   /* rows: outputs; columns that the first of them lacks, and the last */
  int64_t taps[3], step[3]; /* taps in each dimension; floats from one to the next */
  int64_t first, row[2];    /* number of the first tap; taps from one depth, height to the next */
  int64_t next;             /* floats of the input from one output to the next */
  const float *w;           /* packed */
  int64_t k;                /* taps that w has for each channel */
  float *out;
  const float *res;
  int64_t out_step, res_step; /* floats from one output to the next */
  int64_t n, c0, c1; /* channels that there are, and those to do: whole vectors */
  int64_t panel;     /* start of the panel that c0 is in */
  uint32_t flags;             /* WHET_TILE_ADD, WHET_TILE_CLAMP */
  float lo, hi;
  const whet_epi_f32 *rest; /* rows: micro-operations after those, none of which reads res; or NULL */
} whet_dw_f32_call;

enum { WHET_DW_WIDE = 8, WHET_DW_ROW = 3 }; /* most outputs with the same taps; fewest of a row */

/* What an instruction set brings: a function for each number of outputs that have the same taps, or NULL for some of more than
 * one; for windows of 3 and
 * 5 columns without dilation and strides 1 and 2 those that do a row of at least WHET_DW_ROW outputs, which lack at
 * most half a window on either side, and load each column once for all outputs that it meets, or NULL. */
typedef struct whet_dws_f32 {
  uint16_t form;
  void (*fn[WHET_DW_WIDE + 1])(const whet_dw_f32_call *d);
  void (*row[2][2])(const whet_dw_f32_call *d); /* 3 or 5 columns; stride 1 or 2 */
  void (*epi)(const whet_epi_f32 *e, float *x, int64_t ldx, const float *res, int64_t ldr, int64_t m, int64_t n);
} whet_dws_f32;

extern const whet_dws_f32 whet__dws_f32_c;
extern const whet_dws_f32 whet__dws_f32_avx2;
extern const whet_dws_f32 whet__dws_f32_avx512;
extern const whet_dws_f32 whet__dws_f32_neon;
extern const whet_dws_f32 whet__dws_f32_rvv;

/* What does not change from row to row; *rest: micro-operations that are left. */
void whet__dw_f32_call(const whet_conv_f32 *c, void *const *ptr, whet_dw_f32_call *call, whet_epi_f32 *rest);
/* Is it one whose rows `row` does at once? Fills m, left and right of whole rows. */
bool whet__dw_f32_rows(const whet_conv_f32 *c, whet_dw_f32_call *call);
void whet__dw_f32(const void *params, void *const *ptr, int part, int parts, const whet_dws_f32 *dw);

#endif
