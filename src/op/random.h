/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_RANDOM_H
#define WHET_OP_RANDOM_H

/* Attributes of the operators that draw random numbers. */

#include "op/op.h"

typedef struct whet_random {
  whet_ints shape;
  int64_t samples; /* Multinomial */
  int32_t dtype;   /* whet_dtype of the output; NONE: the input's */
  uint32_t seed;
  float a, b;  /* low and high, or mean and scale */
  bool seeded; /* every run draws what the seed says */
} whet_random;

#endif
