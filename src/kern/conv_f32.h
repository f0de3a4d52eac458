/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_CONV_F32_H
#define WHET_KERN_CONV_F32_H

/* Family conv_f32: convolution over three spatial dimensions (fewer: sizes of 1), channels last, any stride,
 * dilation, padding and number of groups:
 *
 *   out[n][z][y][x][g*oc + j] = epilogue(bias[g][j] +
 *       sum over taps (tz, ty, tx) and channels c of in[n][z'][y'][x'][g*ic + c] * w[g][(tz, ty, tx, c)][j])
 *   with z' = z * stride + tz * dilation - pad, and so on; taps that fall outside the input are left out, or read pad_value (in one
 *   group).
 *
 * Inputs, outputs and residuals may lie at any distances, but the channels of a pixel are neighbours. No im2col is
 * made: outputs whose taps all lie inside are tiles along a row, and those of the borders are tiles down a column, or
 * along a row for one tap at a time, with the taps that they have. Only of small images with rows shorter than a tile is
 * high the patches may be copied, as many columns pay for it; missing taps count as zeros then (which tells only where weights
 * are not finite, or a bias is -0).
 *
 * Arguments: [0] in, [1] out, [2] packed weights (tile_f32.h; rows of panels in the order tz, ty, tx, c), [3] res or
 * absent, [4] scratch. The output overlaps no other argument. form: how weights are packed. Order of sums as in
 * tile_f32.h; exact. */

#include "kern/tile_f32.h"

/* One spatial dimension. */
typedef struct whet_window {
  int64_t in, out;                       /* positions */
  int64_t kernel, stride, dilation, pad; /* pad: positions before the first; those after follow from `out` */
  int64_t in_step, out_step, res_step;   /* floats between neighbouring positions */
} whet_window;

typedef struct whet_conv_f32 {
  int64_t batch;
  int64_t groups, ic, oc;                 /* channels are those of one group */
  whet_window dim[3];                     /* depth, height, width */
  int64_t in_batch, out_batch, res_batch; /* floats from one batch index to the next */
  whet_epi_f32 epi;
  int32_t l2_kb; /* second cache of one core */
  bool constant; /* weights are packed once */
  bool grow;     /* and may take half as much again */
  bool patches;  /* patches are copied: only where whet__conv_f32_low() */
  float pad_value; /* what taps outside the input read; 0 but where rows promise to look at it (exact ones do) */
} whet_conv_f32;

/* Taps lo..hi-1 of output position `at` that lie inside the input. */
static inline void whet__window_taps(const whet_window *w, int64_t at, int64_t *lo, int64_t *hi) {
  int64_t first = at * w->stride - w->pad;
  *lo = first < 0 ? whet__min_i(whet__ceil_div(-first, w->dilation), w->kernel) : 0;
  *hi = first < w->in ? whet__min_i((w->in - 1 - first) / w->dilation + 1, w->kernel) : 0;
  if (*hi < *lo) *hi = *lo;
}
/* Outputs lo..hi-1 all of whose taps lie inside the input. */
static inline void whet__window_inner(const whet_window *w, int64_t *lo, int64_t *hi) {
  int64_t last = w->in - 1 + w->pad - (w->kernel - 1) * w->dilation;
  *lo = w->pad > 0 ? whet__min_i(whet__ceil_div(w->pad, w->stride), w->out) : 0;
  *hi = last < 0 ? *lo : whet__max_i(*lo, whet__min_i(last / w->stride + 1, w->out));
}

/* Whether the lines of the image are shorter than a tile is high, and the weights too many to pass over them for each line. */
bool whet__conv_f32_low(const whet_conv_f32 *c);

/* What the rows do, over the micro-kernels of an instruction set. */
void whet__conv_f32(const void *params, void *const *ptr, int part, int parts, const whet_tiles_f32 *tiles);
size_t whet__conv_f32_scratch_on(const whet_conv_f32 *c, const whet_tiles_f32 *tiles); /* with tiles that may want room */
size_t whet__conv_f32_scratch(const void *params);  /* with others */

#endif
