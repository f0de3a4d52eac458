/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `window`: rows of numbers, however they come, into windows of one length that overlap or leave gaps.
 *
 * Rows that an item begins with may be preceded by zeros (`before`); a window's position is then that of the row
 * behind them, as models with context count it. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/pipeline/kind.h"

typedef struct window {
  pl_node n;
  const char *length_text, *hop_text, *before_text;
  int rest;                         /* drop, pad */
  double length_s, hop_s, before_s; /* seconds, where they are given so; else 0 */
  size_t length, hop, before;       /* rows; 0: not known before a rate is */
  float *row;                       /* [length][columns] */
  size_t cap, have, columns;        /* rows that are there */
  size_t fresh;                     /* of those, how many no window has had */
  size_t skip;                      /* rows to pass over: gaps */
  uint64_t rows;                    /* of the item so far */
  uint64_t count;                   /* windows of the item so far */
  bool started;
  pl_frame last; /* identity of the frame that came last, without lists */
} window;

#define AT(field) offsetof(window, field)
static const conf_key k_keys[] = {{.name = "length", CONF_STR, AT(length_text), NULL, 0, 0, true},
                                  {.name = "hop", CONF_STR, AT(hop_text)},
                                  {.name = "before", CONF_STR, AT(before_text)},
                                  {.name = "rest", CONF_CHOICE, AT(rest), "drop|pad"},
                                  {0}};

enum { MOST_ROWS = 1 << 24 };

/* "512": rows; "30ms": a time. */
static whet_status extent(const pl_node *n, const char *key, const char *text, size_t least, size_t *rows,
                          double *seconds, whet_err *err) {
  double v;
  if (!text) return WHET_OK;
  if (conf_real(text, &v) && v == floor(v) && v >= (double)least && v <= MOST_ROWS && !strchr(text, '%')) {
    *rows = (size_t)v;
    return WHET_OK;
  }
  if (!conf_real(text, &v) && conf_seconds(text, &v) && v > 0 && v < 86400) return *seconds = v, WHET_OK;
  return pl_fail(n, err, "%s: expected a number of rows of at least %zu, or a time (30ms), got \"%.40s\"", key, least,
                 text);
}

static whet_status open_window(pl_node *n, whet_err *err) {
  window *s = (window *)n;
  EDGE_TRY(extent(n, "length", s->length_text, 1, &s->length, &s->length_s, err));
  EDGE_TRY(extent(n, "hop", s->hop_text, 1, &s->hop, &s->hop_s, err));
  EDGE_TRY(extent(n, "before", s->before_text, 0, &s->before, &s->before_s, err));
  if (s->length && s->before >= s->length) return pl_fail(n, err, "before: expected less than length");
  return WHET_OK;
}

static void begin(pl_node *n) {
  window *s = (window *)n;
  s->started = false;
}

/* The first rows of an item: sizes are known now. */
static whet_status settle(window *s, const pl_frame *f, size_t columns, whet_err *err) {
  if ((s->length_s > 0 || s->hop_s > 0 || s->before_s > 0) && !(f->rate > 0))
    return edge_fail(err, WHET_E_DATA, "a length in time needs a rate, which these rows do not have");
  if (s->length_s > 0) s->length = (size_t)llround(s->length_s * f->rate);
  if (s->hop_s > 0) s->hop = (size_t)llround(s->hop_s * f->rate);
  if (s->before_s > 0) s->before = (size_t)llround(s->before_s * f->rate);
  if (!s->hop) s->hop = s->length;
  if (!s->length || s->length > MOST_ROWS || s->before >= s->length || s->length > SIZE_MAX / sizeof(float) / columns)
    return edge_fail(err, WHET_E_DATA, "%zu rows with %zu before them make no window", s->length, s->before);
  if (s->length * columns > s->cap) {
    float *p = realloc(s->row, s->length * columns * sizeof *p);
    if (!p) return edge_fail(err, WHET_E_MEMORY, "no memory for %zu rows", s->length);
    s->row = p;
    s->cap = s->length * columns;
  }
  memset(s->row, 0, s->before * columns * sizeof *s->row);
  s->columns = columns;
  s->have = s->before;
  s->fresh = s->skip = 0;
  s->rows = s->count = 0;
  s->started = true;
  return WHET_OK;
}

