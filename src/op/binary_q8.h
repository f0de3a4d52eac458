/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_BINARY_Q8_H
#define WHET_OP_BINARY_Q8_H

/* Quantised meaning of the binary operators: first input of 8 or 16 bits with a scale. Called first by binary.c. */

#include "op/op.h"

whet_status whet__binary_q8_plan(whet_planner *p, const whet_node *n);
whet_status whet__binary_q8_ref(const whet_args *a);

#endif
