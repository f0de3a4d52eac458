/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_REDUCE_Q8_H
#define WHET_OP_REDUCE_Q8_H

/* Quantised meaning of the reductions: input of 8 or 16 bits with a scale. Called first by reduce.c. */

#include "op/op.h"

whet_status whet__reduce_q8_plan(whet_planner *p, const whet_node *n);
whet_status whet__reduce_q8_ref(const whet_args *a);

#endif
