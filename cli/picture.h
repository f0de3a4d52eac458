/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_CLI_PICTURE_H
#define WHET_CLI_PICTURE_H

/* Pictures into the tensor that an input wants. */

#include "input.h"
#include "whet/codec.h"

/* "A,B,C" of at most four numbers; how many, 0 when the text is none. */
int cli_numbers(const char *s, float out[4]);
/* "LO..HI" */
bool cli_range(const char *s, float *lo, float *hi);

/* The tensor for input i (of what `info` says) out of a decoded picture. Errors say what does not fit. */
WHET_MUST whet_status cli_picture_tensor(const cli_model *m, size_t i, const whet_info *info, const whet_picture *p,
                                         const cli_input_opts *o, whet_value **out, const char **note, whet_err *err);

#endif
