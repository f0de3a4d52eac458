/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_BASE_MEM_H
#define WHET_BASE_MEM_H

/* Counted memory. Every allocation names the whet_mem that pays for it; an allocation that would take it or one of
 * its parents over its limit is refused before it is made. Thread safe. */

#include "base/base.h"
#include "whet/model.h"

typedef struct whet_mem {
  struct whet_mem *parent;   /* pays too; NULL at the root */
  whet_allocator fns;        /* where bytes come from; the root's are used */
  _Atomic size_t used, peak; /* bytes, headers included */
  size_t limit;              /* 0: none */
  _Atomic uint64_t count;    /* allocations made so far, for tests that demand none */
  _Atomic size_t refused;    /* bytes that the limit has refused; whet__no_memory reports and clears it */
} whet_mem;

/* From this size on blocks of the C library ask for huge pages, where these are to be had by asking. */
enum { WHET_HUGE_PAGE = 2 << 20 };
/* How much to ask for where speed counts more than memory: a last page of which n bytes fill more than half is a whole one, as the
 * second cache is read a fifth faster through huge pages. */
static inline size_t whet__huge(size_t n) {
  size_t over = n % WHET_HUGE_PAGE;
  return over > WHET_HUGE_PAGE / 2 && n <= SIZE_MAX - WHET_HUGE_PAGE ? n - over + WHET_HUGE_PAGE : n;
}

/* Prepare a node under parent (NULL: a root with the given allocator or, if that is NULL, the C library's). */
void whet__mem_init(whet_mem *m, whet_mem *parent, const whet_allocator *a, size_t limit);

/* n bytes aligned to WHET_ALIGN with WHET_SLACK readable bytes after them; NULL when refused. n 0 gives a valid
 * pointer. */
void *whet__alloc(whet_mem *m, size_t n);
/* The same, zeroed. */
void *whet__alloc0(whet_mem *m, size_t n);
/* n elements of `each` bytes, zeroed; NULL also when the product does not fit. */
void *whet__alloc_array(whet_mem *m, size_t n, size_t each);
/* Grow an array from `have` to at least `need` elements, keeping the contents; *cap is the capacity. False when
 * refused. */
bool whet__grow(whet_mem *m, void **p, size_t *cap, size_t need, size_t each);
/* Give back; NULL is accepted. */
void whet__free(whet_mem *m, void *p);

/* Fail with E_MEMORY, or E_LIMIT when it was a limit that refused n bytes; `what` names what the bytes were for. */
whet_status whet__no_memory(const whet_mem *m, size_t n, whet_err *err, const char *what);

/* Bump allocation that is freed all at once. Not thread safe. */
typedef struct whet_arena {
  whet_mem *mem;
  struct whet_arena_block *head;
  size_t left;
  char *at;
} whet_arena;

void whet__arena_init(whet_arena *a, whet_mem *mem);
void whet__arena_free(whet_arena *a);
/* n zeroed bytes aligned to 16 (to WHET_ALIGN from 4 kB on); NULL when refused. */
void *whet__arena_alloc(whet_arena *a, size_t n);
void *whet__arena_array(whet_arena *a, size_t n, size_t each);
void *whet__arena_copy(whet_arena *a, const void *p, size_t n);
/* A terminated copy of n characters. */
char *whet__arena_str(whet_arena *a, const char *s, size_t n);
char *whet__arena_printf(whet_arena *a, const char *fmt, ...) WHET_PRINTF(2, 3);

#endif
