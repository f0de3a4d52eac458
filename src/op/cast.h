/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_CAST_H
#define WHET_OP_CAST_H

/* The part of Cast that reads and writes text. */

#include "op/op.h"

/* Input 0 or output 0 (or both) are STRING. E_DATA names text that is no number. */
whet_status whet__cast_text(const whet_args *a);

#endif
