/* SPDX-License-Identifier: Apache-2.0 */
/* Resampling: sines come out as sines of the same frequency and phase, what the lower rate cannot hold is gone,
 * pieces make no difference, and lengths are what is promised. */

#include "lib/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "whet/resample.h"

#define PI 3.14159265358979323846

/* All of it, in pieces of `piece` frames. Free the result. */
static float *resampled(int from, int to, int channels, const float *in, size_t frames, size_t piece, size_t *n) {
  whet_resampler *r;
  whet_err err = {0};
  if (whet_resampler_create(from, to, channels, &r, &err)) fail_msg("%s", err.text);
  size_t room = whet_resampler_room(r, frames), got;
  float *out = malloc((room + 1) * (size_t)channels * sizeof *out);
  *n = 0;
  for (size_t i = 0; i < frames || !frames; i += piece) {
    size_t k = frames - i < piece ? frames - i : piece;
    bool end = i + k == frames;
    if (whet_resampler_run(r, in + i * (size_t)channels, k, end, out + *n * (size_t)channels, room - *n, &got, &err))
      fail_msg("%s", err.text);
    *n += got;
    if (end) break;
  }
  assert_int_equal(*n, room);
  whet_resampler_close(&r);
  assert_null(r);
  return out;
}

static float *sine(double hertz, int rate, size_t frames) {
  float *x = malloc(frames * sizeof *x);
  for (size_t i = 0; i < frames; i++) x[i] = (float)(0.5 * sin(2 * PI * hertz * (double)i / rate + 0.3));
  return x;
}

/* The largest difference from the sine at the new rate, away from the ends. */
static double off(int from, int to, double hertz, double amplitude) {
  size_t frames = (size_t)from / 2, n;
  float *x = sine(hertz, from, frames), *y = resampled(from, to, 1, x, frames, 1000, &n);
  double most = 0;
  assert_int_equal(n, (frames * (uint64_t)to + (uint64_t)from - 1) / (uint64_t)from);
  for (size_t m = n / 4; m < 3 * n / 4; m++)
    most = fmax(most, fabs((double)y[m] - amplitude * 0.5 * sin(2 * PI * hertz * (double)m / to + 0.3)));
  free(x), free(y);
  return most;
}

static void sines(void **state) {
  static const int k[][2] = {{44100, 16000}, {48000, 16000}, {8000, 16000},  {11025, 16000},
                             {16000, 44100}, {22050, 8000},  {16000, 15999}, {44100, 48001}};
  (void)state;
  for (size_t i = 0; i < sizeof k / sizeof *k; i++) {
    double half = fmin(k[i][0], k[i][1]) / 2.0;
    for (int part = 1; part <= 9; part += 4) {
      double e = off(k[i][0], k[i][1], part * 0.1 * half, 1);
      if (e > 2e-5)
        fail_msg("%d -> %d: %g Hz is off by %g", k[i][0], k[i][1], part * 0.1 * half,
                 e); /* 100 dB under 0.5, and sums of float32 */
    }
    if (k[i][1] < k[i][0] && k[i][0] > k[i][1] * 1.2) { /* past the lower half rate */
      double e = off(k[i][0], k[i][1], 1.05 * half, 0);
      if (e > 2e-5) fail_msg("%d -> %d: %g Hz leaves %g", k[i][0], k[i][1], 1.05 * half, e);
    }
  }
}

/* Two channels do not mix, and pieces of any length make the same numbers. */
static void pieces(void **state) {
  enum { N = 3000 };
  static float x[2 * N];
  size_t n, k, one;
  (void)state;
  for (size_t i = 0; i < N; i++) x[2 * i] = (float)((i * 7919) % 1000) / 1000 - 0.5f, x[2 * i + 1] = (float)i / N;
  float *all = resampled(44100, 16000, 2, x, N, N, &n), left[N];
  for (size_t i = 0; i < N; i++) left[i] = x[2 * i];
  for (size_t piece = 1; piece < 700; piece = piece * 5 + 2) {
    float *y = resampled(44100, 16000, 2, x, N, piece, &k);
    assert_int_equal(k, n);
    assert_memory_equal(y, all, 2 * n * sizeof *y);
    free(y);
  }
  float *alone = resampled(44100, 16000, 1, left, N, 64, &one);
  for (size_t i = 0; i < n; i++) assert_true(alone[i] == all[2 * i]);
  free(alone), free(all);
}

static void constants_and_ends(void **state) {
  static const int k[][2] = {{44100, 16000}, {16000, 48000}, {3, 7}, {1, 1}, {9999, 10000}};
  (void)state;
  for (size_t i = 0; i < sizeof k / sizeof *k; i++) {
    enum { N = 4000 };
    static float x[N];
    size_t n;
    for (size_t j = 0; j < N; j++) x[j] = 0.25f;
    float *y = resampled(k[i][0], k[i][1], 1, x, N, 333, &n);
    for (size_t m = n / 3; m < n / 2; m++) assert_true(fabsf(y[m] - 0.25f) < 2e-6f);
    free(y);
    y = resampled(k[i][0], k[i][1], 1, x, 1, 1, &n); /* shorter than the filter */
    assert_int_equal(n, (k[i][1] + k[i][0] - 1) / k[i][0]);
    free(y);
    y = resampled(k[i][0], k[i][1], 1, x, 0, 1, &n);
    assert_int_equal(n, 0);
    free(y);
  }
}

static void wrong(void **state) {
  whet_resampler *r;
  whet_err err;
  float x[10] = {0}, y[10];
  size_t n;
  (void)state;
  assert_int_equal(whet_resampler_create(0, 16000, 1, &r, &err), WHET_E_DATA);
  assert_int_equal(whet_resampler_create(16000, 16000, 0, &r, &err), WHET_E_DATA);
  assert_int_equal(whet_resampler_create(10000000, 2000, 1, &r, &err), WHET_E_LIMIT);
  assert_int_equal(whet_resampler_create(1, 3, 1, &r, &err), WHET_OK);
  assert_int_equal(whet_resampler_run(r, x, 10, 1, y, 10, &n, &err), WHET_E_SHAPE);
  assert_int_equal(whet_resampler_room(r, 3), 9); /* nothing was taken */
  whet_resampler_close(&r);
  whet_resampler_close(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sines), cmocka_unit_test(pieces),
                                     cmocka_unit_test(constants_and_ends), cmocka_unit_test(wrong)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
