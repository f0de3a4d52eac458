/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_DW_Q8_H
#define WHET_KERN_DW_Q8_H

/* Family dw_q8: depthwise convolution of 8-bit pictures [image][h][w][c], one filter for each channel, 32-bit sums,
 * and what out_q8.h does with them. Every row is exact.
 *
 *   sum[n][y][x][c] = bias[c] + sum over i, j of
 *       (in[n][y*stride_h + i*dil_h - pad_top][x*stride_w + j*dil_w - pad_left][c] - in_zero) * (w[i][j][c] -
 * w_zero[c])
 *
 * with the conventions of conv_q8.h: outside is in_zero, activations are seen as unsigned, pixels lie in_pitch and
 * out_pitch elements apart. Arguments: [0] in, [1] packed weights, [2] out, [3] table of 256 bytes or none, [4]
 * scratch.
 *
 * Packed weights: bias s32[n], factors of n channels, w_zero s32[n] in form 1 where there are any, weights; n is the
 * channels rounded up to 64. The bias has -in_zero * sum(w - w_zero) added.
 * Form 1: s8 [block of 64][group of 4 taps][j of 4][16][4], unsigned weights moved by 128; bias, factors and the 16
 * lanes stand in the order that interleaving bytes leaves: lane 4q+i of j is channel 16q + 4j + i of the block. A last
 * block of at most 8, 16 or 32 channels is repeated through its 64. Taps: whet__dw_q8_dots_tap.
 * Form 2: s16 [block of 16][pair of taps][2][8][2], w - w_zero; halves 0 and 1 hold channels 0-3, 8-11 and 4-7,
 * 12-15; where there are at most 8 channels these stand once more in place of 8 to 15. Form 3: s16 [tap][n], w -
 * w_zero. Form 4: s8 [group of 4 taps][n][4], taps as in form 1, for weights without zero points. */

#include "kern/kern.h"
#include "kern/out_q8.h"

typedef struct whet_dw_q8 {
  int32_t images, in_h, in_w, channels, out_h, out_w;
  int32_t kh, kw, stride_h, stride_w, dil_h, dil_w, pad_top, pad_left;
  int64_t in_pitch, out_pitch;
  int32_t in_zero; /* as an unsigned byte */
  uint8_t in_signed, w_zeros;
  whet_out_q8 out;
} whet_dw_q8;

enum { WHET_DW_Q8_DOTS = 1, WHET_DW_Q8_PAIRS = 2, WHET_DW_Q8_TAPS = 3, WHET_DW_Q8_GROUPS = 4 };

/* Where things lie in packed weights, in bytes. */
typedef struct whet_dw_q8_layout {
  int64_t n;     /* channels, rounded up to 64 */
  int64_t taps;  /* kh * kw */
  int64_t slots; /* taps with padding, as the form counts them */
  size_t factors, w_zero, weights, bytes;
} whet_dw_q8_layout;

typedef struct whet_dw_q8_shape {
  int32_t channels, kh, kw;
  uint8_t form, w_zeros, spare[2];
  whet_out_q8 out; /* whet__factors_of() */
} whet_dw_q8_shape;
whet_dw_q8_layout whet__dw_q8_layout(const whet_dw_q8_shape *s);
static inline whet_dw_q8_layout whet__dw_q8_layout_of(const whet_dw_q8 *p, uint8_t form) {
  whet_dw_q8_shape s = {p->channels, p->kh, p->kw, form, p->w_zeros, {0}, p->out};
  return whet__dw_q8_layout(&s);
}

/* Weights are bytes, taps in groups of four. */
static inline bool whet__dw_q8_fours(uint8_t form) { return form == WHET_DW_Q8_DOTS || form == WHET_DW_Q8_GROUPS; }
/* Kernel row and column of a slot of these forms; false for padding. Taps run down each kernel column, every column padded to
 * 4, when kh <= 4; of 5 x 5 rows 0 to 3 stand so, then row 4 from the left, then its last tap in the last slot; else
 * they run through rows and columns. */
static inline bool whet__dw_q8_dots_tap(int64_t kh, int64_t kw, int64_t slot, int64_t *y, int64_t *x) {
  *y = slot % 4, *x = slot / 4;
  if (kh <= 4) return *y < kh;
  if (kh == 5 && kw == 5) {
    if (slot < 20) return true;
    *x = slot < 24 ? slot % 4 : 4, *y = 4;
    return slot < 24 || slot == 27;
  }
  *y = slot / kw, *x = slot % kw;
  return slot < kh * kw;
}

/* Description of packed weights, compared as bytes: zero it first. float w_scale[n_scale], int32_t w_zero[n_zero]
 * follow; each n is 1 or the channels, n_zero may be 0. */
typedef struct whet_dw_q8_pack {
  uint32_t size;
  whet_dw_q8_shape shape;
  uint8_t w_type, bias_type; /* S8, U8, S4, U4; S32 or 0 */
  uint8_t spare[2];
  int32_t in_zero;
  float in_scale, out_scale;
  int32_t n_scale, n_zero, spare1;
  int64_t at_c, at_y, at_x; /* strides of the source weights, in elements */
} whet_dw_q8_pack;
static inline float *whet__dw_q8_scales(const whet_dw_q8_pack *p) { return (float *)(uintptr_t)(p + 1); }
static inline int32_t *whet__dw_q8_zeros(const whet_dw_q8_pack *p) {
  return (int32_t *)(void *)(whet__dw_q8_scales(p) + p->n_scale);
}
static inline size_t whet__dw_q8_pack_size(int32_t n_scale, int32_t n_zero) {
  return sizeof(whet_dw_q8_pack) + (size_t)(n_scale + n_zero) * 4;
}
size_t whet__dw_q8_bytes(const void *params);
/* src: [0] weights, [1] bias or NULL. */
void whet__dw_q8_do_pack(const void *params, const void *const *src, void *dst, int part, int parts);

#endif
