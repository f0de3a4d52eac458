/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_EINSUM_H
#define WHET_OP_EINSUM_H

/* What passes may know of Einsum. */

#include "op/op.h"

typedef struct whet_einsum_attr {
  whet_str equation;
} whet_einsum_attr;

/* An Einsum as a matrix product: inputs turned by in[0] and in[1], multiplied, the result turned by out. */
typedef struct whet_einsum_product {
  int32_t n; /* dimensions of each */
  int64_t in[2][WHET_MAX_RANK], out[WHET_MAX_RANK];
} whet_einsum_product;

/* Two terms of letters that stand once each, of which one is summed, one is the first's alone, one the second's, and the
 * rest are in all three. False when the equation is none such, or does not fit inputs of these ranks. */
bool whet__einsum_product(const whet_einsum_attr *at, const int32_t rank[2], whet_einsum_product *p);

#endif
