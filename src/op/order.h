/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_ORDER_H
#define WHET_OP_ORDER_H

/* An order of elements of any type, and sorting by it: for operators whose results depend on which element is less. */

#include "op/op.h"

/* Element i of a against element j of b, both of type t: less than 0, 0, more. A NaN is greater than every number and
 * equals every NaN; complex numbers compare by their real parts first, strings byte by byte. */
int whet__compare(whet_dtype t, const void *a, int64_t i, const void *b, int64_t j);

/* 0 .. n-1 sorted; equal ones keep their order. a and b: room for n each; the answer is one of them. */
int64_t *whet__sort_places(int64_t n, int64_t *a, int64_t *b, int (*compare)(const void *ctx, int64_t i, int64_t j),
                           const void *ctx);

#endif
