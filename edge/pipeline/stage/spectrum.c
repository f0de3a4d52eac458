/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `spectrum`: each column of a window into the strengths of its frequencies, perhaps added up in bands. */

#include <math.h>
#include <stdlib.h>

#include "edge/pipe/fft.h"
#include "edge/pipeline/kind.h"

typedef struct spectrum {
  pl_node n;
  int window;         /* hann, hamming, none */
  int scale;          /* magnitude, power, log */
  bool mean;          /* the mean is taken off first */
  int64_t bands;      /* of equal width; 0: every frequency */
  conf_reals between; /* Hz; needs a rate */
  pipe_fft *fft;
  size_t rows;
  float *shape, *x, *re, *im; /* [rows] each */
  double gain;                /* 2 / sum of the shape: a sine of amplitude 1 has magnitude 1 */
} spectrum;

#define AT(field) offsetof(spectrum, field)
static const conf_key k_keys[] = {{.name = "window", CONF_CHOICE, AT(window), "hann|hamming|none"},
                                  {.name = "scale", CONF_CHOICE, AT(scale), "magnitude|power|log"},
                                  {.name = "mean", CONF_BOOL, AT(mean)},
                                  {.name = "bands", CONF_INT, AT(bands), NULL, 1, 4096},
                                  {.name = "between", CONF_REALS, AT(between), NULL, 0, 1e9},
                                  {0}};
static const spectrum k_defaults = {.mean = true};

static whet_status open_spectrum(pl_node *n, whet_err *err) {
  spectrum *s = (spectrum *)n;
  if (s->between.n && (s->between.n != 2 || s->between.v[0] >= s->between.v[1]))
    return pl_fail(n, err, "between: expected two frequencies, the lower first");
  return WHET_OK;
}

static whet_status settle(spectrum *s, size_t rows, whet_err *err) {
  pipe_fft_close(&s->fft);
  s->rows = 0;
  EDGE_TRY(pipe_fft_create(rows, &s->fft, err));
  float *p = realloc(s->shape, 4 * rows * sizeof *p);
  if (!p) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu rows", rows);
  s->shape = p;
  s->x = p + rows, s->re = p + 2 * rows, s->im = p + 3 * rows;
  double sum = 0, a0 = s->window == 1 ? 0.54 : 0.5;
  for (size_t i = 0; i < rows; i++) { /* periodic windows, as for spectra */
    double w = s->window == 2 ? 1 : a0 - (1 - a0) * cos(2 * 3.14159265358979323846 * (double)i / (double)rows);
    s->shape[i] = (float)w;
    sum += w;
  }
  s->gain = sum > 0 ? 2 / sum : 1;
  s->rows = rows;
  return WHET_OK;
}

/* Frequencies first..first+n-1 that are asked for. */
static whet_status range(const spectrum *s, double rate, size_t *first, size_t *n, whet_err *err) {
  *first = 0;
  *n = s->rows / 2 + 1;
  if (!s->between.n) return WHET_OK;
  if (!(rate > 0)) return edge_fail(err, WHET_E_DATA, "between needs a rate, which these rows do not have");
  double each = rate / (double)s->rows, lo = ceil(s->between.v[0] / each - 1e-9),
         hi = floor(s->between.v[1] / each + 1e-9);
  if (hi > (double)(s->rows / 2)) hi = (double)(s->rows / 2);
  if (lo > hi)
    return edge_fail(err, WHET_E_DATA, "no frequency of %zu rows at %g Hz lies between %g and %g Hz", s->rows, rate,
                     s->between.v[0], s->between.v[1]);
  *first = (size_t)lo;
  *n = (size_t)(hi - lo) + 1;
  return WHET_OK;
}

static float scaled(const spectrum *s, double power) {
  return (float)(s->scale == 0 ? sqrt(power) : s->scale == 1 ? power : 10 * log10(power + 1e-12));
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  spectrum *s = (spectrum *)n;
  const float *p;
  size_t rows, columns, first, bins;
  EDGE_TRY(pl_frame_rows(f, &rows, &columns, &p, err));
  if (rows < 2) return edge_fail(err, WHET_E_SHAPE, "%zu row%s; put a window before it", rows, rows == 1 ? "" : "s");
  if (rows != s->rows) EDGE_TRY(settle(s, rows, err));
  EDGE_TRY(range(s, f->rate, &first, &bins, err));
  size_t bands = s->bands && (size_t)s->bands < bins ? (size_t)s->bands : bins;
  pl_frame *o = pl_frame_copy(f);
  if (!o) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
  o->rate = 0;
  whet_status st = pl_frame_numbers(o, WHET_F32, 2, (int64_t[]){(int64_t)columns, (int64_t)bands}, err);
  for (size_t c = 0; !st && c < columns; c++) {
    float *to = (float *)(void *)o->blob->p + c * bands;
    double mean = 0;
    for (size_t i = 0; s->mean && i < rows; i++) mean += (double)p[i * columns + c];
    mean /= (double)rows;
    for (size_t i = 0; i < rows; i++) s->x[i] = (float)((double)p[i * columns + c] - mean) * s->shape[i];
    pipe_fft_run(s->fft, s->x, s->re, s->im);
    for (size_t b = 0; b < bands; b++) {
      size_t from = first + b * bins / bands, to_k = first + (b + 1) * bins / bands;
      double power = 0;
      for (size_t k = from; k < to_k; k++) {
        double g = k == 0 || 2 * k == rows ? s->gain / 2 : s->gain;
        power += g * g * ((double)s->re[k] * (double)s->re[k] + (double)s->im[k] * (double)s->im[k]);
      }
      to[b] = scaled(s, power);
    }
  }
  if (!st) st = pl_pass(n, o, err);
  pl_frame_free(o);
  return st;
}

static void close_spectrum(pl_node *n) {
  spectrum *s = (spectrum *)n;
  pipe_fft_close(&s->fft);
  free(s->shape);
}

const pl_kind pl_stage_spectrum = {.name = "spectrum",
                                   .size = sizeof(spectrum),
                                   .keys = k_keys,
                                   .lone = "bands",
                                   .defaults = &k_defaults,
                                   .open = open_spectrum,
                                   .run = run,
                                   .close = close_spectrum};
