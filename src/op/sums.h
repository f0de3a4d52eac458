/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_SUMS_H
#define WHET_OP_SUMS_H

/* SumsToFloat: made by pass dynamic only. */

#include "op/op.h"

typedef struct whet_sums {
  int32_t axis; /* the dimension of output channels */
} whet_sums;
/* Its inputs; those from ZERO on may be missing. */
enum {
  WHET_SUMS_SUM,
  WHET_SUMS_SCALE,
  WHET_SUMS_ZERO,
  WHET_SUMS_WEIGHTS,
  WHET_SUMS_W_SCALE,
  WHET_SUMS_BIAS,
  WHET_SUMS_IN
};

#endif
