/* SPDX-License-Identifier: Apache-2.0 */
/* Files: mapped or read whole, confined to a folder, written all or nothing. */

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
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
  if ((uintmax_t)st.st_size > SIZE_MAX / 2) {
    s = whet__fail(err, WHET_E_IO, "%s: larger than this machine can address", path);
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

enum { NAME_MAX_BYTES = 4000, LINKS_MAX = 16 };

/* A walk below a folder: the components found so far, none of them a link, and what is left of the name. */
struct walk {
  int folder;
  char done[NAME_MAX_BYTES + 1]; /* "sub/dir", "" at the folder itself */
  char left[NAME_MAX_BYTES + 1];
  int links; /* symbolic links followed */
};

/* Open the components found so far, one by one without following links; -1 and errno. */
static int open_done(const struct walk *w, int flags) {
  char part[NAME_MAX_BYTES + 1];
  int fd = openat(w->folder, ".", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
  for (const char *at = w->done; fd >= 0 && *at;) {
    size_t n = strcspn(at, "/");
    memcpy(part, at, n);
    part[n] = 0;
    int next = openat(fd, part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (at[n] ? O_DIRECTORY : flags));
    int why = errno;
    close(fd);
    errno = why;
    fd = next;
    at += n + (at[n] == '/');
  }
  return fd;
}

/* Take the next component of `left` into `done`: a link's target goes before what is left, ".." takes the last
 * component back. 1: there is more, 0: done, -1: it cannot be (errno), -2: it leaves the folder. */
static int walk_step(struct walk *w) {
  char part[NAME_MAX_BYTES + 1], target[NAME_MAX_BYTES + 1], rest[NAME_MAX_BYTES + 1];
  size_t skip = strspn(w->left, "/"), n = strcspn(w->left + skip, "/"), have = strlen(w->done);
  if (!n) return 0;
  memcpy(part, w->left + skip, n);
  part[n] = 0;
  memmove(w->left, w->left + skip + n, strlen(w->left + skip + n) + 1);
  if (!strcmp(part, ".")) return 1;
  if (!strcmp(part, "..")) {
    char *cut = strrchr(w->done, '/');
    if (!have) return -2;
    *(cut ? cut : w->done) = 0;
    return 1;
  }
  int dir = open_done(w, O_DIRECTORY);
  if (dir < 0) return -1;
  ssize_t got = readlinkat(dir, part, target, sizeof target);
  close(dir);
  errno = ENAMETOOLONG;
  if (got < 0) { /* no link, or not there: opening will tell */
    if (have + n + 2 > sizeof w->done) return -1;
    if (have) w->done[have++] = '/';
    memcpy(w->done + have, part, n + 1);
    return 1;
  }
  if (got && target[0] == '/') return -2;
  memcpy(rest, w->left, strlen(w->left) + 1);
  if ((size_t)got + strlen(rest) + 2 > sizeof w->left) return -1;
  errno = ELOOP;
  if (++w->links > LINKS_MAX) return -1;
  memcpy(w->left, target, (size_t)got);
  w->left[got] = '/';
  memcpy(w->left + got + 1, rest, strlen(rest) + 1);
  return 1;
}

/* Whether a component of a relative name is "..". */
static bool climbs(const char *name) {
  for (const char *at = name; *at;) {
    size_t n = strcspn(at, "/");
    if (n == 2 && at[0] == '.' && at[1] == '.') return true;
    at += n + (at[n] == '/');
  }
  return false;
}

whet_status whet__file_open_in(const char *folder, const char *name, bool copy, whet_mem *m, whet_file *out,
                               whet_err *err) {
  struct walk w = {.folder = -1};
  *out = (whet_file){.mem = m};
  if (!name[0] || name[0] == '/' || strlen(name) > NAME_MAX_BYTES)
    return whet__fail(err, WHET_E_DATA,
                      "file name \"%.200s\" is empty, absolute or too long: only names below the "
                      "model's folder are opened",
                      name);
  if (climbs(name)) return whet__fail(err, WHET_E_DATA, "file name \"%.200s\" leaves the model's folder", name);
  w.folder = open(folder[0] ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (w.folder < 0) return whet__fail(err, WHET_E_IO, "%s: %s", folder, strerror(errno));
  memcpy(w.left, name, strlen(name) + 1);
  int step, fd = -1;
  while ((step = walk_step(&w)) > 0) {
  }
  if (!step) fd = open_done(&w, O_NOCTTY | O_NONBLOCK);
  int why = errno;
  close(w.folder);
  if (step == -2)
    return whet__fail(err, WHET_E_DATA, "file \"%.200s\" is a symbolic link out of the model's folder: refused",
                      name);
  if (fd < 0) return whet__fail(err, WHET_E_IO, "file \"%.200s\" beside the model: %s", name, strerror(why));
  return take(fd, name, copy, m, out, err);
}

void whet__file_close(whet_file *f) {
  if (f->map)
    munmap((void *)f->p, f->map);
  else if (f->p && f->mem)
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

/* Write n bytes to an open descriptor; false and errno. */
static bool put(int fd, const void *p, size_t n) {
  for (size_t at = 0; at < n;) {
    ssize_t got = write(fd, (const char *)p + at, n - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    at += (size_t)got;
  }
  return true;
}

/* A new file beside path, whose name goes to tmp (of `room` bytes). -1 and errno. */
static int open_beside(const char *path, char *tmp, size_t room) {
  static _Atomic unsigned serial;
  for (int i = 0; i < 100; i++) {
    snprintf(tmp, room, "%s.%ld-%u.part", path, (long)getpid(), atomic_fetch_add(&serial, 1));
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

/* All pieces to an open descriptor; false and errno. */
static bool put_all(int fd, const whet_piece *piece, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!put(fd, piece[i].p, piece[i].n)) return false;
  return true;
}

whet_status whet__file_write(const char *path, const void *p, size_t n, whet_err *err) {
  return whet__file_write_pieces(path, &(whet_piece){p, n}, 1, err);
}

whet_status whet__file_write_pieces(const char *path, const whet_piece *piece, size_t n, whet_err *err) {
  struct stat st;
  whet_status s = WHET_OK;
  char *real = realpath(path, NULL), *tmp = NULL; /* a link is written through */
  const char *to = real ? real : path;
  bool fresh = stat(to, &st) || S_ISREG(st.st_mode); /* a device or pipe takes the bytes as they come */
  size_t room = strlen(to) + 48;
  if (!(tmp = malloc(room))) {
    free(real);
    return whet__fail(err, WHET_E_MEMORY, "out of memory: %s", path);
  }
  int fd = fresh ? open_beside(to, tmp, room) : open(to, O_WRONLY | O_CLOEXEC | O_NOCTTY);
  bool ok = fd >= 0 && put_all(fd, piece, n) && (!fresh || !fsync(fd));
  int why = errno;
  if (fd >= 0 && close(fd) && ok) ok = false, why = errno;
  if (ok && fresh && rename(tmp, to)) ok = false, why = errno;
  if (!ok) s = whet__fail(err, WHET_E_IO, "%s: %s", path, strerror(why));
  if (!ok && fresh && fd >= 0) unlink(tmp);
  free(tmp);
  free(real);
  return s;
}
