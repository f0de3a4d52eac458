/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_CONV_Q8_H
#define WHET_KERN_CONV_Q8_H

/* Family conv_q8: convolution of 8-bit pictures [image][h][w][c] with 8-bit weights, 32-bit sums, and what out_q8.h
 * does with them. Every row is exact.
 *
 *   sum[n][y][x][o] = bias[o] + sum over i, j, c of
 *       (in[n][y*stride_h + i*dil_h - pad_top][x*stride_w + j*dil_w - pad_left][c] - in_zero) * (w[o][i][j][c] -
 * w_zero[o])
 *
 * where in[] outside the picture is in_zero. Pixels lie in_pitch and out_pitch elements apart, rows and images follow
 * without gaps. A matrix product is the case kh = kw = in_h = out_h = images = 1.
 *
 * Arguments: [0] in, [1] packed weights, [2] out, [3] table of 256 bytes or none, [4] scratch; with live sums, [5] scale to
 * [10] residual as [2] to [7] of sums_f32.h.
 *
 * Kernels see activations as unsigned: signed bytes are taken with their top bit turned, zero points moved by 128.
 * Weights are signed, unsigned ones moved by 128 likewise. Then
 *
 *   sum = (bias - in_zero * W + K * in_zero * w_zero) + sum(in * w) - w_zero * sum(in),  W = sum of w, K = products
 *
 * and the first bracket is the packed bias; borders are filled with in_zero.
 *
 * Packed weights (whet__conv_q8_layout): bias s32[n], factors (out_q8.h), w_zero s32[n] where there are any, then
 * form 1: panels s8 [group][block of 16 outputs][k/4][16][4], k running over (kh, kw, c) with each run of kw*c (each
 * c when dil_w > 1) rounded up to a multiple of 4 by zeros; n counts the outputs of all blocks, padded ones included.
 * Form 2, for portable code: rows s8 [group][output][k], k as above, the whole rounded up to 16.
 * Form 3: Winograd's transform of 3 x 3 kernels less their zero points, s16 [place of 36][block of 16][ic/2][16][2]; the
 * bias is that of in_zero - 128. See x86/wino_q8_body.h.
 * Form 4: as form 1, for kernels that see activations as signed, unsigned ones with their top bit turned: the bias is
 * that of in_zero - 128.
 * Form 5: as form 1, runs rounded up to whole steps of at most 16 groups of four (whet__conv_q8_steps), for tiles of
 * registers that multiply so many at once.
 * Form 6: as form 4 with the outputs of a block next to each other, s8 [group][block of 16 outputs][k][16].
 * Form 7: as form 1, in the order [k/2][16][2], for products of 16-bit numbers.
 * Form 8: as form 4 in groups of eight, runs rounded up to whole ones: s8 [group][block of 16 outputs][k/8][16][8].
 * Form 9: for sums of two products in 16 bits, which an activation as an unsigned byte and weights of one sign may leave. As form 1
 * by four outputs (whet__conv_q8_fours), s8 [k/4][4][4] with u8 [4] after each 16: which of the two pairs of an output's four
 * are turned (bits 6 and 7). The first weight of such a pair is negated, and its activation a to be taken as 255 - a; the
 * bias makes up for that. */

#include "kern/kern.h"
#include "kern/out_q8.h"

typedef struct whet_conv_q8 {
  int32_t images, in_h, in_w, in_c; /* in_c: channels of all groups */
  int32_t out_h, out_w, out_c;
  int32_t kh, kw, stride_h, stride_w, dil_h, dil_w, pad_top, pad_left, groups;
  int64_t in_pitch, out_pitch; /* elements between pixels, >= channels */
  int32_t in_zero;             /* as an unsigned byte */
  uint8_t in_signed;           /* the activations are s8 */
  uint8_t w_zeros;             /* weights have zero points */
  uint8_t small; /* sums of products of activations less 128 are below 2^25, and weights may take eight times their size */
  whet_out_q8 out;
  whet_sums_f32 sums; /* with out.live: what becomes of sums; rows are all results, y_pitch is out_pitch */
} whet_conv_q8;

/* What stands for the table of 256 bytes where tiles are stored: that, or *live. */
static inline const uint8_t *whet__conv_q8_table(const whet_conv_q8 *p, void *const *ptr, whet_sums_live *live) {
  if (!p->out.live) return ptr[3];
  *live = (whet_sums_live){&p->sums, ptr[2], ptr + 5};
  return (const void *)live;
}

