/* SPDX-License-Identifier: Apache-2.0 */
/* Counted memory: each block carries a header with its size, so that freeing needs no bookkeeping by callers. */

#include "base/mem.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Lies before every block; as long as the alignment, so that the block keeps it. */
struct head {
  size_t bytes; /* of the whole allocation, header and slack included */
  char pad[WHET_ALIGN - sizeof(size_t)];
};

/* Big blocks ask for huge pages, where these are to be had by asking: weights are then there after a few page faults instead of
 * thousands. What does not fill a huge page keeps small ones, so that no more memory is resident. */
static void *libc_alloc(void *user, size_t bytes, size_t align) {
  (void)user;
  void *p = NULL;
  bool big = bytes >= WHET_HUGE_PAGE;
  if (posix_memalign(&p, big ? WHET_HUGE_PAGE : align, bytes)) return NULL;
#ifdef MADV_HUGEPAGE
  if (big) madvise(p, bytes / WHET_HUGE_PAGE * WHET_HUGE_PAGE, MADV_HUGEPAGE);
#endif
  return p;
}

static void libc_free(void *user, void *p, size_t bytes) {
  (void)user;
  (void)bytes;
  free(p);
}

void whet__mem_init(whet_mem *m, whet_mem *parent, const whet_allocator *a, size_t limit) {
  m->parent = parent;
  m->limit = limit;
  atomic_init(&m->used, 0);
  atomic_init(&m->peak, 0);
  atomic_init(&m->count, 0);
  atomic_init(&m->refused, 0);
  if (parent)
    m->fns = parent->fns;
  else if (a)
    m->fns = *a;
  else
    m->fns = (whet_allocator){libc_alloc, libc_free, NULL};
}

/* Take n bytes from m's account and those above it; gives all back and returns false when one has too little. */
static bool charge(whet_mem *m, size_t n) {
  for (whet_mem *k = m; k; k = k->parent) {
    size_t limit = k->limit ? k->limit : SIZE_MAX, used = atomic_load(&k->used);
    while (used <= limit && n <= limit - used && !atomic_compare_exchange_weak(&k->used, &used, used + n)) {
    }
    if (used <= limit && n <= limit - used) continue;
    for (whet_mem *b = m; b != k; b = b->parent) atomic_fetch_sub(&b->used, n);
    atomic_store(&k->refused, n ? n : 1);
    return false;
  }
  return true;
}

/* Note what an allocation that was made has done to m's account and those above it. */
static void note(whet_mem *m) {
  for (whet_mem *k = m; k; k = k->parent) {
    size_t now = atomic_load(&k->used), peak = atomic_load(&k->peak);
    while (now > peak && !atomic_compare_exchange_weak(&k->peak, &peak, now)) {
    }
    atomic_fetch_add(&k->count, 1);
  }
}

void *whet__alloc(whet_mem *m, size_t n) {
  size_t total;
  if (!whet__add_size(n, sizeof(struct head) + WHET_SLACK, &total) || !charge(m, total)) return NULL;
  struct head *h = m->fns.alloc(m->fns.user, total, WHET_ALIGN);
  if (!h) {
    for (whet_mem *k = m; k; k = k->parent) atomic_fetch_sub(&k->used, total);
    return NULL;
  }
  h->bytes = total;
  note(m);
  return h + 1;
}

void *whet__alloc0(whet_mem *m, size_t n) {
  void *p = whet__alloc(m, n);
  if (p) memset(p, 0, n + WHET_SLACK);
  return p;
}

void *whet__alloc_array(whet_mem *m, size_t n, size_t each) {
  size_t bytes;
  return whet__mul_size(n, each, &bytes) ? whet__alloc0(m, bytes) : NULL;
}

bool whet__grow(whet_mem *m, void **p, size_t *cap, size_t need, size_t each) {
  if (need <= *cap) return true;
  size_t want = *cap ? *cap : 8;
  while (want < need) {
    if (want > SIZE_MAX / 2) return false;
    want *= 2;
  }
  void *q = whet__alloc_array(m, want, each);
  if (!q) return false;
  if (*p) memcpy(q, *p, *cap * each);
  whet__free(m, *p);
  *p = q;
  *cap = want;
  return true;
}

