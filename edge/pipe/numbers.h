/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPE_NUMBERS_H
#define WHET_EDGE_PIPE_NUMBERS_H

/* Elements of whatever type as numbers. Needs nothing of libwhet: libwhet_link has it, too. */

#include <stdbool.h>
#include <stddef.h>

#include "whet/types.h"

/* n elements from `first` on, as they are stored; false: a type that holds no numbers of whole bytes. */
bool pipe_numbers(whet_dtype t, const void *p, size_t first, size_t n, float *out);
/* One of them, without loss but of 64-bit integers. */
bool pipe_number(whet_dtype t, const void *p, size_t i, double *out);

#endif
