/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `mel`: a window of sound into one row of log-mel energies or cepstral coefficients. */

#include "edge/pipe/mel.h"
#include "edge/pipeline/kind.h"

typedef struct mel {
  pl_node n;
  int kind;
  int64_t bands, cepstra, fft;
  conf_reals between;
  double scale, lifter, rate;
  pipe_mel *m;
  size_t rows; /* that m was made for ... */
  double of;   /* ... and their rate */
} mel;

#define AT(field) offsetof(mel, field)
static const conf_key k_keys[] = {{.name = "bands", CONF_INT, AT(bands), NULL, 1, 1024},
                                  {.name = "kind", CONF_CHOICE, AT(kind), "librosa|torchaudio|kaldi"},
                                  {.name = "cepstra", CONF_INT, AT(cepstra), NULL, 0, 1024},
                                  {.name = "fft", CONF_INT, AT(fft), NULL, 0, 1 << 20},
                                  {.name = "between", CONF_REALS, AT(between), NULL, 0, 1e9},
                                  {.name = "scale", CONF_REAL, AT(scale), NULL, -1e12, 1e12},
                                  {.name = "lifter", CONF_REAL, AT(lifter), NULL, 0, 1e6},
                                  {.name = "rate", CONF_REAL, AT(rate), NULL, 0, 1e9},
                                  {0}};
static const mel k_defaults = {.bands = 40, .scale = 1};

static whet_status open_mel(pl_node *n, whet_err *err) {
  mel *s = (mel *)n;
  if (s->between.n && (s->between.n != 2 || s->between.v[0] >= s->between.v[1]))
    return pl_fail(n, err, "between: expected two frequencies, the lower first");
  if (s->cepstra > s->bands)
    return pl_fail(n, err, "cepstra: %lld of %lld bands", (long long)s->cepstra, (long long)s->bands);
  return WHET_OK;
}

static whet_status settle(mel *s, size_t rows, double rate, whet_err *err) {
  pipe_mel_opts o = {.kind = (pipe_mel_kind)s->kind,
                     .rate = rate,
                     .length = rows,
                     .n_fft = (size_t)s->fft,
                     .bands = (size_t)s->bands,
                     .cepstra = (size_t)s->cepstra,
                     .lifter = s->lifter};
  if (s->between.n) o.lo = s->between.v[0], o.hi = s->between.v[1];
  pipe_mel_close(&s->m);
  s->rows = 0;
  EDGE_TRY(pipe_mel_create(&o, &s->m, err));
  s->rows = rows;
  s->of = rate;
  return WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  mel *s = (mel *)n;
  const float *p;
  size_t rows, columns;
  EDGE_TRY(pl_frame_rows(f, &rows, &columns, &p, err));
  if (columns != 1)
    return edge_fail(err, WHET_E_SHAPE, "%zu columns; make them one by columns: {mean: true}", columns);
  if (rows != s->rows || s->of != f->rate)
    if (settle(s, rows, f->rate, err)) return edge_fail_in(err, "mel");
  int64_t width = s->cepstra ? s->cepstra : s->bands;
  pl_frame *o = pl_frame_copy(f), *x = NULL;
  if (!o) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
  const float *in = p;
  whet_status st = WHET_OK;
  if (s->scale != 1) { /* scaled samples, in a frame of the pool */
    x = pl_frame_copy(f);
    st = x ? pl_frame_numbers(x, WHET_F32, 2, (int64_t[]){(int64_t)rows, 1}, err)
           : edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
    for (size_t i = 0; !st && i < rows; i++) ((float *)(void *)x->blob->p)[i] = (float)((double)p[i] * s->scale);
    if (!st) in = (const float *)(const void *)x->blob->p;
  }
  if (!st) st = pl_frame_numbers(o, WHET_F32, 2, (int64_t[]){1, width}, err);
  if (!st) pipe_mel_run(s->m, in, (float *)(void *)o->blob->p);
  pl_frame_free(x);
  o->rate = s->rate;
  if (!st) st = pl_pass(n, o, err);
  pl_frame_free(o);
  return st;
}

static void close_mel(pl_node *n) { pipe_mel_close(&((mel *)n)->m); }

const pl_kind pl_stage_mel = {.name = "mel",
                              .size = sizeof(mel),
                              .keys = k_keys,
                              .lone = "bands",
                              .defaults = &k_defaults,
                              .open = open_mel,
                              .run = run,
                              .close = close_mel};
