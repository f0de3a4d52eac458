/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/pipeline/sink/file_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/pipeline/sink/courier.h"

#ifdef WHET_HAVE_OUTBOX
static courier *of(pl_node *n) { return ((file_sink *)n)->c; }

whet_status file_sink_open(pl_node *n, whet_err *err) {
  static const conf_key k_keys[] = {COURIER_KEYS(
                                        struct { courier c; }, c),
                                    {0}};
  file_sink *s = (file_sink *)n;
  if (!s->send) return WHET_OK;
  if (!(s->c = pl_keep(n, sizeof *s->c, err))) return WHET_E_MEMORY;
  *s->c = (courier){.every = 1, .waiting = 16, .wait = 5, .s = {.single = true}}; /* few, since they are large */
  EDGE_TRY(pl_fill(n, s->send, "send", k_keys, s->c, err));
  return courier_open(n, s->c, s->send, err);
}

whet_status file_sink_start(pl_node *n, whet_err *err) { return of(n) ? courier_start(of(n), err) : WHET_OK; }

whet_status file_sink_give(pl_node *n, const void *data, size_t bytes, const char *type, const char *name,
                           whet_err *err) {
  return of(n) ? courier_give(of(n), data, bytes, type, name, err) : WHET_OK;
}

whet_status file_sink_give_file(pl_node *n, const char *path, const char *type, const char *name, whet_err *err) {
  struct stat st;
  if (!of(n)) return WHET_OK;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &st)) {
    whet_status s = edge_fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return s;
  }
  size_t size = (size_t)st.st_size, got = 0;
  char *p = malloc(size + 1);
  for (ssize_t r = 1; p && got < size && (r > 0 || (r < 0 && errno == EINTR));)
    if ((r = read(fd, p + got, size - got)) > 0) got += (size_t)r;
  close(fd);
  whet_status s = !p           ? edge_fail(err, WHET_E_MEMORY, "no memory for the %zu bytes of %s", size, path)
                  : got < size ? edge_fail(err, WHET_E_IO, "%s: it cannot be read whole", path)
                               : file_sink_give(n, p, size, type, name, err);
  free(p);
  return s;
}

whet_status file_sink_flush(pl_node *n, whet_err *err) { return of(n) ? courier_flush(of(n), err) : WHET_OK; }
void file_sink_close(pl_node *n) {
  if (of(n)) courier_close(of(n));
}
void file_sink_stop(pl_node *n) {
  if (of(n)) courier_stop(of(n));
}
void file_sink_stats(pl_node *n, serve_buf *b) {
  if (of(n)) courier_stats(of(n), b);
}
bool file_sink_link(pl_node *n, pl_link *out) { return of(n) && courier_link(of(n), out); }
#else
whet_status file_sink_open(pl_node *n, whet_err *err) {
  if (!((file_sink *)n)->send) return WHET_OK;
  return pl_fail(n, err,
                 "send: this build lacks SQLite, by which outboxes keep what is sent (Debian: libsqlite3-dev)");
}
whet_status file_sink_start(pl_node *n, whet_err *err) { return WHET_OK; }
whet_status file_sink_give(pl_node *n, const void *data, size_t bytes, const char *type, const char *name,
                           whet_err *err) {
  return WHET_OK;
}
whet_status file_sink_give_file(pl_node *n, const char *path, const char *type, const char *name, whet_err *err) {
  return WHET_OK;
}
whet_status file_sink_flush(pl_node *n, whet_err *err) { return WHET_OK; }
void file_sink_close(pl_node *n) {}
void file_sink_stop(pl_node *n) {}
void file_sink_stats(pl_node *n, serve_buf *b) {}
bool file_sink_link(pl_node *n, pl_link *out) { return false; }
#endif
