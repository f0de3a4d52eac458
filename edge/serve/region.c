/* SPDX-License-Identifier: Apache-2.0 */
/* Shared memory regions. */

#include "edge/serve/region.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 1024, NAME = 256 };

struct serve_region {
  _Atomic int refs;
  char name[NAME], key[NAME];
  uint64_t offset, bytes;
  int fd;
  struct serve_region *next;
};

struct serve_regions {
  pthread_mutex_t lock; /* the list */
  serve_region *first;
  size_t n;
};

serve_regions *regions_create(void) {
  serve_regions *r = calloc(1, sizeof *r);
  if (r) pthread_mutex_init(&r->lock, NULL);
  return r;
}

void regions_free(serve_regions **r) {
  if (!*r) return;
  regions_drop(*r, (json_text){"", 0});
  pthread_mutex_destroy(&(*r)->lock);
  free(*r);
  *r = NULL;
}

void region_unref(serve_region **at) {
  serve_region *r = *at;
  *at = NULL;
  if (!r || atomic_fetch_sub(&r->refs, 1) > 1) return;
  close(r->fd);
  free(r);
}

static serve_region *find(serve_regions *r, json_text name) {
  for (serve_region *x = r->first; x; x = x->next)
    if (text_is(name, x->name)) return x;
  return NULL;
}

/* Open the object that a key names: one name below the folder of shared memory, nothing else. */
static whet_status open_key(serve_region *x, json_text key, whet_err *err) {
  struct stat st;
  if (key.n < 2 || key.n >= NAME || key.p[0] != '/' || memchr(key.p + 1, '/', key.n - 1) || memchr(key.p, 0, key.n) ||
      key.p[1] == '.')
    return edge_fail(err, WHET_E_DATA, "a shared memory key is \"/NAME\" without another slash");
  memcpy(x->key, key.p, key.n);
  x->fd = shm_open(x->key, O_RDWR | O_CLOEXEC, 0);
  if (x->fd < 0) return edge_fail(err, WHET_E_NAME, "shared memory \"%s\": %s", x->key, strerror(errno));
  if (fstat(x->fd, &st) || !S_ISREG(st.st_mode))
    return edge_fail(err, WHET_E_DATA, "shared memory \"%s\" is none", x->key);
  if (x->offset > (uint64_t)st.st_size || x->bytes > (uint64_t)st.st_size - x->offset)
    return edge_fail(err, WHET_E_DATA,
                     "shared memory \"%s\" has %lld bytes, expected are %" PRIu64 " from %" PRIu64 " on", x->key,
                     (long long)st.st_size, x->bytes, x->offset);
  return WHET_OK;
}

whet_status regions_add(serve_regions *r, json_text name, json_text key, uint64_t offset, uint64_t bytes,
                        whet_err *err) {
  if (!name.n || name.n >= NAME || memchr(name.p, 0, name.n))
    return edge_fail(err, WHET_E_DATA, "a region's name has 1 to %d bytes", NAME - 1);
  if (!bytes) return edge_fail(err, WHET_E_DATA, "a region has at least one byte");
  serve_region *x = calloc(1, sizeof *x);
  if (!x) return edge_fail(err, WHET_E_MEMORY, "no memory for a region");
  x->refs = 1;
  x->fd = -1;
  x->offset = offset;
  x->bytes = bytes;
  memcpy(x->name, name.p, name.n);
  whet_status s = open_key(x, key, err);
  pthread_mutex_lock(&r->lock);
  if (!s && find(r, name)) s = edge_fail(err, WHET_E_DATA, "region \"%s\" is registered already", x->name);
  if (!s && r->n == MOST) s = edge_fail(err, WHET_E_LIMIT, "%d regions are registered already", MOST);
  if (!s) {
    x->next = r->first;
    r->first = x;
    r->n++;
  }
  pthread_mutex_unlock(&r->lock);
  if (s) {
    if (x->fd >= 0) close(x->fd);
    free(x);
  }
  return s;
}

void regions_drop(serve_regions *r, json_text name) {
  pthread_mutex_lock(&r->lock);
  for (serve_region **at = &r->first; *at;) {
    serve_region *x = *at;
    if (name.n && !text_is(name, x->name)) {
      at = &x->next;
      continue;
    }
    *at = x->next;
    r->n--;
    region_unref(&x);
  }
  pthread_mutex_unlock(&r->lock);
}

serve_region *regions_find(serve_regions *r, json_text name, uint64_t offset, uint64_t bytes, whet_err *err) {
  pthread_mutex_lock(&r->lock);
  serve_region *x = find(r, name);
  if (!x)
    edge_fail(err, WHET_E_DATA, "there is no shared memory region \"%.*s\"", (int)(name.n > 100 ? 100 : name.n),
              name.p);
  else if (offset > x->bytes || bytes > x->bytes - offset)
    edge_fail(err, WHET_E_DATA, "region \"%s\" has %" PRIu64 " bytes, asked for are %" PRIu64 " from %" PRIu64 " on",
              x->name, x->bytes, bytes, offset),
        x = NULL;
  else
    atomic_fetch_add(&x->refs, 1);
  pthread_mutex_unlock(&r->lock);
  return x;
}

whet_status region_read(serve_region *r, size_t offset, void *to, size_t n, whet_err *err) {
  for (size_t at = 0; at < n;) {
    ssize_t got = pread(r->fd, (char *)to + at, n - at, (off_t)(r->offset + offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return edge_fail(err, WHET_E_DATA, "region \"%s\" has become shorter", r->name);
    at += (size_t)got;
  }
  return WHET_OK;
}

whet_status region_write(serve_region *r, size_t offset, const void *from, size_t n, whet_err *err) {
  struct stat st;
  /* a write past the end would make the object longer again: it is the client's */
  if (fstat(r->fd, &st) || (uint64_t)st.st_size < r->offset + offset + n)
    return edge_fail(err, WHET_E_DATA, "region \"%s\" has become shorter", r->name);
  for (size_t at = 0; at < n;) {
    ssize_t put = pwrite(r->fd, (const char *)from + at, n - at, (off_t)(r->offset + offset + at));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return edge_fail(err, WHET_E_IO, "region \"%s\": %s", r->name, strerror(errno));
    at += (size_t)put;
  }
  return WHET_OK;
}

const char *region_name(const serve_region *r) { return r->name; }

whet_status regions_json(serve_regions *r, json_text name, serve_buf *out, whet_err *err) {
  whet_status s = WHET_OK;
  bool more = false;
  buf_text(out, "[");
  pthread_mutex_lock(&r->lock);
  if (name.n && !find(r, name))
    s = edge_fail(err, WHET_E_NAME, "there is no shared memory region \"%.*s\"", (int)(name.n > 100 ? 100 : name.n),
                  name.p);
  for (serve_region *x = r->first; x; x = x->next) {
    if (name.n && !text_is(name, x->name)) continue;
    buf_text(out, more ? ",{\"name\":" : "{\"name\":");
    buf_json_str(out, x->name);
    buf_text(out, ",\"key\":");
    buf_json_str(out, x->key);
    buf_printf(out, ",\"offset\":%" PRIu64 ",\"byte_size\":%" PRIu64 "}", x->offset, x->bytes);
    more = true;
  }
  pthread_mutex_unlock(&r->lock);
  buf_text(out, "]");
  return s;
}