void whet__free(whet_mem *m, void *p) {
  if (!p) return;
  struct head *h = (struct head *)p - 1;
  size_t bytes = h->bytes;
  m->fns.free(m->fns.user, h, bytes);
  for (whet_mem *k = m; k; k = k->parent) atomic_fetch_sub(&k->used, bytes);
}

whet_status whet__no_memory(const whet_mem *m, size_t n, whet_err *err, const char *what) {
  for (whet_mem *k = (whet_mem *)m; k; k = k->parent) {
    size_t used = atomic_load(&k->used);
    if (!k->limit) continue;
    size_t refused = atomic_exchange(&k->refused, 0);
    if (!refused && used <= k->limit && n <= k->limit - used) continue;
    return whet__fail(err, WHET_E_LIMIT, "%s needs %zu bytes more; %zu of the memory limit of %zu bytes are taken", what,
                      refused ? refused : n, used, k->limit); /* memory is taken in blocks: what was refused may be more */
  }
  return whet__fail(err, WHET_E_MEMORY, "out of memory: %s needs %zu bytes", what, n);
}

struct whet_arena_block {
  struct whet_arena_block *next;
  char pad[WHET_ALIGN - sizeof(void *)];
};

enum { ARENA_BLOCK = 16 << 10, ARENA_LARGE = 4 << 10 };

void whet__arena_init(whet_arena *a, whet_mem *mem) { *a = (whet_arena){.mem = mem}; }

void whet__arena_free(whet_arena *a) {
  for (struct whet_arena_block *b = a->head, *next; b; b = next) {
    next = b->next;
    whet__free(a->mem, b);
  }
  *a = (whet_arena){.mem = a->mem};
}

/* A block of its own for n bytes, behind the one that is being filled if there is one. */
static void *large(whet_arena *a, size_t n) {
  if (n > SIZE_MAX - sizeof(struct whet_arena_block)) return NULL;
  struct whet_arena_block *b = whet__alloc0(a->mem, sizeof *b + n);
  if (!b) return NULL;
  if (a->head) {
    b->next = a->head->next;
    a->head->next = b;
  } else {
    a->head = b;
  }
  return b + 1;
}

void *whet__arena_alloc(whet_arena *a, size_t n) {
  if (n >= ARENA_LARGE) return large(a, n);
  n = whet__round_up(n ? n : 1, 16);
  if (n > a->left) {
    struct whet_arena_block *b = whet__alloc0(a->mem, ARENA_BLOCK);
    if (!b) return NULL;
    b->next = a->head;
    a->head = b;
    a->at = (char *)(b + 1);
    a->left = ARENA_BLOCK - sizeof *b;
  }
  void *p = a->at;
  a->at += n;
  a->left -= n;
  return p;
}

void *whet__arena_array(whet_arena *a, size_t n, size_t each) {
  size_t bytes;
  return whet__mul_size(n, each, &bytes) ? whet__arena_alloc(a, bytes) : NULL;
}

void *whet__arena_copy(whet_arena *a, const void *p, size_t n) {
  void *q = whet__arena_alloc(a, n);
  if (q && n) memcpy(q, p, n);
  return q;
}

char *whet__arena_str(whet_arena *a, const char *s, size_t n) {
  if (n == SIZE_MAX) return NULL;
  char *q = whet__arena_alloc(a, n + 1);
  if (q && n) memcpy(q, s, n);
  return q;
}

char *whet__arena_printf(whet_arena *a, const char *fmt, ...) {
  va_list ap, again;
  va_start(ap, fmt);
  va_copy(again, ap);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  char *q = n < 0 ? NULL : whet__arena_alloc(a, (size_t)n + 1);
  if (q) vsnprintf(q, (size_t)n + 1, fmt, again);
  va_end(again);
  return q;
}
