/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_BINARY_Q8_H
#define WHET_OP_BINARY_Q8_H

/* Quantised meaning of the binary operators: first input of 8 or 16 bits with a scale. Called first by binary.c. */

#include "op/op.h"

whet_status whet__binary_q8_plan(whet_planner *p, const whet_node *n);
whet_status whet__binary_q8_ref(const whet_args *a);
/* All three are of 16 bits with scales that are powers of two: TFLite's ADD and SUB may then shift instead of
 * rescaling (WHET_ROUND_TFL_FIX1). */
bool whet__binary_q8_pot(const whet_val *x, const whet_val *y, const whet_val *z);

#endif
