/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_CAST_H
#define WHET_OP_CAST_H

/* What others may know of Cast, and its part that reads and writes text. */

#include "op/op.h"

/* For readers: append a Cast of value x to type `to` as value y. */
whet_status whet__im_cast(whet_import *im, int32_t x, int32_t y, whet_dtype to);

/* Input 0 or output 0 (or both) are STRING. E_DATA names text that is no number. */
whet_status whet__cast_text(const whet_args *a);

#endif
