/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MODEL_QDQ_DRAW_H
#define TESTS_MODEL_QDQ_DRAW_H

/* Random ONNX models with QuantizeLinear and DequantizeLinear, as exporters write them. */

#include "lib/build.h"

/* The model of a seed: the same bytes on every machine. */
buf qdq_draw(uint64_t seed);

#endif
