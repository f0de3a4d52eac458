/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_PACK_F32_H
#define WHET_KERN_PACK_F32_H

/* Pack weights and bias for the float matrix families: panels as tile_f32.h says, read from any order of dimensions
 * through strides, so that one packer serves OIHW, OHWI, IHWO, HWIO, KN, NK and transposed convolutions (negative
 * steps). */

#include "base/base.h"

enum { WHET_PACK_DIGITS = 4 };

typedef struct whet_pack_f32 {
  uint16_t form;                    /* WHET_PANEL_ */
  uint8_t dtype, bias_dtype;        /* F32, F16, BF16 or F64; bias NONE: zeros */
  int64_t groups, n;                /* groups of n columns each */
  int64_t k[WHET_PACK_DIGITS];      /* a row of a panel is (k0, k1, k2, k3), k3 fastest: sizes */
  int64_t at;                       /* element of group 0, column 0, row 0 */
  int64_t group_step, n_step;       /* elements from (the source's) group to group, column to column */
  int64_t k_step[WHET_PACK_DIGITS]; /* elements for each digit of the row */
  int64_t parts; /* each group is so many of the source's, side by side, with zeros for what they do not share; 0: one. Forms of floats */
} whet_pack_f32;

/* Rows of a panel. */
static inline int64_t whet__pack_f32_k(const whet_pack_f32 *p) { return p->k[0] * p->k[1] * p->k[2] * p->k[3]; }
/* Bytes of all groups. */
size_t whet__pack_f32_bytes(const void *params);
/* src[0]: weights, src[1]: bias of groups x n or NULL; any alignment. */
void whet__pack_f32(const void *params, const void *const *src, void *dst, int part, int parts);

/* The same for quantised integers of any width (p.dtype): weights are scale * (stored - zero). */
typedef struct whet_pack_q_f32 {
  uint32_t size; /* of all of this, in bytes */
  int32_t n;     /* scales: 1, or one for each column of each group */
  whet_pack_f32 p;
  struct whet_pack_scale {
    float scale;
    int32_t zero;
  } channel[];
} whet_pack_q_f32;
size_t whet__pack_q_f32_bytes(const void *params);
void whet__pack_q_f32(const void *params, const void *const *src, void *dst, int part, int parts);

#endif
