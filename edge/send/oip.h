/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SEND_OIP_H
#define WHET_EDGE_SEND_OIP_H

/* What the client of the Open Inference Protocol v2 (and its binary tensor extension) says and reads; no network. */

#include "edge/cascade/remote.h"
#include "edge/serve/buf.h"

/* One tensor for the model's first input. */
typedef struct oip_case {
  const char *id; /* NULL: none */
  int32_t rank;
  const int64_t *dims;
  const void *data;
  size_t bytes;
} oip_case;

/* Numbers of an answer, in memory that is used again. */
typedef struct oip_numbers {
  float *v;
  size_t n, cap;
} oip_numbers;

/* A model's metadata: names, types and shapes of its first input and output. E_DATA: none of the protocol's. */
EDGE_MUST whet_status oip_read_model(const serve_buf *text, remote_info *out, whet_err *err);
/* The body of a request, in place of what b holds; *head: bytes of JSON before a binary tensor, all if there is none.
 * E_UNSUPPORTED: a type that JSON does not have. */
EDGE_MUST whet_status oip_write(const remote_info *model, const oip_case *x, serve_buf *b, size_t *head,
                                whet_err *err);
/* The first output of an answer, of whose bytes `head` are JSON. E_DATA: it is none, or holds no numbers. */
EDGE_MUST whet_status oip_read(const serve_buf *answer, size_t head, oip_numbers *out, whet_err *err);

#endif
