/* SPDX-License-Identifier: Apache-2.0 */
/* Files: mapped or read whole, confined to a folder, written all or nothing. */

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Take over an open descriptor: map it or read it, then close it. */
static whet_status take(int fd, const char *path, bool copy, whet_mem *m, whet_file *out, whet_err *err) {
  struct stat st;
  uint8_t *buf = NULL;
  whet_status s = WHET_OK;
  *out = (whet_file){.mem = m};
  if (fstat(fd, &st)) {
    s = whet__fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
    goto done;
  }
  if (!S_ISREG(st.st_mode)) {
    s = whet__fail(err, WHET_E_IO, "%s: %s, not a file", path, S_ISDIR(st.st_mode) ? "a folder" : "a device or pipe");
    goto done;
  }
  size_t n = (size_t)st.st_size;
  if (!copy && n) {
    void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p != MAP_FAILED) {
      *out = (whet_file){.p = p, .n = n, .map = n, .mem = m};
      goto done;
    }
  }
  if (!(buf = whet__alloc(m, n))) {
    s = whet__no_memory(m, n, err, path);
    goto done;
  }
  for (size_t at = 0; at < n;) {
    ssize_t got = read(fd, buf + at, n - at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      s = whet__fail(err, WHET_E_IO, "%s: %s", path,
                     got ? strerror(errno) : "the file became shorter while it was read");
      goto done;
    }
    at += (size_t)got;
  }
  *out = (whet_file){.p = buf, .n = n, .mem = m};
  buf = NULL;
done:
  whet__free(m, buf);
  close(fd);
  return s;
}

whet_status whet__file_open(const char *path, bool copy, whet_mem *m, whet_file *out, whet_err *err) {
  *out = (whet_file){.mem = m};
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return whet__fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  return take(fd, path, copy, m, out, err);
}

/* One component of a relative path, opened below dir without following links. */
static int open_step(int dir, const char *part, bool last) {
  return openat(dir, part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | (last ? 0 : O_DIRECTORY));
}

whet_status whet__file_open_in(const char *folder, const char *name, bool copy, whet_mem *m, whet_file *out,
                               whet_err *err) {
  *out = (whet_file){.mem = m};
  if (!name[0] || name[0] == '/' || strlen(name) > 4000)
    return whet__fail(err, WHET_E_DATA,
                      "file name \"%.200s\" is empty, absolute or too long: only names below the "
                      "model's folder are opened",
                      name);
  int dir = open(folder[0] ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return whet__fail(err, WHET_E_IO, "%s: %s", folder, strerror(errno));
  char part[4096];
  for (const char *at = name;;) {
    size_t n = strcspn(at, "/");
    bool last = !at[n];
    memcpy(part, at, n);
    part[n] = 0;
    if (!n || !strcmp(part, "..")) {
      close(dir);
      return whet__fail(err, WHET_E_DATA, "file name \"%.200s\" leaves the model's folder", name);
    }
    if (strcmp(part, ".") || last) {
      int next = open_step(dir, part, last);
      int why = errno;
      close(dir);
      if (next < 0)
        return why == ELOOP || why == EMLINK
                   ? whet__fail(err, WHET_E_DATA, "file \"%.200s\" is or passes through a symbolic link: refused",
                                name)
                   : whet__fail(err, WHET_E_IO, "file \"%.200s\" beside the model: %s", name, strerror(why));
      dir = next;
    }
    if (last) return take(dir, name, copy, m, out, err);
    at += n + 1;
  }
}

void whet__file_close(whet_file *f) {
  if (f->map)
    munmap((void *)f->p, f->map);
  else if (f->p)
    whet__free(f->mem, (void *)f->p);
  *f = (whet_file){.mem = f->mem};
}

void whet__file_forget(const whet_file *f, const void *p, size_t n) {
  const uint8_t *b = p;
  if (!f->map || b < f->p || b > f->p + f->n || n > (size_t)(f->p + f->n - b)) return;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  uintptr_t from = whet__round_up((uintptr_t)b, page), to = ((uintptr_t)b + n) / page * page;
  if (to > from) madvise((void *)from, to - from, MADV_DONTNEED);
}

whet_status whet__file_write(const char *path, const void *p, size_t n, whet_err *err) {
  size_t len = strlen(path);
  char *tmp = malloc(len + 32);
  if (!tmp) return whet__fail(err, WHET_E_MEMORY, "out of memory: %s", path);
  snprintf(tmp, len + 32, "%s.%ld.part", path, (long)getpid());
  whet_status s = WHET_OK;
  int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) {
    s = whet__fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
    goto done;
  }
  for (size_t at = 0; at < n;) {
    ssize_t put = write(fd, (const char *)p + at, n - at);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      s = whet__fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
      break;
    }
    at += (size_t)put;
  }
  if (close(fd) && !s) s = whet__fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  if (!s && rename(tmp, path)) s = whet__fail(err, WHET_E_IO, "%s: %s", path, strerror(errno));
  if (s) unlink(tmp);
done:
  free(tmp);
  return s;
}
