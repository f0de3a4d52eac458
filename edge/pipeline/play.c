/* SPDX-License-Identifier: Apache-2.0 */
/* Files into frames. Of an item with a name one frame is held back, so that the last can be marked. */

#include "edge/pipeline/inner.h"
#include "edge/pipeline/play.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Give a frame when its time has come; it is gone either way. */
static bool give(pl_play *p, pl_node *n, pl_frame *f) {
  if (!(p->every > 0)) return pl_source_give(n, f);
  if (p->due && !pl_source_wait(n, p->due, -1)) {
    pl_frame_free(f);
    return false;
  }
  int64_t now = edge_now(), step = (int64_t)(p->every * 1e9);
  f->arrived = now;
  if (!p->payload.time) f->time = pl_clock();
  p->due = !p->due || now - p->due > 10 * step ? now + step : p->due + step; /* long behind: go on from here */
  return pl_source_give_timed(n, f);
}

/* Rows of the numbers in a frame; 1 for all else. */
static size_t rows(const pl_frame *f) {
  return f->content == PL_NUMBERS && f->numbers.rank > 1 ? (size_t)f->numbers.dims[0] : 1;
}

/* The next message as a frame; *out NULL with WHET_OK: there is none, the stream or the pipeline ends. Raw pictures
 * are read where they will lie. */
static whet_status next(pl_play *p, pl_node *n, const char *item, pl_frame **out, whet_err *err) {
  uint8_t *bytes;
  size_t len = 1;
  whet_status s = WHET_OK;
  *out = NULL;
  if (p->payload.format == PL_RAW) {
    pl_frame *f = pl_source_frame(n);
    if (!f) return WHET_OK;
    snprintf(f->item, sizeof f->item, "%s", item);
    size_t want = 0;
    s = pl_frame_picture(f, (int32_t)p->payload.width, (int32_t)p->payload.height, (whet_pixel)p->payload.pixel, err);
    if (!s) want = (size_t)f->pic.stride * (size_t)f->pic.height;
    if (!s) s = pl_stream_into(&p->stream, n, f->blob->p, want, &len, err);
    if (!s && len && len < want && p->stream.over)
      s = edge_fail(err, WHET_E_FORMAT, "a raw frame of %d x %d has %zu bytes, these are %zu", f->width, f->height,
                    want, len);
    if (s || len < want) {
      n->branch->seq--;
      pl_frame_free(f);
      return s;
    }
    f->time = pl_clock();
    f->arrived = edge_now();
    *out = f;
    return WHET_OK;
  }
  do { /* headings make no frames */
    EDGE_TRY(pl_stream_next(&p->stream, n, &p->payload, &bytes, &len, err));
    if (!bytes) return WHET_OK;
    if (len > p->payload.longest)
      return edge_fail(err, WHET_E_DATA, "a message of %zu bytes, longest is %zu", len, p->payload.longest);
    pl_frame *f = pl_source_frame(n);
    if (!f) return WHET_OK;
    snprintf(f->item, sizeof f->item, "%s", item);
    s = pl_payload_frame(&p->payload, f, bytes, len, err);
    if (!s)
      *out = f;
    else
      pl_frame_free(f);
    if (s == WHET_E_CANCELLED) n->branch->seq--;
  } while (s == WHET_E_CANCELLED);
  return s;
}

bool pl_play_fd(pl_play *p, pl_node *n, int fd, const char *item, int64_t taken) {
  const char *name = item[0] ? item : "standard input";
  size_t at = 0;
  pl_frame *held = NULL, *f = NULL;
  bool go = true, first = true, last = true;
  pl_payload_begin(&p->payload);
  pl_stream_open(&p->stream, fd);
  while (go) {
    whet_err err = {0};
    whet_status s = next(p, n, item, &f, &err);
    if (s) {
      edge_fail_in(&err, "%s", name);
      pl_failed(n, NULL, &err);
      if (s == WHET_E_IO || s == WHET_E_LIMIT || s == WHET_E_MEMORY) break; /* what follows cannot be told apart */
      continue;
    }
    if (!f) break;
    if (taken && !p->payload.time) f->time = taken;
    bool part = p->whole || (f->content == PL_PICTURE && p->payload.format != PL_RAW);
    f->begin = first && !(part && p->began);
    if (f->begin) p->at = 0;
    if (f->rate > 0) {
      f->at = (double)p->at / f->rate;
      if (taken && !p->payload.time) f->time += (int64_t)((double)at / f->rate * 1e9);
    } else if (p->every > 0) {
      f->at = (double)p->at * p->every;
    }
    at += rows(f), p->at += rows(f);
    last = !part;
    first = false;
    p->began = true;
    if (held) go = give(p, n, held);
    held = NULL;
    if (item[0])
      held = f;
    else
      go = give(p, n, f);
  }
  if (held) {
    held->end = last;
    if (go)
      go = give(p, n, held);
    else
      pl_frame_free(held);
  }
  close(fd);
  return go && !pl_stopping(n);
}

bool pl_play_file(pl_play *p, pl_node *n, const char *path) {
  whet_err err = {0};
  struct stat st;
  const char *slash = strrchr(path, '/');
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0 && (fstat(fd, &st) || S_ISDIR(st.st_mode))) {
    close(fd);
    fd = -1;
    errno = EISDIR;
  }
  if (fd < 0) {
    edge_fail(&err, WHET_E_IO, "%s: %s", path, strerror(errno));
    pl_failed(n, NULL, &err);
    return !pl_stopping(n);
  }
  int64_t taken = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
  return pl_play_fd(p, n, fd, slash ? slash + 1 : path, p->every > 0 ? 0 : taken);
}

void pl_play_close(pl_play *p) {
  pl_stream_close(&p->stream);
  pl_payload_close(&p->payload);
}
