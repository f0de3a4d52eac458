/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed-point functions against the real ones: their errors, their ends. */

#include <math.h>

#include "lib/test.h"

#include "kern/fixed.h"

static void near(double got, double want, double error) {
  if (!(fabs(got - want) <= error)) fail_msg("got %.12g, expected %.12g within %g", got, want, error);
}

/* e^x over the whole range of several formats. */
static void exponential(void **state) {
  for (int bits = 0; bits <= 8; bits++)
    for (int64_t x = INT32_MIN; x <= 0; x += 7654321) {
      double v = (double)x / (double)(INT64_C(1) << (31 - bits));
      near(whet__fx_exp((int32_t)x, bits) / 2147483648.0, exp(v), 3e-7);
    }
  assert_int_equal(whet__fx_exp(0, 5), INT32_MAX);
  assert_int_equal(whet__fx_exp(-(1 << 30) - 1, 6), 0); /* beyond e^-32 nothing is left */
}

/* 1 / (1 + x), and reciprocals of what softmax sums. */
static void reciprocal(void **state) {
  for (int64_t x = 0; x <= INT32_MAX; x += 1234567)
    near(whet__fx_one_over_one_plus((int32_t)x) / 2147483648.0, 1 / (1 + (double)x / 2147483648.0), 4e-9);
  for (int64_t x = 1; x <= INT32_MAX; x = x * 5 / 4 + 1) {
    int over;
    double m = whet__fx_reciprocal((int32_t)x, 12, &over) / 2147483648.0;
    double v = (double)x / (1 << 19);
    near(ldexp(m, -over) * v, 1, 1e-8);
  }
}

/* 1 / sqrt(x), ln x. */
static void roots(void **state) {
  for (int64_t x = 2; x < INT32_MAX; x = x * 7 / 5 + 1) {
    int32_t mul, shift;
    whet__fx_inv_sqrt((int32_t)x, &mul, &shift);
    near(ldexp((double)mul / 2147483648.0, shift) * sqrt((double)x), 1, 1e-5);
  }
  for (int64_t x = 1 << 19; x < INT32_MAX; x = x * 9 / 8 + 1)
    near(whet__fx_log((int32_t)x, 12, 5) / 67108864.0, log((double)x / (1 << 19)), 1e-5);
}

/* 16-bit products, and the tables. */
static void sixteen(void **state) {
  assert_int_equal(whet__fx16_mul(INT16_MIN, INT16_MIN), INT16_MAX);
  assert_int_equal(whet__fx16_mul(1, 1 << 14), 1);
  assert_int_equal(whet__fx16_mul(-1, 1 << 14), 0); /* -0.5 and 1 - 2^14 under the division: towards zero */
  assert_int_equal(whet__fx16_mul(-3, 1 << 14), -1);
  assert_int_equal(whet__fx16_mul_cut(-3, 1 << 14), -1);
  assert_int_equal(whet__fx16_mul_cut(3, 1 << 14), 1);
  assert_int_equal(whet__fx16_left(300, 7), INT16_MAX);
  assert_int_equal(whet__fx16_left(-300, 7), INT16_MIN);
  assert_int_equal(whet__fx16_right(-5, 1), -3);
  assert_int_equal(whet__fx16_multiplier(INT32_MAX), INT16_MAX);
  assert_int_equal(whet__fx16_multiplier(1 << 30), 1 << 14);
  int32_t mul;
  int shift;
  for (int k = 0; k < 2; k++) {
    float scale = k ? 0.00031f : 1.0f / 4096;
    whet__fx_logistic16_scale(scale, 0, &mul, &shift);
    for (int x = -32768; x < 32768; x += 37) {
      near(whet__fx_logistic16((int16_t)x, mul, shift) / 32768.0, 1 / (1 + exp(-(double)scale * x)), 2e-4);
      near(whet__fx_tanh16((int16_t)x, mul, shift) / 32768.0, tanh((double)scale * x), 3e-4);
    }
  }
}

static float cube(float x, const void *ctx) { return x * x * x; }

static void table(void **state) {
  int16_t t[513];
  whet__fx_table16(1.0f / 32768, 1.0f / 32768, cube, NULL, t);
  for (int x = -32768; x < 32768; x += 41)
    near(whet__fx_lookup16((int16_t)x, t) / 32768.0, pow(x / 32768.0, 3), 3e-4);
  assert_int_equal(whet__fx_lookup16(INT16_MIN, t), INT16_MIN);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(exponential), cmocka_unit_test(reciprocal),
                                     cmocka_unit_test(roots), cmocka_unit_test(sixteen), cmocka_unit_test(table)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
