/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `resample`: rows of one rate (sound, samples of sensors) into another, whatever pieces they come in. */

#include <math.h>

#include "edge/pipeline/kind.h"
#include "whet/resample.h"

typedef struct resample {
  pl_node n;
  int64_t rate;
  whet_resampler *r;
  int32_t from, columns; /* that r was made for */
  uint64_t rows;         /* of the item, written */
  pl_frame last;         /* identity of the frame that came last, without lists */
  int64_t zero;          /* time at which the item began */
  bool begun, placed;    /* placed: its frames have a place in the item */
} resample;

static const conf_key k_keys[] = {{.name = "rate", CONF_INT, offsetof(resample, rate), NULL, 1, 10000000, true}, {0}};

static void begin(pl_node *n) {
  resample *s = (resample *)n;
  if (s->r) whet_resampler_reset(s->r);
  s->begun = false;
  s->rows = 0;
}

/* Rows of the frame, and the rest of the item at its end (f NULL). */
static whet_status give(resample *s, const pl_frame *like, const float *in, size_t rows, bool last, whet_err *err) {
  size_t room = whet_resampler_room(s->r, rows), n = 0;
  pl_frame *o = pl_frame_new(pl_pool_of(&s->n));
  if (!o) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
  pl_frame_from(o, like);
  whet_status st = pl_frame_numbers(o, WHET_F32, 2, (int64_t[]){(int64_t)(room ? room : 1), s->columns}, err);
  if (!st) st = whet_resampler_run(s->r, in, rows, last, (float *)(void *)o->blob->p, room, &n, err);
  if (!st && n) {
    double at = (double)s->rows / (double)s->rate;
    o->numbers.dims[0] = (int64_t)n;
    o->numbers.n = n * (size_t)s->columns;
    o->rate = (double)s->rate;
    o->time = s->zero + (int64_t)llround(at * 1e9);
    if (s->placed) o->at = at, o->until = at + (double)n / (double)s->rate;
    s->rows += n;
    st = pl_pass(&s->n, o, err);
  }
  pl_frame_free(o);
  return st;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  resample *s = (resample *)n;
  const float *p;
  size_t rows, columns;
  EDGE_TRY(pl_frame_rows(f, &rows, &columns, &p, err));
  if (f->rate == (double)s->rate) return pl_pass(n, f, err);
  if (!(f->rate >= 1) || f->rate != floor(f->rate))
    return edge_fail(err, WHET_E_DATA, "rows of %g a second; expected a whole number", f->rate);
  if (!s->r || s->from != (int32_t)f->rate || s->columns != (int32_t)columns) {
    whet_resampler_close(&s->r);
    EDGE_TRY(whet_resampler_create((int32_t)f->rate, (int32_t)s->rate, (int32_t)columns, &s->r, err));
    s->from = (int32_t)f->rate, s->columns = (int32_t)columns;
    s->begun = false;
    s->rows = 0;
  }
  if (!s->begun) s->zero = f->time, s->placed = f->at >= 0;
  s->begun = true;
  pl_frame_from(&s->last, f);
  return give(s, f, p, rows, false, err);
}

static whet_status end(pl_node *n, whet_err *err) {
  resample *s = (resample *)n;
  if (!s->begun) return WHET_OK;
  s->begun = false;
  return give(s, &s->last, NULL, 0, true, err);
}

static void close_resample(pl_node *n) { whet_resampler_close(&((resample *)n)->r); }

const pl_kind pl_stage_resample = {.name = "resample",
                                   .size = sizeof(resample),
                                   .keys = k_keys,
                                   .lone = "rate",
                                   .run = run,
                                   .begin = begin,
                                   .end = end,
                                   .close = close_resample};
