/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_CAST_H
#define WHET_OP_CAST_H

/* What others may know of Cast and BitCast, and Cast's part that reads and writes text. */

#include "op/op.h"

/* For readers: append a Cast of value x to type `to` as value y. */
whet_status whet__im_cast(whet_import *im, int32_t x, int32_t y, whet_dtype to);

/* The same to the type that value `like` has. */
whet_status whet__im_cast_like(whet_import *im, int32_t x, int32_t like, int32_t y);

/* For passes: a new Cast of value x to type `to` as value y; the node's number, -1 when memory is refused. */
int32_t whet__ed_cast(whet_edit *e, int32_t x, int32_t y, whet_dtype to);

/* Append a BitCast of value *v to a type; *v is the result then. */
whet_status whet__im_bitcast(whet_import *im, int32_t *v, whet_dtype to);

/* Input 0 or output 0 (or both) are STRING. E_DATA names text that is no number. */
whet_status whet__cast_text(const whet_args *a);

#endif
