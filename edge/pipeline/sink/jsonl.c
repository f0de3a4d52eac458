/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `jsonl`: events appended to a file, a line each, each with one write. A file that was moved away
 * (logrotate) is made anew. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/pipeline/sink/lines.h"

typedef struct jsonl {
  pl_node n;
  const char *path;
  bool sync, truncate;
  serve_buf line;
  int fd;
  struct stat st;
  int64_t looked;
} jsonl;

#define AT(field) offsetof(jsonl, field)
static const conf_key k_keys[] = {{.name = "path", CONF_STR, AT(path), NULL, 0, 0, true},
                                  {.name = "sync", CONF_BOOL, AT(sync)},
                                  {.name = "truncate", CONF_BOOL, AT(truncate)},
                                  {0}};
static const jsonl k_defaults = {.fd = -1};

static whet_status open_jsonl(pl_node *n, whet_err *err) {
  jsonl *s = (jsonl *)n;
  return (s->path = pl_path(n, s->path, err)) ? WHET_OK : WHET_E_MEMORY;
}

static whet_status reopen(jsonl *s, bool truncate, whet_err *err) {
  int fd = open(s->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (truncate ? O_TRUNC : 0), 0666);
  if (fd < 0 || fstat(fd, &s->st)) {
    edge_fail(err, WHET_E_IO, "%s: %s", s->path, strerror(errno));
    if (fd >= 0) close(fd);
    return WHET_E_IO;
  }
  if (s->fd >= 0) close(s->fd);
  s->fd = fd;
  return WHET_OK;
}

static whet_status start(pl_node *n, whet_err *err) {
  jsonl *s = (jsonl *)n;
  return reopen(s, s->truncate, err) ? pl_fail_here(n, err) : WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  jsonl *s = (jsonl *)n;
  struct stat st;
  int64_t now = edge_now();
  if (now - s->looked > 1000000000) {
    s->looked = now;
    if (stat(s->path, &st) || st.st_ino != s->st.st_ino || st.st_dev != s->st.st_dev) EDGE_TRY(reopen(s, false, err));
  }
  EDGE_TRY(sink_line(n, f, &s->line, true, err));
  EDGE_TRY(sink_write(s->fd, s->line.p, s->line.n, s->path, err));
  if (s->sync && fdatasync(s->fd)) return edge_fail(err, WHET_E_IO, "%s: %s", s->path, strerror(errno));
  return WHET_OK;
}

static void close_jsonl(pl_node *n) {
  jsonl *s = (jsonl *)n;
  if (s->fd >= 0) close(s->fd);
  buf_free(&s->line);
}

const pl_kind pl_sink_jsonl = {.name = "jsonl",
                               .size = sizeof(jsonl),
                               .keys = k_keys,
                               .lone = "path",
                               .defaults = &k_defaults,
                               .open = open_jsonl,
                               .start = start,
                               .run = run,
                               .close = close_jsonl};
