/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are whole or not there. */

#include "edge/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

bool edge_write(int fd, const void *p, size_t n) {
  const char *at = p;
  while (n) {
    ssize_t k = write(fd, at, n);
    if (k < 0 && errno == EINTR) continue;
    if (k < 0) return false;
    at += k, n -= (size_t)k;
  }
  return true;
}

bool edge_save(int folder, const char *name, const void *p, size_t n, bool keep) {
  char part[NAME_MAX + 1];
  if ((size_t)snprintf(part, sizeof part, ".%s.part", name) >= sizeof part) {
    errno = ENAMETOOLONG;
    return false;
  }
  int fd = openat(folder, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) return false;
  bool ok = edge_write(fd, p, n) && (!keep || !fsync(fd));
  int why = errno;
  if (close(fd) && ok) ok = false, why = errno;
  if (ok && renameat(folder, part, folder, name)) ok = false, why = errno;
  if (!ok) unlinkat(folder, part, 0);
  errno = why;
  return ok;
}
