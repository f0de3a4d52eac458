/* SPDX-License-Identifier: Apache-2.0 */
/* Small blocks are cut from chunks and, given back, kept by size for the next; middle-sized ones are pages of their
 * own; large ones are left to malloc, which maps them as well. */

#include "edge/serve/heap.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
  UNIT = 64, /* sizes and places of small blocks are multiples of it: the library's alignment */
  SMALL = 16 << 10,
  CHUNK = 64 << 10,
  LARGE = 1 << 20, /* M_MMAP_THRESHOLD */
  HUGE_PAGE = 2 << 20,
  CLASSES = SMALL / UNIT + 1
};

/* What a free block and a chunk begin with. */
typedef struct link {
  struct link *next;
} link;

struct serve_heap {
  whet_allocator fns;
  pthread_mutex_t lock; /* all below */
  link *chunk;
  char *at; /* the rest of the newest chunk */
  size_t left;
  link *idle[CLASSES]; /* by units */
};

static void *map(size_t bytes) {
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

static size_t units(size_t bytes) { return (bytes + UNIT - 1) / UNIT; }

static void keep(serve_heap *h, void *p, size_t n) {
  link *l = p;
  if (!n) return;
  l->next = h->idle[n];
  h->idle[n] = l;
}

/* n units: an idle block of that size or a part of a larger one, else from the chunk. */
static void *cut(serve_heap *h, size_t n) {
  size_t k = n;
  while (k < CLASSES && !h->idle[k]) k++;
  if (k < CLASSES) {
    link *l = h->idle[k];
    h->idle[k] = l->next;
    keep(h, (char *)l + n * UNIT, k - n);
    return l;
  }
  if (n * UNIT > h->left) {
    link *c = map(CHUNK);
    if (!c) return NULL;
    keep(h, h->at, h->left / UNIT);
    c->next = h->chunk;
    h->chunk = c;
    h->at = (char *)c + UNIT;
    h->left = CHUNK - UNIT;
  }
  void *p = h->at;
  h->at += n * UNIT;
  h->left -= n * UNIT;
  return p;
}

static void *take(void *user, size_t bytes, size_t align) {
  serve_heap *h = user;
  void *p;
  if (bytes <= SMALL && align > UNIT) return NULL; /* nobody asks for that */
  if (bytes <= SMALL) {
    pthread_mutex_lock(&h->lock);
    p = cut(h, units(bytes ? bytes : 1));
    pthread_mutex_unlock(&h->lock);
    return p;
  }
  if (bytes < LARGE) return map(bytes);
  bool big = bytes >= HUGE_PAGE; /* huge pages are asked for as the library does */
  if (posix_memalign(&p, big ? HUGE_PAGE : align, bytes)) return NULL;
#ifdef MADV_HUGEPAGE
  if (big) madvise(p, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
  return p;
}

static void give(void *user, void *p, size_t bytes) {
  serve_heap *h = user;
  if (bytes > SMALL) {
    if (bytes < LARGE)
      munmap(p, bytes);
    else
      free(p);
    return;
  }
  pthread_mutex_lock(&h->lock);
  keep(h, p, units(bytes ? bytes : 1));
  pthread_mutex_unlock(&h->lock);
}

serve_heap *heap_create(void) {
  serve_heap *h = calloc(1, sizeof *h);
  if (!h) return NULL;
  h->fns = (whet_allocator){take, give, h};
  pthread_mutex_init(&h->lock, NULL);
  return h;
}

const whet_allocator *heap_allocator(serve_heap *h) { return &h->fns; }

void heap_close(serve_heap **at) {
  serve_heap *h = *at;
  *at = NULL;
  if (!h) return;
  for (link *c = h->chunk, *next; c; c = next) {
    next = c->next;
    munmap(c, CHUNK);
  }
  pthread_mutex_destroy(&h->lock);
  free(h);
}
