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
  if (p->every > 0) {
    if (p->due && !pl_source_wait(n, p->due, -1)) {
      pl_frame_free(f);
      return false;
    }
    int64_t now = edge_now(), step = (int64_t)(p->every * 1e9);
    f->arrived = now;
    p->due = !p->due || now - p->due > 10 * step ? now + step : p->due + step; /* long behind: go on from here */
  }
  return pl_source_give(n, f);
}

/* Rows of the numbers in a frame; 1 for all else. */
static size_t rows(const pl_frame *f) {
  return f->content == PL_NUMBERS && f->numbers.rank > 1 ? (size_t)f->numbers.dims[0] : 1;
}

bool pl_play_fd(pl_play *p, pl_node *n, int fd, const char *item, int64_t taken) {
  whet_err err = {0};
  uint8_t *bytes;
  size_t len, at = 0;
  pl_frame *held = NULL;
  bool go = true, first = true;
  pl_payload_begin(&p->payload);
  pl_stream_open(&p->stream, fd);
  while (go) {
    if (pl_stream_next(&p->stream, n, &p->payload, &bytes, &len, &err)) {
      edge_fail_in(&err, "%s", item[0] ? item : "standard input");
      pl_failed(n, NULL, &err);
      break;
    }
    if (!bytes) break;
    pl_frame *f = pl_source_frame(n);
    if (!f) break;
    snprintf(f->item, sizeof f->item, "%s", item);
    if (taken) f->time = taken;
    whet_status s = pl_payload_frame(&p->payload, f, bytes, len, &err);
    if (s) {
      if (s != WHET_E_CANCELLED)
        pl_failed(n, f, &err);
      else
        n->branch->seq--;
      err = (whet_err){0};
      pl_frame_free(f);
      continue;
    }
    if (f->rate > 0) {
      f->at = (double)at / f->rate;
      if (taken) f->time += (int64_t)(f->at * 1e9);
      at += rows(f);
    } else if (p->every > 0) {
      f->at = (double)at++ * p->every;
    }
    f->begin = first;
    first = false;
    if (held) go = give(p, n, held);
    held = NULL;
    if (item[0])
      held = f;
    else
      go = give(p, n, f);
  }
  if (held) {
    held->end = true;
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
