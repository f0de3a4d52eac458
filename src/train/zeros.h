/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_ZEROS_H
#define WHET_TRAIN_ZEROS_H

/* Weights that stay zero while the others are trained, and become more where they are to. What is zero is told by the
 * weights themselves: whoever goes on from a checkpoint needs nothing else. */

#include "train/checkpoint.h"
#include "train/graph.h"

typedef struct whet_zeros whet_zeros;

/* var: the variables of g, trained ones first, then the optimiser's; they stay where they are. how NULL: what is zero
 * stays zero, and that is all. E_UNSUPPORTED: no layer is trained. */
WHET_MUST whet_status whet__zeros_open(whet_model *m, const whet_sparsity *how, const whet_train_graph *g, bool adam,
                                       const whet_memory *var, whet_mem *mem, whet_zeros **out, whet_err *err);
void whet__zeros_close(whet_zeros **z);
/* What is zero now is what stays zero from now on: when the variables have been filled. */
void whet__zeros_note(whet_zeros *z);
/* After step number `step` of `steps`, from 1: what was zero is zero again, and more where the schedule says so. */
WHET_MUST whet_status whet__zeros_step(whet_zeros *z, int64_t step, int64_t steps, whet_err *err);

#endif
