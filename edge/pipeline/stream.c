/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor cut into messages: frames of a fixed size, lines, or all of it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/pipeline/payload.h"

enum { FIRST = 64 << 10 };

void pl_stream_open(pl_stream *s, int fd) {
  s->fd = fd;
  s->from = s->n = 0;
  s->over = false;
  struct stat st;
  s->ready = !fstat(fd, &st) && S_ISREG(st.st_mode);
}

/* Until there is something to read. False: the pipeline ends. */
static bool wait_for(const pl_stream *s, pl_node *n) {
  return s->ready ? !pl_stopping(n) : pl_source_wait(n, -1, s->fd);
}

void pl_stream_close(pl_stream *s) {
  free(s->buf);
  *s = (pl_stream){.fd = -1};
}

/* Bytes of a message; 0: lines, SIZE_MAX: all. */
static size_t unit(const pl_payload *p) {
  switch (p->format) {
    case PL_RAW:
      return (size_t)p->width * (size_t)p->height * (size_t)pl_pixel_bytes((whet_pixel)p->pixel);
    case PL_PCM:
      return 2 * (size_t)p->columns * (size_t)p->chunk;
    case PL_FLOATS:
      return 4 * (size_t)p->columns * (size_t)p->chunk;
    case PL_JSONL:
    case PL_CSV:
      return 0;
    default:
      return SIZE_MAX;
  }
}

/* Read some more. False: nothing came, for `over` or because the pipeline ends. */
static bool more(pl_stream *s, pl_node *n, size_t most, whet_err *err, whet_status *st) {
  if (s->over) return false;
  if (s->from) {
    memmove(s->buf, s->buf + s->from, s->n - s->from);
    s->n -= s->from;
    s->from = 0;
  }
  if (s->n == s->cap) {
    size_t cap = s->cap ? 2 * s->cap : FIRST;
    if (s->n > most) {
      *st = edge_fail(err, WHET_E_LIMIT, "a message of more than %zu bytes (longest)", most);
      return false;
    }
    uint8_t *p = realloc(s->buf, cap + 1); /* one behind, for who ends a text */
    if (!p) {
      *st = edge_fail(err, WHET_E_MEMORY, "no memory for a message of %zu bytes", cap);
      return false;
    }
    s->buf = p;
    s->cap = cap;
  }
  for (;;) {
    if (!wait_for(s, n)) return false;
    ssize_t got = read(s->fd, s->buf + s->n, s->cap - s->n);
    if (got > 0) return s->n += (size_t)got, true;
    if (got == 0) return s->over = true, false;
    if (errno == EINTR || errno == EAGAIN) continue;
    *st = edge_fail(err, WHET_E_IO, "%s", strerror(errno));
    return false;
  }
}

whet_status pl_stream_next(pl_stream *s, pl_node *n, pl_payload *p, uint8_t **bytes, size_t *len, whet_err *err) {
  size_t want = unit(p), seen = 0;
  whet_status st = WHET_OK;
  *bytes = NULL;
  for (;;) {
    size_t have = s->n - s->from;
    uint8_t *at = s->buf + s->from;
    if (!want && have > seen) {
      uint8_t *end = memchr(at + seen, '\n', have - seen);
      if (end || (s->over && have)) {
        *len = end ? (size_t)(end - at) : have;
        s->from += *len + (end ? 1 : 0);
        p->line++;
        if (*len && at[*len - 1] == '\r') --*len;
        seen = 0;
        if (!*len) continue; /* an empty line */
        *bytes = at;
        return WHET_OK;
      }
      seen = have;
    }
    if (want && (have >= want || (s->over && have))) {
      *len = have < want ? have : want;
      *bytes = at;
      s->from += *len;
      return WHET_OK;
    }
    if (s->over) {
      if (!want && have) {
        seen = 0;
        continue;
      }
      return want == SIZE_MAX && !s->n ? edge_fail(err, WHET_E_IO, "nothing is in it") : WHET_OK;
    }
    if (!more(s, n, want && want < SIZE_MAX && want > p->longest ? want : p->longest, err, &st) && !s->over)
      return st;
  }
}

whet_status pl_stream_into(pl_stream *s, pl_node *n, uint8_t *to, size_t want, size_t *len, whet_err *err) {
  *len = 0;
  while (*len < want && !s->over && wait_for(s, n)) {
    ssize_t got = read(s->fd, to + *len, want - *len);
    if (got > 0) *len += (size_t)got;
    if (got == 0) s->over = true;
    if (got < 0 && errno != EINTR && errno != EAGAIN) return edge_fail(err, WHET_E_IO, "%s", strerror(errno));
  }
  return WHET_OK;
}
