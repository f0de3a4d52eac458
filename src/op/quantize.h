/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_QUANTIZE_H
#define WHET_OP_QUANTIZE_H

/* What others may know of QuantizeLinear, DequantizeLinear and Reinterpret: passes that move them, readers that make
 * them. */

#include "op/op.h"

/* Attributes of QuantizeLinear and DequantizeLinear. Where scale and zero point are inputs 1 and 2, axis and block
 * say how they are spread; else they stand on the quantised value and only the types count. */
typedef struct whet_quantize_attr {
  int32_t axis;     /* negative: from the back */
  int64_t block;    /* neighbours along `axis` that share a scale; 0: one scale for each index, or one for all */
  uint8_t dtype;    /* of the output, whet_dtype; 0: as scale (Dequantize) or zero point (Quantize) have it */
  uint8_t wide;     /* float8 results overflow instead of saturating */
  uint8_t division; /* QuantizeLinear: whet_dtype to which x / scale is rounded; 0: the scale's */
} whet_quantize_attr;

/* For readers. A new value of type t (NONE: told by shape rules) that holds quantised numbers with constant
 * parameters: `scale` and `zero` (-1: zeros) are value numbers. -1: the parameters are not constant, or not finite
 * and positive, or `axis` cannot be told yet: then they must stay inputs; -2: memory is refused. */
int32_t whet__im_quantised(whet_import *im, whet_dtype t, int32_t rank, int32_t scale, int32_t zero, int64_t axis,
                           int64_t block, const char *suffix);
/* Append Reinterpret from value `in` to `out`: the same numbers under other parameters. */
whet_status whet__im_reinterpret(whet_import *im, int32_t in, int32_t out);

#endif
