/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_CASCADE_REMOTE_H
#define WHET_EDGE_CASCADE_REMOTE_H

/* A model elsewhere, behind the Open Inference Protocol v2 over HTTP: whet serve, Triton, KServe, MLServer. */

#include "edge/edge.h"
#include "whet/whet.h"

typedef struct remote remote;

typedef struct remote_opts {
  const char *url;             /* http(s)://HOST:PORT, before /v2 */
  const char *model, *version; /* version NULL: the newest */
  const char *token;           /* "Authorization: Bearer ..."; NULL: none */
  const char *ca, *cert, *key; /* TLS, files in PEM; NULL: the system's, none */
  double timeout;              /* seconds for an answer; 0: 10 */
  double hedge;  /* after so many seconds without an answer ask once more, and take what comes first; 0: never */
  bool json;     /* tensors as JSON numbers also where the server knows binary ones */
  bool compress; /* requests as gzip */
} remote_opts;

enum { REMOTE_RANK = 8, REMOTE_NAME = 128 };
typedef struct remote_info { /* of the model's first input and output */
  char input[REMOTE_NAME], output[REMOTE_NAME];
  whet_dtype in_type, out_type;
  int32_t in_rank;
  int64_t in_dims[REMOTE_RANK]; /* -1: any */
  bool binary;                  /* the server has the extension for binary tensors */
} remote_info;

typedef struct remote_answer {
  const char *why; /* of a failure, for people */
  long http;       /* status; 0: nobody answered */
  float *numbers;  /* the first output as float32; the remote's own, until its next call */
  size_t n;
  int64_t up, down; /* bytes over the link */
  double seconds;
  bool hedged; /* the second request's answer */
} remote_answer;

/* Nothing is connected yet. A remote is used by one thread at a time, except for remote_wake. E_UNSUPPORTED: this
 * build has no libcurl. */
EDGE_MUST whet_status remote_open(const remote_opts *o, remote **out, whet_err *err);
void remote_close(remote **r);
/* Is the server there, and the model ready? */
bool remote_ready(remote *r);
/* What the model takes; asked for once and kept. E_IO: nobody answered; E_DATA: the answer is none of the protocol's.
 */
EDGE_MUST whet_status remote_describe(remote *r, remote_info *out, whet_err *err);
/* Ask with one tensor of the model's input type, rank dims. id: the request's (an idempotency key), NULL: none. E_IO:
 * nobody answered in time; E_UNSUPPORTED: refused for good (4xx); E_LIMIT: not now (429, 5xx). a is filled in any
 * case. */
EDGE_MUST whet_status remote_infer(remote *r, const char *id, int32_t rank, const int64_t *dims, const void *data,
                                   size_t bytes, remote_answer *a, whet_err *err);
/* From any thread: a call under way ends soon, and all that follow at once. */
void remote_wake(remote *r);

/* What libwhet_link has; see remote.c. */
typedef struct remote_kind {
  whet_status (*open)(const remote_opts *, remote **, whet_err *);
  void (*close)(remote **);
  bool (*ready)(remote *);
  whet_status (*describe)(remote *, remote_info *, whet_err *);
  whet_status (*infer)(remote *, const char *, int32_t, const int64_t *, const void *, size_t, remote_answer *,
                       whet_err *);
  void (*wake)(remote *);
} remote_kind;

#endif
