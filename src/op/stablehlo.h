/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_STABLEHLO_H
#define WHET_OP_STABLEHLO_H

/* Readers of StableHLO's general products and reductions, for the records of the operators that they become. */

#include "op/op.h"

whet_status whet__stablehlo_convolution(whet_import *im, const whet_op *op);
whet_status whet__stablehlo_dot_general(whet_import *im, const whet_op *op);
whet_status whet__stablehlo_reduce(whet_import *im, const whet_op *op);

#endif
