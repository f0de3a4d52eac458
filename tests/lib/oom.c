/* SPDX-License-Identifier: Apache-2.0 */
/* An allocator that fails one allocation of the caller's choice, and the sweep over all of them. */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/test.h"

static void *take(void *user, size_t bytes, size_t align) {
  test_alloc *a = user;
  void *p = NULL;
  if (atomic_fetch_add(&a->calls, 1) + 1 == a->fail_at || posix_memalign(&p, align, bytes)) {
    atomic_fetch_add(&a->refused, 1);
    return NULL;
  }
  memset(p, 0xa5, bytes); /* nobody may count on zeros */
  atomic_fetch_add(&a->live, 1);
  atomic_fetch_add(&a->bytes, bytes);
  return p;
}

static void give(void *user, void *p, size_t bytes) {
  test_alloc *a = user;
  memset(p, 0x5a, bytes); /* nor on what was freed */
  atomic_fetch_sub(&a->live, 1);
  atomic_fetch_sub(&a->bytes, bytes);
  free(p);
}

void test_alloc_init(test_alloc *a, long fail_at) {
  memset(a, 0, sizeof *a);
  a->fns = (whet_allocator){take, give, a};
  a->fail_at = fail_at;
}

void test_oom(const char *what, test_oom_fn fn, void *arg, int benign) {
  test_alloc a;
  whet_err err = {0};
  test_alloc_init(&a, 0);
  whet_status s = fn(arg, &a.fns, &err);
  if (s) fail_msg("%s: without a refused allocation: %s (%s)", what, whet_status_name(s), err.text);
  if (a.live) fail_msg("%s: %ld blocks were not given back", what, (long)a.live);
  long n = a.calls;
  if (!n) fail_msg("%s: allocates nothing, so the sweep tests nothing", what);
  for (long i = 1; i <= n; i++) {
    memset(&err, 0, sizeof err);
    test_alloc_init(&a, i);
    s = fn(arg, &a.fns, &err);
    if (a.live)
      fail_msg("%s: allocation %ld of %ld refused: %ld blocks (%zu bytes) leaked", what, i, n, (long)a.live,
               (size_t)a.bytes);
    if (!a.refused) continue; /* fewer allocations than the first time */
    if (s == WHET_OK && benign-- > 0) continue;
    if (s != WHET_E_MEMORY || err.code != s || !err.text[0])
      fail_msg("%s: allocation %ld of %ld refused: %s, text \"%s\"", what, i, n, whet_status_name(s), err.text);
  }
  printf("# %s: each of %ld allocations refused\n", what, n);
}
