/* SPDX-License-Identifier: Apache-2.0 */
/* The stage `standardise`: (x - mean) / std, by column: with numbers from the file, of the frame itself, or learnt
 * from the first frames. */

#include <math.h>
#include <stdlib.h>

#include "edge/pipeline/kind.h"

typedef struct standardise {
  pl_node n;
  conf_reals mean, std;
  bool own;      /* each frame by its own mean and deviation */
  int64_t learn; /* frames from which they are learnt; those pass as zeros would, and are not handed on */
  double least;  /* deviation that counts at least */
  double *sum;   /* [columns] means, then [columns] sums of squares (Welford) */
  size_t columns;
  uint64_t rows, frames;
} standardise;

#define AT(field) offsetof(standardise, field)
static const conf_key k_keys[] = {{.name = "mean", CONF_REALS, AT(mean)},
                                  {.name = "std", CONF_REALS, AT(std)},
                                  {.name = "own", CONF_BOOL, AT(own)},
                                  {.name = "learn", CONF_INT, AT(learn), NULL, 1, 1e9},
                                  {.name = "least", CONF_REAL, AT(least), NULL, 0, 1e30},
                                  {0}};
static const standardise k_defaults = {.least = 1e-6};

static whet_status open_standardise(pl_node *n, whet_err *err) {
  standardise *s = (standardise *)n;
  int ways = (s->mean.n || s->std.n) + s->own + (s->learn > 0);
  if (ways != 1) return pl_fail(n, err, "expected one of mean and std, own, learn; got %d", ways);
  for (size_t i = 0; i < s->std.n; i++)
    if (!(s->std.v[i] > 0)) return pl_fail(n, err, "std: expected numbers above 0, got %g", s->std.v[i]);
  return WHET_OK;
}

/* Take the frame's rows into the means. */
static whet_status learn(standardise *s, const float *p, size_t rows, size_t columns, whet_err *err) {
  if (!s->sum) {
    if (!(s->sum = calloc(2 * columns + 1, sizeof *s->sum))) return edge_fail(err, WHET_E_MEMORY, "no memory");
    s->columns = columns;
  }
  if (columns != s->columns) return edge_fail(err, WHET_E_SHAPE, "%zu columns, %zu before", columns, s->columns);
  for (size_t r = 0; r < rows; r++) {
    s->rows++;
    for (size_t c = 0; c < columns; c++) {
      double x = (double)p[r * columns + c], d = x - s->sum[c];
      s->sum[c] += d / (double)s->rows;
      s->sum[columns + c] += d * (x - s->sum[c]);
    }
  }
  s->frames++;
  return WHET_OK;
}

static whet_status run(pl_node *n, pl_frame *f, whet_err *err) {
  standardise *s = (standardise *)n;
  const float *p;
  size_t rows, columns;
  EDGE_TRY(pl_frame_rows(f, &rows, &columns, &p, err));
  if ((s->mean.n > 1 && s->mean.n != columns) || (s->std.n > 1 && s->std.n != columns))
    return edge_fail(err, WHET_E_SHAPE, "%zu columns, mean has %zu numbers and std %zu", columns, s->mean.n,
                     s->std.n);
  if (s->learn && s->frames < (uint64_t)s->learn) return learn(s, p, rows, columns, err);
  if (s->learn && columns != s->columns)
    return edge_fail(err, WHET_E_SHAPE, "%zu columns, %zu were learnt", columns, s->columns);
  pl_frame *o = pl_frame_copy(f);
  if (!o) return edge_fail(err, WHET_E_MEMORY, "no memory for a frame");
  whet_status st = pl_frame_numbers(o, WHET_F32, f->numbers.rank, f->numbers.dims, err);
  for (size_t c = 0; !st && c < columns; c++) {
    float *to = (float *)(void *)o->blob->p;
    double mean = s->mean.n ? s->mean.v[s->mean.n > 1 ? c : 0] : 0,
           std = s->std.n ? s->std.v[s->std.n > 1 ? c : 0] : 1;
    if (s->learn) {
      mean = s->sum[c];
      std = sqrt(s->sum[columns + c] / (double)s->rows);
    } else if (s->own) {
      double sum = 0;
      for (size_t r = 0; r < rows; r++) sum += (double)p[r * columns + c];
      mean = rows ? sum / (double)rows : 0;
      sum = 0;
      for (size_t r = 0; r < rows; r++)
        sum += ((double)p[r * columns + c] - mean) * ((double)p[r * columns + c] - mean);
      std = rows ? sqrt(sum / (double)rows) : 1;
    }
    if (std < s->least) std = s->least > 0 ? s->least : 1;
    for (size_t r = 0; r < rows; r++) to[r * columns + c] = (float)(((double)p[r * columns + c] - mean) / std);
  }
  if (!st) st = pl_pass(n, o, err);
  pl_frame_free(o);
  return st;
}

static void close_standardise(pl_node *n) { free(((standardise *)n)->sum); }

const pl_kind pl_stage_standardise = {.name = "standardise",
                                      .size = sizeof(standardise),
                                      .keys = k_keys,
                                      .defaults = &k_defaults,
                                      .open = open_standardise,
                                      .run = run,
                                      .close = close_standardise};
