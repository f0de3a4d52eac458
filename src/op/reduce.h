/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_REDUCE_H
#define WHET_OP_REDUCE_H

/* What others may know of the reductions: passes that find or make them, quantised meanings. */

#include "op/op.h"

/* Attributes of every reduction. The axes are constant here or, when there is a second input, computed. */
typedef struct whet_reduce_attr {
  whet_ints axes; /* negative ones count from the back; n 0 and no second input: all, or with `none` none */
  bool keep;      /* reduced dimensions stay as 1 */
  bool none;      /* no axes mean no reduction */
} whet_reduce_attr;

/* Axes of an operator's list, or of its input number `in` when it has one, marked among `rank`; *count of them (0:
 * the list is empty). WHET_LATE when the input is not known yet. */
whet_status whet__infer_axes(whet_infer *f, const whet_ints *list, int in, int32_t rank, bool *mark, int32_t *count);

/* What a reduction over marked axes makes of a shape. */
whet_shape whet__reduced_shape(const whet_shape *s, const bool *mark, bool keep);

/* The axes of a planned or running reduction, marked. False when they are not known. */
bool whet__pl_reduce_axes(const whet_planner *p, const whet_node *n, bool *mark);
void whet__ref_reduce_axes(const whet_args *a, bool *mark);

#endif
