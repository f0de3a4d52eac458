/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of JSON, appended to a file or written to standard output. A record counts as taken when the file has it on
 * the disk. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edge/file.h"
#include "edge/send/inner.h"

struct lines {
  int fd;
  serve_buf text;
};

static whet_status open_lines(sender *s, whet_err *err) {
  struct lines *l = calloc(1, sizeof *l);
  if (!l) return edge_fail(err, WHET_E_MEMORY, "no memory for a sender");
  s->own = l;
  bool out = !strcmp(s->o.url, "-");
  const char *path = s->o.url + 7; /* file:// */
  if (!out && *path != '/')
    return edge_fail(err, WHET_E_DATA, "%.200s: expected file:/// and a path from the root", s->o.url);
  l->fd = out ? dup(1) : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  return l->fd < 0 ? edge_fail(err, WHET_E_IO, "%.200s: %s", s->o.url, strerror(errno)) : WHET_OK;
}

static whet_status batch(sender *s, const outbox_batch *b, outbox_answer *a, int64_t *bytes, whet_err *err) {
  struct lines *l = s->own;
  l->text.n = 0;
  for (size_t i = 0; i < b->n; i++) {
    send_record(&l->text, &b->item[i]);
    buf_text(&l->text, "\n");
  }
  if (l->text.bad) return edge_fail(err, WHET_E_MEMORY, "no memory for a batch");
  if (!edge_write(l->fd, l->text.p, l->text.n) ||
      (fdatasync(l->fd) && errno != EINVAL && errno != EROFS && errno != ENOTSUP)) {
    send_all(a, 0, b->n, OUTBOX_UNREACHED, 0, strerror(errno));
    return WHET_OK;
  }
  *bytes = (int64_t)l->text.n;
  send_all(a, 0, b->n, OUTBOX_SENT, 0, "");
  return WHET_OK;
}

static void close_lines(sender *s) {
  struct lines *l = s->own;
  if (!l) return;
  if (l->fd >= 0) close(l->fd);
  buf_free(&l->text);
  free(l);
}

const send_kind send_lines = {.open = open_lines, .batch = batch, .close = close_lines};
