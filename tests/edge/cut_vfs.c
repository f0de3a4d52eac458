/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's own file layer with a log of what is not synced. */

#include "cut_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, FILES = 64 };

/* A write that is not synced: what stood there before. */
struct undo {
  struct undo *next;
  int64_t at, n, size; /* size: of the file before */
  uint8_t old[];
};

static struct {
  char path[500];
  struct undo *undo; /* the last first */
  int64_t size;
} k_file[FILES];
static int k_files;
static int64_t k_left, k_disk;
static bool k_off;
static sqlite3_vfs *k_real;

struct file {
  sqlite3_file base;
  int slot; /* -1: not followed */
  sqlite3_file *real;
};

static bool tick(void) {
  if (!k_off && k_left > 0 && --k_left == 0) k_off = true;
  return !k_off;
}

static int slot_of(const char *path) {
  for (int i = 0; i < k_files; i++)
    if (!strcmp(k_file[i].path, path)) return i;
  if (k_files == FILES) abort();
  snprintf(k_file[k_files].path, sizeof k_file[0].path, "%s", path);
  return k_files++;
}

static void forget(int slot) {
  for (struct undo *u = k_file[slot].undo, *next; u; u = next) next = u->next, free(u);
  k_file[slot].undo = NULL;
}

static int64_t total(void) {
  int64_t n = 0;
  for (int i = 0; i < k_files; i++) {
    char path[520];
    struct stat st;
    snprintf(path, sizeof path, "%s-reserve", k_file[i].path);
    n += k_file[i].size + (stat(path, &st) ? 0 : (int64_t)st.st_blocks * 512);
  }
  return n;
}

static void log_write(struct file *f, int64_t at, int64_t n) {
  sqlite3_int64 size = 0;
  f->real->pMethods->xFileSize(f->real, &size);
  struct undo *u = calloc(1, sizeof *u + (size_t)n);
  if (!u) abort();
  u->at = at, u->n = n, u->size = size;
  if (at < size) f->real->pMethods->xRead(f->real, u->old, (int)(at + n < size ? n : size - at), at);
  u->next = k_file[f->slot].undo;
  k_file[f->slot].undo = u;
}

static int x_close(sqlite3_file *p) {
  struct file *f = (struct file *)p;
  int r = f->real->pMethods->xClose(f->real);
  free(f->real);
  return r;
}
static int x_read(sqlite3_file *p, void *to, int n, sqlite3_int64 at) {
  struct file *f = (struct file *)p;
  return k_off ? SQLITE_IOERR_READ : f->real->pMethods->xRead(f->real, to, n, at);
}
static int x_write(sqlite3_file *p, const void *from, int n, sqlite3_int64 at) {
  struct file *f = (struct file *)p;
  bool last = f->slot >= 0 && !k_off && k_left == 1; /* the write that the cut falls into may still reach the cache */
  if (!tick() && !last) return SQLITE_IOERR_WRITE;
  if (f->slot >= 0) {
    int64_t more = at + n - k_file[f->slot].size;
    if (k_disk && more > 0 && total() + more > k_disk) return SQLITE_FULL;
    log_write(f, at, n);
    if (more > 0) k_file[f->slot].size += more;
  }
  int r = f->real->pMethods->xWrite(f->real, from, n, at);
  return k_off ? SQLITE_IOERR_WRITE : r;
}
static int x_truncate(sqlite3_file *p, sqlite3_int64 n) {
  struct file *f = (struct file *)p;
  sqlite3_int64 size = 0;
  if (!tick()) return SQLITE_IOERR_TRUNCATE;
  f->real->pMethods->xFileSize(f->real, &size);
  if (f->slot >= 0 && n < size) log_write(f, n, size - n), k_file[f->slot].size = n;
  return f->real->pMethods->xTruncate(f->real, n);
}
static int x_sync(sqlite3_file *p, int flags) {
  struct file *f = (struct file *)p;
  if (!tick()) return SQLITE_IOERR_FSYNC;
  if (f->slot >= 0) forget(f->slot);
  return SQLITE_OK; /* the page cache will do: nobody cuts the machine's power */
}
static int x_size(sqlite3_file *p, sqlite3_int64 *n) {
  struct file *f = (struct file *)p;
  return f->real->pMethods->xFileSize(f->real, n);
}
#define PASS(name, args, call)         \
  static int name args {               \
    struct file *f = (struct file *)p; \
    return f->real->pMethods->call;    \
  }
