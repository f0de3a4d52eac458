/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_EDGE_PIPE_FFT_H
#define WHET_EDGE_PIPE_FFT_H

/* The spectrum of n real samples, of any n: mixed radices, so that small primes are fast. */

#include "edge/edge.h"

typedef struct pipe_fft pipe_fft;

/* n from 1 to 2^20. */
EDGE_MUST whet_status pipe_fft_create(size_t n, pipe_fft **out, whet_err *err);
/* Frees it and sets *f to NULL; NULL is accepted. */
void pipe_fft_close(pipe_fft **f);
/* in: n samples. re, im: n / 2 + 1 numbers, sum over t of in[t] * exp(-2 pi i k t / n). One thread at a time; no memory is
 * taken. */
void pipe_fft_run(pipe_fft *f, const float *in, float *re, float *im);

#endif
