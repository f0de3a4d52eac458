/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_ACCUMULATE_H
#define WHET_OP_ACCUMULATE_H

/* How operators that write to places named by data (scatters, segments, windows) combine what lies there with what
 * comes. */

#include "op/op.h"

typedef enum whet_acc { WHET_ACC_SET, WHET_ACC_ADD, WHET_ACC_MUL, WHET_ACC_MAX, WHET_ACC_MIN } whet_acc;

/* Can elements of type t be combined so? SET takes all types, the others all but strings. BOOL: ADD and MAX are "or", MUL and MIN "and". */
bool whet__accumulates(whet_dtype t, whet_acc how);
/* out[oi] = how(out[oi], in[ii]). Floats are rounded to the type, integers wrap; NaN wins in MAX and MIN. */
void whet__accumulate(whet_dtype t, whet_acc how, void *out, int64_t oi, const void *in, int64_t ii);
/* For every index of the box dim: out[oo + index*os] = how(.., in[io + index*is]), as whet__move_box does for SET. */
void whet__accumulate_box(whet_dtype t, whet_acc how, int32_t rank, const int64_t *dim, void *out, int64_t oo,
                          const int64_t *os, const void *in, int64_t io, const int64_t *is);

#endif
