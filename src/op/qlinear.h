/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_QLINEAR_H
#define WHET_OP_QLINEAR_H

/* The rows by which quantised operators of ONNX and com.microsoft are read; they stand on Reinterpret's record. */

#include "op/op.h"

extern const whet_from whet__from_qlinear[];

#endif