/* Hand on the window; `end` rows of the item came so far. */
static whet_status emit(window *s, const pl_frame *f, int64_t time, whet_err *err) {
  pl_frame *w = pl_frame_new(pl_pool_of(&s->n));
  if (!w) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
  pl_frame_from(w, f);
  whet_status st = pl_frame_numbers(w, WHET_F32, 2, (int64_t[]){(int64_t)s->length, (int64_t)s->columns}, err);
  if (!st) {
    memcpy(w->blob->p, s->row, s->length * s->columns * sizeof *s->row);
    w->seq = ++s->count;
    w->time = time;
    if (f->rate > 0) {
      w->at = (double)(s->count - 1) * (double)s->hop / f->rate;
      w->until = fmin(w->at + (double)(s->length - s->before) / f->rate, (double)s->rows / f->rate);
    }
    st = pl_pass(&s->n, w, err);
  }
  pl_frame_free(w);
  size_t keep = s->hop < s->length ? s->length - s->hop : 0;
  if (keep) memmove(s->row, s->row + (s->length - keep) * s->columns, keep * s->columns * sizeof *s->row);
  s->have = keep;
  s->skip = s->hop > s->length ? s->hop - s->length : 0;
  s->fresh = 0;
  return st;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  window *s = (window *)n;
  const float *p;
  size_t rows, columns;
  EDGE_TRY(pl_frame_rows(f, &rows, &columns, &p, err));
  if (!columns) return edge_fail(err, WHET_E_SHAPE, "rows without columns");
  if (!s->started) EDGE_TRY(settle(s, f, columns, err));
  if (columns != s->columns)
    return edge_fail(err, WHET_E_SHAPE, "a row of %zu columns among rows of %zu", columns, s->columns);
  pl_frame_from(&s->last, f);
  for (size_t at = 0; at < rows;) {
    if (s->skip) {
      size_t k = s->skip < rows - at ? s->skip : rows - at;
      s->skip -= k, at += k, s->rows += k;
      continue;
    }
    size_t k = s->length - s->have < rows - at ? s->length - s->have : rows - at;
    memcpy(s->row + s->have * columns, p + at * columns, k * columns * sizeof *p);
    s->have += k, s->fresh += k, s->rows += k, at += k;
    if (s->have < s->length) continue;
    double first = (double)at - (double)(s->length - s->before); /* of the window, in rows of this frame */
    EDGE_TRY(emit(s, f, f->rate > 0 ? f->time + (int64_t)(first / f->rate * 1e9) : f->time, err));
  }
  if (f->rate > 0) s->last.time = f->time + (int64_t)((double)rows / f->rate * 1e9); /* where the item ends */
  return WHET_OK;
}

static whet_status end(pl_node *n, whet_err *err) {
  window *s = (window *)n;
  if (!s->started || !s->rest || !s->fresh) return WHET_OK;
  double behind = (double)(s->have - s->before);
  int64_t time = s->last.rate > 0 ? s->last.time - (int64_t)(behind / s->last.rate * 1e9) : s->last.time;
  memset(s->row + s->have * s->columns, 0, (s->length - s->have) * s->columns * sizeof *s->row);
  return emit(s, &s->last, time, err);
}

static void close_window(pl_node *n) { free(((window *)n)->row); }

const pl_kind pl_stage_window = {.name = "window",
                                 .size = sizeof(window),
                                 .keys = k_keys,
                                 .lone = "length",
                                 .open = open_window,
                                 .run = run,
                                 .begin = begin,
                                 .end = end,
                                 .close = close_window};
