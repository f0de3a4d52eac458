/* SPDX-License-Identifier: Apache-2.0 */
/* Decimation in time: a transform of n = p * m samples is p transforms of every p-th sample, turned and added. Twiddles are
 * exact to a double; sums are in double. */

#include "edge/pipe/fft.h"

#include <math.h>
#include <stdlib.h>

enum { MOST = 1 << 20, FACTORS = 32 };

typedef struct cpx {
  double re, im;
} cpx;

struct pipe_fft {
  size_t n, n_factor, factor[FACTORS];
  cpx *turn; /* [n]: exp(-2 pi i k / n) */
  cpx *out;  /* [n] */
  cpx *part; /* [largest factor] */
};

whet_status pipe_fft_create(size_t n, pipe_fft **out, whet_err *err) {
  *out = NULL;
  if (!n || n > MOST) return edge_fail(err, WHET_E_DATA, "a spectrum of %zu samples: expected 1 to %d", n, MOST);
  pipe_fft *f = calloc(1, sizeof *f);
  size_t left = n, largest = 1;
  if (f) {
    f->n = n;
    for (size_t p = 2; left > 1; p = p * p > left ? left : p + 1)
      while (left % p == 0) {
        f->factor[f->n_factor++] = p;
        left /= p;
        if (p > largest) largest = p;
        if (left == 1) break;
      }
    f->turn = malloc(n * sizeof *f->turn);
    f->out = malloc(n * sizeof *f->out);
    f->part = malloc(largest * sizeof *f->part);
  }
  if (!f || !f->turn || !f->out || !f->part) {
    pipe_fft_close(&f);
    return edge_fail(err, WHET_E_MEMORY, "no memory for a spectrum of %zu samples", n);
  }
  for (size_t k = 0; k < n; k++) {
    double a = -2 * 3.14159265358979323846 * (double)k / (double)n;
    f->turn[k] = (cpx){cos(a), sin(a)};
  }
  *out = f;
  return WHET_OK;
}

void pipe_fft_close(pipe_fft **f) {
  if (!*f) return;
  free((*f)->turn);
  free((*f)->out);
  free((*f)->part);
  free(*f);
  *f = NULL;
}

/* Transform n samples in[0], in[step], ... into out. */
static void transform(pipe_fft *f, const float *in, size_t step, cpx *out, size_t n, const size_t *factor) {
  if (n == 1) {
    *out = (cpx){(double)*in, 0};
    return;
  }
  size_t p = *factor, m = n / p;
  for (size_t q = 0; q < p; q++) transform(f, in + q * step, step * p, out + q * m, m, factor + 1);
  for (size_t k = 0; k < m; k++) {
    for (size_t q = 0; q < p; q++) {
      cpx x = out[q * m + k], w = f->turn[q * k * step % f->n];
      f->part[q] = (cpx){x.re * w.re - x.im * w.im, x.re * w.im + x.im * w.re};
    }
    if (p == 2) {
      cpx a = f->part[0], b = f->part[1];
      out[k] = (cpx){a.re + b.re, a.im + b.im};
      out[m + k] = (cpx){a.re - b.re, a.im - b.im};
      continue;
    }
    for (size_t j = 0; j < p; j++) {
      cpx sum = f->part[0];
      for (size_t q = 1; q < p; q++) {
        cpx w = f->turn[q * j * m * step % f->n], x = f->part[q];
        sum.re += x.re * w.re - x.im * w.im;
        sum.im += x.re * w.im + x.im * w.re;
      }
      out[j * m + k] = sum;
    }
  }
}

void pipe_fft_run(pipe_fft *f, const float *in, float *re, float *im) {
  transform(f, in, 1, f->out, f->n, f->factor);
  for (size_t k = 0; k <= f->n / 2; k++) {
    re[k] = (float)f->out[k].re;
    im[k] = (float)f->out[k].im;
  }
}
