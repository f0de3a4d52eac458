/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of events. */

#include "edge/pipeline/sink/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

whet_status sink_line(pl_node *n, const pl_frame *f, serve_buf *b, bool end, whet_err *err) {
  b->n = 0;
  b->bad = false;
  pl_event(f, f->branch ? f->branch : "", b);
  if (end) buf_put(b, "\n", 1);
  return b->bad ? edge_fail(err, WHET_E_MEMORY, "%s: no memory for an event", n->name) : WHET_OK;
}

whet_status sink_write(int fd, const char *p, size_t n, const char *what, whet_err *err) {
  while (n) {
    ssize_t k = write(fd, p, n);
    if (k < 0 && errno == EINTR) continue;
    if (k < 0) return edge_fail(err, WHET_E_IO, "%s: %s", what, strerror(errno));
    p += k;
    n -= (size_t)k;
  }
  return WHET_OK;
}
