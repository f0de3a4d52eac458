/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_CUT_H
#define WHET_OP_CUT_H

/* Taking a box out of a tensor with a start and a step in each dimension: what Slice and StridedSlice share. */

#include "op/move.h"

typedef struct whet_cut {
  int32_t rank;                 /* of the input */
  int64_t start[WHET_MAX_RANK]; /* first index taken */
  int64_t step[WHET_MAX_RANK];  /* not 0 */
  whet_dim count[WHET_MAX_RANK];
} whet_cut;

/* Elements from..to (exclusive) with a step, of a dimension of size dim: negative bounds count from the end, and both
 * are clamped. Fills dimension d of the cut. */
void whet__cut_range(whet_cut *c, int32_t d, int64_t dim, int64_t from, int64_t to, int64_t step);

/* Copy the box of `in` that the cut describes to `out`, whose elements in row-major order are the box's. */
void whet__cut_ref(const whet_cut *c, const whet_tensor *in, const whet_tensor *out);

/* The same as a part of the input, a view, or a copy step. out_rank dimensions of the output may leave out or add
 * some of size 1. */
whet_status whet__cut_plan(whet_planner *p, const whet_node *n, const whet_cut *c);

/* Output 0 holds what the cut of a known vector leaves. */
void whet__cut_known(whet_infer *f, const whet_cut *c);

#endif
