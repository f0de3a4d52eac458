/* SPDX-License-Identifier: Apache-2.0 */
/* The sink `arrays`: the numbers of frames as rows of one .npy file, for training on what stages make. The heading is
 * written anew with the count of rows at the end. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "edge/pipeline/sink/lines.h"

enum { HEAD = 128 };

typedef struct arrays {
  pl_node n;
  const char *path;
  int fd;
  uint64_t rows;
  size_t columns;
} arrays;

static const conf_key k_keys[] = {{.name = "path", CONF_STR, offsetof(arrays, path), NULL, 0, 0, true}, {0}};
static const arrays k_defaults = {.fd = -1};

static whet_status open_arrays(pl_node *n, whet_err *err) {
  arrays *s = (arrays *)n;
  return (s->path = pl_path(n, s->path, err)) ? WHET_OK : WHET_E_MEMORY;
}

/* numpy.lib.format, version 1.0: magic, length, a dictionary in text, padded so that the numbers are aligned. */
static whet_status heading(arrays *s, whet_err *err) {
  char h[HEAD + 1];
  memcpy(h, "\x93NUMPY\x01\x00\x76\x00", 10);
  int n = snprintf(h + 10, sizeof h - 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (%llu, %zu), }",
                   (unsigned long long)s->rows, s->columns);
  memset(h + 10 + n, ' ', (size_t)(HEAD - 11 - n));
  h[HEAD - 1] = '\n';
  return pwrite(s->fd, h, HEAD, 0) == HEAD ? WHET_OK : edge_fail(err, WHET_E_IO, "%s: %s", s->path, strerror(errno));
}

static whet_status start(pl_node *n, whet_err *err) {
  arrays *s = (arrays *)n;
  s->fd = open(s->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (s->fd < 0) return edge_fail(err, WHET_E_IO, "%s: %s", s->path, strerror(errno)), pl_fail_here(n, err);
  if (heading(s, err)) return pl_fail_here(n, err);
  lseek(s->fd, HEAD, SEEK_SET);
  return WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  arrays *s = (arrays *)n;
  const float *p;
  size_t rows, columns;
  EDGE_TRY(pl_frame_rows(f, &rows, &columns, &p, err));
  if (!s->rows) s->columns = rows * columns;
  if (rows * columns != s->columns)
    return edge_fail(err, WHET_E_SHAPE, "%s: %zu numbers, those before had %zu", s->path, rows * columns, s->columns);
  EDGE_TRY(sink_write(s->fd, (const char *)p, s->columns * sizeof *p, s->path, err));
  s->rows++;
  return WHET_OK;
}

static whet_status flush(pl_node *n, whet_err *err) { return heading((arrays *)n, err); }

static void close_arrays(pl_node *n) {
  if (((arrays *)n)->fd >= 0) close(((arrays *)n)->fd);
}

const pl_kind pl_sink_arrays = {.name = "arrays",
                                .size = sizeof(arrays),
                                .keys = k_keys,
                                .lone = "path",
                                .defaults = &k_defaults,
                                .open = open_arrays,
                                .start = start,
                                .run = run,
                                .flush = flush,
                                .close = close_arrays};
