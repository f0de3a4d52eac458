/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of events. */

#include "edge/pipeline/sink/lines.h"

#include <errno.h>
#include <string.h>

#include "edge/file.h"

whet_status sink_line(pl_node *n, const pl_frame *f, serve_buf *b, bool end, whet_err *err) {
  b->n = 0;
  b->bad = false;
  pl_event(f, f->branch ? f->branch : "", b);
  if (end) buf_put(b, "\n", 1);
  return b->bad ? edge_fail(err, WHET_E_MEMORY, "%s: no memory for an event", n->name) : WHET_OK;
}

whet_status sink_write(int fd, const char *p, size_t n, const char *what, whet_err *err) {
  return edge_write(fd, p, n) ? WHET_OK : edge_fail(err, WHET_E_IO, "%s: %s", what, strerror(errno));
}
