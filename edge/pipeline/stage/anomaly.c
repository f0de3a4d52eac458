/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `anomaly`: how unlike the usual a frame is, as a value of that name: the error with which a model tells
 * its own input again, a number that the model gives, or the mean square of the frame's own (standardised) numbers;
 * perhaps measured in deviations from what the first frames had. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipeline/inner.h"

typedef struct anomaly {
  pl_node n;
  int of; /* reconstruction, output, numbers */
  int64_t output, baseline, smooth;
  float *v; /* outputs as floats */
  size_t cap;
  double mean, squares, last; /* Welford; smoothed score */
  uint64_t seen;
  bool smoothed;
} anomaly;

#define AT(field) offsetof(anomaly, field)
static const conf_key k_keys[] = {{.name = "of", CONF_CHOICE, AT(of), "reconstruction|output|numbers"},
                                  {.name = "output", CONF_INT, AT(output), NULL, 0, PL_OUTPUTS - 1},
                                  {.name = "baseline", CONF_INT, AT(baseline), NULL, 2, 1e9},
                                  {.name = "smooth", CONF_INT, AT(smooth), NULL, 1, 1e6},
                                  {0}};
static const anomaly k_defaults = {.smooth = 1};

static whet_status open_anomaly(pl_node *n, whet_err *err) {
  anomaly *s = (anomaly *)n;
  if (s->of < 2 && !pl_is_behind_infer(n))
    return pl_fail(n, err, "it reads a model's outputs, but no infer stands before it");
  return WHET_OK;
}

static whet_status score(anomaly *s, const pl_frame *f, double *out, whet_err *err) {
  const float *in;
  size_t rows, columns;
  double sum = 0;
  if (s->of < 2 && (size_t)s->output >= f->n_output)
    return edge_fail(err, WHET_E_NAME, "the model has no output %lld", (long long)s->output);
  const pipe_tensor *t = &f->output[s->output];
  if (s->of == 1) {
    float v;
    EDGE_TRY(pipe_tensor_floats(t, 0, 1, &v, err));
    *out = (double)v;
    return WHET_OK;
  }
  EDGE_TRY(pl_frame_rows(f, &rows, &columns, &in, err));
  size_t n = rows * columns;
  if (s->of == 0) {
    if (t->n != n) return edge_fail(err, WHET_E_SHAPE, "the model gives %zu numbers for %zu", t->n, n);
    if (n > s->cap) {
      float *v = realloc(s->v, n * sizeof *v);
      if (!v) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu numbers", n);
      s->v = v;
      s->cap = n;
    }
    EDGE_TRY(pipe_tensor_floats(t, 0, n, s->v, err));
  }
  for (size_t i = 0; i < n; i++) {
    double d = (double)in[i] - (s->of == 0 ? (double)s->v[i] : 0);
    sum += d * d;
  }
  *out = n ? sum / (double)n : 0;
  return WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  anomaly *s = (anomaly *)n;
  double v = 0;
  EDGE_TRY(score(s, f, &v, err));
  if (s->baseline && s->seen < (uint64_t)s->baseline) { /* nothing is known yet: such frames end here */
    double d = v - s->mean;
    s->mean += d / (double)++s->seen;
    s->squares += d * (v - s->mean);
    return WHET_OK;
  }
  if (s->baseline) {
    double std = sqrt(s->squares / (double)s->seen);
    v = (v - s->mean) / (std > 1e-12 ? std : 1e-12);
  }
  s->last = s->smoothed ? s->last + 2.0 / (double)(s->smooth + 1) * (v - s->last) : v;
  s->smoothed = true;
  pl_set_value(f, "anomaly", s->last);
  return pl_pass(n, f, err);
}

static void close_anomaly(pl_node *n) { free(((anomaly *)n)->v); }

static bool gives(const pl_node *n, const char *name) { return !strcmp(name, "anomaly"); }

const pl_kind pl_stage_anomaly = {.name = "anomaly",
                                  .size = sizeof(anomaly),
                                  .keys = k_keys,
                                  .lone = "of",
                                  .defaults = &k_defaults,
                                  .open = open_anomaly,
                                  .run = run,
                                  .close = close_anomaly,
                                  .gives = gives};
