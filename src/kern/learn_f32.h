/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_LEARN_F32_H
#define WHET_KERN_LEARN_F32_H

/* Family learn_f32: one step of an optimiser on n numbers x with gradients g, in place.
 *
 *   SGD    g' = g + decay x;  m = a m + g';  x = x - rate (nesterov ? g' + a m : m)
 *   ADAM   g' = g + decay x (coupled) or g;  m = a m + (1 - a) g';  v = b v + (1 - b) g'^2
 *          x = x - rate ((m c1) / (sqrt(v c2) + epsilon) + (decoupled ? decay x : 0))
 *
 * rate, c1 = 1 / (1 - a^t) and c2 = 1 / (1 - b^t) are what hyper[0..2] holds when it runs. Each operation is rounded once in the
 * order written, a m + y being fused; m and v then become (m + 1e-30) - 1e-30, which is 0 for what is below 6e-38. Exact.
 *
 * Arguments: [0] x, [1] g, [2] hyper, [3] m, [4] v or NULL. */

#include "kern/kern.h"

enum { WHET_LEARN_SGD, WHET_LEARN_ADAM };

typedef struct whet_learn_f32 {
  int32_t kind; /* WHET_LEARN_ */
  int32_t nesterov, decoupled;
  float a, b, epsilon, decay;
  int64_t n;
} whet_learn_f32;

#endif
