/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_LISTEN_H
#define WHET_EDGE_PIPELINE_LISTEN_H

/* Listening for HTTP, for the source and the sinks that do. Where libmicrohttpd is there. */

#include <microhttpd.h>

#include "edge/pipeline/kind.h"

typedef struct pl_listen {
  const char *host, *path; /* path: for the line that tells the address */
  int64_t port, connections;
  double slow; /* seconds that a connection may be silent */
  MHD_AccessHandlerCallback handle;
  MHD_RequestCompletedCallback done; /* NULL: none */
  void *user;
} pl_listen;

/* Is it an address in numbers? */
bool pl_listen_good(const char *host);
/* Begin; the log tells the address. A failure begins with the node's line. */
EDGE_MUST whet_status pl_listen_start(pl_node *n, const pl_listen *l, struct MHD_Daemon **out, whet_err *err);
/* Does the request bear the token (NULL: none is asked for)? The comparison's time tells nothing of it. */
bool pl_listen_allowed(const char *token, struct MHD_Connection *c);

#endif
