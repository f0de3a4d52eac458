/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of merit against cases that are worked out by hand. */

#include "train/metrics.h"

#include <math.h>

#include "lib/test.h"

static whet_mem *mem(void) {
  static whet_mem m;
  static bool made;
  if (!made) whet__mem_init(&m, NULL, NULL, 0);
  made = true;
  return &m;
}

static double auc(const float *score, const uint8_t *positive, int64_t n) {
  double v;
  whet_err err = {0};
  assert_int_equal(whet__auc(score, positive, n, mem(), &v, &err), WHET_OK);
  return v;
}

static void areas(void **state) {
  static const float up[] = {1, 2, 3, 4}, even[] = {5, 5, 5, 5}, mixed[] = {0.1f, 0.4f, 0.35f, 0.8f};
  static const uint8_t half[] = {0, 0, 1, 1}, none[4];
  assert_true(auc(up, half, 4) == 1);
  assert_true(auc(even, half, 4) == 0.5);
  assert_true(auc(mixed, half, 4) == 0.75); /* of four pairs one is the wrong way round */
  assert_true(isnan(auc(up, none, 4)));
  double x[8], y[8];
  size_t n;
  whet_err err = {0};
  assert_int_equal(whet__roc(mixed, half, 4, 8, x, y, &n, mem(), &err), WHET_OK);
  assert_true(n >= 3 && x[0] == 0 && y[0] == 0 && x[n - 1] == 1 && y[n - 1] == 1);
  for (size_t i = 1; i < n; i++) assert_true(x[i] >= x[i - 1] && y[i] >= y[i - 1]);
}

static void chances(void **state) {
  double lo, hi;
  whet__wilson(50, 100, &lo, &hi);
  assert_true(fabs(lo - 0.40383) < 1e-5 && fabs(hi - 0.59617) < 1e-5);
  whet__wilson(100, 100, &lo, &hi);
  assert_true(fabs(hi - 1) < 1e-12 && fabs(lo - 0.96301) < 1e-5);
  assert_true(whet__mcnemar(0, 0) == 1 && whet__mcnemar(7, 7) == 1);
  assert_true(fabs(whet__mcnemar(1, 5) - 0.21875) < 1e-9); /* 2 (1 + 6) / 64 */
}

static double ap(const whet_box *told, size_t n, const whet_box *truth, size_t n_truth, double overlap) {
  double v;
  whet_err err = {0};
  assert_int_equal(whet__average_precision(told, n, truth, n_truth, 1, overlap, mem(), &v, &err), WHET_OK);
  return v;
}

static void boxes(void **state) {
  static const whet_box truth[] = {{0, 0, 10, 10, 1, 0, 1}, {20, 20, 30, 30, 1, 0, 1}, {0, 0, 10, 10, 1, 1, 2}};
  static const whet_box told[] = {{0, 0, 10, 10, 0.9f, 0, 1},   /* hit */
                                  {0, 0, 10, 10, 0.8f, 0, 1},   /* its double: wrong */
                                  {20, 20, 30, 28, 0.7f, 0, 1}, /* hit: overlap 0.8 */
                                  {0, 0, 10, 10, 0.6f, 1, 1}};  /* another class lies there */
  assert_true(ap(truth, 3, truth, 3, 0.95) == 1);
  /* Recall 0.5 at precision 1 (51 of the 101 recalls), then 1 at 2 of 3. */
  assert_true(fabs(ap(told, 4, truth, 3, 0.5) - (51 + 50 * 2.0 / 3) / 101) < 1e-12);
  assert_true(fabs(ap(told, 4, truth, 3, 0.85) - 51 / 101.0) < 1e-12);
  assert_true(ap(told, 0, truth, 3, 0.5) == 0);
  assert_true(isnan(ap(told, 4, truth + 2, 1, 0.5)));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(areas), cmocka_unit_test(chances), cmocka_unit_test(boxes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
