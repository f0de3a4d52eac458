/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPELINE_SINK_LINES_H
#define WHET_EDGE_PIPELINE_SINK_LINES_H

/* Events as lines, for the sinks that write them. */

#include "edge/pipeline/event.h"
#include "edge/pipeline/inner.h"

/* The event of a frame in `b`, which is emptied first; with a line's end if asked. */
EDGE_MUST whet_status sink_line(pl_node *n, const pl_frame *f, serve_buf *b, bool end, whet_err *err);
/* Write all of it. */
EDGE_MUST whet_status sink_write(int fd, const char *p, size_t n, const char *what, whet_err *err);

#endif
