/* SPDX-License-Identifier: Apache-2.0 */
/* base/str: growing text, names to numbers, the hash; base/status: texts and the first failure. */

#include <stdio.h>

#include "base/str.h"
#include "lib/test.h"

static void text(void **state) {
  whet_mem m;
  char big[2000];
  whet__mem_init(&m, NULL, NULL, 0);
  whet_text t = {.mem = &m};
  whet__text_printf(&t, "%d", 12);
  whet__text_add(&t, "abc", 2);
  assert_string_equal(t.p, "12ab");
  memset(big, 'x', sizeof big - 1);
  big[sizeof big - 1] = 0;
  whet__text_printf(&t, "<%s>", big); /* longer than the inner buffer */
  assert_int_equal(t.n, 4 + 2 + 1999);
  assert_int_equal(t.p[t.n], 0);
  assert_int_equal(t.p[t.n - 1], '>');
  assert_memory_equal(t.p + 5, big, 1999);
  assert_false(t.bad);
  whet__text_free(&t);
  assert_null(t.p);
  assert_int_equal(m.used, 0);
  whet__mem_init(&m, NULL, NULL, 300);
  t = (whet_text){.mem = &m};
  whet__text_add(&t, "keep", 4);
  whet__text_printf(&t, "%s", big);
  assert_true(t.bad);
  whet__text_add(&t, "more", 4); /* dropped, and what was there stays */
  assert_string_equal(t.p, "keep");
  whet__text_free(&t);
}

static void names(void **state) {
  whet_mem m;
  enum { N = 3000 };
  static char key[N][16];
  whet__mem_init(&m, NULL, NULL, 0);
  whet_names map = {.mem = &m};
  assert_int_equal(whet__names_get(&map, "a", 1), -1);
  for (int i = 0; i < N; i++) {
    snprintf(key[i], sizeof key[i], "n%d", i);
    assert_true(whet__names_set(&map, key[i], strlen(key[i]), i));
  }
  for (int i = 0; i < N; i++) assert_int_equal(whet__names_get(&map, key[i], strlen(key[i])), i);
  assert_int_equal(whet__names_get(&map, "n3000", 5), -1);
  assert_int_equal(whet__names_get(&map, "n12", 2), 1); /* "n1": the length counts, not a zero byte */
  assert_true(whet__names_set(&map, "n7", 2, 70));
  assert_int_equal(whet__names_get(&map, "n7", 2), 70);
  assert_int_equal(map.used, N);
  assert_true(whet__names_set(&map, "", 0, 5)); /* the empty name is a name */
  assert_int_equal(whet__names_get(&map, "", 0), 5);
  assert_true(whet__names_set(&map, "a\0b", 3, 6)); /* so is one with a zero byte */
  assert_int_equal(whet__names_get(&map, "a", 1), -1);
  assert_int_equal(whet__names_get(&map, "a\0b", 3), 6);
  whet__names_free(&map);
  assert_int_equal(m.used, 0);
  whet__mem_init(&m, NULL, NULL, 100);
  map = (whet_names){.mem = &m};
  assert_false(whet__names_set(&map, "a", 1, 1));
}

/* Vectors of the FNV-1a page (isthe.com/chongo/tech/comp/fnv). */
static void hash(void **state) {
  assert_true(whet__hash(WHET_HASH_SEED, "", 0) == UINT64_C(0xcbf29ce484222325));
  assert_true(whet__hash(WHET_HASH_SEED, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
  assert_true(whet__hash(WHET_HASH_SEED, "foobar", 6) == UINT64_C(0x85944171f73967e8));
}

static void errors(void **state) {
  whet_err e = {0};
  assert_int_equal(whet__fail(NULL, WHET_E_SHAPE, "x"), WHET_E_SHAPE);
  assert_int_equal(whet__fail(&e, WHET_E_SHAPE, "axis %d", 3), WHET_E_SHAPE);
  assert_int_equal(whet__fail(&e, WHET_E_TYPE, "later"), WHET_E_TYPE); /* the first failure stays */
  assert_int_equal(e.code, WHET_E_SHAPE);
  assert_string_equal(e.text, "axis 3");
  assert_int_equal(whet__fail_in(&e, "node %d", 7), WHET_E_SHAPE);
  assert_string_equal(e.text, "node 7: axis 3");
  char big[sizeof e.text + 100];
  memset(big, 'y', sizeof big - 1);
  big[sizeof big - 1] = 0;
  e = (whet_err){0};
  whet__fail(&e, WHET_E_DATA, "%s", big);
  assert_int_equal(strlen(e.text), sizeof e.text - 1);
  assert_int_equal(whet__fail_in(&e, "%s", big), WHET_E_DATA);
  assert_true(strlen(e.text) < sizeof e.text);
  assert_string_equal(whet_status_name(WHET_OK), "OK");
  assert_string_equal(whet_status_name(WHET_E_DEADLINE), "E_DEADLINE");
  assert_int_equal(whet_status_http(WHET_E_NAME), 404);
  assert_int_equal(whet_status_exit(WHET_E_MISUSE), 2);
  assert_int_equal(whet_status_exit(WHET_OK), 0);
  assert_string_equal(whet_status_name((whet_status)-999), "E_INTERNAL");
  assert_string_equal(whet_status_name((whet_status)999), "E_INTERNAL");
}

static void size_arithmetic(void **state) {
  size_t r = 7;
  assert_true(whet__mul_size(0, SIZE_MAX, &r) && r == 0);
  assert_true(whet__mul_size(SIZE_MAX, 0, &r) && r == 0);
  assert_true(whet__mul_size(SIZE_MAX / 3, 3, &r) && r == SIZE_MAX / 3 * 3);
  assert_false(whet__mul_size(SIZE_MAX / 2 + 1, 2, &r));
  assert_true(whet__add_size(SIZE_MAX - 1, 1, &r) && r == SIZE_MAX);
  assert_false(whet__add_size(SIZE_MAX, 1, &r));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(text), cmocka_unit_test(names), cmocka_unit_test(hash),
                                     cmocka_unit_test(errors), cmocka_unit_test(size_arithmetic)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
