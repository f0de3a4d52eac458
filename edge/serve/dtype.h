/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_DTYPE_H
#define WHET_EDGE_SERVE_DTYPE_H

/* Element types under the names of the Open Inference Protocol. */

#include "edge/serve/json.h"

typedef struct serve_dtype {
  const char *name; /* "FP32" */
  whet_dtype whet;
  size_t bytes; /* of one element; 0: BYTES, which have a length each */
  bool json;    /* can be told as JSON numbers, booleans or strings; the others are binary only */
} serve_dtype;

/* NULL: the protocol has no name for it. */
const serve_dtype *dtype_of(whet_dtype t);
const serve_dtype *dtype_named(json_text name);

#endif
