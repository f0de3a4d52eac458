/* SPDX-License-Identifier: Apache-2.0 */
/* train/pace: the number of threads that is the fastest is found, kept, and found anew when that changes. */

#include "train/pace.h"

#include "lib/test.h"

/* A step's seconds on so many threads: work that is shared, and a price for each thread that is woken. */
static double step_s(double work, double wake, int width) { return work / width + wake * (width - 1); }

/* Run steps; every 13th takes twice as long for no reason. Answers the seconds of all. */
static double run(whet_pace *p, int steps, double work, double wake) {
  double all = 0;
  for (int i = 0; i < steps; i++) {
    int w = whet__pace_width(p);
    assert_true(w >= 1 && w <= p->most);
    double s = step_s(work, wake, w) * (i % 13 == 5 ? 2 : 1);
    whet__pace_took(p, s);
    all += s;
  }
  return all;
}

static void narrow(void **state) {
  whet_pace p;
  whet__pace_start(&p, 2);
  assert_int_equal(whet__pace_width(&p), 2);
  run(&p, 100, 200e-6, 500e-6);
  assert_int_equal(p.width, 1);
  run(&p, 10000, 200e-6, 500e-6);
  assert_int_equal(p.width, 1);
  whet__pace_start(&p, 16); /* the best number lies between */
  run(&p, 2000, 1600e-6, 60e-6);
  assert_int_equal(p.width, 4);
}

static void stays(void **state) {
  whet_pace p;
  whet__pace_start(&p, 8);
  run(&p, 5000, 3e-3, 1e-6);
  assert_int_equal(p.width, 8);
  whet__pace_start(&p, 8); /* long steps are never tried on fewer */
  for (int i = 0; i < 5000; i++) {
    assert_int_equal(whet__pace_width(&p), 8);
    whet__pace_took(&p, 0.005);
  }
  whet__pace_start(&p, 1);
  run(&p, 5000, 1e-3, 1e-6);
  assert_int_equal(p.width, 1);
}

/* Steps that are mostly a little shorter on two threads and now and then much longer. */
static void long_waits(void **state) {
  whet_pace p;
  whet__pace_start(&p, 2);
  for (int i = 0, on_two = 0; i < 20000; i++) {
    int w = whet__pace_width(&p);
    on_two += w == 2;
    whet__pace_took(&p, w == 1 ? 200e-6 : i % 10 == 3 ? 3e-3 : 180e-6);
    if (i == 19999) assert_true(on_two < 1000);
  }
}

/* What the machine does changes in the middle, both ways; and trying costs little. */
static void changes(void **state) {
  whet_pace p;
  whet__pace_start(&p, 2);
  run(&p, 20000, 200e-6, 500e-6);
  assert_int_equal(p.width, 1);
  run(&p, 2 * WHET_PACE_LONG, 200e-6, 10e-6);
  assert_int_equal(p.width, 2);
  run(&p, 2 * WHET_PACE_LONG, 200e-6, 500e-6);
  assert_int_equal(p.width, 1);
  whet__pace_start(&p, 2);
  double took = run(&p, 10000, 200e-6, 500e-6), best = 0;
  for (int i = 0; i < 10000; i++) best += step_s(200e-6, 500e-6, 1) * (i % 13 == 5 ? 2 : 1);
  assert_true(took < 1.05 * best);
}

int main(void) {
  const struct CMUnitTest t[] = {cmocka_unit_test(narrow), cmocka_unit_test(stays), cmocka_unit_test(long_waits), cmocka_unit_test(changes)};
  return cmocka_run_group_tests(t, NULL, NULL);
}
