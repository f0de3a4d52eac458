/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_GRADIENT_H
#define WHET_OP_GRADIENT_H

/* The attributes of Gradient, for the pass that writes it out. */

#include "op/op.h"

/* Inputs: values for xs and zs, then xs and zs themselves, then y. */
typedef struct whet_gradient {
  int32_t xs, zs; /* how many of each */
} whet_gradient;

#endif
