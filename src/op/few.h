/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_FEW_H
#define WHET_OP_FEW_H

#include "op/op.h"

/* Attributes of DenseFew. */
typedef struct whet_dense_few {
  int32_t n, k, block; /* outputs, inputs, and how many of these share a scale: a multiple of 8 that divides them */
} whet_dense_few;

#endif