PASS(x_lock, (sqlite3_file * p, int l), xLock(f->real, l))
PASS(x_unlock, (sqlite3_file * p, int l), xUnlock(f->real, l))
PASS(x_reserved, (sqlite3_file * p, int *l), xCheckReservedLock(f->real, l))
PASS(x_shm_map, (sqlite3_file * p, int page, int size, int extend, void volatile **to),
     xShmMap(f->real, page, size, extend, to))
PASS(x_shm_lock, (sqlite3_file * p, int at, int n, int flags), xShmLock(f->real, at, n, flags))
PASS(x_shm_unmap, (sqlite3_file * p, int gone), xShmUnmap(f->real, gone))
static void x_shm_barrier(sqlite3_file *p) {
  struct file *f = (struct file *)p;
  f->real->pMethods->xShmBarrier(f->real);
}
static int x_control(sqlite3_file *p, int op, void *arg) {
  struct file *f = (struct file *)p;
  if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_NOTFOUND;
  return f->real->pMethods->xFileControl(f->real, op, arg);
}
static int x_sector(sqlite3_file *p) { return SECTOR; }
static int x_traits(sqlite3_file *p) {
  return 0;
} /* nothing is promised: not even that sectors are whole after a cut */

static const sqlite3_io_methods k_methods = {
    2,         x_close,  x_read,   x_write,   x_truncate, x_sync,        x_size,      x_lock, x_unlock, x_reserved,
    x_control, x_sector, x_traits, x_shm_map, x_shm_lock, x_shm_barrier, x_shm_unmap, NULL,   NULL};

static int x_open(sqlite3_vfs *v, const char *path, sqlite3_file *p, int flags, int *out) {
  struct file *f = (struct file *)p;
  memset(f, 0, sizeof *f);
  f->real = calloc(1, (size_t)k_real->szOsFile);
  if (!f->real) return SQLITE_NOMEM;
  int r = k_real->xOpen(k_real, path, f->real, flags, out);
  if (r) {
    free(f->real);
    return r;
  }
  f->slot = path ? slot_of(path) : -1;
  if (f->slot >= 0) {
    sqlite3_int64 n = 0;
    f->real->pMethods->xFileSize(f->real, &n);
    k_file[f->slot].size = n;
  }
  f->base.pMethods = &k_methods;
  return SQLITE_OK;
}

static int x_delete(sqlite3_vfs *v, const char *path, int sync) {
  if (!tick()) return SQLITE_IOERR_DELETE;
  int slot = slot_of(path);
  forget(slot);
  k_file[slot].size = 0;
  return k_real->xDelete(k_real, path, sync);
}

void cut_register(void) {
  static sqlite3_vfs v;
  k_real = sqlite3_vfs_find(NULL);
  v = *k_real;
  v.zName = "cut";
  v.szOsFile = (int)sizeof(struct file);
  v.pNext = NULL;
  v.xOpen = x_open;
  v.xDelete = x_delete;
  sqlite3_vfs_register(&v, 0);
}

void cut_at(int64_t n) { k_left = n; }
void cut_disk(int64_t bytes) {
  if (bytes) k_files = 0;
  k_disk = bytes;
}
bool cut_is_off(void) { return k_off; }

static uint32_t draw(uint64_t *seed) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*seed >> 33);
}

void cut_lose(uint64_t seed) {
  for (int i = 0; i < k_files; i++) {
    int fd = k_file[i].undo ? open(k_file[i].path, O_RDWR) : -1;
    int how = (int)(draw(&seed) % 3); /* all is lost, nothing is, or some sectors are */
    for (struct undo *u = k_file[i].undo; u && fd >= 0 && how; u = u->next) {
      for (int64_t k = 0; k < u->n; k += SECTOR - (u->at + k) % SECTOR) {
        int64_t n = SECTOR - (u->at + k) % SECTOR;
        if (n > u->n - k) n = u->n - k;
        if (how == 1 || draw(&seed) % 2) (void)!pwrite(fd, u->old + k, (size_t)n, u->at + k);
      }
      if (how == 1) (void)!ftruncate(fd, u->size);
    }
    if (fd >= 0) {
      k_file[i].size = lseek(fd, 0, SEEK_END);
      close(fd);
    }
    forget(i);
  }
  k_off = false;
  k_left = 0;
}
