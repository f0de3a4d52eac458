/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_SERVE_INFER_H
#define WHET_EDGE_SERVE_INFER_H

/* One inference request: read from JSON and binary tensors, run alone or with others, written as JSON and binary
 * tensors. */

#include "edge/serve/region.h"
#include "edge/serve/version.h"
#include "whet/value.h"

/* An input as the request gives it. */
typedef struct infer_tensor {
  bool given;
  int32_t rank;
  int64_t dims[WHET_MAX_RANK];
  size_t count;        /* elements */
  const uint8_t *data; /* dense; NULL for BYTES, and for regions */
  size_t bytes;
  uint8_t *own;         /* data made from JSON; freed with the request */
  whet_value *strings;  /* BYTES */
  serve_region *region; /* shared memory to read from, or NULL; a reference */
  size_t offset;        /* in it */
} infer_tensor;

/* An output that is wanted. */
typedef struct infer_want {
  size_t out; /* its number */
  bool binary;
  int64_t classes;      /* 0: the tensor itself; else as many classes, as BYTES */
  serve_region *region; /* shared memory to write to, or NULL */
  size_t offset, room;
} infer_want;

struct serve_req;

typedef struct serve_infer {
  serve_version *v; /* a reference */
  struct serve_req *req;
  json_text id;
  infer_tensor *in; /* v->n_in */
  infer_want *want; /* n_want */
  size_t n_want;
  int64_t rows;     /* first dimension of the inputs, when they may share a run; else 1 */
  int priority;     /* 0: first */
  int64_t arrived;  /* edge_now() */
  int64_t deadline; /* edge_now() past which nobody waits */
  whet_cancel cancel;
  struct serve_infer *next; /* in a queue */

  /* The answer. */
  whet_err err;      /* code 0: all is well */
  serve_buf *reply;  /* JSON, then binary tensors */
  size_t json_bytes; /* 0: no binary tensors follow */
  int64_t queued;    /* ns that it waited */
} serve_infer;

/* Read a request whose first json_n bytes (of n) are JSON. Takes over a reference of v. E_DATA and the like with what
 * is wrong where. regions NULL: shared memory was not asked for. */
EDGE_MUST whet_status infer_read(serve_version *v, serve_regions *regions, char *body, size_t n, size_t json_n,
                                 serve_infer **out, whet_err *err);
/* Until when a request that began to arrive at `from` waits, by its JSON, of which all n bytes are there and stay as
 * they are. INT64_MAX: that cannot be told yet. */
int64_t infer_deadline(serve_version *v, const char *json, size_t n, int64_t from);
void infer_free(serve_infer **x);

/* Can two requests share a run? */
bool infer_alike(const serve_infer *a, const serve_infer *b);
/* Run n requests at once on an instance; each gets its reply or its err. More than one: infer_alike. Counts them. */
void infer_run(serve_infer **x, size_t n, serve_instance *i);
/* Write one reply out of rows `row`.. of an instance's outputs, of `rows` in the run. */
EDGE_MUST whet_status infer_write(serve_infer *x, serve_instance *i, int64_t row, int64_t rows, whet_err *err);

#endif
