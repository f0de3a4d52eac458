/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_FAKEQ_H
#define WHET_OP_FAKEQ_H

/* Float activations beside integer weights (TFLite's dynamic range quantisation). */

#include "op/op.h"

typedef struct whet_fakeq {
  int64_t row;        /* elements that share a step; 0: an index of the first dimension */
  uint8_t asymmetric; /* the range of a row need not lie evenly about zero */
} whet_fakeq;

/* While an operator is read: if value *x is float and weights *w are quantised integers, *x becomes x rounded by
 * HybridRound, and uint8 weights become the int8 that TFLite takes them for. */
whet_status whet__im_hybrid(whet_import *im, int64_t row, bool asymmetric, int32_t *w, int32_t *x);
/* The same for the weights among the n inputs of a recurrent operator, which rounds input 0 itself. */
whet_status whet__im_hybrid_weights(whet_import *im, int32_t *in, int n);

#endif
