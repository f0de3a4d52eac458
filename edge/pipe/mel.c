/* SPDX-License-Identifier: Apache-2.0 */
/* Log-mel energies and cepstra. Sums are in double. */

#include "edge/pipe/mel.h"

#include <math.h>
#include <stdlib.h>

#include "edge/pipe/fft.h"

#define PI 3.14159265358979323846

struct pipe_mel {
  pipe_mel_opts o;
  pipe_fft *fft;
  size_t bins; /* n_fft / 2 + 1 */
  float *window, *x, *re, *im;
  double *weight;         /* [bands][bins] */
  uint32_t *first, *past; /* [bands]: bins whose weight is not 0 */
  double *dct;            /* [cepstra][bands] */
  double *energy;         /* [bands] */
};

/* Slaney's scale is linear up to 1000 Hz, 27 steps for each factor of 6.4 above; HTK's is a logarithm. */
static double mel_of(pipe_mel_kind k, double f) {
  if (k == PIPE_MEL_LIBROSA) return f < 1000 ? f * 3 / 200 : 15 + log(f / 1000) * 27 / log(6.4);
  return 1127.0 * log1p(f / 700.0);
}

static double hertz_of(pipe_mel_kind k, double m) {
  if (k == PIPE_MEL_LIBROSA) return m < 15 ? m * 200 / 3 : 1000 * exp((m - 15) * log(6.4) / 27);
  return 700.0 * expm1(m / 1127.0);
}

/* Triangles between neighbouring edges: over frequency, or over mel (Kaldi). */
static void make_weights(pipe_mel *m) {
  const pipe_mel_opts *o = &m->o;
  double lo = mel_of(o->kind, o->lo), step = (mel_of(o->kind, o->hi) - lo) / (double)(o->bands + 1);
  bool by_mel = o->kind == PIPE_MEL_KALDI;
  for (size_t b = 0; b < o->bands; b++) {
    double e[3];
    for (int i = 0; i < 3; i++) {
      e[i] = lo + (double)(b + (size_t)i) * step;
      if (!by_mel) e[i] = hertz_of(o->kind, e[i]);
    }
    double area = o->kind == PIPE_MEL_LIBROSA ? 2 / (e[2] - e[0]) : 1;
    m->first[b] = (uint32_t)m->bins;
    for (size_t k = 0; k < m->bins - (by_mel && m->bins > 1); k++) { /* Kaldi leaves out half the rate */
      double f = (double)k * o->rate / (double)o->n_fft, at = by_mel ? mel_of(o->kind, f) : f;
      double w = fmin((at - e[0]) / (e[1] - e[0]), (e[2] - at) / (e[2] - e[1])) * area;
      if (!(w > 0)) continue;
      m->weight[b * m->bins + k] = w;
      if (m->first[b] > k) m->first[b] = (uint32_t)k;
      m->past[b] = (uint32_t)k + 1;
    }
  }
}

/* Orthonormal DCT-II; Kaldi lifts its coefficients. */
static void make_dct(pipe_mel *m) {
  const pipe_mel_opts *o = &m->o;
  for (size_t c = 0; c < o->cepstra; c++) {
    double lift = o->lifter > 0 ? 1 + o->lifter / 2 * sin(PI * (double)c / o->lifter) : 1;
    for (size_t b = 0; b < o->bands; b++)
      m->dct[c * o->bands + b] = lift * sqrt((c ? 2.0 : 1.0) / (double)o->bands) *
                                 cos(PI * (double)c * ((double)b + 0.5) / (double)o->bands);
  }
}

static whet_status check(pipe_mel_opts *o, whet_err *err) {
  if (o->length < 2 || o->length > 1 << 20) return edge_fail(err, WHET_E_DATA, "a window of %zu samples", o->length);
  if (!o->n_fft) {
    o->n_fft = o->length;
    if (o->kind == PIPE_MEL_KALDI)
      for (o->n_fft = 2; o->n_fft < o->length; o->n_fft *= 2) continue;
  }
  if (o->n_fft < o->length || o->n_fft > 1 << 20)
    return edge_fail(err, WHET_E_DATA, "a transform of %zu samples for windows of %zu", o->n_fft, o->length);
  if (!(o->rate > 0)) return edge_fail(err, WHET_E_DATA, "the rate of the samples is not known");
  if (o->hi == 0) o->hi = o->rate / 2;
  if (!(o->lo >= 0 && o->lo < o->hi && o->hi <= o->rate / 2))
    return edge_fail(err, WHET_E_DATA, "bands from %g to %g Hz at a rate of %g", o->lo, o->hi, o->rate);
  if (!o->bands || o->bands > 1024) return edge_fail(err, WHET_E_DATA, "%zu bands: expected 1 to 1024", o->bands);
  if (o->cepstra > o->bands) return edge_fail(err, WHET_E_DATA, "%zu coefficients of %zu bands", o->cepstra, o->bands);
  return WHET_OK;
}

