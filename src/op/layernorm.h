/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_LAYERNORM_H
#define WHET_OP_LAYERNORM_H

/* What passes that find layer normalisations may know of them. */

#include "op/op.h"

typedef struct whet_layernorm_attr {
  int64_t axis; /* dimensions from it on are normalised over; negative: from the back */
  float epsilon;
  int32_t stash; /* whet_dtype of outputs 1 and 2 */
} whet_layernorm_attr;

#endif
