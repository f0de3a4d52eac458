/* SPDX-License-Identifier: Apache-2.0 */
/* base/mem: alignment and slack, limits along the chain of parents, counting, growth, arenas. */

#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "lib/test.h"

enum { HEAD = WHET_ALIGN + WHET_SLACK }; /* what each block costs beside its bytes */

static void blocks(void **state) {
  test_alloc a;
  whet_mem m;
  test_alloc_init(&a, 0);
  whet__mem_init(&m, NULL, &a.fns, 0);
  for (size_t n = 0; n < 300; n += 7) {
    uint8_t *p = whet__alloc(&m, n);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % WHET_ALIGN, 0);
    memset(p, 1, n + WHET_SLACK); /* a sanitizer would say when the slack is not ours */
    assert_int_equal(m.used, n + HEAD);
    assert_int_equal(a.bytes, n + HEAD);
    whet__free(&m, p);
    assert_int_equal(m.used, 0);
  }
  uint8_t *z = whet__alloc0(&m, 100);
  for (size_t i = 0; i < 100 + WHET_SLACK; i++) assert_int_equal(z[i], 0);
  whet__free(&m, z);
  whet__free(&m, NULL);
  assert_int_equal(m.count, a.calls);
  assert_int_equal(a.live, 0);
}

static void sizes_that_do_not_fit(void **state) {
  whet_mem m;
  whet__mem_init(&m, NULL, NULL, 0);
  assert_null(whet__alloc(&m, SIZE_MAX));
  assert_null(whet__alloc(&m, SIZE_MAX - HEAD + 1));
  assert_null(whet__alloc0(&m, SIZE_MAX - 1));
  assert_null(whet__alloc_array(&m, SIZE_MAX / 2, 3));
  void *p = NULL;
  size_t cap = 0;
  assert_false(whet__grow(&m, &p, &cap, SIZE_MAX, 1));
  assert_false(whet__grow(&m, &p, &cap, SIZE_MAX / 4, 16));
  assert_null(p);
  assert_int_equal(cap, 0);
  assert_int_equal(m.used, 0);
  assert_int_equal(m.count, 0);
}

static void limits(void **state) {
  test_alloc a;
  whet_mem root, mid, leaf;
  whet_err err = {0};
  test_alloc_init(&a, 0);
  whet__mem_init(&root, NULL, &a.fns, 1000);
  whet__mem_init(&mid, &root, NULL, 0);
  whet__mem_init(&leaf, &mid, NULL, 600);
  void *p = whet__alloc(&leaf, 600 - HEAD), *q;
  assert_non_null(p);
  assert_int_equal(leaf.used, 600);
  assert_int_equal(mid.used, 600);
  assert_int_equal(root.used, 600);
  assert_null(whet__alloc(&leaf, 0)); /* the leaf is full */
  assert_int_equal(leaf.used, 600);
  assert_int_equal(root.used, 600);
  assert_int_equal(whet__no_memory(&leaf, 0 + HEAD, &err, "a weight"), WHET_E_LIMIT);
  assert_non_null(strstr(err.text, "a weight"));
  assert_non_null(strstr(err.text, "600"));
  assert_null(whet__alloc(&mid, 401 - HEAD)); /* the root has 400 left */
  assert_non_null(q = whet__alloc(&mid, 400 - HEAD));
  assert_int_equal(root.used, 1000);
  assert_int_equal(root.peak, 1000);
  whet__free(&leaf, p);
  whet__free(&mid, q);
  assert_int_equal(root.used, 0);
  assert_int_equal(leaf.used, 0);
  assert_int_equal(root.peak, 1000);
  assert_int_equal(root.count, 2);
  assert_int_equal(leaf.count, 1);
  assert_int_equal(a.calls, 2); /* a refusal never reaches the allocator */

  test_alloc_init(&a, 1);
  err = (whet_err){0};
  whet__mem_init(&root, NULL, &a.fns, 0);
  assert_null(whet__alloc(&root, 10));
  assert_int_equal(root.used, 0);
  assert_int_equal(root.count, 0);
  assert_int_equal(whet__no_memory(&root, 10, &err, "x"), WHET_E_MEMORY);
}

