/* SPDX-License-Identifier: Apache-2.0 */
/* wire/pb: fields of protocol buffer messages, whole, cut and malformed. */

#include "wire/pb.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/build.h"
#include "lib/test.h"

/* One field of each wire type. */
static buf sample(void) {
  buf b = {0};
  pb_int(&b, 1, -1);
  pb_varint(&b, 2 << 3 | 1);
  buf_add(&b, "\1\2\3\4\5\6\7\10", 8);
  pb_str(&b, 3, "abc");
  pb_float(&b, 4, 1.5f);
  return b;
}

static void fields(void **state) {
  buf b = sample();
  whet_span s = whet__span(b.p, b.n);
  whet_pb f;
  assert_true(whet__pb_next(&s, &f));
  assert_true(f.field == 1 && f.wire == WHET_PB_VARINT && f.num == UINT64_MAX && f.at == 0);
  assert_true(whet__pb_next(&s, &f));
  assert_true(f.field == 2 && f.wire == WHET_PB_FIXED64 && f.num == UINT64_C(0x0807060504030201));
  assert_true(whet__pb_next(&s, &f));
  assert_true(f.field == 3 && f.bytes.n == 3 && !memcmp(f.bytes.p, "abc", 3));
  assert_int_equal(f.bytes.at, f.at + 2);
  assert_true(whet__pb_next(&s, &f));
  assert_true(f.field == 4 && whet__pb_float(f.num) == 1.5f);
  assert_false(whet__pb_next(&s, &f));
  assert_false(s.bad);
  buf_free(&b);
}

/* Every prefix that does not end between two fields is bad, and the fault is placed at the field that is cut. */
static void cut(void **state) {
  buf b = sample();
  const size_t ends[] = {0, 11, 20, 25, 30};
  for (size_t n = 0; n <= b.n; n++) {
    uint8_t *copy = malloc(n ? n : 1); /* its own block, so that a sanitizer sees every byte too far */
    memcpy(copy, b.p, n);
    whet_span s = whet__span(copy, n);
    whet_pb f;
    bool whole = false;
    size_t begin = 0;
    for (size_t i = 0; i < WHET_COUNT(ends); i++) {
      whole |= n == ends[i];
      if (ends[i] < n) begin = ends[i];
    }
    while (whet__pb_next(&s, &f)) continue;
    assert_int_equal(s.bad, !whole);
    if (s.bad) assert_int_equal(s.at, begin);
    free(copy);
  }
  buf_free(&b);
}

static bool bad(const char *bytes, size_t n) {
  whet_span s = whet__span(bytes, n);
  whet_pb f;
  while (whet__pb_next(&s, &f)) continue;
  return s.bad;
}

static void malformed(void **state) {
  assert_true(bad("\x00\x01", 2));                                          /* field 0 */
  assert_true(bad("\x0b", 1));                                              /* a group begins */
  assert_true(bad("\x0c", 1));                                              /* a group ends */
  assert_true(bad("\x0e", 1));                                              /* wire type 6 */
  assert_true(bad("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12)); /* a varint of eleven bytes */
  assert_true(bad("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11));     /* one that does not fit in 64 bits */
  assert_false(bad("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11));    /* the greatest that does */
  assert_true(bad("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11));     /* a length of 2^64 - 1 */
  assert_true(bad("\xf8\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", 11));     /* a field number past 2^29 */
}

static void counts(void **state) {
  buf b = sample();
  uint32_t n[4];
  size_t at;
  pb_str(&b, 3, "");
  assert_true(whet__pb_count(whet__span(b.p, b.n), n, 4, &at));
  assert_true(n[1] == 1 && n[2] == 1 && n[3] == 2);
  assert_false(whet__pb_count(whet__span(b.p, b.n - 1), n, 4, &at));
  assert_int_equal(at, 30);
  buf_free(&b);
}

/* Elements stand alone or in packed runs, in any mixture. */
static void elements(void **state) {
  buf b = {0}, run = {0};
  uint64_t v, sum = 0;
  pb_int(&b, 7, 1);
  for (int i = 0; i < 3; i++) pb_varint(&run, (uint64_t)(1000 << i));
  pb_msg(&b, 7, &run);
  pb_bytes(&b, 7, "", 0);
  pb_int(&b, 5, 99);
  pb_int(&b, 7, 2);
  whet_span s = whet__span(b.p, b.n);
  assert_int_equal(whet__pb_elements(s, 7, WHET_PB_VARINT), 5);
  whet_pb_each e = whet__pb_each(s, 7, WHET_PB_VARINT);
  int n = 0;
  for (; whet__pb_each_next(&e, &v); n++) sum += v;
  assert_int_equal(n, 5);
  assert_int_equal(sum, 7003);
  assert_false(e.msg.bad);
  buf_free(&b);
  pb_bytes(&b, 7, "\x01\x80", 2); /* a run that ends inside an element */
  e = whet__pb_each(whet__span(b.p, b.n), 7, WHET_PB_VARINT);
  assert_true(whet__pb_each_next(&e, &v));
  assert_false(whet__pb_each_next(&e, &v));
  assert_true(e.msg.bad);
  buf_free(&b);
  pb_float(&b, 7, 1); /* a wire type that the field does not have */
  e = whet__pb_each(whet__span(b.p, b.n), 7, WHET_PB_VARINT);
  assert_false(whet__pb_each_next(&e, &v));
  assert_true(e.msg.bad);
  buf_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(fields), cmocka_unit_test(cut), cmocka_unit_test(malformed),
                                     cmocka_unit_test(counts), cmocka_unit_test(elements)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
