/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PACK_H
#define WHET_EDGE_PACK_H

/* gzip (RFC 1952) and deflate (RFC 1950, as HTTP has it) of the bodies of HTTP messages. */

#include "edge/edge.h"
#include "edge/serve/buf.h"

/* Unpack a gzip or deflate body of at most `most` bytes in place. E_DATA, E_LIMIT, E_MEMORY. */
EDGE_MUST whet_status pack_inflate(serve_buf *body, size_t most, whet_err *err);
/* Pack into out, in place of what it holds: gzip, or deflate; level 1 (fast) to 9 (small). False: not smaller, or no
 * memory. */
bool pack_deflate(const serve_buf *body, bool gzip, int level, serve_buf *out);

#endif
