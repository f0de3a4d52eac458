/* SPDX-License-Identifier: Apache-2.0 */
/* The rescaling rules on numbers worked out by hand: ties of both signs, ends of the ranges, factors that are powers
 * of two, that round up to one, that vanish or overflow. */

#include "lib/test.h"

#include "kern/requant.h"

/* Multipliers: mantissa and exponent. */
static void multiplier(void **state) {
  (void)state;
  static const struct {
    double real;
    int32_t mul, shift;
  } c[] = {
      {0.5, 1 << 30, 0},
      {1.0, 1 << 30, 1},
      {0.25, 1 << 30, -1},
      {0.75, 0x60000000, 0},
      {0.1, 1717986918, -3},                  /* 0.8 * 2^31 = 1717986918.4 */
      {1.0 - 1.0 / 8589934592.0, 1 << 30, 1}, /* 2^31 - 1/4 rounds to 2^31: halved, exponent up */
      {1.0 / 4294967296.0, 1 << 30, -31},
      {1.0 / 8589934592.0, 0, 0}, /* under 2^-32: nothing is left */
      {0.0, 0, 0},
      {1e30, INT32_MAX, 30},
  };
  for (size_t i = 0; i < WHET_COUNT(c); i++) {
    int32_t mul, shift;
    whet__quantize_multiplier(c[i].real, &mul, &shift);
    assert_int_equal(mul, c[i].mul);
    assert_int_equal(shift, c[i].shift);
  }
}

/* The two steps of TFL_FIX: the first rounds ties up, the second away from zero. */
static void fix(void **state) {
  (void)state;
  assert_int_equal(whet__high_mul(INT32_MIN, INT32_MIN), INT32_MAX);
  assert_int_equal(whet__high_mul(INT32_MIN, INT32_MAX), -INT32_MAX);
  assert_int_equal(whet__high_mul(1, 1 << 30), 1);   /* 0.5 */
  assert_int_equal(whet__high_mul(-1, 1 << 30), 0);  /* -0.5 */
  assert_int_equal(whet__high_mul(-3, 1 << 30), -1); /* -1.5 */
  assert_int_equal(whet__high_mul(3, 1 << 30), 2);
  assert_int_equal(whet__round_shift(5, 0), 5);
  assert_int_equal(whet__round_shift(5, 1), 3); /* 2.5 */
  assert_int_equal(whet__round_shift(-5, 1), -3);
  assert_int_equal(whet__round_shift(-6, 2), -2); /* -1.5 */
  assert_int_equal(whet__round_shift(-5, 2), -1);
  assert_int_equal(whet__round_shift(INT32_MAX, 31), 1);
  assert_int_equal(whet__round_shift(INT32_MIN, 31), -1);
  assert_int_equal(whet__round_shift(INT32_MAX, 1), 1 << 30);
  /* 3 * 0.5^1 / 2: 1.5 -> 2 -> 1, where one rounding of 0.75 gives 1; -3: -1.5 -> -1 -> -0.5 -> -1. */
  assert_int_equal(whet__mul_fix(3, 1 << 30, -1), 1);
  assert_int_equal(whet__mul_fix(-3, 1 << 30, -1), -1);
  /* 1 / 4: 0.5 -> 1 -> 0.5 -> 1, while one rounding gives 0. */
  assert_int_equal(whet__mul_fix(1, 1 << 30, -1), 1);
  assert_int_equal(whet__mul_fix1(1, 1 << 30, -1), 0);
  assert_int_equal(whet__mul_fix1(2, 1 << 30, -1), 1); /* 0.5: up */
  assert_int_equal(whet__mul_fix1(-2, 1 << 30, -1), 0);
  assert_int_equal(whet__mul_fix1(INT32_MAX, INT32_MAX, 30), INT32_MAX);
  assert_int_equal(whet__mul_fix1(INT32_MIN, INT32_MAX, 30), INT32_MIN);
  assert_int_equal(whet__mul_fix(100, 1 << 30, 3), 400);
  assert_int_equal(whet__mul_fix(0x40000000, 1 << 30, 1), -0x40000000); /* the shift to the left wraps */
  assert_int_equal(whet__mul_fix(INT32_MAX, INT32_MAX, 0), INT32_MAX - 1);
}

/* Rules in floating point: ties, saturation, what is just under a tie. */
static void real(void **state) {
  (void)state;
  assert_int_equal(whet__mul_real(5, 0.5), 3);
  assert_int_equal(whet__mul_real(-5, 0.5), -3);
  assert_int_equal(whet__mul_real(1, 0.49999999999999994), 0);
  assert_int_equal(whet__mul_real(INT64_C(1) << 40, 1.0), INT32_MAX);
  assert_int_equal(whet__mul_real(-(INT64_C(1) << 40), 1.0), INT32_MIN);
  assert_int_equal(whet__mul_real32(5, 0.5f), 2);
  assert_int_equal(whet__mul_real32(7, 0.5f), 4);
  assert_int_equal(whet__mul_real32(-5, 0.5f), -2);
  assert_int_equal(whet__mul_real32(16777217, 1.0f), 16777216); /* the sum itself is rounded to f32 */
  assert_int_equal(whet__mul_real32(INT32_MAX, 2.0f), INT32_MAX);
  assert_int_equal(whet__mul_real32(INT32_MIN, 2.0f), INT32_MIN);
}

