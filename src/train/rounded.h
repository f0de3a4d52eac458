/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_ROUNDED_H
#define WHET_TRAIN_ROUNDED_H

/* Training with the rounding that quantisation will bring (quantisation-aware training). */

#include "pass/pass.h"
#include "train/graph.h"

/* Round what layers read, as `how` says, and note it with the weights of t; shapes of the pass must be known. */
WHET_MUST whet_status whet__train_rounded(whet_pass *p, whet_edit *e, whet_rounded how, whet_train_graph *t, whet_err *err);
/* The weights of x as layers have read them. */
void whet__round_weights(const whet_trained *x, const whet_shape *s, float *w);

#endif
