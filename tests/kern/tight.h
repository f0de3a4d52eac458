/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TESTS_KERN_TIGHT_H
#define WHET_TESTS_KERN_TIGHT_H

/* Whether results of a case are tight, see whet_out_q8. */

#include <math.h>
#include <stdlib.h>

#include "kern/check.h"
#include "kern/out_q8.h"

/* n outputs with k weights each, at_n and at_k apart; arrays of one element serve all of them. */
typedef struct products {
  int64_t n, k, at_n, at_k;
  whet_dtype w_type;
  const uint8_t *w;
  const int32_t *bias, *zero; /* or NULL */
  const float *scale;
  int64_t n_zero, n_scale;
  int in_zero;  /* as an unsigned byte */
  float factor; /* what scales are multiplied by */
} products;

static inline bool tight(const products *p) {
  const int far = p->in_zero > 127 ? p->in_zero : 255 - p->in_zero;
  for (int64_t o = 0; o < p->n; o++) {
    const int zero = p->zero ? p->zero[p->n_zero > 1 ? o : 0] : 0;
    double most = p->bias ? fabs((double)p->bias[o]) : 0;
    for (int64_t i = 0; i < p->k; i++) {
      const uint8_t w = p->w[o * p->at_n + i * p->at_k];
      most += (double)far * abs((p->w_type == WHET_U8 ? w : (int8_t)w) - zero);
    }
    if (!(most * (double)p->scale[p->n_scale > 1 ? o : 0] * (double)p->factor < WHET_TIGHT - 100)) return false;
  }
  return true;
}

#endif