enum {
  WHET_CONV_Q8_PANELS = 1,
  WHET_CONV_Q8_ROWS = 2,
  WHET_CONV_Q8_WINO = 3,
  WHET_CONV_Q8_SIGNED = 4,
  WHET_CONV_Q8_STEPS = 5,
  WHET_CONV_Q8_LANES = 6,
  WHET_CONV_Q8_WORDS = 7,
  WHET_CONV_Q8_EIGHTS = 8,
  WHET_CONV_Q8_TURNED = 9
};
/* Weights lie in panels. */
static inline bool whet__conv_q8_panels(uint8_t form) {
  return form == WHET_CONV_Q8_PANELS || form == WHET_CONV_Q8_SIGNED || form == WHET_CONV_Q8_STEPS ||
         form == WHET_CONV_Q8_LANES || form == WHET_CONV_Q8_WORDS || form == WHET_CONV_Q8_EIGHTS ||
         form == WHET_CONV_Q8_TURNED;
}
/* Activations are seen as signed. */
static inline bool whet__conv_q8_signed(uint8_t form) {
  return form == WHET_CONV_Q8_SIGNED || form == WHET_CONV_Q8_LANES || form == WHET_CONV_Q8_EIGHTS;
}

/* Form 5: steps in a run of k4 groups of four. Each takes the same number of groups, and what fills the last is less
 * than WHET_SLACK bytes. */
static inline int64_t whet__conv_q8_steps(int64_t k4) { return whet__ceil_div(k4, 16); }

/* Form 9, four outputs of n groups of four of k: first s32, not 0: -128 was to be negated somewhere. It became 127 there, and what
 * is missing, its activation once less, stands as bits in a byte for each group at the end: 2 * output + pair. */
enum { WHET_CONV_Q8_FOURS = 20 }; /* bytes of a group */
static inline int64_t whet__conv_q8_fours(int64_t n) { return 4 + n * WHET_CONV_Q8_FOURS + (n + 3) / 4 * 4; }

/* Where things lie in packed weights, in bytes, and the numbers behind it. */
typedef struct whet_conv_q8_layout {
  int64_t ic, oc;                                /* channels of one group */
  int64_t segs, seg_k;                           /* runs, elements in one run before rounding */
  int64_t k4;                                    /* groups of four elements in one run */
  int64_t blocks;                                /* blocks of 16 outputs in a group */
  int64_t block;                                 /* bytes of a block in a panel */
  int64_t n;                                     /* outputs with padding: groups * blocks * 16 */
  size_t factors, w_zero, weights, group, bytes; /* offsets; bytes of a group's weights; all bytes */
} whet_conv_q8_layout;

/* What the layout depends on. */
typedef struct whet_conv_q8_shape {
  int32_t groups, in_c, out_c, kh, kw;
  uint8_t apart; /* dil_w > 1: each kernel column is a run of its own */
  uint8_t w_zeros, form, spare;
  whet_out_q8 out; /* whet__factors_of() */
} whet_conv_q8_shape;
whet_conv_q8_shape whet__conv_q8_shape_of(const whet_conv_q8 *p, uint8_t form);
whet_conv_q8_layout whet__conv_q8_layout(const whet_conv_q8_shape *s);
static inline whet_conv_q8_layout whet__conv_q8_layout_of(const whet_conv_q8 *p, uint8_t form) {
  whet_conv_q8_shape s = whet__conv_q8_shape_of(p, form);
  return whet__conv_q8_layout(&s);
}

/* Description of packed weights, compared as bytes: zero it first. float w_scale[n_scale] and int32_t w_zero[n_zero]
 * follow; n_scale is 1 or out_c, n_zero 0 (not for U8), 1 or out_c. */
typedef struct whet_conv_q8_pack {
  uint32_t size; /* of all this */
  whet_conv_q8_shape shape;
  uint8_t w_type;    /* whet_dtype: S8, U8, S4, U4 */
  uint8_t bias_type; /* S32; 0: none */
  uint8_t parts;     /* each group is so many of the source's, side by side, with zeros for what they do not share; 0: one */
  uint8_t spare;
  int32_t in_zero;           /* as an unsigned byte */
  float in_scale, out_scale; /* F32 results: out_scale is 1 */
  int32_t n_scale, n_zero, spare1;
  int64_t at; /* where the source weights begin; strides of them, [group][oc][ic][kh][kw], in elements */
  int64_t at_g, at_o, at_i, at_y, at_x;
} whet_conv_q8_pack;
static inline float *whet__conv_q8_scales(const whet_conv_q8_pack *p) { return (float *)(uintptr_t)(p + 1); }
static inline int32_t *whet__conv_q8_zeros(const whet_conv_q8_pack *p) {
  return (int32_t *)(void *)(whet__conv_q8_scales(p) + p->n_scale);
}
/* Bytes of a description. */
static inline size_t whet__conv_q8_pack_size(int32_t n_scale, int32_t n_zero) {
  return sizeof(whet_conv_q8_pack) + (size_t)(n_scale + n_zero) * 4;
}
size_t whet__conv_q8_bytes(const void *params);
/* src: [0] weights, [1] bias or NULL. */
void whet__conv_q8_do_pack(const void *params, const void *const *src, void *dst, int part, int parts);

/* True when no tap falls outside the picture. */
bool whet__conv_q8_inside(const whet_conv_q8 *p);

#endif
