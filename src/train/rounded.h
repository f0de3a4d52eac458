/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_TRAIN_ROUNDED_H
#define WHET_TRAIN_ROUNDED_H

/* Training with the rounding that quantisation will bring (quantisation-aware training). */

#include "pass/pass.h"
#include "train/train.h"

/* Round what layers read, as `how` says; shapes of the pass must be known. */
WHET_MUST whet_status whet__train_rounded(whet_pass *p, whet_edit *e, whet_rounded how, whet_err *err);

#endif
