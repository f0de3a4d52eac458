/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_MESSAGE_H
#define WHET_EDGE_PIPELINE_MESSAGE_H

/* Whole messages that come from elsewhere (a program, HTTP, MQTT) into frames of a source. */

#include "edge/pipeline/payload.h"

typedef struct pl_inbox {
  pl_payload payload;
  serve_buf copy; /* of a message, which reading may change; under the node's lock */
} pl_inbox;

#define PL_INBOX_DEFAULTS \
  { .payload = PL_PAYLOAD_DEFAULTS }

void pl_inbox_close(pl_inbox *b);
/* Give the frames of a message; formats of lines make one of each line. time: nanoseconds since 1970, 0: now. *given:
 * how many were. The first failure comes back when all lines were tried. Any thread. */
EDGE_MUST whet_status pl_message(pl_node *n, pl_inbox *b, const void *bytes, size_t len, int64_t time,
                                 const char *item, size_t *given, whet_err *err);

#endif
