/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EXPORT_SPARSE_H
#define WHET_EXPORT_SPARSE_H

/* Constants of which a file holds only the elements that are not zero: in TFLite by SparsityParameters, in ONNX as
 * sparse_value of a Constant. Not every reader knows them, so they are written only where that saves at least half of
 * the bytes. */

#include "export/export.h"

typedef struct whet_sparse_out {
  int64_t n;          /* elements that are not all zero bits */
  const void *values; /* of type t, in order */
  const int64_t *at;  /* their numbers */
} whet_sparse_out;

enum { WHET_SPARSE_LEAST = 1024 /* bytes of a constant that is worth it */ };

/* Take a constant of `count` elements apart; each place costs `bytes_at` bytes, and `more` bytes come on top. False:
 * as it is, it is to be written. Memory from x. */
bool whet__export_sparse(whet_export *x, whet_dtype t, int64_t count, const void *p, int bytes_at, size_t more,
                         whet_sparse_out *out);

#endif