/* 16-bit activations: the multiplier keeps 15 bits. */
static void wide(void **state) {
  (void)state;
  assert_int_equal(whet__mul_16x8(1 << 20, 1 << 30, 0), 1 << 19);
  assert_int_equal(whet__mul_16x8(1, 1 << 30, 0), 1); /* 0.5: up */
  assert_int_equal(whet__mul_16x8(-1, 1 << 30, 0), 0);
  assert_int_equal(whet__mul_16x8(65536, 0x7fffffff, 0), 65534); /* 0x7fff / 0x8000 */
  assert_int_equal(whet__mul_16x8(65536, 0x7ffeffff, 0), 65534); /* 0x7ffeffff + 2^15 >> 16 = 0x7fff */
  assert_int_equal(whet__mul_16x8(INT64_C(1) << 46, 1 << 30, 0), INT32_MAX);
  assert_int_equal(whet__mul_16x8(3, 1 << 30, 16), 3 << 15);
}

/* ONNX's f32 order: (sx * sw) / sy differs from sx * (sw / sy) here. */
static void order(void **state) {
  (void)state;
  whet_rescale r = whet__rescale(0.1f, 0.3f, 0.7f);
  float product = 0.1f * 0.3f, sy = 0.7f;
  assert_true(r.real32 == product / sy);
  assert_true(r.real == (double)0.1f * (double)0.3f / (double)0.7f);
  assert_int_equal(whet__rescale_apply(WHET_ROUND_ONNX_REAL, &r, 1000), whet__mul_real32(1000, r.real32));
  assert_int_equal(whet__rescale_apply(WHET_ROUND_TFL_FIX, &r, 1000), 43); /* 42.857 */
  assert_int_equal(whet__rescale_apply(WHET_ROUND_NONE, &r, -7), -7);
  assert_int_equal(whet__add_zero(INT32_MAX, 5, -128, 127), 127);
  assert_int_equal(whet__add_zero(INT32_MIN, -5, -128, 127), -128);
  assert_int_equal(whet__add_zero(3, -5, -128, 127), -2);
}

/* What whet__fix_half() describes; double holds every sum of it exactly, and the inner one is rounded as it says. */
static int32_t in_floats(int32_t x, const whet_rescale *r, float half) {
  const float hi = (float)r->mul;
  const double scale = ldexp(1, r->shift - 31), lo = (double)r->mul - (double)hi;
  const float inner = (float)(x * (lo * scale) + (x < 0 ? -half : half));
  return (int32_t)(x * (hi * scale) + inner);
}

/* The results of TFL_FIX in floats: every sum whose result is in bounds and some beyond, and that halves are found. */
static void halves(void **state) {
  (void)state;
  uint32_t seed = 1;
  int tried = 0, found = 0;
  for (int32_t shift = -1; shift >= -15; shift--)
    for (int i = 0; i < (shift < -10 ? 8 : 24); i++) {
      seed = seed * 1664525 + 1013904223;
      const int32_t fixed[] = {1 << 30, INT32_MAX, INT32_MAX - 63, 3 << 29, (1 << 30) + 1};
      const whet_rescale r = {.mul = i < 5 ? fixed[i] : (int32_t)((1u << 30) + (seed >> 2)), .shift = shift};
      const int64_t above = i % 3 == 0 ? 255 : 127, below = i % 3 == 1 ? 128 : 0;
      const float half = whet__fix_half(&r, above, below);
      tried += i >= 5 && shift >= -10;
      if (half != half) continue;
      assert_in_range(-shift, 1, 14);
      found += i >= 5 && shift >= -10;
      const int32_t from = below ? -(140 << (1 - shift)) : 0, to = 280 << (1 - shift);
      for (int32_t x = from; x <= to; x++) {
        const int64_t is = whet__clamp_i(in_floats(x, &r, half), -below, above);
        if (is != whet__clamp_i(whet__mul_fix(x, r.mul, r.shift), -below, above))
          fail_msg("%d * %d >> %d: %d", x, r.mul, 31 - r.shift, (int)is);
      }
      assert_true(in_floats(-(1 << 28), &r, half) <= -below && in_floats((1 << 30) - 1, &r, half) >= above);
    }
  assert_true(found * 10 >= tried * 9);
  assert_true(isnan(whet__fix_half(&(whet_rescale){.mul = 1 << 30, .shift = -4}, 127, 128))); /* -8: -1/2 to -1, -7.5 not */
  assert_true(isnan(whet__fix_half(&(whet_rescale){.mul = 3 << 29, .shift = 0}, 127, 128)));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(multiplier), cmocka_unit_test(fix),  cmocka_unit_test(halves),
                                     cmocka_unit_test(real),       cmocka_unit_test(wide), cmocka_unit_test(order)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
