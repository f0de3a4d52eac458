/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WHET_KERN_X86_BF16_FITS_H
#define WHET_KERN_X86_BF16_FITS_H

/* Where rows that round factors to bf16 gain over f32, by cycles as they were measured on a core with AMX and on one
 * with AVX-512 BF16 only. */

#include "kern/conv_f32.h"

/* A product of m rows, k long, with n columns, where lots of rows do it. The weights of few rows are read in half the
 * time. */
static inline bool bf16_gains(int64_t m, int64_t n, int64_t k, bool tiles, const whet_target *t) {
  const double rows = (double)whet__ceil_div(m, 16), blocks = (double)whet__ceil_div(n, 16),
               steps = (double)whet__ceil_div(k, 32);
  if (m < 8) return (double)n * (double)k >= 16384;
  if (!tiles && !t->fast_bf16) return false;
  double f32 = (double)m * (double)k * blocks / 1.8, rounded = (double)m * (double)k / 12;
  double products = tiles ? rows * blocks * (steps * 24 + 80) : (double)m * steps * 32 * blocks / 3.2;
  return rounded + products < 0.95 * f32;
}

/* Six products of bf16 in the place of one of f32, on tiles. */
static inline bool split_gains(int64_t m, int64_t n, int64_t k) {
  const double rows = (double)whet__ceil_div(m, 32), columns = (double)whet__ceil_div(n, 32),
               steps = (double)whet__ceil_div(k, 32);
  double f32 = (double)m * (double)k * (double)whet__ceil_div(n, 16) / 1.8, weights = (double)n * (double)k;
  double parts = (double)m * (double)k / 3 + rows * columns * (steps * 540 + 500) + 3000;
  return parts + 0.6 * weights < 0.85 * (f32 + 0.2 * weights); /* which come from afar */
}

/* A convolution; taps that are left out count as well. */
static inline bool bf16_conv_gains(const whet_conv_f32 *c, bool tiles, const whet_target *t) {
  int64_t taps = 1, m = c->batch;
  for (int i = 0; i < 3; i++) taps *= c->dim[i].kernel, m *= c->dim[i].out;
  return c->constant && bf16_gains(m, c->oc, taps * c->ic, tiles, t);
}

/* Results, residuals and, where each result reads one pixel, inputs follow each other at one distance. */
static inline bool bf16_even(const whet_conv_f32 *p) {
  const whet_window *y = &p->dim[1], *x = &p->dim[2];
  if (y->out_step != x->out * x->out_step || (p->batch > 1 && p->out_batch != y->out * y->out_step)) return false;
  if (p->epi.res && (y->res_step != x->out * x->res_step || (p->batch > 1 && p->res_batch != y->out * y->res_step)))
    return false;
  bool one = y->kernel == 1 && x->kernel == 1 && y->stride == 1 && x->stride == 1;
  return !one || (y->in_step == x->in * x->in_step && (p->batch == 1 || p->in_batch == y->in * y->in_step));
}

/* Convolutions that strips of pictures do. */
static inline bool bf16_image_fits(const whet_conv_f32 *p) {
  const whet_window *d = &p->dim[0];
  const int64_t most = 1 << 24;
  if (p->pad_value != 0 || d->in != 1 || d->out != 1 || d->kernel != 1 || d->pad || p->dim[2].dilation != 1 || !bf16_even(p)) return false;
  for (int i = 1; i < 3; i++)
    if (p->dim[i].in > most || p->dim[i].out > most || p->dim[i].kernel > 64) return false;
  return p->groups * p->ic <= most && p->groups * p->oc <= most && p->batch <= most;
}

static inline bool bf16_image_gains(const whet_conv_f32 *p) {
  const int64_t run = p->dim[2].kernel * p->ic, taps = p->dim[1].kernel;
  const double m = (double)(p->batch * p->dim[1].out * p->dim[2].out),
               in = (double)(p->batch * p->dim[1].in * p->dim[2].in);
  if (m < 16 || !p->constant) return false;
  const double steps = (double)(taps * whet__ceil_div(run, 32)), blocks = (double)whet__ceil_div(p->oc, 16);
  double rounded = in * (double)p->ic / 8, products = m / 16 * blocks * (steps * 24 + 60);
  return rounded + products < 0.95 * m * (double)(taps * run) * blocks / 1.8;
}

/* Convolutions that lots of rows do. */
static inline bool bf16_rows_fit(const whet_conv_f32 *p) {
  return p->pad_value == 0 && p->dim[0].kernel * p->dim[1].kernel * p->dim[2].kernel <= WHET_JOB_SEGS;
}

#endif
