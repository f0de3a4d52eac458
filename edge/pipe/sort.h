/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPE_SORT_H
#define WHET_EDGE_PIPE_SORT_H

/* Sorting for stages, which allocate nothing for a frame (qsort may). */

#include <stddef.h>

/* Sort n things of `size` bytes each; those that compare equal stay in order. There is room for as many behind them,
 * whose contents are lost. */
void pipe_sort(void *p, size_t n, size_t size, int (*compare)(const void *a, const void *b));

#endif
