/* SPDX-License-Identifier: Apache-2.0 */
/* Radix-2 Fourier transform: bits of the index reversed, then butterflies of growing size. */

#include "op/fft.h"

#include <math.h>

void whet__fft_twiddle(int64_t n, double *twiddle) {
  const double turn = -6.283185307179586476925286766559;
  for (int64_t k = 0; k < n / 2; k++) {
    twiddle[2 * k] = cos(turn * (double)k / (double)n);
    twiddle[2 * k + 1] = sin(turn * (double)k / (double)n);
  }
}

/* Exchange numbers i and j. */
static void exchange(double *x, int64_t i, int64_t j) {
  for (int k = 0; k < 2; k++) {
    double t = x[2 * i + k];
    x[2 * i + k] = x[2 * j + k];
    x[2 * j + k] = t;
  }
}

void whet__fft(int64_t n, double *x, int64_t step, const double *twiddle, int64_t most) {
  for (int64_t i = 1, j = 0; i < n; i++) {
    int64_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) exchange(x, i * step, j * step);
  }
  for (int64_t half = 1; half < n; half *= 2)
    for (int64_t k = 0; k < half; k++) {
      const double *w = twiddle + 2 * k * (most / (2 * half));
      for (int64_t at = k; at < n; at += 2 * half) {
        double *a = x + 2 * at * step, *b = x + 2 * (at + half) * step;
        double re = b[0] * w[0] - b[1] * w[1], im = b[0] * w[1] + b[1] * w[0];
        b[0] = a[0] - re, b[1] = a[1] - im;
        a[0] += re, a[1] += im;
      }
    }
}