/* Allocates and frees at random from several threads at once. */
static void *churn(void *arg) {
  whet_mem *m = arg;
  void *p[8] = {0};
  for (unsigned i = 0; i < 20000; i++) {
    unsigned k = i * 2654435761u >> 29;
    whet__free(m, p[k]);
    p[k] = whet__alloc(m, i % 97);
  }
  for (int k = 0; k < 8; k++) whet__free(m, p[k]);
  return NULL;
}

static void threads(void **state) {
  whet_mem root, leaf[3];
  pthread_t t[3];
  whet__mem_init(&root, NULL, NULL, 4000); /* tight, so that refusals happen too */
  for (int i = 0; i < 3; i++) {
    whet__mem_init(&leaf[i], &root, NULL, 0);
    assert_int_equal(pthread_create(&t[i], NULL, churn, &leaf[i]), 0);
  }
  for (int i = 0; i < 3; i++) pthread_join(t[i], NULL);
  for (int i = 0; i < 3; i++) assert_int_equal(leaf[i].used, 0);
  assert_int_equal(root.used, 0);
  assert_true(root.peak <= 4000 && root.peak > 1000);
}

static void grow(void **state) {
  whet_mem m;
  whet__mem_init(&m, NULL, NULL, 0);
  int *v = NULL;
  size_t cap = 0;
  for (int i = 0; i < 1000; i++) {
    assert_true(whet__grow(&m, (void **)&v, &cap, (size_t)i + 1, sizeof *v));
    assert_true(cap > (size_t)i);
    v[i] = i * 3;
  }
  for (int i = 0; i < 1000; i++) assert_int_equal(v[i], i * 3);
  for (size_t i = 1000; i < cap; i++) assert_int_equal(v[i], 0); /* what is new is zero */
  assert_true(m.count < 10);
  whet__free(&m, v);
  assert_int_equal(m.used, 0);
}

static void arenas(void **state) {
  whet_mem m;
  whet_arena a;
  whet__mem_init(&m, NULL, NULL, 0);
  whet__arena_init(&a, &m);
  for (size_t n = 0; n < 5000; n += 13) {
    uint8_t *p = whet__arena_alloc(&a, n);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % (n >= 4096 ? WHET_ALIGN : 16), 0);
    for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 0);
    memset(p, 0xff, n);
  }
  assert_string_equal(whet__arena_str(&a, "abcdef", 3), "abc");
  assert_string_equal(whet__arena_str(&a, NULL, 0), "");
  assert_string_equal(whet__arena_printf(&a, "%s-%d", "x", 7), "x-7");
  assert_memory_equal(whet__arena_copy(&a, "1234", 4), "1234", 4);
  assert_non_null(whet__arena_copy(&a, NULL, 0));
  assert_null(whet__arena_array(&a, SIZE_MAX, 2));
  assert_null(whet__arena_alloc(&a, SIZE_MAX));
  assert_null(whet__arena_alloc(&a, SIZE_MAX - 64));
  assert_null(whet__arena_str(&a, "", SIZE_MAX));
  char big[1500];
  memset(big, 'q', sizeof big - 1);
  big[sizeof big - 1] = 0;
  assert_string_equal(whet__arena_printf(&a, "%s", big), big);
  whet__arena_free(&a);
  assert_int_equal(m.used, 0);
  whet__mem_init(&m, NULL, NULL, 20000);
  whet__arena_init(&a, &m);
  assert_non_null(whet__arena_alloc(&a, 100));
  assert_null(whet__arena_alloc(&a, 10000)); /* over the limit: refused, and what is there stays good */
  assert_non_null(whet__arena_alloc(&a, 100));
  whet__arena_free(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(blocks), cmocka_unit_test(sizes_that_do_not_fit),
                                     cmocka_unit_test(limits), cmocka_unit_test(threads),
                                     cmocka_unit_test(grow),   cmocka_unit_test(arenas)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
