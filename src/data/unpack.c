/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed files: unpacked once into a file without a name, which is mapped, so that items are found anywhere in it
 * and memory holds no more than the pages in use. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "data/inner.h"

#ifdef WHET_HAVE_ZLIB
#include <zlib.h>
#endif

bool whet__is_gz(const char *path) { return whet__ends(path, ".gz") || whet__ends(path, ".tgz"); }

#ifdef WHET_HAVE_ZLIB
enum { CHUNK = 1 << 18 };

/* A new file that nobody else finds. */
static int nameless(char *path, size_t n) {
  const char *folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
  for (size_t i = 0; i < WHET_COUNT(folders); i++) {
    if (!folders[i] || (size_t)snprintf(path, n, "%s/whet-XXXXXX", folders[i]) >= n) continue;
    int fd = mkstemp(path);
    if (fd >= 0) return fd;
  }
  return -1;
}

static whet_status write_all(int fd, const uint8_t *p, size_t n, const char *path, whet_err *err) {
  while (n) {
    ssize_t k = write(fd, p, n);
    if (k < 0 && errno == EINTR) continue;
    if (k <= 0) return whet__fail(err, WHET_E_IO, "%s: no room to unpack it into: %s", path, strerror(errno));
    p += k;
    n -= (size_t)k;
  }
  return WHET_OK;
}

static whet_status inflate_to(int fd, gzFile gz, uint8_t *buf, const char *path, whet_err *err) {
  for (int64_t at = 0;;) {
    int n = gzread(gz, buf, CHUNK), code;
    if (n < 0 || (n == 0 && !gzeof(gz)))
      return whet__fail(err, WHET_E_FORMAT, "%s: the compressed data are damaged after %lld bytes: %s", path, (long long)at,
                        gzerror(gz, &code));
    if (!n) return WHET_OK;
    WHET_TRY(write_all(fd, buf, (size_t)n, path, err));
    at += n;
  }
}
#endif

whet_status whet__unpack(const whet_set *s, const char *path, whet_file *out, whet_err *err) {
  if (!whet__is_gz(path)) return whet__file_open(path, false, s->mem, out, err);
#ifdef WHET_HAVE_ZLIB
  char name[400];
  gzFile gz = gzopen(path, "rb");
  if (!gz) return whet__fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  uint8_t *buf = whet__alloc(s->mem, CHUNK);
  int fd = buf ? nameless(name, sizeof name) : -1;
  whet_status r = !buf ? whet__no_memory(s->mem, CHUNK, err, "unpacking")
                  : fd < 0 ? whet__fail(err, WHET_E_IO, "%s: no folder to unpack it into: %s", path, strerror(errno))
                           : WHET_OK;
  if (!r) r = inflate_to(fd, gz, buf, path, err);
  int code = gzclose(gz);
  if (!r && code == Z_BUF_ERROR) r = whet__fail(err, WHET_E_FORMAT, "%s: the compressed data end early", path);
  if (!r) r = whet__file_open(name, false, s->mem, out, err);
  if (fd >= 0) {
    unlink(name);
    close(fd);
  }
  whet__free(s->mem, buf);
  return r;
#else
  return whet__fail(err, WHET_E_UNSUPPORTED, "%s: this build has no zlib (Debian: zlib1g-dev); unpack the file", path);
#endif
}
