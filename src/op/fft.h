/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_OP_FFT_H
#define WHET_OP_FFT_H

/* The discrete Fourier transform of 2^k complex numbers in double, forward: X[f] = sum over t of x[t] e^(-2 pi i f t / n).
 * For the operators of spectra, whose results are floats. */

#include "base/base.h"

static inline bool whet__is_pow2(int64_t n) { return n > 0 && !(n & (n - 1)); }
/* Doubles that `twiddle` holds for transforms of up to n numbers. */
static inline int64_t whet__fft_twiddles(int64_t n) { return n < 2 ? 2 : n; }
/* Fill twiddle with e^(-2 pi i k / n) for k < n / 2. */
void whet__fft_twiddle(int64_t n, double *twiddle);
/* Transform n numbers in place, real and imaginary parts side by side, numbers `step` apart; n divides the `most` that
 * twiddle was made for. */
void whet__fft(int64_t n, double *x, int64_t step, const double *twiddle, int64_t most);

#endif
