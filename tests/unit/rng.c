/* SPDX-License-Identifier: Apache-2.0 */
/* base/rng: the known answers of philox4x32-10 (Random123, kat_vectors), and that nothing depends on order. */

#include "base/rng.h"
#include "lib/test.h"

static void known_answers(void **state) {
  const struct {
    uint32_t counter[4], key[2], want[4];
  } k[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < WHET_COUNT(k); i++) {
    uint32_t out[4];
    whet__rng_block(k[i].key[0] | (uint64_t)k[i].key[1] << 32, k[i].counter[2] | (uint64_t)k[i].counter[3] << 32,
                    k[i].counter[0] | (uint64_t)k[i].counter[1] << 32, out);
    for (int j = 0; j < 4; j++) assert_int_equal(out[j], k[i].want[j]);
  }
}

static void unit(void **state) {
  assert_true(whet__rng_unit(0) == 0);
  assert_true(whet__rng_unit(UINT32_MAX) < 1);
  double sum = 0, squares = 0;
  enum { N = 100000 };
  for (uint64_t i = 0; i < N; i++) {
    uint32_t r[4];
    whet__rng_block(42, 1, i, r);
    for (int j = 0; j < 4; j++) {
      double x = whet__rng_unit(r[j]);
      sum += x;
      squares += x * x;
    }
  }
  assert_true(sum / (4 * N) > 0.498 && sum / (4 * N) < 0.502);
  assert_true(squares / (4 * N) > 0.331 && squares / (4 * N) < 0.336);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(known_answers), cmocka_unit_test(unit)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
