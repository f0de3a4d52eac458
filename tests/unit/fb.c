/* SPDX-License-Identifier: Apache-2.0 */
/* wire/fb: tables, vectors and strings of FlatBuffers, whole, cut, bent and turned into circles. */

#include "wire/fb.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/build.h"
#include "lib/test.h"

enum { ROOT_FIELDS = 6 };

/* A table with a number, a float, a string, a list of numbers and a list of one table. */
static buf sample(void) {
  buf b;
  fb_begin(&b, "TEST");
  fb_tab t = fb_table(&b, ROOT_FIELDS);
  fb_num(&b, t, 0, 4, -7);
  fb_float(&b, t, 1, 2.5f);
  fb_ref(&b, t, 2, fb_str(&b, "name"));
  const int32_t v[] = {1, -2, 3};
  fb_ref(&b, t, 3, fb_vec(&b, v, 3, 4));
  size_t list = fb_refs(&b, 1);
  fb_ref(&b, t, 4, list);
  fb_tab inner = fb_table(&b, 1);
  fb_item(&b, list, 0, inner.pos);
  fb_num(&b, inner, 0, 1, 200);
  return b;
}

static void reads(void **state) {
  buf b = sample();
  whet_fb f = {.p = b.p, .n = b.n};
  whet_fb_table t = whet__fb_root(&f);
  assert_true(whet__fb_there(t));
  assert_int_equal(whet__fb_int(t, 0, 4, 0), -7);
  assert_int_equal(whet__fb_uint(t, 0, 4, 0), 0xfffffff9u);
  assert_true(whet__fb_float(t, 1, 0) == 2.5f);
  assert_true(whet__fb_str(t, 2).n == 4 && !memcmp(whet__fb_str(t, 2).p, "name", 4));
  whet_fb_vec v = whet__fb_vec(t, 3, 4);
  assert_int_equal(v.n, 3);
  assert_int_equal(whet__fb_vec_int(v, 1, 4), -2);
  v = whet__fb_vec(t, 4, 4);
  whet_fb_table inner = whet__fb_vec_table(v, 0);
  assert_int_equal(whet__fb_int(inner, 0, 1, 0), -56);
  assert_int_equal(whet__fb_uint(inner, 0, 1, 0), 200);
  /* Absent: a field that is not stored, one past the list, any field of an absent table. */
  assert_int_equal(whet__fb_int(t, 5, 4, 42), 42);
  assert_int_equal(whet__fb_int(t, 600, 4, 42), 42);
  assert_int_equal(whet__fb_int(whet__fb_table(t, 5), 0, 4, 42), 42);
  assert_false(whet__fb_has(t, 5));
  assert_int_equal(whet__fb_vec(t, 5, 4).n, 0);
  assert_false(f.bad);
  buf_free(&b);
}

/* Read all there is. Any bytes must end without a crash; the answer is not looked at. */
static void read_all(const uint8_t *p, size_t n) {
  whet_fb f = {.p = p, .n = n};
  whet_fb_table t = whet__fb_root(&f);
  int64_t sum = 0;
  for (int i = 0; i < 8; i++) {
    sum += whet__fb_int(t, i, 1, 0) + whet__fb_int(t, i, 4, 0) + whet__fb_int(t, i, 8, 0);
    whet_fb_vec v = whet__fb_vec(t, i, 4);
    for (uint32_t k = 0; k < v.n; k++)
      sum += whet__fb_vec_int(v, k, 4) + whet__fb_int(whet__fb_vec_table(v, k), 0, 4, 0);
    whet_str s = whet__fb_str(t, i);
    for (size_t k = 0; k < s.n; k++) sum += s.p[k];
    sum += whet__fb_int(whet__fb_table(t, i), 0, 4, 0);
  }
  if (sum == INT64_MIN) printf("# never\n");
}

static void cut(void **state) {
  buf b = sample();
  for (size_t n = 0; n <= b.n; n++) {
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, b.p, n);
    read_all(copy, n);
    free(copy);
  }
  buf_free(&b);
}

static void bent(void **state) {
  buf b = sample();
  for (size_t i = 0; i < b.n; i++)
    for (int v = 0; v < 256; v++) {
      uint8_t old = b.p[i];
      b.p[i] = (uint8_t)v;
      read_all(b.p, b.n);
      b.p[i] = old;
    }
  buf_free(&b);
}

/* A table in a list of itself, and one whose field list is itself: both are only bytes that are read again. */
static void circles(void **state) {
  buf b;
  fb_begin(&b, "TEST");
  fb_tab t = fb_table(&b, 1);
  size_t list = fb_refs(&b, 1);
  fb_ref(&b, t, 0, list);
  fb_tab in = fb_table(&b, 1);
  fb_item(&b, list, 0, in.pos);
  fb_num(&b, in, 0, 4, 0xfffffff0); /* forward by nearly 4 GB */
  whet_fb f = {.p = b.p, .n = b.n};
  whet_fb_table root = whet__fb_root(&f), inner = whet__fb_vec_table(whet__fb_vec(root, 0, 4), 0);
  assert_false(whet__fb_there(whet__fb_table(inner, 0)));
  assert_true(f.bad);
  fb_num(&b, in, 0, 4, 0); /* a reference to where it stands */
  f = (whet_fb){.p = b.p, .n = b.n};
  assert_false(whet__fb_there(whet__fb_table(whet__fb_vec_table(whet__fb_vec(whet__fb_root(&f), 0, 4), 0), 0)));
  assert_true(f.bad);
  buf_free(&b);
}

/* What each fault is called, and where. */
static void faults(void **state) {
  buf b = sample();
  whet_fb f = {.p = b.p, .n = b.n};
  size_t at = whet__fb_root(&f).pos, slot = at + 4 + 8 * 3;
  uint32_t ref;
  memcpy(&ref, b.p + slot, 4);
  memset(b.p + slot + ref, 0xff, 4); /* the length of the list of numbers */
  assert_int_equal(whet__fb_vec(whet__fb_root(&f), 3, 4).n, 0);
  assert_true(f.bad);
  assert_int_equal(f.at, slot + ref);
  assert_non_null(strstr(f.what, "list"));
  f = (whet_fb){.p = b.p, .n = b.n};
  b.p[at] = 0; /* the table's way back to its field list */
  memset(b.p + at + 1, 0x7f, 3);
  assert_false(whet__fb_there(whet__fb_root(&f)));
  assert_true(f.bad);
  buf_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(reads), cmocka_unit_test(cut), cmocka_unit_test(bent),
                                     cmocka_unit_test(circles), cmocka_unit_test(faults)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
