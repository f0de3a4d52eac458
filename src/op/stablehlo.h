/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_STABLEHLO_H
#define WHET_OP_STABLEHLO_H

/* Readers of StableHLO's general products and reductions, for the records of the operators that they become. */

#include "op/op.h"

whet_status whet__stablehlo_convolution(whet_import *im, const whet_op *op);
whet_status whet__stablehlo_dot_general(whet_import *im, const whet_op *op);
whet_status whet__stablehlo_reduce(whet_import *im, const whet_op *op);

/* Bodies of several pointwise operators (stablehlo_body.c): of a STABLEHLO_SORT along an axis, and subgraph `body` of a
 * STABLEHLO_REDUCE. */
whet_status whet__stablehlo_sort_body(whet_import *im, int32_t axis);
whet_status whet__stablehlo_reduce_body(whet_import *im, whet_ints axes, int64_t body);

#endif
