/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_PREP_MAP_H
#define WHET_KERN_PREP_MAP_H

/* Family prep_map: a row of 8-bit pixels into a row of a tensor: a function for each channel, and the layout.
 *
 *   kind FLIP:   out = in ^ flip                          (8-bit types whose table amounts to that)
 *   kind AFFINE: out = (float)in * mul[ch] + add[ch]      (f32, two roundings)
 *   kind TABLE:  out = table[ch][in]                      (elements of 1, 2, 4 or 8 bytes)
 *
 * out element (x, ch) lies at x * c + ch, or when planar at ch * plane + x. Exact.
 * Arguments: [0] in[n][c], u8, readable to its end only; [1] out, written there only; [2] table[c][256], or NULL. */

#include "kern/kern.h"

enum { WHET_PREP_FLIP, WHET_PREP_AFFINE, WHET_PREP_TABLE };

typedef struct whet_prep_map {
  int64_t n;      /* pixels */
  int64_t plane;  /* elements from a channel's plane to the next */
  int32_t c;      /* channels: 1..4 */
  uint8_t kind;   /* WHET_PREP_ */
  uint8_t planar; /* not 0: channel by channel */
  uint8_t elem;   /* bytes of an element: TABLE */
  uint8_t flip;   /* FLIP */
  float mul[4], add[4];
} whet_prep_map;

#endif
