/* SPDX-License-Identifier: Apache-2.0 */
/* Decimation in time: a transform of n = p * m points is p transforms of every p-th point, turned and added. An even
 * number of real samples is half as many complex points, which are taken apart afterwards. Twiddles are exact to a
 * double; sums are in double. */

#include "edge/pipe/fft.h"

#include <math.h>
#include <stdlib.h>

enum { MOST = 1 << 20, FACTORS = 32 };

typedef struct cpx {
  double re, im;
} cpx;

struct pipe_fft {
  size_t n;      /* real samples */
  size_t points; /* of the transform: n, or n / 2 pairs */
  bool pairs;
  size_t n_factor, factor[FACTORS];
  cpx *turn; /* [points]: exp(-2 pi i k / points) */
  cpx *half; /* [n / 2 + 1]: exp(-2 pi i k / n), of pairs */
  cpx *out;  /* [points] */
  cpx *part; /* [largest factor] */
};

/* Fours, then a two, then odd primes from the least on. The largest. */
static size_t factorise(pipe_fft *f) {
  size_t left = f->points, largest = 1;
  for (size_t p = 4; left > 1;) {
    if (left % p) {
      p = p == 4 ? 2 : p == 2 ? 3 : p + 2;
      if (p > 3 && p * p > left) p = left;
      continue;
    }
    f->factor[f->n_factor++] = p;
    left /= p;
    if (p > largest) largest = p;
  }
  return largest;
}

static void make_turns(cpx *to, size_t n, size_t of) {
  for (size_t k = 0; k < n; k++) {
    double a = -2 * 3.14159265358979323846 * (double)k / (double)of;
    to[k] = (cpx){cos(a), sin(a)};
  }
}

whet_status pipe_fft_create(size_t n, pipe_fft **out, whet_err *err) {
  *out = NULL;
  if (!n || n > MOST) return edge_fail(err, WHET_E_DATA, "a spectrum of %zu samples: expected 1 to %d", n, MOST);
  pipe_fft *f = calloc(1, sizeof *f);
  if (f) {
    f->n = n;
    f->pairs = n % 2 == 0;
    f->points = f->pairs ? n / 2 : n;
    f->part = malloc(factorise(f) * sizeof *f->part);
    f->turn = malloc(f->points * sizeof *f->turn);
    f->half = malloc((n / 2 + 1) * sizeof *f->half);
    f->out = malloc(f->points * sizeof *f->out);
  }
  if (!f || !f->turn || !f->half || !f->out || !f->part) {
    pipe_fft_close(&f);
    return edge_fail(err, WHET_E_MEMORY, "no memory for a spectrum of %zu samples", n);
  }
  make_turns(f->turn, f->points, f->points);
  make_turns(f->half, n / 2 + 1, n);
  *out = f;
  return WHET_OK;
}

void pipe_fft_close(pipe_fft **f) {
  if (!*f) return;
  free((*f)->turn);
  free((*f)->half);
  free((*f)->out);
  free((*f)->part);
  free(*f);
  *f = NULL;
}

static cpx add(cpx a, cpx b) { return (cpx){a.re + b.re, a.im + b.im}; }
static cpx sub(cpx a, cpx b) { return (cpx){a.re - b.re, a.im - b.im}; }
static cpx mul(cpx a, cpx b) { return (cpx){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }

/* The transform of p turned points into out[0], out[m], ...; points / p steps of the table are one p-th of a turn. */
static void butterfly(const pipe_fft *f, const cpx *x, size_t p, cpx *out, size_t m) {
  if (p == 2) {
    out[0] = add(x[0], x[1]);
    out[m] = sub(x[0], x[1]);
    return;
  }
  if (p == 4) {
    cpx even = add(x[0], x[2]), odd = add(x[1], x[3]), e = sub(x[0], x[2]), o = sub(x[1], x[3]);
    out[0] = add(even, odd);
    out[m] = (cpx){e.re + o.im, e.im - o.re};
    out[2 * m] = sub(even, odd);
    out[3 * m] = (cpx){e.re - o.im, e.im + o.re};
    return;
  }
  for (size_t j = 0; j < p; j++) {
    cpx sum = x[0];
    for (size_t q = 1; q < p; q++) sum = add(sum, mul(x[q], f->turn[q * j % p * (f->points / p)]));
    out[j * m] = sum;
  }
}

static cpx point(const pipe_fft *f, const float *in, size_t i) {
  return f->pairs ? (cpx){(double)in[2 * i], (double)in[2 * i + 1]} : (cpx){(double)in[i], 0};
}

/* Transform n points from number `at` on, `step` apart, into out. */
static void transform(pipe_fft *f, const float *in, size_t at, size_t step, cpx *out, size_t n,
                      const size_t *factor) {
  size_t p = n > 1 ? *factor : 1, m = n / p;
  if (m == 1) {
    for (size_t q = 0; q < p; q++) f->part[q] = point(f, in, at + q * step);
    if (p == 1)
      *out = f->part[0];
    else
      butterfly(f, f->part, p, out, 1);
    return;
  }
  for (size_t q = 0; q < p; q++) transform(f, in, at + q * step, step * p, out + q * m, m, factor + 1);
  for (size_t k = 0; k < m; k++) {
    f->part[0] = out[k];
    for (size_t q = 1; q < p; q++) f->part[q] = mul(out[q * m + k], f->turn[q * k * step]);
    butterfly(f, f->part, p, out + k, m);
  }
}

void pipe_fft_run(pipe_fft *f, const float *in, float *re, float *im) {
  const cpx *z = f->out;
  transform(f, in, 0, 1, f->out, f->points, f->factor);
  for (size_t k = 0; k <= f->n / 2; k++) {
    cpx x = z[f->pairs ? k % f->points : k];
    if (f->pairs) { /* of even and of odd samples, by their symmetries */
      cpx y = z[(f->points - k) % f->points];
      cpx even = {(x.re + y.re) / 2, (x.im - y.im) / 2}, odd = {(x.im + y.im) / 2, (y.re - x.re) / 2};
      x = add(even, mul(odd, f->half[k]));
    }
    re[k] = (float)x.re;
    im[k] = (float)x.im;
  }
}
