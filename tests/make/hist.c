/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms that grow, and the ranges that calibrators take from them. */

#include "compress/hist.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "lib/test.h"

enum { N = 20000 };

static whet_hist *fresh(void) {
  whet_hist *h = calloc(1, sizeof *h);
  assert_non_null(h);
  return h;
}

/* A number about the normal distribution. */
static float normal(uint64_t i) {
  uint32_t r[4];
  float s = 0;
  for (uint64_t k = 0; k < 3; k++) {
    whet__rng_block(7, k, i, r);
    for (int m = 0; m < 4; m++) s += whet__rng_unit(r[m]);
  }
  return s - 6;
}

static int64_t total(const whet_hist *h) {
  int64_t n = 0;
  for (int i = 0; i < WHET_HIST_BINS; i++) n += h->bin[i];
  return n;
}

/* Numbers that come later may be of any size and sign: none is lost, and each bin holds what lies in it. */
static void grows(void **state) {
  static const float steps[] = {1e-20f, -3, 1e-3f, 4096, -1e9f, 3e38f, -3e38f, 0};
  whet_hist *h = fresh();
  for (int64_t i = 0; i < (int64_t)WHET_COUNT(steps); i++) {
    assert_true(whet__hist_add(h, &steps[i], 1));
    assert_int_equal(total(h), i + 1);
    assert_int_equal(h->count, i + 1);
  }
  assert_true(h->lo == -3e38f && h->hi == 3e38f);
  float bad[] = {1, NAN};
  assert_false(whet__hist_add(h, bad, 2));
  bad[1] = INFINITY;
  assert_false(whet__hist_add(h, bad, 2));
  free(h);
}

/* What was counted in pieces is what was counted at once. */
static void pieces(void **state) {
  static float x[N];
  whet_hist *once = fresh(), *piece = fresh();
  for (int i = 0; i < N; i++) x[i] = normal((uint64_t)i) * (i < N / 2 ? 1 : 8);
  assert_true(whet__hist_add(once, x, N));
  for (int i = 0; i < N; i += 100) assert_true(whet__hist_add(piece, x + i, 100));
  assert_int_equal(total(piece), N);
  for (int c = 0; c < 4; c++) {
    whet_range a = whet__hist_range(once, (whet_calibrate)c, 99.9, 256, false);
    whet_range b = whet__hist_range(piece, (whet_calibrate)c, 99.9, 256, false);
    assert_true(fabsf(a.hi - b.hi) < 0.08f * a.hi && fabsf(a.lo - b.lo) < 0.08f * -a.lo);
  }
  free(once);
  free(piece);
}

/* Squared error of N numbers under a range. */
static double squared(const float *x, whet_range r, int levels) {
  double step = ((double)r.hi - (double)r.lo) / (levels - 1), zero = rint(-(double)r.lo / step), sum = 0;
  for (int i = 0; i < N; i++) {
    double q = fmin(fmax(rint((double)x[i] / step) + zero, 0), levels - 1), e = (double)x[i] - (q - zero) * step;
    sum += e * e;
  }
  return sum;
}

/* The range of least squared error has less of it than that of everything, and no other calibrator has clearly less. */
static void calibrators(void **state) {
  static float x[N];
  for (int kind = 0; kind < 3; kind++) { /* normal; clamped at 0 with a long tail; one outlier */
    whet_hist *h = fresh();
    for (int i = 0; i < N; i++) {
      x[i] = normal((uint64_t)i);
      if (kind == 1) x[i] = x[i] > 0 ? x[i] * x[i] * x[i] : 0;
    }
    if (kind == 2) x[N / 2] = 60;
    assert_true(whet__hist_add(h, x, N));
    double least = INFINITY, error[4];
    for (int c = 0; c < 4; c++) {
      for (int levels = 16; levels <= 256; levels *= 16) {
        whet_range r = whet__hist_range(h, (whet_calibrate)c, 99.9, levels, false);
        assert_true(r.lo <= 0 && r.hi >= 0 && r.hi > r.lo && r.lo >= fminf(h->lo, 0) && r.hi <= h->hi);
        error[c] = squared(x, r, levels);
        whet_range s = whet__hist_range(h, (whet_calibrate)c, 99.9, levels, true);
        assert_true(s.lo == -s.hi);
      }
      least = fmin(least, error[c]);
    }
    assert_true(error[WHET_CALIBRATE_MSE] <= 1.05 * least);
    whet_range all = whet__hist_range(h, WHET_CALIBRATE_MINMAX, 0, 256, false);
    assert_true(all.hi == h->hi && all.lo == fminf(h->lo, 0));
    whet_range p = whet__hist_range(h, WHET_CALIBRATE_PERCENTILE, 99, 256, false);
    int64_t out = 0;
    for (int i = 0; i < N; i++) out += x[i] < p.lo || x[i] > p.hi;
    assert_true(out <= N / 100 && out >= N / 100 - N / 250);
    free(h);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(grows), cmocka_unit_test(pieces), cmocka_unit_test(calibrators)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
