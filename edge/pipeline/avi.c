/* SPDX-License-Identifier: Apache-2.0 */
/* AVI 1.0: RIFF "AVI " of the lists hdrl (avih, strl with strh and strf) and movi, then idx1 (Microsoft's "AVI RIFF
 * File Reference"). All numbers are little-endian. */

#include "edge/pipeline/avi.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "edge/file.h"

enum { MOST = 1000000000, MOVI = 220 /* where the list's contents begin, behind its type */ };

static void u32(serve_buf *b, uint32_t v) {
  const uint8_t p[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
  buf_put(b, p, 4);
}
static void u16(serve_buf *b, uint32_t v) {
  const uint8_t p[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
  buf_put(b, p, 2);
}
static void four(serve_buf *b, const char *name) { buf_put(b, name, 4); }

/* Everything before the first frame, with what is known so far. */
static void heading(const pl_avi *a, uint32_t us, uint64_t movi, uint64_t all, serve_buf *b) {
  four(b, "RIFF"), u32(b, (uint32_t)(all - 8)), four(b, "AVI ");
  four(b, "LIST"), u32(b, 192 - 4 + 4), four(b, "hdrl");
  four(b, "avih"), u32(b, 56);
  u32(b, us), u32(b, 0), u32(b, 0), u32(b, 0x10); /* it has an index */
  u32(b, a->frames), u32(b, 0), u32(b, 1), u32(b, a->largest), u32(b, a->width), u32(b, a->height);
  for (int i = 0; i < 4; i++) u32(b, 0);
  four(b, "LIST"), u32(b, 116), four(b, "strl");
  four(b, "strh"), u32(b, 56), four(b, "vids"), four(b, "MJPG");
  u32(b, 0), u32(b, 0), u32(b, 0), u32(b, us), u32(b, 1000000), u32(b, 0), u32(b, a->frames), u32(b, a->largest);
  u32(b, 0xffffffff), u32(b, 0), u16(b, 0), u16(b, 0), u16(b, a->width), u16(b, a->height);
  four(b, "strf"), u32(b, 40);
  u32(b, 40), u32(b, a->width), u32(b, a->height), u16(b, 1), u16(b, 24), four(b, "MJPG"),
      u32(b, a->width * a->height * 3);
  for (int i = 0; i < 4; i++) u32(b, 0);
  four(b, "LIST"), u32(b, (uint32_t)(movi - MOVI + 4)), four(b, "movi");
}

static whet_status put(pl_avi *a, const void *p, size_t n, whet_err *err) {
  if (!edge_write(a->fd, p, n)) return edge_fail(err, WHET_E_IO, "a clip: %s", strerror(errno));
  a->at += n;
  return WHET_OK;
}

whet_status pl_avi_open(pl_avi *a, const char *path, uint32_t width, uint32_t height, whet_err *err) {
  serve_buf b = {0};
  *a = (pl_avi){.width = width, .height = height, .index = a->index};
  a->index.n = 0;
  a->index.bad = false;
  a->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (a->fd < 0) return edge_fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  heading(a, 0, MOVI, MOVI, &b);
  whet_status st = b.bad ? edge_fail(err, WHET_E_MEMORY, "no memory for a clip") : put(a, b.p, b.n, err);
  buf_free(&b);
  return st;
}

whet_status pl_avi_add(pl_avi *a, const void *jpeg, size_t n, whet_err *err) {
  const uint32_t size = (uint32_t)n;
  if (n > MOST || a->at + n > MOST) return edge_fail(err, WHET_E_LIMIT, "a clip of more than %d bytes", MOST);
  four(&a->index, "00dc"), u32(&a->index, 0x10), u32(&a->index, (uint32_t)(a->at - (MOVI - 4))), u32(&a->index, size);
  const uint8_t head[8] = {
      '0', '0', 'd', 'c', (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16), (uint8_t)(size >> 24)};
  EDGE_TRY(put(a, head, 8, err));
  EDGE_TRY(put(a, jpeg, n, err));
  if (n & 1) EDGE_TRY(put(a, "", 1, err));
  a->frames++;
  if (size > a->largest) a->largest = size;
  return a->index.bad ? edge_fail(err, WHET_E_MEMORY, "no memory for a clip") : WHET_OK;
}

whet_status pl_avi_close(pl_avi *a, double seconds, whet_err *err) {
  serve_buf b = {0};
  uint64_t movi = a->at;
  const uint32_t n = (uint32_t)a->index.n;
  const uint8_t head[8] = {'i', 'd', 'x', '1', (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};
  whet_status st = put(a, head, 8, err);
  if (!st) st = put(a, a->index.p, n, err);
  double us = a->frames > 1 && seconds > 0 ? seconds * 1e6 / a->frames : 1e5;
  heading(a, (uint32_t)(us < 1 ? 1 : us), movi, a->at, &b);
  if (!st && (b.bad || pwrite(a->fd, b.p, b.n, 0) != (ssize_t)b.n))
    st = edge_fail(err, WHET_E_IO, "a clip: %s", strerror(errno));
  buf_free(&b);
  if (close(a->fd) && !st) st = edge_fail(err, WHET_E_IO, "a clip: %s", strerror(errno));
  a->fd = -1;
  return st;
}
