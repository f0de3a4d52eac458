/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_LEARN_H
#define WHET_OP_LEARN_H

/* Attributes of Learn: see learn.c and kern/learn_f32.h. */

#include "kern/learn_f32.h"
#include "op/op.h"

typedef struct whet_learn {
  int32_t kind; /* WHET_LEARN_ */
  uint8_t nesterov, decoupled;
  float a, b, epsilon, decay;
} whet_learn;

#endif
