/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_QLINEAR_H
#define WHET_OP_QLINEAR_H

/* The rows by which quantised operators of ONNX and com.microsoft are read; they stand on Reinterpret's record. */

#include "op/op.h"

extern const whet_from whet__from_qlinear[];

/* com.microsoft MatMulNBits and MatMulBnb4, and the weights of QMoE's experts (few_bits.c). */
whet_status whet__few_matmul_nbits(whet_import *im, const whet_op *op);
whet_status whet__few_matmul_bnb4(whet_import *im, const whet_op *op);
whet_status whet__few_experts(whet_import *im, const whet_op *op);

#endif
