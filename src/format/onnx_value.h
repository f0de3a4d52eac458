/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_FORMAT_ONNX_VALUE_H
#define WHET_FORMAT_ONNX_VALUE_H

/* The .pb files of ONNX test data: one TensorProto, SequenceProto, OptionalProto or MapProto as a value. */

#include "base/base.h"
#include "whet/value.h"

/* Read bytes as a message of the kind that the model declares. E_FORMAT, E_UNSUPPORTED, E_MEMORY. */
WHET_MUST whet_status whet__onnx_value(const void *bytes, size_t n, whet_kind kind, whet_value **out, whet_err *err);

#endif
