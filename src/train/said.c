/* SPDX-License-Identifier: Apache-2.0 */
/* A teacher's answers on the disk: a head, then for each item a mark, a checksum and the numbers. Rows that were not written
 * yet are holes. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/crc.h"
#include "train/teacher.h"

#define MARK 0x57414953u /* "SIAW" */

struct head {
  char magic[8];
  uint64_t print;
  int64_t n, width;
};
struct row {
  uint32_t mark, crc;
};
static const char k_magic[8] = "WHETSAY1";

static off_t place(const whet_said *s, int64_t i) {
  return (off_t)(sizeof(struct head) + (size_t)i * (sizeof(struct row) + (size_t)s->width * sizeof(float)));
}

/* All n bytes, whatever signals do. */
static bool put(int fd, const void *p, size_t n, off_t at) {
  for (size_t done = 0; done < n;) {
    ssize_t k = pwrite(fd, (const char *)p + done, n - done, at + (off_t)done);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return false;
    done += (size_t)k;
  }
  return true;
}
static bool get(int fd, void *p, size_t n, off_t at) {
  for (size_t done = 0; done < n;) {
    ssize_t k = pread(fd, (char *)p + done, n - done, at + (off_t)done);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return false;
    done += (size_t)k;
  }
  return true;
}

whet_status whet__said_open(const char *path, uint64_t print, int64_t n, int64_t width, whet_said *out, whet_err *err) {
  struct head h = {.print = print, .n = n, .width = width}, have;
  memcpy(h.magic, k_magic, sizeof k_magic);
  *out = (whet_said){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666), .path = path, .n = n, .width = width};
  if (out->fd < 0) return whet__fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  off_t size = lseek(out->fd, 0, SEEK_END);
  whet_status s = WHET_OK;
  if (size == 0) {
    if (!put(out->fd, &h, sizeof h, 0)) s = whet__fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  } else if (!get(out->fd, &have, sizeof have, 0) || memcmp(have.magic, k_magic, sizeof k_magic)) {
    s = whet__fail(err, WHET_E_FORMAT, "%s: it does not keep what a teacher said", path);
  } else if (memcmp(&have, &h, sizeof h)) {
    s = whet__fail(err, WHET_E_DATA, "%s: it keeps what another teacher said, or of other data; remove it or name another file", path);
  }
  if (s) whet__said_close(out);
  return s;
}

void whet__said_close(whet_said *s) {
  if (s->fd >= 0) close(s->fd);
  s->fd = -1;
}

static uint32_t sum(int64_t i, const float *row, int64_t width) {
  return whet__crc32c(whet__crc32c(0, &i, sizeof i), row, (size_t)width * sizeof *row);
}

bool whet__said_get(const whet_said *s, int64_t i, float *row) {
  struct row r;
  off_t at = place(s, i);
  return s->fd >= 0 && get(s->fd, &r, sizeof r, at) && r.mark == MARK &&
         get(s->fd, row, (size_t)s->width * sizeof *row, at + (off_t)sizeof r) && r.crc == sum(i, row, s->width);
}

whet_status whet__said_put(const whet_said *s, int64_t i, const float *row, whet_err *err) {
  const struct row r = {MARK, sum(i, row, s->width)};
  off_t at = place(s, i);
  if (s->fd < 0) return WHET_OK;
  if (put(s->fd, row, (size_t)s->width * sizeof *row, at + (off_t)sizeof r) && put(s->fd, &r, sizeof r, at)) return WHET_OK;
  return whet__fail(err, WHET_E_IO, "%s: %s", s->path, strerror(errno));
}