whet_status pipe_mel_create(const pipe_mel_opts *opts, pipe_mel **out, whet_err *err) {
  pipe_mel_opts o = *opts;
  *out = NULL;
  EDGE_TRY(check(&o, err));
  pipe_mel *m = calloc(1, sizeof *m);
  if (m) {
    m->o = o;
    m->bins = o.n_fft / 2 + 1;
    m->window = calloc(o.length, sizeof *m->window);
    m->x = calloc(o.n_fft, sizeof *m->x);
    m->re = calloc(m->bins, sizeof *m->re);
    m->im = calloc(m->bins, sizeof *m->im);
    m->weight = calloc(o.bands * m->bins, sizeof *m->weight);
    m->first = calloc(o.bands, sizeof *m->first);
    m->past = calloc(o.bands, sizeof *m->past);
    m->dct = calloc(o.cepstra * o.bands + 1, sizeof *m->dct);
    m->energy = calloc(o.bands, sizeof *m->energy);
  }
  if (!m || !m->window || !m->x || !m->re || !m->im || !m->weight || !m->first || !m->past || !m->dct || !m->energy) {
    pipe_mel_close(&m);
    return edge_fail(err, WHET_E_MEMORY, "no memory for %zu bands", o.bands);
  }
  whet_status s = pipe_fft_create(o.n_fft, &m->fft, err);
  if (s) {
    pipe_mel_close(&m);
    return s;
  }
  bool kaldi = o.kind == PIPE_MEL_KALDI;
  for (size_t i = 0; i < o.length; i++) {
    double w = 0.5 - 0.5 * cos(2 * PI * (double)i / (double)(o.length - kaldi));
    m->window[i] = (float)(kaldi ? pow(w, 0.85) : w);
  }
  make_weights(m);
  make_dct(m);
  *out = m;
  return WHET_OK;
}

void pipe_mel_close(pipe_mel **p) {
  pipe_mel *m = *p;
  *p = NULL;
  if (!m) return;
  pipe_fft_close(&m->fft);
  free(m->window);
  free(m->x);
  free(m->re);
  free(m->im);
  free(m->weight);
  free(m->first);
  free(m->past);
  free(m->dct);
  free(m->energy);
  free(m);
}

/* The window's samples, weighed, in the middle of the transform where it is longer (librosa, torchaudio). */
static void prepare(pipe_mel *m, const float *in) {
  size_t n = m->o.length;
  if (m->o.kind != PIPE_MEL_KALDI) {
    float *x = m->x + (m->o.n_fft - n) / 2;
    for (size_t i = 0; i < n; i++) x[i] = in[i] * m->window[i];
    return;
  }
  double mean = 0;
  for (size_t i = 0; i < n; i++) mean += (double)in[i];
  mean /= (double)n;
  for (size_t i = n; i-- > 0;) {
    double before = (double)in[i ? i - 1 : 0] - mean;
    m->x[i] = (float)(((double)in[i] - mean - 0.97 * before) * (double)m->window[i]);
  }
}

void pipe_mel_run(pipe_mel *m, const float *in, float *out) {
  const pipe_mel_opts *o = &m->o;
  prepare(m, in);
  pipe_fft_run(m->fft, m->x, m->re, m->im);
  for (size_t b = 0; b < o->bands; b++) {
    double e = 0;
    for (size_t k = m->first[b]; k < m->past[b]; k++)
      e += m->weight[b * m->bins + k] *
           ((double)m->re[k] * (double)m->re[k] + (double)m->im[k] * (double)m->im[k]);
    m->energy[b] = o->kind == PIPE_MEL_KALDI ? log(fmax(e, 0x1p-23)) : 10 * log10(fmax(e, 1e-10));
    if (!o->cepstra) out[b] = (float)m->energy[b];
  }
  for (size_t c = 0; c < o->cepstra; c++) {
    double sum = 0;
    for (size_t b = 0; b < o->bands; b++) sum += m->dct[c * o->bands + b] * m->energy[b];
    out[c] = (float)sum;
  }
}
