/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_HEAP_H
#define WHET_EDGE_SERVE_HEAP_H

/* The memory of one version: what its model, program and instances hold lies in pages of its own, which go when it is
 * closed. Nothing of it lies between what others hold, so that reloads leave no holes however long they go on. */

#include "whet/model.h"

typedef struct serve_heap serve_heap;

/* NULL: no memory. */
serve_heap *heap_create(void);
/* For whet_model_opts; any thread. */
const whet_allocator *heap_allocator(serve_heap *h);
/* When all that was taken has been given back. */
void heap_close(serve_heap **h);

#endif
