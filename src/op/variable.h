/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_VARIABLE_H
#define WHET_OP_VARIABLE_H

/* State that lives from run to run: values of role VARIABLE. An operator with WHET_OP_STATE may write its inputs of
 * that role: a reference through in[k].data, a step through whet__wr(value). */

#include "op/op.h"

/* The variable of that name, made when new; -1 when memory is refused. */
int32_t whet__variable(whet_graph *g, const char *name);

/* A new variable with a made-up name, of type t and shape d, zero at first. -1 when memory is refused. */
int32_t whet__variable_new(whet_graph *g, const char *suffix, whet_dtype t, int32_t rank, const int64_t *d);

/* If all that region r does is give constants to variables, make those their first values and answer true: r can go.
 */
bool whet__variables_init(whet_graph *g, const whet_region *r);

#endif
