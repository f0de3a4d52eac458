/* SPDX-License-Identifier: Apache-2.0 */
/* base/span: bounded, sticky reading. */

#include "base/span.h"
#include "lib/test.h"

static void numbers(void **state) {
  const uint8_t b[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  whet_span s = whet__span(b, sizeof b);
  assert_int_equal(whet__span_u8(&s), 1);
  assert_int_equal(whet__span_u16(&s), 0x0302);
  assert_int_equal(whet__span_u32(&s), 0x07060504);
  assert_int_equal(s.at, 7);
  assert_true(whet__span_u64(&s) == UINT64_C(0x0f0e0d0c0b0a0908));
  assert_int_equal(s.n, 0);
  assert_false(s.bad);
  assert_int_equal(whet__span_u8(&s), 0);
  assert_true(s.bad);
}

/* After the first read past the end everything is zero, whatever is still there. */
static void sticky(void **state) {
  const uint8_t b[] = {0xff, 0xff, 0xff};
  whet_span s = whet__span(b, 3);
  assert_int_equal(whet__span_u32(&s), 0);
  assert_true(s.bad);
  assert_int_equal(whet__span_u8(&s), 0);
  assert_null(whet__span_take(&s, 0));
  whet_span sub = whet__span_sub(&s, 1);
  assert_true(sub.bad && !sub.p && !sub.n);
}

static void subs(void **state) {
  const uint8_t b[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  whet_span s = whet__span(b, 10), t;
  assert_non_null(whet__span_take(&s, 2));
  t = whet__span_sub(&s, 5);
  assert_int_equal(t.at, 2);
  assert_int_equal(t.n, 5);
  assert_int_equal(s.at, 7);
  assert_int_equal(whet__span_u32(&t), 0x05040302);
  assert_int_equal(whet__span_u16(&t), 0); /* one byte is left in it, though the file goes on */
  assert_true(t.bad);
  assert_false(s.bad);
  t = whet__span_sub(&s, 4);
  assert_true(t.bad && s.bad);
  assert_int_equal(t.at, 7);
  s = whet__span(b, 10);
  assert_null(whet__span_take(&s, SIZE_MAX));
  assert_true(s.bad);
  s = whet__span(NULL, 0);
  assert_int_equal(whet__span_u8(&s), 0);
  assert_true(s.bad);
}

/* Every length and the edges of each, written by the definition; then the ways to be wrong. */
static void varints(void **state) {
  for (int bits = 0; bits <= 64; bits++)
    for (int d = -1; d <= 1; d++) {
      uint64_t v = (bits == 64 ? 0 : UINT64_C(1) << bits) + (uint64_t)(int64_t)d, w = v;
      uint8_t b[11];
      size_t n = 0;
      do b[n++] = (uint8_t)(w & 0x7f) | (w >> 7 ? 0x80 : 0);
      while (w >>= 7);
      whet_span s = whet__span(b, n);
      assert_true(whet__span_varint(&s) == v);
      assert_false(s.bad);
      assert_int_equal(s.n, 0);
      s = whet__span(b, n - 1); /* cut off */
      assert_true(whet__span_varint(&s) == 0);
      assert_true(s.bad);
    }
  const uint8_t eleven[11] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0};
  const uint8_t too_big[10] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
  whet_span s = whet__span(eleven, 11);
  assert_true(whet__span_varint(&s) == 0 && s.bad);
  s = whet__span(too_big, 10);
  assert_true(whet__span_varint(&s) == 0 && s.bad);
  const uint8_t padded[2] = {0x81, 0}; /* longer than it need be: allowed by protobuf */
  s = whet__span(padded, 2);
  assert_true(whet__span_varint(&s) == 1 && !s.bad);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(numbers), cmocka_unit_test(sticky), cmocka_unit_test(subs),
                                     cmocka_unit_test(varints)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
