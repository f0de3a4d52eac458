/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_SUMS_H
#define WHET_OP_SUMS_H

/* SumsToFloat: made by pass dynamic only. */

#include "kern/sums_f32.h"
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

/* What family sums_f32 does for node n and the pointwise nodes after it: parameters, and the arguments from the scale to the
 * residual. False: not it. */
bool whet__pl_sums(whet_planner *p, const whet_node *n, whet_sums_f32 *k, whet_arg arg[WHET_SUMS_LIVE]);

#endif
